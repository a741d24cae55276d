//! The simulated Dataverse, as an integration reaches it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::adapter::{Adapter, From, Item, Next};
use shared::adapters::{Connections, connect};
use shared::clock::{Clock, SystemClock};
use shared::flow::work::Connect;
use shared::integration::{DeleteGuard, Direction, Integration, State};
use shared::model::Kind;
use shared::secrets::Secret;

use crate::{Failure, Result, bare};

/// How long an adapter may take for everything that it is asked.
const LONG_ENOUGH: Duration = Duration::from_secs(60 * 60);

/// Where the simulation is, and how to sign in.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Connection {
    pub(crate) base_url: String,
    pub(crate) tenant: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) scope: String,
}

/// An integration with the simulation, and the connections that its adapters share.
#[derive(Debug)]
pub(crate) struct Dataverse {
    pub(crate) connection: Connection,
    pub(crate) integration: Integration,
    connections: Connections,
}

#[derive(Deserialize)]
struct Asked {
    target: String,
}

impl Dataverse {
    /// Connects to the simulation at `url`.
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        let connections = Connections::new(url.parse()?, Arc::new(SystemClock));
        let asked = bare::client()?.get(format!("{url}/_simulator/connection"));
        let connection: Connection = asked.send().await?.json().await?;
        Ok(Self {
            integration: integration(&connection)?,
            connection,
            connections,
        })
    }

    /// Sets up an adapter as a function does when it is woken.
    pub(crate) fn adapter(&self) -> Result<Arc<dyn Adapter>> {
        let Connection {
            client_id,
            client_secret,
            ..
        } = &self.connection;
        let credentials = json!({ "clientId": client_id, "clientSecret": client_secret });
        let secret = Secret {
            value: credentials.to_string().into(),
            version: "1".to_owned(),
        };
        let deadline = SystemClock.now() + LONG_ENOUGH;
        let adapter = connect(&self.integration, &secret, &self.connections, deadline);
        adapter.map_err(|faults| format!("{faults:?}").into())
    }

    /// Reads all contacts, so that every page is rendered, and returns the address of the first.
    pub(crate) async fn warm(&self) -> Result<String> {
        pull_all(&*self.adapter()?, drop).await?;
        let Connection { base_url, .. } = &self.connection;
        let journal = bare::client()?.get(format!("{base_url}/_simulator/journal"));
        let journal: Vec<Asked> = journal.send().await?.json().await?;
        let first = journal
            .into_iter()
            .find(|asked| asked.target.contains("/contacts?"));
        first
            .map(|first| format!("{base_url}{}", first.target))
            .ok_or_else(|| "no contacts were asked for".into())
    }
}

/// Reads a listing to its end, handing each page over.
pub(crate) async fn pull_all(adapter: &dyn Adapter, mut take: impl FnMut(Vec<Item>)) -> Result<()> {
    let mut from = From::Start;
    loop {
        let page = adapter.pull(Kind::Member, &from).await?;
        take(page.items);
        match page.next {
            Next::Page(cursor) => from = From::Page(cursor),
            Next::End(_) | Next::Enough(_) => return Ok(()),
        }
    }
}

#[async_trait]
impl Connect for Dataverse {
    async fn connect(&self, _: &Integration) -> Arc<dyn Adapter> {
        self.adapter().expect("the settings were taken before")
    }
}

/// Returns an integration that maps what the adapter maps.
pub(crate) fn integration(connection: &Connection) -> Result<Integration, Failure> {
    let now = SystemClock.now();
    Ok(Integration {
        id: "hlf:dynamics365".parse()?,
        display_name: "Portal".to_owned(),
        state: State::Active,
        direction: Direction::Both,
        conflict_rules: BTreeMap::new(),
        excluded_groups: Vec::new(),
        delete_guard: DeleteGuard::default(),
        settings: settings(connection),
        integration_system_id: None,
        mapping_version: 1,
        credentials_expire_at: None,
        created_at: now,
        updated_at: now,
    })
}

fn settings(connection: &Connection) -> Value {
    let Connection { base_url, tenant, .. } = connection;
    json!({
        "baseUrl": base_url, "authorityUrl": base_url, "tenant": tenant, "pageSize": 5000,
        "members": {
            "entitySet": "contacts", "logicalName": "contact", "primaryKey": "contactid",
            "alternateKey": "hlf_memberno",
            "fields": {
                "firstName": "firstname", "middleName": "middlename", "lastName": "lastname", "birthDate": "birthdate",
                "gender": "gendercode", "email": "emailaddress1", "phone": "telephone1", "mobilePhone": "mobilephone",
                "addressLine1": "address1_line1", "postalCode": "address1_postalcode", "city": "address1_city",
                "country": "address1_country", "certificationStatus": "hlf_certificationstatus",
                "certificationValidTo": "hlf_certificationvalidto", "doNotEmail": "donotemail",
            },
        },
    })
}
