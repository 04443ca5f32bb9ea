//! The three nodes of the demo, as processes of this program.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::api::ApiError;
use crate::api::model::MeRow;

/// How long a node may take to start, to stop, or to answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// All players, and the directory of their homes.
pub struct Troupe {
    pub alice: Player,
    pub bob: Player,
    pub carol: Player,
    place: TempDir,
}

/// One person with a node.
pub struct Player {
    name: &'static str,
    program: PathBuf,
    home: PathBuf,
    log: PathBuf,
    node: Option<Running>,
}

struct Running {
    process: Child,
    /// Held open: a node may always write to its stdout.
    _stdout: Lines<BufReader<ChildStdout>>,
}

impl Troupe {
    pub fn gather() -> Result<Troupe, ApiError> {
        let cannot = |error: std::io::Error| ApiError::failure(format!("cannot prepare the demo: {error}"));
        let place = tempfile::Builder::new().prefix("dak-demo-").tempdir().map_err(cannot)?;
        let program = std::env::current_exe().map_err(cannot)?;
        let player = |name: &'static str| Player {
            name,
            program: program.clone(),
            home: place.path().join(name),
            log: place.path().join(format!("{name}.log")),
            node: None,
        };
        Ok(Troupe { alice: player("alice"), bob: player("bob"), carol: player("carol"), place })
    }

    /// Ends every node, and returns where the homes are if they are kept.
    pub async fn dismiss(mut self, keep: bool) -> Option<PathBuf> {
        for player in [&mut self.alice, &mut self.bob, &mut self.carol] {
            if let Some(mut running) = player.node.take() {
                let _ = running.process.kill().await;
            }
        }
        keep.then(|| self.place.keep())
    }
}

impl Player {
    /// Starts the node, on loopback alone, with at most one other node to meet; returns when it is ready.
    pub async fn up(&mut self, meets: Option<&MeRow>) -> Result<MeRow, ApiError> {
        let log = std::fs::File::create(&self.log).map_err(|error| self.failed("start", &error.to_string()))?;
        let mut command = self.command();
        command.args(["up", "--name", self.name, "--listen", "/ip4/127.0.0.1/tcp/0", "--no-mdns"]);
        if let Some(other) = meets {
            command.args(["--peer", &place_of(other)?]);
        }
        // A group of its own: Ctrl-C is for the demo, which then ends its nodes.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).process_group(0).kill_on_drop(true);
        let mut process = command.spawn().map_err(|error| self.failed("start", &error.to_string()))?;
        let stdout = process.stdout.take().expect("stdout is piped");
        let mut lines = BufReader::new(stdout).lines();
        let first = tokio::time::timeout(PATIENCE, lines.next_line()).await;
        self.node = Some(Running { process, _stdout: lines });
        let line = match first {
            Ok(Ok(Some(line))) => line,
            Ok(Ok(None)) => return Err(self.failed("start", &self.last_words())),
            Ok(Err(error)) => return Err(self.failed("start", &error.to_string())),
            Err(_) => return Err(self.failed("start", "it was not ready in time")),
        };
        serde_json::from_str(&line)
            .map_err(|error| self.failed("start", &format!("its first line is strange: {error}")))
    }

    /// Stops the node as its owner would, and waits for its end.
    pub async fn down(&mut self) -> Result<(), crate::cli::Stop> {
        self.tell(&["down"]).await?;
        let Some(mut running) = self.node.take() else { return Ok(()) };
        match tokio::time::timeout(PATIENCE, running.process.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(self.failed("stop", &format!("{status}; {}", self.last_words())).into()),
            Ok(Err(error)) => Err(self.failed("stop", &error.to_string()).into()),
            Err(_) => Err(self.failed("stop", "it still runs").into()),
        }
    }

    /// Runs a command at this node and returns the first object it prints.
    pub async fn tell(&self, command: &[&str]) -> Result<Value, ApiError> {
        Ok(self.all(command).await?.into_iter().next().unwrap_or(Value::Null))
    }

    /// Runs a command at this node and returns every object it prints.
    pub async fn all(&self, command: &[&str]) -> Result<Vec<Value>, ApiError> {
        let what = command.join(" ");
        let run = self.command().args(command).stdin(Stdio::null()).kill_on_drop(true).output();
        let output = match tokio::time::timeout(PATIENCE, run).await {
            Ok(output) => output.map_err(|error| self.failed(&what, &error.to_string()))?,
            Err(_) => return Err(self.failed(&what, "it took too long")),
        };
        if !output.status.success() {
            return Err(self.failed(&what, &complaint(&output)));
        }
        let rows: Result<Vec<Value>, _> = serde_json::Deserializer::from_slice(&output.stdout).into_iter().collect();
        rows.map_err(|error| self.failed(&what, &format!("the output is no JSON: {error}")))
    }

    /// This program on this player's home, whatever the environment says of others.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("DAK_") {
                command.env_remove(name);
            }
        }
        command.arg("--home").arg(&self.home).arg("--json");
        command
    }

    fn failed(&self, what: &str, why: &str) -> ApiError {
        ApiError::failure(format!("{}'s node failed to `{what}`: {why}", self.name))
    }

    /// The end of the node's log.
    fn last_words(&self) -> String {
        last_line(&std::fs::read_to_string(&self.log).unwrap_or_default())
    }
}

/// Where a node can be met: its first listen address with its peer id.
fn place_of(node: &MeRow) -> Result<String, ApiError> {
    let listen = node.listen.first().ok_or_else(|| ApiError::failure(format!("{} listens nowhere", node.name)))?;
    Ok(if listen.contains("/p2p/") { listen.clone() } else { format!("{listen}/p2p/{}", node.peer_id) })
}

fn complaint(output: &Output) -> String {
    format!("{}; {}", output.status, last_line(&String::from_utf8_lossy(&output.stderr)))
}

fn last_line(text: &str) -> String {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned()
}
