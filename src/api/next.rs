//! What to do about a failure, as a value: programs act on it, and each door words it for its own people.
//!
//! Below the doors nothing knows how anybody asks, so no error names a command or a route. The command line words a step
//! as commands, in a table of its own; [`NextStep`]'s `Display` is the words of this API, which name routes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What somebody can do next, with what it takes to do it. New kinds may come: a reader takes one that it does not know
/// for [`NextStep::Advice`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum NextStep {
    StartNode,
    /// One runs on this home already.
    StopNode,
    /// It runs and does not answer.
    EndProcess {
        pid: u32,
    },
    /// The two ends of the socket may be of different versions.
    RestartNode,
    /// See whether it still runs.
    CheckNode,
    CheckHome,
    /// With the node stopped.
    RepairStore,
    Update,
    TryAgain,
    FollowAgain,
    /// `again`: what was asked must be asked anew then; else all goes on by itself.
    FreeSpace {
        again: bool,
    },
    /// Take it from other users; `mode` as `chmod` takes it.
    MakePrivate {
        path: String,
        mode: String,
    },
    /// The file is another user's.
    TakeOver {
        path: String,
    },
    /// The node is another user's.
    AskAsOwner,
    UseOtherHome,
    /// Or make this one's disk or directory writable.
    UseWritableHome,
    /// Nothing tells where the home is.
    SetHome,
    /// A first start makes an identity, a backup brings one back.
    StartOrRestore,
    Restore,
    /// The store at `path` is of an identity that is lost.
    RestoreOrMoveAway {
        path: String,
    },
    /// Files that come and go.
    ListFiles,
    /// It comes, and is not whole yet.
    WatchFiles,
    /// Shared apps.
    ListApps,
    /// The app beside this message takes no more.
    SendAppAnew {
        id: String,
    },
    GetFile {
        id: String,
    },
    SaveFile {
        id: String,
    },
    /// Two machines run with one identity.
    StopOneOfTwo,
    CheckSetting {
        key: String,
    },
    RaiseFileLimit {
        files: u64,
    },
    /// Through the firewall; or name peers.
    OpenMulticast {
        port: u16,
    },
    /// Delete what was read, or make its writers contacts.
    MakeRoomForMail,
    /// Or see who is one.
    AddContact,
    /// Several contacts are called alike but for capital letters.
    GiveNameAsListed,
    AskForAddress,
    /// It came incomplete or changed.
    AskForAddressAgain,
    AskForAddressOrLookAround,
    /// Several nodes near by give themselves one name.
    ChooseByPeerId,
    GivePeerIdWhole,
    CopyMessageId,
    CopyThread,
    /// Several ids begin alike: the shortest beginnings that tell two of them apart.
    GiveMoreOfId {
        such_as: Vec<String>,
    },
    /// It is in the inbox.
    ReadMessage {
        id: String,
    },
    /// It was sent from here.
    SeeStatus {
        id: String,
    },
    /// It is carried for others.
    SeeCarried,
    CancelMessage {
        id: String,
    },
    /// It arrived: ask that it be forgotten.
    WithdrawMessage {
        id: String,
    },
    /// It is no task so far.
    MakeTask {
        id: String,
    },
    /// It is another's: answer it, or delete it here.
    AnswerInstead {
        id: String,
    },
    /// It is a change of this one.
    ChangeTarget {
        id: String,
    },
    /// Earlier events are kept no more.
    FollowFrom {
        event: u64,
    },
    ListLabels,
    ListDrafts,
    /// Earlier events of a topic are kept no more, or later ones have not happened.
    ConsumeFrom {
        event: u64,
    },
    /// There is none of that name, and no contact either.
    MakeTopic,
    ListTopics,
    ListGroups,
    /// They are asked to join it, and have not.
    JoinGroup {
        group: String,
    },
    ListFailed {
        topic: String,
    },
    ListHooks,
    ListFailedHooks,
    ListBrowsers,
    ListenElsewhere,
    /// One goes on already.
    EndPairing,
    /// Its code is of no more use.
    PairAnew,
    /// Nobody near by shows the code.
    PairAtAddress,
    /// It is in words alone.
    #[serde(other)]
    Advice,
}

impl NextStep {
    /// One of each, with the names of texts in their places.
    pub fn examples() -> Vec<NextStep> {
        use NextStep as N;
        let [path, id] = ["{path}", "{id}"].map(str::to_owned);
        let such_as = ["{id}", "{id}"].map(str::to_owned).to_vec();
        vec![
            N::StartNode,
            N::StopNode,
            N::EndProcess { pid: 4711 },
            N::RestartNode,
            N::CheckNode,
            N::CheckHome,
            N::RepairStore,
            N::Update,
            N::TryAgain,
            N::FollowAgain,
            N::FreeSpace { again: true },
            N::FreeSpace { again: false },
            N::MakePrivate { path: path.clone(), mode: "700".into() },
            N::TakeOver { path: path.clone() },
            N::AskAsOwner,
            N::UseOtherHome,
            N::UseWritableHome,
            N::SetHome,
            N::StartOrRestore,
            N::Restore,
            N::RestoreOrMoveAway { path },
            N::StopOneOfTwo,
            N::CheckSetting { key: "listen".into() },
            N::RaiseFileLimit { files: 1_024 },
            N::OpenMulticast { port: 5353 },
            N::MakeRoomForMail,
            N::AddContact,
            N::GiveNameAsListed,
            N::AskForAddress,
            N::AskForAddressAgain,
            N::AskForAddressOrLookAround,
            N::ChooseByPeerId,
            N::GivePeerIdWhole,
            N::CopyMessageId,
            N::CopyThread,
            N::GiveMoreOfId { such_as },
            N::ReadMessage { id: id.clone() },
            N::SeeStatus { id: id.clone() },
            N::SeeCarried,
            N::CancelMessage { id: id.clone() },
            N::WithdrawMessage { id: id.clone() },
            N::MakeTask { id: id.clone() },
            N::AnswerInstead { id: id.clone() },
            N::ListFiles,
            N::WatchFiles,
            N::ListApps,
            N::SendAppAnew { id: id.clone() },
            N::GetFile { id: id.clone() },
            N::SaveFile { id: id.clone() },
            N::ChangeTarget { id },
            N::FollowFrom { event: 4711 },
            N::ListLabels,
            N::ListDrafts,
            N::ConsumeFrom { event: 4711 },
            N::MakeTopic,
            N::ListTopics,
            N::ListGroups,
            N::JoinGroup { group: "{group}".into() },
            N::ListFailed { topic: "{topic}".into() },
            N::ListHooks,
            N::ListFailedHooks,
            N::ListBrowsers,
            N::ListenElsewhere,
            N::EndPairing,
            N::PairAnew,
            N::PairAtAddress,
            N::Advice,
        ]
    }
}

/// The words of this API: an imperative without a full stop.
impl fmt::Display for NextStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use NextStep as N;
        let words = match self {
            N::StartNode => "start the node",
            N::StopNode => "use it, or end it with `POST /v1/down`",
            N::EndProcess { pid } => {
                return write!(f, "wait a moment, or send process {pid} the signal TERM, which loses nothing");
            }
            N::RestartNode => {
                "the node may be of another version; end it with `POST /v1/down`, and start the one that is installed"
            }
            N::CheckNode => "see whether it still runs with `GET /v1/health`",
            N::CheckHome => "see `GET /v1/doctor`",
            N::RepairStore => "stop the node and have its store repaired; that keeps what verifies",
            N::Update => "install a newer dak",
            N::TryAgain => "try again in a moment",
            N::FollowAgain => "list what was missed and follow again",
            N::FreeSpace { again: true } => "free some space, then try again",
            N::FreeSpace { again: false } => "free some space, and dak goes on by itself",
            N::MakePrivate { path, mode } => return write!(f, "give {path} the mode {mode}, then try again"),
            N::TakeOver { path } => return write!(f, "make {path} your own, or use another home"),
            N::AskAsOwner => "ask as the user who runs the node",
            N::UseOtherHome => "use a directory of your own as the home",
            N::UseWritableHome => "make the home writable, or use another one",
            N::SetHome => "set HOME, or name a directory to be the home",
            N::StartOrRestore => "the first start of a node makes one, and a backup brings one back",
            N::Restore => "bring back the file from a backup",
            N::RestoreOrMoveAway { path } => {
                return write!(f, "bring it back from a backup, or move {path} away to begin anew");
            }
            N::StopOneOfTwo => "stop one of the two for good; a backup moves a home, which must not run twice",
            N::CheckSetting { key } => {
                return write!(f, "check `{key}` in the configuration, or leave it to the default");
            }
            N::RaiseFileLimit { files } => {
                return write!(f, "let its process have {files} open files, and start it again");
            }
            N::OpenMulticast { port } => {
                return write!(f, "let UDP port {port} through the firewall, or name nodes in the setting `peers`");
            }
            N::MakeRoomForMail => {
                "delete what was read with `DELETE /v1/inbox/{id}`, or make its writers contacts with `POST /v1/contacts`"
            }
            N::AddContact => "see `GET /v1/contacts`, or add somebody with `POST /v1/contacts`",
            N::GiveNameAsListed => "give the name as `GET /v1/contacts` has it",
            N::AskForAddress => "ask the other for the address in `GET /v1/me`",
            N::AskForAddressAgain => "ask for the address in `GET /v1/me` again, and give it whole",
            N::AskForAddressOrLookAround => "ask for the address in `GET /v1/me`, or see `GET /v1/nearby`",
            N::ChooseByPeerId => "give the peer id, as `GET /v1/nearby` has it",
            N::GivePeerIdWhole => "give the whole peer id",
            N::CopyMessageId => "take it from `GET /v1/inbox`, `GET /v1/status` or `GET /v1/carry/bundles`",
            N::CopyThread => "take it from `GET /v1/inbox`",
            N::GiveMoreOfId { such_as } => return write!(f, "give more of the id, such as {}", such_as.join(" or ")),
            N::ReadMessage { .. } => "that one came here; see `POST /v1/inbox/{id}/read`",
            N::SeeStatus { .. } => "that one was sent from here; see `GET /v1/status/{id}`",
            N::SeeCarried => "that one is carried for others; see `GET /v1/carry/bundles`",
            N::CancelMessage { .. } => "take it back with `POST /v1/status/{id}/cancel`",
            N::WithdrawMessage { .. } => "ask that it be forgotten with `POST /v1/inbox/{id}/change`",
            N::MakeTask { .. } => "make it one with `POST /v1/inbox/{id}/change`",
            N::AnswerInstead { .. } => "answer it with `POST /v1/send`, or delete it here with `DELETE /v1/inbox/{id}`",
            N::ChangeTarget { .. } => "change the message with that id",
            N::FollowFrom { .. } => "read what you missed with `GET /v1/talk/{who}`, and follow from that event on",
            N::ListFiles => "see `GET /v1/files`",
            N::WatchFiles => "it is on its way; see `GET /v1/files`",
            N::ListApps => "see `GET /v1/apps`",
            N::SendAppAnew { .. } => "send its file anew, which begins another one",
            N::GetFile { .. } => "ask for it with `POST /v1/files/{id}/get`",
            N::SaveFile { .. } => "save it with `POST /v1/files/{id}/save`",
            N::ListDrafts => "see `GET /v1/drafts`",
            N::ListLabels => "see `GET /v1/labels`",
            N::ConsumeFrom { event } => return write!(f, "go on behind event {event}"),
            N::MakeTopic => "make it with `POST /v1/topics`, or see `GET /v1/contacts`",
            N::ListTopics => "see `GET /v1/topics`",
            N::ListGroups => "see `GET /v1/groups`",
            N::JoinGroup { .. } => "join it with `POST /v1/groups/{group}/join`",
            N::EndPairing => "wait for its end, or end it with `DELETE /v1/pair`",
            N::PairAnew => "have one side show a new code with `POST /v1/pair`",
            N::PairAtAddress => "see `GET /v1/nearby`, or give the other's address in `peers`",
            N::ListFailed { .. } => "see `GET /v1/topics/failed`",
            N::ListHooks => "see `GET /v1/hooks`",
            N::ListBrowsers => "see `GET /v1/web/devices`",
            N::ListenElsewhere => "stop that one, or choose another address to listen on",
            N::ListFailedHooks => "see `GET /v1/hook-failures`",
            N::Advice => "do as `next_step` says",
        };
        f.write_str(words)
    }
}

/// What stands above the table.
const ABOUT: &str = "
What to do about an error is a value in it, `\"next\":{\"step\":\"free_space\",\"again\":true}`, and the same in words as
`next_step`; so it is in a row of the doctor. Here the words name routes; the command line says them as commands, of the
same value, in its JSON too. A step that a reader does not know is one of a later version, and its words say it all.
";

/// The steps as `routes.md` has them.
pub fn table() -> String {
    let mut table = format!("{ABOUT}\n| step | data | in words |\n|---|---|---|\n");
    for step in NextStep::examples() {
        let serde_json::Value::Object(mut data) = serde_json::to_value(&step).expect("a step is plain data") else {
            unreachable!("a step is an object");
        };
        let name = data.remove("step").unwrap_or_default();
        let data: Vec<String> = data.keys().map(|key| format!("`{key}`")).collect();
        table += &format!("| `{}` | {} | {step} |\n", name.as_str().unwrap_or_default(), data.join(", "));
    }
    table
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::api::route;

    #[test]
    fn every_step_has_an_example_and_reads_back() {
        let source = include_str!("next.rs");
        let body = source.split_once("pub enum NextStep {").unwrap().1.split_once("\n}\n").unwrap().0;
        let variants = body.lines().filter(|line| line.starts_with("    ") && line.as_bytes()[4].is_ascii_uppercase());
        let json = |step: &NextStep| serde_json::to_value(step).unwrap();
        let named: BTreeSet<String> = NextStep::examples().iter().map(|step| json(step)["step"].to_string()).collect();
        assert_eq!(named.len(), variants.count());
        for step in NextStep::examples() {
            assert_eq!(serde_json::from_value::<NextStep>(json(&step)).unwrap(), step);
        }
    }

    #[test]
    fn a_step_of_a_later_version_is_words_alone() {
        let later = r#"{"step":"ask_the_moon","phase":3}"#;
        assert_eq!(serde_json::from_str::<NextStep>(later).unwrap(), NextStep::Advice);
    }

    #[test]
    fn the_words_name_routes_that_exist_and_no_command() {
        let routes = route::table();
        let mut named = 0;
        for step in NextStep::examples() {
            let words = step.to_string();
            for route in words.split('`').skip(1).step_by(2).filter(|quoted| quoted.contains("/v1/")) {
                assert!(routes.contains(&format!("| `{route}` |")), "{words}");
                named += 1;
            }
            assert!(!words.contains("`dak ") && !words.contains("--"), "{words}");
        }
        assert!(named > 10);
    }
}
