//! Who asks, may they, and for what.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::percent_decode_str;

use super::refusal::Refusal;
use super::settings::{Auth, Limit, Settings, Wait};
use super::store::{Collection, Store};
use crate::clock::SimulatedClock;
use crate::sign_in::{Credentials, Settings as SignInSettings, SignIn};
use crate::wire::{Answer, Request};

/// The key, the token and the password that open the register.
pub(super) const SECRET: &str = "simulated~register~3f9c";
/// Who has the password.
pub(super) const USER: &str = "tjeneste@register.example";

/// The register.
#[derive(Debug)]
pub struct Rest {
    pub(super) base_url: String,
    pub(super) clock: Arc<SimulatedClock>,
    pub(super) sign_in: Arc<SignIn>,
    pub(super) client: Credentials,
    pub(super) state: Mutex<State>,
}

/// What changes.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) store: Store,
    /// When the last requests came.
    asked: Vec<Timestamp>,
    /// Until when nothing is answered.
    shut_until: Option<Timestamp>,
    /// How often somebody asked while nothing was answered.
    pub(super) offences: u64,
}

impl Rest {
    pub(crate) fn new(base_url: &str, client: Credentials, clock: Arc<SimulatedClock>) -> Self {
        let settings = SignInSettings {
            access_token_seconds: 3600,
            ..SignInSettings::default()
        };
        let sign_in = SignIn::new(vec![client.clone()], settings, 1..=86_400, Arc::clone(&clock));
        Self {
            base_url: base_url.to_owned(),
            clock,
            sign_in: Arc::new(sign_in),
            client,
            state: Mutex::default(),
        }
    }

    /// Says whether a request is for the register.
    pub(crate) fn serves(request: &Request) -> bool {
        request.path.starts_with("/rest/")
    }

    pub(crate) fn answer(&self, request: &Request) -> Answer {
        match request.path.as_str() {
            "/rest/identity/.well-known/openid-configuration" => self.discovery(),
            "/rest/identity/token" => self.token(request),
            path => match path.strip_prefix("/rest/v1/") {
                Some(rest) => self.serve(request, rest).unwrap_or_else(|answer| *answer),
                None => nothing_here(),
            },
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, request: &Request, path: &str) -> Result<Answer, Box<Answer>> {
        let mut state = self.state();
        let state = &mut *state;
        state.pass(self.clock.now())?;
        if !self.is_known(state.settings.auth, request) {
            let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Who are you?");
            return Err(Box::new(refusal.to_answer()));
        }
        let (name, rest) = path.split_once('/').unwrap_or((path, ""));
        let collection = Collection::named(name).ok_or_else(|| Box::new(nothing_here()))?;
        let done = self.perform(state, collection, rest, request);
        done.map_err(|refusal| Box::new(refusal.to_answer()))
    }

    fn perform(
        &self,
        state: &mut State,
        collection: Collection,
        rest: &str,
        request: &Request,
    ) -> Result<Answer, Refusal> {
        let State { settings, store, .. } = state;
        let id = percent_decode_str(rest).decode_utf8_lossy().parse().ok();
        match (request.method.as_str(), rest, id) {
            ("GET", "", _) => self.list(store, settings, collection, request),
            ("POST", "search", _) => {
                let body: Option<serde_json::Value> = serde_json::from_slice(&request.body).ok();
                match body.is_some_and(|body| body["scope"] == "all") {
                    true => self.list(store, settings, collection, request),
                    false => Err(Refusal::bad("The scope is missing.")),
                }
            }
            ("POST", "", _) => self.create(store, settings, collection, request),
            ("GET", _, Some(id)) => {
                let row = store.get(collection, id).ok_or_else(Refusal::missing)?;
                Ok(Answer::json(StatusCode::OK, &row.shown(id)).with("content-type", "application/json"))
            }
            ("PUT" | "PATCH", _, Some(id)) => self.change(store, settings, (collection, id), request),
            ("DELETE", _, Some(id)) => self.remove(store, settings, (collection, id), request),
            ("GET" | "PUT" | "PATCH" | "DELETE", _, None) => Err(Refusal::missing()),
            _ => Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "METHOD",
                "The method is not supported.",
            )),
        }
    }

    fn is_known(&self, auth: Auth, request: &Request) -> bool {
        let shown = |name| request.header(name).unwrap_or_default();
        match auth {
            Auth::ApiKey => shown("x-register-key") == SECRET,
            Auth::Bearer => shown("authorization") == format!("Bearer {SECRET}"),
            Auth::Basic => {
                let pair = STANDARD.encode(format!("{USER}:{SECRET}"));
                shown("authorization") == format!("Basic {pair}")
            }
            Auth::Oidc => {
                let token = shown("authorization").strip_prefix("Bearer ");
                token.is_some_and(|token| self.sign_in.grant(token).is_some())
            }
        }
    }
}

impl State {
    /// Lets a request pass, unless there were too many.
    fn pass(&mut self, now: Timestamp) -> Result<(), Box<Answer>> {
        let Some(limit) = self.settings.limit else {
            return Ok(());
        };
        if let Some(until) = self.shut_until.filter(|until| *until > now) {
            self.offences += 1;
            return Err(Box::new(limited(&limit, until.duration_since(now))));
        }
        let window = SignedDuration::from_secs(limit.seconds);
        self.asked.retain(|at| now.duration_since(*at) < window);
        if self.asked.len() >= limit.requests {
            self.shut_until = now.checked_add(window).ok();
            self.asked.clear();
            return Err(Box::new(limited(&limit, window)));
        }
        self.asked.push(now);
        Ok(())
    }
}

fn limited(limit: &Limit, wait: SignedDuration) -> Answer {
    let seconds = wait.as_secs() + 1;
    let answer = |extra| {
        let error =
            serde_json::json!({ "error": { "code": "SLOW_DOWN", "message": "Too many.", "wait": extra } });
        Answer::json(StatusCode::TOO_MANY_REQUESTS, &error).with("content-type", "application/json")
    };
    match limit.told {
        Wait::RetryAfter => answer(None).with("retry-after", &seconds.to_string()),
        Wait::Header => answer(None).with("x-register-wait", &seconds.to_string()),
        Wait::Body => answer(Some(seconds)),
        Wait::Nowhere => answer(None),
    }
}

/// A page for humans, as servers have one for paths that they do not know.
fn nothing_here() -> Answer {
    let page = "<!DOCTYPE html><html><body><h1>404</h1></body></html>";
    Answer::bytes(StatusCode::NOT_FOUND, page).with("content-type", "text/html")
}
