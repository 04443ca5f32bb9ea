//! The vectors on the page: each decodes to what the page says it is, and is encoded to the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use dak::bundle::{
    Bundle, Creation, Draft, Ends, Handed, Hops, Kind, Priority, SIGNED_WHOLE_BYTES_MAX, Signer, Unverified, unfold,
};
use dak::content::group::{Act, Epoch, EpochId, GroupKey, Operation, Role};
use dak::content::topic::{Leave, Post, Said};
use dak::content::{
    AfterRead, Amendment, AppUpdate, Attachment, Content, Enclosed, FileAsk, FileKey, Forwarded, GroupWord, Introduced,
    KeyUsed, NewTask, PART_BYTES, PART_LOG, Part, PartTree, Proof, Seal, Shape, TAG_AUTOMATIC, TaskState, Text,
    automatic_after, pad, part_node, unpad,
};
use dak::eid::Eid;
use dak::frame::{
    Delegation, Frame, Grade, Hello, INTERESTS, Incoming, Interest, Refusal, RoutingInfo, Transit, encode_bundle,
    encode_folded,
};
use dak::id::{BundleId, NodeId, hex};
use dak::keys::Identity;
use dak::receipt::{Receipt, ReceiptKind};
use dak::seal;
use dak::ticket::Ticket;
use dak::time::{DAY, DtnTime, HOUR, Millis};
use dak::words::SafetyWords;
use ed25519_dalek::SigningKey;

use crate::page::{unhex, vectors};
use crate::summary;

const HOPS: Hops = Hops { age: Millis(90_000), count: 3 };
/// Vectors that only the crate itself can make: a test of `net/discovery/record.rs` has the packets, the texts are looked at
/// in `names.rs`.
const ELSEWHERE: [&str; 3] = ["mdns-question", "mdns-answer", "word-list"];

fn alice() -> SigningKey {
    SigningKey::from_bytes(&[0xa1; 32])
}

fn bob() -> SigningKey {
    SigningKey::from_bytes(&[0xb0; 32])
}

fn message() -> Draft {
    Draft {
        kind: Kind::Message,
        source: alice().node(),
        destination: Eid::mail(bob().node()),
        creation: Creation { time: DtnTime(836_000_000_000), sequence: 7 },
        lifetime: DAY.times(3),
        priority: Priority::Normal,
        copies: 8,
    }
}

fn payload() -> Vec<u8> {
    (0..32).collect()
}

fn receipt(kind: ReceiptKind) -> Receipt {
    let ids = vec![BundleId([0x11; 32]), BundleId([0x22; 32])];
    Receipt { kind, source: alice().node(), device: 0, devices: 1, ids }
}

fn receipt_bundle() -> Bundle {
    let creation = Creation { time: DtnTime(0), sequence: 300 };
    let (source, destination) = (bob().node(), Eid::admin(alice().node()));
    let draft = Draft { kind: Kind::Receipt, source, destination, creation, ..message() };
    draft.sign(&receipt(ReceiptKind::Delivered).encode(), &bob()).unwrap()
}

fn text() -> Content {
    Text { body: "meet me at the bridge".into(), ..Text::default() }.into()
}

fn automatic() -> Content {
    Text { body: "at sea".into(), tags: TAG_AUTOMATIC, ..Text::default() }.into()
}

/// Two others led to it.
fn automatic_third() -> Content {
    Text { body: "at sea".into(), tags: automatic_after(2), ..Text::default() }.into()
}

fn change() -> Content {
    let body = Some("meet me at the ferry".into());
    let (target, prior, task) = ([0x33; 16], vec![[0x44; 16]], Some(TaskState::Done));
    Content::Change(Amendment { target, prior, body, task, ..Amendment::default() })
}

fn app_update() -> Content {
    Content::App(AppUpdate {
        target: [0x33; 16],
        prior: vec![[0x44; 16]],
        payload: r#"{"vote":2}"#.into(),
        info: Some("Alice voted".into()),
        document: Some("Lunch".into()),
        summary: Some("2 votes".into()),
        href: Some("index.html#2".into()),
        notify: vec![("*".into(), "vote now".into())],
        extra: Vec::new(),
    })
}

fn full_message() -> Content {
    let text = Text {
        subject: Some("Lunch".into()),
        body: "At the pier, one o'clock?".into(),
        thread: Some([0x11; 16]),
        in_reply_to: Some([0x22; 16]),
        attachments: vec![Attachment { name: "map.txt".into(), bytes: b"<-- here".to_vec() }],
        reply_by: Some(836_003_600_000),
        expire_after_read: Some(AfterRead::Span(Millis(3_600_000))),
        offset: Some(-210),
        same: Some([0x33; 16]),
        tags: 5,
        forwarded: Some(Box::new(Forwarded { author: bob().node(), id: [0x44; 16], sent: 835_000_000_000 })),
        task: Some(NewTask { assignee: Some(bob().node()), due: Some(DtnTime(836_000_000_000)) }),
        remark: "See you there?".into(),
        introduces: Some(Box::new(Introduced { name: "Bob".into(), node: bob().node() })),
        proof: None,
        enclosed: Vec::new(),
        extra: vec![(20, vec![0x82, 1, 2])],
    };
    text.into()
}

fn proven_message() -> Content {
    let seal = Seal { copies: 8, signature: [0x55; 64], enc: [0x66; 32] };
    let proof = Proof {
        destination: bob().node(),
        sequence: 7,
        lifetime: DAY.0,
        priority: 1,
        seal,
        key: [0x77; 32],
        nonce: [0x88; 12],
        rest: Content::from(Text { offset: Some(60), ..Text::default() }).encode(),
    };
    let forwarded = Forwarded { author: alice().node(), id: [0x44; 16], sent: 836_000_000_000 };
    let (forwarded, proof) = (Some(Box::new(forwarded)), Some(Box::new(proof)));
    Text { body: "meet me at the bridge".into(), forwarded, proof, ..Text::default() }.into()
}

fn delegation() -> Delegation {
    let (mailbox, node) = (Eid::mail(bob().node()), alice().node());
    let unsigned = Delegation { mailbox, node, expires: 836_000_000_000, signature: [0; 64] };
    Delegation { signature: Signer::sign(&bob(), &unsigned.signed_bytes()), ..unsigned }
}

fn hello() -> Hello {
    Hello {
        version: 1,
        bundle_bytes_max: 1 << 20,
        window_bytes: 4 << 20,
        carries: true,
        pushes: false,
        mailboxes: Vec::new(),
        routing: RoutingInfo::None,
        nonce: [0x5a; 16],
        count: 2,
        root: [0xc3; 16],
        interests: Vec::new(),
    }
}

fn hello_meetings() -> Hello {
    let mut meetings = vec![(alice().node(), 0x1234), (bob().node(), 256)];
    meetings.sort_unstable();
    Hello { pushes: true, mailboxes: vec![delegation()], routing: RoutingInfo::Meetings(meetings), ..hello() }
}

fn hello_groups() -> Hello {
    let mut interests: Vec<Interest> = (1..INTERESTS).map(|n| Interest([0x11 * n as u8; 8])).collect();
    interests.push(Interest::of(&hello().nonce, &alice().node(), &Eid::group(bob().node())));
    interests.sort_unstable();
    Hello { interests, ..hello() }
}

fn ticket() -> Ticket {
    let hints = ["/ip4/192.168.1.5/tcp/33556".to_owned(), "/ip6/fe80::1%25eth0/tcp/33556".to_owned()];
    Ticket::new(alice().node(), hints, Some("Alice, 100 % Zoë"))
}

/// The frames of the page that a program says of its own accord, by their vectors' names.
fn frames() -> Vec<(&'static str, Frame)> {
    let ids = || vec![BundleId([0x11; 32]), BundleId([0x22; 32])];
    let [one, other] = [ids()[0], ids()[1]];
    let grants = vec![(one.prefix(), Grade::Custody), (other.prefix(), Grade::Copy)];
    let example = summary::example();
    let mut listed: Vec<u64> = (0..3).map(|n| example.key.short_id(&summary::id(n))).collect();
    listed.sort_unstable();
    let mut frames = vec![
        ("frame-hello", Frame::Hello(hello())),
        ("frame-hello-meetings", Frame::Hello(hello_meetings())),
        ("frame-hello-groups", Frame::Hello(hello_groups())),
        ("frame-offer", Frame::Offer { ids: ids() }),
        ("frame-take", Frame::Take { ids: ids() }),
        ("frame-ask", Frame::Ask { ids: ids() }),
        ("frame-gave-up", Frame::GaveUp { ids: ids() }),
        ("frame-noted", Frame::Noted { ids: ids() }),
        ("frame-accepted", Frame::Accepted { grants }),
        ("frame-refused", Frame::Refused { id: one, why: Refusal::Full, retry_after: Millis(60_000) }),
        ("frame-lives", Frame::Lives { lives: vec![(one, HOUR), (other, DAY)] }),
        ("frame-short-ids", Frame::ShortIds { buckets: Vec::new(), up_to: u64::MAX, ids: listed }),
    ];
    frames.extend(example.frames);
    frames
}

/// A message from alice to bob that seals nothing: the form of an envelope, and a ciphertext of five bytes.
fn sealed() -> Bundle {
    let payload = [&[0x84, 0x01, 0x40, 0x58, 0x20][..], &[7; 32], b"\x45hello"].concat();
    message().sign(&payload, &alice()).unwrap()
}

/// Bob's receipt for the message of the page.
fn receipt_named() -> Bundle {
    let creation = Creation { time: DtnTime(0), sequence: 300 };
    let (source, destination) = (bob().node(), Eid::admin(alice().node()));
    let draft = Draft { kind: Kind::Receipt, source, destination, creation, ..message() };
    let ids = vec![message().sign(&payload(), &alice()).unwrap().id];
    draft.sign(&Receipt { ids, ..receipt(ReceiptKind::Delivered) }.encode(), &bob()).unwrap()
}

/// What alice handed to bob in the contact of `frame-answer`.
fn handed(mut handed: Handed) -> Handed {
    handed.note(&message().sign(&payload(), &alice()).unwrap(), bob().node());
    handed
}

/// The folded frames of the page, and between whom each goes.
fn folds() -> [(&'static str, Ends); 4] {
    let [alice, bob, carol] = [alice().node(), bob().node(), SigningKey::from_bytes(&[0xca; 32]).node()];
    [
        ("frame-folded", Ends { from: alice, to: bob }),
        ("frame-folded-carried", Ends { from: carol, to: bob }),
        ("frame-folded-receipt", Ends { from: bob, to: alice }),
        ("frame-answer", Ends { from: bob, to: alice }),
    ]
}

/// A bundle whose payload is one byte too long to be signed itself.
fn long_bundle() -> Bundle {
    let payload: Vec<u8> = (0..=SIGNED_WHOLE_BYTES_MAX).map(|n| n as u8).collect();
    message().sign(&payload, &alice()).unwrap()
}

/// A file of two parts, the second of one byte.
fn file_bytes() -> Vec<u8> {
    (0..=PART_BYTES).map(|n| n as u8).collect()
}

fn file_part() -> Content {
    let bytes = file_bytes();
    let parts = bytes.chunks(PART_BYTES).enumerate().map(|(n, part)| part_node(n as u32, part)).collect();
    let tree = PartTree::over(parts);
    let (root, size) = (tree.root().unwrap(), bytes.len() as u64);
    let part =
        Part { root, size, index: 1, proof: tree.proof(1), bytes: bytes[PART_BYTES..].to_vec(), extra: Vec::new() };
    assert!(part.is_true() && root == *blake3::hash(&bytes).as_bytes());
    Content::Part(part)
}

fn with_file() -> Content {
    let Content::Part(part) = file_part() else { unreachable!("it is one") };
    let (key, shape, part_log) = (FileKey([0x77; 32]), Shape::File, PART_LOG);
    let file = Enclosed { name: "survey.tar".into(), bytes: part.size, root: part.root, key, shape, part_log };
    Content::Text(Text { body: "the survey".into(), enclosed: vec![file], ..Text::default() })
}

fn file_request() -> Content {
    Content::Ask(FileAsk { target: [0x33; 16], wanted: vec![(1, 1)], ..FileAsk::default() })
}

fn file_here() -> Content {
    let Content::Group(word) = group_word() else { panic!("it is of a group") };
    Content::Ask(FileAsk { target: [0x33; 16], group: Some(word.group), have: vec![(0, 2)], ..FileAsk::default() })
}

fn file_limit() -> Content {
    Content::Ask(FileAsk { target: [0x33; 16], limit: Some(20 << 20), ..FileAsk::default() })
}

fn group_got() -> Content {
    let Content::Group(word) = group_word() else { panic!("it is of a group") };
    Content::Group(Box::new(GroupWord { got: vec![[0x11; 16], [0x22; 16], [0x33; 16]], ..GroupWord::of(word.group) }))
}

fn group_word() -> Content {
    let at = DtnTime(836_000_000_000);
    let begin = Operation::begin("crew", [0xc7; 16], at, &alice());
    let admit = Act::Admit { who: bob().node(), role: Role::Member, from_start: false };
    let admit = Operation::sign(begin.group, vec![begin.id()], at, admit, &alice());
    let epoch = Epoch { author: alice().node(), heads: vec![admit.id()], key: GroupKey([0xe1; 32]) };
    Content::Group(Box::new(GroupWord {
        operations: vec![begin.clone(), admit],
        keys: vec![epoch],
        invites: true,
        ..GroupWord::of(begin.group)
    }))
}

fn group_question() -> Content {
    let Content::Group(word) = group_word() else { unreachable!("a word is of a group") };
    let [_, admit] = &word.operations[..] else { unreachable!("it has two operations") };
    Content::Group(Box::new(GroupWord {
        wants: vec![EpochId([0xe9; 16])],
        have: vec![admit.id()],
        got: vec![[0x11; 16], [0x22; 16]],
        ..GroupWord::of(word.group)
    }))
}

/// Every vector as this version makes it.
fn made() -> BTreeMap<&'static str, Vec<u8>> {
    let bundle = message().sign(&payload(), &alice()).unwrap();
    let example = summary::example();
    let [root_alice, root_bob] = example.roots;
    let short = example.key.short_id(&summary::id(0));
    let full = receipt(ReceiptKind::Full { retry_after: DAY });
    let rejected = receipt(ReceiptKind::Rejected { reason: 1 });
    let as_answer = Transit { is_answer: true, ..Transit::default() };
    let mut made: BTreeMap<&'static str, Vec<u8>> = BTreeMap::from([
        ("peer-id-alice", alice().node().peer_id().into_bytes()),
        ("endpoint-bob-mail", endpoint(&Eid::mail(bob().node()))),
        ("bundle-primary", bundle.primary().to_vec()),
        ("bundle-signed", Unverified::parse(bundle.bytes()).unwrap().signed_bytes()),
        ("bundle-id", bundle.id.0.to_vec()),
        ("bundle-signed-digest", Unverified::parse(long_bundle().bytes()).unwrap().signed_bytes()),
        ("bundle-id-digest", long_bundle().id.0.to_vec()),
        ("bundle-signature-digest", long_bundle().signature().to_vec()),
        ("bundle-message", bundle.bytes().to_vec()),
        ("bundle-on-the-way", bundle.encode(HOPS)),
        ("receipt-record", receipt(ReceiptKind::Delivered).encode()),
        ("receipt-rejected", rejected.encode()),
        ("receipt-full", full.encode()),
        ("receipt-bundle", receipt_bundle().bytes().to_vec()),
        ("message-text", text().encode()),
        ("message-automatic", automatic().encode()),
        ("message-automatic-third", automatic_third().encode()),
        ("message-full", full_message().encode()),
        ("message-change", change().encode()),
        ("app-update", app_update().encode()),
        ("topic-list", topic_list().encode()),
        ("topic-message", topic_message().encode()),
        ("file-part", file_part().encode()),
        ("message-files", with_file().encode()),
        ("file-request", file_request().encode()),
        ("file-here", file_here().encode()),
        ("file-limit", file_limit().encode()),
        ("group-word", group_word().encode()),
        ("group-question", group_question().encode()),
        ("group-got", group_got().encode()),
        ("message-padded", pad(&full_message().encode())),
        ("message-proven", proven_message().encode()),
        ("delegation-signed", delegation().signed_bytes()),
        ("frame-bundle", encode_bundle(&Transit { hops: HOPS, copies: 4, is_answer: false }, &bundle)),
        ("frame-folded", encode_folded(&Transit::default(), &sealed(), &folds()[0].1, Handed::nothing())),
        (
            "frame-folded-carried",
            encode_folded(
                &Transit { hops: HOPS, copies: 4, is_answer: false },
                &bundle,
                &folds()[1].1,
                Handed::nothing(),
            ),
        ),
        (
            "frame-folded-receipt",
            encode_folded(&Transit::default(), &receipt_bundle(), &folds()[2].1, Handed::nothing()),
        ),
        ("frame-answer", encode_folded(&as_answer, &receipt_named(), &folds()[3].1, &handed(Handed::taken()))),
        ("summary-root-alice", root_alice.to_vec()),
        ("summary-root-bob", root_bob.to_vec()),
        ("summary-short-id", short.to_be_bytes().to_vec()),
        ("summary-check", example.key.check(short).to_be_bytes().to_vec()),
        ("summary-key", summary_key()),
        ("ticket", ticket().to_string().into_bytes()),
        ("words-alice", SafetyWords::of(&alice().node()).to_string().into_bytes()),
    ]);
    made.extend(group_envelope());
    made.extend(frames().into_iter().map(|(name, frame)| (name, frame.encode().unwrap())));
    made.extend(of_the_data());
    made.extend(crate::pairing::frames().map(|(name, frame)| (name, frame.encode())));
    made
}

/// What alice and bob publish in her topic.
fn leave() -> Leave {
    let topic = Eid::topic(alice().node(), "sensors.temp");
    Leave::give(&topic, &bob().node(), DtnTime(838_592_000_000), &alice())
}

fn topic_list() -> Post {
    Post { sequence: 836_000_000_000, said: Said::List(vec![(bob().node(), leave())]) }
}

fn topic_message() -> Post {
    let said = Said::Message { key: Some("kitchen".into()), body: "21.5".into(), leave: Some(leave()) };
    Post { sequence: 836_000_000_001, said }
}

/// The vectors that the crate's own tests make, as `tests/data` keeps them: one needs a fixed ephemeral key to be made, the
/// other a block of a kind that nobody writes yet.
fn of_the_data() -> [(&'static str, Vec<u8>); 4] {
    let sealed: serde_json::Value = serde_json::from_str(include_str!("../data/seal.json")).unwrap();
    let field = |name: &str| unhex(sealed["vectors"][0][name].as_str().unwrap());
    let bundles = include_str!("../data/vectors.txt");
    let unknown = bundles.lines().find_map(|line| line.strip_prefix("unknown_block_bundle: ")).unwrap();
    [
        ("seal-primary", field("primary")),
        ("seal-envelope", field("payload")),
        ("seal-plaintext", field("plaintext")),
        ("bundle-unknown-block", unhex(unknown)),
    ]
}

/// The key of the epoch that the page's envelope for a group is sealed under.
fn epoch_key() -> seal::group::EpochKey {
    [0xe1; 32].into()
}

fn group_envelope() -> [(&'static str, Vec<u8>); 2] {
    let primary = Draft { destination: Eid::group(bob().node()), ..message() }.primary();
    let plaintext = pad(b"meet me at the bridge");
    let envelope = seal::group::seal_with(&[0xe0; 16], &epoch_key(), [0x5a; 16], &primary, &plaintext);
    [("seal-group-primary", primary), ("seal-group-envelope", envelope)]
}

fn summary_key() -> Vec<u8> {
    let key = blake3::derive_key("dak 2026 summary of a contact v1", &[[1; 16], [2; 16]].concat());
    key[..16].to_vec()
}

/// `[1, "//…"]`, by hand.
fn endpoint(eid: &Eid) -> Vec<u8> {
    let text = eid.after_scheme();
    [&[0x82, 0x01, 0x78, text.len() as u8], text.as_bytes()].concat()
}

#[test]
fn every_vector_is_what_this_version_makes() {
    let (page, made) = (vectors(), made());
    let mut wrong = String::new();
    for (name, bytes) in &made {
        if page.get(name) != Some(bytes) {
            let is_text = ["peer-id", "ticket", "words"].iter().any(|text| name.starts_with(text));
            let lines: Vec<String> = bytes.chunks(60).map(hex).collect();
            let body = if is_text { String::from_utf8_lossy(bytes).into_owned() } else { lines.join("\n") };
            writeln!(wrong, "```vector {name}{}\n{body}\n```", if is_text { " text" } else { "" }).unwrap();
        }
    }
    assert!(wrong.is_empty(), "the page and the code differ; this version makes\n{wrong}");
    let known: BTreeSet<&str> = made.into_keys().chain(ELSEWHERE).collect();
    assert_eq!(page.into_keys().collect::<BTreeSet<_>>(), known, "no vector is unknown to this test");
}

#[test]
fn every_frame_on_the_page_decodes_and_is_encoded_to_the_same_bytes() {
    let page = vectors();
    let mut expected: BTreeMap<&str, Frame> = frames().into_iter().collect();
    let mut kinds = BTreeSet::new();
    for (name, bytes) in page.iter().filter(|(name, _)| name.starts_with("frame-")) {
        kinds.insert(if [15, 16].contains(&bytes[0]) { bytes[0] } else { bytes[1] });
        match Incoming::decode(bytes).unwrap_or_else(|error| panic!("{name}: {error}")) {
            Incoming::Frame(frame) => {
                assert_eq!(Some(&frame), expected.remove(name).as_ref(), "{name}");
                assert_eq!(&frame.encode().unwrap(), bytes, "{name}");
            }
            Incoming::Bundle { copies, bytes: inner } => {
                let (bundle, hops) = Bundle::decode(inner).unwrap();
                assert_eq!(&encode_bundle(&Transit { hops, copies, is_answer: false }, &bundle), bytes, "{name}");
            }
            Incoming::Folded { copies, is_answer, folded } => {
                let (_, ends) = folds().into_iter().find(|(frame, _)| frame == name).expect("a fold is known");
                let (bundle, hops) = Bundle::decode(&unfold(folded, &ends, &handed(Handed::given())).unwrap()).unwrap();
                assert_eq!(
                    &encode_folded(&Transit { hops, copies, is_answer }, &bundle, &ends, &handed(Handed::taken())),
                    bytes,
                    "{name}"
                );
            }
        }
    }
    assert!(expected.is_empty(), "not on the page: {expected:?}");
    assert_eq!(kinds, (0..=16).collect(), "each kind has its vector");
}

#[test]
fn every_bundle_on_the_page_decodes_verified_and_is_encoded_to_the_same_bytes() {
    let page = vectors();
    for name in ["bundle-message", "bundle-on-the-way", "bundle-unknown-block", "receipt-bundle"] {
        let bytes = &page[name];
        let (bundle, hops) = Bundle::decode(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(&bundle.encode(hops), bytes, "{name}");
    }
    let (bundle, hops) = Bundle::decode(&page["bundle-on-the-way"]).unwrap();
    assert_eq!((bundle.id.0.to_vec(), hops), (page["bundle-id"].clone(), HOPS));
    assert_eq!((bundle.primary(), bundle.payload()), (&page["bundle-primary"][..], &payload()[..]));
    assert_eq!(Unverified::parse(&page["bundle-message"]).unwrap().signed_bytes(), page["bundle-signed"]);
    assert_eq!(Bundle::decode(&page["receipt-bundle"]).unwrap().0.payload(), page["receipt-record"]);
    for name in ["receipt-record", "receipt-rejected", "receipt-full"] {
        assert_eq!(Receipt::decode(&page[name]).unwrap().encode(), page[name], "{name}");
    }
}

#[test]
fn the_messages_on_the_page_open_and_read_as_it_says() {
    let page = vectors();
    for (name, message) in [
        ("message-text", text()),
        ("message-automatic", automatic()),
        ("message-automatic-third", automatic_third()),
        ("message-full", full_message()),
        ("message-proven", proven_message()),
        ("message-change", change()),
        ("app-update", app_update()),
        ("file-part", file_part()),
        ("message-files", with_file()),
        ("file-request", file_request()),
        ("file-here", file_here()),
        ("file-limit", file_limit()),
        ("group-word", group_word()),
        ("group-question", group_question()),
        ("group-got", group_got()),
    ] {
        assert_eq!(Content::decode(&page[name]), Ok(message.clone()), "{name}");
        assert_eq!(message.encode(), page[name], "{name}");
    }
    for (name, post) in [("topic-list", topic_list()), ("topic-message", topic_message())] {
        assert_eq!(Post::decode(&page[name]), Ok(post), "{name}");
    }
    assert_eq!(unpad(&page["message-padded"]), Ok(&page["message-full"][..]));
    let recipient = Identity::from_secret(&[2; 32]);
    let opened = seal::open(&recipient, &page["seal-primary"], &page["seal-envelope"]).unwrap();
    assert_eq!((opened.plaintext, opened.key), (page["seal-plaintext"].clone(), KeyUsed::Identity));
    let opened = seal::group::open(&epoch_key(), &page["seal-group-primary"], &page["seal-group-envelope"]);
    assert_eq!(opened, Ok(page["seal-plaintext"].clone()));
}

#[test]
fn the_names_on_the_page_mean_whom_it_says() {
    let page = vectors();
    let said = |name: &str| String::from_utf8(page[name].clone()).unwrap();
    assert_eq!(NodeId::from_peer_id(&said("peer-id-alice")), Ok(alice().node()));
    assert_eq!(Ticket::parse(&said("ticket")), Ok(ticket()));
    assert_eq!(Ticket::parse(&said("ticket")).unwrap().to_string(), said("ticket"));
    assert!(SafetyWords::of(&alice().node()).matches(&said("words-alice")));
    let text = std::str::from_utf8(&page["endpoint-bob-mail"][4..]).unwrap();
    assert_eq!(Eid::parse_after_scheme(text), Ok(Eid::mail(bob().node())));
    let Frame::Hello(hello) = Frame::decode(&page["frame-hello-meetings"]).unwrap() else { panic!("a Hello") };
    assert!(hello.mailboxes[0].is_signed() && hello.mailboxes[0].signed_bytes() == page["delegation-signed"]);
}
