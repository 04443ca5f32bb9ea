//! One agent, any inputs at any times: what it believes is what was committed, its quota holds, nobody hears of what
//! did not happen, and no letter comes twice.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use dak::agent::change::{Change, Class, Durable, Known, Person, Row, Standing};
use dak::agent::routing::Policy;
use dak::agent::{Agent, Config, Input, Mailboxes, Output, cost_bytes};
use dak::bundle::{Bundle, Creation, Draft, Hops, Kind, Priority, Signer};
use dak::driver::{Driver, Step};
use dak::eid::{Eid, Service};
use dak::frame::{Frame, Grade, Hello, PROTOCOL_VERSION, Refusal, RoutingInfo, Transit};
use dak::id::{BundleId, NodeId};
use dak::mail::record::Record;
use dak::receipt::{Receipt, ReceiptKind};
use dak::time::{DAY, DtnTime, HOUR, Millis, Moment, Timestamp};
use ed25519_dalek::SigningKey;

use super::draw::Draw;

/// 2026-11-01 in milliseconds since the DTN epoch.
const WALL: u64 = 846_892_800_000;
/// The agent, and peers whose keys are known.
const KEYS: usize = 5;
/// Timeouts in a row that an agent may want at one moment.
const TIMEOUTS_MAX: usize = 64;

/// Keys, and bundles that were signed once for all runs.
struct Cast {
    keys: Vec<Arc<SigningKey>>,
    bundles: Vec<Arc<Bundle>>,
}

static CAST: LazyLock<Cast> = LazyLock::new(|| {
    let keys: Vec<Arc<SigningKey>> = (0..KEYS).map(|n| Arc::new(SigningKey::from_bytes(&[n as u8 + 1; 32]))).collect();
    let node = |n: usize| keys[n].node();
    let mut bundles = Vec::new();
    for (source, key) in keys.iter().enumerate().skip(1) {
        for n in 0..12u64 {
            let destination = match n {
                0..4 => Eid::mail(node(0)),
                4..9 => Eid::mail(node(source % (KEYS - 1) + 1)),
                9 => Eid { node: node(0), service: Service::Group("crew".into()) },
                10 => Eid { node: node(2), service: Service::Group("crew".into()) },
                _ => Eid { node: node(0), service: Service::Other("files".into()) },
            };
            let creation = Creation { time: DtnTime(if n % 3 == 0 { 0 } else { WALL }), sequence: n / 2 };
            let lifetime = [HOUR, DAY, DAY.times(29)][n as usize % 3];
            let draft = Draft {
                kind: Kind::Message,
                source: key.node(),
                destination,
                creation,
                lifetime,
                priority: Priority::Normal,
                copies: [1, 8, 1_024][n as usize % 3],
            };
            bundles.push(Arc::new(draft.sign(&[n as u8; 300][..1 + 20 * n as usize], &**key).unwrap()));
        }
    }
    let messages: Vec<(NodeId, NodeId, BundleId)> =
        bundles.iter().map(|bundle| (bundle.source, bundle.destination.node, bundle.id)).collect();
    // Receipts by whoever may sign them, and by somebody who may not.
    for (signer, key) in keys.iter().enumerate().skip(1) {
        for source in 1..KEYS {
            let ids =
                messages.iter().filter(|(from, to, _)| *from == node(source) && (*to == node(signer) || signer == 1));
            let ids: Vec<BundleId> = ids.map(|(_, _, id)| *id).collect();
            let full = ReceiptKind::Full { retry_after: DAY };
            for (sequence, kind) in (100..).zip([ReceiptKind::Delivered, ReceiptKind::Rejected { reason: 1 }, full]) {
                if ids.is_empty() {
                    continue;
                }
                let devices = 1 + sequence as u16 % 2;
                let receipt = Receipt { kind, source: node(source), device: 0, devices, ids: ids.clone() };
                let draft = Draft {
                    kind: Kind::Receipt,
                    source: key.node(),
                    destination: Eid::admin(node(source)),
                    creation: Creation { time: DtnTime(WALL), sequence },
                    lifetime: DAY.times(8),
                    priority: Priority::Normal,
                    copies: 8,
                };
                bundles.push(Arc::new(draft.sign(&receipt.encode(), &**key).unwrap()));
            }
        }
    }
    Cast { keys, bundles }
});

/// Sees to it that at one moment an agent comes to an end.
#[derive(Default)]
struct Bounded {
    timeouts: usize,
    record: Record,
}

impl Step for Bounded {
    type Said = Output;

    fn recall(&mut self, id: &BundleId) -> Option<Known> {
        Some(self.record.known(id))
    }

    fn give(&mut self, agent: &mut Agent, at: Moment, input: Input, out: &mut Vec<Output>) {
        self.timeouts += usize::from(input == Input::Timeout);
        assert!(self.timeouts < TIMEOUTS_MAX, "what is due gets done");
        agent.handle(at, input, out);
    }

    fn add(&mut self, out: Vec<Output>, open: &mut Vec<Output>) {
        open.extend(out);
    }
}

/// An agent, the model of its store, and what was seen of both.
struct Stage {
    driver: Driver<Bounded>,
    config: Config,
    durable: Durable,
    at: Moment,
    incarnation: u8,
    next_token: u64,
    sealing: Vec<(u64, Draft)>,
    delivered: BTreeSet<BundleId>,
    sequences: BTreeSet<u64>,
}

pub fn agent(data: &[u8]) {
    let mut draw = Draw(data);
    let config = any_config(&mut draw);
    let mut stage = Stage {
        driver: Driver::new(restore(&config, 0, Durable::default()), Bounded::default()),
        config,
        durable: Durable::default(),
        at: Moment { now: Timestamp(0), wall: DtnTime(WALL) },
        incarnation: 0,
        next_token: 1,
        sealing: Vec::new(),
        delivered: BTreeSet::new(),
        sequences: BTreeSet::new(),
    };
    while !draw.is_over() {
        stage.step(&mut draw);
    }
}

fn restore(config: &Config, incarnation: u8, durable: Durable) -> Agent {
    let signer: Arc<dyn Signer> = CAST.keys[0].clone();
    Agent::restore(CAST.keys[0].node(), Mailboxes::own(signer), config.clone(), [incarnation; 32], durable)
}

fn any_config(draw: &mut Draw<'_>) -> Config {
    let policies = [Policy::Direct, Policy::Epidemic, Policy::SprayAndWait, Policy::Prospect];
    Config {
        policy: policies[draw.below(4)].clone(),
        carry_bytes_max: [256 << 20, 0, 3_200, 10_000][draw.below(4)],
        strangers_share: draw.byte() as u16 * 4 % 1_001,
        custody_share: draw.byte() as u16 * 4 % 1_001,
        fair_shares: draw.flag(),
        contact_mail_bytes_max: [16 << 30, 2_000][draw.below(2)],
        stranger_mail_bytes_max: [64 << 20, 2_000][draw.below(2)],
        receipts_unmatched_max: [16_384, 2][draw.below(2)],
        receipts_own_max: [65_536, 2][draw.below(2)],
        window_bytes: [1 << 20, 1_000][draw.below(2)],
        ..Config::default()
    }
}

impl Stage {
    fn step(&mut self, draw: &mut Draw<'_>) {
        let peer = CAST.keys[1 + draw.below(KEYS - 1)].node();
        match draw.below(20) {
            0 => self.input(Input::ContactUp { peer }),
            1 => self.input(Input::ContactDown { peer }),
            2 | 3 => {
                let hello = self.any_hello(draw, peer);
                self.input(Input::Frame { from: peer, frame: Frame::Hello(hello) });
            }
            4..8 => {
                let bundle = &CAST.bundles[draw.below(CAST.bundles.len().min(256))];
                let transit = any_transit(draw);
                self.hand_over(peer, transit, bundle);
            }
            8..11 => {
                let frame = self.any_frame(draw);
                self.input(Input::Frame { from: peer, frame });
            }
            11 => {
                if let Ok(frame) = Frame::decode(draw.bytes()) {
                    self.input(Input::Frame { from: peer, frame });
                }
            }
            12 => self.submit(draw, peer),
            13 => self.seal(draw),
            14 => self.pass(draw),
            15 => self.restart(),
            16 => {
                let standing = if draw.flag() { Standing::Contact } else { Standing::Blocked };
                let person = Person { name: "somebody".into(), standing, verified: draw.flag() };
                let person = Some(person).filter(|_| draw.flag());
                self.input(Input::SetPerson { node: peer, person });
            }
            17 => {
                let id = self.any_id(draw);
                let input = match draw.below(5) {
                    0 => Input::Read { id, tell: draw.flag() },
                    1 => Input::Discard(id),
                    2 => Input::Cancel(id),
                    3 => Input::Drop(id),
                    _ => {
                        let row = self.driver.agent.held_one(&id).map_or(Row(draw.below(9) as u64), |held| held.row);
                        Input::Unreadable { to: peer, id, row }
                    }
                };
                self.input(input);
            }
            18 => {
                let bytes = [256 << 20, 0, 1_500, 6_000][draw.below(4)];
                self.config.carry_bytes_max = bytes;
                self.input(Input::CarryLimit(bytes));
            }
            _ => self.input(Input::Space { free_bytes: [u64::MAX, 0, 10 << 20][draw.below(3)] }),
        }
    }

    fn any_hello(&self, draw: &mut Draw<'_>, peer: NodeId) -> Hello {
        Hello {
            version: PROTOCOL_VERSION,
            bundle_bytes_max: [1 << 20, 400][draw.below(2)],
            window_bytes: [1 << 20, 0, 500][draw.below(3)],
            carries: draw.flag(),
            pushes: draw.flag(),
            mailboxes: Vec::new(),
            routing: match draw.below(3) {
                0 => RoutingInfo::None,
                1 => RoutingInfo::Predictabilities(vec![(peer, draw.byte().into())]),
                _ => RoutingInfo::Meetings(vec![(peer, draw.byte().into())]),
            },
            nonce: [draw.byte(); 16],
            count: draw.number(),
            root: [draw.byte(); 16],
            interests: Vec::new(),
        }
    }

    /// What a driver does with a bundle that verified.
    fn hand_over(&mut self, from: NodeId, transit: Transit, bundle: &Arc<Bundle>) {
        let input = match self.driver.agent.turns_away(&bundle.id) {
            true => Input::Duplicate { from, transit, id: bundle.id },
            false => {
                let size_bytes = bundle.encoded_len() as u32;
                Input::Bundle { from, transit, bundle: Arc::clone(bundle), size_bytes }
            }
        };
        self.input(input);
    }

    fn any_frame(&self, draw: &mut Draw<'_>) -> Frame {
        let ids = |draw: &mut Draw<'_>| (0..draw.below(5)).map(|_| self.any_id(draw)).collect::<Vec<BundleId>>();
        match draw.below(10) {
            0 => Frame::Offer { ids: ids(draw) },
            1 => Frame::Take { ids: ids(draw) },
            2 => Frame::Ask { ids: ids(draw) },
            3 => {
                let grades = [Grade::Released, Grade::Copy, Grade::Custody];
                let grants = ids(draw).into_iter().map(|id| (id.prefix(), grades[draw.below(3)]));
                Frame::Accepted { grants: grants.collect() }
            }
            4 => Frame::GaveUp { ids: ids(draw) },
            5 => {
                let whys = [Refusal::Full, Refusal::Known, Refusal::Expired, Refusal::TooLarge, Refusal::Shunned];
                let (id, why) = (self.any_id(draw), whys[draw.below(5)]);
                Frame::Refused { id, why, retry_after: Millis(draw.number()) }
            }
            6 => Frame::Want { ids: (0..draw.below(5)).map(|_| draw.number()).collect() },
            8 => Frame::Lives { lives: ids(draw).into_iter().map(|id| (id, Millis(draw.number()))).collect() },
            7 => Frame::ShortIds { buckets: Vec::new(), up_to: u64::MAX, ids: vec![draw.number()] },
            _ => Frame::MoreCells { start: draw.byte().into(), count: draw.byte().into() },
        }
    }

    /// An id of the cast, of one's own messages, or of nothing.
    fn any_id(&self, draw: &mut Draw<'_>) -> BundleId {
        let n = draw.byte() as usize;
        self.all_ids().get(n).copied().unwrap_or(BundleId([n as u8; 32]))
    }

    fn all_ids(&self) -> Vec<BundleId> {
        let own = self.durable.outgoing.keys();
        own.copied().chain(CAST.bundles.iter().map(|bundle| bundle.id)).collect()
    }

    fn submit(&mut self, draw: &mut Draw<'_>, peer: NodeId) {
        let token = self.next_token;
        self.next_token += 1;
        let node = if draw.below(8) == 0 { CAST.keys[0].node() } else { peer };
        let lifetime = Millis(draw.number());
        let copies = Some(draw.number() as u16).filter(|_| draw.flag());
        let (mailbox, destination) = (Eid::mail(CAST.keys[0].node()), Eid::mail(node));
        self.input(Input::Submit { token, mailbox, destination, lifetime, priority: Priority::Bulk, copies });
    }

    /// Seals what waits for it, or something that does not.
    fn seal(&mut self, draw: &mut Draw<'_>) {
        let payload: Arc<[u8]> = vec![draw.byte(); 40].into();
        let (token, size_bytes) = match self.sealing.pop() {
            Some((token, draft)) => (token, draft.encoded_len(payload.len()) as u32),
            None => (draw.number(), 40),
        };
        self.input(Input::Sealed { token, payload, size_bytes });
    }

    /// Time goes on, and the wall clock goes where it likes.
    fn pass(&mut self, draw: &mut Draw<'_>) {
        let span = Millis([1, 1_000, HOUR.0, DAY.0, DAY.0 * 31][draw.below(5)]);
        self.at.now = self.at.now + span;
        self.at.wall = DtnTime([WALL + self.at.now.0, 0, WALL + DAY.0 * 3_650, u64::MAX][draw.below(4)]);
        self.input(Input::Timeout);
    }

    /// The process dies, and another starts from what is durable.
    fn restart(&mut self) {
        self.incarnation = self.incarnation.wrapping_add(1);
        self.sealing.clear();
        self.driver.start_again(restore(&self.config, self.incarnation, self.durable.clone()));
        assert!(
            self.driver.agent.durable() == self.durable.clone().without_filed(),
            "an agent starts with all that is durable"
        );
        self.input(Input::Timeout);
    }

    /// One batch: the input and whatever is due, then the commit, then the acts.
    fn input(&mut self, input: Input) {
        self.driver.take(self.at, input);
        self.driver.step.timeouts = 0;
        self.driver.run_all_due(self.at);
        let batch = self.driver.flush();
        for output in &batch {
            if let Output::Commit(change) = output {
                self.committed(change);
            }
        }
        assert!(
            self.durable.clone().without_filed() == self.driver.agent.durable(),
            "what was committed is what the agent believes"
        );
        self.check_quota();
        batch.into_iter().for_each(|output| self.act(output));
    }

    fn committed(&mut self, change: &Change) {
        self.durable.apply(change);
        self.driver.step.record.apply(change);
        match change {
            Change::Deliver { letter, .. } => {
                assert!(self.delivered.insert(letter.id), "one row for each id, for ever");
            }
            Change::Hold { held, bundle } => {
                assert_eq!(held.id, bundle.id);
                let is_new = held.class != Class::Own || self.sequences.insert(bundle.creation.sequence);
                assert!(is_new, "no sequence number is borne twice");
                assert!(held.expires.since(held.accepted_at) <= held.lifetime);
                assert!(held.copies <= bundle.copies.max(1));
            }
            _ => {}
        }
    }

    fn check_quota(&self) {
        let usage = self.driver.agent.usage();
        let carried = self.durable.held.values().filter(|held| held.class != Class::Own);
        assert_eq!(usage.bytes, carried.map(|held| cost_bytes(held.size_bytes)).sum::<u64>());
        assert!(usage.bytes <= usage.quota_bytes, "the quota holds");
    }

    fn act(&mut self, output: Output) {
        match output {
            Output::Seal { token, draft } => self.sealing.push((token, draft)),
            Output::Send { to, frame } => {
                assert!(self.is_met(to), "only who is there is spoken to");
                assert_eq!(
                    Frame::decode(&frame.encode().expect("what an agent says fits a frame")).as_ref(),
                    Ok(&frame)
                );
                if let Frame::Accepted { grants } = &frame {
                    let ids = self.all_ids().into_iter().filter(|id| self.driver.agent.knows(id));
                    let known: Vec<u64> = ids.map(|id| id.prefix()).collect();
                    assert!(grants.iter().all(|(prefix, _)| known.contains(prefix)), "accepted means durable");
                }
            }
            Output::Forward { to, transit, id, row } => {
                assert!(self.is_met(to) && transit.hops.count > 0);
                let held = self.durable.held.get(&row);
                // It may have left in the same batch; then there is no body, and the driver says so.
                assert!(held.is_none_or(|held| held.id == id));
            }
            Output::Commit(_)
            | Output::File(_)
            | Output::Heard(_)
            | Output::Again(_)
            | Output::Dial(_)
            | Output::Renew(_)
            | Output::Notify(_)
            | Output::Report(_) => {}
        }
    }

    fn is_met(&self, peer: NodeId) -> bool {
        self.driver.agent.contacts().any(|contact| contact.peer == peer)
    }
}

fn any_transit(draw: &mut Draw<'_>) -> Transit {
    let age = Millis(if draw.flag() { draw.number() } else { 1 });
    Transit { hops: Hops { age, count: draw.byte() }, copies: draw.number() as u16, is_answer: draw.flag() }
}
