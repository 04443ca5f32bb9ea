//! `dak sim` as a person or a script uses it: what it writes, what it refuses, what two processes agree on.
#![cfg(feature = "node")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

const TRACE: &str =
    "0 CONN 0 1 up\n60 CONN 0 1 down\n100 CONN 1 2 up\n200 CONN 1 2 down\n300 CONN 0 2 up\n310 CONN 0 2 down\n";
const MESSAGES: &str = "5.5 C M1 0 2 1000\n6.5 C M2 0 2 1000\n250.5 C M3 1 0 1000\n";

struct Desk(TempDir);

impl Desk {
    fn new() -> Desk {
        let desk = Desk(TempDir::new().unwrap());
        desk.put("t.txt", TRACE);
        desk.put("w.txt", MESSAGES);
        desk.put("s.toml", &scenario("trace = \"t.txt\"", "file = \"w.txt\""));
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn get(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
    }

    fn dak(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dak"));
        command.arg("sim").args(arguments).current_dir(self.0.path()).output().unwrap()
    }

    /// Runs a command that must work, and returns what it printed.
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.dak(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that must be refused, and returns what it said.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.dak(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        said
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(self.0.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn scenario(contacts: &str, workload: &str) -> String {
    format!(
        "[contacts]\n{contacts}\n[workload]\n{workload}\n[link]\nmodel = \"ideal\"\n[routing]\nstrategy = \"epidemic\"\n\
        [store]\nquota_bytes = 5000000\n[bundle]\nlifetime = \"300min\"\n"
    )
}

#[test]
fn a_run_leaves_its_four_files_and_two_processes_agree_on_all_but_the_time_they_took() {
    let desk = Desk::new();
    let printed = desk.done(&["run", "s.toml", "--out", "one"]);
    assert!(printed.contains("\ndelivered: 2\n"), "{printed}");
    desk.done(&["run", "s.toml", "--out", "two"]);
    for name in ["summary.json", "messages.csv", "report.html"] {
        assert_eq!(desk.get(&format!("one/{name}")), desk.get(&format!("two/{name}")), "{name}");
    }
    let csv = "id,src,dst,size,created,delivered,hops\nM1,0,2,1000,5.5,100.0,2\nM2,0,2,1000,6.5,100.0,2\nM3,1,0,1000,250.5,,\n";
    assert_eq!(desk.get("one/messages.csv"), csv);
    let summary: serde_json::Value = serde_json::from_str(&desk.get("one/summary.json")).unwrap();
    let names = ["created", "delivered", "seed", "commit", "scenario_hash", "events", "overhead_ratio", "latency_avg"];
    assert!(names.iter().all(|name| summary.get(name).is_some()), "{summary}");
    let timing: serde_json::Value = serde_json::from_str(&desk.get("one/timing.json")).unwrap();
    assert!(timing["cpu_seconds"].is_number() && timing["wall_seconds"].is_number());
    let page = desk.get("one/report.html");
    assert!(page.contains("<svg") && !page.contains("http://") && !page.contains("https://"));
    let left: Vec<String> = desk.names().into_iter().filter(|name| name.starts_with('.')).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_example_runs_as_it_is_and_depends_on_its_seed() {
    let desk = Desk::new();
    desk.put("example.toml", &desk.done(&["example"]));
    let one = desk.done(&["run", "example.toml"]);
    assert_eq!(one, desk.done(&["run", "example.toml", "--seed", "1"]));
    assert_ne!(one, desk.done(&["run", "example.toml", "--seed", "2"]));
}

#[test]
fn bad_input_is_refused_with_its_place_and_nothing_is_left() {
    let desk = Desk::new();
    let traces = [
        ("5 CONN 0 1 down\n", "bad.txt:1:"),
        ("0 CONN 0 1 up\n9 CONN 0 1 down\n3 CONN 0 2 up\n", "bad.txt:3:"),
        ("0 CONN 0 1 up\n9 CONN 0 1", "bad.txt:2:"),
        ("", "bad.txt"),
    ];
    desk.put("bad.toml", &scenario("trace = \"bad.txt\"", "file = \"w.txt\""));
    let before = || desk.names();
    for (trace, place) in traces {
        desk.put("bad.txt", trace);
        let names = before();
        let said = desk.refused(&["run", "bad.toml", "--out", "out"]);
        assert!(said.contains(place) && said.lines().count() == 1, "{said}");
        assert!(desk.refused(&["trace", "check", "bad.txt"]).contains(place));
        assert_eq!(desk.names(), names, "nothing half-written is left behind");
    }
    desk.put("w.txt", "1 C M1 0 2 -5\n");
    assert!(desk.refused(&["run", "s.toml"]).contains("w.txt:1:"));
    desk.put("w.txt", "1 C M1 0 77 5\n");
    assert!(desk.refused(&["run", "s.toml"]).contains("w.txt:1:"));
    desk.put("unknown.toml", &scenario("trace = \"t.txt\"", "file = \"w.txt\"").replace("model", "modle"));
    let said = desk.refused(&["run", "unknown.toml"]);
    assert!(said.contains("unknown.toml:6") && said.contains("model"), "{said}");
    desk.put("none.toml", "[workload]\nfile = \"w.txt\"\n");
    assert!(desk.refused(&["run", "none.toml"]).contains("[contacts]"));
    let zero = format!("nodes = 0\n{}", scenario("trace = \"t.txt\"", "file = \"w.txt\""));
    desk.put("zero.toml", &zero);
    assert!(desk.refused(&["run", "zero.toml"]).contains("zero.toml:1"));
    assert!(desk.refused(&["run", "absent.toml"]).contains("absent.toml"));
}

#[test]
fn a_place_that_cannot_be_written_to_is_refused_before_the_run() {
    let desk = Desk::new();
    desk.put("file", "something of mine");
    for out in ["file", "file/below", "/proc/no/such"] {
        let names = desk.names();
        let said = desk.refused(&["run", "s.toml", "--out", out]);
        assert!(said.contains(out), "{said}");
        assert_eq!(desk.names(), names);
    }
    assert_eq!(desk.get("file"), "something of mine");
    fs::create_dir(desk.path("mine")).unwrap();
    desk.put("mine/notes.txt", "also mine");
    desk.done(&["run", "s.toml", "--out", "mine"]);
    assert_eq!(desk.get("mine/notes.txt"), "also mine");
    assert!(Path::new(&desk.path("mine/summary.json")).is_file());
}

#[test]
fn the_oracle_speaks_json_too() {
    let desk = Desk::new();
    let said = desk.done(&["oracle", "t.txt", "w.txt", "--json"]);
    let lines: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!((&lines[0]["id"], lines[0]["earliest_arrival"].as_f64()), (&"M1".into(), Some(100.0)));
    assert!(lines[2]["earliest_arrival"].is_null());
}

#[test]
fn the_oracle_prints_a_line_a_message() {
    let desk = Desk::new();
    let expected = "#id\tcreate\tsrc\tdst\tsize\tearliest_arrival\tdirect_arrival\n\
        M1\t5.5\t0\t2\t1000\t100.0\t300.0\nM2\t6.5\t0\t2\t1000\t100.0\t300.0\nM3\t250.5\t1\t0\t1000\t\t\n";
    assert_eq!(desk.done(&["oracle", "t.txt", "w.txt"]), expected);
    let within = desk.done(&["oracle", "t.txt", "w.txt", "--lifetime", "94s"]);
    assert!(
        within.contains("M1\t5.5\t0\t2\t1000\t\t\n") && within.contains("M2\t6.5\t0\t2\t1000\t100.0\t\n"),
        "{within}"
    );
}

#[test]
fn a_trace_goes_through_other_forms_and_back() {
    let desk = Desk::new();
    desk.done(&["trace", "convert", "t.txt", "--to", "sociopatterns", "--out", "rows.dat"]);
    let back = desk.done(&["trace", "convert", "rows.dat"]);
    assert!(back.starts_with("0 CONN 0 1 up\n60 CONN 0 1 down\n"), "{back}");
    assert!(desk.done(&["trace", "stat", "t.txt"]).contains("contacts       3"));
    assert!(desk.done(&["--json", "trace", "stat", "t.txt"]).contains("\"contacts\":3"));
    assert!(desk.done(&["trace", "check", "t.txt"]).contains("sound"));
}

#[test]
fn a_sweep_goes_on_where_it_stopped_and_its_shards_make_the_same() {
    let desk = Desk::new();
    let settings = ["s.toml", "--strategy", "direct,epidemic", "--set", "bundle.lifetime=60s,300min", "--seeds", "1-2"];
    let sweep = |more: &[&str]| desk.done(&[&["sweep"][..], &settings[..], more].concat());
    let commands = sweep(&["--out", "whole", "--list"]);
    assert_eq!(commands.lines().count(), 8);
    assert!(!desk.path("whole").exists(), "a list makes nothing");
    assert_eq!(sweep(&["--out", "whole"]), "8 of 8 runs are in whole\n");
    let of_one = sweep(&["--out", "parts", "--shard", "1/2"]);
    assert_eq!(of_one, "4 of 8 runs are in parts\n");
    sweep(&["--out", "parts", "--shard", "2/2"]);
    let run = commands.lines().next().unwrap().strip_prefix(&format!("{} sim ", env!("CARGO_BIN_EXE_dak"))).unwrap();
    let name = run.rsplit('/').next().unwrap();
    let made = desk.get(&format!("whole/runs/{name}/summary.json"));
    assert_eq!(made, desk.get(&format!("parts/runs/{name}/summary.json")));
    assert_eq!(desk.get("whole/sweep.csv"), desk.get("parts/sweep.csv"));
    assert!(desk.get("whole/report.html").contains("lifetime"));

    // One run is lost, another must not be touched.
    fs::remove_dir_all(desk.path(&format!("whole/runs/{name}"))).unwrap();
    let kept = fs::read_dir(desk.path("whole/runs")).unwrap().next().unwrap().unwrap().path().join("summary.json");
    let written = fs::metadata(&kept).unwrap().modified().unwrap();
    sweep(&["--out", "whole"]);
    assert_eq!(fs::metadata(&kept).unwrap().modified().unwrap(), written);
    assert_eq!(desk.get(&format!("whole/runs/{name}/summary.json")), made);
    desk.done(&run.split(' ').collect::<Vec<_>>());
    assert!(desk.refused(&["sweep", "s.toml", "--out", "x", "--shard", "3/2"]).contains("3/2"));
}

#[test]
fn a_sweep_has_its_figures_in_the_order_of_a_summary_and_its_page_once_all_runs_are_there() {
    let desk = Desk::new();
    let sweep = ["sweep", "s.toml", "--strategy", "direct,epidemic", "--seeds", "1-3", "--out", "sw"];
    desk.done(&[&sweep[..], &["--shard", "1/2"]].concat());
    assert!(desk.path("sw/sweep.csv").exists() && !desk.path("sw/report.html").exists());
    desk.done(&sweep);
    let csv = desk.get("sw/sweep.csv");
    assert!(csv.starts_with("run,seed,routing.strategy,nodes,contacts,events,sim_time,created,started,"), "{csv}");
    assert_eq!(csv.lines().count(), 7);
    let page = desk.get("sw/report.html");
    assert!(page.contains("Every combination") && page.contains("<td>epidemic</td><td>3</td><td>66.7 %"), "{page}");
    assert!(page.contains("Its first run: direct, seed 1"));
    let said = desk.refused(&["sweep", "s.toml", "--set", "seed=1,2", "--out", "x"]);
    assert!(said.contains("--seeds 1-10"), "{said}");
}

#[test]
fn a_sweep_draws_its_curve_whichever_way_a_lifetime_is_written() {
    let desk = Desk::new();
    let dots = |lifetimes: &str| {
        let setting = format!("bundle.lifetime={lifetimes}");
        desk.done(&["sweep", "s.toml", "--set", &setting, "--seeds", "1-2", "--out", lifetimes]);
        desk.get(&format!("{lifetimes}/report.html")).matches("class=\"dot ").count()
    };
    let plain = dots("60,600,6000");
    assert!(plain >= 6, "{plain}");
    assert_eq!(plain, dots("60s,10min,100min"));
}

#[test]
fn a_baseline_fails_on_runs_that_are_missing_or_took_another_way() {
    let desk = Desk::new();
    for (out, seeds) in [("a", "1-3"), ("b", "1-2")] {
        desk.done(&["sweep", "s.toml", "--seeds", seeds, "--out", out]);
    }
    let fails = |one: &str, other: &str| {
        let output = desk.dak(&["compare", one, other, "--baseline"]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(fails("a", "b").contains(", seed 3: only in A"));
    assert!(fails("b", "a").contains(", seed 3: only in B"));
    desk.done(&["sweep", "s.toml", "--seeds", "1-2", "--out", "c"]);
    let run = fs::read_dir(desk.path("c/runs")).unwrap().next().unwrap().unwrap().path().join("summary.json");
    let summary = fs::read_to_string(&run).unwrap();
    let at = summary.find("\"event_hash\": \"").unwrap() + 15;
    fs::write(&run, format!("{}{}{}", &summary[..at], "x", &summary[at + 1..])).unwrap();
    assert!(fails("b", "c").contains("other events"));
    fs::write(&run, "{\"seed\":1}").unwrap();
    assert!(desk.refused(&["compare", "b", "c"]).contains("no summary"));
}

#[test]
fn a_trace_is_written_through_a_link_and_into_a_pipe_and_not_in_their_place() {
    let desk = Desk::new();
    desk.put("there.txt", "");
    std::os::unix::fs::symlink(desk.path("there.txt"), desk.path("link.txt")).unwrap();
    desk.done(&["trace", "convert", "t.txt", "--out", "link.txt"]);
    assert!(desk.path("link.txt").is_symlink());
    let text = desk.get("there.txt");
    assert!(text.starts_with("0 CONN 0 1 up\n"), "{text}");
    assert_eq!(desk.done(&["trace", "convert", "t.txt", "--out", "/dev/stdout"]), text);
}

#[test]
fn an_interrupt_ends_what_waits_for_the_reader_of_a_pipe() {
    let desk = Desk::new();
    assert!(Command::new("mkfifo").arg(desk.path("pipe")).status().unwrap().success());
    let mut command = Command::new(env!("CARGO_BIN_EXE_dak"));
    command.args(["sim", "trace", "convert", "t.txt", "--out", "pipe"]).current_dir(desk.0.path());
    let mut waiting = command.spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert!(Command::new("kill").args(["-INT", &waiting.id().to_string()]).status().unwrap().success());
    let ended = (0..1_000).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        waiting.try_wait().unwrap().is_some()
    });
    let _ = waiting.kill();
    assert!(ended, "it waits on");
}

#[test]
fn a_mistake_in_a_file_names_where_it_is_for_whoever_ran_the_command() {
    let desk = Desk::new();
    fs::create_dir(desk.path("below")).unwrap();
    desk.put("below/s.toml", &scenario("trace = \"t.txt\"", "file = \"w.txt\""));
    desk.put("below/t.txt", "0 CONN 0 1 up\n5 CONN 0 1 upp\n");
    desk.put("below/w.txt", MESSAGES);
    assert!(desk.refused(&["run", "below/s.toml"]).contains("below/t.txt:2:"));
    desk.put("below/t.txt", TRACE);
    desk.put("below/w.txt", "1 C M1 0 2 -5\n");
    assert!(desk.refused(&["run", "below/s.toml"]).contains("below/w.txt:1:"));
}

#[test]
fn prophet_sends_in_the_order_that_a_scenario_asks_for() {
    let desk = Desk::new();
    let hash = |forwarding: &str| {
        let setting = format!("routing.forwarding={forwarding}");
        desk.done(&["run", "s.toml", "--set", "routing.strategy=prophet", "--set", &setting, "--out", forwarding]);
        let summary: serde_json::Value =
            serde_json::from_str(&desk.get(&format!("{forwarding}/summary.json"))).unwrap();
        summary["scenario_hash"].as_str().unwrap().to_owned()
    };
    assert_ne!(hash("grtr"), hash("grtr-max"));
    let set = ["run", "s.toml", "--set", "routing.strategy=prophet", "--set", "routing.forwarding=best"];
    assert!(desk.refused(&set).contains("grtr-sort"));
}

#[test]
fn a_link_that_loses_everything_is_refused() {
    let desk = Desk::new();
    let link = ["--set", "link.model=rate", "--set", "link.bytes_per_second=1000", "--set"];
    assert!(desk.refused(&[&["run", "s.toml"][..], &link, &["link.loss=100%"]].concat()).contains("loss"));
    desk.done(&[&["run", "s.toml"][..], &link, &["link.loss=90%"]].concat());
}

#[test]
fn a_setting_swept_twice_is_refused() {
    let desk = Desk::new();
    let said =
        desk.refused(&["sweep", "s.toml", "--set", "workload.size=1,2", "--set", "workload.size=5", "--out", "x"]);
    assert!(said.contains("workload.size") && said.contains("once"), "{said}");
}

#[test]
fn a_run_that_is_there_twice_is_not_compared() {
    let desk = Desk::new();
    for name in ["both/old", "both/new", "one"] {
        desk.done(&["run", "s.toml", "--out", name]);
    }
    let said = desk.refused(&["compare", "one", "both"]);
    assert!(said.contains("both/old") && said.contains("both/new") && said.contains("remove one"), "{said}");
}

#[test]
fn what_would_take_all_memory_is_refused() {
    let desk = Desk::new();
    let faults = "[faults]\ncrash_rate = \"1/min\"\n";
    let long = scenario("trace = \"t.txt\"", "file = \"w.txt\"") + faults;
    desk.put("crashes.toml", &format!("duration = \"3650d\"\nnodes = 200\n{long}"));
    assert!(desk.refused(&["run", "crashes.toml"]).contains("lower `crash_rate`"));
    assert!(desk.refused(&["oracle", "t.txt", "w.txt", "--nodes", "4000000000"]).contains("1000000"));
    assert!(desk.refused(&["trace", "check", "t.txt", "--nodes", "0"]).contains("2..=1000000"));
    desk.put("long.txt", "0 CONN 0 1 up\n10000000000 CONN 0 1 down\n");
    assert!(desk.refused(&["trace", "convert", "long.txt", "--to", "sociopatterns"]).contains("write --to one"));
    // Nobody is ever made but these two and whoever crashes.
    desk.put("far.txt", "0 CONN 0 999 up\n9 CONN 0 999 down\n");
    desk.put("w.txt", "1 C M1 0 999 5\n");
    let crash = "faults.crashes=[{ node = 5, at = \"1s\", down = \"1s\" }]";
    let said = desk.done(&["run", "s.toml", "--set", "contacts.trace=far.txt", "--set", crash]);
    assert!(said.contains("\ndelivered: 1\n") && said.contains("\ncrashes: 1\n"), "{said}");
}

#[test]
fn sweeps_of_two_strategies_are_compared_setting_by_setting() {
    let desk = Desk::new();
    for (out, strategy) in [("a", "direct"), ("b", "epidemic")] {
        let lifetimes = ["--set", "bundle.lifetime=60s,300min", "--seeds", "1-2"];
        desk.done(&[&["sweep", "s.toml", "--strategy", strategy, "--out", out], &lifetimes[..]].concat());
    }
    // What a killed sweep leaves is no run.
    fs::create_dir_all(desk.path("a/runs/.1234.tmp-1")).unwrap();
    desk.put("a/runs/.1234.tmp-1/summary.json", "{");
    let text = desk.done(&["compare", "a", "b"]);
    let pairs = text.lines().filter(|line| line.starts_with("s.toml direct, s.toml epidemic ")).count();
    assert_eq!(pairs, 2, "{text}");
    let figures: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let at = |name: &str| figures.iter().position(|figure| *figure == name);
    assert!(at("created") < at("delivered") && at("delivered") < at("latency_avg"), "{text}");
}

#[test]
fn a_comparison_sees_what_changed_and_a_baseline_fails_on_it() {
    let desk = Desk::new();
    for (out, strategy) in [("a", "epidemic"), ("b", "direct")] {
        desk.done(&["sweep", "s.toml", "--strategy", strategy, "--seeds", "1-3", "--out", out]);
    }
    let text = desk.done(&["compare", "a", "b"]);
    let line = text.lines().find(|line| line.trim_start().starts_with("latency_avg")).unwrap();
    assert!(line.contains('±') && line.trim_end().ends_with('*'), "{line}");
    assert_eq!(desk.done(&["compare", "a", "a", "--baseline"]), "nothing changed\n");
    let output = desk.dak(&["compare", "a", "b", "--baseline"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(desk.refused(&["compare", "a", "nowhere"]).contains("nowhere"));
}

#[test]
fn a_refused_run_makes_no_directories_and_says_what_to_do() {
    let desk = Desk::new();
    desk.put("bad.toml", &scenario("trace = \"t.txt\"", "fiel = \"w.txt\""));
    desk.refused(&["run", "bad.toml", "--out", "some/where/deep"]);
    assert!(!desk.path("some").exists());
    desk.done(&["run", "s.toml", "--out", "some/where/deep"]);
    assert!(desk.path("some/where/deep/summary.json").is_file());

    desk.put("w.txt", "1 C M1 0 77 5\n");
    let said = desk.refused(&["run", "s.toml"]);
    assert!(said.contains("w.txt:1:") && said.contains("add `nodes = 78` at the top of s.toml"), "{said}");
    desk.put("lonely.toml", &format!("nodes = 78\n{}", scenario("trace = \"t.txt\"", "file = \"w.txt\"")));
    assert!(desk.done(&["run", "lonely.toml"]).contains("\ndelivered: 0\n"));

    fs::write(desk.path("latin.toml"), b"# one\n# caf\xe9\n").unwrap();
    assert!(desk.refused(&["run", "latin.toml"]).contains("latin.toml:2: it is not UTF-8"));
    desk.put("bars.txt", "# i | j\n20|1|2\n");
    let said = desk.refused(&["trace", "check", "bars.txt"]);
    assert!(said.contains("bars.txt:2: `20|1|2` is of no known form") && said.contains("sociopatterns"), "{said}");
    let checked = desk.done(&["--json", "trace", "check", "t.txt"]);
    assert!(checked.contains("\"sound\":true"), "{checked}");
}

#[test]
fn an_error_as_json_has_the_form_that_every_command_gives_it() {
    let desk = Desk::new();
    let said = desk.refused(&["--json", "run", "absent.toml"]);
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (&report["schema"], &report["exit_code"], &report["error"]["kind"]),
        (&1.into(), &2.into(), &"usage".into())
    );
    assert!(report["error"]["message"].as_str().unwrap().contains("absent.toml"), "{said}");
}

#[test]
fn what_is_no_recording_is_refused() {
    let desk = Desk::new();
    assert!(desk.refused(&["replay", "t.txt"]).contains("t.txt"));
}

#[test]
fn convert_says_how_ids_and_times_changed_and_what_it_left_out() {
    let desk = Desk::new();
    desk.put("faces.csv", "t,i,j,Ci,Cj\n140,1148,7,A,B\n120,1148,1026,A,B\n120,7,7,A,A\n");
    let said = desk.refused(&["trace", "convert", "faces.csv"]);
    assert!(said.contains("faces.csv:3: time runs backwards") && said.contains("--sort"), "{said}");
    let output = desk.dak(&["trace", "convert", "faces.csv", "--sort"]);
    let (events, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(events, "0 CONN 1 2 up\n20 CONN 1 2 down\n20 CONN 0 2 up\n40 CONN 0 2 down\n");
    assert!(
        said.contains("time 0 is 100.0 s of the file; its 3 ids are numbered anew:\n  0=7  1=1026  2=1148\n"),
        "{said}"
    );
    assert!(said.contains("left out: 1 lines in which a node meets itself"), "{said}");
    let output = desk.dak(&["trace", "convert", "faces.csv", "--sort", "--json"]);
    let told: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!((&told["ids"], &told["zero"]), (&serde_json::json!([7, 1026, 1148]), &serde_json::json!(100.0)));
    assert_eq!(told["self_contacts_left_out"], 1);
}

#[test]
fn files_are_read_as_other_programs_leave_them() {
    let desk = Desk::new();
    let packed = |bytes: &[u8]| {
        let mut packer = Command::new("gzip").arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        packer.stdin.take().unwrap().write_all(bytes).unwrap();
        packer.wait_with_output().unwrap().stdout
    };
    let wanted = desk.done(&["run", "s.toml"]);
    let marked = format!("\u{feff}{}", TRACE.replace(' ', ",").replace("up", "UP wlan0").replace("down", "Down,wlan0"));
    desk.put("t.txt", &marked.replace("UP wlan0", "UP,wlan0"));
    assert_eq!(figures(&desk.done(&["run", "s.toml"])), figures(&wanted), "commas, capitals, interfaces and a mark");
    fs::write(desk.path("t.txt"), packed(TRACE.as_bytes())).unwrap();
    assert_eq!(figures(&desk.done(&["run", "s.toml"])), figures(&wanted), "gzip");
    let mut damaged = packed(TRACE.as_bytes());
    damaged.truncate(damaged.len() - 9);
    fs::write(desk.path("t.txt"), damaged).unwrap();
    let said = desk.refused(&["run", "s.toml"]);
    assert!(said.contains("damaged"), "{said}");
}

/// What a run counted; hashes tell files apart that say the same.
fn figures(printed: &str) -> Vec<&str> {
    printed.lines().skip_while(|line| !line.starts_with("sim_time")).collect()
}

#[test]
fn a_file_of_another_kind_is_recognised_and_its_command_named() {
    let desk = Desk::new();
    desk.put("faces.txt", "120 1148 1026\n140 1148 7\n");
    desk.put("faces.toml", &scenario("trace = \"faces.txt\"", "file = \"w.txt\""));
    desk.put("swapped.toml", &scenario("trace = \"w.txt\"", "file = \"t.txt\""));
    desk.put("one_settings.txt", "Scenario.name = x\nScenario.endTime = 43k\n");
    let cases: [(&[&str], &str); 9] = [
        (&["run", "t.txt"], "t.txt: this is a contact trace; describe it with `dak sim trace stat t.txt`"),
        (&["run", "faces.txt"], "`dak sim trace convert faces.txt --out trace.txt`"),
        (&["run", "faces.toml"], "faces.txt: this is a contact trace of the form sociopatterns"),
        (&["run", "w.txt"], "this is a list of messages"),
        (&["run", "swapped.toml"], "w.txt: this is a list of messages"),
        (&["trace", "stat", "s.toml"], "s.toml: this is a scenario; run it with `dak sim run s.toml`"),
        (&["oracle", "w.txt", "t.txt"], "w.txt: this is a list of messages; name it in a scenario"),
        (&["oracle", "t.txt", "t.txt"], "t.txt: this is a contact trace"),
        (&["run", "one_settings.txt"], "these are settings of The ONE"),
    ];
    for (arguments, expected) in cases {
        let said = desk.refused(arguments);
        assert!(said.contains(expected) && said.lines().count() == 1, "{arguments:?}: {said}");
    }
    fs::write(desk.path("packed.txt"), b"PK\x03\x04\x14\x00\xff\xfe").unwrap();
    for command in [&["run", "packed.txt"][..], &["trace", "check", "packed.txt"]] {
        assert!(desk.refused(command).contains("packed with zip; unpack it first"), "{command:?}");
    }
}

#[test]
fn compare_names_what_differs_and_refuses_what_has_nothing_in_common() {
    let desk = Desk::new();
    desk.done(&["run", "s.toml", "--out", "a"]);
    desk.done(&["run", "s.toml", "--seed", "7", "--set", "store.quota_bytes=400", "--out", "b"]);
    let said = desk.done(&["compare", "a", "b"]);
    assert!(said.contains("  differs: seeds: 0 in A, 7 in B\n"), "{said}");
    assert!(said.contains("  differs: store.quota_bytes: 5000000 in A, 400 in B\n"), "{said}");
    assert!(said.contains("no seed is in both"), "{said}");
    let first: serde_json::Value =
        serde_json::from_str(desk.done(&["compare", "a", "b", "--json"]).lines().next().unwrap()).unwrap();
    assert_eq!(first["differs"]["seeds"], serde_json::json!(["0", "7"]));
    assert!(desk.done(&["compare", "a", "./a"]).starts_with("A and B are one directory, so nothing can differ\n"));
    desk.put("t.txt", &TRACE.replace("310", "320"));
    desk.done(&["run", "s.toml", "--out", "edited"]);
    assert!(desk.refused(&["compare", "a", "edited"]).contains("the traces or messages that they name differ"));
    let walk = "generator = \"random-waypoint\"\nwidth = 100\nheight = 100\nrange = 30";
    desk.put("walk.toml", &format!("nodes = 4\nduration = \"5min\"\n{}", scenario(walk, "file = \"w.txt\"")));
    desk.done(&["run", "walk.toml", "--out", "walk"]);
    let said = desk.refused(&["compare", "a", "walk"]);
    assert!(said.contains("s.toml and walk.toml are different worlds"), "{said}");
}

#[test]
fn results_of_another_run_are_replaced_only_when_that_is_asked_for() {
    let desk = Desk::new();
    desk.done(&["run", "s.toml", "--out", "a"]);
    let made = desk.get("a/summary.json");
    desk.done(&["run", "s.toml", "--out", "a"]);
    let said = desk.refused(&["run", "s.toml", "--seed", "3", "--out", "a"]);
    assert!(said.contains("a holds another run (s.toml, seed 0)") && said.contains("--force"), "{said}");
    assert_eq!(desk.get("a/summary.json"), made);
    desk.done(&["run", "s.toml", "--seed", "3", "--out", "a", "--force"]);
    assert_ne!(desk.get("a/summary.json"), made);
    desk.done(&["sweep", "s.toml", "--seeds", "1-2", "--out", "sw"]);
    assert!(desk.refused(&["run", "s.toml", "--out", "sw"]).contains("sw holds a sweep"));
    assert!(desk.refused(&["sweep", "s.toml", "--seeds", "1-2", "--out", "a"]).contains("a holds a single run"));
}
