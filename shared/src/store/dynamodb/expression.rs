//! Expectations and contents as DynamoDB's expressions.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::item::{Item, number, text};
use crate::store::{Content, Due, Expect};

/// Holds for every row that the attempt has not written yet.
pub(super) const NOT_YET: &str = "attribute_not_exists(attempt) OR attempt <> :attempt";

/// Returns the name under which the index has a list.
pub(super) const fn name(list: Due) -> &'static str {
    match list {
        Due::Reconcile => "due",
        Due::Tokens => "tokens",
    }
}

/// Returns the condition under which a write happens, if it has one, and adds its values.
pub(super) fn condition(expect: Expect, values: &mut Item) -> Option<&'static str> {
    match expect {
        Expect::Anything => None,
        Expect::Absent => Some("attribute_not_exists(pk)"),
        Expect::Version(version) => {
            values.insert(":expected".to_owned(), number(version));
            Some("version = :expected")
        }
        Expect::HeldUnder(fence) => {
            values.insert(":holder".to_owned(), number(fence));
            Some("fence = :holder")
        }
        Expect::Fenced { version, fence } => {
            values.insert(":expected".to_owned(), number(version));
            values.insert(":holder".to_owned(), number(fence));
            Some("version = :expected AND (attribute_not_exists(fence) OR fence <= :holder)")
        }
    }
}

/// Returns the update that makes a row say `content`, and adds its values.
///
/// An update and not a replacement, because the stored fence and version are not always known here.
pub(super) fn update(content: Content, expect: Expect, attempt: Option<&str>, values: &mut Item) -> String {
    let mut set = format!("SET body = :body, {}", next_version(expect, values));
    let mut remove = Vec::new();
    values.insert(":body".to_owned(), text(content.body));
    let due_at = content.due.map(|(_, at)| number(at.as_millisecond()));
    let due = content.due.map(|(list, _)| text(name(list)));
    let expires_at = content.expires_at.map(|at| number(whole_seconds(at)));
    for (name, value) in [("due_at", due_at), ("due", due), ("expires_at", expires_at)] {
        match value {
            Some(value) => assign(&mut set, name, value, values),
            None => remove.push(name),
        }
    }
    let kept = [
        ("fence", content.fence.map(number)),
        ("attempt", attempt.map(text)),
    ];
    for (name, value) in kept {
        if let Some(value) = value {
            assign(&mut set, name, value, values);
        }
    }
    if remove.is_empty() {
        set
    } else {
        format!("{set} REMOVE {}", remove.join(", "))
    }
}

fn next_version(expect: Expect, values: &mut Item) -> &'static str {
    let next = match expect {
        Expect::Absent => 1,
        // No row has the last version: a condition on it fails.
        Expect::Version(version) | Expect::Fenced { version, .. } => version.saturating_add(1),
        Expect::Anything | Expect::HeldUnder(_) => {
            values.insert(":none".to_owned(), number(0));
            values.insert(":one".to_owned(), number(1));
            return "version = if_not_exists(version, :none) + :one";
        }
    };
    values.insert(":version".to_owned(), number(next));
    "version = :version"
}

fn assign(set: &mut String, name: &str, value: AttributeValue, values: &mut Item) {
    let placeholder = format!(":{name}");
    for part in [", ", name, " = ", &placeholder] {
        set.push_str(part);
    }
    values.insert(placeholder, value);
}

/// Counts up to the next whole second, so that no row is dropped before its time.
fn whole_seconds(at: Timestamp) -> i64 {
    at.as_second() + i64::from(at.subsec_nanosecond() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn expiry_is_in_seconds_and_due_time_in_milliseconds() {
        let time = at("2026-01-01T00:00:00.5Z");
        let mut values = Item::new();
        let content = Content::of(&1).due_at(time).expires_at(time);
        update(content, Expect::Absent, None, &mut values);
        assert_eq!(values[":expires_at"], number(1_767_225_601_i64));
        assert_eq!(values[":due_at"], number(1_767_225_600_500_i64));
    }

    #[test]
    fn a_put_without_fence_keeps_the_fence_and_drops_the_old_times() {
        let expression = update(Content::of(&1), Expect::Version(3), None, &mut Item::new());
        assert_eq!(
            expression,
            "SET body = :body, version = :version REMOVE due_at, due, expires_at"
        );
    }
}
