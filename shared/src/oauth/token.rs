//! A token and its time.

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

/// What must be left of a token for it to be used without asking for another.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);
/// What must be left of a token for it to be used where no other can be had.
const LAST_MARGIN: SignedDuration = SignedDuration::from_mins(1);
/// What a token is taken to last where the server does not say.
const UNNAMED: SignedDuration = SignedDuration::from_mins(2);
/// What a token is taken to last at least; one that is over sooner is found out by its being refused.
const LEAST: SignedDuration = SignedDuration::from_secs(30);
/// What a token is taken to last at most; nonsense must not make it eternal.
const MOST: SignedDuration = SignedDuration::from_hours(24);

/// How long a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Life {
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// For how many seconds, as the server says; none where it does not.
    pub expires_in: Option<u64>,
}

/// A token as it was issued.
#[derive(Debug)]
pub struct AccessToken {
    value: SecretString,
    life: Life,
}

impl Life {
    fn span(&self) -> SignedDuration {
        let named = self
            .expires_in
            .map(|seconds| SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)));
        named.unwrap_or(UNNAMED).clamp(LEAST, MOST)
    }

    fn after(&self, span: SignedDuration) -> Timestamp {
        self.asked_at.checked_add(span).unwrap_or(self.asked_at)
    }

    /// Returns until when the token can be used without asking for another: one that lives shorter than ten minutes
    /// is fresh for the first half of its life.
    #[must_use]
    pub fn fresh_until(&self) -> Timestamp {
        self.after(self.span() - MARGIN.min(self.span() / 2))
    }

    /// Returns when it ends.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.after(self.span())
    }

    /// Returns when it is renewed ahead of its end: after four fifths of its life, while it is fresh, and each
    /// integration's at another moment; `spread` is any number that is always the same for one.
    #[must_use]
    pub fn renew_at(&self, spread: u64) -> Timestamp {
        let latest = self.after(self.span() * 4 / 5).min(self.fresh_until());
        let room = u64::try_from(self.span().as_secs() / 20).unwrap_or_default();
        let earlier = i64::try_from(spread % (room + 1)).unwrap_or_default();
        latest
            .checked_sub(SignedDuration::from_secs(earlier))
            .unwrap_or(latest)
    }

    /// Says whether the token can be used without asking for another.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.fresh_until()
    }

    /// Says whether the token can be used where no other can be had.
    #[must_use]
    pub fn is_usable(&self, now: Timestamp) -> bool {
        now < self.after(self.span() - LAST_MARGIN)
    }
}

impl AccessToken {
    /// Dates a token.
    #[must_use]
    pub const fn new(value: SecretString, life: Life) -> Self {
        Self { value, life }
    }

    /// Returns the token itself.
    #[must_use]
    pub const fn value(&self) -> &SecretString {
        &self.value
    }

    /// Returns how long it is good for.
    #[must_use]
    pub const fn life(&self) -> Life {
        self.life
    }

    /// Says whether another is the same token.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        let bytes = |token: &Self| token.value.expose_secret().as_bytes().to_vec();
        bytes(self).ct_eq(&bytes(other)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(expires_in: Option<u64>) -> Life {
        let asked_at = "2026-01-01T00:00:00Z".parse().unwrap();
        Life { asked_at, expires_in }
    }

    fn fresh_for(expires_in: Option<u64>) -> i64 {
        let life = life(expires_in);
        life.fresh_until().duration_since(life.asked_at).as_secs()
    }

    #[test]
    fn a_token_is_fresh_until_five_minutes_before_its_end() {
        assert_eq!(fresh_for(Some(3599)), 3299);
        assert_eq!(fresh_for(Some(600)), 300);
    }

    #[test]
    fn a_short_token_is_fresh_for_half_its_life_and_an_undated_one_is_short() {
        assert_eq!(fresh_for(Some(60)), 30);
        assert_eq!(fresh_for(Some(0)), 15);
        assert_eq!(fresh_for(None), 60);
    }

    #[test]
    fn a_token_that_claims_to_last_for_ever_lasts_a_day() {
        assert_eq!(fresh_for(Some(u64::MAX)), 24 * 3600 - 300);
    }

    #[test]
    fn a_token_is_renewed_after_four_fifths_of_its_life_and_some_a_little_earlier() {
        for spread in 0..500 {
            let life = life(Some(3_600));
            let after = life.renew_at(spread).duration_since(life.asked_at).as_secs();
            assert!((2_700..=2_880).contains(&after), "{after}");
        }
        let short = life(Some(300));
        assert!(short.renew_at(7) <= short.fresh_until());
    }
}
