//! Digits, and the control digits that follow from them.

use super::NumberError;

/// Longer than any number with all that may stand between its digits.
const LONGEST: usize = 100;

/// Returns a text without the spaces, and the points, that people set between groups of digits.
pub(super) fn bare(text: &str, separators: &[char]) -> Option<String> {
    let is_space =
        |letter: &char| matches!(letter, ' ' | '\u{a0}' | '\u{202f}') || separators.contains(letter);
    let fits = text.len() <= LONGEST;
    fits.then(|| text.chars().filter(|letter| !is_space(letter)).collect())
}

/// Returns the value of each digit of a number that must have `N`.
pub(super) fn digits<const N: usize>(
    what: &'static str,
    text: &str,
    separators: &[char],
    reason: &'static str,
) -> Result<[u8; N], NumberError> {
    let bare = bare(text, separators).filter(|bare| bare.bytes().all(|byte| byte.is_ascii_digit()));
    let values: Option<Vec<u8>> = bare.map(|bare| bare.bytes().map(|byte| byte - b'0').collect());
    let values = values.and_then(|values| values.try_into().ok());
    values.ok_or(NumberError::new(what, reason))
}

/// Returns digits as text.
pub(super) fn text(digits: &[u8]) -> Box<str> {
    digits
        .iter()
        .map(|digit| char::from(b'0' + digit))
        .collect::<String>()
        .into()
}

/// Returns the control digit of modulus 11; none where it would be ten.
pub(super) fn mod11(digits: &[u8], weights: impl IntoIterator<Item = u32>) -> Option<u8> {
    let sum: u32 = digits
        .iter()
        .zip(weights)
        .map(|(digit, weight)| u32::from(*digit) * weight)
        .sum();
    match 11 - sum % 11 {
        11 => Some(0),
        10 => None,
        control => u8::try_from(control).ok(),
    }
}

/// Returns the control digit of modulus 10, by Luhn.
pub(super) fn mod10(digits: &[u8]) -> u8 {
    let doubled = |(place, digit): (usize, &u8)| match (place % 2 == 0, *digit) {
        (true, digit) if digit > 4 => 2 * digit - 9,
        (true, digit) => 2 * digit,
        (false, digit) => digit,
    };
    let sum: u32 = digits.iter().rev().enumerate().map(doubled).map(u32::from).sum();
    u8::try_from((10 - sum % 10) % 10).unwrap_or_default()
}
