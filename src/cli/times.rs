//! Times as people say them, in their own time zone.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp, Zoned};

use crate::api::ApiError;
use crate::api::model::When;
use crate::content::OFFSET_MINUTES_MAX;
use crate::units;

/// A day without an hour ends with its last second.
const END_OF_DAY: Time = Time::constant(23, 59, 59, 0);

/// Each may be shortened to three letters.
const WEEKDAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "monday"),
    (Weekday::Tuesday, "tuesday"),
    (Weekday::Wednesday, "wednesday"),
    (Weekday::Thursday, "thursday"),
    (Weekday::Friday, "friday"),
    (Weekday::Saturday, "saturday"),
    (Weekday::Sunday, "sunday"),
];

/// `today 11:02`, `yesterday 11:02`, `tomorrow 11:02`, `3 Mar 11:02`, `2027-03-03`.
pub fn short(when: When, now: &Zoned) -> String {
    let at = when.timestamp().to_zoned(now.time_zone().clone());
    let format = if at.year() == now.year() { "%-d %b %H:%M" } else { "%Y-%m-%d" };
    near(&at, now).unwrap_or_else(|| at.strftime(format).to_string())
}

/// The same at length, where there is room: `Tue 3 Mar 11:02`, `Wed 3 Mar 2027 11:02`.
pub fn whole(when: When, now: &Zoned) -> String {
    let at = when.timestamp().to_zoned(now.time_zone().clone());
    let format = if at.year() == now.year() { "%a %-d %b %H:%M" } else { "%a %-d %b %Y %H:%M" };
    near(&at, now).unwrap_or_else(|| at.strftime(format).to_string())
}

/// The same in a sentence: the days of a week from now, either way, have their names: `Friday 11:02`.
pub fn spoken(when: When, now: &Zoned) -> String {
    let at = when.timestamp().to_zoned(now.time_zone().clone());
    let days = now.date().until(at.date()).map_or(i32::MAX, |span| span.get_days());
    match near(&at, now) {
        None if days.abs() < 7 => at.strftime("%A %H:%M").to_string(),
        _ => whole(when, now),
    }
}

/// A clock on one of the three days that have names of their own.
fn near(at: &Zoned, now: &Zoned) -> Option<String> {
    let (day, today) = (at.date(), now.date());
    let name = match day {
        _ if day == today => "today",
        _ if today.yesterday().ok() == Some(day) => "yesterday",
        _ if today.tomorrow().ok() == Some(day) => "tomorrow",
        _ => return None,
    };
    Some(format!("{name} {}", at.strftime("%H:%M")))
}

/// An instant as the writer's clock on the wall has it, `09:00` or `Mon 09:00`; none where it says what the reader's does.
///
/// The writer's offset from UTC is known of the time of writing alone. A reader who had the same one then is taken to be in
/// the writer's zone: summer time changes both.
pub fn elsewhere(when: When, written: Option<When>, offset_minutes: i16, now: &Zoned) -> Option<String> {
    let zone = now.time_zone();
    let offset = Offset::from_seconds(i32::from(offset_minutes) * 60).ok()?;
    if zone.to_offset(written.unwrap_or(when).timestamp()) == offset {
        return None;
    }
    let (here, there) = (zone.to_datetime(when.timestamp()), offset.to_datetime(when.timestamp()));
    let format = if here.date() == there.date() { "%H:%M" } else { "%a %H:%M" };
    (here != there).then(|| there.strftime(format).to_string())
}

/// How far a zone is ahead of UTC, in whole minutes.
pub fn offset_minutes(now: &Zoned) -> Option<i16> {
    i16::try_from(now.offset().seconds() / 60).ok().filter(|minutes| minutes.abs() <= OFFSET_MINUTES_MAX)
}

/// Reads a time to come, as every option that is called TIME takes it, in the time zone of `now`:
///
/// - a span from now: `2h`, `3d`, `1h30m`;
/// - a clock, the next one: `18:00`;
/// - a day, which lasts to its end, or with a clock behind it: `today`, `tomorrow 9:00`, `fri 17:00`, `2026-03-01 18:00`. A
///   weekday is the next one, never today;
/// - ISO 8601 with an offset: `2026-03-01T18:00+02:00`.
///
/// A local time that the clocks jump over is as much later as they jump; of one that they show twice it is the first.
pub fn parse_time(text: &str, now: &Zoned) -> Result<When, ApiError> {
    let wrong = || {
        ApiError::usage(format!("{text:?} is no time"))
            .advise("write 2h, 18:00, tomorrow, friday 17:00, 2026-03-01 18:00, or 2026-03-01T18:00+02:00")
    };
    let when = instant(text.trim(), now).ok_or_else(wrong)?;
    if when <= now.timestamp() {
        return Err(ApiError::usage(format!("{text:?} is over already")).advise("name a time to come"));
    }
    Ok(when.into())
}

/// Reads a time that something was after or before, in the time zone of `now`, as the instant it begins with:
///
/// - a span back from now: `2h`, `7d`;
/// - a clock of today: `18:00`;
/// - a day, or with a clock behind it: `today`, `yesterday`, `mon`, `2026-03-01 18:00`. A weekday is the last one, or
///   today;
/// - a month or a year: `2026-03`, `2026`;
/// - ISO 8601 with an offset.
pub fn parse_since(text: &str, now: &Zoned) -> Result<When, ApiError> {
    let wrong = || {
        ApiError::usage(format!("{text:?} is no date"))
            .advise("write 2026-03-01, 2026-03, yesterday, friday, 7d, or \"2026-03-01 18:00\"")
    };
    Ok(since(text.trim(), now).ok_or_else(wrong)?.into())
}

fn since(text: &str, now: &Zoned) -> Option<Timestamp> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        let (year, rest) = text.split_once('-').unwrap_or((text, "1-1"));
        let (month, day) = rest.split_once('-').unwrap_or((rest, "1"));
        let date = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
        return (year.len() == 4).then(|| at_local(date.to_datetime(Time::midnight()), now))?;
    }
    if let Ok(span) = units::parse_span(text) {
        let span = SignedDuration::from_millis(i64::try_from(span.0).ok()?);
        return now.timestamp().checked_sub(span).ok();
    }
    if let Some(clock) = clock(text) {
        return at_local(now.date().to_datetime(clock), now);
    }
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    match past_day(&word.to_lowercase(), now) {
        Some(day) if rest.is_empty() => at_local(day.to_datetime(Time::midnight()), now),
        Some(day) if clock(rest).is_some() => at_local(day.to_datetime(clock(rest)?), now),
        // With seconds, or a T in its middle.
        _ if text.contains(':') => at_local(text.parse().ok()?, now),
        _ => None,
    }
}

fn past_day(word: &str, now: &Zoned) -> Option<Date> {
    let today = now.date();
    match word {
        "yesterday" => today.yesterday().ok(),
        _ => match WEEKDAYS.iter().find(|(_, name)| word.len() >= 3 && name.starts_with(word)) {
            Some((weekday, _)) if *weekday == today.weekday() => Some(today),
            Some((weekday, _)) => today.nth_weekday(-1, *weekday).ok(),
            None => day(word, now),
        },
    }
}

fn instant(text: &str, now: &Zoned) -> Option<Timestamp> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    if let Ok(span) = units::parse_span(text) {
        let span = SignedDuration::from_millis(i64::try_from(span.0).ok()?);
        return now.timestamp().checked_add(span).ok();
    }
    if let Some(clock) = clock(text) {
        let today = at_local(now.date().to_datetime(clock), now)?;
        return if today > now.timestamp() {
            Some(today)
        } else {
            at_local(now.date().tomorrow().ok()?.to_datetime(clock), now)
        };
    }
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    match day(&word.to_lowercase(), now) {
        Some(day) if rest.is_empty() => at_local(day.to_datetime(END_OF_DAY), now),
        Some(day) if clock(rest).is_some() => at_local(day.to_datetime(clock(rest)?), now),
        // With seconds, or a T in its middle.
        _ if text.contains(':') => at_local(text.parse().ok()?, now),
        _ => None,
    }
}

fn clock(text: &str) -> Option<Time> {
    Time::strptime("%H:%M", text.trim()).ok()
}

fn day(word: &str, now: &Zoned) -> Option<Date> {
    let today = now.date();
    match word {
        "today" => Some(today),
        "tomorrow" => today.tomorrow().ok(),
        _ => match WEEKDAYS.iter().find(|(_, name)| word.len() >= 3 && name.starts_with(word)) {
            Some((weekday, _)) => today.nth_weekday(1, *weekday).ok(),
            None => Date::strptime("%Y-%m-%d", word).ok(),
        },
    }
}

fn at_local(local: DateTime, now: &Zoned) -> Option<Timestamp> {
    local.to_zoned(now.time_zone().clone()).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn now() -> Zoned {
        "2026-03-01T12:00[+02:00]".parse().unwrap()
    }

    /// Without a database of time zones.
    fn berlin(text: &str) -> Zoned {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        text.parse::<DateTime>().unwrap().to_zoned(zone).unwrap()
    }

    fn when(text: &str) -> When {
        text.parse::<Timestamp>().unwrap().into()
    }

    #[test]
    fn times_are_short_and_local() {
        let shown = [
            "2026-03-01T09:02:59Z",
            "2026-02-28T22:30:00Z",
            "2026-02-28T21:30:00Z",
            "2026-03-02T00:00:00Z",
            "2026-02-03T00:00:00Z",
            "2027-03-01T12:00:00Z",
        ]
        .map(|text| short(when(text), &now()));
        let wanted = ["today 11:02", "today 00:30", "yesterday 23:30", "tomorrow 02:00", "3 Feb 02:00", "2027-03-01"];
        assert_eq!(shown, wanted);
    }

    #[test]
    fn another_year_keeps_its_hour_where_there_is_room() {
        assert_eq!(whole(when("2027-03-01T12:00:00Z"), &now()), "Mon 1 Mar 2027 14:00");
        assert_eq!(whole(when("2026-03-06T12:00:00Z"), &now()), "Fri 6 Mar 14:00");
        assert_eq!(whole(when("2026-03-02T00:00:00Z"), &now()), "tomorrow 02:00");
    }

    #[test]
    fn the_days_of_a_week_have_names_in_a_sentence() {
        let said = |text| spoken(when(text), &now());
        assert_eq!(said("2026-03-07T12:00:00Z"), "Saturday 14:00");
        assert_eq!(said("2026-03-08T12:00:00Z"), "Sun 8 Mar 14:00", "not today, which is a Sunday too");
        assert_eq!(said("2026-02-23T12:00:00Z"), "Monday 14:00");
        assert_eq!(said("2026-03-01T12:00:00Z"), "today 14:00");
        assert_eq!(said("2027-03-01T12:00:00Z"), "Mon 1 Mar 2027 14:00");
    }

    #[test]
    fn a_time_to_come_is_read_as_people_write_it() {
        // It is a Sunday, at noon.
        let cases = [
            ("18:00", "2026-03-01T16:00:00Z"),
            ("9:30", "2026-03-02T07:30:00Z"),
            ("12:00", "2026-03-02T10:00:00Z"),
            ("today", "2026-03-01T21:59:59Z"),
            ("today 13:00", "2026-03-01T11:00:00Z"),
            ("tomorrow", "2026-03-02T21:59:59Z"),
            ("Tomorrow  18:00", "2026-03-02T16:00:00Z"),
            ("friday", "2026-03-06T21:59:59Z"),
            ("Fri 17:00", "2026-03-06T15:00:00Z"),
            ("tues", "2026-03-03T21:59:59Z"),
            ("sunday", "2026-03-08T21:59:59Z"),
            ("sun 18:00", "2026-03-08T16:00:00Z"),
            ("2026-04-01", "2026-04-01T21:59:59Z"),
            ("2026-04-01 18:00", "2026-04-01T16:00:00Z"),
            ("2026-04-01T18:00", "2026-04-01T16:00:00Z"),
            ("2026-04-01 18:00:30", "2026-04-01T16:00:30Z"),
            ("2026-04-01T18:00:00Z", "2026-04-01T18:00:00Z"),
            ("2026-04-01T18:00-03:30", "2026-04-01T21:30:00Z"),
            ("2h", "2026-03-01T12:00:00Z"),
            ("3d 4h", "2026-03-04T14:00:00Z"),
        ];
        for (text, wanted) in cases {
            assert_eq!(parse_time(text, &now()), Ok(when(wanted)), "{text}");
        }
        for text in ["", "25:00", "soon", "fr", "fridays", "friday noon", "2026-02-30", "18", "18:00:00:00", "9999999w"]
        {
            let error = parse_time(text, &now()).unwrap_err();
            assert_eq!((error.kind.exit_code(), error.to_string().contains("friday 17:00")), (2, true), "{text}");
        }
        for text in ["0", "today 09:00", "today 12:00", "2026-02-28", "2020-01-01 10:00", "2026-03-01T09:00Z"] {
            let error = parse_time(text, &now()).unwrap_err();
            assert!(error.to_string().contains("over already"), "{text}: {error}");
        }
    }

    #[test]
    fn a_time_that_the_clocks_skip_or_show_twice_is_read_all_the_same() {
        let spring = berlin("2026-03-28T12:00");
        // Of the hour from 2 to 3 there is none.
        assert_eq!(parse_time("tomorrow 02:30", &spring), Ok(when("2026-03-29T01:30:00Z")));
        assert_eq!(parse_time("tomorrow", &spring), Ok(when("2026-03-29T21:59:59Z")), "its end is in summer time");
        assert_eq!(parse_time("24h", &spring), Ok(when("2026-03-29T11:00:00Z")), "a span is one of elapsed time");
        let autumn = berlin("2026-10-24T12:00");
        assert_eq!(parse_time("tomorrow 02:30", &autumn), Ok(when("2026-10-25T00:30:00Z")));
        assert_eq!(parse_time("2026-10-25T02:30+01:00", &autumn), Ok(when("2026-10-25T01:30:00Z")));
    }

    #[test]
    fn the_writers_clock_is_shown_where_it_says_something_else() {
        let at = |text| when(text);
        let here = now();
        let there = |text, minutes| elsewhere(at(text), None, minutes, &here);
        assert_eq!(there("2026-03-01T16:00:00Z", -420).as_deref(), Some("09:00"));
        assert_eq!(there("2026-03-01T16:00:00Z", 480).as_deref(), Some("Mon 00:00"));
        assert_eq!(there("2026-03-01T16:00:00Z", 120), None);
        // Both are in Berlin: after the change to summer time the old offset is nobody's.
        let berlin = berlin("2026-03-28T12:00");
        let written = Some(at("2026-03-28T10:00:00Z"));
        assert_eq!(elsewhere(at("2026-03-30T16:00:00Z"), written, 60, &berlin), None);
        assert_eq!(elsewhere(at("2026-03-30T16:00:00Z"), written, 0, &berlin).as_deref(), Some("16:00"));
        assert_eq!((offset_minutes(&here), offset_minutes(&berlin)), (Some(120), Some(60)));
    }

    #[test]
    fn a_time_that_something_was_after_is_the_beginning_of_what_is_said() {
        let cases = [
            ("2026-02-03", "2026-02-02T22:00:00Z"),
            ("2026-02", "2026-01-31T22:00:00Z"),
            ("2025", "2024-12-31T22:00:00Z"),
            ("today", "2026-02-28T22:00:00Z"),
            ("Yesterday", "2026-02-27T22:00:00Z"),
            ("yesterday 18:00", "2026-02-28T16:00:00Z"),
            // A Sunday.
            ("sunday", "2026-02-28T22:00:00Z"),
            ("mon", "2026-02-22T22:00:00Z"),
            ("09:00", "2026-03-01T07:00:00Z"),
            ("2d", "2026-02-27T10:00:00Z"),
            ("2026-02-03 18:00", "2026-02-03T16:00:00Z"),
            ("2026-02-03T18:00:30", "2026-02-03T16:00:30Z"),
            ("2026-02-03T18:00:00Z", "2026-02-03T18:00:00Z"),
        ];
        for (text, wanted) in cases {
            assert_eq!(parse_since(text, &now()), Ok(when(wanted)), "{text}");
        }
        for text in ["", "soon", "2026-13", "26-01-01", "2026-02-30", "2026-1-1-1", "-", "25:00", "yesterday soon"] {
            assert_eq!(parse_since(text, &now()).unwrap_err().kind.exit_code(), 2, "{text}");
        }
    }
}
