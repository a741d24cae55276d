//! What wakes a function: a request, a batch of messages, or somebody who names an operation.

use std::collections::BTreeMap;

use aws_lambda_events::sqs::SqsEvent;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

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
    /// Reads an event for what it is: only its members are looked at first, as to take a whole one apart twice costs more
    /// than all else that is done with a small request.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Box::<RawValue>::deserialize(deserializer)?;
        // What is no object has none.
        let members: BTreeMap<String, IgnoredAny> = serde_json::from_str(event.get()).unwrap_or_default();
        let is_authorization = members.contains_key("routeArn");
        let event = event.get();
        let read = if members.contains_key("requestContext") && !is_authorization {
            serde_json::from_str(event).map(Self::Http)
        } else if members.contains_key("Records") {
            serde_json::from_str(event).map(Self::Queue)
        } else {
            serde_json::from_str(event).map(Self::Other)
        };
        read.map_err(Error::custom)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(event: &Value) -> Invocation {
        let read = serde_json::from_str(&event.to_string()).unwrap();
        // Whoever hands on a value has it read alike.
        let handed: Invocation = serde_json::from_value(event.clone()).unwrap();
        assert_eq!(format!("{handed:?}"), format!("{read:?}"));
        read
    }

    #[test]
    fn what_wakes_a_function_is_known_by_its_members() {
        let request = json!({ "rawPath": "/v1", "requestContext": { "http": { "method": "GET" } } });
        assert!(
            matches!(read(&request), Invocation::Http(event) if event.raw_path.as_deref() == Some("/v1"))
        );
        let batch = json!({ "Records": [{ "body": "1" }] });
        assert!(matches!(read(&batch), Invocation::Queue(event) if event.records.len() == 1));
        let authorization = json!({ "routeArn": "arn", "requestContext": {} });
        for other in [
            authorization,
            json!({ "operation": "tick" }),
            json!(["Records"]),
            json!(1),
        ] {
            assert!(matches!(read(&other), Invocation::Other(event) if event == other));
        }
    }

    #[test]
    fn what_only_seems_to_be_a_request_is_no_event_at_all() {
        for event in ["{\"requestContext\": 1}", "{\"Records\": 1}", "{", ""] {
            assert!(serde_json::from_str::<Invocation>(event).is_err(), "{event}");
        }
    }
}
