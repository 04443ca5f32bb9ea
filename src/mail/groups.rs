//! Groups that this person is in or is asked to join.
//!
//! ```text
//! person: begin, act ──▶ a signed operation ──▶ the log, a line to the group, and keys to whom they are due
//! a word came ──▶ hear ──▶ operations to the log; keys kept; what was asked for, answered
//! person: writes ──▶ ready ──▶ the epoch to seal under: one that includes all who went and came, or a new one
//! ```
//! Everything that is to be sent is kept first, in the commit of what it follows from, and leaves when somebody takes it from
//! there: so nothing of it is lost, and some of it may go twice.
//!
//! A key is sent only to who is a member both by the log here and by what the key's author knew. Who was admitted to read
//! from then on gets the keys made from then on; who may read from the start gets all that are kept.
//!
//! | | |
//! |---|---|
//! | `log` | which operations are known, and who is a member by them |
//! | `acts` | what the person does: begins, admits, joins, leaves, removes |
//! | `hearing` | what others say of groups, and what is answered |
//! | `effort` | how much of that others may cause |
//! | `later` | what is asked again, and answered later |
//! | `epochs` | the keys that content is sealed under, and whose words under one belong in the group |
//! | `sending` | how operations and keys leave |
//! | `receipts` | which messages authors are to hear of, and which of one's own came to whom |
//! | `rows` | keys and values of all this in the store |

mod acts;
mod effort;
mod epochs;
mod hearing;
mod later;
pub mod log;
pub mod receipts;
pub mod rows;
mod sending;

use std::collections::{BTreeMap, BTreeSet};

use self::effort::Effort;
use self::hearing::{Asked, Said};
use self::later::Later;
use self::log::{Log, Taken, View};
use self::receipts::Receipts;
use self::rows::{KeptEpoch, State};
use crate::agent::change::Change;
use crate::content::Mark;
use crate::content::group::{EpochId, Operation, OperationId};
use crate::id::NodeId;
use crate::time::DtnTime;

pub use self::acts::{Actor, NotDone};
pub use self::effort::{ANSWERS_BYTES_MAX, ANSWERS_OF_MEMBER_BYTES_MAX, STEPS_MAX, STEPS_OF_STRANGERS_MAX};
pub use self::epochs::{Admitted, EPOCH_KEPT, EPOCH_USED, EPOCHS_MAX, EPOCHS_OF_MEMBER_MAX};
pub use self::hearing::{ASKED_AGAIN, ASKED_EACH_MAX, ASKED_MAX, INVITATIONS_MAX, SAME_FORGOTTEN, SAME_MAX};
pub use self::later::{EARLY_QUESTIONS_MAX, QUESTIONS_MAX};
pub use self::rows::Standing;

/// Most groups that one is in.
pub const GROUPS_MAX: usize = 256;

/// All groups of one person.
#[derive(Debug)]
pub struct Groups {
    me: NodeId,
    groups: BTreeMap<NodeId, Group>,
    /// The number of what is sent next.
    next_out: u64,
    /// Own messages to groups, of which one hears who has them.
    meant: BTreeMap<Mark, NodeId>,
    /// Who was asked for what, or answered, when and how often.
    asked: BTreeMap<(NodeId, Asked), Said>,
    /// What did not come, and what was not answered.
    later: Later,
    effort: Effort,
    /// Groups of which something changed since somebody asked.
    changed: BTreeSet<NodeId>,
    /// There is something to be sent that was not there when somebody asked.
    is_due: bool,
    /// Own messages that members said to have, since somebody asked.
    noted: Vec<(Mark, NodeId)>,
    /// What members of groups are to hear.
    pub receipts: Receipts,
}

/// One group, as it is known here.
#[derive(Debug)]
pub struct Group {
    pub state: State,
    pub log: Log,
    epochs: BTreeMap<EpochId, KeptEpoch>,
}

impl Groups {
    pub fn new(me: NodeId) -> Groups {
        Groups {
            me,
            groups: BTreeMap::new(),
            next_out: 1,
            meant: BTreeMap::new(),
            asked: BTreeMap::new(),
            later: Later::default(),
            effort: Effort::default(),
            changed: BTreeSet::new(),
            is_due: false,
            noted: Vec::new(),
            receipts: Receipts::default(),
        }
    }

    /// Takes in a row of the store, in the order of the keys; what cannot be read is as if it were not there.
    pub fn load(&mut self, key: &[u8], value: &[u8]) {
        match rows::read_key(key) {
            Some(rows::Key::State(group)) => {
                if let Some(state) = State::read(value) {
                    self.groups.insert(group, Group { state, log: Log::new(group), epochs: BTreeMap::new() });
                    self.changed.insert(group);
                }
            }
            Some(rows::Key::Operation(group)) => {
                if let (Some(known), Some(operation)) = (self.groups.get_mut(&group), rows::read_operation(value)) {
                    known.log.load(operation);
                }
            }
            Some(rows::Key::Epoch(group, id)) => {
                if let (Some(known), Some(epoch)) = (self.groups.get_mut(&group), KeptEpoch::read(value)) {
                    known.epochs.insert(id, epoch);
                }
            }
            Some(rows::Key::Out(number)) => self.next_out = self.next_out.max(number + 1),
            Some(rows::Key::Meant(mark)) => {
                if let Some((group, _)) = rows::read_meant(value) {
                    self.meant.insert(mark, group);
                }
            }
            Some(rows::Key::Receipt(author, group, mark)) => {
                let members = self.others(&group).len() + 1;
                self.receipts.load(author, group, mark, value, members);
            }
            Some(rows::Key::Has(..) | rows::Key::Said(_) | rows::Key::Late(_)) | None => {}
        }
    }

    /// All rows are taken in: what others named and is not here is asked for.
    pub fn loaded(&mut self) {
        let all: Vec<NodeId> = self.groups.keys().copied().collect();
        all.iter().for_each(|group| self.want_what_is_missing(group));
    }

    pub fn me(&self) -> NodeId {
        self.me
    }

    pub fn get(&self, group: &NodeId) -> Option<&Group> {
        self.groups.get(group)
    }

    pub fn all(&self) -> impl Iterator<Item = (&NodeId, &Group)> + '_ {
        self.groups.iter()
    }

    /// Groups of which something changed since this was asked.
    pub fn take_changed(&mut self) -> BTreeSet<NodeId> {
        std::mem::take(&mut self.changed)
    }

    /// Whether there is something to be sent since this was asked.
    pub fn take_due(&mut self) -> bool {
        std::mem::take(&mut self.is_due)
    }

    /// Own messages that members said to have since this was asked.
    pub fn take_noted(&mut self) -> Vec<(Mark, NodeId)> {
        std::mem::take(&mut self.noted)
    }

    /// Members of a group but oneself, those who are invited among them.
    pub fn others(&self, group: &NodeId) -> Vec<NodeId> {
        let members = self.groups.get(group).into_iter().flat_map(|known| known.log.view().in_order());
        members.map(|(who, _)| who).filter(|who| *who != self.me).collect()
    }

    fn count(&self, standing: Standing) -> usize {
        self.groups.values().filter(|known| known.state.standing == standing).count()
    }

    fn take(&mut self, group: &NodeId, operation: Operation, out: &mut Vec<Change>) -> Taken {
        let Some(known) = self.groups.get_mut(group) else { return Taken::Refused };
        let waited: Vec<OperationId> = known.log.waiting().map(|(id, _)| *id).collect();
        let mut new = Vec::new();
        let taken = known.log.take(operation, &mut new);
        // What waits is kept as well: who sent it thinks that it is here.
        let gone = waited.iter().filter(|id| !known.log.waits(id));
        out.extend(gone.map(|id| Change::Keep { key: rows::waiting(group, id), value: None }));
        for (id, operation) in known.log.waiting().filter(|(id, _)| waited.binary_search(id).is_err()) {
            out.push(Change::Keep { key: rows::waiting(group, id), value: Some(operation.encode()) });
        }
        for (depth, id) in new {
            let operation = known.log.operation(&id).expect("it was just taken in");
            out.push(Change::Keep { key: rows::operation(group, depth, &id), value: Some(operation.encode()) });
            self.changed.insert(*group);
        }
        taken
    }

    /// Whether this person did anything in a group; else others only ask them to join it.
    fn takes_part(&self, group: &NodeId) -> bool {
        self.groups.get(group).is_some_and(|known| known.log.has_of(&self.me))
    }

    /// Forgets a group and all that is kept of it.
    fn forget(&mut self, group: &NodeId, out: &mut Vec<Change>) {
        let Some(known) = self.groups.remove(group) else { return };
        let kept = known.log.in_order().map(|(depth, id)| rows::operation(group, depth, id));
        let waiting = known.log.waiting().map(|(id, _)| rows::waiting(group, id));
        let epochs = known.epochs.keys().map(|id| rows::epoch(group, id));
        let all = kept.chain(waiting).chain(epochs).chain([rows::state(group)]);
        out.extend(all.map(|key| Change::Keep { key, value: None }));
        self.changed.insert(*group);
    }

    fn stand(&mut self, group: &NodeId, standing: Standing, now: DtnTime, out: &mut Vec<Change>) {
        if let Some(known) = self.groups.get_mut(group) {
            known.state = State { standing, since: now };
            self.keep_state(group, out);
        }
    }

    fn keep_state(&mut self, group: &NodeId, out: &mut Vec<Change>) {
        let state = self.groups[group].state.write();
        out.push(Change::Keep { key: rows::state(group), value: Some(state) });
        self.changed.insert(*group);
    }
}

impl Group {
    pub fn view(&self) -> &View {
        self.log.view()
    }

    /// Who began it.
    pub fn founder(&self) -> Option<NodeId> {
        self.log.lacking(&[]).first().map(|begin| begin.author)
    }

    pub fn knows(&self, id: &OperationId) -> bool {
        self.log.knows(id)
    }
}

#[cfg(test)]
mod tests;
