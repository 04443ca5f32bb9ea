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

/// Likewise.
const MONTHS: [(i8, &str); 12] = [
    (1, "january"),
    (2, "february"),
    (3, "march"),
    (4, "april"),
    (5, "may"),
    (6, "june"),
    (7, "july"),
    (8, "august"),
    (9, "september"),
    (10, "october"),
    (11, "november"),
    (12, "december"),
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

/// Which way a time lies that could lie either way: a span, a weekday, a date without its year.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Toward {
    Future,
    Past,
}

/// Why a text is no time.
enum Odd {
    NoTime,
    /// Day and month stand in one order in some countries and in the other one elsewhere; what may be meant.
    Slashes(Vec<Date>),
}

/// Reads a time to come, in the time zone of `now`. A day without a clock lasts to its end: something is due by then.
///
/// - a span from now: `2h`, `3d`, `1h30m`, `in 3 days`;
/// - a clock, the next one: `18:00`, `5pm`, `noon`;
/// - a day, alone or with a clock: `today`, `tomorrow 9:00`, `fri 17:00`, `5pm tomorrow`, `31.12.2026`, `3 Mar`,
///   `2026-03-01 18:00`. A weekday is the next one, never today, and a date without a year the next one, or today;
/// - ISO 8601 with an offset: `2026-03-01T18:00+02:00`.
///
/// What this program prints as a time is one too. A local time that the clocks jump over is as much later as they jump; of
/// one that they show twice it is the first.
pub fn parse_time(text: &str, now: &Zoned) -> Result<When, ApiError> {
    coming(text, now, END_OF_DAY)
}

/// The same where something begins at that time: a day without a clock is meant from its beginning on.
pub fn parse_start(text: &str, now: &Zoned) -> Result<When, ApiError> {
    coming(text, now, Time::midnight())
}

fn coming(text: &str, now: &Zoned, of_day: Time) -> Result<When, ApiError> {
    let forms = "write 3d, 18:00, 5pm, tomorrow, friday 17:00, 31.12.2026, 2026-03-01 18:00, or 2026-03-01T18:00+02:00";
    let when = read(text, now, Toward::Future, of_day).map_err(|odd| odd.said(text, "time", forms))?;
    if when <= now.timestamp() {
        return Err(ApiError::usage(format!("{text:?} is over already")).advise("name a time to come"));
    }
    Ok(when.into())
}

/// Reads a time that something was after or before, as the instant it begins with. As [`parse_time`] does, but:
///
/// - a span is one back from now: `7d`, `3 days ago`;
/// - a clock is one of today;
/// - a weekday is the last one, or today, and so is a date without a year;
/// - a month or a year begins with its first day: `2026-03`, `2026`.
pub fn parse_since(text: &str, now: &Zoned) -> Result<When, ApiError> {
    let forms = "write 2026-03-01, 31.12.2026, 2026-03, yesterday, friday, 7d, 9:00, or \"2026-03-01 18:00\"";
    let when = read(text, now, Toward::Past, Time::midnight()).map_err(|odd| odd.said(text, "date", forms))?;
    Ok(when.into())
}

impl Odd {
    fn said(self, text: &str, what: &str, forms: &str) -> ApiError {
        match self {
            Odd::NoTime => ApiError::usage(format!("{text:?} is no {what}")).advise(forms),
            Odd::Slashes(dates) => {
                let spoken: Vec<String> = dates.iter().map(|date| date.strftime("%-d %B").to_string()).collect();
                let typed: Vec<String> = dates.iter().map(Date::to_string).collect();
                let why = match &spoken[..] {
                    [_] => "is written day first in some countries and month first in others".into(),
                    _ => format!("may be {}", spoken.join(" or ")),
                };
                ApiError::usage(format!("{text:?} {why}")).advise(format!("write {}", typed.join(" or ")))
            }
        }
    }
}

fn read(text: &str, now: &Zoned, toward: Toward, of_day: Time) -> Result<Timestamp, Odd> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    let text = text.to_lowercase();
    if let Some(span) = span(&text, toward) {
        return now.timestamp().checked_add(span).map_err(|_| Odd::NoTime);
    }
    let text = between_digits(&text);
    let mut words: Vec<&str> = text.split_whitespace().filter(|word| !matches!(*word, "at" | "on")).collect();
    if let Some(dates) = words.iter().find_map(|word| slashed(word)) {
        return Err(Odd::Slashes(dates));
    }
    let clock = take_clock(&mut words);
    let local = match (&words[..], clock) {
        ([], Some(clock)) => {
            let today = now.date().to_datetime(clock);
            let is_over = at_local(today, now).is_some_and(|at| at <= now.timestamp());
            match toward {
                Toward::Future if is_over => now.date().tomorrow().map_err(|_| Odd::NoTime)?.to_datetime(clock),
                _ => today,
            }
        }
        (words, clock) => date(words, now, toward).ok_or(Odd::NoTime)?.to_datetime(clock.unwrap_or(of_day)),
    };
    at_local(local, now).ok_or(Odd::NoTime)
}

/// How far from now a span leads, and which way.
fn span(text: &str, toward: Toward) -> Option<SignedDuration> {
    let ahead = text.strip_prefix("in ").map(|span| (span, Toward::Future));
    let ago = text.strip_suffix(" ago").map(|span| (span, Toward::Past));
    let (span, toward) = ahead.or(ago).unwrap_or((text, toward));
    let one = ["a ", "an "].iter().find_map(|article| span.strip_prefix(article)).map(|unit| format!("1 {unit}"));
    let span = units::parse_span(one.as_deref().unwrap_or(span)).ok()?;
    let span = SignedDuration::from_millis(i64::try_from(span.0).ok()?);
    Some(if toward == Toward::Future { span } else { -span })
}

/// The T that stands between a date and a clock in ISO 8601, as a blank.
fn between_digits(text: &str) -> String {
    match text.split_once('t') {
        Some((day, clock)) if day.ends_with(|c: char| c.is_ascii_digit()) && clock.contains(':') => {
            format!("{day} {clock}")
        }
        _ => text.to_owned(),
    }
}

/// The dates that `03/04/2026` may mean; none for anything else.
fn slashed(word: &str) -> Option<Vec<Date>> {
    let parts: Vec<&str> = word.split('/').collect();
    let numbers = parts.iter().map(|part| part.parse().ok()).collect::<Option<Vec<i16>>>()?;
    let [first, second, year] = numbers[..] else { return None };
    let year = if (0..100).contains(&year) { 2000 + year } else { year };
    let date = |day: i16, month: i16| Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok();
    let mut dates: Vec<Date> = [date(first, second), date(second, first)].into_iter().flatten().collect();
    dates.dedup();
    (!dates.is_empty()).then_some(dates)
}

/// Takes the first clock out of the words.
fn take_clock(words: &mut Vec<&str>) -> Option<Time> {
    for at in 0..words.len() {
        // With a blank, as in 5 pm.
        let halves = words.get(at + 1).filter(|half| matches!(**half, "am" | "pm"));
        let (clock, many) = match halves {
            Some(half) => (clock(&format!("{}{half}", words[at])), 2),
            None => (clock(words[at]), 1),
        };
        if clock.is_some() {
            words.drain(at..at + many);
            return clock;
        }
    }
    None
}

/// `18:00`, `18:00:30`, `5pm`, `5:30pm`, `noon`.
fn clock(word: &str) -> Option<Time> {
    if word == "noon" {
        return Some(Time::constant(12, 0, 0, 0));
    }
    let (clock, afternoon) = match (word.strip_suffix("am"), word.strip_suffix("pm")) {
        (Some(clock), _) => (clock, Some(0)),
        (_, Some(clock)) => (clock, Some(12)),
        (None, None) => (word, None),
    };
    let numbers = clock.split(':').map(number).collect::<Option<Vec<i8>>>()?;
    let (hour, minute, second) = match (&numbers[..], afternoon) {
        ([hour], Some(_)) => (*hour, 0, 0),
        ([hour, minute], _) => (*hour, *minute, 0),
        ([hour, minute, second], _) => (*hour, *minute, *second),
        _ => return None,
    };
    let hour = match afternoon {
        None => hour,
        Some(more) => (1..=12).contains(&hour).then_some(hour % 12 + more)?,
    };
    Time::new(hour, minute, second, 0).ok()
}

/// A day, as one word or several.
fn date(words: &[&str], now: &Zoned, toward: Toward) -> Option<Date> {
    let today = now.date();
    match words {
        ["today"] => Some(today),
        ["tomorrow"] => today.tomorrow().ok(),
        ["yesterday"] => today.yesterday().ok(),
        [word] if let Some(weekday) = weekday(word) => match toward {
            Toward::Future => today.nth_weekday(1, weekday).ok(),
            Toward::Past if weekday == today.weekday() => Some(today),
            Toward::Past => today.nth_weekday(-1, weekday).ok(),
        },
        // As this program prints a day, with the weekday before its date.
        [word, rest @ ..] if let Some(weekday) = weekday(word) => {
            date(rest, now, toward).filter(|date| date.weekday() == weekday)
        }
        [word] if word.contains('.') => match word.split('.').collect::<Vec<_>>()[..] {
            [day, month, ""] | [day, month] => near_date(number(day)?, number(month)?, today, toward),
            [day, month, year] => Date::new(whole_year(year)?, number(month)?, number(day)?).ok(),
            _ => None,
        },
        [word] => match (&word.split('-').collect::<Vec<_>>()[..], toward) {
            ([year, month, day], _) => Date::new(whole_year(year)?, number(month)?, number(day)?).ok(),
            ([year, month], Toward::Past) => Date::new(whole_year(year)?, number(month)?, 1).ok(),
            ([year], Toward::Past) => Date::new(whole_year(year)?, 1, 1).ok(),
            _ => None,
        },
        [one, other] => {
            let (day, month) = day_and_month(one, other)?;
            near_date(day, month, today, toward)
        }
        [one, other, year] => {
            let (day, month) = day_and_month(one, other)?;
            Date::new(whole_year(year)?, month, day).ok()
        }
        _ => None,
    }
}

/// `3 mar`, `march 3`, `3rd march`.
fn day_and_month(one: &str, other: &str) -> Option<(i8, i8)> {
    let (day, month) = match month(one) {
        Some(month) => (other, month),
        None => (one, month(other)?),
    };
    let day = day.trim_end_matches(['.', ',']);
    let day = ["st", "nd", "rd", "th"].iter().find_map(|end| day.strip_suffix(end)).unwrap_or(day);
    Some((number(day)?, month))
}

/// The next such day, or the last one; today is both.
fn near_date(day: i8, month: i8, today: Date, toward: Toward) -> Option<Date> {
    // There may be no 29 February for eight years.
    let years = (0..=8).map(|years| today.year() + if toward == Toward::Future { years } else { -years });
    let mut dates = years.filter_map(|year| Date::new(year, month, day).ok());
    dates.find(|date| if toward == Toward::Future { *date >= today } else { *date <= today })
}

fn weekday(word: &str) -> Option<Weekday> {
    begins(&WEEKDAYS, word)
}

fn month(word: &str) -> Option<i8> {
    begins(&MONTHS, word.trim_end_matches(['.', ',']))
}

fn begins<T: Copy>(names: &[(T, &str)], word: &str) -> Option<T> {
    names.iter().find(|(_, name)| word.len() >= 3 && name.starts_with(word)).map(|(what, _)| *what)
}

/// One or two digits.
fn number(text: &str) -> Option<i8> {
    let is_number = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// Four digits: of two nobody knows the century.
fn whole_year(text: &str) -> Option<i16> {
    text.parse().ok().filter(|_| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit()))
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
            ("in 3 days", "2026-03-04T10:00:00Z"),
            ("in an hour", "2026-03-01T11:00:00Z"),
            ("5pm", "2026-03-01T15:00:00Z"),
            ("5 PM", "2026-03-01T15:00:00Z"),
            ("9:30am", "2026-03-02T07:30:00Z"),
            ("12am", "2026-03-01T22:00:00Z"),
            ("12:30pm", "2026-03-01T10:30:00Z"),
            ("tomorrow 5pm", "2026-03-02T15:00:00Z"),
            ("5pm tomorrow", "2026-03-02T15:00:00Z"),
            ("tomorrow at 17:00", "2026-03-02T15:00:00Z"),
            ("on friday at 5 pm", "2026-03-06T15:00:00Z"),
            ("friday noon", "2026-03-06T10:00:00Z"),
            ("31.12.2026", "2026-12-31T21:59:59Z"),
            ("31.12.2026 18:00", "2026-12-31T16:00:00Z"),
            ("1.4.", "2026-04-01T21:59:59Z"),
            ("28.2.", "2027-02-28T21:59:59Z"),
            ("29.2.", "2028-02-29T21:59:59Z"),
            ("3 Mar", "2026-03-03T21:59:59Z"),
            ("3rd March 17:00", "2026-03-03T15:00:00Z"),
            ("March 3, 2027", "2027-03-03T21:59:59Z"),
            ("Wed 3 Mar 2027 11:02", "2027-03-03T09:02:00Z"),
        ];
        for (text, wanted) in cases {
            assert_eq!(parse_time(text, &now()), Ok(when(wanted)), "{text}");
        }
        for text in [
            "",
            "25:00",
            "soon",
            "fr",
            "fridays",
            "midnight",
            "2026-02-30",
            "31.2.2026",
            "1.4.26",
            "18",
            "18:00:00:00",
            "13pm",
            "0am",
            "2026",
            "2026-04",
            "mon 3 mar",
            "friday 17:00 18:00",
            "tomorrow friday",
            "9999999w",
            "in friday",
            "+1",
        ] {
            let error = parse_time(text, &now()).unwrap_err();
            assert_eq!((error.kind.exit_code(), error.to_string().contains("friday 17:00")), (2, true), "{text}");
        }
        for text in [
            "0",
            "today 09:00",
            "today 12:00",
            "2026-02-28",
            "2020-01-01 10:00",
            "2026-03-01T09:00Z",
            "yesterday",
            "3d ago",
        ] {
            let error = parse_time(text, &now()).unwrap_err();
            assert!(error.to_string().contains("over already"), "{text}: {error}");
        }
    }

    #[test]
    fn what_begins_on_a_day_begins_with_it() {
        assert_eq!(parse_start("tomorrow", &now()), Ok(when("2026-03-01T22:00:00Z")));
        assert_eq!(parse_start("friday 9:00", &now()), parse_time("friday 9:00", &now()));
        assert_eq!(parse_start("2h", &now()), parse_time("2h", &now()));
        assert!(parse_start("today", &now()).is_err(), "it began");
    }

    #[test]
    fn a_date_with_slashes_is_refused_with_what_it_may_be() {
        let said =
            |text| [parse_time(text, &now()), parse_since(text, &now())].map(|read| read.unwrap_err().to_string());
        for said in said("03/04/2026") {
            assert_eq!(said, "\"03/04/2026\" may be 3 April or 4 March; write 2026-04-03 or 2026-03-04");
        }
        let one = "is written day first in some countries and month first in others; write 2026-12-31";
        for text in ["31/12/2026", "12/31/2026 18:00", "31/12/26"] {
            assert!(said(text).iter().all(|said| said.ends_with(one)), "{text}: {:?}", said(text));
        }
        assert!(said("5/5/2026")[0].ends_with("; write 2026-05-05"));
        assert!(said("99/99/2026")[0].contains("is no time"));
    }

    #[test]
    fn what_is_printed_as_a_time_can_be_typed() {
        for text in ["2026-03-01T16:00:00Z", "2026-03-02T00:30:00Z", "2026-03-06T15:00:00Z", "2026-11-09T09:02:00Z"] {
            for shown in [short(when(text), &now()), whole(when(text), &now()), spoken(when(text), &now())] {
                assert_eq!(parse_time(&shown, &now()), Ok(when(text)), "{shown}");
            }
        }
        for text in ["2026-02-28T22:30:00Z", "2026-02-27T10:00:00Z", "2026-01-09T09:02:00Z"] {
            for shown in [short(when(text), &now()), whole(when(text), &now())] {
                assert_eq!(parse_since(&shown, &now()), Ok(when(text)), "{shown}");
            }
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
            ("2 days ago", "2026-02-27T10:00:00Z"),
            ("5pm", "2026-03-01T15:00:00Z"),
            ("3.2.2026", "2026-02-02T22:00:00Z"),
            ("28.2.", "2026-02-27T22:00:00Z"),
            ("31 dec", "2025-12-30T22:00:00Z"),
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
