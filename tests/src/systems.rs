//! The simulated systems behind their one address.

use std::sync::Arc;

use http::StatusCode;
use serde_json::json;

use crate::clock::SimulatedClock;
use crate::control::{told, unknown};
use crate::cornerstone::{Cornerstone, token};
use crate::dataverse::ApplicationUser;
use crate::dataverse::faults::{Fault, Faults};
use crate::dataverse::journal::Recorder;
use crate::dataverse::server::{Dataverse, Settings};
use crate::entra::Entra;
use crate::random::Random;
use crate::rest::Rest;
use crate::sign_in::{Credentials, Settings as SignInSettings, SignIn};
use crate::simulation::SimulationConfig;
use crate::wire::{Answer, Delivery, Request};
use crate::xledger::Xledger;

/// The tenant that every simulation has.
pub(crate) const TENANT: &str = "7c0f8a52-5d1e-4b0e-9a53-0d6f3f6c2a11";

/// The user who may do everything in the organization.
pub(crate) const USER: &str = "kari.nordmann@hlf.example";

/// The user who is a member of the organization and may do nothing there.
pub(crate) const UNPRIVILEGED_USER: &str = "uten.rolle@hlf.example";

/// Routes requests to the systems, and faults to the requests.
#[derive(Debug)]
pub(crate) struct Systems {
    pub(crate) base_url: String,
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) entra: Arc<SignIn>,
    pub(crate) cornerstone: Cornerstone,
    pub(crate) faults: Arc<Faults>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) dataverse: Dataverse,
    pub(crate) member: Credentials,
    pub(crate) unprivileged: Credentials,
    pub(crate) stranger: Credentials,
    pub(crate) learner: Credentials,
    pub(crate) xledger: Xledger,
    pub(crate) rest: Rest,
    entra_dialect: Entra,
}

impl Systems {
    pub(crate) fn new(base_url: &str, config: SimulationConfig) -> Self {
        let clock = Arc::new(SimulatedClock::default());
        let [member, unprivileged, stranger, learner, register] =
            ["medlem", "uten-rolle", "ukjent", "kurs", "register"].map(credentials);
        let registrations = vec![member.clone(), unprivileged.clone(), stranger.clone()];
        let entra = entra(registrations, config.token_lifetime_seconds, &clock);
        let cornerstone = Cornerstone::new(
            base_url,
            config.cornerstone.clone(),
            Arc::clone(&clock),
            cornerstone(vec![learner.clone()], &clock),
        );
        let users = vec![
            user(&member.client_id, true),
            user(&unprivileged.client_id, false),
            user(USER, true),
            user(UNPRIVILEGED_USER, false),
        ];
        let xledger = Xledger::new(config.xledger.clone(), Arc::clone(&clock));
        let rest = Rest::new(base_url, register, Arc::clone(&clock));
        let settings = Settings::from(config);
        let dataverse = Dataverse::new(base_url, settings, users, Arc::clone(&clock), Arc::clone(&entra));
        let (faults, recorder) = (dataverse.faults(), dataverse.recorder());
        Self {
            base_url: base_url.to_owned(),
            clock,
            entra_dialect: Entra::new(base_url, TENANT, Arc::clone(&entra)),
            entra,
            cornerstone,
            faults,
            recorder,
            dataverse,
            member,
            unprivileged,
            stranger,
            learner,
            xledger,
            rest,
        }
    }

    pub(crate) async fn answer(&self, request: Request) -> Answer {
        let gzip = request.accepts_gzip();
        if request.path.starts_with("/_simulator/") {
            return self.control(&request).await.sealed(gzip);
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
            if let Some(answer) = self.instead(fault, request) {
                return answer.dated(self.clock.now());
            }
        }
        let answer = self.route(request).await.dated(self.clock.now());
        for fault in &faults {
            tokio::time::sleep(fault.wait_after()).await;
        }
        faults
            .iter()
            .fold(answer, |answer, fault| fault.spoil(&self.faults, answer))
    }

    fn instead(&self, fault: &Fault, request: &Request) -> Option<Answer> {
        match fault {
            Fault::Xledger { misbehaviour } => {
                Xledger::serves(request).then(|| self.xledger.instead(misbehaviour, request))
            }
            Fault::Cornerstone { misbehaviour } => Cornerstone::serves(request)
                .then(|| self.cornerstone.instead(misbehaviour, request))
                .flatten(),
            _ => fault.instead(&self.dataverse, request),
        }
    }

    async fn route(&self, request: &Request) -> Answer {
        if Xledger::serves(request) {
            let kind = if request.path == "/graphql" {
                "xledgerGraphql"
            } else {
                "xledgerSoap"
            };
            self.recorder.count_kind(kind);
            return self.xledger.answer(request).await;
        }
        if Rest::serves(request) {
            self.recorder.count_kind("rest");
            return self.rest.answer(request);
        }
        if request.path.starts_with("/api/data/") {
            return self.dataverse.answer(request).await;
        }
        if request.path.ends_with("/oauth2/v2.0/token") {
            self.recorder.count_kind("token");
            return self.entra_dialect.token(request);
        }
        if request.path.ends_with("/oauth2/v2.0/authorize") {
            self.recorder.count_kind("authorize");
            return self.entra_dialect.authorize(request);
        }
        if Cornerstone::serves(request) {
            self.recorder.count_kind(Cornerstone::counter(request));
            return self.cornerstone.answer(request).await;
        }
        Answer::empty(StatusCode::NOT_FOUND)
    }

    async fn control(&self, request: &Request) -> Answer {
        let path = request.path.trim_start_matches("/_simulator/");
        match path.split_once('/') {
            None if path == "connection" => self.connection(),
            Some(("sign-in", rest)) => match rest.split_once('/') {
                Some(("entra", rest)) => self.entra.control(request, rest),
                Some(("cornerstone", rest)) => self.cornerstone.sign_in().control(request, rest),
                _ => told(Err(unknown(request))),
            },
            Some(("cornerstone", rest)) => self.cornerstone.control(request, rest).await,
            Some(("xledger", rest)) => self.xledger.control(request, rest).await,
            Some(("rest", rest)) => self.rest.control(request, rest),
            _ => self.dataverse.control(request),
        }
    }

    fn connection(&self) -> Answer {
        let told = json!({
            "baseUrl": self.base_url, "tenant": TENANT, "scope": format!("{}/.default", self.base_url),
            "clientId": self.member.client_id, "clientSecret": self.member.client_secret,
            "cornerstone": {
                "clientId": self.learner.client_id, "clientSecret": self.learner.client_secret,
            },
            "xledger": { "token": self.xledger.token(), "entity": self.xledger.entity() },
            "rest": {
                "secret": self.rest.secret(), "userName": self.rest.user(), "scope": self.rest.scope(),
                "clientId": self.rest.client().client_id, "clientSecret": self.rest.client().client_secret,
            },
        });
        Answer::json(StatusCode::OK, &told)
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
            webhook_timeout,
            ..
        } = config;
        Self {
            contacts,
            seed,
            latency,
            tables,
            service_protection,
            strict_headers,
            webhook_timeout,
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

fn entra(clients: Vec<Credentials>, access_token_seconds: i64, clock: &Arc<SimulatedClock>) -> Arc<SignIn> {
    let settings = SignInSettings {
        access_token_seconds,
        visitor: Some(USER.to_owned()),
        ..SignInSettings::default()
    };
    Arc::new(SignIn::new(
        clients,
        settings,
        i64::MIN..=i64::MAX,
        Arc::clone(clock),
    ))
}

fn cornerstone(clients: Vec<Credentials>, clock: &Arc<SimulatedClock>) -> Arc<SignIn> {
    let settings = SignInSettings {
        access_token_seconds: 3600,
        ..SignInSettings::default()
    };
    Arc::new(SignIn::new(
        clients,
        settings,
        token::LIFETIMES,
        Arc::clone(clock),
    ))
}

/// Returns the user that an app or a human is in the organization, with an id of its own.
fn user(subject: &str, has_role: bool) -> ApplicationUser {
    let seed = subject
        .bytes()
        .fold(1, |seed: u64, byte| seed.rotate_left(7) ^ u64::from(byte));
    ApplicationUser {
        subject: subject.to_owned(),
        user: Random::new(seed).id(),
        has_role,
    }
}
