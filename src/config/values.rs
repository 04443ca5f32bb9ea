//! Values as people write them; the same rules in the file, in the environment and on the command line.

use std::net::SocketAddr;

use libp2p::Multiaddr;
use tracing_subscriber::filter::Targets;

use crate::content::PUSH_BYTES_MAX;
use crate::ticket::NAME_BYTES_MAX;
use crate::time::{Millis, SECOND};
use crate::units::{exact_bytes, parse_bytes, parse_span};

/// The strategies by name; the first is the default.
pub const STRATEGIES: [&str; 5] = ["default", "direct", "epidemic", "spray-and-wait", "prophet"];

/// Who is told that a message arrived; the first is the default.
pub const RECEIPTS: [&str; 2] = ["everyone", "contacts"];

/// Checks a name: not empty, no control characters, short enough for an address.
pub fn parse_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(format!("a name has 1 to {NAME_BYTES_MAX} bytes"));
    }
    if name.chars().any(char::is_control) {
        return Err("a name has no control characters".to_owned());
    }
    Ok(name.to_owned())
}

/// Reads a multiaddress such as `/ip4/192.168.1.5/tcp/33556`.
pub fn parse_address(text: &str) -> Result<Multiaddr, String> {
    let why = || format!("{text:?} is not an address such as /ip4/192.168.1.5/tcp/33556");
    match text.trim().parse::<Multiaddr>() {
        Ok(address) if !address.is_empty() => Ok(address),
        _ => Err(why()),
    }
}

/// Reads a size such as `256M`; 0 carries for nobody, or takes nobody's mail.
pub fn parse_carry_limit(text: &str) -> Result<u64, String> {
    parse_bytes(text).map_err(|error| error.to_string())
}

/// Reads how large a file may be that comes by itself.
pub fn parse_push_limit(text: &str) -> Result<u64, String> {
    match parse_carry_limit(text)? {
        bytes if bytes <= PUSH_BYTES_MAX => Ok(bytes),
        _ => Err(format!("at most {} come by themselves; ask for what is larger", exact_bytes(PUSH_BYTES_MAX))),
    }
}

/// Reads how long the record keeps what was said: a span such as `90d`, or nothing for ever.
pub fn parse_keep(text: &str) -> Result<Option<Millis>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    match parse_span(text) {
        Ok(span) if span >= SECOND => Ok(Some(span)),
        Ok(_) => Err("nothing would be kept; leave it empty to keep everything".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Reads who is told that a message arrived.
pub fn parse_receipts(text: &str) -> Result<String, String> {
    match RECEIPTS.contains(&text) {
        true => Ok(text.to_owned()),
        false => Err(format!("{text:?} is neither {}", RECEIPTS.join(" nor "))),
    }
}

/// Reads the name of a strategy.
pub fn parse_strategy(text: &str) -> Result<String, String> {
    match STRATEGIES.contains(&text) {
        true => Ok(text.to_owned()),
        false => Err(format!("{text:?} is not a strategy; there are {}", STRATEGIES.join(", "))),
    }
}

/// Checks what goes to the log: `info`, or directives such as `dak=debug,libp2p=warn`.
pub fn parse_log(text: &str) -> Result<String, String> {
    let refused = |why: &str| format!("{text:?} is not a level (error, warn, info, debug, trace) or filter: {why}");
    text.parse::<Targets>().map_err(|error| refused(&error.to_string()))?;
    // The filter takes whatever stands before a level for the path of a module.
    let is_of_paths = |letter: char| letter.is_ascii_alphanumeric() || "_:=".contains(letter);
    match text.split(',').all(|part| !part.is_empty() && part.chars().all(is_of_paths)) {
        true => Ok(text.to_owned()),
        false => Err(refused("a module is named as in dak::net=debug")),
    }
}

/// Reads where programs of this machine reach the API, such as `127.0.0.1:7070`; nothing for nowhere, and port 0
/// for one that is free.
pub fn parse_api_listen(text: &str) -> Result<Option<SocketAddr>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    match text.trim().parse::<SocketAddr>() {
        Ok(at) if at.ip().is_loopback() => Ok(Some(at)),
        Ok(_) => {
            Err("it would be reached from other machines, unencrypted; only 127.0.0.1 or [::1] will do".to_owned())
        }
        Err(_) => Err("it is no address and port of this machine such as 127.0.0.1:7070".to_owned()),
    }
}

/// Reads a port; 0 for one that is free.
pub fn parse_port(text: &str) -> Result<Option<u16>, String> {
    match text.trim().parse::<u16>() {
        Ok(0) => Ok(None),
        Ok(port) => Ok(Some(port)),
        Err(_) => Err("it is no port: a number up to 65535, or 0 for one that is free".to_owned()),
    }
}

/// Reads addresses with commas between.
pub(super) fn parse_list(text: &str) -> Result<Vec<Multiaddr>, String> {
    text.split(',').map(parse_address).collect()
}

pub(super) fn parse_switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!("{text:?} is not true or false")),
    }
}

/// Addresses with commas between, as [`parse_list`] reads them.
pub(super) fn join(addresses: &[Multiaddr]) -> String {
    addresses.iter().map(Multiaddr::to_string).collect::<Vec<_>>().join(",")
}
