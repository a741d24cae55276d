//! The registry over GraphQL, as clients know it.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::breaking::{Breaking, Side};
use super::world::{Answer, Ask, World, ask};
use crate::api::Caller;
use crate::registry::{Scope, Scopes};
use crate::secrets::Secrets as _;
use crate::store::{Content, Expect, Key, MemoryStore, Query, Table, Write};

/// Everything that can be selected of a credential.
pub(super) const CREDENTIAL: &str = "
    id type tenantId referenceObjectId
    auth {
        credential {
            ... on BasicCredentialData { username password }
            ... on OAuthCredentialData { clientId clientSecret url }
            ... on CertificateOAuthCredentialData { clientId certificate url }
        }
        accessStrategy certCommonName
        additionalHeaders additionalHeadersSerialized additionalQueryParams additionalQueryParamsSerialized
        oneTimeToken { __typename token connectorURL used expiresAt createdAt usedAt raw rawEncoded type }
        requestAuth { csrf {
            tokenEndpointURL
            credential { ... on BasicCredentialData { username password } ... on OAuthCredentialData { clientId clientSecret url } }
            additionalHeaders additionalHeadersSerialized additionalQueryParams additionalQueryParamsSerialized
        } }
    }";

impl World {
    /// Sends a document as the administrator.
    pub(super) async fn graphql(&self, query: &str) -> Value {
        self.graphql_by(Caller::unrestricted("administrator"), query)
            .await
    }

    pub(super) async fn graphql_by(&self, caller: Caller, query: &str) -> Value {
        let answer = self.answer(document(query).by(Some(caller))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    async fn registered(&self, name: &str) -> String {
        let query =
            format!(r#"mutation {{ result: registerIntegrationSystem(in: {{ name: "{name}" }}) {{ id }} }}"#);
        let answer = self.graphql(&query).await;
        text(&answer["data"]["result"]["id"])
    }

    /// Returns the id and the secret of a new credential.
    async fn credential(&self, system: &str) -> (String, String) {
        let answer = self.graphql(&issue(system, "")).await;
        let credential = &answer["data"]["result"]["auth"]["credential"];
        (text(&credential["clientId"]), text(&credential["clientSecret"]))
    }
}

pub(super) fn document(query: &str) -> Ask {
    ask(Method::POST, "/graphql").json(&json!({ "query": query }))
}

fn issue(system: &str, more: &str) -> String {
    format!(
        r#"mutation {{ result: requestClientCredentialsForIntegrationSystem(id: "{system}"{more}) {{ {CREDENTIAL} }} }}"#
    )
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

fn system_with(scopes: &str) -> Caller {
    system_caller(&Uuid::from_u128(7).to_string(), scopes)
}

fn system_caller(id: &str, scopes: &str) -> Caller {
    let context = json!({ "caller": "x", "system": id, "organizations": "*", "scopes": scopes });
    Caller::from_context(context.as_object().unwrap()).unwrap()
}

/// Returns the number, the name and the sentence of the first error of an answer; all of them have the same number.
pub(super) fn refused(answer: &Value) -> (i64, String, String) {
    let errors = answer["errors"]
        .as_array()
        .unwrap_or_else(|| panic!("{answer} is no refusal"));
    let more = |error: &Value| error["extensions"].clone();
    let number = |error: &Value| more(error)["error_code"].as_i64().unwrap();
    let first = errors.first().unwrap();
    assert!(
        errors.iter().all(|error| number(error) == number(first)),
        "{answer}"
    );
    (
        number(first),
        text(&more(first)["error"]),
        text(&first["message"]),
    )
}

#[tokio::test]
async fn a_client_that_selects_everything_is_served() {
    let world = World::new();
    let registering = r#"mutation { result: registerIntegrationSystem(in: { name: "likeperson", description: "x" }) { id name description auths { id } } }"#;
    let registered = world.graphql(registering).await;
    let system = &registered["data"]["result"];
    assert_eq!(
        (&system["name"], &system["description"], &system["auths"]),
        (&json!("likeperson"), &json!("x"), &json!([]))
    );
    let id = text(&system["id"]);
    let issued = world.graphql(&issue(&id, "")).await["data"]["result"].clone();
    let (client, auth) = (text(&issued["id"]), &issued["auth"]);
    assert_eq!(
        (&issued["type"], &issued["referenceObjectId"]),
        (&json!("INTEGRATION_SYSTEM"), &json!(id))
    );
    assert_eq!(issued["tenantId"], Value::Null);
    assert_eq!(auth["credential"]["clientId"], json!(client));
    assert_eq!(auth["credential"]["url"], "https://api.example.org/oauth2/token");
    assert_eq!(auth["certCommonName"], "");
    for never in [
        "accessStrategy",
        "additionalHeaders",
        "additionalQueryParams",
        "requestAuth",
        "oneTimeToken",
    ] {
        assert_eq!(auth[never], Value::Null, "{never}");
    }
    let reading = format!(
        r#"{{ result: integrationSystem(id: "{id}") {{ id name description auths {{ {CREDENTIAL} }} }} }}"#
    );
    let read = world.graphql(&reading).await;
    assert_eq!(read["data"]["result"]["auths"][0], issued);
    let listing = format!(
        "{{ result: integrationSystems {{ data {{ id name description auths {{ {CREDENTIAL} }} }} pageInfo {{ startCursor endCursor hasNextPage }} totalCount }} }}"
    );
    let listed = world.graphql(&listing).await["data"]["result"].clone();
    assert_eq!(listed["data"][0]["auths"][0], issued);
    assert_eq!(listed["totalCount"], 1);
    let end = json!({ "startCursor": "", "endCursor": "", "hasNextPage": false });
    assert_eq!(listed["pageInfo"], end);
    let updating = format!(
        r#"mutation {{ result: updateIntegrationSystem(id: "{id}", in: {{ name: "other" }}) {{ name description }} }}"#
    );
    let updated = world.graphql(&updating).await;
    assert_eq!(
        updated["data"]["result"],
        json!({ "name": "other", "description": null })
    );
    let deleting = format!(
        r#"mutation {{ result: deleteSystemAuthForIntegrationSystem(authID: "{client}") {{ {CREDENTIAL} }} }}"#
    );
    let deleted = world.graphql(&deleting).await;
    assert_eq!(deleted["data"]["result"], issued);
    let unregistering = format!(
        r#"mutation {{ result: unregisterIntegrationSystem(id: "{id}") {{ id name auths {{ id }} }} }}"#
    );
    let gone = world.graphql(&unregistering).await;
    assert_eq!(
        gone["data"]["result"],
        json!({ "id": id, "name": "other", "auths": [] })
    );
    assert_eq!(
        world.graphql(&reading).await,
        json!({ "data": { "result": null } })
    );
}

#[tokio::test]
async fn documents_with_variables_and_fragments_are_served() {
    let world = World::new();
    let id = world.registered("one").await;
    let query = "query Find($id: ID!, $more: Boolean = true) {
        result: integrationSystem(id: $id) { ...named auths @include(if: $more) { id } }
    } fragment named on IntegrationSystem { __typename id name }";
    let body = json!({ "query": query, "operationName": "Find", "variables": { "id": id } });
    let answer = world
        .answer(ask(Method::POST, "/graphql").json(&body))
        .await
        .json();
    let found = json!({ "__typename": "IntegrationSystem", "id": id, "name": "one", "auths": [] });
    assert_eq!(answer["data"]["result"], found);
    for variables in [
        json!({}),
        json!({ "id": null }),
        json!({ "id": [1] }),
        json!({ "id": { "a": 1 } }),
    ] {
        let body = json!({ "query": query, "variables": variables });
        let answer = world
            .answer(ask(Method::POST, "/graphql").json(&body))
            .await
            .json();
        assert_eq!(refused(&answer).0, 400, "{answer}");
    }
}

#[tokio::test]
async fn what_is_refused_is_refused_with_the_number_and_the_sentence_that_clients_know() {
    let world = World::new();
    let id = world.registered("taken").await;
    let long = "x".repeat(2001);
    let unknown = Uuid::from_u128(1).to_string();
    let not_unique = (21, "NotUnique", "Object is not unique [object=integrationSystem]");
    let no_system = (20, "NotFound", "Object not found [object=integrationSystem]");
    let no_auth = (20, "NotFound", "Object not found [object=systemAuth]");
    let cases: Vec<(String, (i64, &str, &str))> = vec![
        (
            r#"registerIntegrationSystem(in: { name: "taken" })"#.to_owned(),
            not_unique,
        ),
        (
            r#"registerIntegrationSystem(in: { name: "" })"#.to_owned(),
            (
                22,
                "InvalidData",
                "Invalid data IntegrationSystemInput [name=cannot be blank]",
            ),
        ),
        (
            r#"registerIntegrationSystem(in: { name: "1abc" })"#.to_owned(),
            (
                22,
                "InvalidData",
                "Invalid data IntegrationSystemInput [name=cannot start with digit]",
            ),
        ),
        (
            format!(r#"registerIntegrationSystem(in: {{ name: "", description: "{long}" }})"#),
            (
                22,
                "InvalidData",
                "Invalid data IntegrationSystemInput [description=the length must be no more than 2000; name=cannot be blank]",
            ),
        ),
        (
            format!(r#"updateIntegrationSystem(id: "{unknown}", in: {{ name: "a" }})"#),
            no_system,
        ),
        (
            r#"updateIntegrationSystem(id: "../x", in: { name: "a" })"#.to_owned(),
            no_system,
        ),
        (
            format!(r#"unregisterIntegrationSystem(id: "{unknown}")"#),
            no_system,
        ),
        (
            format!(r#"requestClientCredentialsForIntegrationSystem(id: "{unknown}")"#),
            no_system,
        ),
        (
            format!(r#"deleteSystemAuthForIntegrationSystem(id: "{id}")"#),
            no_auth,
        ),
        (
            r#"deleteSystemAuthForIntegrationSystem(authID: "x")"#.to_owned(),
            no_auth,
        ),
        (
            format!(r#"deleteSystemAuthForIntegrationSystem(id: "{id}", authID: "{id}")"#),
            (
                22,
                "InvalidData",
                "Invalid data [reason=exactly one of id and authID is needed]",
            ),
        ),
        (
            "deleteSystemAuthForIntegrationSystem".to_owned(),
            (
                22,
                "InvalidData",
                "Invalid data [reason=exactly one of id and authID is needed]",
            ),
        ),
    ];
    for (operation, (number, name, sentence)) in cases {
        let answer = world
            .graphql(&format!("mutation {{ result: {operation} {{ id }} }}"))
            .await;
        assert_eq!(
            refused(&answer),
            (number, name.to_owned(), sentence.to_owned()),
            "{operation}"
        );
        assert_eq!(
            (&answer["data"], &answer["errors"][0]["path"]),
            (&Value::Null, &json!(["result"]))
        );
    }
}

#[tokio::test]
async fn a_name_is_plain_letters_of_which_none_looks_like_another() {
    let world = World::new();
    let long = "x".repeat(10_240);
    // Cyrillic and full-width letters, marks that turn the direction, and what is not in its composed form.
    for name in [
        "likep\u{435}rson",
        "\u{ff4c}ike",
        "a\u{202e}b",
        "a\u{301}",
        "Like",
        "a b",
        "a_b",
        &long,
    ] {
        let query = format!(r#"mutation {{ registerIntegrationSystem(in: {{ name: "{name}" }}) {{ id }} }}"#);
        assert_eq!(refused(&world.graphql(&query).await).0, 22, "{name}");
    }
}

#[tokio::test]
async fn an_input_is_checked_before_the_scopes_are() {
    let world = World::new();
    let nobody = system_with("");
    let register = |name: &str| {
        format!(r#"mutation {{ registerIntegrationSystem(in: {{ name: "{name}" }}) {{ id }} }}"#)
    };
    assert_eq!(
        refused(&world.graphql_by(nobody.clone(), &register("")).await).0,
        22
    );
    let (number, name, sentence) = refused(&world.graphql_by(nobody.clone(), &register("a")).await);
    assert_eq!((number, &*name), (23, "InsufficientScopes"));
    assert_eq!(
        sentence,
        "insufficient scopes provided [actual=; required=integration_system:write]"
    );
    let few = system_with("record:read sync:trigger");
    let (.., sentence) = refused(
        &world
            .graphql_by(few, "{ integrationSystems { totalCount } }")
            .await,
    );
    assert_eq!(
        sentence,
        "insufficient scopes provided [actual=sync:trigger;record:read; required=integration_system:read]"
    );
    assert_eq!(
        refused(
            &world
                .graphql_by(nobody, r#"{ integrationSystem(id: "x") { id } }"#)
                .await
        )
        .0,
        23
    );
    assert_eq!(
        world.graphql("{ integrationSystems { totalCount } }").await["data"]["integrationSystems"]["totalCount"],
        0
    );
}

#[tokio::test]
async fn every_change_needs_the_scope_to_write() {
    let world = World::new();
    let id = world.registered("one").await;
    let (client, _) = world.credential(&id).await;
    let all_but_one = Scope::ALL
        .into_iter()
        .filter(|scope| *scope != Scope::IntegrationSystemWrite);
    let caller = system_with(&Scopes::from_iter(all_but_one).to_string());
    for operation in [
        r#"registerIntegrationSystem(in: { name: "two" })"#.to_owned(),
        format!(r#"updateIntegrationSystem(id: "{id}", in: {{ name: "two" }})"#),
        format!(r#"unregisterIntegrationSystem(id: "{id}")"#),
        format!(r#"requestClientCredentialsForIntegrationSystem(id: "{id}")"#),
        format!(r#"deleteSystemAuthForIntegrationSystem(id: "{client}")"#),
    ] {
        let query = format!("mutation {{ {operation} {{ id }} }}");
        assert_eq!(
            refused(&world.graphql_by(caller.clone(), &query).await).0,
            23,
            "{operation}"
        );
    }
}

#[tokio::test]
async fn who_asks_is_told_without_any_scope() {
    let world = World::new();
    let query = "{ result: viewer { id type } }";
    let system = world.graphql_by(system_with(""), query).await;
    let id = Uuid::from_u128(7).to_string();
    assert_eq!(
        system["data"]["result"],
        json!({ "id": id, "type": "INTEGRATION_SYSTEM" })
    );
    let administrator = world.graphql(query).await;
    assert_eq!(
        administrator["data"]["result"],
        json!({ "id": "administrator", "type": "USER" })
    );
}

#[tokio::test]
async fn only_the_administrator_sees_secrets_and_that_they_were_seen_is_kept() {
    let world = World::new();
    let id = world.registered("one").await;
    let (client, secret) = world.credential(&id).await;
    assert!(secret.starts_with("xis_"));
    let query = format!(r#"{{ result: integrationSystem(id: "{id}") {{ auths {{ {CREDENTIAL} }} }} }}"#);
    let readings = async || {
        let query = Query::new(Table::Registry, format!("audit#{id}"), "", 100);
        let rows = world.ports.store.query(&query).await.unwrap().rows;
        rows.iter()
            .filter(|row| row.body.contains("read_secrets"))
            .count()
    };
    let before = readings().await;
    let system = world
        .graphql_by(system_with("integration_system:read"), &query)
        .await;
    let auth = &system["data"]["result"]["auths"][0];
    assert_eq!((&auth["id"], &auth["auth"]), (&json!(client), &Value::Null));
    assert!(!system.to_string().contains(&secret));
    assert_eq!(readings().await, before);
    let again = world.graphql(&query).await;
    assert_eq!(
        again["data"]["result"]["auths"][0]["auth"]["credential"]["clientSecret"],
        json!(secret)
    );
    assert_eq!(readings().await, before + 1);
    // Names alone are no secret.
    world
        .graphql("{ integrationSystems { data { name auths { id } } } }")
        .await;
    assert_eq!(readings().await, before + 1);
}

#[tokio::test]
async fn no_secret_is_shown_where_it_cannot_be_kept_that_it_was() {
    let store = Arc::new(MemoryStore::new());
    let world = World::on(Arc::<MemoryStore>::clone(&store));
    let id = world.registered("one").await;
    let (_, secret) = world.credential(&id).await;
    let breaking = Breaking::new(Arc::<MemoryStore>::clone(&store), 1, Side::Before);
    let registry = crate::registry::Registry {
        store: Arc::new(breaking),
        ..world.registry.clone()
    };
    let world = world.with(registry);
    let query = format!(r#"{{ integrationSystem(id: "{id}") {{ auths {{ {CREDENTIAL} }} }} }}"#);
    let answer = world.graphql(&query).await;
    let (number, name, sentence) = refused(&answer);
    assert_eq!((number, &*name), (10, "InternalError"));
    assert!(sentence.starts_with("Internal Server Error [errorID=") && sentence.ends_with("try again]"));
    assert!(!answer.to_string().contains(&secret));
}

#[tokio::test]
async fn a_credential_that_cannot_be_read_takes_no_other_with_it() {
    let world = World::new();
    let mut ids = Vec::new();
    for name in ["one", "two"] {
        let id = world.registered(name).await;
        ids.push((world.credential(&id).await.0, id));
    }
    let (broken, system) = &ids[0];
    let key = Key::new(Table::Registry, format!("credential#{broken}"), "credential");
    let garbage = Content::of(&json!({ "canary": true }));
    world
        .ports
        .store
        .write(vec![Write::put(key, Expect::Anything, garbage)])
        .await
        .unwrap();
    let answer = world
        .graphql("{ integrationSystems { data { id auths { id } } } }")
        .await;
    assert_eq!(refused(&answer).0, 10);
    assert!(!answer.to_string().contains("canary"));
    for listed in answer["data"]["integrationSystems"]["data"].as_array().unwrap() {
        assert_eq!(
            listed["auths"].is_null(),
            listed["id"] == json!(system),
            "{listed}"
        );
    }
}

#[tokio::test]
async fn systems_are_listed_page_by_page() {
    let world = World::new();
    let mut names = Vec::new();
    for number in 0..5 {
        names.push(format!("s{number}"));
        world.registered(&names[number]).await;
    }
    let (mut seen, mut after, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let query = format!(
            r#"{{ result: integrationSystems(first: 2, after: "{after}") {{ data {{ name }} pageInfo {{ startCursor endCursor hasNextPage }} totalCount }} }}"#
        );
        let page = world.graphql(&query).await["data"]["result"].clone();
        assert_eq!(
            (&page["pageInfo"]["startCursor"], &page["totalCount"]),
            (&json!(after), &json!(5))
        );
        seen.extend(
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|system| text(&system["name"])),
        );
        pages += 1;
        after = text(&page["pageInfo"]["endCursor"]);
        assert_eq!(page["pageInfo"]["hasNextPage"], json!(!after.is_empty()));
        if after.is_empty() {
            break;
        }
    }
    seen.sort();
    assert_eq!((pages, seen), (3, names));
    let past = world
        .graphql(r#"{ integrationSystems(after: "RHBLdEo0ajlqRHExMDA=") { data { id } totalCount } }"#)
        .await;
    assert_eq!(
        past["data"]["integrationSystems"],
        json!({ "data": [], "totalCount": 5 })
    );
    let all = world
        .graphql("{ integrationSystems(after: null) { data { id } } }")
        .await;
    assert_eq!(
        all["data"]["integrationSystems"]["data"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
}

#[tokio::test]
async fn pages_of_a_wrong_size_or_from_a_wrong_place_are_refused() {
    let world = World::new();
    let size = "Invalid data [reason=page size must be between 1 and 200]";
    for (arguments, sentence) in [
        ("first: 0", size),
        ("first: -1", size),
        ("first: 201", size),
        ("first: 1000000000", size),
        (
            "first: null",
            "Invalid data [reason=missing required parameter 'first']",
        ),
        (r#"after: "!""#, "Invalid data [reason=cursor is not correct]"),
        (r#"after: "LTE=""#, "Invalid data [reason=cursor is not correct]"),
    ] {
        let query = format!("{{ integrationSystems({arguments}) {{ totalCount }} }}");
        let (number, _, told) = refused(&world.graphql(&query).await);
        assert_eq!((number, &*told), (22, sentence), "{arguments}");
    }
    for arguments in ["first: 10000000000", r#"first: "1""#, "after: 1", "last: 1"] {
        let query = format!("{{ integrationSystems({arguments}) {{ totalCount }} }}");
        assert_eq!(refused(&world.graphql(&query).await).0, 400, "{arguments}");
    }
}

#[tokio::test]
async fn a_credential_may_be_limited_in_what_where_and_how_long() {
    let world = World::new();
    let id = world.registered("one").await;
    let more =
        r#", scopes: ["sync:trigger"], organizations: ["hlf", "other"], expiresAt: "2026-02-01T00:00:00Z""#;
    let select = "id scopes organizations expiresAt createdAt lastUsedAt";
    let query = format!(
        r#"mutation {{ result: requestClientCredentialsForIntegrationSystem(id: "{id}"{more}) {{ ... on IntSysSystemAuth {{ {select} }} }} }}"#
    );
    let issued = world.graphql(&query).await["data"]["result"].clone();
    assert_eq!(
        (&issued["scopes"], &issued["organizations"]),
        (&json!(["sync:trigger"]), &json!(["hlf", "other"]))
    );
    assert_eq!(issued["expiresAt"], "2026-02-01T00:00:00Z");
    assert_eq!(
        (&issued["createdAt"], &issued["lastUsedAt"]),
        (&json!("2026-01-31T10:00:00Z"), &Value::Null)
    );
    let listed = world
        .graphql(&format!(
            "{{ integrationSystems {{ data {{ auths {{ {select} }} }} }} }}"
        ))
        .await;
    assert_eq!(
        listed["data"]["integrationSystems"]["data"][0]["auths"][0],
        issued
    );
    for wrong in [
        r#", scopes: ["integration_system:write"]"#,
        r#", scopes: ["integration_system.auths:read"]"#,
        r#", scopes: ["everything"]"#,
        r#", organizations: []"#,
        r#", organizations: ["HLF"]"#,
        r#", organizations: ["*"]"#,
        r#", expiresAt: "2026-01-31T10:00:00Z""#,
    ] {
        assert_eq!(refused(&world.graphql(&issue(&id, wrong)).await).0, 22, "{wrong}");
    }
    assert_eq!(
        refused(&world.graphql(&issue(&id, r#", expiresAt: "tomorrow""#)).await).0,
        400
    );
}

#[tokio::test]
async fn a_system_that_manages_an_integration_is_not_unregistered() {
    let world = World::new();
    let id = world.registered("one").await;
    let (client, _) = world.credential(&id).await;
    let mut wish = super::world::configuration();
    wish["integrationSystemId"] = json!(id);
    assert_eq!(
        world.put(super::world::INTEGRATION, &wish).await.status,
        StatusCode::CREATED
    );
    let unregister = format!(r#"mutation {{ unregisterIntegrationSystem(id: "{id}") {{ id }} }}"#);
    let (number, name, sentence) = refused(&world.graphql(&unregister).await);
    assert_eq!((number, &*name), (27, "InvalidOperation"));
    assert_eq!(
        sentence,
        "The operation is not allowed [object=integrationSystem; reason=The record cannot be deleted because another record refers to it]"
    );
    let query = format!(r#"{{ integrationSystem(id: "{id}") {{ auths {{ id }} }} }}"#);
    assert_eq!(
        world.graphql(&query).await["data"]["integrationSystem"]["auths"],
        json!([{ "id": client }])
    );
    assert_eq!(
        world.delete(super::world::INTEGRATION).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        world.graphql(&unregister).await["data"]["unregisterIntegrationSystem"]["id"],
        json!(id)
    );
}

#[tokio::test]
async fn an_organization_that_is_named_is_one_that_is_known() {
    let world = World::connected().await;
    let asked = async |tenant: &str, caller: Caller| -> Answer {
        let ask = document("{ viewer { id } }")
            .header("tenant", tenant)
            .by(Some(caller));
        world.answer(ask).await
    };
    let administrator = Caller::unrestricted("administrator");
    for tenant in ["", "hlf"] {
        assert_eq!(asked(tenant, administrator.clone()).await.status, 200, "{tenant}");
    }
    for (tenant, told) in [
        ("nobody", "nobody"),
        ("HLF", ""),
        ("a,b", ""),
        ("canary canary", ""),
    ] {
        let answer = asked(tenant, administrator.clone()).await;
        let sentence = format!("Tenant not found [externalTenant={told}]");
        assert_eq!(
            (answer.status.as_u16(), refused(&answer.json())),
            (400, (25, "TenantNotFound".into(), sentence))
        );
    }
    let context = json!({ "caller": "x", "organizations": "other", "scopes": "" });
    let stranger = Caller::from_context(context.as_object().unwrap()).unwrap();
    assert_eq!(asked("hlf", stranger).await.status, 400);
}

#[tokio::test]
async fn an_integration_belongs_to_the_system_that_connected_it_and_to_no_stranger() {
    let world = World::new();
    let (one, two) = (world.registered("one").await, world.registered("two").await);
    let caller = |id: &str| system_caller(id, &Scopes::integration_system().to_string());
    let put = async |by: Caller, system: Option<Value>| {
        let mut wish = super::world::configuration();
        if let Some(system) = system {
            wish["integrationSystemId"] = system;
        }
        let ask = ask(Method::PUT, super::world::INTEGRATION).json(&wish);
        let answer = world.answer(ask.by(Some(by))).await;
        (
            answer.status.as_u16(),
            answer.json()["integrationSystemId"].clone(),
            answer.fields(),
        )
    };
    let field = || vec!["integrationSystemId".to_owned()];
    let administrator = || Caller::unrestricted("administrator");
    assert_eq!(put(caller(&one), None).await, (201, json!(one), vec![]));
    assert_eq!(put(administrator(), None).await, (200, json!(one), vec![]));
    assert_eq!(put(caller(&two), None).await, (200, json!(one), vec![]));
    for taken in [json!(two), Value::Null] {
        assert_eq!(put(caller(&two), Some(taken)).await, (400, Value::Null, field()));
    }
    assert_eq!(
        put(administrator(), Some(json!(Uuid::from_u128(9)))).await,
        (400, Value::Null, field())
    );
    assert_eq!(
        put(administrator(), Some(json!("x"))).await,
        (400, Value::Null, field())
    );
    assert_eq!(
        put(administrator(), Some(json!(two))).await,
        (200, json!(two), vec![])
    );
    let unregister = |id: &str| format!(r#"mutation {{ unregisterIntegrationSystem(id: "{id}") {{ id }} }}"#);
    assert_eq!(refused(&world.graphql(&unregister(&two)).await).0, 27);
    assert_eq!(world.graphql(&unregister(&one)).await["errors"], Value::Null);
    assert_eq!(
        put(administrator(), Some(Value::Null)).await,
        (200, Value::Null, vec![])
    );
    assert_eq!(world.graphql(&unregister(&two)).await["errors"], Value::Null);
}

#[tokio::test]
async fn a_variable_that_is_left_out_is_what_the_schema_says() {
    let world = World::new();
    world.registered("one").await;
    let query = "query List($first: Int, $after: PageCursor) { integrationSystems(first: $first, after: $after) { ...page } }
        fragment page on IntegrationSystemPage { totalCount data { name } }";
    for variables in [
        json!({}),
        Value::Null,
        json!({ "after": null }),
        json!({ "first": 7 }),
        json!({ "extra": 1 }),
    ] {
        let body = json!({ "query": query, "variables": variables });
        let answer = world
            .answer(ask(Method::POST, "/graphql").json(&body))
            .await
            .json();
        assert_eq!(
            answer["data"]["integrationSystems"]["totalCount"], 1,
            "{variables}: {answer}"
        );
    }
    let body = json!({ "query": query, "variables": { "first": null } });
    let answer = world
        .answer(ask(Method::POST, "/graphql").json(&body))
        .await
        .json();
    assert_eq!(refused(&answer).0, 22);
}

#[tokio::test]
async fn an_answer_that_no_function_may_give_is_refused_with_the_way_out() {
    let world = World::new();
    for number in 0..200 {
        let input = crate::registry::Input {
            name: format!("s{number}"),
            description: Some("x".repeat(2_000)),
        };
        crate::registry::register(&world.registry, input, "administrator")
            .await
            .unwrap();
    }
    let aliases: String = (0..18).map(|number| format!("d{number}: description ")).collect();
    let query = format!("{{ integrationSystems(first: 200) {{ data {{ {aliases} }} }} }}");
    let (number, _, sentence) = refused(&world.graphql(&query).await);
    assert_eq!(number, 400);
    assert!(sentence.contains("ask for fewer at a time"), "{sentence}");
}

#[tokio::test]
async fn how_far_a_credential_goes_is_for_its_own_system_and_the_administrator() {
    let world = World::new();
    let (own, other) = (world.registered("one").await, world.registered("two").await);
    let query = issue(&own, r#", organizations: ["hlf"]"#);
    assert_eq!(world.graphql(&query).await["errors"], Value::Null);
    let select = "id scopes organizations createdAt expiresAt lastUsedAt";
    let query = format!(r#"{{ integrationSystem(id: "{own}") {{ auths {{ {select} }} }} }}"#);
    let as_system = |id: &str| system_caller(id, "integration_system:read");
    for (caller, sees) in [
        (Caller::unrestricted("administrator"), true),
        (as_system(&own), true),
        (as_system(&other), false),
    ] {
        let answer = world.graphql_by(caller, &query).await;
        let auth = &answer["data"]["integrationSystem"]["auths"][0];
        assert!(auth["id"].is_string());
        for field in ["scopes", "organizations", "createdAt"] {
            assert_eq!(auth[field].is_null(), !sees, "{field}");
        }
    }
}

#[tokio::test]
async fn a_key_of_idempotency_is_not_taken_where_an_answer_holds_a_secret() {
    let world = World::new();
    let answer = world.answer(document("{ viewer { id } }").key("k")).await;
    assert_eq!((answer.status.as_u16(), refused(&answer.json()).0), (400, 400));
}

#[tokio::test]
async fn an_outage_is_not_taken_for_an_organization_that_there_is_not() {
    let store = Arc::new(MemoryStore::new());
    let world = World::on(Arc::<MemoryStore>::clone(&store));
    let broken = crate::registry::Registry {
        store: Arc::new(Breaking::new(store, 0, Side::Before)),
        ..world.registry.clone()
    };
    let answer = world
        .with(broken)
        .answer(document("{ viewer { id } }").header("tenant", "hlf"))
        .await;
    assert_eq!((answer.status.as_u16(), refused(&answer.json()).0), (503, 10));
}

#[tokio::test]
async fn a_change_that_is_refused_leaves_the_credentials_as_they_are() {
    let world = World::connected().await;
    let secret = async || {
        let held = world.secrets.get("test/hlf/dynamics365").await.unwrap();
        secrecy::ExposeSecret::expose_secret(&held.value).to_owned()
    };
    let before = secret().await;
    let mut wish = super::world::configuration();
    wish["credentials"]["clientSecret"] = json!("canary-other");
    wish["integrationSystemId"] = json!(Uuid::from_u128(9));
    let answer = world.put(super::world::INTEGRATION, &wish).await;
    assert_eq!(answer.fields(), ["integrationSystemId"]);
    assert_eq!(secret().await, before);
}
