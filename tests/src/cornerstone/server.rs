use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Method, StatusCode};
use jiff::Timestamp;

use super::answer::{Outcome, Refusal, json_answer, outage};
use super::resource::{Resource, TRANSCRIPTS, VIEWS};
use super::settings::Settings;
use super::store::Store;
use super::throttle::{Throttle, Verdict};
use super::time;
use super::token::TokenEndpoint;
use super::webhook::Subscription;
use super::{employees, legacy, reporting, transcripts, writes};
use crate::clock::SimulatedClock;
use crate::sign_in::{Form, SignIn};
use crate::wire::{Answer, Request};

/// The simulated Cornerstone OnDemand: one portal.
#[derive(Debug)]
pub struct Cornerstone {
    pub(super) base_url: String,
    pub(super) clock: Arc<SimulatedClock>,
    pub(super) sign_in: Arc<SignIn>,
    pub(super) store: Mutex<Store>,
    pub(super) subscriptions: Mutex<Vec<Subscription>>,
    /// What is down.
    pub(super) outage: Mutex<Outage>,
    throttle: Mutex<Throttle>,
    later: Mutex<Vec<(Timestamp, Request)>>,
    token: TokenEndpoint,
}

/// Says what of the portal is down.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Outage {
    /// Nothing.
    #[default]
    None,
    /// Everything, the sign-in included.
    All,
    /// Only this.
    Only(BTreeSet<Resource>),
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cornerstone {
    pub(crate) fn new(
        base_url: &str,
        settings: Settings,
        clock: Arc<SimulatedClock>,
        sign_in: Arc<SignIn>,
    ) -> Self {
        Self {
            base_url: base_url.to_owned(),
            store: Mutex::new(Store::new(settings)),
            subscriptions: Mutex::default(),
            outage: Mutex::default(),
            throttle: Mutex::default(),
            later: Mutex::default(),
            token: TokenEndpoint::new(base_url, Arc::clone(&sign_in)),
            clock,
            sign_in,
        }
    }

    /// Returns whether a request is for the portal.
    pub(crate) fn serves(request: &Request) -> bool {
        request.path.starts_with("/services/api/")
    }

    /// Returns what a request is counted as.
    pub(crate) fn counter(request: &Request) -> &'static str {
        Resource::of(request).counter()
    }

    /// Answers a request.
    pub(crate) async fn answer(&self, request: &Request) -> Answer {
        self.settle();
        let resource = Resource::of(request);
        if lock(&self.outage).covers(resource) {
            return outage();
        }
        let (latency, limits) = {
            let store = lock(&self.store);
            (store.settings.latency, store.settings.limits)
        };
        if resource == Resource::Token {
            tokio::time::sleep(latency).await;
            return self.token.answer(request);
        }
        let verdict = lock(&self.throttle).admit(resource, &limits, self.clock.now());
        if !verdict.admitted {
            return verdict.head(Refusal::too_many().to_answer());
        }
        tokio::time::sleep(latency).await;
        verdict.head(self.perform(request, self.now()))
    }

    /// Returns the time to the millisecond.
    pub(super) fn now(&self) -> Timestamp {
        time::cut(self.clock.now())
    }

    /// Lets everything happen that is due.
    pub(super) fn settle(&self) {
        let now = self.now();
        loop {
            let mut later = lock(&self.later);
            let due = later.iter().position(|(at, _)| *at <= now);
            let Some(index) = due else { return };
            let (at, request) = later.remove(index);
            drop(later);
            drop(self.perform(&request, at));
        }
    }

    /// Performs a request when the clock has got there.
    pub(super) fn perform_later(&self, at: Timestamp, request: Request) {
        lock(&self.later).push((at, request));
    }

    /// Performs a request whatever the limits are.
    pub(super) fn perform(&self, request: &Request, now: Timestamp) -> Answer {
        let resource = Resource::of(request);
        let answered = self.check(request, resource).and_then(|()| match resource {
            Resource::Reporting => self.report(request, now),
            Resource::UserList | Resource::SingleUser => employees::answer(&lock(&self.store), request),
            Resource::Transcripts => Ok(self.transcript(request, now)),
            Resource::Legacy | Resource::Token => legacy::answer(&lock(&self.store), request),
        });
        answered.unwrap_or_else(|refusal| refusal.to_answer())
    }

    /// Checks that the caller may do what it asks for; why it may not is not told.
    fn check(&self, request: &Request, resource: Resource) -> Outcome<()> {
        let header = request.header("authorization").unwrap_or_default();
        let shown = header.split_once(' ');
        let token = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let grant = token.and_then(|(_, token)| self.sign_in.grant(token.trim()));
        let scope = resource.scope(request);
        match grant.is_some_and(|grant| grant.allows(&scope)) {
            true => Ok(()),
            false => Err(Refusal::unauthorized()),
        }
    }

    fn report(&self, request: &Request, now: Timestamp) -> Outcome<Answer> {
        only_get(request)?;
        let view = request.path.trim_start_matches(VIEWS);
        let listed = reporting::list(&mut lock(&self.store), &self.base_url, view, request, now);
        Ok(listed.unwrap_or_else(|refusal| reporting::refuse(&refusal)))
    }

    fn transcript(&self, request: &Request, now: Timestamp) -> Answer {
        let name = request.path.trim_start_matches(TRANSCRIPTS);
        let mut store = lock(&self.store);
        let answered = if request.method == Method::GET {
            transcripts::answer(&store, name, request)
        } else {
            writes::answer(&mut store, name, request, now)
        };
        let in_200 = store.settings.refusals_in_200;
        match answered {
            Ok(body) => json_answer(StatusCode::OK, &body),
            Err(refusal) if in_200 => json_answer(StatusCode::OK, &refusal.to_body()),
            Err(refusal) => refusal.to_answer(),
        }
    }
}

impl Outage {
    /// Returns an outage of one resource.
    pub fn of(resource: Resource) -> Self {
        Self::Only(BTreeSet::from([resource]))
    }

    fn covers(&self, resource: Resource) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Only(resources) => resources.contains(&resource),
        }
    }
}

impl Verdict {
    /// Returns the answer with what is left of the limit in its head.
    fn head(self, answer: Answer) -> Answer {
        answer
            .with("x-csod-throttling-rate-limit-urilevel", &self.level.to_string())
            .with("x-csod-requests-remaining-urilevel", &self.remaining.to_string())
    }
}

pub(super) fn only_get(request: &Request) -> Outcome<()> {
    match request.method == Method::GET {
        true => Ok(()),
        false => Err(Refusal::method()),
    }
}

/// Reads the query of a request.
pub(super) fn parameters(request: &Request) -> Outcome<Form> {
    let query = request.query.as_deref().unwrap_or_default();
    Form::parse(query).map_err(|_| Refusal::bad("A parameter is given more than once."))
}
