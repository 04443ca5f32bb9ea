//! The machine and its screen, without a terminal.

use jiff::Zoned;
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_width::UnicodeWidthStr;

use super::model::{Event, Model, Pane, Part, Wish};
use super::view;
use super::window::Kept;
use crate::api::model::*;
use crate::api::samples;
use crate::safe_text::is_unsafe;

fn now() -> Zoned {
    "2026-03-01T18:00[UTC]".parse().unwrap()
}

fn bob() -> String {
    format!("dak:{}", samples::BOB)
}

fn row(n: u64, text: &str) -> TalkRow {
    TalkRow { id: format!("{n:064x}"), event: n, ..samples::said(text) }
}

fn mine(n: u64, text: &str, state: State) -> TalkRow {
    TalkRow { mine: true, state: Some(state), ..row(n, text) }
}

/// A conversation about a pump.
fn story() -> Vec<TalkRow> {
    let task = TaskRow { state: TaskWord::Done, assignee: None, due: None };
    let who = PersonRow { name: Some("bob".into()), address: bob() };
    let reactions = vec![ReactionRow { emoji: "👍".into(), who }];
    let changes = Changes { task: Some(task), reactions, ..Changes::default() };
    let leaks = mine(1, "The pump at camp three leaks. Can you bring a seal?", State::Delivered);
    vec![
        TalkRow { changes, ..leaks },
        TalkRow { answers: Some(samples::answered()), ..row(2, "I have one. Ferry on Thursday.") },
        TalkRow { late: true, files: vec![FileRow::of("seal.jpg".into(), 204_800)], ..row(3, "This size?") },
        mine(4, "Yes.\nThank you!", State::Custody),
    ]
}

struct Stage {
    model: Model,
    wishes: Vec<Wish>,
}

impl Stage {
    fn with(rows: Vec<TalkRow>, columns: usize, lines: usize) -> Stage {
        let mut stage = Stage { model: Model::new(Some((bob(), "bob".into())), now()), wishes: Vec::new() };
        stage.on(Event::Size { columns, lines });
        let carol = ConversationRow {
            conversation: format!("dak:{}", samples::CAROL),
            name: Some("carol".into()),
            unread: 0,
            waiting: 0,
            arranged: ArrangedTalk { pinned: true, ..ArrangedTalk::default() },
            ..samples::conversation()
        };
        let talks = vec![carol, samples::conversation()];
        stage.on(Event::Listed { talks, contacts: vec![samples::contact()], groups: Vec::new() });
        stage.load(rows);
        stage
    }

    fn load(&mut self, rows: Vec<TalkRow>) {
        let rows = rows.into_iter().map(Kept::of).collect();
        self.on(Event::Loaded { who: bob(), thread: None, part: Part::Open, rows, older: false, newer: false });
    }

    fn on(&mut self, event: Event) {
        self.wishes.extend(self.model.on(event));
    }

    fn key(&mut self, code: KeyCode) {
        self.on(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }

    fn chord(&mut self, code: KeyCode, modifiers: KeyModifiers) {
        self.on(Event::Key(KeyEvent::new(code, modifiers)));
    }

    fn typed(&mut self, text: &str) {
        text.chars().for_each(|c| self.key(KeyCode::Char(c)));
    }

    fn screen(&self) -> String {
        let layout = &self.model.layout;
        let mut terminal = Terminal::new(TestBackend::new(layout.columns as u16, layout.lines as u16)).unwrap();
        let draw = |frame: &mut ratatui::Frame<'_>| {
            view::draw(&self.model, false, frame.buffer_mut());
        };
        terminal.draw(draw).unwrap();
        let buffer = terminal.backend().buffer().clone();
        let mut screen = String::new();
        for y in 0..buffer.area.height {
            let (mut line, mut x) = (String::new(), 0);
            while x < buffer.area.width {
                let symbol = buffer[(x, y)].symbol();
                line += symbol;
                x += symbol.width().max(1) as u16;
            }
            screen += line.trim_end();
            screen.push('\n');
        }
        screen
    }

    /// What was wished since the last time.
    fn wished(&mut self) -> Vec<Wish> {
        std::mem::take(&mut self.wishes)
    }
}

#[test]
fn at_eighty_columns_the_list_stands_beside_the_messages() {
    let mut stage = Stage::with(story(), 80, 24);
    stage.typed("On my way");
    let wanted = "\x20carol             ^|bob
>bob               2| --- today ---
                    | me  11:02, delivered
                    |   The pump at camp three leaks. Can you bring a seal?
                    |   [task, done]
                    |   👍 bob
                    | bob  11:02
                    |   > bob: come at six?
                    |   I have one. Ferry on Thursday.
                    | bob  11:02, late, arrived today 12:30
                    |   This size?
                    |   [seal.jpg (200.0 KiB)]
                    | me  11:02, custody
                    |   Yes.
                    |   Thank you!
                    |
                    |
                    |
                    |
                    |
                    |
                    |
                    |> On my way
Enter sends  Alt-Enter new line  Esc messages  Tab turns  F1 keys
";
    assert_eq!(stage.screen(), wanted, "{}", stage.screen());
}

#[test]
fn on_a_narrow_screen_one_of_both_is_shown() {
    let mut stage = Stage::with(story(), 40, 12);
    let wanted = "\
bob
 bob  11:02
   > bob: come at six?
   I have one. Ferry on Thursday.
 bob  11:02, late, arrived today 12:30
   This size?
   [seal.jpg (200.0 KiB)]
 me  11:02, custody
   Yes.
   Thank you!
>
F1 keys
";
    assert_eq!(stage.screen(), wanted, "{}", stage.screen());
    stage.key(KeyCode::Tab);
    assert_eq!(stage.model.pane, Pane::List);
    assert!(stage.screen().starts_with(" carol                                 ^\n>bob"), "{}", stage.screen());
}

#[test]
fn a_wide_screen_and_a_tiny_one_show_what_they_can() {
    let stage = Stage::with(story(), 200, 60);
    assert!(stage.screen().contains("|   The pump at camp three leaks. Can you bring a seal?\n"), "{}", stage.screen());
    let mut tiny = Stage::with(story(), 20, 5);
    tiny.typed("hi");
    assert_eq!(tiny.screen(), " me  11:02, custody\n   Yes.\n   Thank you!\n> hi\nF1 keys\n");
    for (columns, lines) in [(1, 1), (2, 2), (3, 60), (200, 1), (0, 0), (20, 2)] {
        tiny.on(Event::Size { columns, lines });
        if columns > 0 {
            tiny.screen();
        }
    }
}

#[test]
fn enter_sends_and_the_next_words_begin_anew() {
    let mut stage = Stage::with(story(), 80, 24);
    stage.wished();
    stage.typed("one");
    stage.chord(KeyCode::Enter, KeyModifiers::ALT);
    stage.typed("two");
    stage.chord(KeyCode::Char('j'), KeyModifiers::CONTROL);
    stage.typed("three");
    stage.key(KeyCode::Enter);
    let Some(Wish::Send { slot, who, text, answers: None }) = stage.wished().pop() else { panic!("nothing is sent") };
    assert_eq!((who, text.as_str()), (bob(), "one\ntwo\nthree"));
    stage.typed("next");
    stage.on(Event::NotSent { slot, why: "the disk is full".into() });
    assert_eq!(stage.model.writing.compose.text(), "one\ntwo\nthree\nnext", "nothing is lost");
    assert!(stage.screen().contains("not sent: the disk is full"));
    stage.key(KeyCode::Enter);
    let Some(Wish::Send { slot, .. }) = stage.wished().pop() else { panic!("nothing is sent") };
    stage.on(Event::Sent { slot });
    assert!(stage.model.outgoing.is_empty() && stage.model.writing.compose.text().is_empty());
    stage.key(KeyCode::Enter);
    assert_eq!(stage.wished(), [], "of nothing, nothing");
}

#[test]
fn what_is_written_is_kept_and_comes_back() {
    let mut stage = Stage::with(story(), 80, 24);
    let Some(Wish::Recall { slot, .. }) = stage.wished().into_iter().find(|wish| matches!(wish, Wish::Recall { .. }))
    else {
        panic!("nobody looks for a draft")
    };
    stage.on(Event::Recalled { slot, text: "half a th".into(), answers: None });
    assert!(!stage.model.has_unkept());
    stage.typed("ought");
    assert!(stage.model.has_unkept());
    stage.on(Event::KeepNow);
    let Some(Wish::Keep { slot: kept, text, version, .. }) = stage.wished().pop() else { panic!("nothing is kept") };
    assert_eq!((kept, text.as_str()), (slot, "half a thought"));
    stage.on(Event::KeepNow);
    assert_eq!(stage.wished(), [], "one at a time");
    stage.typed("s");
    stage.on(Event::Kept { slot, version });
    assert!(stage.model.has_unkept());
    // Another conversation has words of its own.
    stage.key(KeyCode::Tab);
    stage.key(KeyCode::Up);
    stage.key(KeyCode::Enter);
    assert_eq!(stage.model.open.as_ref().unwrap().1, "carol");
    assert!(stage.wished().iter().any(|wish| matches!(wish, Wish::Keep { text, .. } if text == "half a thoughts")));
    assert_eq!(stage.model.writing.compose.text(), "");
    stage.key(KeyCode::Tab);
    stage.key(KeyCode::Down);
    stage.key(KeyCode::Enter);
    assert_eq!(stage.model.writing.compose.text(), "half a thoughts");
}

#[test]
fn an_answer_an_edit_a_reaction_and_a_search_are_asked_for_by_their_keys() {
    let mut stage = Stage::with(story(), 80, 24);
    stage.typed("draft");
    stage.key(KeyCode::Esc);
    assert_eq!(stage.model.pane, Pane::Messages);
    stage.key(KeyCode::Up);
    stage.key(KeyCode::Char('r'));
    assert!(stage.screen().contains("|answers bob: This size?"), "{}", stage.screen());
    stage.key(KeyCode::Enter);
    let Some(Wish::Send { answers, .. }) = stage.wished().pop() else { panic!("nothing is sent") };
    assert_eq!(answers, Some(format!("{:064x}", 3)));
    stage.typed("rest");
    stage.key(KeyCode::Esc);
    stage.key(KeyCode::Char('e'));
    assert!(stage.screen().contains("> Yes.\n"), "{}", stage.screen());
    stage.typed("!!");
    stage.key(KeyCode::Enter);
    let Some(Wish::Edit { id, text, .. }) = stage.wished().pop() else { panic!("nothing is edited") };
    assert_eq!((id, text.as_str()), (format!("{:064x}", 4), "Yes.\nThank you!!!"));
    assert_eq!(stage.model.writing.compose.text(), "rest", "what was written before is there again");
    stage.key(KeyCode::Esc);
    stage.key(KeyCode::Char('+'));
    stage.key(KeyCode::Enter);
    assert!(matches!(stage.wished().pop(), Some(Wish::React { on: true, .. })));
    stage.key(KeyCode::Char('/'));
    stage.typed("pump");
    stage.key(KeyCode::Enter);
    assert_eq!(stage.wished().pop(), Some(Wish::Find { query: "pump".into() }));
    let found = SearchRow { row: row(1, "The pump"), ..samples::found("") };
    stage.on(Event::Found(vec![found]));
    assert!(stage.screen().contains("bob: bob: The pump"), "{}", stage.screen());
    stage.key(KeyCode::Enter);
    assert!(matches!(stage.wished().pop(), Some(Wish::Load { part: Part::Around(_), .. })));
}

#[test]
fn only_what_is_really_on_the_screen_is_marked_read() {
    let rows: Vec<TalkRow> = (0..30).map(|n| TalkRow { read: false, ..row(n, "words") }).collect();
    let mut stage = Stage::with(rows, 80, 24);
    let marked = |wishes: Vec<Wish>| -> usize {
        wishes.iter().map(|wish| if let Wish::Mark { ids } = wish { ids.len() } else { 0 }).sum()
    };
    assert_eq!(marked(stage.wished()), 9, "{}", stage.screen());
    stage.key(KeyCode::PageDown);
    assert!(marked(stage.wished()) > 0);
    stage.key(KeyCode::F(1));
    stage.key(KeyCode::PageDown);
    assert_eq!(marked(stage.wished()), 0, "the keys are in front of it");
}

#[test]
fn a_node_that_is_gone_is_said_and_what_came_meanwhile_is_asked_for() {
    let mut stage = Stage::with(story(), 80, 24);
    stage.typed("half");
    stage.on(Event::CutOff("no node runs".into()));
    assert!(stage.screen().contains("no node runs") && stage.screen().contains("> half"));
    stage.wished();
    stage.on(Event::Connected);
    let wished = stage.wished();
    assert!(
        wished.contains(&Wish::List) && wished.contains(&Wish::Load { who: bob(), thread: None, part: Part::End }),
        "{wished:?}"
    );
    assert!(!stage.screen().contains("no node runs"));
}

#[test]
fn what_is_sent_or_changed_while_no_node_tells_of_it_is_looked_up() {
    let rows = || story().into_iter().map(Kept::of).collect();
    let mut stage = Stage::with(story(), 80, 24);
    stage.on(Event::CutOff("no node runs".into()));
    stage.typed("later");
    stage.key(KeyCode::Enter);
    let Some(Wish::Send { slot, .. }) = stage.wished().pop() else { panic!("nothing is sent") };
    for event in [Event::Sent { slot }, Event::Changed] {
        stage.on(event);
        let wished = stage.wished();
        let end = Wish::Load { who: bob(), thread: None, part: Part::End };
        assert!(wished.contains(&Wish::List) && wished.contains(&end), "{wished:?}");
        stage.on(Event::Listed { talks: Vec::new(), contacts: Vec::new(), groups: Vec::new() });
        stage.on(Event::Loaded { who: bob(), thread: None, part: Part::End, rows: rows(), older: false, newer: false });
        stage.wished();
    }
    // With a node its events do.
    stage.on(Event::Connected);
    stage.wished();
    stage.on(Event::Loaded { who: bob(), thread: None, part: Part::End, rows: rows(), older: false, newer: false });
    stage.wished();
    stage.on(Event::Changed);
    assert_eq!(stage.wished(), []);
}

#[test]
fn a_failure_asks_for_nothing_by_itself() {
    let mut stage = Stage::with(story(), 80, 24);
    stage.on(Event::Happened(Box::new(HappenedRow::Here {
        what: Happened::Message,
        at: None,
        by: None,
        notice: None,
        row: Box::new(row(9, "new")),
    })));
    assert!(stage.wished().contains(&Wish::Load { who: bob(), thread: None, part: Part::End }));
    stage.on(Event::Failed("the node hung up".into()));
    assert_eq!(stage.wished(), []);
}

#[test]
fn a_paste_of_a_megabyte_is_refused_whole_and_what_was_there_stays() {
    let mut stage = Stage::with(story(), 80, 24);
    stage.typed("mine");
    stage.on(Event::Paste("x".repeat(1 << 20)));
    assert_eq!(stage.model.writing.compose.text(), "mine");
    assert!(stage.screen().contains("too much for a message"), "{}", stage.screen());
    stage.on(Event::Paste("line\r\n".repeat(100_000)));
    assert_eq!(stage.model.writing.compose.text().len(), 500_004);
    assert!(stage.screen().contains("line"));
}

proptest! {
    #[test]
    fn whatever_comes_and_is_typed_nothing_raw_is_drawn_and_no_word_is_lost(
        steps in prop::collection::vec((0..16u8, "(\\PC|\\p{C}|<b>|\u{202e}|\u{1b}\\[2J){0,12}", 1..90usize), 0..40),
    ) {
        let mut stage = Stage::with(story(), 80, 24);
        let mut slots = Vec::new();
        for (step, text, n) in steps {
            let hostile = TalkRow {
                subject: Some(text.clone()),
                from: PersonRow { name: Some(text.clone()), address: text.clone() },
                files: vec![FileRow::of(text.clone(), 3)],
                ..row(n as u64, &text)
            };
            match step {
                0 => stage.on(Event::Size { columns: n, lines: n / 2 }),
                1 => stage.load(vec![hostile; 3]),
                2 => stage.on(Event::Happened(Box::new(HappenedRow::Here {
                    what: Happened::Message, at: None, by: None, notice: None,
                    row: Box::new(hostile),
                }))),
                3 => stage.on(Event::Paste(text)),
                4 => stage.key(KeyCode::Tab),
                5 => stage.key(KeyCode::Enter),
                6 => stage.key(KeyCode::Esc),
                7 => stage.key(KeyCode::Up),
                8 => stage.key(KeyCode::Char(['r', 'e', '+', '/', 's', 'g', '?'][n % 7])),
                9 => stage.on(Event::Found(vec![SearchRow { conversation_name: Some(text), row: hostile, score: 1 }])),
                10 => stage.on(Event::Failed(text)),
                11 => stage.on(Event::KeepNow),
                12 => if let Some(slot) = slots.pop() {
                    stage.on(Event::NotSent { slot, why: text });
                },
                13 => stage.on(Event::Listed {
                    talks: vec![ConversationRow { name: Some(text), ..samples::conversation() }],
                    contacts: Vec::new(),
                    groups: Vec::new(),
                }),
                14 => stage.key(KeyCode::PageUp),
                _ => stage.key(KeyCode::Backspace),
            }
            let wished = stage.wished();
            slots.extend(wished.iter().filter_map(|wish| if let Wish::Send { slot, .. } = wish { Some(*slot) } else { None }));
            if stage.model.layout.columns > 0 && stage.model.layout.lines > 0 {
                let screen = stage.screen();
                let raw = screen.chars().find(|c| is_unsafe(*c) && !matches!(c, '\n' | '\u{200c}' | '\u{200d}'));
                prop_assert_eq!(raw, None, "{}", screen);
            }
            prop_assert_eq!(stage.model.outgoing.iter().filter(|out| out.writing.edits.is_none()).count(), slots.len());
        }
    }
}

#[test]
fn what_went_wrong_is_read_to_its_end() {
    let mut stage = Stage::with(story(), 80, 24);
    let why = "the file /home/somebody/a/long/way/down/notes.txt cannot be read: it is not there; check its name and its place";
    stage.on(Event::Failed(why.into()));
    assert!(stage.screen().contains("check its name and its place"), "{}", stage.screen());
    stage.typed("x");
    assert!(stage.screen().ends_with("F1 keys\n"), "{}", stage.screen());
}

#[test]
fn what_happens_while_a_conversation_is_looked_up_is_shown() {
    let mut stage = Stage { model: Model::new(Some((bob(), "bob".into())), now()), wishes: Vec::new() };
    stage.on(Event::Size { columns: 80, lines: 24 });
    let happened = |what, row: TalkRow| {
        let row = HappenedRow::Here { what, at: None, by: None, notice: None, row: Box::new(row) };
        Event::Happened(Box::new(row))
    };
    stage.on(happened(Happened::Change, row(1, "as it is")));
    let id = Some(row(2, "").id);
    let gone = HappenedRow::Gone { schema: Schema, event: 9, what: Happened::Deleted, at: None, by: None, id };
    stage.on(Event::Happened(Box::new(gone)));
    stage.on(happened(Happened::Message, row(3, "came meanwhile")));
    stage.wished();
    // The answer was made before all of it.
    stage.load(vec![row(1, "as it was"), row(2, "soon gone")]);
    let screen = stage.screen();
    assert!(screen.contains("as it is") && !screen.contains("as it was"), "{screen}");
    assert!(!screen.contains("soon gone"), "{screen}");
    assert!(stage.wished().iter().any(|wish| matches!(wish, Wish::Load { part: Part::End, .. })));
}
