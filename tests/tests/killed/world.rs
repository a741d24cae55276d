//! An organization, its Dynamics 365, and the functions between them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use shared::clock::{Clock as _, SystemClock};
use shared::flow::Ports;
use shared::integration::{DeleteGuard, Direction, Integration, Precondition, State, integration_key};
use shared::model::{Fields, IntegrationId, Kind, OrganizationId, Record, RunId};
use shared::oauth;
use shared::queue::MemoryQueue;
use shared::records::{self, Wish};
use shared::store::{Content, DynamoStore, Expect, Store as _, Write};
use shared::sync::{Run, RunState, read_run};
use tests::{Simulation, SimulationConfig};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::cloud::{Blow, Cloud, Order};
use crate::dynamo::Dynamo;
use crate::function::{Function, Outcome};
use crate::kms::KEY;

/// How often time may pass until a run has ended.
const ROUNDS: usize = 6;

/// Until when a row says that it is to be left alone.
const TIMES: [&str; 3] = ["/until", "/asking/until", "/renewAt"];

/// The fields that are compared, as both sides call them.
const MEMBER: [(&str, &str); 4] = [
    ("firstName", "firstname"),
    ("lastName", "lastname"),
    ("email", "emailaddress1"),
    ("city", "address1_city"),
];
const MEMBERSHIP: [(&str, &str); 2] = [("type", "hlf_type"), ("status", "hlf_status")];

pub(crate) struct World {
    dynamo: Dynamo,
    store: Arc<DynamoStore>,
    cloud: Cloud,
    simulation: Simulation,
    orders: mpsc::Receiver<Order>,
    functions: BTreeMap<&'static str, Function>,
    blows: Vec<Blow>,
    deaths: usize,
}

impl World {
    /// Connects an organization whose Dynamics 365 has some contacts, and whose functions will be struck.
    pub(crate) async fn new(contacts: usize, blows: Vec<Blow>) -> Self {
        let config = SimulationConfig {
            contacts,
            ..SimulationConfig::default()
        };
        let (dynamo, simulation) = (Dynamo::start().await, Simulation::start(config).await);
        let (sender, orders) = mpsc::channel(8);
        let credentials =
            json!({ "clientId": simulation.client_id(), "clientSecret": simulation.client_secret() });
        let cloud = Cloud::start(&dynamo.endpoint, &credentials, blows.clone(), sender).await;
        let store = Arc::new(dynamo.store());
        let connected = Write::put(
            integration_key(&id()),
            Expect::Absent,
            Content::of(&integration(&simulation)),
        );
        store.write(vec![connected]).await.unwrap();
        Self {
            dynamo,
            store,
            cloud,
            simulation,
            orders,
            functions: BTreeMap::new(),
            blows,
            deaths: 0,
        }
    }

    pub(crate) fn writes(&self) -> usize {
        self.cloud.writes()
    }

    /// Returns how often a function was killed.
    pub(crate) const fn deaths(&self) -> usize {
        self.deaths
    }

    /// Starts a run and sees it to its end, whoever dies on the way.
    pub(crate) async fn sync(&mut self) {
        let run = self.start().await;
        for _ in 0..ROUNDS {
            self.deliver().await;
            if self.run(&run).await.finished_at.is_some() {
                break;
            }
            self.let_time_pass().await;
        }
        let ended = self.run(&run).await;
        assert_eq!(
            ended.state,
            RunState::Succeeded,
            "{:?}: {ended:#?}\n{}",
            self.blows,
            self.cloud.journal()
        );
        self.let_time_pass().await;
    }

    /// Invokes `trigger-sync` until it names a run: the one that it opened, or the one that it opened before it died.
    async fn start(&mut self) -> RunId {
        let asked = json!({
            "operation": "triggerSync", "organizationId": "hlf", "integrationType": "dynamics365", "mode": "delta",
        });
        loop {
            if let Outcome::Answered(answer) = self.invoke("trigger-sync", &asked).await {
                return run_id(&answer);
            }
        }
    }

    /// Delivers what is on the queue, again where nobody finished it.
    async fn deliver(&mut self) {
        let mut unfinished = Vec::new();
        while let Some(message) = self.cloud.receive() {
            match self.invoke("dynamics365", &batch(&message)).await {
                Outcome::Answered(answer) if failed(&answer) => unfinished.push(message),
                Outcome::Answered(_) => {}
                Outcome::Died => unfinished.push(message),
            }
        }
        for message in unfinished {
            self.cloud.put_back(message);
        }
    }

    /// Has every lease run out and everything be due; then `reconcile` and `token-refresh` look around.
    async fn let_time_pass(&mut self) {
        let client = self.dynamo.client();
        let rows = client
            .scan()
            .table_name("control")
            .send()
            .await
            .unwrap()
            .items
            .unwrap();
        for row in rows.into_iter().filter(|row| row.contains_key("due_at")) {
            let mut body: Value = serde_json::from_str(row["body"].as_s().unwrap()).unwrap();
            for time in TIMES {
                if let Some(until) = body.pointer_mut(time).filter(|until| until.is_string()) {
                    *until = json!("2026-01-01T00:00:00Z");
                }
            }
            let update = client.update_item().table_name("control");
            let update = update
                .key("pk", row["pk"].clone())
                .key("sk", row["sk"].clone())
                .update_expression("SET body = :body, due_at = :due")
                .expression_attribute_values(":body", AttributeValue::S(body.to_string()))
                .expression_attribute_values(":due", AttributeValue::N("0".to_owned()));
            update.send().await.unwrap();
        }
        // A tick that failed is made up for by the next one.
        while let Outcome::Died = self.invoke("reconcile", &json!({})).await {}
        let tick = json!({ "operation": "refreshDueTokens" });
        loop {
            if let Outcome::Answered(answer) = self.invoke("token-refresh", &tick).await {
                assert_eq!(answer["failed"], 0, "{answer}\n{}", self.cloud.journal());
                return;
            }
        }
    }

    async fn invoke(&mut self, name: &'static str, event: &Value) -> Outcome {
        let mut function = match self.functions.remove(name) {
            Some(function) => function,
            None => Function::start(name, &self.variables()).await,
        };
        let outcome = function.invoke(event, &mut self.orders).await;
        match outcome {
            Outcome::Answered(_) => drop(self.functions.insert(name, function)),
            Outcome::Died => self.deaths += 1,
        }
        outcome
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_REGION", "eu-north-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "local".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ("AWS_ENDPOINT_URL", self.cloud.endpoint()),
            ("CONTROL_TABLE", "control".to_owned()),
            ("RECORDS_TABLE", "records".to_owned()),
            ("DYNAMICS365_QUEUE_URL", self.queue("dynamics365")),
            ("XLEDGER_QUEUE_URL", self.queue("xledger")),
            ("CORNERSTONE_QUEUE_URL", self.queue("cornerstone")),
            ("CONSIO_QUEUE_URL", self.queue("consio")),
            ("REST_QUEUE_URL", self.queue("rest")),
            ("SECRET_PREFIX", "test/".to_owned()),
            ("TOKEN_KEY", KEY.to_owned()),
            ("API_URL", "https://api.example".to_owned()),
            ("EVENT_BUS", "bus".to_owned()),
            ("FILES_BUCKET", "files".to_owned()),
            ("SCHEDULE_GROUP", "group".to_owned()),
            ("TICK_TARGET", "arn:function".to_owned()),
            ("TICK_ROLE", "arn:role".to_owned()),
            ("TICK_DEAD_LETTERS", "arn:queue".to_owned()),
            ("OUTBOUND_EXCEPTIONS", self.simulation.base_url().to_owned()),
        ]
    }

    fn queue(&self, system: &str) -> String {
        format!("{}/{system}.fifo", self.cloud.endpoint())
    }

    async fn run(&self, run: &RunId) -> Run {
        read_run(&*self.store, &id(), run).await.unwrap()
    }

    /// Changes, makes and deletes members on both sides.
    pub(crate) async fn change_both_sides(&self) {
        self.simulation.random_edits(6, 11);
        let ports = Ports {
            store: Arc::<DynamoStore>::clone(&self.store),
            queue: Arc::new(MemoryQueue::new(Arc::new(SystemClock))),
            clock: Arc::new(SystemClock),
        };
        let live = self.records(Kind::Member).await;
        let mut changed: Vec<(String, Value)> = live
            .iter()
            .take(3)
            .map(|record| {
                let mut fields = json!(record.fields);
                fields["city"] = json!("Lillehammer");
                (record.id.to_string(), fields)
            })
            .collect();
        changed.push((
            "900001".to_owned(),
            json!({ "firstName": "Ny", "lastName": "Medlem" }),
        ));
        for (member, fields) in changed {
            let fields = Fields::from_json(Kind::Member, fields.as_object().unwrap()).unwrap();
            let wish = Wish {
                id: member.parse().unwrap(),
                fields,
            };
            records::put(&ports, &organization(), &wish, Precondition::None)
                .await
                .unwrap();
        }
        let gone = &live.last().unwrap().id;
        records::delete(&ports, &organization(), Kind::Member, gone, Precondition::None)
            .await
            .unwrap();
    }

    /// Fails unless the token was renewed, and nothing stands in the way of the next one.
    pub(crate) async fn assert_renewed(&self) {
        let row = oauth::read(&*self.store, &id()).await.unwrap().unwrap().row;
        assert!(row.generation > 1, "nobody has renewed the token");
        assert_eq!((row.access.is_some(), row.failure), (true, None));
    }

    /// Fails unless both sides say the same of every record, and of each only once.
    pub(crate) async fn assert_equal(&self) {
        self.assert_equal_in(Kind::Member, "contacts", "contactid", &MEMBER)
            .await;
        self.assert_equal_in(
            Kind::Membership,
            "hlf_memberships",
            "hlf_membershipid",
            &MEMBERSHIP,
        )
        .await;
    }

    async fn assert_equal_in(&self, kind: Kind, set: &str, key: &str, fields: &[(&str, &str)]) {
        let here = self.records(kind).await;
        let here: Vec<(String, Vec<Option<String>>)> =
            here.iter().map(|record| ours(record, fields)).collect();
        let rows = self.simulation.rows(set);
        let in_use = rows.iter().filter(|row| row["statecode"] == 0);
        let there: BTreeMap<String, Vec<Option<String>>> =
            in_use.map(|row| theirs(row, key, fields)).collect();
        let told = || format!("{:?}\n{}", self.blows, self.cloud.journal());
        let once: BTreeMap<_, _> = here.iter().cloned().collect();
        assert_eq!(once.len(), here.len(), "a {kind} is there twice: {}", told());
        assert_eq!(once, there, "the {kind}s differ: {}", told());
    }

    /// Returns the records in use.
    async fn records(&self, kind: Kind) -> Vec<Record> {
        let page = records::list(&*self.store, &organization(), kind, None, 1_000)
            .await
            .unwrap();
        let records = page.records.into_iter().map(|stored| stored.record);
        records
            .filter(|record| record.is_live() && is_active(record))
            .collect()
    }

    /// Fails unless the platform was told of so many runs, of each under one id.
    pub(crate) fn assert_told_of(&self, runs: usize) {
        let events = self.cloud.events();
        let ids: BTreeSet<String> = events.iter().map(|event| event["eventId"].to_string()).collect();
        let sequence: BTreeSet<u64> = events
            .iter()
            .filter_map(|event| event["sequence"].as_u64())
            .collect();
        assert_eq!(
            ids.len(),
            runs,
            "{:?}: {events:#?}\n{}",
            self.blows,
            self.cloud.journal()
        );
        assert_eq!(
            sequence.into_iter().collect::<Vec<_>>(),
            (1..=runs as u64).collect::<Vec<_>>()
        );
    }
}

fn is_active(record: &Record) -> bool {
    json!(record.fields)["active"] != false
}

fn ours(record: &Record, fields: &[(&str, &str)]) -> (String, Vec<Option<String>>) {
    let link = record
        .links
        .values()
        .next()
        .map(ToString::to_string)
        .unwrap_or_default();
    let said = json!(record.fields);
    let value = |name: &str| said[name].as_str().map(str::to_owned);
    (link, fields.iter().map(|(ours, _)| value(ours)).collect())
}

fn theirs(row: &Value, key: &str, fields: &[(&str, &str)]) -> (String, Vec<Option<String>>) {
    let id: Uuid = row[key].as_str().unwrap().parse().unwrap();
    let value = |name: &str| row[name].as_str().map(str::to_owned);
    (
        id.to_string(),
        fields.iter().map(|(_, theirs)| value(theirs)).collect(),
    )
}

fn id() -> IntegrationId {
    "hlf:dynamics365".parse().unwrap()
}

fn organization() -> OrganizationId {
    "hlf".parse().unwrap()
}

/// Reads the run's id out of an answer, or out of the error that says that it is active.
fn run_id(answer: &Value) -> RunId {
    let told = answer["runId"].as_str().map(str::to_owned).or_else(|| {
        let problem: Value = serde_json::from_str(answer["errorMessage"].as_str()?).ok()?;
        problem["runId"].as_str().map(str::to_owned)
    });
    told.unwrap_or_else(|| panic!("no run was named: {answer}"))
        .parse()
        .unwrap()
}

/// Wraps a message up as a queue delivers it.
fn batch(message: &Value) -> Value {
    json!({ "Records": [{
        "messageId": message["MessageDeduplicationId"], "receiptHandle": "handle", "body": message["MessageBody"],
        "attributes": { "ApproximateReceiveCount": "1", "MessageGroupId": message["MessageGroupId"] },
        "messageAttributes": {}, "md5OfBody": "", "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-north-1:123456789012:dynamics365.fifo", "awsRegion": "eu-north-1",
    }] })
}

fn failed(answer: &Value) -> bool {
    answer["errorType"].is_string()
        || answer["batchItemFailures"]
            .as_array()
            .is_some_and(|failed| !failed.is_empty())
}

fn integration(simulation: &Simulation) -> Integration {
    let now = SystemClock.now();
    Integration {
        id: id(),
        display_name: "Portal".to_owned(),
        state: State::Active,
        direction: Direction::Both,
        conflict_rules: BTreeMap::new(),
        excluded_groups: Vec::new(),
        delete_guard: DeleteGuard::default(),
        settings: settings(simulation),
        integration_system_id: None,
        mapping_version: 1,
        credentials_expire_at: None,
        created_at: now,
        updated_at: now,
    }
}

fn settings(simulation: &Simulation) -> Value {
    let columns = |fields: &[(&str, &str)]| -> Value { fields.iter().copied().collect() };
    let mut memberships = columns(&MEMBERSHIP);
    memberships["memberId"] =
        json!({ "lookup": "_hlf_contact_value", "bind": "hlf_Contact", "entitySet": "contacts" });
    json!({
        "baseUrl": simulation.base_url(), "authorityUrl": simulation.base_url(), "tenant": simulation.tenant(),
        "pageSize": 10,
        "members": {
            "entitySet": "contacts", "logicalName": "contact", "primaryKey": "contactid",
            "alternateKey": "hlf_memberno", "fields": columns(&MEMBER),
        },
        "memberships": {
            "entitySet": "hlf_memberships", "logicalName": "hlf_membership", "primaryKey": "hlf_membershipid",
            "alternateKey": "hlf_number", "fields": memberships,
        },
    })
}
