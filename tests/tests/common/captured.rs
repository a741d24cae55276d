//! What one thread logs, word by word.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{LazyLock, Mutex, Once};
use std::thread::ThreadId;

use tracing_subscriber::fmt::MakeWriter;

/// What the threads log that want it kept.
static KEPT: LazyLock<Mutex<HashMap<ThreadId, Vec<u8>>>> = LazyLock::new(Mutex::default);

/// Keeps what one thread logs: the subscriber is everybody's, since one of a thread's own may come too late for
/// places that other threads have passed already.
#[derive(Clone)]
pub(crate) struct Captured;

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = KEPT.lock().unwrap();
        if let Some(kept) = kept.get_mut(&std::thread::current().id()) {
            kept.extend_from_slice(bytes);
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
        Self
    }
}

impl Captured {
    /// Begins to keep what this thread logs.
    pub(crate) fn begin() -> Self {
        static SET: Once = Once::new();
        SET.call_once(|| {
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_writer(Self)
                .finish();
            tracing::subscriber::set_global_default(subscriber).expect("nobody else sets one");
        });
        let thread = std::thread::current().id();
        KEPT.lock().unwrap().insert(thread, Vec::new());
        Self
    }

    /// Returns what was logged so far.
    pub(crate) fn text(&self) -> String {
        let kept = KEPT.lock().unwrap();
        String::from_utf8(kept[&std::thread::current().id()].clone()).unwrap()
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
