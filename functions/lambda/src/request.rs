//! From the gateway's event to a request, with who sends it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{DATE, HeaderName};
use http::{HeaderMap, Request, Uri};
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpRequestContext};
use shared::api::{Caller, Code, Problem, RemoteAddress, RequestId};

const REMAPPED_DATE: HeaderName = HeaderName::from_static("x-amzn-remapped-date");

/// Returns whoever invokes the function itself: IAM has let them.
#[must_use]
pub fn direct_caller() -> Caller {
    Caller::unrestricted("direct")
}

/// Reads a request from the gateway's event.
pub(crate) fn request(event: ApiGatewayV2httpRequest) -> Result<Request<Bytes>, Problem> {
    let uri = uri(
        event.raw_path.as_deref().unwrap_or("/"),
        event.raw_query_string.as_deref(),
    )?;
    let mut request = Request::new(body(event.body, event.is_base64_encoded)?);
    *request.method_mut() = event.request_context.http.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = with_date(event.headers);
    let extensions = request.extensions_mut();
    if let Some(caller) = caller(&event.request_context) {
        extensions.insert(caller);
    }
    if let Some(address) = event.request_context.http.source_ip {
        extensions.insert(RemoteAddress(address.into()));
    }
    if let Some(id) = event.request_context.request_id {
        extensions.insert(RequestId(id.into()));
    }
    Ok(request)
}

/// A gateway that keeps `Date` for itself hands the sender's on under another name.
///
/// Source: Amazon API Gateway Developer Guide, "Amazon API Gateway important notes", remapped headers.
fn with_date(mut headers: HeaderMap) -> HeaderMap {
    let remapped = headers.remove(REMAPPED_DATE);
    if let Some(date) = remapped.filter(|_| !headers.contains_key(DATE)) {
        headers.insert(DATE, date);
    }
    headers
}

/// Only the authorizer's word counts; no header does.
fn caller(context: &ApiGatewayV2httpRequestContext) -> Option<Caller> {
    let fields = &context.authorizer.as_ref()?.fields;
    let fields = fields.iter().map(|(name, value)| (name.clone(), value.clone()));
    Caller::from_context(&fields.collect())
}

fn body(text: Option<String>, base64: bool) -> Result<Bytes, Problem> {
    let text = text.unwrap_or_default();
    if !base64 {
        return Ok(text.into());
    }
    let decoded = STANDARD.decode(text).map(Bytes::from);
    decoded.map_err(|_| Problem::of_field("body", "is not base64, though it is said to be"))
}

/// The gateway has decoded the path; what no URI may hold is encoded again.
fn uri(path: &str, query: Option<&str>) -> Result<Uri, Problem> {
    let mut text = encoded(path);
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        text.push('?');
        text.push_str(query);
    }
    text.parse().map_err(|_| Problem::new(Code::UnknownRoute))
}

fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@%".contains(&byte) {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").ok();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_was_decoded_is_encoded_again() {
        assert_eq!(
            uri("/v1/a b/å?#", Some("x=1")).unwrap(),
            "/v1/a%20b/%C3%A5%3F%23?x=1"
        );
        assert_eq!(uri("/v1/a%2Fb", None).unwrap(), "/v1/a%2Fb");
        assert!(uri("/v1", Some("a b")).is_err());
    }

    #[test]
    fn the_senders_date_is_found_where_the_gateway_has_put_it() {
        let mut headers = HeaderMap::new();
        headers.insert(REMAPPED_DATE, "Tue, 14 Nov 2023 22:13:20 GMT".parse().unwrap());
        let found = with_date(headers.clone());
        assert_eq!(found.len(), 1);
        assert_eq!(found[DATE], "Tue, 14 Nov 2023 22:13:20 GMT");
        headers.insert(DATE, "another".parse().unwrap());
        assert_eq!(with_date(headers)[DATE], "another");
    }

    #[test]
    fn a_body_is_what_was_sent() {
        assert_eq!(body(Some("åé".into()), false).unwrap(), "åé".as_bytes());
        assert_eq!(body(Some("w6U=".into()), true).unwrap(), "å".as_bytes());
        assert!(body(Some("!".into()), true).is_err());
        assert!(body(None, false).unwrap().is_empty());
    }
}
