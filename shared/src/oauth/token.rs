//! A token and its time.

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

/// What must be left of a token for it to be used without asking for another.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);
/// What must be left of a token for it to be used where no other can be had.
const LAST_MARGIN: SignedDuration = SignedDuration::from_mins(1);
/// What a token is taken to last where the server does not say.
const UNNAMED: SignedDuration = SignedDuration::from_mins(2);
/// What a token is taken to last at most; nonsense must not make it eternal.
const MOST: SignedDuration = SignedDuration::from_hours(24);

/// A token as it was issued.
#[derive(Debug)]
pub struct AccessToken {
    value: SecretString,
    fresh_until: Timestamp,
    usable_until: Timestamp,
}

impl AccessToken {
    /// Dates a token that was asked for at `asked_at`.
    ///
    /// One that lives shorter than ten minutes is fresh for the first half of its life.
    #[must_use]
    pub fn new(value: SecretString, asked_at: Timestamp, expires_in: Option<u64>) -> Self {
        let named =
            expires_in.map(|seconds| SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)));
        let life = named.unwrap_or(UNNAMED).min(MOST);
        let after = |span| asked_at.checked_add(span).unwrap_or(asked_at);
        Self {
            value,
            fresh_until: after(life - MARGIN.min(life / 2)),
            usable_until: after(life - LAST_MARGIN),
        }
    }

    /// Returns the token itself.
    #[must_use]
    pub const fn value(&self) -> &SecretString {
        &self.value
    }

    /// Says whether the token can be used without asking for another.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.fresh_until
    }

    /// Says whether the token can be used where no other can be had.
    #[must_use]
    pub fn is_usable(&self, now: Timestamp) -> bool {
        now < self.usable_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh_for(expires_in: Option<u64>) -> i64 {
        let asked_at = "2026-01-01T00:00:00Z".parse().unwrap();
        let token = AccessToken::new("t".into(), asked_at, expires_in);
        token.fresh_until.duration_since(asked_at).as_secs()
    }

    #[test]
    fn a_token_is_fresh_until_five_minutes_before_its_end() {
        assert_eq!(fresh_for(Some(3599)), 3299);
        assert_eq!(fresh_for(Some(600)), 300);
    }

    #[test]
    fn a_short_token_is_fresh_for_half_its_life_and_an_undated_one_is_short() {
        assert_eq!(fresh_for(Some(60)), 30);
        assert_eq!(fresh_for(Some(0)), 0);
        assert_eq!(fresh_for(None), 60);
    }

    #[test]
    fn a_token_that_claims_to_last_for_ever_lasts_a_day() {
        assert_eq!(fresh_for(Some(u64::MAX)), 24 * 3600 - 300);
    }
}
