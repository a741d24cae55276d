//! The client itself.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::HeaderValue;
use http::header::ACCEPT_ENCODING;
use reqwest::redirect;
use url::Url;

use super::body::Body;
use super::resolver::PublicOnly;
use super::url_check::public_name;
use super::{Answer, Call, Counters, Exceptions, Failure, Identity, Reason};

const CONNECT: Duration = Duration::from_secs(5);
/// The longest silence in the middle of an answer; a large batch is silent before it begins to answer.
const SILENCE: Duration = Duration::from_secs(40);
/// Short, because a sandbox that is frozen between two events wakes up with connections that are dead.
const IDLE: Duration = Duration::from_secs(8);

/// Sends requests, by the rules that [the module](super) describes.
#[derive(Debug, Clone)]
pub struct Http {
    /// Made for the first request: to load the roots of trust takes half as long as all else that a cold start does.
    client: Arc<OnceLock<reqwest::Client>>,
    identity: Option<Identity>,
    exceptions: Arc<Exceptions>,
    counters: Arc<Counters>,
}

impl Http {
    /// Makes a client that keeps to the rules but for these exceptions.
    #[must_use]
    pub fn new(exceptions: Exceptions) -> Self {
        Self {
            client: Arc::default(),
            identity: None,
            exceptions: Arc::new(exceptions),
            counters: Arc::default(),
        }
    }

    /// Returns a handle on the same connections that counts for itself.
    #[must_use]
    pub fn counted(&self) -> Self {
        Self {
            client: Arc::clone(&self.client),
            identity: self.identity.clone(),
            exceptions: Arc::clone(&self.exceptions),
            counters: Arc::default(),
        }
    }

    /// Returns a handle with connections of its own that shows a certificate to whoever wants one, by the same rules; what
    /// it sends counts for this handle too.
    #[must_use]
    pub fn with_identity(&self, identity: Identity) -> Self {
        Self {
            client: Arc::default(),
            identity: Some(identity),
            exceptions: Arc::clone(&self.exceptions),
            counters: Arc::clone(&self.counters),
        }
    }

    /// Returns what this handle counts.
    #[must_use]
    pub const fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Returns the origins outside the rules.
    #[must_use]
    pub fn exceptions(&self) -> &Exceptions {
        &self.exceptions
    }

    /// Sends a request and reads the answer.
    ///
    /// An answer whose body breaks off is an answer all the same, with [`Answer::cut`] set: for a batch of
    /// writes, the part that came is worth knowing.
    ///
    /// # Errors
    ///
    /// Where not even the head of an answer came.
    ///
    /// # Panics
    ///
    /// If the machine has no roots of trust at all.
    pub async fn send(&self, call: Call) -> Result<Answer, Failure> {
        self.permit(&call.url)?;
        let cap = call.limits.body;
        self.counters.request(call.body.len());
        let response = self.request(call).send().await?;
        Ok(self.read(response, cap).await)
    }

    fn permit(&self, url: &Url) -> Result<(), Reason> {
        if self.exceptions.hold(url) {
            return Ok(());
        }
        public_name(url).map(drop)
    }

    fn request(&self, call: Call) -> reqwest::RequestBuilder {
        self.client
            .get_or_init(|| client(&self.exceptions, self.identity.as_ref()))
            .request(call.method, call.url)
            .headers(call.headers)
            .header(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))
            .body(call.body)
            .timeout(call.limits.total)
    }

    async fn read(&self, mut response: reqwest::Response, cap: usize) -> Answer {
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let (body, cut) = match Body::new(&headers, cap) {
            Ok(body) => self.drain(response, body).await,
            Err(failure) => (Vec::new(), Some(failure)),
        };
        Answer {
            status,
            headers,
            body,
            cut,
        }
    }

    async fn drain(&self, mut response: reqwest::Response, mut body: Body) -> (Vec<u8>, Option<Failure>) {
        let mut wire = 0;
        let end = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    wire += chunk.len() as u64;
                    if let Err(failure) = body.push(&chunk) {
                        break Err(failure);
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(Failure::after_sending(Failure::from(error).cause())),
            }
        };
        let (bytes, finished) = body.finish();
        self.counters.received(wire, bytes.len());
        (bytes, end.and(finished).err())
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn client(exceptions: &Exceptions, identity: Option<&Identity>) -> reqwest::Client {
    // Another part of the process may have chosen one already; any that is there will do.
    drop(rustls::crypto::ring::default_provider().install_default());
    let roots = exceptions.roots().iter();
    let roots = roots.filter_map(|root| reqwest::Certificate::from_der(root).ok());
    let mut builder = reqwest::Client::builder()
        .no_proxy()
        .no_gzip()
        .redirect(redirect::Policy::none())
        .referer(false)
        .dns_resolver(PublicOnly::new(exceptions))
        .tls_certs_merge(roots)
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .pool_idle_timeout(IDLE)
        .tcp_nodelay(true);
    if let Some(identity) = identity {
        builder = builder.identity(identity.shown());
    }
    builder.build().expect("the machine has roots of trust")
}
