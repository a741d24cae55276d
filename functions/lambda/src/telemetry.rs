//! What is logged: one JSON object a line.

use shared::config::{Environment, ProcessEnvironment};
use tracing_subscriber::EnvFilter;

/// Our own crates, at the level that Lambda is set to; of all others only what is wrong, since what they say of
/// requests and answers at lower levels is nobody's business.
const OURS: [&str; 7] = [
    "shared",
    "lambda",
    "trigger_sync",
    "integrations",
    "dynamics365",
    "reconcile",
    "authorizer",
];

/// Starts logging, at the level in `AWS_LAMBDA_LOG_LEVEL`; `INFO` where there is none.
pub fn start() {
    let level = ProcessEnvironment.variable("AWS_LAMBDA_LOG_LEVEL");
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_ansi(false)
        .with_env_filter(filter(level.as_deref().unwrap_or("INFO")))
        .init();
}

/// The runtime's own span carries the id of the invocation.
fn filter(level: &str) -> EnvFilter {
    let level = match level.to_ascii_uppercase().as_str() {
        "FATAL" => "ERROR".to_owned(),
        known @ ("TRACE" | "DEBUG" | "INFO" | "WARN" | "ERROR") => known.to_owned(),
        _ => "INFO".to_owned(),
    };
    let ours = OURS.map(|name| format!("{name}={level}")).join(",");
    EnvFilter::new(format!("WARN,lambda_runtime=INFO,{ours}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_for_us_and_not_for_what_we_use() {
        let filter = filter("debug").to_string();
        assert!(
            filter.contains("shared=debug") && filter.contains("warn"),
            "{filter}"
        );
        assert!(super::filter("canary").to_string().contains("shared=info"));
    }
}
