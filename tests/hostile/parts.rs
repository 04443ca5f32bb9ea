//! A contact who lies about files: sizes, names, parts that are none or of other files, and requests without end.

use std::fs;
use std::path::Path;

use dak::bundle::Signer;
use dak::content::{Content, Enclosed, FileAsk, FileKey, PART_BYTES, PART_LOG, Part, PartTree, Shape, Text, part_node};
use dak::id::BundleId;

use super::forge::{Genuine, dice, fresh_key, hops};
use super::rogue::{Ears, Rogue, handing_over};
use super::target::Target;
use super::verdict::Verdict;
use super::{PATIENCE, run, size};

const MIB: u64 = 1 << 20;

/// A file of two parts, and its parts.
fn film() -> [Part; 2] {
    let bytes: Vec<u8> = (0..PART_BYTES + 5_000).map(|n| (n * 31 + n / 257) as u8).collect();
    let nodes = bytes.chunks(PART_BYTES).enumerate().map(|(n, part)| part_node(n as u32, part)).collect();
    let (tree, root) = (PartTree::over(nodes), *blake3::hash(&bytes).as_bytes());
    [0, 1].map(|index| Part {
        root,
        size: bytes.len() as u64,
        index,
        proof: tree.proof(index),
        bytes: bytes.chunks(PART_BYTES).nth(index as usize).unwrap().to_vec(),
        extra: Vec::new(),
    })
}

fn manifest(name: &str, bytes: u64, root: [u8; 32]) -> Enclosed {
    Enclosed { name: name.into(), bytes, root, key: FileKey([7; 32]), shape: Shape::File, part_log: PART_LOG }
}

fn text_with(enclosed: Vec<Enclosed>) -> Content {
    Content::from(Text { body: "look".into(), enclosed, ..Text::default() })
}

fn root(n: u64) -> [u8; 32] {
    *blake3::hash(&n.to_be_bytes()).as_bytes()
}

/// Bytes on the disk below a directory.
fn weight(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    let weight = |path: &Path| if path.is_dir() { weight(path) } else { path.metadata().map_or(0, |file| file.len()) };
    entries.map(|entry| weight(&entry.unwrap().path())).sum()
}

#[test]
fn a_contact_who_lies_about_files_fills_no_disk_and_gets_nothing_acknowledged() {
    run(async {
        let mut verdict = Verdict::of("parts");
        let target = Target::up("");
        let mut dice = dice(41);
        let liar = fresh_key(&mut dice);
        target.name("friend", liar.node());
        let watch = target.watch();
        let mut rogue = Rogue::meet(&liar, target.at, Ears::Count).await.expect("it is met");
        let mut sequence = 0;
        let mut make = |content: &Content| {
            sequence += 1;
            Genuine::content(&liar, target.node, sequence, content)
        };

        // Names that lead elsewhere, a size that no disk has, and many files that nobody asked for.
        let names = ["../../etc/passwd", "/etc/cron.d/x", "a\u{1b}[2Jb", "..", "nul\0l"];
        let mut texts = Vec::new();
        for (n, name) in names.iter().enumerate() {
            texts.push(make(&text_with(vec![manifest(name, 64 << 30, root(n as u64))])));
        }
        for n in 0..size(40, 400) {
            let many = (0..16).map(|k| manifest("film", 8 * MIB, root(1_000 + 16 * n + k))).collect();
            texts.push(make(&text_with(many)));
        }
        // Parts that are none: of another root, size or place, and of files that were offered and not asked for.
        let [first, second] = film();
        let mut lies = Vec::new();
        for n in 0..size(20, 400) {
            lies.push(Part { root: root(n), ..first.clone() });
            lies.push(Part { size: first.size * 2, ..first.clone() });
            lies.push(Part { index: 1, ..first.clone() });
            lies.push(Part { bytes: vec![n as u8; PART_BYTES], ..first.clone() });
            lies.push(Part { proof: Vec::new(), ..second.clone() });
        }
        let lies: Vec<Genuine> = lies.into_iter().map(|part| make(&Content::Part(part))).collect();
        // Requests for files that are not theirs, and of all there is.
        let asks: Vec<Genuine> = (0..size(300, 20_000))
            .map(|n| {
                let target = root(n)[..16].try_into().unwrap();
                let group = (n % 3 == 1).then(|| liar.node());
                let (have, limit) = (vec![(n as u32, u32::MAX)], (n % 2 == 0).then_some(u64::MAX));
                let wanted = vec![(0, u32::MAX)];
                make(&Content::Ask(FileAsk { target, file: n, wanted, group, have, limit, ..FileAsk::default() }))
            })
            .collect();
        let mut sent = 0;
        for genuine in texts.iter().chain(&lies).chain(&asks) {
            rogue.say(&handing_over(&genuine.bundle.encode(hops(&mut dice)))).await.expect("lies are answered");
            sent += 1;
            // As an honest sender paces itself by the window.
            if sent % 4 == 0 {
                assert!(rogue.answered(sent, PATIENCE).await, "each is answered");
            }
        }
        assert!(rogue.answered(sent, PATIENCE).await, "each is answered");
        let accepted = rogue.heard.ids.lock().unwrap().clone();
        let is_accepted = |id: &BundleId| accepted.contains(&id.prefix());
        let acknowledged = lies.iter().filter(|lie| is_accepted(&lie.bundle.id)).count();
        verdict.check("no part that is none is accepted", acknowledged == 0, acknowledged);
        let on_disk = weight(&target.person.home().join("files"));
        verdict.check("nothing of them is on the disk", on_disk == 0, on_disk);
        let rows = target.person.rows("file");
        let coming = rows.iter().filter(|row| row["state"] == "wanted").count();
        verdict.check("of what nobody asked for little may come", coming as u64 * 8 <= 64, coming);
        verdict.check("the list of files is bounded", rows.len() <= 1_024, rows.len());
        let inbox = target.inbox().len();
        verdict.check("what asks and what is a part is no message", inbox == texts.len(), inbox);
        let shown = target.person.run("file");
        verdict.check("no name reaches a terminal raw", !shown.data.contains('\u{1b}'), shown.data.len());

        // What is called a folder and is none keeps nothing else from being saved.
        let garbage = b"no folder".to_vec();
        let root = *blake3::hash(&garbage).as_bytes();
        let folder = Enclosed { shape: Shape::Folder, ..manifest("maps", garbage.len() as u64, root) };
        let none = Part { root, size: garbage.len() as u64, index: 0, bytes: garbage, ..Part::default() };
        let folder = make(&text_with(vec![folder]));
        let bad = &folder.bundle.id.full()[..10];
        // A part that comes before it is wanted is refused.
        rogue.say(&handing_over(&folder.bundle.encode(hops(&mut dice)))).await.expect("it is taken");
        assert!(rogue.answered(sent + 1, PATIENCE).await);
        target.person.json(&format!("file get {bad}"));
        let part = make(&Content::Part(none));
        rogue.say(&handing_over(&part.bundle.encode(hops(&mut dice)))).await.expect("it is taken");
        sent += 2;
        assert!(rogue.answered(sent, PATIENCE).await);
        let of_it = |row: &serde_json::Value| row["id"].as_str().unwrap().starts_with(bad) && row["state"] == "here";
        target.person.until("file", |rows| rows.iter().any(of_it));
        let (there, ran) =
            (target.person.path("bad"), target.person.run(&format!("file save {bad} {}", target.person.path("bad"))));
        verdict.check(
            "a folder that is none is said to be none",
            ran.code == 8 && ran.talk.contains("no packed folder"),
            ran.talk,
        );
        verdict.check("nothing of it is saved", fs::read_dir(&there).unwrap().count() == 0, there);

        // What is true of it comes all the same, and is saved where it belongs.
        let offer = make(&text_with(vec![manifest("../film", first.size, first.root)]));
        let parts = [first, second].map(|part| make(&Content::Part(part)));
        rogue.say(&handing_over(&offer.bundle.encode(hops(&mut dice)))).await.expect("it is taken");
        assert!(rogue.answered(sent + 1, PATIENCE).await);
        let id = &offer.bundle.id.full()[..10];
        target.person.json(&format!("file get {id}"));
        for part in &parts {
            rogue.say(&handing_over(&part.bundle.encode(hops(&mut dice)))).await.expect("it is taken");
        }
        let is_here = |row: &serde_json::Value| row["id"].as_str().unwrap().starts_with(id) && row["state"] == "here";
        target.person.until("file", |rows| rows.iter().any(is_here));
        let place = target.person.path("got");
        let saved = target.person.json(&format!("file save {id} {place}"));
        let path = saved["name"].as_str().unwrap().to_owned();
        let is_inside = Path::new(&path).parent() == Some(Path::new(&place)) && Path::new(&path).exists();
        verdict.check("it is saved in the directory", is_inside, path);
        let all = target.person.path("all");
        let ran = target.person.run(&format!("file --save-all {all}"));
        let is_told = ran.code == 8 && ran.talk.contains("no packed folder");
        verdict.check("the others are saved", is_told && Path::new(&all).join("film").exists(), ran.talk);
        verdict.behaves(&watch.end(), 256 << 20);
        verdict.give();
    });
}
