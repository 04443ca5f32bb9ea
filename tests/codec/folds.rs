//! Folded bundles: every byte comes back, nothing else is said, and nothing of it is believed.

use dak::bundle::{
    Bundle, BundleError, Draft, Ends, Handed, Hops, Kind, SIGNED_WHOLE_BYTES_MAX, Signer, TAKEN_MAX, Unverified, unfold,
};
use dak::content::{Content, Text, pad};
use dak::eid::Eid;
use dak::frame::{Incoming, Transit, encode_bundle, encode_folded, folded_len, unfolded};
use dak::id::NodeId;
use dak::receipt::{RECEIPT_IDS_MAX, Receipt, ReceiptKind};
use dak::time::{HOUR, Millis};
use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use crate::common::{alice, any_draft, any_hops, bob, message, receipt, receipt_draft, unhex};
use crate::hand::Hand;

fn carol() -> NodeId {
    SigningKey::from_bytes(&[0xca; 32]).node()
}

fn ends(from: NodeId, to: NodeId) -> Ends {
    Ends { from, to }
}

/// Alice hands over to bob.
fn direct() -> Ends {
    ends(alice().node(), bob().node())
}

/// Every part that alice, bob and carriers can have in a contact.
fn all_ends() -> [Ends; 4] {
    let [alice, bob, dave] = [alice().node(), bob().node(), SigningKey::from_bytes(&[0xda; 32]).node()];
    [ends(alice, bob), ends(bob, alice), ends(carol(), bob), ends(carol(), dave)]
}

/// An envelope for one recipient around so many bytes.
fn envelope(ciphertext: &[u8]) -> Vec<u8> {
    let head = match ciphertext.len() {
        len @ 0..24 => vec![0x40 | len as u8],
        len @ 24..256 => vec![0x58, len as u8],
        len => [&[0x59][..], &(len as u16).to_be_bytes()].concat(),
    };
    [&[0x84, 1, 0x40, 0x58, 0x20][..], &[7; 32], &head, ciphertext].concat()
}

#[test]
fn a_bundle_of_which_the_digest_is_signed_comes_back_byte_by_byte() {
    let payload = envelope_of(&vec![9; SIGNED_WHOLE_BYTES_MAX]);
    for payload in [payload, vec![9; SIGNED_WHOLE_BYTES_MAX + 1]] {
        let bundle = message().sign(&payload, &alice()).unwrap();
        let hops = Hops { age: Millis(90_000), count: 3 };
        for ends in all_ends() {
            let folded = bundle.fold(hops, &ends, Handed::nothing()).expect("it has a fold");
            assert!(folded.len() < payload.len() + 200);
            assert!(unfold(&folded, &ends, Handed::nothing()).unwrap() == bundle.encode(hops));
        }
        // One of an earlier build has none, and goes as it is.
        let whole = Hand { payload, ..Hand::message() };
        let whole = Bundle::decode(&whole.bundle()).unwrap().0;
        assert_eq!(whole.fold(hops, &direct(), Handed::nothing()), None);
    }
}

/// An envelope for one recipient around more bytes than two of its head count.
fn envelope_of(ciphertext: &[u8]) -> Vec<u8> {
    let head = [&[0x5a][..], &(ciphertext.len() as u32).to_be_bytes()].concat();
    [&[0x84, 1, 0x40, 0x58, 0x20][..], &[7; 32], &head, ciphertext].concat()
}

fn any_payload() -> impl Strategy<Value = Vec<u8>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..600);
    let kind = prop_oneof![
        Just(ReceiptKind::Delivered),
        Just(ReceiptKind::Read),
        any::<u8>().prop_map(|reason| ReceiptKind::Rejected { reason }),
        Just(ReceiptKind::Full { retry_after: HOUR }),
    ];
    let record = (kind, 0..2u16, 1..40usize).prop_map(|(kind, device, count)| {
        let ids = vec![receipt().ids[0]; count];
        Receipt { kind, device, devices: device + 1, ids, source: bob().node() }.encode()
    });
    prop_oneof![bytes(), bytes().prop_map(|bytes| envelope(&bytes)), record]
}

proptest! {
    #[test]
    fn every_bundle_unfolds_to_every_byte_of_it(draft in any_draft(), payload in any_payload(), hops in any_hops()) {
        let bundle = draft.sign(&payload, &alice()).unwrap();
        for ends in all_ends() {
            let transit = Transit { hops, copies: 3, is_answer: false };
            let frame = encode_folded(&transit, &bundle, &ends, Handed::nothing());
            prop_assert_eq!(frame.len(), folded_len(&transit, &bundle, &ends, Handed::nothing()));
            prop_assert_eq!(&*unfolded(&frame, &ends, Handed::nothing()), &encode_bundle(&transit, &bundle)[..]);
            let Some(folded) = bundle.fold(hops, &ends, Handed::nothing()) else {
                prop_assert!(draft.creation.time.0 >> 48 > 0, "only what no clock says is not folded");
                continue;
            };
            let bytes = unfold(&folded, &ends, Handed::nothing()).unwrap();
            prop_assert_eq!(&bytes, &bundle.encode(hops));
            prop_assert!(folded.len() + 200 < bytes.len());
            let (again, _) = Bundle::decode(&bytes).unwrap();
            prop_assert_eq!(again.fold(hops, &ends, Handed::nothing()), Some(folded));
        }
    }

    #[test]
    fn random_bytes_are_no_panic_and_one_bundle_has_one_fold(bytes in prop::collection::vec(any::<u8>(), 0..400), shape in any::<(u8, u8)>()) {
        // Numbers of one byte, or hardly any would be read.
        let numbers = bytes.iter().take(11).map(|byte| byte % 24);
        let likely: Vec<u8> = [shape.0, shape.1 & 0x1f].into_iter().chain(numbers).chain(bytes.iter().skip(11).copied()).collect();
        for folded in [bytes, likely] {
            for ends in all_ends() {
                let Ok(bytes) = unfold(&folded, &ends, Handed::nothing()) else { continue };
                if let Ok((bundle, hops)) = Bundle::from_store(&bytes) {
                    prop_assert_eq!(bundle.fold(hops, &ends, Handed::nothing()), Some(folded.clone()));
                }
            }
        }
    }
}

#[test]
fn a_short_text_to_a_neighbour_is_little_more_than_its_signature_and_what_is_sealed() {
    let text = pad(&Content::from(Text { body: "x".repeat(200), ..Text::default() }).encode());
    // What is sealed is longer by its key, its tag and heads.
    let sealed = envelope(&[&text[..], &[0; 16]].concat());
    let bundle = message().sign(&sealed, &alice()).unwrap();
    let transit = Transit { hops: Hops { age: Millis(0), count: 0 }, ..Transit::default() };
    assert_eq!(encode_bundle(&transit, &bundle).len(), 618);
    assert_eq!(encode_folded(&transit, &bundle, &direct(), Handed::nothing()).len(), 64 + 32 + 224 + 14 + 2);
    let answer = receipt_draft().sign(&Receipt { ids: vec![bundle.id], ..receipt() }.encode(), &bob()).unwrap();
    assert_eq!(encode_bundle(&transit, &answer).len(), 422);
    let back = ends(bob().node(), alice().node());
    assert_eq!(encode_folded(&transit, &answer, &back, Handed::nothing()).len(), 64 + 32 + 16 + 2);
    let (_, taken) = handed_over(&[&bundle]);
    assert_eq!(encode_folded(&transit, &answer, &back, &taken).len(), 64 + 4 + 16 + 2);
}

/// Messages that alice handed to bob in a contact, as each remembers them.
fn handed_over(bundles: &[&Bundle]) -> (Handed, Handed) {
    let (mut given, mut taken) = (Handed::given(), Handed::taken());
    for bundle in bundles {
        given.note(bundle, bob().node());
        taken.note_parsed(&Unverified::parse(bundle.bytes()).unwrap(), bob().node());
    }
    (given, taken)
}

fn messages(count: usize) -> Vec<Bundle> {
    (0..count).map(|n| message().sign(&n.to_be_bytes(), &alice()).unwrap()).collect()
}

#[test]
fn a_receipt_says_four_bytes_of_each_id_that_was_handed_over_in_the_contact() {
    let all = messages(TAKEN_MAX + 1);
    let back = ends(bob().node(), alice().node());
    let answer = |bundles: &[Bundle]| {
        let ids = bundles.iter().map(|bundle| bundle.id).collect();
        receipt_draft().sign(&Receipt { ids, ..receipt() }.encode(), &bob()).unwrap()
    };
    let whole = |bundle: &Bundle| bundle.fold(Hops::default(), &back, Handed::nothing()).unwrap();
    let (given, taken) = handed_over(&all.iter().collect::<Vec<_>>());
    for some in [&all[1..], &all[5..6], &all[7..9]] {
        let bundle = answer(some);
        let folded = bundle.fold(Hops::default(), &back, &taken).unwrap();
        assert_eq!(folded.len(), whole(&bundle).len() - 28 * some.len());
        assert_eq!(unfold(&folded, &back, &given).unwrap(), bundle.bytes());
        assert_eq!(unfold(&folded, &back, Handed::nothing()), Err(BundleError::Fold), "in another contact");
        // What is spelt at length is read all the same: the writer may have forgotten.
        assert_eq!(unfold(&whole(&bundle), &back, &given).unwrap(), bundle.bytes());
    }
    for some in [&all[..1], &all[..2]] {
        let bundle = answer(some);
        assert_eq!(bundle.fold(Hops::default(), &back, &taken), Some(whole(&bundle)), "one of them is forgotten");
    }
    let rejected = Receipt { kind: ReceiptKind::Rejected { reason: 1 }, ids: vec![all[5].id], ..receipt() };
    let rejected = receipt_draft().sign(&rejected.encode(), &bob()).unwrap();
    assert_eq!(rejected.fold(Hops::default(), &back, &taken), Some(whole(&rejected)), "another kind is not folded");
    // More names than a writer remembers would make much of little.
    let mut folded = answer(&all[1..]).fold(Hops::default(), &back, &taken).unwrap();
    folded.extend_from_within(folded.len() - 4..);
    assert_eq!(unfold(&folded, &back, &given), Err(BundleError::Fold));
}

#[test]
fn what_is_for_others_or_no_message_is_not_remembered() {
    let carried = Draft { destination: Eid::mail(carol()), ..message() }.sign(b"hello", &alice()).unwrap();
    let proof = receipt_draft().sign(&Receipt { ids: vec![carried.id], ..receipt() }.encode(), &bob()).unwrap();
    let (mut given, mut taken) = handed_over(&[&carried]);
    given.note(&proof, alice().node());
    taken.note(&proof, alice().node());
    let back = ends(bob().node(), alice().node());
    let answer = Receipt { ids: vec![carried.id], ..receipt() };
    let answer = receipt_draft().sign(&answer.encode(), &bob()).unwrap();
    assert_eq!(answer.fold(Hops::default(), &back, &taken), answer.fold(Hops::default(), &back, Handed::nothing()));
}

#[test]
fn a_bundle_with_blocks_of_unknown_kinds_goes_as_it_is() {
    let bytes =
        include_str!("../data/vectors.txt").lines().find_map(|line| line.strip_prefix("unknown_block_bundle: "));
    let (bundle, hops) = Bundle::decode(&unhex(bytes.unwrap())).unwrap();
    assert_eq!(bundle.fold(hops, &direct(), Handed::nothing()), None);
    let transit = Transit { hops, copies: 1, is_answer: false };
    assert_eq!(encode_folded(&transit, &bundle, &direct(), Handed::nothing()), encode_bundle(&transit, &bundle));
}

#[test]
fn no_bit_of_a_fold_can_be_changed_but_in_age_and_hop_count() {
    let hops = Hops { age: Millis(90_000), count: 3 };
    let sealed = message().sign(&envelope(&[9; 300]), &alice()).unwrap();
    let answer = receipt_draft().sign(&receipt().encode(), &bob()).unwrap();
    let some = messages(3);
    let (given, taken) = handed_over(&some.iter().collect::<Vec<_>>());
    let ids = some.iter().map(|bundle| bundle.id).collect();
    let named = receipt_draft().sign(&Receipt { ids, ..receipt() }.encode(), &bob()).unwrap();
    let back = ends(bob().node(), alice().node());
    for (bundle, ends) in [(sealed, direct()), (answer, ends(carol(), alice().node())), (named, back)] {
        let unfold = |folded: &[u8], ends: &Ends| unfold(folded, ends, &given).and_then(|bytes| Bundle::decode(&bytes));
        let folded = bundle.fold(hops, &ends, &taken).unwrap();
        let mut held = 0;
        for bit in 0..8 * folded.len() {
            let mut changed = folded.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let Ok((other, other_hops)) = unfold(&changed, &ends) else {
                continue;
            };
            assert!(other.id == bundle.id && other_hops != hops, "bit {bit}");
            held += 1;
        }
        assert!((8..=40).contains(&held), "age and hop count are {held} bits");
        for len in 0..folded.len() {
            assert!(unfold(&folded[..len], &ends).is_err());
        }
        assert!(unfold(&[&folded[..], &[0]].concat(), &ends).is_err());
        let other_ends = Ends { from: ends.to, to: ends.from };
        assert!(unfold(&folded, &other_ends).is_err());
    }
}

type Change<'a> = &'a dyn Fn(&mut Fold);

/// The fold of a message between two others, by hand.
struct Fold {
    shape: u8,
    class: u8,
    lifetime: Vec<u8>,
    names: Vec<u8>,
    payload: Vec<u8>,
}

impl Fold {
    fn carried() -> Fold {
        let names = [bob().node(), alice().node()].map(|node| node.as_bytes().to_vec()).concat();
        Fold { shape: 1 << 1, class: 1 | 1 << 2, lifetime: vec![0x18, 72], names, payload: b"hello".to_vec() }
    }

    fn bytes(&self) -> Vec<u8> {
        let numbers = [&[0, 0xc2, 0xa5, 0x7b, 0xa8, 0, 7][..], &self.lifetime, &[8, 0, 0]].concat();
        [&[self.shape, self.class][..], &numbers, &self.names, &[0x55; 64], &self.payload].concat()
    }

    fn read(&self, ends: &Ends) -> Result<(), BundleError> {
        unfold(&self.bytes(), ends, Handed::nothing()).and_then(Unverified::parse).map(drop)
    }
}

#[test]
fn what_can_be_said_shorter_or_means_nothing_is_refused() {
    let [.., strangers] = all_ends();
    let with = |change: Change| {
        let mut fold = Fold::carried();
        change(&mut fold);
        fold.read(&strangers)
    };
    assert_eq!(with(&|_| {}), Ok(()));
    let named: [Ends; 4] =
        [ends(bob().node(), carol()), ends(carol(), bob().node()), ends(carol(), alice().node()), direct()];
    for ends in named {
        assert_eq!(Fold::carried().read(&ends), Err(BundleError::Fold), "a name that need not be said");
    }
    let refused: [(&str, Change); 12] = [
        ("a lifetime in milliseconds that is one of hours", &|fold| {
            fold.class ^= 1 << 2;
            fold.lifetime = [&[0x1a][..], &(72 * HOUR.0 as u32).to_be_bytes()].concat();
        }),
        ("more hours than there are", &|fold| fold.lifetime = vec![0x1b; 9]),
        ("a third kind of name", &|fold| fold.shape |= 3 << 3),
        ("a third kind of source", &|fold| fold.shape |= 3 << 5),
        ("a fourth kind of service", &|fold| fold.shape |= 3 << 1),
        ("a service with a code of its own", &|fold| {
            fold.shape = 2 << 1;
            fold.names.extend(b"\x64mail");
        }),
        ("no service", &|fold| {
            fold.shape = 2 << 1;
            fold.names.push(0x60);
        }),
        ("bits without a meaning", &|fold| fold.class |= 1 << 6),
        ("ids in a message", &|fold| fold.class |= 1 << 5),
        ("a receipt's kind in a message", &|fold| fold.class |= 1 << 3),
        ("an envelope that can be folded", &|fold| fold.payload = envelope(b"hello")),
        ("ids that are none", &|fold| {
            fold.shape = 1 | 1 << 7;
            fold.class |= 1 << 3;
        }),
    ];
    for (what, change) in refused {
        assert_eq!(with(change), Err(BundleError::Fold), "{what}");
    }
    assert_eq!(with(&|fold| fold.class |= 3), Err(BundleError::Class), "a fourth priority");
    assert_eq!(with(&|fold| fold.shape |= 1 << 7), Err(BundleError::Truncated), "an envelope without its key");
    assert!(with(&|fold| fold.lifetime = vec![0x19, 0, 72]).is_err(), "a long number");
}

#[test]
fn a_frame_hands_over_a_fold_with_its_copies() {
    let bundle = message().sign(b"hello", &alice()).unwrap();
    let transit = Transit { copies: 1_024, ..Transit::default() };
    let frame = encode_folded(&transit, &bundle, &direct(), Handed::nothing());
    let folded = bundle.fold(transit.hops, &direct(), Handed::nothing()).unwrap();
    assert_eq!(Incoming::decode(&frame), Ok(Incoming::Folded { copies: 1_024, is_answer: false, folded: &folded }));
    assert_eq!(frame, [&[15, 0x19, 4, 0][..], &folded].concat());
    assert!(Incoming::decode(&[&[15, 0x19, 4, 1][..], &folded].concat()).is_err(), "more copies than there can be");
    assert!(Incoming::decode(&[15]).is_err());
    assert!(Incoming::decode(&vec![15; dak::frame::FRAME_BUNDLE_BYTES_MAX + 1]).is_err());
    let nonsense = [15, 1, 2, 3];
    assert_eq!(&*unfolded(&nonsense, &direct(), Handed::nothing()), &nonsense[..], "what is no fold stays what it is");
}

#[test]
fn the_longest_receipt_unfolds() {
    let record = Receipt { ids: vec![receipt().ids[0]; RECEIPT_IDS_MAX], ..receipt() };
    let bundle = receipt_draft().sign(&record.encode(), &bob()).unwrap();
    assert_eq!(bundle.kind, Kind::Receipt);
    let ends = ends(bob().node(), alice().node());
    let folded = bundle.fold(Hops::default(), &ends, Handed::nothing()).unwrap();
    assert_eq!(folded.len(), 64 + 15 + 32 * RECEIPT_IDS_MAX + 1);
    assert_eq!(
        Receipt::decode(Bundle::decode(&unfold(&folded, &ends, Handed::nothing()).unwrap()).unwrap().0.payload()),
        Ok(record)
    );
}
