//! The registry over both implementations of the tables.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use shared::keys::{Keys as _, MemoryKeys};
use shared::registry::{
    ClientSecret, CredentialRequest, GrantError, Input, IntegrationSystem, RegistryError, Scope, Scopes,
    Tokens, admit, credentials_of, delete_credential, find_credential, find_system, grant, issue_credential,
    list_systems, register, unregister, update,
};
use shared::store::{Content, Expect, Key, MemoryStore, Page, Query, Row, Store, StoreError, Table, Write};
use uuid::Uuid;

use crate::dynamo::Dynamo;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn input(name: &str) -> Input {
    Input {
        name: name.to_owned(),
        description: None,
    }
}

async fn registered(store: &dyn Store, name: &str) -> IntegrationSystem {
    register(store, input(name), NOW).await.unwrap()
}

fn asked(system: Uuid) -> CredentialRequest {
    CredentialRequest {
        system,
        scopes: Scopes::integration_system(),
        organizations: None,
        expires_at: None,
        by: "administrator".to_owned(),
    }
}

async fn manage(store: &dyn Store, system: Uuid) {
    let key = Key::new(
        Table::Registry,
        format!("system#{system}"),
        "integration#hlf:dynamics365",
    );
    let row = Write::put(key, Expect::Absent, Content::of(&serde_json::json!({})));
    store.write(vec![row]).await.unwrap();
}

/// Tables under a process that dies at one of its writes, before or after it is made.
#[derive(Debug)]
struct Dying {
    store: Arc<dyn Store>,
    left: AtomicUsize,
    after: bool,
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
        match self.left.fetch_sub(1, Ordering::SeqCst) {
            1 if self.after => {
                self.store.write(writes).await?;
                Err(Self::dead())
            }
            1 => Err(Self::dead()),
            _ => self.store.write(writes).await,
        }
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError> {
        self.store.due(now, limit).await
    }
}

/// Runs a test on the tables in memory and on DynamoDB.
macro_rules! on_both {
    ($(#[doc = $doc:literal])? $name:ident, $store:ident, $body:block) => {
        $(#[doc = $doc])?
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let dynamo = Dynamo::start().await;
            let stores: [Arc<dyn Store>; 2] = [Arc::new(MemoryStore::new()), Arc::new(dynamo.store())];
            for $store in stores {
                $body
            }
        }
    };
}

on_both!(
    of_a_hundred_registrations_of_one_name_at_once_one_succeeds,
    store,
    {
        let tries = (0..100).map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { register(&*store, input("one"), NOW).await })
        });
        let mut won = 0;
        for tried in futures::future::join_all(tries).await {
            match tried.unwrap() {
                Ok(_) => won += 1,
                Err(error) => assert!(matches!(error, RegistryError::NotUnique), "{error}"),
            }
        }
        assert_eq!(won, 1);
        assert_eq!(list_systems(&*store, 100, 0).await.unwrap().total, 1);
    }
);

on_both!(
    a_name_that_was_given_up_is_free_and_one_that_is_taken_is_not,
    store,
    {
        let (one, two) = (registered(&*store, "one").await, registered(&*store, "two").await);
        let taken = update(&*store, two.id, input("one")).await;
        assert!(matches!(taken, Err(RegistryError::NotUnique)));
        let described = Input {
            name: "uno".to_owned(),
            description: Some("first".to_owned()),
        };
        update(&*store, one.id, described).await.unwrap();
        assert_eq!(update(&*store, two.id, input("one")).await.unwrap().name, "one");
        let one = update(&*store, one.id, input("uno")).await.unwrap();
        assert_eq!(one.description, None);
        let unknown = update(&*store, Uuid::new_v4(), input("x")).await;
        assert!(matches!(unknown, Err(RegistryError::UnknownSystem)));
        let invalid = register(&*store, input("A"), NOW).await;
        assert!(matches!(invalid, Err(RegistryError::Invalid(faults)) if faults.len() == 1));
    }
);

on_both!(systems_are_listed_by_their_ids_from_any_position_on, store, {
    let mut ids = Vec::new();
    for number in 0..7 {
        ids.push(registered(&*store, &format!("s{number}")).await.id);
    }
    ids.sort_unstable();
    for (first, offset) in [(7, 0), (3, 0), (3, 3), (3, 6), (3, 7), (3, 100)] {
        let page = list_systems(&*store, first, offset).await.unwrap();
        let expected: Vec<Uuid> = ids.iter().copied().skip(offset).take(first).collect();
        let listed: Vec<Uuid> = page.systems.iter().map(|system| system.id).collect();
        assert_eq!((listed, page.total), (expected, 7), "{first} after {offset}");
    }
});

on_both!(
    several_credentials_live_side_by_side_and_each_ends_alone,
    store,
    {
        let keys = MemoryKeys::new();
        let system = registered(&*store, "one").await;
        let first = issue_credential(&*store, &keys, asked(system.id), NOW)
            .await
            .unwrap();
        let second = issue_credential(&*store, &keys, asked(system.id), NOW)
            .await
            .unwrap();
        for issued in [&first, &second] {
            let kept = find_credential(&*store, issued.credential.id)
                .await
                .unwrap()
                .unwrap();
            assert_eq!(kept, issued.credential);
            assert!(kept.verifier.is_of(&issued.secret));
            assert_eq!(kept.secret(&keys).await.unwrap().expose(), issued.secret.expose());
        }
        assert!(!first.credential.verifier.is_of(&second.secret));
        delete_credential(&*store, first.credential.id).await.unwrap();
        assert_eq!(find_credential(&*store, first.credential.id).await.unwrap(), None);
        assert_eq!(
            credentials_of(&*store, system.id).await.unwrap(),
            [second.credential]
        );
        let again = delete_credential(&*store, first.credential.id).await;
        assert!(matches!(again, Err(RegistryError::UnknownCredential)));
    }
);

on_both!(no_row_holds_a_secret_that_the_key_has_not_sealed, store, {
    let keys = MemoryKeys::new();
    let system = registered(&*store, "one").await;
    let issued = issue_credential(&*store, &keys, asked(system.id), NOW)
        .await
        .unwrap();
    let row = serde_json::to_string(&issued.credential).unwrap();
    assert!(!row.contains(issued.secret.expose()));
    assert!(!format!("{issued:?}").contains(issued.secret.expose()));
    let mut moved = issued.credential.clone();
    moved.id = Uuid::new_v4();
    assert!(moved.secret(&keys).await.is_err());
    assert!(
        keys.open(&issued.credential.id.to_string(), &moved.sealed)
            .await
            .is_ok()
    );
});

on_both!(
    a_system_that_manages_an_integration_stays_with_all_its_credentials,
    store,
    {
        let keys = MemoryKeys::new();
        let system = registered(&*store, "one").await;
        issue_credential(&*store, &keys, asked(system.id), NOW)
            .await
            .unwrap();
        manage(&*store, system.id).await;
        let refused = unregister(&*store, system.id).await;
        assert!(matches!(refused, Err(RegistryError::Manages)));
        assert_eq!(
            find_system(&*store, system.id).await.unwrap(),
            Some(system.clone())
        );
        assert_eq!(credentials_of(&*store, system.id).await.unwrap().len(), 1);
        issue_credential(&*store, &keys, asked(system.id), NOW)
            .await
            .unwrap();
    }
);

on_both!(an_unregistered_system_leaves_nothing_behind, store, {
    let keys = MemoryKeys::new();
    let system = registered(&*store, "one").await;
    let mut credentials = Vec::new();
    for _ in 0..3 {
        let issued = issue_credential(&*store, &keys, asked(system.id), NOW)
            .await
            .unwrap();
        credentials.push(issued.credential.id);
    }
    unregister(&*store, system.id).await.unwrap();
    for id in credentials {
        assert_eq!(find_credential(&*store, id).await.unwrap(), None);
    }
    assert_eq!(list_systems(&*store, 10, 0).await.unwrap().total, 0);
    let late = issue_credential(&*store, &keys, asked(system.id), NOW).await;
    assert!(matches!(late, Err(RegistryError::UnknownSystem)));
    let again = unregister(&*store, system.id).await;
    assert!(matches!(again, Err(RegistryError::UnknownSystem)));
    registered(&*store, "one").await;
});

on_both!(
    a_client_gets_a_token_for_what_it_was_given_and_for_no_more,
    store,
    {
        let keys = Arc::new(MemoryKeys::new());
        let tokens = Tokens::new(Arc::<MemoryKeys>::clone(&keys), "https://api.example.org");
        let system = registered(&*store, "one").await;
        let issued = issue_credential(&*store, &*keys, asked(system.id), NOW)
            .await
            .unwrap();
        let client = issued.credential.id.to_string();
        let granted = async |secret: &ClientSecret, scope: &str| {
            grant(&*store, &tokens, (&client, secret), scope, NOW).await
        };
        let token = granted(&issued.secret, "sync:trigger record:read").await.unwrap();
        let admitted = admit(&*store, &tokens, token.token.expose_secret(), NOW)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (admitted.client, admitted.system),
            (issued.credential.id, system.id)
        );
        assert!(admitted.scopes.allow(Scope::SyncTrigger) && !admitted.scopes.allow(Scope::RecordWrite));
        assert_eq!(
            granted(&issued.secret, "").await.unwrap().scopes,
            Scopes::default()
        );
        for scope in [
            "integration_system:write",
            "sync:trigger integration_system.auths:read",
            "everything",
        ] {
            let refused = granted(&issued.secret, scope).await;
            assert!(matches!(refused, Err(GrantError::InvalidScope)), "{scope}");
        }
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
                let refused = grant(&*store, &tokens, (other, secret), "", NOW).await;
                assert!(matches!(refused, Err(GrantError::InvalidClient)), "{other}");
            }
        }
    }
);

on_both!(a_token_ends_at_once_with_its_credential_and_its_system, store, {
    let keys = Arc::new(MemoryKeys::new());
    let tokens = Tokens::new(Arc::<MemoryKeys>::clone(&keys), "https://api.example.org");
    let system = registered(&*store, "one").await;
    let end = Timestamp::from_second(60).unwrap();
    let mut got = Vec::new();
    for expires_at in [None, None, Some(end)] {
        let request = CredentialRequest {
            expires_at,
            ..asked(system.id)
        };
        let issued = issue_credential(&*store, &*keys, request, NOW).await.unwrap();
        let client = issued.credential.id.to_string();
        let token = grant(&*store, &tokens, (&client, &issued.secret), "sync:trigger", NOW)
            .await
            .unwrap();
        got.push((issued.credential.id, token.token));
    }
    let admitted = async |number: usize, at: Timestamp| {
        let token = got[number].1.expose_secret();
        admit(&*store, &tokens, token, at).await.unwrap().is_some()
    };
    assert!(admitted(0, NOW).await && admitted(1, NOW).await && admitted(2, NOW).await);
    assert!(!admitted(2, end).await);
    delete_credential(&*store, got[0].0).await.unwrap();
    assert!(!admitted(0, NOW).await && admitted(1, NOW).await);
    unregister(&*store, system.id).await.unwrap();
    assert!(!admitted(1, NOW).await);
});

on_both!(
    an_unregistering_that_died_at_any_write_is_finished_by_asking_again,
    store,
    {
        let keys = MemoryKeys::new();
        for (write, after) in (1..=4).flat_map(|write| [(write, false), (write, true)]) {
            let system = registered(&*store, "one").await;
            for _ in 0..2 {
                issue_credential(&*store, &keys, asked(system.id), NOW)
                    .await
                    .unwrap();
            }
            let dying = Dying {
                store: Arc::clone(&store),
                left: AtomicUsize::new(write),
                after,
            };
            assert!(unregister(&dying, system.id).await.is_err(), "{write} {after}");
            let gone = find_system(&*store, system.id).await.unwrap().is_none();
            assert_eq!(gone, (write, after) == (4, true));
            if (write, after) != (1, false) {
                // One that is leaving is not renamed: its name would be left behind.
                let renamed = update(&*store, system.id, input("two")).await;
                assert!(
                    matches!(renamed, Err(RegistryError::UnknownSystem)),
                    "{write} {after}"
                );
            }
            if !gone {
                unregister(&*store, system.id).await.unwrap();
            }
            assert_eq!(list_systems(&*store, 10, 0).await.unwrap().total, 0);
            assert_eq!(credentials_of(&*store, system.id).await.unwrap(), []);
        }
        registered(&*store, "one").await;
        registered(&*store, "two").await;
    }
);
