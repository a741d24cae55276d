//! All simulated systems on one address.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use jiff::SignedDuration;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::cornerstone::{Cornerstone, Settings as CornerstoneSettings};
use crate::dataverse::faults::FaultRule;
use crate::dataverse::journal::{Counters, Entry};
use crate::dataverse::limits::ServiceProtection;
use crate::dataverse::schema::Table;
use crate::dataverse::{Delivered, EditSummary, Privilege, Webhook};
use crate::rest::Rest;
use crate::sign_in::{Credentials, SignIn};
use crate::systems::{Systems, TENANT, UNPRIVILEGED_USER, USER};
use crate::wire::{Handler, Transport};
use crate::xledger::tls::Authority;
use crate::xledger::{Settings as XledgerSettings, Xledger};

/// How often webhooks are looked for.
const DELIVERING_EVERY: Duration = Duration::from_millis(100);

/// Says what a simulation begins with.
#[derive(Debug, Clone)]
pub struct SimulationConfig {
    /// The port, or 0 for any that is free.
    pub port: u16,
    /// The number of contacts.
    pub contacts: usize,
    /// What the contacts are made up from.
    pub seed: u64,
    /// How long Dataverse thinks about every request.
    pub latency: Duration,
    /// How long access tokens live.
    pub token_lifetime_seconds: i64,
    /// Tables besides contacts and memberships.
    pub tables: Vec<Table>,
    /// How much one user may ask for.
    pub service_protection: ServiceProtection,
    /// Whether requests without `OData-Version` and `OData-MaxVersion` are refused; the real system recommends them.
    pub strict_headers: bool,
    /// How long whoever gets a webhook may think about it.
    pub webhook_timeout: Duration,
    /// How Xledger behaves.
    pub xledger: XledgerSettings,
    /// How Cornerstone behaves.
    pub cornerstone: CornerstoneSettings,
    /// Whether everything is served over TLS too, on an address of its own, which Xledger's uploads need.
    pub tls: bool,
}

impl Default for SimulationConfig {
    fn default() -> Self {
        Self {
            port: 0,
            contacts: 0,
            seed: 1,
            latency: Duration::ZERO,
            token_lifetime_seconds: 3599,
            tables: Vec::new(),
            service_protection: ServiceProtection::default(),
            strict_headers: true,
            webhook_timeout: Duration::from_secs(60),
            xledger: XledgerSettings::default(),
            cornerstone: CornerstoneSettings::default(),
            tls: false,
        }
    }
}

/// Runs the simulated systems until it is dropped.
#[derive(Debug)]
pub struct Simulation {
    systems: Arc<Systems>,
    _transport: Transport,
    tls: Option<Tls>,
}

/// The same systems once more, over TLS.
#[derive(Debug)]
struct Tls {
    authority: Authority,
    base_url: String,
    _transport: Transport,
}

impl Tls {
    async fn serve(handler: Handler) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let authority = Authority::new("Simulated systems");
        let transport = Transport::serve_tls(listener, authority.server(), handler)
            .expect("a bound listener has an address");
        Self {
            authority,
            base_url: format!("https://{}", transport.address()),
            _transport: transport,
        }
    }
}

impl Simulation {
    /// Starts the systems on a local address.
    ///
    /// # Panics
    ///
    /// Panics when the port is taken.
    pub async fn start(config: SimulationConfig) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", config.port))
            .await
            .expect("the port is free");
        let address = listener.local_addr().expect("a bound listener has an address");
        let tls = config.tls;
        let systems = Arc::new(Systems::new(&format!("http://{address}"), config));
        let served = Arc::clone(&systems);
        let handler: Handler = Arc::new(move |request| {
            let systems = Arc::clone(&served);
            async move { systems.answer(request).await }.boxed()
        });
        let tls = if tls {
            Some(Tls::serve(Arc::clone(&handler)).await)
        } else {
            None
        };
        let transport = Transport::serve(listener, handler).expect("a bound listener has an address");
        Self {
            systems,
            _transport: transport,
            tls,
        }
    }

    /// Returns the address of everything: the authority, the organization, and the control API.
    pub fn base_url(&self) -> &str {
        &self.systems.base_url
    }

    /// Returns the tenant's id.
    pub fn tenant(&self) -> &str {
        TENANT
    }

    /// Returns the id of the app registration that may do everything.
    pub fn client_id(&self) -> &str {
        &self.systems.member.client_id
    }

    /// Returns the secret of the app registration that may do everything.
    pub fn client_secret(&self) -> &str {
        &self.systems.member.client_secret
    }

    /// Returns the scope that tokens are asked for with.
    pub fn scope(&self) -> String {
        format!("{}/.default", self.systems.base_url)
    }

    /// Returns an app registration whose application user has no role.
    pub fn unprivileged(&self) -> &Credentials {
        &self.systems.unprivileged
    }

    /// Returns an app registration without an application user.
    pub fn stranger(&self) -> &Credentials {
        &self.systems.stranger
    }

    /// Returns the user who may do everything, and who signs in as long as no other is set.
    pub fn user(&self) -> &str {
        USER
    }

    /// Returns a user who is a member of the organization and has no role.
    pub fn unprivileged_user(&self) -> &str {
        UNPRIVILEGED_USER
    }

    /// Returns the app registration at Cornerstone.
    pub fn learner(&self) -> &Credentials {
        &self.systems.learner
    }

    /// Returns the sign-in server of Dynamics 365.
    pub fn entra(&self) -> &SignIn {
        &self.systems.entra
    }

    /// Returns Cornerstone.
    pub fn cornerstone(&self) -> &Cornerstone {
        &self.systems.cornerstone
    }

    /// Returns Xledger.
    pub fn xledger(&self) -> &Xledger {
        &self.systems.xledger
    }

    /// Returns the register with a REST API.
    pub fn rest(&self) -> &Rest {
        &self.systems.rest
    }

    /// Returns the address that speaks TLS, if there is one.
    pub fn tls_url(&self) -> Option<&str> {
        self.tls.as_ref().map(|tls| tls.base_url.as_str())
    }

    /// Returns who issues the certificates of that address and of its clients.
    pub fn authority(&self) -> Option<&Authority> {
        self.tls.as_ref().map(|tls| &tls.authority)
    }

    /// Moves the clock.
    pub fn advance(&self, by: SignedDuration) {
        self.systems.clock.advance(by);
    }

    /// Returns the simulated time.
    pub fn now(&self) -> jiff::Timestamp {
        self.systems.clock.now()
    }

    /// Scripts a fault.
    pub fn inject(&self, rule: FaultRule) {
        self.systems.faults.add(rule);
    }

    /// Removes every fault.
    pub fn clear_faults(&self) {
        self.systems.faults.clear();
    }

    /// Creates a row as a human in the portal does, and returns its id.
    ///
    /// # Panics
    ///
    /// Panics when the platform refuses the row.
    #[track_caller]
    pub fn create_as_human(&self, set: &str, row: &Value) -> Uuid {
        self.systems
            .dataverse
            .create_as_human(set, &object(row))
            .expect("the platform takes the row")
    }

    /// Changes a row as a human in the portal does.
    ///
    /// # Panics
    ///
    /// Panics when the platform refuses the change.
    #[track_caller]
    pub fn edit_as_human(&self, set: &str, id: Uuid, changes: &Value) {
        self.systems
            .dataverse
            .edit_as_human(set, id, &object(changes))
            .expect("the platform takes the change");
    }

    /// Deletes a row as a human in the portal does.
    ///
    /// # Panics
    ///
    /// Panics when there is no such row.
    #[track_caller]
    pub fn delete_as_human(&self, set: &str, id: Uuid) {
        self.systems
            .dataverse
            .delete_as_human(set, id)
            .expect("there is such a row");
    }

    /// Merges one contact into another as a human in the portal does.
    ///
    /// # Panics
    ///
    /// Panics when one of them does not exist.
    #[track_caller]
    pub fn merge_as_human(&self, loser: Uuid, master: Uuid) {
        self.systems
            .dataverse
            .merge_as_human(loser, master)
            .expect("there are such rows");
    }

    /// Makes random edits as humans do, the same for the same seed and rows.
    pub fn random_edits(&self, count: usize, seed: u64) -> EditSummary {
        self.systems.dataverse.random_edits(count, seed)
    }

    /// Takes the webhooks that were not sent yet, in the order of what they tell.
    pub fn take_deliveries(&self) -> Vec<Webhook> {
        self.systems.dataverse.take_deliveries()
    }

    /// Sends the webhooks that were not sent yet, as Dataverse does, and says what became of them.
    pub async fn deliver(&self) -> Delivered {
        self.systems.dataverse.deliver().await
    }

    /// Sends webhooks by itself from now on.
    pub async fn keep_delivering(&self) {
        loop {
            self.systems.dataverse.begin_to_deliver();
            tokio::time::sleep(DELIVERING_EVERY).await;
        }
    }

    /// Returns a row with all its columns.
    pub fn row(&self, set: &str, id: Uuid) -> Option<Value> {
        self.systems.dataverse.row(set, id).map(Value::Object)
    }

    /// Returns all rows of a table, by id.
    ///
    /// # Panics
    ///
    /// Panics when there is no such table.
    #[track_caller]
    pub fn rows(&self, set: &str) -> Vec<Value> {
        let rows = self
            .systems
            .dataverse
            .all_rows(set)
            .expect("there is such a table");
        rows.into_iter().map(Value::Object).collect()
    }

    /// Returns the number of rows of a table.
    pub fn row_count(&self, set: &str) -> usize {
        self.systems.dataverse.row_count(set)
    }

    /// Takes a privilege away from every application user.
    pub fn revoke_privilege(&self, table: &str, privilege: Privilege) {
        self.systems.dataverse.access().revoke(table, privilege);
    }

    /// Gives a privilege back.
    pub fn grant_privilege(&self, table: &str, privilege: Privilege) {
        self.systems.dataverse.access().grant(table, privilege);
    }

    /// Makes every access token for Dynamics 365 invalid.
    pub fn revoke_tokens(&self) {
        self.systems.entra.revoke_access_tokens();
    }

    /// Changes how long new access tokens for Dynamics 365 live.
    pub fn set_token_lifetime(&self, seconds: i64) {
        self.systems
            .entra
            .change(|settings| settings.access_token_seconds = seconds);
    }

    /// Makes every delta link too old.
    pub fn expire_delta_links(&self) {
        self.systems.dataverse.expire_delta_links();
    }

    /// Changes a table's definition, which makes its delta links invalid.
    ///
    /// # Panics
    ///
    /// Panics when there is no such table.
    #[track_caller]
    pub fn change_metadata(&self, set: &str) {
        self.systems
            .dataverse
            .change_metadata(set)
            .expect("there is such a table");
    }

    /// Changes the limits of service protection.
    pub fn protect(&self, settings: ServiceProtection) {
        self.systems.dataverse.protect(settings);
    }

    /// Returns the counters.
    pub fn counters(&self) -> Counters {
        self.systems.recorder.counters()
    }

    /// Sets the counters to zero.
    pub fn reset_counters(&self) {
        self.systems.recorder.reset_counters();
    }

    /// Returns every request so far.
    pub fn journal(&self) -> Vec<Entry> {
        self.systems.recorder.entries()
    }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
