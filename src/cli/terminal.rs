//! Where a command's words go.
//!
//! One place writes to the process's streams, so that nothing else prints. A
//! reader that went away (`| head`) ends the writing quietly.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use crate::clock::{Clock as _, SystemClock, Timestamp};

/// Work that takes longer than this says that it is going on.
const PATIENCE: Duration = Duration::from_secs(1);

/// The process's standard streams.
#[derive(Debug)]
pub(crate) struct Terminal {
    is_quiet: bool,
    started: Timestamp,
    progress_shown: bool,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        Self {
            is_quiet: false,
            started: SystemClock.timestamp(),
            progress_shown: false,
        }
    }

    /// Leaves out progress and notes from now on.
    pub(crate) fn quiet(&mut self, quiet: bool) {
        self.is_quiet |= quiet;
    }

    /// The answer.
    pub(crate) fn answer(&mut self, text: &str) {
        self.answer_by(|out| out.write_all(text.as_bytes()));
    }

    /// An answer that is too large to be put together before it is written.
    pub(crate) fn answer_by(
        &mut self,
        write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>,
    ) {
        self.clear_progress();
        let mut out = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
        // A closed pipe is the reader's choice and no fault of the command.
        drop(write(&mut out).and_then(|()| out.flush()));
    }

    /// A remark beside the answer.
    pub(crate) fn note(&mut self, text: &str) {
        if !self.is_quiet {
            self.write_error(&format!("note: {text}\n"));
        }
    }

    /// What went wrong.
    pub(crate) fn fault(&mut self, text: &str) {
        self.write_error(&format!("trimtab: {text}\n"));
    }

    /// What is being done, shown to a person who has waited a second.
    pub(crate) fn progress(&mut self, what: &str) {
        let waited = SystemClock.timestamp().since(self.started);
        if !self.is_quiet && waited > PATIENCE && std::io::stderr().is_terminal() {
            self.write_error(&format!("\r\u{1b}[K{what} …"));
            self.progress_shown = true;
        }
    }

    fn clear_progress(&mut self) {
        if std::mem::take(&mut self.progress_shown) {
            drop(std::io::stderr().write_all(b"\r\x1b[K"));
        }
    }

    fn write_error(&mut self, text: &str) {
        self.clear_progress();
        // There is nowhere left to say that standard error is closed.
        drop(std::io::stderr().write_all(text.as_bytes()));
    }
}

/// An answer that grows line by line.
#[derive(Debug)]
pub(super) struct Text(Vec<String>);

impl Text {
    pub(super) fn begin(first: String) -> Self {
        Self(vec![first])
    }

    pub(super) fn add(&mut self, more: String) {
        self.0.push(more);
    }

    pub(super) fn end(self) -> String {
        self.0.concat()
    }
}
