//! The page where a user signs in, without the page: the visitor of the settings agrees at once, or declines.

use http::{Method, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

use super::refusal::Refusal;
use super::{Entra, check_method, scope};
use crate::sign_in::{Code, Desk, Form, GrantFault, Reason, RequestFault};
use crate::wire::{Answer, Request};

/// The length of a SHA-256 in base64url.
const CHALLENGE_LENGTH: usize = 43;

impl Entra {
    /// Answers `GET /{tenant}/oauth2/v2.0/authorize`.
    ///
    /// Sends the visitor back to the client, and shows a page where it is not certain that the client is there.
    pub(crate) fn authorize(&self, request: &Request) -> Answer {
        let query = match Form::parse(request.query.as_deref().unwrap_or_default()) {
            Ok(query) => query,
            Err(reason) => return Refusal::of(&reason, "").to_page(),
        };
        self.sign_in_visitor(request, &query).unwrap_or_else(|reason| {
            let client = query.get("client_id").unwrap_or_default();
            Refusal::of(&reason, client).to_page()
        })
    }

    fn sign_in_visitor(&self, request: &Request, query: &Form) -> Result<Answer, Reason> {
        self.check_tenant(request)?;
        check_method(request, &Method::GET)?;
        let mut desk = self.sign_in.attend();
        let address = return_address(&desk, query)?;
        let outcome = agree(&mut desk, query, address);
        Ok(send_back(query, address, &outcome))
    }
}

fn return_address<'a>(desk: &Desk<'_>, query: &'a Form) -> Result<&'a str, Reason> {
    let client = desk.client(query.need("client_id")?)?;
    let address = query.need("redirect_uri")?;
    client.check_redirect(address)?;
    Ok(address)
}

/// Returns the code that the client gets.
fn agree(desk: &mut Desk<'_>, query: &Form, address: &str) -> Result<String, Reason> {
    check(query)?;
    let user = desk.settings().visitor.clone().ok_or(GrantFault::Declined)?;
    let code = Code {
        client_id: desk.client(query.need("client_id")?)?.id().to_owned(),
        user,
        scope: query.need("scope")?.to_owned(),
        redirect_uri: address.to_owned(),
        challenge: query.need("code_challenge")?.to_owned(),
    };
    Ok(desk.give_code(code))
}

fn check(query: &Form) -> Result<(), Reason> {
    query.need("state")?;
    let response_type = query.need("response_type")?;
    if response_type != "code" {
        return Err(RequestFault::ResponseType(response_type.to_owned()).into());
    }
    let mode = query.get("response_mode").unwrap_or("query");
    if mode != "query" {
        return Err(RequestFault::ResponseMode(mode.to_owned()).into());
    }
    let challenge = query.get("code_challenge").ok_or(RequestFault::ChallengeMethod)?;
    if query.get("code_challenge_method") != Some("S256") {
        return Err(RequestFault::ChallengeMethod.into());
    }
    if challenge.len() != CHALLENGE_LENGTH {
        return Err(RequestFault::Challenge.into());
    }
    let asked = query.need("scope")?;
    scope::of_user(asked)?;
    match asked.split_whitespace().any(|word| word == "offline_access") {
        true => Ok(()),
        false => Err(RequestFault::Scope(asked.to_owned()).into()),
    }
}

fn send_back(query: &Form, address: &str, outcome: &Result<String, Reason>) -> Answer {
    let mut told = match outcome {
        Ok(code) => vec![
            ("code", code.clone()),
            ("session_state", Uuid::new_v4().to_string()),
        ],
        Err(reason) => {
            let refusal = Refusal::of(reason, "");
            vec![
                ("error", refusal.error.to_owned()),
                ("error_description", refusal.description()),
            ]
        }
    };
    let state = query.get("state").map(|state| ("state", state.to_owned()));
    told.extend(state);
    let encode = |value: &str| utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
    let told: Vec<String> = told
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    let mark = if address.contains('?') { '&' } else { '?' };
    Answer::empty(StatusCode::FOUND)
        .with("location", &format!("{address}{mark}{}", told.join("&")))
        .with("cache-control", "no-store, no-cache")
}
