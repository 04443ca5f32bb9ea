//! Questions and their answers, one for one.

use serde::{Deserialize, Serialize};

use super::*;

/// Something a person asks. `who` is a contact's name, an address or a peer id; `id` any unique prefix of an id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub enum Request {
    /// Answered by [`Response::Version`].
    Version,
    /// Answered by [`Response::Health`].
    Health,
    /// What the node counts and holds, for whoever watches many; answered by [`Response::Metrics`]. Needs a running node.
    Metrics,
    /// Answered by [`Response::Me`].
    Me,
    /// Answered by [`Response::Contact`]; adding somebody again under the same name changes nothing.
    ContactAdd(Introduction),
    /// Answered by [`Response::Contacts`], by name.
    ContactList,
    /// One contact, with the words to compare; answered by [`Response::Contact`].
    ContactShow {
        who: String,
    },
    /// The words were compared and are the same (or are not, after all); answered by [`Response::Contact`].
    ContactVerify {
        who: String,
        verified: bool,
    },
    ContactRename {
        who: String,
        name: String,
    },
    ContactBlock {
        who: String,
    },
    ContactUnblock {
        who: String,
    },
    ContactRemove {
        who: String,
    },
    /// How messages to a contact go where nothing else is said; what is not said stays as it was, unless all is to be
    /// cleared first. Answered by [`Response::Contact`].
    ContactSet {
        who: String,
        #[serde(default)]
        clear: bool,
        #[serde(default)]
        usual: Usual,
    },
    /// Introduces a contact to another one, with a word about them or without; answered by [`Response::Sent`].
    ContactShare {
        who: String,
        with: String,
        #[serde(default)]
        text: Option<String>,
    },
    /// Pairs with whoever shows a code; answered by [`Response::Contact`] once both have each other. Needs a running node.
    PairJoin {
        /// The code, or the text of its QR code.
        code: String,
        /// Multiaddresses where the other may be met, beside those near by.
        #[serde(default)]
        peers: Vec<String>,
        /// What to call the other; what it calls itself where none is said.
        #[serde(default)]
        name: Option<String>,
    },
    /// Ends the pairing that goes on here. Needs a running node.
    PairEnd,
    /// Nodes that could be met now; answered by [`Response::Nearby`]. Needs a running node.
    Nearby,
    /// Whom a message would go to; answered by [`Response::Recipient`].
    Recipient {
        who: String,
    },
    /// Answered by [`Response::Sent`] once the message is durable here.
    Send(Box<Compose>),
    /// Marks messages as read, or as unread again.
    Mark {
        ids: Vec<String>,
        read: bool,
    },
    /// One message with its attachments; answered by [`Response::Letter`].
    Read {
        id: String,
        #[serde(default)]
        mark: bool,
        #[serde(default)]
        tell: bool,
    },
    InboxDelete {
        id: String,
    },
    /// Changes a message for everybody in its conversation; answered by [`Response::Sent`] once the change is durable here.
    Change(Wish),
    /// Sends one's own message anew that was not delivered; answered by [`Response::Sent`] with the new bundle's id. Both
    /// are one message to whoever reads it.
    Renew {
        id: String,
        /// How long it may be under way; as long as the first where none is said.
        #[serde(default)]
        lifetime_ms: Option<u64>,
    },
    /// Every change of a message; answered by [`Response::History`].
    History {
        id: String,
    },
    /// Changes that gave way to others since the person was told of such the last time; answered by
    /// [`Response::Crossings`].
    Crossings {
        /// The person is told of them now.
        #[serde(default)]
        told: bool,
    },
    /// Keeps something written without sending it; answered by [`Response::Draft`].
    DraftAdd(Box<NewDraft>),
    /// Answered by [`Response::Drafts`], in the order of their numbers.
    Drafts,
    /// One draft with all its words; answered by [`Response::Draft`].
    Draft {
        number: String,
    },
    /// Sends a draft now; answered by [`Response::Sents`].
    DraftSend {
        number: String,
        /// To others than it says.
        #[serde(default)]
        to: Vec<String>,
    },
    DraftDelete {
        number: String,
    },
    /// How much waits for this person; answered by [`Response::Waiting`].
    Waiting,
    /// Puts conversations or messages somewhere, for this home alone: each of `what` is a contact's name, an address, or an
    /// id of a message. All or none; answered by [`Response::Arranged`].
    Arrange {
        what: Vec<String>,
        how: Arranging,
    },
    /// Puts a label on messages or takes it off, for this home alone.
    Label {
        label: String,
        ids: Vec<String>,
        on: bool,
    },
    /// Answered by [`Response::Labels`], in the order of their spelling.
    Labels,
    /// What became of one message; answered by [`Response::Statuses`] with the one row.
    Status {
        id: String,
    },
    /// Answered by [`Response::Statuses`] with the one row.
    Cancel {
        id: String,
    },
    /// Files that came or went in parts, the newest last; answered by [`Response::Files`].
    Files,
    /// Asks for a file that was offered, or for what is missing of it, between two of its bytes where that is said; answered by
    /// [`Response::Transfer`].
    FileGet {
        id: String,
        #[serde(default)]
        from: Option<u64>,
        #[serde(default)]
        to: Option<u64>,
    },
    /// Ends the coming or going of a file on both sides; answered by [`Response::Transfer`].
    FileCancel {
        id: String,
    },
    /// Saves a file that is here in a directory of this machine, by its whole path; answered by [`Response::Saved`].
    FileSave {
        id: String,
        directory: String,
    },
    /// What takes how much of the disk; answered by [`Response::Space`].
    Space,
    /// Takes in messages of an earlier home; answered by [`Response::Imported`].
    Import(Imports),
    /// Deletes messages, or their files; answered by [`Response::Purged`].
    Purge(Purge),
    /// Whether messages get away from here; answered by [`Response::Outlook`].
    Outlook,
    /// The person looked at what became of their messages, up to the event of an outlook: what ended until then is no news
    /// any more.
    StatusSeen {
        event: u64,
    },
    /// Contacts in the network's sense that last now; answered by [`Response::Peers`]. Needs a running node.
    Peers,
    /// What was met, moved and held over time, the oldest first; answered by [`Response::Stats`].
    Stats,
    /// Answered by [`Response::Carry`].
    Carry,
    /// Answered by [`Response::Carry`].
    CarryLimit {
        bytes: u64,
    },
    CarryDrop {
        id: String,
    },
    /// The raw bytes of a held bundle; answered by [`Response::Bytes`].
    CarryExport {
        id: String,
    },
    /// Lets bundles go on a stick, by their whole ids; answered by [`Response::Leaving`] with those that still go, once it is
    /// durable that they did.
    StickTake {
        ids: Vec<String>,
        /// Whom the stick is for: a contact's name, or an address.
        #[serde(default)]
        whom: Option<String>,
    },
    /// Takes in what lay on a stick; answered by [`Response::Entered`], a row for each in their order.
    StickBring {
        bundles: Vec<FromStick>,
    },
    /// Answered by [`Response::Doctor`].
    Doctor,
    /// Makes anew what is derived from the record; answered by [`Response::Doctor`].
    Reindex,
    /// Writes everything that makes this home, encrypted, to `path` (absolute); answered by [`Response::Backup`].
    Backup {
        path: String,
        passphrase: String,
    },
    /// Topics of mine, subscribed to, and around; answered by [`Response::Topics`].
    Topics,
    /// Makes a topic, or says anew who may write in it; answered by [`Response::Topic`].
    TopicCreate {
        topic: String,
        /// Who may write beside its owner; as before where none is said.
        #[serde(default)]
        writers: Option<Vec<String>>,
    },
    /// Subscribes to a topic of a contact, or to several by a pattern; answered by [`Response::Subscribed`].
    TopicSubscribe {
        topic: String,
    },
    TopicUnsubscribe {
        topic: String,
    },
    /// Says how long and how much of a topic, or of several by a pattern, stays at this home; answered by
    /// [`Response::TopicTerms`].
    TopicSet {
        topic: String,
        terms: TermsWanted,
    },
    /// Ends a topic of mine; answered by [`Response::TopicEnded`].
    TopicDelete {
        topic: String,
    },
    /// Publishes messages; answered by [`Response::Published`] once they are durable here.
    Publish {
        topic: String,
        messages: Vec<Publication>,
        /// How long they are under way; a week where nothing is said.
        #[serde(default)]
        lifetime_ms: Option<u64>,
    },
    /// What is here of a topic, the oldest first, for a person to read: no group is the wiser. Answered by
    /// [`Response::TopicEvents`].
    TopicEvents {
        topic: String,
        /// Only what stands before the event of this number.
        #[serde(default)]
        before: Option<u64>,
        /// The last so many, and at most [`PUBLISHED_AT_ONCE_MAX`]; 100 where none is said.
        #[serde(default)]
        limit: Option<u32>,
    },
    /// Says what became of events that a group's consumer got.
    TopicSettle {
        group: String,
        events: Vec<SettledEvent>,
    },
    /// What a group gave up; answered by [`Response::Failed`].
    TopicFailed {
        topic: String,
        #[serde(default)]
        group: Option<String>,
    },
    /// Hands out again what a group gave up: an event by its number or its id.
    TopicRetry {
        topic: String,
        #[serde(default)]
        group: Option<String>,
        event: String,
    },
    /// Groups of mine, and those I am asked to join; answered by [`Response::Groups`].
    Groups,
    /// Begins a group and invites others to it; answered by [`Response::Group`].
    GroupCreate {
        name: String,
        #[serde(default)]
        with: Vec<String>,
    },
    /// Asks people to join a group of mine; answered by [`Response::Group`].
    GroupInvite {
        group: String,
        who: Vec<String>,
        /// They may read what was written before as well, as far as its keys are kept.
        #[serde(default)]
        from_start: bool,
    },
    /// Joins a group that one is asked to join; answered by [`Response::Group`].
    GroupJoin {
        group: String,
    },
    /// Leaves a group, or turns an invitation down.
    GroupLeave {
        group: String,
    },
    /// Removes a member: they read nothing that is written once the others have learned of it.
    GroupRemove {
        group: String,
        who: String,
    },
    /// Gives a group another name for all of its members; answered by [`Response::Group`].
    GroupRename {
        group: String,
        name: String,
    },
    /// Makes a member an owner, or an owner a member as others; answered by [`Response::Members`].
    GroupOwner {
        group: String,
        who: String,
        owner: bool,
    },
    /// Who is in a group; answered by [`Response::Members`].
    GroupMembers {
        group: String,
    },
    /// Has a program work on what comes from now on; answered by [`Response::Hook`].
    HookAdd(NewHook),
    /// Answered by [`Response::Hooks`], by name.
    Hooks,
    /// Ends a hook, what it works on, and what is kept of what it gave up.
    HookRemove {
        name: String,
    },
    /// Runs a hook's program now, on a message by its id, or on the last one that is meant for it; answered by
    /// [`Response::HookTested`].
    HookTest {
        name: String,
        #[serde(default)]
        id: Option<String>,
    },
    /// What hooks gave up, or one of them; answered by [`Response::HookFailed`].
    HookFailed {
        #[serde(default)]
        name: Option<String>,
    },
    /// Has hooks, or one of them, work again on a message that they gave up: by its id, or the number of its event.
    HookRetry {
        id: String,
        #[serde(default)]
        name: Option<String>,
    },
    /// Shared apps, or those of one conversation, in the order of their conversations; answered by [`Response::Apps`].
    Apps {
        /// A contact's name, or an address.
        #[serde(default)]
        who: Option<String>,
    },
    /// Begins one of the apps that come with the program: `checklist`, `poll` or `text`; answered by [`Response::Sent`].
    AppBegin {
        /// A contact's name, a group, or an address.
        who: String,
        app: String,
    },
    /// One app, with what it takes to run it; answered by [`Response::App`].
    App {
        id: String,
    },
    /// The icon of an app, a PNG or a JPEG; answered by [`Response::Bytes`].
    AppIcon {
        id: String,
    },
    /// Tells the users of an app something, this one included; answered by [`Response::Sent`] once it is durable here.
    AppUpdate(NewAppUpdate),
    /// Whether the person is away; answered by [`Response::Away`].
    Away,
    /// Says that the person is away from now on; answered by [`Response::Away`].
    AwaySet(NewAway),
    AwayEnd,
    /// Lets a browser of this machine in, once; answered by [`Response::Web`]. Needs a running node, and its owner.
    Web,
    /// Makes a phone in the local network the owner's, once, and opens the page there from now on; answered by
    /// [`Response::WebLan`]. Needs a running node, and its owner.
    WebLan,
    /// Closes the page in the local network.
    WebLanEnd,
    /// Browsers that were let in; answered by [`Response::WebDevices`].
    WebDevices,
    /// Lets a browser in no more that was.
    WebRevoke {
        name: String,
    },
    /// The effective configuration with origins; answered by [`Response::Config`].
    Config,
    /// Stops the node; answered by [`Response::Done`] before it stops. Needs a running node.
    Down,
}

/// An answer. Requests that name no other are answered by `Done`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Response {
    Done(Done),
    Version(VersionRow),
    Health(HealthRow),
    #[serde(skip)]
    #[cfg_attr(test, schemars(skip))]
    Metrics(Metrics),
    Me(MeRow),
    Contact(ContactRow),
    Contacts(Vec<ContactRow>),
    Nearby(Vec<NearbyRow>),
    Recipient(RecipientRow),
    Sent(SentRow),
    Letter(Box<LetterRow>),
    History(Vec<HistoryRow>),
    Crossings(Vec<CrossingRow>),
    Draft(DraftRow),
    Drafts(Vec<DraftRow>),
    Sents(Vec<SentRow>),
    Waiting(WaitingRow),
    Arranged(Vec<ArrangedRow>),
    Labels(Vec<LabelRow>),
    Statuses(Vec<StatusRow>),
    Files(Vec<TransferRow>),
    Transfer(TransferRow),
    Saved(FileRow),
    Uploaded(UploadedRow),
    Space(Vec<SpaceRow>),
    Purged(PurgedRow),
    Imported(ImportedRow),
    Outlook(OutlookRow),
    Peers(Vec<PeerRow>),
    Stats(Vec<StatsRow>),
    Carry(CarryRow),
    Bytes(Vec<u8>),
    Leaving(Vec<LeavingRow>),
    Entered(Vec<EnteredRow>),
    Doctor(Vec<CheckRow>),
    Backup(FileRow),
    Config(Vec<ConfigRow>),
    Topics(Vec<TopicRow>),
    Topic(TopicRow),
    Subscribed(SubscribedRow),
    TopicTerms(TopicTermsRow),
    TopicEnded(TopicEndedRow),
    Published(Vec<PublishedRow>),
    TopicEvents(Vec<TopicEventRow>),
    Failed(Vec<FailedRow>),
    Groups(Vec<GroupRow>),
    Group(GroupRow),
    Members(Vec<MemberRow>),
    Hook(HookRow),
    Hooks(Vec<HookRow>),
    HookTested(HookTestedRow),
    HookFailed(Vec<HookFailedRow>),
    Away(AwayRow),
    Apps(Vec<AppRow>),
    App(Box<AppStartRow>),
    Web(WebRow),
    WebLan(WebLanRow),
    WebDevices(Vec<WebDeviceRow>),
}

impl Request {
    /// Whether the answer changes nothing at this home.
    pub fn only_reads(&self) -> bool {
        use Request as R;
        matches!(
            self,
            R::Version
                | R::Health
                | R::Metrics
                | R::Me
                | R::ContactList
                | R::ContactShow { .. }
                | R::Nearby
                | R::Recipient { .. }
                | R::Read { mark: false, tell: false, .. }
                | R::History { .. }
                | R::Crossings { told: false }
                | R::Drafts
                | R::Draft { .. }
                | R::Waiting
                | R::Labels
                | R::Status { .. }
                | R::Files
                | R::FileSave { .. }
                | R::Space
                | R::Purge(Purge { dry: true, .. })
                | R::Outlook
                | R::Peers
                | R::Stats
                | R::Carry
                | R::CarryExport { .. }
                | R::Doctor
                | R::Backup { .. }
                | R::Config
                | R::Topics
                | R::TopicEvents { .. }
                | R::TopicFailed { .. }
                | R::Groups
                | R::GroupMembers { .. }
                | R::Hooks
                | R::HookTest { .. }
                | R::HookFailed { .. }
                | R::Away
                | R::Apps { .. }
                | R::App { .. }
                | R::AppIcon { .. }
                | R::WebDevices
                | R::Down
        )
    }

    /// Whether only a running node can answer.
    pub fn needs_node(&self) -> bool {
        use Request as R;
        matches!(
            self,
            R::Nearby
                | R::Peers
                | R::Down
                | R::Health
                | R::Metrics
                | R::PairJoin { .. }
                | R::PairEnd
                | R::Web
                | R::WebLan
                | R::WebLanEnd
        )
    }
}
