//! `dak service`: the node as a service of a user or of the machine, run by systemd.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Serialize;

use super::args::{ScopeArgs, Service, ServiceWhat};
use super::link::Link;
use super::out::{Out, Paint, Style};
use super::{Outcome, Stop};
use crate::api::model::Schema;
use crate::api::{ApiError, Engine, ErrorKind, NextStep};
use crate::safe_text::safe_text;
use crate::units::counted;

const UNIT: &str = "dak.service";
/// The units as packages install them, with the program where packages put it.
const OF_SYSTEM: &str = include_str!("../packaging/dak.service");
const OF_USER: &str = include_str!("../packaging/dak-user.service");
const SYSUSERS: &str = include_str!("../packaging/sysusers.conf");
/// The first line of a unit that may be written over and removed.
const MARK: &str = "# Written by `dak service install`, which writes over whatever is changed here.\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    User,
    System,
}

/// A service as JSON.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct ServiceRow {
    schema: Schema,
    unit: &'static str,
    /// `user` or `system`.
    scope: &'static str,
    installed: bool,
    /// Where its unit lies.
    path: Option<String>,
    /// Whether it starts by itself.
    enabled: bool,
    /// As systemd calls it: `active`, `activating`, `failed`, `inactive`.
    state: String,
    detail: String,
    pid: Option<u32>,
    /// What the node says of itself.
    says: Option<String>,
    /// How often it was started again after it broke.
    restarts: u64,
}

/// A unit that is only shown.
#[derive(Serialize)]
struct UnitRow<'a> {
    schema: Schema,
    unit: &'static str,
    scope: &'static str,
    path: String,
    text: &'a str,
}

pub async fn service(engine: &dyn Engine, home: Option<&Path>, args: &Service, out: &Out) -> Outcome {
    match &args.what {
        ServiceWhat::Install { scope, print } => install(engine, home, Scope::of(*scope), *print, out).await,
        ServiceWhat::Remove(scope) => remove(Scope::of(*scope), out),
        ServiceWhat::Status(scope) => status(Scope::of(*scope), out),
    }
}

async fn install(engine: &dyn Engine, home: Option<&Path>, scope: Scope, print: bool, out: &Out) -> Outcome {
    let program = std::env::current_exe()
        .map_err(|error| ApiError::failure(format!("the system does not say where this program is: {error}")))?;
    let home = home.map(std::path::absolute).transpose();
    let home = home.map_err(|error| ApiError::usage(format!("this names no home: {error}")))?;
    let text = unit(scope, &program, home.as_deref())?;
    let path = scope.unit_path()?;
    if print {
        let row =
            UnitRow { schema: Schema, unit: UNIT, scope: scope.name(), path: path.display().to_string(), text: &text };
        return out.row(&row, |_| text.clone());
    }
    scope.refuse_unless_allowed()?;
    scope.ask_manager()?;
    let before = scope.look()?;
    if path.exists() && !is_ours(&path) {
        let message = format!("{} is there already, and another than dak wrote it", path.display());
        return Err(ApiError::refused(message).advise("move it away, or keep it as it is").into());
    }
    if before.state != "active" {
        refuse_beside_a_node(engine, scope, home.as_deref()).await?;
    }
    if scope == Scope::System {
        make_user()?;
    }
    write(&path, &format!("{MARK}{text}"))?;
    scope.systemctl(&["daemon-reload"])?;
    scope.systemctl(&["enable", UNIT])?;
    let started = scope.systemctl(&[if before.state == "active" { "restart" } else { "start" }, UNIT]);
    started.map_err(|error| {
        let log = if scope == Scope::User { "journalctl --user -u dak" } else { "journalctl -u dak" };
        ApiError::failure(format!("the service is installed and does not start: {}", error.message))
            .advise(format!("see why with `{log}`"))
    })?;
    let row = scope.look()?;
    out.row(&row, |style| shown(&row, style))?;
    if scope == Scope::User {
        out.talk("It runs while you are logged in; to have it run always: loginctl enable-linger");
    }
    Ok(())
}

fn remove(scope: Scope, out: &Out) -> Outcome {
    scope.refuse_unless_allowed()?;
    scope.ask_manager()?;
    let path = scope.unit_path()?;
    if !is_ours(&path) {
        let message = match path.exists() {
            true => format!("another than dak wrote {}", path.display()),
            false => "no service was installed here by dak".to_owned(),
        };
        return Err(ApiError::not_found(message).advise("see `dak service status`").into());
    }
    scope.systemctl(&["disable", "--now", UNIT])?;
    std::fs::remove_file(&path)
        .map_err(|error| ApiError::failure(format!("cannot remove {}: {error}", path.display())))?;
    scope.systemctl(&["daemon-reload"])?;
    let row = scope.look()?;
    out.row(&row, |_| format!("removed {}; its home stays as it is\n", safe_text(&path.display().to_string())))
}

fn status(scope: Scope, out: &Out) -> Outcome {
    scope.ask_manager()?;
    let row = scope.look()?;
    out.row(&row, |style| shown(&row, style))?;
    match (row.installed, row.state.as_str()) {
        (false, _) => Err(Stop::Code(ErrorKind::NotFound.exit_code())),
        (true, "active") => Ok(()),
        (true, _) => Err(Stop::Code(ErrorKind::NotRunning.exit_code())),
    }
}

fn shown(row: &ServiceRow, style: &Style) -> String {
    let (unit, scope) = (row.unit, row.scope);
    if !row.installed {
        return format!("{unit}: none of the {scope} is installed; `dak service install --{scope}` does that\n");
    }
    let paint = match row.state.as_str() {
        "active" => Paint::Good,
        "failed" => Paint::Bad,
        _ => Paint::Warn,
    };
    let mut text = format!("{unit} of the {scope}: {}", style.paint(paint, &safe_text(&row.state)));
    if !row.detail.is_empty() {
        text += &format!(" ({})", safe_text(&row.detail));
    }
    if let Some(pid) = row.pid {
        text += &format!(", process {pid}");
    }
    text += if row.enabled { ", starts by itself" } else { ", does not start by itself" };
    if row.restarts > 0 {
        text += &format!(", started again {}", counted(row.restarts, "time"));
    }
    for line in [&row.says, &row.path].into_iter().flatten() {
        text += &format!("\n  {}", safe_text(line));
    }
    text + "\n"
}

impl Scope {
    fn of(args: ScopeArgs) -> Scope {
        match args {
            ScopeArgs { system: true, .. } => Scope::System,
            ScopeArgs { user: true, .. } => Scope::User,
            _ if rustix::process::geteuid().is_root() => Scope::System,
            _ => Scope::User,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Scope::User => "user",
            Scope::System => "system",
        }
    }

    /// Where its unit is written.
    fn unit_path(self) -> Result<PathBuf, ApiError> {
        match self {
            Scope::System => Ok(Path::new("/etc/systemd/system").join(UNIT)),
            Scope::User => {
                let places = directories::BaseDirs::new().ok_or_else(|| {
                    ApiError::usage("cannot tell where your units belong, because HOME is not set")
                        .next(NextStep::SetHome)
                })?;
                Ok(places.config_dir().join("systemd/user").join(UNIT))
            }
        }
    }

    fn refuse_unless_allowed(self) -> Result<(), ApiError> {
        if self == Scope::User || rustix::process::geteuid().is_root() {
            return Ok(());
        }
        let error = ApiError::refused("a service of the system is root's to install and remove");
        Err(error.advise("run it with sudo, or name --user for a service of your own"))
    }

    /// Refuses where no systemd answers for this scope.
    fn ask_manager(self) -> Result<(), ApiError> {
        self.systemctl(&["show", "--property=Version"]).map(drop).map_err(|error| {
            let of_user = if self == Scope::User { " for this user" } else { "" };
            ApiError::failure(format!("systemd does not run here{of_user}: {}", error.message)).advise(
                "have whatever supervises programs here run `dak up`; `dak service install --print` shows how systemd would",
            )
        })
    }

    /// Runs systemctl, and returns what it said.
    fn systemctl(self, words: &[&str]) -> Result<String, ApiError> {
        let mut command = Command::new("systemctl");
        if self == Scope::User {
            command.arg("--user");
        }
        run(command.args(words))
    }

    /// How the service stands.
    fn look(self) -> Result<ServiceRow, ApiError> {
        let wanted =
            "--property=LoadState,ActiveState,SubState,UnitFileState,MainPID,StatusText,FragmentPath,NRestarts";
        Ok(row(self, &self.systemctl(&["show", UNIT, wanted])?))
    }
}

/// What systemd says of the unit, a property a line.
fn row(scope: Scope, said: &str) -> ServiceRow {
    let said: BTreeMap<&str, &str> = said.lines().filter_map(|line| line.split_once('=')).collect();
    let word = |name: &str| said.get(name).copied().unwrap_or_default();
    let some = |name: &str| Some(word(name).to_owned()).filter(|text| !text.is_empty());
    let installed = word("LoadState") == "loaded";
    ServiceRow {
        schema: Schema,
        unit: UNIT,
        scope: scope.name(),
        installed,
        path: some("FragmentPath").filter(|_| installed),
        enabled: word("UnitFileState").starts_with("enabled"),
        state: some("ActiveState").unwrap_or_else(|| "inactive".into()),
        detail: word("SubState").to_owned(),
        pid: word("MainPID").parse().ok().filter(|pid| *pid > 0),
        says: some("StatusText"),
        restarts: word("NRestarts").parse().unwrap_or(0),
    }
}

/// The unit for this program and home.
fn unit(scope: Scope, program: &Path, home: Option<&Path>) -> Result<String, ApiError> {
    let template = if scope == Scope::User { OF_USER } else { OF_SYSTEM };
    let program = word(program)?;
    let home = home.map(word).transpose()?;
    let usual = if scope == Scope::System { " --home /var/lib/dak" } else { "" };
    let at = home.as_ref().map_or(usual.to_owned(), |home| format!(" --home {home}"));
    let lines = template.lines().filter_map(|line| match (line.split_once('=').map_or("", |(key, _)| key), &home) {
        ("ExecStart", _) => Some(format!("ExecStart={program}{at} up")),
        // Only the usual home of the system is one that systemd makes.
        ("StateDirectory", Some(home)) => Some(format!("ReadWritePaths={home}")),
        ("StateDirectoryMode", Some(_)) => None,
        _ => Some(line.to_owned()),
    });
    Ok(lines.map(|line| line + "\n").collect())
}

/// A path as a word of a unit: quoted where it has to be, and without what systemd would put in its place.
fn word(path: &Path) -> Result<String, ApiError> {
    let text = path.to_str().filter(|text| !text.chars().any(char::is_control));
    let Some(text) = text else {
        let message = format!("no unit can name the path {}", path.display());
        return Err(ApiError::usage(message).advise("name another directory with --home DIR"));
    };
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+:@".contains(c));
    Ok(if is_plain { text } else { format!("\"{text}\"") })
}

fn is_ours(path: &Path) -> bool {
    std::fs::read_to_string(path).is_ok_and(|text| text.starts_with(MARK))
}

/// A service beside a node that somebody started by hand would find its home taken.
async fn refuse_beside_a_node(engine: &dyn Engine, scope: Scope, home: Option<&Path>) -> Result<(), ApiError> {
    let home = match scope {
        Scope::User => home,
        Scope::System => Some(home.unwrap_or(Path::new("/var/lib/dak"))),
    };
    // A home of another user says nothing here; its service does.
    let Ok(link) = Link::to(engine, home) else { return Ok(()) };
    if !link.is_up().await {
        return Ok(());
    }
    let error = ApiError::new(ErrorKind::InUse, "a node runs on this home already, and the service could not have it");
    Err(error.advise("stop it with `dak down`, then install the service"))
}

/// Makes the user that the service of the system runs as, where there is none.
fn make_user() -> Result<(), ApiError> {
    let place = tempfile::Builder::new().suffix(".conf").tempfile();
    let place = place.and_then(|mut place| place.write_all(SYSUSERS.as_bytes()).map(|()| place));
    let place = place.map_err(|error| ApiError::failure(format!("cannot write a temporary file: {error}")))?;
    run(Command::new("systemd-sysusers").arg(place.path())).map(drop)
}

fn write(path: &Path, text: &str) -> Result<(), ApiError> {
    let written = || -> std::io::Result<()> {
        let directory = path.parent().expect("a unit lies in a directory");
        std::fs::create_dir_all(directory)?;
        let mut fresh = tempfile::Builder::new().prefix(".dak-").tempfile_in(directory)?;
        fresh.write_all(text.as_bytes())?;
        fresh.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
        fresh.persist(path).map_err(|failed| failed.error)?;
        Ok(())
    };
    written().map_err(|error| ApiError::failure(format!("cannot write {}: {error}", path.display())))
}

/// Runs a program of the system to its end; what it complained of is the error.
fn run(command: &mut Command) -> Result<String, ApiError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| ApiError::failure(format!("cannot run {name}: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let first = said.lines().find(|line| !line.trim().is_empty());
    Err(ApiError::failure(match first {
        Some(line) => format!("{name} says {:?}", line.trim()),
        None => format!("{name} ended with {}", output.status),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_names_the_program_and_the_home_whatever_they_are_called() {
        let text = unit(Scope::User, Path::new("/opt/dak 2/100%"), Some(Path::new("/h/$me \"x\""))).unwrap();
        assert!(text.contains("\nExecStart=\"/opt/dak 2/100%%\" --home \"/h/$$me \\\"x\\\"\" up\n"), "{text}");
        let text = unit(Scope::User, Path::new("/usr/bin/dak"), None).unwrap();
        assert_eq!(text, OF_USER, "packages install it as it is");
        let text = unit(Scope::System, Path::new("/usr/bin/dak"), None).unwrap();
        assert_eq!(text, OF_SYSTEM);
        let text = unit(Scope::System, Path::new("/usr/bin/dak"), Some(Path::new("/srv/dak"))).unwrap();
        assert!(text.contains("\nReadWritePaths=/srv/dak\n") && !text.contains("StateDirectory"), "{text}");
        assert!(unit(Scope::User, Path::new("/a\nExecStartPre=/bin/rm"), None).is_err());
    }

    #[test]
    fn what_systemd_says_becomes_a_line_for_people() {
        let said = "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nMainPID=7\n\
                    StatusText=1 contact = \u{1b}[2J\nFragmentPath=/u/dak.service\nNRestarts=1\n";
        let row = row(Scope::User, said);
        assert_eq!((row.pid, row.enabled, row.says.as_deref()), (Some(7), true, Some("1 contact = \u{1b}[2J")));
        let style = Style { width: Some(80), color: false, now: "2026-03-01T12:00[UTC]".parse().unwrap() };
        let wanted = "dak.service of the user: active (running), process 7, starts by itself, started again 1 time\n  \
                      1 contact = \\u{1b}[2J\n  /u/dak.service\n";
        assert_eq!(shown(&row, &style), wanted);
        let none = super::row(Scope::System, "LoadState=not-found\nActiveState=inactive\nSubState=dead\nMainPID=0\n");
        assert!(!none.installed && shown(&none, &style).contains("dak service install --system"));
    }
}
