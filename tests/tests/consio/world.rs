//! One organization, its simulated register, and the adapter between them.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::adapter::{Adapter, Change, Found, Target};
use shared::adapters::{Connections, FileStores, connect};
use shared::integration::Integration;
use shared::model::{FieldError, Kind};
use shared::secrets::Secret;
use tests::dataverse::faults::FaultRule;
use tests::rest::{Auth, Collection, Paging, Rest};
use tests::{Simulation, SimulationConfig};

use crate::asking;
pub(crate) use crate::asking::{connections, pull_all, push_one, rows, target, try_pull_all, write};
use crate::pair::Side;

pub(crate) const PAGE: &str = include_str!("../../../shared/examples/profiles/page.json");
pub(crate) const CURSOR: &str = include_str!("../../../shared/examples/profiles/cursor.json");

pub(crate) struct World {
    pub(crate) simulation: Arc<Simulation>,
    pub(crate) connections: Connections,
    pub(crate) settings: Value,
    pub(crate) credentials: Value,
    pub(crate) integration: &'static str,
}

impl World {
    /// Connects a register with some members, by the first of the examples.
    pub(crate) async fn new(members: usize) -> Self {
        let simulation = Arc::new(Simulation::start(SimulationConfig::default()).await);
        let world = Self {
            connections: connections(&simulation),
            settings: at(&simulation, PAGE),
            credentials: json!({ "apiKey": simulation.rest().secret() }),
            integration: "hlf:consio",
            simulation,
        };
        for number in 0..members {
            world.add(number);
        }
        world
    }

    pub(crate) fn register(&self) -> &Rest {
        self.simulation.rest()
    }

    /// Adds a member as a human does.
    pub(crate) fn add(&self, number: usize) -> u64 {
        let row = json!({
            "number": format!("{}", 1_000 + number), "name": { "first": "Kari", "last": format!("Nordmann {number}") },
            "born": "31.01.1980", "sex": "K", "contact": { "email": "kari@example.org" },
        });
        self.register().create_as_human(Collection::Members, &row)
    }

    /// Has both sides sign in, or be signed in to, in another way.
    pub(crate) fn sign_in_by(&mut self, auth: Auth) {
        self.register().change_settings(|settings| settings.auth = auth);
        let secret = self.register().secret();
        let base_url = self.simulation.base_url();
        let (wanted, shown) = match auth {
            Auth::ApiKey => (
                json!({ "kind": "apiKey", "header": "x-register-key" }),
                json!({ "apiKey": secret }),
            ),
            Auth::Bearer => (json!({ "kind": "bearer" }), json!({ "token": secret })),
            Auth::Basic => (
                json!({ "kind": "basic" }),
                json!({ "userName": self.register().user(), "password": secret }),
            ),
            Auth::Oidc => (
                json!({ "kind": "oidc", "issuer": format!("{base_url}/rest/identity"), "scope": "register" }),
                json!({
                    "clientId": self.register().client().client_id,
                    "clientSecret": self.register().client().client_secret,
                }),
            ),
        };
        self.settings["auth"] = wanted;
        self.credentials = shown;
    }

    /// Has both sides cut listings in another way.
    pub(crate) fn page_by(&mut self, paging: Paging, size: u64) {
        self.register()
            .change_settings(|settings| settings.paging = paging);
        let sized = |mut style: Value| {
            style["sizeParameter"] = json!("size");
            style["size"] = json!(size);
            style
        };
        let style = match paging {
            Paging::None => json!({ "style": "none" }),
            Paging::Page => sized(json!({ "style": "page", "parameter": "page", "total": "/meta/total" })),
            Paging::Offset => sized(json!({ "style": "offset", "parameter": "offset" })),
            Paging::Cursor => {
                sized(json!({ "style": "cursor", "parameter": "cursor", "next": "/meta/next" }))
            }
            Paging::Link => sized(json!({ "style": "link" })),
            Paging::NextLink => sized(json!({ "style": "nextLink", "next": "/meta/next" })),
        };
        for resource in self.settings["resources"].as_object_mut().unwrap().values_mut() {
            resource["read"]["paging"] = style.clone();
        }
    }

    pub(crate) fn members(&mut self) -> &mut Value {
        &mut self.settings["resources"]["members"]
    }

    /// Sets up the adapter as a function does when it is woken.
    pub(crate) fn adapter(&self) -> Arc<dyn Adapter> {
        self.try_adapter(&self.connections).unwrap()
    }

    pub(crate) fn try_adapter(&self, connections: &Connections) -> Result<Arc<dyn Adapter>, Vec<FieldError>> {
        let deadline = self.simulation.now() + SignedDuration::from_mins(10);
        connect(&self.integration(), &self.secret(), connections, deadline)
    }

    pub(crate) fn secret(&self) -> Secret {
        Secret {
            value: self.credentials.to_string().into(),
            version: "1".to_owned(),
        }
    }

    pub(crate) fn inject(&self, rule: FaultRule) {
        self.simulation.inject(rule);
    }

    pub(crate) fn requests(&self) -> u64 {
        self.simulation.counters().requests
    }

    pub(crate) fn rows(&self) -> Vec<Value> {
        self.register().rows(Collection::Members)
    }
}

impl Side for World {
    fn simulation(&self) -> &Arc<Simulation> {
        &self.simulation
    }

    fn integration(&self) -> Integration {
        asking::integration(self.integration, &self.settings, self.simulation.now())
    }

    fn adapter_anew(&self, _: &Integration, _: &FileStores) -> Arc<dyn Adapter> {
        self.try_adapter(&connections(&self.simulation)).unwrap()
    }
}

/// Reads a profile, and has it lead to the simulated register.
pub(crate) fn at(simulation: &Simulation, profile: &str) -> Value {
    let here = simulation.base_url();
    let profile = profile
        .replace("https://api.register.example", here)
        .replace("https://login.register.example", here);
    serde_json::from_str(&profile).unwrap()
}

pub(crate) fn member(key: &str, fields: Value) -> Change {
    write(Kind::Member, key, None, fields)
}

pub(crate) fn edit(target: Target, fields: Value) -> Change {
    write(Kind::Member, "x", Some(target), fields)
}

pub(crate) fn remove(target: Target) -> Change {
    asking::remove("x", target)
}

pub(crate) async fn find_one(adapter: &dyn Adapter, id: &str) -> shared::adapter::Result<Found> {
    Ok(adapter.find(Kind::Member, &[id.into()]).await?.remove(0))
}
