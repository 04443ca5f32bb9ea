//! Messages there and back, fields from the future, and padding.

use dak::cbor::CborError;
use dak::message::{
    ATTACHMENTS_MAX, Attachment, EXTRA_FIELDS_MAX, Message, MessageError, PADDED_BYTES_MIN, pad, padded_len, unpad,
};
use proptest::prelude::*;

use crate::hand::{bytes, uint};

fn any_message() -> impl Strategy<Value = Message> {
    let attachment = (any::<String>(), prop::collection::vec(any::<u8>(), 0..50))
        .prop_map(|(name, bytes)| Attachment { name, bytes });
    let key = prop_oneof![Just(0u64), 9u64..1_000, any::<u64>().prop_filter("unknown", |key| !(1..=8).contains(key))];
    let value = prop::sample::select(vec![
        vec![0x18, 42],
        vec![0x65, b'h', b'e', b'l', b'l', b'o'],
        vec![0xa1, 1, 0x82, 0xf5, 0x41, 9],
        vec![0xc1, 0x20],
        vec![0xf6],
    ]);
    let extra = prop::collection::btree_map(key, value, 0..5);
    let texts = (any::<Option<String>>(), any::<String>());
    let ids = any::<(Option<[u8; 16]>, Option<[u8; 16]>)>();
    (any::<u64>(), texts, ids, prop::collection::vec(attachment, 0..4), any::<Option<u64>>(), any::<bool>(), extra)
        .prop_map(|(kind, (subject, body), (thread, in_reply_to), attachments, reply_by, expire_after_read, extra)| {
            Message {
                kind,
                subject,
                body,
                thread,
                in_reply_to,
                attachments,
                reply_by,
                expire_after_read,
                extra: extra.into_iter().collect(),
            }
        })
}

proptest! {
    #[test]
    fn every_message_reads_back(message in any_message()) {
        prop_assert_eq!(Message::decode(&message.encode()), Ok(message));
    }

    #[test]
    fn whatever_is_accepted_is_encoded_again_byte_for_byte(message in any_message(), at in any::<prop::sample::Index>(), value: u8) {
        let mut bytes = message.encode();
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(message) = Message::decode(&bytes) {
            prop_assert_eq!(message.encode(), bytes);
        }
    }

    #[test]
    fn random_bytes_are_refused_without_a_panic(noise in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Message::decode(&noise);
        let _ = Message::decode(&[&[0xa3, 1], &noise[..]].concat());
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
    let message = Message { body: "x".repeat(1_024), ..Message::default() };
    assert_eq!(message.encode()[..5], [0xa1, 5, 0x79, 4, 0]);
    assert_eq!(message.encode().len(), 1_029);
    assert_eq!(pad(&message.encode()).len(), 1_088);
}

#[test]
fn fields_of_a_newer_version_are_kept_where_they_stood() {
    let text = [&[0xa3][..], &[0, 0x61, b'a'], &[5, 0x62, b'h', b'i'], &[0x18, 99, 0x82, 1, 2]].concat();
    let message = Message::decode(&text).unwrap();
    assert_eq!(message.body, "hi");
    assert_eq!(message.extra, [(0, vec![0x61, b'a']), (99, vec![0x82, 1, 2])]);
    assert_eq!(message.encode(), text);
}

#[test]
fn defaults_written_out_repeated_keys_and_bad_values_are_refused() {
    let refusal = |fields: &[&[u8]]| {
        let bytes = [&[0xa0 | fields.len() as u8][..], &fields.concat()].concat();
        Message::decode(&bytes).unwrap_err()
    };
    assert_eq!(refusal(&[&[1, 0]]), MessageError::Default(1));
    assert_eq!(refusal(&[&[5, 0x60]]), MessageError::Default(5));
    assert_eq!(refusal(&[&[6, 0x80]]), MessageError::Default(6));
    assert_eq!(refusal(&[&[8, 0xf4]]), MessageError::Default(8));
    for fields in [[&[5, 0x61, b'a'][..], &[5, 0x61, b'a']], [&[5, 0x61, b'a'], &[4, 0x61, b'a']]] {
        assert_eq!(refusal(&fields), MessageError::Cbor(CborError::KeyOrder));
    }
    assert_eq!(refusal(&[&[5, 0x61, 0xff]]), MessageError::Cbor(CborError::Utf8));
    assert_eq!(refusal(&[&[2, 0x41, 1]]), MessageError::Cbor(CborError::Range));
    assert_eq!(refusal(&[&[0x20, 1]]), MessageError::Cbor(CborError::Type));
    assert_eq!(refusal(&[&[9, 0xf9, 0, 0]]), MessageError::Cbor(CborError::Malformed));
    assert_eq!(refusal(&[&[9, 1], &[9, 1]]), MessageError::Cbor(CborError::KeyOrder));
}

#[test]
fn attachments_and_unknown_fields_are_counted() {
    let attachment = [0x82, 0x60, 0x40];
    let with = |count: usize| [&[0xa1, 6, 0x98, count as u8][..], &attachment.repeat(count)].concat();
    assert!(Message::decode(&with(ATTACHMENTS_MAX)).is_ok());
    assert_eq!(Message::decode(&with(ATTACHMENTS_MAX + 1)).unwrap_err(), MessageError::TooMany("attachments"));

    let fields = |count: usize| {
        let fields: Vec<u8> = (0..count).flat_map(|index| [uint(100 + index as u64), bytes(b"x")].concat()).collect();
        [vec![0xb8, count as u8], fields].concat()
    };
    assert!(Message::decode(&fields(EXTRA_FIELDS_MAX)).is_ok());
    let error = Message::decode(&fields(EXTRA_FIELDS_MAX + 1)).unwrap_err();
    assert_eq!(error, MessageError::TooMany("unknown fields"));
}

#[test]
fn padded_lengths_are_those_of_padme() {
    // From the formula: with 2^E the highest power, all but the top 1 + floor(log2 E) bits after it are rounded up.
    for (len, padded) in
        [(0, 256), (256, 256), (257, 272), (300, 304), (1_033, 1_088), (9_000, 9_216), (1_000_004, 1_015_808)]
    {
        assert_eq!(padded_len(len), padded, "{len}");
    }
}

#[test]
fn other_paddings_are_refused() {
    let padded = pad(b"hello");
    let mut noise = padded.clone();
    *noise.last_mut().unwrap() = 1;
    let mut longer_length = padded.clone();
    longer_length[2] = 0xff;
    let mut next_size = padded.clone();
    next_size.resize(272, 0);
    let bare = [&[0, 0, 0, 5][..], b"hello"].concat();
    for wrong in [noise, longer_length, next_size, bare, padded[..255].to_vec(), vec![0; 3], Vec::new()] {
        assert_eq!(unpad(&wrong), Err(MessageError::Padding));
    }
}
