//! What fuzzing begins with: the vectors of `tests/data`, the scenarios of `simulations`, and a few lines by hand.

use dak::bundle::{Bundle, Ends, Handed, Signer};
use dak::content::{Content, Text, pad};
use dak::frame::{Cell, Frame, Grade, Transit, encode_folded};
use dak::id::BundleId;
use dak::time::Millis;
use ed25519_dalek::SigningKey;

const VECTORS: &str = include_str!("../../data/vectors.txt");
const PEER: &str = "12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X";

/// The vectors whose names have this part.
fn vectors(part: &str) -> Vec<Vec<u8>> {
    let named = VECTORS.lines().filter_map(|line| line.split_once(": ")).filter(|(name, _)| name.contains(part));
    let found: Vec<Vec<u8>> = named.map(|(_, hex)| unhex(hex)).collect();
    assert!(!found.is_empty(), "there are vectors called {part}");
    found
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |digit: u8| (digit as char).to_digit(16).expect("hexadecimal digits") as u8;
    text.trim().as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

pub fn bundles() -> Vec<Vec<u8>> {
    [vectors("_bundle"), vectors("refused_")].concat()
}

pub fn frames() -> Vec<Vec<u8>> {
    let ids = vec![BundleId([1; 32]), BundleId([2; 32])];
    let cell = Cell { sum: 1 << 40, check: 7, count: 1 };
    let frames = [
        Frame::Buckets { bits: 4, fingerprints: (0..16).collect() },
        Frame::ShortIds { buckets: vec![0xf0, 1], up_to: u64::MAX, ids: vec![1, 2, u64::MAX] },
        Frame::Cells { buckets: vec![0xff], up_to: 1 << 60, start: 0, cells: vec![cell; 5] },
        Frame::MoreCells { start: 5, count: 30 },
        Frame::Want { ids: vec![3, 4] },
        Frame::Offer { ids: ids.clone() },
        Frame::Take { ids: ids.clone() },
        Frame::Ask { ids: ids.clone() },
        Frame::GaveUp { ids: ids.clone() },
        Frame::Noted { ids: ids.clone() },
        Frame::Lives { lives: ids.iter().map(|id| (*id, Millis(86_400_000))).collect() },
        Frame::Accepted { grants: ids.iter().map(BundleId::prefix).zip([Grade::Copy, Grade::Custody]).collect() },
    ];
    let encoded = frames.iter().map(|frame| frame.encode().unwrap()).collect();
    [vectors("_frame"), encoded, folds()].concat()
}

/// The bundles as alice and bob hand them to each other.
fn folds() -> Vec<Vec<u8>> {
    let [alice, bob] = [0xa1, 0xb0].map(|secret| SigningKey::from_bytes(&[secret; 32]).node());
    let good = bundles().into_iter().filter_map(|bytes| Bundle::from_store(&bytes).ok());
    let both = good.flat_map(|(bundle, hops)| {
        [(alice, bob), (bob, alice)].map(|(from, to)| {
            encode_folded(
                &Transit { hops, copies: 4, is_answer: false },
                &bundle,
                &Ends { from, to },
                Handed::nothing(),
            )
        })
    });
    both.collect()
}

pub fn receipts() -> Vec<Vec<u8>> {
    vectors("receipt_record")
}

pub fn messages() -> Vec<Vec<u8>> {
    let short = Text { body: "hello".into(), subject: Some("a word".into()), ..Text::default() };
    let short = Content::from(short).encode();
    [vectors("plaintext_"), vec![pad(&short), pad(&[]), short]].concat()
}

/// Decisions for the stories that are drawn from bytes.
pub fn draws() -> Vec<Vec<u8>> {
    let draw = |n: usize| {
        let mut bytes = vec![0; 24 << (n % 6)];
        blake3::Hasher::new().update(&[n as u8]).finalize_xof().fill(&mut bytes);
        bytes
    };
    (0..24).map(draw).collect()
}

/// Talks about a great store: any, and with a peer that claims one id fewer or more than are there, and invents others.
pub fn hoards() -> Vec<Vec<u8>> {
    let liar = |claim: u8| [&[1, 1, claim, 9, 9][..], &[0; 100]].concat();
    draws().into_iter().take(6).chain([liar(1), liar(3)]).collect()
}

pub fn tickets() -> Vec<Vec<u8>> {
    let full = format!("dak:{PEER},/ip4/192.168.1.5/tcp/33556,/ip6/fe80::1%25eth0/tcp/1,n=Zo%C3%AB,later=1");
    let relay = format!("/ip4/10.0.0.1/tcp/7/p2p/{PEER}/p2p-circuit/p2p/{PEER}");
    texts(&[&full, &relay, PEER, &format!("/p2p/{PEER}"), &format!(" {PEER}\n")])
}

#[cfg(feature = "node")]
pub fn pairings() -> Vec<Vec<u8>> {
    use dak::pairing::{Frame, Refusal};
    let frames = [
        Frame::Ask { number: 7, element: [7; 32] },
        Frame::Answer { element: [8; 32] },
        Frame::Proof { tag: [9; 32], sealed: vec![1; 40] },
        Frame::Welcome { tag: [9; 32], sealed: vec![2; 300] },
        Frame::Done,
        Frame::Refused(Refusal::Wrong { left: 2 }),
    ];
    let typed = texts(&[
        "7-copper-lantern",
        " 7 Copper LAN\n",
        "dak:pair?code=7-copper-lantern&at=/ip4/192.168.1.5/tcp/33556&at=/ip6/::1/tcp/1&later=1",
    ]);
    frames.iter().map(Frame::encode).chain(typed).collect()
}

pub fn scenarios() -> Vec<Vec<u8>> {
    let contacts = "[contacts]\ngenerator = \"contact-plan\"\n";
    let kept = [
        include_str!("../../../simulations/crashes.toml"),
        include_str!("../../../simulations/ferry-line.toml"),
        include_str!("../../../simulations/hostile-carriers.toml"),
    ];
    [texts(&[dak::sim::EXAMPLE, contacts, "title = \"x\"\nnodes = 3\nduration = \"1h\"\n"]), texts(&kept)].concat()
}

pub fn traces() -> Vec<Vec<u8>> {
    texts(&[
        "10 CONN 0 1 up\n20 CONN 0 1 down\n100.5 CONN 1 2 up\n200 CONN 1 2 down\n",
        "# a comment\n1e2 CONN 3 4 up\r\n\n300 CONN 3 4 down\n",
        "20 1 2\n40 1 2\n60 2 3\n",
        "1 2 100 200 1 0\n2 1 100 210 1 0\n",
    ])
}

pub fn configs() -> Vec<Vec<u8>> {
    let mut all = texts(&[
        "# dak\nname = \"Bob\"\nlisten = [\"/ip4/0.0.0.0/tcp/33556\"]\nmdns = false\ncarry_limit = \"256M\"\n",
        "peers = [\"/ip4/10.0.0.1/tcp/7\"]\nread_receipts = true\nstrategy = \"epidemic\"\nlog = \"dak=debug\"\n",
        "\0\x04100M",
        "mdns = true\n\0\x03no",
        "\0\x01/ip4/127.0.0.1/tcp/1, /ip6/::1/tcp/2",
    ]);
    all.push(vec![b'\n'; 100]);
    all
}

pub fn requests() -> Vec<Vec<u8>> {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: dak\r\n\r\n").into_bytes();
    let with = |method: &str, path: &str, body: &str| {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: dak\r\ncontent-type: application/json\r\n");
        format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    };
    vec![
        get("/v1/me"),
        get("/v1/inbox?unread=true&limit=3"),
        get("/v1/status/abcd/follow"),
        get("/v1/contacts/Zo%C3%AB%20%1b%5B31m"),
        with("POST", "/v1/contacts", "{\"name\":\"Bob\",\"address\":\"dak:x\"}"),
        with("POST", "/v1/send", "{\"to\":\"bob\",\"text\":\"hello\",\"priority\":\"urgent\"}"),
        with("POST", "/v1/inbox/abcd/read", "{\"mark\":true}"),
        with("PUT", "/v1/carry/limit", "{\"bytes\":1000}"),
        with("DELETE", "/v1/carry/bundles/abcd", ""),
        b"POST /v1/send HTTP/1.1\r\nhost: dak\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n".to_vec(),
    ]
}
