//! What a record was like, for views that see it later than everybody else.

use jiff::Timestamp;

/// Keeps a record as it is, and as far back as somebody can still see it.
#[derive(Debug, Clone)]
pub(super) struct History<T>(Vec<Version<T>>);

#[derive(Debug, Clone)]
pub(super) struct Version<T> {
    /// When the warehouse has it.
    pub(super) visible_at: Timestamp,
    pub(super) record: T,
}

impl<T> History<T> {
    pub(super) fn new(record: T, visible_at: Timestamp) -> Self {
        Self(vec![Version { visible_at, record }])
    }

    /// Returns the record as it is.
    pub(super) fn current(&self) -> &T {
        &self.0.last().expect("a history is never empty").record
    }

    /// Returns the record as the warehouse has it, if it has it.
    pub(super) fn seen(&self, now: Timestamp) -> Option<&Version<T>> {
        self.0.iter().rev().find(|version| version.visible_at <= now)
    }

    /// Adds a version, and forgets those that nobody can see any more.
    pub(super) fn put(&mut self, record: T, visible_at: Timestamp, now: Timestamp) {
        let seen = self.0.iter().rposition(|version| version.visible_at <= now);
        self.0.drain(..seen.unwrap_or_default());
        self.0.push(Version { visible_at, record });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_version_never_follows_a_newer_one() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut history = History::new("first", at(0));
        history.put("late", at(900), at(10));
        history.put("soon", at(30), at(20));
        let seen = |second| history.seen(at(second)).map(|version| version.record);
        assert_eq!(
            (seen(29), seen(30), seen(901)),
            (Some("first"), Some("soon"), Some("soon"))
        );
        assert_eq!(*history.current(), "soon");
        history.put("last", at(950), at(940));
        assert_eq!(history.0.len(), 3, "what nobody can see is gone: {history:?}");
    }
}
