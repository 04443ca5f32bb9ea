//! Groups: begun and joined here, and what their members are told.
//!
//! What changes of a group is decided in the core, with all that is known of it; the words that follow from it lie in the
//! record until [`Desk::send_group_words`] sends them: at once, where somebody waits for it, and as long as the node runs.

mod said;

use std::collections::BTreeMap;
use std::time::Duration;

use super::people::{person_that_looks_like, refused_for_its_look};
use super::rows::{self, Names};
use super::{Desk, find};
use crate::agent::change::Change;
use crate::agent::{Agent, Input};
use crate::api::model::{Done, GroupRow, GroupStanding, MemberRole, MemberRow, Schema, When};
use crate::api::{ApiError, NextStep, Response};
use crate::brake::Brake;
use crate::bundle::Priority;
use crate::content::group::{self, Act, GROUP_NAME_BYTES_MAX, Role};
use crate::content::{GroupWord, Mark, pad};
use crate::eid::Eid;
use crate::id::{BundleId, IdPrefix, NodeId, hex};
use crate::mail::conversation::Conversation;
use crate::mail::groups::log::{MEMBERS_MAX, Member};
use crate::mail::groups::receipts::RECEIPT_LIFETIME;
use crate::mail::groups::rows::{Key, Recipients, ToSend, all_meant, all_out, meant, read_key, who_has};
use crate::mail::groups::{Actor, Group, Groups, NotDone, Standing};
use crate::node::{InCommit, NodeError, look_of_group};
use crate::safe_text::safe_text;
use crate::store::redb::RedbReader;
use crate::time::{DAY, DtnTime, Millis};

/// How long words about a group are under way: as long as anything may be.
const WORD_LIFETIME: Millis = Millis(30 * DAY.0);
/// Own messages that are looked at together.
const MEANT_AT_ONCE: usize = 256;
/// Words that are read at once to be sent.
const WORDS_AT_ONCE: usize = 16;
/// How long after an error of the store it is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// A group as it is known here, and what it is called.
pub struct Known {
    pub group: NodeId,
    pub standing: Standing,
    pub members: Vec<(NodeId, Member)>,
    since: DtnTime,
    founder: Option<NodeId>,
}

impl Known {
    fn of(group: NodeId, known: &Group) -> Known {
        Known {
            group,
            standing: known.state.standing,
            members: known.view().in_order(),
            since: known.state.since,
            founder: known.founder(),
        }
    }
}

impl Desk {
    /// What a group is called here, by its key.
    pub(super) fn group_name(&self, node: &NodeId) -> Option<String> {
        self.node().group_names().get(node).cloned()
    }

    /// Where a message to somebody, or to a group, goes.
    pub(super) fn endpoint_of(&self, node: NodeId) -> Eid {
        if self.node().group_names().contains_key(&node) { Eid::group(node) } else { Eid::mail(node) }
    }

    /// The key of a person or of a group.
    pub(super) async fn find_whom(&self, who: &str) -> Result<NodeId, ApiError> {
        match self.group_named(who) {
            Some(group) => Ok(group),
            None => self.find_node(who).await,
        }
    }

    /// The group that is called so here; in small or capital letters, where that is one.
    pub(super) fn group_named(&self, who: &str) -> Option<NodeId> {
        let name = find::composed(who.trim().trim_start_matches(['@', '#']));
        let names = self.node().group_names();
        if let Some(group) = Eid::parse(who.trim()).ok().filter(Eid::has_members) {
            return names.contains_key(&group.node).then_some(group.node);
        }
        let exactly = names.iter().find(|(_, called)| find::composed(called) == name);
        let folded = || {
            let mut found = names.iter().filter(|(_, called)| called.to_lowercase() == name.to_lowercase());
            found.next().filter(|_| found.next().is_none())
        };
        exactly.or_else(folded).map(|(group, _)| *group)
    }

    /// The name of a group that a reader would take one of that name for.
    pub(super) fn group_that_looks_like(&self, name: &str, but: Option<NodeId>) -> Option<String> {
        let (looks, names) = (look_of_group(name), self.node().group_names());
        let mut others = names.iter().filter(|(group, _)| Some(**group) != but);
        others.find(|(_, called)| look_of_group(called) == looks).map(|(_, called)| called.clone())
    }

    /// The conversation with a person or a group.
    pub(super) async fn conversation_with(&self, who: &str) -> Result<Conversation, ApiError> {
        // What was said in a group that is unknown here may be read all the same: an import brought it.
        if let Some(group) = Eid::parse(who.trim()).ok().filter(Eid::has_members) {
            return Ok(Conversation(group));
        }
        Ok(Conversation(self.endpoint_of(self.find_whom(who).await?)))
    }

    fn find_group(&self, who: &str) -> Result<NodeId, ApiError> {
        let no_group = || ApiError::not_found(format!("there is no group {} here", safe_text(who)));
        self.group_named(who).ok_or_else(|| no_group().next(NextStep::ListGroups))
    }

    /// Does something in the core with all that is known of groups; what it changes is durable once this returns.
    pub(super) async fn on_groups<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Groups, &Actor<'_>, &mut Vec<Change>) -> Result<T, NotDone> + Send + 'static,
    ) -> Result<Result<T, NotDone>, ApiError> {
        let signer = self.node().identity().signer();
        let mut fresh = [0; 32];
        getrandom::fill(&mut fresh).map_err(|error| ApiError::from(NodeError::Entropy(error)))?;
        let done = self.node().on_groups(move |groups, now| {
            let mut changes = Vec::new();
            let done = act(groups, &Actor { signer: &*signer, now, fresh }, &mut changes);
            (Vec::new(), changes, done)
        });
        Ok(done.await?)
    }

    /// The same, said in words where it cannot be done; then those who are to hear of it are written to.
    async fn change_group<T: Send + 'static>(
        &self,
        group: NodeId,
        act: impl FnOnce(&mut Groups, &Actor<'_>, &mut Vec<Change>) -> Result<T, NotDone> + Send + 'static,
    ) -> Result<T, ApiError> {
        let _turn = self.inner.grouping.lock().await;
        let done = self.on_groups(act).await?.map_err(|why| self.not_done(&group, why))?;
        self.send_group_words_in_turn().await?;
        Ok(done)
    }

    fn not_done(&self, group: &NodeId, why: NotDone) -> ApiError {
        let name = self.group_name(group).unwrap_or_default();
        let error = ApiError::refused(format!("{}: {why}", safe_text(&name)));
        match why {
            NotDone::NotJoined => error.next(NextStep::JoinGroup { group: name }),
            NotDone::NoGroup | NotDone::NotMember | NotDone::TooMany => error.next(NextStep::ListGroups),
            NotDone::NotOwner => error.advise("ask one of its owners"),
            NotDone::LastOwner => error.advise("make another member an owner first"),
            _ => error,
        }
    }

    async fn known(&self, group: NodeId) -> Result<Known, ApiError> {
        let known = self.on_groups(move |groups, _, _| Ok(groups.get(&group).map(|known| Known::of(group, known))));
        let known = known.await?.ok().flatten();
        known.ok_or_else(|| ApiError::not_found("there is no such group here").next(NextStep::ListGroups))
    }

    async fn group_row(&self, group: NodeId) -> Result<GroupRow, ApiError> {
        let known = self.known(group).await?;
        let name = self.group_name(&group).unwrap_or_default();
        self.look(move |agent, names| row(&known, name, agent, names)).await
    }

    pub(super) async fn groups(&self) -> Result<Vec<GroupRow>, ApiError> {
        let all = self.on_groups(|groups, _, _| {
            Ok(groups.all().map(|(group, known)| Known::of(*group, known)).collect::<Vec<_>>())
        });
        let all = all.await?.unwrap_or_default();
        let called: BTreeMap<NodeId, String> = (*self.node().group_names()).clone();
        let rows = move |agent: &Agent, names: &Names<'_>| {
            let name = |known: &Known| called.get(&known.group).cloned().unwrap_or_default();
            all.iter().map(|known| row(known, name(known), agent, names)).collect::<Vec<_>>()
        };
        let mut rows = self.look(rows).await?;
        rows.sort_by(|a, b| (a.standing, &a.name).cmp(&(b.standing, &b.name)));
        Ok(rows)
    }

    pub(super) async fn group_create(&self, name: &str, with: Vec<String>) -> Result<GroupRow, ApiError> {
        let name = self.checked_group_name(name, None).await?;
        let mut others = Vec::new();
        for who in &with {
            let node = self.find_node(who).await?;
            if node != self.my_node() && !others.contains(&node) {
                others.push(node);
            }
        }
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|error| ApiError::from(NodeError::Entropy(error)))?;
        let begin = move |groups: &mut Groups, by: &Actor<'_>, out: &mut Vec<Change>| {
            groups.begin(&name, nonce, &others, by, out)
        };
        let _turn = self.inner.grouping.lock().await;
        let group = self.on_groups(begin).await?.map_err(|why| ApiError::refused(why.to_string()))?;
        self.send_group_words_in_turn().await?;
        self.group_row(group).await
    }

    /// A name that nobody and nothing else has here.
    async fn checked_group_name(&self, name: &str, but: Option<NodeId>) -> Result<String, ApiError> {
        let name = super::people::checked_name(name)?;
        if !group::is_group_name(&name) {
            return Err(ApiError::usage(format!("the name of a group has at most {GROUP_NAME_BYTES_MAX} bytes")));
        }
        if self.find_named(&name).await?.is_some_and(|node| Some(node) != but) {
            return Err(refused_for_its_look(&name, &name, "somebody"));
        }
        let wanted = name.clone();
        if let Some(person) = self.look(move |agent, _| person_that_looks_like(agent, &wanted, None)).await? {
            return Err(refused_for_its_look(&name, &person, "a contact"));
        }
        if let Some(group) = self.group_that_looks_like(&name, but) {
            return Err(refused_for_its_look(&name, &group, "another group"));
        }
        Ok(name)
    }

    pub(super) async fn group_invite(
        &self,
        group: &str,
        who: Vec<String>,
        from_start: bool,
    ) -> Result<GroupRow, ApiError> {
        let group = self.find_group(group)?;
        let mut nodes = Vec::new();
        for who in &who {
            let node = self.find_node(who).await?;
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        }
        self.change_group(group, move |groups, by, out| groups.admit(&group, &nodes, from_start, by, out)).await?;
        self.group_row(group).await
    }

    pub(super) async fn group_join(&self, group: &str) -> Result<GroupRow, ApiError> {
        let group = self.find_group(group)?;
        self.change_group(group, move |groups, by, out| groups.join(&group, by, out)).await?;
        self.group_row(group).await
    }

    pub(super) async fn group_leave(&self, group: &str) -> Result<Response, ApiError> {
        let group = self.find_group(group)?;
        self.change_group(group, move |groups, by, out| groups.leave(&group, by, out)).await?;
        Ok(Response::Done(Done::default()))
    }

    pub(super) async fn group_remove(&self, group: &str, who: &str) -> Result<Vec<MemberRow>, ApiError> {
        let (group, node) = (self.find_group(group)?, self.find_node(who).await?);
        self.change_group(group, move |groups, by, out| groups.remove(&group, node, by, out)).await?;
        self.members_of(group).await
    }

    pub(super) async fn group_rename(&self, group: &str, name: &str) -> Result<GroupRow, ApiError> {
        let group = self.find_group(group)?;
        let name = self.checked_group_name(name, Some(group)).await?;
        self.change_group(group, move |groups, by, out| groups.rename(&group, &name, by, out)).await?;
        self.group_row(group).await
    }

    pub(super) async fn group_owner(&self, group: &str, who: &str, owner: bool) -> Result<Vec<MemberRow>, ApiError> {
        let (group, node) = (self.find_group(group)?, self.find_node(who).await?);
        let role = if owner { Role::Owner } else { Role::Member };
        self.change_group(group, move |groups, by, out| groups.appoint(&group, node, role, by, out)).await?;
        self.members_of(group).await
    }

    pub(super) async fn group_members(&self, group: &str) -> Result<Vec<MemberRow>, ApiError> {
        self.members_of(self.find_group(group)?).await
    }

    async fn members_of(&self, group: NodeId) -> Result<Vec<MemberRow>, ApiError> {
        let known = self.known(group).await?;
        let rows = move |agent: &Agent, names: &Names<'_>| {
            let row = |(who, member): &(NodeId, Member)| MemberRow {
                schema: Schema,
                name: names.known(who),
                address: rows::address(*who),
                role: role(member),
                since: When::from_dtn(member.since),
                me: *who == agent.node(),
            };
            known.members.iter().map(row).collect()
        };
        self.look(rows).await
    }

    /// Who has the turn writes to a group from now on under a key that all have who are in it now.
    pub(super) async fn use_right_key(&self, group: NodeId) -> Result<(), ApiError> {
        let ready = self.on_groups(move |groups, by, out| groups.ready(&group, by, out)).await?;
        let epoch = ready.map_err(|why| self.not_done(&group, why))?;
        // The key goes before what is sealed under it.
        self.send_group_words_in_turn().await?;
        self.node().keyring().use_epoch(&Eid::group(group), epoch.0);
        Ok(())
    }

    /// Sends padded content to a person, or to a group under a key that all have who are in it now.
    pub(super) async fn send_content(
        &self,
        to: NodeId,
        plaintext: Vec<u8>,
        lifetime: Millis,
        priority: Priority,
        copies: Option<u16>,
    ) -> Result<BundleId, ApiError> {
        self.send_content_beside(to, plaintext, lifetime, priority, copies, None).await
    }

    /// The same, with something that is kept in the commit that queues it.
    pub(super) async fn send_content_beside(
        &self,
        to: NodeId,
        plaintext: Vec<u8>,
        lifetime: Millis,
        priority: Priority,
        copies: Option<u16>,
        beside: Option<InCommit>,
    ) -> Result<BundleId, ApiError> {
        let endpoint = self.endpoint_of(to);
        let _turn = match endpoint.has_members() {
            true => Some(self.inner.grouping.lock().await),
            false => None,
        };
        if endpoint.has_members() {
            self.use_right_key(to).await?;
        }
        Ok(self.node().send_beside(endpoint, plaintext, lifetime, priority, copies, beside).await?)
    }

    /// Sends what is to be said about groups.
    pub(super) async fn send_group_words(&self) -> Result<(), ApiError> {
        let _turn = self.inner.grouping.lock().await;
        self.send_group_words_in_turn().await
    }

    /// Whoever calls this has the turn. Where the process ends in the middle, some of it is sent twice.
    async fn send_group_words_in_turn(&self) -> Result<(), ApiError> {
        loop {
            let page = self.record(|record| record.all_kept(&all_out(), None, WORDS_AT_ONCE)).await?;
            if page.is_empty() {
                return Ok(());
            }
            for (key, value) in page {
                if let Some(ToSend { to, content }) = ToSend::read(&value) {
                    let plaintext = pad(&content);
                    match to {
                        Recipients::Each(nodes) => {
                            for node in nodes {
                                self.send_word(Eid::mail(node), plaintext.clone()).await?;
                            }
                        }
                        Recipients::Group(group, epoch) => {
                            self.node().keyring().use_epoch(&Eid::group(group), epoch.0);
                            self.send_word(Eid::group(group), plaintext).await?;
                        }
                    }
                }
                self.keep(vec![(key, None)]).await?;
            }
        }
    }

    async fn send_word(&self, to: Eid, plaintext: Vec<u8>) -> Result<(), ApiError> {
        match self.node().send(to, plaintext, WORD_LIFETIME, Priority::Normal, None).await {
            Ok(_) => Ok(()),
            // The key that it was to be sealed under is kept no more, and nobody else could open it.
            Err(NodeError::Seal(error)) => {
                static BRAKE: Brake = Brake::new(Duration::ZERO);
                BRAKE.say((), |unsaid| {
                    tracing::warn!(unsaid, %error, "a word about a group cannot be sealed, and is not sent");
                });
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Forgets for whom own messages were that are gone themselves.
    async fn forget_whom(&self) -> Result<(), ApiError> {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let from = after.take();
            let page = self.record(move |record| record.all_kept(&all_meant(), from.as_deref(), MEANT_AT_ONCE)).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            let marks: Vec<Mark> = page
                .iter()
                .filter_map(|(key, _)| match read_key(key) {
                    Some(Key::Meant(mark)) => Some(mark),
                    _ => None,
                })
                .collect();
            let gone = move |record: &RedbReader| {
                let mut gone = Vec::new();
                for mark in marks {
                    let prefix = IdPrefix::parse(&hex(&mark));
                    let sent = prefix.map_or(Ok(Vec::new()), |prefix| record.sent_like(&prefix, 1))?;
                    if sent.is_empty() {
                        gone.push(meant(&mark));
                        let has = record.all_kept(&who_has(&mark), None, 2 * MEMBERS_MAX)?;
                        gone.extend(has.into_iter().map(|(key, _)| key));
                    }
                }
                Ok(gone)
            };
            let gone = self.record(gone).await?;
            if !gone.is_empty() {
                self.keep(gone.into_iter().map(|key| (key, None)).collect()).await?;
            }
        }
    }

    /// Tells authors which of their messages came here, where it is time to.
    async fn send_group_receipts(&self) -> Result<(), ApiError> {
        let ready = self.on_groups(|groups, _, _| Ok(groups.receipts.take_ready())).await?.unwrap_or_default();
        let mut failed = Ok(());
        for batch in ready {
            let (to, plaintext) = (Eid::got(batch.author), batch.plaintext());
            let sent = match failed {
                Ok(()) => self.node().send(to, plaintext, RECEIPT_LIFETIME, Priority::Bulk, Some(batch.copies)).await,
                Err(_) => Err(NodeError::Lost),
            };
            let done = self.node().on_groups(move |groups, _| {
                let mut changes = Vec::new();
                match sent {
                    Ok(id) => {
                        let over = groups.receipts.sent(&batch, id, &mut changes);
                        (over.into_iter().map(Input::Drop).collect(), changes, Ok(()))
                    }
                    Err(error) => {
                        groups.receipts.not_sent(&batch);
                        (Vec::new(), changes, Err(error))
                    }
                }
            });
            failed = failed.and(done.await?);
        }
        Ok(failed?)
    }

    /// Sends words about groups as long as the node runs.
    pub(super) async fn keep_groups(self) {
        if let Err(error) = self.forget_whom().await {
            tracing::warn!(%error, "for whom messages to groups were is not tidied up for now");
        }
        let mut tidied = None;
        loop {
            let sent = match self.send_group_words().await {
                Ok(()) => self.send_group_receipts().await,
                Err(error) => Err(error),
            };
            let sent = match sent {
                Ok(()) => self.tidy_said(&mut tidied).await,
                Err(error) => Err(error),
            };
            let (failed, wait) = match sent {
                Ok(wait) => (None, wait),
                Err(error) => (Some(error), None),
            };
            if let Some(error) = &failed {
                tracing::warn!(%error, "words about groups cannot be sent for now; trying again");
            }
            tokio::select! {
                () = self.node().group_words_due() => {}
                () = tokio::time::sleep(RETRY), if failed.is_some() => {}
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
                () = self.node().ended() => return,
            }
        }
    }
}

fn row(known: &Known, name: String, agent: &Agent, names: &Names<'_>) -> GroupRow {
    let me = known.members.iter().find(|(who, _)| *who == agent.node()).map(|(_, member)| member);
    let standing = match known.standing {
        Standing::Joined => GroupStanding::Joined,
        Standing::Invited => GroupStanding::Invited,
        Standing::Out => GroupStanding::Out,
    };
    let asked = me.filter(|_| known.standing == Standing::Invited);
    GroupRow {
        schema: Schema,
        name,
        address: Eid::group(known.group).to_string(),
        standing,
        role: me.map(role),
        members: known.members.len() as u64,
        founder: known.founder.map(|founder| names.person(&founder)),
        invited_by: asked.map(|member| names.person(&member.admitted_by)),
        since: When::from_dtn(known.since),
    }
}

fn role(member: &Member) -> MemberRole {
    match (member.joined, member.role) {
        (false, _) => MemberRole::Invited,
        (true, Role::Owner) => MemberRole::Owner,
        (true, Role::Member) => MemberRole::Member,
    }
}

/// What was done in a group, or that somebody is asked to join it, in words. Where names belong are addresses: see
/// [`with_names`].
pub(super) fn told(word: &GroupWord) -> String {
    let show = |who: &NodeId| rows::address(*who);
    let group = show(&word.group);
    if word.invites {
        return format!("asks to join the group {group}");
    }
    let said = |operation: &group::Operation| match &operation.act {
        Act::Begin { name, .. } => format!("began the group {}", safe_text(name)),
        Act::Admit { who, from_start: true, .. } => format!("asked {} to join, who may read from the start", show(who)),
        Act::Admit { who, .. } => format!("asked {} to join", show(who)),
        Act::Join => "joined".into(),
        Act::Remove { who } => format!("removed {} from {group}", show(who)),
        Act::Leave => "left".into(),
        Act::Rename { name } => format!("renamed the group to {}", safe_text(name)),
        Act::Appoint { who, role: Role::Owner } => format!("made {} an owner", show(who)),
        Act::Appoint { who, role: Role::Member } => format!("made {} a member as others", show(who)),
        Act::Other(_) => "did something that a newer version of dak knows".into(),
    };
    let mut words: Vec<String> = word.operations.iter().take(OPERATIONS_SHOWN).map(said).collect();
    if word.operations.len() > OPERATIONS_SHOWN {
        words.push(format!("{} more", word.operations.len() - OPERATIONS_SHOWN));
    }
    words.join("; ")
}

/// The same with names in the place of addresses.
pub(super) fn with_names(text: &str, names: &Names<'_>) -> String {
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(ADDRESS) {
        let (before, from) = rest.split_at(at);
        let long = from[ADDRESS.len()..].find(|c: char| !c.is_ascii_alphanumeric());
        let (address, behind) = from.split_at(long.map_or(from.len(), |long| ADDRESS.len() + long));
        said.push_str(before);
        match find::ticket(address) {
            Ok(ticket) => said.push_str(&called(&names.show(&ticket.node))),
            Err(_) => said.push_str(address),
        }
        rest = behind;
    }
    said.push_str(rest);
    said
}

/// What an address begins with.
const ADDRESS: &str = "dak:";

/// A name, or the short id of who has none.
fn called(name_or_address: &str) -> String {
    match find::ticket(name_or_address) {
        Ok(ticket) if name_or_address.starts_with(ADDRESS) => ticket.node.to_string(),
        _ => safe_text(name_or_address),
    }
}

/// So much of what was done at once is said in words.
const OPERATIONS_SHOWN: usize = 8;
