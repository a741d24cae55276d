//! The files that a human imports, as [`crate::transfer`] has them made: vouchers, by the profile in the settings.

use super::file::{FileProfile, render};
use crate::export::{VOUCHERS, Voucher};
use crate::model::{FieldError, FilePurpose, FileRowKey, Kind};
use crate::transfer::{FileDecision, Head, Render, Rendered, Rendering, Unrenderable};

/// Makes files of vouchers.
#[derive(Debug)]
pub(super) struct VoucherFiles(pub(super) FileProfile);

struct Begun<'a> {
    profile: &'a FileProfile,
    name: String,
    vouchers: Vec<Voucher>,
}

impl Render for VoucherFiles {
    /// Vouchers are sent again by their exports.
    fn again(&self, _: &FilePurpose, _: FileDecision) -> Option<Kind> {
        None
    }

    fn begin<'a>(&'a self, head: &Head<'_>) -> Result<Box<dyn Rendering + 'a>, Unrenderable> {
        if head.purpose.as_str() != VOUCHERS {
            return Err(fault("purpose", "is not vouchers: no other files go to Xledger"));
        }
        let (organization, day) = (&head.integration.organization, head.closed_at.strftime("%Y%m%d"));
        Ok(Box::new(Begun {
            profile: &self.0,
            name: format!("{organization}_vouchers_{day}_{}.csv", head.file),
            vouchers: Vec::new(),
        }))
    }
}

impl Rendering for Begun<'_> {
    fn row(&mut self, _: &FileRowKey, value: &serde_json::Value) -> Result<(), Unrenderable> {
        let voucher = serde_json::from_value(value.clone());
        // Serde's own message repeats what it read.
        self.vouchers
            .push(voucher.map_err(|_| fault("voucher", "cannot be read"))?);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Rendered, Unrenderable> {
        let rendered = render(&self.vouchers, self.profile).map_err(Unrenderable)?;
        let totals = [
            ("vouchers", self.vouchers.len().to_string()),
            ("debit", rendered.debit.amount().to_string()),
            ("credit", rendered.credit.amount().to_string()),
        ];
        Ok(Rendered {
            name: self.name,
            content_type: self.profile.content_type(),
            bytes: rendered.bytes,
            totals: totals.map(|(name, total)| (name.to_owned(), total)).into(),
        })
    }
}

fn fault(field: &str, reason: &str) -> Unrenderable {
    Unrenderable(vec![FieldError::new(field, reason)])
}
