//! Files that a human imports into Xledger: `GL02` and `GL02b`, a row for each line of a voucher.
//!
//! # Shape
//!
//! 49 columns of `GL02`, and 50 of `GL02b`, which has `Entity` as its third; `;`, CRLF, `yyyymmdd`, a decimal point, a header,
//! and `x` at the end of each row. What stands in a file is data, a [`FileProfile`], since an import definition of Xledger's
//! decides on it.
//!
//! ```text
//! ImpSystem;ImpSystemRef;Entity;voucherType;VoucherNo;FiscalYear;PeriodNo;VoucherDate;account;…;text;TaxRule;Currency;Currency Amount;amount;…;EOL
//! GL02b;RE-5ZPX21XKG8XK1RB1RZ-0;23001;GL;9264912;2026;;20260217;7140;…;Travel 4711;11;NOK;101.00;101.00;…;x
//! ```
//!
//! - Every cell is exact or the file is not written. Nothing is quoted unless the profile says so, since the importer's rules for
//!   quotes are not known; a text that would need them is refused.
//! - `ImpSystemRef` has 25 letters, and so has our longest reference.
//! - `VoucherNo` has eight digits, and our numbers have up to ten: see [`Rendered::numbers`].
//! - Amounts are in the currency of the entity: a voucher in another is refused, since nobody here knows the rate.
//! - `Xidentifier/KID` stays empty: what stands there may be paid by. `PeriodNo` too, as it follows from the date.
//!
//! What `GL02b` has beyond its sixth column is inferred from `GL02`.
//!
//! Source: two public export scripts with `GL02`; docs.moment.team and docs.milientsoftware.com on `GL02b`, read 2026-11-21.

mod columns;
mod profile;
mod render;
#[cfg(test)]
mod round_trip;

pub use profile::FileProfile;
pub use render::{Rendered, render};
