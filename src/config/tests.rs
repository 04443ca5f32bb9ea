use super::*;

#[test]
fn a_home_without_a_file_has_the_defaults() {
    let dir = Dir::new();
    let config = dir.load(&[], Flags::default()).unwrap();
    assert!(config.rows().iter().all(|row| row.origin == Origin::Default));
    let values: Vec<(&str, String)> = config.rows().into_iter().map(|row| (row.key, row.value)).collect();
    let expected = [
        ("name", ""),
        ("listen", "/ip4/0.0.0.0/tcp/33556,/ip6/::/tcp/33556"),
        ("peers", ""),
        ("mdns", "true"),
        ("carry_limit", "256M"),
        ("mail_limit", "16G"),
        ("strangers_mail_limit", "64M"),
        ("push_limit", "8M"),
        ("read_receipts", "false"),
        ("receipts", "everyone"),
        ("strategy", "default"),
        ("quiet", ""),
        ("keep", ""),
        ("log", "info"),
        ("api.listen", ""),
        ("web.port", "0"),
    ];
    assert_eq!(values, expected.map(|(key, value)| (key, value.to_owned())));
}

#[test]
fn the_first_file_changes_nothing_but_the_name_and_is_never_written_over() {
    let dir = Dir::new();
    let name = "Ann \"the\" \\ Ω";
    assert!(write_first(&dir.path(), Some(name)).unwrap());
    assert!(!write_first(&dir.path(), Some("other")).unwrap());
    let config = dir.load(&[], Flags::default()).unwrap();
    assert_eq!(config.name, Setting { value: Some(name.to_owned()), origin: Origin::File });
    assert!(config.rows()[1..].iter().all(|row| row.origin == Origin::Default));
}

#[test]
fn the_values_shown_in_the_first_file_are_the_defaults() {
    let defaults = Dir::new().load(&[], Flags::default()).unwrap();
    let dir = Dir::new();
    let set: Vec<String> =
        file::commented(Some("alice")).lines().map(|line| uncommented(line).unwrap_or(line).to_owned()).collect();
    dir.write(&set.join("\n"));
    let config = dir.load(&[], Flags::default()).unwrap();
    for (row, default) in config.rows().iter().zip(defaults.rows()) {
        assert_eq!(row.origin, Origin::File, "{} is in the file", row.key);
        assert!(row.key == "name" || row.value == default.value, "{row:?}");
    }
}

#[test]
fn the_command_line_counts_before_the_environment_and_that_before_the_file() {
    let dir = Dir::new();
    dir.write("name = 'file'\nmdns = true\ncarry_limit = '1G'\nstrategy = 'direct'\npeers = ['/ip4/10.0.0.1/tcp/1']\n");
    let env = [
        ("DAK_NAME", "env"),
        ("DAK_MDNS", "off"),
        ("DAK_CARRY_LIMIT", "2G"),
        ("DAK_LOG", ""),
        ("DAK_STRATEGY", "prophet"),
    ];
    let flags = Flags { name: Some("flag".into()), carry_limit_bytes: Some(0), ..Flags::default() };
    let config = dir.load(&env, flags).unwrap();
    assert_eq!(config.name, Setting { value: Some("flag".into()), origin: Origin::CommandLine });
    assert_eq!(config.carry_limit_bytes, Setting { value: 0, origin: Origin::CommandLine });
    assert_eq!(config.mdns, Setting { value: false, origin: Origin::Environment("DAK_MDNS") });
    assert_eq!(config.strategy.value, "prophet");
    assert_eq!(config.peers.origin, Origin::File);
    assert_eq!(config.log.origin, Origin::Default);
    assert_eq!(config.mdns.origin.to_string(), "environment DAK_MDNS");
}

#[test]
fn a_list_in_the_environment_has_commas() {
    let env = [("DAK_LISTEN", "/ip4/127.0.0.1/tcp/0,/ip6/::1/tcp/0")];
    let config = Dir::new().load(&env, Flags::default()).unwrap();
    assert_eq!(config.listen.value.len(), 2);
    assert_eq!(config.rows()[1].value, env[0].1);
}

#[test]
fn a_size_is_text_or_a_number() {
    for (text, bytes) in [("'64M'", 64 << 20), ("0", 0), ("'0'", 0), ("1000", 1_000)] {
        let dir = Dir::new();
        dir.write(&format!("carry_limit = {text}"));
        assert_eq!(dir.load(&[], Flags::default()).unwrap().carry_limit_bytes.value, bytes);
        dir.write(&format!("carry_limit_bytes = {text}"));
        assert_eq!(dir.load(&[], Flags::default()).unwrap().carry_limit_bytes.value, bytes);
    }
}

#[test]
fn a_bad_line_is_named_with_its_number_and_the_reason() {
    let cases = [
        ("nmae = 'x'", "unknown field `nmae`, expected one of `name`"),
        ("name = ''", "1 to 64 bytes"),
        ("name = \"a\\u001bb\"", "control characters"),
        ("listen = ['0.0.0.0:80']", "\"0.0.0.0:80\" is not an address"),
        ("listen = ['']", "is not an address"),
        ("listen = '/ip4/0.0.0.0/tcp/1'", "expected a sequence"),
        ("mdns = 'yes'", "expected a boolean"),
        ("carry_limit = '5X'", "a size is a whole number"),
        ("carry_limit = -1", "not negative"),
        ("carry_limit = 1.5", "a size is a number"),
        ("strategy = 'flood'", "there are default, direct, epidemic, spray-and-wait, prophet"),
        ("log = 'dak=loud'", "is not a level"),
        ("[network]", "unknown field `network`"),
        ("name = 'a", "invalid"),
    ];
    for (line, expected) in cases {
        let dir = Dir::new();
        dir.write(&format!("# a comment\nread_receipts = true\n{line}\n"));
        let error = dir.load(&[], Flags::default()).unwrap_err();
        assert!(matches!(error, ConfigError::File { line: 3, .. }), "{line}: {error}");
        assert!(error.to_string().contains(expected), "{line}: {error}");
    }
}

#[test]
fn a_bad_variable_and_an_endless_file_are_refused() {
    let dir = Dir::new();
    let error = dir.load(&[("DAK_MDNS", "perhaps")], Flags::default()).unwrap_err();
    assert!(error.to_string().contains("DAK_MDNS"), "{error}");
    dir.write(&"#".repeat(65 << 10));
    assert!(matches!(dir.load(&[], Flags::default()), Err(ConfigError::TooLong { .. })));
}

/// A line of the form `# key = value` without its mark.
fn uncommented(line: &str) -> Option<&str> {
    let set = line.strip_prefix("# ")?;
    let (key, _) = set.split_once(" = ")?;
    key.bytes().all(|b| b.is_ascii_lowercase() || b"_.".contains(&b)).then_some(set)
}

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Dir {
        Dir(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("config.toml")
    }

    fn write(&self, text: &str) {
        std::fs::write(self.path(), text).unwrap();
    }

    fn load(&self, env: &[(&str, &str)], flags: Flags) -> Result<Config, ConfigError> {
        let find = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Config::load(&self.path(), find, flags)
    }
}

#[test]
fn a_configuration_that_is_there_needs_no_room_for_another() {
    // Nobody can make files in that folder.
    assert!(!write_first(Path::new("/proc/self/status"), None).unwrap());
}

#[test]
fn what_packages_put_into_etc_is_read_and_shows_the_defaults() {
    let packaged = include_str!("../packaging/config.toml");
    let defaults = Dir::new().load(&[], Flags::default()).unwrap();
    let dir = Dir::new();
    dir.write(packaged);
    assert_eq!(dir.load(&[], Flags::default()).unwrap(), defaults);
    dir.write(&packaged.lines().map(|line| uncommented(line).unwrap_or(line)).collect::<Vec<_>>().join("\n"));
    for (row, default) in dir.load(&[], Flags::default()).unwrap().rows().iter().zip(defaults.rows()) {
        assert!(row.key == "name" || row.value == default.value, "{row:?}");
    }
}
