//! Xledger's answers, by what the caller does next.
//!
//! Source: github.com/xledger/graphql-samples and the help pages of Xledger UK, read 2026-11-21. How a refused token or a
//! missing scope is told is not documented: it is known by words of the message.

use http::StatusCode;
use http::header::RETRY_AFTER;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::time;
use super::wire::{Envelope, GraphqlError};
use crate::adapter::{Error, ErrorKind, Result};
use crate::adapters::effect;
pub(super) use crate::adapters::effect::Effect;
use crate::http::{Answer, Cause, Failure, retry_at};

/// How long to wait, as the vendor's own sample does.
const BURST: SignedDuration = SignedDuration::from_secs(5);
const CONCURRENCY: SignedDuration = SignedDuration::from_secs(1);
const CREDITS: SignedDuration = SignedDuration::from_mins(20);
/// The longest wait for credits that is believed.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// The most codes that an error offers.
const ALTERNATIVES: usize = 10;

/// What stands under the fact `cause` where a document is not one for the schema that the system has by now.
pub(super) const QUERY: &str = "query";
/// What stands there where a page was too large.
pub(super) const SIZE: &str = "size";

/// The fields that we send: their names can be shown, whatever else stands in a message.
const FIELDS: [&str; 19] = [
    "transactionSource",
    "trRegNumber",
    "postedDate",
    "invoiceDate",
    "extIdentifier",
    "invoiceAmount",
    "glObject1",
    "glObject2",
    "glObject3",
    "glObject4",
    "glObject5",
    "subledger",
    "currency",
    "jobLevel",
    "account",
    "taxRule",
    "project",
    "amount",
    "owner",
];

/// What an error says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Limited(Timestamp),
    TimedOut,
    BadToken,
    Denied,
    InvalidValue,
    BadQuery,
    Other,
}

impl Effect {
    /// Says that what came cannot be read as what was asked for.
    pub(super) fn misread(self, message: &'static str) -> Error {
        Error::new(self.unreadable(), message)
    }
}

/// Returns the data of an answer.
///
/// # Errors
///
/// As the answer is to be taken. After a write, only what says that nothing was done is anything but `Unknown`.
pub(super) fn data(answer: Answer, effect: Effect, now: Timestamp) -> Result<Value> {
    let (status, headers) = (answer.status, answer.headers.clone());
    if !status.is_success() {
        let envelope = answer.whole().ok().and_then(|whole| Envelope::read(&whole.body));
        let told =
            envelope.filter(|envelope| envelope.errors.as_ref().is_some_and(|errors| !errors.is_empty()));
        let told = told.filter(|_| status.is_client_error());
        let told = told.map(|envelope| refused(&envelope, effect, now));
        // What the body does not make clear, the status may.
        let clear = told.filter(|error| !matches!(error.kind(), ErrorKind::Malformed | ErrorKind::Unknown));
        return Err(clear.unwrap_or_else(|| {
            let retry_at = headers.contains_key(RETRY_AFTER).then(|| retry_at(&headers, now));
            by_status(status, effect, retry_at, now)
        }));
    }
    let whole = answer.whole().map_err(|failure| unanswered(&failure, effect))?;
    let envelope = Envelope::read(&whole.body).ok_or_else(|| {
        effect.misread("the answer is not one of GraphQL: something else answers at this address")
    })?;
    match envelope {
        Envelope {
            data: Some(data),
            errors: None,
        } => Ok(data),
        Envelope {
            data: Some(data),
            errors: Some(errors),
        } if errors.is_empty() && !data.is_null() => Ok(data),
        envelope => Err(refused(&envelope, effect, now)),
    }
}

/// Says what an answer without any data, or with errors beside it, ends in.
fn refused(envelope: &Envelope, effect: Effect, now: Timestamp) -> Error {
    let errors = envelope.errors.as_deref().unwrap_or_default();
    let meanings: Vec<_> = errors.iter().map(|error| meaning(error, now)).collect();
    let (Some(first), Some(meaning)) = (errors.first(), meanings.first()) else {
        return effect.misread("the answer has neither data nor an error");
    };
    let doubt = envelope.has_data()
        || meanings
            .iter()
            .any(|one| matches!(one, Meaning::TimedOut | Meaning::Other));
    let (kind, message) = match effect {
        Effect::Writes if doubt => (
            ErrorKind::Unknown,
            "the system answers with an error, and does not say that nothing was done",
        ),
        _ => meaning.told(effect),
    };
    let error = first.code().filter(|code| is_code(code)).map_or_else(
        || Error::new(kind, message),
        |code| Error::new(kind, message).with("code", code),
    );
    detailed(error, *meaning, first)
}

/// Adds what can be shown of an error: names that are ours, and codes that a human may choose from.
fn detailed(error: Error, meaning: Meaning, told: &GraphqlError) -> Error {
    match meaning {
        Meaning::TimedOut => error.with("cause", SIZE),
        Meaning::BadQuery => error.with("cause", QUERY),
        Meaning::Denied => match object(told.message()) {
            Some(object) => error.with("scope", object),
            None => error,
        },
        Meaning::InvalidValue => {
            let Some(field) = field(told.message()) else {
                return error;
            };
            // The codes of claimants are those of people.
            let codes: Vec<_> = match field {
                "subledger" => Vec::new(),
                _ => told
                    .alternatives()
                    .filter(|code| is_short(code))
                    .take(ALTERNATIVES)
                    .collect(),
            };
            let error = error.at_field(field).with("field", field);
            match codes.as_slice() {
                [] => error,
                codes => error.with("possible", codes.join(" ")),
            }
        }
        _ => error,
    }
}

impl Meaning {
    const fn told(self, effect: Effect) -> (ErrorKind, &'static str) {
        match self {
            Self::Limited(until) => (
                ErrorKind::RateLimited { until },
                "the system wants to be left alone",
            ),
            Self::TimedOut => (
                effect.unanswered(),
                "the query was too large for the system, and timed out there",
            ),
            Self::BadToken => (
                ErrorKind::Unauthenticated,
                "the system does not accept the API token: give it another",
            ),
            Self::Denied => (
                ErrorKind::PermissionDenied,
                "the API token's scope does not hold this: add it in Xledger",
            ),
            Self::InvalidValue => (ErrorKind::Rejected, "the system refuses a value"),
            Self::BadQuery => (
                ErrorKind::Malformed,
                "the system does not know what it was asked: its schema is another than documented",
            ),
            Self::Other => (
                ErrorKind::Malformed,
                "the system answers with an error that its documentation does not have",
            ),
        }
    }
}

fn meaning(error: &GraphqlError, now: Timestamp) -> Meaning {
    let until = |wait: SignedDuration| now.checked_add(wait).unwrap_or(now);
    match error.code().unwrap_or_default() {
        "BAD_REQUEST.BURST_RATE_LIMIT_REACHED" => return Meaning::Limited(until(BURST)),
        "BAD_REQUEST.CONCURRENCY_LIMIT_REACHED" => return Meaning::Limited(until(CONCURRENCY)),
        "BAD_REQUEST.INSUFFICIENT_CREDITS" => {
            let reset = error.reset_at().and_then(time::parse);
            let reset = reset.map(|at| time::between(at, now, CONCURRENCY, LONGEST));
            return Meaning::Limited(reset.unwrap_or_else(|| until(CREDITS)));
        }
        "INVALID_VALUE" => return Meaning::InvalidValue,
        "ARGUMENTS_OF_CORRECT_TYPE" => return Meaning::BadQuery,
        _ => {}
    }
    let message = error.message().to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&["query timed out"]) {
        Meaning::TimedOut
    } else if says(&[
        "cannot query field",
        "unknown argument",
        "unknown type",
        "syntax error",
    ]) {
        Meaning::BadQuery
    } else if says(&["access denied", "not allowed", "permission", "forbidden"]) {
        Meaning::Denied
    } else if says(&[
        "api token",
        "unauthorized",
        "unauthenticated",
        "not authenticated",
    ]) {
        Meaning::BadToken
    } else {
        Meaning::Other
    }
}

fn by_status(status: StatusCode, effect: Effect, retry_at: Option<Timestamp>, now: Timestamp) -> Error {
    let (kind, message) = match (status.as_u16(), effect) {
        (401, _) => (
            ErrorKind::Unauthenticated,
            "the system does not accept the API token",
        ),
        (403, _) => (
            ErrorKind::PermissionDenied,
            "the system lets nobody in at this address",
        ),
        (404 | 405 | 415, _) => (ErrorKind::NotFound, "there is no GraphQL at this address"),
        (429, _) => {
            let until = retry_at.unwrap_or_else(|| now.checked_add(BURST).unwrap_or(now));
            (
                ErrorKind::RateLimited { until },
                "the system wants to be left alone",
            )
        }
        (413, Effect::Writes) => (ErrorKind::Rejected, "the request is too large for the system"),
        (503, Effect::Reads) if retry_at.is_some() => {
            let until = retry_at.unwrap_or(now);
            (
                ErrorKind::RateLimited { until },
                "the system is not available before the time it names",
            )
        }
        (408 | 500.., _) => (effect.unanswered(), "the system is not available"),
        (300..=399, _) => (
            effect.unreadable(),
            "the system answers with a redirect, which is not followed",
        ),
        _ => (
            effect.unreadable(),
            "the system answers with a status that its documentation does not have",
        ),
    };
    Error::new(kind, message).with("status", status.as_u16())
}

/// Says what a request that got no answer ends in.
pub(super) fn unanswered(failure: &Failure, effect: Effect) -> Error {
    match failure.cause() {
        // Nothing has left, and nothing will before the settings are others.
        Cause::Forbidden => {
            Error::new(ErrorKind::Unsupported, "the address may not be called").with("cause", "configuration")
        }
        _ => effect::unanswered("the system", failure, effect),
    }
}

/// Says whether an error says that the document was never carried out, for the system does not know what it asks for.
pub(super) fn is_bad_query(error: &Error) -> bool {
    error.fact("cause") == Some(QUERY)
}

/// Says whether an error says that a page was too large.
pub(super) fn is_too_large(error: &Error) -> bool {
    error.fact("cause") == Some(SIZE) && error.kind() == ErrorKind::Unavailable
}

/// Finds which of the fields that we send a message is about: nothing else of it is shown.
fn field(message: &str) -> Option<&'static str> {
    let mut words = words(message);
    words.find_map(|word| FIELDS.into_iter().find(|field| *field == word))
}

/// Finds the object that a message says is out of scope, such as `GLImportItem`.
fn object(message: &str) -> Option<&'static str> {
    const OBJECTS: [&str; 6] = [
        "GLImportItem",
        "JournalEntry",
        "Account",
        "Subledger",
        "Webhook",
        "Transaction",
    ];
    let mut words = words(message);
    words.find_map(|word| OBJECTS.into_iter().find(|object| *object == word))
}

fn words(message: &str) -> impl Iterator<Item = &str> {
    message.split(|letter: char| !letter.is_ascii_alphanumeric())
}

fn is_code(code: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'.');
    (1..=60).contains(&code.len()) && code.bytes().all(plain)
}

fn is_short(code: &str) -> bool {
    (1..=25).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_graphic())
}
