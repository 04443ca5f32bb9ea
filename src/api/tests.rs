//! The two ends of a real unix socket, with a backend that answers from a script.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream as StdStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::client::Client;
use super::error::{ApiError, ErrorKind};
use super::fake::Fake;
use super::model::*;
use super::{Backend, NextStep, Row, Topic, samples, server, socket};
use crate::bundle::Priority;
use crate::content::ATTACHMENTS_MAX;

mod forms;
mod slow;

#[tokio::test]
async fn every_request_arrives_as_it_was_asked_and_its_answer_as_it_was_given() {
    let node = Node::start().await;
    for (request, response) in every_exchange() {
        node.fake.answers.lock().unwrap().push(Ok(response.clone()));
        assert_eq!(node.client.call(&request).await, Ok(response));
        assert_eq!(node.fake.asked.lock().unwrap().pop(), Some(request));
    }
}

#[tokio::test]
async fn every_listing_arrives_as_it_was_asked_and_its_rows_as_they_were_given() {
    let node = Node::start().await;
    let status = samples::status(vec![samples::event(EventKind::Queued, samples::at(11, 0), None)]);
    let inbox = |unread, limit, text_chars| Listing::Inbox { unread, limit, text_chars, show: Show::Requests };
    let talk = |who: &str| Listing::Talk {
        who: who.into(),
        limit: Some(20),
        // As good a beginning of an id as any, also to who reads numbers out of a query.
        before: Some("1000".into()),
        after: Some("2000".into()),
        thread: None,
        unread: true,
        from_unread: Some(3),
        glance: false,
    };
    let ended = Row::Ended(ApiError::failure("a page was damaged"));
    let every = [
        (inbox(true, Some(3), Some(80)), vec![Row::Inbox(samples::inbox("a")), Row::Inbox(samples::inbox("b"))]),
        (inbox(false, None, None), vec![]),
        (
            Listing::Status { limit: Some(3), unsettled: true, to: Some("bob / b".into()) },
            vec![Row::Status(status.clone()), Row::Status(status), ended],
        ),
        (
            Listing::Due { limit: Some(3), text_chars: Some(80), show: Show::Known },
            vec![Row::Due(samples::inbox("a")), Row::Due(samples::inbox("b"))],
        ),
        (Listing::Carried, vec![Row::Carried(samples::carried())]),
        (
            Listing::Stick { whom: Some("bob / b".into()) },
            vec![Row::Stick(WillingRow { schema: Schema, id: samples::ID.into(), bytes: 1_500 })],
        ),
        (
            talk("bob / b"),
            vec![
                Row::Talk(TalkRow { answers: Some(samples::answered()), ..samples::said("a") }),
                Row::Talk(samples::said("b")),
            ],
        ),
        (
            Listing::AppUpdates { id: samples::ID.into(), after: 7, json: true },
            vec![Row::AppUpdates(samples::told_in_app(8))],
        ),
        (Listing::Labelled { label: "2026 / a".into() }, vec![Row::Labelled(samples::said("a"))]),
        (Listing::Talks { all: true }, vec![Row::Talks(samples::conversation())]),
        (
            Listing::Search { q: "pump \"a b\" from:bob &?".into(), limit: Some(3) },
            vec![Row::Search(samples::found("a"))],
        ),
    ];
    for (listing, rows) in every {
        node.fake.listed.lock().unwrap().push(rows.clone());
        let listed: Vec<Row> = node.client.list(&listing).await.unwrap().collect().await;
        assert_eq!(listed, rows);
        assert_eq!(node.fake.listings.lock().unwrap().pop(), Some(listing));
    }
    // What fails at once is an error and not a row.
    let refused = ApiError::new(ErrorKind::Store, "the store failed");
    node.fake.listed.lock().unwrap().push(vec![Row::Ended(refused.clone())]);
    let all = Listing::Status { limit: None, unsettled: false, to: None };
    assert_eq!(node.client.list(&all).await.err(), Some(refused));
}

#[tokio::test]
async fn every_kind_of_failure_arrives_with_its_words() {
    let node = Node::start().await;
    use ErrorKind as K;
    for kind in [K::Failure, K::Usage, K::NotRunning, K::NotFound, K::Refused, K::InFlight, K::Store, K::Verification] {
        let error = ApiError::new(kind, "it went wrong \u{1b}[31m").advise("do this");
        node.fake.answers.lock().unwrap().push(Err(error.clone()));
        assert_eq!(node.client.call(&Request::Me).await, Err(error));
    }
}

/// A node whose places are all taken answers whoever comes and hangs up, without a look at what is asked.
#[tokio::test]
async fn a_refusal_is_heard_however_little_of_the_question_was() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("dak.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let refusal = ApiError::new(ErrorKind::Refused, "not now");
    let line = json_line(&refusal.clone().report());
    let said = format!("HTTP/1.1 429 Refused\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{line}", line.len());
    let client = Client::new(&path);
    // More than a socket's buffers take: the client is still writing when the node has gone.
    let long = Request::Send(Box::new(Compose { to: "bob".into(), text: "x".repeat(1 << 20), ..Compose::default() }));
    for request in [Request::Me, long] {
        for reads in [0, 1] {
            let (listener, said) = (listener.try_clone().unwrap(), said.clone());
            let node = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                stream.read_exact(&mut vec![0; reads]).unwrap();
                stream.write_all(said.as_bytes()).unwrap();
            });
            assert_eq!(client.call(&request).await, Err(refusal.clone()), "after {reads} bytes of {request:.40?}");
            node.join().unwrap();
        }
    }
}

#[tokio::test]
async fn a_pairing_is_told_as_it_goes_and_ends_with_whoever_reads_it() {
    let node = Node::start().await;
    let mut rows =
        node.client.follow(Topic::Pair { name: Some("Zoë".into()), timeout_ms: Some(60_000) }).await.unwrap();
    let wrong = WrongCodeRow { schema: Schema, wrong_codes: 1, tries_left: 2 };
    let paired = PairedRow { contact: samples::contact(), mutual: false };
    for row in [PairRow::Shown(samples::shown_code()), PairRow::Wrong(wrong), PairRow::Paired(Box::new(paired))] {
        node.fake.emit(Row::Pair(row.clone()));
        assert_eq!(rows.next().await, Some(Row::Pair(row)));
    }
    drop(rows);
    while node.fake.followers() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn rows_are_followed_one_by_one_until_the_node_stops() {
    let node = Node::start().await;
    let mut rows = node.client.follow(Topic::Inbox { all: false }).await.unwrap();
    for text in ["one", "two\nlines", "three \u{9b}31m"] {
        node.fake.emit(Row::Inbox(samples::inbox(text)));
        assert_eq!(rows.next().await, Some(Row::Inbox(samples::inbox(text))));
    }
    node.stop().await;
    assert_eq!(rows.next().await, Some(Row::Ended(ApiError::not_running())));
    assert_eq!(rows.next().await, None);
}

#[tokio::test]
async fn following_an_unknown_message_is_an_error_at_once() {
    let node = Node::start().await;
    node.fake.answers.lock().unwrap().push(Err(ApiError::not_found("no such message")));
    let refused = node.client.follow(Topic::Status { id: Some("beef".into()) }).await;
    assert_eq!(refused.err(), Some(ApiError::not_found("no such message")));
}

#[tokio::test]
async fn a_reader_that_lags_is_told_so_and_holds_nobody_up() {
    let node = Node::start().await;
    let mut lazy = node.client.follow(Topic::Inbox { all: false }).await.unwrap();
    let mut keen = node.client.follow(Topic::Inbox { all: false }).await.unwrap();
    // More than the queue and both socket buffers take.
    let long = "x".repeat(4_000);
    let total = server::STREAM_ROWS_MAX * 2;
    for n in 0..total {
        node.fake.emit(Row::Inbox(samples::inbox(&long)));
        assert!(matches!(keen.next().await, Some(Row::Inbox(_))), "row {n}");
    }
    let mut seen = 0;
    let last = loop {
        match lazy.next().await {
            Some(Row::Inbox(_)) => seen += 1,
            other => break other,
        }
    };
    assert!(matches!(last, Some(Row::Ended(why)) if why.message.contains("too slow")));
    assert!(seen < total && seen >= server::STREAM_ROWS_MAX, "{seen}");
    assert_eq!(lazy.next().await, None);
}

#[tokio::test]
async fn a_reader_that_leaves_ends_its_stream_at_the_node() {
    let node = Node::start().await;
    let rows = node.client.follow(Topic::Inbox { all: false }).await.unwrap();
    assert_eq!(node.fake.followers(), 1);
    drop(rows);
    while node.fake.followers() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn malformed_requests_get_a_sentence_in_json() {
    let node = Node::start().await;
    let cases: &[(&str, &str, &str, u16)] = &[
        ("GET", "/v2/me", "", 404),
        ("PATCH", "/v1/me", "", 405),
        ("POST", "/v1/send", "{", 400),
        ("POST", "/v1/send", "", 400),
        ("POST", "/v1/send", r#"{"to":"bob","txet":"hi"}"#, 400),
        ("POST", "/v1/send", r#"{"to":"bob","priority":"asap"}"#, 400),
        ("POST", "/v1/send", r#"{"to":"bob","attachments":[{"name":"x","hex":"0"}]}"#, 400),
        ("PUT", "/v1/carry/limit", r#"{"bytes":-1}"#, 400),
        ("GET", "/v1/inbox?limit=many", "", 400),
        ("GET", "/v1/inbox?limt=1", "", 400),
        ("GET", "/v1/contacts/%ff", "", 400),
    ];
    for (method, path, body, status) in cases {
        let answer = node.raw(&http(method, path, body)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {path} {body}: {answer}");
        let json: serde_json::Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        assert_eq!(json["schema"], 1);
        assert!(!json["error"]["message"].as_str().unwrap().is_empty());
    }
    assert!(node.fake.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn noise_is_turned_away_and_the_node_goes_on() {
    let node = Node::start().await;
    for noise in [&b"\x16\x03\x01\x00"[..], b"GET / HTTP/9\r\n\r\n", &[0; 70_000], b"\r\n\r\n\r\n"] {
        let answer = node.raw_and_gone(noise).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    node.fake.answers.lock().unwrap().push(Ok(Response::Me(samples::me())));
    assert!(node.client.call(&Request::Me).await.is_ok());
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_declared_or_not() {
    let node = Node::start().await;
    let declared = format!("POST /v1/send HTTP/1.1\r\nhost: d\r\ncontent-length: {}\r\n\r\n", u64::MAX / 2);
    assert!(node.raw(declared.as_bytes()).await.starts_with("HTTP/1.1 413 "));
    let mut chunked = b"POST /v1/send HTTP/1.1\r\nhost: d\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..40 {
        chunked.extend_from_slice(b"10000\r\n");
        chunked.extend_from_slice(&[b' '; 0x10000]);
        chunked.extend_from_slice(b"\r\n");
    }
    assert!(node.raw(&chunked).await.starts_with("HTTP/1.1 413 "));
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_with_the_limit() {
    let node = Node::start().await;
    let compose = Compose {
        task: Some(ComposedTask { assignee: Some("bob".into()), due: None }),
        to: "bob".into(),
        text: "x".repeat(COMPOSED_BYTES_MAX + 1),
        ..Compose::default()
    };
    let error = node.client.call(&Request::Send(Box::new(compose))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains(&COMPOSED_BYTES_MAX.to_string()));
}

#[tokio::test]
async fn more_files_than_a_message_takes_are_refused_with_the_limit() {
    let node = Node::start().await;
    let attachments = vec![File { name: "f".into(), bytes: vec![1] }; ATTACHMENTS_MAX + 1];
    let compose = Compose { to: "bob".into(), attachments, ..Compose::default() };
    let error = node.client.call(&Request::Send(Box::new(compose))).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains(&ATTACHMENTS_MAX.to_string()));
}

#[tokio::test]
async fn the_largest_message_passes() {
    let node = Node::start().await;
    let sent = Response::Sent(samples::sent());
    node.fake.answers.lock().unwrap().push(Ok(sent.clone()));
    let file = File { name: "f".into(), bytes: vec![0xff; COMPOSED_BYTES_MAX - 1] };
    let compose = Compose { to: "bob".into(), attachments: vec![file], ..Compose::default() };
    assert_eq!(node.client.call(&Request::Send(Box::new(compose))).await, Ok(sent));
}

#[tokio::test]
async fn one_client_too_many_is_told_to_come_again() {
    let node = Node::start().await;
    let mut streams = Vec::new();
    for _ in 0..server::CONNECTIONS_MAX {
        streams.push(node.client.follow(Topic::Inbox { all: false }).await.unwrap());
    }
    let error = node.client.call(&Request::Me).await.unwrap_err();
    assert!(error.message.contains("busy") || error.message.contains("hung up"), "{error}");
    streams.pop();
    node.fake.answers.lock().unwrap().push(Ok(Response::Me(samples::me())));
    while node.client.call(&Request::Me).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_answer_to_down_arrives_although_the_node_stops() {
    let node = Node::start().await;
    node.fake.answers.lock().unwrap().push(Ok(Response::Done(Done::default())));
    *node.fake.stop_on_down.lock().unwrap() = node.stop.lock().unwrap().take();
    assert_eq!(node.client.call(&Request::Down).await, Ok(Response::Done(Done::default())));
    node.served.await.unwrap();
    assert_eq!(node.client.call(&Request::Me).await, Err(ApiError::not_running()));
}

#[tokio::test]
async fn another_user_is_refused_even_where_the_file_lets_him_in() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not checked: only root can become another user");
        return;
    }
    let node = Node::start().await;
    open_to_everybody(&node.path);
    let path = node.path.clone();
    // On Linux a change of user by system call is this thread's alone, and a socket has the user of who connects.
    let stranger = std::thread::spawn(move || {
        let nobody = rustix::process::Uid::from_raw(65_534);
        rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
        talk(&path, &http("GET", "/v1/me", ""), After::Wait)
    });
    let answer = tokio::task::spawn_blocking(|| stranger.join().unwrap()).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("another user"), "{answer}");
    assert!(node.fake.asked.lock().unwrap().is_empty());
}

/// A node without a network: a server over a fake backend.
struct Node {
    fake: Arc<Fake>,
    client: Client,
    path: PathBuf,
    stop: Mutex<Option<oneshot::Sender<()>>>,
    served: JoinHandle<()>,
    _file: socket::SocketFile,
    _home: tempfile::TempDir,
}

impl Node {
    async fn start() -> Node {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("run").join("dak.sock");
        let (listener, file) = socket::bind(&path).await.unwrap();
        let fake = Arc::new(Fake::default());
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async { drop(stopped.await) };
        let backend: Arc<dyn Backend> = fake.clone();
        let served = tokio::spawn(server::serve(listener, backend, shutdown));
        let client = Client::new(&path);
        Node { fake, client, path, stop: Mutex::new(Some(stop)), served, _file: file, _home: home }
    }

    async fn stop(self) {
        drop(self.stop.lock().unwrap().take());
        self.served.await.unwrap();
    }

    /// Says `bytes` and returns all that comes back.
    async fn raw(&self, bytes: &[u8]) -> String {
        let (path, bytes) = (self.path.clone(), bytes.to_vec());
        tokio::task::spawn_blocking(move || talk(&path, &bytes, After::Wait)).await.unwrap()
    }

    /// Likewise, but says goodbye at once.
    async fn raw_and_gone(&self, bytes: &[u8]) -> String {
        let (path, bytes) = (self.path.clone(), bytes.to_vec());
        tokio::task::spawn_blocking(move || talk(&path, &bytes, After::Close)).await.unwrap()
    }
}

fn http(method: &str, path: &str, body: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nhost: d\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// What a client does when it has spoken.
#[derive(PartialEq)]
enum After {
    Wait,
    Close,
}

fn talk(path: &Path, bytes: &[u8], after: After) -> String {
    let mut stream = StdStream::connect(path).unwrap();
    // The node may hang up on what it refuses before it has read all.
    let _ = stream.write_all(bytes);
    if after == After::Close {
        let _ = stream.shutdown(std::net::Shutdown::Write);
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn open_to_everybody(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let (run, home) = (path.parent().unwrap(), path.parent().unwrap().parent().unwrap());
    for (path, mode) in [(home, 0o755), (run, 0o755), (path, 0o666)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
}

fn every_exchange() -> Vec<(Request, Response)> {
    use Request as Q;
    use Response as A;
    // A name that no path should be troubled by.
    let who = || "Zoë / 100%?#.. b".to_owned();
    let id = || "3f2a".to_owned();
    let done = A::Done(Done::default());
    let contact = A::Contact(samples::contact());
    let paired = contact.clone();
    let file = File { name: "a b.txt".into(), bytes: vec![0, 255] };
    let compose = Compose {
        task: None,
        to: who(),
        text: "hi\n\u{1b}[31m".into(),
        subject: Some("s".into()),
        attachments: vec![file.clone()],
        paths: vec!["/a b".into()],
        uploads: vec![Upload { id: samples::ID.into(), name: "a b".into() }],
        priority: Some(Priority::Urgent),
        tags: vec![Tag::Question],
        lifetime_ms: Some(1),
        expire_after_read_ms: Some(3_600_000),
        reply_by: samples::at(18, 0),
        offset_minutes: Some(-210),
        thread: Some(samples::ID.into()),
        in_reply_to: Some(samples::ID.into()),
        forward: Some(id()),
        copies: Some(8),
        because: Some(Because { id: id(), hook: Some("log".into()) }),
        once: Some("0123456789abcdef".into()),
    };
    let until = samples::at(18, 0).unwrap();
    let usual = Usual {
        priority: Some(Priority::Bulk),
        read_receipts: Some(false),
        expire_after_read_ms: Some(60_000),
        ..Usual::default()
    };
    let new_hook = NewHook {
        name: "log".into(),
        cmd: vec!["/bin/cat".into(), "a\nb".into()],
        query: Some("pump \"a b\"".into()),
        within: Some(who()),
        timeout_ms: Some(1),
        ..NewHook::default()
    };
    let new_away = NewAway { text: "at sea".into(), until, reply: true, every_ms: Some(1_000) };
    let new_draft = NewDraft { compose: compose.clone(), more: vec![who()], at: Some(until), refused: None };
    let muting = Arranging::Mute { until: Some(until), except_mentions: true };
    let status = samples::status(vec![
        samples::event(EventKind::Queued, samples::at(11, 0), None),
        Event { reason: Some("full".into()), ..samples::event(EventKind::Rejected, None, Some("bob")) },
    ]);
    let health = HealthRow {
        schema: Schema,
        ok: true,
        version: "1".into(),
        pid: 7,
        uptime_ms: 9,
        api_listen: None,
        problems: vec!["full".into()],
    };
    let check = CheckRow {
        schema: Schema,
        check: "clock".into(),
        verdict: Verdict::Warn,
        message: "it jumped".into(),
        next: Some(NextStep::StopOneOfTwo),
        next_step: Some("stop one".into()),
    };
    let setting = ConfigRow { schema: Schema, key: "k".into(), value: "v".into(), origin: "default".into() };
    let backup = FileRow::of("/b".into(), 5);
    let letter =
        LetterRow { files: vec![file], answers: Some(samples::answered()), ..LetterRow::of(samples::inbox("hi")) };
    vec![
        (Q::Version, A::Version(VersionRow::of_this_build())),
        (Q::Health, A::Health(health)),
        (Q::Metrics, A::Metrics(Metrics::of_text("# HELP a b\n# TYPE a gauge\na 1\n".into()))),
        (Q::Me, A::Me(samples::me())),
        (Q::ContactAdd(Introduction { name: who(), address: "dak:x".into() }), contact.clone()),
        (Q::ContactList, A::Contacts(vec![samples::contact(), samples::contact()])),
        (Q::ContactShow { who: who() }, contact.clone()),
        (Q::ContactVerify { who: who(), verified: false }, contact.clone()),
        (Q::ContactRename { who: who(), name: "z".into() }, contact.clone()),
        (Q::ContactSet { who: who(), clear: true, usual }, contact.clone()),
        (Q::ContactBlock { who: who() }, contact.clone()),
        (Q::ContactUnblock { who: who() }, contact),
        (Q::ContactRemove { who: who() }, done.clone()),
        (Q::ContactShare { who: who(), with: "bob".into(), text: None }, A::Sent(samples::sent())),
        (Q::PairJoin { code: "7 a / b".into(), peers: vec!["/ip4/1.2.3.4/tcp/1".into()], name: Some(who()) }, paired),
        (Q::PairEnd, done.clone()),
        (Q::Nearby, A::Nearby(vec![samples::nearby()])),
        (Q::Recipient { who: who() }, A::Recipient(samples::recipient())),
        (Q::Send(Box::new(compose)), A::Sent(samples::sent())),
        (Q::Read { id: id(), mark: true, tell: true }, A::Letter(Box::new(letter))),
        (Q::InboxDelete { id: id() }, done.clone()),
        (Q::Crossings { told: true }, A::Crossings(vec![samples::crossing()])),
        (Q::DraftAdd(Box::new(new_draft)), A::Draft(samples::draft())),
        (Q::Drafts, A::Drafts(vec![samples::draft(), samples::draft()])),
        (Q::Draft { number: "3".into() }, A::Draft(samples::draft())),
        (Q::DraftSend { number: "3".into(), to: vec![who()] }, A::Sents(vec![samples::sent()])),
        (Q::DraftDelete { number: "3".into() }, done.clone()),
        (Q::Waiting, A::Waiting(WaitingRow { schema: Schema, unread: 7, requests: 2, muted: 1 })),
        (Q::Arrange { what: vec![who(), id()], how: Arranging::Pin }, A::Arranged(vec![samples::arranged()])),
        (Q::Arrange { what: vec![id()], how: Arranging::Snooze { until } }, A::Arranged(vec![])),
        (Q::Arrange { what: vec![who()], how: muting }, A::Arranged(vec![samples::arranged()])),
        (Q::Label { label: who(), ids: vec![id()], on: true }, done.clone()),
        (Q::Labels, A::Labels(vec![LabelRow { schema: Schema, label: "plans".into(), messages: 3 }])),
        (Q::Mark { ids: vec![id(), "4e".into()], read: false }, done.clone()),
        (Q::Status { id: id() }, A::Statuses(vec![status.clone()])),
        (Q::Cancel { id: id() }, A::Statuses(vec![status])),
        (Q::Files, A::Files(vec![samples::transfer(), samples::transfer()])),
        (Q::FileGet { id: "3f2a/1".into(), from: Some(0), to: Some(u64::MAX) }, A::Transfer(samples::transfer())),
        (Q::FileCancel { id: "3f2a/1".into() }, A::Transfer(samples::transfer())),
        (Q::FileSave { id: "3f2a/1".into(), directory: "/d".into() }, A::Saved(FileRow::of("/d/survey.tar".into(), 5))),
        (Q::Outlook, A::Outlook(samples::outlook())),
        (Q::StatusSeen { event: 7 }, done.clone()),
        (Q::Peers, A::Peers(vec![samples::peer()])),
        (Q::Stats, A::Stats(vec![samples::stats(), samples::stats()])),
        (Q::Carry, A::Carry(samples::carry())),
        (Q::CarryLimit { bytes: u64::MAX }, A::Carry(samples::carry())),
        (Q::CarryDrop { id: id() }, done.clone()),
        (Q::CarryExport { id: id() }, A::Bytes(vec![0x9f, 0, 255])),
        (
            Q::StickTake { ids: vec![samples::ID.into()], whom: Some(who()) },
            A::Leaving(vec![LeavingRow { schema: Schema, id: samples::ID.into(), at: None, bytes: vec![0x9f, 0] }]),
        ),
        (
            Q::StickBring { bundles: vec![FromStick { bytes: vec![0x9f, 255], written_at: samples::at(11, 0) }] },
            A::Entered(vec![samples::entered()]),
        ),
        (Q::TopicEvents { topic: who(), before: Some(7), limit: None }, A::TopicEvents(Vec::new())),
        (Q::Doctor, A::Doctor(vec![check.clone()])),
        (Q::Reindex, A::Doctor(vec![check])),
        (Q::Backup { path: "/b".into(), passphrase: "p".into() }, A::Backup(backup)),
        (Q::HookAdd(new_hook), A::Hook(samples::hook())),
        (Q::Hooks, A::Hooks(vec![samples::hook(), samples::hook()])),
        (Q::HookRemove { name: who() }, done.clone()),
        (Q::HookTest { name: who(), id: Some(id()) }, A::HookTested(samples::hook_tested())),
        (Q::HookFailed { name: None }, A::HookFailed(vec![samples::hook_failed()])),
        (Q::HookRetry { id: id(), name: Some(who()) }, done.clone()),
        (Q::Away, A::Away(samples::away())),
        (Q::AwaySet(new_away), A::Away(samples::away())),
        (Q::AwayEnd, done.clone()),
        (Q::Web, A::Web(WebRow { schema: Schema, url: "http://a.localhost:1/#open=b".into() })),
        (Q::WebLan, A::WebLan(samples::phone())),
        (Q::WebLanEnd, done.clone()),
        (Q::WebDevices, A::WebDevices(vec![samples::browser(), samples::browser()])),
        (Q::WebRevoke { name: "Firefox on Linux".into() }, done.clone()),
        (Q::Config, A::Config(vec![setting])),
        (Q::Down, done),
    ]
}
