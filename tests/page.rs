//! The page in a real browser, between real nodes. The stories themselves are in `tests/page/stories`; here the nodes start
//! that they are about, and end.
//!
//! They are told only where `DAK_BROWSER` names a Chromium, and `npm ci` was run in `tests/page`: `.ci/run` sees to both.

#![cfg(feature = "node")]
#![allow(clippy::disallowed_methods)]

#[path = "cli/person.rs"]
#[allow(dead_code)]
mod person;
#[path = "page/story.rs"]
mod story;

use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use person::Person;
use serde_json::json;

/// How long a story waits for what must happen.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// One browser at a time: two would take each other's time and memory.
static BROWSING: Mutex<()> = Mutex::new(());

/// Tells a story about these people, who know each other and meet at the first one's.
fn story(name: &str, names: &[&'static str]) {
    told(name, names, Nodes::Run);
}

/// The same about people of whom the story says who is there when.
fn story_apart(name: &str, names: &[&'static str]) {
    told(name, names, Nodes::Rest);
}

#[derive(PartialEq, Eq)]
enum Nodes {
    Run,
    Rest,
}

fn told(name: &str, names: &[&'static str], nodes: Nodes) {
    let Some(browser) = story::browser() else { return };
    let _browsing = BROWSING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut people: Vec<Person> = names.iter().map(|name| Person::new(name)).collect();
    story::meet(&mut people);
    if nodes == Nodes::Rest {
        people.iter_mut().for_each(|person| assert_eq!(person.down(), Some(0)));
    }
    story::tell(name, &browser, &people, Command::new("node"), json!({}));
}

#[test]
fn a_one_time_link_lets_one_browser_in_until_it_is_shown_out() {
    story("signing_in", &["alice"]);
}

#[test]
fn what_one_writes_the_other_reads_without_reloading_in_two_tabs_and_a_terminal() {
    story("talking", &["alice", "bob"]);
}

#[test]
fn tags_and_turned_letters_of_others_stay_text_on_every_screen() {
    story("tricks", &["alice", "bob"]);
}

#[test]
fn a_message_is_found_answered_and_sent_by_keyboard_alone() {
    story("keyboard", &["alice", "bob"]);
}

#[test]
fn everybody_can_read_every_screen_wide_and_narrow_light_and_dark() {
    story("readable", &["alice", "bob", "carol"]);
}

#[test]
fn every_word_of_the_page_is_in_its_catalogue() {
    story("words", &["alice", "bob"]);
}

#[test]
fn a_page_speaks_the_language_of_its_browser_unless_another_is_chosen() {
    story("german", &["alice", "bob"]);
}

#[test]
fn a_page_from_elsewhere_reads_nothing_and_sends_nothing() {
    story("foreign", &["alice"]);
}

#[test]
fn a_picture_that_lies_about_its_size_takes_nothing_down() {
    story("lying_picture", &["alice", "bob"]);
}

#[test]
fn people_groups_topics_tasks_and_settings_are_worked_with_on_their_screens() {
    story("screens", &["alice", "bob"]);
}

#[test]
fn the_map_shows_who_is_near_and_a_message_on_its_way() {
    story("mesh", &["carol", "alice", "bob"]);
}

#[test]
fn without_the_passphrase_nothing_of_a_locked_page_can_be_read_in_any_tab_or_on_the_disk() {
    story("lock", &["alice", "bob"]);
}

#[test]
fn out_of_reach_of_its_node_the_page_shows_what_it_kept_and_sends_once_what_was_written_meanwhile() {
    story("offline", &["bob", "alice"]);
}

#[test]
fn a_picture_of_the_page_can_be_taken_again() {
    story("picture", &["alice", "bob", "carol"]);
}

#[test]
fn two_people_work_with_one_shared_app() {
    story("apps", &["alice", "bob"]);
}

#[test]
fn a_shared_app_reaches_nothing_outside_its_frame() {
    story("app_escapes", &["alice"]);
}

#[test]
fn a_shared_app_that_floods_is_held_back() {
    story("app_floods", &["alice"]);
}

#[test]
fn apps_that_others_made_come_to_the_same_at_two_homes_that_are_never_online_together() {
    story_apart("app_apart", &["alice", "bob", "carol"]);
}

#[test]
fn an_app_has_the_keys_a_name_where_it_was_sent_and_its_last_words() {
    story("app_window", &["alice", "bob"]);
}

#[test]
fn files_links_and_words_find_their_way_into_an_app_and_out_of_it() {
    story("app_ways", &["alice", "bob"]);
}

#[test]
fn an_app_at_its_bound_says_so_on_the_page() {
    story("app_bound", &["alice", "bob"]);
}

#[test]
fn answers_in_a_thread_are_counted_truly_and_what_is_begun_there_is_kept() {
    story("threads", &["alice", "bob"]);
}

#[test]
fn reactions_edits_and_ends_of_messages_are_seen_on_the_other_side() {
    story("changes", &["alice", "bob"]);
}

#[test]
fn a_message_gets_labels_and_becomes_a_task_from_its_menu() {
    story("labels", &["alice", "bob"]);
}

#[test]
fn messages_are_passed_on_and_go_later() {
    story("onward", &["alice", "bob", "carol"]);
}

#[test]
fn files_are_dropped_pasted_kept_asked_for_and_saved_whole() {
    story("files", &["bob", "alice"]);
}

#[test]
fn photographs_leave_without_where_they_were_taken() {
    story("photos", &["alice", "bob"]);
}

#[test]
fn voice_and_video_are_recorded_kept_sent_and_played_in_place() {
    story("recordings", &["alice", "bob"]);
}

#[test]
fn what_comes_is_told_once_and_not_in_quiet_hours() {
    story("notifications", &["alice", "bob", "carol"]);
}

#[test]
fn two_who_never_met_pair_on_their_pages() {
    story("pairing", &["alice", "bob"]);
}

#[test]
fn a_group_is_begun_written_to_and_left_on_its_pages() {
    story("groups", &["alice", "bob", "carol"]);
}

#[test]
fn what_is_published_is_read_as_it_comes() {
    story("topics", &["alice", "bob"]);
}

#[test]
fn two_tabs_another_browser_and_a_terminal_agree_about_what_is_unread() {
    story("together", &["alice", "bob", "carol"]);
}
