use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::json;

use super::super::change::Pending;
use super::*;
use crate::adapter::{
    Adapter, Capability, Change, ChangeAction, Cursor, Error, ErrorKind, Finding, Found, From,
    KindCapability, Outcome, Pulled, Result, Subscribed, Subscription, Unusable, Usage,
};
use crate::clock::{Clock, ManualClock};
use crate::integration::{DeleteGuard, Direction, Integration, State};
use crate::model::{Fields, IntegrationId, Origin, System};
use crate::store::{Expect, MemoryStore, Store, Write};

const KIND: Kind = Kind::CourseEnrollment;

/// A system that says what its references hold, and nothing else.
#[derive(Debug)]
struct Referring(References);

#[async_trait]
impl Adapter for Referring {
    fn system(&self) -> System {
        System::Cornerstone
    }

    fn capability(&self) -> Capability {
        let of = |kind: &Kind| KindCapability {
            kind: *kind,
            mapped: u64::MAX,
            tracks_changes: true,
            pushes: true,
            references: self.0,
            lag: Duration::ZERO,
        };
        Capability {
            kinds: Kind::ALL.iter().map(of).collect(),
            push_batch: 1,
            find_batch: 1,
            pushes_unread: false,
        }
    }

    fn usable(&self) -> Result<()> {
        Ok(())
    }

    fn take_usage(&self) -> Usage {
        Usage::default()
    }

    async fn probe(&self) -> Vec<Finding> {
        Vec::new()
    }

    async fn pull(&self, kind: Kind, from: &From) -> Result<Pulled> {
        silent().pull(kind, from).await
    }

    async fn acknowledge(&self, _: Kind, _: &Cursor) -> Result<()> {
        Ok(())
    }

    async fn push(&self, kind: Kind, changes: &[Change]) -> Result<Vec<Outcome>> {
        silent().push(kind, changes).await
    }

    async fn find(&self, kind: Kind, ids: &[Box<str>]) -> Result<Vec<Found>> {
        silent().find(kind, ids).await
    }

    async fn subscribe(&self, wanted: &Subscription) -> Result<Subscribed> {
        silent().subscribe(wanted).await
    }

    async fn unsubscribe(&self, name: &str) -> Result<()> {
        silent().unsubscribe(name).await
    }
}

fn silent() -> Unusable {
    Unusable::new(System::Cornerstone, ErrorKind::Unsupported, "says nothing")
}

fn integration() -> Integration {
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    Integration {
        id: "hlf:cornerstone".parse().unwrap(),
        display_name: "Portal".to_owned(),
        integration_system_id: None,
        state: State::Active,
        direction: Direction::Both,
        conflict_rules: BTreeMap::new(),
        excluded_groups: Vec::new(),
        delete_guard: DeleteGuard::default(),
        settings: json!({}),
        mapping_version: 1,
        credentials_expire_at: None,
        created_at: now,
        updated_at: now,
    }
}

/// Keeps a member, linked or not, and live or not.
async fn keep(store: &MemoryStore, id: &str, link: Option<&str>, live: bool) {
    let integration: IntegrationId = integration().id;
    let (now, record) = (jiff::Timestamp::UNIX_EPOCH, id.parse::<RecordId>().unwrap());
    let mut member = Record::new(record.clone(), Fields::new(Kind::Member), now, Origin::Platform);
    let mut writes = Vec::new();
    if let Some(external) = link {
        member.links.insert(integration.system, external.into());
        let link = json!({ "record": id, "base": "", "active": true });
        let link: Link = serde_json::from_value(link).unwrap();
        let key = records::link_key(&integration, Kind::Member, external);
        writes.push(Write::put(
            key,
            Expect::Anything,
            crate::store::Content::of(&link),
        ));
    }
    if !live {
        member = member.tombstone(now, Origin::Platform, None);
    }
    let key = records::record_key(&integration.organization, Kind::Member, &record);
    writes.push(Write::put(key, Expect::Anything, member.content()));
    store.write(writes).await.unwrap();
}

async fn members() -> MemoryStore {
    let store = MemoryStore::new();
    keep(&store, "100234", None, true).await;
    keep(&store, "100235", Some("guid-5"), true).await;
    keep(&store, "100236", None, false).await;
    store
}

fn enrollment(member: &str) -> Fields {
    let fields = json!({ "memberId": member, "courseId": "c" });
    Fields::from_json(KIND, fields.as_object().unwrap()).unwrap()
}

fn row(member: &str) -> ExternalRecord {
    ExternalRecord {
        id: "e".into(),
        etag: None,
        key: None,
        fields: enrollment(member),
        told: u64::MAX,
        modified_at: None,
        ours: false,
        active: true,
    }
}

/// Returns which member each of these references leads to, when it is read.
async fn inward(references: References, texts: &[&str]) -> Vec<Option<String>> {
    let (store, adapter, integration) = (members().await, Referring(references), integration());
    let clock = ManualClock::new(jiff::Timestamp::UNIX_EPOCH);
    let engine = Engine::new(&store, &adapter, &clock as &dyn Clock, &integration);
    let rows: Vec<ExternalRecord> = texts.iter().map(|text| row(text)).collect();
    let found = engine.references(KIND, &rows).await.unwrap();
    let led = texts
        .iter()
        .map(|text| found.get(&(Kind::Member, (*text).into())));
    led.map(|record| record.map(ToString::to_string)).collect()
}

/// Returns what is sent for a reference to this member.
async fn outward(references: References, member: &str) -> std::result::Result<String, Error> {
    let (store, adapter, integration) = (members().await, Referring(references), integration());
    let clock = ManualClock::new(jiff::Timestamp::UNIX_EPOCH);
    let engine = Engine::new(&store, &adapter, &clock as &dyn Clock, &integration);
    let id: RecordId = "e".parse().unwrap();
    let pending = Pending {
        mark: crate::store::Row {
            key: records::pending_key(&integration.id, KIND, &id),
            ..mark(&store).await
        },
        record: Some(Record::new(
            id.clone(),
            enrollment(member),
            jiff::Timestamp::UNIX_EPOCH,
            Origin::Platform,
        )),
        id,
        link: None,
    };
    let capability = adapter.capability();
    let change = engine
        .change(&pending, capability.of(KIND).unwrap())
        .await
        .unwrap()?;
    match change.unwrap().action {
        ChangeAction::Write { fields, .. } => match fields.get("memberId") {
            Some(Value::Text(text)) => Ok(text.to_string()),
            other => panic!("{other:?}"),
        },
        ChangeAction::Remove => panic!("it writes"),
    }
}

/// Any row: what it holds is not looked at.
async fn mark(store: &MemoryStore) -> crate::store::Row {
    let record = "100234".parse().unwrap();
    let key = records::record_key(&integration().id.organization, Kind::Member, &record);
    store.get(&[key]).await.unwrap().remove(0).unwrap()
}

#[tokio::test]
async fn a_reference_by_link_leads_to_the_record_that_is_linked_with_the_row() {
    let found = inward(References::ByLink, &["guid-5", "100234", "100235"]).await;
    assert_eq!(found, [Some("100235".to_owned()), None, None]);
    assert_eq!(outward(References::ByLink, "100235").await.unwrap(), "guid-5");
    let error = outward(References::ByLink, "100234").await.unwrap_err();
    assert_eq!(
        (error.kind(), error.field()),
        (ErrorKind::NotFound, Some("memberId"))
    );
}

#[tokio::test]
async fn a_reference_by_key_leads_to_the_record_of_that_name_if_it_is_live() {
    let found = inward(
        References::ByKey,
        &["100234", "100235", "100236", "100237", "guid-5", "paul abbot@x"],
    )
    .await;
    let [one, other] = ["100234", "100235"].map(|id| Some(id.to_owned()));
    assert_eq!(found, [one, other, None, None, None, None]);
    assert_eq!(outward(References::ByKey, "100234").await.unwrap(), "100234");
    for missing in ["100236", "100237"] {
        let error = outward(References::ByKey, missing).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.field()),
            (ErrorKind::NotFound, Some("memberId"))
        );
    }
}
