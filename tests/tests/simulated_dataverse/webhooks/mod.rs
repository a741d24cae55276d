//! Webhooks: what can be registered, what is told, and how it is sent.

mod registering;
mod sending;
mod telling;

use serde_json::{Value, json};
use tests::Simulation;
use uuid::Uuid;

use crate::client::Client;

const HEADERS: &str = r#"<settings><setting name="x-secret" value="a&amp;b" /></settings>"#;

fn endpoint(url: &str) -> Value {
    json!({ "name": "one", "contract": 8, "authtype": 5, "authvalue": HEADERS, "url": url })
}

async fn find(client: &Client, set: &str, filter: &str) -> String {
    let rows = client.get(&format!("{set}?$filter={filter}")).await.rows();
    assert_eq!(rows.len(), 1, "{set} {filter}");
    let id = rows[0][format!("{}id", set.trim_end_matches('s'))].as_str();
    id.unwrap().to_owned()
}

/// Returns a step for a message of a table, as it is registered.
async fn step(client: &Client, endpoint: Uuid, message: &str, table: &str) -> Value {
    let message = find(client, "sdkmessages", &format!("name eq '{message}'")).await;
    let filter = format!("_sdkmessageid_value eq {message} and primaryobjecttypecode eq '{table}'");
    let filter = find(client, "sdkmessagefilters", &filter).await;
    json!({
        "name": "a step", "mode": 1, "stage": 40, "rank": 1, "supporteddeployment": 0, "asyncautodelete": true,
        "eventhandler_serviceendpoint@odata.bind": format!("/serviceendpoints({endpoint})"),
        "sdkmessageid@odata.bind": format!("/sdkmessages({message})"),
        "sdkmessagefilterid@odata.bind": format!("/sdkmessagefilters({filter})"),
    })
}

/// Registers a webhook for every message of contacts; updates only where these columns are written.
async fn registered(simulation: &Simulation, client: &Client, url: &str, columns: Option<&str>) -> Uuid {
    let endpoint = simulation.create_as_human("serviceendpoints", &endpoint(url));
    for message in ["Create", "Update", "Delete"] {
        let mut step = step(client, endpoint, message, "contact").await;
        if message == "Update" {
            step["filteringattributes"] = json!(columns);
        }
        let reply = client.post("sdkmessageprocessingsteps", &step).await;
        assert_eq!(reply.status, 204, "{}", reply.text());
    }
    endpoint
}
