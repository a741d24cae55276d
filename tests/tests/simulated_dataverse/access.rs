use jiff::SignedDuration;
use serde_json::json;
use tests::Simulation;
use tests::dataverse::Privilege;
use tests::dataverse::limits::ServiceProtection;

use crate::client::{Client, organization};

#[tokio::test]
async fn a_token_is_issued_for_the_right_form_only() {
    let (simulation, client) = organization(0).await;
    for (tenant, changed, value, status, error, number) in [
        (simulation.tenant(), "", "", 200, json!(null), json!(null)),
        (
            simulation.tenant(),
            "client_secret",
            "wrong",
            401,
            json!("invalid_client"),
            json!(7_000_215),
        ),
        (
            simulation.tenant(),
            "client_id",
            "nobody",
            400,
            json!("unauthorized_client"),
            json!(700_016),
        ),
        ("other", "", "", 400, json!("invalid_request"), json!(90_002)),
        (
            simulation.tenant(),
            "scope",
            "https://x",
            400,
            json!("invalid_scope"),
            json!(70_011),
        ),
        (
            simulation.tenant(),
            "grant_type",
            "password",
            400,
            json!("unsupported_grant_type"),
            json!(70_003),
        ),
        (
            simulation.tenant(),
            "client_secret",
            "",
            401,
            json!("invalid_client"),
            json!(7_000_216),
        ),
        (
            simulation.tenant(),
            "client_id",
            "",
            400,
            json!("invalid_request"),
            json!(900_144),
        ),
    ] {
        let reply = client.ask_token(tenant, &form(&simulation, changed, value)).await;
        let body = reply.json();
        assert_eq!((reply.status, &body["error"]), (status, &error), "{body}");
        assert_eq!(body["error_codes"][0], number);
        assert!(status == 200 || body["trace_id"].is_string());
    }
}

/// Returns a good form with one field changed.
fn form(simulation: &Simulation, changed: &str, value: &str) -> [(&'static str, String); 4] {
    let good = [
        ("client_id", simulation.client_id().to_owned()),
        ("client_secret", simulation.client_secret().to_owned()),
        ("scope", simulation.scope()),
        ("grant_type", "client_credentials".to_owned()),
    ];
    good.map(|(name, usual)| (name, if name == changed { value.to_owned() } else { usual }))
}

#[tokio::test]
async fn a_request_without_a_good_token_is_challenged() {
    let (simulation, mut client) = organization(0).await;
    assert_eq!(client.get("WhoAmI").await.status, 200);
    simulation.advance(SignedDuration::from_secs(3600));
    let reply = client.get("WhoAmI").await;
    assert_eq!(reply.status, 401);
    assert!(
        reply
            .header("www-authenticate")
            .starts_with("Bearer authorization_uri=")
    );
    client = Client::new(&simulation).await;
    assert_eq!(client.get("WhoAmI").await.status, 200);
    simulation.revoke_tokens();
    assert_eq!(client.get("WhoAmI").await.status, 401);
}

#[tokio::test]
async fn a_token_for_another_organization_is_challenged() {
    let (simulation, mut client) = organization(0).await;
    let fields = form(&simulation, "scope", "https://another.crm4.dynamics.com/.default");
    let reply = client.ask_token(simulation.tenant(), &fields).await;
    client.token = reply.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(client.get("WhoAmI").await.status, 401);
}

#[tokio::test]
async fn users_need_membership_and_privileges() {
    let (simulation, client) = organization(3).await;
    let stranger = Client::of(&simulation, simulation.stranger()).await;
    let reply = stranger.get("WhoAmI").await;
    assert_eq!((reply.status, reply.code().as_str()), (403, "0x80072560"));
    let unprivileged = Client::of(&simulation, simulation.unprivileged()).await;
    assert_eq!(unprivileged.get("WhoAmI").await.status, 200);
    let reply = unprivileged.get("contacts").await;
    assert_eq!((reply.status, reply.code().as_str()), (403, "0x80040220"));
    simulation.revoke_privilege("contact", Privilege::Create);
    assert_eq!(client.get("contacts").await.status, 200);
    assert_eq!(
        client.post("contacts", &json!({"firstname": "A"})).await.status,
        403
    );
    assert_eq!(
        client
            .patch("contacts(hlf_memberno='new')", &json!({}))
            .await
            .status,
        403
    );
    simulation.grant_privilege("contact", Privilege::Create);
    assert_eq!(
        client.post("contacts", &json!({"firstname": "A"})).await.status,
        204
    );
}

#[tokio::test]
async fn other_versions_and_formats_are_refused() {
    let (simulation, client) = organization(0).await;
    let send = |name: &'static str, value: &'static str| {
        let headers = [
            ("accept", "application/json"),
            ("odata-version", "4.0"),
            ("odata-maxversion", "4.0"),
        ];
        let url = format!("{}/api/data/v9.2/WhoAmI", simulation.base_url());
        let request = crate::client::http().get(url).bearer_auth(&client.token);
        let headers = headers.map(|(known, usual)| (known, if known == name { value } else { usual }));
        let kept = headers.into_iter().filter(|(_, value)| !value.is_empty());
        kept.fold(request, |request, (name, value)| request.header(name, value))
            .send()
    };
    for (name, value, status) in [
        ("accept", "", 200),
        ("accept", "*/*", 200),
        ("accept", "text/html", 406),
        ("odata-version", "", 400),
        ("odata-version", "3.0", 400),
        ("odata-maxversion", "4.01", 400),
    ] {
        assert_eq!(
            send(name, value).await.unwrap().status().as_u16(),
            status,
            "{name}: {value}"
        );
    }
}

#[tokio::test]
async fn every_request_during_a_ban_lengthens_it() {
    let (simulation, client) = organization(0).await;
    simulation.protect(ServiceProtection {
        requests: 3,
        ..ServiceProtection::default()
    });
    for left in ["2", "1", "0"] {
        let reply = client.get("WhoAmI").await;
        assert_eq!(reply.header("x-ms-ratelimit-burst-remaining-xrm-requests"), left);
    }
    let first = client.get("WhoAmI").await;
    assert_eq!((first.status, first.code().as_str()), (429, "0x80072322"));
    assert_eq!(first.header("retry-after"), "20");
    let second = client.get("WhoAmI").await;
    assert_eq!(second.header("retry-after"), "25");
    simulation.advance(SignedDuration::from_secs(301));
    assert_eq!(client.get("WhoAmI").await.status, 200);
}

#[tokio::test]
async fn requests_at_once_are_limited() {
    let (simulation, client) = organization(0).await;
    simulation.protect(ServiceProtection {
        concurrent: 0,
        ..ServiceProtection::default()
    });
    let reply = client.get("WhoAmI").await;
    assert_eq!((reply.status, reply.code().as_str()), (429, "0x80072326"));
}
