//! Words about groups and the operations in them: what is made is read as it was, and what is odd is none.

use super::*;
use crate::content::Content;
use ed25519_dalek::SigningKey;
use proptest::prelude::*;

fn key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

fn crew() -> Operation {
    Operation::begin("crew", [7; 16], DtnTime(850_000_000_000), &key(1))
}

#[test]
fn a_group_has_one_beginning_and_nobody_else_can_sign_another_for_it() {
    let begin = crew();
    assert!(begin.is_signed());
    assert!(NodeId::from_key(*begin.group.as_bytes()).is_ok(), "its key is one as others are");
    for other in [
        Operation { act: Act::Begin { name: "crew".into(), nonce: [8; 16] }, ..begin.clone() },
        Operation { at: DtnTime(1), ..begin.clone() },
        Operation { author: key(2).node(), ..begin.clone() },
    ] {
        let author = if other.author == key(2).node() { key(2) } else { key(1) };
        let signature = author.sign(&other.signed_bytes());
        assert!(!Operation { signature, ..other }.is_signed());
    }
}

#[test]
fn an_operation_is_its_authors_as_it_is_and_of_no_more_than_its_bytes() {
    let begin = crew();
    let mut name = "é".repeat(GROUP_NAME_BYTES_MAX / 2);
    let predecessors = (0..PREDECESSORS_MAX as u8).map(|n| OperationId([n; 32])).collect();
    let rename = Act::Rename { name: name.clone() };
    let longest = Operation::sign(begin.group, predecessors, DtnTime(u64::MAX), rename, &key(1));
    let bytes = longest.encode();
    assert!(bytes.len() <= OPERATION_BYTES_MAX, "{}", bytes.len());
    assert_eq!(Operation::decode(&bytes), Ok(longest.clone()));
    assert!(longest.is_signed());
    assert!(!Operation { at: DtnTime(0), ..longest.clone() }.is_signed());
    assert!(!Operation { author: key(2).node(), ..longest.clone() }.is_signed());
    name.push('x');
    let longer = Operation { act: Act::Rename { name }, ..longest };
    assert!(Operation::decode(&longer.encode()).is_err());
}

fn any_operation() -> impl Strategy<Value = Operation> {
    let who = (1u8..5).prop_map(|n| key(n).node());
    let role = prop_oneof![Just(Role::Owner), Just(Role::Member)];
    let act = prop_oneof![
        (who.clone(), role.clone(), any::<bool>()).prop_map(|(who, role, from_start)| Act::Admit {
            who,
            role,
            from_start
        }),
        Just(Act::Join),
        who.clone().prop_map(|who| Act::Remove { who }),
        Just(Act::Leave),
        "\\PC{1,12}".prop_map(|name| Act::Rename { name }),
        (who, role).prop_map(|(who, role)| Act::Appoint { who, role }),
        (7u8..24).prop_map(|kind| Act::Other(vec![0x82, kind, 0x01])),
    ];
    let predecessors = proptest::collection::btree_set(any::<[u8; 32]>(), 1..4);
    (act, predecessors, 1u8..5, any::<u64>()).prop_map(|(act, before, by, at)| {
        let before = before.into_iter().map(OperationId).collect();
        Operation::sign(crew().group, before, DtnTime(at), act, &key(by))
    })
}

fn any_word() -> impl Strategy<Value = GroupWord> {
    let epoch =
        (any::<[u8; 32]>(), proptest::collection::btree_set(any::<[u8; 32]>(), 0..3)).prop_map(|(key, heads)| Epoch {
            author: NodeId::from_trusted([3; 32]),
            heads: heads.into_iter().map(OperationId).collect(),
            key: GroupKey(key),
        });
    (
        proptest::collection::vec(any_operation(), 0..3),
        proptest::collection::vec(epoch, 0..3),
        proptest::collection::vec(any::<[u8; 16]>(), 0..3),
        proptest::collection::vec(any::<[u8; 32]>(), 0..3),
        any::<bool>(),
    )
        .prop_map(|(operations, keys, ids, have, invites)| GroupWord {
            operations,
            keys,
            wants: ids.iter().copied().map(EpochId).collect(),
            have: have.into_iter().map(OperationId).collect(),
            got: ids,
            invites,
            ..GroupWord::of(crew().group)
        })
}

proptest! {
    #[test]
    fn operations_and_words_read_back(operation in any_operation(), word in any_word()) {
        prop_assert!(operation.is_signed());
        prop_assert_eq!(Operation::decode(&operation.encode()), Ok(operation));
        let content = Content::Group(Box::new(word));
        prop_assert_eq!(Content::decode(&content.encode()), Ok(content));
    }

    #[test]
    fn one_changed_byte_is_read_or_refused(word in any_word(), at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut bytes = Content::Group(Box::new(word)).encode();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(read) = Content::decode(&bytes) {
            prop_assert_eq!(read.encode(), bytes);
        }
    }
}
