use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::client::{books, error, message, voucher};

#[tokio::test]
async fn pages_follow_each_other_by_the_cursor_of_the_last_edge() {
    let (_simulation, client) = books().await;
    for number in 0..7 {
        client
            .added(&voucher(number, "1.00", &format!("R{number}")))
            .await;
    }
    let query =
        "query($a:String){glImportItems(first:4,after:$a){pageInfo{hasNextPage} edges{cursor node{dbId}}}}";
    let (mut seen, mut after, mut pages) = (BTreeSet::new(), Value::Null, 0);
    loop {
        let answer = client.ask(query, json!({ "a": after })).await;
        let page = &answer["data"]["glImportItems"];
        let edges = page["edges"].as_array().unwrap();
        seen.extend(edges.iter().map(|edge| edge["node"]["dbId"].as_i64().unwrap()));
        after = edges.last().unwrap()["cursor"].clone();
        pages += 1;
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!((seen.len(), pages), (14, 4));
    let answer = client.ask(query, json!({ "a": after })).await;
    assert_eq!(answer["data"]["glImportItems"]["edges"], json!([]));
}

#[tokio::test]
async fn a_page_is_taken_from_the_front_or_from_the_back() {
    let (_simulation, client) = books().await;
    let codes = async |page: &str| {
        let rows = client.nodes(&format!("transactionSources({page})"), "code").await;
        rows.iter()
            .map(|row| row["code"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(codes("first: 2").await, ["GL", "AR"]);
    assert_eq!(codes("last: 2").await, ["LG", "SO"]);
    for wrong in [
        "first: 0",
        "first: -1",
        "first: 1, last: 1",
        "first: 1, after: \"nonsense\"",
    ] {
        let query = format!("{{ transactionSources({wrong}) {{ edges {{ cursor }} }} }}");
        let answer = client.ask(&query, Value::Null).await;
        assert_eq!(error(&answer)["extensions"]["code"], "INVALID_VALUE", "{wrong}");
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_connection_only() {
    let (_simulation, client) = books().await;
    let answer = client
        .ask("{ accounts(first: 1) { edges { cursor } } }", Value::Null)
        .await;
    let cursor = &answer["data"]["accounts"]["edges"][0]["cursor"];
    let query = "query($a:String){projects(first:1,after:$a){edges{cursor}}}";
    let answer = client.ask(query, json!({ "a": cursor })).await;
    assert_eq!(error(&answer)["extensions"]["code"], "INVALID_VALUE");
}

#[tokio::test]
async fn a_page_that_is_too_large_times_out_and_one_without_a_size_is_small() {
    let (simulation, client) = books().await;
    for number in 0..20 {
        client
            .added(&voucher(number, "1.00", &format!("R{number}")))
            .await;
    }
    assert_eq!(client.nodes("glImportItems", "dbId").await.len(), 25);
    assert_eq!(
        client.nodes("glImportItems(first: 10000)", "dbId").await.len(),
        40
    );
    let query = "{ glImportItems(first: 10001) { edges { cursor } } }";
    assert_eq!(
        message(&client.ask(query, Value::Null).await),
        "Your query timed out."
    );
    simulation.xledger().change(|settings| settings.largest_page = 30);
    let query = "{ glImportItems(first: 31) { edges { cursor } } }";
    assert_eq!(
        message(&client.ask(query, Value::Null).await),
        "Your query timed out."
    );
}

#[tokio::test]
async fn lines_are_found_by_what_their_sender_called_them() {
    let (_simulation, client) = books().await;
    client.added(&voucher(20_260_217, "101.00", "RMB-4711")).await;
    client.added(&voucher(20_260_218, "7.50", "RMB-4712")).await;
    let fields = "dbId trRegNumber amount extIdentifier postedDate fiscalYear fiscalPeriod";
    let rows = client
        .nodes("glImportItems(filter: { extIdentifier: \"RMB-4711-2\" })", fields)
        .await;
    assert_eq!(rows.len(), 1);
    let seen = [
        "trRegNumber",
        "amount",
        "postedDate",
        "fiscalYear",
        "fiscalPeriod",
    ]
    .map(|field| rows[0][field].clone());
    assert_eq!(json!(seen), json!([20_260_217, "-101.00", "2026-02-17", 2026, 2]));
    let count = async |filter: &str| {
        client
            .nodes(&format!("glImportItems(filter: {{ {filter} }})"), "dbId")
            .await
            .len()
    };
    assert_eq!(
        count("extIdentifier_in: [\"RMB-4711-1\", \"RMB-4712-2\", \"none\"]").await,
        2
    );
    assert_eq!(count("trRegNumber: 20260218").await, 2);
    assert_eq!(count("trRegNumber_gte: 20260218, amount_lt: \"0.00\"").await, 1);
    assert_eq!(count("postedDate_gt: \"2026-02-17\"").await, 0);
    assert_eq!(count("extIdentifier: null").await, 0);
}

#[tokio::test]
async fn times_are_local_and_say_no_zone() {
    let (simulation, client) = books().await;
    let summer: jiff::Timestamp = "2027-07-01T10:00:00Z".parse().unwrap();
    simulation.advance(summer.duration_since(simulation.now()));
    client.added(&voucher(1, "1.00", "A")).await;
    let rows = client
        .nodes("glImportItems(first: 1)", "createdAt modifiedAt")
        .await;
    let created = rows[0]["createdAt"].as_str().unwrap().to_owned();
    assert!(created.starts_with("2027-07-01T12:00"), "{created}");
    let count = async |since: &str| {
        let filter = format!("glImportItems(filter: {{ modifiedAt_gte: \"{since}\" }})");
        client.nodes(&filter, "dbId").await.len()
    };
    assert_eq!(count("2027-07-01T11:45:00").await, 2);
    assert_eq!(count("2027-07-01T12:30:00").await, 0);
    let zoned =
        "{ glImportItems(filter: { modifiedAt_gte: \"2027-07-01T10:00:00Z\" }) { edges { cursor } } }";
    let answer = client.ask(zoned, Value::Null).await;
    assert_eq!(error(&answer)["extensions"]["code"], "ARGUMENTS_OF_CORRECT_TYPE");
}

#[tokio::test]
async fn registers_are_read_for_preflight() {
    let (simulation, client) = books().await;
    simulation.xledger().lock("Account", "7100", true);
    let codes = async |connection: &str| {
        let rows = client.nodes(connection, "code dbId").await;
        rows.iter()
            .map(|row| row["code"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let wanted = "accounts(filter: { code_in: [\"7140\", \"7100\", \"9999\"] }, objectStatus: OPEN)";
    assert_eq!(codes(wanted).await, ["7140"]);
    assert_eq!(codes("accounts(filter: { code: \"7100\" })").await, ["7100"]);
    assert_eq!(codes("taxRules(first: 9)").await, ["0", "1", "3"]);
    assert_eq!(codes("currencies(filter: { code: \"NOK\" })").await, ["NOK"]);
    assert_eq!(codes("projects(objectStatus: OPEN)").await, ["P10", "P20"]);
    assert_eq!(
        codes("objectValues(filter: { objectKindDbId: 1 })").await,
        ["100", "200", "300"]
    );
    assert_eq!(codes("entities(first: 9)").await, ["23001", "23002"]);
}

#[tokio::test]
async fn a_line_that_was_added_is_listed_after_a_while() {
    let (simulation, client) = books().await;
    simulation
        .xledger()
        .change(|settings| settings.read_back_lag = SignedDuration::from_secs(90));
    client.added(&voucher(1, "1.00", "A")).await;
    assert_eq!(simulation.xledger().queue().len(), 2);
    assert!(client.nodes("glImportItems(first: 9)", "dbId").await.is_empty());
    simulation.advance(SignedDuration::from_secs(91));
    assert_eq!(client.nodes("glImportItems(first: 9)", "dbId").await.len(), 2);
}
