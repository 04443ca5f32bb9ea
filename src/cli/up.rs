//! `dak up` and `dak down`.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use futures::StreamExt;
use libp2p::Multiaddr;
use serde::Serialize;

use super::args::Up;
use super::link::{Link, Patience, take};
use super::out::Out;
use super::outlook::nobody_comes;
use super::signals::Signals;
use super::who::{called, called_node, shell_word, short_id};
use super::{Outcome, Stop, times};
use crate::api::model::{MeRow, Request};
use crate::api::{ApiError, Engine, News, NewsStream, Ready, Who};
use crate::config::{Config, Flags};
use crate::home::Home;
use crate::safe_text::safe_text;

/// The one line on stdout, as JSON: who and where, as `me` prints it.
#[derive(Serialize)]
struct ReadyRow<'a> {
    #[serde(flatten)]
    me: &'a MeRow,
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_listen: Option<SocketAddr>,
}

/// A node that takes longer than this to stop is left; everything it accepted is durable anyway.
const STOP_TIME_MAX: Duration = Duration::from_secs(9);
/// How often `down` looks whether the node has gone.
const DOWN_POLL: Duration = Duration::from_millis(25);

pub async fn up(engine: &dyn Engine, home: Option<&Path>, args: &Up, out: &Out) -> Outcome {
    let home = Home::open_or_create(home).map_err(ApiError::from)?;
    let link = Link::to_home(engine, home.clone());
    let mut signals = Signals::count()?;
    let run = run(engine, &link, args, signals.clone(), out);
    tokio::select! {
        ended = run => Ok(ended?),
        stop = impatience(&mut signals, out) => Err(stop),
    }
}

/// Runs the node to its end; a home that a short command holds is worth another try, one where a node answers is not.
async fn run(engine: &dyn Engine, link: &Link<'_>, args: &Up, signals: Signals, out: &Out) -> Result<(), ApiError> {
    let mut patience = Patience::new();
    loop {
        let (greeter, place) = (out.clone(), link.home().data_directory().display().to_string());
        let record = args.record.clone();
        let (flags, config_path) = (flags(args), link.home().config_path());
        let given = flags.clone();
        let ready = Box::new(move |ready: Ready| {
            if let Some(file) = record {
                let file = safe_text(&file.display().to_string());
                greeter.talk(&format!(
                    "recording to {file}: who, with whom, when and how much, and what is published in topics; no key, and \
                     no message that is not sealed"
                ));
            }
            if let Some(told) = told_for_once(&flags, &config_path) {
                greeter.talk(&told);
            }
            greet(&greeter, &ready, &place);
            if !greeter.json {
                tokio::spawn(tell(greeter, ready.news));
            }
        });
        let mut signals = signals.clone();
        let shutdown = Box::pin(async move { signals.asked(1).await });
        match engine.up(link.home().clone(), given, ready, shutdown).await {
            Err(error) if !link.is_up().await => {
                if !patience.hopes(&error).await {
                    return Err(link.explained(error));
                }
            }
            ended => return ended,
        }
    }
}

/// After the first signal the node stops by itself; the second signal, or too much time, ends it at once.
async fn impatience(signals: &mut Signals, out: &Out) -> Stop {
    signals.asked(1).await;
    out.talk("stopping");
    tokio::select! {
        () = signals.asked(2) => Stop::Interrupted,
        () = tokio::time::sleep(STOP_TIME_MAX) => {
            ApiError::failure("the node did not stop in time; what it accepted is safe").into()
        }
    }
}

/// What the command line said of this run alone, and how to keep it; nothing where the configuration says the same.
fn told_for_once(flags: &Flags, config: &Path) -> Option<String> {
    let kept = Config::load(config, |_| None, Flags::default()).ok()?;
    let list = |addresses: &[Multiaddr]| addresses.iter().map(Multiaddr::to_string).collect::<Vec<_>>().join(",");
    let differs = |told: &Option<Vec<Multiaddr>>, kept: &[Multiaddr]| {
        told.as_ref().filter(|told| told.as_slice() != kept).map(|told| list(told))
    };
    let once = [
        ("--listen", "listen", differs(&flags.listen, &kept.listen.value)),
        ("--peer", "peers", differs(&flags.peers, &kept.peers.value)),
        ("--no-mdns", "mdns", flags.mdns.filter(|mdns| *mdns != kept.mdns.value).map(|mdns| mdns.to_string())),
    ];
    let once: Vec<_> = once.into_iter().filter_map(|(flag, key, value)| Some((flag, key, value?))).collect();
    let names: Vec<&str> = once.iter().map(|(flag, ..)| *flag).collect();
    let keep =
        |(_, key, value): &(&str, &str, String)| format!("\n  dak config set {key} {}", shell_word(&safe_text(value)));
    (!once.is_empty()).then(|| {
        format!("Only this time: {}. To keep it:{}", names.join(", "), once.iter().map(keep).collect::<String>())
    })
}

/// Tells scripts on stdout that the node can be used, and a newcomer on stderr what to do first.
fn greet(out: &Out, ready: &Ready, place: &str) {
    let me = &ready.me;
    if ready.created {
        let (name, place, address) = (safe_text(&me.name), safe_text(place), safe_text(&me.address));
        out.talk(&format!(
            "Made a new identity, {name}, in {place}\n\n\
             Others add it with:       dak contact add {name} {address}\n\
             Its key is only here; to keep a copy, encrypted:  dak backup FILE\n",
            name = shell_word(&name),
        ));
    }
    // Whoever started the node may have stopped reading; it runs all the same.
    let _ = out.row(&ReadyRow { me, ready: true, api_listen: ready.api_listen }, |_| {
        let listen: String = me.listen.iter().map(|listen| format!(" {}", safe_text(listen))).collect();
        format!("ready {}{listen}\n", safe_text(&me.address))
    });
    if let Some(line) = ready.outlook.as_ref().and_then(|row| nobody_comes(row, &out.style)) {
        out.talk(&line);
    }
    if let Some(line) = ready.away.as_ref().and_then(|row| super::away::line(row, &out.style)) {
        out.talk(line.trim_end());
    }
    out.talk("Ctrl-C or `dak down` stops the node. Mail, and whom it meets, is told here.");
}

/// Tells the person what happens, until the node ends.
async fn tell(out: Out, mut news: NewsStream) {
    while let Some(news) = news.next().await {
        let now = jiff::Zoned::now();
        out.talk(&format!("{}  {}", now.strftime("%H:%M"), sentence(&news, &now)));
    }
}

fn sentence(news: &News, now: &jiff::Zoned) -> String {
    let who = |who: &Who| called_node(who.name.as_deref(), who.nickname.as_deref(), &who.peer_id);
    match news {
        News::Mail { from, id } => format!("mail from {}: dak read {}", who(from), short_id(id)),
        News::Met(peer) => format!("met {}", who(peer)),
        News::Sent { to, id, at, late } => {
            let meant = at.map(|at| times::short(at, now)).filter(|_| *late);
            let meant = meant.map(|meant| format!(", late: it was meant for {meant}")).unwrap_or_default();
            format!("sent to {}{meant}: dak status {}", called(to), short_id(id))
        }
        News::NotSent { number, why } => {
            format!("draft {number} could not be sent, {}: dak draft show {number}", safe_text(why))
        }
        News::More => "more mail: dak inbox".into(),
    }
}

fn flags(args: &Up) -> Flags {
    let some = |list: &Vec<_>| (!list.is_empty()).then(|| list.clone());
    Flags {
        name: args.name.clone(),
        listen: some(&args.listen),
        peers: some(&args.peer),
        mdns: args.no_mdns.then_some(false),
        carry_limit_bytes: args.carry_limit,
        strategy: args.strategy.clone(),
        log: args.log.clone(),
        record: args.record.clone(),
        ..Flags::default()
    }
}

/// Stops the node, and returns when its home is free for another.
pub async fn down(link: &Link<'_>, out: &Out) -> Outcome {
    let done = take!(link.ask(Request::Down).await?, Done)?;
    let gone = tokio::time::timeout(STOP_TIME_MAX, gone(link)).await;
    gone.map_err(|_| ApiError::failure("the node was told to stop and still runs").advise("see its log"))?;
    out.row(&done, |_| "stopped\n".into())
}

async fn gone(link: &Link<'_>) {
    while link.is_up().await || link.home().lock().is_err() {
        tokio::time::sleep(DOWN_POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::samples;

    #[test]
    fn news_name_people_and_put_what_they_call_themselves_in_quotes() {
        let named = Who { name: Some("bob".into()), nickname: Some("Bobby".into()), peer_id: samples::BOB.into() };
        let stranger = Who { name: None, nickname: Some("b\u{1b}[2Job".into()), ..named.clone() };
        let nobody = Who { nickname: None, ..stranger.clone() };
        let now = "2026-03-01T12:00[UTC]".parse().unwrap();
        let sentence = |news: &News| sentence(news, &now);
        assert_eq!(sentence(&News::Mail { from: named, id: samples::ID.into() }), "mail from bob: dak read 3f2a91c0de");
        assert_eq!(sentence(&News::Met(stranger)), "met 111111bob1 \"b\\u{1b}[2Job\"");
        assert_eq!(sentence(&News::Met(nobody)), "met 111111bob1");
        let (to, id, at) = ("bob".to_owned(), samples::ID.to_owned(), samples::at(9, 0));
        let late = News::Sent { to, id, at, late: true };
        assert_eq!(sentence(&late), "sent to bob, late: it was meant for today 09:00: dak status 3f2a91c0de");
    }

    #[test]
    fn what_counts_for_one_run_only_is_said_with_the_command_that_keeps_it() {
        let place = tempfile::tempdir().unwrap();
        let config = place.path().join("config.toml");
        let flags = Flags {
            name: Some("alice".into()),
            listen: Some(vec!["/ip4/0.0.0.0/tcp/7".parse().unwrap()]),
            mdns: Some(false),
            ..Flags::default()
        };
        let told = told_for_once(&flags, &config).unwrap();
        assert!(told.contains("--listen, --no-mdns.") && !told.contains("--peer"), "{told}");
        for line in told.lines().filter_map(|line| line.trim().strip_prefix("dak config set ")) {
            let (key, value) = line.split_once(' ').unwrap();
            crate::config::set(&config, key, value).unwrap();
        }
        assert_eq!(told_for_once(&flags, &config), None);
    }

    #[test]
    fn a_name_survives_the_shell() {
        assert_eq!(["bob", "Zoë", "a b", "it's", ""].map(shell_word), ["bob", "Zoë", "'a b'", "'it'\\''s'", "''"]);
    }
}
