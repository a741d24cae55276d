use jiff::SignedDuration;
use serde_json::json;
use tests::xledger::JobReport;

use crate::client::{Client, books, voucher};

async fn messages(client: &Client) -> Vec<String> {
    let fields = "dbId message transactionDbId createdAt errorLevel { code name }";
    let rows = client.nodes("glImportItemErrors(first: 1000)", fields).await;
    assert!(rows.iter().all(|row| row["errorLevel"]["code"] == "ERROR"));
    rows.iter()
        .map(|row| row["message"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_voucher_is_posted_every_half_hour_and_leaves_the_queue() {
    let (simulation, client) = books().await;
    client.added(&voucher(1, "101.00", "A")).await;
    simulation.advance(SignedDuration::from_mins(29));
    assert_eq!(client.nodes("glImportItems", "dbId").await.len(), 2);
    simulation.advance(SignedDuration::from_mins(2));
    assert!(client.nodes("glImportItems", "dbId").await.is_empty());
    let posted = client
        .nodes(
            "journalEntries(filter: { extIdentifier: \"A-1\" })",
            "amount transactionNumber account { code }",
        )
        .await;
    assert_eq!(posted.len(), 1);
    assert_eq!(
        (&posted[0]["amount"], &posted[0]["account"]["code"]),
        (&json!("101.00"), &json!("7140"))
    );
    let fields = "amount accountDbId header { transactionNumber postedDate }";
    let transactions = client.nodes("transactions(first: 9)", fields).await;
    assert_eq!(transactions.len(), 2);
    for row in &transactions {
        assert_eq!(row["header"]["transactionNumber"], posted[0]["transactionNumber"]);
        assert_eq!(row["header"]["postedDate"], "2026-02-17");
        assert!(row["accountDbId"].is_i64());
    }
}

#[tokio::test]
async fn a_job_that_does_not_run_by_itself_posts_nothing() {
    let (simulation, client) = books().await;
    simulation
        .xledger()
        .change(|settings| settings.job_interval = None);
    client.added(&voucher(1, "101.00", "A")).await;
    simulation.advance(SignedDuration::from_hours(48));
    assert_eq!(simulation.xledger().queue().len(), 2);
    let report = simulation.xledger().run_job();
    assert_eq!(
        report,
        JobReport {
            posted: 1,
            refused: 0
        }
    );
}

#[tokio::test]
async fn a_voucher_that_does_not_sum_to_zero_stays_in_the_queue() {
    let (simulation, client) = books().await;
    let mut lines = voucher(1, "101.00", "A");
    lines[1]["node"]["amount"] = json!("-100.99");
    client.added(&lines).await;
    client.added(&voucher(2, "5.00", "B")).await;
    assert_eq!(
        simulation.xledger().run_job(),
        JobReport {
            posted: 1,
            refused: 1
        }
    );
    let told = messages(&client).await;
    assert_eq!(told.len(), 2);
    assert!(told[0].contains("not balanced") && told[0].contains("0.01"));
    assert_eq!(client.nodes("glImportItems", "dbId").await.len(), 2);
}

#[tokio::test]
async fn a_voucher_that_is_split_over_calls_is_posted_in_halves_or_not_at_all() {
    let (simulation, client) = books().await;
    let lines = voucher(1, "101.00", "A");
    client.added(&lines[..1]).await;
    assert_eq!(simulation.xledger().run_job().refused, 1);
    client.added(&lines[1..]).await;
    assert_eq!(simulation.xledger().run_job().posted, 1);
}

#[tokio::test]
async fn nothing_is_posted_in_a_closed_period_until_it_is_opened() {
    let (simulation, client) = books().await;
    let xledger = simulation.xledger();
    xledger.close_period("23001", 2026, 2, true);
    let ids = client.added(&voucher(1, "101.00", "A")).await;
    simulation.advance(SignedDuration::from_mins(31));
    assert_eq!(messages(&client).await, ["The period 2026-02 is closed."; 2]);
    let first = xledger.errors();
    assert!(ids.contains(&first[0].line));
    simulation.advance(SignedDuration::from_mins(60));
    let again = xledger.errors();
    assert_eq!(again.len(), 2, "what is wrong is told once");
    assert_eq!(again[0].db_id, first[0].db_id);
    xledger.close_period("23001", 2026, 2, false);
    simulation.advance(SignedDuration::from_mins(31));
    assert!(messages(&client).await.is_empty() && xledger.posted().len() == 2);
}

#[tokio::test]
async fn locked_and_missing_things_keep_a_voucher_in_the_queue() {
    let (simulation, client) = books().await;
    let xledger = simulation.xledger();
    xledger.lock("Account", "2910", true);
    xledger.register("Account", "7140", |account| {
        account.requires = vec!["glObject1".to_owned()]
    });
    client.added(&voucher(1, "101.00", "A")).await;
    xledger.run_job();
    let told = messages(&client).await;
    assert!(
        told.contains(&"The account 2910 is locked.".to_owned()),
        "{told:?}"
    );
    assert!(
        told.contains(&"The account 7140 must have glObject1.".to_owned()),
        "{told:?}"
    );
    client
        .added(&[json!({ "node": { "text": "Nothing else" } })])
        .await;
    xledger.run_job();
    let told = messages(&client).await.join(" ");
    for field in [
        "trRegNumber",
        "amount",
        "postedDate",
        "account",
        "transactionSource",
    ] {
        assert!(told.contains(&format!("The field {field} is missing.")), "{told}");
    }
}

#[tokio::test]
async fn a_corrected_line_is_posted_with_the_next_run() {
    let (simulation, client) = books().await;
    let mut lines = voucher(1, "101.00", "A");
    lines[1]["node"]["amount"] = json!("-100.99");
    let ids = client.added(&lines).await;
    simulation.xledger().run_job();
    let update =
        "mutation($i:[UpdateGLImportItemsInput!]!){updateGLImportItems(inputs:$i){edges{node{dbId}}}}";
    let change = json!({ "i": [{ "node": { "dbId": ids[0], "amount": "-101.00" } }] });
    client.ask(update, change).await;
    assert_eq!(simulation.xledger().run_job().posted, 1);
    assert!(messages(&client).await.is_empty());
}

#[tokio::test]
async fn the_job_refuses_a_line_for_a_reason_of_its_own_until_it_does_not() {
    let (simulation, client) = books().await;
    let xledger = simulation.xledger();
    client.added(&voucher(1, "101.00", "A")).await;
    client.added(&voucher(2, "5.00", "B")).await;
    xledger.reject("A-2", Some("Supplier is blocked."));
    assert_eq!(
        xledger.run_job(),
        JobReport {
            posted: 1,
            refused: 1
        }
    );
    assert_eq!(messages(&client).await, ["Supplier is blocked."]);
    xledger.reject("A-2", None);
    assert_eq!(xledger.run_job().posted, 1);
}

#[tokio::test]
async fn vouchers_of_two_entities_may_have_one_number() {
    let (simulation, client) = books().await;
    let mut lines = voucher(1, "101.00", "A");
    lines[1]["node"]["owner"] = json!({ "code": "23002" });
    client.added(&lines).await;
    assert_eq!(
        simulation.xledger().run_job(),
        JobReport {
            posted: 0,
            refused: 2
        }
    );
}
