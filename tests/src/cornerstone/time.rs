//! Times as the portal keeps and writes them: to the millisecond, in one form for views and another elsewhere.

use jiff::Timestamp;

/// Returns a time to the millisecond.
pub(super) fn cut(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// Writes a time as the reporting views have it.
pub(super) fn view(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Writes a time as everything else has it: to the second, with an offset without a colon.
pub(super) fn plain(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S+0000").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_have_milliseconds_and_the_rest_an_offset_without_a_colon() {
        let at: Timestamp = "2026-03-01T18:29:00.0609Z".parse().unwrap();
        assert_eq!(view(cut(at)), "2026-03-01T18:29:00.060Z");
        assert_eq!(plain(at), "2026-03-01T18:29:00+0000");
    }
}
