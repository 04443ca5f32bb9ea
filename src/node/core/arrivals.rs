//! What comes with files in it, or out of one: parts are taken in before the agent hears of their messages.

use super::Core;
use super::Said;
use crate::agent::{Declined, Event, Input};
use crate::blobs::Taken;
use crate::frame::Refusal;
use crate::mail::{OfFile, Opened};
use crate::node::courier::Act;
use crate::node::work::{Brought, Fate};

impl Core {
    /// Gives the agent what came out of a file, and sees what it makes of it.
    pub(super) fn bring(&mut self, brought: Brought) -> Fate {
        let Brought { id, mut input, opened } = brought;
        let (is_known, before) = (self.driver.agent.knows(&id), self.driver.open().len());
        if let Some(opened) = opened {
            let (taken, opened) = self.take_part(input, opened);
            input = taken;
            self.driver.step.opening.came(id, opened);
        }
        self.handle(input);
        let refusal = self.driver.open()[before..].iter().find_map(|said| match said {
            Said::Act(Act::Report(Event::Refused { id: of, why, .. })) if *of == id => Some(*why),
            _ => None,
        });
        match refusal {
            _ if is_known => Fate::Known,
            Some(Refusal::Known) => Fate::Known,
            Some(why) => Fate::Refused(why),
            None if self.driver.agent.turns_away(&id) => Fate::New,
            None => Fate::Undecided,
        }
    }

    /// Takes in the part of a file that a message brings, before the agent hears of it: of what is not kept here nobody
    /// signs that it was delivered.
    pub(super) fn take_part(&self, input: Input, mut opened: Opened) -> (Input, Opened) {
        let is_got = matches!(&input, Input::Bundle { bundle, .. } if bundle.destination.is_got());
        let Some(part) = opened.part.take().filter(|_| !is_got) else { return (input, opened) };
        let Input::Bundle { from, transit, bundle, size_bytes } = input else { return (input, opened) };
        let agent = &self.driver.agent;
        let is_contact = agent.is_contact(&bundle.source) || agent.is_member(&bundle.destination, &bundle.source);
        let contact = is_contact.then_some(bundle.source);
        let taken = match part.bytes.is_empty() {
            // What it says of itself is not so.
            true => Taken::Unwanted,
            false => self.blobs.take(&part, contact),
        };
        let declined = match taken {
            Taken::Kept => return (Input::Bundle { from, transit, bundle, size_bytes }, opened),
            Taken::Unwanted => Declined::Unwanted,
            Taken::NoRoom => Declined::Room,
        };
        tracing::debug!(source = %bundle.source.peer_id(), ?declined, "a part of a file is not kept");
        (Input::Decline { from, transit, bundle, size_bytes, why: declined }, opened)
    }

    /// Hears which files come, of what was delivered. The row of a part leaves in the commit that brings it.
    pub(super) fn take_files(&mut self) {
        for of_file in self.driver.step.opening.take_of_files() {
            match of_file {
                OfFile::Offer { from, to, files } => {
                    let agent = &self.driver.agent;
                    let may_push = if to.has_members() { agent.is_member(&to, &from) } else { agent.is_contact(&from) };
                    // What is not taken in as it comes is offered, and asked for.
                    if may_push {
                        files.iter().for_each(|file| {
                            self.blobs.offer(from, file);
                        });
                        // Parts may have come before, and found no room.
                        self.handle(Input::RoomCame);
                    }
                }
                OfFile::Part { id } => self.handle(Input::Discard(id)),
            }
        }
    }
}
