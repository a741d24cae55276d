use serde_json::{Value, json};

use crate::client::{ADD, books, books_with, error, line, message};
use tests::xledger::Settings;

#[tokio::test]
async fn a_document_that_cannot_be_read_is_refused_in_an_answer_with_200() {
    let (_simulation, client) = books().await;
    for query in [
        "",
        "{",
        "query { __typename",
        "{ glImportItems(first: ) { edges { cursor } } }",
    ] {
        assert!(
            client.ask(query, Value::Null).await["errors"][0]["message"].is_string(),
            "{query}"
        );
    }
    let headers = [
        ("authorization", format!("token {}", client.token)),
        ("content-type", "application/json".to_owned()),
    ];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    for body in [
        "",
        "[]",
        "{}",
        r#"{"query":1}"#,
        r#"{"query":"{__typename}","variables":[]}"#,
    ] {
        let reply = client.post("graphql", &headers, body.to_owned()).await.unwrap();
        assert!(reply.status == 200 && reply.json()["errors"].is_array(), "{body}");
    }
}

#[tokio::test]
async fn an_unknown_field_cannot_be_queried() {
    let (_simulation, client) = books().await;
    for query in [
        "{ nothing { edges { cursor } } }",
        "{ transactions(first: 1) { edges { node { extIdentifier } } } }",
        "{ journalEntries(first: 1) { edges { node { trRegNumber } } } }",
        "{ glImportItems(first: 1) { pageInfo { endCursor } } }",
        "mutation { postGLImportItems }",
    ] {
        let answer = client.ask(query, Value::Null).await;
        assert!(message(&answer).starts_with("Cannot query field "), "{query}");
    }
    let filtered = "{ transactions(filter: { extIdentifier: \"A\" }) { edges { cursor } } }";
    assert!(client.ask(filtered, Value::Null).await["errors"].is_array());
}

#[tokio::test]
async fn an_error_has_its_code_beside_the_message_or_in_the_extensions() {
    let (_simulation, client) = books().await;
    let query = "{ accounts(first: \"ten\") { edges { cursor } } }";
    let answer = client.ask(query, Value::Null).await;
    let told = error(&answer);
    assert_eq!(told["extensions"]["code"], "ARGUMENTS_OF_CORRECT_TYPE");
    assert!(told["code"].is_null());
}

#[tokio::test]
async fn arguments_have_the_types_of_the_schema() {
    let (simulation, client) = books().await;
    for (field, wrong) in [
        ("amount", json!(101.0)),
        ("amount", json!("1,5")),
        ("amount", json!("1e2")),
        ("amount", json!("1.005")),
        ("postedDate", json!("17.02.2026")),
        ("postedDate", json!("2026-02-17T00:00:00")),
        ("postedDate", json!("2026-02-30")),
        ("trRegNumber", json!("1")),
        ("trRegNumber", json!(3_000_000_000_i64)),
        ("text", json!(1)),
        ("account", json!("7140")),
        ("account", json!({ "number": "7140" })),
        ("account", json!({ "dbSubId": 1 })),
        ("externalId", json!("A")),
    ] {
        let mut line = line(1, "7140", "1.00", "A");
        line["node"][field] = wrong.clone();
        let answer = client.add(&[line]).await;
        let code = &error(&answer)["extensions"]["code"];
        assert_eq!(*code, "ARGUMENTS_OF_CORRECT_TYPE", "{field} {wrong} {answer}");
    }
    for (query, variables) in [
        (ADD, json!({ "i": ["A"] })),
        (ADD, json!({ "i": [{ "node": "A" }] })),
        (ADD, json!({ "i": [{ "clientId": "A" }] })),
        (ADD, json!({ "i": null })),
        (ADD, json!({})),
        ("{ accounts(filter: \"7140\") { edges { cursor } } }", Value::Null),
    ] {
        let answer = client.ask(query, variables.clone()).await;
        assert!(
            error(&answer)["message"].is_string(),
            "{query} {variables} {answer}"
        );
    }
    assert!(simulation.xledger().queue().is_empty());
}

#[tokio::test]
async fn money_is_text_unless_the_settings_let_it_be_a_number() {
    let settings = Settings {
        money_as_number: true,
        ..Settings::default()
    };
    let (simulation, client) = books_with(settings).await;
    let mut line = line(1, "7140", "1.00", "A");
    line["node"]["amount"] = json!(6387);
    client.added(&[line]).await;
    assert_eq!(
        simulation.xledger().queue()[0].amount.unwrap().to_string(),
        "6387.00"
    );
}

#[tokio::test]
async fn texts_travel_as_variables_and_cannot_break_out() {
    let (simulation, client) = books().await;
    let text = "O'Brien \") { x } \u{1F600} æøå";
    let mut line = line(1, "7140", "1.00", text);
    line["node"]["text"] = json!(text);
    client.added(&[line]).await;
    let query = "query($e:String){glImportItems(filter:{extIdentifier:$e}){edges{node{text}}}}";
    let answer = client.ask(query, json!({ "e": text })).await;
    assert_eq!(answer["data"]["glImportItems"]["edges"][0]["node"]["text"], text);
    assert_eq!(simulation.xledger().queue().len(), 1);
}
