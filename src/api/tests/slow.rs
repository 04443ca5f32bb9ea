//! Clients that take their time, on a clock that runs ahead whenever nobody has anything to do.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep};

use super::*;

/// Says `bytes`, one a second, until the node hangs up; returns how many it took and what it answered.
async fn drip(node: &Node, bytes: &[u8]) -> (usize, String) {
    let (mut answers, mut words) = UnixStream::connect(&node.path).await.unwrap().into_split();
    let listening = tokio::spawn(async move {
        let mut answer = String::new();
        let _ = answers.read_to_string(&mut answer).await;
        answer
    });
    let mut said = 0;
    while said < bytes.len() && !listening.is_finished() && words.write_all(&bytes[said..said + 1]).await.is_ok() {
        said += 1;
        sleep(Duration::from_secs(1)).await;
    }
    (said, listening.await.unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_head_of_one_byte_a_second_is_not_waited_for() {
    let node = Node::start().await;
    let (said, answer) = drip(&node, &http("GET", "/v1/me", "")).await;
    assert!((5..=7).contains(&said), "{said} bytes");
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(node.fake.asked.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reader_of_events_hears_that_nothing_happens() {
    let node = Node::start().await;
    let mut client = UnixStream::connect(&node.path).await.unwrap();
    client.write_all(b"GET /v1/events HTTP/1.1\r\nhost: d\r\naccept: text/event-stream\r\n\r\n").await.unwrap();
    let (mut heard, mut bytes) = (String::new(), [0; 4_096]);
    while heard.matches(": nothing so far").count() < 3 {
        let read = client.read(&mut bytes).await.unwrap();
        assert!(read > 0, "{heard}");
        heard += &String::from_utf8_lossy(&bytes[..read]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_of_one_byte_a_second_is_not_waited_for() {
    let node = Node::start().await;
    let request = http("POST", "/v1/send", &" ".repeat(10_000));
    let head = request.len() - 10_000;
    let mut client = UnixStream::connect(&node.path).await.unwrap();
    client.write_all(&request[..head]).await.unwrap();
    let began = Instant::now();
    let mut said = 0;
    let mut answer = [0; 4_096];
    let heard = loop {
        tokio::select! {
            heard = client.read(&mut answer) => break heard.unwrap(),
            () = sleep(Duration::from_secs(1)) => {}
        }
        client.write_all(b" ").await.unwrap();
        said += 1;
    };
    assert!((19..=21).contains(&said), "{said} bytes in {:?}", began.elapsed());
    assert!(answer[..heard].starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer[..heard]));
}

#[tokio::test(start_paused = true)]
async fn an_endless_chunk_is_not_waited_for() {
    let node = Node::start().await;
    let mut client = UnixStream::connect(&node.path).await.unwrap();
    client.write_all(b"POST /v1/send HTTP/1.1\r\nhost: d\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
    client.write_all(b"ffffffffffffff\r\n{").await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_crowd_of_slow_clients_is_gone_after_a_while_and_the_next_one_is_served() {
    let node = Node::start().await;
    let mut crowd = Vec::new();
    for n in 0..server::CONNECTIONS_MAX {
        let mut client = UnixStream::connect(&node.path).await.unwrap();
        // Nothing, half a head, or a head and half a body.
        let words: &[u8] =
            [&b""[..], b"GET /v1/m", b"POST /v1/send HTTP/1.1\r\nhost: d\r\ncontent-length: 9\r\n\r\n{"][n % 3];
        client.write_all(words).await.unwrap();
        crowd.push(client);
    }
    assert!(node.client.call(&Request::Me).await.is_err(), "the node is full");
    let mut waited = 0;
    loop {
        node.fake.answers.lock().unwrap().push(Ok(Response::Me(samples::me())));
        match node.client.call(&Request::Me).await {
            Ok(_) => break,
            Err(_) => sleep(Duration::from_secs(1)).await,
        }
        waited += 1;
        assert!(waited < 30, "slow clients are never given up");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_reads_is_given_up() {
    let node = Node::start().await;
    let rows = vec![Row::Inbox(samples::inbox(&"x".repeat(4_000))); 2_000];
    node.fake.listed.lock().unwrap().push(rows);
    let mut client = UnixStream::connect(&node.path).await.unwrap();
    client.write_all(&http("GET", "/v1/inbox?unread=false", "")).await.unwrap();
    sleep(Duration::from_secs(90)).await;
    // What fitted into the socket is there; what did not was given up.
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer).await;
    assert!(answer.len() < 8_000_000, "{} bytes", answer.len());
}
