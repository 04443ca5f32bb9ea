//! A topic between programs of one machine: what is published is consumed beside it, both durable.

use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::cast::{PATIENCE, node};
use super::{Failure, Row, row};
use crate::agent::Input;
use crate::content::topic::Filter;
use crate::eid::Eid;
use crate::mail::topics::group::{Group, Next, Verdict};
use crate::mail::topics::rows;
use crate::node::Node;
use crate::time::{DAY, DtnTime};

/// A short reading of some instrument.
const READING: &str = "temperature 21.5, humidity 40, pressure 1013.25, at the north wall of the old greenhouse";
/// Messages published together, as lines of a pipe are.
const TOGETHER: usize = 512;

/// Small messages published and consumed here, a second; `ingest` is what custody took.
pub async fn local(place: &Path, messages: usize, ingest: f64, report: &mut impl FnMut(Row)) -> Result<(), Failure> {
    let home = node(place, 60, Vec::new()).await?;
    let (owner, filter) = (home.identity().node(), Filter::parse("bench").expect("a name"));
    let topic = Eid::topic(owner, "bench");
    let serve = filter.clone();
    home.on_topics(move |topics, _| {
        (vec![Input::Serve { owner, filter: serve, on: true }], topics.subscribe(owner, filter), ())
    })
    .await?;
    let start = Instant::now();
    let (published, consumed) = tokio::join!(publish(&home, &topic, messages), consume(&home, &topic, messages));
    published?;
    consumed?;
    let rate = messages as f64 / start.elapsed().as_secs_f64();
    report(row("published_and_consumed", rate, "1/s", Some((ingest / 2.0, "half of ingest"))));
    home.stop().await;
    Ok(())
}

async fn publish(home: &Node, topic: &Eid, messages: usize) -> Result<(), Failure> {
    let mut left = messages;
    while left > 0 {
        let many = left.min(TOGETHER);
        home.publish(topic.clone(), vec![(None, READING.to_owned()); many], Some(DAY), DAY).await?;
        left -= many;
    }
    Ok(())
}

/// Takes what is there, a page at a time, and says that it is done.
async fn consume(home: &Node, topic: &Eid, messages: usize) -> Result<(), Failure> {
    let (mut group, mut consumed, mut commits) = (Group::default(), 0, home.commits());
    while consumed < messages {
        commits.borrow_and_update();
        let now = DtnTime::from_unix_ms(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64);
        let Next::Behind(number) = group.next(now) else { return Err("nothing was left open".into()) };
        let (reader, start, after) = (home.reader().clone(), rows::events(topic), rows::event(topic, number));
        let page = tokio::task::spawn_blocking(move || reader.all_kept(&start, Some(&after), TOGETHER / 2)).await??;
        if page.is_empty() {
            tokio::time::timeout(PATIENCE, commits.changed()).await??;
            continue;
        }
        for (key, _) in &page {
            let Some(rows::Key::Event(_, number)) = rows::read_key(key) else { continue };
            group.hand(number, 1, now);
            group.settle(number, Verdict::Done, now);
        }
        consumed += page.len();
        home.keep(vec![(rows::group(topic, "bench"), Some(group.write()))]).await?;
    }
    Ok(())
}
