//! A ledger without an API: vouchers are collected into a file, which somebody imports.
//!
//! What is in a file is known by its reference, so that it goes into one file, once; and what a human says of the file is
//! what is known of each voucher in it.

use std::sync::Arc;

use async_trait::async_trait;

use super::intent::voucher_of;
use super::ledger::{Dedup, Entry, FindError, Ledger, Route, Sent, Standing};
use super::reference::Reference;
use super::voucher::Voucher;
use crate::clock::Clock;
use crate::model::{FilePurpose, FileRowKey, IntegrationId};
use crate::store::{Store, StoreError};
use crate::transfer::{self, FileState, Repeat, TransferError};

/// What the files are for.
pub const VOUCHERS: &str = "vouchers";

/// Collects the vouchers of one integration into files.
#[derive(Debug, Clone)]
pub struct FileLedger {
    /// The tables.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Whose vouchers they are.
    pub integration: IntegrationId,
}

impl FileLedger {
    async fn collect(&self, voucher: &Voucher) -> Result<Sent, TransferError> {
        let (purpose, key) = place(voucher.reference())?;
        let row = (key, serde_json::to_value(voucher).map_err(malformed)?);
        let rows = std::slice::from_ref(&row);
        let now = self.clock.now();
        let placed = transfer::collect(
            &*self.store,
            &self.integration,
            &purpose,
            Repeat::Never,
            rows,
            now,
        )
        .await?;
        if placed.iter().all(|placed| placed.written) {
            return Ok(Sent::Accepted);
        }
        Ok(Sent::Duplicate(self.look(voucher.reference()).await?))
    }

    async fn look(&self, reference: &Reference) -> Result<Vec<Entry>, StoreError> {
        let (purpose, key) = place(reference)?;
        let standing = transfer::standing(&*self.store, &self.integration, &purpose, &key).await?;
        let Some(standing) = standing else {
            return Ok(Vec::new());
        };
        let voucher = voucher_of(&*self.store, &self.integration, reference).await?;
        let refused = |why: &str| Standing::Rejected(format!("the file {} {why}", standing.file).into());
        let entry = voucher.map(|voucher| Entry {
            reference: reference.clone(),
            standing: match standing.state {
                FileState::Imported => Standing::Posted,
                FileState::Discarded => refused("was discarded"),
                FileState::Failed => refused("could not be written"),
                _ => Standing::Queued,
            },
            total: voucher.owed(),
            subledger: voucher.subledger().map(Into::into),
        });
        Ok(entry.into_iter().collect())
    }
}

fn place(reference: &Reference) -> Result<(FilePurpose, FileRowKey), StoreError> {
    let purpose = VOUCHERS.parse().map_err(malformed)?;
    Ok((purpose, reference.as_str().parse().map_err(malformed)?))
}

fn malformed(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Invalid(Box::new(error))
}

#[async_trait]
impl Ledger for FileLedger {
    fn dedup(&self) -> Dedup {
        Dedup::UniqueKey
    }

    fn route(&self) -> Route {
        Route::Csv
    }

    async fn send(&self, voucher: &Voucher) -> Sent {
        match self.collect(voucher).await {
            Ok(sent) => sent,
            Err(error @ TransferError::TooLarge { .. }) => Sent::Rejected(error.to_string().into()),
            // It may be in: collecting it again says so.
            Err(_) => Sent::Unknown,
        }
    }

    async fn find(&self, reference: &Reference) -> Result<Vec<Entry>, FindError> {
        let found = self.look(reference).await;
        found.map_err(|error| FindError(error.to_string().into()))
    }
}
