//! Bundles, changes, and random histories of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dak::agent::change::*;
use dak::bundle::{Bundle, Creation, Draft, Hops, Kind, Priority};
use dak::content::{Filed, KeyUsed, Seal};
use dak::eid::{Eid, Service};
use dak::frame::Grade;
use dak::id::{BundleId, NodeId};
use dak::store::redb::{DiskSync, RedbStore, StoreOptions};
use dak::time::{DtnTime, Millis, Moment, Timestamp};
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Survives the process, which is all that most tests need.
pub const QUICK: StoreOptions = StoreOptions { cache_bytes: 4 << 20, sync: DiskSync::Never, journal_bytes: 256 << 10 };

pub fn open(path: &std::path::Path) -> RedbStore {
    RedbStore::open(path, QUICK).unwrap()
}

pub fn node(seed: u8) -> NodeId {
    NodeId::from_key(SigningKey::from_bytes(&[seed; 32]).verifying_key().to_bytes()).unwrap()
}

/// A signed message from node 1 to node 2.
pub fn message(sequence: u64, payload: &[u8]) -> Arc<Bundle> {
    signed(1, Kind::Message, Eid::mail(node(2)), sequence, 8, payload)
}

/// The size of message that the store's layout is made for: a sealed text of 1 KiB.
pub fn kibibyte(sequence: u64) -> Arc<Bundle> {
    let payload: Vec<u8> = (0..1_143u64).map(|at| (at * 7 + sequence) as u8).collect();
    message(sequence, &payload)
}

pub fn signed(source: u8, kind: Kind, destination: Eid, sequence: u64, copies: u16, payload: &[u8]) -> Arc<Bundle> {
    let key = SigningKey::from_bytes(&[source; 32]);
    let creation = Creation { time: DtnTime(820_454_400_000 + sequence), sequence };
    let lifetime = Millis(3 * 86_400_000);
    let source = node(source);
    let draft = Draft { kind, source, destination, creation, lifetime, priority: Priority::Normal, copies };
    Arc::new(draft.sign(payload, &key).unwrap())
}

pub fn held(row: u64, bundle: &Bundle) -> Held {
    Held {
        row: Row(row),
        id: bundle.id,
        kind: bundle.kind,
        source: bundle.source,
        destination: bundle.destination.clone(),
        lifetime: bundle.lifetime,
        accepted_at: Timestamp(row * 10),
        hops: Hops { age: Millis(row), count: 3 },
        expires: Timestamp(row * 10 + 99),
        dated: true,
        size_bytes: bundle.encoded_len() as u32,
        class: Class::Strangers,
        priority: bundle.priority,
        grade: Grade::Custody,
        copies: 8,
        from: row.is_multiple_of(2).then(|| node(3)),
        about: About::of(bundle),
    }
}

pub fn hold(row: u64, bundle: &Arc<Bundle>) -> Change {
    Change::Hold { held: held(row, bundle), bundle: Arc::clone(bundle) }
}

pub fn deliver(row: u64, bundle: &Arc<Bundle>) -> Change {
    let letter = Letter {
        row: Row(row),
        id: bundle.id,
        source: bundle.source,
        destination: bundle.destination.clone(),
        creation: bundle.creation,
        lifetime: bundle.lifetime,
        priority: bundle.priority,
        size_bytes: bundle.encoded_len() as u32,
        received: Moment { now: Timestamp(row), wall: DtnTime(row + 1) },
        from: node(4),
        hops: Hops { age: Millis(5), count: 6 },
        read: false,
        told: false,
    };
    Change::Deliver { letter, bundle: Arc::clone(bundle) }
}

/// An endless random history; the same seed makes the same one.
pub struct History {
    random: ChaCha8Rng,
    bundles: Vec<Arc<Bundle>>,
    rows: u64,
    letters: BTreeSet<u64>,
    /// Letters that were not discarded.
    there: BTreeSet<u64>,
    /// Rows of one's own words by message.
    words: BTreeMap<BundleId, u64>,
    /// What comes right behind the last change.
    next: Option<Change>,
}

impl History {
    pub fn of(seed: u64) -> History {
        let eids = [
            Eid::mail(node(2)),
            Eid::admin(node(3)),
            Eid { node: node(4), service: Service::Group("crew".into()) },
            Eid { node: node(5), service: Service::Other("files.v2".into()) },
        ];
        let bundles = (0..24u64).map(|n| {
            let payload = vec![n as u8; [0, 20, 300, 1_143, 5_000, 70_000][n as usize % 6]];
            let kind = if n % 8 == 1 { Kind::Receipt } else { Kind::Message };
            let eid = eids[n as usize % eids.len()].clone();
            signed(n as u8 % 3 + 1, kind, eid, n << (n * 2), 1 + n as u16 * 40, &payload)
        });
        History {
            random: ChaCha8Rng::seed_from_u64(seed),
            bundles: bundles.collect(),
            rows: 0,
            letters: BTreeSet::new(),
            there: BTreeSet::new(),
            words: BTreeMap::new(),
            next: None,
        }
    }

    /// The next batch, of 1 to 12 changes.
    pub fn batch(&mut self) -> Vec<Change> {
        let len = 1 + self.below(12);
        let mut batch: Vec<Change> = (0..len).map(|_| self.change()).collect();
        batch.extend(self.next.take());
        batch
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    fn below(&mut self, end: u64) -> u64 {
        self.random.next_u64() % end
    }

    fn change(&mut self) -> Change {
        if let Some(next) = self.next.take() {
            return next;
        }
        match self.below(27) {
            0..=4 => {
                let (row, bundle) = self.new_row();
                hold(row, &bundle)
            }
            5..=6 => {
                let (row, bundle) = self.new_row();
                self.letters.insert(row);
                self.there.insert(row);
                self.next = (self.below(2) == 0).then(|| self.file(row));
                deliver(row, &bundle)
            }
            7 => {
                let grade = [Grade::Released, Grade::Copy, Grade::Custody][self.below(3) as usize];
                let class = [Class::Strangers, Class::Contacts, Class::Own][self.below(3) as usize];
                Change::Regrade { row: self.row(), grade, copies: self.below(65_536) as u16, class }
            }
            8..=9 => match self.row() {
                row if self.letters.contains(&row.0) => {
                    self.there.remove(&row.0);
                    Change::Discard { row }
                }
                row => Change::Forget { row },
            },
            10 => Change::Bury { id: self.id(), until: Timestamp(self.below(1 << 60)) },
            11 => Change::Unbury { id: self.id() },
            12 => {
                let belief = Belief { what: self.what(), until: Timestamp(self.below(99)), from: self.node() };
                Change::Believe { id: self.id(), signer: self.node(), belief }
            }
            13 => Change::Disbelieve { id: self.id(), signer: self.node() },
            14 => {
                let read = self.below(2) == 0;
                let marks = Marks { read, told: read && self.below(2) == 0 };
                Change::Mark { row: self.row(), marks }
            }
            15..=16 => {
                let outgoing = self.outgoing();
                self.next = outgoing.row.filter(|_| self.below(4) > 0).map(|row| self.file(row.0));
                Change::Post { outgoing }
            }
            17 => Change::Attest { id: self.id(), evidence: self.evidence() },
            18 => {
                let id = self.id();
                self.words.remove(&id);
                Change::Unpost { id }
            }
            // What was sealed when it came is opened later.
            26 if !self.there.is_empty() => {
                let row = *self.there.last().expect("there is one");
                self.file(row)
            }
            19 => Change::SetPerson { node: self.node(), person: self.person() },
            20 => Change::Learn { node: self.node(), record: (self.below(3) > 0).then(|| vec![9; 40]) },
            21 => Change::Owe { peer: self.node(), id: self.id() },
            23 => Change::Depart { id: self.id(), departure: self.departure() },
            24 if self.below(2) == 0 => Change::Return { id: self.id() },
            24 => {
                let (age, expires) = (Millis(self.below(1 << 40)), Timestamp(self.below(1 << 40)));
                Change::Prolong { row: self.row(), age, expires }
            }
            22 => Change::Settle { peer: self.node(), id: self.id() },
            _ if self.below(2) == 0 => Change::Count { sequence: self.below(1 << 50) },
            _ => Change::Tick { at: self.moment() },
        }
    }

    fn new_row(&mut self) -> (u64, Arc<Bundle>) {
        self.rows += 1;
        let bundle = self.below(self.bundles.len() as u64) as usize;
        (self.rows, Arc::clone(&self.bundles[bundle]))
    }

    /// Any row but one of one's own words, which no other change names.
    fn row(&mut self) -> Row {
        loop {
            let row = self.below(self.rows + 2);
            if !self.words.values().any(|words| *words == row) {
                return Row(row);
            }
        }
    }

    fn file(&mut self, row: u64) -> Change {
        let key = [KeyUsed::Own, KeyUsed::Identity, KeyUsed::Prekey([7; 8])][self.below(3) as usize];
        let content = vec![9; [1, 300, 70_000][self.below(3) as usize]];
        let is_kept = key == KeyUsed::Identity && self.below(2) == 0;
        let seal = is_kept.then(|| Box::new(Seal { copies: 8, signature: [5; 64], enc: [6; 32] }));
        Change::File { row: Row(row), filed: Arc::new(Filed { key, content, seal }) }
    }

    fn id(&mut self) -> BundleId {
        BundleId([self.below(6) as u8; 32])
    }

    fn node(&mut self) -> NodeId {
        node(1 + self.below(4) as u8)
    }

    fn departure(&mut self) -> Departure {
        let (accepted_at, until) = (Timestamp(self.below(1 << 40)), Timestamp(self.below(1 << 60)));
        Departure { accepted_at, until, from: self.node(), source: self.node() }
    }

    fn moment(&mut self) -> Moment {
        Moment { now: Timestamp(self.below(1 << 40)), wall: DtnTime(self.below(1 << 40)) }
    }

    fn what(&mut self) -> EvidenceKind {
        use EvidenceKind::*;
        let reason = self.below(256) as u8;
        let full = Full { retry_after: Millis(7) };
        [Queued, GaveUp, Copy, Custody, full, Expired, Cancelled, Rejected { reason }, Delivered, Read]
            [self.below(10) as usize]
    }

    fn evidence(&mut self) -> Evidence {
        Evidence { at: self.moment(), what: self.what(), who: (self.below(2) == 0).then(|| self.node()) }
    }

    fn outgoing(&mut self) -> Outgoing {
        let evidence = (0..self.below(3)).map(|_| self.evidence()).collect();
        let id = self.id();
        let row = match self.words.get(&id) {
            Some(row) => *row,
            None => {
                self.rows += 1;
                self.words.insert(id, self.rows);
                self.rows
            }
        };
        Outgoing {
            id,
            source: (self.below(2) == 0).then(|| self.node()),
            row: Some(Row(row)),
            destination: Eid::mail(self.node()),
            creation: Creation { time: DtnTime(0), sequence: self.below(99) },
            created: self.moment(),
            lifetime: Millis(self.below(99)),
            expires: Timestamp(self.below(99)),
            priority: [Priority::Bulk, Priority::Normal, Priority::Urgent][self.below(3) as usize],
            size_bytes: self.below(1 << 32) as u32,
            evidence,
            carriers: (0..self.below(3)).map(|_| self.carrier()).collect(),
            unlisted: Unlisted { answers: self.below(1 << 32) as u32, best: self.what() },
        }
    }

    fn carrier(&mut self) -> Carrier {
        let gave_up = (self.below(2) == 0).then(|| self.moment());
        Carrier { who: self.node(), promise: self.what(), at: self.moment(), gave_up }
    }

    fn person(&mut self) -> Option<Person> {
        let standing = if self.below(2) == 0 { Standing::Contact } else { Standing::Blocked };
        let name = ["", "Anna", "Žofie \u{1b}[31m"][self.below(3) as usize].to_owned();
        (self.below(3) > 0).then(|| Person { name, standing, verified: self.below(2) == 0 })
    }
}
