//! Refusals: one for everybody who asks, and a reason for metrics.

/// A webhook that nothing is done with; whoever sent it learns no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the webhook is refused")]
pub struct Refused {
    reason: Reason,
}

/// Why a webhook was refused: for metrics and logs, and never for the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// It was sent to an endpoint that is not there.
    Endpoint,
    /// A header, or the part of the query, that its scheme asks for is not there.
    Missing,
    /// One of them is there more than once.
    Repeated,
    /// One of them is not what its scheme says.
    Malformed,
    /// No live secret has signed it; the secret in it is none that is live.
    Signature,
    /// It is signed, and was so too long ago.
    Stale,
    /// It is signed, with a time that is still to come.
    Ahead,
    /// A secret stands in the URL, where a header was agreed on.
    Misplaced,
    /// It speaks of another organization of the system.
    Organization,
    /// It is compressed, and should not be or not so; or it does not inflate.
    Encoding,
    /// It inflates to more than is taken.
    TooLarge,
}

impl Reason {
    /// Returns the name that metrics carry; never changed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Missing => "missing",
            Self::Repeated => "repeated",
            Self::Malformed => "malformed",
            Self::Signature => "signature",
            Self::Stale => "stale",
            Self::Ahead => "ahead",
            Self::Misplaced => "misplaced",
            Self::Organization => "organization",
            Self::Encoding => "encoding",
            Self::TooLarge => "too_large",
        }
    }
}

impl Refused {
    /// Returns why, for metrics and logs.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }
}

impl From<Reason> for Refused {
    fn from(reason: Reason) -> Self {
        Self { reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_the_same_whatever_the_reason() {
        let [stale, forged] = [Reason::Stale, Reason::Signature].map(Refused::from);
        assert_eq!(stale.to_string(), forged.to_string());
        assert_ne!(stale.reason().as_str(), forged.reason().as_str());
    }
}
