//! What is to be pasted into the other system, so that it sends webhooks to an endpoint.

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use url::Url;

use super::endpoint::Endpoint;
use crate::webhook::{Paste, Scheme};

/// What is to be pasted into the other system.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Setup {
    /// Where webhooks are sent to.
    pub url: String,
    /// What stands in which field of the other system.
    pub fields: Vec<Field>,
    /// What to do there, in this order.
    pub steps: Vec<String>,
}

/// A field of the other system.
#[derive(Debug, Clone, Serialize)]
pub struct Field {
    /// What it is called there.
    pub name: String,
    /// What goes into it.
    pub value: String,
}

/// Returns the address of an endpoint below that of the API.
#[must_use]
pub fn address(api: &Url, endpoint: &Endpoint) -> String {
    let (system, id) = (endpoint.integration.system, &endpoint.id);
    format!("{}/v1/webhooks/{system}/{id}", api.as_str().trim_end_matches('/'))
}

/// Says what to paste where; a secret that is not given was shown before.
#[must_use]
pub fn setup(api: &Url, endpoint: &Endpoint, secret: Option<&SecretString>) -> Setup {
    let field = |name: &str, value: &str| Field {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let shown = secret.map_or("(shown when it was made)", |secret| secret.expose_secret());
    let base = address(api, endpoint);
    let mut url = base.clone();
    let mut fields = Vec::new();
    match endpoint.scheme.paste() {
        Paste::Secret(name) => fields.push(field(name, shown)),
        Paste::Header(header) => {
            fields.push(field("Header name", header));
            fields.push(field("Header value", shown));
        }
        Paste::Query(name) => url = format!("{base}?{name}={shown}"),
        Paste::Nothing => {}
    }
    fields.insert(0, field(url_name(&endpoint.scheme), &url));
    Setup {
        url,
        fields,
        steps: steps(endpoint),
    }
}

const fn url_name(scheme: &Scheme) -> &'static str {
    match scheme {
        Scheme::Dataverse(_) => "Endpoint URL",
        _ => "URL",
    }
}

fn steps(endpoint: &Endpoint) -> Vec<String> {
    if endpoint.registers {
        return vec![
            "Nothing: this service registers the webhook, and sees to it that it stays registered."
                .to_owned(),
        ];
    }
    let steps: &[&str] = match &endpoint.scheme {
        Scheme::Dataverse(_) => &[
            "In the Plug-in Registration Tool, register a new web hook with the endpoint URL.",
            "Choose the authentication HttpHeader (WebhookKey where the secret stands in the URL), and give it the name and the value.",
            "Register steps for Create, Update and Delete of each table that the integration maps: stage PostOperation, execution mode Asynchronous.",
            "Filter the step for Update to the columns that the integration maps, and statecode.",
        ],
        Scheme::Xledger => &[
            "Register a webhook with addWebhooks, with this URL and a subscription to what is to be told.",
            "Use the API token that this endpoint was given: it is the key by which Xledger signs.",
        ],
        Scheme::Cornerstone(_) => {
            &["Make a webhook subscription with this URL, and add the header with its value to it."]
        }
        Scheme::Standard => &["Make a subscription with this URL, and give it the signing secret."],
        _ => &["Make a subscription with this URL, and give it the secret that it signs by."],
    };
    let mut steps: Vec<String> = steps.iter().map(|step| (*step).to_owned()).collect();
    steps.push("Have a test delivery sent, and look for it among the events.".to_owned());
    steps
}
