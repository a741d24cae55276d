//! A row that was read.

use xxhash_rust::xxh3::Xxh3;

use super::cell::Cell;
use super::profile::Profile;

/// A row that was read, with a cell for each column of the profile.
#[derive(Debug)]
pub struct Row<'a> {
    pub(super) profile: &'a Profile,
    pub(super) cells: Vec<Cell<'a>>,
    pub(super) number: u64,
    pub(super) line: u64,
}

impl<'a> Row<'a> {
    /// Returns its number; the first one after the header is 1.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Returns the line that it begins on; the first is 1.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// Returns the cells, in the order of the profile.
    #[must_use]
    pub fn cells(&self) -> &[Cell<'a>] {
        &self.cells
    }

    /// Returns the cell of a column, by what the code knows it by.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Cell<'a>> {
        self.cells.get(self.profile.position(name)?).copied()
    }

    /// Returns a fingerprint of what it holds: the same row has it in any file of the profile, wherever it stands, and
    /// whatever the dialect is. It does not withstand somebody who looks for two rows with the same one.
    #[must_use]
    pub fn fingerprint(&self) -> u128 {
        let mut hash = Xxh3::new();
        for cell in &self.cells {
            feed(&mut hash, *cell);
        }
        hash.digest128()
    }
}

fn feed(hash: &mut Xxh3, cell: Cell<'_>) {
    match cell {
        Cell::Empty => hash.update(&[0]),
        Cell::Text(text) => {
            hash.update(&[1]);
            hash.update(&text.len().to_le_bytes());
            hash.update(text.as_bytes());
        }
        Cell::Decimal(decimal) => {
            let decimal = decimal.normalize();
            hash.update(&[2]);
            hash.update(&decimal.mantissa().to_le_bytes());
            hash.update(&decimal.scale().to_le_bytes());
        }
        Cell::Integer(integer) => {
            hash.update(&[3]);
            hash.update(&integer.to_le_bytes());
        }
        Cell::Date(date) => {
            hash.update(&[4]);
            hash.update(&date.year().to_le_bytes());
            hash.update(&[date.month().unsigned_abs(), date.day().unsigned_abs()]);
        }
        Cell::Bool(truth) => hash.update(&[5, u8::from(truth)]),
    }
}
