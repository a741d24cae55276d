//! Message authentication codes and signatures, compared in constant time.
//!
//! Source: RFC 2104 and RFC 4231, HMAC; RFC 8032, ed25519.

use ring::hmac::{Context, Key, Tag};
use ring::signature::{ED25519, UnparsedPublicKey};
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

/// A public key of ed25519.
pub(super) struct PublicKey([u8; 32]);

/// The points that are no keys: whoever signs under one needs to know nothing. Each stands for two, with the sign.
///
/// Source: RFC 8032, section 5.1; the points of order 1, 2, 4 and 8 of its curve.
const SMALL_ORDER: [[u8; 32]; 5] = [
    with_ends(0, 0, 0),
    with_ends(1, 0, 0),
    with_ends(0xec, 0xff, 0x7f),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

const fn with_ends(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

impl PublicKey {
    /// Takes the bytes of a key; those of a point of small order, or in a second spelling, are none.
    pub(super) fn new(bytes: [u8; 32]) -> Option<Self> {
        let mut point = bytes;
        point[31] &= 0x7f;
        // 2^255 - 19 and what is above it.
        let second_spelling = point[0] >= 0xed && point[1..31] == [0xff; 30] && point[31] == 0x7f;
        (!second_spelling && !SMALL_ORDER.contains(&point)).then_some(Self(bytes))
    }

    /// Says whether a signature is this key's; all of it is public, and takes the time it takes.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> Choice {
        let key = UnparsedPublicKey::new(&ED25519, self.0);
        Choice::from(u8::from(key.verify(message, signature).is_ok()))
    }
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

    #[test]
    fn signatures_are_those_that_were_published() {
        for vector in vectors::signatures() {
            let verifies = PublicKey::new(vector.key())
                .is_some_and(|key| key.verifies(&vector.message(), &vector.signature()).into());
            assert_eq!(verifies, vector.verifies, "{}", vector.name);
        }
    }

    #[test]
    fn a_point_of_small_order_is_no_key() {
        for point in SMALL_ORDER {
            let mut negative = point;
            negative[31] |= 0x80;
            assert!(PublicKey::new(point).is_none() && PublicKey::new(negative).is_none());
        }
        for above in [0xed, 0xee, 0xff] {
            assert!(PublicKey::new(with_ends(above, 0xff, 0x7f)).is_none());
        }
        assert!(PublicKey::new([9; 32]).is_some());
    }
}
