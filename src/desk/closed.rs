//! The doctor at a home that does not open: what is wrong with its files, and the repair of its store.

use super::checks::store_rows;
use super::search::FinderError;
use crate::api::ApiError;
use crate::api::model::{CheckRow, Verdict};
use crate::home::Home;
use crate::keys::Identity;
use crate::search::Index;
use crate::store::StoreError;
use crate::store::redb::{Depth, Findings, Lost, check, repair};

/// Most ids of lost bundles that are listed.
const LOST_SHOWN: usize = 20;

/// Looks over the files of a home that no node runs on.
pub fn examine(home: &Home) -> Result<Vec<CheckRow>, ApiError> {
    let _lock = home.lock()?;
    let identity = match Identity::load(&home.identity_path()) {
        Ok(_) => CheckRow::new("identity", Verdict::Ok, format!("{} is readable by you alone", shown(home))),
        Err(error) => CheckRow::failed("identity", Verdict::Bad, error),
    };
    Ok([vec![identity], store_rows(look(home))].concat())
}

fn shown(home: &Home) -> String {
    home.identity_path().display().to_string()
}

/// Puts a store with everything that verifies in the place of a damaged one. A sound one is left as it is, and so is
/// one of a format that this version does not know.
pub fn mend(home: &Home) -> Result<Vec<CheckRow>, ApiError> {
    let lock = home.lock()?;
    super::refuse_to_write(&lock, home)?;
    match look(home) {
        Ok(findings) if findings.is_sound() => return Ok(store_rows(Ok(findings))),
        Ok(_) | Err(StoreError::Damaged(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let lost = repair(&home.store_path())?;
    // What is lost of the record must not be found.
    Index::destroy(&home.search_path()).map_err(FinderError::from)?;
    Ok([losses(&lost), store_rows(look(home))].concat())
}

fn look(home: &Home) -> Result<Findings, StoreError> {
    check(&home.store_path(), Depth::Signatures)
}

/// What a repair could not keep, in sentences.
fn losses(lost: &Lost) -> Vec<CheckRow> {
    let mut rows = Vec::new();
    let mut tell = |message: String| rows.push(CheckRow::new("repair", Verdict::Warn, message));
    if lost.everything {
        tell("nothing of the store could be read; a new one stands in its place".into());
    }
    let (held, letters, words) = (&lost.held, &lost.letters, &lost.words);
    let kinds = [(held, "bundle carried or sent"), (letters, "message of the inbox"), (words, "words of your message")];
    for (ids, what) in kinds {
        for id in ids.iter().take(LOST_SHOWN) {
            tell(format!("lost: the {what} {id}"));
        }
        if ids.len() > LOST_SHOWN {
            tell(format!("lost: {} more of the same", ids.len() - LOST_SHOWN));
        }
    }
    if lost.nameless_bodies > 0 {
        tell(format!("lost: what belongs to {} more bundles", lost.nameless_bodies));
    }
    for table in &lost.tables {
        tell(format!("lost: a part of {table}"));
    }
    let aside = lost.damaged.display().to_string();
    let kept = CheckRow::new("repair", Verdict::Ok, format!("the damaged file is kept as {aside}"));
    rows.push(kept.advise("delete it when nothing is missed, or restore from a backup in another home"));
    rows
}
