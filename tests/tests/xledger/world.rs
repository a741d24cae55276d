//! One organization, its simulated Xledger, and its books between them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::adapter::Adapter;
use shared::adapters::{Connections, books, connect};
use shared::export::{Books, Entry, Ledger, Revision, Route, Sent, Standing, Voucher};
use shared::http::Exceptions;
use shared::integration::{DeleteGuard, Direction, Integration, State};
use shared::model::{OrganizationId, Reimbursement};
use shared::secrets::Secret;
use tests::dataverse::faults::{Fault, FaultRule};
use tests::xledger::faults::Misbehaviour;
use tests::xledger::{Settings, Xledger};
use tests::{Simulation, SimulationConfig};

use crate::simulation_clock::SimulationClock;

pub(crate) struct World {
    pub(crate) simulation: Arc<Simulation>,
    pub(crate) connections: Connections,
    pub(crate) settings: Value,
    pub(crate) credentials: Value,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Settings {
            // The job runs when a test says so.
            job_interval: None,
            ..Settings::default()
        })
        .await
    }

    pub(crate) async fn with(xledger: Settings) -> Self {
        let config = SimulationConfig {
            xledger,
            ..SimulationConfig::default()
        };
        let simulation = Arc::new(Simulation::start(config).await);
        Self {
            connections: connections(&simulation, simulation.base_url()),
            settings: settings(simulation.base_url()),
            credentials: json!({ "apiToken": simulation.xledger().token() }),
            simulation,
        }
    }

    /// Gives the organization a user of the SOAP services, whose uploads are shown a certificate.
    pub(crate) async fn with_soap() -> Self {
        let simulation = Arc::new(
            Simulation::start(SimulationConfig {
                tls: true,
                ..SimulationConfig::default()
            })
            .await,
        );
        let (url, tls) = (simulation.base_url(), simulation.tls_url().unwrap());
        let authority = simulation.authority().unwrap();
        let exceptions: Exceptions = format!("{url},{tls}").parse().unwrap();
        let exceptions = exceptions.trusting(authority.certificate()).unwrap();
        let clock = Arc::new(SimulationClock(Arc::clone(&simulation)));
        let mut settings = settings(url);
        settings["soap"] = json!({ "baseUrl": url, "uploadUrl": tls });
        let (user, identity) = (simulation.xledger().user(), authority.client("webservice"));
        let soap = json!({
            "user": user.name, "password": user.password,
            "certificate": identity.certificate, "privateKey": identity.private_key,
        });
        Self {
            connections: Connections::new(exceptions, clock),
            settings,
            credentials: json!({ "apiToken": simulation.xledger().token(), "soap": soap }),
            simulation,
        }
    }

    /// Has the system be somewhere else.
    pub(crate) fn moved(mut self, url: &str) -> Self {
        self.connections = connections(&self.simulation, url);
        self.settings["graphqlUrl"] = json!(url);
        self
    }

    pub(crate) fn xledger(&self) -> &Xledger {
        self.simulation.xledger()
    }

    pub(crate) fn integration(&self) -> Integration {
        Integration {
            id: "hlf:xledger".parse().unwrap(),
            display_name: "Books".to_owned(),
            state: State::Active,
            direction: Direction::Pull,
            conflict_rules: BTreeMap::new(),
            excluded_groups: Vec::new(),
            delete_guard: DeleteGuard::default(),
            settings: self.settings.clone(),
            integration_system_id: None,
            mapping_version: 1,
            credentials_expire_at: None,
            created_at: self.simulation.now(),
            updated_at: self.simulation.now(),
        }
    }

    fn secret(&self) -> Secret {
        Secret {
            value: self.credentials.to_string().into(),
            version: "1".to_owned(),
        }
    }

    pub(crate) fn books(&self) -> Arc<dyn Books> {
        let books = books(&self.integration(), &self.secret(), &self.connections);
        books.unwrap().unwrap()
    }

    pub(crate) fn ledger(&self) -> Arc<dyn Ledger> {
        self.books().ledger(Route::Graphql).unwrap()
    }

    pub(crate) fn adapter(&self) -> Arc<dyn Adapter> {
        let deadline = self.simulation.now() + SignedDuration::from_mins(10);
        connect(&self.integration(), &self.secret(), &self.connections, deadline).unwrap()
    }

    /// Returns the voucher of a reimbursement with one line for each amount.
    pub(crate) fn voucher(&self, id: &str, amounts: &[&str]) -> Voucher {
        let lines: Vec<_> = amounts.iter().map(|amount| ("travel", *amount)).collect();
        self.voucher_of(id, "2026-02-16T23:30:00Z", &lines)
    }

    pub(crate) fn voucher_of(&self, id: &str, approved_at: &str, lines: &[(&str, &str)]) -> Voucher {
        let reimbursement = reimbursement(id, approved_at, lines);
        let mapping = self.books();
        Voucher::of(
            &organization(),
            &reimbursement,
            Revision::FIRST,
            mapping.mapping(),
        )
        .unwrap()
    }

    /// Sends a voucher that is taken.
    pub(crate) async fn sent(&self, voucher: &Voucher) {
        assert_eq!(self.ledger().send(voucher).await, Sent::Accepted);
    }

    /// Returns what stands under a voucher's reference.
    pub(crate) async fn found(&self, voucher: &Voucher) -> Vec<Entry> {
        self.ledger().find(voucher.reference()).await.unwrap()
    }

    /// Strikes the next call that adds lines.
    pub(crate) fn on_add(&self, fault: Fault) {
        self.simulation
            .inject(FaultRule::once(fault).holding("addGLImportItems"));
    }

    pub(crate) fn misbehave(&self, misbehaviour: Misbehaviour, holding: &str) {
        let rule = FaultRule::once(Fault::Xledger { misbehaviour });
        self.simulation.inject(rule.holding(holding));
    }

    pub(crate) fn requests(&self) -> u64 {
        self.xledger().month().requests
    }
}

pub(crate) fn organization() -> OrganizationId {
    "hlf".parse().unwrap()
}

fn connections(simulation: &Arc<Simulation>, url: &str) -> Connections {
    let clock = Arc::new(SimulationClock(Arc::clone(simulation)));
    Connections::new(url.parse().unwrap(), clock)
}

fn settings(url: &str) -> Value {
    json!({
        "graphqlUrl": url,
        "booking": {
            "entity": "23001", "voucherType": "GL", "counterAccount": "2910", "currencies": ["NOK"],
            "timeZone": "Europe/Oslo", "text": "{expenseType} {reimbursement}",
            "vatCodes": { "none": { "taxRule": "0", "rate": "0" } },
            "defaults": { "vatCode": "none", "dimensions": { "glObject1": { "from": "costCentre" } } },
            "expenseTypes": {
                "travel": { "account": "7140", "dimensions": { "project": { "from": "project" } } },
                "unknown": { "account": "9999" },
            },
        },
    })
}

pub(crate) fn reimbursement(id: &str, approved_at: &str, lines: &[(&str, &str)]) -> Reimbursement {
    let currency = "NOK".parse().unwrap();
    let amounts = lines
        .iter()
        .map(|(_, amount)| shared::model::Money::parse(amount, currency).unwrap());
    let total = shared::model::Money::sum(currency, amounts).unwrap().amount();
    let written: Vec<_> = lines
        .iter()
        .enumerate()
        .map(|(at, (expense_type, amount))| {
            json!({
                "id": at.to_string(), "expenseType": expense_type, "amount": amount, "date": "2026-02-14",
                "text": "Train", "costCentre": "200", "project": "P10",
            })
        })
        .collect();
    let json = json!({
        "claimant": { "kind": "supplier", "code": "50012" }, "currency": "NOK", "total": total,
        "approval": { "at": approved_at, "by": "treasurer" }, "lines": written,
    });
    Reimbursement::from_json(id.parse().unwrap(), &json).unwrap()
}

/// Returns how an entry stands, in a word, and its total.
pub(crate) fn told(entries: &[Entry]) -> Vec<(&'static str, String)> {
    let told = entries.iter().map(|entry| {
        let standing = match &entry.standing {
            Standing::Queued => "queued",
            Standing::Posted => "posted",
            Standing::Rejected(_) => "rejected",
        };
        (standing, entry.total.amount())
    });
    told.collect()
}
