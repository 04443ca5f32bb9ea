//! What is being tried: a TOML file, every key of it checked.
//!
//! Reading has two steps, so that no file is touched here. [`Scenario::parse`] takes the text; [`Scenario::load`] asks its
//! caller for the files that it names and gives a [`Loaded`] run: contacts, messages, duration, and the hash by which two
//! people know that they ran the same thing.
//!
//! An unknown key, a wrong unit or a missing section is a sentence with its line, and a suggestion where one is near.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::sim::NODES_MAX;
use crate::sim::generate::Generator;
use crate::sim::mistake::{InputError, Mistake};
use crate::sim::recognise::Kind;
use crate::sim::trace::{Clip, Events, Format, Trace};
use crate::sim::workload::topics::{Topic, Topics};
use crate::sim::workload::{self, Channel, Message, Workload};

mod contacts;
mod faults;
mod messages;
mod normal;
mod policy;
mod table;
mod traffic;
mod units;

pub use faults::{Carriers, ClockOffsets, Conduct, Crash, FaultPlan, Faults, Outages};
pub use policy::{Bundles, Carried, Duplex, Link, Prophet, Rated, Routing, Sharing, Store, Strategy};
pub use units::parse_duration_us;

use table::{Document, Section};

/// A scenario as its file says, defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// The file's name, for errors and reports.
    pub file: String,
    pub title: Option<String>,
    pub seed: u64,
    /// Absent: as many as the trace names.
    pub nodes: Option<u32>,
    /// Absent: the trace's last event.
    pub duration_us: Option<u64>,
    pub contacts: Contacts,
    pub workload: Messages,
    pub topics: Option<Topics>,
    pub files: Option<Workload>,
    pub link: Link,
    pub routing: Routing,
    pub store: Store,
    pub bundle: Bundles,
    pub faults: Faults,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contacts {
    Trace(Named),
    Generator(Generator),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Messages {
    /// Nobody writes mail.
    None,
    File(Named),
    Rate(Workload),
}

/// A file that the scenario names, relative to the scenario, and the line where it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub path: String,
    pub line: Option<u64>,
}

/// A run, ready to start.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub scenario: Scenario,
    pub nodes: u32,
    pub duration_us: u64,
    pub source: Source,
    /// In order of creation. With a `duration` in the scenario, none is created at it or later.
    pub messages: Vec<Message>,
    pub topics: Vec<Topic>,
    /// 64 hexadecimal digits over everything but the seed and the title.
    pub hash: String,
    /// The same with the strategy left out: runs that differ in nothing else are comparable.
    pub world: String,
}

#[derive(Clone, Debug)]
pub enum Source {
    Trace(Arc<Trace>),
    Generator(Generator),
}

/// Each section and its keys.
const SECTIONS: &[(&str, &[&str])] = &[
    ("at the top, before any section", TOP),
    ("in [contacts]", contacts::KEYS),
    ("in [workload]", messages::KEYS),
    ("in [topics]", traffic::TOPICS),
    ("in [files]", traffic::FILES),
    ("in [link]", policy::LINK),
    ("in [routing]", policy::ROUTING),
    ("in [store]", policy::STORE),
    ("in [bundle]", policy::BUNDLE),
    ("in [faults]", faults::KEYS),
];

/// What stands before the first section.
const TOP: &[&str] = &[
    "title", "seed", "nodes", "duration", "contacts", "workload", "topics", "files", "link", "routing", "store",
    "bundle", "faults",
];

impl Scenario {
    /// Reads a scenario. `overrides` are keys with dots and their values, as `("routing.copies", "16")`; they replace what
    /// the text says.
    pub fn parse(file: &str, text: &str, overrides: &[(&str, &str)]) -> Result<Scenario, InputError> {
        let document = Document::new(file, text, overrides, SECTIONS);
        let table = document.read()?;
        let top = Section::top(&document, &table, TOP)?;
        let nodes = top.value("nodes").map(|value| value.whole_between(2, NODES_MAX.into())).transpose()?;
        let nodes = nodes.map(|nodes| nodes as u32);
        let duration = top.value("duration");
        let duration_us = duration.as_ref().map(|value| value.duration_us()).transpose()?;
        if let (Some(value), Some(0)) = (&duration, duration_us) {
            return Err(value.refuse("a run of no time shows nothing; give a longer `duration`".into()));
        }
        let contacts = contacts::read(&top, nodes)?;
        if let (Contacts::Generator(_), None) = (&contacts, duration_us) {
            let said = "a generator has no end of its own; add `duration = \"12h\"` (or so) at the top";
            return Err(InputError::whole(file, Mistake::Scenario(said.into())));
        }
        let known_nodes = match &contacts {
            Contacts::Trace(_) => nodes,
            Contacts::Generator(generator) => Some(generator.nodes()),
        };
        Ok(Scenario {
            file: file.to_owned(),
            title: top.value("title").map(|value| value.text().map(str::to_owned)).transpose()?,
            seed: top.value("seed").map_or(Ok(0), |value| value.whole())?,
            nodes,
            duration_us,
            contacts,
            workload: messages::read(&top, known_nodes)?,
            topics: traffic::read_topics(&top, known_nodes)?,
            files: traffic::read_files(&top, known_nodes)?,
            link: policy::read_link(&top)?,
            routing: policy::read_routing(&top)?,
            store: policy::read_store(&top)?,
            bundle: policy::read_bundle(&top)?,
            faults: faults::read(&top, known_nodes)?,
        })
    }

    /// Fetches the files through `read`, which is given paths as the scenario writes them.
    pub fn load(self, read: &mut dyn FnMut(&str) -> io::Result<Vec<u8>>) -> Result<Loaded, InputError> {
        let mut files = Vec::new();
        let source = match &self.contacts {
            Contacts::Trace(named) => {
                let bytes = self.fetch(named, read)?;
                let trace = Trace::parse(&self.place_of(named), &bytes[..], self.nodes)
                    .map_err(|error| Kind::explain(&bytes, error, |kind| kind == Kind::Contacts(Format::TheOne)))?;
                files.push(bytes);
                Source::Trace(Arc::new(trace))
            }
            Contacts::Generator(generator) => Source::Generator(generator.clone()),
        };
        let nodes = match &source {
            Source::Trace(trace) => trace.nodes,
            Source::Generator(generator) => generator.nodes(),
        };
        let duration_us = match (&source, self.duration_us) {
            (_, Some(duration_us)) => duration_us,
            (Source::Trace(trace), None) => trace.end_us,
            (Source::Generator(_), None) => unreachable!("the parser asks for a duration"),
        };
        self.faults.check(&self.file, nodes, duration_us)?;
        let mut from_file = Vec::new();
        match &self.workload {
            Messages::None => {}
            Messages::File(named) => {
                let bytes = self.fetch(named, read)?;
                from_file = workload::parse(&self.place_of(named), &bytes[..], Some(nodes))
                    .map_err(|error| Kind::explain(&bytes, error, |kind| kind == Kind::Messages))
                    .map_err(|error| self.hint_at_nodes(error))?;
                files.push(bytes);
            }
            Messages::Rate(workload) => messages::check(&self.file, "[workload]", workload, nodes, duration_us)?,
        }
        traffic::check(&self, nodes, duration_us)?;
        let (messages, topics) = self.written(from_file, nodes, duration_us);
        let (hash, world) = (normal::hash(&self, &files), normal::world(&self, &files));
        Ok(Loaded { scenario: self, nodes, duration_us, source, messages, topics, hash, world })
    }

    /// All that is written in a run, in order of creation, and the topics that are there.
    fn written(&self, from_file: Vec<Message>, nodes: u32, duration_us: u64) -> (Vec<Message>, Vec<Topic>) {
        let mut messages = from_file;
        if let Messages::Rate(workload) = &self.workload {
            messages.extend(workload.generate(nodes, duration_us, self.seed));
        }
        let mut topics = Vec::new();
        if let Some(published) = &self.topics {
            topics = published.draw(nodes, self.seed);
            messages.extend(published.generate(&topics, duration_us, self.seed));
        }
        let groups = self.groups_of_mail().len() as u32;
        messages.extend(self.files.iter().flat_map(|files| files.files(groups, nodes, duration_us, self.seed)));
        // What is one bundle for several stays together: all of that has one time.
        messages.sort_by_key(|message| message.create_us);
        if self.duration_us.is_some() {
            messages.retain(|message| message.create_us < duration_us);
        }
        (messages, topics)
    }

    fn groups_of_mail(&self) -> &[Vec<u32>] {
        match &self.workload {
            Messages::Rate(workload) => workload.groups(),
            _ => &[],
        }
    }

    /// Every setting that matters for the outcome, one a line, in one order and in one unit.
    pub fn normal_form(&self) -> String {
        normal::form(self)
    }

    /// Whoever meets nobody has no line in a trace, and may be meant all the same.
    fn hint_at_nodes(&self, error: InputError) -> InputError {
        match (self.nodes, &error.mistake) {
            (None, Mistake::OutOfRange { node, .. }) if *node < NODES_MAX.into() => {
                let said = format!(
                    "{}; if it is there and meets nobody, add `nodes = {}` at the top of {}",
                    error.mistake,
                    node + 1,
                    self.file
                );
                InputError { mistake: Mistake::Scenario(said), ..error }
            }
            _ => error,
        }
    }

    /// The path of a file that the scenario names, for whoever named the scenario.
    fn place_of(&self, named: &Named) -> String {
        Path::new(&self.file).with_file_name(&named.path).display().to_string()
    }

    fn fetch(&self, named: &Named, read: &mut dyn FnMut(&str) -> io::Result<Vec<u8>>) -> Result<Vec<u8>, InputError> {
        read(&named.path).map_err(|why| {
            let path = &named.path;
            let said = format!("`{path}` cannot be read ({why}); paths start from the scenario's own folder");
            InputError { file: self.file.clone(), line: named.line, mistake: Mistake::Scenario(said) }
        })
    }
}

impl Loaded {
    /// The contacts of the run, in their order; the same each time.
    pub fn events(&self) -> Events<'_> {
        match &self.source {
            Source::Trace(trace) if self.duration_us < trace.end_us => {
                Box::new(Clip::new(trace.events(), self.duration_us))
            }
            Source::Trace(trace) => trace.events(),
            Source::Generator(generator) => generator.events(self.scenario.seed, self.duration_us),
        }
    }

    /// The same scenario with another seed.
    pub fn with_seed(&self, seed: u64) -> Loaded {
        let mut other = self.clone();
        other.scenario.seed = seed;
        let mut from_file = std::mem::take(&mut other.messages);
        let is_from_file = matches!(self.scenario.workload, Messages::File(_));
        from_file.retain(|message| is_from_file && message.channel == Channel::Mail);
        (other.messages, other.topics) = other.scenario.written(from_file, self.nodes, self.duration_us);
        other
    }

    /// The groups that are written to as such: first those of mail, then those of files.
    pub fn groups(&self) -> impl Iterator<Item = &Vec<u32>> {
        let of_files = self.scenario.files.iter().flat_map(Workload::groups);
        self.scenario.groups_of_mail().iter().chain(of_files)
    }

    /// The life that every message gets: absent in the scenario, as long as the run.
    pub fn lifetime_us(&self) -> u64 {
        self.scenario.bundle.lifetime_us.unwrap_or(self.duration_us)
    }

    /// Who crashes, who cheats and whose clock is wrong in this run.
    pub fn fault_plan(&self) -> FaultPlan {
        self.scenario.faults.resolve(self.nodes, self.duration_us, self.scenario.seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::EXAMPLE;

    const MINIMAL: &str = "[contacts]\ntrace = \"t.txt\"\n[workload]\nfile = \"w.txt\"\n[link]\nmodel = \"ideal\"\n\
        [routing]\nstrategy = \"epidemic\"\n[store]\nquota_bytes = 5000000\n[bundle]\nlifetime = \"300min\"\n";

    fn files(path: &str) -> io::Result<Vec<u8>> {
        match path {
            "t.txt" => Ok(b"0 CONN 0 1 up\n5 CONN 0 1 down\n8 CONN 1 2 up\n20 CONN 1 2 down\n".to_vec()),
            "w.txt" => Ok(b"1 C a 0 2 100\n12 C b 1 0 100\n".to_vec()),
            _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
        }
    }

    fn loaded(text: &str, overrides: &[(&str, &str)]) -> Loaded {
        Scenario::parse("s.toml", text, overrides).unwrap().load(&mut files).unwrap()
    }

    fn error(text: &str) -> String {
        let parsed = Scenario::parse("s.toml", text, &[]);
        parsed.and_then(|scenario| scenario.load(&mut files)).expect_err("it must be refused").to_string()
    }

    #[test]
    fn the_minimal_scenario_loads_with_its_defaults() {
        let run = loaded(MINIMAL, &[]);
        assert_eq!((run.nodes, run.duration_us, run.messages.len()), (3, 20_000_000, 2));
        assert_eq!(run.lifetime_us(), 300 * 60_000_000);
        assert_eq!(run.scenario.store.quota_bytes, Some(5_000_000));
        assert_eq!(run.scenario.routing.strategy, Strategy::Epidemic);
        assert_eq!(run.scenario.link, Link::Ideal);
        assert_eq!(run.events().count(), 4);
    }

    #[test]
    fn the_example_loads_and_depends_on_its_seed() {
        let run = Scenario::parse("example.toml", EXAMPLE, &[]).unwrap().load(&mut files).unwrap();
        assert!(!run.messages.is_empty() && run.events().count() > 100);
        let other = run.with_seed(run.scenario.seed + 1);
        assert!(run.events().ne(other.events()) && run.messages != other.messages);
        assert_eq!(run.hash, other.hash, "the seed has its own place in a report");
    }

    #[test]
    fn a_duration_cuts_contacts_and_messages() {
        let run = loaded(&format!("duration = \"10s\"\n{MINIMAL}"), &[]);
        assert_eq!(run.messages.len(), 1);
        assert_eq!(run.events().last().map(|event| event.at_us), Some(10_000_000));
    }

    #[test]
    fn overrides_replace_what_the_text_says() {
        let run = loaded(MINIMAL, &[("routing.strategy", "spray-and-wait"), ("routing.copies", "4"), ("seed", "9")]);
        assert_eq!(run.scenario.routing.strategy, Strategy::SprayAndWait { copies: 4 });
        assert_eq!(run.scenario.seed, 9);
        let wrong = Scenario::parse("s.toml", MINIMAL, &[("routing.copie", "4")]).expect_err("an unknown key");
        assert_eq!(
            wrong.to_string(),
            "s.toml: in `routing.copie = 4`, `copie` is no key of [routing]; did you mean `copies`?"
        );
    }

    #[test]
    fn equal_scenarios_have_equal_hashes_however_they_are_written() {
        let base = loaded(MINIMAL, &[]).hash;
        assert_eq!(base.len(), 64);
        let world = |changes: &[(&str, &str)]| loaded(MINIMAL, changes).world;
        assert_eq!(world(&[("routing.strategy", "prophet")]), world(&[]));
        assert_ne!(world(&[("bundle.lifetime", "299min")]), world(&[]));
        let other = MINIMAL.replace("\"300min\"", "\"5h\"").replace("5000000", "\"5MB\"");
        assert_eq!(loaded(&format!("# words\ntitle = \"x\"\nseed = 5\n{other}"), &[]).hash, base);
        for change in [("bundle.lifetime", "299min"), ("routing.strategy", "direct"), ("duration", "20s")] {
            assert_ne!(loaded(MINIMAL, &[change]).hash, base, "{change:?}");
        }
        let mut edited = |path: &str| Ok([files(path)?, b"# changed\n".to_vec()].concat());
        let reread = Scenario::parse("s.toml", MINIMAL, &[]).unwrap().load(&mut edited).unwrap();
        assert_ne!(reread.hash, base, "the files count too");
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_line_and_the_nearest() {
        let text = MINIMAL.replace("lifetime", "lifetme");
        assert_eq!(error(&text), "s.toml:12: `lifetme` is no key of [bundle]; did you mean `lifetime`?");
        let misplaced = MINIMAL.replace("[store]", "[store]\nlifetime = \"1h\"");
        assert_eq!(error(&misplaced), "s.toml:10: `lifetime` is no key of [store]; it belongs in [bundle]");
        let strange = MINIMAL.replace("[store]", "[store]\nwidgets = 3");
        assert_eq!(
            error(&strange),
            "s.toml:10: `widgets` is no key of [store]; its keys are `quota_bytes`, `custody_share`"
        );
        let other = MINIMAL.replace("[workload]", "range = 3\n[workload]");
        let said = "s.toml:3: `range` is no key of [contacts] with a trace; its keys are `trace`";
        assert_eq!(error(&other), said);
        let section = MINIMAL.replace("[store]", "[stor]");
        assert_eq!(error(&section), "s.toml:9: `stor` is no key of the scenario; did you mean `store`?");
    }

    #[test]
    fn wrong_values_say_what_would_be_right() {
        let cases = [
            ("quota_bytes = 5000000", "quota_bytes = -1", "s.toml:10: `quota_bytes` is negative (-1)"),
            (
                "quota_bytes = 5000000",
                "quota_bytes = \"5 potatoes\"",
                "s.toml:10: `quota_bytes`: `5 potatoes` is no size",
            ),
            ("\"300min\"", "\"300 minuets\"", "s.toml:12: `lifetime`: `300 minuets` is no duration"),
            ("\"epidemic\"", "\"epidemc\"", "s.toml:8: `strategy`: `epidemc` is unknown; did you mean `epidemic`?"),
            ("\"ideal\"", "\"rate\"", "s.toml:5: [link] needs `bytes_per_second`"),
            ("\"ideal\"", "3", "s.toml:6: `model` must be a text in quotes, not an integer"),
            ("[bundle]", "[bundle", "s.toml:11: "),
            ("trace = \"t.txt\"", "", "s.toml:1: [contacts] names no contacts"),
            ("trace = \"t.txt\"", "trace = \"none.txt\"", "s.toml:2: `none.txt` cannot be read (no such file)"),
            (
                "file = \"w.txt\"",
                "rate = \"1000000/s\"\nsize = 1",
                "s.toml: [workload]: the rate makes 20000000 messages",
            ),
            ("[bundle]", "[faults]\ncrash_rate = \"9/s\"\n[bundle]", "s.toml:12: nodes would crash more than once"),
            ("[contacts]", "nodes = 0\n[contacts]", "s.toml:1: `nodes` is 0; it must be from 2 to 1000000"),
            ("[contacts]", "nodes = 2\n[contacts]", "t.txt:3: node 2 is out of range"),
        ];
        for (from, to, expected) in cases {
            let said = error(&MINIMAL.replacen(from, to, 1));
            assert!(said.starts_with(expected), "{said}\nis not\n{expected}");
        }
        assert_eq!(error(""), "s.toml: there is no [contacts]; add it, with `trace = \"FILE\"` or `generator = \"…\"`");
    }
}
