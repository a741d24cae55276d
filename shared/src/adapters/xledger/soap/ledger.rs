//! The services as a ledger.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::account::SoapAccount;
use super::client::{Client, File, Uploaded};
use crate::adapter;
use crate::adapters::xledger::gl02xml::{file_name, render};
use crate::adapters::xledger::refusal::Refusal;
use crate::clock::Clock;
use crate::export::{Dedup, Entry, FindError, Ledger, Reference, Route, Sent, Voucher};
use crate::http::Http;

/// What a process knows of one user of the services beyond a single ledger: the key, once there is one.
#[derive(Debug, Default)]
pub struct SoapSession {
    key: Mutex<Option<SecretString>>,
}

/// Xledger, by its SOAP services.
#[derive(Debug)]
pub struct SoapLedger {
    client: Client,
    session: Arc<SoapSession>,
    refusal: Refusal,
}

impl SoapLedger {
    /// Makes the ledger; nothing is sent.
    #[must_use]
    pub fn new(account: SoapAccount, session: Arc<SoapSession>, http: &Http, clock: Arc<dyn Clock>) -> Self {
        let client = Client::new(account, http, clock);
        Self {
            client,
            session,
            refusal: Refusal::default(),
        }
    }

    /// Notes there, too, with what the user was refused.
    #[must_use]
    pub fn noting(self, refusal: Refusal) -> Self {
        Self { refusal, ..self }
    }

    /// Asks for a key, whether or not there is one: says that user, password and application work.
    ///
    /// The certificate is not tried by it; only an upload is asked for one.
    ///
    /// # Errors
    ///
    /// `Unauthenticated`, `PermissionDenied`, `NotFound` and `Malformed` for as long as nobody does anything; `Unavailable` and
    /// `RateLimited` where it may work later.
    pub async fn logon(&self) -> adapter::Result<()> {
        let key = self.client.logon().await?;
        *self.session.key.lock().await = Some(key);
        Ok(())
    }

    /// Returns a key, and whether it is new. One that was refused is not given again; who waits for a new one shares it.
    async fn key(&self, refused: Option<&SecretString>) -> adapter::Result<(SecretString, bool)> {
        let mut kept = self.session.key.lock().await;
        let is_refused = |key: &SecretString| {
            refused.is_some_and(|refused| refused.expose_secret() == key.expose_secret())
        };
        if let Some(key) = kept.as_ref().filter(|key| !is_refused(key)) {
            return Ok((key.clone(), false));
        }
        *kept = None;
        let key = self.client.logon().await?;
        *kept = Some(key.clone());
        Ok((key, true))
    }

    async fn upload(&self, file: &File<'_>) -> adapter::Result<Uploaded> {
        let (key, is_new) = self.key(None).await?;
        match self.client.upload(&key, file).await {
            Uploaded::KeyRefused if !is_new => {
                let (key, _) = self.key(Some(&key)).await?;
                Ok(self.client.upload(&key, file).await)
            }
            uploaded => Ok(uploaded),
        }
    }
}

#[async_trait]
impl Ledger for SoapLedger {
    fn dedup(&self) -> Dedup {
        Dedup::None
    }

    fn route(&self) -> Route {
        Route::Soap
    }

    async fn send(&self, voucher: &Voucher) -> Sent {
        let settings = &self.client.account.settings;
        let bytes = match render(voucher, &settings.elements, settings.currency) {
            Ok(bytes) => bytes,
            Err(unfit) => return Sent::Rejected(unfit.to_string().into()),
        };
        let texts = voucher.lines().iter().map(|line| &*line.text);
        let file = File {
            name: &file_name(voucher.reference()),
            bytes: &bytes,
            entity: voucher.entity().unwrap_or_default(),
            hidden: texts.chain(voucher.subledger()).collect(),
        };
        match self.upload(&file).await {
            Ok(Uploaded::Accepted) => Sent::Accepted,
            Ok(Uploaded::Rejected(reason)) => Sent::Rejected(reason.into()),
            Ok(Uploaded::NotSent(reason)) => Sent::NotSent(reason.into()),
            Ok(Uploaded::KeyRefused) => {
                Sent::NotSent("the service does not take a key that it has just given".into())
            }
            Ok(Uploaded::Unknown) => Sent::Unknown,
            Err(error) => {
                self.refusal.note(&error);
                Sent::NotSent(error.to_string().into())
            }
        }
    }

    async fn find(&self, _: &Reference) -> Result<Vec<Entry>, FindError> {
        Err(FindError(
            "the SOAP services do not tell what was booked: look into Xledger".into(),
        ))
    }
}
