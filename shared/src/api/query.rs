//! What a query says: which part of a list is wanted, and what of it.

use axum::extract::FromRequestParts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;

use secrecy::SecretString;

use super::Problem;
use crate::model::FieldError;
use crate::transfer::FileState;

/// How many items a page has, where the caller does not say.
const DEFAULT_LIMIT: usize = 100;

/// How many items a page has at most.
const MAX_LIMIT: usize = 500;

/// `?preview=true`: whether something is only to be checked and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Preview(pub(super) bool);

impl<S: Send + Sync> FromRequestParts<S> for Preview {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match parts.uri.query().unwrap_or_default() {
            "" | "preview=false" => Ok(Self(false)),
            "preview=true" => Ok(Self(true)),
            _ => Err(Problem::of_field(
                "preview",
                "must be true or false, and is the only parameter",
            )),
        }
    }
}

/// `?state&code`: what a browser brings back from a sign-in server; whatever else the server adds is passed over.
///
/// Source: RFC 6749, section 4.1.2.
#[derive(Debug, Clone)]
pub(super) struct BroughtBack {
    pub(super) state: String,
    /// None where the server gives none.
    pub(super) code: Option<SecretString>,
}

impl<S: Send + Sync> FromRequestParts<S> for BroughtBack {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let read = |name: &'static str| {
            let mut values =
                url::form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| *known == name);
            let value = values.next().map(|(_, value)| value.into_owned());
            match (value, values.next()) {
                (_, Some(_)) => Err(Problem::of_field(name, "is given twice")),
                (value, None) => Ok(value.filter(|value| !value.is_empty())),
            }
        };
        let (state, code, error) = (read("state")?, read("code")?, read("error")?);
        let state = state.ok_or_else(|| Problem::of_field("state", "is required"))?;
        match (code, error) {
            (Some(code), None) => Ok(Self {
                state,
                code: Some(code.into()),
            }),
            (None, Some(_)) => Ok(Self { state, code: None }),
            _ => Err(Problem::of_field("code", "is required, unless there is an error")),
        }
    }
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Paging {
    after: Option<String>,
    pub(super) limit: usize,
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(parts.uri.query().unwrap_or_default()).map_err(Problem::of_fields)
    }
}

impl Paging {
    fn read(query: &str) -> Result<Self, Vec<FieldError>> {
        let (mut after, mut limit, mut errors) = (None, None, Vec::new());
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let fresh = match &*name {
                "after" => after.replace(value.into_owned()).is_none(),
                "limit" => limit.replace(value.into_owned()).is_none(),
                _ => {
                    errors.push(FieldError::new(name, "is not known; known are after, limit"));
                    true
                }
            };
            if !fresh {
                errors.push(FieldError::new("query", "names a parameter twice"));
            }
        }
        let limit = limit.map_or(Some(DEFAULT_LIMIT), |text| text.parse().ok());
        let limit = limit
            .filter(|limit| (1..=MAX_LIMIT).contains(limit))
            .unwrap_or_else(|| {
                errors.push(FieldError::new(
                    "limit",
                    format!("must be a whole number from 1 to {MAX_LIMIT}"),
                ));
                DEFAULT_LIMIT
            });
        if errors.is_empty() {
            Ok(Self { after, limit })
        } else {
            Err(errors)
        }
    }

    /// Returns the place to go on after, which begins with `prefix`.
    pub(super) fn after(&self, prefix: &str) -> Result<Option<String>, Problem> {
        self.after
            .as_deref()
            .map(|token| place(token, prefix))
            .transpose()
    }
}

/// `?after&limit&state`: which files are wanted.
#[derive(Debug, Clone)]
pub(super) struct FilesWanted {
    pub(super) paging: Paging,
    /// How far they are; none is all.
    pub(super) state: Option<FileState>,
}

impl<S: Send + Sync> FromRequestParts<S> for FilesWanted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        let (states, others): (Vec<_>, Vec<_>) = pairs.partition(|(name, _)| name == "state");
        let known = |text: &str| {
            FileState::ALL
                .iter()
                .find(|state| state.as_str() == text)
                .copied()
        };
        let state = match states.as_slice() {
            [] => None,
            [(_, text)] => Some(known(text).ok_or_else(unknown_state)?),
            _ => return Err(Problem::of_field("query", "names a parameter twice")),
        };
        let others = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(others)
            .finish();
        let paging = Paging::read(&others).map_err(Problem::of_fields)?;
        Ok(Self { paging, state })
    }
}

fn unknown_state() -> Problem {
    let known: Vec<_> = FileState::ALL.iter().map(|state| state.as_str()).collect();
    Problem::of_field("state", format!("must be one of {}", known.join(" ")))
}

/// Returns the place that was handed out as `next`, which begins with `prefix`.
pub(super) fn place(token: &str, prefix: &str) -> Result<String, Problem> {
    let refuse = || Problem::of_field("after", "must be the `next` of an earlier page");
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| refuse())?;
    let place = String::from_utf8(bytes).map_err(|_| refuse())?;
    if place.is_empty() || place.len() > 1024 {
        return Err(refuse());
    }
    Ok(format!("{prefix}{place}"))
}

/// Returns what a caller hands back as `after` to go on.
pub(super) fn next(place: Option<String>, prefix: &str) -> Option<String> {
    let place = place?;
    Some(URL_SAFE_NO_PAD.encode(place.strip_prefix(prefix).unwrap_or(&place)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_out_is_what_comes_back() {
        let token = next(Some("run#dynamics365#0190".to_owned()), "run#dynamics365#").unwrap();
        let paging = Paging::read(&format!("after={token}&limit=7")).unwrap();
        assert_eq!(
            paging.after("run#dynamics365#").unwrap().unwrap(),
            "run#dynamics365#0190"
        );
        assert_eq!(paging.limit, 7);
    }

    #[test]
    fn what_nobody_knows_or_says_twice_is_refused() {
        for query in [
            "limit=0",
            "limit=501",
            "limit=x",
            "limit=1&limit=2",
            "organizationId=other",
        ] {
            assert!(Paging::read(query).is_err(), "{query}");
        }
        assert!(Paging::read("after=%20").unwrap().after("").is_err());
        assert!(Paging::read("after=").unwrap().after("").is_err());
    }
}
