//! Explaining bundles to people: block by block, as far as the bytes make sense, whether they verify or not.

use std::fmt;

use crate::cbor::{CborError, Reader};
use crate::eid::Eid;
use crate::id::hex;
use crate::receipt::{RECEIPT_RECORD_TYPE, Receipt};
use crate::time::{DtnTime, Millis};

use super::{Unverified, layout};

/// What can be said of bytes that should be a bundle. All texts are plain ASCII, whatever the bytes were.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Inspection {
    pub bytes: usize,
    /// The id in full, where the form is right.
    pub id: Option<String>,
    pub verified: bool,
    /// Why it does not verify.
    pub why_not: Option<String>,
    /// The blocks in their order, at most [`INSPECTED_BLOCKS_MAX`].
    pub blocks: Vec<InspectedBlock>,
    /// Where reading ended before the bundle did, and why.
    pub stopped: Option<String>,
}

/// One block of an [`Inspection`].
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct InspectedBlock {
    pub name: String,
    /// 0 for the primary block, which has neither type nor number.
    pub block_type: u64,
    pub number: u64,
    pub flags: u64,
    pub crc_type: u64,
    /// The offset of its first byte in the bundle, and its length.
    pub at: usize,
    pub bytes: usize,
    /// What it says: label and value.
    pub facts: Vec<(&'static str, String)>,
}

/// Most blocks that an inspection lists.
pub const INSPECTED_BLOCKS_MAX: usize = 64;

/// Reads bytes block by block and says what they are, and whether they are a bundle of this profile that verifies.
pub fn inspect(bytes: &[u8]) -> Inspection {
    let unverified = Unverified::parse(bytes);
    let id = unverified.as_ref().ok().map(|unverified| unverified.id().full());
    let verdict = unverified.and_then(Unverified::verify);
    let mut blocks = Vec::new();
    let stopped = read_blocks(bytes, &mut blocks).err();
    Inspection {
        bytes: bytes.len(),
        id,
        verified: verdict.is_ok(),
        why_not: verdict.err().map(|error| error.to_string()),
        blocks,
        stopped,
    }
}

fn read_blocks(bytes: &[u8], blocks: &mut Vec<InspectedBlock>) -> Result<(), String> {
    let mut reader = Reader::new(bytes);
    if !reader.take_if(&[layout::OPEN]) {
        return Err("at byte 0: no open array (9f) starts here".into());
    }
    let stopped = |at: usize, error: CborError| format!("in the block at byte {at}: {error}");
    blocks.push(inspect_primary(&mut reader).map_err(|error| stopped(1, error))?);
    while !reader.take_if(&[layout::CLOSE]) {
        let at = reader.position();
        if blocks.len() == INSPECTED_BLOCKS_MAX {
            return Err(format!("at byte {at}: more blocks follow than are listed"));
        }
        blocks.push(inspect_block(&mut reader).map_err(|error| stopped(at, error))?);
    }
    match reader.rest().len() {
        0 => Ok(()),
        left => Err(format!("at byte {}: {left} bytes follow the end", reader.position())),
    }
}

fn inspect_primary(reader: &mut Reader<'_>) -> Result<InspectedBlock, CborError> {
    let at = reader.position();
    let fields = reader.array()?;
    let (version, flags, crc_type) = (reader.uint()?, reader.uint()?, reader.uint()?);
    let mut facts = vec![("version", version.to_string()), ("flags", flag_names(flags))];
    facts.push(("destination", endpoint(reader)?));
    facts.push(("source", endpoint(reader)?));
    facts.push(("report to", endpoint(reader)?));
    reader.array_exact(2)?;
    facts.push(("created", time(reader.uint()?)));
    facts.push(("sequence", reader.uint()?.to_string()));
    facts.push(("lifetime", Millis(reader.uint()?).to_string()));
    if flags & layout::FLAG_FRAGMENT != 0 {
        facts.push(("fragment", format!("at {} of {} bytes", reader.uint()?, reader.uint()?)));
    }
    if crc_type != 0 {
        let crc = reader.bytes()?;
        facts.push((
            "crc",
            format!("{}{}", hex(&crc[..crc.len().min(4)]), crc_verdict(crc_type, reader.since(at), crc)),
        ));
    }
    let expected_fields = 8 + usize::from(crc_type != 0) + 2 * usize::from(flags & layout::FLAG_FRAGMENT != 0);
    if fields != expected_fields {
        return Err(CborError::Range);
    }
    let bytes = reader.position() - at;
    Ok(InspectedBlock { name: "primary".into(), block_type: 0, number: 0, flags, crc_type, at, bytes, facts })
}

fn crc_verdict(crc_type: u64, primary: &[u8], crc: &[u8]) -> &'static str {
    match crc_type {
        layout::CRC_TYPE if crc.len() == 4 && crc == layout::primary_crc(primary) => ", right",
        layout::CRC_TYPE => ", wrong",
        _ => ", not checked",
    }
}

fn inspect_block(reader: &mut Reader<'_>) -> Result<InspectedBlock, CborError> {
    let at = reader.position();
    let fields = reader.array()?;
    let (block_type, number, flags, crc_type) = (reader.uint()?, reader.uint()?, reader.uint()?, reader.uint()?);
    let data = reader.bytes()?;
    if crc_type != 0 {
        reader.bytes()?;
    }
    if fields != 5 + usize::from(crc_type != 0) {
        return Err(CborError::Range);
    }
    let (name, facts) = content(block_type, data);
    Ok(InspectedBlock {
        name: name.into(),
        block_type,
        number,
        flags,
        crc_type,
        at,
        bytes: reader.position() - at,
        facts: facts.unwrap_or_else(|_| raw_facts(data)),
    })
}

type Facts = Vec<(&'static str, String)>;

fn content(block_type: u64, data: &[u8]) -> (&'static str, Result<Facts, CborError>) {
    let mut reader = Reader::new(data);
    match block_type {
        1 => ("payload", Ok(payload_facts(data))),
        6 => ("previous node", endpoint(&mut reader).map(|eid| vec![("node", eid)])),
        7 => ("bundle age", reader.uint().map(|age| vec![("age", Millis(age).to_string())])),
        10 => ("hop count", pair(&mut reader).map(|(limit, count)| vec![("hops", format!("{count} of {limit}"))])),
        11 => ("integrity", security_facts(&mut reader)),
        12 => ("confidentiality", security_facts(&mut reader)),
        193 => ("class of service", pair(&mut reader).map(|(priority, copies)| class_facts(priority, copies))),
        _ => ("unknown", Ok(raw_facts(data))),
    }
}

fn pair(reader: &mut Reader<'_>) -> Result<(u64, u64), CborError> {
    reader.array_exact(2)?;
    Ok((reader.uint()?, reader.uint()?))
}

fn class_facts(priority: u64, copies: u64) -> Facts {
    let priority = match priority {
        0 => "bulk".into(),
        1 => "normal".into(),
        2 => "urgent".into(),
        other => format!("{other}, unknown"),
    };
    vec![("priority", priority), ("copies", copies.to_string())]
}

/// The abstract security block of RFC 9172 section 3.6.
fn security_facts(reader: &mut Reader<'_>) -> Result<Facts, CborError> {
    let targets = hex(short(reader.skip()?));
    let (context, flags) = (reader.int()?, reader.uint()?);
    let mut facts = vec![("targets", targets), ("context", context_name(context)), ("source", endpoint(reader)?)];
    if flags & 1 != 0 {
        facts.push(("parameters", summary(reader.skip()?)));
    }
    facts.push(("results", summary(reader.skip()?)));
    Ok(facts)
}

fn context_name(context: i64) -> String {
    match context {
        1 => "1, BIB-HMAC-SHA2".into(),
        2 => "2, BCB-AES-GCM".into(),
        3 => "3, COSE".into(),
        other => other.to_string(),
    }
}

fn payload_facts(data: &[u8]) -> Facts {
    let Ok(receipt) = Receipt::decode(data) else { return raw_facts(data) };
    let ids: Vec<String> = receipt.ids.iter().take(4).map(ToString::to_string).collect();
    let more = if receipt.ids.len() > ids.len() { ", ..." } else { "" };
    vec![
        ("record", format!("{RECEIPT_RECORD_TYPE}, receipt")),
        ("says", format!("{:?}", receipt.kind)),
        ("source", receipt.source.peer_id()),
        ("device", format!("{} of {}", receipt.device, receipt.devices)),
        ("bundles", format!("{}: {}{more}", receipt.ids.len(), ids.join(", "))),
    ]
}

fn raw_facts(data: &[u8]) -> Facts {
    vec![("data", summary(data))]
}

fn summary(bytes: &[u8]) -> String {
    let more = if short(bytes).len() < bytes.len() { "..." } else { "" };
    format!("{} bytes: {}{more}", bytes.len(), hex(short(bytes)))
}

fn short(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(24)]
}

/// An endpoint of any scheme, in characters that are safe to print.
fn endpoint(reader: &mut Reader<'_>) -> Result<String, CborError> {
    reader.array_exact(2)?;
    let scheme = reader.uint()?;
    let start = reader.clone();
    Ok(match (scheme, reader.text()) {
        (1, Ok(text)) => {
            let known = Eid::parse_after_scheme(text).map_or_else(|error| format!(" ({error})"), |_| String::new());
            format!("dtn:{}{known}", text.chars().take(128).flat_map(char::escape_default).collect::<String>())
        }
        _ => {
            *reader = start;
            match (scheme, reader.skip()?) {
                (1, [0]) => "dtn:none".into(),
                (scheme, item) => format!("scheme {scheme}, {}", hex(short(item))),
            }
        }
    })
}

fn flag_names(flags: u64) -> String {
    const NAMES: [(u64, &str); 9] = [
        (0x01, "fragment"),
        (0x02, "administrative record"),
        (0x04, "must not fragment"),
        (0x20, "acknowledge"),
        (0x40, "time in reports"),
        (0x4000, "report reception"),
        (0x1_0000, "report forwarding"),
        (0x2_0000, "report delivery"),
        (0x4_0000, "report deletion"),
    ];
    let names: Vec<&str> = NAMES.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name).collect();
    format!("{flags:#x} ({})", names.join(", "))
}

/// A time of the DTN epoch in UTC; 0 is no clock (RFC 9171 section 4.2.6).
fn time(ms: u64) -> String {
    if ms == 0 {
        return "0, the source had no clock".into();
    }
    let seconds = DtnTime(ms).unix_ms() / 1_000;
    let (days, seconds) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// Year, month and day of a number of days since 1970-01-01, in the Gregorian calendar: eras of 400 years are
/// 146,097 days long, and years that start in March end with the leap day.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let march_month = (5 * day + 2) / 153;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day - (153 * march_month + 2) / 5 + 1)
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => writeln!(f, "bundle {id}, {} bytes", self.bytes)?,
            None => writeln!(f, "{} bytes", self.bytes)?,
        }
        for block in &self.blocks {
            write!(f, "{block}")?;
        }
        if let Some(stopped) = &self.stopped {
            writeln!(f, "reading ended {stopped}")?;
        }
        match &self.why_not {
            None => writeln!(f, "verified: the signature holds over these bytes"),
            Some(why) => writeln!(f, "NOT VERIFIED: {why}"),
        }
    }
}

impl fmt::Display for InspectedBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        if self.name != "primary" {
            write!(f, "type {}, number {}, flags {:#x}, ", self.block_type, self.number, self.flags)?;
        }
        writeln!(f, "crc type {}, {} bytes at {}", self.crc_type, self.bytes, self.at)?;
        self.facts.iter().try_for_each(|(label, value)| writeln!(f, "  {label:<12} {value}"))
    }
}
