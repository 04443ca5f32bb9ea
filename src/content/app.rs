//! Updates of shared apps: what one who uses an app tells the others who have it.
//!
//! An app is a file that somebody sent: a *webxdc* container (webxdc.org), whose name ends in `.xdc`. Everybody who has the
//! message has the app, and what it keeps in common is the sum of its updates.
//!
//! | key | field | value |
//! |---|---|---|
//! | 2 | target | 16 bytes: the first half of the id of the message with the app |
//! | 3 | prior | array of at most 4 times 16 bytes: updates of the same app that its author knew |
//! | 4 | payload | text of 1 to 128,000 bytes: JSON, which the app alone understands |
//! | 5 | info | text: a line for the conversation |
//! | 6 | document | text: the name of what is being edited |
//! | 7 | summary | text: what stands beside the app's icon |
//! | 8 | href | text: which of its pages the app opens from that line |
//! | 9 | notify | array of at most 64 `[address, text]`: whom of its users it wants to be told, and what |
//!
//! In which order updates are replayed is mail's to say (`mail/apps.rs`).

use super::amendment::{read_prior, write_prior};
use super::{ContentError, Field, Mark, PRIOR_MAX, keep, read_map, write_map};
use crate::cbor::{Reader, Writer};

/// Longest payload in bytes: what apps may send where nobody tells them a limit. A contact of a second or two hands one over,
/// and an app that has more to say says it in several.
pub const PAYLOAD_BYTES_MAX: usize = 128_000;
/// Longest line for the conversation in bytes; apps are told to stay under 50 characters.
pub const INFO_BYTES_MAX: usize = 512;
/// Longest name of a document, and longest summary, in bytes; apps are told to stay under 20 characters.
pub const TITLE_BYTES_MAX: usize = 256;
/// Longest page of an app in bytes.
pub const HREF_BYTES_MAX: usize = 2_048;
/// Most users of an app that an update names to be told.
pub const NOTIFIED_MAX: usize = 64;
/// Longest address of an app's user in bytes.
pub const ADDRESS_BYTES_MAX: usize = 64;
/// Longest text for one user who is to be told, in bytes.
pub const NOTICE_BYTES_MAX: usize = 256;

/// One update of a shared app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppUpdate {
    pub target: Mark,
    /// At most [`PRIOR_MAX`], in rising order.
    pub prior: Vec<Mark>,
    /// JSON, as far as its author kept to the rules.
    pub payload: String,
    pub info: Option<String>,
    pub document: Option<String>,
    pub summary: Option<String>,
    pub href: Option<String>,
    /// Addresses within the app in rising order, each with its text.
    pub notify: Vec<(String, String)>,
    /// Fields of newer versions.
    pub extra: Vec<Field>,
}

/// The kind of an update.
pub(super) const UPDATE: u64 = 5;

const TARGET: u64 = 2;
const PRIOR: u64 = 3;
const PAYLOAD: u64 = 4;
const INFO: u64 = 5;
const DOCUMENT: u64 = 6;
const SUMMARY: u64 = 7;
const HREF: u64 = 8;
const NOTIFY: u64 = 9;

impl AppUpdate {
    pub(super) fn encode(&self) -> Vec<u8> {
        assert!(self.prior.len() <= PRIOR_MAX && self.prior.is_sorted_by(|a, b| a < b), "priors rise, and are few");
        assert!((1..=PAYLOAD_BYTES_MAX).contains(&self.payload.len()), "an update has a payload of bounded length");
        assert!(
            self.notify.len() <= NOTIFIED_MAX && self.notify.is_sorted_by(|a, b| a.0 < b.0),
            "who is to be told is named once, and they are few"
        );
        assert!(self.extra.iter().all(|(key, _)| !is_known(*key)), "unknown fields have unknown keys");
        let fields = self.known_fields();
        let mut out = Vec::new();
        let write_known = |out: &mut Vec<u8>| fields.iter().for_each(|key| self.write_field(*key, out));
        write_map(&self.extra, fields.len(), write_known, &mut out);
        out
    }

    fn known_fields(&self) -> Vec<u64> {
        let present = [
            (super::KIND, true),
            (TARGET, true),
            (PRIOR, !self.prior.is_empty()),
            (PAYLOAD, true),
            (INFO, self.info.is_some()),
            (DOCUMENT, self.document.is_some()),
            (SUMMARY, self.summary.is_some()),
            (HREF, self.href.is_some()),
            (NOTIFY, !self.notify.is_empty()),
        ];
        present.into_iter().filter_map(|(key, present)| present.then_some(key)).collect()
    }

    fn write_field(&self, key: u64, out: &mut Vec<u8>) {
        let text = |text: &Option<String>, bytes_max: usize, out: &mut Vec<u8>| {
            let text = text.as_deref().unwrap_or_default();
            assert!((1..=bytes_max).contains(&text.len()), "a text of an update has a bounded length");
            out.text(text);
        };
        out.uint(key);
        match key {
            super::KIND => out.uint(UPDATE),
            TARGET => out.bytes(&self.target),
            PRIOR => write_prior(&self.prior, out),
            PAYLOAD => out.text(&self.payload),
            INFO => text(&self.info, INFO_BYTES_MAX, out),
            DOCUMENT => text(&self.document, TITLE_BYTES_MAX, out),
            SUMMARY => text(&self.summary, TITLE_BYTES_MAX, out),
            HREF => text(&self.href, HREF_BYTES_MAX, out),
            NOTIFY => {
                out.array(self.notify.len());
                for (address, notice) in &self.notify {
                    out.array(2);
                    out.text(address);
                    out.text(notice);
                }
            }
            _ => unreachable!("known fields have known keys"),
        }
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<AppUpdate, ContentError> {
        let (mut update, mut target) = (AppUpdate::default(), None);
        read_map(bytes, &mut |key, reader| match key {
            TARGET => {
                target = Some(reader.bytes_exact()?);
                Ok(())
            }
            _ => update.read_field(key, reader),
        })?;
        update.target = target.ok_or(ContentError::Missing("which app it is of"))?;
        match update.payload.is_empty() {
            true => Err(ContentError::Missing("what it tells the app")),
            false => Ok(update),
        }
    }

    fn read_field(&mut self, key: u64, reader: &mut Reader<'_>) -> Result<(), ContentError> {
        match key {
            super::KIND => drop(reader.uint()?),
            PRIOR => self.prior = read_prior(reader)?,
            PAYLOAD => self.payload = read_text(reader, PAYLOAD_BYTES_MAX, "payload")?,
            INFO => self.info = Some(read_text(reader, INFO_BYTES_MAX, "line")?),
            DOCUMENT => self.document = Some(read_text(reader, TITLE_BYTES_MAX, "name of a document")?),
            SUMMARY => self.summary = Some(read_text(reader, TITLE_BYTES_MAX, "summary")?),
            HREF => self.href = Some(read_text(reader, HREF_BYTES_MAX, "page")?),
            NOTIFY => self.notify = read_notify(reader)?,
            _ => keep(key, reader, &mut self.extra)?,
        }
        Ok(())
    }
}

fn read_text(reader: &mut Reader<'_>, bytes_max: usize, what: &'static str) -> Result<String, ContentError> {
    let text = reader.text()?;
    match (1..=bytes_max).contains(&text.len()) {
        true => Ok(text.to_owned()),
        false => Err(ContentError::Odd(what)),
    }
}

fn read_notify(reader: &mut Reader<'_>) -> Result<Vec<(String, String)>, ContentError> {
    let many = reader.array()?;
    if many > NOTIFIED_MAX {
        return Err(ContentError::TooMany("people to be told"));
    }
    let one = |reader: &mut Reader<'_>| {
        reader.array_exact(2)?;
        let address = read_text(reader, ADDRESS_BYTES_MAX, "address")?;
        let notice = reader.text()?;
        match notice.len() <= NOTICE_BYTES_MAX {
            true => Ok((address, notice.to_owned())),
            false => Err(ContentError::Odd("notice")),
        }
    };
    let notify = (0..many).map(|_| one(reader)).collect::<Result<Vec<_>, ContentError>>()?;
    // One set of people has one encoding.
    if notify.is_empty() || !notify.is_sorted_by(|a, b| a.0 < b.0) {
        Err(ContentError::Odd("people to be told"))
    } else {
        Ok(notify)
    }
}

fn is_known(key: u64) -> bool {
    (super::KIND..=NOTIFY).contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;

    fn all_fields() -> AppUpdate {
        AppUpdate {
            target: [1; 16],
            prior: vec![[2; 16], [3; 16]],
            payload: "{\"vote\":1}".into(),
            info: Some("alice voted".into()),
            document: Some("Lunch".into()),
            summary: Some("8 votes".into()),
            href: Some("index.html#vote".into()),
            notify: vec![("*".into(), String::new()), ("a1".into(), "your turn".into())],
            extra: vec![(40, vec![0x05])],
        }
    }

    #[test]
    fn every_field_reads_back_and_a_payload_alone_does() {
        let bare = AppUpdate { target: [9; 16], payload: "null".into(), ..AppUpdate::default() };
        for update in [all_fields(), bare] {
            let content = Content::App(update);
            assert_eq!(Content::decode(&content.encode()), Ok(content));
        }
    }

    #[test]
    fn what_lacks_an_app_or_a_payload_or_is_too_long_is_refused() {
        let start = |fields: u8| [&[fields, 0x01, 0x05, 0x02, 0x50][..], &[1; 16]].concat();
        assert_eq!(Content::decode(&start(0xa2)), Err(ContentError::Missing("what it tells the app")));
        assert_eq!(
            Content::decode(&[0xa2, 0x01, 0x05, 0x04, 0x61, b'1']),
            Err(ContentError::Missing("which app it is of"))
        );
        assert_eq!(Content::decode(&[&start(0xa3)[..], &[0x04, 0x60]].concat()), Err(ContentError::Odd("payload")));
        let with = |key: u64, bytes: usize| {
            let mut out = start(0xa4);
            out.uint(PAYLOAD);
            out.text("1");
            out.uint(key);
            out.text(&"x".repeat(bytes));
            Content::decode(&out)
        };
        for (key, max) in
            [(INFO, INFO_BYTES_MAX), (DOCUMENT, TITLE_BYTES_MAX), (SUMMARY, TITLE_BYTES_MAX), (HREF, HREF_BYTES_MAX)]
        {
            assert!(with(key, max).is_ok(), "{key}");
            assert!(matches!(with(key, max + 1), Err(ContentError::Odd(_))), "{key}");
            assert!(matches!(with(key, 0), Err(ContentError::Odd(_))), "{key}");
        }
        let payload = |bytes: usize| {
            let mut out = start(0xa3);
            out.uint(PAYLOAD);
            out.text(&"1".repeat(bytes));
            Content::decode(&out)
        };
        assert!(payload(PAYLOAD_BYTES_MAX).is_ok());
        assert_eq!(payload(PAYLOAD_BYTES_MAX + 1), Err(ContentError::Odd("payload")));
    }

    #[test]
    fn who_is_to_be_told_is_named_once_and_in_order() {
        let told = |names: &[&str]| {
            let mut out = [&[0xa4, 0x01, 0x05, 0x02, 0x50][..], &[1; 16], &[0x04, 0x61, b'1', 0x09]].concat();
            out.array(names.len());
            for name in names {
                out.array(2);
                out.text(name);
                out.text("x");
            }
            Content::decode(&out)
        };
        assert!(told(&["a", "b"]).is_ok());
        for names in [&["b", "a"][..], &["a", "a"], &[], &[""]] {
            assert!(matches!(told(names), Err(ContentError::Odd(_))), "{names:?}");
        }
        let many: Vec<String> = (0..=NOTIFIED_MAX).map(|n| format!("{n:03}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(told(&many), Err(ContentError::TooMany("people to be told")));
    }
}
