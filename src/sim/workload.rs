//! Who writes what to whom: The ONE's creation events `time C id from to size`, or messages made from a rate.
//!
//! A [`Message`] is one arrival that is wanted. What is published in a topic is one bundle that many want, so it is as many
//! of them, one behind the other; a file is one, whose bundles are its parts.

pub mod topics;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::BufRead;

use crate::bundle::Priority;
use crate::sim::mistake::{InputError, Mistake, shown};
use crate::sim::numbers::{parse_seconds, parse_whole};
use crate::sim::random::Stream;
use crate::sim::seconds::Seconds;
use crate::sim::trace::{Lines, parse_node};

/// A message to be written during the run, and one who wants it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    pub id: String,
    pub create_us: u64,
    pub from: u32,
    pub to: u32,
    /// Bytes of the body, which are counted and never held.
    pub size: u64,
    pub priority: Priority,
    pub channel: Channel,
    /// So many before this one are the same bundle, for others.
    pub further: u32,
}

/// As what a message travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    #[default]
    Mail,
    /// Published in the topic of this number, for its subscribers.
    Topic(u32),
    /// In parts, and here once the last of them is.
    File,
    /// For the group of this number, from one of its members to all others.
    Group(u32),
    /// A file for such a group: each of its parts is one bundle for all others.
    GroupFile(u32),
}

impl Channel {
    /// Whether it goes in parts.
    pub fn is_file(self) -> bool {
        matches!(self, Channel::File | Channel::GroupFile(_))
    }

    /// The same to a group, in one bundle for all.
    fn to_group(self, group: u32) -> Channel {
        if self.is_file() { Channel::GroupFile(group) } else { Channel::Group(group) }
    }
}

/// Messages by a rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    pub rate: Rate,
    pub arrivals: Arrivals,
    /// Smallest and largest body, both possible.
    pub size: (u64, u64),
    /// Weights of bulk, normal and urgent.
    pub priorities: [u32; 3],
    pub pairs: Pairs,
    pub start_us: u64,
    /// Absent: the end of the run.
    pub end_us: Option<u64>,
}

/// `count` events in each `per_us`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub count: u64,
    pub per_us: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// Evenly spaced.
    Regular,
    /// Independent of each other.
    Poisson,
}

/// Who writes to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pairs {
    /// Any of the first to any other of the second; an empty list stands for all nodes.
    Any { from: Vec<u32>, to: Vec<u32> },
    /// One of these, each equally often.
    Listed(Vec<(u32, u32)>),
    /// Any member of one of these groups to all its others.
    Groups(Vec<Vec<u32>>, GroupCopies),
}

/// How what is for a group is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupCopies {
    /// One bundle for all members.
    #[default]
    One,
    /// A message of its own for each member, as if there were no groups: to compare with.
    Each,
}

/// Most members of one group.
pub const GROUP_MEMBERS_MAX: usize = 256;

/// Largest body: what a 32-bit length holds.
pub const SIZE_BYTES_MAX: u64 = u32::MAX as u64;
/// Most messages of one run.
pub const MESSAGES_MAX: usize = 10_000_000;

/// Reads creation events, ordered by time. A sixth field `urgent`, `normal` or `bulk` sets the priority.
pub fn parse(file: &str, input: impl BufRead, nodes: Option<u32>) -> Result<Vec<Message>, InputError> {
    let mut lines = Lines::new(file, input);
    let mut messages: Vec<Message> = Vec::new();
    let mut line_of = BTreeMap::new();
    while let Some((number, message)) = lines.next_with(6, |fields| parse_message(fields, nodes))? {
        let refuse = |mistake| Err(InputError::at(file, number, mistake));
        if let Some(before_us) = messages.last().map(|last| last.create_us).filter(|last| *last > message.create_us) {
            return refuse(Mistake::Backwards { before_us, at_us: message.create_us });
        }
        if let Some(line) = line_of.insert(message.id.clone(), number) {
            return refuse(Mistake::SameId { id: shown(message.id.as_bytes()), line });
        }
        messages.push(message);
    }
    if messages.is_empty() {
        return Err(InputError::whole(file, Mistake::Empty { what: "message" }));
    }
    Ok(messages)
}

fn parse_message(fields: &[&[u8]], nodes: Option<u32>) -> Result<Message, Mistake> {
    let create_us = parse_seconds(fields[0])?;
    let form = "`time C id from to size`";
    let malformed = |field: &[u8]| Mistake::Malformed { what: "message creation", found: shown(field), form };
    if fields[1] != b"C" {
        return Err(malformed(fields[1]));
    }
    let id = std::str::from_utf8(fields[2]).map_err(|_| malformed(fields[2]))?.to_owned();
    let (from, to) = (parse_node(fields[3], nodes)?, parse_node(fields[4], nodes)?);
    let size = parse_whole(fields[5], "size")?;
    if from == to {
        return Err(Mistake::SelfAddressed { id: shown(id.as_bytes()), node: from });
    }
    if size > SIZE_BYTES_MAX {
        return Err(Mistake::TooLarge { id: shown(id.as_bytes()), size, max: SIZE_BYTES_MAX });
    }
    let priority = match fields.get(6) {
        None | Some(&b"0" | &b"normal") => Priority::Normal,
        Some(&b"urgent") => Priority::Urgent,
        Some(&b"bulk") => Priority::Bulk,
        // The ONE's seventh field is the size of a response.
        Some(other) if other.iter().all(u8::is_ascii_digit) => {
            return Err(Mistake::Response { id: shown(id.as_bytes()), found: shown(other) });
        }
        Some(other) => return Err(malformed(other)),
    };
    Ok(Message { id, create_us, from, to, size, priority, ..Message::default() })
}

/// Writes messages in The ONE's form; a priority only where it is not normal.
pub fn write(messages: &[Message]) -> String {
    messages.iter().fold(String::new(), |mut text, message| {
        let Message { id, create_us, from, to, size, priority, .. } = message;
        let priority = match priority {
            Priority::Bulk => " bulk",
            Priority::Normal => "",
            Priority::Urgent => " urgent",
        };
        writeln!(text, "{} C {id} {from} {to} {size}{priority}", Seconds(*create_us))
            .expect("writing to a string cannot fail");
        text
    })
}

impl Workload {
    /// Makes the messages of a run of `nodes` nodes, `M0`, `M1`, … in order of time.
    ///
    /// Times, pairs, sizes and priorities come from streams of their own: other sizes leave the pairs as they were.
    pub fn generate(&self, nodes: u32, duration_us: u64, seed: u64) -> Vec<Message> {
        self.generate_as(Channel::Mail, 0, ["workload", "M"], nodes, duration_us, seed)
    }

    /// Makes files, `F0`, `F1`, … in order of time. The groups that they go to are numbered from `first_group` on.
    pub fn files(&self, first_group: u32, nodes: u32, duration_us: u64, seed: u64) -> Vec<Message> {
        self.generate_as(Channel::File, first_group, ["file", "F"], nodes, duration_us, seed)
    }

    /// The groups that are written to as such.
    pub fn groups(&self) -> &[Vec<u32>] {
        match &self.pairs {
            Pairs::Groups(groups, GroupCopies::One) => groups,
            _ => &[],
        }
    }

    fn generate_as(
        &self,
        channel: Channel,
        first_group: u32,
        [streams, letter]: [&str; 2],
        nodes: u32,
        duration_us: u64,
        seed: u64,
    ) -> Vec<Message> {
        let stream = |of: &str| Stream::new(seed, &format!("{streams} {of}"), 0);
        let (mut who, mut how, mut which) = (stream("pairs"), stream("sizes"), stream("priorities"));
        let pace = Pace { rate: self.rate, arrivals: self.arrivals, start_us: self.start_us, end_us: self.end_us };
        let mut messages = Vec::new();
        for (number, create_us) in pace.times(duration_us, stream("times")).take(MESSAGES_MAX).enumerate() {
            if let Pairs::Groups(groups, copies) = &self.pairs {
                let group = who.below(groups.len() as u64) as u32;
                let members = &groups[group as usize];
                let from = members[who.below(members.len() as u64) as usize];
                let (size, priority) = (how.between(self.size.0, self.size.1), self.priority(&mut which));
                let others = members.iter().filter(|member| **member != from);
                messages.extend(others.zip(0..).map(|(to, place)| {
                    let (channel, further) = match copies {
                        GroupCopies::One => (channel.to_group(first_group + group), place),
                        GroupCopies::Each => (channel, 0),
                    };
                    let id = format!("{letter}{number}.{to}");
                    Message { id, create_us, from, to: *to, size, priority, channel, further }
                }));
                continue;
            }
            let Some((from, to)) = self.pairs.draw(nodes, &mut who) else { break };
            let size = how.between(self.size.0, self.size.1);
            let priority = self.priority(&mut which);
            let id = format!("{letter}{}", messages.len());
            messages.push(Message { id, create_us, from, to, size, priority, channel, further: 0 });
        }
        messages
    }

    fn priority(&self, which: &mut Stream) -> Priority {
        let [bulk, normal, urgent] = self.priorities.map(u64::from);
        match which.below((bulk + normal + urgent).max(1)) {
            draw if draw < bulk => Priority::Bulk,
            draw if draw < bulk + normal => Priority::Normal,
            _ => Priority::Urgent,
        }
    }
}

/// When something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    pub rate: Rate,
    pub arrivals: Arrivals,
    pub start_us: u64,
    /// Absent: the end of the run.
    pub end_us: Option<u64>,
}

impl Pace {
    /// The times of a run that lasts so long, in order.
    pub fn times(self, duration_us: u64, mut when: Stream) -> impl Iterator<Item = u64> {
        let Pace { rate, arrivals, start_us, end_us } = self;
        let end_us = end_us.unwrap_or(duration_us).min(duration_us);
        let mut next = move |at_us: u64, number: u64| match arrivals {
            Arrivals::Regular => start_us.saturating_add(rate.time_of(number)),
            Arrivals::Poisson => at_us.saturating_add(when.exponential(rate.mean_us())),
        };
        let (mut number, mut at_us) = (0, next(start_us, 0));
        std::iter::from_fn(move || {
            let this_us = at_us;
            number += 1;
            at_us = next(at_us, number);
            Some(this_us)
        })
        .take_while(move |at_us| *at_us < end_us)
    }

    /// How many there will be, about.
    pub fn count(&self, duration_us: u64) -> u64 {
        let window_us = self.end_us.unwrap_or(duration_us).min(duration_us).saturating_sub(self.start_us);
        window_us / self.rate.mean_us().max(1)
    }
}

impl Rate {
    /// The mean time between two events.
    pub fn mean_us(&self) -> u64 {
        self.per_us / self.count.max(1)
    }

    /// When event `number` of evenly spaced ones happens, without rounding that adds up.
    fn time_of(&self, number: u64) -> u64 {
        let time = u128::from(self.per_us) * u128::from(number) / u128::from(self.count.max(1));
        u64::try_from(time).unwrap_or(u64::MAX)
    }
}

impl Pairs {
    /// A pair of two different nodes; `None` where there is none.
    fn draw(&self, nodes: u32, who: &mut Stream) -> Option<(u32, u32)> {
        let (from, to) = match self {
            Pairs::Listed(pairs) if pairs.is_empty() => return None,
            Pairs::Listed(pairs) => return Some(pairs[who.below(pairs.len() as u64) as usize]),
            Pairs::Any { from, to } => (from, to),
            Pairs::Groups(..) => return None,
        };
        let pick = |list: &[u32], who: &mut Stream| match list.len() {
            0 => who.below(u64::from(nodes.max(1))) as u32,
            count => list[who.below(count as u64) as usize],
        };
        // A few misses are usual where the lists overlap; so many only where there is no other node.
        (0..1_000).find_map(|_| {
            let (from, to) = (pick(from, who), pick(to, who));
            (from != to).then_some((from, to))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(text: &str) -> (Option<u64>, Mistake) {
        let error = parse("w.txt", text.as_bytes(), Some(10)).expect_err("it must be refused");
        (error.line, error.mistake)
    }

    fn workload() -> Workload {
        Workload {
            rate: Rate { count: 3, per_us: 1_000 },
            arrivals: Arrivals::Regular,
            size: (10, 20),
            priorities: [1, 2, 1],
            pairs: Pairs::Any { from: Vec::new(), to: Vec::new() },
            start_us: 100,
            end_us: None,
        }
    }

    #[test]
    fn messages_read_and_write_the_same() {
        let text = "1.5 C M1 0 9 100\n1.5 C M2 9 0 0 urgent\n3.0 C x 1 2 4294967295 bulk\n";
        let messages = parse("w.txt", text.as_bytes(), Some(10)).unwrap();
        assert_eq!(write(&messages), text);
        assert_eq!(messages[1].priority, Priority::Urgent);
    }

    #[test]
    fn every_mistake_has_its_line_and_its_name() {
        assert!(matches!(mistake("1 C M1 0 9 -5\n"), (Some(1), Mistake::Negative { what: "size", .. })));
        assert!(matches!(mistake("1 C M1 0 9 5.5\n"), (Some(1), Mistake::Malformed { .. })));
        assert_eq!(mistake("1 C M1 0 10 5\n"), (Some(1), Mistake::OutOfRange { node: 10, nodes: 10 }));
        assert_eq!(
            mistake("2 C M1 0 9 5\n1 C M2 0 9 5\n"),
            (Some(2), Mistake::Backwards { before_us: 2_000_000, at_us: 1_000_000 })
        );
        assert_eq!(mistake("2 C M1 0 9 5\n2 C M1 0 8 5\n"), (Some(2), Mistake::SameId { id: "`M1`".into(), line: 1 }));
        assert_eq!(mistake("2 C M1 3 3 5\n"), (Some(1), Mistake::SelfAddressed { id: "`M1`".into(), node: 3 }));
        assert!(matches!(mistake("2 C M1 3 4 5000000000\n"), (Some(1), Mistake::TooLarge { .. })));
        assert!(matches!(mistake("2 C M1 3 4 5 100\n"), (Some(1), Mistake::Response { .. })));
        assert_eq!(mistake("2 C M1 3 4 5\n3 C M2 3"), (Some(2), Mistake::Cut { found: 4, needed: 6 }));
        assert!(matches!(mistake("0 CONN 1 2 up x\n"), (Some(1), Mistake::Malformed { .. })));
        assert_eq!(mistake(""), (None, Mistake::Empty { what: "message" }));
    }

    #[test]
    fn a_rate_makes_so_many_messages_in_the_window() {
        let messages = workload().generate(5, 1_000_100, 1);
        assert_eq!(messages.len(), 3_000);
        assert_eq!(messages[3].create_us, 1_100);
        assert!(messages.iter().all(|m| m.from != m.to && m.from < 5 && m.to < 5 && (10..=20).contains(&m.size)));
        let urgent = messages.iter().filter(|message| message.priority == Priority::Urgent).count();
        assert!((650..850).contains(&urgent), "a quarter is urgent, not {urgent}");
        let poisson = Workload { arrivals: Arrivals::Poisson, ..workload() }.generate(5, 1_000_100, 1).len();
        assert!((2_800..3_200).contains(&poisson), "{poisson}");
    }

    #[test]
    fn other_sizes_leave_the_pairs_as_they_were() {
        let pairs = |messages: Vec<Message>| messages.iter().map(|m| (m.from, m.to)).collect::<Vec<_>>();
        let larger = Workload { size: (500, 900), ..workload() };
        assert_eq!(pairs(larger.generate(5, 10_000, 1)), pairs(workload().generate(5, 10_000, 1)));
        assert_ne!(pairs(workload().generate(5, 10_000, 2)), pairs(workload().generate(5, 10_000, 1)));
    }

    #[test]
    fn what_is_written_to_a_group_is_one_bundle_and_wanted_by_each_of_its_others() {
        let groups = |copies| Pairs::Groups(vec![vec![0, 1, 2, 3], vec![2, 4]], copies);
        let generate = |copies| Workload { pairs: groups(copies), ..workload() }.generate(5, 10_000, 1);
        let (once, each) = (generate(GroupCopies::One), generate(GroupCopies::Each));
        let bare = |message: &Message| Message { channel: Channel::Mail, further: 0, ..message.clone() };
        assert_eq!(once.iter().map(bare).collect::<Vec<_>>(), each, "at the same times between the same people");
        for (place, message) in once.iter().enumerate() {
            let members: &[u32] = if message.channel == Channel::Group(0) { &[0, 1, 2, 3] } else { &[2, 4] };
            assert!(members.contains(&message.from) && members.contains(&message.to) && message.from != message.to);
            let first = &once[place - message.further as usize];
            assert_eq!((first.create_us, first.from, first.further), (message.create_us, message.from, 0));
        }
        let written = once.iter().filter(|message| message.further == 0).count();
        assert!(written == 30 && once.len() > written, "three in each millisecond");
    }

    #[test]
    fn a_lone_node_has_nobody_to_write_to() {
        assert!(workload().generate(1, 10_000, 1).is_empty());
    }
}
