//! Ports of loopback that nobody else takes meanwhile.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// A port that nobody listens on. It lies below those that the system gives to whoever asks for any (from 32,768 on Linux),
/// so that no connection of another test takes it before it is used.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(61);
    let mut tried = std::iter::repeat_with(|| NEXT.fetch_add(1, Ordering::Relaxed)).take(10_000);
    let port = |n: u32| 20_000 + (first.wrapping_add(n) % 12_000) as u16;
    tried.find_map(|n| TcpListener::bind(("127.0.0.1", port(n))).is_ok().then(|| port(n))).expect("one of them is free")
}
