//! Events as AWS delivers them, for the tests of the functions; each file is there to be run.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use shared::clock::{Clock, SystemClock};
use shared::flow::Ports;
use shared::queue::MemoryQueue;
use shared::store::MemoryStore;

use crate::{Invocation, Output};

/// Returns the events of a function, by case.
///
/// # Panics
///
/// If `events/{function}` cannot be read.
#[must_use]
pub fn events(function: &str) -> BTreeMap<String, Invocation> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../events")
        .join(function);
    let files = std::fs::read_dir(folder).expect("the function has events");
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        let path = file.expect("the folder can be read").path();
        let text = std::fs::read_to_string(&path).expect("the event can be read");
        let case = path
            .file_stem()
            .expect("a file has a name")
            .to_string_lossy()
            .into_owned();
        (
            case,
            serde_json::from_str(&text).expect("the event wakes a function"),
        )
    };
    files.map(read).collect()
}

/// Returns ports in memory.
#[must_use]
pub fn memory() -> Ports {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let queue = Arc::new(MemoryQueue::new(Arc::clone(&clock)));
    Ports {
        store: Arc::new(MemoryStore::new()),
        queue,
        clock,
    }
}

/// Returns the status and the content of an answer to a request.
///
/// # Panics
///
/// If it is no such answer.
#[must_use]
pub fn answered(output: &Output) -> (u64, String) {
    let json = serde_json::to_value(output).expect("an answer is JSON");
    let status = json["statusCode"].as_u64().expect("an answer has a status");
    assert_eq!(json["isBase64Encoded"], Value::Bool(false));
    (status, json["body"].as_str().unwrap_or_default().to_owned())
}
