//! How much was asked of a portal in the minute, the hour, and the day that it is.
//!
//! Windows are fixed and by the simulated clock. What is refused counts as well, so that a caller who goes on asking uses up its
//! hour and its day.

use std::collections::HashMap;

use jiff::Timestamp;

use super::resource::Resource;
use super::settings::Limits;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Says whether a request is let in, and what its answer tells of limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) admitted: bool,
    /// The limit of what was asked for, in requests per minute.
    pub(super) level: u64,
    /// What is left of it.
    pub(super) remaining: u64,
}

/// Counts requests: for each resource or all, in windows of so many seconds, the window and the number.
#[derive(Debug, Default)]
pub(super) struct Throttle(HashMap<(Option<Resource>, i64), (i64, u64)>);

impl Throttle {
    pub(super) fn admit(&mut self, resource: Resource, limits: &Limits, now: Timestamp) -> Verdict {
        let own = match resource {
            Resource::Reporting => Some(limits.reporting),
            Resource::UserList => Some(limits.user_list),
            Resource::SingleUser => Some(limits.single_user),
            Resource::Token | Resource::Transcripts | Resource::Legacy => None,
        };
        let [minute, hour, day] = [MINUTE, HOUR, DAY].map(|window| self.count(None, window, now));
        let within_general = minute <= limits.per_minute && hour <= limits.per_hour && day <= limits.per_day;
        let (level, used) = match own {
            Some(level) => (level, self.count(Some(resource), MINUTE, now)),
            None => (limits.per_minute, minute),
        };
        Verdict {
            admitted: within_general && used <= level,
            level,
            remaining: level.saturating_sub(used),
        }
    }

    fn count(&mut self, resource: Option<Resource>, seconds: i64, now: Timestamp) -> u64 {
        let window = now.as_second().div_euclid(seconds);
        let counted = self.0.entry((resource, seconds)).or_insert((window, 0));
        if counted.0 != window {
            *counted = (window, 0);
        }
        counted.1 += 1;
        counted.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_is_refused_counts_against_the_hour() {
        let limits = Limits {
            per_minute: 2,
            per_hour: 5,
            ..Limits::default()
        };
        let mut throttle = Throttle::default();
        let mut asked = |second| {
            throttle
                .admit(Resource::Transcripts, &limits, at(second))
                .admitted
        };
        let minute = [asked(0), asked(1), asked(2), asked(3), asked(59)];
        assert_eq!(minute, [true, true, false, false, false]);
        assert!(!asked(60), "the hour is used up");
        assert!(asked(3600));
    }

    #[test]
    fn a_resource_has_a_limit_of_its_own_and_counts_for_all() {
        let limits = Limits {
            per_minute: 4,
            reporting: 1,
            ..Limits::default()
        };
        let mut throttle = Throttle::default();
        let first = throttle.admit(Resource::Reporting, &limits, at(0));
        assert_eq!(
            first,
            Verdict {
                admitted: true,
                level: 1,
                remaining: 0
            }
        );
        assert!(!throttle.admit(Resource::Reporting, &limits, at(1)).admitted);
        let other = throttle.admit(Resource::Transcripts, &limits, at(1));
        assert_eq!((other.admitted, other.level, other.remaining), (true, 4, 1));
    }
}
