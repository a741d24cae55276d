//! One organization, its simulated register, and the adapter between them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::adapter::{
    Adapter, Change, ChangeAction, ExternalRecord, Found, From, Item, Made, Next, Pushed, Target,
};
use shared::adapters::{Connections, connect};
use shared::integration::{Direction, Integration, State};
use shared::model::{FieldError, Fields, Kind};
use shared::secrets::Secret;
use tests::dataverse::faults::FaultRule;
use tests::rest::{Auth, Collection, Paging, Rest};
use tests::{Simulation, SimulationConfig};

use crate::simulation_clock::SimulationClock;

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

    /// Sets up the adapter in a process of its own.
    pub(crate) fn adapter_anew(&self) -> Arc<dyn Adapter> {
        self.try_adapter(&connections(&self.simulation)).unwrap()
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

    pub(crate) fn integration(&self) -> Integration {
        Integration {
            id: self.integration.parse().unwrap(),
            display_name: "Register".to_owned(),
            state: State::Active,
            direction: Direction::Both,
            conflict_rules: BTreeMap::new(),
            excluded_groups: Vec::new(),
            delete_guard: shared::integration::DeleteGuard::default(),
            settings: self.settings.clone(),
            integration_system_id: None,
            mapping_version: 1,
            credentials_expire_at: None,
            created_at: self.simulation.now(),
            updated_at: self.simulation.now(),
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

pub(crate) fn connections(simulation: &Arc<Simulation>) -> Connections {
    let clock = Arc::new(SimulationClock(Arc::clone(simulation)));
    Connections::new(simulation.base_url().parse().unwrap(), clock)
}

/// Reads a profile, and has it lead to the simulated register.
pub(crate) fn at(simulation: &Simulation, profile: &str) -> Value {
    let here = simulation.base_url();
    let profile = profile
        .replace("https://api.register.example", here)
        .replace("https://login.register.example", here);
    serde_json::from_str(&profile).unwrap()
}

/// Reads a listing to its end.
pub(crate) async fn pull_all(
    adapter: &dyn Adapter,
    kind: Kind,
    from: From,
) -> shared::adapter::Result<(Vec<Item>, From)> {
    let (mut items, mut from) = (Vec::new(), from);
    loop {
        let page = adapter.pull(kind, &from).await?;
        items.extend(page.items);
        match page.next {
            Next::Page(cursor) => from = From::Page(cursor),
            Next::End(cursor) | Next::Enough(cursor) => return Ok((items, From::Since(cursor))),
        }
    }
}

pub(crate) fn rows(items: &[Item]) -> Vec<&ExternalRecord> {
    let mut rows = Vec::new();
    for item in items {
        if let Item::Row(row) = item {
            rows.push(row);
        }
    }
    rows
}

/// Makes a change that writes these fields.
pub(crate) fn write(kind: Kind, key: &str, target: Option<Target>, fields: Value) -> Change {
    let fields = fields.as_object().unwrap();
    let changed = fields
        .keys()
        .fold(0, |bits, name| bits | 1 << kind.position(name).unwrap());
    let fields = Fields::from_json(kind, fields).unwrap();
    Change {
        key: key.parse().unwrap(),
        target,
        action: ChangeAction::Write { fields, changed },
    }
}

pub(crate) fn member(key: &str, fields: Value) -> Change {
    write(Kind::Member, key, None, fields)
}

pub(crate) fn edit(target: Target, fields: Value) -> Change {
    write(Kind::Member, "x", Some(target), fields)
}

pub(crate) fn remove(target: Target) -> Change {
    Change {
        key: "x".parse().unwrap(),
        target: Some(target),
        action: ChangeAction::Remove,
    }
}

pub(crate) fn target(pushed: &Made) -> Target {
    Target {
        id: pushed.id.clone(),
        etag: pushed.etag.clone(),
        active: pushed.active,
    }
}

/// Takes it that the system has a change.
pub(crate) fn made(pushed: Pushed) -> Made {
    match pushed {
        Pushed::Made(made) => made,
        other => panic!("the system does not have it: {other:?}"),
    }
}

pub(crate) async fn push_one(adapter: &dyn Adapter, change: Change) -> shared::adapter::Result<Made> {
    let mut outcomes = adapter.push(Kind::Member, &[change]).await?;
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0).map(made)
}

pub(crate) async fn find_one(adapter: &dyn Adapter, id: &str) -> shared::adapter::Result<Found> {
    Ok(adapter.find(Kind::Member, &[id.into()]).await?.remove(0))
}
