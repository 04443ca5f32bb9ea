//! Which user of this machine is at the other end of a connection over loopback. A link stands in the command line of the
//! browser that it opens, where every user of the machine can read it; so only its owner may use it.

#[cfg(target_os = "linux")]
use std::net::{IpAddr, SocketAddr};

use std::time::Duration;

use crate::api::ApiError;
use crate::api::server::Ends;
use crate::brake::Brake;

/// Refuses another user's process, as far as the system tells whose it is.
pub fn refuse_others(ends: &Ends) -> Result<(), ApiError> {
    let Some(owner) = owner(ends) else { return Ok(()) };
    let own = rustix::process::geteuid().as_raw();
    if owner == Some(own) || owner == Some(0) {
        return Ok(());
    }
    static BRAKE: Brake = Brake::new(Duration::ZERO);
    BRAKE.say((), |unsaid| tracing::warn!(unsaid, ?owner, "refused a browser of another user"));
    Err(ApiError::refused("this node belongs to another user"))
}

/// The user who has the other end, and none where nobody has it; nothing where the system does not tell.
#[cfg(target_os = "linux")]
fn owner(ends: &Ends) -> Option<Option<u32>> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(std::fs::read_to_string);
    if tables.iter().all(Result::is_err) {
        return None;
    }
    Some(tables.iter().flatten().find_map(|table| owner_in(table, ends)))
}

#[cfg(not(target_os = "linux"))]
fn owner(_: &Ends) -> Option<Option<u32>> {
    None
}

/// Reads a table of the kernel's: of each connection its number, both of its ends, and further on its user.
#[cfg(target_os = "linux")]
fn owner_in(table: &str, ends: &Ends) -> Option<u32> {
    let [theirs, ours] = [ends.theirs, ends.ours].map(spellings);
    table.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let is_it = theirs.iter().any(|end| words.clone().next() == Some(end))
            && ours.iter().any(|end| words.clone().nth(1) == Some(end));
        is_it.then(|| words.nth(6)?.parse().ok()).flatten()
    })
}

/// An end as the kernel writes it: of its address each four bytes as a number of this machine. One of IPv4 may be at a socket
/// of either family.
#[cfg(target_os = "linux")]
fn spellings(end: SocketAddr) -> Vec<String> {
    let spelled = |bytes: &[u8]| {
        let words = bytes.chunks_exact(4).map(|word| u32::from_ne_bytes(word.try_into().expect("they are four")));
        words.map(|word| format!("{word:08X}")).collect::<String>() + &format!(":{:04X}", end.port())
    };
    match end.ip() {
        IpAddr::V4(ip) => vec![spelled(&ip.octets()), spelled(&ip.to_ipv6_mapped().octets())],
        IpAddr::V6(ip) => vec![spelled(&ip.octets())],
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn the_kernel_tells_whose_a_connection_is() {
        for at in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(at) else { continue };
            let ours = listener.local_addr().unwrap();
            let client = TcpStream::connect(ours).unwrap();
            let ends = Ends { theirs: client.local_addr().unwrap(), ours };
            assert_eq!(owner(&ends), Some(Some(rustix::process::geteuid().as_raw())), "{at}");
            refuse_others(&ends).unwrap();
            let nobody = Ends { theirs: ours, ours: ends.theirs };
            let accepted = listener.accept().unwrap();
            assert_eq!(
                owner(&nobody),
                Some(Some(rustix::process::geteuid().as_raw())),
                "the other way round it is ours"
            );
            drop((client, accepted));
        }
    }

    #[test]
    fn a_process_of_another_user_is_told_from_ours() {
        let ends = |theirs: &str| Ends { theirs: theirs.parse().unwrap(), ours: "127.0.0.1:8080".parse().unwrap() };
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
        let row = "   1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 4711 1\n";
        let table = format!("{head}{row}");
        if cfg!(target_endian = "little") {
            assert_eq!(owner_in(&table, &ends("127.0.0.1:50000")), Some(1001));
            assert_eq!(owner_in(&table, &ends("127.0.0.1:50001")), None);
            assert_eq!(owner_in(&table, &ends("127.0.0.2:50000")), None);
        }
    }
}
