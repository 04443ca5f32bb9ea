//! The record leaves in forms that others read, says what it weighs, and is made smaller on demand.

use crate::acquaint;
use crate::person::Person;

fn two_with_words() -> (Person, Person) {
    let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
    acquaint(&mut alice, &mut bob);
    let file = alice.file("plan.bin", &[7; 3_000]);
    alice.json(&format!("send bob one -f {file} --wait=delivered --timeout 30s"));
    bob.json("send alice two --wait=delivered --timeout 30s");
    (alice, bob)
}

#[test]
fn an_export_has_both_sides_with_their_files_and_what_is_known_of_them() {
    let (alice, bob) = two_with_words();
    let rows = bob.rows("export alice");
    assert_eq!(rows.iter().map(|row| row["text"].as_str().unwrap()).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!((&rows[0]["signature"], &rows[1]["signature"]), (&"verified on arrival".into(), &"own".into()));
    assert!(rows[1]["events"].as_array().unwrap().iter().any(|event| event["what"] == "delivered"));
    assert!(rows[0]["content"].as_str().unwrap().contains(&"07".repeat(3_000)), "the file is in it");
    bob.json(&format!("react {} 👍", rows[0]["id"].as_str().unwrap()));
    assert_eq!(bob.rows("export --all").len(), 3, "changes are part of the record");

    let markdown = alice.run("export bob --format markdown").data;
    assert!(markdown.starts_with("# bob\n") && markdown.contains("> one\n> [plan.bin (2.9 KiB)]\n"), "{markdown}");
    let path = alice.path("bob.mbox");
    assert_eq!(alice.run(&format!("export bob --format mbox -o {path}")).code, 0);
    let mbox = std::fs::read_to_string(&path).unwrap();
    assert_eq!(mbox.matches("\nMessage-ID: <").count(), 2, "{mbox}");
    assert!(mbox.starts_with("From dak@localhost ") && mbox.contains("filename*=utf-8''plan.bin\n"), "{mbox}");
    assert_eq!(alice.run(&format!("export bob --format mbox -o {path}")).code, 1, "nothing is written over");
    assert_eq!(alice.run("export").code, 2);
    assert_eq!(alice.run("export nobody").code, 4);
}

#[test]
fn space_is_told_and_freed_by_the_command_it_names() {
    let (_alice, bob) = two_with_words();
    let weight = |what: &str| {
        let rows = bob.rows("space");
        rows.iter().filter(|row| row["what"] == what).map(|row| row["bytes"].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!(weight("files"), 3_000);
    assert!(weight("conversation") > 3_000);
    assert_eq!(bob.json("purge --files-only --dry-run")["files"], 1);
    assert_eq!(weight("files"), 3_000, "it was only asked");
    assert_eq!(bob.json("purge --files-only --larger-than 1M --yes")["files"], 0);
    assert_eq!(bob.json("purge --files-only --yes")["bytes"], 3_000);
    assert_eq!(weight("files"), 0);
    let rows = bob.rows("talk alice");
    assert_eq!((&rows[0]["text"], &rows[0]["files"][0]["name"]), (&"one".into(), &"plan.bin".into()));
    assert_eq!(bob.json("purge --older-than 1d --yes")["messages"], 0);
    for line in ["purge", "purge --larger-than 1k", "purge --from nobody"] {
        assert_ne!(bob.run(line).code, 0, "{line}");
    }
    let purged = bob.json("purge --from alice --yes");
    assert!(purged["messages"].as_u64().unwrap() >= 1, "{purged}");
    assert_eq!(bob.rows("inbox").len(), 0);
}

#[test]
fn a_record_that_keeps_so_long_deletes_by_itself_what_is_older_and_says_so() {
    let (mut alice, bob) = two_with_words();
    assert_eq!(alice.rows("search one").len(), 1);
    assert_eq!(alice.run("config set keep 0s").code, 2);
    assert_eq!(alice.run("config set keep 3s").code, 0);
    assert_eq!(alice.rows("export --all").len(), 2, "it counts from the next start");
    alice.down();
    alice.up("");
    let space = alice.rows("space");
    assert_eq!((&space[0]["what"], &space[0]["keep_ms"]), (&"record".into(), &3_000.into()));
    assert!(alice.run("space").data.contains("(deleted after 3s)"));
    alice.until("export --all", |rows| rows.is_empty());
    assert_eq!(alice.rows("search one").len(), 0);
    assert_eq!(bob.rows("export --all").len(), 2, "others keep what they have");
    let (row, config) = (bob.rows("space")[0].clone(), bob.rows("config show"));
    assert!(row.get("keep_ms").is_none(), "{row}");
    assert!(config.iter().any(|row| row["key"] == "keep" && row["value"] == ""), "off unless it is set");
}
