//! Forgeries: a webhook that was never sent, with something wrong with it.

use http::{HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use shared::webhook::RawWebhook;

use crate::senders::Sender;

/// Webhooks that nobody sends have other numbers than those that somebody does.
const NEVER_SENT: u64 = 1 << 31;

/// Returns what is wrong, where it is sent to, and what is sent.
pub(crate) fn forged(
    random: &mut fastrand::Rng,
    sender: &Sender,
    other: &Sender,
    number: u64,
    now: Timestamp,
) -> (&'static str, String, RawWebhook) {
    let webhook = NEVER_SENT + number;
    let endpoint = sender.endpoint.clone();
    let genuine = || sender.webhook(webhook, now);
    let signed_at = |seconds: i64| sender.webhook(webhook, now + SignedDuration::from_secs(seconds));
    let (signs_time, signs_body) = match sender.scheme.as_str() {
        "standard" | "xledger" => (true, true),
        "hmac" => (false, true),
        _ => (false, false),
    };
    match random.u8(0..14) {
        0 => (
            "another secret",
            endpoint,
            sender.sign(&another_secret(sender), webhook, now),
        ),
        1 if sender.endpoint != other.endpoint => ("another endpoint", other.endpoint.clone(), genuine()),
        2 => ("no proof at all", endpoint, without_proof(genuine())),
        3 if signs_body => ("another body", endpoint, with_another_body(random, genuine())),
        4 if signs_time => (
            "signed too long ago",
            endpoint,
            signed_at(-random.i64(901..100_000)),
        ),
        5 if signs_time => (
            "signed in the future",
            endpoint,
            signed_at(random.i64(901..100_000)),
        ),
        6 => ("a proof that is doubled", endpoint, doubled(genuine())),
        7 => ("a proof that is joined of two", endpoint, joined(genuine())),
        8 => (
            "an endpoint that is not there",
            format!("org.{}", "A".repeat(22)),
            genuine(),
        ),
        9 => (
            "an organization that is not there",
            endpoint.replace("org.", "other."),
            genuine(),
        ),
        10 => ("a proof that is cut", endpoint, changed(genuine(), cut)),
        11 => ("an empty proof", endpoint, changed(genuine(), |_| String::new())),
        12 => ("noise", endpoint, noise(random)),
        _ => (
            "a letter is another",
            endpoint,
            with_another_letter(random, genuine()),
        ),
    }
}

fn another_secret(sender: &Sender) -> secrecy::SecretString {
    if sender.scheme.makes_secrets() {
        return sender.scheme.new_secret().unwrap();
    }
    "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA".into()
}

/// Changes whatever proves the sender.
fn changed(mut raw: RawWebhook, change: impl Fn(&str) -> String) -> RawWebhook {
    for (name, value) in &mut raw.headers {
        if is_proof(name) {
            *value = HeaderValue::from_str(&change(value.to_str().unwrap())).unwrap();
        }
    }
    raw.query = raw.query.map(|query| {
        let (name, value) = query.split_once('=').unwrap();
        format!("{name}={}", change(value))
    });
    raw
}

fn is_proof(name: &HeaderName) -> bool {
    name.as_str().contains("signature") || name.as_str().contains("secret")
}

fn without_proof(mut raw: RawWebhook) -> RawWebhook {
    let proofs: Vec<HeaderName> = raw
        .headers
        .keys()
        .filter(|name| is_proof(name))
        .cloned()
        .collect();
    for name in proofs {
        raw.headers.remove(name);
    }
    raw.query = None;
    raw
}

fn with_another_body(random: &mut fastrand::Rng, mut raw: RawWebhook) -> RawWebhook {
    let mut body = raw.body.to_vec();
    match random.u8(0..4) {
        0 => body.push(b' '),
        1 => drop(body.pop()),
        2 => body[random.usize(0..raw.body.len())] ^= 1 << random.u8(0..8),
        _ => body.insert(1, b'\n'),
    }
    raw.body = body.into();
    raw
}

fn doubled(mut raw: RawWebhook) -> RawWebhook {
    let proofs: Vec<(HeaderName, HeaderValue)> = raw
        .headers
        .iter()
        .filter(|(name, _)| is_proof(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    for (name, value) in proofs {
        raw.headers.append(name, value);
    }
    raw.query = raw.query.map(|query| format!("{query}&{query}"));
    raw
}

fn joined(raw: RawWebhook) -> RawWebhook {
    changed(raw, |text| format!("{text},{text}"))
}

fn cut(text: &str) -> String {
    text.chars().take(text.len() / 2).collect()
}

fn with_another_letter(random: &mut fastrand::Rng, raw: RawWebhook) -> RawWebhook {
    let letter = random.usize(0..30);
    changed(raw, |text| {
        // Behind what all proofs begin with, and before the last letter, of which not every bit may count.
        let place = 8 + letter % (text.len() - 12);
        let mut bytes = text.as_bytes().to_vec();
        bytes[place] = if bytes[place] == b'a' { b'b' } else { b'a' };
        String::from_utf8(bytes).unwrap()
    })
}

fn noise(random: &mut fastrand::Rng) -> RawWebhook {
    let mut raw = RawWebhook::default();
    for name in [
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "x-xl-webhook-signature",
        "date",
        "x-signature",
        "x-webhook-secret",
    ] {
        let bytes: Vec<u8> = (0..random.usize(0..80))
            .map(|_| random.u8(32..=255))
            .filter(|byte| *byte != 127)
            .collect();
        if let (true, Ok(value)) = (random.bool(), HeaderValue::from_bytes(&bytes)) {
            raw.headers.insert(name, value);
        }
    }
    raw.query = random.bool().then(|| "code=%ff%00&code=".to_owned());
    raw.body = (0..random.usize(1..300))
        .map(|_| random.u8(..))
        .collect::<Vec<u8>>()
        .into();
    raw
}
