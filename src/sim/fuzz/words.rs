//! What the members of a group tell each other: who is in it, what they write under, and what came to them. Words are
//! doubled, overtaken and, where they say nothing of who is in the group, lost; homes lose what they had not kept; and
//! outsiders ask for keys.
//!
//! A key is nobody's who was no member by what its author knew. Once the faults stop all members know the same, open what
//! any of them writes, and hear who has it; and then nobody has anything more to say.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;

use crate::agent::change::Change;
use crate::bundle::Signer;
use crate::content::group::{Act, Epoch, EpochId, GroupKey, Role};
use crate::content::{Content, GroupWord, Mark};
use crate::id::{BundleId, NodeId};
use crate::mail::groups::log::Log;
use crate::mail::groups::receipts::{RECEIPT_LIFETIME, word_in};
use crate::mail::groups::rows::{self, Key, Recipients, ToSend};
use crate::mail::groups::{Actor as By, Admitted, Groups, NotDone, Standing};
use crate::sim::random::Stream;
use crate::time::{DAY, DtnTime, HOUR, Millis, Timestamp};

use super::node::WALL_START;
use super::{Checked, Counts, Promise, must};

/// Most that is written in one world.
const POSTS_MAX: usize = 40;
/// Rounds in which everything arrives until nobody may have anything to say.
const ROUNDS_MAX: u32 = 60;
/// Between them more passes than lies between two questions.
const PAUSE: Millis = Millis(2 * HOUR.0);
/// Events kept for a report.
const TRAIL_MAX: usize = 60;

pub struct Words {
    pub counts: Counts,
    pub steps: u64,
    pub trail: Vec<String>,
    pub hasher: blake3::Hasher,
    tells: bool,
    dice: Stream,
    now: u64,
    people: Vec<Person>,
    group: NodeId,
    /// Everything that anybody signed.
    log: Log,
    /// Who was ever admitted to read from the start.
    from_start: BTreeSet<NodeId>,
    epochs: BTreeMap<EpochId, Epoch>,
    /// Keys that somebody outside made.
    made_up: BTreeSet<EpochId>,
    posts: Vec<Post>,
    air: Vec<Flight>,
    made: u32,
    is_stormy: bool,
    /// How often words come twice, are lost, and how often what was not kept is lost, per million.
    faults: [u32; 3],
}

/// Somebody, and what their home keeps.
struct Person {
    key: SigningKey,
    groups: Groups,
    kept: BTreeMap<Vec<u8>, Vec<u8>>,
    wall_offset: i64,
    has_clock: bool,
    /// What came and does not open.
    sealed: BTreeSet<usize>,
    opened: BTreeMap<usize, Admitted>,
    /// Receipts that are held for their authors, and until when.
    under_way: BTreeMap<BundleId, u64>,
}

/// Something written to the group.
struct Post {
    author: usize,
    epoch: EpochId,
    created: DtnTime,
    /// What it says of the group; nothing where it is a message.
    word: Option<GroupWord>,
}

/// What is on its way to one of them.
#[derive(Clone)]
struct Flight {
    from: usize,
    to: usize,
    what: What,
}

#[derive(Clone)]
enum What {
    Word(GroupWord),
    Post(usize),
    Got(BundleId, GroupWord),
}

impl Words {
    pub fn new(seed: u64, tells: bool) -> Words {
        let mut dice = Stream::new(seed, "fuzz words", 0);
        let many = dice.between(3, 7) as usize;
        let people: Vec<Person> = (0..many).map(|n| Person::new(n, &mut dice)).collect();
        let mut rate = |most: u64| if dice.chance(500_000) { dice.below(most) as u32 } else { 0 };
        let faults = [rate(300_000), rate(400_000), rate(200_000)];
        let nobody = people[0].key.node();
        Words {
            counts: Counts::default(),
            steps: 0,
            trail: Vec::new(),
            hasher: blake3::Hasher::new(),
            tells,
            dice,
            now: 0,
            people,
            group: nobody,
            log: Log::new(nobody),
            from_start: BTreeSet::new(),
            epochs: BTreeMap::new(),
            made_up: BTreeSet::new(),
            posts: Vec::new(),
            air: Vec::new(),
            made: 0,
            is_stormy: true,
            faults,
        }
    }

    pub fn run(&mut self) -> Checked {
        self.begin()?;
        for _ in 0..self.dice.between(60, 260) {
            self.steps += 1;
            self.take_step()?;
        }
        self.calm()
    }

    fn tell(&mut self, what: impl FnOnce() -> String) {
        if self.tells {
            if self.trail.len() == TRAIL_MAX {
                self.trail.remove(0);
            }
            self.trail.push(format!("word {}, {}: {}", self.steps, Millis(self.now), what()));
        }
    }

    fn begin(&mut self) -> Checked {
        let many = self.people.len();
        let with: Vec<usize> = (1..many).filter(|_| self.dice.chance(600_000)).collect();
        let with: Vec<NodeId> = with.into_iter().map(|n| self.node(n)).collect();
        let nonce = [self.dice.below(256) as u8; 16];
        let begun = loop {
            if let Some(begun) = self.does(0, |groups, by, out| groups.begin("crew", nonce, &with, by, out))? {
                break begun;
            }
        };
        self.group = begun.expect("a small group can begin");
        self.log = Log::new(self.group);
        self.note(0)
    }

    fn take_step(&mut self) -> Checked {
        let n = self.dice.below(self.people.len() as u64) as usize;
        match self.dice.below(100) {
            0..55 => self.deliver_any(),
            55..70 => self.send_out(n),
            70..78 => self.write(n),
            78..88 => self.act(n),
            88..91 => self.restart(n),
            91..94 => self.ask_from_outside(n),
            _ => {
                let span = [1_000, 60_000, HOUR.0, DAY.0][self.dice.below(4) as usize];
                let span = self.dice.below(span) + 1;
                self.pass(Millis(span))
            }
        }
    }

    fn node(&self, n: usize) -> NodeId {
        self.people[n].key.node()
    }

    /// Has somebody do something and keeps what follows; none where it was lost before it was kept.
    fn does<T>(
        &mut self,
        n: usize,
        act: impl FnOnce(&mut Groups, &By<'_>, &mut Vec<Change>) -> T,
    ) -> Result<Option<T>, super::Broken> {
        self.made += 1;
        let fresh = *blake3::hash(&self.made.to_le_bytes()).as_bytes();
        let (now, key) = (self.wall(n), self.people[n].key.clone());
        let mut out = Vec::new();
        let done = act(&mut self.people[n].groups, &By { signer: &key, now, fresh }, &mut out);
        if self.is_stormy && self.dice.chance(self.faults[2]) {
            self.counts.crashes += 1;
            self.tell(|| format!("{n} loses what it had not kept"));
            self.people[n].reload();
            self.open_sealed(n)?;
            return Ok(None);
        }
        for change in out {
            let Change::Keep { key, value } = change else { unreachable!("groups keep rows") };
            self.hasher.update(&[n as u8]).update(&key);
            match value {
                Some(value) => drop(self.people[n].kept.insert(key, value)),
                None => drop(self.people[n].kept.remove(&key)),
            }
        }
        self.note(n)?;
        Ok(Some(done))
    }

    fn wall(&self, n: usize) -> DtnTime {
        let person = &self.people[n];
        DtnTime(if person.has_clock { (WALL_START + self.now).saturating_add_signed(person.wall_offset) } else { 0 })
    }

    /// Takes note of what somebody knows now, and sees that they have no key that is not theirs.
    fn note(&mut self, n: usize) -> Checked {
        let (me, group) = (self.node(n), self.group);
        let Some(known) = self.people[n].groups.get(&group) else { return Ok(()) };
        for operation in
            known.log.lacking(&[]).into_iter().filter(|operation| !self.log.knows(&operation.id())).collect::<Vec<_>>()
        {
            match operation.act {
                // Who began it reads all of it, for as long as they are in it.
                Act::Begin { .. } => drop(self.from_start.insert(operation.author)),
                Act::Admit { who, from_start: true, .. } => drop(self.from_start.insert(who)),
                _ => {}
            }
            self.log.take(operation, &mut Vec::new());
        }
        for KeptKey { id, epoch } in self.people[n].keys(&group) {
            let heads = epoch.heads.clone();
            let is_mine = epoch.author == me || self.from_start.contains(&me) || self.made_up.contains(&id);
            self.epochs.entry(id).or_insert(epoch);
            let was_in = || self.log.view_at(&heads).is_some_and(|view| view.members.contains_key(&me));
            must(is_mine || was_in(), Promise::KeysAreForMembers, || {
                format!("{n} has the key of {id:?}, whose author did not know it as a member")
            })?;
        }
        Ok(())
    }

    /// Takes what somebody has to send from their home; the power may go before it is known to be sent.
    fn send_out(&mut self, n: usize) -> Checked {
        let is_out = |key: &&Vec<u8>| matches!(rows::read_key(key), Some(Key::Out(_)));
        let all: Vec<Vec<u8>> = self.people[n].kept.keys().filter(is_out).cloned().collect();
        for key in all {
            let Some(sent) = self.people[n].kept.get(&key).and_then(|value| ToSend::read(value)) else { continue };
            let goes_again = self.is_stormy && self.dice.chance(self.faults[2]);
            if !goes_again {
                self.people[n].kept.remove(&key);
            }
            self.counts.words += 1;
            let Ok(Content::Group(word)) = Content::decode(&sent.content) else {
                return must(false, Promise::NothingUnverified, || format!("{n} sends what is no word"));
            };
            self.tell(|| format!("{n} sends to {:?}: {}", sent.to, told(&word)));
            match sent.to {
                Recipients::Each(nodes) => {
                    let to: Vec<usize> = (0..self.people.len()).filter(|to| nodes.contains(&self.node(*to))).collect();
                    to.into_iter().for_each(|to| self.put(n, to, What::Word((*word).clone())));
                }
                Recipients::Group(_, epoch) => self.post(n, epoch, Some(*word)),
            }
        }
        self.send_receipts(n)
    }

    fn send_receipts(&mut self, n: usize) -> Checked {
        let now = Timestamp(self.now);
        let held: BTreeSet<BundleId> = self.people[n].under_way.keys().copied().collect();
        let left = |id: &BundleId| held.contains(id).then_some(2);
        if !self.people[n].groups.receipts.gather(now, left) {
            return Ok(());
        }
        for batch in self.people[n].groups.receipts.take_ready() {
            if self.is_stormy && self.dice.chance(self.faults[1]) {
                self.people[n].groups.receipts.not_sent(&batch);
                continue;
            }
            let Some(word) = word_in(&batch.plaintext()) else {
                return must(false, Promise::NothingUnverified, || format!("{n} sends a receipt that is none"));
            };
            self.made += 1;
            let id = BundleId(*blake3::hash(&[&self.made.to_le_bytes()[..], b"got"].concat()).as_bytes());
            let Some(over) = self.does(n, |groups, _, out| groups.receipts.sent(&batch, id, out))? else { break };
            self.tell(|| format!("{n} tells {} that {} came", batch.author, batch.got.len()));
            self.people[n].under_way.insert(id, self.now + RECEIPT_LIFETIME.0);
            for gone in over {
                self.people[n].under_way.remove(&gone);
                // Carriers may have it still.
                let stays = self.is_stormy && self.dice.chance(500_000);
                self.air.retain(|flight| stays || !matches!(&flight.what, What::Got(other, _) if *other == gone));
            }
            let author = (0..self.people.len()).find(|m| self.node(*m) == batch.author);
            if let Some(author) = author {
                self.put(n, author, What::Got(id, *word));
            }
        }
        Ok(())
    }

    /// Something is on its way to everybody in the group, those who have yet to join among them.
    fn post(&mut self, n: usize, epoch: EpochId, word: Option<GroupWord>) {
        let number = self.posts.len();
        self.posts.push(Post { author: n, epoch, created: self.wall(n), word });
        (0..self.people.len()).filter(|to| *to != n).for_each(|to| self.put(n, to, What::Post(number)));
    }

    fn put(&mut self, from: usize, to: usize, what: What) {
        // What says who is in the group comes in the end.
        let may_be_lost = match &what {
            What::Word(word) => word.operations.is_empty(),
            What::Post(_) => false,
            What::Got(..) => true,
        };
        if may_be_lost && self.is_stormy && self.dice.chance(self.faults[1]) {
            return self.tell(|| format!("what {from} sent to {to} is lost"));
        }
        self.air.push(Flight { from, to, what });
    }

    /// Writes to the group, if somebody may.
    fn write(&mut self, n: usize) -> Checked {
        let group = self.group;
        if self.posts.len() >= POSTS_MAX && self.is_stormy {
            return Ok(());
        }
        let Some(Ok(epoch)) = self.does(n, |groups, by, out| groups.ready(&group, by, out))? else { return Ok(()) };
        let groups = &self.people[n].groups;
        must(groups.covers(&group, &epoch), Promise::KeysAreForMembers, || {
            format!("{n} writes under {epoch:?}, which somebody may have whom it knows to be removed")
        })?;
        let mark = mark_of(self.posts.len());
        if self.does(n, |groups, _, out| groups.sent(&group, mark, out))?.is_none() {
            return Ok(());
        }
        self.tell(|| format!("{n} writes to the group under {epoch:?}"));
        self.post(n, epoch, None);
        Ok(())
    }

    /// Somebody joins, leaves, or does what an owner does, as far as they may.
    fn act(&mut self, n: usize) -> Checked {
        let (group, other) = (self.group, self.dice.below(self.people.len() as u64) as usize);
        let (who, kind, from_start) = (self.node(other), self.dice.below(8), self.dice.chance(250_000));
        let done = self.does(n, |groups, by, out| match kind {
            0..3 => groups.join(&group, by, out),
            3..5 => groups.admit(&group, &[who], from_start, by, out),
            5 => groups.remove(&group, who, by, out),
            6 => groups.appoint(&group, who, if from_start { Role::Member } else { Role::Owner }, by, out),
            _ if from_start => groups.leave(&group, by, out),
            _ => groups.rename(&group, "other", by, out),
        })?;
        self.tell(|| format!("{n} does {kind} with {other}: {done:?}"));
        must(!matches!(done, Some(Err(NotDone::NoRoom | NotDone::Full))), Promise::QuotaHolds, || {
            format!("{n} finds no room for {kind} in a group of few")
        })
    }

    fn restart(&mut self, n: usize) -> Checked {
        let before = self.people[n].summary(&self.group);
        self.people[n].reload();
        let after = self.people[n].summary(&self.group);
        must(before == after, Promise::StoreAndAgentAgree, || {
            format!("{n} knew {before} of the group, and after a restart {after}")
        })?;
        // What is sealed still is asked for again.
        let sealed: Vec<usize> = self.people[n].sealed.iter().copied().collect();
        sealed.into_iter().try_for_each(|number| self.open(n, number))
    }

    /// Who is no member asks for every key there is, or gives one of their own.
    fn ask_from_outside(&mut self, n: usize) -> Checked {
        let me = self.node(n);
        let wants: Vec<EpochId> = self.epochs.keys().copied().take(64).collect();
        let heads = self.log.heads();
        let own = Epoch { author: me, heads: heads.clone(), key: GroupKey([n as u8; 32]) };
        self.made_up.insert(own.id(&self.group));
        let words = [
            GroupWord { wants, have: heads, ..GroupWord::of(self.group) },
            GroupWord { keys: vec![own], ..GroupWord::of(self.group) },
        ];
        let word = words[self.dice.below(2) as usize].clone();
        if self.log.view().members.contains_key(&me) {
            return Ok(());
        }
        for to in (0..self.people.len()).filter(|to| *to != n) {
            self.counts.deeds += 1;
            self.air.push(Flight { from: n, to, what: What::Word(word.clone()) });
        }
        Ok(())
    }

    fn deliver_any(&mut self) -> Checked {
        if self.air.is_empty() {
            return Ok(());
        }
        let at = self.dice.below(self.air.len() as u64) as usize;
        self.deliver(at).map(drop)
    }

    /// Whether it came; what is for a group waits for who does not serve it yet.
    fn deliver(&mut self, at: usize) -> Result<bool, super::Broken> {
        let Flight { from, to, what } = self.air[at].clone();
        let (author, group) = (self.node(from), self.group);
        let came = match &what {
            What::Word(word) => self.hear(to, author, word)?,
            What::Post(_) if !self.people[to].is_in(&group) => return Ok(false),
            What::Post(number) => {
                self.people[to].sealed.insert(*number);
                self.open(to, *number)?;
                true
            }
            What::Got(id, word) => self.hear_got(from, to, *id, word)?,
        };
        let comes_again = !came || self.is_stormy && self.dice.chance(self.faults[0]);
        if !comes_again {
            self.air.swap_remove(at);
        }
        Ok(came)
    }

    fn hear(&mut self, n: usize, from: NodeId, word: &GroupWord) -> Result<bool, super::Broken> {
        self.tell(|| format!("{n} hears of {from}: {}", told(word)));
        let keys = |words: &Words| words.people[n].groups.keys(&words.group).count() as u64;
        let before = keys(self);
        let heard = self.does(n, |groups, by, out| groups.hear(from, true, word, by.now, out))?;
        if keys(self) > before {
            self.counts.keys += keys(self) - before;
            self.open_sealed(n)?;
        }
        Ok(heard.is_some())
    }

    fn open_sealed(&mut self, n: usize) -> Checked {
        let sealed: Vec<usize> = self.people[n].sealed.iter().copied().collect();
        let opens = |words: &Words, number: &usize| words.people[n].opens(&words.group, &words.posts[*number].epoch);
        for number in sealed {
            if opens(self, &number) {
                self.open(n, number)?;
            }
        }
        Ok(())
    }

    /// Opens what somebody wrote to the group, or asks for its key.
    fn open(&mut self, n: usize, number: usize) -> Checked {
        let Post { author, epoch, created, word } = &self.posts[number];
        let (epoch, created, word, author) = (*epoch, *created, word.clone(), self.node(*author));
        let (group, now) = (self.group, Timestamp(self.now));
        if self.people[n].opened.contains_key(&number) {
            self.people[n].sealed.remove(&number);
            return Ok(());
        }
        if !self.people[n].opens(&group, &epoch) {
            self.counts.asked += 1;
            return self.does(n, |groups, by, out| groups.miss(&group, epoch, author, by.now, out)).map(drop);
        }
        let admitted = self.people[n].groups.admits(&group, &epoch, &author, created);
        let is_word = word.is_some();
        let kept = self.does(n, |groups, by, out| {
            if admitted == Admitted::Yes && word.is_none() {
                groups.owe(&group, author, mark_of(number), (now, by.now), out);
            }
            if let Some(word) = &word {
                groups.hear(author, true, word, by.now, out);
            }
        })?;
        if kept.is_some() {
            self.people[n].sealed.remove(&number);
            self.people[n].opened.insert(number, admitted);
            self.counts.in_group += u64::from(!is_word);
        }
        Ok(())
    }

    fn hear_got(&mut self, from: usize, n: usize, id: BundleId, word: &GroupWord) -> Result<bool, super::Broken> {
        let who = self.node(from);
        let kept = self.people[n].kept.clone();
        let is_news = |mark: &Mark| {
            let meant = kept.get(&rows::meant(mark)).and_then(|value| rows::read_meant(value));
            meant.is_some_and(|(_, members)| members.contains(&who)) && !kept.contains_key(&rows::has(mark, &who))
        };
        if self.does(n, |groups, by, out| groups.note(who, word, by.now, is_news, out))?.is_none() {
            return Ok(false);
        }
        let noted = self.people[n].groups.take_noted();
        self.counts.got += noted.len() as u64;
        for (mark, member) in noted {
            let m = (0..self.people.len()).find(|m| self.node(*m) == member);
            let is_so = m.is_some_and(|m| {
                self.people[m].opened.iter().any(|(number, how)| mark_of(*number) == mark && *how == Admitted::Yes)
            });
            must(is_so, Promise::StatusIsTrue, || format!("{n} says that {member} has what did not come there"))?;
        }
        // Who handed it over itself knows that it is through.
        if self.people[from].under_way.contains_key(&id) && (!self.is_stormy || self.dice.chance(500_000)) {
            self.is_gone(from, id, true)?;
        }
        Ok(true)
    }

    fn is_gone(&mut self, n: usize, id: BundleId, is_heard: bool) -> Checked {
        let (now, wall) = (Timestamp(self.now), self.wall(n));
        if self.does(n, |groups, _, out| groups.receipts.gone(&id, is_heard, (now, wall), out))?.is_some() {
            self.people[n].under_way.remove(&id);
        }
        Ok(())
    }

    /// Time passes, and lives of receipts end.
    fn pass(&mut self, span: Millis) -> Checked {
        self.now += span.0;
        for n in 0..self.people.len() {
            let over = self.people[n].under_way.iter().filter(|(_, until)| **until <= self.now);
            for id in over.map(|(id, _)| *id).collect::<Vec<_>>() {
                self.air.retain(|flight| !matches!(&flight.what, What::Got(other, _) if *other == id));
                self.is_gone(n, id, false)?;
            }
        }
        Ok(())
    }

    /// The faults stop: everything arrives, and all members write once more.
    fn calm(&mut self) -> Checked {
        self.tell(|| "the faults stop".into());
        self.is_stormy = false;
        (0..self.people.len()).try_for_each(|n| self.restart(n))?;
        self.settle()?;
        let first = self.posts.len();
        for n in 0..self.people.len() {
            if self.people[n].is_in(&self.group) {
                self.write(n)?;
            }
        }
        self.settle()?;
        self.check_all_know(first)
    }

    fn settle(&mut self) -> Checked {
        for _ in 0..ROUNDS_MAX {
            let mut is_quiet = true;
            for n in 0..self.people.len() {
                let before = self.air.len();
                self.does(n, |groups, by, out| groups.catch_up(by.now, out))?;
                self.send_out(n)?;
                is_quiet &= self.air.len() == before;
            }
            let mut at = 0;
            while at < self.air.len() {
                match self.deliver(at)? {
                    true => is_quiet = false,
                    false => at += 1,
                }
            }
            // What has its time never comes where there is no clock.
            let waits = |(n, person): (usize, &Person)| {
                let questions = person.groups.next_timeout().is_some() && self.wall(n).0 != 0;
                questions || person.groups.receipts.next_timeout().is_some()
            };
            if is_quiet && !self.people.iter().enumerate().any(waits) {
                return Ok(());
            }
            self.pass(PAUSE)?;
        }
        must(false, Promise::NothingIsLeft, || "the members of a group never stop talking".into())
    }

    /// All members know the same, have what was written since, and know who has it.
    fn check_all_know(&self, first: usize) -> Checked {
        let members: Vec<usize> = (0..self.people.len()).filter(|n| self.people[*n].is_in(&self.group)).collect();
        let view = |n: usize| self.people[n].groups.get(&self.group).map(|known| format!("{:?}", known.view().members));
        for n in &members {
            must(view(*n) == view(members[0]), Promise::EverythingArrives, || {
                let (one, other) = (view(*n), view(members[0]));
                format!("{n} knows of its group {one:?}, and {} at the end {other:?}", members[0])
            })?;
        }
        for (number, post) in self.posts.iter().enumerate().skip(first).filter(|(_, post)| post.word.is_none()) {
            let mark = mark_of(number);
            for n in members.iter().copied().filter(|n| *n != post.author) {
                let opened = self.people[n].opened.get(&number);
                must(opened == Some(&Admitted::Yes), Promise::EverythingArrives, || {
                    format!("what {} wrote at the end is {opened:?} at {n}", post.author)
                })?;
                let has = rows::has(&mark, &self.node(n));
                must(self.people[post.author].kept.contains_key(&has), Promise::EverythingArrives, || {
                    format!("{} does not hear that {n} has what it wrote at the end", post.author)
                })?;
            }
        }
        Ok(())
    }
}

struct KeptKey {
    id: EpochId,
    epoch: Epoch,
}

impl Person {
    fn new(n: usize, dice: &mut Stream) -> Person {
        let key = SigningKey::from_bytes(blake3::hash(&[n as u8, 0x77]).as_bytes());
        let groups = Groups::new(key.node());
        let wall_offset = if dice.chance(300_000) { dice.below(4 * DAY.0) as i64 - 2 * DAY.0 as i64 } else { 0 };
        Person {
            key,
            groups,
            kept: BTreeMap::new(),
            wall_offset,
            has_clock: dice.chance(850_000),
            sealed: BTreeSet::new(),
            opened: BTreeMap::new(),
            under_way: BTreeMap::new(),
        }
    }

    /// Starts again with what is kept.
    fn reload(&mut self) {
        let mut groups = Groups::new(self.key.node());
        for part in rows::loaded() {
            let of_part = self.kept.iter().filter(|(key, _)| key.starts_with(&part));
            of_part.for_each(|(key, value)| groups.load(key, value));
        }
        groups.loaded();
        self.groups = groups;
    }

    fn is_in(&self, group: &NodeId) -> bool {
        self.groups.get(group).is_some_and(|known| known.state.standing == Standing::Joined)
    }

    fn opens(&self, group: &NodeId, epoch: &EpochId) -> bool {
        self.groups.keys(group).any(|(id, _)| id == *epoch)
    }

    fn keys(&self, group: &NodeId) -> Vec<KeptKey> {
        let of_group = |key: &Vec<u8>| match rows::read_key(key) {
            Some(Key::Epoch(of, id)) if of == *group => Some(id),
            _ => None,
        };
        let kept = self.kept.iter().filter_map(|(key, value)| Some((of_group(key)?, rows::KeptEpoch::read(value)?)));
        kept.map(|(id, kept)| KeptKey { id, epoch: kept.epoch }).collect()
    }

    /// What must be the same after a restart.
    fn summary(&self, group: &NodeId) -> String {
        let known = self.groups.get(group).map(|known| (&known.state, known.log.frontier(), known.log.len()));
        let keys: Vec<EpochId> = self.groups.keys(group).map(|(id, _)| id).collect();
        format!("{known:?} with {keys:?}")
    }
}

fn mark_of(number: usize) -> Mark {
    *blake3::hash(&[&number.to_le_bytes()[..], b"post"].concat()).as_bytes().first_chunk().expect("a hash is longer")
}

/// A word in few words.
fn told(word: &GroupWord) -> String {
    let acts: Vec<String> =
        word.operations.iter().map(|operation| format!("{} {:?}", operation.author, operation.act)).collect();
    let (keys, wants, got) = (word.keys.len(), word.wants.len(), word.got.len());
    format!("{acts:?}, {keys} keys, wants {wants}, got {got}{}", if word.invites { ", invites" } else { "" })
}
