//! Whole command lines against a node that answers from a script, or against none.

use std::ffi::OsString;
use std::future::Future;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use clap::CommandFactory;
use futures::StreamExt;
use tokio::sync::oneshot;

use super::out::{Sink, Style};
use super::{Out, args, run_with};
use crate::api::fake::Fake;
use crate::api::model::*;
use crate::api::{
    Answer, ApiError, Backend, Engine, ErrorKind, Listing, News, Ready, Row, Rows, Topic, Who, samples, server, socket,
};
use crate::config::Flags;
use crate::home::Home;
use crate::store::StoreError;

#[test]
fn without_a_node_what_needs_one_exits_3_and_says_how_to_start_it() {
    let stage = Stage::set_up();
    for line in ["peers", "nearby", "down", "inbox --follow", "status --watch", "send bob hi --wait"] {
        let ran = stage.run(line);
        assert_eq!((ran.code, ran.data.as_str()), (3, ""), "{line}");
        assert_eq!(ran.talk, "dak: no node running; start it with `dak up`\n", "{line}");
    }
    let only_kept = |request: &Request| matches!(request, Request::DraftAdd(_));
    assert!(stage.asked().iter().all(only_kept), "nothing was queued on the way");
}

#[test]
fn without_a_node_the_closed_home_answers() {
    let stage = Stage::set_up();
    stage.answer(Response::Sent(samples::sent()));
    let ran = stage.run("send bob hello --json");
    assert_eq!((ran.code, ran.data.as_str()), (0, json_line(&samples::sent()).as_str()));
    let Some(Request::Send(compose)) = stage.asked().pop() else { panic!("nothing was sent") };
    assert_eq!((compose.to.as_str(), compose.text.as_str()), ("bob", "hello"));
    stage.answer(Response::Sent(samples::sent()));
    let ran = stage.run("send bob hello");
    assert_eq!(ran.data, "queued 3f2a91c0de for bob\n");
    assert!(ran.talk.contains("leaves after the next `dak up`"), "{}", ran.talk);
}

#[test]
fn a_command_waits_for_another_one_that_holds_the_home() {
    let stage = Stage::set_up();
    stage.answer(Response::Sent(samples::sent()));
    let held = Home::find(Some(&stage.home)).unwrap().lock().unwrap();
    let is_free = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(150));
            is_free.store(true, Ordering::SeqCst);
            drop(held);
        });
        assert_eq!(stage.run("send bob hello").code, 0);
        assert!(is_free.load(Ordering::SeqCst), "it did not wait");
    });
}

#[test]
fn without_a_home_nothing_is_made_and_the_next_step_is_named() {
    let stage = Stage::bare();
    let ran = stage.run("inbox");
    assert_eq!(
        (ran.code, ran.talk.as_str()),
        (3, "dak: no node running, and nothing is set up here yet; start it with `dak up`\n")
    );
    assert!(!stage.home.exists());
}

#[test]
fn a_running_node_answers_before_the_closed_home() {
    let stage = Stage::set_up().with_node();
    stage.answer(Response::Me(samples::me()));
    let ran = stage.run("me --json");
    assert_eq!((ran.code, ran.talk.as_str()), (0, ""));
    let row: serde_json::Value = serde_json::from_str(&ran.data).unwrap();
    assert_eq!((&row["schema"], &row["name"], row["listen"].is_array()), (&1.into(), &"alice".into(), true));
}

#[test]
fn every_kind_of_failure_has_its_exit_code_and_its_sentence() {
    let stage = Stage::set_up().with_node();
    use ErrorKind as K;
    let kinds = [K::Failure, K::Usage, K::NotFound, K::Refused, K::InFlight, K::Store, K::Verification];
    for (kind, code) in kinds.into_iter().zip([1, 2, 4, 5, 6, 7, 8]) {
        stage.fail(ApiError::new(kind, "no \u{1b}[31mluck").advise("try this"));
        let ran = stage.run("status 3f2a");
        assert_eq!((ran.code, ran.talk.as_str()), (code, "dak: no \\u{1b}[31mluck; try this\n"));
        stage.fail(ApiError::new(kind, "no luck"));
        let ran = stage.run("status 3f2a --json");
        let report: serde_json::Value = serde_json::from_str(&ran.talk).unwrap();
        assert_eq!((&report["exit_code"], &report["error"]["message"]), (&code.into(), &"no luck".into()));
    }
}

#[test]
fn mistyped_lines_exit_2_and_help_exits_0() {
    let stage = Stage::bare();
    let ran = stage.run("fly");
    assert_eq!((ran.code, ran.data.as_str()), (2, ""));
    assert!(ran.talk.contains("fly"));
    let help = stage.run("--help");
    assert_eq!((help.code, help.talk.as_str()), (0, ""));
    let commands = "up down me contact nearby send inbox read reply forward status cancel peers carry doctor backup restore bundle config demo completions version";
    for command in commands.split(' ') {
        assert!(help.data.contains(&format!("\n  {command} ")), "{command}");
    }
    assert!(help.data.lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn a_reader_that_left_is_no_failure() {
    let stage = Stage::set_up().with_node();
    stage.list_inbox(vec![Row::Inbox(samples::inbox("hi"))]);
    let out = |json| Out::new(json, style(), Arc::new(Mutex::new(Closed)), Arc::new(Mutex::new(Closed)));
    assert_eq!(run_with(&stage.engine, stage.line("inbox"), out), 0);
}

#[test]
fn waiting_ends_with_6_when_the_time_is_up_and_prints_what_is_known() {
    let stage = Stage::set_up().with_node();
    let status = samples::status(vec![samples::event(EventKind::Copy, samples::at(11, 0), Some("carol"))]);
    // Answered in turn: the sending, the look before the stream, and the look after it.
    stage.answer(Response::Sent(samples::sent()));
    stage.answer(Response::Statuses(vec![status.clone()]));
    stage.answer(Response::Statuses(vec![status]));
    let ran = stage.run("send bob hi --wait=delivered --timeout 50ms --json");
    assert_eq!(ran.code, 6);
    let row: serde_json::Value = serde_json::from_str(&ran.data).unwrap();
    assert_eq!((&row["id"], &row["state"]), (&samples::ID.into(), &"copy".into()));
    assert!(ran.talk.contains("still in flight"), "{}", ran.talk);
}

#[test]
fn waiting_ends_with_0_when_the_receipt_is_there() {
    let stage = Stage::set_up().with_node();
    let status = samples::status(vec![samples::event(EventKind::Delivered, samples::at(11, 0), Some("bob"))]);
    stage.answer(Response::Sent(samples::sent()));
    stage.answer(Response::Statuses(vec![status.clone()]));
    stage.answer(Response::Statuses(vec![status]));
    let ran = stage.run("send bob hi --wait --timeout 60s");
    assert_eq!((ran.code, ran.data.as_str()), (0, "delivered 3f2a91c0de for bob\n"));
}

#[test]
fn what_ended_unseen_is_seen_where_a_terminal_lists_all_of_it() {
    let stage = Stage::set_up().with_node();
    let ended = OutlookRow { ended: 1, ..samples::outlook() };
    for (line, is_seen) in [
        ("status", true),
        ("status --unsettled", true),
        ("status --limit 1", false),
        ("status --to bob", false),
        ("status --json", false),
    ] {
        stage.answer(Response::Outlook(ended.clone()));
        stage.list(vec![Row::Status(samples::status(Vec::new()))]);
        let before = stage.asked().len();
        assert_eq!(stage.run(line).code, 0, "{line}");
        let seen = stage.asked()[before..].contains(&Request::StatusSeen { event: 7 });
        assert_eq!(seen, is_seen, "{line}");
        stage.engine.home.0.answers.lock().unwrap().clear();
    }
}

#[test]
fn several_recipients_are_all_found_before_anything_is_sent() {
    let stage = Stage::set_up();
    stage.answer(Response::Recipient(samples::recipient()));
    stage.fail(ApiError::not_found("there is no contact carol"));
    let ran = stage.run("send bob,carol hi");
    assert_eq!((ran.code, ran.data.as_str()), (4, ""));
    assert!(matches!(stage.asked().last(), Some(Request::DraftAdd(_))), "what was written is kept");
    stage.engine.home.0.asked.lock().unwrap().pop();
    let asked = ["bob", "carol"].map(|who| Request::Recipient { who: who.into() });
    assert_eq!(stage.asked(), asked, "nothing was sent");
    for line in ["send bob, carol", "send ,bob hi", "send bob,dak:x hi", "send --to bob hello there"] {
        let ran = stage.run(line);
        assert_eq!((ran.code, ran.data.as_str()), (2, ""), "{line}");
    }
    assert_eq!(stage.asked(), asked);
}

#[test]
fn whoever_is_named_twice_gets_one_message() {
    let stage = Stage::set_up();
    let carol = RecipientRow { to: "carol".into(), to_address: "dak:c".into(), ..samples::recipient() };
    for row in [samples::recipient(), carol, samples::recipient()] {
        stage.answer(Response::Recipient(row));
    }
    stage.answer(Response::Sent(samples::sent()));
    stage.answer(Response::Sent(SentRow { id: "77aa77aa77aa".into(), to: "carol".into(), ..samples::sent() }));
    let ran = stage.run("send --to bob --to carol --to BOB hi");
    assert_eq!((ran.code, ran.data.as_str()), (0, "queued 3f2a91c0de for bob\nqueued 77aa77aa77 for carol\n"));
    assert!(ran.talk.starts_with("2 messages, one to each: nobody sees the others"), "{}", ran.talk);
    assert!(ran.talk.lines().next().unwrap().len() <= 80, "{}", ran.talk);
}

#[test]
fn an_answer_goes_to_whoever_wrote_in_the_same_conversation() {
    let stage = Stage::set_up();
    let letter = LetterRow::of(samples::inbox("a question"));
    stage.answer(Response::Letter(Box::new(letter)));
    stage.answer(Response::Sent(samples::sent()));
    assert_eq!(stage.run("reply 3f2a yes").code, 0);
    let Some(Request::Send(compose)) = stage.asked().pop() else { panic!("nothing was sent") };
    let id = Some(samples::ID.to_owned());
    assert_eq!((compose.to, compose.thread, compose.in_reply_to), (format!("dak:{}", samples::BOB), id.clone(), id));
}

#[test]
fn an_answer_to_ones_own_message_goes_where_that_went() {
    let stage = Stage::set_up();
    let row = InboxRow { from_address: "dak:me".into(), thread: Some("11".repeat(16)), ..samples::inbox("mine") };
    let (to, to_address) = (Some("carol".into()), Some("dak:c".into()));
    stage.answer(Response::Letter(Box::new(LetterRow { to, to_address, ..LetterRow::of(row) })));
    stage.answer(Response::Sent(SentRow { to: "carol".into(), ..samples::sent() }));
    assert_eq!(stage.run("reply 3f2a more -s subject").data, "queued 3f2a91c0de for carol\n");
    let Some(Request::Send(compose)) = stage.asked().pop() else { panic!("nothing was sent") };
    assert_eq!((compose.to.as_str(), compose.thread), ("dak:c", Some("11".repeat(16))));
    assert_eq!((compose.in_reply_to.as_deref(), compose.subject.as_deref()), (Some(samples::ID), Some("subject")));
}

#[test]
fn an_over_long_message_is_refused_with_the_limit_before_anything_is_asked() {
    let stage = Stage::set_up();
    let file = stage.place.path().join("long");
    std::fs::write(&file, vec![b'x'; 64 << 10]).unwrap();
    let many = format!(" -f {}", file.display()).repeat(15);
    let ran = stage.run(&format!("send bob{many}"));
    assert_eq!(ran.code, 5);
    assert!(ran.talk.contains(&format!("{COMPOSED_BYTES_MAX}")), "{}", ran.talk);
    assert!(stage.asked().is_empty());
}

#[test]
fn a_listing_that_breaks_off_shows_what_came_and_says_why() {
    let stage = Stage::set_up().with_node();
    for json in ["", " --json"] {
        let why = ApiError::new(ErrorKind::Store, "a page was damaged");
        stage.list(vec![Row::Inbox(samples::inbox("first")), Row::Ended(why)]);
        let ran = stage.run(&format!("inbox{json}"));
        assert_eq!((ran.code, ran.data.contains("first")), (7, true), "{}", ran.data);
        assert!(ran.talk.contains("a page was damaged"), "{}", ran.talk);
    }
}

#[test]
fn following_prints_what_is_there_and_what_comes_until_the_node_stops() {
    let stage = Stage::set_up().with_node();
    stage.list_inbox(vec![Row::Inbox(samples::inbox("old"))]);
    let new = InboxRow { id: "77aa".into(), ..samples::inbox("new\nlines") };
    let node = stage.node.as_ref().unwrap().clone();
    let emitter = std::thread::spawn(move || {
        while node.followers() == 0 {
            std::thread::yield_now();
        }
        // The row that the list has as well is not shown twice.
        node.emit(Row::Inbox(samples::inbox("old")));
        node.emit(Row::Inbox(new));
        node.emit(Row::Ended(ApiError::not_running()));
    });
    let ran = stage.run("inbox --follow");
    emitter.join().unwrap();
    assert_eq!(ran.code, 3);
    assert_eq!(ran.data.matches("old").count(), 1);
    assert!(
        ran.data.ends_with("77aa  bob, 1 Mar 12:30\n  new\n  lines\n") || ran.data.contains("  new\n  lines\n"),
        "{}",
        ran.data
    );
}

#[test]
fn up_greets_a_newcomer_and_prints_one_line_on_stdout() {
    let stage = Stage::bare();
    let ran = stage.run("up --name alice --listen /ip4/127.0.0.1/tcp/0 --no-mdns");
    assert_eq!(ran.code, 0);
    assert_eq!(ran.data, format!("ready dak:{} /ip4/127.0.0.1/tcp/4001\n", samples::CAROL));
    assert!(ran.talk.contains("dak contact add alice dak:") && ran.talk.contains("dak backup FILE"), "{}", ran.talk);
    for told in ["Ctrl-C or `dak down` stops the node", "  met bob\n", "  mail from bob: dak read 3f2a91c0de\n"] {
        assert!(ran.talk.contains(told), "{told}: {}", ran.talk);
    }
    let ran = stage.run("up --json");
    let row: serde_json::Value = serde_json::from_str(&ran.data).unwrap();
    assert_eq!((ran.talk.as_str(), &row["ready"], &row["name"]), ("", &true.into(), &"alice".into()));
}

#[test]
fn a_bundle_that_does_not_verify_exits_8() {
    let stage = Stage::bare();
    let file = stage.place.path().join("noise");
    std::fs::write(&file, b"\x9f\x88noise\x1b[2J").unwrap();
    let ran = stage.run(&format!("bundle inspect {}", file.display()));
    assert_eq!(ran.code, 8);
    assert!(ran.data.contains("NOT VERIFIED") && !ran.data.contains('\u{1b}'), "{}", ran.data);
    let ran = stage.run(&format!("bundle inspect {} --json", file.display()));
    let row: serde_json::Value = serde_json::from_str(&ran.data).unwrap();
    assert_eq!((&row["schema"], &row["verified"]), (&1.into(), &false.into()));
}

#[test]
fn a_text_that_the_shell_took_apart_is_answered_with_how_to_quote_it() {
    let stage = Stage::bare();
    let ran = stage.run("send bob hello there friend");
    assert_eq!(ran.code, 2);
    assert!(ran.talk.contains("dak send WHO \"hello there friend\""), "{}", ran.talk);
    let ran = stage.run("reply 3f2a yes please -p urgent");
    assert!(ran.talk.contains("dak reply ID \"yes please\""), "{}", ran.talk);
    for line in ["send bob -5 degrees", "send bob -5"] {
        let ran = stage.run(line);
        let text = line.strip_prefix("send bob ").unwrap();
        assert_eq!(ran.code, 2);
        assert!(ran.talk.contains(&format!("dak send WHO -- \"{text}\"")), "{}", ran.talk);
    }
    for line in ["send bob hi -x", "send bob hi --wiat", "contact add a b c"] {
        let ran = stage.run(line);
        assert_eq!(ran.code, 2);
        assert!(!ran.talk.contains("quoted") && !ran.talk.contains("stands behind"), "{}", ran.talk);
    }
}

#[test]
fn a_smaller_limit_says_what_it_evicts_and_asks_first() {
    let stage = Stage::set_up().with_node();
    stage.answer(Response::Carry(samples::carry()));
    let ran = stage.run("carry limit 10 --json");
    assert_eq!((ran.code, ran.data.as_str()), (5, ""));
    let said = "a limit of 10 B evicts 4.5 KiB of them: 1 released, 1 copy, up to 2 in custody";
    assert!(ran.talk.contains(said) && ran.talk.contains("--yes"), "{}", ran.talk);
    stage.answer(Response::Carry(samples::carry()));
    let ran = stage.run("carry limit 4500 --json");
    assert!(ran.talk.contains("evicts 200 B of them: 1 released\""), "{}", ran.talk);
    assert!(!stage.asked().iter().any(|asked| matches!(asked, Request::CarryLimit { .. })), "nothing was evicted");
    for line in ["carry limit 10 --yes", "carry limit 1M"] {
        stage.answer(Response::Carry(samples::carry()));
        stage.answer(Response::Carry(samples::carry()));
        assert_eq!(stage.run(line).code, 0, "{line}");
    }
    assert_eq!(stage.asked().last(), Some(&Request::CarryLimit { bytes: 1 << 20 }));
}

#[test]
fn another_name_for_a_known_address_is_called_a_renaming() {
    let stage = Stage::set_up();
    stage.answer(Response::Contact(ContactRow { renamed_from: Some("bo\u{1b}b".into()), ..samples::contact() }));
    assert_eq!(stage.run("contact add bob dak:x").data, "renamed bo\\u{1b}b to bob (111111bob1)\n");
    stage.answer(Response::Contact(samples::contact()));
    assert_eq!(stage.run("contact add bob dak:x").data, "added bob (111111bob1)\n");
}

#[test]
fn every_line_of_the_help_fits_eighty_columns() {
    let help = args::Cli::command().term_width(80).render_long_help().to_string();
    assert!(help.contains("Exit codes:") && help.lines().all(|line| line.chars().count() <= 80), "{help}");
}

/// A command that ends lets go of its home a moment before it lets go of the store.
#[test]
fn a_store_that_another_command_still_has_is_waited_for() {
    let stage = Stage::set_up();
    *stage.engine.in_use.lock().unwrap() = 4;
    stage.answer(Response::Contact(samples::contact()));
    let ran = stage.run("contact add bob dak:x");
    assert_eq!((ran.code, ran.talk.as_str()), (0, ""));
    *stage.engine.in_use.lock().unwrap() = 4;
    stage.list_inbox(vec![Row::Inbox(samples::inbox("hi"))]);
    assert!(stage.run("inbox").data.contains("hi"));
}

#[test]
fn requests_stand_below_what_waits_and_a_flood_of_them_in_one_line() {
    let stage = Stage::set_up().with_node();
    stage.list(vec![Row::Inbox(samples::inbox("hi"))]);
    stage.answer(Response::Waiting(WaitingRow { schema: Schema, unread: 1, requests: 700, muted: 0 }));
    let somebody = "12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X";
    let nickname = Some("Zo\u{1b}e".to_owned());
    let request = InboxRow { from: format!("dak:{somebody}"), nickname, ..samples::inbox("buy this") };
    stage.list(vec![Row::Inbox(request.clone())]);
    let ran = stage.run("inbox");
    let [heads, waits, "", line, _, below] = ran.data.lines().collect::<Vec<_>>()[..] else { panic!("{}", ran.data) };
    assert!(heads.contains("FROM") && waits.contains("hi"));
    assert_eq!(line, "700 requests from strangers: dak requests");
    assert!(below.contains("Nft9HyQ6X \"Zo\\u{1b}e\"") && below.contains("buy this"), "{below}");
    let asked = stage.engine.home.0.listings.lock().unwrap().clone();
    let shown = |show, limit| Listing::Inbox { unread: false, limit, text_chars: Some(1_024), show };
    assert_eq!(asked, [shown(Show::Known, None), shown(Show::Requests, Some(3))]);
    // A program reads all in one.
    stage.list(vec![Row::Inbox(samples::inbox("hi")), Row::Inbox(InboxRow { request: true, ..request })]);
    assert_eq!(stage.run("inbox --json").data.lines().count(), 2);
    assert_eq!(stage.engine.home.0.listings.lock().unwrap().len(), 3);
    stage.answer(Response::Waiting(WaitingRow { schema: Schema, unread: 7, requests: 700, muted: 0 }));
    assert_eq!(stage.run("inbox --count").data, "7\n");
}

#[test]
fn what_is_piped_is_whole() {
    let stage = Stage::set_up().with_node();
    let long = "word ".repeat(2_000);
    stage.list_inbox(vec![Row::Inbox(samples::inbox(&long))]);
    let data = Arc::new(Mutex::new(Vec::<u8>::new()));
    let sink: Sink = data.clone();
    let out =
        |json| Out::new(json, Style { width: None, ..style() }, sink.clone(), Arc::new(Mutex::new(Vec::<u8>::new())));
    assert_eq!(run_with(&stage.engine, stage.line("inbox"), out), 0);
    let shown = String::from_utf8(data.lock().unwrap().clone()).unwrap();
    assert!(shown.contains(long.trim()) && !shown.contains('…'));
    let whole = Listing::Inbox { unread: false, limit: None, text_chars: None, show: Show::Known };
    assert_eq!(*stage.engine.home.0.listings.lock().unwrap(), [whole], "and so it was asked for");
}

#[test]
fn completions_and_version_need_no_home() {
    let stage = Stage::bare();
    assert!(stage.run("completions bash").data.contains("_dak"));
    assert_eq!(stage.run("version").data, format!("dak {}\n", env!("CARGO_PKG_VERSION")));
    assert!(stage.run("version --json").data.starts_with("{\"schema\":1,\"name\":\"dak\""));
}

/// A home, perhaps a node on it, and the backend behind both.
struct Stage {
    place: tempfile::TempDir,
    home: PathBuf,
    engine: FakeEngine,
    node: Option<Arc<Fake>>,
    _stop: Option<oneshot::Sender<()>>,
}

struct Ran {
    code: u8,
    data: String,
    talk: String,
}

impl Stage {
    /// Nothing yet.
    fn bare() -> Stage {
        let place = tempfile::tempdir().unwrap();
        let home = place.path().join("home");
        Stage { place, home, engine: FakeEngine::default(), node: None, _stop: None }
    }

    /// A home that has an identity.
    fn set_up() -> Stage {
        let stage = Stage::bare();
        let home = Home::open_or_create(Some(&stage.home)).unwrap();
        std::fs::write(home.identity_path(), "not looked at").unwrap();
        stage
    }

    /// The node listens until the stage is gone.
    fn with_node(mut self) -> Stage {
        let path = Home::find(Some(&self.home)).unwrap().socket_path();
        let backend = self.engine.home.0.clone();
        self.node = Some(backend.clone());
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (listener, _file) = socket::bind(&path).await.unwrap();
                ready.send(()).unwrap();
                server::serve(listener, backend, async { drop(stopped.await) }).await;
            });
        });
        is_ready.recv().unwrap();
        self._stop = Some(stop);
        self
    }

    fn answer(&self, response: Response) {
        self.engine.home.0.answers.lock().unwrap().insert(0, Ok(response));
    }

    fn list(&self, rows: Vec<Row>) {
        self.engine.home.0.listed.lock().unwrap().insert(0, rows);
    }

    /// An inbox without requests.
    fn list_inbox(&self, rows: Vec<Row>) {
        self.list(rows);
        self.answer(Response::Waiting(WaitingRow { schema: Schema, unread: 1, requests: 0, muted: 0 }));
    }

    fn fail(&self, error: ApiError) {
        self.engine.home.0.answers.lock().unwrap().insert(0, Err(error));
    }

    fn asked(&self) -> Vec<Request> {
        self.engine.home.0.asked.lock().unwrap().clone()
    }

    fn line(&self, line: &str) -> Vec<OsString> {
        let home = format!("--home={}", self.home.display());
        ["dak"].into_iter().chain(line.split(' ')).chain([home.as_str()]).map(OsString::from).collect()
    }

    fn run(&self, line: &str) -> Ran {
        let (data, talk) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let sinks: (Sink, Sink) = (data.clone(), talk.clone());
        let out = |json| Out::new(json, style(), sinks.0.clone(), sinks.1.clone());
        let code = run_with(&self.engine, self.line(line), out);
        let text = |bytes: Arc<Mutex<Vec<u8>>>| String::from_utf8(bytes.lock().unwrap().clone()).unwrap();
        Ran { code, data: text(data), talk: text(talk) }
    }
}

fn style() -> Style {
    Style { width: Some(80), color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() }
}

/// A stdout whose reader has gone.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Drives nothing: every home has the same backend, and a node is ready at once and stops again.
#[derive(Default)]
struct FakeEngine {
    home: SharedFake,
    /// So many times more another process has the store.
    in_use: Mutex<u32>,
}

#[derive(Clone, Default)]
struct SharedFake(Arc<Fake>);

impl Backend for SharedFake {
    fn call(&self, request: Request) -> Answer<'_> {
        self.0.call(request)
    }

    fn list(&self, listing: Listing) -> Rows {
        self.0.list(listing)
    }

    fn follow(&self, topic: Topic) -> Rows {
        self.0.follow(topic)
    }
}

impl Engine for FakeEngine {
    fn up(
        &self,
        _: Home,
        flags: Flags,
        ready: Box<dyn FnOnce(Ready) + Send>,
        _: Pin<Box<dyn Future<Output = ()> + Send>>,
    ) -> Pin<Box<dyn Future<Output = Result<(), ApiError>> + Send + '_>> {
        let who = Who { name: Some("bob".into()), nickname: None, peer_id: samples::BOB.into() };
        let news = vec![News::Met(who.clone()), News::Mail { from: who, id: samples::ID.into() }];
        let (told, heard) = oneshot::channel();
        let end = futures::stream::once(async move {
            let _ = told.send(());
            News::More
        });
        let news = Box::pin(futures::stream::iter(news).chain(end));
        let outlook = Some(samples::outlook());
        let away = Some(samples::away());
        ready(Ready { me: samples::me(), api_listen: None, outlook, away, created: flags.mdns == Some(false), news });

        Box::pin(async move {
            // Nobody hears it where a program listens.
            let _ = heard.await;
            Ok(())
        })
    }

    fn offline(&self, home: &Home) -> Result<Box<dyn Backend>, ApiError> {
        let _lock = home.lock()?;
        let mut in_use = self.in_use.lock().unwrap();
        if *in_use > 0 {
            *in_use -= 1;
            return Err(StoreError::Locked.into());
        }
        Ok(Box::new(self.home.clone()))
    }

    fn examine(&self, _: &Home) -> Result<Vec<CheckRow>, ApiError> {
        Err(ApiError::failure("nothing was scripted"))
    }

    fn mend(&self, _: &Home) -> Result<Vec<CheckRow>, ApiError> {
        Err(ApiError::failure("nothing was scripted"))
    }

    fn restore(&self, _: &Home, _: &Path, _: &str) -> Result<(), ApiError> {
        Ok(())
    }
}
