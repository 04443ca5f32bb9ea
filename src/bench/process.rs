//! A node as a process of its own, watched from outside.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::Failure;

/// Ends with its handle.
pub struct Process {
    child: Child,
    /// What it said when it was ready.
    ready: String,
}

impl Process {
    /// Starts `dak up` on a home and returns once it says that it is ready.
    pub fn start(home: &Path) -> Result<Process, Failure> {
        Process::start_near(home, None)
    }

    /// The same with a port for programs.
    pub fn start_open(home: &Path) -> Result<Process, Failure> {
        Process::start_with(home, None, &[("DAK_API_LISTEN", "127.0.0.1:0")])
    }

    /// The same with a peer that it dials.
    pub fn start_near(home: &Path, peer: Option<&str>) -> Result<Process, Failure> {
        Process::start_with(home, peer, &[])
    }

    fn start_with(home: &Path, peer: Option<&str>, variables: &[(&str, &str)]) -> Result<Process, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["up", "--no-mdns", "--listen", "/ip4/127.0.0.1/tcp/0", "--home"])
            .arg(home)
            .args(peer.iter().flat_map(|peer| ["--peer", peer]))
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("the node has no stdout")?;
        let mut process = Process { child, ready: String::new() };
        BufReader::new(stdout).read_line(&mut process.ready)?;
        if process.ready.is_empty() { Err("the node did not start".into()) } else { Ok(process) }
    }

    /// Its address as people exchange it, and where it listens.
    pub fn addresses(&self) -> Result<(&str, &str), Failure> {
        let mut words = self.ready.split_whitespace().skip(1);
        words.next().zip(words.next()).ok_or_else(|| "the node listens nowhere".into())
    }

    /// Processor time used so far.
    pub fn cpu_seconds(&self) -> Result<f64, Failure> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in brackets may hold anything; the numbers stand after it (proc(5): utime and stime are 14 and 15).
        let (_, numbers) = stat.rsplit_once(')').ok_or("no name in /proc/PID/stat")?;
        let ticks: Vec<f64> = numbers.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
        Ok(ticks.iter().sum::<f64>() / rustix::param::clock_ticks_per_second() as f64)
    }

    /// Resident memory.
    pub fn rss_bytes(&self) -> Result<u64, Failure> {
        self.memory("VmRSS:")
    }

    /// The most of it that there ever was.
    pub fn rss_bytes_max(&self) -> Result<u64, Failure> {
        self.memory("VmHWM:")
    }

    fn memory(&self, what: &str) -> Result<u64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(what)).ok_or("no memory in /proc/PID/status")?;
        Ok(line.split_whitespace().next().ok_or("its memory is empty")?.parse::<u64>()? * 1_024)
    }

    /// Kills it as a power cut would.
    pub fn kill(&mut self) -> Result<(), Failure> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
