//! Wireshark's dissector reads our bundles without errors. It warns of block type 193, which it cannot know.

use std::path::Path;
use std::process::{Command, Output};

use dak::bundle::{Bundle, Hops};
use dak::time::Millis;

use crate::common::{alice, bob, message, receipt, receipt_draft};
use crate::hand::Hand;

/// Fields of the dissection, one line a bundle.
const FIELDS: [&str; 9] = [
    "_ws.malformed",
    "_ws.expert.severity",
    "bpv7.primary.src_uri",
    "bpv7.primary.dst_uri",
    "bpv7.primary.lifetime",
    "bpv7.crc_status",
    "bpv7.bundle_age.time",
    "bpv7.hop_count.current",
    "bpsec.asb.ctxid",
];
/// Wireshark's severities (`PI_WARN`, `PI_ERROR`).
const WARNING: u64 = 0x60_0000;

#[test]
fn tshark_reads_our_bundles_without_errors() {
    if Command::new("tshark").arg("--version").output().is_err() {
        eprintln!("NOT TESTED: tshark is not installed, so nobody asked it to read our bundles");
        return;
    }
    let hops = Hops { age: Millis(90_000), count: 3 };
    let message = message().sign(&[7; 400], &alice()).unwrap();
    let receipt = receipt_draft().sign(&receipt().encode(), &bob()).unwrap();
    let unknown = Bundle::decode(&Hand::message().with_unknown(200, 6, b"later").bundle()).unwrap().0;
    let bundles = [message, receipt, unknown];
    let lines = dissect(&bundles.iter().map(|bundle| bundle.encode(hops)).collect::<Vec<_>>());
    assert_eq!(lines.len(), bundles.len());
    for (bundle, line) in bundles.iter().zip(lines) {
        let field = |name: &str| line[FIELDS.iter().position(|field| *field == name).unwrap()].as_str();
        assert_eq!(field("_ws.malformed"), "", "{line:?}");
        let severities = field("_ws.expert.severity").split(',').filter(|text| !text.is_empty());
        for severity in severities {
            assert!(severity.parse::<u64>().unwrap() <= WARNING, "an error: {line:?}");
        }
        assert_eq!(field("bpv7.primary.src_uri"), format!("dtn://{}/", bundle.source.peer_id()));
        assert_eq!(field("bpv7.primary.dst_uri"), bundle.destination.to_string());
        assert_eq!(field("bpv7.primary.lifetime"), bundle.lifetime.0.to_string());
        assert_eq!(field("bpv7.crc_status"), "1", "the CRC is good");
        assert_eq!(field("bpv7.bundle_age.time"), "90000");
        assert_eq!(field("bpv7.hop_count.current"), "3");
        assert_eq!(field("bpsec.asb.ctxid"), "3");
    }
}

/// A test that cannot fail proves nothing: tshark must object to a broken bundle.
#[test]
fn tshark_objects_to_a_broken_bundle() {
    if Command::new("tshark").arg("--version").output().is_err() {
        eprintln!("NOT TESTED: tshark is not installed, so nobody asked it to object to a broken bundle");
        return;
    }
    let mut wire = message().sign(b"hello", &alice()).unwrap().bytes().to_vec();
    wire[100] ^= 1;
    let line = &dissect(&[wire])[0];
    let severities: Vec<u64> = line[1].split(',').filter_map(|text| text.parse().ok()).collect();
    assert!(severities.iter().any(|severity| *severity > WARNING) || line[5] != "1", "{line:?}");
}

/// Puts bundles into a capture, a packet each, and returns the fields that tshark finds in each.
fn dissect(bundles: &[Vec<u8>]) -> Vec<Vec<String>> {
    let home = tempfile::tempdir().unwrap();
    let capture = home.path().join("bundles.pcap");
    std::fs::write(&capture, pcap(bundles)).unwrap();
    let output = run_tshark(&capture);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn run_tshark(capture: &Path) -> Output {
    let mut command = Command::new("tshark");
    // Link type 147 is the first of those for private use; its packets are bundles here.
    command.arg("-r").arg(capture).args(["-o", LINK_IS_BPV7, "-T", "fields", "-E", "occurrence=a"]);
    for field in FIELDS {
        command.args(["-e", field]);
    }
    command.output().unwrap()
}

const LINK_IS_BPV7: &str = r#"uat:user_dlts:"User 0 (DLT=147)","bpv7","0","","0","""#;

/// The classic capture format, without timestamps.
fn pcap(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    // Magic, version 2.4, no zone, no accuracy, snap length, link type.
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 1 << 21, 147u32] {
        out.extend(word.to_le_bytes());
    }
    for packet in packets {
        let len = packet.len() as u32;
        for word in [0, 0, len, len] {
            out.extend(word.to_le_bytes());
        }
        out.extend(packet);
    }
    out
}
