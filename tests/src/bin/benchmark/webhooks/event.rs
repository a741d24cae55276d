//! Webhooks of one endpoint, as the gateway hands them on: signed by Standard Webhooks, each with an id of its own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ring::hmac::{self, HMAC_SHA256};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Result;

/// Where they are sent to.
pub(super) const ENDPOINT: &str = "hlf.q83vEjRWeJCrze_-7dy6mA";

/// How the gateway hands a webhook on.
const GATEWAY: &str = include_str!("../../../../../events/webhooks/http_webhook.json");

/// Returns the bytes that the secret stands for.
fn bytes() -> [u8; 32] {
    std::array::from_fn(|at| 7_u8.wrapping_mul(at as u8))
}

/// Returns the secret as whoever verifies is told it.
pub(super) fn secret() -> String {
    format!("whsec_{}", STANDARD.encode(bytes()))
}

/// Makes a webhook that is signed as of now.
pub(super) fn signed(now: Timestamp) -> Result<String> {
    let (id, body) = (format!("msg_{}", Uuid::new_v4().simple()), body());
    let key = hmac::Key::new(HMAC_SHA256, &bytes());
    let content = format!("{id}.{}.{body}", now.as_second());
    let signature = STANDARD.encode(hmac::sign(&key, content.as_bytes()));
    event(&id, now, &signature, &body)
}

/// Makes a webhook that somebody has signed who does not have the secret.
pub(super) fn forged(now: Timestamp) -> Result<String> {
    let id = format!("msg_{}", Uuid::new_v4().simple());
    event(&id, now, &STANDARD.encode([1; 32]), &body())
}

fn event(id: &str, now: Timestamp, signature: &str, body: &str) -> Result<String> {
    let mut event: Value = serde_json::from_str(GATEWAY)?;
    let path = format!("/v1/webhooks/dynamics365/{ENDPOINT}");
    event["rawPath"] = path.as_str().into();
    event["requestContext"]["http"]["path"] = path.into();
    event["requestContext"]["timeEpoch"] = now.as_millisecond().into();
    event["pathParameters"]["endpointId"] = ENDPOINT.into();
    event["headers"]["content-length"] = body.len().to_string().into();
    event["headers"]["webhook-id"] = id.into();
    event["headers"]["webhook-timestamp"] = now.as_second().to_string().into();
    event["headers"]["webhook-signature"] = format!("v1,{signature}").into();
    event["body"] = body.into();
    Ok(event.to_string())
}

/// What Dataverse says of a row: about 1 kB.
fn body() -> String {
    let [row, correlation, operation, user, unit, organization] = [(); 6].map(|()| Uuid::new_v4());
    let changed = [
        ("firstname", "Kari"),
        ("lastname", "Nordmann"),
        ("emailaddress1", "kari@example.org"),
        ("telephone1", "+47 22 00 00 00"),
    ];
    let changed = changed.map(|(key, value)| json!({ "key": key, "value": value }));
    let context = json!({
        "MessageName": "Update", "PrimaryEntityName": "contact", "PrimaryEntityId": row, "Stage": 40, "Mode": 1, "Depth": 1,
        "IsolationMode": 1, "IsExecutingOffline": false, "IsInTransaction": false, "IsOfflinePlayback": false,
        "CorrelationId": correlation, "OperationId": operation, "InitiatingUserId": user, "UserId": user,
        "BusinessUnitId": unit, "OrganizationId": organization, "OrganizationName": "hlf",
        "OperationCreatedOn": "/Date(1769853600000+0000)/", "RequestId": correlation,
        "InputParameters": [{ "key": "Target", "value": { "LogicalName": "contact", "Id": row, "Attributes": changed } }],
        "OutputParameters": [], "PreEntityImages": [], "PostEntityImages": [], "SharedVariables": [],
    });
    context.to_string()
}
