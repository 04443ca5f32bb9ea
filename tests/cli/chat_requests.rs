//! `dak chat` and those who have no name here: they stand apart, and are accepted, blocked or left by a key.

use crate::chat::{CTRL_C, ENTER, ESC, Terminal};
use crate::groups::know_each_other;
use crate::person::Person;

/// Alice, whom both others know, and who knows neither.
fn asked() -> (Person, Person, Person) {
    let [alice, bob, carol] = know_each_other(["alice", "bob", "carol"]);
    for who in ["bob", "carol"] {
        assert_eq!(alice.run(&format!("contact remove {who}")).code, 0);
    }
    assert_eq!(bob.run("send alice may-i-come --wait").code, 0);
    assert_eq!(carol.run("send alice buy-my-things --wait").code, 0);
    assert_eq!(alice.run("send me a-note").code, 0);
    (alice, bob, carol)
}

#[test]
fn a_request_is_accepted_under_a_name_another_is_blocked_and_one_that_is_left_stays() {
    let (alice, bob, carol) = asked();
    let mut chat = Terminal::chat(&alice, "chat", (100, 24), &[]);
    chat.until("2 requests");
    chat.until("a-note");
    // The last line of the list: who wrote first, for the newest stands first.
    chat.types("\u{1b}[F");
    chat.until("a accept  b block");
    chat.types(ENTER);
    chat.until("has no name here");
    chat.until("may-i-come");
    // Whoever thinks better of it leaves it as it is.
    chat.types("b");
    chat.until("block? yes or no: yes");
    chat.types(ESC);
    chat.until("a accept  b block");
    assert_eq!(alice.rows("contact").len(), 0);
    chat.types("a");
    chat.until("accept as: ");
    chat.types("\u{15}robert");
    chat.until("accept as: robert");
    chat.types(ENTER);
    chat.until("added robert");
    chat.until("1 request ");
    let named = &alice.rows("contact")[0];
    assert_eq!((&named["name"], &named["standing"]), (&"robert".into(), &"contact".into()));
    assert_eq!(alice.rows("talk robert")[0]["text"], "may-i-come");
    // The other one is blocked from the list, without being opened.
    chat.types("h");
    chat.types("\u{1b}[F");
    chat.until("a accept  b block");
    chat.types("b");
    chat.until("block? yes or no: yes");
    chat.types(ENTER);
    chat.until("blocked ");
    chat.until_right("no request any more", |screen| !screen.contains("1 request"));
    let standing = |rows: &[serde_json::Value]| rows.iter().filter(|row| row["standing"] == "blocked").count();
    assert_eq!(standing(&alice.rows("contact")), 1);
    chat.types(CTRL_C);
    chat.ends(0);
    assert_eq!(alice.run("send robert come-in --wait").code, 0);
    bob.until("inbox", |rows| rows.iter().any(|row| row["text"] == "come-in"));
    drop(carol);
}

#[test]
fn line_by_line_a_request_is_accepted_or_blocked_too() {
    let (alice, _bob, _carol) = asked();
    let short = |text: &str| {
        let rows = alice.rows("talk");
        let row = rows.iter().find(|row| row["last_text"] == text).unwrap();
        row["conversation"].as_str().unwrap().to_owned()
    };
    let (bob, carol) = (short("may-i-come"), short("buy-my-things"));
    let mut chat = Terminal::chat(&alice, "chat --plain", (80, 24), &[]);
    chat.until("2 requests: /talk opens it");
    chat.types("/accept robert\r");
    chat.until("no request is open");
    chat.types(&format!("/talk {bob}\r"));
    chat.until("[1] ");
    chat.types("/accept robert\r");
    chat.until("added robert");
    chat.types("/block\r");
    chat.until_right("no request twice", |screen| screen.matches("no request is open").count() == 2);
    chat.types(&format!("/talk {carol}\r"));
    chat.until("[2] ");
    chat.types("/block\r");
    chat.until("blocked ");
    let rows = alice.rows("contact");
    let standings: Vec<_> = rows.iter().map(|row| row["standing"].as_str().unwrap()).collect();
    assert_eq!((standings.len(), standings.contains(&"contact"), standings.contains(&"blocked")), (2, true, true));
    chat.types("/quit\r");
    chat.ends(0);
}
