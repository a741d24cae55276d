//! The registry over both implementations of the tables.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use shared::clock::ManualClock;
use shared::keys::{KeyError, Keys, PublicKey, Sealed, Sealer, Signature};
use shared::registry::{
    Client, ClientSecret, Credential, CredentialRequest, GrantError, Input, IntegrationSystem, Issued,
    Issuer, IssuerError, MAX_CREDENTIALS, Managed, Presented, Registry, RegistryError, Scope, Scopes, Tokens,
    admit, delete_credential, find_credential, find_system, grant, held_by, introspect, issue_credential,
    list_systems, mend, note_reading, register, revoke, unregister, update,
};
use shared::store::{
    Content, Due, Expect, Key, MemoryStore, Page, Query, Row, Store, StoreError, Table, Write,
};
use uuid::Uuid;

use crate::dynamo::Dynamo;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const BY: &str = "administrator";

/// A registry, with the tokens of the issuer that is built in, and its clock.
struct World {
    registry: Registry,
    tokens: Arc<Tokens>,
    clock: Arc<ManualClock>,
}

impl World {
    fn on(store: Arc<dyn Store>) -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        let (registry, tokens) = Registry::on(store, Arc::<ManualClock>::clone(&clock));
        Self {
            registry,
            tokens,
            clock,
        }
    }

    fn store(&self) -> &dyn Store {
        &*self.registry.store
    }

    async fn registered(&self, name: &str) -> IntegrationSystem {
        register(&self.registry, input(name), BY).await.unwrap()
    }

    async fn issued(&self, system: Uuid) -> Issued {
        issue_credential(&self.registry, asked(system)).await.unwrap()
    }

    async fn credentials(&self, system: Uuid) -> Vec<Credential> {
        let Some(system) = find_system(self.store(), system).await.unwrap() else {
            return Vec::new();
        };
        let held = held_by(self.store(), &[system]).await.unwrap();
        held.into_values().map(|held| held.unwrap().credential).collect()
    }

    async fn credential_ids(&self, system: Uuid) -> BTreeSet<Uuid> {
        let credentials = self.credentials(system).await;
        credentials.into_iter().map(|kept| kept.id).collect()
    }

    async fn manage(&self, system: Uuid) -> Result<(), RegistryError> {
        let integration = "hlf:dynamics365".parse().unwrap();
        let managed = Managed::pass(self.store(), &integration, (None, Some(system))).await?;
        Ok(self.store().write(managed.writes()).await?)
    }

    /// Returns what the audit says of a system, in order.
    async fn audit(&self, system: Uuid) -> Vec<String> {
        let query = Query::new(Table::Registry, format!("audit#{system}"), "", 100);
        let rows = self.store().query(&query).await.unwrap().rows;
        let entries = rows.iter().map(|row| row.decode::<serde_json::Value>().unwrap());
        entries
            .map(|entry| format!("{} {}", entry["by"], entry["did"]).replace('"', ""))
            .collect()
    }

    async fn unfinished(&self) -> usize {
        let query = Query::new(Table::Registry, "unfinished", "", 100);
        self.store().query(&query).await.unwrap().rows.len()
    }
}

fn input(name: &str) -> Input {
    Input {
        name: name.to_owned(),
        description: None,
    }
}

fn asked(system: Uuid) -> CredentialRequest {
    CredentialRequest {
        system,
        scopes: Scopes::integration_system(),
        organizations: None,
        expires_at: None,
        by: BY.to_owned(),
    }
}

/// Tables under a process that dies at one of its writes, before or after it is made.
#[derive(Debug)]
struct Dying {
    store: Arc<dyn Store>,
    left: AtomicI64,
    after: bool,
    dead: Arc<AtomicBool>,
}

impl Dying {
    fn dead() -> StoreError {
        StoreError::Unavailable("the process died".into())
    }
}

#[async_trait]
impl Store for Dying {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.store.get(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        self.store.query(query).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        if left > 1 {
            return self.store.write(writes).await;
        }
        self.dead.store(true, Ordering::SeqCst);
        if left == 1 && self.after {
            self.store.write(writes).await?;
        }
        Err(Self::dead())
    }

    async fn due(&self, list: Due, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError> {
        self.store.due(list, now, limit).await
    }
}

/// Clients that somebody else keeps, in memory: they are made and deleted, and every call may be the last of a process.
#[derive(Debug, Default)]
struct Elsewhere {
    clients: std::sync::Mutex<Vec<(Uuid, Uuid)>>,
    fails: AtomicI64,
    dead: Arc<AtomicBool>,
}

impl Elsewhere {
    fn step(&self) -> Result<(), IssuerError> {
        let fails = self.fails.fetch_sub(1, Ordering::SeqCst) == 1;
        if fails || self.dead.load(Ordering::SeqCst) {
            return Err(IssuerError::Answered {
                status: 503,
                what: "no more",
            });
        }
        Ok(())
    }

    fn live(&self) -> BTreeSet<Uuid> {
        self.clients
            .lock()
            .unwrap()
            .iter()
            .map(|(client, _)| *client)
            .collect()
    }
}

#[async_trait]
impl Issuer for Elsewhere {
    async fn create(&self, intent: Uuid, secret: ClientSecret, _: &Scopes) -> Result<Client, IssuerError> {
        self.step()?;
        let id = Uuid::new_v4();
        self.clients.lock().unwrap().push((id, intent));
        self.step()?;
        Ok(Client { id, secret })
    }

    async fn made_for(&self, intent: Uuid) -> Result<Vec<Uuid>, IssuerError> {
        self.step()?;
        let clients = self.clients.lock().unwrap();
        let made = clients.iter().filter(|(_, owner)| *owner == intent);
        Ok(made.map(|(client, _)| *client).collect())
    }

    async fn delete(&self, client: Uuid) -> Result<(), IssuerError> {
        self.step()?;
        self.clients.lock().unwrap().retain(|(known, _)| *known != client);
        self.step()
    }

    async fn inspect(&self, _: &str, _: Timestamp) -> Result<Option<Presented>, IssuerError> {
        Ok(None)
    }

    fn token_url(&self) -> String {
        "https://elsewhere.example/oauth2/token".to_owned()
    }
}

/// Runs a test on the tables in memory and on DynamoDB.
macro_rules! on_both {
    ($(#[doc = $doc:literal])? $name:ident, $world:ident, $body:block) => {
        $(#[doc = $doc])?
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let dynamo = Dynamo::start().await;
            let stores: [Arc<dyn Store>; 2] = [Arc::new(MemoryStore::new()), Arc::new(dynamo.store())];
            for store in stores {
                let $world = World::on(store);
                $body
            }
        }
    };
}

on_both!(
    of_a_hundred_registrations_of_one_name_at_once_one_succeeds,
    world,
    {
        let tries = (0..100).map(|_| {
            let registry = world.registry.clone();
            tokio::spawn(async move { register(&registry, input("one"), BY).await })
        });
        let mut won = 0;
        for tried in futures::future::join_all(tries).await {
            match tried.unwrap() {
                Ok(_) => won += 1,
                Err(error) => assert!(matches!(error, RegistryError::NotUnique), "{error}"),
            }
        }
        assert_eq!(won, 1);
        assert_eq!(list_systems(world.store(), 100, 0).await.unwrap().total, 1);
    }
);

on_both!(
    a_name_that_was_given_up_is_free_and_one_that_is_taken_is_not,
    world,
    {
        let (one, two) = (world.registered("one").await, world.registered("two").await);
        let renamed = async |id: Uuid, input: Input| update(&world.registry, id, input, BY).await;
        let taken = renamed(two.id, input("one")).await;
        assert!(matches!(taken, Err(RegistryError::NotUnique)));
        let described = Input {
            name: "uno".to_owned(),
            description: Some("first".to_owned()),
        };
        renamed(one.id, described).await.unwrap();
        assert_eq!(renamed(two.id, input("one")).await.unwrap().name, "one");
        let one = renamed(one.id, input("uno")).await.unwrap();
        assert_eq!(one.description, None);
        let unknown = renamed(Uuid::new_v4(), input("x")).await;
        assert!(matches!(unknown, Err(RegistryError::UnknownSystem)));
        let invalid = register(&world.registry, input("A"), BY).await;
        assert!(matches!(invalid, Err(RegistryError::Invalid(faults)) if faults.len() == 1));
    }
);

on_both!(systems_are_listed_by_their_ids_from_any_position_on, world, {
    let mut ids = Vec::new();
    for number in 0..7 {
        ids.push(world.registered(&format!("s{number}")).await.id);
    }
    ids.sort_unstable();
    for (first, offset) in [(7, 0), (3, 0), (3, 3), (3, 6), (3, 7), (3, 100)] {
        let page = list_systems(world.store(), first, offset).await.unwrap();
        let expected: Vec<Uuid> = ids.iter().copied().skip(offset).take(first).collect();
        let listed: Vec<Uuid> = page.systems.iter().map(|system| system.id).collect();
        assert_eq!((listed, page.total), (expected, 7), "{first} after {offset}");
    }
});

on_both!(
    several_credentials_live_side_by_side_and_each_ends_alone,
    world,
    {
        let keys = &*world.registry.keys;
        let system = world.registered("one").await;
        let (first, second) = (world.issued(system.id).await, world.issued(system.id).await);
        for issued in [&first, &second] {
            let kept = find_credential(world.store(), issued.credential.id)
                .await
                .unwrap()
                .unwrap();
            assert_eq!(kept, issued.credential);
            assert!(kept.verifier.is_of(&issued.secret));
            assert_eq!(kept.secret(keys).await.unwrap().expose(), issued.secret.expose());
        }
        assert!(!first.credential.verifier.is_of(&second.secret));
        let gone = first.credential.id;
        delete_credential(&world.registry, gone, BY).await.unwrap();
        assert_eq!(find_credential(world.store(), gone).await.unwrap(), None);
        assert_eq!(world.credentials(system.id).await, [second.credential]);
        let again = delete_credential(&world.registry, gone, BY).await;
        assert!(matches!(again, Err(RegistryError::UnknownCredential)));
        assert_eq!(world.unfinished().await, 0);
    }
);

on_both!(credentials_that_are_issued_at_once_are_all_there, world, {
    let system = world.registered("one").await;
    let tries = (0..10).map(|_| {
        let registry = world.registry.clone();
        tokio::spawn(async move { issue_credential(&registry, asked(system.id)).await.unwrap() })
    });
    let issued = futures::future::join_all(tries).await;
    let issued: BTreeSet<Uuid> = issued
        .into_iter()
        .map(|issued| issued.unwrap().credential.id)
        .collect();
    let kept = world.credential_ids(system.id).await;
    assert_eq!((issued.len(), kept), (10, issued));
    assert_eq!(world.unfinished().await, 0);
});

on_both!(a_system_has_no_more_credentials_than_can_be_shown, world, {
    let system = world.registered("one").await;
    for _ in 0..MAX_CREDENTIALS {
        world.issued(system.id).await;
    }
    let refused = issue_credential(&world.registry, asked(system.id)).await;
    assert!(matches!(refused, Err(RegistryError::TooMany)));
    assert_eq!(world.credentials(system.id).await.len(), MAX_CREDENTIALS);
});

on_both!(no_row_holds_a_secret_that_the_key_has_not_sealed, world, {
    let keys = &*world.registry.keys;
    let system = world.registered("one").await;
    let issued = world.issued(system.id).await;
    let row = serde_json::to_string(&issued.credential).unwrap();
    assert!(!row.contains(issued.secret.expose()));
    assert!(!format!("{issued:?}").contains(issued.secret.expose()));
    let mut moved = issued.credential.clone();
    moved.id = Uuid::new_v4();
    assert!(moved.secret(keys).await.is_err());
    let id = issued.credential.id.to_string();
    assert!(keys.open(&id, &moved.sealed).await.is_ok());
});

on_both!(
    a_system_that_manages_an_integration_stays_with_all_its_credentials,
    world,
    {
        let system = world.registered("one").await;
        let issued = world.issued(system.id).await;
        world.manage(system.id).await.unwrap();
        let refused = unregister(&world.registry, system.id, BY).await;
        assert!(matches!(refused, Err(RegistryError::Manages)));
        let stays = find_system(world.store(), system.id).await.unwrap().unwrap();
        assert!(!stays.leaving);
        assert_eq!(world.credentials(system.id).await, [issued.credential]);
        world.issued(system.id).await;
    }
);

on_both!(an_unregistered_system_leaves_nothing_behind, world, {
    let system = world.registered("one").await;
    let mut credentials = Vec::new();
    for _ in 0..3 {
        credentials.push(world.issued(system.id).await.credential.id);
    }
    unregister(&world.registry, system.id, BY).await.unwrap();
    for id in credentials {
        assert_eq!(find_credential(world.store(), id).await.unwrap(), None);
    }
    assert_eq!(list_systems(world.store(), 10, 0).await.unwrap().total, 0);
    let late = issue_credential(&world.registry, asked(system.id)).await;
    assert!(matches!(late, Err(RegistryError::UnknownSystem)));
    assert!(matches!(
        world.manage(system.id).await,
        Err(RegistryError::UnknownSystem)
    ));
    let again = unregister(&world.registry, system.id, BY).await;
    assert!(matches!(again, Err(RegistryError::UnknownSystem)));
    assert_eq!(world.unfinished().await, 0);
    world.registered("one").await;
});

on_both!(
    everything_that_is_changed_and_every_secret_that_is_read_is_kept,
    world,
    {
        let system = world.registered("one").await;
        update(&world.registry, system.id, input("two"), "bob")
            .await
            .unwrap();
        let issued = world.issued(system.id).await;
        let shown = find_system(world.store(), system.id).await.unwrap().unwrap();
        note_reading(
            &world.registry,
            &[(shown.id, shown.credentials.into_iter().collect())],
            "alice",
        )
        .await
        .unwrap();
        delete_credential(&world.registry, issued.credential.id, BY)
            .await
            .unwrap();
        unregister(&world.registry, system.id, BY).await.unwrap();
        let mut told = world.audit(system.id).await;
        told.sort();
        assert_eq!(
            told,
            [
                "administrator delete_credential",
                "administrator issue_credential",
                "administrator register",
                "administrator unregister",
                "alice read_secrets",
                "bob update",
            ]
        );
    }
);

on_both!(
    a_client_gets_a_token_for_what_it_was_given_and_for_no_more,
    world,
    {
        let (store, tokens) = (world.store(), &*world.tokens);
        let system = world.registered("one").await;
        let issued = world.issued(system.id).await;
        let client = issued.credential.id.to_string();
        let granted = async |secret: &ClientSecret, scope: &str| {
            grant(store, tokens, (&client, secret), scope, NOW).await
        };
        let token = granted(&issued.secret, "sync:trigger record:read sync:trigger")
            .await
            .unwrap();
        let issuer = &*world.registry.issuer;
        let admitted = admit(store, issuer, token.token.expose_secret(), NOW)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (admitted.client, admitted.system),
            (issued.credential.id, system.id)
        );
        assert!(admitted.scopes.allow(Scope::SyncTrigger) && !admitted.scopes.allow(Scope::RecordWrite));
        let nothing = granted(&issued.secret, "").await.unwrap();
        assert_eq!(nothing.scopes, Scopes::default());
        for scope in [
            "integration_system:write",
            "sync:trigger everything",
            "everything",
        ] {
            let refused = granted(&issued.secret, scope).await;
            assert!(matches!(refused, Err(GrantError::InvalidScope)), "{scope}");
        }
        let inherited = granted(&issued.secret, "application:read integration_system.auths:read").await;
        assert_eq!(inherited.unwrap().scopes, Scopes::default());
        for secret in ["", "xis_", issued.secret.expose().trim_start_matches('x')] {
            let refused = granted(&ClientSecret::known(secret), "").await;
            assert!(matches!(refused, Err(GrantError::InvalidClient)), "{secret}");
        }
        for other in [
            "",
            "administrator",
            &Uuid::nil().to_string(),
            &Uuid::new_v4().to_string(),
        ] {
            for secret in [&issued.secret, &ClientSecret::known("")] {
                let refused = grant(store, tokens, (other, secret), "", NOW).await;
                assert!(matches!(refused, Err(GrantError::InvalidClient)), "{other}");
            }
        }
    }
);

on_both!(a_token_ends_at_once_with_its_credential_and_its_system, world, {
    let (store, tokens, issuer) = (world.store(), &*world.tokens, &*world.registry.issuer);
    let system = world.registered("one").await;
    let end = Timestamp::from_second(60).unwrap();
    let mut got = Vec::new();
    for expires_at in [None, None, Some(end)] {
        let request = CredentialRequest {
            expires_at,
            ..asked(system.id)
        };
        let issued = issue_credential(&world.registry, request).await.unwrap();
        let client = issued.credential.id.to_string();
        let token = grant(store, tokens, (&client, &issued.secret), "sync:trigger", NOW)
            .await
            .unwrap();
        got.push((issued, token.token));
    }
    let admitted = async |number: usize, at: Timestamp| {
        let token = got[number].1.expose_secret();
        admit(store, issuer, token, at).await.unwrap().is_some()
    };
    assert!(admitted(0, NOW).await && admitted(1, NOW).await && admitted(2, NOW).await);
    assert!(!admitted(2, end).await);
    let late = grant(
        store,
        tokens,
        (&got[2].0.credential.id.to_string(), &got[2].0.secret),
        "",
        end,
    )
    .await;
    assert!(matches!(late, Err(GrantError::InvalidClient)));
    delete_credential(&world.registry, got[0].0.credential.id, BY)
        .await
        .unwrap();
    assert!(!admitted(0, NOW).await && admitted(1, NOW).await);
    unregister(&world.registry, system.id, BY).await.unwrap();
    assert!(!admitted(1, NOW).await);
});

on_both!(
    a_client_asks_about_and_ends_its_own_tokens_and_nobody_elses,
    world,
    {
        let (store, tokens, issuer) = (world.store(), &*world.tokens, &*world.registry.issuer);
        let system = world.registered("one").await;
        let (own, other) = (world.issued(system.id).await, world.issued(system.id).await);
        let client = own.credential.id.to_string();
        let granted = grant(store, tokens, (&client, &own.secret), "sync:trigger", NOW)
            .await
            .unwrap();
        let token = granted.token.expose_secret();
        let told = async |asks: &Credential, token: &str, at: Timestamp| {
            introspect(store, tokens, asks, token, at).await.unwrap()
        };
        let active = told(&own.credential, token, NOW).await;
        assert_eq!(
            (&active["active"], &active["client_id"]),
            (&true.into(), &client.clone().into())
        );
        assert_eq!(active["scope"], "sync:trigger");
        let expired = NOW + Duration::from_secs(15 * 60);
        for inactive in [
            told(&other.credential, token, NOW).await,
            told(&own.credential, "garbage", NOW).await,
            told(&own.credential, token, expired).await,
        ] {
            assert_eq!(inactive, serde_json::json!({ "active": false }));
        }
        revoke(store, tokens, &other.credential, token, NOW)
            .await
            .unwrap();
        assert!(admit(store, issuer, token, NOW).await.unwrap().is_some());
        for _ in 0..2 {
            revoke(store, tokens, &own.credential, token, NOW).await.unwrap();
            assert!(admit(store, issuer, token, NOW).await.unwrap().is_none());
            assert_eq!(told(&own.credential, token, NOW).await["active"], false);
        }
    }
);

on_both!(the_last_use_of_a_credential_is_known_to_within_an_hour, world, {
    let (store, tokens, issuer) = (world.store(), &*world.tokens, &*world.registry.issuer);
    let system = world.registered("one").await;
    let issued = world.issued(system.id).await;
    let client = issued.credential.id.to_string();
    let used = async || {
        let system = find_system(store, system.id).await.unwrap().unwrap();
        let mut held = held_by(store, &[system]).await.unwrap();
        held.remove(&issued.credential.id).unwrap().unwrap().last_used_at
    };
    assert_eq!(used().await, None);
    for (minutes, noted) in [(0, 0), (10, 0), (59, 0), (60, 60), (100, 60)] {
        let now = NOW + Duration::from_secs(minutes * 60);
        let token = grant(store, tokens, (&client, &issued.secret), "", now)
            .await
            .unwrap()
            .token;
        admit(store, issuer, token.expose_secret(), now)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            used().await,
            Some(NOW + Duration::from_secs(noted * 60)),
            "{minutes}"
        );
    }
});

/// Does something in a process that dies at its `nth` write, before or after that is made.
async fn dying<T, E>(
    world: &World,
    (nth, after): (i64, bool),
    dead: &Arc<AtomicBool>,
    act: impl AsyncFn(Registry) -> Result<T, E>,
) -> bool {
    let dying = Dying {
        store: Arc::clone(&world.registry.store),
        left: AtomicI64::new(nth),
        after,
        dead: Arc::clone(dead),
    };
    let registry = Registry {
        store: Arc::new(dying),
        ..world.registry.clone()
    };
    let failed = act(registry).await.is_err();
    dead.store(false, Ordering::SeqCst);
    failed
}

on_both!(
    an_unregistering_that_died_at_any_write_is_finished_by_asking_again,
    world,
    {
        let mut deaths = 0;
        for (write, after) in (1..).flat_map(|write| [(write, false), (write, true)]) {
            let system = world.registered("one").await;
            for _ in 0..2 {
                world.issued(system.id).await;
            }
            let id = system.id;
            if !dying(&world, (write, after), &Arc::default(), async |registry| {
                unregister(&registry, id, BY).await
            })
            .await
            {
                break;
            }
            deaths += 1;
            let left = find_system(world.store(), id).await.unwrap();
            if left.as_ref().is_some_and(|system| system.leaving) {
                // One that is leaving is not renamed: its name would be left behind.
                let renamed = update(&world.registry, id, input("two"), BY).await;
                assert!(matches!(renamed, Err(RegistryError::Leaving)), "{write} {after}");
            }
            if left.is_some() {
                unregister(&world.registry, id, BY).await.unwrap();
            }
            assert_eq!(list_systems(world.store(), 10, 0).await.unwrap().total, 0);
            assert_eq!(world.unfinished().await, 0);
        }
        assert_eq!(deaths, 12);
        world.registered("two").await;
    }
);

on_both!(
    a_deletion_that_died_at_any_write_opens_nothing_and_is_finished_by_the_clock,
    world,
    {
        let system = world.registered("one").await;
        let mut deaths = 0;
        for (write, after) in (1..).flat_map(|write| [(write, false), (write, true)]) {
            let id = world.issued(system.id).await.credential.id;
            if !dying(&world, (write, after), &Arc::default(), async |registry| {
                delete_credential(&registry, id, BY).await
            })
            .await
            {
                break;
            }
            deaths += 1;
            let kept = find_credential(world.store(), id).await.unwrap();
            let begun = (write, after) != (1, false);
            assert!(
                !begun || kept.is_none_or(|kept| !kept.is_live(NOW)),
                "{write} {after}"
            );
            assert_eq!(
                mend(&world.registry).await.unwrap(),
                0,
                "somebody may still be at work"
            );
            world.clock.advance(Duration::from_secs(180));
            mend(&world.registry).await.unwrap();
            if !begun {
                delete_credential(&world.registry, id, BY).await.unwrap();
            }
            assert_eq!(world.credentials(system.id).await, []);
            assert_eq!(world.unfinished().await, 0);
        }
        assert_eq!(deaths, 4);
    }
);

on_both!(
    no_crash_leaves_a_client_that_nobody_owns_or_a_credential_that_nobody_knows,
    world,
    {
        let system = world.registered("one").await;
        let mut deaths = 0;
        // A process that dies can no more take anything back.
        for (write, after) in (1..).flat_map(|write| [(write, false), (write, true)]) {
            let issuer = Arc::new(Elsewhere::default());
            let elsewhere = World {
                registry: Registry {
                    issuer: Arc::<Elsewhere>::clone(&issuer),
                    ..world.registry.clone()
                },
                tokens: Arc::clone(&world.tokens),
                clock: Arc::clone(&world.clock),
            };
            let died = dying(&elsewhere, (write, after), &issuer.dead, async |registry| {
                issue_credential(&registry, asked(system.id)).await
            })
            .await;
            elsewhere.clock.advance(Duration::from_secs(180));
            mend(&elsewhere.registry).await.unwrap();
            let known = elsewhere.credential_ids(system.id).await;
            assert_eq!(issuer.live(), known, "{write} {after}");
            assert_eq!(elsewhere.unfinished().await, 0);
            for id in known {
                delete_credential(&elsewhere.registry, id, BY).await.unwrap();
            }
            assert_eq!(issuer.live(), BTreeSet::new());
            if !died {
                break;
            }
            deaths += 1;
        }
        assert_eq!(deaths, 4);
    }
);

on_both!(
    a_client_that_was_not_deleted_elsewhere_is_deleted_by_asking_again,
    world,
    {
        let system = world.registered("one").await;
        let issuer = Arc::new(Elsewhere::default());
        let registry = Registry {
            issuer: Arc::<Elsewhere>::clone(&issuer),
            ..world.registry.clone()
        };
        for step in [1, 2] {
            let id = issue_credential(&registry, asked(system.id))
                .await
                .unwrap()
                .credential
                .id;
            issuer.fails.store(step, Ordering::SeqCst);
            assert!(delete_credential(&registry, id, BY).await.is_err());
            let kept = find_credential(world.store(), id).await.unwrap().unwrap();
            assert!(!kept.is_live(NOW));
            delete_credential(&registry, id, BY).await.unwrap();
            assert_eq!(issuer.live(), BTreeSet::new());
        }
        let id = issue_credential(&registry, asked(system.id))
            .await
            .unwrap()
            .credential
            .id;
        issuer.fails.store(1, Ordering::SeqCst);
        assert!(unregister(&registry, system.id, BY).await.is_err());
        assert!(find_credential(world.store(), id).await.unwrap().is_some());
        unregister(&registry, system.id, BY).await.unwrap();
        assert_eq!(issuer.live(), BTreeSet::new());
    }
);

/// Tables that make a write whose answer is lost.
#[derive(Debug)]
struct Losing {
    store: Arc<dyn Store>,
    left: AtomicI64,
}

#[async_trait]
impl Store for Losing {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.store.get(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        self.store.query(query).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        self.store.write(writes).await?;
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            return Err(Dying::dead());
        }
        Ok(())
    }

    async fn due(&self, list: Due, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError> {
        self.store.due(list, now, limit).await
    }
}

on_both!(
    a_credential_whose_keeping_was_not_answered_keeps_its_client,
    world,
    {
        let system = world.registered("one").await;
        let issuer = Arc::new(Elsewhere::default());
        for nth in [1, 2] {
            let registry = Registry {
                issuer: Arc::<Elsewhere>::clone(&issuer),
                store: Arc::new(Losing {
                    store: Arc::clone(&world.registry.store),
                    left: AtomicI64::new(nth),
                }),
                ..world.registry.clone()
            };
            assert!(issue_credential(&registry, asked(system.id)).await.is_err());
            world.clock.advance(Duration::from_secs(180));
            mend(&registry).await.unwrap();
            let known = world.credential_ids(system.id).await;
            assert_eq!(
                (issuer.live(), known.len()),
                (known.clone(), usize::from(nth == 2))
            );
            assert_eq!(world.unfinished().await, 0);
        }
    }
);

on_both!(a_credential_whose_secret_cannot_be_sealed_is_not_issued, world, {
    let system = world.registered("one").await;
    let issuer = Arc::new(Elsewhere::default());
    let registry = Registry {
        issuer: Arc::<Elsewhere>::clone(&issuer),
        keys: Arc::new(Dead),
        ..world.registry.clone()
    };
    let refused = issue_credential(&registry, asked(system.id)).await;
    assert!(matches!(refused, Err(RegistryError::Key(_))));
    assert_eq!((issuer.live(), world.unfinished().await), (BTreeSet::new(), 0));
    assert_eq!(world.credentials(system.id).await, []);
});

/// Keys that are disabled.
#[derive(Debug)]
struct Dead;

fn disabled() -> KeyError {
    KeyError::Denied("it is disabled".into())
}

#[async_trait]
impl Keys for Dead {
    async fn sign(&self, _: &[u8]) -> Result<Signature, KeyError> {
        Err(disabled())
    }

    async fn public(&self) -> Result<Vec<PublicKey>, KeyError> {
        Err(disabled())
    }

    async fn seal(&self, _: &str, _: &SecretString) -> Result<Sealed, KeyError> {
        Err(disabled())
    }

    async fn sealer(&self, _: &str) -> Result<Sealer, KeyError> {
        Err(disabled())
    }

    async fn open(&self, _: &str, _: &Sealed) -> Result<SecretString, KeyError> {
        Err(disabled())
    }
}

on_both!(one_that_cannot_be_mended_keeps_no_other_waiting, world, {
    let system = world.registered("one").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let id = world.issued(system.id).await.credential.id;
        // Its process died right after the first step.
        dying(&world, (1, true), &Arc::default(), async |registry| {
            delete_credential(&registry, id, BY).await
        })
        .await;
        ids.push(id);
    }
    ids.sort_unstable();
    let poison = Key::new(Table::Registry, format!("credential#{}", ids[0]), "credential");
    let garbage = Content::of(&serde_json::json!({}));
    world
        .store()
        .write(vec![Write::put(poison, Expect::Anything, garbage)])
        .await
        .unwrap();
    world.clock.advance(Duration::from_secs(180));
    assert!(mend(&world.registry).await.is_err());
    assert_eq!(world.unfinished().await, 1);
});

on_both!(a_system_that_is_half_way_gone_says_so, world, {
    let system = world.registered("one").await;
    world.issued(system.id).await;
    dying(&world, (1, true), &Arc::default(), async |registry| {
        unregister(&registry, system.id, BY).await
    })
    .await;
    let renamed = update(&world.registry, system.id, input("two"), BY).await;
    assert!(matches!(renamed, Err(RegistryError::Leaving)));
    let issued = issue_credential(&world.registry, asked(system.id)).await;
    assert!(matches!(issued, Err(RegistryError::Leaving)));
    assert!(matches!(
        world.manage(system.id).await,
        Err(RegistryError::Leaving)
    ));
    unregister(&world.registry, system.id, BY).await.unwrap();
});

on_both!(
    /// Whoever does what at the same time: no credential outlives its system, and no integration is managed by nobody.
    what_many_do_at_once_leaves_everything_in_its_place,
    world,
    {
        for round in 0..5_u64 {
            let system = world.registered(&format!("s{round}")).await.id;
            let workers = (0..6_u64).map(|worker| {
                let registry = world.registry.clone();
                tokio::spawn(async move {
                    for step in 0..6_u64 {
                        act(&registry, system, (round * 31 + worker * 7 + step) % 6).await;
                    }
                })
            });
            futures::future::join_all(workers).await;
            let kept = find_system(world.store(), system).await.unwrap();
            let listed = kept.as_ref().map(|kept| kept.credentials.clone()).unwrap_or_default();
            let there = credentials_of(world.store(), system).await;
            assert_eq!(listed, there, "round {round}");
            let query = Query::new(Table::Registry, format!("system#{system}"), "integration#", 10);
            let managed = !world.store().query(&query).await.unwrap().rows.is_empty();
            assert!(kept.is_some() || !managed, "round {round}");
            assert_eq!(world.unfinished().await, 0, "round {round}");
        }
    }
);

/// Does one of the things that change a system; that others were first is no matter.
async fn act(registry: &Registry, system: Uuid, what: u64) {
    let store = &*registry.store;
    let integration = "hlf:dynamics365".parse().unwrap();
    match what {
        0 | 1 => drop(issue_credential(registry, asked(system)).await),
        2 => {
            let known = find_system(store, system).await.unwrap();
            if let Some(id) = known.and_then(|known| known.credentials.into_iter().next()) {
                drop(delete_credential(registry, id, BY).await);
            }
        }
        3 | 4 => {
            let (before, next) = if what == 3 {
                (None, Some(system))
            } else {
                (Some(system), None)
            };
            if let Ok(managed) = Managed::pass(store, &integration, (before, next)).await {
                drop(store.write(managed.writes()).await);
            }
        }
        _ => drop(unregister(registry, system, BY).await),
    }
}

/// Returns the credentials of a system that were ever audited and are still there.
async fn credentials_of(store: &dyn Store, system: Uuid) -> BTreeSet<Uuid> {
    let query = Query::new(Table::Registry, format!("audit#{system}"), "", 1_000);
    let rows = store.query(&query).await.unwrap().rows;
    let entries = rows.iter().map(|row| row.decode::<serde_json::Value>().unwrap());
    let ids = entries.flat_map(|entry| entry["credentials"].as_array().cloned().unwrap_or_default());
    let ids: BTreeSet<Uuid> = ids.map(|id| id.as_str().unwrap().parse().unwrap()).collect();
    let mut there = BTreeSet::new();
    for id in ids {
        if find_credential(store, id).await.unwrap().is_some() {
            there.insert(id);
        }
    }
    there
}
