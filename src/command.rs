//! A program that works on something: started without a shell, told on its stdin what there is, and ended with all that it
//! started.
//!
//! ```text
//! exit 0    done
//! exit 65   given up: no other try would help (EX_DATAERR of sysexits.h)
//! anything else, a signal, too much time, too much output: again
//! ```
//! It is the leader of a process group, which is killed whole. A program that sets others apart in a session of their own
//! means them to outlast it, and they do.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use crate::safe_text::safe_text;
use crate::time::Millis;
use crate::units::{about_bytes, exact_span};

/// So much of what a program prints on either stream is kept; the rest is read and thrown away.
pub const KEPT_BYTES_MAX: usize = 16 << 10;
/// A program that prints more than this on one of them is ended.
pub const PRINTED_BYTES_MAX: usize = 4 << 20;
/// The exit code of a program that gives up.
const GIVES_UP: i32 = 65;
/// What it printed is in the pipe when it ends; who else holds that open is not waited for.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(1);
/// Bytes read at once.
const READ_BYTES: usize = 16 << 10;

/// What is to be run.
pub struct Job<'a> {
    pub program: &'a str,
    pub args: &'a [String],
    pub time_max: Option<Millis>,
    /// Kept apart from this process; else it has the environment of this one, and prints where this one does.
    pub apart: Option<Apart<'a>>,
}

/// What a program has instead of what this process has.
pub struct Apart<'a> {
    pub variables: &'a [(String, OsString)],
    pub directory: &'a Path,
}

/// What became of what a program worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    Done,
    Again,
    GiveUp,
}

/// What it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    pub became: Became,
    /// Why it is not done.
    pub why: Option<String>,
    /// What it printed, where that was kept: at most [`KEPT_BYTES_MAX`] each.
    pub stdout: Printed,
    pub stderr: Printed,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printed {
    pub kept: Vec<u8>,
    pub bytes: usize,
}

enum Ended {
    Exit(io::Result<std::process::ExitStatus>),
    TooLong(Millis),
    TooMuch,
}

/// Runs it to its end; an error where it does not start.
pub async fn run(job: &Job<'_>, input: &[u8]) -> io::Result<Ran> {
    let mut command = tokio::process::Command::new(job.program);
    command.args(job.args).stdin(Stdio::piped()).process_group(0);
    if let Some(Apart { variables, directory }) = &job.apart {
        command.env_clear().envs(variables.iter().map(|(name, value)| (name, value))).current_dir(directory);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
    }
    let mut child = command.spawn()?;
    let mut group = Group(child.id().and_then(|id| Pid::from_raw(id as i32)));
    let (stdin, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (mut stdout, mut stderr) = (Printed::default(), Printed::default());
    let ended = {
        let read = async { tokio::try_join!(stdout.read(out), stderr.read(err)).map(drop) };
        let tell = async {
            // Who does not read it may still be done with it.
            if let Some(mut stdin) = stdin {
                let _ = stdin.write_all(input).await;
            }
        };
        tokio::pin!(read, tell);
        let (mut is_read, mut is_told) = (false, false);
        let work = async {
            loop {
                tokio::select! {
                    status = child.wait() => return Ended::Exit(status),
                    () = &mut tell, if !is_told => is_told = true,
                    all = &mut read, if !is_read => match all {
                        Ok(()) => is_read = true,
                        Err(TooMuch) => return Ended::TooMuch,
                    },
                }
            }
        };
        let ended = match job.time_max {
            None => work.await,
            Some(most) => {
                let within = tokio::time::timeout(Duration::from_millis(most.0), work).await;
                within.unwrap_or(Ended::TooLong(most))
            }
        };
        match ended {
            // It may leave something to go on, as it may in a shell.
            Ended::Exit(_) if job.apart.is_none() => group.0 = None,
            Ended::Exit(_) => {
                group.kill();
                if !is_read {
                    let _ = tokio::time::timeout(DRAIN_TIME_MAX, read).await;
                }
            }
            _ => group.kill(),
        }
        ended
    };
    if !matches!(ended, Ended::Exit(_)) {
        // What was killed is gone at once, but where the disk or a device holds it.
        let _ = tokio::time::timeout(DRAIN_TIME_MAX, child.wait()).await;
    }
    let name = safe_text(job.program);
    let (became, why) = match ended {
        Ended::TooLong(most) => (Became::Again, Some(format!("{name} took longer than {}", exact_span(most)))),
        Ended::TooMuch => {
            (Became::Again, Some(format!("{name} printed more than {}", about_bytes(PRINTED_BYTES_MAX as u64))))
        }
        Ended::Exit(status) => {
            let status = status?;
            let why = || Some(format!("{name} ended with {status}"));
            match status.code() {
                Some(0) => (Became::Done, None),
                Some(GIVES_UP) => (Became::GiveUp, why()),
                _ => (Became::Again, why()),
            }
        }
    };
    Ok(Ran { became, why, stdout, stderr })
}

/// A program printed more than anybody reads.
struct TooMuch;

impl Printed {
    /// Reads to the end, and keeps the beginning.
    async fn read(&mut self, from: Option<impl AsyncRead + Unpin>) -> Result<(), TooMuch> {
        let Some(mut from) = from else { return Ok(()) };
        let mut piece = [0; READ_BYTES];
        loop {
            // A pipe that fails is at its end.
            let many = from.read(&mut piece).await.unwrap_or(0);
            if many == 0 {
                return Ok(());
            }
            let room = KEPT_BYTES_MAX - self.kept.len();
            self.kept.extend_from_slice(&piece[..many.min(room)]);
            self.bytes += many;
            if self.bytes > PRINTED_BYTES_MAX {
                return Err(TooMuch);
            }
        }
    }

    /// The kept part as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.kept).into_owned()
    }

    pub fn is_cut(&self) -> bool {
        self.bytes > self.kept.len()
    }
}

/// A program that runs, with all that it started: where nobody waits for it any more it ends.
struct Group(Option<Pid>);

impl Group {
    fn kill(&mut self) {
        if let Some(pid) = self.0.take() {
            // It may have ended by itself.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SECOND;

    async fn shell(script: &str, input: &[u8], time_max: Option<Millis>) -> Ran {
        let args = ["-c".to_owned(), script.to_owned()];
        let variables = [("PATH".to_owned(), std::env::var_os("PATH").unwrap())];
        let apart = Some(Apart { variables: &variables, directory: Path::new("/") });
        run(&Job { program: "/bin/sh", args: &args, time_max, apart }, input).await.unwrap()
    }

    #[tokio::test]
    async fn exit_codes_say_what_became_of_it_and_what_it_printed_is_kept() {
        let ran = shell("cat; echo oops >&2; pwd; env | sort | tr '\\n' ' ' >&2", b"hello\n", None).await;
        assert_eq!((ran.became, ran.why.as_deref()), (Became::Done, None));
        assert_eq!(ran.stdout.text(), "hello\n/\n");
        assert!(ran.stderr.text().starts_with("oops\n") && !ran.stderr.text().contains("HOME="), "{ran:?}");
        for (script, became) in [("exit 65", Became::GiveUp), ("exit 1", Became::Again), ("kill -9 $$", Became::Again)]
        {
            let ran = shell(script, b"", None).await;
            assert!(ran.became == became && ran.why.unwrap().contains("/bin/sh ended with"), "{script}");
        }
        let nothing = Job { program: "/nowhere/no program", args: &[], time_max: None, apart: None };
        assert_eq!(run(&nothing, b"").await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn one_that_reads_nothing_is_told_as_much_as_it_takes() {
        let ran = shell("exec <&-; echo done", &vec![b'x'; 4 << 20], None).await;
        assert_eq!((ran.became, ran.stdout.text().as_str()), (Became::Done, "done\n"));
    }

    #[tokio::test]
    async fn one_that_never_ends_is_killed_with_all_that_it_started() {
        let place = tempfile::tempdir().unwrap();
        let pids = place.path().join("pids");
        let script = format!("for n in 1 2 3; do (echo $n; sleep 600) & echo $! >> {0}; done; wait", pids.display());
        let ran = shell(&script, b"", Some(SECOND)).await;
        assert_eq!((ran.became, ran.why.as_deref()), (Became::Again, Some("/bin/sh took longer than 1s")));
        for pid in std::fs::read_to_string(pids).unwrap().lines() {
            let pid = Pid::from_raw(pid.parse().unwrap()).unwrap();
            until_gone(pid).await;
        }
    }

    #[tokio::test]
    async fn what_it_leaves_behind_ends_with_it_though_it_holds_its_output_open() {
        let ran = shell("sleep 600 & echo $!", b"", None).await;
        assert_eq!(ran.became, Became::Done);
        let pid = Pid::from_raw(ran.stdout.text().trim().parse().unwrap()).unwrap();
        until_gone(pid).await;
    }

    #[tokio::test]
    async fn of_what_one_prints_a_bounded_part_is_kept_and_one_that_goes_on_is_ended() {
        let ran = shell("head -c 100000 /dev/zero | tr '\\0' x", b"", None).await;
        assert_eq!((ran.became, ran.stdout.kept.len(), ran.stdout.bytes), (Became::Done, KEPT_BYTES_MAX, 100_000));
        assert!(ran.stdout.is_cut());
        let ran = shell("yes", b"", None).await;
        assert_eq!((ran.became, ran.stdout.kept.len()), (Became::Again, KEPT_BYTES_MAX));
        assert!(ran.why.unwrap().contains("printed more than"));
    }

    /// Waits for a process to end; one that outlives its time fails here, long before it would end by itself.
    async fn until_gone(pid: Pid) {
        let gone = async {
            while is_alive(pid) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let patience = Duration::from_secs(60);
        assert!(tokio::time::timeout(patience, gone).await.is_ok(), "{pid:?} outlives what started it");
    }

    /// Whether a process does anything still: one whose parent has not looked yet does not.
    fn is_alive(pid: Pid) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    }
}
