//! Logs and metrics: what an operator sees, and never a secret.
//!
//! Every log line passes [`redact`] as a whole, after it was formatted, so that no
//! field, message or error chain can go around it. Metrics are a closed list with
//! bounded labels, so that nobody who sends a webhook can make them grow.
//!
//! Bodies, tokens and settings are not logged in the first place; redaction is the
//! second line of defence.

use std::io::{self, Write};

use tracing::Level;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

mod metrics;
mod redaction;

pub use metrics::{Metric, Metrics};
pub use redaction::redact;

/// Starts logging to standard error, once for a process.
pub fn text(level: Level) -> Result<(), TryInitError> {
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::from_level(level))
        .with_ansi(false)
        .with_writer(Redacted(io::stderr))
        .finish()
        .try_init()
}

/// Like [`text`], one JSON object a line.
pub fn json(level: Level) -> Result<(), TryInitError> {
    tracing_subscriber::fmt()
        .json()
        .with_max_level(LevelFilter::from_level(level))
        .with_writer(Redacted(io::stderr))
        .finish()
        .try_init()
}

/// Writers whose lines are redacted.
struct Redacted<M>(M);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Redacted<M> {
    type Writer = Line<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Line {
            writer: self.0.make_writer(),
            text: Vec::new(),
        }
    }
}

/// One event: gathered, redacted, and written when it is dropped.
struct Line<W: Write> {
    writer: W,
    text: Vec<u8>,
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Drop for Line<W> {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.text);
        // A log that cannot be written has nowhere to say so.
        self.writer
            .write_all(redact(&text).as_bytes())
            .unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, part: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(part)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(say: impl FnOnce()) -> String {
        let page = Page::default();
        let copy = page.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .without_time()
            .with_writer(Redacted(move || copy.clone()))
            .finish();
        tracing::subscriber::with_default(subscriber, say);
        let text = page.0.lock().unwrap().clone();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_secret_in_a_message_a_field_or_a_span_is_not_written() {
        let text = logged(|| {
            let span = tracing::info_span!("task", url = "https://x:ghs_SPAN@github.com");
            let _entered = span.enter();
            tracing::info!(token = "glpat-FIELD", "sent Bearer MESSAGE");
        });
        for secret in ["SPAN", "FIELD", "MESSAGE"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert_eq!(text.lines().count(), 1, "{text}");
    }

    #[test]
    fn a_key_on_many_lines_is_not_written() {
        let key = "-----BEGIN KEY-----\nAAAA\nBBBB\n-----END KEY-----";
        let text = logged(|| tracing::error!(error = key, "cannot sign"));
        assert!(!text.contains("AAAA") && !text.contains("BBBB"), "{text}");
        assert!(text.contains("cannot sign"), "{text}");
    }
}
