//! The tables that webhooks are registered in, one function per endpoint.
//!
//! | table | what it holds |
//! | --- | --- |
//! | `serviceendpoint` | where webhooks go, and the secret that they show |
//! | `sdkmessage` | what can happen, such as `Update` |
//! | `sdkmessagefilter` | what can happen to which table |
//! | `sdkmessageprocessingstep` | that what happens to a table is told to an endpoint |
//!
//! Source: Microsoft Learn, "Register a webhook", and the references of the four tables (Microsoft Dataverse), read
//! 2026-11-22.

use http::Method;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client::Client;
use super::error::{self, is_no_such_row};
use super::map;
use super::wire;
use crate::adapter::{Error, ErrorKind, Result};

/// The contract of an endpoint that is a webhook.
pub(super) const WEBHOOK: i64 = 8;
/// The secret stands in a header.
pub(super) const HTTP_HEADER: i64 = 5;

/// A row of `serviceendpoint`; `authvalue` cannot be read.
#[derive(Debug, Deserialize)]
pub(super) struct Endpoint {
    #[serde(rename = "serviceendpointid")]
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) url: Option<String>,
    #[serde(default, rename = "authtype")]
    pub(super) auth_type: Option<i64>,
    #[serde(default)]
    pub(super) description: Option<String>,
}

/// A row of `sdkmessage`.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    #[serde(rename = "sdkmessageid")]
    pub(super) id: String,
    pub(super) name: String,
}

/// A row of `sdkmessagefilter`.
#[derive(Debug, Deserialize)]
pub(super) struct Filter {
    #[serde(rename = "sdkmessagefilterid")]
    pub(super) id: String,
    #[serde(rename = "_sdkmessageid_value")]
    pub(super) message: String,
    #[serde(rename = "primaryobjecttypecode")]
    pub(super) table: String,
}

/// A row of `sdkmessageprocessingstep`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Step {
    #[serde(rename = "sdkmessageprocessingstepid")]
    pub(super) id: String,
    /// What the step is for; none where it is for every table.
    #[serde(default, rename = "_sdkmessagefilterid_value")]
    pub(super) filter: Option<String>,
    /// 0 is enabled.
    #[serde(rename = "statecode")]
    pub(super) state: i64,
    #[serde(flatten)]
    pub(super) settings: StepSettings,
}

/// What of a step can be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StepSettings {
    /// 1 is asynchronous.
    pub(super) mode: i64,
    /// 40 is after the operation.
    pub(super) stage: i64,
    /// The order among the steps of a stage.
    pub(super) rank: i64,
    /// 0 is the server only.
    #[serde(rename = "supporteddeployment")]
    pub(super) deployment: i64,
    /// Whether the system forgets what was delivered.
    #[serde(rename = "asyncautodelete")]
    pub(super) forgets: bool,
    /// The columns whose changes are told, with commas between; none is all.
    #[serde(default, rename = "filteringattributes")]
    pub(super) columns: Option<String>,
}

/// A listing that fits on one page.
#[derive(Deserialize)]
struct Listing<T> {
    value: Vec<T>,
    #[serde(default, rename = "@odata.nextLink")]
    next: Option<IgnoredAny>,
}

impl Client {
    /// Reads the webhooks that are called so, the oldest first. The name has none but plain characters.
    pub(super) async fn get_endpoints(&self, name: &str) -> Result<Vec<Endpoint>> {
        let resource = format!(
            "serviceendpoints?$select=serviceendpointid,name,url,authtype,description\
             &$filter=contract eq {WEBHOOK} and name eq '{name}'&$orderby=createdon,serviceendpointid"
        );
        let mut endpoints: Vec<Endpoint> = self.get_all(&resource).await?;
        // The system does not tell upper from lower case.
        endpoints.retain(|endpoint| endpoint.name == name);
        Ok(endpoints)
    }

    /// Reads the messages of these names.
    pub(super) async fn get_messages(&self, names: &[&str]) -> Result<Vec<Message>> {
        let named = any(names.iter().map(|name| format!("name eq '{name}'")));
        self.get_all(&format!("sdkmessages?$select=sdkmessageid,name&$filter={named}"))
            .await
    }

    /// Reads what stands for these messages of these tables.
    pub(super) async fn get_filters(&self, messages: &[Message], tables: &[&str]) -> Result<Vec<Filter>> {
        let messages = any(messages
            .iter()
            .map(|message| format!("_sdkmessageid_value eq {}", message.id)));
        let tables = any(tables
            .iter()
            .map(|table| format!("primaryobjecttypecode eq '{table}'")));
        let resource = format!(
            "sdkmessagefilters?$select=sdkmessagefilterid,_sdkmessageid_value,primaryobjecttypecode\
             &$filter=({messages}) and ({tables})"
        );
        self.get_all(&resource).await
    }

    /// Reads the steps of an endpoint.
    pub(super) async fn get_steps(&self, endpoint: &Endpoint) -> Result<Vec<Step>> {
        let resource = format!(
            "sdkmessageprocessingsteps?$select=sdkmessageprocessingstepid,_sdkmessagefilterid_value,statecode,mode,\
             stage,rank,supporteddeployment,asyncautodelete,filteringattributes\
             &$filter=_eventhandler_value eq {}&$orderby=createdon,sdkmessageprocessingstepid",
            guid(&endpoint.id)?
        );
        self.get_all(&resource).await
    }

    /// Makes an endpoint; returns its id.
    pub(super) async fn post_endpoint(&self, body: &Value) -> Result<Box<str>> {
        let resource = "serviceendpoints?$select=serviceendpointid";
        let answer = self.write_row(Method::POST, resource, Some(body)).await?;
        let made: Value = wire::short(&answer.body).map_err(error::misread)?;
        guid(made["serviceendpointid"].as_str().unwrap_or_default())
    }

    /// Changes an endpoint.
    pub(super) async fn patch_endpoint(&self, id: &str, body: &Value) -> Result<()> {
        self.change("serviceendpoints", id, body).await
    }

    /// Removes an endpoint that no step is left of; one that is gone is removed.
    pub(super) async fn delete_endpoint(&self, id: &str) -> Result<()> {
        self.remove("serviceendpoints", id).await
    }

    /// Makes a step.
    pub(super) async fn post_step(&self, body: &Value) -> Result<()> {
        let resource = "sdkmessageprocessingsteps?$select=sdkmessageprocessingstepid";
        self.write_row(Method::POST, resource, Some(body)).await.map(drop)
    }

    /// Changes a step.
    pub(super) async fn patch_step(&self, id: &str, body: &Value) -> Result<()> {
        self.change("sdkmessageprocessingsteps", id, body).await
    }

    /// Removes a step; one that is gone is removed.
    pub(super) async fn delete_step(&self, id: &str) -> Result<()> {
        self.remove("sdkmessageprocessingsteps", id).await
    }

    async fn change(&self, entity_set: &str, id: &str, body: &Value) -> Result<()> {
        let resource = format!("{entity_set}({})", guid(id)?);
        self.write_row(Method::PATCH, &resource, Some(body))
            .await
            .map(drop)
    }

    async fn remove(&self, entity_set: &str, id: &str) -> Result<()> {
        let resource = format!("{entity_set}({})", guid(id)?);
        match self.write_row(Method::DELETE, &resource, None).await {
            Err(error) if !is_no_such_row(&error) => Err(error),
            _ => Ok(()),
        }
    }

    async fn get_all<T: DeserializeOwned>(&self, resource: &str) -> Result<Vec<T>> {
        let listing: Listing<T> = self.get_json(resource).await?;
        match listing.next {
            None => Ok(listing.value),
            Some(_) => Err(Error::new(
                ErrorKind::Malformed,
                "what is registered does not fit on one page",
            )),
        }
    }
}

/// Returns an id in its one form.
pub(super) fn guid(id: &str) -> Result<Box<str>> {
    let odd = || Error::new(ErrorKind::Malformed, "what is registered has no id");
    map::guid(id).ok_or_else(odd)
}

fn any(conditions: impl Iterator<Item = String>) -> String {
    conditions.collect::<Vec<_>>().join(" or ")
}
