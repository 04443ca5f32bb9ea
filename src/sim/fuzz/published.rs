//! Topics of a fuzzed world: somebody publishes, somebody serves, and what is carried of them keeps to its room.

use crate::agent::change::{About, Class, Durable, Held};
use crate::agent::routing::Policy;
use crate::agent::{Config, Input, cost_bytes};
use crate::bundle::{Bundle, Creation, Draft, Kind, Priority};
use crate::content::topic::{AHEAD_MAX, Filter, Leave, Post, Said};
use crate::eid::{Eid, Service};
use crate::frame::Grade;
use crate::id::{BundleId, NodeId};
use crate::time::{DAY, DtnTime, HOUR, Millis};

use super::calm::LIFE_LEFT_MIN;
use super::truth::{Truth, is_over_by_clock};
use super::world::World;
use super::{Checked, Promise, must};

/// Topics of each node.
const TOPICS: [&str; 3] = ["a", "a.b", "c"];
/// What is served of somebody.
const FILTERS: [&str; 5] = ["a", "a.b", "+", "a.#", "#"];
/// Most that is published in one world.
const PUBLISHED_MAX: u64 = 60;

impl World {
    /// Somebody publishes in a topic of their own, or of another who gave leave, or did not.
    pub(super) fn publish(&mut self, n: usize) -> Checked {
        if self.counts.published >= PUBLISHED_MAX || !self.nodes[n].is_on {
            return Ok(());
        }
        let owner = if self.dice.chance(600_000) { n } else { self.any_node() };
        let topic = self.any_topic(owner);
        let wall = self.nodes[n].wall(self.now);
        let post = self.any_post(n, owner, &topic, wall);
        let span = [HOUR.0, DAY.0, 9 * DAY.0][self.dice.below(3) as usize];
        let lifetime = Millis(span + self.dice.below(span));
        let token = self.nodes[n].next_token;
        self.nodes[n].next_token += 1;
        self.counts.published += 1;
        self.tell(|| format!("{n} publishes in {topic}: {post:?}"));
        self.input(n, Input::Publish { token, topic, lifetime, payload: post.encode().into() })
    }

    fn any_topic(&mut self, owner: usize) -> Eid {
        Eid::topic(self.nodes[owner].id, TOPICS[self.dice.below(3) as usize])
    }

    fn any_post(&mut self, n: usize, owner: usize, topic: &Eid, wall: DtnTime) -> Post {
        let key = self.dice.chance(600_000).then(|| ["door", "pump"][self.dice.below(2) as usize].to_owned());
        let body = "x".repeat(self.dice.below(900) as usize);
        let gives = n != owner && self.dice.chance(800_000);
        let until = DtnTime(wall.0.saturating_add(HOUR.0));
        let leave = gives.then(|| Leave::give(topic, &self.nodes[n].id, until, &*self.nodes[owner].key));
        let ahead = if self.dice.chance(200_000) { self.dice.below(2 * AHEAD_MAX) } else { 0 };
        Post { sequence: wall.0.saturating_add(ahead), said: Said::Message { key, body, leave } }
    }

    pub(super) fn serve(&mut self, n: usize) -> Checked {
        if !self.nodes[n].is_on {
            return Ok(());
        }
        let owner = self.any_node();
        let owner = self.nodes[owner].id;
        let filter = Filter::parse(FILTERS[self.dice.below(5) as usize]).expect("it is a pattern");
        let on = self.dice.chance(800_000);
        let serves = &mut self.nodes[n].serves;
        serves.retain(|known| *known != (owner, filter.clone()));
        if on {
            serves.push((owner, filter.clone()));
        }
        self.tell(|| format!("{n} serves {filter} of {owner}: {on}"));
        self.input(n, Input::Serve { owner, filter, on })
    }

    /// What honest people published, still hold, and must come to those who serve it: writer, who serves, id.
    pub(super) fn owed_posts(&self, there: &[usize]) -> Vec<(usize, usize, BundleId)> {
        let soon = self.now + LIFE_LEFT_MIN.0;
        let mut owed = Vec::new();
        for writer in there.iter().copied().filter(|n| self.nodes[*n].config.policy != Policy::Direct) {
            let posts =
                self.agent(writer).held().filter(|held| held.class == Class::Own && held.destination.is_topic());
            for held in posts.filter(|held| self.nodes[writer].world_ms(held.expires) > soon) {
                let creation = self.truth.creation(held.id).map(|(creation, _)| creation);
                let readers = there.iter().copied().filter(|reader| *reader != writer);
                let readers = readers.filter(|reader| self.comes_to(*reader, &held, creation, soon));
                owed.extend(readers.map(|reader| (writer, reader, held.id)));
            }
        }
        owed
    }

    /// Whether somebody serves what is published, takes it in, and never had it before it was served.
    fn comes_to(&self, reader: usize, held: &Held, creation: Option<Creation>, soon: u64) -> bool {
        let node = &self.nodes[reader];
        let Service::Topic(name) = &held.destination.service else { return false };
        let serves = |(owner, filter): &(NodeId, Filter)| *owner == held.destination.node && filter.matches(name);
        let is_blocked = |who: NodeId| self.truth.blocked.contains(&(reader, who));
        let grades = [Grade::Released, Grade::Copy, Grade::Custody];
        // Where a clock was wrong, what was written by it may be over, or not written yet.
        let is_timely = creation.is_some_and(|creation| {
            let (time, wall) = (creation.time.0, node.wall(self.now).0);
            time <= wall && wall - time < DAY.0 && !is_over_by_clock(creation, held.lifetime, node.wall(soon))
        });
        node.serves.iter().any(serves)
            && node.config.carry_bytes_max > 0
            && is_timely
            && !is_blocked(held.source)
            && !is_blocked(held.destination.node)
            && !grades.iter().any(|grade| self.truth.ever_stored(reader, held.id, *grade))
    }

    /// Whether it came, or its writer wrote a later word since.
    pub(super) fn check_heard(&self, (writer, reader, id): (usize, usize, BundleId)) -> Checked {
        let is_so = self.truth.heard.contains(&(reader, id)) || self.truth.gave_way(&id);
        must(is_so, Promise::EverythingArrives, || {
            format!("{id}, published by {writer}, did not come to {reader} after everybody met everybody")
        })
    }

    /// A hostile node writes where it may not, or says of itself that it may.
    pub(super) fn trespass(&mut self, n: usize) -> (Eid, Vec<u8>) {
        let owner = self.heard.dice.below(self.plan.nodes as u64) as usize;
        let topic = Eid::topic(self.nodes[owner].id, TOPICS[self.heard.dice.below(3) as usize]);
        let (key, wall) = (self.nodes[n].key.clone(), self.nodes[n].wall(self.now));
        let leave =
            self.heard.dice.chance(700_000).then(|| Leave::give(&topic, &self.nodes[n].id, DtnTime(u64::MAX), &*key));
        let said = match self.heard.dice.below(3) {
            0 => Said::List(Vec::new()),
            _ => Said::Message { key: Some("door".into()), body: "mine".into(), leave },
        };
        (topic, Post { sequence: wall.0, said }.encode())
    }

    /// Somebody who serves a topic is told of something in it.
    pub(super) fn hears(&mut self, n: usize, bundle: &Bundle) -> Checked {
        if self.plan.is_hostile(n) {
            return Ok(());
        }
        if bundle.destination.is_got() {
            return self.hears_got(n, bundle);
        }
        self.counts.heard += 1;
        self.truth.heard.insert((n, bundle.id));
        must(Post::of(bundle).is_ok() && self.truth.signed.has(bundle), Promise::NothingUnverified, || {
            format!("{n} hears {bundle:?}, whose writer may not write there")
        })
    }
}

impl Truth {
    /// What is carried of a topic is by who may write there, a copy, and within its room.
    pub(super) fn check_post(
        &self,
        n: usize,
        config: &Config,
        before: &Durable,
        limit: u64,
        held: &Held,
        bundle: &Bundle,
    ) -> Checked {
        must(held.about == About::of(bundle), Promise::NothingUnverified, || {
            format!("{n} takes {held:?} for the latest word on another key")
        })?;
        if held.from.is_none() {
            return Ok(());
        }
        must(Post::of(bundle).is_ok() && held.class == Class::Topics, Promise::NothingUnverified, || {
            format!("{n} carries {held:?}, whose writer may not write there")
        })?;
        let others = before.held.values().filter(|other| other.class == Class::Topics);
        let all: u64 = others.map(|held| cost_bytes(held.size_bytes)).sum();
        let room = Config::share_of(limit, config.topics_share);
        must(all + cost_bytes(held.size_bytes) <= room, Promise::QuotaHolds, || {
            format!("{n} has {all} bytes of topics before {}, and room for {room}", held.id)
        })
    }

    /// Whether something published gave way to a later word that was published.
    pub(super) fn gave_way(&self, id: &BundleId) -> bool {
        let Some((key, rank)) = self.keyed.get(id) else { return false };
        self.keyed.values().any(|(other, later)| other == key && later > rank)
    }

    pub(super) fn note_key(&mut self, bundle: &Bundle) {
        if let Some(about) = About::of(bundle) {
            let key = (bundle.source, bundle.destination.clone(), about.mark);
            self.keyed.insert(bundle.id, (key, about.rank(&bundle.id)));
        }
    }
}

/// A message of a hostile node to a topic.
pub(super) fn in_topic(draft: Draft, topic: Eid) -> Draft {
    Draft { kind: Kind::Message, destination: topic, priority: Priority::Normal, copies: 1, ..draft }
}
