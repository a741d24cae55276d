use serde_json::{Value, json};
use tests::xledger::Settings;

use crate::client::{ADD, books, books_with, error, line, voucher};

#[tokio::test]
async fn the_published_example_is_taken() {
    let (simulation, client) = books().await;
    let lines = json!([
        {"clientId":"0","node":{"trRegNumber":20260217,"transactionSource":{"code":"GL"},"postedDate":"2026-02-17",
         "invoiceDate":"2026-02-17","account":{"code":"7140"},"amount":"101.00","invoiceAmount":"101.00",
         "currency":{"code":"NOK"},"taxRule":{"code":"0"},"text":"Reise likeperson 4711","jobLevel":{"dbSubId":1},
         "glObject1":{"code":"200"},"project":{"code":"P10"},"extIdentifier":"RMB-4711-1"}},
        {"clientId":"1","node":{"trRegNumber":20260217,"transactionSource":{"code":"GL"},"postedDate":"2026-02-17",
         "account":{"code":"2910"},"amount":"-101.00","invoiceAmount":"-101.00","currency":{"code":"NOK"},
         "text":"Skyldig likeperson 4711","jobLevel":{"dbSubId":1},"subledger":{"code":"50012"},
         "extIdentifier":"RMB-4711-2"}},
    ]);
    let answer = client.ask(ADD, json!({ "i": lines })).await;
    assert!(answer["errors"].is_null(), "{answer}");
    let queue = simulation.xledger().queue();
    assert_eq!(queue.len(), 2);
    assert_eq!(queue[0].references["glObject1"], "200");
    assert_eq!(queue[1].references["subledger"], "50012");
    assert_eq!(simulation.xledger().run_job().posted, 1);
}

#[tokio::test]
async fn answers_say_by_client_id_which_line_is_which() {
    let (simulation, client) = books().await;
    let answer = client.add(&voucher(1, "10.00", "A")).await;
    let edges = answer["data"]["addGLImportItems"]["edges"].as_array().unwrap();
    let told: Vec<_> = edges
        .iter()
        .map(|edge| edge["clientId"].as_str().unwrap())
        .collect();
    assert_eq!(told, ["A-2", "A-1"]);
    for edge in edges {
        let id = edge["node"]["dbId"].as_i64();
        let line = simulation
            .xledger()
            .queue()
            .into_iter()
            .find(|line| Some(line.db_id) == id);
        assert_eq!(line.unwrap().ext_identifier.as_deref(), edge["clientId"].as_str());
    }
}

#[tokio::test]
async fn what_is_sent_twice_is_there_twice() {
    let (simulation, client) = books().await;
    client.added(&voucher(1, "10.00", "A")).await;
    client.added(&voucher(1, "10.00", "A")).await;
    let rows = client
        .nodes("glImportItems(filter: { extIdentifier: \"A-1\" })", "dbId")
        .await;
    assert_eq!(rows.len(), 2);
    assert_eq!(simulation.xledger().run_job().posted, 1);
    let posted = simulation.xledger().posted();
    assert_eq!(
        posted.len(),
        4,
        "both copies make one voucher that is balanced, and wrong"
    );
}

#[tokio::test]
async fn a_reference_to_nothing_is_an_invalid_value() {
    let (simulation, client) = books().await;
    for (field, wrong) in [
        ("account", json!({ "code": "9999" })),
        ("account", json!({ "dbId": 1 })),
        ("account", json!({})),
        ("taxRule", json!({ "code": "77" })),
        ("currency", json!({ "code": "XXX" })),
        ("glObject2", json!({ "code": "200" })),
        ("project", json!({ "description": "Ukjent" })),
        ("jobLevel", json!({ "dbSubId": 9 })),
        ("owner", json!({ "code": "99999" })),
    ] {
        let mut line = line(1, "7140", "1.00", "A");
        line["node"][field] = wrong.clone();
        let answer = client.add(&[line]).await;
        let told = error(&answer);
        assert_eq!(told["extensions"]["code"], "INVALID_VALUE", "{field} {wrong}");
        let argument = format!("inputs[0].node.{field}");
        assert!(told["message"].as_str().unwrap().contains(&argument), "{answer}");
        assert!(told["extensions"]["exampleValidInputs"].is_null());
    }
    assert!(simulation.xledger().queue().is_empty());
}

#[tokio::test]
async fn a_reference_that_is_wrong_shows_alternatives_when_asked() {
    let (simulation, client) = books().await;
    let query = "mutation { addGLImportItems(inputs: { node: { taxRule: { showAlternatives: YES } } }) { edges { node { dbId } } } }";
    let answer = client.ask(query, Value::Null).await;
    let alternatives = &error(&answer)["extensions"]["exampleValidInputs"];
    let codes: Vec<_> = alternatives
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["code"].clone())
        .collect();
    assert_eq!(json!(codes), json!(["0", "1", "3"]));
    for field in ["dbId", "ownerDbId"] {
        assert!(alternatives[0][field].is_i64());
    }
    assert!(alternatives[0]["text"].is_string());
    let refused = json!({ "node": { "taxRule": { "code": "77", "showAlternatives": "NO" } } });
    let answer = client.add(&[refused]).await;
    assert!(error(&answer)["extensions"]["exampleValidInputs"].is_null());
    assert!(simulation.xledger().queue().is_empty());
}

#[tokio::test]
async fn a_call_that_is_partly_wrong_leaves_the_lines_before_the_wrong_one() {
    let (simulation, client) = books().await;
    let mut lines = voucher(1, "10.00", "A");
    lines.extend(voucher(2, "20.00", "B"));
    lines[2]["node"]["account"] = json!({ "code": "9999" });
    let answer = client.add(&lines).await;
    assert!(error(&answer)["message"].as_str().unwrap().contains("inputs[2]"));
    assert_eq!(simulation.xledger().queue().len(), 2);
}

#[tokio::test]
async fn a_call_that_is_partly_wrong_leaves_nothing_where_calls_are_atomic() {
    let settings = Settings {
        atomic: true,
        ..Settings::default()
    };
    let (simulation, client) = books_with(settings).await;
    let mut lines = voucher(1, "10.00", "A");
    lines[1]["node"]["account"] = json!({ "code": "9999" });
    error(&client.add(&lines).await);
    assert!(simulation.xledger().queue().is_empty());
}

#[tokio::test]
async fn a_mutation_has_at_most_five_hundred_nodes() {
    let (simulation, client) = books().await;
    let lines: Vec<Value> = (0..501)
        .map(|at| line(1, "7140", "1.00", &at.to_string()))
        .collect();
    let answer = client.add(&lines).await;
    assert_eq!(error(&answer)["extensions"]["code"], "INVALID_VALUE");
    assert!(simulation.xledger().queue().is_empty());
    assert_eq!(client.added(&lines[..500]).await.len(), 500);
}

#[tokio::test]
async fn lines_in_the_queue_are_updated_and_removed() {
    let (simulation, client) = books().await;
    let ids = client.added(&voucher(1, "10.00", "A")).await;
    let update = "mutation($i:[UpdateGLImportItemsInput!]!){updateGLImportItems(inputs:$i){edges{clientId node{dbId text}}}}";
    let change = |id: i64| json!({ "i": [{ "clientId": "x", "node": { "dbId": id, "text": "Rettet", "taxRule": { "code": "1" } } }] });
    let answer = client.ask(update, change(ids[0])).await;
    let edge = &answer["data"]["updateGLImportItems"]["edges"][0];
    assert_eq!(
        *edge,
        json!({ "clientId": "x", "node": { "dbId": ids[0], "text": "Rettet" } })
    );
    let answer = client.ask(update, change(1)).await;
    assert_eq!(error(&answer)["extensions"]["code"], "INVALID_VALUE");
    let remove = "mutation($d:[Int64String!]!){removeGLImportItems(dbIds:$d){numAffected skippedDbIds}}";
    let answer = client
        .ask(remove, json!({ "d": [ids[0], ids[1].to_string(), 1] }))
        .await;
    assert_eq!(
        answer["data"]["removeGLImportItems"],
        json!({ "numAffected": 2, "skippedDbIds": [1] })
    );
    assert!(simulation.xledger().queue().is_empty());
}
