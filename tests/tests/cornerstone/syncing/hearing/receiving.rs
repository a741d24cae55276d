//! What is taken in, and what is refused.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::captured::{Captured, holds_none};

fn gzip(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap().into()
}

/// Insists that nothing was kept of what was sent.
async fn kept_nothing(hearing: &Hearing) {
    assert!(hearing.pair.queue.is_empty(System::Cornerstone));
    assert!(hearing.events().await.is_empty());
}

#[tokio::test]
async fn compressed_bodies_are_read_and_so_are_others() {
    for compressed in [true, false] {
        let hearing = Hearing::of(World::new().await).await;
        let mut subscription = Subscription::new(&hearing.url).with(HEADER, &hearing.key);
        subscription.gzip = compressed;
        hearing.portal().subscribe(subscription);
        let (members, course) = (hearing.pair.people(1).await, hearing.pair.world.course().id);
        hearing.portal().enrol(&members[0], course, Status::Registered);
        assert_eq!(hearing.told().await["rows"]["created"], 1);
        let came = hearing.door.last();
        assert_eq!(came.headers.contains_key("content-encoding"), compressed);
        assert_eq!(came.body.starts_with(b"{"), !compressed);
        hearing.pair.equal().await;
    }
}

#[tokio::test]
async fn a_body_that_inflates_without_end_or_not_at_all_is_refused_and_nothing_is_kept() {
    let hearing = Hearing::new().await;
    let whole = gzip(br#"{"records":[]}"#);
    for (what, body, status) in [
        ("a bomb", gzip(&vec![b' '; 64 << 20]), 413),
        ("cut", whole.slice(..whole.len() - 4), 415),
        ("not compressed", Bytes::from_static(br#"{"records":[]}"#), 415),
        ("large as it is", vec![b' '; (1 << 20) + 1].into(), 413),
        ("empty", Bytes::new(), 400),
    ] {
        let mut message = hearing.message(&json!({}));
        message
            .headers
            .insert("content-encoding", "gzip".parse().unwrap());
        message.body = body;
        assert_eq!(hearing.let_in(message.clone()).await, status, "{what}");
        if status == 413 && what == "a bomb" {
            // Who does not have the key has nothing inflated.
            message.headers.insert(HEADER, "wrong".parse().unwrap());
            assert_eq!(hearing.let_in(message).await, 401, "{what}");
        }
    }
    kept_nothing(&hearing).await;
}

#[tokio::test]
async fn a_heartbeat_is_accepted_and_ignored_since_it_names_no_rows() {
    let hearing = Hearing::new().await;
    let asked = hearing.pair.world.requests();
    let event = hearing.told().await;
    assert_eq!(
        (&event["state"], &event["reason"], &event["cause"]),
        (&json!("ignored"), &json!("no_rows"), &Value::Null)
    );
    assert_eq!(hearing.pair.world.requests(), asked, "nothing was asked");
}

#[tokio::test]
async fn a_delivery_is_answered_before_the_portal_is_asked() {
    let hearing = Hearing::new().await;
    let (members, course) = (hearing.pair.people(1).await, hearing.pair.world.course().id);
    hearing.portal().enrol(&members[0], course, Status::Registered);
    let asked = hearing.pair.world.requests();
    assert_eq!(hearing.deliver().await.status, Some(202));
    assert_eq!(hearing.pair.world.requests(), asked, "nothing was asked");
    assert_eq!(hearing.pair.queue.len(System::Cornerstone), 1);
    hearing.work().await;
    assert!(hearing.pair.world.requests() > asked);
    hearing.pair.equal().await;
}

#[tokio::test]
async fn a_wrong_key_and_none_are_refused_alike_and_nothing_is_kept() {
    let hearing = Hearing::of(World::new().await).await;
    let (key, url) = (&hearing.key, &hearing.url);
    let to = |url: &str| Subscription::new(url);
    let another =
        json!({ "name": "another", "scheme": { "type": "cornerstone", "header": "x-webhook-secret" } });
    let another = hearing.ask(Method::POST, "/webhooks", &another).await;
    let anothers = another["secret"].as_str().unwrap();
    let mut last = key.clone();
    let other = if last.pop() == Some('a') { 'b' } else { 'a' };
    last.push(other);
    for subscription in [
        to(url),
        to(url).with(HEADER, "wrong"),
        to(url).with(HEADER, ""),
        to(url).with(HEADER, &last),
        to(url).with(HEADER, &key.to_uppercase()),
        to(url).with(HEADER, anothers),
        to(url).with(HEADER, key).with(HEADER, key),
        to(url).with(HEADER, &format!("{key},{key}")),
        to(url).with(HEADER, &key.repeat(400)),
        to(url).with("x-webhook-secret", key),
        to(&format!("{url}?{HEADER}={key}")),
        to(&url.replace("/cornerstone/", "/dynamics365/")).with(HEADER, key),
        to(&url.replace("/hlf.", "/other.")).with(HEADER, key),
    ] {
        hearing.portal().subscribe(subscription);
    }
    let course = hearing.pair.world.course().id;
    hearing
        .portal()
        .enrol(&hearing.pair.people(1).await[0], course, Status::Registered);
    let delivered = hearing.portal().deliver_webhooks().await;
    assert_eq!(delivered.len(), 13);
    let mut answers = Vec::new();
    let came = hearing.door.came().clone();
    for (message, delivered) in came.into_iter().zip(delivered) {
        assert_eq!(delivered.status, Some(401), "{:?}", message.headers);
        let answer = hearing.door.let_in(message).await;
        let mut body: Value = serde_json::from_slice(answer.body()).unwrap();
        body.as_object_mut().unwrap().remove("instance");
        answers.push((answer.status(), body));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    kept_nothing(&hearing).await;
    // What was refused is not sent again: the next run finds it.
    let again = hearing.portal().deliver_webhooks().await;
    assert!(
        again
            .iter()
            .all(|delivered| delivered.body.contains(r#""records":[]"#))
    );
}

#[tokio::test]
async fn nothing_secret_or_personal_is_logged_or_shown() {
    let captured = Captured::begin();
    let mut world = World::new().await;
    world.settings["webhooks"] = json!({ "rows": "/records" });
    let hearing = Hearing::of(world).await;
    let course = hearing.pair.world.course().id;
    hearing.pair.member("canary-id-1").await;
    for user in ["canary-id-1", "canary-id-2"] {
        hearing.portal().add_user(user, "Canary-first", "Canary-last");
    }
    hearing.subscribe(&hearing.key);
    for user in ["canary-id-1", "canary-id-2"] {
        hearing.portal().enrol(user, course, Status::Registered);
    }
    assert_eq!(hearing.told().await["state"], "quarantined");
    hearing.portal().set_outage(tests::cornerstone::Outage::All);
    hearing.portal().advance("canary-id-1", course, Status::Completed);
    hearing.told().await;
    hearing.portal().set_outage(tests::cornerstone::Outage::None);
    hearing.later(SignedDuration::from_hours(1)).await;
    let mut shown = Vec::new();
    for (body, key) in [
        (
            json!({ "records": [{ "externalId": "canary-id-3", "name": "Canary-last" }] }),
            &*hearing.key,
        ),
        (json!({ "canary-id-4": "Canary-last" }), &*hearing.key),
        (json!({ "canary-id-5": "Canary-last" }), "wrong-key-canary"),
    ] {
        let mut message = hearing.message(&body);
        message.headers.insert(HEADER, key.parse().unwrap());
        let answer = hearing.door.let_in(message).await;
        shown.push(format!("{answer:?}"));
    }
    let mut misplaced = hearing.message(&json!({ "canary-id-6": "Canary-last" }));
    misplaced.path = format!("{}?{HEADER}={}", misplaced.path, hearing.key);
    misplaced.headers.remove(HEADER);
    shown.push(format!("{:?}", hearing.door.let_in(misplaced).await));
    hearing.work().await;
    let secrets = [&*hearing.key, "wrong-key-canary", "Canary-first", "Canary-last"];
    // The id of a row is no secret among those who keep it.
    for event in hearing.events().await {
        holds_none("shown", &event.to_string(), &secrets);
    }
    shown.push(format!("{:?} {:?}", hearing.pair.worker, hearing.api));
    let logged = captured.text();
    for line in [
        "the webhook has ended",
        "the webhook waits",
        "the webhook could not be followed",
        "refused a webhook",
    ] {
        assert!(logged.contains(line), "{line}: the log was captured");
    }
    for (place, text) in [("shown", shown.join("\n")), ("logged", logged)] {
        holds_none(place, &text, &secrets);
        holds_none(place, &text, &["canary-id"]);
    }
}
