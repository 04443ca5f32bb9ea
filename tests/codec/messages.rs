//! Messages there and back, fields from the future, and padding.

use dak::bundle::Signer;
use dak::cbor::CborError;
use dak::content::group::{Act, Epoch, EpochId, GroupKey, Operation, OperationId, PREDECESSORS_MAX, Role};
use dak::content::{
    AFTER_READ_MS_MAX, ATTACHMENTS_MAX, AfterRead, Amendment, AppUpdate, Attachment, Content, ContentError,
    EXTRA_FIELDS_MAX, Enclosed, FILE_BYTES_MAX, FileAsk, FileKey, Forwarded, GroupWord, Introduced, KeyUsed, NewTask,
    Outline, PADDED_BYTES_MIN, PART_LOG, Part, Proof, Reaction, Seal, Shape, TaskState, Text, Unknown, WANTED_MAX, pad,
    pad_as_before, padded_len, unpad,
};
use dak::id::NodeId;
use dak::time::{DtnTime, Millis};
use proptest::prelude::*;

use crate::common::bob;
use crate::hand::{bytes, uint};

fn any_fields(is_unknown: fn(&u64) -> bool) -> impl Strategy<Value = Vec<(u64, Vec<u8>)>> {
    let key = prop_oneof![Just(0u64), 2u64..1_000, any::<u64>()].prop_filter("unknown", is_unknown);
    let value = prop::sample::select(vec![
        vec![0x18, 42],
        vec![0x65, b'h', b'e', b'l', b'l', b'o'],
        vec![0xa1, 1, 0x82, 0xf5, 0x41, 9],
        vec![0xc1, 0x20],
        vec![0xf6],
    ]);
    prop::collection::btree_map(key, value, 0..5).prop_map(|fields| fields.into_iter().collect())
}

fn any_text() -> impl Strategy<Value = Text> {
    let attachment = (any::<String>(), prop::collection::vec(any::<u8>(), 0..50))
        .prop_map(|(name, bytes)| Attachment { name, bytes });
    let extra = any_fields(|key| !(1..=17).contains(key));
    let texts = (any::<Option<String>>(), any::<String>());
    let ids = any::<(Option<[u8; 16]>, Option<[u8; 16]>, Option<[u8; 16]>)>();
    let forwarded =
        (any::<[u8; 16]>(), any::<u64>()).prop_map(|(id, sent)| Box::new(Forwarded { author: bob().node(), id, sent }));
    let forwarded = (prop::option::of(forwarded), any::<String>());
    let task = prop::option::of((any::<bool>(), any::<u64>()).prop_map(|(is_for_bob, due)| NewTask {
        assignee: is_for_bob.then(|| bob().node()),
        due: Some(DtnTime(due)).filter(|due| due.0 > 0),
    }));
    let introduces =
        prop::option::of(".{0,16}").prop_map(|name| name.map(|name| Box::new(Introduced { name, node: bob().node() })));
    let seal = (any::<u16>(), any::<[u8; 32]>(), any::<[u8; 32]>()).prop_map(|(copies, half, enc)| Seal {
        copies,
        signature: [half, half].concat().try_into().unwrap(),
        enc,
    });
    let numbers =
        (any::<u64>(), any::<u64>(), any::<u8>(), any::<[u8; 12]>(), prop::collection::vec(any::<u8>(), 0..60));
    let proof =
        (seal, any::<[u8; 32]>(), numbers).prop_map(|(seal, key, (sequence, lifetime, priority, nonce, rest))| {
            Box::new(Proof { destination: bob().node(), sequence, lifetime, priority, seal, key, nonce, rest })
        });
    let enclosed = ("[a-z.]{0,16}", 1..=FILE_BYTES_MAX, any::<[u8; 32]>(), any::<bool>()).prop_map(
        |(name, bytes, root, folder)| {
            let shape = if folder { Shape::Folder } else { Shape::File };
            Enclosed { name, bytes, root, key: FileKey(root), shape, part_log: PART_LOG }
        },
    );
    let task = (task, introduces, prop::option::of(proof), prop::collection::vec(enclosed, 0..3));
    let after_read = prop::option::of(prop_oneof![
        Just(AfterRead::Unsaid),
        (1..=AFTER_READ_MS_MAX).prop_map(|span| AfterRead::Span(Millis(span))),
    ]);
    let numbers = (any::<Option<u64>>(), after_read, prop::option::of(-1_080i16..=1_080), any::<u64>(), task);
    (texts, ids, prop::collection::vec(attachment, 0..4), numbers, forwarded, extra).prop_map(
        |((subject, body), (thread, in_reply_to, same), attachments, numbers, (forwarded, remark), extra)| {
            let (reply_by, expire_after_read, offset, tags, (task, introduces, proof, enclosed)) = numbers;
            Text {
                subject,
                body,
                thread,
                in_reply_to,
                attachments,
                reply_by,
                expire_after_read,
                offset,
                same,
                tags,
                forwarded,
                remark,
                task,
                introduces,
                proof,
                enclosed,
                extra,
            }
        },
    )
}

fn any_change() -> impl Strategy<Value = Amendment> {
    let prior = prop::collection::btree_set(any::<[u8; 16]>(), 0..=4);
    let reaction = ("[a-z👍]{1,16}", any::<bool>()).prop_map(|(text, on)| Reaction { text, on });
    let task = prop_oneof![Just(TaskState::None), Just(TaskState::Open), Just(TaskState::Done)];
    let assignee = any::<bool>().prop_map(|is_bob| is_bob.then(|| bob().node()));
    let due = any::<u64>().prop_map(|due| Some(DtnTime(due)).filter(|due| due.0 > 0));
    let set = (
        any::<Option<String>>(),
        prop::option::of(reaction),
        prop::option::of(task),
        prop::option::of(assignee),
        prop::option::of(due),
    );
    let extra = any_fields(|key| !(1..=9).contains(key));
    (any::<[u8; 16]>(), prior, set, extra).prop_map(|(target, prior, (body, reaction, task, assignee, due), extra)| {
        let withdrawn = body.is_none() && reaction.is_none() && task.is_none() && assignee.is_none() && due.is_none();
        let prior = prior.into_iter().collect();
        Amendment { target, prior, body, withdrawn, reaction, task, assignee, due, extra }
    })
}

fn any_update() -> impl Strategy<Value = AppUpdate> {
    let prior = prop::collection::btree_set(any::<[u8; 16]>(), 0..=4);
    let line = || prop::option::of("\\PC{1,20}");
    let notify = prop::collection::btree_map("[a-f0-9*]{1,16}", "\\PC{0,12}", 0..4);
    let said = ("\\PC{1,60}", line(), line(), line(), line());
    (any::<[u8; 16]>(), prior, said, notify, any_fields(|key| !(1..=9).contains(key))).prop_map(
        |(target, prior, (payload, info, document, summary, href), notify, extra)| {
            let (prior, notify) = (prior.into_iter().collect(), notify.into_iter().collect());
            AppUpdate { target, prior, payload, info, document, summary, href, notify, extra }
        },
    )
}

fn any_stretches() -> impl Strategy<Value = Vec<(u32, u32)>> {
    prop::collection::vec((0..1_000u32, 1..1_000u32), 0..=WANTED_MAX).prop_map(|gaps| {
        let mut end = 0;
        let stretch = |(gap, many): (u32, u32)| {
            let first = end + gap;
            end = first + many;
            (first, many)
        };
        gaps.into_iter().map(stretch).collect()
    })
}

fn any_ask() -> impl Strategy<Value = FileAsk> {
    let said = (any_stretches(), any::<bool>(), any_stretches(), any::<Option<u64>>());
    let group = any::<Option<[u8; 32]>>().prop_map(|group| group.map(NodeId::from_trusted));
    let extra = any_fields(|key| !(1..=8).contains(key));
    (any::<[u8; 16]>(), any::<u64>(), said, group, extra).prop_map(|(target, file, said, group, extra)| {
        let (wanted, stop, have, limit) = said;
        let stop = stop || wanted.is_empty() && have.is_empty() && limit.is_none();
        FileAsk { target, file, wanted, stop, group, have, limit, extra }
    })
}

fn any_part() -> impl Strategy<Value = Part> {
    let proof = prop::collection::vec(any::<[u8; 32]>(), 0..=18);
    let bytes = prop::collection::vec(any::<u8>(), 0..50);
    let extra = any_fields(|key| !(1..=6).contains(key));
    let place = (any::<[u8; 32]>(), any::<u64>(), any::<u32>());
    (place, proof, bytes, extra).prop_map(|((root, size, index), proof, bytes, extra)| Part {
        root,
        size,
        index,
        proof,
        bytes,
        extra,
    })
}

fn any_operation(group: NodeId) -> impl Strategy<Value = Operation> {
    let who = any::<[u8; 32]>().prop_map(NodeId::from_trusted);
    let role = prop_oneof![Just(Role::Owner), Just(Role::Member)];
    let act = prop_oneof![
        ("\\PC{1,12}", any::<[u8; 16]>()).prop_map(|(name, nonce)| Act::Begin { name, nonce }),
        (who.clone(), role.clone(), any::<bool>()).prop_map(|(who, role, from_start)| Act::Admit {
            who,
            role,
            from_start
        }),
        Just(Act::Join),
        who.clone().prop_map(|who| Act::Remove { who }),
        Just(Act::Leave),
        "\\PC{1,12}".prop_map(|name| Act::Rename { name }),
        (who.clone(), role).prop_map(|(who, role)| Act::Appoint { who, role }),
        (7u8..24).prop_map(|kind| Act::Other(vec![0x82, kind, 0xf6])),
    ];
    let before = prop::collection::btree_set(any::<[u8; 32]>(), 1..=PREDECESSORS_MAX);
    (act, before, who, any::<u64>(), any::<[u8; 32]>()).prop_map(move |(act, before, author, at, half)| {
        let is_first = matches!(act, Act::Begin { .. });
        let predecessors = if is_first { Vec::new() } else { before.into_iter().map(OperationId).collect() };
        let mut signature = [7; 64];
        signature[..32].copy_from_slice(&half);
        Operation { group, predecessors, author, at: DtnTime(at), act, signature }
    })
}

fn any_group_word() -> impl Strategy<Value = GroupWord> {
    let group = NodeId::from_trusted([9; 32]);
    let epoch = (any::<[u8; 32]>(), prop::collection::btree_set(any::<[u8; 32]>(), 0..4), any::<[u8; 32]>());
    let epoch = epoch.prop_map(|(author, heads, key)| Epoch {
        author: NodeId::from_trusted(author),
        heads: heads.into_iter().map(OperationId).collect(),
        key: GroupKey(key),
    });
    let ids = || prop::collection::vec(any::<[u8; 16]>(), 0..5);
    let said = (prop::collection::vec(any_operation(group), 0..4), prop::collection::vec(epoch, 0..4), any::<bool>());
    let have = prop::collection::vec(any::<[u8; 32]>(), 0..5);
    let extra = any_fields(|key| !(1..=8).contains(key));
    (said, ids(), ids(), have, extra).prop_map(move |((operations, keys, invites), wants, got, have, extra)| {
        GroupWord {
            operations,
            keys,
            wants: wants.into_iter().map(EpochId).collect(),
            have: have.into_iter().map(OperationId).collect(),
            got,
            invites,
            extra,
            ..GroupWord::of(group)
        }
    })
}

fn any_content() -> impl Strategy<Value = Content> {
    let unknown = (6..u64::MAX, any_fields(|key| *key != 1)).prop_map(|(kind, fields)| Unknown { kind, fields });
    prop_oneof![
        3 => any_text().prop_map(Content::Text),
        2 => any_change().prop_map(Content::Change),
        2 => any_update().prop_map(Content::App),
        1 => any_ask().prop_map(Content::Ask),
        1 => any_part().prop_map(Content::Part),
        2 => any_group_word().prop_map(|word| Content::Group(Box::new(word))),
        1 => unknown.prop_map(Content::Unknown)
    ]
}

proptest! {
    #[test]
    fn all_content_reads_back(content in any_content()) {
        prop_assert_eq!(Content::decode(&content.encode()), Ok(content));
    }

    #[test]
    fn whatever_is_accepted_is_encoded_again_byte_for_byte(content in any_content(), at in any::<prop::sample::Index>(), value: u8) {
        let mut bytes = content.encode();
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(content) = Content::decode(&bytes) {
            prop_assert_eq!(content.encode(), bytes);
        }
    }

    #[test]
    fn random_bytes_are_refused_without_a_panic(noise in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Content::decode(&noise);
        let _ = Content::decode(&[&[0xa3, 1], &noise[..]].concat());
        let _ = unpad(&noise);
    }

    #[test]
    fn what_is_padded_is_unpadded(message in prop::collection::vec(any::<u8>(), 0..5_000)) {
        let padded = pad(&message);
        prop_assert_eq!(unpad(&padded), Ok(&message[..]));
        prop_assert!(padded.len() >= PADDED_BYTES_MIN && padded.len() == padded_len(4 + message.len()));
        // Padmé adds at most 12 %.
        prop_assert!(padded.len() * 100 <= (4 + message.len()).max(PADDED_BYTES_MIN) * 112);
    }
}

#[test]
fn a_text_alone_costs_four_bytes_and_its_head() {
    let text = Content::from(Text { body: "x".repeat(1_024), ..Text::default() });
    assert_eq!(text.encode()[..5], [0xa1, 5, 0x79, 4, 0]);
    assert_eq!(text.encode().len(), 1_029);
    assert_eq!(pad(&text.encode()).len(), 1_088);
}

#[test]
fn fields_of_a_newer_version_are_kept_where_they_stood() {
    let bytes = [&[0xa3][..], &[0, 0x61, b'a'], &[5, 0x62, b'h', b'i'], &[0x18, 99, 0x82, 1, 2]].concat();
    let Content::Text(text) = Content::decode(&bytes).unwrap() else { panic!("a text") };
    assert_eq!(text.body, "hi");
    assert_eq!(text.extra, [(0, vec![0x61, b'a']), (99, vec![0x82, 1, 2])]);
    assert_eq!(Content::Text(text).encode(), bytes);
}

#[test]
fn content_of_a_newer_kind_is_kept_whole_whatever_its_fields_mean_there() {
    // A body that is a number, where a text has its words.
    let bytes = [&[0xa3][..], &[0, 0x61, b'a'], &[1, 7], &[5, 0x18, 99]].concat();
    let content = Content::decode(&bytes).unwrap();
    let fields = vec![(0, vec![0x61, b'a']), (5, vec![0x18, 99])];
    assert_eq!(content, Content::Unknown(Unknown { kind: 7, fields }));
    assert_eq!(content.encode(), bytes);
}

#[test]
fn an_outline_has_the_words_cut_and_the_files_by_name_and_length() {
    let attachments = vec![Attachment { name: "photo.jpg".into(), bytes: vec![7; 300] }];
    let text = Text { subject: Some("Grüße".into()), body: "übermorgen".into(), attachments, ..Text::default() };
    let bytes = Content::from(text.clone()).encode();
    let outline = |chars_max| Outline::decode(&bytes, chars_max).unwrap();
    let words =
        |subject: &str, body: &str| Text { subject: Some(subject.into()), body: body.into(), ..Text::default() };
    assert_eq!(outline(100).content, Content::from(words("Grüße", "übermorgen")));
    assert_eq!(outline(100).files, [("photo.jpg".to_owned(), 300)]);
    assert_eq!(outline(4).content, Content::from(words("Grüß", "über")));
    assert_eq!(outline(4).files, [("phot".to_owned(), 300)]);
    let newer = Content::Unknown(Unknown { kind: 7, fields: vec![(5, vec![0x65, b'h', b'e', b'l', b'l', b'o'])] });
    let shown = Outline::decode(&newer.encode(), 4).unwrap();
    assert_eq!(shown, Outline { content: newer, files: Vec::new() });
}

#[test]
#[should_panic = "unknown fields have unknown keys"]
fn a_known_field_is_never_written_as_an_unknown_one() {
    Content::from(Text { extra: vec![(8, vec![0xf5])], ..Text::default() }).encode();
}

#[test]
fn only_what_a_prekey_opened_is_forward_secret() {
    assert!(KeyUsed::Prekey([1; 8]).is_forward_secret());
    assert!(!KeyUsed::Identity.is_forward_secret() && !KeyUsed::Own.is_forward_secret());
}

#[test]
fn defaults_written_out_repeated_keys_and_bad_values_are_refused() {
    let refusal = |fields: &[&[u8]]| {
        let bytes = [&[0xa0 | fields.len() as u8][..], &fields.concat()].concat();
        Content::decode(&bytes).unwrap_err()
    };
    assert_eq!(refusal(&[&[1, 0]]), ContentError::Default(1));
    assert_eq!(refusal(&[&[5, 0x60]]), ContentError::Default(5));
    assert_eq!(refusal(&[&[6, 0x80]]), ContentError::Default(6));
    assert_eq!(refusal(&[&[8, 0xf4]]), ContentError::Default(8));
    assert_eq!(refusal(&[&[11, 0]]), ContentError::Default(11));
    assert_eq!(refusal(&[&[13, 0x60]]), ContentError::Default(13));
    for minutes in [[9, 0x19, 0x04, 0x39], [9, 0x39, 0x04, 0x38]] {
        assert_eq!(refusal(&[&minutes]), ContentError::Cbor(CborError::Range), "1,081 minutes from UTC");
    }
    let nobody = [&[12, 0x83, 0x58, 32][..], &[0; 32], &[0x50], &[7; 16], &[0]].concat();
    assert_eq!(refusal(&[&nobody]), ContentError::Author);
    for fields in [[&[5, 0x61, b'a'][..], &[5, 0x61, b'a']], [&[5, 0x61, b'a'], &[4, 0x61, b'a']]] {
        assert_eq!(refusal(&fields), ContentError::Cbor(CborError::KeyOrder));
    }
    assert_eq!(refusal(&[&[5, 0x61, 0xff]]), ContentError::Cbor(CborError::Utf8));
    assert_eq!(refusal(&[&[2, 0x41, 1]]), ContentError::Cbor(CborError::Range));
    assert_eq!(refusal(&[&[0x20, 1]]), ContentError::Cbor(CborError::Type));
    assert_eq!(refusal(&[&[0x17, 0xf9, 0, 0]]), ContentError::Cbor(CborError::Malformed));
    assert_eq!(refusal(&[&[0x17, 1], &[0x17, 1]]), ContentError::Cbor(CborError::KeyOrder));
}

#[test]
fn attachments_and_unknown_fields_are_counted() {
    let attachment = [0x82, 0x60, 0x40];
    let with = |count: usize| [&[0xa1, 6, 0x98, count as u8][..], &attachment.repeat(count)].concat();
    assert!(Content::decode(&with(ATTACHMENTS_MAX)).is_ok());
    assert_eq!(Content::decode(&with(ATTACHMENTS_MAX + 1)).unwrap_err(), ContentError::TooMany("attachments"));

    let fields = |count: usize| {
        let fields: Vec<u8> = (0..count).flat_map(|index| [uint(100 + index as u64), bytes(b"x")].concat()).collect();
        [vec![0xb8, count as u8], fields].concat()
    };
    assert!(Content::decode(&fields(EXTRA_FIELDS_MAX)).is_ok());
    let error = Content::decode(&fields(EXTRA_FIELDS_MAX + 1)).unwrap_err();
    assert_eq!(error, ContentError::TooMany("unknown fields"));
    let mut newer = fields(EXTRA_FIELDS_MAX);
    newer.splice(0..2, [0xb8, EXTRA_FIELDS_MAX as u8 + 1, 1, 7]);
    assert!(Content::decode(&newer).is_ok());
    let mut newer = fields(EXTRA_FIELDS_MAX + 1);
    newer.splice(0..2, [0xb8, EXTRA_FIELDS_MAX as u8 + 2, 1, 7]);
    assert_eq!(Content::decode(&newer).unwrap_err(), ContentError::TooMany("unknown fields"));
}

#[test]
fn padded_lengths_are_those_of_padme() {
    // From the formula: with 2^E the highest power, all but the top 1 + floor(log2 E) bits after it are rounded up.
    for (len, padded) in [
        (0, 128),
        (128, 128),
        (129, 144),
        (214, 224),
        (256, 256),
        (257, 272),
        (300, 304),
        (1_033, 1_088),
        (9_000, 9_216),
        (1_000_004, 1_015_808),
    ] {
        assert_eq!(padded_len(len), padded, "{len}");
    }
}

#[test]
fn mail_that_was_padded_to_the_larger_least_length_of_before_opens() {
    for len in [0, 5, 120, 252, 253, 1_000] {
        let content = vec![7; len];
        let padded = pad_as_before(&content);
        assert_eq!((padded.len() >= 256, unpad(&padded)), (true, Ok(&content[..])), "{len}");
        assert_eq!(padded == pad(&content), len + 4 > 240, "{len}");
    }
}

#[test]
fn other_paddings_are_refused() {
    let padded = pad(b"hello");
    let mut noise = padded.clone();
    *noise.last_mut().unwrap() = 1;
    let mut longer_length = padded.clone();
    longer_length[2] = 0xff;
    let [next_size, larger] = [144, 272].map(|len| {
        let mut longer = padded.clone();
        longer.resize(len, 0);
        longer
    });
    let bare = [&[0, 0, 0, 5][..], b"hello"].concat();
    for wrong in [noise, longer_length, next_size, larger, bare, padded[..127].to_vec(), vec![0; 3], Vec::new()] {
        assert_eq!(unpad(&wrong), Err(ContentError::Padding));
    }
}

#[test]
fn a_time_after_reading_is_bounded_and_one_that_names_no_span_is_kept_as_it_came() {
    let of = |after| Content::from(Text { body: "x".into(), expire_after_read: Some(after), ..Text::default() });
    let (unsaid, longest) = (of(AfterRead::Unsaid), of(AfterRead::Span(Millis(AFTER_READ_MS_MAX))));
    assert_eq!(unsaid.encode(), [0xa2, 0x05, 0x61, b'x', 0x08, 0xf5]);
    for content in [&unsaid, &longest] {
        assert_eq!(Content::decode(&content.encode()).as_ref(), Ok(content));
    }
    let broken = |value: &[u8]| Content::decode(&[&[0xa2, 0x05, 0x61, b'x', 0x08], value].concat());
    for value in [&[0x00][..], &uint(AFTER_READ_MS_MAX + 1)] {
        assert_eq!(broken(value), Err(ContentError::Odd("time after reading")));
    }
    assert_eq!(broken(&[0xf4]), Err(ContentError::Default(8)));
    assert!(broken(&[0x61, b'x']).is_err());
}
