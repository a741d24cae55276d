use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_graphql::Variables;
use async_graphql::dynamic::Schema;
use futures::FutureExt as _;
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::graphql::{self, Call, Refusal};
use super::ledger::Ledger;
use super::settings::Settings;
use super::soap::{Desk, User};
use super::token::{ApiToken, presented};
use super::usage::Usage;
use crate::clock::SimulatedClock;
use crate::wire::{Answer, Request};

/// The API token that every simulation has.
pub(crate) const TOKEN: &str = "c2ltdWxhdGVkLXhsZWRnZXItYXBpLXRva2VuLTAx";

/// The entity that it is for.
pub(crate) const ENTITY: &str = "23001";

const BAD_FORMAT: &str = "Bad format for API Token. Expected header: \"Authorization: token <your-token>\"";

/// The simulated Xledger.
pub struct Xledger {
    pub(super) clock: Arc<SimulatedClock>,
    pub(super) ledger: Arc<Mutex<Ledger>>,
    pub(super) schema: Schema,
    pub(super) tokens: Mutex<Vec<ApiToken>>,
    pub(super) usage: Mutex<Usage>,
    pub(super) desk: Mutex<Desk>,
    pub(super) maintenance: AtomicBool,
    timeline: Mutex<Timeline>,
}

/// Knows what has yet to happen.
#[derive(Debug)]
struct Timeline {
    last_run: Timestamp,
    later: Vec<(Timestamp, Request)>,
}

/// What comes next by the clock.
enum Next {
    Job(Timestamp),
    Late(Timestamp, Box<Request>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    query: String,
    #[serde(default)]
    variables: Option<Value>,
    #[serde(default)]
    operation_name: Option<String>,
}

/// Ends a request that was let in, also when its caller has gone.
struct Running<'a>(&'a Xledger, &'a str);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        lock(&self.0.usage).finish(self.1);
    }
}

impl fmt::Debug for Xledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Xledger").finish_non_exhaustive()
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Xledger {
    pub(crate) fn new(settings: Settings, clock: Arc<SimulatedClock>) -> Self {
        let user = User {
            name: "webservice@forbundet.example".to_owned(),
            password: "simulated~webservice".to_owned(),
            entities: vec![ENTITY.to_owned()],
        };
        let timeline = Timeline {
            last_run: clock.now(),
            later: Vec::new(),
        };
        Self {
            schema: graphql::build(settings.money_as_number),
            ledger: Arc::new(Mutex::new(Ledger::new(settings))),
            tokens: Mutex::new(vec![ApiToken::new(TOKEN, ENTITY)]),
            usage: Mutex::default(),
            desk: Mutex::new(Desk::new(user)),
            maintenance: AtomicBool::new(false),
            timeline: Mutex::new(timeline),
            clock,
        }
    }

    /// Returns whether a request is for Xledger.
    pub(crate) fn serves(request: &Request) -> bool {
        request.path == "/graphql" || request.path.starts_with("/WS/Common/Lib/")
    }

    /// Answers a request.
    pub(crate) async fn answer(&self, request: &Request) -> Answer {
        self.settle();
        if self.maintenance.load(Ordering::SeqCst) {
            return maintenance();
        }
        if request.path == "/graphql" {
            return self.graphql(request).await;
        }
        self.soap(request, self.clock.now())
    }

    /// Lets everything happen that is due.
    pub(super) fn settle(&self) {
        let now = self.clock.now();
        let mut timeline = lock(&self.timeline);
        loop {
            // The books are let go of before anything happens to them.
            let interval = lock(&self.ledger).settings.job_interval;
            let Some(next) = timeline.next(now, interval) else {
                return;
            };
            match next {
                Next::Job(at) => drop(lock(&self.ledger).run_job(at)),
                Next::Late(at, request) => drop(self.perform(&request, at)),
            }
        }
    }

    /// Performs a request when the clock has got there.
    pub(super) fn perform_later(&self, at: Timestamp, request: Request) {
        lock(&self.timeline).later.push((at, request));
    }

    /// Performs a request at once and for nothing: no limit is looked at, and nobody waits for it.
    pub(super) fn perform(&self, request: &Request, at: Timestamp) -> Answer {
        if request.path != "/graphql" {
            return self.soap(request, at);
        }
        let asked = self.read(request, at);
        json_answer(&asked.map_or_else(
            |refusal| refusal.to_body(),
            |(token, document)| self.execute(token, document, at),
        ))
    }

    fn soap(&self, request: &Request, at: Timestamp) -> Answer {
        let name = request.path.trim_start_matches("/WS/Common/Lib/");
        if !matches!(name, "Authentication.asmx" | "FileUpload.asmx") {
            return Answer::empty(StatusCode::NOT_FOUND);
        }
        lock(&self.desk).answer(&mut lock(&self.ledger), request, at)
    }

    async fn graphql(&self, request: &Request) -> Answer {
        if request.method != Method::POST {
            return Answer::empty(StatusCode::METHOD_NOT_ALLOWED).with("allow", "POST");
        }
        if !is_json(request) {
            return Answer::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let body = self.asked(request).await;
        let answer = json_answer(&body);
        lock(&self.usage).count(request.body.len(), answer.body.len(), self.clock.now());
        answer
    }

    /// Returns the body of an answer, with everything that comes before and after a document is executed.
    async fn asked(&self, request: &Request) -> Value {
        let (token, document) = match self.read(request, self.clock.now()) {
            Ok(read) => read,
            Err(refusal) => return refusal.to_body(),
        };
        let (limits, latency) = {
            let ledger = lock(&self.ledger);
            (ledger.settings.limits, ledger.settings.latency)
        };
        if let Err(refusal) = lock(&self.usage).admit(&token.token, &limits, self.clock.now()) {
            return refusal.to_body();
        }
        let name = token.token.clone();
        let running = Running(self, &name);
        tokio::time::sleep(latency).await;
        let body = self.execute(token, document, self.clock.now());
        drop(running);
        body
    }

    fn read(&self, request: &Request, now: Timestamp) -> Result<(ApiToken, Document), Refusal> {
        let shown = presented(request.header("authorization")).ok_or_else(|| Refusal::new(BAD_FORMAT))?;
        let tokens = lock(&self.tokens);
        let token = tokens.iter().find(|token| token.token == shown);
        let token = token.filter(|token| token.is_live(now)).cloned();
        let token = token.ok_or_else(|| Refusal::new("The API token is invalid or has expired."))?;
        let document: Document = serde_json::from_slice(&request.body)
            .map_err(|_| Refusal::new("The request is not a JSON object with a query."))?;
        let variables = document.variables.as_ref();
        if variables.is_some_and(|variables| !variables.is_object() && !variables.is_null()) {
            return Err(Refusal::new("The variables are not a JSON object."));
        }
        Ok((token, document))
    }

    fn execute(&self, token: ApiToken, document: Document, now: Timestamp) -> Value {
        let rows = Arc::new(AtomicU64::new(0));
        let name = token.token.clone();
        let call = Call {
            ledger: Arc::clone(&self.ledger),
            schema: self.schema.clone(),
            token,
            now,
            rows: Arc::clone(&rows),
        };
        let variables = Variables::from_json(document.variables.unwrap_or_default());
        let mut request = async_graphql::Request::new(document.query)
            .variables(variables)
            .data(call);
        request.operation_name = document.operation_name;
        // No resolver waits for anything, so that a document is executed at once.
        let response = self.schema.execute(request).now_or_never();
        lock(&self.usage).spend(&name, rows.load(Ordering::Relaxed));
        response.map_or_else(|| json!({ "errors": [] }), graphql::render)
    }
}

impl Timeline {
    /// Takes what is due first.
    fn next(&mut self, now: Timestamp, interval: Option<jiff::SignedDuration>) -> Option<Next> {
        let job = interval
            .map(|interval| self.last_run + interval)
            .filter(|at| *at <= now);
        let late = self.later.iter().enumerate().min_by_key(|(_, (at, _))| *at);
        let late = late
            .map(|(index, (at, _))| (index, *at))
            .filter(|(_, at)| *at <= now);
        match (job, late) {
            (Some(job), late) if late.is_none_or(|(_, late)| job <= late) => {
                self.last_run = job;
                Some(Next::Job(job))
            }
            (_, Some((index, _))) => {
                let (at, request) = self.later.remove(index);
                Some(Next::Late(at, Box::new(request)))
            }
            _ => None,
        }
    }
}

/// The vendor's sample sends JSON as `text/plain`, so that this is taken too.
fn is_json(request: &Request) -> bool {
    let kind = request.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    ["application/json", "text/plain"]
        .iter()
        .any(|known| kind.eq_ignore_ascii_case(known))
}

pub(super) fn json_answer(body: &Value) -> Answer {
    Answer::json(StatusCode::OK, body).with("content-type", "application/json; charset=utf-8")
}

pub(super) fn maintenance() -> Answer {
    let page = "<!DOCTYPE html><html><body><h1>Xledger is being maintained</h1></body></html>";
    Answer::bytes(StatusCode::SERVICE_UNAVAILABLE, page).with("content-type", "text/html")
}
