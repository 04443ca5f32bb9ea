//! Times as people say them, in their own time zone.

use jiff::civil::{DateTime, Time};
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};

use crate::api::ApiError;
use crate::api::model::When;
use crate::units;

/// `today 11:02`, `yesterday 11:02`, `tomorrow 11:02`, `3 Mar 11:02`, `2027-03-03`.
pub fn short(when: When, now: &Zoned) -> String {
    let at = when.timestamp().to_zoned(now.time_zone().clone());
    let clock = at.strftime("%H:%M").to_string();
    let (day, today) = (at.date(), now.date());
    if day == today {
        format!("today {clock}")
    } else if today.yesterday().is_ok_and(|yesterday| day == yesterday) {
        format!("yesterday {clock}")
    } else if today.tomorrow().is_ok_and(|tomorrow| day == tomorrow) {
        format!("tomorrow {clock}")
    } else if day.year() == today.year() {
        at.strftime("%-d %b %H:%M").to_string()
    } else {
        at.strftime("%Y-%m-%d").to_string()
    }
}

/// Reads when an answer would come too late: `18:00` (the next one), `today 18:00`, `tomorrow 18:00`,
/// `2026-03-01 18:00`, an RFC 3339 time, or a span from now such as `2h`.
pub fn parse_reply_by(text: &str, now: &Zoned) -> Result<When, ApiError> {
    let wrong = || {
        ApiError::usage(format!("{text:?} is no time"))
            .advise("write 18:00, tomorrow 18:00, 2026-03-01 18:00, or a span such as 2h")
    };
    let when = instant(text.trim(), now).ok_or_else(wrong)?;
    if when <= now.timestamp() {
        return Err(ApiError::usage(format!("{text:?} is over already")).advise("name a time to come"));
    }
    Ok(when.into())
}

fn instant(text: &str, now: &Zoned) -> Option<Timestamp> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    if let Ok(local) = text.parse::<DateTime>() {
        return at_local(local, now);
    }
    if let Ok(span) = units::parse_span(text) {
        let span = SignedDuration::from_millis(i64::try_from(span.0).ok()?);
        return now.timestamp().checked_add(span).ok();
    }
    if let Some(clock) = text.strip_prefix("today ") {
        return at_local(now.date().to_datetime(time_of_day(clock)?), now);
    }
    if let Some(clock) = text.strip_prefix("tomorrow ") {
        return at_local(now.date().tomorrow().ok()?.to_datetime(time_of_day(clock)?), now);
    }
    let clock = time_of_day(text)?;
    let today = at_local(now.date().to_datetime(clock), now)?;
    if today > now.timestamp() {
        return Some(today);
    }
    at_local(now.date().checked_add(1.day()).ok()?.to_datetime(clock), now)
}

fn time_of_day(text: &str) -> Option<Time> {
    Time::strptime("%H:%M", text.trim()).ok()
}

fn at_local(local: DateTime, now: &Zoned) -> Option<Timestamp> {
    local.to_zoned(now.time_zone().clone()).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Zoned {
        "2026-03-01T12:00[+02:00]".parse().unwrap()
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
    fn a_time_to_answer_by_is_read_as_people_write_it() {
        let cases = [
            ("18:00", "2026-03-01T16:00:00Z"),
            ("09:30", "2026-03-02T07:30:00Z"),
            ("12:00", "2026-03-02T10:00:00Z"),
            ("tomorrow 18:00", "2026-03-02T16:00:00Z"),
            ("today 13:00", "2026-03-01T11:00:00Z"),
            ("2026-04-01 18:00", "2026-04-01T16:00:00Z"),
            ("2026-04-01T18:00:00Z", "2026-04-01T18:00:00Z"),
            ("2h", "2026-03-01T12:00:00Z"),
        ];
        for (text, wanted) in cases {
            assert_eq!(parse_reply_by(text, &now()), Ok(when(wanted)), "{text}");
        }
        for text in ["", "25:00", "soon", "today 09:00", "2020-01-01 10:00", "18:00:00:00", "99999999999w"] {
            assert_eq!(parse_reply_by(text, &now()).unwrap_err().kind.exit_code(), 2, "{text}");
        }
    }
}
