//! `[contacts]`: a trace, or one of the generators with its keys.

use crate::sim::NODES_MAX;
use crate::sim::generate::{Generator, Homes, Meet, Meeting, Plan, Route, SIDE_MM_MAX, Walk};
use crate::sim::mistake::{InputError, Mistake};
use crate::sim::scenario::table::{Section, Value};
use crate::sim::scenario::{Contacts, Named};

/// The keys of every kind of contacts.
pub(super) const KEYS: &[&str] = &[
    "trace",
    "generator",
    "width",
    "height",
    "range",
    "speed_min",
    "speed_max",
    "pause",
    "communities",
    "home",
    "home_side",
    "routes",
    "rate",
    "rate_across",
    "length",
    "plan",
];
const TRACE: &[&str] = &["trace"];
const WALK: &[&str] = &["generator", "width", "height", "range", "speed_min", "speed_max", "pause", "routes"];
const COMMUNITY: &[&str] = &[
    "generator",
    "width",
    "height",
    "range",
    "speed_min",
    "speed_max",
    "pause",
    "routes",
    "communities",
    "home",
    "home_side",
];
const MEET: &[&str] = &["generator", "rate", "rate_across", "communities", "length"];
const PLAN: &[&str] = &["generator", "plan"];
const ROUTE: &[&str] = &["nodes", "speed", "pause", "stops"];
const MEETING: &[&str] = &["a", "b", "among", "start", "duration", "period", "until", "jitter"];
/// Most nodes of one `among`: it stands for their pairs.
const AMONG_MAX: usize = 1_000;

#[derive(Clone, Copy)]
enum Kind {
    Walk,
    Community,
    Meet,
    Plan,
}

const KINDS: &[(&str, Kind)] = &[
    ("random-waypoint", Kind::Walk),
    ("community", Kind::Community),
    ("random-contacts", Kind::Meet),
    ("contact-plan", Kind::Plan),
];

pub(super) fn read(top: &Section, nodes: Option<u32>) -> Result<Contacts, InputError> {
    let Some(contacts) = top.section("contacts", KEYS)? else {
        let said = "there is no [contacts]; add it, with `trace = \"FILE\"` or `generator = \"…\"`";
        return Err(top.refuse(said.into()));
    };
    let kind = match (contacts.value("trace"), contacts.value("generator")) {
        (Some(trace), None) => {
            contacts.narrowed("a trace", TRACE)?;
            return Ok(Contacts::Trace(Named { path: trace.text()?.to_owned(), line: trace.line() }));
        }
        (Some(_), Some(generator)) => {
            return Err(generator.refuse("[contacts] has both `trace` and `generator`; remove one".into()));
        }
        (None, None) => {
            let said = "[contacts] names no contacts; add `trace = \"FILE\"` or `generator = \"random-waypoint\"`";
            return Err(contacts.refuse(said.into()));
        }
        (None, Some(generator)) => generator.choice(KINDS)?,
    };
    let said = || top.refuse("a generator needs to know how many; add `nodes = 50` (or so) at the top".into());
    let generator = match kind {
        Kind::Walk => Generator::Walk(read_walk(
            &contacts.narrowed("generator = \"random-waypoint\"", WALK)?,
            nodes.ok_or_else(said)?,
        )?),
        Kind::Community => {
            let nodes = nodes.ok_or_else(said)?;
            let contacts = contacts.narrowed("generator = \"community\"", COMMUNITY)?;
            let communities = contacts.needed("communities", "4")?.whole_between(1, nodes.into())? as u32;
            let home_per_million = contacts.value("home").map_or(Ok(800_000), |value| value.share())?;
            let side_mm = contacts.value("home_side").map(|value| value.length_mm(SIDE_MM_MAX)).transpose()?;
            let walk = read_walk(&contacts, nodes)?;
            let homes = Homes::on((walk.width_mm, walk.height_mm), communities, home_per_million, side_mm);
            Generator::Walk(Walk { homes: Some(homes), ..walk })
        }
        Kind::Meet => Generator::Meet(read_meet(
            &contacts.narrowed("generator = \"random-contacts\"", MEET)?,
            nodes.ok_or_else(said)?,
        )?),
        Kind::Plan => Generator::Plan(read_plan(&contacts.narrowed("generator = \"contact-plan\"", PLAN)?, nodes)?),
    };
    Ok(Contacts::Generator(generator))
}

fn read_walk(contacts: &Section, nodes: u32) -> Result<Walk, InputError> {
    let (width, height) = (contacts.needed("width", "\"1km\"")?, contacts.needed("height", "\"1km\"")?);
    let (width_mm, height_mm) = (width.length_mm(SIDE_MM_MAX)?, height.length_mm(SIDE_MM_MAX)?);
    let slowest = contacts.value("speed_min").map_or(Ok(500), |value| value.speed_mm_s())?;
    let fastest = contacts.value("speed_max").map_or(Ok(slowest.max(1_500)), |value| value.speed_mm_s())?;
    if slowest > fastest {
        return Err(contacts.refuse("`speed_min` is above `speed_max`; swap them".into()));
    }
    let mut routes = Vec::new();
    let mut vehicles = 0u64;
    for route in contacts.value("routes").map_or(Ok(Vec::new()), |value| value.list())? {
        let read = read_route(&route, nodes, (width_mm, height_mm))?;
        vehicles += u64::from(read.nodes);
        if vehicles > u64::from(nodes) {
            let said = format!("the routes have {vehicles} vehicles, more than the {nodes} nodes; raise `nodes`");
            return Err(route.refuse(said));
        }
        routes.push(read);
    }
    Ok(Walk {
        nodes,
        width_mm,
        height_mm,
        range_mm: contacts.needed("range", "\"30m\"")?.length_mm(SIDE_MM_MAX)?,
        speed_mm_s: (slowest, fastest),
        pause_us: contacts.value("pause").map_or(Ok((0, 0)), |value| value.span(|end| end.duration_us()))?,
        homes: None,
        routes,
    })
}

fn read_route(route: &Value, nodes: u32, (width_mm, height_mm): (u64, u64)) -> Result<Route, InputError> {
    let section = route.section("a route".into(), ROUTE)?;
    let stops = section.needed("stops", "[[0, 0], [500, 0]]")?;
    let mut stops_mm = Vec::new();
    for stop in stops.list()? {
        let sides = stop.list()?;
        let [x, y] = sides.as_slice() else {
            return Err(stop.refuse("a stop is two lengths, as [0, 500] or [\"0m\", \"1.2km\"]".into()));
        };
        let (x_mm, y_mm) = (x.place_mm()?, y.place_mm()?);
        if x_mm > width_mm || y_mm > height_mm {
            return Err(stop.refuse("the stop lies outside of `width` and `height`; move it inside".into()));
        }
        stops_mm.push((x_mm as i64, y_mm as i64));
    }
    if stops_mm.is_empty() {
        return Err(stops.refuse("a route needs a stop, as [[0, 0], [500, 0]]".into()));
    }
    Ok(Route {
        nodes: section.value("nodes").map_or(Ok(1), |value| value.whole_between(1, nodes.into()))? as u32,
        speed_mm_s: section.value("speed").map_or(Ok(10_000), |value| value.speed_mm_s())?,
        pause_us: section.value("pause").map_or(Ok(60_000_000), |value| value.duration_us())?,
        stops_mm,
    })
}

fn read_meet(contacts: &Section, nodes: u32) -> Result<Meet, InputError> {
    let length = contacts.needed("length", "[\"1min\", \"10min\"]")?;
    let length_us = length.span(|end| end.duration_us())?;
    if length_us.0 == 0 {
        return Err(length.refuse("a contact of no length carries nothing; write \"1s\" or more".into()));
    }
    Ok(Meet {
        nodes,
        rate: contacts.needed("rate", "\"4/h\"")?.rate()?,
        rate_across: contacts.value("rate_across").map(|value| value.rate()).transpose()?,
        communities: contacts.value("communities").map_or(Ok(1), |value| value.whole_between(1, nodes.into()))? as u32,
        length_us,
    })
}

fn read_plan(contacts: &Section, nodes: Option<u32>) -> Result<Plan, InputError> {
    let plan =
        contacts.needed("plan", "[{ a = 0, b = 1, start = \"0s\", duration = \"10min\", period = \"90min\" }]")?;
    let mut meetings = Vec::new();
    for meeting in plan.list()? {
        meetings.push(read_meeting(&meeting, nodes)?);
    }
    let last = meetings.iter().filter_map(|meeting: &Meeting| meeting.among.last()).max();
    let Some(last) = last else {
        return Err(plan.refuse("the plan is empty; add a meeting".into()));
    };
    Ok(Plan { nodes: nodes.unwrap_or(last + 1), meetings })
}

fn read_meeting(meeting: &Value, nodes: Option<u32>) -> Result<Meeting, InputError> {
    let section = meeting.section("a meeting".into(), MEETING)?;
    let mut among = match section.value("among") {
        Some(list) => {
            let list = list.list()?;
            if list.len() > AMONG_MAX {
                return Err(meeting.refuse(format!("more than {AMONG_MAX} meet at once; split the meeting")));
            }
            list.iter().map(|value| value.node(nodes)).collect::<Result<Vec<u32>, _>>()?
        }
        None => vec![section.needed("a", "0")?.node(nodes)?, section.needed("b", "1")?.node(nodes)?],
    };
    among.sort_unstable();
    if let Some(twice) = among.windows(2).find(|two| two[0] == two[1]) {
        return Err(meeting.refuse(Mistake::SelfContact { node: twice[0].into() }.to_string()));
    }
    if among.len() < 2 {
        return Err(meeting.refuse("a meeting needs two nodes or more".into()));
    }
    let time = |key: &str| section.value(key).map(|value| value.duration_us()).transpose();
    let duration_us = section.needed("duration", "\"10min\"")?.duration_us()?;
    let period_us = time("period")?;
    if duration_us == 0 || period_us == Some(0) {
        return Err(meeting.refuse("`duration` and `period` must be more than 0".into()));
    }
    Ok(Meeting {
        among,
        start_us: time("start")?.unwrap_or(0),
        duration_us,
        period_us,
        until_us: time("until")?,
        jitter_us: time("jitter")?.unwrap_or(0),
    })
}

const _: () = assert!(NODES_MAX < u32::MAX, "one more than the last id still fits");
