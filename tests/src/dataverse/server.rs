//! Who asks for what, and where it is answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use super::access::{Access, ApplicationUser};
use super::address::Resource;
use super::call::{Call, kind, relative};
use super::deliveries::Courier;
use super::error::{Outcome, Refusal};
use super::faults::Faults;
use super::journal::Recorder;
use super::limits::{Limits, ServiceProtection};
use super::link::Seal;
use super::preferences::Preferences;
use super::registration;
use super::render::Pages;
use super::schema::{Table, member_tables};
use super::seed::fill;
use super::store::Store;
use crate::clock::SimulatedClock;
use crate::random::Random;
use crate::sign_in::SignIn;
use crate::wire::{Answer, Request};

/// Bodies longer than this are refused.
const LONGEST_BODY: usize = 100 * 1024 * 1024;

/// Serves one organization.
#[derive(Debug)]
pub(crate) struct Dataverse {
    pub(super) base_url: String,
    pub(super) clock: Arc<SimulatedClock>,
    pub(super) sign_in: Arc<SignIn>,
    pub(super) store: RwLock<Store>,
    pub(super) access: Mutex<Access>,
    pub(super) limits: Mutex<Limits>,
    pub(super) faults: Arc<Faults>,
    pub(super) recorder: Arc<Recorder>,
    pub(super) pages: Pages,
    pub(super) seal: Seal,
    pub(super) organization: Uuid,
    pub(super) portal_user: Uuid,
    pub(super) strict_headers: bool,
    pub(super) latency: Duration,
    pub(super) forgotten_before: AtomicU64,
    pub(super) courier: Arc<Courier>,
}

/// Says what an organization begins with.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) contacts: usize,
    pub(crate) seed: u64,
    pub(crate) latency: Duration,
    pub(crate) tables: Vec<Table>,
    pub(crate) service_protection: ServiceProtection,
    pub(crate) strict_headers: bool,
    pub(crate) webhook_timeout: Duration,
}

/// Counts a request as running until it is dropped.
struct Admission<'a> {
    dataverse: &'a Dataverse,
    user: Uuid,
    began: Instant,
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        self.dataverse.limits().finish(self.user, self.began.elapsed());
    }
}

impl Dataverse {
    /// Founds an organization with its members.
    pub(crate) fn new(
        base_url: &str,
        settings: Settings,
        users: Vec<ApplicationUser>,
        clock: Arc<SimulatedClock>,
        sign_in: Arc<SignIn>,
    ) -> Self {
        let mut random = Random::new(settings.seed);
        let (organization, portal_user) = (random.id(), random.id());
        let recorder = Arc::<Recorder>::default();
        Self {
            base_url: base_url.to_owned(),
            clock,
            sign_in,
            store: RwLock::new(founded(&settings, portal_user)),
            access: Mutex::new(Access::new(users)),
            limits: Mutex::new(Limits::new(settings.service_protection)),
            faults: Arc::default(),
            courier: Arc::new(Courier::new(settings.webhook_timeout, Arc::clone(&recorder))),
            recorder,
            pages: Pages::default(),
            seal: Seal(random.next()),
            organization,
            portal_user,
            strict_headers: settings.strict_headers,
            latency: settings.latency,
            forgotten_before: AtomicU64::new(0),
        }
    }

    pub(crate) fn faults(&self) -> Arc<Faults> {
        Arc::clone(&self.faults)
    }

    pub(crate) fn recorder(&self) -> Arc<Recorder> {
        Arc::clone(&self.recorder)
    }

    pub(crate) fn protect(&self, settings: ServiceProtection) {
        self.limits().replace(settings);
    }
}

fn founded(settings: &Settings, user: Uuid) -> Store {
    let extra = settings.tables.iter().cloned().map(Arc::new);
    let tables = member_tables().into_iter().chain(extra);
    let mut store = Store::new(tables.chain(registration::tables()).collect());
    fill(&mut store, settings.contacts, settings.seed, user);
    registration::fill(&mut store, user);
    store
}

impl Dataverse {
    /// Answers one request from the network.
    pub(crate) async fn answer(&self, request: &Request) -> Answer {
        let answer = match self.admit(request) {
            Ok((user, admission)) => {
                tokio::time::sleep(self.latency).await;
                let answer = self.perform(request, &user);
                drop(admission);
                self.limits().remaining(user.user).annotate(answer)
            }
            Err(answer) => *answer,
        };
        let id = Uuid::new_v4().to_string();
        answer
            .with("odata-version", "4.0")
            .with("req_id", &id)
            .with("x-ms-service-request-id", &id)
    }

    fn admit(&self, request: &Request) -> Result<(ApplicationUser, Admission<'_>), Box<Answer>> {
        let user = self.authenticate(request)?;
        self.limits()
            .admit(user.user, self.clock.now().as_millisecond())?;
        let admission = Admission {
            dataverse: self,
            user: user.user,
            began: started(),
        };
        Ok((user, admission))
    }

    fn authenticate(&self, request: &Request) -> Result<ApplicationUser, Box<Answer>> {
        let bearer = request
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "));
        let grant = bearer.and_then(|token| self.sign_in.grant(token));
        let grant = grant
            .filter(|grant| grant.audience == self.base_url)
            .filter(|grant| grant.user.is_none() || grant.allows("user_impersonation"))
            .ok_or_else(|| Box::new(self.challenge()))?;
        self.access()
            .user(grant.subject())
            .map_err(|refusal| Box::new(refusal.to_answer(false)))
    }

    pub(super) fn challenge(&self) -> Answer {
        let challenge = format!(
            "Bearer authorization_uri={0}/common/oauth2/authorize, resource_id={0}/",
            self.base_url
        );
        Answer::empty(StatusCode::UNAUTHORIZED).with("www-authenticate", &challenge)
    }

    fn perform(&self, request: &Request, user: &ApplicationUser) -> Answer {
        let annotated =
            Preferences::read(&request.headers).wants("Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus");
        let outcome = self.check(request).and_then(|()| self.dispatch(request, user));
        outcome.unwrap_or_else(|refusal| refusal.to_answer(annotated))
    }

    fn check(&self, request: &Request) -> Outcome<()> {
        if request.body.len() > LONGEST_BODY {
            return Err(Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "",
                "Maximum request length exceeded.",
            ));
        }
        let accept = request.header("accept").unwrap_or_default();
        if !accept.is_empty()
            && !accept.contains("json")
            && !accept.contains("*/*")
            && !accept.contains("multipart")
        {
            return Err(Refusal::new(
                StatusCode::NOT_ACCEPTABLE,
                "",
                "Only application/json can be answered.",
            ));
        }
        for name in ["odata-version", "odata-maxversion"] {
            self.check_version(name, request.header(name))?;
        }
        Ok(())
    }

    fn check_version(&self, name: &str, value: Option<&str>) -> Outcome<()> {
        match value {
            Some("4.0") => Ok(()),
            None if !self.strict_headers => Ok(()),
            None => Err(Refusal::bad_request(format!("The {name} header is required."))),
            Some(other) => Err(Refusal::bad_request(format!(
                "The {name} header value '{other}' is not supported."
            ))),
        }
    }

    fn dispatch(&self, request: &Request, user: &ApplicationUser) -> Outcome<Answer> {
        let call = self.call(request, user)?;
        let resource = Resource::parse(relative(&request.path)?)?;
        self.recorder.count_kind(kind(&call, &resource));
        if let Resource::Batch = resource {
            return self.batch(&call);
        }
        self.operate(&call, &resource)
    }

    /// Performs one operation under a lock of its own.
    pub(super) fn operate(&self, call: &Call<'_>, resource: &Resource) -> Outcome<Answer> {
        match (&call.request.method, resource) {
            (&Method::GET, _) => self.get(call, resource),
            (&Method::POST, Resource::Action(set, name)) => self.act(&mut self.store_mut(), call, set, name),
            (_, Resource::WhoAmI) => Err(no_http_resource(call)),
            _ => self.modify(&mut self.store_mut(), call, resource),
        }
    }

    fn get(&self, call: &Call<'_>, resource: &Resource) -> Outcome<Answer> {
        match resource {
            Resource::WhoAmI => Ok(self.who_am_i(call)),
            Resource::ServiceDocument => Ok(self.service_document(call)),
            Resource::Definitions(table, rest) => self.definitions(call, table.as_deref(), rest),
            Resource::Collection(set) => self.list(call, set),
            Resource::Count(set) => self.count(call, set),
            Resource::Row(set, locator) => self.single(call, set, locator),
            Resource::Action(..) | Resource::Batch => Err(Refusal::method_not_allowed(&call.request.method)),
        }
    }

    fn who_am_i(&self, call: &Call<'_>) -> Answer {
        let body = json!({
            "@odata.context": format!("{}/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse", call.root),
            "BusinessUnitId": self.organization, "UserId": call.user.user, "OrganizationId": self.organization,
        });
        Answer::json(StatusCode::OK, &body)
    }

    pub(super) fn forgotten_before(&self) -> u64 {
        self.forgotten_before.load(Ordering::SeqCst)
    }

    /// Forgets the history, as if every delta link so far had grown too old.
    pub(crate) fn expire_delta_links(&self) {
        let version = self.store_mut().skip_version();
        self.forgotten_before.store(version, Ordering::SeqCst);
    }

    pub(crate) fn store(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn store_mut(&self) -> RwLockWriteGuard<'_, Store> {
        self.store.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn access(&self) -> MutexGuard<'_, Access> {
        self.access.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_http_resource(call: &Call<'_>) -> Refusal {
    let message = format!(
        "No HTTP resource was found that matches the request URI '{}/WhoAmI'.",
        call.root
    );
    Refusal::new(StatusCode::NOT_FOUND, "", message)
}

/// The execution time of a request is real, whatever the simulated clock shows.
#[expect(
    clippy::disallowed_methods,
    reason = "measures how long a request really took"
)]
fn started() -> Instant {
    Instant::now()
}
