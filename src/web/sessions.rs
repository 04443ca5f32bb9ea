//! Browsers that were let in. The home keeps no secret of theirs, only the hash of a cookie and a key of its own: the other
//! half of a session is what that key makes of the cookie, so that a browser that comes again with another link, or in
//! another tab, goes on with the halves it has.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::api::{ApiError, NextStep};
use crate::home::{KeptError, KeptFile};
use crate::id::{hex, unhex};

/// Most browsers of one home; one more takes the place of that which was seen longest ago.
pub const SESSIONS_MAX: usize = 64;
/// How often it is written down that a browser was seen.
pub const SEEN_EVERY_MS: u64 = 300_000;

/// What the hashes are for, and for nothing else.
const COOKIE_CONTEXT: &str = "dak 2026 cookie of a page";
const PAGE_CONTEXT: &[u8] = b"dak 2026 other half of a session\0";
const HALF_CONTEXT: &str = "dak 2026 hash of the other half of a session";
const APPS_CONTEXT: &[u8] = b"dak 2026 way of a session to its apps\0";
/// Letters of a name; those that no one takes for another.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The file of a home.
pub struct Sessions {
    file: KeptFile<Kept>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Kept {
    /// What the page's host is called.
    #[serde(default)]
    name: String,
    /// Of the other halves, in hexadecimal digits.
    #[serde(default)]
    key: String,
    /// Where the page was last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    /// Where it was for phones, and whether it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lan_port: Option<u16>,
    #[serde(default)]
    lan: bool,
    #[serde(default)]
    session: Vec<Session>,
}

/// A browser as the home knows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    pub name: String,
    #[serde(flatten)]
    halves: Hashes,
    /// Of the halves in whose place those came, until they are shown: the answer that brings them may be lost on its way, or
    /// the browser end before it wrote down the one that it keeps itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Hashes>,
    /// A phone in the local network, and no browser of this machine.
    #[serde(default)]
    pub lan: bool,
    /// In milliseconds since the Unix epoch.
    pub made_ms: i64,
    pub seen_ms: i64,
}

/// What the home keeps of two halves, in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Hashes {
    cookie: String,
    /// Nothing where the session is older than this.
    #[serde(default)]
    page: String,
}

/// Both halves of a session, as its browser gets them, and what opens the hosts of apps in the local network.
pub struct Halves {
    pub cookie: String,
    pub page: String,
    pub apps: String,
}

#[derive(Debug, thiserror::Error)]
pub enum WebError {
    #[error("no browser {0} is let in")]
    Unknown(String),
    #[error("the system has no entropy: {0}")]
    Entropy(getrandom::Error),
    #[error(transparent)]
    Kept(#[from] KeptError),
}

impl Sessions {
    pub fn of(path: PathBuf) -> Sessions {
        Sessions { file: KeptFile::at(path) }
    }

    /// What the page's host is called, from the first time on.
    pub fn name(&self) -> Result<String, WebError> {
        self.kept().map(|kept| kept.name)
    }

    pub fn port(&self) -> Result<Option<u16>, WebError> {
        Ok(self.file.get()?.port)
    }

    pub fn keep_port(&self, port: u16) -> Result<(), WebError> {
        self.file.change(|kept| {
            kept.port = Some(port);
            Ok(())
        })
    }

    /// Where the page was for phones.
    pub fn lan_port(&self) -> Result<Option<u16>, WebError> {
        Ok(self.file.get()?.lan_port)
    }

    /// Whether the owner wants the page to be there for phones.
    pub fn is_for_phones(&self) -> Result<bool, WebError> {
        Ok(self.file.get()?.lan)
    }

    /// Keeps that it is to be there, and at which port; or that it is to be there no longer.
    pub fn keep_lan(&self, port: Option<u16>) -> Result<(), WebError> {
        self.file.change(|kept| {
            kept.lan = port.is_some();
            kept.lan_port = port.or(kept.lan_port);
            Ok(())
        })
    }

    /// In the order in which they were let in.
    pub fn list(&self) -> Result<Vec<Session>, WebError> {
        Ok(self.file.get()?.session)
    }

    /// Lets a browser in; one that shows the cookie of a session goes on with that.
    pub fn begin(&self, called: &str, lan: bool, shown: &[&str], now_ms: i64) -> Result<Halves, WebError> {
        let key = self.kept()?.key;
        let mut fresh = [0; 32];
        getrandom::fill(&mut fresh).map_err(WebError::Entropy)?;
        let fresh = hex(&fresh);
        let cookie = self.file.change(|kept| {
            let is_known = |session: &Session, cookie: &str| session.lan == lan && session.is_of(cookie);
            for cookie in shown {
                if let Some(known) = kept.session.iter_mut().find(|session| is_known(session, cookie)) {
                    // One that is older has its page's half noted now.
                    let of = known.halves_of(cookie);
                    of.page = hex(&half_hash(&page_half(&kept.key, cookie)));
                    return Ok::<String, WebError>((*cookie).to_owned());
                }
            }
            if kept.session.len() >= SESSIONS_MAX {
                let longest = (0..kept.session.len()).min_by_key(|n| kept.session[*n].seen_ms);
                longest.map(|n| kept.session.remove(n));
            }
            let name = unlike(called, &kept.session);
            let halves = Hashes::of(&kept.key, &fresh);
            kept.session.push(Session { name, halves, before: None, lan, made_ms: now_ms, seen_ms: now_ms });
            Ok(fresh)
        })?;
        Ok(Halves::of(&key, cookie))
    }

    /// Gives a session other halves, for a browser may have written down those it has where it cannot erase them. The ones
    /// from before hold until the new ones are shown.
    pub fn renew(&self, session: &Session) -> Result<Halves, WebError> {
        let key = self.kept()?.key;
        let mut fresh = [0; 32];
        getrandom::fill(&mut fresh).map_err(WebError::Entropy)?;
        let cookie = hex(&fresh);
        self.file.change(|kept| {
            let known = kept.session.iter_mut().find(|known| known.is_same(session));
            let known = known.ok_or_else(|| WebError::Unknown(session.name.clone()))?;
            // Where the browser never got the last ones it has those from before.
            let is_shown = known.before.is_none();
            let last = std::mem::replace(&mut known.halves, Hashes::of(&key, &cookie));
            if is_shown {
                known.before = Some(last);
            }
            Ok::<(), WebError>(())
        })?;
        Ok(Halves::of(&key, cookie))
    }

    /// Whether the page's half belongs to a session that holds, whatever became of its cookie.
    pub fn knows_half(&self, page: &str) -> bool {
        let shown = half_of(page).map(|page| half_hash(&page));
        let is_it = |hashes: &Hashes| hashes.page.is_empty() || shown.is_some_and(|shown| is_hash(&hashes.page, shown));
        self.list().map_or(true, |sessions| {
            sessions.iter().any(|session| is_it(&session.halves) || session.before.as_ref().is_some_and(is_it))
        })
    }

    /// Whether this opens the hosts of apps for a phone that was let in.
    pub fn opens_apps(&self, shown: &str) -> bool {
        let (Ok(kept), Some(shown)) = (self.file.get(), half_of(shown)) else { return false };
        let is_it = |hashes: &Hashes| apps_way(&kept.key, &hashes.cookie) == shown;
        kept.session
            .iter()
            .any(|session| session.lan && (is_it(&session.halves) || session.before.as_ref().is_some_and(is_it)))
    }

    /// The session of a cookie, and whether the other half that is shown belongs to it.
    pub fn shown(&self, cookie: &str, page: Option<&str>) -> Result<Option<(Session, bool)>, WebError> {
        let kept = self.file.get()?;
        let mut found = None;
        // All are compared, each in a time that tells nothing of it.
        for session in kept.session {
            if session.is_of(cookie) {
                found = Some(session);
            }
        }
        let page = page.and_then(half_of);
        let is_whole = page.is_some_and(|page| page == page_half(&kept.key, cookie));
        let Some(mut session) = found else { return Ok(None) };
        if session.before.is_some() && is_hash(&session.halves.cookie, hash(cookie)) {
            if !is_whole {
                // The cookie came, and the browser ended before it wrote down the other half.
                let is_before = |before: &Hashes| page.is_some_and(|page| is_hash(&before.page, half_hash(&page)));
                let is_whole = session.before.as_ref().is_some_and(is_before);
                return Ok(Some((session, is_whole)));
            }
            self.file.change(|kept| {
                for known in kept.session.iter_mut().filter(|known| known.is_same(&session)) {
                    known.before = None;
                }
                Ok::<(), WebError>(())
            })?;
            session.before = None;
        }
        Ok(Some((session, is_whole)))
    }

    /// Whether a session that was shown before still holds.
    pub fn holds(&self, session: &Session) -> bool {
        self.list().is_ok_and(|sessions| sessions.iter().any(|known| known.is_same(session)))
    }

    /// Writes down that a browser was seen, where that was not done lately.
    pub fn seen(&self, session: &Session, now_ms: i64) -> Result<(), WebError> {
        self.file.change(|kept| {
            for known in kept.session.iter_mut().filter(|known| known.is_same(session)) {
                known.seen_ms = now_ms;
            }
            Ok(())
        })
    }

    pub fn end(&self, session: &Session) -> Result<(), WebError> {
        self.file.change(|kept| {
            kept.session.retain(|known| !known.is_same(session));
            Ok(())
        })
    }

    pub fn revoke(&self, name: &str) -> Result<(), WebError> {
        self.file.change(|kept| {
            let many = kept.session.len();
            kept.session.retain(|session| session.name != name);
            if kept.session.len() == many { Err(WebError::Unknown(name.to_owned())) } else { Ok(()) }
        })
    }

    /// The file with a name and a key in it.
    fn kept(&self) -> Result<Kept, WebError> {
        let kept = self.file.get()?;
        if !kept.name.is_empty() && !kept.key.is_empty() {
            return Ok(kept);
        }
        let (mut name, mut key) = ([0; 8], [0; 32]);
        getrandom::fill(&mut name).and_then(|()| getrandom::fill(&mut key)).map_err(WebError::Entropy)?;
        self.file.change(|kept| {
            // Another process may have been first.
            if kept.name.is_empty() {
                let letters = name.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
                kept.name = "dak-".chars().chain(letters).collect();
            }
            if kept.key.is_empty() {
                kept.key = hex(&key);
            }
            Ok(kept.clone())
        })
    }
}

impl Session {
    fn is_of(&self, cookie: &str) -> bool {
        let shown = hash(cookie);
        let before = self.before.as_ref();
        is_hash(&self.halves.cookie, shown) | before.is_some_and(|before| is_hash(&before.cookie, shown))
    }

    fn is_same(&self, other: &Session) -> bool {
        // It may have got other halves since, and those from before hold until they are shown.
        let is_it = |hashes: &Hashes| hashes.cookie == other.halves.cookie;
        is_it(&self.halves) || self.before.as_ref().is_some_and(is_it)
    }

    /// The halves that a cookie of it belongs to.
    fn halves_of(&mut self, cookie: &str) -> &mut Hashes {
        match &mut self.before {
            Some(before) if is_hash(&before.cookie, hash(cookie)) => before,
            _ => &mut self.halves,
        }
    }
}

impl Hashes {
    fn of(key: &str, cookie: &str) -> Hashes {
        Hashes { cookie: hex(&hash(cookie)), page: hex(&half_hash(&page_half(key, cookie))) }
    }
}

impl Halves {
    fn of(key: &str, cookie: String) -> Halves {
        Halves {
            page: page_half(key, &cookie).to_hex().to_string(),
            apps: apps_way(key, &hex(&hash(&cookie))).to_hex().to_string(),
            cookie,
        }
    }
}

/// A half as a browser shows it.
fn half_of(shown: &str) -> Option<blake3::Hash> {
    unhex(shown).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).map(blake3::Hash::from)
}

/// Hashes compare in constant time.
fn is_hash(kept: &str, shown: [u8; 32]) -> bool {
    let known = unhex(kept).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    known.is_some_and(|known| blake3::Hash::from(known) == blake3::Hash::from(shown))
}

fn hash(cookie: &str) -> [u8; 32] {
    blake3::derive_key(COOKIE_CONTEXT, cookie.as_bytes())
}

fn half_hash(page: &blake3::Hash) -> [u8; 32] {
    blake3::derive_key(HALF_CONTEXT, page.as_bytes())
}

fn page_half(key: &str, cookie: &str) -> blake3::Hash {
    keyed(key, PAGE_CONTEXT, cookie)
}

/// Of the hash of a cookie, so that the home can tell whose it is.
fn apps_way(key: &str, cookie_hash: &str) -> blake3::Hash {
    keyed(key, APPS_CONTEXT, cookie_hash)
}

fn keyed(key: &str, context: &[u8], text: &str) -> blake3::Hash {
    // A file without a key has no session that could be shown.
    let key = unhex(key).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).unwrap_or_default();
    let mut hasher = blake3::Hasher::new_keyed(&key);
    hasher.update(context).update(text.as_bytes());
    hasher.finalize()
}

/// The name with a number behind it where there is one such already.
fn unlike(called: &str, sessions: &[Session]) -> String {
    let is_free = |name: &String| sessions.iter().all(|session| session.name != *name);
    let numbered = (2..).map(|number| format!("{called} {number}"));
    std::iter::once(called.to_owned()).chain(numbered).find(is_free).expect("numbers do not end")
}

impl From<WebError> for ApiError {
    fn from(error: WebError) -> ApiError {
        let said = error.to_string();
        match error {
            WebError::Unknown(_) => ApiError::not_found(said).next(NextStep::ListBrowsers),
            WebError::Kept(KeptError::Damaged { path, .. }) => {
                ApiError::failure(said).advise(format!("move {} away, and let browsers in anew", path.display()))
            }
            WebError::Entropy(_) | WebError::Kept(KeptError::Io { .. }) => ApiError::failure(said),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions() -> (tempfile::TempDir, Sessions) {
        let place = tempfile::tempdir().unwrap();
        let sessions = Sessions::of(place.path().join("web.toml"));
        (place, sessions)
    }

    #[test]
    fn a_session_has_two_halves_and_the_home_keeps_neither() {
        let (place, sessions) = sessions();
        let Halves { cookie, page, .. } = sessions.begin("Firefox", false, &[], 1).unwrap();
        let other = sessions.begin("Firefox", false, &[], 2).unwrap();
        let is_whole = |cookie: &str, page: Option<&str>| sessions.shown(cookie, page).unwrap().map(|(_, whole)| whole);
        assert_eq!(is_whole(&cookie, Some(&page)), Some(true));
        for half in [None, Some(""), Some(&other.page[..]), Some(&cookie), Some(&page[1..])] {
            assert_eq!(is_whole(&cookie, half), Some(false), "{half:?}");
        }
        for cookie in ["", &page, &other.page, &cookie[1..]] {
            assert_eq!(is_whole(cookie, Some(&page)), None, "{cookie}");
        }
        let text = std::fs::read_to_string(place.path().join("web.toml")).unwrap();
        assert!(!text.contains(&cookie) && !text.contains(&page), "{text}");
        let names: Vec<String> = sessions.list().unwrap().into_iter().map(|session| session.name).collect();
        assert_eq!(names, ["Firefox", "Firefox 2"]);
    }

    #[test]
    fn a_browser_that_comes_again_goes_on_with_the_halves_it_has_until_it_is_revoked() {
        let (_place, sessions) = sessions();
        let first = sessions.begin("Firefox", false, &[], 1).unwrap();
        let again = sessions.begin("Firefox", false, &["nonsense", &first.cookie], 2).unwrap();
        assert_eq!((&again.cookie, &again.page), (&first.cookie, &first.page));
        let (session, _) = sessions.shown(&first.cookie, None).unwrap().unwrap();
        sessions.seen(&session, 3).unwrap();
        assert!(sessions.holds(&session));
        assert_eq!(sessions.list().unwrap().iter().map(|s| (s.made_ms, s.seen_ms)).collect::<Vec<_>>(), [(1, 3)]);
        sessions.revoke("Firefox").unwrap();
        assert!(!sessions.holds(&session) && sessions.shown(&first.cookie, Some(&first.page)).unwrap().is_none());
        assert!(matches!(sessions.revoke("Firefox"), Err(WebError::Unknown(_))));
        let anew = sessions.begin("Firefox", false, &[&first.cookie], 4).unwrap();
        assert!(anew.cookie != first.cookie && anew.page != first.page);
    }

    #[test]
    fn other_halves_take_the_place_of_those_from_before_once_they_are_shown() {
        let (_place, sessions) = sessions();
        let first = sessions.begin("Firefox", false, &[], 1).unwrap();
        let is_whole =
            |halves: &Halves| sessions.shown(&halves.cookie, Some(&halves.page)).unwrap().map(|(_, whole)| whole);
        let (session, _) = sessions.shown(&first.cookie, None).unwrap().unwrap();
        // An answer that never arrived, and another try.
        let lost = sessions.renew(&session).unwrap();
        assert_eq!(is_whole(&first), Some(true));
        let (session, _) = sessions.shown(&first.cookie, None).unwrap().unwrap();
        let second = sessions.renew(&session).unwrap();
        assert_eq!((is_whole(&lost), is_whole(&first)), (None, Some(true)));
        // A browser that ended before it wrote down the half that it keeps itself; then one that did not.
        let mixed = Halves { cookie: second.cookie.clone(), page: first.page.clone(), apps: String::new() };
        assert_eq!((is_whole(&mixed), is_whole(&first)), (Some(true), Some(true)));
        let other = Halves { page: lost.page.clone(), ..mixed };
        assert_eq!(is_whole(&other), Some(false));
        assert!(sessions.knows_half(&first.page) && sessions.knows_half(&second.page));
        assert_eq!((is_whole(&second), is_whole(&first)), (Some(true), None));
        assert_eq!(is_whole(&Halves { page: first.page.clone(), ..other }), Some(false));
        assert!(!sessions.knows_half(&first.page) && sessions.knows_half(&second.page));
        assert_eq!(sessions.list().unwrap().len(), 1);
        assert!(matches!(sessions.renew(&session), Err(WebError::Unknown(_))), "it has others");
    }

    #[test]
    fn who_follows_something_while_other_halves_come_is_the_same_and_ends_whole() {
        let (_place, sessions) = sessions();
        let first = sessions.begin("Firefox", false, &[], 1).unwrap();
        let (session, _) = sessions.shown(&first.cookie, None).unwrap().unwrap();
        let second = sessions.renew(&session).unwrap();
        assert!(sessions.holds(&session));
        sessions.end(&session).unwrap();
        assert!(!sessions.holds(&session) && sessions.shown(&second.cookie, Some(&second.page)).unwrap().is_none());
    }

    #[test]
    fn what_a_phone_is_given_opens_apps_until_it_is_revoked_and_nothing_else_does() {
        let (_place, sessions) = sessions();
        let (phone, browser) =
            (sessions.begin("Phone", true, &[], 1).unwrap(), sessions.begin("Firefox", false, &[], 1).unwrap());
        for wrong in ["", "00", &phone.cookie, &phone.page, &browser.apps, &"0".repeat(64)] {
            assert!(!sessions.opens_apps(wrong), "{wrong}");
        }
        assert!(sessions.opens_apps(&phone.apps));
        let (session, _) = sessions.shown(&phone.cookie, None).unwrap().unwrap();
        let other = sessions.renew(&session).unwrap();
        assert!(sessions.opens_apps(&phone.apps) && sessions.opens_apps(&other.apps), "an answer may be lost");
        sessions.shown(&other.cookie, Some(&other.page)).unwrap();
        assert!(!sessions.opens_apps(&phone.apps) && sessions.opens_apps(&other.apps));
        sessions.revoke("Phone").unwrap();
        assert!(!sessions.opens_apps(&other.apps));
    }

    #[test]
    fn name_and_key_stay_and_browsers_are_bounded() {
        let (place, sessions) = sessions();
        let name = sessions.name().unwrap();
        assert!(name.len() == 12 && name.starts_with("dak-"), "{name}");
        let first = sessions.begin("a", false, &[], 0).unwrap();
        let (session, _) = sessions.shown(&first.cookie, None).unwrap().unwrap();
        sessions.seen(&session, 1_000).unwrap();
        (1..=SESSIONS_MAX).for_each(|n| drop(sessions.begin("b", false, &[], n as i64).unwrap()));
        assert!(sessions.list().unwrap().len() == SESSIONS_MAX && sessions.holds(&session), "it was seen lately");
        assert_eq!(Sessions::of(place.path().join("web.toml")).name().unwrap(), name);
    }
}
