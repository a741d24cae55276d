//! Ory Hydra as the issuer: clients are kept there by its admin API, and tokens are asked about there.
//!
//! Source: Ory Hydra HTTP API reference, "OAuth 2.0 clients" and "OAuth 2.0 token introspection"; the first version of
//! the admin API has no `/admin` before its paths, and pages by offset.
//!
//! Hydra may choose the id of a client itself, and some of its versions insist on that. A client is known again by its
//! `owner`, which is the intent that it was made for.

use std::fmt;

use async_trait::async_trait;
use http::header::{ACCEPT, CONTENT_TYPE, LINK};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use url::Url;
use uuid::Uuid;

use super::{Client, Issuer, IssuerError, Presented};
use crate::http::{Answer, Call, Http, Limits};
use crate::registry::scope::Scopes;
use crate::registry::secret::ClientSecret;

/// The longest token that is asked about.
const LONGEST: usize = 8 * 1024;

/// How many clients are listed at a time, where only one is expected.
const PAGE: usize = 100;

/// The most pages that are looked through for the clients of an intent: where the owner is not told apart by the list.
const PAGES: usize = 1_000;

/// Which admin API it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HydraApi {
    /// That of version 1.
    V1,
    /// That of version 2 and later.
    V2,
}

/// Keeps clients in Hydra.
#[derive(Clone)]
pub struct Hydra {
    http: Http,
    admin: Url,
    api: HydraApi,
    token_url: String,
}

/// A client, as far as it is of interest.
#[derive(Deserialize)]
struct Kept {
    client_id: String,
    #[serde(default)]
    client_secret: Option<String>,
    #[serde(default)]
    owner: Option<String>,
}

#[derive(Deserialize)]
struct Introspected {
    active: bool,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    scope: String,
}

impl fmt::Debug for Hydra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hydra")
            .field("host", &self.admin.host_str())
            .field("api", &self.api)
            .finish_non_exhaustive()
    }
}

impl HydraApi {
    const fn clients(self) -> &'static str {
        match self {
            Self::V1 => "clients",
            Self::V2 => "admin/clients",
        }
    }

    const fn introspect(self) -> &'static str {
        match self {
            Self::V1 => "oauth2/introspect",
            Self::V2 => "admin/oauth2/introspect",
        }
    }
}

impl Hydra {
    /// Works with the admin API at `admin`, and sends clients to `token_url`.
    pub fn new(http: Http, admin: Url, api: HydraApi, token_url: impl Into<String>) -> Self {
        let token_url = token_url.into();
        Self {
            http,
            admin,
            api,
            token_url,
        }
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.admin.clone();
        let before = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{before}/{path}"));
        url
    }

    async fn send(
        &self,
        method: Method,
        url: Url,
        body: Option<(&'static str, String)>,
    ) -> Result<Answer, IssuerError> {
        self.send_within(Limits::LIST, method, url, body).await
    }

    async fn send_within(
        &self,
        limits: Limits,
        method: Method,
        url: Url,
        body: Option<(&'static str, String)>,
    ) -> Result<Answer, IssuerError> {
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        let body = body.map(|(kind, body)| {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            body
        });
        let call = Call {
            method,
            url,
            headers,
            body: body.unwrap_or_default().into(),
            limits,
        };
        Ok(self.http.send(call).await?.whole()?)
    }

    /// Returns the clients of a page, and where the next one is.
    async fn page(&self, url: Url) -> Result<(Vec<Kept>, Option<Url>), IssuerError> {
        let answer = self.send(Method::GET, url.clone(), None).await?;
        expect(&answer, StatusCode::OK)?;
        let clients: Vec<Kept> = read(&answer)?;
        let next = match self.api {
            HydraApi::V1 => (clients.len() == PAGE).then(|| further(&url)),
            HydraApi::V2 => next_link(&answer, &url)?,
        };
        // The list may name itself by an address that only it can reach.
        let next = next.map(|next| with_query(url, next.query()));
        Ok((clients, next))
    }
}

#[async_trait]
impl Issuer for Hydra {
    async fn create(
        &self,
        intent: Uuid,
        secret: ClientSecret,
        scopes: &Scopes,
    ) -> Result<Client, IssuerError> {
        let body = json!({
            "client_name": "integration system",
            "owner": intent.to_string(),
            "client_secret": secret.expose(),
            "grant_types": ["client_credentials"],
            "token_endpoint_auth_method": "client_secret_basic",
            "scope": scopes.requestable(),
        });
        let url = self.url(self.api.clients());
        let body = ("application/json", body.to_string());
        let answer = self.send(Method::POST, url, Some(body)).await?;
        expect(&answer, StatusCode::CREATED)?;
        let kept: Kept = read(&answer)?;
        let id = kept.client_id.parse();
        Ok(Client {
            id: id.map_err(|_| said(&answer, "the id of the client is no UUID"))?,
            // It says the secret once, and what it says counts.
            secret: kept.client_secret.map_or(secret, ClientSecret::known),
        })
    }

    async fn made_for(&self, intent: Uuid) -> Result<Vec<Uuid>, IssuerError> {
        let (owner, mut found) = (intent.to_string(), Vec::new());
        let mut url = self.url(self.api.clients());
        let size = match self.api {
            HydraApi::V1 => "limit",
            HydraApi::V2 => "page_size",
        };
        url.query_pairs_mut()
            .append_pair("owner", &owner)
            .append_pair(size, &PAGE.to_string());
        for _ in 0..PAGES {
            let (clients, next) = self.page(url).await?;
            // Early versions list everybody's clients, whatever owner is asked for.
            let ours = clients
                .into_iter()
                .filter(|client| client.owner.as_ref() == Some(&owner));
            found.extend(ours.filter_map(|client| client.client_id.parse::<Uuid>().ok()));
            match next {
                Some(next) => url = next,
                None => return Ok(found),
            }
        }
        Err(IssuerError::Answered {
            status: StatusCode::OK.as_u16(),
            what: "the list of clients does not end",
        })
    }

    async fn delete(&self, client: Uuid) -> Result<(), IssuerError> {
        let url = self.url(&format!("{}/{client}", self.api.clients()));
        let answer = self.send(Method::DELETE, url, None).await?;
        match answer.status {
            StatusCode::NO_CONTENT | StatusCode::NOT_FOUND => Ok(()),
            _ => Err(said(&answer, "the client was not deleted")),
        }
    }

    async fn inspect(&self, token: &str, _: Timestamp) -> Result<Option<Presented>, IssuerError> {
        if token.len() > LONGEST {
            return Ok(None);
        }
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token)
            .finish();
        let url = self.url(self.api.introspect());
        let form = ("application/x-www-form-urlencoded", form);
        let answer = self
            .send_within(Limits::QUICK, Method::POST, url, Some(form))
            .await?;
        expect(&answer, StatusCode::OK)?;
        let told: Introspected = read(&answer)?;
        let client = told.client_id.parse().ok().filter(|_| told.active);
        Ok(client.map(|client| Presented {
            client,
            scopes: Scopes::known_in(&told.scope),
            token: None,
        }))
    }

    fn token_url(&self) -> String {
        self.token_url.clone()
    }
}

fn said(answer: &Answer, what: &'static str) -> IssuerError {
    let status = answer.status.as_u16();
    IssuerError::Answered { status, what }
}

fn expect(answer: &Answer, status: StatusCode) -> Result<(), IssuerError> {
    if answer.status == status {
        Ok(())
    } else {
        Err(said(answer, "another status was expected"))
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, IssuerError> {
    serde_json::from_slice(&answer.body).map_err(|_| said(answer, "the body cannot be read"))
}

fn with_query(mut url: Url, query: Option<&str>) -> Url {
    url.set_query(query);
    url
}

/// Returns the address of the page after one that is told by its offset.
fn further(url: &Url) -> Url {
    let offset = url.query_pairs().find(|(name, _)| name == "offset");
    let offset = offset
        .and_then(|(_, value)| value.parse::<usize>().ok())
        .unwrap_or_default();
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| name != "offset")
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let mut next = with_query(url.clone(), None);
    next.query_pairs_mut()
        .extend_pairs(others)
        .append_pair("offset", &(offset + PAGE).to_string());
    next
}

/// Returns the address of the page after one that says where that is; a link that cannot be read may be the one.
///
/// Source: RFC 8288, section 3.
fn next_link(answer: &Answer, page: &Url) -> Result<Option<Url>, IssuerError> {
    let unreadable = || said(answer, "a link to another page cannot be read");
    for value in answer.headers.get_all(LINK) {
        let links = value.to_str().map_err(|_| unreadable())?.split(',');
        for link in links.map(str::trim).filter(|link| !link.is_empty()) {
            let link = link.strip_prefix('<').and_then(|link| link.split_once('>'));
            let (target, parameters) = link.ok_or_else(unreadable)?;
            let is_next = parameters
                .split(';')
                .any(|each| each.trim().replace('"', "") == "rel=next");
            if is_next {
                return page.join(target).map(Some).map_err(|_| unreadable());
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linked(link: &[u8]) -> Result<Option<String>, IssuerError> {
        let answer = Answer {
            status: StatusCode::OK,
            headers: HeaderMap::from_iter([(LINK, HeaderValue::from_bytes(link).unwrap())]),
            body: Vec::new(),
            cut: None,
        };
        let page = "http://hydra.example/admin/clients".parse().unwrap();
        Ok(next_link(&answer, &page)?.map(String::from))
    }

    #[test]
    fn the_next_page_is_where_the_link_says() {
        let next =
            br#"</admin/clients?page_token=a>; rel="first", </admin/clients?page_token=b>; rel="next""#;
        assert_eq!(
            linked(next).unwrap().as_deref(),
            Some("http://hydra.example/admin/clients?page_token=b")
        );
        let last: [&[u8]; 2] = [b"", br#"</admin/clients?page_token=a>; rel="first","#];
        assert!(last.iter().all(|link| linked(link).unwrap().is_none()));
    }

    #[test]
    fn a_link_that_cannot_be_read_is_not_taken_for_the_end() {
        let unreadable: [&[u8]; 4] = [
            b"/admin/clients; rel=next",
            b"</admin/clients; rel=next",
            b"<http://[>; rel=next",
            b"</admin/clients?\xe5>; rel=next",
        ];
        for link in unreadable {
            assert!(linked(link).is_err(), "{link:?}");
        }
    }

    #[test]
    fn the_next_page_begins_after_the_last() {
        let first: Url = "http://hydra.example/clients?owner=x&limit=100".parse().unwrap();
        let second = further(&first);
        assert_eq!(second.query(), Some("owner=x&limit=100&offset=100"));
        assert_eq!(further(&second).query(), Some("owner=x&limit=100&offset=200"));
    }
}
