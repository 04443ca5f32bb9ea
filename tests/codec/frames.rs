//! Frames there and back, their sizes, and what is refused.

use dak::bundle::{BUNDLE_BYTES_MAX, Bundle, Signer};
use dak::eid::Eid;
use dak::frame::{
    BITS_MAX, Cell, Delegation, FRAME_BUNDLE_BYTES_MAX, FRAME_BYTES_MAX, FRAME_CELLS_MAX, FRAME_FULL_IDS_MAX,
    FRAME_IDS_MAX, Frame, FrameError, Grade, Hello, INTERESTS, Incoming, Interest, MAILBOXES_MAX, ROUTING_ENTRIES_MAX,
    Refusal, RoutingInfo, Transit, encode_bundle,
};
use dak::id::{BundleId, NodeId};
use dak::time::Millis;
use proptest::prelude::*;

use crate::common::{alice, any_hops, bob, message};
use crate::hand::{bytes, head, uint};

fn hello() -> Hello {
    Hello {
        version: 1,
        bundle_bytes_max: BUNDLE_BYTES_MAX as u32,
        window_bytes: 4 << 20,
        carries: true,
        pushes: true,
        mailboxes: Vec::new(),
        routing: RoutingInfo::None,
        nonce: [0x5a; 16],
        count: 100_000,
        root: [0xc3; 16],
        interests: Vec::new(),
    }
}

fn delegation() -> Delegation {
    Delegation { mailbox: Eid::mail(alice().node()), node: bob().node(), expires: 840_000_000_000, signature: [9; 64] }
}

/// A bit for each bucket.
const MAP_BYTES_MAX: usize = (1 << BITS_MAX) / 8;

fn ids(count: usize) -> Vec<BundleId> {
    (0..count).map(|index| BundleId([index as u8; 32])).collect()
}

fn any_routing() -> impl Strategy<Value = RoutingInfo> {
    let entries = prop::collection::btree_map(any::<[u8; 32]>().prop_map(NodeId::from_trusted), any::<u16>(), 0..20)
        .prop_map(|entries| entries.into_iter().collect::<Vec<_>>());
    prop_oneof![
        Just(RoutingInfo::None),
        entries.clone().prop_map(RoutingInfo::Predictabilities),
        entries.prop_map(RoutingInfo::Meetings),
    ]
}

fn any_hello() -> impl Strategy<Value = Hello> {
    let numbers = any::<(u32, u32, bool, u64)>();
    let interests = prop_oneof![Just(Vec::new()), prop::collection::vec(any::<[u8; 8]>(), INTERESTS)];
    let interests = interests.prop_map(|mut all| {
        all.sort_unstable();
        all.into_iter().map(Interest).collect::<Vec<_>>()
    });
    (numbers, any_routing(), any::<[u8; 16]>(), any::<[u8; 16]>(), 0usize..3, interests).prop_map(
        |((bundle_bytes_max, window_bytes, carries, count), routing, nonce, root, mailboxes, interests)| Hello {
            version: 1,
            bundle_bytes_max,
            window_bytes,
            carries,
            pushes: !carries,
            mailboxes: vec![delegation(); mailboxes],
            routing,
            nonce,
            count,
            root,
            interests,
        },
    )
}

fn any_frame() -> impl Strategy<Value = Frame> {
    let short_ids = || prop::collection::vec(any::<u64>(), 0..50);
    let id = || any::<[u8; 32]>().prop_map(BundleId);
    let full_ids = || prop::collection::vec(id(), 0..20);
    let map = || prop::collection::vec(any::<u8>(), 0..=MAP_BYTES_MAX);
    let grade = prop_oneof![Just(Grade::Released), Just(Grade::Copy), Just(Grade::Custody)];
    let why = prop::sample::select(vec![
        Refusal::Full,
        Refusal::Space,
        Refusal::Unwilling,
        Refusal::Known,
        Refusal::Expired,
        Refusal::TooLarge,
        Refusal::Shunned,
    ]);
    let cell = any::<(u64, u32, u8)>().prop_map(|(sum, check, count)| Cell { sum, check, count });
    prop_oneof![
        any_hello().prop_map(Frame::Hello),
        (0u8..=BITS_MAX)
            .prop_flat_map(|bits| (Just(bits), prop::collection::vec(any::<u32>(), 1 << bits)))
            .prop_map(|(bits, fingerprints)| Frame::Buckets { bits, fingerprints }),
        (map(), any::<u64>(), short_ids()).prop_map(|(buckets, up_to, ids)| Frame::ShortIds { buckets, up_to, ids }),
        (map(), any::<u64>(), any::<u32>(), prop::collection::vec(cell, 0..50))
            .prop_map(|(buckets, up_to, start, cells)| Frame::Cells { buckets, up_to, start, cells }),
        (any::<u32>(), 0..=FRAME_CELLS_MAX as u32).prop_map(|(start, count)| Frame::MoreCells { start, count }),
        short_ids().prop_map(|ids| Frame::Want { ids }),
        full_ids().prop_map(|ids| Frame::Offer { ids }),
        full_ids().prop_map(|ids| Frame::Take { ids }),
        full_ids().prop_map(|ids| Frame::Ask { ids }),
        prop::collection::vec((any::<u64>(), grade), 0..20).prop_map(|grants| Frame::Accepted { grants }),
        (id(), why, any::<u64>()).prop_map(|(id, why, ms)| Frame::Refused { id, why, retry_after: Millis(ms) }),
        full_ids().prop_map(|ids| Frame::GaveUp { ids }),
        full_ids().prop_map(|ids| Frame::Noted { ids }),
        prop::collection::vec((id(), any::<u64>().prop_map(Millis)), 0..20).prop_map(|lives| Frame::Lives { lives }),
    ]
}

proptest! {
    #[test]
    fn every_frame_reads_back(frame in any_frame()) {
        let wire = frame.encode().unwrap();
        prop_assert_eq!(wire.len(), frame.encoded_len());
        prop_assert_eq!(Frame::decode(&wire).unwrap(), frame.clone());
        prop_assert_eq!(Incoming::decode(&wire).unwrap(), Incoming::Frame(frame));
    }

    #[test]
    fn whatever_is_accepted_was_written_deterministically(frame in any_frame(), at in any::<prop::sample::Index>(), value: u8) {
        let mut wire = frame.encode().unwrap();
        let at = at.index(wire.len());
        wire[at] = value;
        if let Ok(frame) = Frame::decode(&wire) {
            prop_assert_eq!(frame.encode(), Ok(wire));
        }
    }

    #[test]
    fn a_frame_cut_short_or_prolonged_is_refused(frame in any_frame(), cut in any::<prop::sample::Index>()) {
        let mut wire = frame.encode().unwrap();
        prop_assert!(Frame::decode(&wire[..cut.index(wire.len())]).is_err());
        wire.push(0);
        prop_assert!(Frame::decode(&wire).is_err());
    }

    #[test]
    fn random_bytes_are_refused_without_a_panic(noise in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Incoming::decode(&noise);
        for kind in 0..13 {
            for fields in 1..12 {
                let _ = Incoming::decode(&[&[0x80 | fields, kind][..], &noise].concat());
            }
        }
    }

    #[test]
    fn a_bundle_travels_with_its_transit(copies in 0u16..=1_024, hops in any_hops()) {
        let bundle = message().sign(b"hello", &alice()).unwrap();
        let wire = encode_bundle(&Transit { hops, copies, is_answer: false }, &bundle);
        let Incoming::Bundle { copies: given, bytes } = Incoming::decode(&wire).unwrap() else {
            panic!("not a bundle");
        };
        prop_assert_eq!(given, copies);
        let (again, carried) = Bundle::decode(bytes).unwrap();
        prop_assert_eq!((again.id, carried), (bundle.id, hops));
        prop_assert!(Frame::decode(&wire).is_err());
        prop_assert!(Incoming::decode(&wire[..wire.len() - 1]).is_err());
        prop_assert!(Incoming::decode(&[&wire[..], &[0]].concat()).is_err());
    }
}

#[test]
fn a_hello_between_nodes_in_sync_takes_at_most_64_bytes() {
    let largest = Hello { bundle_bytes_max: u32::MAX, window_bytes: u32::MAX, count: u64::MAX, ..hello() };
    assert_eq!(Frame::Hello(hello()).encoded_len(), 56);
    assert!(Frame::Hello(largest).encoded_len() <= 64);
}

#[test]
fn a_thousand_cells_take_13_bytes_each() {
    let cells = (0..1_000).map(|index| Cell { sum: !index, check: index as u32, count: index as u8 }).collect();
    let frame = Frame::Cells { buckets: Vec::new(), up_to: u64::MAX, start: 0, cells };
    assert!(frame.encoded_len() < 13 * 1_000 + 24);
}

#[test]
fn the_largest_frames_of_every_kind_stay_under_the_limit() {
    let routing = (0..ROUTING_ENTRIES_MAX).map(|index| (numbered(index), 1)).collect();
    let full_hello = Hello {
        mailboxes: vec![delegation(); MAILBOXES_MAX],
        routing: RoutingInfo::Predictabilities(routing),
        interests: vec![Interest([0xff; 8]); INTERESTS],
        ..hello()
    };
    let buckets = vec![0xff; MAP_BYTES_MAX];
    let cell = Cell { sum: 1, check: 2, count: 3 };
    let (up_to, start) = (u64::MAX, u32::MAX);
    let frames = [
        Frame::Hello(full_hello),
        Frame::Buckets { bits: BITS_MAX, fingerprints: vec![u32::MAX; 1 << BITS_MAX] },
        Frame::ShortIds { buckets: buckets.clone(), up_to, ids: vec![1; FRAME_IDS_MAX] },
        Frame::Cells { buckets, up_to, start, cells: vec![cell; FRAME_CELLS_MAX] },
        Frame::Want { ids: vec![u64::MAX; FRAME_IDS_MAX] },
        Frame::Accepted {
            grants: ids(FRAME_FULL_IDS_MAX).into_iter().map(|id| (id.prefix(), Grade::Custody)).collect(),
        },
        Frame::Offer { ids: ids(FRAME_FULL_IDS_MAX) },
        Frame::Take { ids: ids(FRAME_FULL_IDS_MAX) },
        Frame::GaveUp { ids: ids(FRAME_FULL_IDS_MAX) },
        Frame::Noted { ids: ids(FRAME_FULL_IDS_MAX) },
        Frame::Lives { lives: ids(FRAME_FULL_IDS_MAX).into_iter().map(|id| (id, Millis(u64::MAX))).collect() },
    ];
    for frame in frames {
        let wire = frame.encode().unwrap();
        assert!(wire.len() == frame.encoded_len() && wire.len() <= FRAME_BYTES_MAX, "{} bytes", wire.len());
        assert_eq!(Frame::decode(&wire), Ok(frame));
    }
}

fn numbered(index: usize) -> NodeId {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&(index as u64).to_be_bytes());
    NodeId::from_trusted(key)
}

#[test]
fn lists_over_their_bounds_are_refused() {
    let frame = |kind: u64, fields: &[Vec<u8>]| [vec![0x81 + fields.len() as u8], uint(kind), fields.concat()].concat();
    let zeros = |len: usize| bytes(&vec![0; len]);
    let too_many = FrameError::TooMany;
    let cases = [
        (frame(1, &[uint(11), zeros(4)]), too_many("buckets")),
        (frame(1, &[uint(1), zeros(4)]), FrameError::Lengths("fingerprints")),
        (frame(1, &[uint(0), zeros(3)]), FrameError::Lengths("fingerprints")),
        (frame(2, &[zeros(MAP_BYTES_MAX + 1), uint(0), zeros(0)]), too_many("buckets")),
        (frame(3, &[zeros(MAP_BYTES_MAX + 1), uint(0), uint(0), zeros(0)]), too_many("buckets")),
        (frame(3, &[zeros(0), uint(0), uint(0), zeros(Cell::BYTES * (FRAME_CELLS_MAX + 1))]), too_many("cells")),
        (frame(3, &[zeros(0), uint(0), uint(0), zeros(Cell::BYTES + 1)]), FrameError::Lengths("cells")),
        (frame(4, &[uint(0), uint(FRAME_CELLS_MAX as u64 + 1)]), too_many("cells")),
        (frame(5, &[zeros(8 * (FRAME_IDS_MAX + 1))]), too_many("ids")),
        (frame(5, &[zeros(9)]), FrameError::Lengths("ids")),
        (frame(6, &[zeros(32 * (FRAME_FULL_IDS_MAX + 1))]), too_many("ids")),
        (frame(11, &[zeros(31)]), FrameError::Lengths("ids")),
        (frame(7, &[zeros(9 * (FRAME_FULL_IDS_MAX + 1))]), too_many("grants")),
        (frame(7, &[bytes(&[3; 9])]), FrameError::Unknown("grade")),
        (frame(8, &[zeros(32), uint(8), uint(0)]), FrameError::Unknown("reason of refusal")),
        (frame(9, &[zeros(32 * (FRAME_FULL_IDS_MAX + 1))]), too_many("ids")),
        (frame(9, &[zeros(32), zeros(0)]), FrameError::Lengths("fields")),
        (frame(12, &[zeros(33)]), FrameError::Lengths("ids")),
        (frame(13, &[zeros(31)]), FrameError::Lengths("ids")),
        (frame(99, &[]), FrameError::Kind(99)),
        (frame(14, &[zeros(40 * (FRAME_FULL_IDS_MAX + 1))]), too_many("lives")),
        (frame(14, &[zeros(41)]), FrameError::Lengths("lives")),
        (frame(10, &[uint(1_025), zeros(1)]), too_many("copies")),
    ];
    for (wire, error) in cases {
        assert_eq!(Incoming::decode(&wire).unwrap_err(), error);
    }
}

#[test]
fn a_frame_past_its_bounds_is_not_written() {
    let too_many = |what| Err(FrameError::TooMany(what));
    let map = || vec![0; MAP_BYTES_MAX + 1];
    let entries = (0..=ROUTING_ENTRIES_MAX).map(|n| (numbered(n), 1)).collect();
    let cases = [
        (Frame::Hello(Hello { mailboxes: vec![delegation(); MAILBOXES_MAX + 1], ..hello() }), too_many("mailboxes")),
        (Frame::Hello(Hello { routing: RoutingInfo::Meetings(entries), ..hello() }), too_many("routing entries")),
        (Frame::Buckets { bits: BITS_MAX + 1, fingerprints: vec![0; 2 << BITS_MAX] }, too_many("buckets")),
        (Frame::Buckets { bits: 4, fingerprints: vec![0; 17] }, Err(FrameError::Lengths("fingerprints"))),
        (Frame::ShortIds { buckets: map(), up_to: 0, ids: Vec::new() }, too_many("buckets")),
        (Frame::ShortIds { buckets: Vec::new(), up_to: 0, ids: vec![0; FRAME_IDS_MAX + 1] }, too_many("ids")),
        (Frame::Cells { buckets: map(), up_to: 0, start: 0, cells: Vec::new() }, too_many("buckets")),
        (
            Frame::Cells { buckets: Vec::new(), up_to: 0, start: 0, cells: vec![Cell::default(); FRAME_CELLS_MAX + 1] },
            too_many("cells"),
        ),
        (Frame::MoreCells { start: 0, count: FRAME_CELLS_MAX as u32 + 1 }, too_many("cells")),
        (Frame::Want { ids: vec![0; FRAME_IDS_MAX + 1] }, too_many("ids")),
        (Frame::Offer { ids: ids(FRAME_FULL_IDS_MAX + 1) }, too_many("ids")),
        (Frame::Take { ids: ids(FRAME_FULL_IDS_MAX + 1) }, too_many("ids")),
        (Frame::Ask { ids: ids(FRAME_FULL_IDS_MAX + 1) }, too_many("ids")),
        (Frame::GaveUp { ids: ids(FRAME_FULL_IDS_MAX + 1) }, too_many("ids")),
        (Frame::Accepted { grants: vec![(1, Grade::Copy); FRAME_FULL_IDS_MAX + 1] }, too_many("grants")),
    ];
    for (frame, error) in cases {
        assert_eq!(frame.encode(), error);
    }
}

#[test]
fn frames_longer_than_allowed_are_refused_unread() {
    assert_eq!(Frame::decode(&vec![0x82; FRAME_BYTES_MAX + 1]).unwrap_err(), FrameError::TooLarge);
    let frame = |len: usize| [vec![0x83, 10, 1], head(0x40, len as u64), vec![0; len]].concat();
    assert!(frame(BUNDLE_BYTES_MAX).len() <= FRAME_BUNDLE_BYTES_MAX);
    assert!(Incoming::decode(&frame(BUNDLE_BYTES_MAX)).is_ok());
    assert_eq!(Incoming::decode(&frame(BUNDLE_BYTES_MAX + 1)).unwrap_err(), FrameError::TooLarge);
    assert_eq!(Incoming::decode(&frame(BUNDLE_BYTES_MAX + 100)).unwrap_err(), FrameError::TooLarge);
}

#[test]
fn a_hello_of_another_version_is_named_whatever_follows() {
    assert_eq!(Frame::decode(&[0x82, 0, 2]).unwrap_err(), FrameError::Version(2));
    assert_eq!(Frame::decode(&[0x83, 0, 7, 0x60]).unwrap_err(), FrameError::Version(7));
}

#[test]
fn a_hello_with_bad_names_is_refused() {
    let weak = NodeId::from_trusted([0; 32]);
    let refused = |hello: Hello| Frame::decode(&Frame::Hello(hello).encode().unwrap()).unwrap_err();
    let weak_node = Hello { mailboxes: vec![Delegation { node: weak, ..delegation() }], ..hello() };
    assert!(matches!(refused(weak_node), FrameError::Key(_)));
    let weak_mailbox = Hello { mailboxes: vec![Delegation { mailbox: Eid::mail(weak), ..delegation() }], ..hello() };
    assert!(matches!(refused(weak_mailbox), FrameError::Endpoint(_)));
    let entries = vec![(numbered(2), 1), (numbered(1), 1)];
    let unsorted = Hello { routing: RoutingInfo::Meetings(entries), ..hello() };
    assert_eq!(refused(unsorted), FrameError::Order("routing entries"));
}

#[test]
fn interests_are_none_or_as_many_as_there_must_be_and_rise() {
    let shown = |many: usize| Hello { interests: (0..many).map(|n| Interest([n as u8; 8])).collect(), ..hello() };
    let decoded = |hello: Hello| Frame::decode(&Frame::Hello(hello).encode().unwrap());
    for many in [0, INTERESTS] {
        assert_eq!(decoded(shown(many)), Ok(Frame::Hello(shown(many))));
    }
    assert_eq!(decoded(shown(INTERESTS - 1)), Err(FrameError::Lengths("interests")));
    assert_eq!(decoded(shown(INTERESTS + 1)), Err(FrameError::TooMany("interests")));
    let mut unsorted = shown(INTERESTS);
    unsorted.interests.swap(3, 9);
    assert_eq!(decoded(unsorted), Err(FrameError::Order("interests")));
}
