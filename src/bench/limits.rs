//! What this machine could do at best: appends that reach the disk, strict verifications,
//! sealed texts opened, bytes over the loopback.

use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

use super::{Failure, Row, row};
use crate::content::pad;
use crate::keys::Identity;
use crate::seal::{open, seal};

/// How long each limit is measured.
const WHILE: Duration = Duration::from_millis(700);
/// Bytes sent over the loopback.
const STREAM_BYTES: usize = 256 << 20;

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// 1 KiB appends, each synced, a second.
    pub appends: f64,
    /// 1 KiB appends, synced by the 256, a second.
    pub grouped_appends: f64,
    /// Strict verifications a second and core, keys decompressed each time.
    pub verifications: f64,
    /// Sealed texts of 1 KiB opened a second and core.
    pub openings: f64,
    /// Bytes a second over one loopback connection.
    pub stream: f64,
    /// Seconds from one byte to the answer over the loopback.
    pub round_trip: f64,
}

impl Limits {
    pub async fn measure(place: &Path) -> Result<Limits, Failure> {
        let place = place.to_owned();
        let measured = tokio::task::spawn_blocking(move || -> Result<Limits, std::io::Error> {
            let (stream, round_trip) = loopback()?;
            Ok(Limits {
                appends: appends(&place, 1)?,
                grouped_appends: appends(&place, 256)?,
                verifications: verifications(),
                openings: openings(),
                stream,
                round_trip,
            })
        });
        Ok(measured.await??)
    }

    pub fn rows(&self) -> Vec<Row> {
        vec![
            row("limit_append_fsync", self.appends, "1/s", None),
            row("limit_append_fsync_256", self.grouped_appends, "1/s", None),
            row("limit_verify_strict", self.verifications, "1/s/core", None),
            row("limit_open", self.openings, "1/s/core", None),
            row("limit_loopback", self.stream / 1e6, "MB/s", None),
            row("limit_round_trip", self.round_trip * 1e3, "ms", None),
        ]
    }
}

fn appends(place: &Path, group: u32) -> Result<f64, std::io::Error> {
    let mut file = File::create(place.join("append"))?;
    let (start, mut records) = (Instant::now(), 0);
    while start.elapsed() < WHILE {
        for _ in 0..group {
            file.write_all(&[0x5a; 1024])?;
        }
        file.sync_data()?;
        records += group;
    }
    Ok(f64::from(records) / start.elapsed().as_secs_f64())
}

fn verifications() -> f64 {
    let key = SigningKey::from_bytes(&[42; 32]);
    let message = [7; 1200];
    let (signature, bytes) = (key.sign(&message), key.verifying_key().to_bytes());
    let (start, mut count) = (Instant::now(), 0u32);
    while start.elapsed() < WHILE {
        let key = VerifyingKey::from_bytes(black_box(&bytes)).expect("the key is a point");
        key.verify_strict(black_box(&message), &signature).expect("the signature holds");
        count += 1;
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}

fn openings() -> f64 {
    let owner = Identity::from_secret(&[42; 32]);
    let sealed = seal(&owner.node(), b"primary", &pad(&[7; 1024]), owner.signing_key()).expect("an honest key");
    let (start, mut count) = (Instant::now(), 0u32);
    while start.elapsed() < WHILE {
        open(&owner, b"primary", black_box(&sealed)).expect("it was sealed for its owner");
        count += 1;
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}

fn loopback() -> Result<(f64, f64), std::io::Error> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let addr = listener.local_addr()?;
    let echo = std::thread::spawn(move || -> std::io::Result<()> {
        let (mut stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        let mut byte = [0];
        for _ in 0..1_000 {
            stream.read_exact(&mut byte)?;
            stream.write_all(&byte)?;
        }
        let mut buffer = vec![0; 1 << 16];
        let mut left = STREAM_BYTES;
        while left > 0 {
            let read = stream.read(&mut buffer)?;
            left = left.saturating_sub(read.max(1));
        }
        stream.write_all(&byte)
    });
    let mut stream = TcpStream::connect(addr)?;
    stream.set_nodelay(true)?;
    let mut byte = [1];
    let start = Instant::now();
    for _ in 0..1_000 {
        stream.write_all(&byte)?;
        stream.read_exact(&mut byte)?;
    }
    let round_trip = start.elapsed().as_secs_f64() / 1_000.0;
    let buffer = vec![3; 1 << 16];
    let start = Instant::now();
    for _ in 0..STREAM_BYTES / buffer.len() {
        stream.write_all(&buffer)?;
    }
    stream.read_exact(&mut byte)?;
    let rate = STREAM_BYTES as f64 / start.elapsed().as_secs_f64();
    echo.join().expect("the echo does not panic")?;
    Ok((rate, round_trip))
}
