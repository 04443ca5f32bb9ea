//! The terminal: taken for the time of the conversation, and given back however that ends.

use std::io::{self, Stdout, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste, Event, read};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::model::Model;
use super::view;

/// Whether the terminal is taken: it is given back once.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    has_colour: bool,
}

impl Screen {
    pub fn take(has_colour: bool) -> io::Result<Screen> {
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            // What a panic says must stand on the screen that stays.
            std::panic::set_hook(Box::new(move |panic| {
                give_back();
                before(panic);
            }));
        });
        enable_raw_mode()?;
        IS_TAKEN.store(true, Ordering::SeqCst);
        let screen = execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)
            .and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        match screen {
            Ok(terminal) => Ok(Screen { terminal, has_colour }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// Columns and lines.
    pub fn size(&self) -> (usize, usize) {
        let size = self.terminal.size().map(|size| (usize::from(size.width), usize::from(size.height)));
        size.ok().filter(|(columns, lines)| *columns > 0 && *lines > 0).unwrap_or((80, 24))
    }

    pub fn draw(&mut self, model: &Model) -> io::Result<()> {
        let has_colour = self.has_colour;
        self.terminal.draw(|frame| {
            let cursor = view::draw(model, has_colour, frame.buffer_mut());
            if let Some(place) = cursor.filter(|place| frame.area().contains(*place)) {
                frame.set_cursor_position(place);
            }
        })?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Leaves the terminal as it was found.
pub fn give_back() {
    if IS_TAKEN.swap(false, Ordering::SeqCst) {
        let mut stdout = io::stdout();
        // A terminal that is gone needs nothing.
        let _ = execute!(stdout, DisableBracketedPaste, LeaveAlternateScreen, Show);
        let _ = stdout.flush();
        let _ = disable_raw_mode();
    }
}

/// What is typed, and how the size changes; it ends with the terminal.
pub fn inputs() -> io::Result<UnboundedReceiver<Event>> {
    let (sender, receiver) = unbounded_channel();
    let wait = move || {
        while let Ok(event) = read() {
            if sender.send(event).is_err() {
                break;
            }
        }
    };
    std::thread::Builder::new().name("keys".into()).spawn(wait)?;
    Ok(receiver)
}
