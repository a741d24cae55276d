//! The ledger, by GraphQL.
//!
//! One call takes a whole voucher, and may take a part of it: that a call is all or nothing is not documented. What the system
//! refuses is therefore looked for before it is called refused.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::assemble;
use super::client::{Client, WRITE};
use super::draft;
use super::error::{self, Effect};
use super::look::Eyes;
use super::wire::{Added, Rows};
use crate::adapter::{Error, ErrorKind, Result};
use crate::export::{Dedup, Entry, FindError, Ledger, Reference, Route, Sent, Voucher};
use crate::model::Currency;

/// How long a look may take: a claim holds longer than a write and a look.
const LOOK: Duration = Duration::from_secs(30);

const ADD: &str = "mutation($lines:[AddGLImportItemsInput!]!){rows:addGLImportItems(inputs:$lines){\
                   edges{clientId node{dbId}}}}";

/// The import queue and the books behind it.
#[derive(Debug)]
pub(super) struct Graphql {
    pub(super) client: Arc<Client>,
    pub(super) currency: Currency,
    /// By which name lines are filtered by what we call them.
    pub(super) filter: String,
}

impl Graphql {
    pub(super) fn eyes(&self) -> Eyes<'_> {
        Eyes {
            client: &self.client,
            currency: self.currency,
            filter: &self.filter,
        }
    }

    async fn look(&self, reference: &Reference) -> Result<Vec<Entry>> {
        let eyes = self.eyes();
        let looked = tokio::time::timeout(LOOK, eyes.lines_of(reference)).await;
        let late = |_| {
            Error::new(
                ErrorKind::Unavailable,
                "the time was up before all was looked through",
            )
        };
        let lines = looked.map_err(late)??;
        Ok(assemble::entries(lines, self.currency))
    }

    async fn add(&self, voucher: &Voucher) -> Result<Added> {
        let variables = json!({ "lines": draft::inputs(voucher) });
        let added: Result<Rows<Added>> = self.client.ask(ADD, &variables, Effect::Writes, WRITE).await;
        added.map(|added| added.rows)
    }

    /// The system refuses it: whether it kept none of it is only known by looking.
    async fn refused(&self, voucher: &Voucher, error: &Error) -> Sent {
        match self.look(voucher.reference()).await {
            Ok(entries) if entries.is_empty() => Sent::Rejected(error.to_string().into()),
            Ok(_) => {
                tracing::warn!(reference = %voucher.reference(), %error, "a voucher was refused, and taken in part");
                Sent::Unknown
            }
            Err(look) => {
                tracing::warn!(reference = %voucher.reference(), %error, %look, "a voucher was refused, perhaps after a part of it");
                Sent::Unknown
            }
        }
    }
}

#[async_trait]
impl Ledger for Graphql {
    fn dedup(&self) -> Dedup {
        Dedup::Queryable
    }

    fn route(&self) -> Route {
        Route::Graphql
    }

    async fn send(&self, voucher: &Voucher) -> Sent {
        if voucher.currency() != self.currency {
            let reason = format!(
                "the voucher is in {}, and amounts are sent in {}",
                voucher.currency(),
                self.currency
            );
            return Sent::Rejected(reason.into());
        }
        let error = match self.add(voucher).await {
            Ok(added) if is_whole(&added, voucher.lines().len()) => return Sent::Accepted,
            Ok(_) => {
                tracing::warn!(reference = %voucher.reference(), "the answer names other lines than were sent");
                return Sent::Unknown;
            }
            Err(error) => error,
        };
        match error.kind() {
            ErrorKind::Rejected => self.refused(voucher, &error).await,
            ErrorKind::Malformed if error::is_bad_query(&error) => self.refused(voucher, &error).await,
            ErrorKind::RateLimited { .. }
            | ErrorKind::Unavailable
            | ErrorKind::Unauthenticated
            | ErrorKind::PermissionDenied
            | ErrorKind::NotFound
            | ErrorKind::Unsupported => Sent::NotSent(error.to_string().into()),
            ErrorKind::Unknown | ErrorKind::Malformed | ErrorKind::Conflict | ErrorKind::CursorExpired => {
                tracing::warn!(reference = %voucher.reference(), %error, "nobody knows what became of a voucher");
                Sent::Unknown
            }
        }
    }

    async fn find(&self, reference: &Reference) -> core::result::Result<Vec<Entry>, FindError> {
        let looked = self.look(reference).await;
        looked.map_err(|error| FindError(error.to_string().into()))
    }
}

/// Says whether an answer names every line once, and nothing else.
fn is_whole(added: &Added, lines: usize) -> bool {
    let answered: BTreeSet<_> = added
        .edges
        .iter()
        .filter_map(|edge| edge.client_id.as_deref())
        .collect();
    let sent: BTreeSet<_> = (0..lines).map(draft::client_id).collect();
    added.edges.len() == lines && answered.into_iter().eq(sent.iter().map(String::as_str))
}

/// Asks whether the token may write: nothing is written, for there is nothing to.
pub(super) async fn may_write(client: &Client) -> Result<()> {
    let asked: Result<Rows<Value>> = client
        .ask(ADD, &json!({ "lines": [] }), Effect::Reads, WRITE)
        .await;
    match asked {
        // Whoever is told that nothing is too little has been let in.
        Err(error) if matches!(error.kind(), ErrorKind::Rejected) => Ok(()),
        asked => asked.map(drop),
    }
}
