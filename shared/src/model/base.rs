//! Fingerprints of a record's fields: enough to tell whether a value changed, without keeping the value.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::{Fields, Kind};

/// Letters that one fingerprint takes: 48 bits, so that a changed value looks unchanged once in 10¹⁴ times.
const WIDTH: usize = 8;

/// What stands in the place of a field that is not mapped.
const UNMAPPED: &str = "--------";

/// The fingerprints of a record's fields, eight letters for each position of [`Kind::fields`].
///
/// Fields are only ever added at the end of a kind, so that an old text is the beginning of a new one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Base(Box<str>);

impl Base {
    /// Takes the fingerprints of the fields whose bit is set in `mapped`.
    #[must_use]
    pub fn of(fields: &Fields, mapped: u64) -> Self {
        let mut text = String::with_capacity(fields.kind().fields().len() * WIDTH);
        for position in 0..fields.kind().fields().len() {
            if mapped >> position & 1 == 1 {
                let [_, _, bytes @ ..] = fields.fingerprint(position).to_be_bytes();
                URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
            } else {
                text.push_str(UNMAPPED);
            }
        }
        Self(text.into())
    }

    /// Returns the positions, as bits of `among`, at which the two differ or either knows nothing.
    #[must_use]
    pub fn differs(&self, other: &Self, kind: Kind, among: u64) -> u64 {
        let positions = 0..kind.fields().len();
        let differs =
            |position: &usize| among >> position & 1 == 1 && self.at(*position) != other.at(*position);
        positions
            .filter(differs)
            .fold(0, |bits, position| bits | 1 << position)
    }

    /// Takes over the fingerprints of `other` at the positions in `which`.
    #[must_use]
    pub fn with(&self, other: &Self, kind: Kind, which: u64) -> Self {
        let chosen = |position: usize| if which >> position & 1 == 1 { other } else { self };
        let text: String = (0..kind.fields().len())
            .map(|position| chosen(position).at(position).unwrap_or(UNMAPPED))
            .collect();
        Self(text.into())
    }

    /// Returns the positions of the fields about which something was agreed, as bits.
    #[must_use]
    pub fn known(&self, kind: Kind) -> u64 {
        let known = |position: &usize| self.at(*position).is_some_and(|print| print != UNMAPPED);
        (0..kind.fields().len())
            .filter(known)
            .fold(0, |bits, position| bits | 1 << position)
    }

    fn at(&self, position: usize) -> Option<&str> {
        self.0.get(position * WIDTH..(position + 1) * WIDTH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(json: serde_json::Value) -> Fields {
        Fields::from_json(Kind::Member, json.as_object().unwrap()).unwrap()
    }

    #[test]
    fn a_changed_field_and_no_other_differs() {
        let before = Base::of(
            &member(serde_json::json!({ "firstName": "Kari", "lastName": "N" })),
            u64::MAX,
        );
        let after = Base::of(
            &member(serde_json::json!({ "firstName": "Kari", "lastName": "M" })),
            u64::MAX,
        );
        let last_name = 1 << Kind::Member.position("lastName").unwrap();
        assert_eq!(before.differs(&after, Kind::Member, u64::MAX), last_name);
        assert_eq!(before.with(&after, Kind::Member, last_name), after);
    }

    #[test]
    fn what_was_never_agreed_is_not_known() {
        let agreed = Base::of(&member(serde_json::json!({ "lastName": "N" })), 0b100);
        assert_eq!(agreed.known(Kind::Member), 0b100);
        assert_eq!(Base::default().known(Kind::Member), 0);
    }

    #[test]
    fn composed_and_decomposed_letters_are_the_same() {
        let composed = Base::of(&member(serde_json::json!({ "lastName": "\u{c5}se" })), u64::MAX);
        let decomposed = Base::of(&member(serde_json::json!({ "lastName": "A\u{30a}se" })), u64::MAX);
        assert_eq!(composed, decomposed);
    }
}
