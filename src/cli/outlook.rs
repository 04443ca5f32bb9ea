//! What stands below a listing of mail: that nobody was met, and what ended unseen. Facts, and no more than are known.

use super::link::Link;
use super::out::{Out, Style};
use super::times;
use crate::api::model::{OutlookRow, Request};
use crate::api::{ApiError, Response};
use crate::units::counted;

/// What is known of it, for whoever reads text. A failure is none: what was asked for was printed.
pub async fn ask(link: &Link<'_>, out: &Out) -> Option<OutlookRow> {
    if out.json {
        return None;
    }
    match link.ask(Request::Outlook).await {
        Ok(Response::Outlook(row)) => Some(row),
        Ok(_) | Err(ApiError { .. }) => None,
    }
}

/// That nobody was met for so long, where messages wait for that.
pub fn nobody_comes(row: &OutlookRow, style: &Style) -> Option<String> {
    if row.met_now > 0 || row.waiting == 0 {
        return None;
    }
    let met = match row.last_met_at {
        Some(when) => format!("nobody met since {}", times::spoken(when, &style.now)),
        None => "nobody met so far".into(),
    };
    let (wait, first) = if row.waiting == 1 { ("waits", ", and ends") } else { ("wait", ", the first ends") };
    let end = row.first_end_at.map(|end| format!("{first} {}", times::spoken(end, &style.now)));
    Some(format!("{met}; {} {wait}{}", counted(row.waiting, "message"), end.unwrap_or_default()))
}

/// That answers are due, or were lately.
pub fn due_soon(row: &OutlookRow, style: &Style) -> Option<String> {
    let first = row.first_due_at.map(|when| times::spoken(when, &style.now)).unwrap_or_default();
    let due = match row.due {
        0 => None,
        1 => Some(format!("1 answer due by {first}")),
        many => Some(format!("{many} answers due within a day, the first by {first}")),
    };
    let overdue = (row.overdue > 0).then(|| format!("{} overdue", row.overdue));
    let said: Vec<String> = due.into_iter().chain(overdue).collect();
    (!said.is_empty()).then(|| format!("{}: dak inbox --due", said.join("; ")))
}

/// That messages ended without a receipt since the person looked.
pub fn ended_unseen(row: &OutlookRow) -> Option<String> {
    let said = format!("{} of my messages ended without a receipt: dak status --unsettled", row.ended);
    (row.ended > 0).then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::samples::{at, outlook};

    fn style() -> Style {
        Style { width: Some(80), color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() }
    }

    #[test]
    fn what_waits_says_since_when_nobody_was_met() {
        let said = |row: OutlookRow| nobody_comes(&row, &style());
        let wanted = "nobody met since today 09:00; 3 messages wait, the first ends Friday 11:00";
        assert_eq!(said(outlook()).as_deref(), Some(wanted));
        let one = OutlookRow { last_met_at: None, waiting: 1, first_end_at: at(35, 0), ..outlook() };
        assert_eq!(said(one).as_deref(), Some("nobody met so far; 1 message waits, and ends tomorrow 11:00"));
        let no_clock = OutlookRow { first_end_at: None, ..outlook() };
        assert_eq!(said(no_clock).as_deref(), Some("nobody met since today 09:00; 3 messages wait"));
        assert_eq!(said(OutlookRow { met_now: 1, ..outlook() }), None);
        assert_eq!(said(OutlookRow { waiting: 0, ..outlook() }), None);
        assert_eq!(due_soon(&outlook(), &style()), None);
        let due = |due, overdue| OutlookRow { due, overdue, first_due_at: at(18, 0), ..outlook() };
        for (row, wanted) in [
            (due(1, 0), "1 answer due by today 18:00: dak inbox --due"),
            (due(2, 1), "2 answers due within a day, the first by today 18:00; 1 overdue: dak inbox --due"),
            (due(0, 2), "2 overdue: dak inbox --due"),
        ] {
            assert_eq!(due_soon(&row, &style()).as_deref(), Some(wanted));
        }
        assert_eq!(ended_unseen(&outlook()), None);
        let ended = ended_unseen(&OutlookRow { ended: 2, ..outlook() }).unwrap();
        assert_eq!(ended, "2 of my messages ended without a receipt: dak status --unsettled");
    }
}
