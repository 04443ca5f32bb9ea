//! Hours in which nobody is told of mail.

use std::fmt;

/// A time of each day, from a minute up to another, which may lie on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// In minutes from midnight.
    from: u16,
    to: u16,
}

const DAY_MINUTES: u16 = 24 * 60;

/// Reads hours such as `22:00-07:00`; nothing is never.
pub fn parse_quiet(text: &str) -> Result<Option<QuietHours>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let hours = text.split_once('-').and_then(|(from, to)| Some(QuietHours { from: clock(from)?, to: clock(to)? }));
    match hours {
        Some(QuietHours { from, to }) if from == to => Err(format!("{text:?} begins and ends at the same minute")),
        Some(hours) => Ok(Some(hours)),
        None => Err(format!("{text:?} is not like 22:00-07:00")),
    }
}

fn clock(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit());
    let (hour, minute): (u16, u16) =
        (digits(hour) && digits(minute)).then_some((hour.parse().ok()?, minute.parse().ok()?))?;
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

impl QuietHours {
    /// How many minutes of them are left at a minute of the day; none where they do not last then.
    pub fn left(&self, minute: u16) -> Option<u16> {
        let since = (minute + DAY_MINUTES - self.from) % DAY_MINUTES;
        let long = (self.to + DAY_MINUTES - self.from) % DAY_MINUTES;
        long.checked_sub(since).filter(|left| *left > 0)
    }
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let QuietHours { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_may_go_over_midnight() {
        let night = parse_quiet(" 22:00 - 7:00 ").unwrap().unwrap();
        assert_eq!(night.to_string(), "22:00-07:00");
        let at = |hour: u16, minute| night.left(hour * 60 + minute);
        assert_eq!([at(21, 59), at(22, 0), at(0, 0), at(6, 59), at(7, 0)], [None, Some(540), Some(420), Some(1), None]);
        let noon = parse_quiet("12:30-13:30").unwrap().unwrap();
        assert_eq!([12 * 60 + 29, 12 * 60 + 30, 13 * 60 + 30].map(|minute| noon.left(minute)), [None, Some(60), None]);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        assert_eq!(parse_quiet(""), Ok(None));
        for text in
            ["22-7", "22:00", "24:00-07:00", "22:60-07:00", "+2:00-07:00", "07:00-07:00", "late", "22:00-07:00-"]
        {
            parse_quiet(text).unwrap_err();
        }
    }
}
