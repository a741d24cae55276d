//! A simulated Xledger, and a ledger that speaks to it.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use shared::adapters::xledger::soap::{SoapAccount, SoapLedger, SoapSession};
use shared::clock::SystemClock;
use shared::export::{Reference, Voucher};
use shared::http::{Exceptions, Http};
use tests::dataverse::faults::{Fault, FaultRule};
use tests::xledger::User;
use tests::xledger::tls::Identity;
use tests::{Simulation, SimulationConfig};

pub(crate) const LOGON: &str = "Authentication.asmx";
pub(crate) const UPLOAD: &str = "FileUpload.asmx";

/// Nothing that anybody reads may hold it.
pub(crate) const CANARY: &str = "canary<&>\"password'";
pub(crate) const USER: &str = "canary-user@forbundet.example";

/// A simulated Xledger, whose uploads want a certificate, and what an organization has given for it.
pub(crate) struct Bench {
    pub(crate) simulation: Simulation,
    /// The address that may be called.
    pub(crate) url: String,
    pub(crate) settings: Value,
    pub(crate) password: SecretString,
    pub(crate) identity: Option<Identity>,
    pub(crate) session: Arc<SoapSession>,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        let simulation = Simulation::start(SimulationConfig {
            tls: true,
            ..SimulationConfig::default()
        })
        .await;
        simulation.xledger().add_user(User {
            name: USER.to_owned(),
            password: CANARY.to_owned(),
            entities: vec!["23001".to_owned()],
        });
        let identity = simulation.authority().unwrap().client("webservice");
        let url = simulation.tls_url().unwrap().to_owned();
        Self {
            settings: json!({ "baseUrl": url }),
            url,
            simulation,
            password: CANARY.to_owned().into(),
            identity: Some(identity),
            session: Arc::default(),
        }
    }

    /// Returns a ledger with what is given now; all of them have the same key.
    pub(crate) fn ledger(&self) -> SoapLedger {
        let authority = self.simulation.authority().unwrap();
        let list = format!("{},http://127.0.0.1:9", self.url);
        let exceptions: Exceptions = list.parse().unwrap();
        let exceptions = exceptions.trusting(authority.certificate()).unwrap();
        let mut credentials = json!({ "user": USER, "password": self.password.expose_secret() });
        if let Some(identity) = &self.identity {
            credentials["certificate"] = identity.certificate.as_str().into();
            credentials["privateKey"] = identity.private_key.as_str().into();
        }
        let account = SoapAccount::read(&self.settings, &credentials, &exceptions).unwrap();
        let http = Http::new(exceptions);
        SoapLedger::new(account, Arc::clone(&self.session), &http, Arc::new(SystemClock))
    }

    /// Lets the next upload go wrong.
    pub(crate) fn upload_fails(&self, fault: Fault) {
        self.simulation.inject(FaultRule::once(fault).at(UPLOAD));
    }

    /// Lets the next request for a key go wrong.
    pub(crate) fn logon_fails(&self, fault: Fault) {
        self.simulation.inject(FaultRule::once(fault).at(LOGON));
    }

    /// Returns how many lines Xledger was given and has not posted.
    pub(crate) fn queued(&self) -> usize {
        self.simulation.xledger().queue().len()
    }
}

pub(crate) fn reference(id: u32) -> Reference {
    let organization = "hlf".parse().unwrap();
    let reimbursement = id.to_string().parse().unwrap();
    Reference::of(&organization, &reimbursement, shared::export::Revision::FIRST)
}

pub(crate) fn voucher_json(id: u32, amount: &str) -> Value {
    let reference = reference(id);
    json!({
        "reference": reference, "number": reference.number(0), "entity": "23001", "voucherType": "GL",
        "date": "2026-02-17", "lines": [
            {
                "account": "7140", "amount": format!("{amount} NOK"), "text": format!("Reise <{id}> & \"sånt\""),
                "dimensions": { "glObject1": "200" },
            },
            { "account": "2910", "amount": format!("-{amount} NOK"), "text": format!("Skyldig {id}") },
        ],
    })
}

pub(crate) fn voucher(id: u32, amount: &str) -> Voucher {
    serde_json::from_value(voucher_json(id, amount)).unwrap()
}
