//! The terminal: taken for the time of the conversation, and given back however that ends.

use std::io::{self, Stdout, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste, poll, read};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use rustix::process::{Signal, kill_current_process_group};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::bursts::{Burst, PASTE_PAUSE};
use super::model::Model;
use super::view;

/// Whether the terminal is taken: it is given back once.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();
/// So many inputs are handed over at once.
const BURST_INPUTS_MAX: usize = 4_096;
/// What is there by then came at once.
const AT_ONCE: Duration = Duration::from_millis(1);

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
        match take().and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout()))) {
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

    /// Gives the terminal back for as long as the shell has it: this process, and those it was started with, stop here.
    pub fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // Where no shell could ever wake it again, the system lets it go on.
        kill_current_process_group(Signal::TSTP)?;
        self.again()
    }

    /// Takes the terminal once more, whatever was done to it, and draws all of it next.
    pub fn again(&mut self) -> io::Result<()> {
        give_back();
        take()?;
        self.terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        Ok(())
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

fn take() -> io::Result<()> {
    enable_raw_mode()?;
    IS_TAKEN.store(true, Ordering::SeqCst);
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)
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

/// What is typed, and how the size changes, each time all that is there; it ends with the terminal.
pub fn inputs() -> io::Result<UnboundedReceiver<Burst>> {
    let (sender, receiver) = unbounded_channel();
    let wait = move || {
        loop {
            let follows = poll(PASTE_PAUSE).unwrap_or(false);
            let Ok(first) = read() else { break };
            let mut burst = Burst { inputs: vec![first], follows };
            while burst.inputs.len() < BURST_INPUTS_MAX && poll(AT_ONCE).unwrap_or(false) {
                let Ok(input) = read() else { break };
                burst.inputs.push(input);
            }
            if sender.send(burst).is_err() {
                break;
            }
        }
    };
    std::thread::Builder::new().name("keys".into()).spawn(wait)?;
    Ok(receiver)
}
