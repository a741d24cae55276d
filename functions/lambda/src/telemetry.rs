//! What is logged: one JSON object a line.

use shared::config::{Environment, ProcessEnvironment};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Our own crates, at the level that Lambda is set to; of all others only what is wrong, since what they say of
/// requests and answers at lower levels is nobody's business.
const OURS: [&str; 9] = [
    "shared",
    "lambda",
    "trigger_sync",
    "integrations",
    "token_refresh",
    "webhooks",
    "reconcile",
    "authorizer",
    "integration_systems",
];

/// Starts logging, at the level in `AWS_LAMBDA_LOG_LEVEL`; `INFO` where there is none.
pub fn start() {
    let level = ProcessEnvironment.variable("AWS_LAMBDA_LOG_LEVEL");
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_ansi(false);
    tracing_subscriber::registry()
        .with(lines)
        .with(filter(level.as_deref().unwrap_or("INFO")))
        .init();
}

/// The runtime's own span carries the id of the invocation.
fn filter(level: &str) -> Targets {
    let level = match level.to_ascii_uppercase().as_str() {
        "TRACE" => LevelFilter::TRACE,
        "DEBUG" => LevelFilter::DEBUG,
        "WARN" => LevelFilter::WARN,
        "ERROR" | "FATAL" => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    };
    Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("lambda_runtime", LevelFilter::INFO)
        .with_targets(OURS.map(|name| (name, level)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_for_us_and_not_for_what_we_use() {
        let told = filter("debug");
        assert!(told.would_enable("shared::sync", &tracing::Level::DEBUG));
        assert!(!told.would_enable("reqwest::connect", &tracing::Level::INFO));
        assert!(told.would_enable("reqwest::connect", &tracing::Level::WARN));
        assert!(!filter("canary").would_enable("shared", &tracing::Level::DEBUG));
        assert_eq!(filter("fatal").default_level(), Some(LevelFilter::WARN));
    }
}
