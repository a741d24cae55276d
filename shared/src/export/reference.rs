//! The name under which a reimbursement is booked: worked out, never drawn, so that whoever lost everything else
//! still asks for the same.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::{OrganizationId, RecordId};

/// Digits that are hard to take for each other, in one case (Crockford's base 32).
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PREFIX: &str = "RE-";
const LETTERS: usize = 18;

/// The most vouchers that one reimbursement can have: the first, its corrections, and theirs.
pub const MAX_REVISION: u16 = 999;

/// Which voucher of a reimbursement it is: 0 is the first, and every correction has the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Revision(u16);

/// The reference of a voucher, unique in every ledger for ever.
///
/// `RE-`, 90 bits of SHA-256 over organization and reimbursement in eighteen digits of base 32, `-`, the revision. It has
/// at most 25 letters, which is what an `ImpSystemRef` holds. Among a thousand million reimbursements two share one with a
/// probability of 4 in 10¹⁰; the row of a voucher is kept under its reference, so that even then the second is
/// refused and not booked as the first.
///
/// # Shape
///
/// ```
/// # use shared::export::{Reference, Revision};
/// let (organization, reimbursement) = ("hlf".parse().unwrap(), "4711".parse().unwrap());
/// let reference = Reference::of(&organization, &reimbursement, Revision::FIRST);
/// assert_eq!(reference.as_str(), "RE-5ZPX21XKG8XK1RB1RZ-0");
/// assert_eq!(reference.line(1), "RE-5ZPX21XKG8XK1RB1RZ-0-1");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference(Box<str>);

/// The number that groups the lines of a voucher in a ledger's queue: from 1 to 2³¹ − 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct VoucherNumber(u32);

/// Says why something is not a reference, a revision or a number of a voucher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is malformed")]
pub struct Malformed(&'static str);

impl Revision {
    /// That of the first voucher.
    pub const FIRST: Self = Self(0);

    /// Returns the next one, if there is one.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        Self::try_from(self.0 + 1).ok()
    }
}

impl TryFrom<u16> for Revision {
    type Error = Malformed;

    fn try_from(number: u16) -> Result<Self, Malformed> {
        (number <= MAX_REVISION)
            .then_some(Self(number))
            .ok_or(Malformed("the revision"))
    }
}

impl From<Revision> for u16 {
    fn from(revision: Revision) -> Self {
        revision.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Reference {
    /// Works out the reference of a reimbursement's voucher.
    #[must_use]
    pub fn of(organization: &OrganizationId, reimbursement: &RecordId, revision: Revision) -> Self {
        let mut text = String::with_capacity(PREFIX.len() + LETTERS + 4);
        text.push_str(PREFIX);
        let mut bits = digest(organization, reimbursement);
        for _ in 0..LETTERS {
            // The highest five bits of what is left.
            let digit = DIGITS.get((bits >> 123) as usize).copied().unwrap_or(b'0');
            text.push(char::from(digit));
            bits <<= 5;
        }
        text.push('-');
        text.push_str(&revision.to_string());
        Self(text.into())
    }

    /// Returns which voucher of its reimbursement it is.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        let (_, revision) = self.0.rsplit_once('-')?;
        Revision::try_from(revision.parse::<u16>().ok()?).ok()
    }

    /// Returns the reference as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name of a line of the voucher; the first has the number 1.
    #[must_use]
    pub fn line(&self, number: usize) -> String {
        format!("{}-{number}", self.0)
    }

    /// Returns a number for the voucher, another one for each attempt.
    ///
    /// There are so few numbers that two references of 50 000 share one as likely as not. So a number is taken by a row
    /// of its own, and where it is taken already the next attempt's is: see `intend`.
    #[must_use]
    pub fn number(&self, attempt: u8) -> VoucherNumber {
        let digest = Sha256::new_with_prefix(b"export-number.v1\0")
            .chain_update(self.0.as_bytes())
            .chain_update([0, attempt])
            .finalize();
        let bits = first_bits(&digest) >> 97;
        VoucherNumber(u32::try_from(bits).unwrap_or(1).max(1))
    }
}

/// Neither an organization nor a record has a zero byte in its name, so that no two pairs read the same.
fn digest(organization: &OrganizationId, reimbursement: &RecordId) -> u128 {
    let digest = Sha256::new_with_prefix(b"export-reference.v1\0")
        .chain_update(organization.as_str().as_bytes())
        .chain_update([0])
        .chain_update(reimbursement.as_str().as_bytes())
        .finalize();
    first_bits(&digest)
}

fn first_bits(digest: &[u8]) -> u128 {
    digest
        .iter()
        .take(16)
        .fold(0, |bits, byte| bits << 8 | u128::from(*byte))
}

impl FromStr for Reference {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = Malformed("the reference");
        let rest = text.strip_prefix(PREFIX).ok_or(malformed)?;
        let (letters, revision) = rest.split_once('-').ok_or(malformed)?;
        let number: u16 = revision.parse().map_err(|_| malformed)?;
        let known = letters.len() == LETTERS && letters.bytes().all(|byte| DIGITS.contains(&byte));
        let canonical = number.to_string() == revision && number <= MAX_REVISION;
        (known && canonical).then(|| Self(text.into())).ok_or(malformed)
    }
}

impl TryFrom<String> for Reference {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.0.into()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<u32> for VoucherNumber {
    type Error = Malformed;

    fn try_from(number: u32) -> Result<Self, Malformed> {
        let fits = (1..=0x7fff_ffff).contains(&number);
        fits.then_some(Self(number))
            .ok_or(Malformed("the number of the voucher"))
    }
}

impl From<VoucherNumber> for u32 {
    fn from(number: VoucherNumber) -> Self {
        number.0
    }
}

impl fmt::Display for VoucherNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn reference(organization: &str, reimbursement: &str, revision: u16) -> Reference {
        let revision = revision.try_into().unwrap();
        Reference::of(
            &organization.parse().unwrap(),
            &reimbursement.parse().unwrap(),
            revision,
        )
    }

    /// What is booked is found by this name for ever: a change of it books everything twice.
    #[test]
    fn references_and_numbers_never_change() {
        let worked_out = VECTORS.map(|(organization, reimbursement, revision, ..)| {
            let reference = reference(organization, reimbursement, revision);
            let numbers = [0, 1].map(|attempt| u32::from(reference.number(attempt)));
            (reference.to_string(), numbers)
        });
        let expected = VECTORS.map(|(.., text, numbers)| (text.to_owned(), numbers));
        assert_eq!(worked_out, expected);
    }

    const VECTORS: [(&str, &str, u16, &str, [u32; 2]); 4] = [
        (
            "hlf",
            "4711",
            0,
            "RE-5ZPX21XKG8XK1RB1RZ-0",
            [1609264912, 1828297007],
        ),
        (
            "hlf",
            "4711",
            1,
            "RE-5ZPX21XKG8XK1RB1RZ-1",
            [1569918686, 536778874],
        ),
        (
            "blindeforbundet",
            "4711",
            0,
            "RE-FCNJ405DYZ28KTVQHF-0",
            [713481997, 1013146206],
        ),
        (
            "hlf",
            "0190a5b2-7c3d-7000-8000-0123456789ab",
            999,
            "RE-XPY36PJ54RFPKBCZA2-999",
            [541152275, 634412356],
        ),
    ];

    #[test]
    fn a_reference_fits_where_it_goes_and_reads_back() {
        for revision in [0, 9, 10, 999] {
            let reference = reference("hlf", &"x".repeat(100), revision);
            assert!(reference.as_str().len() <= 25, "{reference}");
            assert_eq!(reference.as_str().parse(), Ok(reference.clone()));
            assert!(
                reference
                    .as_str()
                    .bytes()
                    .all(|byte| DIGITS.contains(&byte) || byte == b'-')
            );
        }
        let good = reference("hlf", "1", 0).as_str().to_owned();
        let bad = [
            good.to_lowercase(),
            good.replace("-0", "-00"),
            good.replace("-0", "-1000"),
            format!("{good}-1"),
        ];
        for bad in bad {
            assert!(bad.parse::<Reference>().is_err(), "{bad}");
        }
    }

    #[test]
    fn no_two_of_two_million_reimbursements_share_a_reference() {
        let mut dice = fastrand::Rng::with_seed(2_026);
        let organizations: Vec<OrganizationId> = (0..20)
            .map(|number| format!("o-{}", number % 7 * 10 + number).parse().unwrap())
            .collect();
        let mut seen = Vec::with_capacity(2_000_000);
        for organization in &organizations {
            for number in 0..100_000_u32 {
                let id = match number % 3 {
                    0 => number.to_string(),
                    1 => format!("{:016x}-{number}", dice.u64(..)),
                    _ => format!("o-{number}"),
                };
                // What the reference is made of, cut to the bits that it shows.
                seen.push(digest(organization, &id.parse().unwrap()) >> 38);
            }
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 2_000_000);
    }

    #[test]
    fn the_text_shows_every_bit_that_makes_the_difference() {
        let texts: BTreeSet<_> = (0..20_000)
            .map(|id| reference("hlf", &id.to_string(), 0))
            .collect();
        assert_eq!(texts.len(), 20_000);
        let reference = reference("hlf", "4711", 0);
        let shown = reference
            .as_str()
            .get(3..21)
            .unwrap()
            .bytes()
            .fold(0_u128, |bits, byte| {
                bits << 5 | DIGITS.iter().position(|digit| *digit == byte).unwrap() as u128
            });
        assert_eq!(
            shown,
            digest(&"hlf".parse().unwrap(), &"4711".parse().unwrap()) >> 38
        );
    }

    #[test]
    fn what_is_joined_differently_is_different() {
        assert_ne!(reference("a-b", "c", 0), reference("a", "b-c", 0));
        assert_ne!(reference("a", "b", 1), reference("a", "b", 0));
        assert_ne!(reference("a", "B", 0), reference("a", "b", 0));
    }

    #[test]
    fn numbers_are_in_range_and_spread() {
        let reference = reference("hlf", "4711", 0);
        let numbers: BTreeSet<_> = (0..=u8::MAX).map(|attempt| reference.number(attempt)).collect();
        assert_eq!(numbers.len(), 256);
        assert!(VoucherNumber::try_from(0).is_err() && VoucherNumber::try_from(1 << 31).is_err());
    }

    #[test]
    fn a_reimbursement_has_a_thousand_revisions() {
        let all = std::iter::successors(Some(Revision::FIRST), |revision| revision.next());
        assert_eq!(all.count(), 1_000);
    }
}
