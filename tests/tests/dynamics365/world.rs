//! One organization, its simulated environment, and the adapter between them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::adapter::{
    Adapter, Change, ChangeAction, ErrorKind, ExternalRecord, Found, From, Item, Made, Next, Pushed, Target,
    Unusable,
};
use shared::adapters::{Connections, connect};
use shared::integration::{Direction, Integration, State};
use shared::model::{Fields, Group, Kind};
use shared::secrets::Secret;
use tests::dataverse::faults::{Fault, FaultRule};
use tests::{Simulation, SimulationConfig};
use uuid::Uuid;

use crate::simulation_clock::SimulationClock;

pub(crate) struct World {
    pub(crate) simulation: Arc<Simulation>,
    pub(crate) connections: Connections,
    pub(crate) settings: Value,
    pub(crate) credentials: Value,
    pub(crate) secret_version: String,
    pub(crate) excluded: Vec<Group>,
    pub(crate) time_limit: SignedDuration,
    /// How often the credentials cannot be read.
    pub(crate) unreadable: AtomicU32,
}

impl World {
    pub(crate) async fn new(contacts: usize) -> Self {
        Self::with(SimulationConfig {
            contacts,
            ..SimulationConfig::default()
        })
        .await
    }

    pub(crate) async fn with(config: SimulationConfig) -> Self {
        let simulation = Arc::new(Simulation::start(config).await);
        Self {
            connections: connections(&simulation),
            settings: settings(&simulation),
            credentials: json!({ "clientId": simulation.client_id(), "clientSecret": simulation.client_secret() }),
            secret_version: "1".to_owned(),
            excluded: Vec::new(),
            time_limit: SignedDuration::from_mins(10),
            unreadable: AtomicU32::new(0),
            simulation,
        }
    }

    /// Sets up the adapter as a function does when it is woken.
    pub(crate) fn adapter(&self) -> Arc<dyn Adapter> {
        self.adapter_of("hlf")
    }

    pub(crate) fn adapter_of(&self, organization: &str) -> Arc<dyn Adapter> {
        self.connect(&self.integration(organization), &self.connections)
    }

    /// Sets up the adapter in a process of its own, with settings that may have changed since.
    pub(crate) fn adapter_anew(&self, integration: &Integration) -> Arc<dyn Adapter> {
        let unreadable = |left: u32| left.checked_sub(1);
        let (one, other) = (Ordering::SeqCst, Ordering::SeqCst);
        if self.unreadable.fetch_update(one, other, unreadable).is_ok() {
            let message = "the secret could not be read";
            return Arc::new(Unusable::new(
                integration.id.system,
                ErrorKind::Unavailable,
                message,
            ));
        }
        self.connect(integration, &connections(&self.simulation))
    }

    fn connect(&self, integration: &Integration, connections: &Connections) -> Arc<dyn Adapter> {
        let secret = Secret {
            value: self.credentials.to_string().into(),
            version: self.secret_version.clone(),
        };
        let deadline = self.simulation.now() + self.time_limit;
        connect(integration, &secret, connections, deadline).unwrap()
    }

    pub(crate) fn integration(&self, organization: &str) -> Integration {
        Integration {
            id: format!("{organization}:dynamics365").parse().unwrap(),
            display_name: "Portal".to_owned(),
            state: State::Active,
            direction: Direction::Both,
            conflict_rules: BTreeMap::new(),
            excluded_groups: self.excluded.clone(),
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

    /// Strikes every request for rows, and those for tokens not.
    pub(crate) fn always(&self, fault: Fault) {
        self.inject(FaultRule::always(fault).at("/api/data/v9.2/contacts"));
    }

    pub(crate) fn count(&self, kind: &str) -> u64 {
        self.simulation
            .counters()
            .by_kind
            .get(kind)
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn requests(&self) -> u64 {
        self.simulation.counters().requests
    }
}

fn connections(simulation: &Arc<Simulation>) -> Connections {
    let clock = Arc::new(SimulationClock(Arc::clone(simulation)));
    Connections::new(simulation.base_url().parse().unwrap(), clock)
}

fn settings(simulation: &Simulation) -> Value {
    json!({
        "baseUrl": simulation.base_url(), "authorityUrl": simulation.base_url(), "tenant": simulation.tenant(),
        "tag": "member-sync",
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
        "memberships": {
            "entitySet": "hlf_memberships", "logicalName": "hlf_membership", "primaryKey": "hlf_membershipid",
            "alternateKey": "hlf_number", "onDelete": "delete",
            "fields": {
                "memberId": { "lookup": "_hlf_contact_value", "bind": "hlf_Contact", "entitySet": "contacts" },
                "type": "hlf_type", "status": "hlf_status", "from": "hlf_from", "to": "hlf_to",
            },
        },
    })
}

/// Reads a listing to its end.
pub(crate) async fn pull_all(adapter: &dyn Adapter, kind: Kind, from: From) -> (Vec<Item>, From) {
    let (mut items, mut from) = (Vec::new(), from);
    loop {
        let page = adapter.pull(kind, &from).await.unwrap();
        items.extend(page.items);
        match page.next {
            Next::Page(cursor) => from = From::Page(cursor),
            Next::End(cursor) | Next::Enough(cursor) => return (items, From::Since(cursor)),
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

pub(crate) fn text<'r>(row: &'r ExternalRecord, field: &str) -> Option<&'r str> {
    match row.fields.get(field) {
        Some(shared::model::Value::Text(text)) => Some(text),
        _ => None,
    }
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

pub(crate) fn remove(key: &str, target: Target) -> Change {
    Change {
        key: key.parse().unwrap(),
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

pub(crate) fn id(pushed: &Made) -> Uuid {
    pushed.id.parse().unwrap()
}

/// Takes it that the system has a change.
pub(crate) fn made(pushed: Pushed) -> Made {
    match pushed {
        Pushed::Made(made) => made,
        other => panic!("the system does not have it: {other:?}"),
    }
}

pub(crate) async fn push_one(adapter: &dyn Adapter, change: Change) -> shared::adapter::Result<Made> {
    let mut outcomes = adapter.push(change_kind(&change), &[change]).await?;
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0).map(made)
}

fn change_kind(change: &Change) -> Kind {
    match &change.action {
        ChangeAction::Write { fields, .. } => fields.kind(),
        ChangeAction::Remove => Kind::Member,
    }
}

pub(crate) async fn find_one(adapter: &dyn Adapter, id: &str) -> Found {
    adapter.find(Kind::Member, &[id.into()]).await.unwrap().remove(0)
}
