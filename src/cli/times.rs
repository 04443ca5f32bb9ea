//! Times as people say them, in their own time zone.

use jiff::Zoned;
use jiff::tz::Offset;

use crate::api::model::When;
pub use crate::api::times::{parse_since, parse_start, parse_time};
use crate::content::OFFSET_MINUTES_MAX;

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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::DateTime;
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
