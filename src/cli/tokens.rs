//! `dak token`: what programs show to reach this node over loopback.

use serde::Serialize;

use super::Outcome;
use super::args::{Token as Args, TokenWhat};
use super::link::{Link, nothing_set_up};
use super::out::{Out, Style};
use super::table::{Table, cell};
use crate::api::ApiError;
use crate::api::model::{Done, Schema, When};
use crate::config::{Config, Flags};
use crate::safe_text::safe_text;
use crate::tokens::{May, Token, TokenError, Tokens};

/// A token as `--json` has it.
#[derive(Serialize)]
struct TokenRow<'a> {
    schema: Schema,
    name: &'a str,
    read_only: bool,
    topics: Option<&'a [String]>,
    made_at: When,
    /// Only where it was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

/// Nobody has to be asked: the file is the person's own, and a running node reads it.
pub async fn token(link: &Link<'_>, args: &Args, out: &Out) -> Outcome {
    if !link.home().is_set_up() {
        return Err(nothing_set_up().into());
    }
    let tokens = Tokens::of(link.home().tokens_path());
    match &args.what {
        None | Some(TokenWhat::List) => list(&tokens.list().map_err(ApiError::from)?, out),
        Some(TokenWhat::Add { name, read_only, topics }) => {
            add(link, &tokens, name, May { read_only: *read_only, topics: topics.clone() }, out)
        }
        Some(TokenWhat::Revoke { name }) => {
            tokens.revoke(name).map_err(|error| match error {
                TokenError::Unknown(_) => ApiError::from(error).advise("see `dak token`"),
                error => error.into(),
            })?;
            out.row(&Done::default(), |_| format!("revoked {}\n", safe_text(name)))
        }
    }
}

fn add(link: &Link<'_>, tokens: &Tokens, name: &str, may: May, out: &Out) -> Outcome {
    let made_at = When::from(out.style.now.timestamp());
    let token = tokens.add(name, may.clone(), made_at.0).map_err(ApiError::from)?;
    let (read_only, topics) = (may.read_only, may.topics.as_deref());
    let row = TokenRow { schema: Schema, name, read_only, topics, made_at, token: Some(&token) };
    out.row(&row, |_| format!("token {}, {}: {token}\n", safe_text(name), safe_text(&said(&may))))?;
    out.talk("it is told only this once; whoever has it does what it allows");
    let config = Config::load(&link.home().config_path(), |name| std::env::var(name).ok(), Flags::default());
    if config.is_ok_and(|config| config.api_listen.value.is_none()) {
        out.talk("no port is open for programs; open one with `dak config set api.listen 127.0.0.1:PORT`");
    }
    Ok(())
}

fn list(tokens: &[Token], out: &Out) -> Outcome {
    if out.json {
        for token in tokens {
            let Token { name, made_ms, may, .. } = token;
            let (read_only, topics) = (may.read_only, may.topics.as_deref());
            let row = TokenRow { schema: Schema, name, read_only, topics, made_at: When(*made_ms), token: None };
            out.row(&row, |_| String::new())?;
        }
        return Ok(());
    }
    if tokens.is_empty() {
        out.talk("no program has a token; make one with `dak token add NAME`");
        return Ok(());
    }
    out.data(&table(tokens, &out.style))
}

fn table(tokens: &[Token], style: &Style) -> String {
    let mut table = Table::new(&["TOKEN", "MAY", "MADE"]);
    for token in tokens {
        table.row(vec![cell(&token.name), cell(said(&token.may)), cell(style.when(Some(When(token.made_ms))))]);
    }
    table.render(style)
}

/// What a token lets its program do.
fn said(may: &May) -> String {
    match (&may.topics, may.read_only) {
        (None, false) => "everything".into(),
        (None, true) => "read".into(),
        (Some(topics), false) => format!("publish and subscribe in {}", topics.join(", ")),
        (Some(topics), true) => format!("read what is published in {}", topics.join(", ")),
    }
}
