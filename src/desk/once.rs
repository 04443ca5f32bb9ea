//! Sends a message once under a key that whoever asks for it chose: an answer may be lost, and who asks again then gets the
//! message that is there.

use std::sync::Arc;

use super::Desk;
use crate::api::ApiError;
use crate::api::model::{Compose, SentRow};
use crate::mail::kept::{self, ONCE_MAX, Once};

/// Lengths of a key: so long that nobody chooses that of another, and so short that it is none of something else.
const KEY_CHARS: std::ops::RangeInclusive<usize> = 16..=64;
/// So many of the oldest leave together, so that not all of them are looked through each time.
const LEAVE_AT_ONCE: usize = ONCE_MAX / 4;

impl Desk {
    /// Sends it, or finds what was sent under this key.
    pub(super) async fn send_once(&self, named: String, compose: Compose) -> Result<SentRow, ApiError> {
        let is_plain = named.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !KEY_CHARS.contains(&named.len()) || !is_plain {
            let message = "the key of what is sent once has 16 to 64 letters, digits, “-” or “_”";
            return Err(ApiError::usage(message).advise("take a random one"));
        }
        // Who leaves while waiting for a turn is forgotten, so that no crowd of them is kept.
        let mut turn = Arc::clone(&self.inner.once).lock_owned().await;
        let desk = self.clone();
        // Who asked may leave, and ask again: what was begun comes to its end all the same, and before that.
        let sending = tokio::spawn(async move { desk.send_in_turn(&mut turn, &named, compose).await });
        sending.await.map_err(|error| ApiError::failure(error.to_string()))?
    }

    /// `many` is how many are remembered, where that is known.
    async fn send_in_turn(&self, many: &mut Option<usize>, named: &str, compose: Compose) -> Result<SentRow, ApiError> {
        let (key, asked) = (kept::once(named), digest(&compose)?);
        let looked = key.clone();
        let known = self.record(move |record| record.kept(&looked)).await?;
        if let Some((id, once)) = known.and_then(|value| Once::read(&value)) {
            if once.asked != asked {
                let message = "something else was sent under this key before";
                return Err(ApiError::refused(message).advise("take another key for another message"));
            }
            let expire_after_read_ms = compose.expire_after_read_ms.filter(|span| *span > 0);
            return Ok(SentRow { expire_after_read_ms, ..self.sent_row(id, once.to).await? });
        }
        let here = match *many {
            Some(here) if here < ONCE_MAX => here,
            _ => self.make_room_for_once().await?,
        };
        *many = None;
        let sent = self.send_with(compose, Some((key, asked))).await;
        *many = Some(here + usize::from(sent.is_ok()));
        sent
    }

    /// Forgets the oldest where there are too many; how many are left.
    async fn make_room_for_once(&self) -> Result<usize, ApiError> {
        let mut all: Vec<_> = self.record(|record| record.all_kept(&kept::all_once(), None, ONCE_MAX + 1)).await?;
        if all.len() < ONCE_MAX {
            return Ok(all.len());
        }
        all.sort_by_key(|(_, value)| Once::read(value).map(|(_, once)| once.at));
        let over: Vec<_> = all.iter().take(LEAVE_AT_ONCE).map(|(key, _)| (key.clone(), None)).collect();
        let left = all.len() - over.len();
        self.keep(over).await?;
        Ok(left)
    }
}

/// Of everything that is asked.
fn digest(compose: &Compose) -> Result<[u8; 16], ApiError> {
    let said = serde_json::to_vec(compose).map_err(|error| ApiError::failure(error.to_string()))?;
    Ok(*blake3::hash(&said).as_bytes().first_chunk().expect("a hash is longer"))
}
