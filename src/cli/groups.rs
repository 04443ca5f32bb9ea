//! `dak group`.

use super::Outcome;
use super::args::{Group as GroupArgs, GroupWhat};
use super::link::{Link, take};
use super::out::{Out, Paint, Style};
use super::table::{Table, cell, painted};
use super::who::{called, shell_word};
use crate::api::model::{GroupRow, GroupStanding, MemberRole, MemberRow, Request, Response};
use crate::safe_text::safe_text;

pub async fn group(link: &Link<'_>, args: &GroupArgs, out: &Out) -> Outcome {
    match args.what.as_ref().unwrap_or(&GroupWhat::List) {
        GroupWhat::List => {
            let rows = take!(link.ask(Request::Groups).await?, Groups)?;
            if rows.is_empty() {
                out.talk("no groups; begin one with `dak group create NAME --with WHO,WHO`");
            }
            out.answer(&Response::Groups(rows.clone()), |style| groups(&rows, style))
        }
        GroupWhat::Create { name, with } => {
            let with = with.iter().flat_map(|list| list.split(',')).map(str::trim).filter(|who| !who.is_empty());
            let create = Request::GroupCreate { name: name.clone(), with: with.map(Into::into).collect() };
            let row = take!(link.ask(create).await?, Group)?;
            out.row(&row, |_| match row.members {
                1 => format!("group {}, with you alone so far\n", safe_text(&row.name)),
                many => format!("group {}; {} asked to join\n", safe_text(&row.name), people(many - 1)),
            })
        }
        GroupWhat::Invite { group, who, from_start } => {
            let (group, who, from_start) = (group.clone(), split(who), *from_start);
            let many = who.len() as u64;
            let row = take!(link.ask(Request::GroupInvite { group, who, from_start }).await?, Group)?;
            out.row(&row, |_| format!("{} asked to join {}\n", people(many), safe_text(&row.name)))
        }
        GroupWhat::Join { group } => {
            let row = take!(link.ask(Request::GroupJoin { group: group.clone() }).await?, Group)?;
            out.row(&row, |_| {
                let name = safe_text(&row.name);
                format!("joined {name}: {}; read it with `dak talk {}`\n", members(row.members), shell_word(&name))
            })
        }
        GroupWhat::Leave { group } => {
            let done = take!(link.ask(Request::GroupLeave { group: group.clone() }).await?, Done)?;
            out.row(&done, |_| format!("left {}\n", safe_text(group)))
        }
        GroupWhat::Remove { group, who } => {
            let remove = Request::GroupRemove { group: group.clone(), who: who.clone() };
            let rows = take!(link.ask(remove).await?, Members)?;
            out.answer(&Response::Members(rows), |_| {
                let who = safe_text(who);
                format!("removed {who}, who reads nothing that is written once its writer has learned of it\n")
            })
        }
        GroupWhat::Rename { group, name } => {
            let row = take!(link.ask(Request::GroupRename { group: group.clone(), name: name.clone() }).await?, Group)?;
            out.row(&row, |_| format!("renamed {} to {}\n", safe_text(group), safe_text(&row.name)))
        }
        GroupWhat::Owner { group, who, not } => {
            let request = Request::GroupOwner { group: group.clone(), who: who.clone(), owner: !not };
            let rows = take!(link.ask(request).await?, Members)?;
            out.answer(&Response::Members(rows.clone()), |style| list(&rows, style))
        }
        GroupWhat::Members { group } => {
            let rows = take!(link.ask(Request::GroupMembers { group: group.clone() }).await?, Members)?;
            out.answer(&Response::Members(rows.clone()), |style| list(&rows, style))
        }
    }
}

/// Names, each alone or with commas between them.
fn split(who: &[String]) -> Vec<String> {
    let each = who.iter().flat_map(|list| list.split(',')).map(str::trim).filter(|who| !who.is_empty());
    each.map(str::to_owned).collect()
}

fn people(many: u64) -> String {
    if many == 1 { "1 person".into() } else { format!("{many} people") }
}

fn members(many: u64) -> String {
    if many == 1 { "1 member".into() } else { format!("{many} members") }
}

fn groups(rows: &[GroupRow], style: &Style) -> String {
    let mut table = Table::new(&["GROUP", "", "MEMBERS", "SINCE"]);
    for row in rows {
        let asked = |row: &GroupRow| match &row.invited_by {
            Some(by) => format!("{} asks you to join", called(by.name.as_ref().unwrap_or(&by.address))),
            None => "you are asked to join".into(),
        };
        let standing = match (row.standing, row.role) {
            (GroupStanding::Joined, Some(MemberRole::Owner)) => cell("owner"),
            (GroupStanding::Joined, _) => cell("member"),
            (GroupStanding::Invited, _) => painted(Paint::Warn, asked(row)),
            (GroupStanding::Out, _) => painted(Paint::Dim, "not in it any more"),
        };
        table.row(vec![
            cell(safe_text(&row.name)),
            standing,
            cell(row.members.to_string()),
            cell(style.when(row.since)),
        ]);
    }
    table.render(style)
}

fn list(rows: &[MemberRow], style: &Style) -> String {
    let mut table = Table::new(&["MEMBER", "", "SINCE"]);
    for row in rows {
        let who = called(row.name.as_ref().unwrap_or(&row.address));
        let role = match row.role {
            MemberRole::Owner => cell("owner"),
            MemberRole::Member => cell("member"),
            MemberRole::Invited => painted(Paint::Dim, "invited"),
        };
        let who = if row.me { format!("{who} (you)") } else { who };
        table.row(vec![cell(who), role, cell(style.when(row.since))]);
    }
    table.render(style)
}
