//! `dak doctor`: what a person should know of this home, and what to do about it.

use std::collections::BTreeSet;
use std::time::Instant;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use super::rows::Names;
use super::{Desk, descriptors};
use crate::agent::Agent;
use crate::api::model::{CheckRow, Verdict};
use crate::api::{ApiError, NextStep};
use crate::blobs::Blobs;
use crate::content::Enclosed;
use crate::id::NodeId;
use crate::net::Multicast;
use crate::node::named::{Named, each_named};
use crate::safe_text::safe_text;
use crate::store::StoreError;
use crate::store::redb::{Depth, Findings};
use crate::time::BUILD_DATE;
use crate::units::{about_bytes, counted};

/// Below this much free space the disk is worth a warning, in bytes.
const FREE_BYTES_LOW: u64 = 256 << 20;
/// Where multicast DNS is spoken (RFC 6762).
const MULTICAST_PORT: u16 = 5353;
/// Most files that something is wrong with that are listed.
const FILES_SHOWN: usize = 10;
/// Most problems of the store that are listed.
const PROBLEMS_SHOWN: usize = 10;

impl Desk {
    pub(super) async fn doctor(&self) -> Result<Vec<CheckRow>, ApiError> {
        let mut rows = vec![self.check_identity(), self.check_clock().await?, self.check_space()];
        rows.extend(self.check_store().await?);
        rows.extend(self.check_files().await?);
        let (bytes, bytes_max) = self.look(|agent, _| agent.mail_of_strangers()).await?;
        rows.push(mail_of("strangers", bytes, bytes_max));
        let (bytes, bytes_max) = self.look(|agent, _| agent.mail_of_contacts()).await?;
        rows.push(mail_of("contacts", bytes, bytes_max));
        let turned_away = self.look(turned_away).await?;
        rows.extend(without_room(&turned_away));
        rows.extend(self.check_hooks().await?);
        rows.extend(self.check_network().await?);
        Ok(rows)
    }

    /// It was loaded with tight permissions, or there would be no desk.
    fn check_identity(&self) -> CheckRow {
        let path = self.inner.home.identity_path();
        match crate::keys::Identity::load(&path) {
            Ok(_) => CheckRow::new("identity", Verdict::Ok, format!("{} is readable by you alone", path.display())),
            Err(error) => CheckRow::failed("identity", Verdict::Bad, error),
        }
    }

    async fn check_clock(&self) -> Result<CheckRow, ApiError> {
        let at = self.look(|agent, _| agent.at()).await?;
        Ok(match at.wall >= BUILD_DATE {
            true => CheckRow::new("clock", Verdict::Ok, "the wall clock is plausible"),
            false => CheckRow::new(
                "clock",
                Verdict::Warn,
                "the wall clock is behind this program's own date; messages go out without a sent time",
            )
            .advise("set the clock; nothing is lost meanwhile"),
        })
    }

    fn check_space(&self) -> CheckRow {
        if let Err(error) = super::refuse_to_write(&self.inner.lock, &self.inner.home) {
            return CheckRow::failed("disk", Verdict::Warn, error);
        }
        match self.node().reader().free_bytes() {
            Ok(free) if free >= FREE_BYTES_LOW => {
                CheckRow::new("disk", Verdict::Ok, format!("{} are free", about_bytes(free)))
            }
            Ok(free) => {
                let found = format!(
                    "only {} are free; below 16 MiB nothing is carried, below 3 MiB no mail is sent or taken",
                    about_bytes(free)
                );
                CheckRow::new("disk", Verdict::Warn, found).next(NextStep::FreeSpace { again: false })
            }
            Err(error) => CheckRow::failed("disk", Verdict::Bad, error),
        }
    }

    async fn check_store(&self) -> Result<Vec<CheckRow>, ApiError> {
        let reader = self.node().reader().clone();
        let check = move || reader.check(Depth::Form);
        let findings = tokio::task::spawn_blocking(check).await.map_err(|e| ApiError::failure(e.to_string()))??;
        Ok(store_rows(Ok(findings)))
    }

    /// Reads every file in parts that is here whole.
    async fn check_files(&self) -> Result<Vec<CheckRow>, ApiError> {
        let blobs = std::sync::Arc::clone(self.node().blobs());
        let may_write = !self.inner.lock.is_read_only();
        self.record(move |record| {
            let (mut rows, mut seen) = (Vec::new(), BTreeSet::new());
            each_named(record, &mut |named| {
                if !named.state.gone && seen.insert(named.file.root) && rows.len() < FILES_SHOWN {
                    rows.extend(file_row(&blobs, &named, may_write));
                }
            })?;
            let (count, bytes) = blobs.usage();
            match blobs.strays() {
                Ok(0) => {}
                Ok(1) => rows.push(CheckRow::new(
                    "files",
                    Verdict::Warn,
                    "something lies beside the files that is none of them; it goes at the next start",
                )),
                Ok(n) => rows.push(CheckRow::new(
                    "files",
                    Verdict::Warn,
                    format!("{n} things lie beside the files that are none of them; they go at the next start"),
                )),
                Err(error) => rows.push(CheckRow::failed("files", Verdict::Bad, ApiError::failure(error.to_string()))),
            }
            if rows.is_empty() && count > 0 {
                let found = format!("{count} in parts, {} here; all sound", about_bytes(bytes));
                rows.push(CheckRow::new("files", Verdict::Ok, found));
            }
            Ok(rows)
        })
        .await
    }

    /// Nobody watches a hook, so what one gave up is told where a person looks.
    async fn check_hooks(&self) -> Result<Option<CheckRow>, ApiError> {
        let hooks = self.hook_list().await?;
        let given_up: u64 = hooks.iter().map(|hook| hook.failed).sum();
        let names: Vec<&str> = hooks.iter().filter(|hook| hook.failed > 0).map(|hook| hook.name.as_str()).collect();
        Ok((!hooks.is_empty()).then(|| match given_up {
            0 => CheckRow::new(
                "hooks",
                Verdict::Ok,
                format!("{}; no message was given up", counted(hooks.len() as u64, "hook")),
            ),
            _ => {
                let found = format!("{} given up by {}", were(given_up), names.join(", "));
                CheckRow::new("hooks", Verdict::Warn, found).next(NextStep::ListFailedHooks)
            }
        }))
    }

    async fn check_network(&self) -> Result<Vec<CheckRow>, ApiError> {
        let Some(net) = self.node().net() else {
            let row = CheckRow::new("network", Verdict::Warn, "no node runs on this home");
            return Ok(vec![row.next(NextStep::StartNode)]);
        };
        let contacts = self.look(|agent, _| agent.contacts().count()).await?;
        let nearby = self.node().nearby();
        let around = nearby.around(Instant::now()).len();
        let everywhere = |addr: &Multiaddr| addr.iter().any(|part| is_unspecified(&part));
        let anywhere = self.inner.config.listen.value.iter().any(everywhere);
        let mut rows = vec![reachability(&nearby.offered(), anywhere), neighbours(&net.multicast(), around)];
        rows.extend(nearby.twin(Instant::now()).map(|place| twin(&place)));
        rows.push(CheckRow::new(
            "contacts",
            Verdict::Ok,
            match contacts {
                0 => "nobody is met now".to_owned(),
                _ => format!(
                    "{} {} now",
                    counted(contacts as u64, "contact"),
                    if contacts == 1 { "lasts" } else { "last" }
                ),
            },
        ));
        rows.extend(descriptors::check(descriptors::allowed()));
        let refused = self.node().refused();
        if refused > 0 {
            let what = if refused == 1 { "bundle or frame was" } else { "bundles or frames were" };
            let found = format!("{refused} {what} refused; the log says whose and why");
            rows.push(CheckRow::new("peers", Verdict::Warn, found));
        }
        Ok(rows)
    }
}

fn were(messages: u64) -> String {
    format!("{} {}", counted(messages, "message"), if messages == 1 { "was" } else { "were" })
}

/// What is wrong with a file, if anything is. What the disk changed counts as missing from then on, so that it may come again.
fn file_row(blobs: &Blobs, named: &Named, may_write: bool) -> Option<CheckRow> {
    let Enclosed { name, root, .. } = &named.file;
    let name = safe_text(name);
    let is_whole = blobs.have(root).is_some_and(|(_, have)| have.is_all());
    let is_sent = named.from().is_none();
    match blobs.is_sound(root) {
        Ok(true) if is_sent && !is_whole && !named.state.stopped => {
            let found = format!("{name} is not here any more, and what its recipient lacks of it cannot be sent");
            Some(CheckRow::new("files", Verdict::Warn, found).advise("send it again from where it came"))
        }
        Ok(true) => None,
        Ok(false) => {
            if may_write && let Err(error) = blobs.doubt(root) {
                tracing::warn!(%error, "what is damaged of a file stays");
            }
            let row =
                CheckRow::new("files", Verdict::Bad, format!("the disk changed {name}, and it counts as missing now"));
            Some(match is_sent {
                true => row.advise("send it again from where it came"),
                false => row.next(NextStep::ListFiles),
            })
        }
        Err(error) => {
            Some(CheckRow::failed("files", Verdict::Bad, ApiError::failure(format!("{name} cannot be read: {error}"))))
        }
    }
}

/// Who can reach the node. `anywhere` says that it would listen on any interface there is.
fn reachability(offered: &[Multiaddr], anywhere: bool) -> CheckRow {
    let listens: Vec<String> = offered.iter().map(ToString::to_string).collect();
    let with_step = |row: CheckRow| match anywhere {
        true => row.advise("connect this machine to a network; the node notices by itself"),
        false => row.next(NextStep::CheckSetting { key: "listen".into() }),
    };
    let here = |addr: &Multiaddr| addr.iter().any(|part| is_loopback(&part));
    match offered {
        [] => with_step(CheckRow::new("network", Verdict::Warn, "listens nowhere")),
        _ if offered.iter().all(here) => {
            let found = format!("only this machine can reach the node: it listens on {} alone", listens.join(", "));
            with_step(CheckRow::new("network", Verdict::Warn, found))
        }
        _ => CheckRow::new("network", Verdict::Ok, format!("listens on {}", listens.join(", "))),
    }
}

fn is_unspecified(part: &Protocol<'_>) -> bool {
    match part {
        Protocol::Ip4(ip) => ip.is_unspecified(),
        Protocol::Ip6(ip) => ip.is_unspecified(),
        _ => false,
    }
}

fn is_loopback(part: &Protocol<'_>) -> bool {
    match part {
        Protocol::Ip4(ip) => ip.is_loopback(),
        Protocol::Ip6(ip) => ip.is_loopback(),
        _ => false,
    }
}

/// Whether others on the same network can be found, where `around` of them are known.
fn neighbours(multicast: &Multicast, around: usize) -> CheckRow {
    let known = match around {
        0 => "nobody is near".to_owned(),
        _ => format!("{} {} near", counted(around as u64, "node"), if around == 1 { "is" } else { "are" }),
    };
    match multicast {
        Multicast::Fails(why) if around == 0 => {
            let found = format!("nobody can be found, for multicast does not work: {why}");
            CheckRow::new("neighbours", Verdict::Warn, found).next(NextStep::OpenMulticast { port: MULTICAST_PORT })
        }
        Multicast::Fails(why) => {
            CheckRow::new("neighbours", Verdict::Ok, format!("{known}; others cannot be found by multicast: {why}"))
        }
        Multicast::Off => CheckRow::new("neighbours", Verdict::Ok, format!("{known}; others are not looked for")),
        Multicast::Unknown | Multicast::Works => CheckRow::new("neighbours", Verdict::Ok, known),
    }
}

/// The same key on two machines: a home that was copied.
fn twin(place: &str) -> CheckRow {
    let found = format!("another machine runs with this home's key, at {place}: mail reaches now one, now the other");
    CheckRow::new("identity", Verdict::Bad, found).next(NextStep::StopOneOfTwo)
}

/// Most writers named whose mail finds no room.
const WRITERS_SHOWN: usize = 3;

/// The first of those who were told that their mail finds no room, as this person calls them, and how many there are.
fn turned_away(agent: &Agent, names: &Names<'_>) -> (Vec<String>, usize) {
    let all: Vec<NodeId> = agent.turned_away().collect();
    (all.iter().take(WRITERS_SHOWN).map(|node| names.show(node)).collect(), all.len())
}

fn without_room((names, count): &(Vec<String>, usize)) -> Option<CheckRow> {
    let more = count.saturating_sub(names.len());
    let who = names.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() };
    let found = format!("there is no room for mail from {who}; it waits, and its writers were told");
    (*count > 0).then(|| CheckRow::new("mail", Verdict::Warn, found).next(NextStep::MakeRoomForMail))
}

/// Mail of each class has a bound, or anybody could fill the disk.
fn mail_of(class: &str, bytes: u64, bytes_max: u64) -> CheckRow {
    let found = format!("mail from {class} takes {} of {}", about_bytes(bytes), about_bytes(bytes_max));
    match bytes < bytes_max / 10 * 9 {
        true => CheckRow::new("mail", Verdict::Ok, found),
        false => CheckRow::new(
            "mail",
            Verdict::Warn,
            format!("{found}; what has no room there is refused, and waits with whoever brought it"),
        )
        .next(NextStep::MakeRoomForMail),
    }
}

/// What was found in a store, or why it cannot be looked at.
pub(super) fn store_rows(found: Result<Findings, StoreError>) -> Vec<CheckRow> {
    let findings = match found {
        Ok(findings) => findings,
        Err(StoreError::Damaged(what)) => {
            let row = CheckRow::new("store", Verdict::Bad, format!("the store is damaged ({what})"));
            return vec![row.next(NextStep::RepairStore)];
        }
        Err(error) => return vec![CheckRow::failed("store", Verdict::Bad, error)],
    };
    if findings.is_sound() {
        let found = format!(
            "{} held, {} in the inbox, {} sent; {} on the disk; all sound",
            findings.held,
            findings.letters,
            findings.outgoing,
            about_bytes(findings.file_bytes)
        );
        return vec![CheckRow::new("store", Verdict::Ok, found)];
    }
    let count = findings.problem_count;
    let found = format!("the store has {}", counted(count, "problem"));
    let mut rows = vec![CheckRow::new("store", Verdict::Bad, found).next(NextStep::RepairStore)];
    let shown = findings.problems.iter().take(PROBLEMS_SHOWN);
    rows.extend(shown.map(|problem| CheckRow::new("store", Verdict::Bad, problem.to_string())));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addrs(texts: &[&str]) -> Vec<Multiaddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_node_that_only_its_own_machine_can_reach_is_told_so() {
        let alone = reachability(&addrs(&["/ip4/127.0.0.1/tcp/7", "/ip6/::1/tcp/7"]), true);
        assert_eq!(alone.verdict, Verdict::Warn);
        assert!(
            alone.message.contains("only this machine") && alone.next_step.unwrap().contains("connect this machine")
        );
        let bound = reachability(&addrs(&["/ip4/127.0.0.1/tcp/7"]), false);
        assert_eq!(bound.next, Some(NextStep::CheckSetting { key: "listen".into() }));
        assert_eq!(reachability(&addrs(&["/ip4/10.0.0.1/tcp/7"]), true).verdict, Verdict::Ok);
        assert_eq!(reachability(&[], true).verdict, Verdict::Warn);
    }

    #[test]
    fn multicast_that_fails_is_worth_a_warning_where_nobody_was_found_otherwise() {
        let fails = Multicast::Fails("eth0: sending failed".into());
        let alone = neighbours(&fails, 0);
        assert_eq!(alone.verdict, Verdict::Warn);
        assert!(
            alone.message.contains("eth0: sending failed")
                && alone.next == Some(NextStep::OpenMulticast { port: 5353 })
        );
        for (multicast, around) in [(fails, 1), (Multicast::Works, 0), (Multicast::Off, 0), (Multicast::Unknown, 2)] {
            assert_eq!(neighbours(&multicast, around).verdict, Verdict::Ok, "{multicast:?}");
        }
    }

    #[test]
    fn mail_of_strangers_is_no_trouble_until_there_is_hardly_room_for_more() {
        let (few, many) = (mail_of("strangers", 0, 64 << 20), mail_of("strangers", 60 << 20, 64 << 20));
        assert_eq!((few.verdict, few.next), (Verdict::Ok, None));
        assert_eq!(many.verdict, Verdict::Warn);
        assert!(many.message.contains("60") && many.message.contains("64") && many.message.contains("refused"));
    }
}
