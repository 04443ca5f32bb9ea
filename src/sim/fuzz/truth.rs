//! What really happened, kept beside the nodes, and every change that an honest one commits compared with it.
//!
//! Nothing here asks an agent. What a node holds is read from its disk; who signed what is known from the keys; the rest
//! is noted as it is committed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::agent::change::{Change, Class, Durable, Held, Letter, Standing};
use crate::agent::{AGE_TOLERANCE, Config, cost_bytes};
use crate::bundle::{Bundle, Creation, Kind};
use crate::eid::Eid;
use crate::frame::{Frame, Grade, Refusal};
use crate::id::{BundleId, NodeId};
use crate::receipt::{Receipt, ReceiptKind};
use crate::store::memory::MemoryStore;
use crate::time::{DAY, DtnTime, HOUR, Millis, Timestamp};

use super::crew::group;
use super::gots::budget;
use super::node::Taken;
use super::witness::Signed;
use super::{Checked, Promise, must};

pub struct Truth {
    /// By number of the node.
    pub(super) honest: Vec<bool>,
    pub(super) numbers: BTreeMap<NodeId, usize>,
    pub(super) signed: Signed,
    /// Who serves the group, and who ever did.
    pub(super) crew: Vec<bool>,
    pub(super) crew_ever: Vec<bool>,
    /// Whom a node ever took for a member or a contact, who may say what came; and receipts that it heard or turned away.
    pub(super) may_say: BTreeSet<(usize, NodeId)>,
    pub(super) done: BTreeSet<(usize, BundleId)>,
    /// Parts of files that a node does not want.
    pub(super) unwanted: BTreeSet<(usize, BundleId)>,
    /// Under which stamp bundles were signed, and what the world's clock showed when they became durable.
    created: BTreeMap<BundleId, (Creation, u64)>,
    lifetimes: BTreeMap<BundleId, Millis>,
    /// Every message that was ever shown to somebody.
    shown: BTreeMap<BundleId, Arc<Bundle>>,
    /// Source, destination and kind of everything that was ever signed and left memory.
    pub(super) bundles: BTreeMap<BundleId, (NodeId, Eid, Kind)>,
    /// Grades at which a node ever stored an id.
    stored: BTreeSet<(usize, BundleId, Grade)>,
    /// Inbox rows ever made.
    pub(super) rows: BTreeSet<(usize, BundleId)>,
    pub(super) read: BTreeSet<(usize, BundleId)>,
    pub(super) blocked: BTreeSet<(usize, NodeId)>,
    pub(super) gave_up: BTreeSet<(usize, BundleId)>,
    pub(super) cancelled: BTreeSet<(usize, BundleId)>,
    /// What was published and who was told of it; and of what has a key, which and how late a word it is.
    pub(super) heard: BTreeSet<(usize, BundleId)>,
    pub(super) keyed: BTreeMap<BundleId, (Key, (u64, BundleId))>,
    /// When a node last signed that its mailbox had no room for mail of a source, by its own time.
    full: BTreeMap<(usize, NodeId), Timestamp>,
    /// What signers of receipts said of which bundles.
    stated: BTreeSet<(NodeId, BundleId, ReceiptKind)>,
    /// When a node accepted a bundle first that it would know again, by its own elapsed time.
    pub(super) first: BTreeMap<(usize, BundleId), Timestamp>,
    /// When the world's clock showed what when somebody took a bundle first, and how much downtime was overcounted by then.
    pub(super) taken: BTreeMap<(usize, BundleId), (u64, Millis)>,
    posted: BTreeSet<(usize, BundleId)>,
    stamps: BTreeMap<(usize, Creation), BundleId>,
    /// What the end of the batch must explain: ids that were buried, and messages that were queued.
    buried: Vec<(BundleId, Timestamp, Timestamp)>,
    queued: Vec<BundleId>,
}

/// A writer, a topic, and a mark of a key.
type Key = (NodeId, Eid, u64);

/// How far a creation time may lie back and still be believed.
const PLAUSIBLE_AGE_MAX: u64 = 30 * DAY.0 + HOUR.0;

impl Truth {
    pub fn new(honest: Vec<bool>, numbers: BTreeMap<NodeId, usize>, signed: Signed, crew: Vec<bool>) -> Truth {
        Truth {
            honest,
            numbers,
            signed,
            crew_ever: crew.clone(),
            crew,
            may_say: BTreeSet::new(),
            done: BTreeSet::new(),
            unwanted: BTreeSet::new(),
            created: BTreeMap::new(),
            lifetimes: BTreeMap::new(),
            shown: BTreeMap::new(),
            bundles: BTreeMap::new(),
            stored: BTreeSet::new(),
            rows: BTreeSet::new(),
            read: BTreeSet::new(),
            blocked: BTreeSet::new(),
            gave_up: BTreeSet::new(),
            cancelled: BTreeSet::new(),
            heard: BTreeSet::new(),
            keyed: BTreeMap::new(),
            full: BTreeMap::new(),
            stated: BTreeSet::new(),
            first: BTreeMap::new(),
            taken: BTreeMap::new(),
            posted: BTreeSet::new(),
            stamps: BTreeMap::new(),
            buried: Vec::new(),
            queued: Vec::new(),
        }
    }

    /// A hostile node signed this outside of its agent; what it says in a receipt is its word.
    pub fn signed_by_hostile(&mut self, bundle: &Bundle, now_ms: u64) {
        self.created.entry(bundle.id).or_insert((bundle.creation, now_ms));
        self.note_bundle(bundle);
        self.note_statement(bundle);
    }

    fn note_bundle(&mut self, bundle: &Bundle) {
        self.lifetimes.insert(bundle.id, bundle.lifetime);
        self.note_key(bundle);
        self.bundles.insert(bundle.id, (bundle.source, bundle.destination.clone(), bundle.kind));
    }

    fn note_statement(&mut self, bundle: &Bundle) {
        if bundle.kind == Kind::Receipt
            && let Ok(receipt) = Receipt::decode(bundle.payload())
        {
            self.stated.extend(receipt.ids.iter().map(|id| (bundle.source, *id, receipt.kind)));
        }
    }

    pub fn states(&self, signer: NodeId, id: BundleId, wanted: impl Fn(ReceiptKind) -> bool) -> bool {
        let all =
            (signer, id, ReceiptKind::Delivered)..=(signer, id, ReceiptKind::Full { retry_after: Millis(u64::MAX) });
        self.stated.range(all).any(|(_, _, kind)| wanted(*kind))
    }

    /// The stamp of a bundle that left memory, and when its life began.
    pub fn creation(&self, id: BundleId) -> Option<(Creation, u64)> {
        self.created.get(&id).copied()
    }

    /// What was shown to a node, or to others of its group.
    pub fn mail_for(&self, n: usize) -> Vec<Arc<Bundle>> {
        self.shown.values().filter(|bundle| self.is_for(n, &bundle.destination)).map(Arc::clone).collect()
    }

    pub fn ever_stored(&self, n: usize, id: BundleId, grade: Grade) -> bool {
        self.stored.contains(&(n, id, grade))
    }

    /// Takes note of one change that becomes durable now, and compares it with what is true.
    #[allow(clippy::too_many_arguments)]
    pub fn committed(
        &mut self,
        n: usize,
        disk: &MemoryStore,
        config: &Config,
        taken: &Taken,
        change: &Change,
        now_ms: u64,
        overcounted: Millis,
    ) -> Checked {
        let (before, me) = (disk.model(), config);
        if !self.honest[n] {
            return self.note_of_hostile(n, change, now_ms);
        }
        match change {
            Change::Hold { held, bundle } => {
                self.check_hold(n, before, taken, held, bundle)?;
                if held.destination.is_topic() {
                    self.check_post(n, config, before, taken.limit_bytes, held, bundle)?;
                }
                if held.from.is_none() {
                    self.created.insert(held.id, (bundle.creation, now_ms));
                }
                self.stored.insert((n, held.id, held.grade));
                if held.accepted_at == taken.at.now {
                    self.taken.insert((n, held.id), (now_ms, overcounted));
                }
            }
            Change::Prolong { row, age, expires } => {
                let held = before.held.get(row);
                let right = held.is_some_and(|held| {
                    let is_whole = held.accepted_at + held.lifetime.saturating_sub(*age) == *expires;
                    !held.dated && is_whole && *age <= held.lifetime && *expires > held.expires
                });
                must(right, Promise::AcceptedIsDurable, || format!("{n} gives {held:?} a life to {expires:?}"))?;
            }
            Change::Deliver { letter, bundle } => {
                self.shown.insert(letter.id, Arc::clone(bundle));
                self.check_deliver(n, before, me, taken, letter, bundle)?;
            }
            Change::Forget { row } => {
                let held = before.held.get(row);
                must(held.is_some(), Promise::AcceptedIsDurable, || format!("{n} forgets {row:?}, where nothing is"))?;
                held.map_or(Ok(()), |held| self.check_leaving(n, taken, held, now_ms, overcounted))?;
            }
            Change::Regrade { row, class, .. } => {
                let held = before.held.get(row);
                let fits = held.is_some_and(|held| (held.class == Class::Own) == (*class == Class::Own));
                must(fits, Promise::AcceptedIsDurable, || format!("{n} makes {held:?} of class {class:?}"))?;
            }
            Change::Mark { row, marks } if marks.read => {
                self.read.extend(before.letters.get(row).map(|letter| (n, letter.id)));
            }
            Change::SetPerson { node, person } if person.as_ref().is_some_and(|p| p.standing == Standing::Blocked) => {
                self.blocked.insert((n, *node));
            }
            Change::SetPerson { node, person } if person.as_ref().is_some_and(|p| p.standing == Standing::Contact) => {
                self.may_say.insert((n, *node));
            }
            Change::Discard { .. } | Change::Unpost { .. } => {
                must(taken.by_owner, Promise::AcceptedIsDurable, || format!("{n} deletes without being asked"))?;
            }
            Change::Post { outgoing } => {
                must(self.posted.insert((n, outgoing.id)), Promise::StatusIsTrue, || {
                    format!("{n} opens the record of {} a second time", outgoing.id)
                })?;
                self.taken.insert((n, outgoing.id), (now_ms, overcounted));
                self.queued.push(outgoing.id);
            }
            Change::Attest { id, evidence } => {
                self.check_evidence(n, before, taken, *id, evidence, now_ms, overcounted)?
            }
            Change::Bury { id, until } => self.buried.push((*id, *until, taken.at.now)),
            Change::Unbury { id } => {
                let is_due = before.buried.get(id).is_some_and(|until| *until <= taken.at.now);
                must(is_due, Promise::AcceptedIsDurable, || format!("{n} ends the tombstone of {id} early"))?;
            }
            Change::Tick { at } => {
                let goes_on = at.now >= before.clock.now;
                must(goes_on, Promise::AcceptedIsDurable, || format!("elapsed time of {n} goes back to {at:?}"))?;
            }
            Change::Count { sequence } => {
                let goes_on = *sequence > before.sequence;
                must(goes_on, Promise::AcceptedIsDurable, || format!("{n} would use {sequence} again"))?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Of hostile nodes only what they signed counts.
    fn note_of_hostile(&mut self, n: usize, change: &Change, now_ms: u64) -> Checked {
        match change {
            Change::Hold { held, bundle } if held.from.is_none() => self.signed_by_hostile(bundle, now_ms),
            Change::Deliver { letter, bundle } => {
                self.note_bundle(bundle);
                self.rows.insert((n, letter.id));
            }
            _ => {}
        }
        Ok(())
    }

    fn check_hold(&mut self, n: usize, before: &Durable, taken: &Taken, held: &Held, bundle: &Bundle) -> Checked {
        self.check_genuine(n, bundle)?;
        let fresh = held.row >= before.next_row && before.held.values().all(|other| other.id != held.id);
        must(fresh, Promise::AcceptedIsDurable, || format!("{n} holds {} twice, or a row twice", held.id))?;
        let says = (bundle.id, bundle.kind, bundle.source, &bundle.destination, bundle.lifetime, bundle.priority);
        let notes = (held.id, held.kind, held.source, &held.destination, held.lifetime, held.priority);
        must(says == notes, Promise::NothingUnverified, || format!("{n} notes {notes:?} of what says {says:?}"))?;
        if held.from.is_none() {
            self.note_bundle(bundle);
            return self.check_own(n, held, bundle);
        }
        let budget = budget(&bundle.destination, bundle.copies);
        must((1..=budget).contains(&held.copies), Promise::NothingUnverified, || {
            format!("{n} has {} copies of {}, whose source asked for {}", held.copies, held.id, bundle.copies)
        })?;
        let (now, by_clock) = (taken.at.now, age_by_clock(taken.at.wall, bundle));
        let first = self.first.entry((n, held.id)).or_insert(now);
        // A bundle that left is remembered for two lifetimes and an hour from when it came first.
        if *first + bundle.lifetime.times(2) + HOUR <= now && held.accepted_at == now {
            *first = now;
        }
        // Of what is published nothing is remembered that left: it says itself when it was created.
        if held.destination.is_topic() && held.accepted_at == now {
            *first = now;
        }
        let here = now.since(*first);
        let told = held.hops.age.saturating_add(here);
        let bound = by_clock.map_or(Millis(u64::MAX), |age| age.saturating_add(AGE_TOLERANCE).max(here));
        must(*first == held.accepted_at && told <= bound, Promise::AcceptedIsDurable, || {
            format!("{n} takes {held:?}, which came first at {first:?} and is {by_clock:?} old")
        })?;
        let age = told.max(by_clock.unwrap_or_default());
        let ends = bundle.lifetime.0.checked_sub(age.0).map(|left| now + Millis(left));
        let right = match held.kind {
            Kind::Message => Some(held.expires) == ends,
            // One that takes the place of what it freed ends with that.
            Kind::Receipt => ends.is_some_and(|ends| held.expires <= ends),
        };
        must(right && held.dated == by_clock.is_some(), Promise::AcceptedIsDurable, || {
            format!("{n} gives {} a life to {:?}, which is {ends:?} by its age and its clock", held.id, held.expires)
        })
    }

    /// What a node signed itself: under a stamp of its own, and in a receipt nothing but what is so.
    fn check_own(&mut self, n: usize, held: &Held, bundle: &Bundle) -> Checked {
        let is_mine = self.numbers.get(&bundle.source) == Some(&n) && held.class == Class::Own;
        must(is_mine && held.copies == bundle.copies, Promise::NothingUnverified, || {
            format!("{n} holds {held:?} as its own")
        })?;
        let stamp = self.stamps.insert((n, bundle.creation), bundle.id);
        must(stamp.is_none(), Promise::OnceToThePerson, || format!("{n} signs twice under {:?}", bundle.creation))?;
        self.note_statement(bundle);
        if bundle.kind == Kind::Message {
            return Ok(());
        }
        let Ok(receipt) = Receipt::decode(bundle.payload()) else {
            return must(false, Promise::StatusIsTrue, || format!("{n} signs a receipt that is none"));
        };
        if let ReceiptKind::Full { .. } = receipt.kind {
            let before = self.full.insert((n, receipt.source), held.accepted_at);
            must(before.is_none_or(|before| held.accepted_at.since(before) >= DAY), Promise::QuotaHolds, || {
                format!("{n} says twice within a day that it has no room for mail of {}", receipt.source)
            })?;
        }
        receipt.ids.iter().try_for_each(|id| {
            let is_so = match receipt.kind {
                ReceiptKind::Delivered => self.rows.contains(&(n, *id)),
                ReceiptKind::Full { .. } => !self.rows.contains(&(n, *id)),
                ReceiptKind::Read => self.read.contains(&(n, *id)),
                ReceiptKind::Rejected { .. } => {
                    let is_reason = self.blocked.contains(&(n, receipt.source)) || self.unwanted.contains(&(n, *id));
                    is_reason && !self.rows.contains(&(n, *id))
                }
            };
            must(is_so, Promise::StatusIsTrue, || format!("{n} signs {:?} of {id}, which is not so", receipt.kind))
        })
    }

    fn check_deliver(
        &mut self,
        n: usize,
        before: &Durable,
        config: &Config,
        taken: &Taken,
        letter: &Letter,
        bundle: &Bundle,
    ) -> Checked {
        self.check_genuine(n, bundle)?;
        let says = (bundle.id, bundle.source, &bundle.destination, bundle.creation, bundle.lifetime);
        let notes = (letter.id, letter.source, &letter.destination, letter.creation, letter.lifetime);
        must(says == notes && letter.row >= before.next_row, Promise::NothingUnverified, || {
            format!("{n} shows {notes:?} of what says {says:?}")
        })?;
        let is_mine = self.was_for(n, &bundle.destination) && bundle.kind == Kind::Message;
        let is_own_to_group = bundle.destination == group() && self.numbers.get(&bundle.source) == Some(&n);
        must(!is_own_to_group, Promise::OnceToThePerson, || format!("{n} shows its own {} to the group", letter.id))?;
        must(is_mine, Promise::NothingUnverified, || format!("{n} shows {}, which is not for it", letter.id))?;
        must(self.rows.insert((n, letter.id)), Promise::OnceToThePerson, || {
            format!("{n} makes a second row for {}", letter.id)
        })?;
        if bundle.source == letter.from {
            self.note_bundle(bundle);
        }
        self.stored.insert((n, letter.id, Grade::Custody));
        let has_named = taken.has_named;
        // What a member writes to the group has room among that of people.
        let is_of_member = bundle.destination == group();
        let is_stranger = |source: &NodeId| !before.people.contains_key(source) && self.numbers.get(source) != Some(&n);
        let standing = before.people.get(&letter.source).map(|person| person.standing);
        let is_welcome = standing != Some(Standing::Blocked) || letter.source == letter.destination.node;
        must(is_welcome || has_named, Promise::BlockedIsNotShown, || {
            format!("{n} shows {}, of one blocked", letter.id)
        })?;
        if is_stranger(&letter.source) && is_of_member {
            return Ok(());
        }
        if is_stranger(&letter.source) && !has_named {
            let strangers = before.letters.values().filter(|letter| is_stranger(&letter.source));
            let bytes: u64 = strangers.chain([letter]).map(|letter| cost_bytes(letter.size_bytes)).sum();
            must(bytes <= config.stranger_mail_bytes_max, Promise::QuotaHolds, || {
                format!("{n} has {bytes} bytes of strangers' mail")
            })?;
        } else if standing == Some(Standing::Contact) && !has_named {
            let is_named = |source: &NodeId| before.people.contains_key(source);
            let named = before.letters.values().filter(|letter| is_named(&letter.source));
            let bytes: u64 = named.chain([letter]).map(|letter| cost_bytes(letter.size_bytes)).sum();
            must(bytes <= config.contact_mail_bytes_max, Promise::QuotaHolds, || {
                format!("{n} has {bytes} bytes of contacts' mail")
            })?;
        }
        Ok(())
    }

    /// Whether what is for an endpoint is shown to a node.
    pub(super) fn is_for(&self, n: usize, destination: &Eid) -> bool {
        self.numbers.get(&destination.node) == Some(&n) || *destination == group() && self.crew[n]
    }

    /// Whether it ever was: somebody may leave before what came is durable.
    fn was_for(&self, n: usize, destination: &Eid) -> bool {
        self.is_for(n, destination) || *destination == group() && self.crew_ever[n]
    }

    fn check_genuine(&self, n: usize, bundle: &Bundle) -> Checked {
        must(self.signed.has(bundle), Promise::NothingUnverified, || {
            format!("{n} stores {bundle:?}, which {} never signed", bundle.source)
        })
    }

    /// What a bundle joined is within the limits then and there.
    pub fn check_limit(&self, n: usize, disk: &MemoryStore, taken: &Taken, change: &Change) -> Checked {
        let Change::Hold { held, .. } = change else { return Ok(()) };
        if held.class == Class::Own || !self.honest[n] {
            return Ok(());
        }
        let carried = disk.model().held.values().filter(|held| held.class != Class::Own);
        let bytes: u64 = carried.map(|held| cost_bytes(held.size_bytes)).sum();
        must(bytes <= taken.limit_bytes, Promise::QuotaHolds, || {
            format!("{n} takes {bytes} bytes of {}", taken.limit_bytes)
        })
    }

    /// Looks at what only the whole batch explains.
    pub fn check_batch(&mut self, n: usize, now: &Durable) -> Checked {
        let numbers = self.numbers.clone();
        let me = |node: &NodeId| numbers.get(node) == Some(&n);
        for (id, until, since) in std::mem::take(&mut self.buried) {
            let is_over = match self.bundles.get(&id) {
                Some((_, to, Kind::Receipt)) => me(&to.node),
                // Somebody who serves it may have no room to carry it.
                Some((_, to, Kind::Message)) if to.is_topic() => {
                    self.gave_way(&id) || self.cancelled.contains(&(n, id)) || self.heard.contains(&(n, id))
                }
                Some((from, to, Kind::Message)) if to.is_got() => {
                    if me(&to.node) {
                        self.done.insert((n, id));
                    }
                    // Whoever sent it may have let go of it.
                    me(from) || self.is_done_with(&id)
                }
                Some((from, to, Kind::Message)) => {
                    // Mail of a blocked source is buried unread.
                    let is_unwanted =
                        self.was_for(n, to) && self.blocked.contains(&(n, *from)) || self.unwanted.contains(&(n, id));
                    is_unwanted
                        || self.rows.contains(&(n, id))
                        || self.states(to.node, id, |_| true)
                        || self.cancelled.contains(&(n, id))
                }
                None => false,
            };
            must(is_over, Promise::AcceptedIsDurable, || format!("{n} buries {id}, which is not over"))?;
            // Nobody can make a copy live longer than this, and no replay may find the id forgotten.
            let whole = self.lifetimes.get(&id).is_some_and(|lifetime| until == since + *lifetime + HOUR);
            must(whole, Promise::AcceptedIsDurable, || format!("{n} buries {id} from {since:?} to {until:?}"))?;
        }
        for id in std::mem::take(&mut self.queued) {
            let is_held = now.held.values().any(|held| held.id == id) || self.rows.contains(&(n, id));
            must(is_held || self.cancelled.contains(&(n, id)), Promise::StatusIsTrue, || {
                format!("{n} queues {id}, and does not hold it")
            })?;
        }
        Ok(())
    }

    /// An honest node tells a peer something: it answers only for what is durable.
    pub fn said(&mut self, n: usize, frame: &Frame) -> Checked {
        if let Frame::Refused { id, why: Refusal::Known, .. } = frame {
            self.is_turned_away(n, *id);
        }
        let Frame::Accepted { grants } = frame else { return Ok(()) };
        grants.iter().try_for_each(|(prefix, grade)| {
            let is_heeded =
                |(_, to, kind): &(NodeId, Eid, Kind)| *kind == Kind::Receipt && self.numbers.get(&to.node) == Some(&n);
            let is_so = |(id, bundle): (&BundleId, &(NodeId, Eid, Kind))| match grade {
                Grade::Copy if self.heard.contains(&(n, *id)) => true,
                Grade::Custody if bundle.1.is_got() && self.heard.contains(&(n, *id)) => true,
                // A receipt's word counts at its destination, whether there is room for it or not.
                Grade::Copy if is_heeded(bundle) => true,
                // A receipt that freed nothing is held released.
                Grade::Copy => [Grade::Released, *grade].iter().any(|grade| self.ever_stored(n, *id, *grade)),
                _ => self.ever_stored(n, *id, *grade),
            };
            let known = &mut self.bundles.range(BundleId::with_prefix(*prefix));
            must(known.any(is_so), Promise::AcceptedIsDurable, || {
                format!("{n} answers for {prefix:016x} as {grade:?}, and never stored it")
            })
        })
    }

    /// An honest node hands a bundle over.
    pub fn forwards(&self, n: usize, bundle: &Bundle) -> Checked {
        self.check_genuine(n, bundle)
    }
}

/// The age of a bundle by both clocks, where that is plausible.
fn age_by_clock(wall: DtnTime, bundle: &Bundle) -> Option<Millis> {
    let created = bundle.creation.time;
    let is_trusted = wall >= crate::time::BUILD_DATE && created.0 > 0 && wall >= created;
    is_trusted.then(|| Millis(wall.0 - created.0)).filter(|age| age.0 <= PLAUSIBLE_AGE_MAX)
}

/// Whether a bundle's life is over by a clock that is right.
pub fn is_over_by_clock(creation: Creation, lifetime: Millis, wall: DtnTime) -> bool {
    let age = wall.0.saturating_sub(creation.time.0);
    creation.time.0 > 0 && age <= PLAUSIBLE_AGE_MAX && age > lifetime.0
}
