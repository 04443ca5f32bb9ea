//! Links, routing, stores and bundles: what the nodes are and how fast they talk.

use crate::agent::routing::Forwarding;
use crate::bundle::COPIES_MAX;
use crate::sim::mistake::InputError;
use crate::sim::scenario::table::Section;

/// What a contact can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Every exchange takes no time.
    Ideal,
    Rate(Rated),
    /// Files that a person takes along: what lies on them when the contact begins is there when it ends.
    Stick(Carried),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// `None`: no bound.
    pub bytes_max: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rated {
    pub bytes_per_second: u64,
    /// From the start of a contact to its first byte.
    pub setup_us: u64,
    pub duplex: Duplex,
    pub sharing: Sharing,
    /// Transfers that are lost, in a million.
    pub loss_per_million: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplex {
    Half,
    Full,
}

/// What one transfer keeps busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// A radio: one transfer at a time at each node.
    Host,
    /// A cable: one transfer at a time on each link.
    Link,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Routing {
    pub strategy: Strategy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    Direct,
    Epidemic,
    SprayAndWait { copies: u16 },
    Prophet(Prophet),
    Default { copies: Option<u16> },
}

/// PRoPHETv2's parameters (RFC 6693 section 3.3) in millionths; `None`: as the agent has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prophet {
    pub p_encounter_max: Option<u32>,
    pub p_encounter_first: Option<u32>,
    pub p_first_threshold: Option<u32>,
    pub beta: Option<u32>,
    pub gamma: Option<u32>,
    pub delta: Option<u32>,
    /// How long one step of ageing is.
    pub time_unit_us: Option<u64>,
    /// The usual time between two encounters, under which one counts for less.
    pub interval_us: Option<u64>,
    pub forwarding: Option<Forwarding>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Store {
    /// `None`: no bound.
    pub quota_bytes: Option<u64>,
    /// The part of the quota that is promised as custody, in a million; `None`: as the agent has it.
    pub custody_share_per_million: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bundles {
    /// `None`: as long as the run.
    pub lifetime_us: Option<u64>,
}

pub(super) const LINK: &[&str] = &["model", "bytes_per_second", "setup_ms", "duplex", "sharing", "loss", "stick_bytes"];
pub(super) const ROUTING: &[&str] = &[
    "strategy",
    "copies",
    "p_encounter_max",
    "p_encounter_first",
    "p_first_threshold",
    "beta",
    "gamma",
    "delta",
    "time_unit",
    "interval",
    "forwarding",
];
/// As RFC 6693 names them.
const FORWARDING: &[(&str, Forwarding)] =
    &[("grtr", Forwarding::Grtr), ("grtr-sort", Forwarding::GrtrSort), ("grtr-max", Forwarding::GrtrMax)];
pub(super) const STORE: &[&str] = &["quota_bytes", "custody_share"];
pub(super) const BUNDLE: &[&str] = &["lifetime"];

/// As a scenario names it.
pub(super) fn forwarding_name(forwarding: Forwarding) -> &'static str {
    FORWARDING.iter().find(|(_, known)| *known == forwarding).expect("each has a name").0
}

impl Strategy {
    /// As a scenario and a report name it.
    pub fn name(&self) -> &'static str {
        match self {
            Strategy::Direct => "direct",
            Strategy::Epidemic => "epidemic",
            Strategy::SprayAndWait { .. } => "spray-and-wait",
            Strategy::Prophet(_) => "prophet",
            Strategy::Default { .. } => "default",
        }
    }
}

#[derive(Clone, Copy)]
enum Model {
    Ideal,
    Rate,
    Stick,
}

/// Absent: ideal. Keys of the other model are known and have no effect, so that a sweep can switch.
pub(super) fn read_link(top: &Section) -> Result<Link, InputError> {
    let Some(link) = top.section("link", LINK)? else { return Ok(Link::Ideal) };
    let models = [("ideal", Model::Ideal), ("rate", Model::Rate), ("stick", Model::Stick)];
    let model = link.needed("model", "\"ideal\"")?.choice(&models)?;
    let setup_us = link.value("setup_ms").map_or(Ok(0), |value| value.whole_between(0, 86_400_000))? * 1_000;
    let duplex = link.value("duplex").map(|value| value.choice(&[("half", Duplex::Half), ("full", Duplex::Full)]));
    let sharing = link.value("sharing").map(|value| value.choice(&[("host", Sharing::Host), ("link", Sharing::Link)]));
    let loss_per_million = match link.value("loss") {
        Some(value) => match value.share()? {
            1_000_000 => return Err(value.refuse("`loss` is all there is; leave the contacts out, or lower it".into())),
            loss => loss,
        },
        None => 0,
    };
    let (duplex, sharing) = (duplex.unwrap_or(Ok(Duplex::Half))?, sharing.unwrap_or(Ok(Sharing::Host))?);
    let bytes_max = link.value("stick_bytes").map(|value| value.size_bytes()).transpose()?;
    match model {
        Model::Ideal => return Ok(Link::Ideal),
        Model::Stick => return Ok(Link::Stick(Carried { bytes_max })),
        Model::Rate => {}
    }
    let rate = link.needed("bytes_per_second", "250000")?;
    let bytes_per_second = rate.size_bytes()?;
    if bytes_per_second == 0 {
        return Err(rate.refuse("`bytes_per_second` is 0; a link must carry something".into()));
    }
    Ok(Link::Rate(Rated { bytes_per_second, setup_us, duplex, sharing, loss_per_million }))
}

/// Absent: our default strategy.
pub(super) fn read_routing(top: &Section) -> Result<Routing, InputError> {
    let Some(routing) = top.section("routing", ROUTING)? else {
        return Ok(Routing { strategy: Strategy::Default { copies: None } });
    };
    let copies = routing.value("copies").map(|value| value.whole_between(1, COPIES_MAX.into())).transpose()?;
    let copies = copies.map(|copies| copies as u16);
    let part = |key: &str| routing.value(key).map(|value| value.millionths()).transpose();
    let time = |key: &str| routing.value(key).map(|value| value.duration_us()).transpose();
    let prophet = Prophet {
        p_encounter_max: part("p_encounter_max")?,
        p_encounter_first: part("p_encounter_first")?,
        p_first_threshold: part("p_first_threshold")?,
        beta: part("beta")?,
        gamma: part("gamma")?,
        delta: part("delta")?,
        time_unit_us: time("time_unit")?,
        interval_us: time("interval")?,
        forwarding: routing.value("forwarding").map(|value| value.choice(FORWARDING)).transpose()?,
    };
    let strategy = routing.needed("strategy", "\"epidemic\"")?.choice(&[
        ("direct", Strategy::Direct),
        ("epidemic", Strategy::Epidemic),
        ("spray-and-wait", Strategy::SprayAndWait { copies: copies.unwrap_or(8) }),
        ("prophet", Strategy::Prophet(prophet)),
        ("default", Strategy::Default { copies }),
    ])?;
    Ok(Routing { strategy })
}

pub(super) fn read_store(top: &Section) -> Result<Store, InputError> {
    let Some(store) = top.section("store", STORE)? else { return Ok(Store::default()) };
    Ok(Store {
        quota_bytes: store.value("quota_bytes").map(|value| value.size_bytes()).transpose()?,
        custody_share_per_million: store.value("custody_share").map(|value| value.share()).transpose()?,
    })
}

pub(super) fn read_bundle(top: &Section) -> Result<Bundles, InputError> {
    let Some(bundle) = top.section("bundle", BUNDLE)? else { return Ok(Bundles::default()) };
    let lifetime = bundle.value("lifetime");
    let lifetime_us = lifetime.as_ref().map(|value| value.duration_us()).transpose()?;
    if let (Some(value), Some(0)) = (&lifetime, lifetime_us) {
        return Err(value.refuse("`lifetime` is 0, so nothing could ever arrive; write \"300min\" or so".into()));
    }
    Ok(Bundles { lifetime_us })
}
