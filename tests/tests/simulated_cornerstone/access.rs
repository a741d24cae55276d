//! Who may ask.

use http::Method;
use jiff::SignedDuration;
use serde_json::json;

use crate::client::Client;

#[tokio::test]
async fn nobody_asks_anything_without_a_token() {
    let mut client = Client::new().await;
    for token in ["", "made-up"] {
        client.token = token.to_owned();
        for path in [
            "services/api/x/odata/api/views/vw_rpt_user",
            "services/api/v1/transcripts/overview?externalId=kari",
            "services/api/x/users/v2/employees?externalId=kari",
            "services/api/LO/GetDetails?ObjectID=x",
        ] {
            let reply = client.get(path).await;
            assert_eq!(
                (reply.status, reply.json()["status"].as_str()),
                (401, Some("401")),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn a_token_ends() {
    let client = Client::new().await;
    client.course();
    let path = "overview?externalId=kari";
    client.simulation.advance(SignedDuration::from_secs(3590));
    assert_eq!(client.transcript(path).await.status, 200);
    client.simulation.advance(SignedDuration::from_secs(60));
    assert_eq!(client.transcript(path).await.status, 401);
}

#[tokio::test]
async fn a_token_is_good_for_its_scopes_and_what_is_missing_looks_like_a_bad_token() {
    let mut client = Client::new().await;
    let object = client.course();
    client.token = client.sign_in("transcript:read vw_rpt_user:read").await;
    assert_eq!(client.transcript("overview?externalId=kari").await.status, 200);
    assert_eq!(client.view("vw_rpt_user").await.status, 200);
    let refused = client.view("vw_rpt_transcript").await;
    assert_eq!(client.assign(object).await.status, 401);
    assert_eq!(
        client.get("services/api/x/users/v2/employees/1").await.status,
        401
    );
    client.token = "made-up".to_owned();
    let bad = client.view("vw_rpt_transcript").await;
    assert_eq!((refused.status, refused.message()), (bad.status, bad.message()));
    assert_eq!(client.portal().api_writes(), 0);
}

#[tokio::test]
async fn a_permission_that_is_taken_away_is_missing_from_the_next_token() {
    let mut client = Client::new().await;
    client.course();
    let sign_in = client.portal().sign_in();
    sign_in.change(|settings| settings.withheld_scopes = vec!["transcript:read".to_owned()]);
    sign_in.revoke_access_tokens();
    assert_eq!(client.transcript("overview?externalId=kari").await.status, 401);
    client.token = client.sign_in("all").await;
    assert_eq!(client.transcript("overview?externalId=kari").await.status, 401);
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_what_is_not_done_is_not_allowed() {
    let client = Client::new().await;
    client.course();
    for (method, path, status) in [
        (Method::GET, "services/api/x/odata/api/views/vw_rpt_user/", 401),
        (
            Method::GET,
            "services/api/v1/transcripts/everything?externalId=kari",
            404,
        ),
        (Method::GET, "services/api/Catalog/GlobalSearch", 404),
        (Method::DELETE, "services/api/x/odata/api/views/vw_rpt_user", 405),
        (Method::POST, "services/api/x/users/v2/employees", 405),
        (Method::GET, "services/api/v1/transcripts/assign", 404),
        (Method::PATCH, "services/api/v1/transcripts/assign", 405),
        (Method::POST, "services/api/v1/transcripts/complete", 405),
    ] {
        let reply = client.ask(method, path, &[], Some(&json!({}))).await.unwrap();
        assert_eq!(reply.status, status, "{path}: {}", reply.text);
    }
}
