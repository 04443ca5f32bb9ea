//! `dak away`: that I am, until when, and what others are told.

use super::Outcome;
use super::args::AwayArgs;
use super::link::{Link, take};
use super::out::{Out, Style};
use super::times::parse_time;
use crate::api::model::{AwayRow, NewAway, Request};
use crate::api::{ApiError, Response};
use crate::safe_text::safe_prose;
use crate::time::Millis;
use crate::units::exact_span;

pub async fn away(link: &Link<'_>, args: &AwayArgs, out: &Out) -> Outcome {
    if args.end || is_over(args) {
        let done = take!(link.ask(Request::AwayEnd).await?, Done)?;
        return out.row(&done, |_| "back\n".into());
    }
    let asked = match (&args.text, &args.until) {
        (Some(text), Some(until)) => Request::AwaySet(NewAway {
            text: text.clone(),
            until: parse_time(until, &out.style.now)?,
            reply: args.reply,
            every_ms: args.every.map(|every| every.0),
        }),
        (Some(_), None) => {
            let error = ApiError::usage("it is not said until when");
            return Err(error
                .advise("name the time with --until, as in --until fri; --end says that you are back")
                .into());
        }
        (None, _) => Request::Away,
    };
    let row = take!(link.ask(asked).await?, Away)?;
    if row.away {
        out.talk("once you are back: dak away --end");
    }
    out.row(&row, |style| line(&row, style).unwrap_or_else(|| "not away\n".into()))
}

/// Whether one word without a time says that I am back: nobody who leaves says no more than that.
fn is_over(args: &AwayArgs) -> bool {
    let says = |word: &String| ["off", "end", "back"].contains(&word.to_lowercase().as_str());
    args.until.is_none() && !args.reply && args.text.as_ref().is_some_and(says)
}

/// What is said of it, for whoever reads text; a failure is nothing.
pub async fn ask(link: &Link<'_>, out: &Out) -> Option<AwayRow> {
    if out.json {
        return None;
    }
    match link.ask(Request::Away).await {
        Ok(Response::Away(row)) => Some(row),
        Ok(_) | Err(ApiError { .. }) => None,
    }
}

/// `away until fri 17:00, and contacts who write are told: at sea`; none of one who is not.
pub fn line(row: &AwayRow, style: &Style) -> Option<String> {
    let text = row.text.as_deref().filter(|_| row.away)?;
    let told = match (row.reply, row.every_ms) {
        (true, Some(every)) => format!(", and contacts who write are told, once in {}", exact_span(Millis(every))),
        _ => ", which nobody is told".into(),
    };
    Some(format!("away until {}{told}: {}\n", style.when(row.until), safe_prose(text)))
}
