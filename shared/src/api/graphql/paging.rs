//! Cursors: the position of a system in the list, as the API that this one follows writes it.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Refusal;

/// What the position is written after.
const BEFORE: &str = "DpKtJ4j9jDq";

/// The most systems of a page.
pub(super) const MOST: i32 = 200;

/// A place in a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct PageCursor(pub(super) String);

#[Scalar(name = "PageCursor")]
impl ScalarType for PageCursor {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(Self(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

impl PageCursor {
    /// Returns the cursor of a position.
    pub(super) fn at(position: usize) -> Self {
        Self(STANDARD.encode(format!("{BEFORE}{position}")))
    }

    /// Returns the position; that of an empty cursor is the first.
    pub(super) fn position(&self) -> Result<usize, Refusal> {
        if self.0.is_empty() {
            return Ok(0);
        }
        let wrong = || Refusal::InvalidArgument("cursor is not correct".to_owned());
        let bytes = STANDARD.decode(&self.0).map_err(|_| wrong())?;
        let text = String::from_utf8(bytes).map_err(|_| wrong())?;
        let digits = text.strip_prefix(BEFORE).unwrap_or(&text);
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        let position: Option<u32> = digits.parse().ok().filter(|_| plain);
        let position = position.and_then(|position| usize::try_from(position).ok());
        position.ok_or_else(wrong)
    }
}

/// Checks how many are asked for.
pub(super) fn size(first: Option<i32>) -> Result<usize, Refusal> {
    let first =
        first.ok_or_else(|| Refusal::InvalidArgument("missing required parameter 'first'".to_owned()))?;
    let fits = usize::try_from(first)
        .ok()
        .filter(|_| (1..=MOST).contains(&first));
    let rule = || Refusal::InvalidArgument(format!("page size must be between 1 and {MOST}"));
    fits.ok_or_else(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_written_as_clients_know_them() {
        for (position, text) in [
            (1, "RHBLdEo0ajlqRHEx"),
            (2, "RHBLdEo0ajlqRHEy"),
            (100, "RHBLdEo0ajlqRHExMDA="),
            (200, "RHBLdEo0ajlqRHEyMDA="),
        ] {
            assert_eq!(PageCursor::at(position).0, text);
            assert_eq!(PageCursor(text.to_owned()).position(), Ok(position));
        }
        assert_eq!(PageCursor::default().position(), Ok(0));
        assert_eq!(PageCursor(STANDARD.encode("100")).position(), Ok(100));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in [
            "-1",
            "+1",
            "DpKtJ4j9jDq",
            "1.5",
            "x",
            "99999999999999999999",
            "DpKtJ4j9jDq-1",
        ] {
            assert!(PageCursor(STANDARD.encode(text)).position().is_err(), "{text}");
        }
        assert!(PageCursor("!".to_owned()).position().is_err());
        assert!(PageCursor(STANDARD.encode([0xff])).position().is_err());
    }

    #[test]
    fn a_page_has_one_to_two_hundred_systems() {
        assert_eq!((size(Some(1)), size(Some(200))), (Ok(1), Ok(200)));
        for wrong in [None, Some(0), Some(-1), Some(201), Some(i32::MAX)] {
            assert!(size(wrong).is_err(), "{wrong:?}");
        }
    }
}
