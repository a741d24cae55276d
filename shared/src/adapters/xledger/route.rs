//! Which way works, found out by asking.
//!
//! | what answers | then |
//! | --- | --- |
//! | GraphQL lets us in, and shows the import queue | GraphQL |
//! | it refuses the token, or its scope, or is not there | SOAP is asked |
//! | SOAP lets us in | SOAP |
//! | it refuses us, or is not there | a file, where that is allowed; else the refusal |
//! | anything that may pass: a limit, a fault of the server, silence | no way is chosen: another one would be for ever |

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::client::Client;
use super::look;
use super::refusal::Refusal;
use super::soap::SoapLedger;
use crate::adapter::{Error, ErrorKind, Result, Usage};
use crate::export::{Ledger, Route};
use crate::http::{Counters, Http, HttpCounts};

/// The way by SOAP.
#[async_trait]
pub(super) trait Soap: Debug + Send + Sync {
    /// Signs in, and does no more.
    ///
    /// # Errors
    ///
    /// As the system's answer is to be taken.
    async fn sign_in(&self) -> Result<()>;

    /// Returns the ledger by this way.
    fn ledger(&self) -> Arc<dyn Ledger>;
}

/// The ways that an organization is set up for.
#[derive(Debug, Clone, Default)]
pub(super) struct Ways {
    pub(super) graphql: Option<Arc<Client>>,
    pub(super) soap: Option<Arc<dyn Soap>>,
    /// Whether a file may be one.
    pub(super) csv: bool,
    pub(super) meter: Meter,
    pub(super) refusal: Refusal,
}

/// What all ways cost together.
#[derive(Debug, Clone, Default)]
pub(super) struct Meter {
    counters: Arc<Counters>,
    taken: Arc<Mutex<HttpCounts>>,
}

impl Meter {
    pub(super) fn of(http: &Http) -> Self {
        Self {
            counters: Arc::clone(http.counters()),
            taken: Arc::default(),
        }
    }

    /// Returns what was sent and received since this was last asked.
    pub(super) fn take(&self) -> Usage {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (counts, before) = (self.counters.read(), *taken);
        *taken = counts;
        Usage {
            requests: counts.requests - before.requests,
            bytes_received: counts.received_bytes - before.received_bytes,
        }
    }
}

/// The SOAP services as they are.
#[derive(Debug)]
pub(super) struct BySoap(pub(super) Arc<SoapLedger>);

#[async_trait]
impl Soap for BySoap {
    async fn sign_in(&self) -> Result<()> {
        self.0.logon().await
    }

    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::<SoapLedger>::clone(&self.0)
    }
}

impl Ways {
    /// Returns the first way that works.
    pub(super) async fn negotiate(&self) -> Result<Route> {
        let mut refused = None;
        if let Some(client) = &self.graphql {
            match enter(client).await {
                Ok(()) => return Ok(Route::Graphql),
                Err(error) if is_for_good(&error) => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        if let Some(soap) = &self.soap {
            match soap.sign_in().await {
                Ok(()) => return Ok(Route::Soap),
                Err(error) if is_for_good(&error) => refused = refused.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        match refused {
            _ if self.csv => Ok(Route::Csv),
            Some(error) => Err(error),
            None => Err(unfit("the credentials fit none of the ways to the ledger")),
        }
    }

    /// Sees that GraphQL works.
    pub(super) async fn by_graphql(&self) -> Result<Route> {
        enter(self.client()?).await.map(|()| Route::Graphql)
    }

    /// Sees that SOAP works.
    pub(super) async fn by_soap(&self) -> Result<Route> {
        let soap = self
            .soap
            .as_ref()
            .ok_or_else(|| unfit("the integration is not set up for SOAP"))?;
        soap.sign_in().await.map(|()| Route::Soap)
    }

    pub(super) fn client(&self) -> Result<&Arc<Client>> {
        let client = self.graphql.as_ref();
        client.ok_or_else(|| unfit("there is no API token: give the integration one"))
    }
}

pub(super) fn unfit(message: &'static str) -> Error {
    Error::new(ErrorKind::Unsupported, message)
}

async fn enter(client: &Client) -> Result<()> {
    client.greet().await?;
    client.peek(&look::QUEUE).await
}

/// Says whether another way is worth asking for: this one stays shut until a human opens it.
fn is_for_good(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unauthenticated | ErrorKind::PermissionDenied | ErrorKind::NotFound
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers a sign-in with one and the same thing.
    #[derive(Debug)]
    struct Door(Option<ErrorKind>);

    #[async_trait]
    impl Soap for Door {
        async fn sign_in(&self) -> Result<()> {
            self.0
                .map_or(Ok(()), |kind| Err(Error::new(kind, "the door says no")))
        }

        fn ledger(&self) -> Arc<dyn Ledger> {
            unreachable!("nobody sends anything here")
        }
    }

    async fn negotiated(door: Option<ErrorKind>, csv: bool) -> core::result::Result<Route, ErrorKind> {
        let ways = Ways {
            graphql: None,
            soap: Some(Arc::new(Door(door))),
            csv,
            meter: Meter::default(),
            ..Ways::default()
        };
        ways.negotiate().await.map_err(|error| error.kind())
    }

    #[tokio::test]
    async fn a_file_is_the_way_only_where_it_may_be_and_soap_is_shut_for_good() {
        use ErrorKind::{Malformed, NotFound, PermissionDenied, Unauthenticated, Unavailable};
        assert_eq!(negotiated(None, true).await, Ok(Route::Soap));
        for shut in [Unauthenticated, PermissionDenied, NotFound] {
            assert_eq!(negotiated(Some(shut), true).await, Ok(Route::Csv));
            assert_eq!(negotiated(Some(shut), false).await, Err(shut));
        }
        for passing in [Unavailable, Malformed] {
            assert_eq!(negotiated(Some(passing), true).await, Err(passing));
        }
        let nothing = Ways::default().negotiate().await.unwrap_err();
        assert_eq!(nothing.kind(), ErrorKind::Unsupported);
    }
}
