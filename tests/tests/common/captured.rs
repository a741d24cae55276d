//! What one thread logs, word by word.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;

use tracing_subscriber::fmt::MakeWriter;

/// Keeps what one thread logs: the subscriber is everybody's, since one of a thread's own may come too late for
/// places that other threads have passed already.
#[derive(Clone)]
pub(crate) struct Captured {
    thread: ThreadId,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if std::thread::current().id() == self.thread {
            self.bytes.lock().unwrap().extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Captured {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Captured {
    /// Begins to keep what this thread logs; once in the life of a process.
    pub(crate) fn begin() -> Self {
        let captured = Self {
            thread: std::thread::current().id(),
            bytes: Arc::default(),
        };
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(captured.clone())
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("no other test sets one");
        captured
    }

    /// Returns what was logged so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes.lock().unwrap().clone()).unwrap()
    }
}

/// Insists that a text holds none of some secrets.
pub(crate) fn holds_none(place: &str, text: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(secret.len() > 2, "too short to be looked for");
        let at = text.find(secret);
        let around = at.map(|at| text.get(at.saturating_sub(200)..(at + 60).min(text.len())));
        assert_eq!(around, None, "{secret} is {place}");
    }
}
