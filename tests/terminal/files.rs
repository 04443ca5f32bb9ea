//! What stands in files from elsewhere: bundles, configurations, scenarios, traces, recordings.

use std::fs;

use dak::cbor::Writer;

use crate::payloads::{TOGETHER, payloads};
use crate::person::Person;
use crate::{SEED, dak, is_full, rows};

#[test]
fn bundles_are_inspected_without_anything_raw() {
    let nobody = Person::new("nobody");
    for (number, some) in payloads(SEED).chunks(TOGETHER).enumerate() {
        let hostile = bundle(some);
        let file = nobody.file(&format!("{number}.bundle"), &hostile);
        let text = dak(&nobody.home(), &["bundle", "inspect", &file], &[]);
        assert!(String::from_utf8_lossy(&text.stdout).contains("previous node"), "it was read to its end");
        let row = rows(&dak(&nobody.home(), &["bundle", "inspect", &file, "--json"], &[])).remove(0);
        assert_eq!(row["verified"], false);
        dak(&nobody.home(), &["bundle", "inspect", &nobody.file("text", some.concat().as_bytes())], &[]);
    }
}

/// A bundle of RFC 9171 whose endpoints are these texts, each also behind the scheme `//`.
fn bundle(some: &[String]) -> Vec<u8> {
    let endpoint = |out: &mut Vec<u8>, text: &str| {
        out.array(2);
        out.uint(1u64);
        out.text(text);
    };
    let mut out = vec![0x9f];
    out.array(8);
    [7u64, 0, 0].into_iter().for_each(|field| out.uint(field));
    (0..3).for_each(|at| endpoint(&mut out, &some[at % some.len()]));
    out.array(2);
    [0u64, 0].into_iter().for_each(|field| out.uint(field));
    out.uint(1_000u64);
    for (number, text) in some.iter().flat_map(|text| [text.clone(), format!("//{text}")]).enumerate() {
        let mut data = Vec::new();
        endpoint(&mut data, &text);
        block(&mut out, 6, 2 + number as u64, &data);
    }
    block(&mut out, 1, 1, some.concat().as_bytes());
    out.push(0xff);
    out
}

fn block(out: &mut Vec<u8>, kind: u64, number: u64, data: &[u8]) {
    out.array(5);
    [kind, number, 0, 0].into_iter().for_each(|field| out.uint(field));
    out.bytes(data);
}

#[test]
fn configurations_are_refused_without_anything_raw() {
    let mut nobody = Person::new("nobody");
    nobody.up("");
    nobody.down();
    for (number, some) in payloads(SEED).chunks(TOGETHER).enumerate() {
        let (raw, quoted) = (some.concat(), toml::Value::from(some.concat()).to_string());
        let text = match number % 7 {
            0 => raw,
            1 => format!("{quoted} = 1\n"),
            2 => format!("listen = [{quoted}]\n"),
            3 => format!("strategy = {quoted}\n"),
            4 => format!("log = {quoted}\n"),
            5 => format!("carry_limit = {quoted}\n"),
            _ => format!("[{quoted}]\n"),
        };
        fs::write(nobody.home().join("config.toml"), text).unwrap();
        for line in [&["up"][..], &["up", "--json"]] {
            let output = dak(&nobody.home(), line, &[]);
            assert_eq!(output.status.code(), Some(2), "{line:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

#[test]
fn scenarios_and_traces_are_refused_without_anything_raw() {
    let nobody = Person::new("nobody");
    let scenario = nobody.path("s.toml");
    for (number, some) in payloads(SEED).chunks(TOGETHER).enumerate() {
        let (raw, quoted) = (some.concat(), toml::Value::from(some.concat()).to_string());
        let text = match number % 6 {
            0 => raw.clone(),
            1 => format!("{quoted} = 1\n"),
            2 => format!("[contacts]\ntrace = {quoted}\n"),
            3 => format!("[routing]\nstrategy = {quoted}\n"),
            4 => format!("[workload]\nfile = {quoted}\nlifetime = {quoted}\n"),
            _ => format!("duration = {quoted}\nnodes = {quoted}\n"),
        };
        fs::write(&scenario, text).unwrap();
        let set = format!("routing.strategy={raw}");
        let lines = [
            &["sim", "run", &scenario][..],
            &["sim", "run", &scenario, "--json"],
            &["sim", "run", &scenario, "--set", &set],
            &["sim", "run", &scenario, "--set", &raw],
            &["sim", "run", "--", &raw],
            &["sim", "sweep", &scenario, "--out", "/dev/null/x", "--strategy", &raw, "--json"],
            &["sim", "sweep", &scenario, "--out", "/dev/null/x", "--seeds", &raw],
            &["sim", "compare", "--", &raw, &raw],
        ];
        for line in
            lines.into_iter().enumerate().filter(|(at, _)| is_full() || (at + number) % 3 == 0).map(|(_, line)| line)
        {
            assert_ne!(dak(&nobody.home(), line, &[]).status.code(), Some(0), "{line:?}");
        }
        let words = some.join(" ");
        let lines = [
            raw.clone(),
            format!("{words} CONN 0 1 up"),
            format!("0 {words} 0 1 up"),
            format!("0 CONN {words} 1 up"),
            format!("0 CONN 0 1 {words}"),
        ];
        for line in lines.iter().enumerate().filter(|(at, _)| is_full() || (at + number) % 5 == 0).map(|(_, line)| line)
        {
            let trace = nobody.file("trace", format!("0 CONN 0 1 up\n{line}\n1 CONN 0 1 down\n").as_bytes());
            dak(&nobody.home(), &["sim", "trace", "check", &trace], &[]);
            dak(&nobody.home(), &["sim", "trace", "stat", &trace, "--from", &raw], &[]);
            dak(&nobody.home(), &["sim", "trace", "convert", &trace, "--from", "one", "--json"], &[]);
            dak(&nobody.home(), &["sim", "oracle", &trace, &trace], &[]);
        }
        dak(&nobody.home(), &["sim", "replay", &nobody.file("recording", raw.as_bytes())], &[]);
    }
}
