//! One way to write each scenario, and the hash of it.

use std::fmt::Write;

use crate::sim::generate::{Generator, Meet, Meeting, Plan, Route, Walk};
use crate::sim::scenario::{
    Carried, Carriers, ClockOffsets, Contacts, Crash, Duplex, Faults, Link, Messages, Outages, Prophet, Rated, Routing,
    Scenario, Sharing, Strategy, policy::forwarding_name,
};
use crate::sim::workload::topics::{Subscribers, Topics};
use crate::sim::workload::{Arrivals, GroupCopies, Pace, Pairs, Rate, Workload};

/// BLAKE3 over the normal form and the contents of the files, each behind its length.
pub(super) fn hash(scenario: &Scenario, files: &[Vec<u8>]) -> String {
    hash_of(&form(scenario), files)
}

/// The hash that the scenario would have with direct delivery: the same for all strategies.
pub(super) fn world(scenario: &Scenario, files: &[Vec<u8>]) -> String {
    let routing = Routing { strategy: Strategy::Direct };
    hash_of(&form(&Scenario { routing, ..scenario.clone() }), files)
}

fn hash_of(form: &str, files: &[Vec<u8>]) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("dak 2026 scenario hash v1");
    for part in std::iter::once(form.as_bytes()).chain(files.iter().map(Vec::as_slice)) {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    hasher.finalize().to_hex().to_string()
}

/// Lines of `key value`, with defaults filled in; a file is named by its contents only.
pub(super) fn form(scenario: &Scenario) -> String {
    let mut lines = Lines(String::new());
    lines.some("nodes", scenario.nodes);
    lines.some("duration_us", scenario.duration_us);
    match &scenario.contacts {
        Contacts::Trace(_) => lines.add("contacts", "trace"),
        Contacts::Generator(Generator::Walk(walk)) => lines.walk(walk),
        Contacts::Generator(Generator::Meet(meet)) => lines.meet(meet),
        Contacts::Generator(Generator::Plan(plan)) => lines.plan(plan),
    }
    match &scenario.workload {
        Messages::None => lines.add("workload", "none"),
        Messages::File(_) => lines.add("workload", "file"),
        Messages::Rate(workload) => lines.workload("workload", workload),
    }
    if let Some(topics) = &scenario.topics {
        lines.topics(topics);
    }
    if let Some(files) = &scenario.files {
        lines.workload("files", files);
    }
    lines.link(&scenario.link);
    lines.strategy(&scenario.routing.strategy);
    lines.some("store.quota_bytes", scenario.store.quota_bytes);
    lines.some("store.custody_share_per_million", scenario.store.custody_share_per_million);
    lines.some("bundle.lifetime_us", scenario.bundle.lifetime_us);
    lines.faults(&scenario.faults);
    lines.0
}

fn arrivals_name(arrivals: Arrivals) -> &'static str {
    if arrivals == Arrivals::Regular { "regular" } else { "poisson" }
}

struct Lines(String);

impl Lines {
    fn add(&mut self, key: &str, value: impl std::fmt::Display) {
        writeln!(self.0, "{key} {value}").expect("writing to a string cannot fail");
    }

    fn some(&mut self, key: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.add(key, value);
        }
    }

    fn span(&mut self, key: &str, (low, high): (u64, u64)) {
        self.add(key, format_args!("{low} {high}"));
    }

    fn rate(&mut self, key: &str, rate: Rate) {
        self.add(key, format_args!("{} per {} us", rate.count, rate.per_us));
    }

    fn ids(&mut self, key: &str, ids: &[u32]) {
        if !ids.is_empty() {
            let text: Vec<String> = ids.iter().map(u32::to_string).collect();
            self.add(key, text.join(" "));
        }
    }

    fn walk(&mut self, walk: &Walk) {
        let Walk { nodes, width_mm, height_mm, range_mm, speed_mm_s, pause_us, homes, routes } = walk;
        self.add("contacts", "walk");
        self.add("walk.nodes", nodes);
        self.span("walk.plane_mm", (*width_mm, *height_mm));
        self.add("walk.range_mm", range_mm);
        self.span("walk.speed_mm_s", *speed_mm_s);
        self.span("walk.pause_us", *pause_us);
        if let Some(homes) = homes {
            self.add("walk.homes", format_args!("{} {}", homes.communities, homes.home_per_million));
            self.some("walk.home_side_mm", homes.side_mm);
        }
        for Route { nodes, speed_mm_s, pause_us, stops_mm } in routes {
            self.add("walk.route", format_args!("{nodes} {speed_mm_s} {pause_us}"));
            stops_mm.iter().for_each(|(x, y)| self.add("walk.stop", format_args!("{x} {y}")));
        }
    }

    fn meet(&mut self, meet: &Meet) {
        let Meet { nodes, rate, rate_across, communities, length_us } = meet;
        self.add("contacts", "meet");
        self.add("meet.nodes", nodes);
        self.rate("meet.rate", *rate);
        if let Some(rate) = rate_across {
            self.rate("meet.rate_across", *rate);
        }
        self.add("meet.communities", communities);
        self.span("meet.length_us", *length_us);
    }

    fn plan(&mut self, plan: &Plan) {
        self.add("contacts", "plan");
        self.add("plan.nodes", plan.nodes);
        for Meeting { among, start_us, duration_us, period_us, until_us, jitter_us } in &plan.meetings {
            self.ids("plan.among", among);
            self.add("plan.meeting", format_args!("{start_us} {duration_us} {jitter_us}"));
            self.some("plan.period_us", *period_us);
            self.some("plan.until_us", *until_us);
        }
    }

    fn workload(&mut self, section: &str, workload: &Workload) {
        let Workload { rate, arrivals, size, priorities: [bulk, normal, urgent], pairs, start_us, end_us } = workload;
        let key = |key: &str| format!("{section}.{key}");
        self.rate(&key("rate"), *rate);
        self.add(&key("arrivals"), arrivals_name(*arrivals));
        self.span(&key("size_bytes"), *size);
        self.add(&key("priorities"), format_args!("{bulk} {normal} {urgent}"));
        match pairs {
            Pairs::Any { from, to } => {
                self.ids(&key("from"), from);
                self.ids(&key("to"), to);
            }
            Pairs::Listed(pairs) => pairs.iter().for_each(|(a, b)| self.add(&key("pair"), format_args!("{a} {b}"))),
            Pairs::Groups(groups, copies) => {
                groups.iter().for_each(|members| self.ids(&key("group"), members));
                self.add(&key("group_copies"), if *copies == GroupCopies::One { "one" } else { "each" });
            }
        }
        self.add(&key("start_us"), start_us);
        self.some(&key("end_us"), *end_us);
    }

    fn topics(&mut self, topics: &Topics) {
        let Topics { count, owners, writers, subscribers, pace, size } = topics;
        let Pace { rate, arrivals, start_us, end_us } = pace;
        self.add("topics.count", count);
        self.ids("topics.owners", owners);
        self.add("topics.writers", writers);
        match subscribers {
            Subscribers::Many(many) => self.add("topics.subscribers_each", many),
            Subscribers::Listed(ids) => self.ids("topics.subscribers", ids),
        }
        self.rate("topics.rate", *rate);
        self.add("topics.arrivals", arrivals_name(*arrivals));
        self.span("topics.size_bytes", *size);
        self.add("topics.start_us", start_us);
        self.some("topics.end_us", *end_us);
    }

    fn link(&mut self, link: &Link) {
        let rated = match link {
            Link::Ideal => return self.add("link", "ideal"),
            Link::Stick(Carried { bytes_max }) => {
                self.add("link", "stick");
                return self.some("link.stick_bytes", *bytes_max);
            }
            Link::Rate(rated) => rated,
        };
        let Rated { bytes_per_second, setup_us, duplex, sharing, loss_per_million } = rated;
        self.add("link", "rate");
        self.add("link.bytes_per_second", bytes_per_second);
        self.add("link.setup_us", setup_us);
        self.add("link.duplex", if *duplex == Duplex::Half { "half" } else { "full" });
        self.add("link.sharing", if *sharing == Sharing::Host { "host" } else { "link" });
        self.add("link.loss_per_million", loss_per_million);
    }

    fn strategy(&mut self, strategy: &Strategy) {
        self.add("routing", strategy.name());
        match strategy {
            Strategy::Direct | Strategy::Epidemic => {}
            Strategy::SprayAndWait { copies } => self.add("routing.copies", copies),
            Strategy::Default { copies } => self.some("routing.copies", *copies),
            Strategy::Prophet(prophet) => self.prophet(prophet),
        }
    }

    fn prophet(&mut self, prophet: &Prophet) {
        let Prophet {
            p_encounter_max,
            p_encounter_first,
            p_first_threshold,
            beta,
            gamma,
            delta,
            time_unit_us,
            interval_us,
            forwarding,
        } = prophet;
        self.some("prophet.p_encounter_max", *p_encounter_max);
        self.some("prophet.p_encounter_first", *p_encounter_first);
        self.some("prophet.p_first_threshold", *p_first_threshold);
        self.some("prophet.beta", *beta);
        self.some("prophet.gamma", *gamma);
        self.some("prophet.delta", *delta);
        self.some("prophet.time_unit_us", *time_unit_us);
        self.some("prophet.interval_us", *interval_us);
        self.some("prophet.forwarding", forwarding.map(forwarding_name));
    }

    fn faults(&mut self, faults: &Faults) {
        let Faults { crashes, outages, black_holes, grey_holes, grey_drop_per_million, liars, silent, clocks } = faults;
        let ClockOffsets { up_to_ms, listed } = clocks;
        for Crash { at_us, node, up_us } in crashes {
            self.add("faults.crash", format_args!("{at_us} {node} {up_us}"));
        }
        if let Some(Outages { rate, down_us }) = outages {
            self.rate("faults.outages", *rate);
            self.span("faults.down_us", *down_us);
        }
        self.carriers("faults.black_holes", black_holes);
        self.carriers("faults.grey_holes", grey_holes);
        if *grey_holes != Carriers::default() {
            self.add("faults.grey_drop_per_million", grey_drop_per_million);
        }
        self.carriers("faults.liars", liars);
        self.carriers("faults.silent", silent);
        if *up_to_ms > 0 {
            self.add("faults.clock_offset_ms", up_to_ms);
        }
        for (node, offset_ms) in listed {
            self.add("faults.clock", format_args!("{node} {offset_ms}"));
        }
    }

    fn carriers(&mut self, key: &str, carriers: &Carriers) {
        match carriers {
            Carriers::Share { per_million } => self.add(key, format_args!("{per_million} per million")),
            Carriers::Listed(ids) => self.ids(key, ids),
        }
    }
}
