//! `dak demo`: three real nodes on this machine, and a message between two people who are never there together.
//!
//! The nodes are processes of this very program, on loopback only, with homes of their own that vanish afterwards.
//! What is told on the way is what happened; PASS is said only of what the nodes' own `--json` answers showed.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::args::Demo;
use super::out::{Out, Paint};
use super::signals::Signals;
use super::{Outcome, Stop};
use crate::api::ApiError;
use crate::api::model::Schema;
use crate::safe_text::safe_text;
use player::{Player, Troupe};

mod player;

/// What alice has to say.
const WORDS: &str = "Meet me at the old bridge at six. Bring nobody.";
/// How long any one thing may take before the demo gives up.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it looks whether a thing has happened.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub async fn demo(args: &Demo, out: &Out) -> Outcome {
    let mut signals = Signals::count()?;
    let mut troupe = Troupe::gather()?;
    let mut report = Report::new(out);
    let played = tokio::select! {
        played = play(&mut troupe, &mut report) => played,
        () = signals.asked(1) => Err(Stop::Interrupted),
    };
    // What failed is worth a look; who left or interrupted has seen enough.
    let failed = match &played {
        Ok(()) => !report.passed(),
        Err(stop) => matches!(stop, Stop::Error(_)),
    };
    if let Some(place) = troupe.dismiss(args.keep || failed).await {
        out.talk(&format!("homes and logs are in {}", safe_text(&place.display().to_string())));
    }
    match played {
        Ok(()) => report.verdict(),
        Err(Stop::Error(error)) => {
            // The checks made so far are told as well: they say how far it got.
            let _ = report.verdict();
            Err(Stop::Error(error))
        }
        Err(stop) => Err(stop),
    }
}

/// The play. Alice and bob are never there together, and each is only ever told where carol is.
async fn play(troupe: &mut Troupe, report: &mut Report<'_>) -> Outcome {
    let Troupe { alice, bob, carol, .. } = troupe;
    report.say("Three nodes on this machine: alice, bob and carol. Real libp2p, real redb, no server.\n")?;

    let alice_address = alice.up(None).await?.address;
    alice.down().await?;
    let bob_address = bob.up(None).await?.address;
    bob.tell(&["contact", "add", "alice", &alice_address]).await?;
    bob.down().await?;
    report.tell("alice and bob have each other's address. bob leaves.")?;

    let carol_me = carol.up(None).await?;
    report.tell("carol comes. She knows neither of them.")?;

    alice.up(Some(&carol_me)).await?;
    alice.tell(&["contact", "add", "bob", &bob_address]).await?;
    alice.tell(&["contact", "add", "carol", &carol_me.address]).await?;
    report.tell("alice comes and meets carol. bob is still away.")?;

    let sent = alice.tell(&["send", "bob", WORDS, "--wait=custody", "--timeout", "10s"]).await?;
    let id = text(&sent, "id");
    report.tell(&format!("alice writes to bob: \"{WORDS}\""))?;
    let status = alice.tell(&["status", &id]).await?;
    let custodian = event(&status, "custody");
    report
        .check("carol, and not bob, told alice that she answers for a copy", custodian.as_deref() == Some("carol"))?;
    report.check("the bundle lies in carol's custody store", held(carol).await? == Some(1))?;
    let alice_met = met(alice).await?;
    alice.down().await?;
    report.tell("carol has it in custody, durably and unreadable to her. alice leaves.")?;

    bob.up(Some(&carol_me)).await?;
    bob.tell(&["contact", "add", "carol", &carol_me.address]).await?;
    report.tell("bob returns and meets only carol.")?;
    until(async || Ok(!bob.all(&["inbox"]).await?.is_empty())).await?;
    let inbox = bob.all(&["inbox"]).await?;
    let right = |row: &Value| text(row, "text") == WORDS && text(row, "from") == "alice" && text(row, "id") == id;
    report.check("bob's inbox has exactly one copy, in alice's words", inbox.len() == 1 && inbox.iter().all(right))?;
    until(async || Ok(held(carol).await? == Some(0))).await?;
    report.check("carol's copy is purged by bob's receipt", held(carol).await? == Some(0))?;
    let bob_met = met(bob).await?;
    bob.down().await?;
    report.tell("bob has read it from carol; his signed receipt stays with her. bob leaves.")?;

    alice.up(Some(&carol_me)).await?;
    report.tell("alice returns and meets only carol.")?;
    until(async || Ok(text(&alice.tell(&["status", &id]).await?, "state") == "delivered")).await?;
    let status = alice.tell(&["status", &id]).await?;
    let by_bob = text(&status, "state") == "delivered" && event(&status, "delivered").as_deref() == Some("bob");
    report.check("the receipt found alice: delivered, by bob's signature", by_bob)?;
    let alice_met_again = met(alice).await?;
    alice.down().await?;

    let only_carol = |met: &[String]| !met.is_empty() && met.iter().all(|peer| *peer == carol_me.peer_id);
    let never = only_carol(&alice_met) && only_carol(&bob_met) && only_carol(&alice_met_again);
    report.check("alice and bob never met: each had contact with carol alone", never)?;
    report.check("bob's inbox still has exactly one copy", bob.all(&["inbox"]).await?.len() == 1)?;
    carol.down().await
}

/// Messages in a node's custody.
async fn held(player: &Player) -> Result<Option<u64>, ApiError> {
    Ok(player.tell(&["carry"]).await?["bundles"].as_u64())
}

/// The peer ids of a node's contacts.
async fn met(player: &Player) -> Result<Vec<String>, ApiError> {
    Ok(player.all(&["peers"]).await?.iter().map(|peer| text(peer, "peer_id")).collect())
}

fn text(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or_default().to_owned()
}

/// By whose word an event happened.
fn event(status: &Value, what: &str) -> Option<String> {
    let events = status["events"].as_array()?;
    events.iter().find(|event| event["what"] == what).map(|event| text(event, "who"))
}

/// Waits until `happened`, and gives up quietly: the check after it tells.
async fn until(happened: impl AsyncFn() -> Result<bool, ApiError>) -> Result<(), ApiError> {
    let looking = async {
        while !happened().await? {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or(Ok(()))
}

/// What was checked, and how it came out.
struct Report<'a> {
    out: &'a Out,
    started: tokio::time::Instant,
    checks: Vec<bool>,
}

/// One check as JSON.
#[derive(Serialize)]
struct CheckedRow<'a> {
    schema: Schema,
    check: &'a str,
    ok: bool,
}

/// The end as JSON.
#[derive(Serialize)]
struct VerdictRow {
    schema: Schema,
    pass: bool,
    checks: usize,
    seconds: f64,
}

impl Report<'_> {
    fn new(out: &Out) -> Report<'_> {
        Report { out, started: tokio::time::Instant::now(), checks: Vec::new() }
    }

    fn say(&self, text: &str) -> Outcome {
        if self.out.json { Ok(()) } else { self.out.data(&format!("{text}\n")) }
    }

    /// Tells what has just happened, and when.
    fn tell(&self, text: &str) -> Outcome {
        let at = self.out.style.paint(Paint::Dim, &format!("{:>5.1} s", self.seconds()));
        self.say(&format!("{at}  {text}"))
    }

    fn check(&mut self, check: &str, ok: bool) -> Outcome {
        self.checks.push(ok);
        let row = CheckedRow { schema: Schema, check, ok };
        self.out.row(&row, |style| {
            let verdict = if ok { style.paint(Paint::Good, "ok  ") } else { style.paint(Paint::Bad, "FAIL") };
            format!("           {verdict} {check}\n")
        })
    }

    /// Whether every check of the whole play was made and held.
    fn passed(&self) -> bool {
        self.checks.len() == CHECKS && self.checks.iter().all(|ok| *ok)
    }

    fn verdict(&self) -> Outcome {
        let (pass, checks) = (self.passed(), self.checks.len());
        let row = VerdictRow { schema: Schema, pass, checks, seconds: self.seconds() };
        self.out.row(&row, |style| {
            let held = self.checks.iter().filter(|ok| **ok).count();
            match pass {
                true => {
                    format!("\n{}  {held} of {CHECKS} checks, {:.1} s\n", style.paint(Paint::Good, "PASS"), row.seconds)
                }
                false => format!("\n{}  {held} of {CHECKS} checks held\n", style.paint(Paint::Bad, "FAIL")),
            }
        })?;
        if pass { Ok(()) } else { Err(Stop::Code(1)) }
    }

    fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
}

/// How many checks the whole play makes.
const CHECKS: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_play_that_ended_early_has_not_passed() {
        let out = Out::of_this_process(true);
        let mut report = Report::new(&out);
        report.checks = vec![true; CHECKS - 1];
        assert!(!report.passed());
        report.checks.push(false);
        assert!(!report.passed());
        report.checks[CHECKS - 1] = true;
        assert!(report.passed());
    }

    #[test]
    fn an_event_is_found_with_whose_word_it_is() {
        let status =
            serde_json::json!({"events": [{"what": "queued", "who": null}, {"what": "custody", "who": "carol"}]});
        assert_eq!(event(&status, "custody").as_deref(), Some("carol"));
        assert_eq!(event(&status, "delivered"), None);
    }
}
