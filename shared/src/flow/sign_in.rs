//! A person signs in for an integration, in a browser.
//!
//! | step | written | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | 1 start | what the answer must show, and who asked | a row that ends after ten minutes | its end |
//! | 2 back | that row is taken away: it answers once | nothing that works | the person starts once more |
//! | 3 asked | nothing | a sign-in that nobody uses | the person starts once more |
//! | 4 kept | the tokens | tokens of an integration that waits for them | the person starts once more, or a token is asked for |
//! | 5 row | the integration is active, with an audit row | – | – |
//!
//! Source: RFC 6749, section 4.1; RFC 7636; RFC 9700, section 2.1.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use oauth2::{CsrfToken, PkceCodeChallenge};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;
use url::Url;

use super::Ports;
use super::refresh::{RefreshError, Registrations, SignIn, connected};
use crate::integration;
use crate::keys::{Keys, Sealed};
use crate::model::IntegrationId;
use crate::oauth::{Ask, Standing, TokenError};
use crate::store::{Content, Expect, Key, StoreError, Table, Write};

/// How long a person may take.
const LASTS: SignedDuration = SignedDuration::from_mins(10);

/// How many random bytes a browser must bring back.
const STATE: u32 = 32;

/// Where a sign-in begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// Where the person's browser goes.
    pub authorization_url: Url,
    /// Until when it must be back.
    pub expires_at: Timestamp,
}

/// A sign-in that is under way: there is one at most for an integration.
#[derive(Serialize, Deserialize)]
struct Pending {
    /// SHA-256 of what the browser must bring back.
    state: String,
    /// What the challenge was made of.
    verifier: Sealed,
    /// Who asked for it.
    by: String,
    redirect: Url,
    expires_at: Timestamp,
}

/// Why a sign-in was not begun or ended.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The integration signs in by itself.
    #[error("the integration does not sign in as a person")]
    NotAPerson,
    /// What the browser brought back is not what it was sent away with, or too old, or was there already.
    #[error("the sign-in is not known any more")]
    Unknown,
    /// The person, or the sign-in server, said no.
    #[error("the sign-in was declined")]
    Declined,
    /// As where tokens are renewed.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Refresh(error.into())
    }
}

impl From<TokenError> for SignInError {
    fn from(error: TokenError) -> Self {
        Self::Refresh(error.into())
    }
}

fn pending_key(id: &IntegrationId) -> Key {
    let sort = format!("sign-in#{}", id.system);
    Key::new(Table::Control, id.organization.as_str(), sort)
}

fn context(id: &IntegrationId) -> String {
    format!("sign-in of {id}")
}

fn digest(state: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(state))
}

/// Begins a sign-in; one that was begun before is void.
///
/// # Errors
///
/// `NotAPerson`, and those of renewing.
pub async fn start(
    ports: &Ports,
    keys: &dyn Keys,
    registrations: &dyn Registrations,
    id: &IntegrationId,
    redirect: &Url,
    by: &str,
) -> Result<Started, SignInError> {
    let integration = connected(ports, id).await?;
    let registration = registrations.registration(&integration).await?;
    let sign_in = registration.sign_in.ok_or(SignInError::NotAPerson)?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let state = format!("{id}.{}", CsrfToken::new_random_len(STATE).secret());
    let expires_at = ports.now().checked_add(LASTS).unwrap_or(Timestamp::MAX);
    let pending = Pending {
        state: digest(&state),
        verifier: keys
            .seal(&context(id), &verifier.secret().as_str().into())
            .await
            .map_err(TokenError::from)?,
        by: by.to_owned(),
        redirect: redirect.clone(),
        expires_at,
    };
    let content = Content::of(&pending).expires_at(expires_at);
    let write = Write::put(pending_key(id), Expect::Anything, content);
    ports.store.write(vec![write]).await?;
    Ok(Started {
        authorization_url: authorization_url(sign_in, &challenge, &state, redirect),
        expires_at,
    })
}

fn authorization_url(sign_in: SignIn, challenge: &PkceCodeChallenge, state: &str, redirect: &Url) -> Url {
    let SignIn {
        mut authorize,
        client_id,
        scope,
    } = sign_in;
    authorize
        .query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("response_mode", "query")
        .append_pair("client_id", &client_id)
        .append_pair("redirect_uri", redirect.as_str())
        .append_pair("scope", &scope)
        .append_pair("state", state)
        .append_pair("code_challenge", challenge.as_str())
        .append_pair("code_challenge_method", challenge.method().as_str());
    authorize
}

/// Ends a sign-in with what the browser has brought back; an answer is good once. Returns whose it was.
///
/// # Errors
///
/// `Unknown`, `Declined`, and those of renewing.
pub async fn finish(
    ports: &Ports,
    keys: &dyn Keys,
    registrations: &dyn Registrations,
    state: &str,
    code: Option<&SecretString>,
) -> Result<(IntegrationId, Standing), SignInError> {
    let (id, pending) = taken(ports, state).await?;
    let code = code.ok_or(SignInError::Declined)?;
    let integration = connected(ports, &id).await?;
    let registration = registrations.registration(&integration).await?;
    if registration.sign_in.is_none() {
        return Err(SignInError::NotAPerson);
    }
    let verifier = keys
        .open(&context(&id), &pending.verifier)
        .await
        .map_err(TokenError::from)?;
    let asked_at = ports.now();
    let (verifier, redirect) = (&verifier, &pending.redirect);
    let ask = Ask::Code {
        code,
        verifier,
        redirect,
    };
    let issued = registration.tokens.endpoint.ask(ask).await?;
    let standing = registration.tokens.sign_in(issued, asked_at).await?;
    integration::authorized(ports, &id, &pending.by).await?;
    Ok((id, standing))
}

/// Takes away what was written at the start, if the state is the one of then.
async fn taken(ports: &Ports, state: &str) -> Result<(IntegrationId, Pending), SignInError> {
    let id = state
        .rsplit_once('.')
        .and_then(|(id, _)| id.parse::<IntegrationId>().ok());
    let id = id.ok_or(SignInError::Unknown)?;
    let key = pending_key(&id);
    let row = ports.store.get(std::slice::from_ref(&key)).await?.pop().flatten();
    let row = row.ok_or(SignInError::Unknown)?;
    let pending: Pending = row.decode()?;
    let same: bool = digest(state).as_bytes().ct_eq(pending.state.as_bytes()).into();
    if !same || pending.expires_at <= ports.now() {
        return Err(SignInError::Unknown);
    }
    match ports
        .store
        .write(vec![Write::delete(key, Expect::Version(row.version))])
        .await
    {
        Ok(()) => Ok((id, pending)),
        Err(StoreError::Refused { .. }) => Err(SignInError::Unknown),
        Err(error) => Err(error.into()),
    }
}
