//! How fast a listing is read, beside the least that any program would have to do.

use std::time::Duration;

use serde::Deserialize;
use shared::adapter::From;
use shared::model::Kind;
use tokio::time::Instant;

use crate::world::{World, pull_all, rows};

#[derive(Deserialize)]
struct BarePage {
    value: Vec<BareContact>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

/// The columns that the adapter reads, as a program would that knows them.
#[derive(Deserialize)]
#[expect(
    dead_code,
    reason = "the fields are read by nobody, as the comparison is about reading them"
)]
struct BareContact {
    #[serde(rename = "@odata.etag")]
    etag: Option<String>,
    contactid: String,
    firstname: Option<String>,
    middlename: Option<String>,
    lastname: Option<String>,
    birthdate: Option<String>,
    gendercode: Option<i64>,
    emailaddress1: Option<String>,
    telephone1: Option<String>,
    mobilephone: Option<String>,
    address1_line1: Option<String>,
    address1_postalcode: Option<String>,
    address1_city: Option<String>,
    address1_country: Option<String>,
    hlf_certificationstatus: Option<String>,
    hlf_certificationvalidto: Option<String>,
    donotemail: Option<bool>,
    hlf_memberno: Option<String>,
    statecode: Option<i64>,
    modifiedon: Option<String>,
    #[serde(rename = "_modifiedby_value")]
    modified_by: Option<String>,
    merged: Option<bool>,
    #[serde(rename = "_masterid_value")]
    master: Option<String>,
}

async fn token(world: &World) -> String {
    let url = format!(
        "{}/{}/oauth2/v2.0/token",
        world.simulation.base_url(),
        world.simulation.tenant()
    );
    let body = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope={}",
        world.simulation.client_id(),
        world.simulation.client_secret(),
        world.simulation.scope()
    );
    let request = bare_client()
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    let answer: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the comparison is with a client as it comes"
)]
fn bare_client() -> reqwest::Client {
    reqwest::Client::new()
}

async fn bare(world: &World, first: &str) -> (usize, Duration) {
    let (client, token) = (bare_client(), token(world).await);
    let (mut count, mut link) = (0, Some(first.to_owned()));
    let began = Instant::now();
    while let Some(url) = link {
        let request = client
            .get(url)
            .header("authorization", format!("Bearer {token}"))
            .header("accept", "application/json")
            .header("odata-version", "4.0")
            .header("odata-maxversion", "4.0")
            .header("prefer", "odata.track-changes,odata.maxpagesize=5000");
        let body = request.send().await.unwrap().bytes().await.unwrap();
        let page: BarePage = serde_json::from_slice(&body).unwrap();
        count += page.value.len();
        link = page.next;
    }
    (count, began.elapsed())
}

/// Run it alone and optimized: `cargo test --release -p tests --test dynamics365 -- --ignored --nocapture speed`.
#[tokio::test]
#[ignore = "measures"]
async fn a_listing_is_read_nearly_as_fast_as_by_a_bare_loop() {
    let world = World::new(100_000).await;
    let began = Instant::now();
    drop(shared::http::Http::new(shared::http::Exceptions::none()));
    println!("client made in {:?}", began.elapsed());
    let adapter = world.adapter();
    pull_all(&*adapter, Kind::Member, From::Start).await;
    let listing = world
        .simulation
        .journal()
        .into_iter()
        .find(|entry| entry.target.contains("/contacts?"))
        .unwrap();
    let first = format!("{}{}", world.simulation.base_url(), listing.target);
    let (mut ours, mut theirs) = (Duration::MAX, Duration::MAX);
    for _ in 0..3 {
        let (count, took) = bare(&world, &first).await;
        assert_eq!(count, 100_000);
        theirs = theirs.min(took);
        let began = Instant::now();
        let (items, _) = pull_all(&*adapter, Kind::Member, From::Start).await;
        ours = ours.min(began.elapsed());
        assert_eq!(rows(&items).len(), 100_000);
    }
    println!(
        "adapter {ours:?}, bare loop {theirs:?}: {:.2} times",
        ours.as_secs_f64() / theirs.as_secs_f64()
    );
    assert!(ours < theirs.mul_f64(1.5));
}
