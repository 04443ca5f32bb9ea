//! Settings: told one by one, kept where the person wrote them, and refused in a way that helps.

use std::fs;

use serde_json::json;

use crate::person::Person;

#[test]
fn a_setting_is_kept_read_again_and_a_slip_is_told_what_was_meant() {
    let mut alice = Person::new("alice");
    alice.up("");
    let set = alice.run("config set api.listen 127.0.0.1:7070");
    assert_eq!((set.code, set.data.as_str()), (0, "api.listen = \"127.0.0.1:7070\"\n"));
    assert!(set.talk.contains("restart it with `dak down` and `dak up`"), "{}", set.talk);
    // The node goes on as it was, and says so itself.
    let got = alice.run("config get api.listen");
    assert_eq!(got.data, "\n");
    let waits = "config.toml has api.listen = 127.0.0.1:7070, which counts after `dak down` and `dak up`\n";
    assert_eq!((got.talk.as_str(), alice.run("config").talk.as_str()), (waits, waits));
    // What is changed as it runs does not wait.
    assert_eq!(alice.run("carry limit 64MiB").code, 0);
    assert_eq!(alice.run("config get carry_limit").talk, "");
    alice.down();
    let got = alice.run("config get api.listen");
    assert_eq!((got.data.as_str(), got.talk.as_str()), ("127.0.0.1:7070\n", ""));
    let row = alice.json("config get api.listen");
    assert_eq!(row, json!({"schema": 1, "key": "api.listen", "value": "127.0.0.1:7070", "origin": "config.toml"}));
    assert_eq!(alice.rows("config list"), alice.rows("config"));
    let text = fs::read_to_string(alice.home().join("config.toml")).unwrap();
    assert!(text.contains("# mdns = true\n") && text.contains("\napi.listen = \"127.0.0.1:7070\"\n"), "{text}");

    for (line, why) in [
        ("config set api.lisen x", "did you mean api.listen?"),
        ("config get api.lisen", "did you mean api.listen?"),
        ("config set colour red", "there are name, listen"),
        ("config set api.listen 0.0.0.0:7070", "only 127.0.0.1 or [::1] will do"),
        ("config set api.listen 7070", "such as 127.0.0.1:7070"),
    ] {
        let ran = alice.run(line);
        assert_eq!(ran.code, 2, "{line}");
        assert!(ran.talk.contains(why), "{line}: {}", ran.talk);
    }
    assert_eq!(fs::read_to_string(alice.home().join("config.toml")).unwrap(), text);
}
