//! Where the person put a message or a conversation, and whether it waits for them there.

use super::time;
use crate::agent::change::Row;
use crate::mail::entries::{key, number};
use crate::time::DtnTime;

/// Where the person put a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub pinned: bool,
    pub archived: bool,
    pub snoozed_until: Option<DtnTime>,
}

/// Where the person put a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TalkPlace {
    pub pinned: bool,
    /// What stands in it up to this row.
    pub archived_to: Option<Row>,
    pub snoozed_until: Option<DtnTime>,
    pub muted: Option<Mute>,
    /// Some of its messages were put away one by one, now or at any time before.
    pub some_apart: bool,
}

/// Nobody is to be told of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mute {
    /// For ever, where none is said.
    pub until: Option<DtnTime>,
    /// But of what names this person.
    pub except_mentions: bool,
}

/// Whether a message waits for the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    Yes,
    No,
    /// Only where it names this person.
    IfMentioned,
}

const PINNED: u8 = 1;

const ARCHIVED: u8 = 2;

const SNOOZED: u8 = 4;

const MUTED: u8 = 8;

const MUTED_UNTIL: u8 = 16;

const EXCEPT_MENTIONS: u8 = 32;

const SOME_APART: u8 = 64;

impl Place {
    /// None where nothing is arranged.
    pub fn write(&self) -> Option<Vec<u8>> {
        let flags =
            flag(PINNED, self.pinned) | flag(ARCHIVED, self.archived) | flag(SNOOZED, self.snoozed_until.is_some());
        (flags != 0).then(|| key([&[flags], &time(self.snoozed_until)]))
    }

    /// Reads what [`Place::write`] wrote; of anything else nothing is arranged.
    pub fn read(value: &[u8]) -> Place {
        let Some((&flags, times)) = value.split_first().filter(|(_, times)| times.len() == 8) else {
            return Place::default();
        };
        let is = |bit| flags & bit != 0;
        Place {
            pinned: is(PINNED),
            archived: is(ARCHIVED),
            snoozed_until: is(SNOOZED).then(|| DtnTime(number(times, 0))),
        }
    }

    /// Until when it is out of sight; none where that is over, or no clock says when that is.
    pub fn snoozed(&self, now: DtnTime) -> Option<DtnTime> {
        self.snoozed_until.filter(|until| lasts(*until, now))
    }
}

impl TalkPlace {
    /// None where nothing is arranged.
    pub fn write(&self) -> Option<Vec<u8>> {
        let mute = self.muted.unwrap_or_default();
        let flags = flag(PINNED, self.pinned)
            | flag(ARCHIVED, self.archived_to.is_some())
            | flag(SNOOZED, self.snoozed_until.is_some())
            | flag(MUTED, self.muted.is_some())
            | flag(MUTED_UNTIL, mute.until.is_some())
            | flag(EXCEPT_MENTIONS, mute.except_mentions)
            | flag(SOME_APART, self.some_apart);
        let archived = self.archived_to.unwrap_or(Row(0)).0.to_be_bytes();
        (flags != 0).then(|| key([&[flags], &archived, &time(self.snoozed_until), &time(mute.until)]))
    }

    /// Reads what [`TalkPlace::write`] wrote; of anything else nothing is arranged.
    pub fn read(value: &[u8]) -> TalkPlace {
        let Some((&flags, numbers)) = value.split_first().filter(|(_, numbers)| numbers.len() == 24) else {
            return TalkPlace::default();
        };
        let is = |bit| flags & bit != 0;
        let mute =
            Mute { until: is(MUTED_UNTIL).then(|| DtnTime(number(numbers, 16))), except_mentions: is(EXCEPT_MENTIONS) };
        TalkPlace {
            pinned: is(PINNED),
            archived_to: is(ARCHIVED).then(|| Row(number(numbers, 0))),
            snoozed_until: is(SNOOZED).then(|| DtnTime(number(numbers, 8))),
            muted: is(MUTED).then_some(mute),
            some_apart: is(SOME_APART),
        }
    }

    /// Until when it is out of sight; none where that is over, or no clock says when that is.
    pub fn snoozed(&self, now: DtnTime) -> Option<DtnTime> {
        self.snoozed_until.filter(|until| lasts(*until, now))
    }

    pub fn mute(&self, now: DtnTime) -> Option<Mute> {
        self.muted.filter(|mute| mute.until.is_none_or(|until| lasts(until, now)))
    }

    /// Whether it is archived whose last row is this: something new brings it back, unless it is muted.
    pub fn is_archived(&self, last: Row, now: DtnTime) -> bool {
        self.archived_to.is_some_and(|to| last <= to || self.mute(now).is_some())
    }

    /// Whether a message at a row waits for the person, which is put to this place.
    pub fn waits(&self, row: Row, place: &Place, now: DtnTime) -> Waits {
        let is_archived = place.archived || self.archived_to.is_some_and(|to| row <= to);
        if is_archived || place.snoozed(now).is_some() || self.snoozed(now).is_some() {
            return Waits::No;
        }
        match self.mute(now) {
            None => Waits::Yes,
            Some(Mute { except_mentions: true, .. }) => Waits::IfMentioned,
            Some(_) => Waits::No,
        }
    }
}

fn flag(bit: u8, is_set: bool) -> u8 {
    if is_set { bit } else { 0 }
}

/// Without a clock, which is a time of zero, nothing is kept from anybody's eyes.
fn lasts(until: DtnTime, now: DtnTime) -> bool {
    now.0 != 0 && now < until
}

/// Whether a text names somebody: `@name` between what is neither letter nor digit, in small or capital letters.
pub fn mentions(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.trim().to_lowercase());
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    !name.is_empty()
        && text.match_indices('@').any(|(at, _)| {
            let (before, behind) = (&text[..at], &text[at + 1..]);
            let stands_alone = !before.chars().next_back().is_some_and(is_word);
            let rest = behind.strip_prefix(&*name);
            stands_alone && rest.is_some_and(|rest| !rest.chars().next().is_some_and(is_word))
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOON: DtnTime = DtnTime(1_000_000);

    #[test]
    fn a_conversation_that_was_archived_is_back_with_what_comes_unless_it_is_muted() {
        let archived = TalkPlace { archived_to: Some(Row(5)), ..TalkPlace::default() };
        assert!(archived.is_archived(Row(5), NOON) && !archived.is_archived(Row(6), NOON));
        let waits = |row| archived.waits(Row(row), &Place::default(), NOON);
        assert_eq!((waits(5), waits(6)), (Waits::No, Waits::Yes), "what was put away stays there");
        let end = DtnTime(NOON.0 + 1);
        let until = Some(end);
        let muted = TalkPlace { muted: Some(Mute { until, except_mentions: false }), ..archived };
        assert!(muted.is_archived(Row(6), NOON));
        assert!(!muted.is_archived(Row(6), end), "until then");
    }

    #[test]
    fn what_is_snoozed_is_back_at_its_time_and_where_there_is_no_clock() {
        let end = DtnTime(NOON.0 + 1);
        let until = Some(end);
        let (talk, message) = (
            TalkPlace { snoozed_until: until, ..TalkPlace::default() },
            Place { snoozed_until: until, ..Place::default() },
        );
        for (now, waits) in [(NOON, Waits::No), (end, Waits::Yes), (DtnTime(0), Waits::Yes)] {
            assert_eq!(talk.waits(Row(1), &Place::default(), now), waits, "{now:?}");
            assert_eq!(TalkPlace::default().waits(Row(1), &message, now), waits, "{now:?}");
            assert_eq!(
                (talk.snoozed(now).is_some(), message.snoozed(now).is_some()),
                (waits == Waits::No, waits == Waits::No)
            );
        }
    }

    #[test]
    fn of_a_muted_conversation_waits_at_most_what_names_its_reader() {
        let muted =
            |except_mentions| TalkPlace { muted: Some(Mute { until: None, except_mentions }), ..TalkPlace::default() };
        assert_eq!(muted(false).waits(Row(1), &Place::default(), NOON), Waits::No);
        assert_eq!(muted(true).waits(Row(1), &Place::default(), NOON), Waits::IfMentioned);
        let archived = Place { archived: true, ..Place::default() };
        assert_eq!(muted(true).waits(Row(1), &archived, NOON), Waits::No);
    }

    #[test]
    fn a_name_is_meant_where_it_stands_alone_behind_its_mark() {
        for text in ["@bob", "ask @Bob.", "(@BOB)", "@bobby and @bob", "@bob's turn", "x @bob, y", "😀@bob"] {
            assert!(mentions(text, "Bob"), "{text}");
        }
        for text in ["bob", "@bobby", "bob@bob", "a@bob", "@bo", "@ bob", "@bob_2", "@bob2", ""] {
            assert!(!mentions(text, "bob"), "{text}");
        }
        assert!(mentions("hey @Zoë Smith!", "zoë smith") && mentions("@ÄRGER", "ärger"));
        assert!(!mentions("@", "") && !mentions("@ x", " "));
    }

    proptest! {
        #[test]
        fn places_read_back(
            pinned: bool,
            archived in prop::option::of(any::<u64>()),
            snoozed in prop::option::of(any::<u64>()),
            muted in prop::option::of((prop::option::of(any::<u64>()), any::<bool>())),
            some_apart: bool,
            noise in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let place = Place { pinned, archived: archived.is_some(), snoozed_until: snoozed.map(DtnTime) };
            prop_assert_eq!(place.write().map_or(Place::default(), |value| Place::read(&value)), place);
            let muted = muted.map(|(until, except_mentions)| Mute { until: until.map(DtnTime), except_mentions });
            let (archived_to, snoozed_until) = (archived.map(Row), snoozed.map(DtnTime));
            let talk = TalkPlace { pinned, archived_to, snoozed_until, muted, some_apart };
            prop_assert_eq!(talk.write().map_or(TalkPlace::default(), |value| TalkPlace::read(&value)), talk);
            // Whatever lies there.
            let _ = (Place::read(&noise), TalkPlace::read(&noise));
        }
    }
}
