//! The token endpoint of Cornerstone, which is asked in JSON.

use std::sync::Arc;

use secrecy::ExposeSecret as _;
use shared::http::Http;
use shared::oauth::{Application, Ask, Format, Outbound, Proof, TokenEndpoint as _, TokenErrorKind};
use tests::{Simulation, SimulationConfig};

use crate::simulation_clock::SimulationClock;

async fn endpoint(format: Format, secret: Option<&str>) -> Outbound {
    let simulation = Arc::new(Simulation::start(SimulationConfig::default()).await);
    let learner = simulation.learner().clone();
    Outbound {
        application: Application {
            endpoint: format!("{}/services/api/oauth2/token", simulation.base_url())
                .parse()
                .unwrap(),
            client_id: learner.client_id,
            proof: Proof::Secret(secret.map_or(learner.client_secret, str::to_owned).into()),
            scope: "all".to_owned(),
            format,
        },
        http: Http::new(simulation.base_url().parse().unwrap()),
        clock: Arc::new(SimulationClock(simulation)),
    }
}

#[tokio::test]
async fn it_is_asked_in_json_and_gives_a_token() {
    for format in [Format::Json, Format::Form] {
        let issued = endpoint(format, None)
            .await
            .ask(Ask::ClientCredentials)
            .await
            .unwrap();
        assert!(issued.access.expose_secret().starts_with("edge_"));
        assert!(issued.expires_in.is_some() && issued.refresh.is_none());
    }
}

#[tokio::test]
async fn a_wrong_secret_is_refused_and_shown_nowhere() {
    let endpoint = endpoint(Format::Json, Some("canary")).await;
    let error = endpoint.ask(Ask::ClientCredentials).await.unwrap_err();
    assert_eq!(error.kind(), TokenErrorKind::Refused);
    assert!(!format!("{error:?} {error} {endpoint:?}").contains("canary"));
}

#[tokio::test]
async fn no_person_signs_in_there() {
    let endpoint = endpoint(Format::Json, None).await;
    let error = endpoint.ask(Ask::Refresh(&"x".into())).await.unwrap_err();
    assert_eq!(error.kind(), TokenErrorKind::Refused);
}
