use tests::xledger::tls::{Authority, Identity};
use tests::{Simulation, SimulationConfig};

use crate::client::Client;
use crate::soap::{UPLOAD, Upload, journal, key, send, text};

async fn served_over_tls() -> Simulation {
    Simulation::start(SimulationConfig {
        tls: true,
        ..SimulationConfig::default()
    })
    .await
}

/// Returns a client of the address with TLS, which shows a certificate if it has one.
fn client(simulation: &Simulation, identity: Option<&Identity>) -> Client {
    let mut client = Client::new(simulation);
    let authority = simulation.authority().unwrap().certificate().as_bytes();
    let root = reqwest::Certificate::from_pem(authority).unwrap();
    let mut http = reqwest::Client::builder().tls_certs_only([root]);
    if let Some(identity) = identity {
        let pem = format!("{}{}", identity.private_key, identity.certificate);
        http = http.identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap());
    }
    client.http = http.build().unwrap();
    client.base_url = simulation.tls_url().unwrap().to_owned();
    client
}

async fn body(simulation: &Simulation) -> String {
    let (user, key) = key(simulation, &Client::new(simulation)).await;
    let file = journal("23001", &[("7140", "101.00"), ("2910", "-101.00")]);
    let upload = Upload {
        user: &user.name,
        key: &key,
        code: "GL02XML",
        entity: "23001",
        file: &file,
    };
    upload.envelope()
}

#[tokio::test]
async fn an_upload_with_a_certificate_is_taken() {
    let simulation = served_over_tls().await;
    let body = body(&simulation).await;
    let identity = simulation.authority().unwrap().client("webservice");
    let reply = send(&client(&simulation, Some(&identity)), UPLOAD, body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert!(!text(&reply, "ReceiveFileResult").is_empty());
    assert_eq!(simulation.xledger().queue().len(), 2);
}

#[tokio::test]
async fn an_upload_without_a_certificate_is_refused() {
    let simulation = served_over_tls().await;
    let body = body(&simulation).await;
    for client in [client(&simulation, None), Client::new(&simulation)] {
        let reply = send(&client, UPLOAD, body.clone()).await;
        assert_eq!(reply.status, 403);
    }
    assert!(simulation.xledger().queue().is_empty());
}

#[tokio::test]
async fn a_certificate_of_another_authority_does_not_get_through_the_handshake() {
    let simulation = served_over_tls().await;
    let body = body(&simulation).await;
    let stranger = Authority::new("Somebody else").client("webservice");
    let client = client(&simulation, Some(&stranger));
    let headers = [("content-type", "application/soap+xml")];
    client.post(UPLOAD, &headers, body).await.unwrap_err();
    assert!(simulation.xledger().queue().is_empty());
}

#[tokio::test]
async fn graphql_is_served_over_tls_to_whoever_has_no_certificate() {
    let simulation = served_over_tls().await;
    let answer = client(&simulation, None)
        .ask("{ __typename }", serde_json::Value::Null)
        .await;
    assert_eq!(answer["data"]["__typename"], "Query");
}
