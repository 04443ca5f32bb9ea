//! Both sides of a pairing, without a clock or a network.
//!
//! The joiner proves first that it has the code. A host that only claims to have it learns from that whether one guess was
//! right, which is what any run gives away; a joiner that guesses learns nothing before the host has counted the guess.

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hkdf::Hkdf;
use sha2::Sha256;
use spake2::rand_core::CryptoRng;
use spake2::{Ed25519Group, Identity, Password, Spake2};

use super::code::Code;
use super::frame::{ELEMENT_BYTES, Frame, Refusal, TAG_BYTES};
use crate::id::NodeId;

/// Wrong codes that end a pairing, on both sides.
pub const WRONG_CODES_MAX: u8 = 3;

/// Goes before an element of the joiner where the library reads and hashes it, and of the host.
const SIDES: [u8; 2] = *b"AB";
const SALT: &[u8] = b"dak 2026 pairing v1";

/// The side that shows a code: it takes one proof that is right, or three that are wrong.
pub struct Host {
    me: NodeId,
    code: Code,
    wrong: u8,
    is_spent: bool,
}

/// One conversation of a host, until the joiner proves or fails to prove.
pub struct Run(Keys);

/// A joiner that proved to have the code.
pub struct Proven {
    keys: Keys,
    /// Its ticket.
    pub said: Vec<u8>,
}

/// The side that was given a code, in a conversation with one node that may show it.
pub struct Joiner {
    me: NodeId,
    host: NodeId,
    element: [u8; ELEMENT_BYTES],
    spake: Spake2<Ed25519Group>,
}

/// A joiner that has said its proof.
pub struct Proving(Keys);

/// The other side has not the code, or is not the node that the connection proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("who answered does not have the code")]
pub struct NotProven;

impl Host {
    pub fn new(me: NodeId, code: Code) -> Host {
        Host { me, code, wrong: 0, is_spent: false }
    }

    /// Answers a node that asks for a number. None for what is no element: that is no try.
    pub fn ask(
        &self,
        joiner: NodeId,
        (number, element): (u8, [u8; ELEMENT_BYTES]),
        random: &mut impl CryptoRng,
    ) -> Option<Result<(Run, Frame), Refusal>> {
        if number != self.code.number() {
            return Some(Err(Refusal::NotHere));
        }
        if self.is_over() {
            return Some(Err(Refusal::Over));
        }
        let [a, b] = ids(joiner, self.me);
        let (spake, said) = Spake2::<Ed25519Group>::start_b_with_rng(&password(&self.code), &a, &b, random);
        let secret = spake.finish(&with_side(0, &element)).ok()?;
        let mine = without_side(&said);
        let keys = Keys::new(&secret, &[joiner, self.me], &[element, mine]);
        Some(Ok((Run(keys), Frame::Answer { element: mine })))
    }

    /// Takes a joiner's proof; a wrong one counts.
    pub fn prove(&mut self, Run(keys): Run, tag: &[u8; TAG_BYTES], sealed: &[u8]) -> Result<Proven, Refusal> {
        if self.is_over() {
            return Err(Refusal::Over);
        }
        let said = if keys.joiner.is_tag(tag) { keys.joiner.open(sealed) } else { None };
        match said {
            Some(said) => {
                self.is_spent = true;
                Ok(Proven { keys, said })
            }
            None => {
                self.wrong += 1;
                Err(Refusal::Wrong { left: self.tries_left() })
            }
        }
    }

    /// How many more codes may be wrong.
    pub fn tries_left(&self) -> u8 {
        WRONG_CODES_MAX - self.wrong
    }

    /// Whether the code is of no more use.
    pub fn is_over(&self) -> bool {
        self.is_spent || self.tries_left() == 0
    }
}

impl Proven {
    /// Proves to the joiner that this is the node it looked for, and says its ticket.
    pub fn welcome(&self, ticket: &[u8]) -> Frame {
        Frame::Welcome { tag: self.keys.host.tag, sealed: self.keys.host.seal(ticket) }
    }
}

impl Joiner {
    /// Begins a conversation with a node: what is said first gives nothing away but the number.
    pub fn ask(me: NodeId, code: &Code, host: NodeId, random: &mut impl CryptoRng) -> (Joiner, Frame) {
        let [a, b] = ids(me, host);
        let (spake, said) = Spake2::<Ed25519Group>::start_a_with_rng(&password(code), &a, &b, random);
        let element = without_side(&said);
        (Joiner { me, host, element, spake }, Frame::Ask { number: code.number(), element })
    }

    /// Proves to a node that answered that the code is here, and says its ticket; from here on it is a guess of theirs.
    pub fn prove(self, theirs: &[u8; ELEMENT_BYTES], ticket: &[u8]) -> Result<(Proving, Frame), NotProven> {
        let secret = self.spake.finish(&with_side(1, theirs)).map_err(|_| NotProven)?;
        let keys = Keys::new(&secret, &[self.me, self.host], &[self.element, *theirs]);
        let proof = Frame::Proof { tag: keys.joiner.tag, sealed: keys.joiner.seal(ticket) };
        Ok((Proving(keys), proof))
    }
}

impl Proving {
    /// Takes the host's proof and returns its ticket.
    pub fn welcomed(self, tag: &[u8; TAG_BYTES], sealed: &[u8]) -> Result<Vec<u8>, NotProven> {
        if !self.0.host.is_tag(tag) {
            return Err(NotProven);
        }
        self.0.host.open(sealed).ok_or(NotProven)
    }
}

/// What follows from one run, for each direction.
struct Keys {
    joiner: Direction,
    host: Direction,
}

struct Direction {
    tag: [u8; TAG_BYTES],
    cipher: ChaCha20Poly1305,
}

impl Keys {
    /// All of it depends on the secret, on both nodes and on every byte said so far.
    fn new(secret: &[u8], nodes: &[NodeId; 2], elements: &[[u8; ELEMENT_BYTES]; 2]) -> Keys {
        let said = [&nodes[0].as_bytes()[..], nodes[1].as_bytes(), &elements[0], &elements[1]].concat();
        let hkdf = Hkdf::<Sha256>::new(Some(SALT), secret);
        let expand = |label: &str| {
            let mut bytes = [0; 32];
            hkdf.expand_multi_info(&[label.as_bytes(), &said], &mut bytes).expect("one block is never too much");
            bytes
        };
        let direction = |tag: &str, key: &str| Direction {
            tag: expand(tag),
            cipher: ChaCha20Poly1305::new(&Key::from(expand(key))),
        };
        Keys {
            joiner: direction("joiner has the code", "joiner's ticket"),
            host: direction("host has the code", "host's ticket"),
        }
    }
}

impl Direction {
    fn is_tag(&self, tag: &[u8; TAG_BYTES]) -> bool {
        // Compares in the same time whatever differs.
        blake3::Hash::from(self.tag) == blake3::Hash::from(*tag)
    }

    /// Each key seals one text, so the nonce is always the same.
    fn seal(&self, text: &[u8]) -> Vec<u8> {
        self.cipher.encrypt(&Nonce::default(), text).expect("a ticket is short")
    }

    fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        self.cipher.decrypt(&Nonce::default(), sealed).ok()
    }
}

fn password(code: &Code) -> Password {
    Password::new(code.to_string())
}

fn ids(joiner: NodeId, host: NodeId) -> [Identity; 2] {
    [joiner, host].map(|node| Identity::new(node.as_bytes()))
}

fn with_side(side: usize, element: &[u8; ELEMENT_BYTES]) -> Vec<u8> {
    [&[SIDES[side]], &element[..]].concat()
}

fn without_side(said: &[u8]) -> [u8; ELEMENT_BYTES] {
    said[1..].try_into().expect("an element of the library is a letter and 32 bytes")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    fn node(seed: u8) -> NodeId {
        NodeId::from_key(ed25519_dalek::SigningKey::from_bytes(&[seed; 32]).verifying_key().to_bytes()).unwrap()
    }

    fn chance(seed: u64) -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(seed)
    }

    fn code() -> Code {
        Code::parse("7-copper-lantern").unwrap()
    }

    fn wrong() -> Code {
        Code::parse("7-copper-kettle").or_else(|_| Code::parse("7-copper-ladder")).unwrap()
    }

    fn of_ask(frame: Frame) -> (u8, [u8; 32]) {
        let Frame::Ask { number, element } = frame else { panic!("{frame:?}") };
        (number, element)
    }

    fn of_answer(frame: Frame) -> [u8; 32] {
        let Frame::Answer { element } = frame else { panic!("{frame:?}") };
        element
    }

    fn of_proof(frame: Frame) -> ([u8; 32], Vec<u8>) {
        let (Frame::Proof { tag, sealed } | Frame::Welcome { tag, sealed }) = frame else { panic!("{frame:?}") };
        (tag, sealed)
    }

    /// A whole conversation up to the joiner's proof, each side taking the other for the node named.
    fn until_proof(
        host: &Host,
        typed: &Code,
        (as_seen_by_host, as_seen_by_joiner): (NodeId, NodeId),
        chance: &mut ChaCha20Rng,
    ) -> (Run, Proving, Frame) {
        let (joiner, ask) = Joiner::ask(as_seen_by_host, typed, as_seen_by_joiner, chance);
        let (run, answer) = host.ask(as_seen_by_host, of_ask(ask), chance).unwrap().unwrap();
        let (proving, proof) = joiner.prove(&of_answer(answer), b"joiner").unwrap();
        (run, proving, proof)
    }

    #[test]
    fn who_has_the_code_is_let_in_once_and_both_learn_who_the_other_is() {
        let (mut host, mut chance) = (Host::new(node(1), code()), chance(1));
        let (run, proving, proof) = until_proof(&host, &code(), (node(2), node(1)), &mut chance);
        let (late, ..) = until_proof(&host, &code(), (node(3), node(1)), &mut chance);
        let (tag, sealed) = of_proof(proof);
        let proven = host.prove(run, &tag, &sealed).ok().unwrap();
        assert_eq!(proven.said, b"joiner");
        let (tag, sealed) = of_proof(proven.welcome(b"host"));
        assert_eq!(proving.welcomed(&tag, &sealed), Ok(b"host".to_vec()));
        // The same code serves nobody else, also not one who had begun.
        assert_eq!(host.prove(late, &tag, &sealed).err(), Some(Refusal::Over));
        let (_, ask) = Joiner::ask(node(3), &code(), node(1), &mut chance);
        assert_eq!(host.ask(node(3), of_ask(ask), &mut chance).unwrap().err(), Some(Refusal::Over));
    }

    #[test]
    fn a_third_wrong_code_ends_it_for_the_right_one_as_well() {
        let (mut host, mut chance) = (Host::new(node(1), code()), chance(2));
        let (honest, _, right) = until_proof(&host, &code(), (node(2), node(1)), &mut chance);
        // All of them at once, before any is judged.
        let guesses: Vec<_> = (3..8).map(|n| until_proof(&host, &wrong(), (node(n), node(1)), &mut chance)).collect();
        let refusals: Vec<_> = guesses
            .into_iter()
            .map(|(run, _, proof)| {
                let (tag, sealed) = of_proof(proof);
                host.prove(run, &tag, &sealed).err().unwrap()
            })
            .collect();
        let left = |left| Refusal::Wrong { left };
        assert_eq!(refusals, [left(2), left(1), left(0), Refusal::Over, Refusal::Over]);
        let (tag, sealed) = of_proof(right);
        assert_eq!(host.prove(honest, &tag, &sealed).err(), Some(Refusal::Over));
    }

    #[test]
    fn whoever_leaves_before_the_proof_has_tried_nothing() {
        let (host, mut chance) = (Host::new(node(1), code()), chance(3));
        for n in 2..60 {
            let (joiner, ask) = Joiner::ask(node(n), &wrong(), node(1), &mut chance);
            let Some(Ok(_)) = host.ask(node(n), of_ask(ask), &mut chance) else { panic!("refused") };
            drop(joiner);
            let (_, ask) = Joiner::ask(node(n), &Code::parse("8-copper-lantern").unwrap(), node(1), &mut chance);
            assert_eq!(host.ask(node(n), of_ask(ask), &mut chance).unwrap().err(), Some(Refusal::NotHere));
        }
        assert_eq!(host.tries_left(), WRONG_CODES_MAX);
        // What is no point of the curve is no answer either.
        let is_none = |n: &u8| host.ask(node(2), (7, [*n; 32]), &mut chance).is_none();
        assert!((0..=u8::MAX).filter(is_none).count() > 64);
        assert_eq!(host.tries_left(), WRONG_CODES_MAX);
    }

    #[test]
    fn who_relays_between_two_is_let_in_by_neither() {
        let (mut host, mut chance) = (Host::new(node(1), code()), chance(4));
        // Both talk to node 9, which passes every byte on.
        let (joiner, ask) = Joiner::ask(node(2), &code(), node(9), &mut chance);
        let (run, answer) = host.ask(node(9), of_ask(ask), &mut chance).unwrap().unwrap();
        let (proving, proof) = joiner.prove(&of_answer(answer), b"joiner").unwrap();
        let (tag, sealed) = of_proof(proof);
        assert_eq!(host.prove(run, &tag, &sealed).err(), Some(Refusal::Wrong { left: 2 }));
        assert_eq!(proving.welcomed(&tag, &sealed), Err(NotProven), "its own words are no proof of the host");
    }

    /// What an adversary or an accident makes of a proof.
    #[derive(Clone, Debug)]
    enum Bent {
        Not,
        Tag(usize),
        Sealed(usize),
        Cut(usize),
        WrongCode,
        OtherPeer,
    }

    fn bent() -> impl Strategy<Value = Bent> {
        prop_oneof![
            Just(Bent::Not),
            (0..256usize).prop_map(Bent::Tag),
            (0..176usize).prop_map(Bent::Sealed),
            (0..22usize).prop_map(Bent::Cut),
            Just(Bent::WrongCode),
            Just(Bent::OtherPeer),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Whatever comes in whatever order: at most three proofs are found wrong, at most one right, nothing after either
        /// end, and a right one is an unbent one.
        #[test]
        fn a_host_lets_in_one_with_the_code_or_none(
            tries in proptest::collection::vec(bent(), 1..8),
            order in proptest::collection::vec(0..8usize, 8),
            seed in proptest::num::u64::ANY,
        ) {
            let (mut host, mut chance) = (Host::new(node(1), code()), chance(seed));
            let mut runs: Vec<_> = tries.into_iter().enumerate().map(|(n, bent)| {
                let me = node(2 + n as u8);
                let typed = if matches!(bent, Bent::WrongCode) { wrong() } else { code() };
                let taken_for = if matches!(bent, Bent::OtherPeer) { node(100) } else { node(1) };
                let (run, _, proof) = until_proof(&host, &typed, (me, taken_for), &mut chance);
                let (mut tag, mut sealed) = of_proof(proof);
                match bent {
                    Bent::Tag(bit) => tag[bit / 8] ^= 1 << (bit % 8),
                    Bent::Sealed(bit) => sealed[bit / 8] ^= 1 << (bit % 8),
                    Bent::Cut(len) => sealed.truncate(len),
                    _ => {}
                }
                (bent, run, tag, sealed)
            }).collect();
            let (mut wrong, mut right) = (0, 0);
            for at in order {
                if runs.is_empty() { break }
                let (bent, run, tag, sealed) = runs.remove(at % runs.len());
                let was_over = host.is_over();
                match host.prove(run, &tag, &sealed) {
                    Ok(_) => {
                        prop_assert!(matches!(bent, Bent::Not) && !was_over);
                        right += 1;
                    }
                    Err(Refusal::Wrong { left }) => {
                        prop_assert!(!matches!(bent, Bent::Not) && !was_over);
                        wrong += 1;
                        prop_assert_eq!(left, WRONG_CODES_MAX - wrong);
                    }
                    Err(refusal) => prop_assert!(was_over && refusal == Refusal::Over),
                }
            }
            prop_assert!(wrong <= WRONG_CODES_MAX && right <= 1);
        }

        #[test]
        fn a_joiner_believes_nobody_without_the_code(tag in 0..256usize, sealed in 0..144usize, which in 0..3usize) {
            let (mut host, mut chance) = (Host::new(node(1), code()), chance(5));
            let (run, proving, proof) = until_proof(&host, &code(), (node(2), node(1)), &mut chance);
            let (joiners_tag, joiners_sealed) = of_proof(proof);
            let proven = host.prove(run, &joiners_tag, &joiners_sealed).ok().unwrap();
            let (mut said_tag, mut said_sealed) = of_proof(proven.welcome(b"ho"));
            match which {
                0 => said_tag[tag / 8] ^= 1 << (tag % 8),
                1 => said_sealed[sealed / 8] ^= 1 << (sealed % 8),
                _ => said_sealed.truncate(sealed / 8),
            }
            prop_assert_eq!(proving.welcomed(&said_tag, &said_sealed), Err(NotProven));
        }
    }
}
