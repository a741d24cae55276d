//! One organization, its simulated environment, and the adapter between them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::adapter::{Adapter, Change, ErrorKind, ExternalRecord, Made, Unusable};
use shared::adapters::{Connections, FileStores, connect};
use shared::integration::Integration;
use shared::model::{Group, Kind};
use shared::secrets::Secret;
use tests::dataverse::faults::{Fault, FaultRule};
use tests::{Simulation, SimulationConfig};
use uuid::Uuid;

use crate::asking::{self, connections};
pub(crate) use crate::asking::{find_one, pull_all, push_one, remove, rows, target, write};
use crate::pair::Side;

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
        self.connect(&self.integration_of(organization), &self.connections)
    }

    fn connect(&self, integration: &Integration, connections: &Connections) -> Arc<dyn Adapter> {
        let secret = Secret {
            value: self.credentials.to_string().into(),
            version: self.secret_version.clone(),
        };
        let deadline = self.simulation.now() + self.time_limit;
        connect(integration, &secret, connections, deadline).unwrap()
    }

    pub(crate) fn integration_of(&self, organization: &str) -> Integration {
        Integration {
            excluded_groups: self.excluded.clone(),
            ..asking::integration(
                &format!("{organization}:dynamics365"),
                &self.settings,
                self.simulation.now(),
            )
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

impl Side for World {
    fn simulation(&self) -> &Arc<Simulation> {
        &self.simulation
    }

    fn integration(&self) -> Integration {
        self.integration_of("hlf")
    }

    fn adapter_anew(&self, integration: &Integration, _: &FileStores) -> Arc<dyn Adapter> {
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

pub(crate) fn text<'r>(row: &'r ExternalRecord, field: &str) -> Option<&'r str> {
    match row.fields.get(field) {
        Some(shared::model::Value::Text(text)) => Some(text),
        _ => None,
    }
}

pub(crate) fn member(key: &str, fields: Value) -> Change {
    write(Kind::Member, key, None, fields)
}

pub(crate) fn id(pushed: &Made) -> Uuid {
    pushed.id.parse().unwrap()
}
