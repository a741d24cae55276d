//! Message authentication codes, compared in constant time.
//!
//! Source: RFC 2104 and RFC 4231, HMAC.

use ring::hmac::{Context, Key, Tag};
use subtle::{Choice, ConstantTimeEq as _};

/// Returns the code of what is made of these parts.
pub(super) fn code(key: &Key, parts: &[&[u8]]) -> Tag {
    let mut context = Context::with_key(key);
    parts.iter().for_each(|part| context.update(part));
    context.sign()
}

/// Says whether a signature is the key's code of these parts.
pub(super) fn signs(key: &Key, parts: &[&[u8]], signature: &[u8]) -> Choice {
    code(key, parts).as_ref().ct_eq(signature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::vectors;

    #[test]
    fn codes_are_those_that_were_published() {
        for vector in vectors::codes() {
            let key = Key::new(vector.algorithm(), &vector.key());
            let (message, expected) = (vector.message(), vector.code());
            let computed = code(&key, &[&message]);
            assert_eq!(computed.as_ref()[..expected.len()], expected, "{}", vector.name);
            let (one, other) = message.split_at(message.len() / 2);
            let in_parts = code(&key, &[one, b"", other]);
            assert_eq!(in_parts.as_ref(), computed.as_ref(), "{}", vector.name);
        }
    }
}
