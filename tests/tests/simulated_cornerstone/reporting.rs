//! The reporting views.

use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::cornerstone::{Status, TrainingType};

use crate::client::{Client, Reply};

const FIVE: &str = "vw_rpt_transcript?$select=transc_user_id,reg_num";

async fn page(client: &Client, path: &str, size: &str) -> Reply {
    let prefer = format!("odata.maxpagesize={size}");
    let path = match path.starts_with("http") {
        true => path.to_owned(),
        false => format!("services/api/x/odata/api/views/{path}"),
    };
    client
        .ask(Method::GET, &path, &[("prefer", &prefer)], None)
        .await
        .unwrap()
}

/// Reads all pages; returns the users that their rows are about.
async fn read(client: &Client, path: &str, size: &str) -> Vec<i64> {
    let mut users = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let reply = page(client, &path, size).await;
        users.extend(
            reply
                .rows()
                .iter()
                .map(|row| row["transc_user_id"].as_i64().unwrap()),
        );
        next = reply.json()["@odata.nextLink"].as_str().map(str::to_owned);
    }
    users
}

/// Starts a portal in which five users are registered for one training.
async fn five() -> Client {
    let client = Client::new().await;
    client.portal().seed("u", 5, 1, 5, 1);
    client
}

#[tokio::test]
async fn a_registration_is_a_row_with_the_columns_that_are_asked_for() {
    let client = Client::new().await;
    let object = client.course();
    client.portal().enrol("kari", object, Status::Registered);
    client.portal().advance("kari", object, Status::Completed);
    client.catch_up();
    let columns = "transc_user_id,transc_object_id,reg_num,user_lo_status_group_id,user_lo_pct_complete,is_latest_reg_num,archived";
    let reply = client.view(&format!("vw_rpt_transcript?$select={columns}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let expected = json!({
        "transc_user_id": 1, "transc_object_id": object, "reg_num": 1, "user_lo_status_group_id": 11,
        "user_lo_pct_complete": 100, "is_latest_reg_num": 1, "archived": false,
    });
    assert_eq!(reply.rows(), [expected]);
    let all = client.view("vw_rpt_transcript").await.rows().remove(0);
    let modified = all["user_lo_last_modified_dt"].as_str().unwrap();
    assert!(modified.len() == 24 && modified.ends_with('Z'), "{modified}");
    assert!(all["user_lo_score"].is_null() && all["user_lo_comp_dt"].is_string());
}

#[tokio::test]
async fn users_and_trainings_have_views_too() {
    let client = Client::new().await;
    let object = client.course();
    client.catch_up();
    let user = client
        .view("vw_rpt_user?$filter=user_ref eq 'kari'")
        .await
        .rows()
        .remove(0);
    assert_eq!(
        (&user["user_id"], &user["user_status_id"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(user["user_name_last"], "Nordmann");
    let training = client
        .view(&format!("vw_rpt_training?$filter=object_id eq {object}"))
        .await;
    assert_eq!(training.rows()[0]["lo_title"], "Førstehjelp");
    assert_eq!(
        client
            .view("vw_rpt_training?$filter=lo_title eq 'Annet'")
            .await
            .rows()
            .len(),
        0
    );
}

#[tokio::test]
async fn a_change_is_seen_when_the_warehouse_has_it_and_not_before() {
    let client = Client::new().await;
    let object = client.course();
    client.catch_up();
    client.portal().enrol("kari", object, Status::Registered);
    let rows = async || {
        client
            .view("vw_rpt_transcript?$select=user_lo_status_group_id")
            .await
            .rows()
    };
    client.simulation.advance(SignedDuration::from_mins(14));
    assert!(rows().await.is_empty());
    client.portal().advance("kari", object, Status::InProgress);
    client.simulation.advance(SignedDuration::from_mins(1));
    assert_eq!(
        rows().await,
        [json!({ "user_lo_status_group_id": 13 })],
        "as it was 15 minutes ago"
    );
    client.simulation.advance(SignedDuration::from_mins(14));
    assert_eq!(rows().await, [json!({ "user_lo_status_group_id": 12 })]);
    let now = client
        .transcript(&format!("details?externalId=kari&learningObjectId={object}"))
        .await;
    assert_eq!(
        now.json()["data"]["status"],
        "InProgress",
        "transcripts have no lag"
    );
}

#[tokio::test]
async fn a_later_change_may_be_seen_before_an_earlier_one() {
    let client = Client::new().await;
    let object = client.course();
    client.portal().add_user("ola", "Ola", "Nordmann");
    client.catch_up();
    client.portal().enrol("kari", object, Status::Registered);
    client.simulation.advance(SignedDuration::from_mins(1));
    client
        .portal()
        .change(|settings| settings.warehouse_lag = SignedDuration::from_mins(2));
    client.portal().enrol("ola", object, Status::Registered);
    client.simulation.advance(SignedDuration::from_mins(2));
    assert_eq!(read(&client, FIVE, "10").await, [2]);
    client.simulation.advance(SignedDuration::from_mins(12));
    assert_eq!(read(&client, FIVE, "10").await, [1, 2]);
}

#[tokio::test]
async fn rows_are_filtered_by_time_number_and_text() {
    let client = five().await;
    client.simulation.advance(SignedDuration::from_mins(20));
    let since = client.simulation.now();
    client.simulation.advance(SignedDuration::from_mins(1));
    let object = client.portal().learning_objects()[0].id;
    client.portal().advance("u3", object, Status::Completed);
    client.catch_up();
    let filtered = async |filter: String| read(&client, &format!("{FIVE}&$filter={filter}"), "10").await;
    assert_eq!(
        filtered(format!("user_lo_last_modified_dt ge {since}")).await,
        [3]
    );
    assert_eq!(
        filtered(format!("user_lo_last_modified_dt lt {since}")).await,
        [1, 2, 4, 5]
    );
    assert_eq!(
        filtered("transc_user_id gt 1 and transc_user_id le 3".to_owned()).await,
        [2, 3]
    );
    assert_eq!(
        filtered("transc_user_id eq 1 or transc_user_id eq 5".to_owned()).await,
        [1, 5]
    );
    assert_eq!(
        filtered(format!("transc_object_id eq {object} and transc_user_id eq 4")).await,
        [4]
    );
    assert_eq!(
        filtered("is_archive eq 0 and archived eq false".to_owned())
            .await
            .len(),
        5
    );
}

#[tokio::test]
async fn what_a_query_does_not_know_is_refused() {
    let client = five().await;
    for query in [
        "$select=transc_user_id,unheard_of",
        "$filter=unheard_of eq 1",
        "$filter=transc_user_id eq '1'",
        "$filter=user_lo_last_modified_dt ge 'yesterday'",
        "$filter=transc_user_id eq",
        "$filter=contains(user_lo_comment,'x')",
        "$orderby=unheard_of",
        "$orderby=reg_num sideways",
        "$expand=everything",
        "$top=many",
        "$skiptoken=made-up",
        "$select=reg_num&$select=reg_num",
    ] {
        let reply = client.view(&format!("vw_rpt_transcript?{query}")).await;
        assert_eq!(
            (reply.status, reply.message().is_empty()),
            (400, false),
            "{query}"
        );
    }
}

#[tokio::test]
async fn pages_are_continued_until_there_is_no_next_link() {
    let client = five().await;
    assert_eq!(read(&client, FIVE, "2").await, [1, 2, 3, 4, 5]);
    let first = page(&client, &format!("{FIVE}&$count=true"), "2").await.json();
    assert_eq!(
        (&first["@odata.count"], first["value"].as_array().unwrap().len()),
        (&json!(5), 2)
    );
    let next = first["@odata.nextLink"].as_str().unwrap();
    assert!(!next.contains("select"), "the link says nothing: {next}");
    let second = page(&client, next, "9").await.json();
    assert_eq!(
        second["value"][0],
        json!({ "transc_user_id": 3, "reg_num": 1 }),
        "with the same columns"
    );
    assert_eq!(
        second["value"].as_array().unwrap().len(),
        2,
        "of the size that was asked for first"
    );
    assert_eq!(
        read(&client, &format!("{FIVE}&$orderby=transc_user_id desc"), "2").await,
        [5, 4, 3, 2, 1]
    );
    assert_eq!(read(&client, &format!("{FIVE}&$top=3"), "2").await, [1, 2, 3]);
}

#[tokio::test]
async fn a_page_has_a_thousand_rows_unless_more_are_asked_for_up_to_ten_thousand() {
    let client = Client::new().await;
    client.portal().seed("u", 3500, 3, 10_500, 1);
    let rows = async |size: Option<&str>| {
        let reply = match size {
            None => client.view(FIVE).await,
            Some(size) => page(&client, FIVE, size).await,
        };
        reply.rows().len()
    };
    assert_eq!(rows(None).await, 1000);
    assert_eq!(rows(Some("5000")).await, 5000);
    assert_eq!(rows(Some("20000")).await, 10_000);
}

#[tokio::test]
async fn pages_may_repeat_rows_and_none_is_lost() {
    let client = five().await;
    client.portal().change(|settings| settings.repeated_rows = 1);
    assert_eq!(read(&client, FIVE, "3").await, [1, 2, 3, 3, 4, 5]);
    assert_eq!(read(&client, FIVE, "2").await, [1, 2, 2, 3, 3, 4, 4, 5]);
}

#[tokio::test]
async fn rows_that_go_meanwhile_shift_pages_that_count_them() {
    for (shifting, expected) in [(false, [1, 2, 3, 4, 5].as_slice()), (true, &[1, 2, 4, 5])] {
        let client = five().await;
        client
            .portal()
            .change(|settings| settings.shifting_pages = shifting);
        let object = client.portal().learning_objects()[0].id;
        let first = page(&client, FIVE, "2").await;
        let next = first.json()["@odata.nextLink"].as_str().unwrap().to_owned();
        client.portal().purge("u1", object);
        let mut users = vec![1, 2];
        users.extend(read(&client, &next, "2").await);
        assert_eq!(users, expected);
    }
}

#[tokio::test]
async fn a_next_link_ends_when_it_is_made_to() {
    let client = five().await;
    let next = page(&client, FIVE, "2").await.json()["@odata.nextLink"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(page(&client, &next, "2").await.status, 200);
    client.portal().expire_next_links();
    assert_eq!(page(&client, &next, "2").await.status, 400);
    let other = next.replace("vw_rpt_transcript", "vw_rpt_user");
    assert_eq!(client.get(&other).await.status, 400);
}

#[tokio::test]
async fn a_training_that_is_taken_again_is_a_row_of_its_own_and_the_latest() {
    let client = Client::new().await;
    client.portal().add_user("kari", "Kari", "Nordmann");
    let object = client.portal().add_learning_object("Test", TrainingType::Test).id;
    client.portal().enrol("kari", object, Status::Completed);
    client.portal().enrol("kari", object, Status::Registered);
    client.catch_up();
    let rows = client
        .view("vw_rpt_transcript?$select=reg_num,is_latest_reg_num")
        .await
        .rows();
    let row =
        |number: i64, latest: i64| -> Value { json!({ "reg_num": number, "is_latest_reg_num": latest }) };
    assert_eq!(rows, [row(1, 0), row(2, 1)]);
}
