//! Exports reimbursements: checks all of them, says everything that is wrong at once, and intends to book the others.
//!
//! | step | written | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | 1 check | which route works, if it was not known | – | – |
//! | 2 intend | as [`crate::export`] says, one transaction for each reimbursement | some that are intended, and others that are not | the same request once more: it takes up those that it intended before |
//! | 3 enqueue | the voucher's message | – | the intent is due: `reconcile` enqueues it |

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Ports;
use super::book::VoucherJob;
use super::compare;
use super::trigger::Attempt;
use super::work::Connect;
use crate::adapter::{self, ErrorKind};
use crate::export::{
    self, Batch, Books, Budget, Candidate, Fault, FaultCode, FileLedger, IntendError, Intended, Intent,
    Ledger, LedgerFacts, Needs, Preflight, Ready, Reason, Refused, Request, Route,
};
use crate::integration::{self, Integration, State};
use crate::model::{IntegrationId, RecordId};
use crate::records;
use crate::store::{Content, Expect, Key, StoreError, Table, Write};

/// How many reimbursements are looked up at once.
const AT_ONCE: usize = 16;

/// What is to be exported.
#[derive(Debug, Clone, Copy)]
pub struct ExportRequest<'a> {
    /// To whose books.
    pub integration: &'a IntegrationId,
    /// What.
    pub reimbursements: &'a [RecordId],
    /// Whether only to say what would be done.
    pub dry_run: bool,
    /// Why it is booked whatever stands, where it is.
    pub force: Option<&'a Reason>,
    /// Who asked for it.
    pub by: &'a str,
    /// Which attempt at it this is.
    pub attempt: Attempt,
}

/// What came of a request to export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Which way they go.
    pub route: Route,
    /// Those that are to be booked.
    pub intents: Vec<Intent>,
    /// Those that would be, had this not been a rehearsal.
    pub ready: Vec<Ready>,
    /// Those that are not, each with every reason.
    pub refused: Vec<Refused>,
    /// What could not be checked.
    pub unchecked: Vec<&'static str>,
    /// How the month stands against the contract, where requests are counted.
    pub budget: Option<Budget>,
}

/// Why nothing was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The organization has not connected the system.
    #[error("{0} is not connected")]
    Unknown(IntegrationId),
    /// The integration is not active.
    #[error("the integration is {}", .0.as_str())]
    NotActive(State),
    /// The books cannot be reached, or do not let us in.
    #[error(transparent)]
    Books(#[from] adapter::Error),
    /// The tables did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The route that was found to work, for a while.
///
/// # Shape
///
/// `{"route":"graphql","until":"2026-02-18T09:30:00Z","settingsOf":"2026-02-01T00:00:00Z"}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KnownRoute {
    route: Route,
    until: Timestamp,
    settings_of: Timestamp,
}

/// The books of one integration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bookkeeping<'a> {
    pub(super) ports: &'a Ports,
    pub(super) integration: &'a Integration,
    pub(super) books: &'a dyn Books,
}

/// Exports reimbursements.
///
/// # Errors
///
/// Those of [`ExportError`]; where it is not one of the tables, nothing was written.
pub async fn export(
    ports: &Ports,
    connect: &dyn Connect,
    request: &ExportRequest<'_>,
) -> Result<Exported, ExportError> {
    let stored = integration::read(&*ports.store, request.integration).await?;
    let integration = stored
        .ok_or_else(|| ExportError::Unknown(request.integration.clone()))?
        .integration;
    if integration.state != State::Active {
        return Err(ExportError::NotActive(integration.state));
    }
    let books = connect.books(&integration).await?;
    let at = Bookkeeping {
        ports,
        integration: &integration,
        books: &*books,
    };
    let exported = at.export(request).await;
    at.count().await?;
    if let Err(ExportError::Books(error)) = &exported
        && error.kind() == ErrorKind::Unauthenticated
    {
        let why = error.to_string();
        integration::needs_reauthorization(ports, request.integration, integration.updated_at, &why).await?;
    }
    exported
}

impl Bookkeeping<'_> {
    async fn export(&self, request: &ExportRequest<'_>) -> Result<Exported, ExportError> {
        let read = self.read(request.reimbursements).await?;
        let (ours, candidates) = self.begun_before(request, &read);
        let route = self.route().await?;
        let (route, preflight) = self.check(route, &candidates, &read.exported(request)).await?;
        let mut exported = Exported {
            route,
            intents: ours,
            ready: Vec::new(),
            refused: preflight.refused,
            unchecked: preflight.unchecked,
            budget: self.budget().await?,
        };
        if request.dry_run {
            exported.ready = preflight.ready;
            return Ok(exported);
        }
        for ready in &preflight.ready {
            match self.intend(request, route, ready).await {
                Ok(intent) => exported.intents.push(intent),
                Err(IntendError::Store(error)) => return Err(error.into()),
                Err(other) => exported.refused.push(Refused {
                    reimbursement: ready.reimbursement.clone(),
                    faults: vec![Fault::new(
                        FaultCode::Conflict,
                        "id",
                        format!("cannot be booked: {other}"),
                    )],
                }),
            }
        }
        if !exported.intents.is_empty() {
            compare::begin(self).await?;
        }
        for intent in &exported.intents {
            VoucherJob::of(&self.integration.id, intent)
                .enqueue(self.ports, intent.changed_at)
                .await;
        }
        Ok(exported)
    }

    async fn intend(
        &self,
        request: &ExportRequest<'_>,
        route: Route,
        ready: &Ready,
    ) -> Result<Intent, IntendError> {
        let asked = Request {
            integration: &self.integration.id,
            route,
            by: request.by,
            now: self.ports.now(),
        };
        match request.force {
            Some(reason) => export::force(&*self.ports.store, &asked, ready, reason).await,
            None => match export::intend(&*self.ports.store, &asked, ready).await? {
                Intended::New(intent) | Intended::Before(intent) => Ok(intent),
            },
        }
    }

    /// Reads reimbursements, and what was exported of each.
    pub(super) async fn read(&self, ids: &[RecordId]) -> Result<Read, StoreError> {
        let store = &*self.ports.store;
        let organization = &self.integration.id.organization;
        let wanted: BTreeSet<_> = ids.iter().cloned().collect();
        let ids: Vec<_> = wanted.into_iter().collect();
        let found = records::read_reimbursements(store, organization, &ids).await?;
        let mut read = Read::default();
        let mut looked = Vec::with_capacity(ids.len());
        for id in &ids {
            looked.push(export::read_intents(store, &self.integration.id, id));
        }
        let intents: Vec<_> = stream::iter(looked).buffered(AT_ONCE).try_collect().await?;
        for ((id, found), intents) in ids.into_iter().zip(found).zip(intents) {
            read.exported.insert(
                id.clone(),
                intents.into_iter().map(|(intent, _)| intent).collect(),
            );
            read.candidates.push(match found {
                Some(stored) => Candidate::Found(stored.reimbursement),
                None => Candidate::Missing(id),
            });
        }
        Ok(read)
    }

    /// Parts what an earlier attempt at the same request has intended, which died, from what is still to be checked.
    fn begun_before(&self, request: &ExportRequest<'_>, read: &Read) -> (Vec<Intent>, Vec<Candidate>) {
        let Some(since) = request.attempt.resumes.filter(|_| !request.dry_run) else {
            return (Vec::new(), read.candidates.clone());
        };
        let ours = |intent: &&Intent| intent.opened_at >= since && *intent.opened_by == *request.by;
        let (mut begun, mut left) = (Vec::new(), Vec::new());
        for candidate in &read.candidates {
            let intents = read
                .exported
                .get(candidate.id())
                .map(Vec::as_slice)
                .unwrap_or_default();
            match intents.iter().rfind(ours) {
                Some(intent) => begun.push(intent.clone()),
                None => left.push(candidate.clone()),
            }
        }
        (begun, left)
    }

    /// Checks reimbursements against the books as far as these can be asked.
    ///
    /// Where a route that was remembered turns out not to work, another is looked for, once.
    pub(super) async fn check(
        &self,
        route: Route,
        candidates: &[Candidate],
        exported: &BTreeMap<RecordId, Vec<Intent>>,
    ) -> Result<(Route, Preflight), ExportError> {
        let batch = |ledger: &LedgerFacts| {
            export::check(&Batch {
                organization: &self.integration.id.organization,
                mapping: self.books.mapping(),
                ledger,
                exported,
                candidates,
            })
        };
        let first = batch(&LedgerFacts::default());
        let needs = needs(&first);
        let is_spent = self.budget().await?.is_some_and(|budget| budget.is_spent());
        // A file can be asked nothing.
        let silent = route == Route::Csv || route == Route::Graphql && is_spent;
        if needs == Needs::default() || silent {
            return Ok((route, first));
        }
        let (route, facts) = match self.books.facts(route, &needs).await {
            Err(error) if is_lasting(error.kind()) => {
                self.forget_route().await?;
                let route = self.route().await?;
                (route, self.books.facts(route, &needs).await?)
            }
            facts => (route, facts?),
        };
        Ok((route, batch(&facts)))
    }

    /// Returns the route that works: the one that was found, while it holds, or another that is looked for.
    pub(super) async fn route(&self) -> Result<Route, ExportError> {
        let now = self.ports.now();
        let key = self.route_key();
        let row = self
            .ports
            .store
            .get(std::slice::from_ref(&key))
            .await?
            .pop()
            .flatten();
        let known = row.map(|row| row.decode::<KnownRoute>()).transpose()?;
        if let Some(known) =
            known.filter(|known| known.until > now && known.settings_of == self.integration.updated_at)
        {
            return Ok(known.route);
        }
        let route = self.books.route().await?;
        let content = Content::of(&KnownRoute {
            route,
            until: now.checked_add(self.books.route_holds()).unwrap_or(now),
            settings_of: self.integration.updated_at,
        });
        self.ports
            .store
            .write(vec![Write::put(key, Expect::Anything, content)])
            .await?;
        Ok(route)
    }

    /// Returns the ledger by one way: the system's own, or the files that somebody imports.
    pub(super) fn ledger(&self, route: Route) -> adapter::Result<Arc<dyn Ledger>> {
        if route != Route::Csv {
            return self.books.ledger(route);
        }
        Ok(Arc::new(FileLedger {
            store: Arc::clone(&self.ports.store),
            clock: Arc::clone(&self.ports.clock),
            integration: self.integration.id.clone(),
        }))
    }

    async fn forget_route(&self) -> Result<(), StoreError> {
        let forget = Write::delete(self.route_key(), Expect::Anything);
        self.ports.store.write(vec![forget]).await
    }

    fn route_key(&self) -> Key {
        let id = &self.integration.id;
        Key::new(
            Table::Control,
            id.organization.as_str(),
            format!("export-route#{}", id.system),
        )
    }

    /// Returns how this month stands against the contract, where requests are counted.
    pub(super) async fn budget(&self) -> Result<Option<Budget>, StoreError> {
        let Some(monthly) = self.books.monthly_requests() else {
            return Ok(None);
        };
        let now = self.ports.now();
        let month = export::this_month(&*self.ports.store, &self.integration.id, now).await?;
        Ok(Some(month.against(monthly, now)))
    }

    /// Counts what was sent since it was last counted.
    pub(super) async fn count(&self) -> Result<(), StoreError> {
        let usage = self.books.take_usage();
        match export::spend(&*self.ports.store, &self.integration.id, usage, self.ports.now()).await {
            Err(StoreError::Refused { .. }) => {
                tracing::warn!(integration.id = %self.integration.id, requests = usage.requests, "left requests uncounted");
                Ok(())
            }
            answer => answer,
        }
    }
}

/// Reimbursements, and what was exported of each.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) candidates: Vec<Candidate>,
    pub(super) exported: BTreeMap<RecordId, Vec<Intent>>,
}

impl Read {
    /// Returns what was exported, as far as it stands against exporting it now.
    fn exported(&self, request: &ExportRequest<'_>) -> BTreeMap<RecordId, Vec<Intent>> {
        match request.force {
            Some(_) => BTreeMap::new(),
            None => self.exported.clone(),
        }
    }
}

/// Says whether an error speaks against the route, and not only against now.
const fn is_lasting(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Unauthenticated
            | ErrorKind::PermissionDenied
            | ErrorKind::NotFound
            | ErrorKind::Unsupported
    )
}

fn needs(preflight: &Preflight) -> Needs {
    let vouchers = || preflight.ready.iter().map(|ready| &ready.voucher);
    Needs {
        accounts: vouchers()
            .flat_map(|voucher| voucher.lines().iter().map(|line| line.account.clone()))
            .collect(),
        subledgers: vouchers()
            .filter_map(|voucher| voucher.subledger().map(Into::into))
            .collect(),
    }
}
