//! How much of a file is looked at before it is refused.

/// The most that a cell, a row and a header may have; bytes are those of UTF-8.
///
/// A reader keeps one row and one piece of the file in memory, so that these bound what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of one cell.
    pub cell_bytes: usize,
    /// Of one row without its delimiters and quotes.
    pub row_bytes: usize,
    /// Cells in a row; room for as many is made at once.
    pub columns: usize,
}

impl Default for Limits {
    /// 32 KiB, as a spreadsheet has 32,767 letters to a cell; 1 MiB; 1,000 columns.
    fn default() -> Self {
        Self {
            cell_bytes: 32 << 10,
            row_bytes: 1 << 20,
            columns: 1_000,
        }
    }
}
