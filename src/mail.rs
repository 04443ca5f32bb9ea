//! The person's mailbox: what the agent delivers and queues is filed here, as words that can be read.
//!
//! It is to people what the agent is to bundles: pure, without clock, disk, network or key. A driver calls it with what the
//! agent just said and what the edges know of it, and commits its changes together with the agent's:
//!
//! ```text
//! agent:  Deliver ──┬──▶ File, in the place of the sealed body
//! opened: came    ──┘    or nothing: it stays sealed, and is shown as such
//!
//! agent:  Post    ──┬──▶ File, in a row of its own
//! person: written ──┘
//!
//! agent:  Adopt, Post ─▶ File, and that it was brought from an earlier home
//! person: adopted ──┘
//! ```
//! So a message is opened once, beside the check of its signature, and a listing opens nothing. What could not be opened or
//! read when it came, because the process died between or a newer version wrote it, the driver hands in again when it can.
//!
//! Everything else of the record follows from letters, own messages and their words, whatever order they came in: a store
//! keeps it as one sorted map (`shelf`) that the functions here write in the commit that files a message:
//!
//! | | |
//! |---|---|
//! | `index` | where things are found, and what content is there once more |
//! | `entries`, `unshown` | the keys of that, and what is read nowhere |
//! | `order`, `conversation` | in which order they are read, and with whom |
//! | `meaning`, `registers` | what content is to the record, and which of several changes of something counts |
//! | `sameness` | which bundles are one content |
//! | `apps` | in which order the updates of a shared app are replayed, and how it reads on |
//! | `ending` | what is to be forgotten once it was read |
//! | `happening` | what happened, numbered without gaps |
//! | `groups` | who is in which group, and the keys that its content is sealed under |
//! | `topics` | what is published in topics, and how far those who consume it have come |
//! | `kept` | what the person arranged, which follows from nothing else |
//! | `files`, `holes` | files that come in parts: which goes next, what is here, and when to ask for what is not |

pub mod apps;
pub mod automatic;
pub mod conversation;
pub mod due;
pub mod ending;
mod entries;
pub mod files;
pub mod groups;
pub mod happening;
pub mod holes;
pub mod hooks;
pub mod index;
pub mod kept;
pub mod meaning;
pub mod order;
pub mod query;
pub mod record;
pub mod registers;
mod sameness;
#[cfg(test)]
mod samples;
pub mod shelf;
pub mod threads;
pub mod topics;
mod unshown;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::agent::Output;
use crate::agent::change::{Change, Letter, Outgoing, Row};
use crate::bundle::Bundle;
use crate::content::{Content, Enclosed, Filed, GroupWord, KeyUsed, Part, Seal, is_group_word, pad, part_stub, unpad};
use crate::eid::Eid;
use crate::id::{BundleId, NodeId};
use crate::time::Moment;

/// What was in a sealed payload.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    pub key: KeyUsed,
    /// The content, padded as it was sealed.
    pub plaintext: Vec<u8>,
    /// How it was sealed and signed, where that can be shown to others later.
    pub seal: Option<Box<Seal>>,
    /// The part of a file that was in it, where that was taken out of the content, which says then only which it is.
    pub part: Option<Box<Part>>,
}

impl Opened {
    pub fn new(key: KeyUsed, plaintext: Vec<u8>) -> Opened {
        Opened { key, plaintext, seal: None, part: None }
    }
}

/// What a message of an earlier home says, and when it was first shown there, where that begins its end.
#[derive(Clone)]
pub struct Earlier {
    pub filed: Arc<Filed>,
    pub shown: Option<Moment>,
}

/// What was delivered of files, for whoever keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfFile {
    /// A part came in this bundle, and was taken in before.
    Part { id: BundleId },
    /// A text came with files beside it.
    Offer { from: NodeId, to: Eid, files: Vec<Enclosed> },
}

/// What was delivered of groups, for whoever keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfGroup {
    /// Somebody says something about a group, in mail or in the group.
    Word { id: BundleId, from: NodeId, word: Box<GroupWord> },
    /// Something was written to a group, and opened.
    Written {
        letter: Letter,
        epoch: [u8; 16],
        /// Its author hears that it came.
        owes: bool,
    },
    /// Something was written to a group that does not open yet.
    Sealed(Arc<Bundle>),
    /// This person's own message to a group was queued.
    Queued { id: BundleId, group: NodeId },
    /// One's own word about keys and messages of a group was queued, which is read nowhere.
    Said { id: BundleId },
}

/// What the edges know of messages before the agent says what becomes of them.
#[derive(Default)]
pub struct Opening {
    /// What came and was opened.
    came: BTreeMap<BundleId, Opened>,
    /// What the person wrote, as padded for its seal: for the next message that the agent queues.
    written: Option<Vec<u8>>,
    /// What the owner brings from an earlier home.
    adopted: BTreeMap<BundleId, Earlier>,
    /// What was queued. One's own mailbox may be where it goes.
    queued: BTreeMap<BundleId, Arc<Filed>>,
    /// What was delivered of files and not handed out yet.
    of_files: Vec<OfFile>,
    /// The same of groups.
    of_groups: Vec<OfGroup>,
}

impl Opening {
    /// A message came, and this was in it.
    pub fn came(&mut self, id: BundleId, opened: Opened) {
        self.came.insert(id, opened);
    }

    /// Whether it is known what is in a message that came.
    pub fn has(&self, id: &BundleId) -> bool {
        self.came.contains_key(id)
    }

    /// What a receipt of a member's says that came.
    pub fn take_word(&mut self, id: &BundleId) -> Option<Box<GroupWord>> {
        groups::receipts::word_in(&self.came.remove(id)?.plaintext)
    }

    /// A message that stayed sealed when it came opens now: what is to be filed in its place.
    pub fn late(&mut self, letter: &Letter, opened: Opened) -> Option<Arc<Filed>> {
        self.came(letter.id, opened);
        self.deliver(letter).map(|(_, filed)| filed)
    }

    /// The agent gets these words next, sealed.
    pub fn written(&mut self, plaintext: Vec<u8>) {
        self.written = Some(plaintext);
    }

    /// The agent gets this message of an earlier home next.
    pub fn adopted(&mut self, id: BundleId, brought: Earlier) {
        self.adopted.insert(id, brought);
    }

    /// Files what the agent said from `from` on: a change of mail's comes right behind that of the agent it belongs to.
    pub fn follow(&mut self, out: &mut Vec<Output>, from: usize) {
        let is_followed = |output: &Output| {
            matches!(output, Output::Commit(Change::Deliver { .. } | Change::Post { .. } | Change::Adopt { .. }))
        };
        if !out[from..].iter().any(is_followed) {
            return;
        }
        for output in out.split_off(from) {
            if let Some((row, brought)) = self.adopt(&output) {
                out.push(output);
                out.extend(brought.changes(row).into_iter().map(Output::Commit));
                continue;
            }
            let filing = match &output {
                Output::Commit(Change::Deliver { letter, bundle }) => {
                    let filing = self.deliver(letter);
                    if filing.is_none() && letter.destination.has_members() {
                        self.of_groups.push(OfGroup::Sealed(Arc::clone(bundle)));
                    }
                    filing
                }
                Output::Commit(Change::Post { outgoing }) => self.queue(outgoing),
                _ => None,
            };
            out.push(output);
            out.extend(filing.map(|(row, filed)| Output::Commit(Change::File { row, filed })));
        }
    }

    /// What was delivered of files since the last call.
    pub fn take_of_files(&mut self) -> Vec<OfFile> {
        std::mem::take(&mut self.of_files)
    }

    /// What was delivered of groups since the last call.
    pub fn take_of_groups(&mut self) -> Vec<OfGroup> {
        std::mem::take(&mut self.of_groups)
    }

    /// The batch is over: of what is not delivered by now the agent wanted nothing.
    pub fn end_batch(&mut self) {
        *self = Opening::default();
    }

    fn adopt(&mut self, output: &Output) -> Option<(Row, Earlier)> {
        let (row, id) = match output {
            Output::Commit(Change::Adopt { letter }) => (letter.row, letter.id),
            Output::Commit(Change::Post { outgoing }) => (outgoing.row?, outgoing.id),
            _ => return None,
        };
        Some((row, self.adopted.remove(&id)?))
    }

    fn deliver(&mut self, letter: &Letter) -> Option<(Row, Arc<Filed>)> {
        if let Some(own) = self.queued.get(&letter.id) {
            return Some((letter.row, Arc::clone(own)));
        }
        let opened = self.came.remove(&letter.id)?;
        let content = unpad(&opened.plaintext).ok()?;
        let read = Content::decode(content).ok()?;
        if let KeyUsed::Group(epoch) = opened.key {
            let owes = matches!(read, Content::Text(_) | Content::Change(_) | Content::App(_));
            self.of_groups.push(OfGroup::Written { letter: letter.clone(), epoch, owes });
        }
        let filed = match read {
            Content::Part(part) => {
                let content = Content::Part(part.stub()).encode();
                self.of_files.push(OfFile::Part { id: letter.id });
                Filed { key: opened.key, content, seal: None }
            }
            Content::Text(text) if !text.enclosed.is_empty() => {
                self.of_files.push(OfFile::Offer {
                    from: letter.source,
                    to: letter.destination.clone(),
                    files: text.enclosed,
                });
                Filed { key: opened.key, content: content.to_vec(), seal: opened.seal }
            }
            Content::Group(word) => {
                self.of_groups.push(OfGroup::Word { id: letter.id, from: letter.source, word });
                Filed { key: opened.key, content: content.to_vec(), seal: opened.seal }
            }
            Content::Text(_) | Content::Change(_) | Content::App(_) | Content::Ask(_) => {
                Filed { key: opened.key, content: content.to_vec(), seal: opened.seal }
            }
            Content::Unknown(_) => return None,
        };
        Some((letter.row, Arc::new(filed)))
    }

    fn queue(&mut self, outgoing: &Outgoing) -> Option<(Row, Arc<Filed>)> {
        let written = self.written.take()?;
        let content = own_words(unpad(&written).ok()?);
        self.of_groups.extend(of_own(outgoing, &content));
        let filed = Arc::new(Filed { key: KeyUsed::Own, content, seal: None });
        self.queued.insert(outgoing.id, Arc::clone(&filed));
        Some((outgoing.row?, filed))
    }
}

impl Earlier {
    /// Its words, that its signature was not looked at here, and that it was shown.
    fn changes(self, row: Row) -> Vec<Change> {
        let keep = |key, value| Change::Keep { key, value: Some(value) };
        let mut changes = vec![Change::File { row, filed: self.filed }, keep(kept::imported(row), vec![1])];
        changes.extend(self.shown.map(|shown| keep(kept::shown(row), kept::write_moment(shown))));
        changes
    }
}

/// What a delivered message says, for the place of its sealed body. None where this version cannot read it: it stays sealed,
/// for a newer one.
pub fn filed(opened: &Opened) -> Option<Filed> {
    let content = unpad(&opened.plaintext).ok()?;
    match Content::decode(content).ok()? {
        Content::Text(_) | Content::Change(_) | Content::App(_) | Content::Ask(_) => {
            Some(Filed { key: opened.key, content: content.to_vec(), seal: opened.seal.clone() })
        }
        // Its bytes are kept with the rest of the file.
        Content::Part(part) => {
            Some(Filed { key: opened.key, content: Content::Part(part.stub()).encode(), seal: None })
        }
        // What it says is to be heard as it is filed, and nobody hears of it here.
        Content::Group(_) => None,
        Content::Unknown(_) => None,
    }
}

/// The part of a file that was in a sealed payload.
pub fn part(opened: &Opened) -> Option<Part> {
    let content = unpad(&opened.plaintext).ok().filter(|content| crate::content::is_part(content))?;
    if let Ok(Content::Part(part)) = Content::decode(content) { Some(part) } else { None }
}

/// What is in padded content, without the bytes of the part of a file that it is; none where it is none.
pub fn without_part(plaintext: &[u8]) -> Option<Vec<u8>> {
    part_stub(unpad(plaintext).ok()?).map(|part| pad(&Content::Part(part).encode()))
}

/// What one's own content has to do with groups.
fn of_own(outgoing: &Outgoing, content: &[u8]) -> Option<OfGroup> {
    let Outgoing { id, destination, .. } = outgoing;
    let is_word = is_group_word(content);
    if !is_word && !destination.has_members() {
        return None;
    }
    match Content::decode(content) {
        Ok(Content::Group(word)) if !word.is_for_person() => Some(OfGroup::Said { id: *id }),
        Ok(Content::Text(_) | Content::Change(_) | Content::App(_)) => {
            Some(OfGroup::Queued { id: *id, group: destination.node })
        }
        _ => None,
    }
}

/// What the record keeps of what was written here: of a part only which it is.
fn own_words(content: &[u8]) -> Vec<u8> {
    part_stub(content).map_or_else(|| content.to_vec(), |part| Content::Part(part).encode())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::Event;
    use crate::agent::change::Marks;
    use crate::bundle::{Bundle, Creation, Draft, Hops, Kind, Priority};
    use crate::content::{GroupWord, Text, Unknown};
    use crate::id::NodeId;
    use crate::time::{DAY, DtnTime, Timestamp};
    use ed25519_dalek::SigningKey;

    fn message(sequence: u64) -> Arc<Bundle> {
        let key = SigningKey::from_bytes(&[1; 32]);
        let source = NodeId::from_key(key.verifying_key().to_bytes()).unwrap();
        let (kind, destination) = (Kind::Message, Eid::mail(source));
        let creation = Creation { time: DtnTime(0), sequence };
        let draft = Draft { kind, source, destination, creation, lifetime: DAY, priority: Priority::Normal, copies: 1 };
        Arc::new(draft.sign(b"sealed", &key).unwrap())
    }

    fn deliver(row: u64, bundle: &Arc<Bundle>) -> Output {
        let Bundle { id, source, creation, lifetime, priority, .. } = **bundle;
        let destination = bundle.destination.clone();
        let (received, from, hops) = (Moment::default(), source, Hops::default());
        let Marks { read, told } = Marks::default();
        let letter = Letter {
            row: Row(row),
            id,
            source,
            destination,
            creation,
            lifetime,
            priority,
            size_bytes: 500,
            received,
            from,
            hops,
            read,
            told,
        };
        Output::Commit(Change::Deliver { letter, bundle: Arc::clone(bundle) })
    }

    fn post(row: u64, bundle: &Bundle) -> Output {
        let outgoing = Outgoing {
            id: bundle.id,
            destination: bundle.destination.clone(),
            creation: bundle.creation,
            created: Moment::default(),
            lifetime: DAY,
            expires: Timestamp(DAY.0),
            priority: Priority::Normal,
            size_bytes: 500,
            source: None,
            row: Some(Row(row)),
            evidence: Vec::new(),
            carriers: Vec::new(),
            unlisted: Default::default(),
        };
        Output::Commit(Change::Post { outgoing })
    }

    fn text(body: &str) -> Vec<u8> {
        pad(&Content::from(Text { body: body.into(), ..Text::default() }).encode())
    }

    /// The rows that are filed, each with what stands before it.
    fn filings(out: &[Output]) -> Vec<(Row, KeyUsed, usize)> {
        let filing = |(at, output): (usize, &Output)| match output {
            Output::Commit(Change::File { row, filed }) => Some((*row, filed.key, at)),
            _ => None,
        };
        out.iter().enumerate().filter_map(filing).collect()
    }

    #[test]
    fn what_is_delivered_is_filed_right_behind_its_delivery_and_only_once_it_is_delivered() {
        let mut opening = Opening::default();
        let (one, other) = (message(1), message(2));
        opening.came(one.id, Opened::new(KeyUsed::Identity, text("hello")));
        opening.came(other.id, Opened::new(KeyUsed::Identity, text("refused")));
        let report = Output::Report(Event::Delivered { id: one.id, from: one.source });
        let mut out = vec![deliver(1, &one), deliver(2, &one), report];
        opening.follow(&mut out, 1);
        assert_eq!(filings(&out), [(Row(2), KeyUsed::Identity, 2)], "what stood there before is another's");
        assert_eq!(out.len(), 4);
        opening.end_batch();
        let mut late = vec![deliver(3, &other)];
        opening.follow(&mut late, 0);
        assert_eq!(filings(&late), [], "of another batch it knows nothing, and it stays sealed");
    }

    #[test]
    fn what_is_written_to_a_group_is_told_of_with_what_queues_it() {
        let (mut opening, crew) = (Opening::default(), NodeId::from_trusted([9; 32]));
        let to = |bundle: &Bundle, destination: Eid| {
            let Output::Commit(Change::Post { outgoing }) = post(1, bundle) else { unreachable!() };
            Output::Commit(Change::Post { outgoing: Outgoing { destination, ..outgoing } })
        };
        let word = |word: GroupWord| pad(&Content::Group(Box::new(word)).encode());
        let got = word(GroupWord { got: vec![[1; 16]], ..GroupWord::of(crew) });
        let invitation = word(GroupWord { invites: true, ..GroupWord::of(crew) });
        let other = Eid::mail(NodeId::from_trusted([2; 32]));
        let [text_id, got_id] = [1, 2].map(|n| message(n).id);
        for (n, words, destination, told) in [
            (1, text("to all"), Eid::group(crew), vec![OfGroup::Queued { id: text_id, group: crew }]),
            (2, got, other.clone(), vec![OfGroup::Said { id: got_id }]),
            (3, invitation, other.clone(), vec![]),
            (4, text("to one"), other, vec![]),
        ] {
            opening.written(words);
            opening.follow(&mut vec![to(&message(n), destination)], 0);
            assert_eq!(opening.take_of_groups(), told, "{n}");
        }
    }

    #[test]
    fn a_note_to_oneself_is_filed_as_written_and_as_delivered() {
        let mut opening = Opening::default();
        let note = message(1);
        opening.written(text("a note"));
        let mut out = vec![post(1, &note), deliver(2, &note)];
        opening.follow(&mut out, 0);
        assert_eq!(filings(&out), [(Row(1), KeyUsed::Own, 1), (Row(2), KeyUsed::Own, 3)]);
    }

    #[test]
    fn what_is_brought_from_an_earlier_home_is_filed_and_marked_as_such_once_the_agent_adopts_it() {
        let mut opening = Opening::default();
        let (came, own, other) = (message(1), message(2), message(3));
        let words = |body: &str| Content::from(Text { body: body.into(), ..Text::default() }).encode();
        let filed = |body| Arc::new(Filed { key: KeyUsed::Identity, content: words(body), seal: None });
        let shown = Some(Moment { now: Timestamp(7), ..Moment::default() });
        opening.adopted(came.id, Earlier { filed: filed("came"), shown });
        opening.adopted(own.id, Earlier { filed: filed("own"), shown: None });
        opening.adopted(other.id, Earlier { filed: filed("here already"), shown: None });
        let Output::Commit(Change::Deliver { letter, .. }) = deliver(1, &came) else { unreachable!() };
        let mut out = vec![Output::Commit(Change::Adopt { letter }), post(2, &own)];
        opening.follow(&mut out, 0);
        assert_eq!(filings(&out), [(Row(1), KeyUsed::Identity, 1), (Row(2), KeyUsed::Identity, 5)]);
        let kept = out.iter().filter_map(|output| match output {
            Output::Commit(Change::Keep { key, value: Some(_) }) => Some(key.clone()),
            _ => None,
        });
        assert_eq!(kept.collect::<Vec<_>>(), [kept::imported(Row(1)), kept::shown(Row(1)), kept::imported(Row(2))]);
    }

    #[test]
    fn what_this_version_cannot_read_stays_sealed() {
        let newer = Content::Unknown(Unknown { kind: 7, fields: Vec::new() }).encode();
        for plaintext in [pad(&newer), pad(b"noise"), b"not padded".to_vec()] {
            assert_eq!(filed(&Opened::new(KeyUsed::Identity, plaintext)), None);
        }
        assert!(filed(&Opened::new(KeyUsed::Identity, text("hello"))).is_some());
    }
}
