//! What has to be done to bring an enrolment from where it is to where it should be.
//!
//! | from | to | by |
//! | --- | --- | --- |
//! | nothing, or an end | requested, approved, registered | `assign`, as a new registration |
//! | approved | registered | `register` |
//! | registered | in progress | `in-progress` |
//! | registered, in progress | completed | `complete` |
//! | registered, in progress | exempt | `exempt` |
//! | registered, waitlisted, in progress | withdrawn | `withdraw` |
//!
//! Steps follow one another, such as `assign`, `register`, `complete`. The rest is for people and for the portal itself.

use http::Method;

use super::paths::Paths;

/// A request that changes an enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Makes a registration, with this assignment.
    Assign(&'static str),
    Register,
    Begin,
    Complete,
    Exempt,
    Withdraw,
    Remove,
    Update,
}

impl Step {
    pub(super) fn method(self) -> Method {
        match self {
            Self::Assign(_) => Method::POST,
            _ => Method::PATCH,
        }
    }

    pub(super) fn path(self, paths: &Paths) -> &str {
        match self {
            Self::Assign(_) => &paths.assign,
            Self::Register => &paths.register,
            Self::Begin => &paths.in_progress,
            Self::Complete => &paths.complete,
            Self::Exempt => &paths.exempt,
            Self::Withdraw => &paths.withdraw,
            Self::Remove => &paths.remove,
            Self::Update => &paths.update,
        }
    }
}

/// Returns the steps from one status to another; `from` is nothing where there is no registration.
///
/// # Errors
///
/// Why there are none.
pub(super) fn between(from: Option<&str>, to: &str) -> Result<Vec<Step>, &'static str> {
    use Step::{Assign, Begin, Complete, Exempt, Register, Withdraw};
    if from == Some(to) {
        return Ok(Vec::new());
    }
    let (mut steps, at) = match from {
        None | Some("completed" | "exempt" | "withdrawn" | "cancelled" | "no_show") => match to {
            "requested" => return Ok(vec![Assign("assigned")]),
            "approved" => return Ok(vec![Assign("approved")]),
            _ => (vec![Assign("registered")], "registered"),
        },
        Some("approved") => (vec![Register], "registered"),
        Some(at) => (Vec::new(), at),
    };
    match (at, to) {
        ("registered", "registered") => {}
        ("registered", "in_progress") => steps.push(Begin),
        ("registered" | "in_progress", "completed") => steps.push(Complete),
        ("registered" | "in_progress", "exempt") => steps.push(Exempt),
        ("registered" | "in_progress" | "waitlisted", "withdrawn") if from.is_some() => steps.push(Withdraw),
        ("requested", _) => return Err("cannot be set while the request waits for approval in Cornerstone"),
        (
            _,
            "requested" | "approved" | "registered" | "in_progress" | "completed" | "exempt" | "withdrawn",
        ) => {
            return Err("cannot be reached from where the enrolment is in Cornerstone: change it there");
        }
        _ => return Err("is set by Cornerstone alone: change it there"),
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::Step::{Assign, Begin, Complete, Register, Withdraw};
    use super::*;

    #[test]
    fn steps_lead_from_where_it_is_to_where_it_should_be() {
        for (from, to, expected) in [
            (None, "registered", vec![Assign("registered")]),
            (None, "approved", vec![Assign("approved")]),
            (None, "requested", vec![Assign("assigned")]),
            (None, "completed", vec![Assign("registered"), Complete]),
            (Some("registered"), "registered", vec![]),
            (Some("registered"), "in_progress", vec![Begin]),
            (Some("approved"), "completed", vec![Register, Complete]),
            (Some("in_progress"), "completed", vec![Complete]),
            (Some("registered"), "withdrawn", vec![Withdraw]),
            (Some("withdrawn"), "registered", vec![Assign("registered")]),
            (
                Some("completed"),
                "in_progress",
                vec![Assign("registered"), Begin],
            ),
        ] {
            assert_eq!(between(from, to).unwrap(), expected, "{from:?} {to}");
        }
    }

    #[test]
    fn what_only_people_or_the_portal_do_is_refused() {
        for (from, to) in [
            (None, "withdrawn"),
            (None, "no_show"),
            (Some("registered"), "approved"),
            (Some("in_progress"), "registered"),
            (Some("requested"), "registered"),
            (Some("registered"), "waitlisted"),
            (Some("registered"), "cancelled"),
        ] {
            assert!(between(from, to).is_err(), "{from:?} {to}");
        }
    }
}
