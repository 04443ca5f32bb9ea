//! Somebody with a home of his own, who types commands and may run a node.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::PATIENCE;

pub struct Person {
    name: &'static str,
    place: tempfile::TempDir,
    node: Option<Running>,
    /// Where the home is, where it is not in its usual place.
    home: Option<PathBuf>,
    /// What the session calls the user's runtime directory, where that matters.
    session: Option<Option<String>>,
    /// The network namespace that the node is started in.
    network: Option<String>,
}

/// A process that goes on; killed when dropped.
pub struct Running {
    process: Child,
    stdout: BufReader<ChildStdout>,
}

/// What a command came to.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub data: String,
    pub talk: String,
}

impl Person {
    pub fn new(name: &'static str) -> Person {
        Person { name, place: tempfile::tempdir().unwrap(), node: None, home: None, session: None, network: None }
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Lives on a machine of this network namespace.
    pub fn settle_in(&mut self, network: &str) {
        self.network = Some(network.to_owned());
    }

    /// Moves to another home.
    pub fn live_in(&mut self, home: &str) {
        self.home = Some(home.into());
    }

    /// Types what follows in a session with this runtime directory, or with none.
    pub fn session(&mut self, runtime_directory: Option<&str>) {
        self.session = Some(runtime_directory.map(str::to_owned));
    }

    /// Starts the node on loopback and returns what it says when it is ready.
    pub fn up(&mut self, more: &str) -> Value {
        self.start(&format!("--listen /ip4/127.0.0.1/tcp/0 --no-mdns {more}"))
    }

    /// Starts the node in a network namespace, where it looks for neighbours.
    pub fn up_in(&mut self, network: &str) -> Value {
        self.network = Some(network.to_owned());
        self.start("--listen /ip4/0.0.0.0/tcp/0")
    }

    /// Starts the node in a network namespace as a newcomer would.
    pub fn up_as_it_comes_in(&mut self, network: &str) -> Value {
        self.network = Some(network.to_owned());
        self.start("")
    }

    fn start(&mut self, more: &str) -> Value {
        let mut node = self.spawn(&format!("up --name {} --json {more}", self.name));
        let ready = serde_json::from_str(&node.line()).unwrap();
        self.node = Some(node);
        ready
    }

    /// Stops the node as a person would, and returns its exit code.
    pub fn down(&mut self) -> Option<i32> {
        let stopped = self.run("down");
        assert_eq!(stopped.code, 0, "{}", stopped.talk);
        self.node.take().expect("a node runs").end()
    }

    /// Sends the node a signal and returns its exit code and what else it had written to stdout.
    pub fn signal(&mut self, signal: Signal) -> (Option<i32>, String) {
        let mut node = self.node.take().expect("a node runs");
        node.signal(signal);
        let mut rest = String::new();
        node.stdout.read_to_string(&mut rest).unwrap();
        (node.end(), rest)
    }

    /// Runs a command line that quotes nothing.
    pub fn run(&self, line: &str) -> Ran {
        self.run_args(&line.split_whitespace().collect::<Vec<_>>())
    }

    pub fn run_args(&self, args: &[&str]) -> Ran {
        self.run_with(args, &[])
    }

    /// Runs a command with these variables in its environment.
    pub fn run_with(&self, args: &[&str], variables: &[(&str, &str)]) -> Ran {
        let output = self.command(args).envs(variables.iter().copied()).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().expect("no signal ends a command");
        Ran { code, data: text(output.stdout), talk: text(output.stderr) }
    }

    /// Runs a command whose stdout nobody reads any more.
    pub fn run_into_closed_pipe(&self, line: &str) -> Ran {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let args: Vec<&str> = line.split_whitespace().collect();
        let process = self.command(&args).stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let output = process.wait_with_output().unwrap();
        let code = output.status.code().expect("no signal ends a command");
        Ran { code, data: String::new(), talk: String::from_utf8(output.stderr).unwrap() }
    }

    /// Runs a command that must succeed, and returns its only object.
    pub fn json(&self, line: &str) -> Value {
        let mut rows = self.rows(line);
        assert_eq!(rows.len(), 1, "{line}");
        rows.remove(0)
    }

    /// Runs a command that must succeed, and returns its objects, one a physical line.
    pub fn rows(&self, line: &str) -> Vec<Value> {
        let ran = self.run(&format!("{line} --json"));
        assert_eq!(ran.code, 0, "{line}: {}", ran.talk);
        let rows: Vec<Value> = ran.data.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        rows.iter().for_each(|row| assert_eq!(row["schema"], 1, "{line}"));
        rows
    }

    /// Repeats a command until its rows are right.
    pub fn until(&self, line: &str, right: impl Fn(&[Value]) -> bool) {
        let started = Instant::now();
        while !right(&self.rows(line)) {
            assert!(started.elapsed() < PATIENCE, "{line} never came right");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Repeats a command until it says this beside its data.
    pub fn until_says(&self, line: &str, wanted: &str) {
        let started = Instant::now();
        while !self.run(line).talk.contains(wanted) {
            assert!(started.elapsed() < PATIENCE, "{line} never said {wanted:?}: {}", self.run(line).talk);
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What a command shows on a terminal.
    pub fn on_a_terminal(&self, line: &str) -> String {
        self.on_a_terminal_with(line, &[])
    }

    /// The same with these variables in its environment.
    pub fn on_a_terminal_with(&self, line: &str, variables: &[(&str, &str)]) -> String {
        let command = self.command(&line.split_whitespace().collect::<Vec<_>>());
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let quoted: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
        let mut script = Command::new("script");
        script.args(["-q", "-e", "-c", &quoted.join(" "), "/dev/null"]);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        let output = script.envs(variables.iter().copied()).stdin(Stdio::null()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts a command that goes on.
    pub fn spawn(&self, line: &str) -> Running {
        let args: Vec<&str> = line.split_whitespace().collect();
        let mut command = self.command(&args);
        let log = fs::File::create(self.place.path().join("stderr")).unwrap();
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        Running { process, stdout }
    }

    /// Starts a command that goes on, where a file system is mounted for it alone, as what `sh` says makes it.
    pub fn spawn_on_a_mount(&self, line: &str, mount: &str) -> Running {
        let command = self.command(&line.split_whitespace().collect::<Vec<_>>());
        let mut shell = Command::new("unshare");
        shell.args(["--mount", "--map-root-user", "sh", "-c", &format!("{mount} && exec \"$@\""), "sh"]);
        shell.arg(command.get_program()).args(command.get_args());
        let log = fs::File::create(self.place.path().join("stderr")).unwrap();
        let mut process = shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        Running { process, stdout }
    }

    /// Starts a node out of a shell that has run `first`; returns it when it is ready.
    pub fn up_after(&self, first: &str) -> Running {
        let args = ["up", "--listen", "/ip4/127.0.0.1/tcp/0", "--no-mdns"];
        let node = self.command(&args);
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("{first}; exec \"$0\" \"$@\"")).arg(node.get_program()).args(node.get_args());
        for (name, _) in node.get_envs() {
            shell.env_remove(name);
        }
        let mut process = shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let mut node = Running { process, stdout };
        node.line();
        node
    }

    /// What the command that was started last has said so far.
    pub fn talk(&self) -> String {
        fs::read_to_string(self.place.path().join("stderr")).unwrap()
    }

    /// What a command that was started with its own file for talk has said, once it has said this.
    pub fn until_talk(&self, file: &str, wanted: &str) -> String {
        let started = Instant::now();
        loop {
            let said = fs::read_to_string(self.place.path().join(file)).unwrap();
            if said.contains(wanted) {
                return said;
            }
            assert!(started.elapsed() < PATIENCE, "it never said {wanted:?}: {said}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Gives what the command that was started last says a file of its own, which others do not write over.
    pub fn keep_talk(&self, file: &str) {
        fs::rename(self.place.path().join("stderr"), self.place.path().join(file)).unwrap();
    }

    /// Where the node can be met.
    pub fn place(&self) -> String {
        let me = self.json("me");
        format!("{}/p2p/{}", me["listen"][0].as_str().unwrap(), me["peer_id"].as_str().unwrap())
    }

    /// The process id of the node.
    pub fn pid(&self) -> u32 {
        self.node.as_ref().expect("a node runs").process.id()
    }

    pub fn home(&self) -> PathBuf {
        self.home.clone().unwrap_or_else(|| self.place.path().join("home"))
    }

    /// A path beside the home, as an argument.
    pub fn path(&self, name: &str) -> String {
        self.place.path().join(name).into_os_string().into_string().unwrap()
    }

    /// Writes a file beside the home and returns its path.
    pub fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    pub fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let dak = env!("CARGO_BIN_EXE_dak");
        let mut command = match &self.network {
            Some(network) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", network, dak]);
                command
            }
            None => Command::new(dak),
        };
        let ours = |name: &OsStr| name.to_string_lossy().starts_with("DAK_");
        for (name, _) in std::env::vars_os().filter(|(name, _)| ours(name)) {
            command.env_remove(name);
        }
        match &self.session {
            Some(Some(directory)) => drop(command.env("XDG_RUNTIME_DIR", directory)),
            Some(None) => drop(command.env_remove("XDG_RUNTIME_DIR")),
            None => {}
        }
        // What stands behind is another program's.
        let own = args.iter().take_while(|arg| arg.as_ref() != "--").count();
        command.args(&args[..own]).arg("--home").arg(self.home()).args(&args[own..]);
        command
    }
}

impl Ran {
    /// The only object it printed, whatever its exit code.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap()
    }
}

impl Running {
    /// The next line on stdout.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "it ended: {:?}", self.process.try_wait());
        line
    }

    /// The next line on stdout, or none where it ends without one.
    pub fn try_line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.ends_with('\n').then_some(line)
    }

    pub fn signal(&mut self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Runs a line of shell where the file systems are as this process sees them.
    pub fn among_its_mounts(&self, line: &str) {
        let mut shell = Command::new("nsenter");
        shell.args(["--target", &self.pid().to_string(), "--user", "--mount", "--preserve-credentials"]);
        let output = shell.args(["sh", "-c", line]).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Waits for the end and returns the exit code; none after a signal.
    pub fn end(&mut self) -> Option<i32> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.code();
            }
            assert!(started.elapsed() < PATIENCE, "it never ended");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
