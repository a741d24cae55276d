use bytes::Bytes;
use http::{HeaderMap, Method};

/// Carries one HTTP request with its whole body, from a connection or from a part of a batch.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path as sent, still percent-encoded.
    pub path: String,
    /// The query as sent, still percent-encoded.
    pub query: Option<String>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The certificate, in DER, that the caller proved to have on a connection with TLS.
    pub certificate: Option<Bytes>,
}

impl Request {
    /// Returns a header's value where it is visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns path and query as sent.
    pub fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// Returns whether the caller takes a gzip-encoded answer.
    pub fn accepts_gzip(&self) -> bool {
        self.header("accept-encoding")
            .is_some_and(|value| value.to_ascii_lowercase().contains("gzip"))
    }
}
