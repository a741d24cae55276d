//! Secrets that cannot be guessed: what is weaker is never taken.

use std::collections::BTreeSet;

use uuid::Uuid;

/// How many different characters or bytes a secret has at least; one of 128 random bits has more.
const DIFFERENT: usize = 8;

/// The most bytes of a secret.
const LONGEST: usize = 512;

const WEAK: &str = "must be random, with at least 128 bits: for example 32 random bytes in hex";

/// Accepts a text that can hold 128 random bits, with the characters that it is written in.
pub(super) fn text(secret: &str) -> Result<(), String> {
    let characters: BTreeSet<char> = secret.chars().collect();
    let readable = secret.len() <= LONGEST && !secret.contains(char::is_control);
    let length = u32::try_from(secret.chars().count()).unwrap_or(u32::MAX);
    let can_hold_128_bits = alphabet(&characters).checked_pow(length).is_none();
    // Six bits of a UUID are always the same.
    let is_uuid = secret.len() == 36 && Uuid::try_parse(secret).is_ok();
    let strong = readable && can_hold_128_bits && !is_uuid && characters.len() >= DIFFERENT;
    strong.then_some(()).ok_or_else(|| WEAK.to_owned())
}

/// Returns how many characters there are of the classes that these are of.
fn alphabet(characters: &BTreeSet<char>) -> u128 {
    let any = |class: fn(&char) -> bool, size| characters.iter().any(class).then_some(size);
    let classes = [
        any(char::is_ascii_digit, 10),
        any(|c| matches!(c, 'a'..='f'), 6),
        any(|c| matches!(c, 'g'..='z'), 20),
        any(|c| matches!(c, 'A'..='F'), 6),
        any(|c| matches!(c, 'G'..='Z'), 20),
        any(|c| !c.is_ascii_alphanumeric(), 32),
    ];
    classes.into_iter().flatten().sum()
}

/// Accepts bytes, of which there are at least so many.
pub(super) fn bytes(secret: &[u8], least: usize, most: usize) -> Result<(), String> {
    let different = secret.iter().collect::<BTreeSet<_>>().len();
    match (least..=most).contains(&secret.len()) && different >= DIFFERENT {
        true => Ok(()),
        false => Err(format!("must be {least} to {most} random bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_cannot_hold_128_bits_is_refused() {
        for weak in [
            "",
            "secret",
            "0123456789abcdef",
            "0123456789abcdef0123456789abcde",
            "12345678901234567890123456789012345678",
            "correcthorsebatterystaple",
            "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
            "0123456789abcdef0123456789abcdef\n",
        ] {
            assert!(text(weak).is_err(), "{weak}");
        }
        for (few, long) in [("a", 100), ("ab", 50), ("A1b-", 25), ("0123456789abcdef", 33)] {
            assert!(text(&few.repeat(long)).is_err(), "{long} of {few}");
        }
        for strong in [
            "0123456789abcdef0123456789abcdef",
            "It's a Secret to Everybody",
            "Zq3T0n2WcX8vB5mK7hJ1pL",
            "hemmelig blåbærsyltetøy 2026 i kjelleren",
        ] {
            assert!(text(strong).is_ok(), "{strong}");
        }
    }

    #[test]
    fn bytes_are_enough_and_not_all_the_same() {
        let random = b"0123456789abcdef0123456789abcdef";
        assert!(bytes(random, 32, 64).is_ok());
        assert!(bytes(random, 33, 64).is_err());
        assert!(bytes(random, 16, 31).is_err());
        assert!(bytes(&[7; 32], 16, 64).is_err());
        assert!(bytes(&[], 16, 64).is_err());
    }
}
