//! The registry over both implementations of the tables.

use std::sync::Arc;

use jiff::Timestamp;
use shared::keys::{Keys as _, MemoryKeys};
use shared::registry::{
    CredentialRequest, Input, IntegrationSystem, RegistryError, Scopes, credentials_of, delete_credential,
    find_credential, find_system, issue_credential, list_systems, register, unregister, update,
};
use shared::store::{Content, Expect, Key, MemoryStore, Store, Table, Write};
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
