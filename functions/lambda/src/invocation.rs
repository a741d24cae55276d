//! What wakes a function: a request, a batch of messages, or somebody who names an operation.

use aws_lambda_events::sqs::SqsEvent;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What wakes a function.
#[derive(Debug, Clone)]
pub enum Invocation {
    /// A request to the HTTP API.
    Http(Box<ApiGatewayV2httpRequest>),
    /// Messages of a queue.
    Queue(SqsEvent),
    /// Anything else: an operation, a tick, or what only one function knows.
    Other(Value),
}

impl<'de> Deserialize<'de> for Invocation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Value::deserialize(deserializer)?;
        let is_authorization = event.get("routeArn").is_some();
        if event.get("requestContext").is_some() && !is_authorization {
            return serde_json::from_value(event)
                .map(Self::Http)
                .map_err(Error::custom);
        }
        if event.get("Records").is_some() {
            return serde_json::from_value(event)
                .map(Self::Queue)
                .map_err(Error::custom);
        }
        Ok(Self::Other(event))
    }
}

/// Returns the `Authorization` headers of what the gateway asks its authorizer about.
///
/// Any letter case counts: two of them are two headers.
#[must_use]
pub fn authorization_headers(event: &Invocation) -> Vec<String> {
    let Invocation::Other(event) = event else {
        return Vec::new();
    };
    let headers = event
        .get("headers")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let ours = headers.filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    ours.map(|(_, value)| value.as_str().unwrap_or_default().to_owned())
        .collect()
}
