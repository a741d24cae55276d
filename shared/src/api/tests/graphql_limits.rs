//! What a document may cost, and what is not taken for one.

use std::fmt::Write as _;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::graphql::{CREDENTIAL, document, refused};
use super::world::{World, ask};
use crate::api::Graphql;

async fn is_refused(query: &str, why: &str) {
    let answer = World::new().graphql(query).await;
    let (number, name, sentence) = refused(&answer);
    assert_eq!((number, &*name), (400, "BadRequest"), "{sentence}");
    assert!(sentence.contains(why), "{sentence}");
    assert_eq!(answer["data"], Value::Null);
}

#[tokio::test]
async fn a_document_is_no_deeper_than_it_needs_to_be() {
    let world = World::new();
    let deep = "{ integrationSystems { data { auths { auth { requestAuth { csrf { credential { ... on BasicCredentialData { username } } } } } } } } }";
    assert_eq!(world.graphql(deep).await["errors"], Value::Null);
    let nested = |depth: usize| format!("{{ {} x {} }}", "a {".repeat(depth), "}".repeat(depth));
    for (depth, why) in [
        (8, "nested too deep"),
        (100, "recursion limit"),
        (5_000, "at most 300 brackets"),
    ] {
        is_refused(&nested(depth), why).await;
    }
    is_refused(&"{".repeat(10_000), "at most 300 brackets").await;
    let value = format!(
        "{{ integrationSystem(id: {}{}) {{ id }} }}",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    is_refused(&value, "at most 300 brackets").await;
}

#[tokio::test]
async fn a_document_has_few_names_fields_and_directives() {
    let mut aliases = String::new();
    for number in 0..21 {
        write!(aliases, "a{number}: viewer {{ id }} ").unwrap();
    }
    is_refused(&format!("{{ {aliases} }}"), "at most 20 aliases").await;
    is_refused(
        &format!("{{ {} }}", "viewer { id } ".repeat(201)),
        "at most 400 fields",
    )
    .await;
    is_refused(
        &format!("{{ viewer {{ id {} }} }}", "@a ".repeat(500)),
        "directives",
    )
    .await;
    is_refused(
        &format!("{{ viewer {{ id {} }} }}", "@include(if: true) ".repeat(5)),
        "cannot be greater than `4`",
    )
    .await;
    is_refused(
        &format!("{{ viewer {{ id }} }} # {}", "x".repeat(32 * 1024)),
        "at most 32768 bytes",
    )
    .await;
}

#[tokio::test]
async fn a_fragment_counts_as_often_as_it_is_spread() {
    is_refused("{ ...a } fragment a on Query { ...a }", "spreads itself").await;
    is_refused(
        "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
        "spreads itself",
    )
    .await;
    is_refused("{ ...a }", "not there").await;
    // Each doubles the one before: written out, 2 to the power of 100.
    let mut bomb = "{ ...f0 } ".to_owned();
    for number in 0..100 {
        let next = number + 1;
        write!(bomb, "fragment f{number} on Query {{ ...f{next} ...f{next} }} ").unwrap();
    }
    bomb.push_str("fragment f100 on Query { viewer { id } }");
    is_refused(&bomb, "at most 400 fields").await;
    is_refused(
        &format!(
            "{{ {} }} fragment a on Query {{ viewer {{ id }} }}",
            "...a ".repeat(1_000)
        ),
        "fields",
    )
    .await;
}

#[tokio::test]
async fn a_whole_page_may_be_selected_once_and_not_twice() {
    let world = World::new();
    let page = |first: usize| {
        format!(
            "integrationSystems(first: {first}) {{ data {{ id name description auths {{ {CREDENTIAL} }} }} pageInfo {{ startCursor endCursor hasNextPage }} totalCount }}"
        )
    };
    let once = format!("{{ {} }}", page(200));
    assert_eq!(world.graphql(&once).await["errors"], Value::Null);
    let twice = format!("{{ {} other: {} }}", page(200), page(200));
    is_refused(&twice, "complex").await;
    // A number beyond any page costs no more than the largest page, and is refused for what it is.
    let answer = world.graphql(&format!("{{ {} }}", page(1_000_000_000))).await;
    assert_eq!(refused(&answer).0, 22);
}

#[tokio::test]
async fn the_schema_is_told_to_nobody_unless_that_is_configured() {
    for query in [
        "{ result: __schema { types { name } } }",
        r#"{ result: __type(name: "IntegrationSystem") { name } }"#,
    ] {
        let answer = World::new().graphql(query).await;
        assert_eq!(answer["data"]["result"], Value::Null, "{answer}");
        assert!(!answer.to_string().contains("IntegrationSystem"), "{answer}");
    }
    let answer = World::new()
        .graphql("{ integrationSystem { id } integrationSystms { id } }")
        .await;
    assert!(
        !answer.to_string().to_lowercase().contains("did you mean"),
        "{answer}"
    );
    assert_eq!(
        World::new().graphql("{ __typename }").await["data"]["__typename"],
        "Query"
    );
    let world = World::with_introspection();
    let told = world.graphql("{ __schema { types { name } } }").await;
    assert!(
        told.to_string().contains("CSRFTokenCredentialRequestAuth"),
        "{told}"
    );
}

#[test]
fn the_schema_has_all_that_clients_select() {
    let world = World::new();
    let sdl = Graphql::new(world.registry, false).sdl();
    for line in [
        "registerIntegrationSystem(in: IntegrationSystemInput!): IntegrationSystem!",
        "updateIntegrationSystem(id: ID!, in: IntegrationSystemInput!): IntegrationSystem!",
        "unregisterIntegrationSystem(id: ID!): IntegrationSystem!",
        "deleteSystemAuthForIntegrationSystem(id: ID, authID: ID): SystemAuth!",
        "integrationSystem(id: ID!): IntegrationSystem",
        "viewer: Viewer!",
        "auths: [IntSysSystemAuth!]",
        "type IntegrationSystemPage implements Pageable {",
        "type IntSysSystemAuth implements SystemAuth {",
        "type AppSystemAuth implements SystemAuth {",
        "type RuntimeSystemAuth implements SystemAuth {",
        "type OneTimeTokenForApplication implements OneTimeToken {",
        "union CredentialData = BasicCredentialData | OAuthCredentialData | CertificateOAuthCredentialData",
        "clientSecret: String!",
        "certCommonName: String",
        "scalar PageCursor",
        "scalar HttpHeadersSerialized",
    ] {
        assert!(sdl.contains(line), "{line} is not in\n{sdl}");
    }
    let first = sdl.lines().find(|line| line.contains("first: Int")).unwrap();
    assert!(first.contains("first: Int = 100"), "{first}");
}

#[tokio::test]
async fn what_is_no_query_or_change_is_refused() {
    is_refused("subscription { viewer { id } }", "").await;
    is_refused("{ viewer @defer { id } }", "").await;
    is_refused("query a { viewer { id } } query b { viewer { id } }", "").await;
    is_refused("", "").await;
    is_refused("{ viewer { id }", "").await;
    is_refused("{ viewer { secret } }", "").await;
    is_refused(
        "mutation { registerIntegrationSystem(in: { name: null }) { id } }",
        "",
    )
    .await;
    is_refused(
        r#"mutation { registerIntegrationSystem(in: { name: "a", leaving: true }) { id } }"#,
        "",
    )
    .await;
    is_refused(
        r#"mutation { registerIntegrationSystem(in: { name: VALUE }) { id } }"#,
        "",
    )
    .await;
}

#[tokio::test]
async fn what_is_no_request_of_graphql_is_refused_before_it_is_read() {
    let world = World::new();
    let post = || ask(Method::POST, "/graphql");
    let one = json!({ "query": "{ viewer { id } }" });
    let batch = Value::Array(vec![one.clone(); 100]);
    let depth = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let large = json!({ "query": "{ viewer { id } }", "variables": { "x": "x".repeat(65 * 1024) } });
    for (ask, status) in [
        (post().json(&batch), 400),
        (post().json(&json!("x")), 400),
        (post().json(&json!({})), 400),
        (post().json(&json!({ "query": 1 })), 400),
        (
            post().json(&json!({ "query": "{ viewer { id } }", "variables": [] })),
            400,
        ),
        (
            post().json(&json!({ "query": "{ viewer { id } }", "operationName": 1 })),
            400,
        ),
        (
            post().header("content-type", "application/json").body("{} {}"),
            400,
        ),
        (
            post()
                .header("content-type", "application/json")
                .body(r#"{"query":"a","query":"b"}"#),
            400,
        ),
        (post().header("content-type", "application/json").body(depth), 413),
        (post().json(&large), 413),
        (
            post()
                .header("content-type", "application/graphql")
                .body("{ viewer { id } }"),
            415,
        ),
        (
            post().header("content-type", "text/plain").body(one.to_string()),
            415,
        ),
        (post().body(one.to_string()), 415),
    ] {
        let answer = world.answer(ask).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(refused(&answer.json()).0, 400);
        assert_eq!(answer.json()["data"], Value::Null);
    }
    let get = world
        .answer(ask(Method::GET, "/graphql?query={viewer{id}}"))
        .await;
    assert_eq!(get.status, 405);
    let nobody = world.answer(document("{ viewer { id } }").by(None)).await;
    let told = (
        26,
        "Unauthorized".to_owned(),
        "Unauthorized [reason=invalid bearer token]".to_owned(),
    );
    assert_eq!((nobody.status.as_u16(), refused(&nobody.json())), (401, told));
}

/// The clock stands still here; what is slow is what would never end.
#[tokio::test]
async fn no_text_that_is_taken_takes_long() {
    let world = World::new();
    let texts = [
        "{".repeat(32_000),
        "[".repeat(32_000),
        "\"".repeat(32_000),
        "#".repeat(32_000),
        format!("{{ viewer {{ {} }} }}", "id ".repeat(5_000)),
        format!("query({}) {{ viewer {{ id }} }}", "$a: Int ".repeat(1_900)),
        format!(
            "{{ viewer {{ id }} }} {}",
            "fragment a on Query { viewer { id } } ".repeat(400)
        ),
        format!(
            "{{ integrationSystem(id: \"x\" {}) {{ id }} }}",
            "a: 1 ".repeat(3_000)
        ),
    ];
    for text in texts {
        let answered = tokio::time::timeout(Duration::from_secs(10), world.graphql(&text)).await;
        assert!(answered.expect("it ends")["errors"].is_array());
    }
}
