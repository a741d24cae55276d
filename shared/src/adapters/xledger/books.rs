//! The books of one organization, by whichever way works.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::Date;
use jiff::{Span, ToSpan};
use serde_json::json;

use super::assemble;
use super::client::{Client, Listing};
use super::config::{Protocol, Settings};
use super::error;
use super::ledger::Graphql;
use super::look::{Eyes, Wanted};
use super::route::{Ways, unfit};
use super::wire::Coded;
use crate::adapter::{Error, ErrorKind, Result, Usage};
use crate::clock::Clock;
use crate::export::{AccountState, Books, Entries, Ledger, LedgerFacts, Mapping, Needs, Route};

/// The days that one reading of the books covers. All lines of a voucher are of one day, so that none is read in halves.
const DAYS: i32 = 31;
/// How many codes one question names.
const CODES: usize = 200;

/// The books of one organization.
#[derive(Debug)]
pub(super) struct Xledger {
    pub(super) settings: Settings,
    pub(super) ways: Ways,
    pub(super) clock: Arc<dyn Clock>,
}

impl Xledger {
    fn graphql(&self) -> Result<Graphql> {
        Ok(Graphql {
            client: Arc::clone(self.ways.client()?),
            currency: self.settings.currency,
            filter: self.settings.ext_identifier_filter.clone(),
        })
    }
}

#[async_trait]
impl Books for Xledger {
    fn mapping(&self) -> &Mapping {
        &self.settings.mapping
    }

    fn automatic(&self) -> bool {
        self.settings.automatic
    }

    fn route_holds(&self) -> Duration {
        self.settings.route_holds
    }

    fn monthly_requests(&self) -> Option<u64> {
        self.settings.monthly_requests
    }

    fn take_usage(&self) -> Usage {
        self.ways.meter.take()
    }

    fn take_refusal(&self) -> Option<Error> {
        self.ways.refusal.take()
    }

    async fn route(&self) -> Result<Route> {
        match self.settings.protocol {
            Protocol::Auto => self.ways.negotiate().await,
            Protocol::Graphql => self.ways.by_graphql().await,
            Protocol::Soap => self.ways.by_soap().await,
            Protocol::Csv => Ok(Route::Csv),
        }
    }

    async fn facts(&self, route: Route, needs: &Needs) -> Result<LedgerFacts> {
        if route != Route::Graphql {
            return Ok(LedgerFacts::default());
        }
        let client = self.ways.client()?;
        Ok(LedgerFacts {
            accounts: known(accounts(client, &needs.accounts).await)?,
            open_periods: None,
            subledgers: known(codes(client, "subledgers", &needs.subledgers, false).await)?,
        })
    }

    fn ledger(&self, route: Route) -> Result<Arc<dyn Ledger>> {
        match route {
            Route::Graphql => Ok(Arc::new(self.graphql()?)),
            Route::Soap => match &self.ways.soap {
                Some(soap) => Ok(soap.ledger()),
                None => Err(unfit("the integration is not set up for SOAP")),
            },
            Route::Csv => Err(unfit("a file is kept by this service, and imported by a human")),
        }
    }

    async fn entries(&self, since: Date, after: Option<&str>) -> Result<Entries> {
        let graphql = self.graphql()?;
        let eyes: Eyes<'_> = graphql.eyes();
        let days: Span = DAYS.days();
        let before = |day: Date| day.saturating_sub(days).max(since);
        let (lines, from) = match after {
            None => {
                let zone = self.settings.mapping.time_zone.clone();
                let from = before(self.clock.now().to_zoned(zone).date());
                (eyes.lines_since(since, from).await?, from)
            }
            Some(after) => {
                let to: Date = after
                    .parse()
                    .map_err(|_| unfit("the place to go on is none of this listing"))?;
                let from = before(to);
                (eyes.books(&Wanted::Days(from, Some(to))).await?, from)
            }
        };
        Ok(Entries {
            entries: assemble::entries(lines, self.settings.currency),
            next: (from > since).then(|| from.to_string()),
        })
    }
}

/// Leaves out what the token may not read, and what the system has not: it is not checked then.
fn known<T>(asked: Result<T>) -> Result<Option<T>> {
    let is_left_out =
        |error: &Error| error.kind() == ErrorKind::PermissionDenied || error::is_bad_query(error);
    match asked {
        Ok(known) => Ok(Some(known)),
        Err(error) if is_left_out(&error) => {
            tracing::info!(%error, "some of the books cannot be checked");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

async fn accounts(client: &Client, wanted: &BTreeSet<Box<str>>) -> Result<BTreeMap<Box<str>, AccountState>> {
    let all = codes(client, "accounts", wanted, false).await?;
    let open = codes(client, "accounts", &all, true).await?;
    let state = |code: &str| match open.contains(code) {
        true => AccountState::Open,
        false => AccountState::Locked,
    };
    Ok(all.into_iter().map(|code| (code.clone(), state(&code))).collect())
}

/// Returns which of some codes a register has.
async fn codes(
    client: &Client,
    register: &'static str,
    wanted: &BTreeSet<Box<str>>,
    open: bool,
) -> Result<BTreeSet<Box<str>>> {
    let all: Vec<&str> = wanted.iter().map(|code| &**code).collect();
    let mut found = BTreeSet::new();
    for some in all.chunks(CODES) {
        let listing = Listing {
            open,
            ..Listing::of(register, "code").with("code_in", "[String!]!", json!(some))
        };
        let rows: Vec<Coded> = client.read_all(&listing).await?;
        found.extend(rows.into_iter().filter_map(|row| row.code).map(Box::from));
    }
    Ok(found)
}

/// Asks whether accounts can be read.
pub(super) async fn peek_accounts(client: &Client) -> Result<()> {
    client.peek(&Listing::of("accounts", "code")).await
}
