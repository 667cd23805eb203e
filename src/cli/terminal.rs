//! Where a command's words go.
//!
//! One place writes to the process's streams, so that nothing else prints. A
//! reader that went away (`| head`) ends the writing quietly.

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
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
    /// Why an answer was not written in full.
    unwritten: Option<io::Error>,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        Self {
            is_quiet: false,
            started: SystemClock.timestamp(),
            progress_shown: false,
            unwritten: None,
        }
    }

    /// Leaves out progress and notes from now on.
    pub(crate) fn hush(&mut self) {
        self.is_quiet = true;
    }

    /// The answer.
    pub(crate) fn answer(&mut self, text: &str) {
        self.answer_by(|out| out.write_all(text.as_bytes()));
    }

    /// An answer that is too large to be put together before it is written.
    pub(crate) fn answer_by(&mut self, write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) {
        self.clear_progress();
        let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
        let written = write(&mut out).and_then(|()| out.flush());
        // A closed pipe is the reader's choice and no fault of the command.
        let fault = written
            .err()
            .filter(|it| it.kind() != ErrorKind::BrokenPipe);
        self.unwritten = self.unwritten.take().or(fault);
    }

    /// Why an answer was not written in full; `None` when all were.
    pub(crate) fn unwritten(&self) -> Option<&io::Error> {
        self.unwritten.as_ref()
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
        if !self.is_quiet && waited > PATIENCE && io::stderr().is_terminal() {
            self.write_error(&format!("\r\u{1b}[K{what} …"));
            self.progress_shown = true;
        }
    }

    fn clear_progress(&mut self) {
        if std::mem::take(&mut self.progress_shown) {
            drop(io::stderr().write_all(b"\r\x1b[K"));
        }
    }

    fn write_error(&mut self, text: &str) {
        self.clear_progress();
        // There is nowhere left to say that standard error is closed.
        drop(io::stderr().write_all(text.as_bytes()));
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
