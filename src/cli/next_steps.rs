//! What to do next, in the words of the command line: the commands that do it.

use super::who::{shell_word, short_id};
use crate::api::model::CheckRow;
use crate::api::{ApiError, NextStep};
use crate::safe_text::safe_text;

/// An error in words of commands; what another version of dak only has words for is said as it came.
pub fn in_commands(mut error: ApiError) -> ApiError {
    if let Some(words) = error.next.as_ref().and_then(words) {
        error.next_step = Some(words);
    }
    error
}

/// A row of `dak doctor` likewise.
pub fn check_in_commands(mut check: CheckRow) -> CheckRow {
    if let Some(words) = check.next.as_ref().and_then(words) {
        check.next_step = Some(words);
    }
    check
}

/// None for what is in words already.
pub fn words(step: &NextStep) -> Option<String> {
    use NextStep as N;
    let words = match step {
        N::StartNode => "start it with `dak up`".into(),
        N::StopNode => "use it, or stop it with `dak down`".into(),
        N::EndProcess { pid } => format!("wait a moment, or stop it with `kill -TERM {pid}`, which loses nothing"),
        N::RestartNode => "the node may be of another version; restart it with `dak down` and `dak up`".into(),
        N::CheckNode => "see whether it still runs with `dak doctor`".into(),
        N::CheckHome => "run `dak doctor`".into(),
        N::RepairStore => "stop the node and run `dak doctor --repair`; it keeps what verifies".into(),
        N::MakePrivate { path, mode } => format!("run `chmod {mode} {path:?}`, then try again"),
        N::TakeOver { path } => format!("run `chown` on {path:?}, or name another directory with --home DIR"),
        N::AskAsOwner => "run the command as the user who runs the node".into(),
        N::UseOtherHome => "name a directory of your own with --home DIR".into(),
        N::UseWritableHome => "make it writable, or name another directory with --home DIR".into(),
        N::SetHome => "set it, or name a directory with --home DIR".into(),
        N::StartOrRestore => "`dak up` makes one, `dak restore FILE` brings one back".into(),
        N::Restore => "bring back the file from a backup with `dak restore FILE`".into(),
        N::RestoreOrMoveAway { .. } => {
            "bring it back with `dak restore FILE`, or move that file away to begin anew".into()
        }
        N::StopOneOfTwo => {
            "stop one of the two for good; a home is moved with `dak backup` and `dak restore`, not run twice".into()
        }
        N::ListFiles => "see `dak file`".into(),
        N::WatchFiles => "it is on its way: see `dak file --watch`".into(),
        N::ListApps => "see `dak app`".into(),
        N::SendAppAnew { .. } => step.to_string(),
        N::GetFile { id } => format!("ask for it with `dak file get {id}`"),
        N::SaveFile { id } => format!("save it with `dak file save {id} DIR`"),
        N::RaiseFileLimit { files } => {
            format!("start it with more: `ulimit -n {files}` before `dak up`, or LimitNOFILE={files} in its service")
        }
        N::OpenMulticast { port } => {
            format!("let UDP port {port} through the firewall, or name a node with `dak up --peer MULTIADDR`")
        }
        N::MakeRoomForMail => {
            "delete what you have read; or raise `mail_limit` and `strangers_mail_limit` with `dak config set`, \
             and start the node anew"
                .into()
        }
        N::AddContact => "see `dak contact list`, or add somebody with `dak contact add NAME ADDRESS`".into(),
        N::GiveNameAsListed => "type the name as `dak contact list` prints it".into(),
        N::AskForAddress => "ask the other for the output of `dak me`".into(),
        N::AskForAddressAgain => "ask for the output of `dak me` again, and paste it whole".into(),
        N::AskForAddressOrLookAround => "ask for the output of `dak me`, or see `dak nearby`".into(),
        N::ChooseByPeerId => "take one by its id, as `dak nearby` prints it".into(),
        N::GivePeerIdWhole => "type the whole of it, as `--json` prints it".into(),
        N::CopyMessageId => "copy it from `dak inbox`, `dak status` or `dak carry list`".into(),
        N::CopyThread => "copy it from `dak inbox --json`".into(),
        N::GiveMoreOfId { such_as } => format!("type more of the id, such as {}", such_as.join(" or ")),
        N::ReadMessage { id } => format!("that one came here; see `dak read {}`", short_id(id)),
        N::SeeStatus { id } => format!("that one was sent from here; see `dak status {}`", short_id(id)),
        N::SeeCarried => "that one is carried for others; see `dak carry list`".into(),
        N::CancelMessage { id } => format!("take it back with `dak cancel {}`", short_id(id)),
        N::WithdrawMessage { id } => format!("ask that it be forgotten with `dak withdraw {}`", short_id(id)),
        N::MakeTask { id } => format!("make it one with `dak task add {}`", short_id(id)),
        N::AnswerInstead { id } => {
            let id = short_id(id);
            format!("answer it with `dak reply {id}`, or delete it here with `dak delete {id}`")
        }
        N::ChangeTarget { id } => format!("that one changes another; change {}", short_id(id)),
        N::FollowFrom { event } => {
            format!("read what you missed with `dak talk WHO`, and go on with `dak talk --follow --since {event}`")
        }
        N::ListDrafts => "see `dak draft list`".into(),
        N::ListLabels => "see `dak label list`".into(),
        N::ConsumeFrom { event } => format!("go on with `dak sub TOPIC --from {event}`, or from start or last"),
        N::MakeTopic => "make it with `dak topic create NAME`, or see `dak contact list`".into(),
        N::ListTopics => "see `dak topic`".into(),
        N::ListGroups => "see `dak group`".into(),
        N::JoinGroup { group } => format!("join it with `dak group join {}`", shell_word(&safe_text(group))),
        N::ListFailed { topic } => format!("see `dak sub {} --failed`", shell_word(&safe_text(topic))),
        N::ListHooks => "see `dak hook`".into(),
        N::ListBrowsers => "see `dak web devices`".into(),
        N::ListenElsewhere => {
            "stop that one, or take any port that is free with `dak up --listen /ip4/0.0.0.0/tcp/0`".into()
        }
        N::ListFailedHooks => "see `dak hook failed`".into(),
        N::EndPairing => "wait for its end, or end it with `dak pair --cancel`".into(),
        N::PairAnew => "have one side show a new code with `dak pair`".into(),
        N::PairAtAddress => {
            "see `dak nearby`; where the other is not there, name its address with `dak pair CODE --peer MULTIADDR`"
                .into()
        }
        // What no command does is said in the same words at every door.
        N::Update | N::TryAgain | N::FollowAgain | N::FreeSpace { .. } | N::CheckSetting { .. } => step.to_string(),
        N::Advice => return None,
    };
    Some(words)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::args::Cli;

    #[test]
    fn the_words_name_commands_that_exist_and_no_route() {
        let program = Cli::command();
        let mut named = 0;
        for step in NextStep::examples() {
            let Some(words) = words(&step) else { continue };
            assert!(!words.contains("/v1/"), "{words}");
            for line in words.split('`').skip(1).step_by(2).filter(|quoted| quoted.starts_with("dak ")) {
                let mut command = &program;
                for word in line.split(' ').skip(1) {
                    if let Some(inner) = command.find_subcommand(word) {
                        command = inner;
                    }
                    let flag = word.strip_prefix("--");
                    let is_known = |flag| command.get_arguments().any(|argument| argument.get_long() == Some(flag));
                    assert!(flag.is_none_or(|flag| flag == "json" || is_known(flag)), "{line}");
                }
                assert_ne!(command.get_name(), "dak", "{line}");
                named += 1;
            }
        }
        assert!(named > 20);
    }

    #[test]
    fn an_older_node_that_only_has_words_is_quoted() {
        let mut error = ApiError::failure("it went wrong");
        error.next_step = Some("do this".into());
        assert_eq!(in_commands(error).to_string(), "it went wrong; do this");
        assert_eq!(in_commands(ApiError::failure("no").advise("do that")).to_string(), "no; do that");
    }
}
