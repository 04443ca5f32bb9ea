//! Times as people write them, in their own time zone: the same at every door.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::{SignedDuration, Timestamp, Zoned};

use super::ApiError;
use super::model::When;
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
