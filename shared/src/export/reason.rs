//! Why somebody decided something.

use std::fmt;
use std::str::FromStr;

/// The most characters.
const MAX: usize = 500;

/// Why somebody decided what the protocol would not, in words: kept with who it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(Box<str>);

/// It says nothing, or too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a reason has from 1 to {MAX} characters, and no control characters")]
pub struct NoReason;

impl Reason {
    /// Returns it as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reason {
    type Err = NoReason;

    fn from_str(text: &str) -> Result<Self, NoReason> {
        let text = text.trim();
        let fits = !text.is_empty() && text.chars().count() <= MAX && !text.chars().any(char::is_control);
        fits.then(|| Self(text.into())).ok_or(NoReason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_something() {
        assert_eq!(
            " it was paid in cash ".parse::<Reason>().unwrap().as_str(),
            "it was paid in cash"
        );
        for bad in ["", "  ", "\n", "a\u{7}b", &"x".repeat(501)] {
            assert_eq!(bad.parse::<Reason>(), Err(NoReason));
        }
    }
}
