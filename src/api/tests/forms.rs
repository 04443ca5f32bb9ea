//! The forms in which objects are given: one a line, an array, events.

use super::*;

fn asking(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: d\r\n{headers}\r\n").into_bytes()
}

fn gone(event: u64) -> Row {
    let (what, by, id) = (Happened::Deleted, None, Some(samples::ID.into()));
    Row::Happened(HappenedRow::Gone { schema: Schema, event, what, at: None, by, id })
}

/// The body of an answer in one piece.
fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

#[tokio::test]
async fn who_accepts_json_first_gets_an_array_and_everybody_else_lines() {
    let node = Node::start().await;
    for accept in ["accept: application/json\r\n", ""] {
        let contacts = vec![samples::contact(), samples::contact()];
        node.fake.answers.lock().unwrap().push(Ok(Response::Contacts(contacts.clone())));
        let answer = node.raw(&asking("/v1/contacts", accept)).await;
        if accept.is_empty() {
            assert!(answer.contains("application/x-ndjson") && body(&answer).lines().count() == 2, "{answer}");
            continue;
        }
        assert!(answer.contains("content-type: application/json"), "{answer}");
        assert_eq!(serde_json::from_str::<Vec<ContactRow>>(body(&answer)).unwrap(), contacts);
    }
    // What has no rows is an array without any.
    node.fake.answers.lock().unwrap().push(Ok(Response::Contacts(vec![])));
    assert_eq!(body(&node.raw(&asking("/v1/contacts", "accept: application/json\r\n")).await), "[]\n");
}

#[tokio::test]
async fn a_listing_is_an_array_too_and_one_that_fails_on_its_way_is_never_taken_for_whole() {
    let node = Node::start().await;
    let rows = vec![Row::Inbox(samples::inbox("a")), Row::Inbox(samples::inbox("b"))];
    let accept = "accept: application/json\r\n";
    node.fake.listed.lock().unwrap().push(rows.clone());
    let answer = node.raw(&asking("/v1/inbox", accept)).await;
    let listed: String = body(&answer).split("\r\n").skip(1).step_by(2).collect();
    assert_eq!(serde_json::from_str::<Vec<InboxRow>>(&listed).unwrap().len(), 2, "{answer}");
    node.fake.listed.lock().unwrap().push([rows, vec![Row::Ended(ApiError::failure("a page was damaged"))]].concat());
    let answer = node.raw(&asking("/v1/inbox", accept)).await;
    assert!(!answer.contains(']') && !answer.ends_with("0\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn what_happens_comes_as_events_with_numbers_and_goes_on_behind_the_last_one_seen() {
    let node = Node::start().await;
    let raw = asking("/v1/events?since=3", "accept: text/event-stream\r\nlast-event-id: 7\r\n");
    let path = node.path.clone();
    let reading = tokio::task::spawn_blocking(move || talk(&path, &raw, After::Wait));
    while node.fake.followers() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        node.fake.topics.lock().unwrap().pop(),
        Some(Topic::Happened { since: Some(7), who: None, beside: false })
    );
    node.fake.emit(gone(8));
    node.fake.emit(Row::Happened(HappenedRow::Beside { schema: Schema, beside: Beside::Nearby }));
    node.fake.emit(Row::Ended(ApiError::failure("it broke")));
    let answer = reading.await.unwrap();
    assert!(answer.contains("content-type: text/event-stream"), "{answer}");
    let line = json_line(&gone_row(8));
    assert!(answer.contains(&format!("id: 8\nevent: deleted\ndata: {line}\n")), "{answer}");
    assert!(answer.contains("\nevent: beside\ndata: {\"schema\":1,\"beside\":\"nearby\"}\n"), "{answer}");
    assert!(answer.contains("event: error\ndata: {\"schema\":1,\"exit_code\":1,"), "{answer}");
    let wrong = node.raw(&asking("/v1/events", "last-event-id: seven\r\n")).await;
    assert!(wrong.starts_with("HTTP/1.1 400 ") && wrong.contains("Last-Event-ID"), "{wrong}");
}

fn gone_row(event: u64) -> HappenedRow {
    let Row::Happened(row) = gone(event) else { unreachable!("it is one") };
    row
}

#[tokio::test]
async fn the_routes_are_described_where_they_are_served() {
    let node = Node::start().await;
    let answer = node.raw(&asking("/v1/openapi.json", "")).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("content-type: application/json"));
    assert_eq!(body(&answer).as_bytes(), crate::api::openapi::document());
}
