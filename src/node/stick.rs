//! Bundles that go on files and come out of them: the contact that [`crate::agent::STICK`] is, as a node sees it.
//!
//! Whoever reads and writes the files is elsewhere, perhaps in another process: bundles pass here in batches, each one
//! commit. What comes is parsed here, dropped where its id is known, verified and opened in the pool as what peers hand
//! over is, and then the agent's to judge. What goes is marked as gone first, and its bytes are given after that is durable.

use tokio::sync::oneshot;

use super::pool::Checked;
use super::queue::Share;
use super::work::{Brought, Fate, Work};
use super::{Node, NodeError};
use crate::agent::{Agent, Input, Leaving, STICK};
use crate::bundle::{Hops, Unverified};
use crate::frame::{Refusal, Transit};
use crate::id::{BundleId, NodeId};
use crate::time::{DtnTime, Millis};

/// Bundles that one thread checks while others check the next.
const CHECKED_TOGETHER: usize = 32;

/// Bytes that should be a bundle, and when they were written, by the clock of whoever wrote them.
#[derive(Clone, Debug)]
pub struct Came {
    pub bytes: Vec<u8>,
    pub written: Option<DtnTime>,
}

/// What became of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entered {
    New(BundleId),
    Known(BundleId),
    /// The agent refuses it.
    Refused(BundleId, Refusal),
    /// It is no bundle, or not what its source signed; why.
    Bad(String),
}

/// A bundle to be written to a file, whole.
#[derive(Clone, Debug)]
pub struct Taken {
    pub id: BundleId,
    pub bytes: Vec<u8>,
    /// When, where the clock is trusted.
    pub at: Option<DtnTime>,
}

impl Node {
    /// Takes in what came out of files; returns what became of each, in their order, once that is durable.
    pub async fn bring(&self, all: Vec<Came>) -> Result<Vec<Entered>, NodeError> {
        let mut entered = vec![Entered::Bad(String::new()); all.len()];
        let mut parsed = Vec::new();
        for (n, Came { bytes, written }) in all.into_iter().enumerate() {
            match Unverified::parse(bytes) {
                Ok(bundle) => parsed.push((n, bundle, written)),
                Err(error) => entered[n] = Entered::Bad(error.to_string()),
            }
        }
        let ids: Vec<BundleId> = parsed.iter().map(|(_, bundle, _)| bundle.id()).collect();
        let look = move |agent: &Agent| {
            let known: Vec<bool> = ids.iter().map(|id| agent.turns_away(id)).collect();
            (known, agent.at().trusted_wall())
        };
        let (known, wall) = self.look(look).await?;
        let (mut brought, mut to_check) = (Vec::new(), Vec::new());
        for ((n, bundle, written), is_known) in parsed.into_iter().zip(known) {
            let transit = Transit { hops: aged(bundle.hops(), written, wall), copies: 1, is_answer: false };
            match is_known {
                true => {
                    let id = bundle.id();
                    brought
                        .push((n, Brought { id, input: Input::Duplicate { from: STICK, transit, id }, opened: None }));
                }
                false => to_check.push((n, transit, bundle)),
            }
        }
        for ((n, transit), checked) in self.check(to_check).await? {
            match checked {
                Ok((bundle, opened)) => {
                    let (id, size_bytes) = (bundle.id, bundle.encoded_len() as u32);
                    let input = Input::Bundle { from: STICK, transit, bundle: bundle.into(), size_bytes };
                    brought.push((n, Brought { id, input, opened }));
                }
                Err(why) => entered[n] = Entered::Bad(why),
            }
        }
        // What the agent sees stands in the order in which it came.
        brought.sort_by_key(|(n, _)| *n);
        let places: Vec<(usize, BundleId)> = brought.iter().map(|(n, brought)| (*n, brought.id)).collect();
        let fates = self.hand_in(brought.into_iter().map(|(_, brought)| brought).collect()).await?;
        for ((n, id), fate) in places.into_iter().zip(fates) {
            entered[n] = match fate {
                Fate::New => Entered::New(id),
                Fate::Known => Entered::Known(id),
                Fate::Refused(why) => Entered::Refused(id, why),
                Fate::Undecided => Entered::Bad("the record cannot be read now".into()),
            };
        }
        Ok(entered)
    }

    /// Lets bundles go on files for somebody; returns those that still do, once that is durable: the first so many bytes of
    /// them, and at least one.
    pub async fn take_out(
        &self,
        whom: Option<NodeId>,
        ids: Vec<BundleId>,
        bytes_max: u64,
    ) -> Result<Vec<Taken>, NodeError> {
        let decide = move |agent: &Agent| {
            let mut leaving = agent.leaving(whom, &ids);
            let mut bytes = 0;
            let fits = leaving.iter().take_while(|leaving| {
                bytes += u64::from(leaving.size_bytes);
                bytes <= bytes_max
            });
            leaving.truncate(fits.count().max(1));
            let left: Vec<BundleId> = leaving.iter().map(|leaving| leaving.id).collect();
            let input = (!left.is_empty()).then_some(Input::LeaveOnFiles(left));
            (input, (leaving, agent.at().trusted_wall()))
        };
        let (leaving, at) = self.decide(decide).await?;
        let reader = self.reader().clone();
        let read = tokio::task::spawn_blocking(move || {
            let with_bundle = |Leaving { id, row, hops, .. }: Leaving| {
                let found = reader.bundle(row, id)?;
                Ok::<_, NodeError>((id, row, found.map(|(bundle, _)| bundle.encode(hops))))
            };
            leaving.into_iter().map(with_bundle).collect::<Result<Vec<_>, _>>()
        });
        let mut taken = Vec::new();
        for (id, row, bytes) in read.await.map_err(|_| NodeError::Lost)?? {
            match bytes {
                Some(bytes) => taken.push(Taken { id, bytes, at }),
                // It may have left since; if the index still names it, the store has lost it.
                None => self.tell(Input::Unreadable { to: STICK, id, row }),
            }
        }
        Ok(taken)
    }

    async fn check(
        &self,
        all: Vec<(usize, Transit, Unverified<Vec<u8>>)>,
    ) -> Result<Vec<((usize, Transit), Checked)>, NodeError> {
        let mut all = all.into_iter().peekable();
        let mut under_way = Vec::new();
        while all.peek().is_some() {
            let some = all.by_ref().take(CHECKED_TOGETHER);
            let (places, bundles): (Vec<_>, Vec<_>) = some.map(|(n, transit, bundle)| ((n, transit), bundle)).unzip();
            under_way.push((places, self.pool.check(bundles)));
        }
        let mut checked = Vec::new();
        for (places, told) in under_way {
            checked.extend(places.into_iter().zip(told.await.map_err(|_| self.lost())?));
        }
        Ok(checked)
    }

    async fn hand_in(&self, brought: Vec<Brought>) -> Result<Vec<Fate>, NodeError> {
        let (tell, told) = oneshot::channel();
        let tell = Box::new(move |fates| drop(tell.send(fates)));
        self.work.put_from(STICK, Share::Peer(STICK), Work::Bring(brought, tell)).map_err(|_| NodeError::Lost)?;
        told.await.map_err(|_| self.lost())
    }
}

/// The age of what lay in a file since it was written. No stamp makes anything younger.
fn aged(hops: Hops, written: Option<DtnTime>, wall: Option<DtnTime>) -> Hops {
    let lay = written.zip(wall).map_or(0, |(written, wall)| wall.0.saturating_sub(written.0));
    Hops { age: hops.age.saturating_add(Millis(lay)), ..hops }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{BUILD_DATE, DAY, HOUR};

    #[test]
    fn what_lay_in_a_file_is_older_and_never_younger() {
        let hops = Hops { age: HOUR, count: 3 };
        let (then, now) = (BUILD_DATE, DtnTime(BUILD_DATE.0 + DAY.0));
        assert_eq!(aged(hops, Some(then), Some(now)), Hops { age: DAY.saturating_add(HOUR), count: 3 });
        assert_eq!(aged(hops, Some(now), Some(then)), hops, "a stamp of tomorrow");
        assert_eq!([aged(hops, None, Some(now)), aged(hops, Some(then), None)], [hops; 2]);
        assert_eq!(aged(hops, Some(DtnTime(0)), Some(now)).age.0, HOUR.0 + now.0, "as old as anything can be");
    }
}
