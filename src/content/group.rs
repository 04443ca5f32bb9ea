//! Groups: who is in one, as a log of signed operations says, and what its members tell each other about it.
//!
//! An *operation* is a deterministic CBOR array:
//!
//! | place | what | value |
//! |---|---|---|
//! | 1 | group | 32 bytes: the key in its address |
//! | 2 | predecessors | array of at most [`PREDECESSORS_MAX`] ids, rising: the operations that its author knew and no other names |
//! | 3 | author | 32 bytes |
//! | 4 | at | DTN time by its author's clock; shown, and decides nothing |
//! | 5 | act | array, below |
//! | 6 | signature | 64 bytes, of the author, over [`OPERATION_CONTEXT`] and the array of the five before |
//!
//! Its id is a hash of those five. The acts:
//!
//! | act | who may |
//! |---|---|
//! | `[0, name, nonce]` the group begins | its author, who is its first owner |
//! | `[1, who, owner, from start]` admits somebody, who is invited until they join | an owner |
//! | `[2]` joins | who was admitted |
//! | `[3, who]` removes somebody | an owner |
//! | `[4]` leaves | a member; the last owner hands over first |
//! | `[5, name]` renames the group | an owner |
//! | `[6, who, owner]` makes somebody an owner, or a member as others | an owner |
//! | any other | kept, and changes nothing |
//!
//! The key in the address of a group is a point that nobody has the secret of: it is made by hashing what its first
//! operation says. So a group has one beginning, and nobody signs in its name.
//!
//! A *word* is content of kind 4, in mail to a member or in what is written to the group:
//!
//! | key | field | value |
//! |---|---|---|
//! | 2 | group | 32 bytes |
//! | 3 | operations | array of at most [`OPERATIONS_AT_ONCE_MAX`] byte strings, each an operation |
//! | 4 | keys | array of at most [`KEYS_AT_ONCE_MAX`] epochs `[author, [head, …], key]` |
//! | 5 | wants | byte string: ids of epochs, 16 bytes each, at most [`WANTS_MAX`]: their keys are asked for |
//! | 6 | have | byte string: ids of operations, 32 bytes each, at most [`HEADS_MAX`]: the asker has these and what is before them |
//! | 7 | got | byte string: 16 bytes each, at most [`GOT_MAX`]: the first of ids of messages of the reader's that the writer has |
//! | 8 | invites | true: the reader is asked to join |

use std::fmt;

use curve25519_dalek::edwards::CompressedEdwardsY;

use super::amendment::Mark;
use super::{ContentError, Field, keep, read_map, write_map};
use crate::bundle::{Signer, key};
use crate::cbor::{Reader, Writer};
use crate::id::NodeId;
use crate::time::DtnTime;

/// Longest name of a group in bytes.
pub const GROUP_NAME_BYTES_MAX: usize = 64;
/// Most predecessors of an operation.
pub const PREDECESSORS_MAX: usize = 8;
/// Longest operation in bytes.
pub const OPERATION_BYTES_MAX: usize = 512;
/// Most operations in one word.
pub const OPERATIONS_AT_ONCE_MAX: usize = 512;
/// Most keys in one word.
pub const KEYS_AT_ONCE_MAX: usize = 64;
/// Most heads that an epoch or an asker names.
pub const HEADS_MAX: usize = 64;
/// Most epochs that one word asks for.
pub const WANTS_MAX: usize = 64;
/// Most messages that one word says to have come.
pub const GOT_MAX: usize = 64;

/// What stands before the bytes that are signed.
pub const OPERATION_CONTEXT: &[u8] = b"dak 2026 group operation v1";
const ID_CONTEXT: &str = "dak 2026 group operation id v1";
const GROUP_CONTEXT: &str = "dak 2026 group address v1";
const EPOCH_CONTEXT: &str = "dak 2026 group epoch v1";

/// The kind of a word.
pub(super) const WORD: u64 = 4;

/// The hash that names an operation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub [u8; 32]);

/// The name of an epoch, which commits to its key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpochId(pub [u8; 16]);

/// What content of a group is sealed under.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct GroupKey(pub [u8; 32]);

/// One signed step in the life of a group. Whether it is signed says [`Operation::is_signed`]; whether it counts, the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    pub group: NodeId,
    /// Rising; none of the first operation alone.
    pub predecessors: Vec<OperationId>,
    pub author: NodeId,
    pub at: DtnTime,
    pub act: Act,
    pub signature: [u8; 64],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Begin {
        name: String,
        nonce: [u8; 16],
    },
    Admit {
        who: NodeId,
        role: Role,
        from_start: bool,
    },
    Join,
    Remove {
        who: NodeId,
    },
    Leave,
    Rename {
        name: String,
    },
    Appoint {
        who: NodeId,
        role: Role,
    },
    /// Of a newer version, as encoded.
    Other(Vec<u8>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Owner,
    Member,
}

/// A key, who made it, and the operations that they knew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    pub author: NodeId,
    /// Rising, at most [`HEADS_MAX`].
    pub heads: Vec<OperationId>,
    pub key: GroupKey,
}

/// What a member tells another, or all of them, about a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupWord {
    pub group: NodeId,
    pub operations: Vec<Operation>,
    pub keys: Vec<Epoch>,
    pub wants: Vec<EpochId>,
    pub have: Vec<OperationId>,
    pub got: Vec<Mark>,
    pub invites: bool,
    /// Fields of newer versions.
    pub extra: Vec<Field>,
}

/// Whether a text can be the name of a group.
pub fn is_group_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= GROUP_NAME_BYTES_MAX
}

impl Operation {
    /// The first operation of a new group.
    pub fn begin(name: &str, nonce: [u8; 16], at: DtnTime, owner: &dyn Signer) -> Operation {
        let act = Act::Begin { name: name.to_owned(), nonce };
        Operation::sign(group_of(&owner.node(), at, &act), Vec::new(), at, act, owner)
    }

    pub fn sign(
        group: NodeId,
        mut predecessors: Vec<OperationId>,
        at: DtnTime,
        act: Act,
        author: &dyn Signer,
    ) -> Operation {
        predecessors.sort_unstable();
        predecessors.dedup();
        assert!(predecessors.len() <= PREDECESSORS_MAX, "an operation names few predecessors");
        let unsigned = Operation { group, predecessors, author: author.node(), at, act, signature: [0; 64] };
        Operation { signature: author.sign(&unsigned.signed_bytes()), ..unsigned }
    }

    pub fn id(&self) -> OperationId {
        let mut bytes = Vec::new();
        self.write_unsigned(5, &mut bytes);
        OperationId(blake3::derive_key(ID_CONTEXT, &bytes))
    }

    /// Whether its author signed it and, of a first operation, whether the group is the one that it begins.
    pub fn is_signed(&self) -> bool {
        let is_of_group = match self.act {
            Act::Begin { .. } => self.group == group_of(&self.author, self.at, &self.act),
            _ => true,
        };
        is_of_group && key::verify(self.author, &[&self.signed_bytes()], &self.signature) == Ok(true)
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = OPERATION_CONTEXT.to_vec();
        self.write_unsigned(5, &mut bytes);
        bytes
    }

    fn write_unsigned(&self, many: usize, out: &mut Vec<u8>) {
        out.array(many);
        out.bytes(self.group.as_bytes());
        out.array(self.predecessors.len());
        self.predecessors.iter().for_each(|id| out.bytes(&id.0));
        out.bytes(self.author.as_bytes());
        out.uint(self.at.0);
        self.act.write(out);
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_unsigned(6, &mut out);
        out.bytes(&self.signature);
        out
    }

    pub fn decode(bytes: &[u8]) -> Result<Operation, ContentError> {
        if bytes.len() > OPERATION_BYTES_MAX {
            return Err(ContentError::Odd("length of an operation"));
        }
        let mut reader = Reader::new(bytes);
        reader.array_exact(6)?;
        let group = NodeId::from_trusted(reader.bytes_exact()?);
        let many = reader.array()?;
        if many > PREDECESSORS_MAX {
            return Err(ContentError::TooMany("predecessors of an operation"));
        }
        let predecessors = read_ids(&mut reader, many)?;
        let author = NodeId::from_trusted(reader.bytes_exact()?);
        let at = DtnTime(reader.uint()?);
        let act = Act::read(&mut reader)?;
        let signature = reader.bytes_exact()?;
        reader.finish()?;
        if predecessors.is_empty() != matches!(act, Act::Begin { .. }) {
            return Err(ContentError::Odd("place of an operation"));
        }
        Ok(Operation { group, predecessors, author, at, act, signature })
    }
}

/// The key in the address of the group that begins so: a point of the curve that is hashed, and not computed from a secret.
fn group_of(owner: &NodeId, at: DtnTime, act: &Act) -> NodeId {
    let mut said = owner.as_bytes().to_vec();
    said.extend(at.0.to_be_bytes());
    act.write(&mut said);
    let tries = (0..=u8::MAX).map(|n| blake3::derive_key(GROUP_CONTEXT, &[&said[..], &[n]].concat()));
    let points = tries.filter_map(|hash| CompressedEdwardsY(hash).decompress());
    let mut keys = points.filter_map(|point| NodeId::from_key(point.mul_by_cofactor().compress().0).ok());
    keys.next().expect("every second hash is a point")
}

impl Act {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Act::Begin { name, nonce } => {
                head(out, 3, BEGIN);
                out.text(name);
                out.bytes(nonce);
            }
            Act::Admit { who, role, from_start } => {
                head(out, 4, ADMIT);
                out.bytes(who.as_bytes());
                out.bool(*role == Role::Owner);
                out.bool(*from_start);
            }
            Act::Join => head(out, 1, JOIN),
            Act::Remove { who } => {
                head(out, 2, REMOVE);
                out.bytes(who.as_bytes());
            }
            Act::Leave => head(out, 1, LEAVE),
            Act::Rename { name } => {
                head(out, 2, RENAME);
                out.text(name);
            }
            Act::Appoint { who, role } => {
                head(out, 3, APPOINT);
                out.bytes(who.as_bytes());
                out.bool(*role == Role::Owner);
            }
            Act::Other(raw) => out.raw(raw),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Act, ContentError> {
        let start = reader.position();
        let many = reader.array()?;
        if many == 0 {
            return Err(ContentError::Missing("what an operation does"));
        }
        let act = match (reader.uint()?, many) {
            (BEGIN, 3) => Act::Begin { name: read_name(reader)?, nonce: reader.bytes_exact()? },
            (ADMIT, 4) => {
                let (who, role) = (NodeId::from_trusted(reader.bytes_exact()?), read_role(reader)?);
                Act::Admit { who, role, from_start: reader.bool()? }
            }
            (JOIN, 1) => Act::Join,
            (REMOVE, 2) => Act::Remove { who: NodeId::from_trusted(reader.bytes_exact()?) },
            (LEAVE, 1) => Act::Leave,
            (RENAME, 2) => Act::Rename { name: read_name(reader)? },
            (APPOINT, 3) => Act::Appoint { who: NodeId::from_trusted(reader.bytes_exact()?), role: read_role(reader)? },
            (BEGIN..=APPOINT, _) => return Err(ContentError::Odd("operation")),
            _ => {
                for _ in 1..many {
                    reader.skip()?;
                }
                Act::Other(reader.since(start).to_vec())
            }
        };
        Ok(act)
    }
}

const BEGIN: u64 = 0;
const ADMIT: u64 = 1;
const JOIN: u64 = 2;
const REMOVE: u64 = 3;
const LEAVE: u64 = 4;
const RENAME: u64 = 5;
const APPOINT: u64 = 6;

fn head(out: &mut Vec<u8>, many: usize, act: u64) {
    out.array(many);
    out.uint(act);
}

fn read_name(reader: &mut Reader<'_>) -> Result<String, ContentError> {
    let name = reader.text()?;
    if is_group_name(name) { Ok(name.to_owned()) } else { Err(ContentError::Odd("name of a group")) }
}

fn read_role(reader: &mut Reader<'_>) -> Result<Role, ContentError> {
    Ok(if reader.bool()? { Role::Owner } else { Role::Member })
}

fn read_ids(reader: &mut Reader<'_>, many: usize) -> Result<Vec<OperationId>, ContentError> {
    let mut ids = Vec::new();
    for _ in 0..many {
        ids.push(OperationId(reader.bytes_exact()?));
    }
    if !ids.is_sorted_by(|a, b| a < b) {
        return Err(ContentError::Odd("order of operations"));
    }
    Ok(ids)
}

impl Epoch {
    pub fn id(&self, group: &NodeId) -> EpochId {
        let mut said = group.as_bytes().to_vec();
        said.extend(self.author.as_bytes());
        said.push(self.heads.len() as u8);
        self.heads.iter().for_each(|head| said.extend(head.0));
        said.extend(self.key.0);
        let hash = blake3::derive_key(EPOCH_CONTEXT, &said);
        EpochId(*hash.first_chunk().expect("16 of 32 bytes"))
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        out.array(3);
        out.bytes(self.author.as_bytes());
        out.array(self.heads.len());
        self.heads.iter().for_each(|head| out.bytes(&head.0));
        out.bytes(&self.key.0);
    }

    pub fn read(reader: &mut Reader<'_>) -> Result<Epoch, ContentError> {
        reader.array_exact(3)?;
        let author = NodeId::from_trusted(reader.bytes_exact()?);
        let many = reader.array()?;
        if many > HEADS_MAX {
            return Err(ContentError::TooMany("heads of an epoch"));
        }
        let heads = read_ids(reader, many)?;
        Ok(Epoch { author, heads, key: GroupKey(reader.bytes_exact()?) })
    }
}

const GROUP: u64 = 2;
const OPERATIONS: u64 = 3;
const KEYS: u64 = 4;
const WANTS: u64 = 5;
const HAVE: u64 = 6;
const GOT: u64 = 7;
const INVITES: u64 = 8;

impl GroupWord {
    /// Nothing said yet.
    pub fn of(group: NodeId) -> GroupWord {
        GroupWord {
            group,
            operations: Vec::new(),
            keys: Vec::new(),
            wants: Vec::new(),
            have: Vec::new(),
            got: Vec::new(),
            invites: false,
            extra: Vec::new(),
        }
    }

    /// Whether there is something for the person to see: who came and went, or that they are asked to join.
    pub fn is_for_person(&self) -> bool {
        self.invites || !self.operations.is_empty()
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        assert!(self.extra.iter().all(|(key, _)| !(GROUP..=INVITES).contains(key)), "unknown fields have unknown keys");
        assert!(self.operations.len() <= OPERATIONS_AT_ONCE_MAX, "a word has some operations");
        assert!(self.keys.len() <= KEYS_AT_ONCE_MAX && self.wants.len() <= WANTS_MAX, "a word has some keys");
        assert!(self.have.len() <= HEADS_MAX && self.got.len() <= GOT_MAX, "a word has some ids");
        let there = [
            !self.operations.is_empty(),
            !self.keys.is_empty(),
            !self.wants.is_empty(),
            !self.have.is_empty(),
            !self.got.is_empty(),
            self.invites,
        ];
        let mut out = Vec::new();
        let write_known = |out: &mut Vec<u8>| {
            out.uint(super::KIND);
            out.uint(WORD);
            out.uint(GROUP);
            out.bytes(self.group.as_bytes());
            if !self.operations.is_empty() {
                out.uint(OPERATIONS);
                out.array(self.operations.len());
                self.operations.iter().for_each(|operation| out.bytes(&operation.encode()));
            }
            if !self.keys.is_empty() {
                out.uint(KEYS);
                out.array(self.keys.len());
                self.keys.iter().for_each(|epoch| epoch.write(out));
            }
            let mut write_ids = |key: u64, ids: Vec<u8>| {
                if !ids.is_empty() {
                    out.uint(key);
                    out.bytes(&ids);
                }
            };
            write_ids(WANTS, self.wants.iter().flat_map(|id| id.0).collect());
            write_ids(HAVE, self.have.iter().flat_map(|id| id.0).collect());
            write_ids(GOT, self.got.as_flattened().to_vec());
            if self.invites {
                out.uint(INVITES);
                out.bool(true);
            }
        };
        write_map(&self.extra, 2 + there.iter().filter(|there| **there).count(), write_known, &mut out);
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<GroupWord, ContentError> {
        let (mut word, mut group) = (GroupWord::of(NodeId::from_trusted([0; 32])), None);
        read_map(bytes, &mut |key, reader| {
            match key {
                super::KIND => drop(reader.uint()?),
                GROUP => group = Some(NodeId::from_trusted(reader.bytes_exact()?)),
                OPERATIONS => {
                    let many = some(reader.array()?, OPERATIONS_AT_ONCE_MAX, key, "operations")?;
                    for _ in 0..many {
                        word.operations.push(Operation::decode(reader.bytes()?)?);
                    }
                }
                KEYS => {
                    for _ in 0..some(reader.array()?, KEYS_AT_ONCE_MAX, key, "keys")? {
                        word.keys.push(Epoch::read(reader)?);
                    }
                }
                WANTS => word.wants = pieces(reader, WANTS_MAX, key)?.into_iter().map(EpochId).collect(),
                HAVE => word.have = pieces(reader, HEADS_MAX, key)?.into_iter().map(OperationId).collect(),
                GOT => word.got = pieces(reader, GOT_MAX, key)?,
                INVITES => {
                    word.invites = reader.bool()?;
                    if !word.invites {
                        return Err(ContentError::Default(key));
                    }
                }
                _ => keep(key, reader, &mut word.extra)?,
            }
            Ok(())
        })?;
        word.group = group.ok_or(ContentError::Missing("which group it is about"))?;
        if word.operations.iter().any(|operation| operation.group != word.group) {
            return Err(ContentError::Odd("group of an operation"));
        }
        Ok(word)
    }
}

/// How many there are: some, and not too many.
fn some(many: usize, max: usize, key: u64, what: &'static str) -> Result<usize, ContentError> {
    match many {
        0 => Err(ContentError::Default(key)),
        many if many > max => Err(ContentError::TooMany(what)),
        many => Ok(many),
    }
}

fn pieces<const N: usize>(reader: &mut Reader<'_>, max: usize, key: u64) -> Result<Vec<[u8; N]>, ContentError> {
    let (pieces, rest) = reader.bytes()?.as_chunks::<N>();
    if !rest.is_empty() {
        return Err(ContentError::Odd("length of its ids"));
    }
    some(pieces.len(), max, key, "ids")?;
    Ok(pieces.to_vec())
}

impl fmt::Debug for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operation {:02x}{:02x}{:02x}", self.0[0], self.0[1], self.0[2])
    }
}

impl fmt::Debug for EpochId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "epoch {:02x}{:02x}{:02x}", self.0[0], self.0[1], self.0[2])
    }
}

impl fmt::Debug for GroupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GroupKey")
    }
}

#[cfg(test)]
mod tests;
