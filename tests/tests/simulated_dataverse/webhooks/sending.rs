//! How webhooks are sent, and what becomes of them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::json;
use tests::dataverse::Delivered;
use tests::{Simulation, SimulationConfig};

use super::registered;
use crate::client::Client;

/// Somebody who gets webhooks and answers as told.
struct Receiver {
    url: String,
    script: Arc<Mutex<Script>>,
}

#[derive(Default)]
struct Script {
    /// The answers, the last first; 0 is none for a second.
    answers: Vec<u16>,
    got: Vec<(HeaderMap, String)>,
}

impl Receiver {
    async fn start() -> Self {
        let script = Arc::<Mutex<Script>>::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(Arc::clone(&script));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, script }
    }

    fn answers(&self, answers: &[u16]) {
        self.script.lock().unwrap().answers = answers.iter().rev().copied().collect();
    }

    fn take(&self) -> Vec<(HeaderMap, String)> {
        std::mem::take(&mut self.script.lock().unwrap().got)
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, headers: HeaderMap, body: String) -> StatusCode {
    let status = {
        let mut script = script.lock().unwrap();
        script.got.push((headers, body));
        script.answers.pop().unwrap()
    };
    if status == 0 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    StatusCode::from_u16(status).unwrap_or(StatusCode::OK)
}

async fn told(receiver: &Receiver) -> (Simulation, Client) {
    let simulation = Simulation::start(SimulationConfig {
        webhook_timeout: Duration::from_millis(300),
        ..SimulationConfig::default()
    })
    .await;
    let client = Client::new(&simulation).await;
    registered(&simulation, &client, &receiver.url, None).await;
    (simulation, client)
}

#[tokio::test]
async fn one_more_attempt_is_made_and_only_where_it_may_help() {
    let receiver = Receiver::start().await;
    let (simulation, _) = told(&receiver).await;
    let mut sum = Delivered::default();
    for (answers, accepted) in [
        (&[200_u16][..], true),
        (&[204], true),
        (&[202], true),
        (&[503, 200], true),
        (&[502, 204], true),
        (&[504, 200], true),
        (&[503, 503], false),
        (&[502, 500], false),
        (&[500], false),
        (&[501], false),
        (&[400], false),
        (&[401], false),
        (&[404], false),
        (&[429], false),
        (&[301], false),
        (&[0], false),
        (&[503, 0], false),
    ] {
        receiver.answers(answers);
        simulation.create_as_human("contacts", &json!({ "lastname": "Berg" }));
        let delivered = simulation.deliver().await;
        let expected = Delivered {
            accepted: u64::from(accepted),
            failed: u64::from(!accepted),
            attempts: answers.len() as u64,
        };
        assert_eq!(delivered, expected, "{answers:?}");
        assert_eq!(receiver.take().len(), answers.len(), "{answers:?}");
        sum.accepted += delivered.accepted;
        sum.failed += delivered.failed;
    }
    assert_eq!(
        simulation.deliver().await,
        Delivered::default(),
        "nothing is left"
    );
    let counters = simulation.counters();
    assert_eq!(
        (counters.webhooks_delivered, counters.webhooks_failed),
        (sum.accepted, sum.failed)
    );
}

#[tokio::test]
async fn an_attempt_is_the_same_webhook_again() {
    let receiver = Receiver::start().await;
    let (simulation, client) = told(&receiver).await;
    receiver.answers(&[503, 200]);
    client.contact(&json!({ "lastname": "Berg" })).await;
    simulation.deliver().await;
    let got = receiver.take();
    assert_eq!(got[0].1, got[1].1);
    for (headers, _) in &got {
        assert_eq!(headers["x-secret"], "a&b");
        assert_eq!(headers["x-ms-dynamics-request-name"], "Create");
        assert_eq!(headers["content-type"], "application/json; charset=utf-8");
    }
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_given_up() {
    let receiver = Receiver::start().await;
    let (simulation, _) = told(&receiver).await;
    let nowhere = json!({ "url": "http://127.0.0.1:1/hook" });
    for endpoint in simulation.rows("serviceendpoints") {
        let id = endpoint["serviceendpointid"].as_str().unwrap().parse().unwrap();
        simulation.edit_as_human("serviceendpoints", id, &nowhere);
    }
    simulation.create_as_human("contacts", &json!({ "lastname": "Berg" }));
    let expected = Delivered {
        accepted: 0,
        failed: 1,
        attempts: 1,
    };
    assert_eq!(simulation.deliver().await, expected);
}

#[tokio::test]
async fn webhooks_are_sent_by_themselves_where_that_is_wanted() {
    let receiver = Receiver::start().await;
    let (simulation, client) = told(&receiver).await;
    receiver.answers(&[200, 200, 200]);
    let enough = async {
        for name in ["A", "B", "C"] {
            client.contact(&json!({ "lastname": name })).await;
        }
        while simulation.counters().webhooks_delivered < 3 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = simulation.keep_delivering() => {}
        () = enough => {}
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("nothing was sent"),
    }
    assert_eq!(receiver.take().len(), 3);
}
