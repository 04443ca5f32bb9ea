//! Files too large to ride inside a message: what a text says of one, the parts it travels in, and the asking for them.
//!
//! A file lies encrypted with a key of its own (ChaCha20, nonce zero, counted from its first byte), and is cut into parts of
//! [`PART_BYTES`]. Its name is the BLAKE3 hash of what lies there, the root of a tree whose subtrees the parts are; so each
//! part verifies alone, by the nodes beside its way to the root, and nobody needs the key for it.
//!
//! A part is content of kind 3, in a bundle of its own:
//!
//! | key | field | value |
//! |---|---|---|
//! | 2 | root | 32 bytes |
//! | 3 | size | uint: bytes of the whole file, at least 1 |
//! | 4 | index | uint: which part, from 0 |
//! | 5 | proof | bytes: the nodes beside its way to the root, 32 bytes each, the lowest first |
//! | 6 | bytes | the encrypted bytes |
//!
//! What asks for parts is content of kind 2:
//!
//! | key | field | value |
//! |---|---|---|
//! | 2 | target | 16 bytes: the first half of the id of the message that the file is in |
//! | 3 | file | uint: which of its files that ride beside it, from 0 |
//! | 4 | wanted | array of at most 64 pairs, the first part and how many, in rising order |
//! | 5 | stop | true: its author is done with the file, and whoever sends it need not go on |
//! | 6 | group | 32 bytes: the key of the group that the message was written to |
//! | 7 | have | stretches as in `wanted`: its author has these parts |
//! | 8 | limit | uint: bytes of the largest file that comes to its author without being asked for |
//!
//! One of `wanted`, `stop`, `have` and `limit` is there.

use std::fmt;

use blake3::hazmat::{ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};

use super::amendment::Mark;
use super::{ContentError, Field, keep, read_map, write_map};
use crate::cbor::{CborError, Reader, Writer};
use crate::id::NodeId;

/// Bytes of a part; of a file's last one, at most.
pub const PART_BYTES: usize = 1 << PART_LOG;
/// Two to this power are the bytes of a part.
pub const PART_LOG: u8 = 18;
/// Largest file in bytes.
pub const FILE_BYTES_MAX: u64 = 64 << 30;
/// Files up to this size come without being asked for, where their recipient says nothing else, in bytes.
pub const PUSH_BYTES: u64 = 8 << 20;
/// Nobody takes larger ones without asking for them, in bytes.
pub const PUSH_BYTES_MAX: u64 = 64 << 20;
/// Most files that ride beside one text.
pub const ENCLOSED_MAX: usize = 16;
/// Longest name of such a file, in bytes.
pub const FILE_NAME_BYTES_MAX: usize = 255;
/// Most stretches that one request asks for, or says to have.
pub const WANTED_MAX: usize = 64;

/// The kind of a request.
pub(super) const ASK: u64 = 2;
/// The kind of a part.
pub(super) const PART: u64 = 3;

/// The hash that names a file.
pub type Root = [u8; 32];

/// A file that rides beside a text, in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enclosed {
    /// As its writer calls it; at most [`FILE_NAME_BYTES_MAX`].
    pub name: String,
    /// 1 to [`FILE_BYTES_MAX`].
    pub bytes: u64,
    pub root: Root,
    pub key: FileKey,
    pub shape: Shape,
    /// Two to this power are the bytes of a part; this version sends and takes [`PART_LOG`] alone.
    pub part_log: u8,
}

/// What opens a file.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct FileKey(pub [u8; 32]);

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey")
    }
}

/// What the bytes of a file are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    #[default]
    File,
    /// A folder, packed into one.
    Folder,
}

/// One part of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    pub root: Root,
    /// Bytes of the whole.
    pub size: u64,
    pub index: u32,
    /// The nodes beside its way to the root, the lowest first.
    pub proof: Vec<ChainingValue>,
    pub bytes: Vec<u8>,
    /// Fields of newer versions.
    pub extra: Vec<Field>,
}

/// What somebody wants of a file, or that they want nothing more of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileAsk {
    pub target: Mark,
    /// Which of the files beside that message.
    pub file: u64,
    /// Stretches of parts, each by its first one and how many; at most [`WANTED_MAX`], in rising order.
    pub wanted: Vec<(u32, u32)>,
    pub stop: bool,
    /// The group that the message was written to, where it was one.
    pub group: Option<NodeId>,
    /// Stretches of parts that its author has; of more than [`WANTED_MAX`] the first.
    pub have: Vec<(u32, u32)>,
    /// The largest file in bytes that comes to its author without being asked for.
    pub limit: Option<u64>,
    /// Fields of newer versions.
    pub extra: Vec<Field>,
}

/// How many parts a file of so many bytes has.
pub fn parts_of(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(PART_BYTES as u64)).unwrap_or(u32::MAX)
}

/// How many bytes a part of such a file has; zero of one that it does not have.
pub fn part_len(bytes: u64, index: u32) -> usize {
    let from = u64::from(index) * PART_BYTES as u64;
    bytes.saturating_sub(from).min(PART_BYTES as u64) as usize
}

/// The node of a part in the tree of a file of several.
pub fn part_node(index: u32, bytes: &[u8]) -> ChainingValue {
    let mut hasher = blake3::Hasher::new();
    hasher.set_input_offset(u64::from(index) * PART_BYTES as u64);
    hasher.update(bytes).finalize_non_root()
}

/// The tree over the parts of a file: what each part needs to verify alone.
#[derive(Clone, Debug)]
pub struct PartTree {
    /// The nodes of the parts, those above them, and so on; of one at the end that has no neighbour the node goes up as it is.
    levels: Vec<Vec<ChainingValue>>,
}

impl PartTree {
    /// Over the nodes of at least two parts.
    pub fn over(parts: Vec<ChainingValue>) -> PartTree {
        let mut levels = vec![parts];
        while let Some(below) = levels.last().filter(|level| level.len() > 2) {
            let pairs = below.chunks(2).map(|pair| match pair {
                [left, right] => merge_subtrees_non_root(left, right, Mode::Hash),
                one => one[0],
            });
            let above = pairs.collect();
            levels.push(above);
        }
        PartTree { levels }
    }

    /// The name of the file; none where it has fewer than two parts, and its hash is its name.
    pub fn root(&self) -> Option<Root> {
        match &self.levels.last()?[..] {
            [left, right] => Some(*merge_subtrees_root(left, right, Mode::Hash).as_bytes()),
            _ => None,
        }
    }

    /// The nodes beside the way of a part to the root.
    pub fn proof(&self, index: u32) -> Vec<ChainingValue> {
        let beside = |(up, level): (usize, &Vec<ChainingValue>)| level.get((index as usize >> up) ^ 1).copied();
        self.levels.iter().enumerate().filter_map(beside).collect()
    }
}

impl Part {
    /// Whether these bytes stand at this place of the file that the root names.
    pub fn is_true(&self) -> bool {
        let parts = parts_of(self.size);
        let fits = self.size > 0 && self.size <= FILE_BYTES_MAX && self.index < parts;
        if !fits || self.bytes.len() != part_len(self.size, self.index) {
            return false;
        }
        if parts == 1 {
            return self.proof.is_empty() && *blake3::hash(&self.bytes).as_bytes() == self.root;
        }
        let mut node = part_node(self.index, &self.bytes);
        let (mut at, mut many, mut proof) = (self.index, parts, self.proof.iter());
        while many > 1 {
            if at ^ 1 < many {
                let Some(beside) = proof.next() else { return false };
                let (left, right) = if at & 1 == 0 { (&node, beside) } else { (beside, &node) };
                if many == 2 {
                    let root = merge_subtrees_root(left, right, Mode::Hash);
                    return proof.next().is_none() && *root.as_bytes() == self.root;
                }
                node = merge_subtrees_non_root(left, right, Mode::Hash);
            }
            (at, many) = (at / 2, many.div_ceil(2));
        }
        false
    }

    /// Which part it is, without what it holds.
    pub fn stub(&self) -> Part {
        Part { root: self.root, size: self.size, index: self.index, ..Part::default() }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        assert!(
            self.extra.iter().all(|(key, _)| *key < super::KIND || *key > BYTES),
            "unknown fields have unknown keys"
        );
        let known = 4 + usize::from(!self.proof.is_empty()) + usize::from(!self.bytes.is_empty());
        let mut out = Vec::with_capacity(128 + 32 * self.proof.len() + self.bytes.len());
        let write_known = |out: &mut Vec<u8>| {
            out.uint(super::KIND);
            out.uint(PART);
            out.uint(ROOT);
            out.bytes(&self.root);
            out.uint(SIZE);
            out.uint(self.size);
            out.uint(INDEX);
            out.uint(self.index);
            if !self.proof.is_empty() {
                out.uint(PROOF);
                out.bytes(self.proof.as_flattened());
            }
            if !self.bytes.is_empty() {
                out.uint(BYTES);
                out.bytes(&self.bytes);
            }
        };
        write_map(&self.extra, known, write_known, &mut out);
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Part, ContentError> {
        Part::read(bytes, <[u8]>::to_vec)
    }

    /// The same without copying what it holds.
    pub(super) fn decode_stub(bytes: &[u8]) -> Result<Part, ContentError> {
        Part::read(bytes, |_| Vec::new()).map(|part| part.stub())
    }

    fn read(bytes: &[u8], take: fn(&[u8]) -> Vec<u8>) -> Result<Part, ContentError> {
        let (mut part, mut named, mut sized, mut placed) = (Part::default(), false, false, false);
        read_map(bytes, &mut |key, reader| {
            match key {
                super::KIND => drop(reader.uint()?),
                ROOT => (part.root, named) = (reader.bytes_exact()?, true),
                SIZE => (part.size, sized) = (reader.uint()?, true),
                INDEX => {
                    part.index = u32::try_from(reader.uint()?).map_err(|_| ContentError::Odd("part"))?;
                    placed = true;
                }
                PROOF => {
                    let (nodes, rest) = reader.bytes()?.as_chunks::<32>();
                    if nodes.is_empty() || !rest.is_empty() || nodes.len() > PROOF_NODES_MAX {
                        return Err(ContentError::Odd("proof"));
                    }
                    part.proof = nodes.to_vec();
                }
                BYTES => {
                    let held = reader.bytes()?;
                    if held.is_empty() || held.len() > PART_BYTES {
                        return Err(ContentError::Odd("part"));
                    }
                    part.bytes = take(held);
                }
                _ => keep(key, reader, &mut part.extra)?,
            }
            Ok(())
        })?;
        match named && sized && placed {
            true => Ok(part),
            false => Err(ContentError::Missing("which part of which file it is")),
        }
    }
}

/// Most nodes of a proof; a file of the largest size has 18 levels.
const PROOF_NODES_MAX: usize = 32;

const ROOT: u64 = 2;
const SIZE: u64 = 3;
const INDEX: u64 = 4;
const PROOF: u64 = 5;
const BYTES: u64 = 6;

const TARGET: u64 = 2;
const FILE: u64 = 3;
const WANTED: u64 = 4;
const STOP: u64 = 5;
const GROUP: u64 = 6;
const HAVE: u64 = 7;
const LIMIT: u64 = 8;

impl FileAsk {
    pub(super) fn encode(&self) -> Vec<u8> {
        assert!(
            self.extra.iter().all(|(key, _)| *key < super::KIND || *key > LIMIT),
            "unknown fields have unknown keys"
        );
        for stretches in [&self.wanted, &self.have] {
            assert!(stretches.len() <= WANTED_MAX && is_rising(stretches), "stretches rise, and are few");
        }
        assert!(self.says_something(), "a request asks for something");
        let there = [
            self.file > 0,
            !self.wanted.is_empty(),
            self.stop,
            self.group.is_some(),
            !self.have.is_empty(),
            self.limit.is_some(),
        ];
        let known = 2 + there.into_iter().filter(|is_there| *is_there).count();
        let mut out = Vec::new();
        let write_known = |out: &mut Vec<u8>| {
            out.uint(super::KIND);
            out.uint(ASK);
            out.uint(TARGET);
            out.bytes(&self.target);
            if self.file > 0 {
                out.uint(FILE);
                out.uint(self.file);
            }
            if !self.wanted.is_empty() {
                out.uint(WANTED);
                write_stretches(&self.wanted, out);
            }
            if self.stop {
                out.uint(STOP);
                out.bool(true);
            }
            if let Some(group) = &self.group {
                out.uint(GROUP);
                out.bytes(group.as_bytes());
            }
            if !self.have.is_empty() {
                out.uint(HAVE);
                write_stretches(&self.have, out);
            }
            if let Some(limit) = self.limit {
                out.uint(LIMIT);
                out.uint(limit);
            }
        };
        write_map(&self.extra, known, write_known, &mut out);
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<FileAsk, ContentError> {
        let (mut ask, mut target) = (FileAsk::default(), None);
        read_map(bytes, &mut |key, reader| {
            match key {
                super::KIND => drop(reader.uint()?),
                TARGET => target = Some(reader.bytes_exact()?),
                FILE => {
                    ask.file = reader.uint()?;
                    if ask.file == 0 {
                        return Err(ContentError::Default(key));
                    }
                }
                WANTED => ask.wanted = read_stretches(reader)?,
                STOP => {
                    ask.stop = reader.bool()?;
                    if !ask.stop {
                        return Err(ContentError::Default(key));
                    }
                }
                GROUP => ask.group = Some(NodeId::from_trusted(reader.bytes_exact()?)),
                HAVE => ask.have = read_stretches(reader)?,
                LIMIT => ask.limit = Some(reader.uint()?),
                _ => keep(key, reader, &mut ask.extra)?,
            }
            Ok(())
        })?;
        ask.target = target.ok_or(ContentError::Missing("which file it asks for"))?;
        match ask.says_something() {
            true => Ok(ask),
            false => Err(ContentError::Missing("what it asks for")),
        }
    }

    fn says_something(&self) -> bool {
        self.stop || !self.wanted.is_empty() || !self.have.is_empty() || self.limit.is_some()
    }
}

fn write_stretches(stretches: &[(u32, u32)], out: &mut Vec<u8>) {
    out.array(stretches.len());
    for (first, many) in stretches {
        out.array(2);
        out.uint(*first);
        out.uint(*many);
    }
}

fn read_stretches(reader: &mut Reader<'_>) -> Result<Vec<(u32, u32)>, ContentError> {
    let len = reader.array()?;
    if len > WANTED_MAX {
        return Err(ContentError::TooMany("stretches"));
    }
    let mut stretches = Vec::with_capacity(len);
    for _ in 0..len {
        reader.array_exact(2)?;
        let number = |number: u64| u32::try_from(number).map_err(|_| ContentError::Odd("stretch"));
        stretches.push((number(reader.uint()?)?, number(reader.uint()?)?));
    }
    match !stretches.is_empty() && is_rising(&stretches) {
        true => Ok(stretches),
        false => Err(ContentError::Odd("stretch")),
    }
}

/// Whether stretches have parts, and none begins before the one in front of it ends.
fn is_rising(wanted: &[(u32, u32)]) -> bool {
    let end = |(first, many): &(u32, u32)| u64::from(*first) + u64::from(*many);
    wanted.iter().all(|(_, many)| *many > 0) && wanted.is_sorted_by(|a, b| end(a) <= u64::from(b.0))
}

impl Enclosed {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        assert!(self.name.len() <= FILE_NAME_BYTES_MAX, "names are bounded where files are taken in");
        out.array(6);
        out.text(&self.name);
        out.uint(self.bytes);
        out.bytes(&self.root);
        out.bytes(&self.key.0);
        out.uint(u64::from(self.shape == Shape::Folder));
        out.uint(self.part_log);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Enclosed, ContentError> {
        reader.array_exact(6)?;
        let (name, bytes) = (reader.text()?.to_owned(), reader.uint()?);
        let (root, key) = (reader.bytes_exact()?, FileKey(reader.bytes_exact()?));
        let shape = match reader.uint()? {
            0 => Shape::File,
            1 => Shape::Folder,
            _ => return Err(ContentError::Odd("file")),
        };
        let part_log = u8::try_from(reader.uint()?).map_err(|_| CborError::Range)?;
        if name.len() > FILE_NAME_BYTES_MAX || bytes == 0 || bytes > FILE_BYTES_MAX {
            return Err(ContentError::Odd("file"));
        }
        Ok(Enclosed { name, bytes, root, key, shape, part_log })
    }

    pub fn parts(&self) -> u32 {
        parts_of(self.bytes)
    }
}

/// Reads the files beside a text: at least one.
pub(super) fn read_enclosed(reader: &mut Reader<'_>) -> Result<Vec<Enclosed>, ContentError> {
    let len = reader.array()?;
    if len > ENCLOSED_MAX {
        return Err(ContentError::TooMany("files"));
    }
    (0..len).map(|_| Enclosed::read(reader)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::content::{Content, Text};

    fn file(len: usize) -> (Vec<u8>, Vec<Part>) {
        let bytes: Vec<u8> = (0..len).map(|n| (n * 31 + n / 251) as u8).collect();
        let root = *blake3::hash(&bytes).as_bytes();
        let nodes: Vec<_> = bytes.chunks(PART_BYTES).enumerate().map(|(n, part)| part_node(n as u32, part)).collect();
        let tree = PartTree::over(nodes);
        if len > PART_BYTES {
            assert_eq!(tree.root(), Some(root), "the tree is BLAKE3's own");
        }
        let part = |(n, part): (usize, &[u8])| {
            let proof = if len > PART_BYTES { tree.proof(n as u32) } else { Vec::new() };
            Part { root, size: len as u64, index: n as u32, proof, bytes: part.to_vec(), extra: Vec::new() }
        };
        let parts = bytes.chunks(PART_BYTES).enumerate().map(part).collect();
        (bytes, parts)
    }

    #[test]
    fn each_part_verifies_alone_and_nowhere_else() {
        for len in [1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES, 5 * PART_BYTES + 7, 8 * PART_BYTES] {
            let (_, parts) = file(len);
            for part in &parts {
                assert!(part.is_true(), "part {} of {len} bytes", part.index);
                let lies = [
                    Part { index: part.index + 1, ..part.clone() },
                    Part { size: part.size * 2, ..part.clone() },
                    Part { size: u64::MAX, ..part.clone() },
                    Part { size: 0, ..part.clone() },
                    Part { root: [7; 32], ..part.clone() },
                    Part { proof: [&part.proof[..], &[[0; 32]]].concat(), ..part.clone() },
                    Part { bytes: [&[part.bytes[0] ^ 1], &part.bytes[1..]].concat(), ..part.clone() },
                ];
                assert!(lies.iter().all(|lie| !lie.is_true()), "part {} of {len} bytes", part.index);
                if part.index + 1 == parts_of(part.size) {
                    assert!(!Part { size: part.size + 1, ..part.clone() }.is_true(), "the last part knows the end");
                }
                assert!(part.proof.is_empty() || !Part { proof: part.proof[1..].to_vec(), ..part.clone() }.is_true());
            }
        }
    }

    #[test]
    fn a_part_and_a_request_read_back_and_lies_of_their_form_are_refused() {
        let (_, parts) = file(2 * PART_BYTES + 9);
        for part in [&parts[2], &parts[2].stub()] {
            let content = Content::Part(part.clone());
            assert_eq!(Content::decode(&content.encode()), Ok(content));
        }
        let ask = FileAsk { target: [3; 16], file: 1, wanted: vec![(0, 2), (2, 1), (9, 4)], ..FileAsk::default() };
        let none = FileAsk { wanted: Vec::new(), ..ask.clone() };
        let told = FileAsk { group: Some(NodeId::from_trusted([9; 32])), have: vec![(0, 3)], ..none.clone() };
        let limited = FileAsk { limit: Some(u64::MAX), ..none.clone() };
        for ask in [ask.clone(), FileAsk { stop: true, ..none.clone() }, told, limited] {
            let content = Content::Ask(ask);
            assert_eq!(Content::decode(&content.encode()), Ok(content));
        }
        let mut bytes = Content::Ask(FileAsk { wanted: vec![(5, 2), (9, 1)], ..ask }).encode();
        let at = bytes.iter().rposition(|byte| *byte == 9).unwrap();
        bytes[at] = 6;
        assert_eq!(Content::decode(&bytes), Err(ContentError::Odd("stretch")), "one begins in the other");
    }

    #[test]
    fn a_manifest_that_no_file_can_have_is_refused_and_its_key_is_never_shown() {
        let good = Enclosed {
            name: "plan".into(),
            bytes: 70_000,
            root: [1; 32],
            key: FileKey([2; 32]),
            shape: Shape::File,
            part_log: PART_LOG,
        };
        let text = |enclosed: Enclosed| Content::from(Text { enclosed: vec![enclosed], ..Text::default() });
        let content = text(good.clone());
        assert_eq!(Content::decode(&content.encode()), Ok(content.clone()));
        for bytes in [0, FILE_BYTES_MAX + 1, u64::MAX] {
            let lie = text(Enclosed { bytes, ..good.clone() }).encode();
            assert_eq!(Content::decode(&lie), Err(ContentError::Odd("file")), "{bytes} bytes");
        }
        assert!(!format!("{content:?}").contains("2, 2"));
        let many = Text { enclosed: vec![good; ENCLOSED_MAX], ..Text::default() };
        assert!(Content::decode(&Content::from(many).encode()).is_ok());
    }

    proptest! {
        #[test]
        fn whatever_comes_reads_back_the_same_or_not_at_all(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let read = [Part::decode(&bytes).map(Content::Part), FileAsk::decode(&bytes).map(Content::Ask)];
            for content in read.into_iter().flatten() {
                let again = content.encode();
                prop_assert_eq!(Content::decode(&again), Ok(content));
            }
        }
    }
}
