use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::xledger::token::{ApiToken, Scope};

use crate::client::{books, error, message, voucher};

const BODY: &str = r#"{"query":"query { __typename }"}"#;

#[tokio::test]
async fn a_connection_is_tested_with_typename() {
    let (_simulation, client) = books().await;
    let answer = client.ask("query { __typename }", Value::Null).await;
    assert_eq!(answer, json!({ "data": { "__typename": "Query" } }));
}

#[tokio::test]
async fn only_the_documented_form_of_the_header_is_taken() {
    let (_simulation, client) = books().await;
    let token = client.token.clone();
    let wrong = [
        format!("Bearer {token}"),
        format!("Token {token}"),
        format!("token  {token}"),
        token.clone(),
        "token ".to_owned(),
        String::new(),
    ];
    for header in &wrong {
        let headers = [
            ("authorization", header.as_str()),
            ("content-type", "application/json"),
        ];
        let reply = client.post("graphql", &headers, BODY.to_owned()).await.unwrap();
        assert_eq!(reply.status, 200);
        assert_eq!(
            message(&reply.json()),
            "Bad format for API Token. Expected header: \"Authorization: token <your-token>\"",
            "{header}"
        );
    }
    let reply = client
        .post(
            "graphql",
            &[("content-type", "application/json")],
            BODY.to_owned(),
        )
        .await
        .unwrap();
    assert!(message(&reply.json()).starts_with("Bad format for API Token"));
}

#[tokio::test]
async fn a_token_that_is_unknown_ended_or_taken_back_is_refused() {
    let (simulation, client) = books().await;
    let xledger = simulation.xledger();
    let ask = async |token: &str| client.with_token(token).ask("{ __typename }", Value::Null).await;
    assert!(message(&ask("dW5rbm93bg").await).contains("invalid"));
    let mut ending = ApiToken::new("ZW5kaW5nLWFwaS10b2tlbg", "23001");
    ending.expires_at = Some(simulation.now() + SignedDuration::from_hours(1));
    xledger.add_token(ending);
    assert!(ask("ZW5kaW5nLWFwaS10b2tlbg").await["errors"].is_null());
    simulation.advance(SignedDuration::from_hours(2));
    assert!(message(&ask("ZW5kaW5nLWFwaS10b2tlbg").await).contains("expired"));
    xledger.change_token(&client.token, |token| token.revoked = true);
    assert!(message(&ask(&client.token).await).contains("invalid"));
}

#[tokio::test]
async fn both_tokens_work_while_one_takes_the_place_of_the_other() {
    let (simulation, client) = books().await;
    let new = "bmV3LWFwaS10b2tlbi0wMDAx";
    simulation.xledger().add_token(ApiToken::new(new, "23001"));
    for token in [client.token.as_str(), new] {
        let answer = client.with_token(token).ask("{ __typename }", Value::Null).await;
        assert!(answer["errors"].is_null());
    }
    simulation
        .xledger()
        .change_token(&client.token, |token| token.revoked = true);
    assert!(client.ask("{ __typename }", Value::Null).await["errors"].is_array());
    let answer = client.with_token(new).ask("{ __typename }", Value::Null).await;
    assert!(answer["errors"].is_null());
}

#[tokio::test]
async fn a_token_reads_and_writes_what_its_scope_names() {
    let (simulation, client) = books().await;
    let scoped = ApiToken::new("c2NvcGVkLWFwaS10b2tlbg", "23001")
        .scoped(Scope::only(["GLImportItem"]), Scope::only(["Webhook"]));
    simulation.xledger().add_token(scoped);
    let scoped = client.with_token("c2NvcGVkLWFwaS10b2tlbg");
    let listing = async |name: &str| {
        let query = format!("{{ {name}(first: 1) {{ edges {{ node {{ dbId }} }} }} }}");
        scoped.ask(&query, Value::Null).await
    };
    assert!(listing("glImportItems").await["errors"].is_null());
    assert!(listing("glImportItemErrors").await["errors"].is_null());
    assert!(message(&listing("accounts").await).contains("read Account"));
    let refused = scoped.add(&voucher(1, "10.00", "A")).await;
    assert!(message(&refused).contains("write GLImportItem"));
    assert!(simulation.xledger().queue().is_empty());
}

#[tokio::test]
async fn a_token_sees_its_entity_and_those_below_it() {
    let (simulation, client) = books().await;
    simulation
        .xledger()
        .add_token(ApiToken::new("Znlsa2VzbGFnLWFwaS10b2tlbg", "23002"));
    let below = client.with_token("Znlsa2VzbGFnLWFwaS10b2tlbg");
    client.added(&voucher(1, "10.00", "above")).await;
    below.added(&voucher(2, "20.00", "below")).await;
    let seen = async |client: &crate::client::Client, connection: &str| {
        client.nodes(connection, "extIdentifier").await.len()
    };
    assert_eq!(seen(&client, "glImportItems(first: 9)").await, 4);
    assert_eq!(
        seen(&client, "glImportItems(first: 9, ownerSet: CURRENT)").await,
        2
    );
    assert_eq!(seen(&below, "glImportItems(first: 9)").await, 2);
    let mut lines = voucher(3, "5.00", "up");
    lines[0]["node"]["owner"] = json!({ "code": "23001" });
    let refused = below.add(&lines).await;
    assert_eq!(error(&refused)["extensions"]["code"], "INVALID_VALUE");
}

#[tokio::test]
async fn only_json_is_posted_and_nothing_is_got() {
    let (_simulation, client) = books().await;
    let authorization = format!("token {}", client.token);
    let status = async |kind: &str| {
        let headers = [("authorization", authorization.as_str()), ("content-type", kind)];
        let reply = client.post("graphql", &headers, BODY.to_owned()).await.unwrap();
        reply.status
    };
    assert_eq!(status("application/json; charset=utf-8").await, 200);
    assert_eq!(status("text/plain; charset=utf-8").await, 200);
    assert_eq!(status("application/x-www-form-urlencoded").await, 415);
    let got = client
        .http
        .get(format!("{}/graphql", client.base_url))
        .send()
        .await;
    assert_eq!(got.unwrap().status(), 405);
}
