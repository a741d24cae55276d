//! All simulated systems on one address.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use http::StatusCode;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::clock::SimulatedClock;
use crate::dataverse::faults::{FaultRule, Faults};
use crate::dataverse::journal::{Counters, Entry, Recorder};
use crate::dataverse::limits::ServiceProtection;
use crate::dataverse::schema::Table;
use crate::dataverse::server::{Dataverse, Settings};
use crate::dataverse::{ApplicationUser, EditSummary, Privilege};
use crate::entra::{Credentials, Entra};
use crate::random::Random;
use crate::wire::{Answer, Delivery, Handler, Request, Transport};

/// The tenant that every simulation has.
const TENANT: &str = "7c0f8a52-5d1e-4b0e-9a53-0d6f3f6c2a11";

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
        }
    }
}

/// Runs the simulated systems until it is dropped.
#[derive(Debug)]
pub struct Simulation {
    systems: Arc<Systems>,
    _transport: Transport,
}

#[derive(Debug)]
struct Systems {
    base_url: String,
    clock: Arc<SimulatedClock>,
    entra: Arc<Entra>,
    faults: Arc<Faults>,
    recorder: Arc<Recorder>,
    dataverse: Dataverse,
    member: Credentials,
    unprivileged: Credentials,
    stranger: Credentials,
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
        let systems = Arc::new(Systems::new(&format!("http://{address}"), config));
        let served = Arc::clone(&systems);
        let handler: Handler = Arc::new(move |request| {
            let systems = Arc::clone(&served);
            async move { systems.answer(request).await }.boxed()
        });
        let transport = Transport::serve(listener, handler).expect("a bound listener has an address");
        Self {
            systems,
            _transport: transport,
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

    /// Makes every access token invalid.
    pub fn revoke_tokens(&self) {
        self.systems.entra.revoke_all();
    }

    /// Changes how long new access tokens live.
    pub fn set_token_lifetime(&self, seconds: i64) {
        self.systems.entra.set_lifetime(seconds);
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

impl Systems {
    fn new(base_url: &str, config: SimulationConfig) -> Self {
        let clock = Arc::new(SimulatedClock::default());
        let [member, unprivileged, stranger] = ["medlem", "uten-rolle", "ukjent"].map(credentials);
        let registrations = vec![member.clone(), unprivileged.clone(), stranger.clone()];
        let lifetime = config.token_lifetime_seconds;
        let entra = Arc::new(Entra::new(TENANT, registrations, Arc::clone(&clock), lifetime));
        let users = vec![user(&member, true), user(&unprivileged, false)];
        let settings = Settings::from(config);
        let dataverse = Dataverse::new(base_url, settings, users, Arc::clone(&clock), Arc::clone(&entra));
        let (faults, recorder) = (dataverse.faults(), dataverse.recorder());
        let base_url = base_url.to_owned();
        Self {
            base_url,
            clock,
            entra,
            faults,
            recorder,
            dataverse,
            member,
            unprivileged,
            stranger,
        }
    }

    async fn answer(&self, request: Request) -> Answer {
        let gzip = request.accepts_gzip();
        if request.path.starts_with("/_simulator/") {
            return self.control(&request).sealed(gzip);
        }
        let answer = self.strike(&request).await;
        let status = (answer.delivery != Delivery::Reset).then_some(answer.status);
        self.recorder.note(&request, status, false);
        let plain = answer.body.len();
        let answer = answer.sealed(gzip);
        self.recorder.count(|counters| {
            counters.bytes_uncompressed += plain as u64;
            counters.bytes_sent += answer.body.len() as u64;
        });
        answer
    }

    /// Answers a request with whatever faults it meets.
    async fn strike(&self, request: &Request) -> Answer {
        let faults = self.faults.of_request(request);
        for fault in &faults {
            tokio::time::sleep(fault.wait()).await;
            if let Some(answer) = fault.instead(&self.dataverse, request) {
                return answer;
            }
        }
        let answer = self.route(request).await;
        faults
            .iter()
            .fold(answer, |answer, fault| fault.spoil(&self.faults, answer))
    }

    async fn route(&self, request: &Request) -> Answer {
        if request.path.starts_with("/api/data/") {
            return self.dataverse.answer(request).await;
        }
        if request.path.ends_with("/oauth2/v2.0/token") {
            self.recorder.count_kind("token");
            return self.entra.answer(request);
        }
        Answer::empty(StatusCode::NOT_FOUND)
    }

    fn control(&self, request: &Request) -> Answer {
        if request.path != "/_simulator/connection" {
            return self.dataverse.control(request);
        }
        let Credentials {
            client_id,
            client_secret,
        } = &self.member;
        Answer::json(
            StatusCode::OK,
            &json!({
                "baseUrl": self.base_url, "tenant": TENANT, "clientId": client_id, "clientSecret": client_secret,
                "scope": format!("{}/.default", self.base_url),
            }),
        )
    }
}

impl From<SimulationConfig> for Settings {
    fn from(config: SimulationConfig) -> Self {
        let SimulationConfig {
            contacts,
            seed,
            latency,
            tables,
            service_protection,
            strict_headers,
            ..
        } = config;
        Self {
            contacts,
            seed,
            latency,
            tables,
            service_protection,
            strict_headers,
        }
    }
}

/// Returns an app registration that is the same in every simulation.
fn credentials(name: &str) -> Credentials {
    let seed = name.bytes().fold(0, |seed, byte| seed << 5 ^ u64::from(byte));
    let client_secret = format!("simulated~{name}");
    Credentials {
        client_id: Random::new(seed).id().to_string(),
        client_secret,
    }
}

/// Returns the application user of an app registration, with an id of its own.
fn user(credentials: &Credentials, has_role: bool) -> ApplicationUser {
    let seed = credentials
        .client_id
        .bytes()
        .fold(1, |seed: u64, byte| seed.rotate_left(7) ^ u64::from(byte));
    ApplicationUser {
        client_id: credentials.client_id.clone(),
        user: Random::new(seed).id(),
        has_role,
    }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
