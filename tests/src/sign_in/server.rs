//! One sign-in server: everything that a request needs, under one lock.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::access::AccessTokens;
use super::assertion::{self, Assertions};
use super::book::Book;
use super::client::Client;
use super::code::{Codes, Stop};
use super::family::Families;
use super::{
    ClientFault, Code, Credentials, Family, Form, Grant, GrantFault, Reason, Redemption, Refused, Revocation,
    Settings,
};
use crate::clock::SimulatedClock;

/// Knows the clients of one sign-in server, the tokens that it gave, and what was asked of it.
#[derive(Debug)]
pub struct SignIn {
    clock: Arc<SimulatedClock>,
    /// How long access tokens may be made to live, in seconds.
    pub(super) lifetimes: RangeInclusive<i64>,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) clients: Vec<Client>,
    pub(super) access: AccessTokens,
    pub(super) assertions: Assertions,
    pub(super) codes: Codes,
    pub(super) families: Families,
    pub(super) book: Book,
}

/// Attends to one request; no other is attended to meanwhile.
#[derive(Debug)]
pub(crate) struct Desk<'a> {
    state: MutexGuard<'a, State>,
    pub(crate) now: Timestamp,
}

/// What a client shows to prove who it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Proof<'a> {
    Nothing,
    Secret(&'a str),
    Assertion {
        text: &'a str,
        /// Whom it must be meant for.
        audience: &'a str,
    },
}

impl SignIn {
    pub(crate) fn new(
        clients: Vec<Credentials>,
        settings: Settings,
        lifetimes: RangeInclusive<i64>,
        clock: Arc<SimulatedClock>,
    ) -> Self {
        let state = State {
            settings,
            clients: clients.into_iter().map(Client::new).collect(),
            access: AccessTokens::default(),
            assertions: Assertions::default(),
            codes: Codes::default(),
            families: Families::default(),
            book: Book::default(),
        };
        Self {
            clock,
            lifetimes,
            state: Mutex::new(state),
        }
    }

    /// Returns what an access token is good for, unless it is unknown, expired, or revoked.
    pub fn grant(&self, token: &str) -> Option<Grant> {
        let now = self.clock.now();
        self.state().access.find(token, now).cloned()
    }

    pub(crate) fn attend(&self) -> Desk<'_> {
        Desk {
            state: self.state(),
            now: self.clock.now(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk<'_> {
    pub(crate) fn settings(&self) -> &Settings {
        &self.state.settings
    }

    pub(crate) fn client(&self, id: &str) -> Result<&Client, Reason> {
        self.state.client(id)
    }

    /// Returns the id of a client that proved who it is.
    pub(crate) fn authenticate(&mut self, id: &str, proof: Proof<'_>) -> Result<String, Reason> {
        let client = self.state.client(id)?;
        let known = client.id.clone();
        match proof {
            Proof::Nothing => return Err(ClientFault::NoProof.into()),
            Proof::Secret(secret) => client.check_secret(secret)?,
            Proof::Assertion { text, audience } => {
                let genuine = assertion::check(text, client, audience, self.now)?;
                self.state.assertions.spend(genuine, self.now)?;
            }
        }
        Ok(known)
    }

    /// Gives an access token, made as long as the settings want it.
    pub(crate) fn give(&mut self, mut token: String, mut grant: Grant) -> String {
        let (length, now) = (self.settings().access_token_length, self.now);
        let missing = length.saturating_sub(token.len());
        token.extend(std::iter::repeat_n('A', missing));
        grant.expires_at = now + SignedDuration::from_secs(self.settings().access_token_seconds);
        self.state.access.keep(token.clone(), grant, now);
        token
    }

    pub(crate) fn give_code(&mut self, code: Code) -> String {
        let now = self.now;
        self.state.codes.keep(code, now)
    }

    /// Begins a family for a code; returns it and its first refresh token.
    pub(crate) fn redeem(&mut self, shown: &Redemption<'_>) -> Result<(Family, String), Reason> {
        let (state, now) = (&mut *self.state, self.now);
        let begun = state.codes.redeem(shown, now, |code| {
            let (family, token) = state.families.begin(code, now);
            (family.id, (family, token))
        });
        begun.map_err(|stop| state.stop(stop, Revocation::CodeReuse, GrantFault::CodeUsed))
    }

    /// Uses a refresh token; returns its family, and the token that the answer holds, if it holds any.
    pub(crate) fn refresh(
        &mut self,
        token: &str,
        client_id: &str,
        scope: Option<&str>,
    ) -> Result<(Family, Option<String>), Reason> {
        let (state, now) = (&mut *self.state, self.now);
        let renewed = state
            .families
            .refresh(token, client_id, scope, &state.settings, now);
        renewed.map_err(|stop| state.stop(stop, Revocation::Reuse, GrantFault::Revoked))
    }

    /// Keeps account of a token call.
    pub(crate) fn note(&mut self, form: &Form, refused: Option<(&'static str, Option<u64>)>) {
        let asked = |name| form.get(name).unwrap_or_default().to_owned();
        let (client_id, grant_type) = (asked("client_id"), asked("grant_type"));
        let Some((error, number)) = refused else {
            return self.state.book.note_given(&client_id, &grant_type);
        };
        self.state.book.note_refused(Refused {
            client_id,
            grant_type,
            error,
            number,
            at: self.now,
        });
    }
}

impl State {
    fn client(&self, id: &str) -> Result<&Client, Reason> {
        let client = self.clients.iter().find(|client| client.is(id));
        client.ok_or(ClientFault::Unknown.into())
    }

    pub(super) fn revoke(&mut self, family: Uuid, why: Revocation) {
        self.families.revoke(family, why);
        self.access.end_family(family);
    }

    /// Ends the family of what was used twice, and returns why nothing is given.
    fn stop(&mut self, stop: Stop, why: Revocation, reuse: GrantFault) -> Reason {
        match stop {
            Stop::Refused(fault) => fault.into(),
            Stop::Used(family) => {
                self.revoke(family, why);
                reuse.into()
            }
        }
    }
}
