//! What every scheme keeps to.

use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

use super::refused::Reason;
use super::samples::{self, Sample};
use super::scheme::Scheme;
use super::{VerifiedWebhook, profile, vectors};

const BODY: &[u8] = br#"{"data":{"projects":{"edges":[{"syncVersion":"42"}]}}}"#;

fn samples() -> [Sample; 8] {
    samples::all(BODY, samples::now())
}

fn flipped(bytes: &[u8], bit: Index) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let bit = bit.index(bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

#[test]
fn every_scheme_has_a_sample() {
    for name in Scheme::NAMES {
        assert!(samples().iter().any(|sample| sample.name == *name), "{name}");
    }
}

#[test]
fn a_scheme_reads_back_as_it_was_stored() {
    for sample in samples() {
        let scheme = profile::check(&sample.scheme).unwrap();
        let stored = serde_json::to_string(&scheme).unwrap();
        assert_eq!(
            serde_json::from_str::<Scheme>(&stored).unwrap(),
            scheme,
            "{stored}"
        );
        assert_eq!(scheme.to_string(), sample.name);
    }
}

#[test]
fn a_stored_scheme_that_could_check_less_is_not_read() {
    for stored in [
        json!({}),
        json!({ "type": "none" }),
        json!({ "type": "standard", "toleranceSeconds": 1_000_000 }),
        json!({ "type": "cornerstone" }),
        json!({ "type": "hmac", "header": "x-signature", "encoding": "hex", "onlyFrom": "192.0.2.1" }),
        json!("standard"),
    ] {
        assert!(
            serde_json::from_value::<Scheme>(stored.clone()).is_err(),
            "{stored}"
        );
    }
}

#[test]
fn no_scheme_takes_an_empty_secret() {
    for sample in samples() {
        for empty in ["", " ", "whsec_", "whpk_", "=", "\0"] {
            let secrets = json!({ "current": empty });
            assert!(
                vectors::verifier(&sample.scheme, &secrets).is_none(),
                "{}",
                sample.name
            );
            let until = "2027-01-31T09:00:00Z";
            let secrets = json!({ "current": sample.secret, "previous": empty, "previousUntil": until });
            assert!(
                vectors::verifier(&sample.scheme, &secrets).is_none(),
                "{}",
                sample.name
            );
        }
        assert!(vectors::verifier(&sample.scheme, &json!({})).is_none());
    }
}

#[test]
fn an_old_secret_counts_until_its_end_and_not_after() {
    let until = samples::now() + SignedDuration::from_hours(24);
    for (old, just_before) in [
        (samples(), false),
        (samples::all(BODY, until - SignedDuration::from_secs(1)), true),
    ] {
        for sample in old {
            let secrets =
                json!({ "current": sample.other, "previous": sample.secret, "previousUntil": until });
            let verifier = vectors::verifier(&sample.scheme, &secrets).unwrap();
            let verify = |now| sample.raw.clone().verify(&verifier, now);
            assert!(verify(sample.now).is_ok(), "{} {just_before}", sample.name);
            let after = verify(sample.now + SignedDuration::from_hours(24)).unwrap_err();
            assert_eq!(after.reason(), Reason::Signature, "{}", sample.name);
        }
    }
}

#[test]
fn a_new_secret_counts_beside_the_old_one() {
    let until = samples::now() + SignedDuration::from_hours(24);
    for sample in samples() {
        let secrets = json!({ "current": sample.secret, "previous": sample.other, "previousUntil": until });
        let verifier = vectors::verifier(&sample.scheme, &secrets).unwrap();
        assert!(
            sample.raw.verify(&verifier, sample.now).is_ok(),
            "{}",
            sample.name
        );
    }
}

#[test]
fn the_secret_of_another_endpoint_verifies_nothing() {
    for sample in samples() {
        let secrets = json!({ "current": sample.other });
        let verifier = vectors::verifier(&sample.scheme, &secrets).unwrap();
        let refused = sample.raw.verify(&verifier, sample.now).unwrap_err();
        assert_eq!(refused.reason(), Reason::Signature, "{}", sample.name);
    }
}

#[test]
fn the_old_secret_is_another_than_the_new_one() {
    for sample in samples() {
        let until = "2027-01-31T09:00:00Z";
        let secrets = json!({ "current": sample.secret, "previous": sample.secret, "previousUntil": until });
        assert!(
            vectors::verifier(&sample.scheme, &secrets).is_none(),
            "{}",
            sample.name
        );
    }
}

#[test]
fn a_header_that_is_missing_doubled_or_joined_is_refused() {
    for sample in samples() {
        for name in sample.counts {
            let value = sample.raw.headers[*name].clone();
            let mut missing = sample.clone();
            missing.raw.headers.remove(*name);
            assert_eq!(missing.verify().unwrap_err().reason(), Reason::Missing, "{name}");
            let mut doubled = sample.clone();
            doubled.raw.headers.append(*name, value.clone());
            assert_eq!(doubled.verify().unwrap_err().reason(), Reason::Repeated, "{name}");
            let value = value.to_str().unwrap();
            for joined in [
                format!("{value},{value}"),
                format!("{value}, {value}"),
                format!("{value},"),
                format!(",{value}"),
            ] {
                let mut sample = sample.clone();
                sample.set(name, &joined);
                assert!(sample.verify().is_err(), "{name}: {joined}");
            }
        }
    }
}

#[test]
fn only_who_is_expected_to_compress_may() {
    for mut sample in samples() {
        sample.set("content-encoding", "identity");
        assert!(sample.verify().is_ok(), "{}", sample.name);
        for encoding in ["gzip", "br", "identity, identity", ""] {
            sample.set("content-encoding", encoding);
            assert_eq!(
                sample.verify().unwrap_err().reason(),
                Reason::Encoding,
                "{}",
                sample.name
            );
        }
    }
}

#[test]
fn nothing_of_a_secret_is_shown() {
    for sample in samples() {
        let verifier = sample.verifier().unwrap();
        let webhook = sample.verify().unwrap();
        let scheme = profile::check(&sample.scheme).unwrap();
        let shown = format!("{verifier:?} {webhook:?} {scheme:?} {:?}", sample.raw);
        assert!(
            !shown.contains(&sample.secret) && !shown.contains("syncVersion"),
            "{shown}"
        );
        let stored = serde_json::to_string(&scheme).unwrap();
        assert!(!stored.contains(&sample.secret), "{stored}");
    }
}

proptest! {
    #[test]
    fn what_was_signed_verifies_whatever_its_bytes(body: Vec<u8>, seconds in 1_i64..253_000_000_000) {
        let at = jiff::Timestamp::from_second(seconds).unwrap();
        for sample in samples::all(&body, at) {
            let webhook = sample.verify();
            prop_assert_eq!(webhook.as_ref().map(VerifiedWebhook::body), Ok(&body.clone().into()), "{}", sample.name);
            let signed_at = webhook.unwrap().signed_at();
            prop_assert!(signed_at.is_none_or(|signed_at| signed_at == at));
        }
    }

    #[test]
    fn a_flipped_bit_of_the_body_refuses(body in prop::collection::vec(any::<u8>(), 1..64), bit: Index) {
        for mut sample in samples::all(&body, samples::now()) {
            sample.raw.body = flipped(&body, bit).into();
            prop_assert_eq!(sample.verify().is_err(), sample.body_counts, "{}", sample.name);
        }
    }

    #[test]
    fn a_flipped_bit_of_what_proves_the_sender_refuses(body: Vec<u8>, bit: Index) {
        for sample in samples::all(&body, samples::now()) {
            for name in sample.counts {
                let mut sample = sample.clone();
                let value = flipped(sample.header(name).as_bytes(), bit);
                prop_assert!(!sample.set_bytes(name, &value) || sample.verify().is_err(), "{}", name);
            }
            if let Some(query) = &sample.raw.query {
                let mut sample = sample.clone();
                sample.raw.query = Some(String::from_utf8_lossy(&flipped(query.as_bytes(), bit)).into_owned());
                prop_assert!(sample.verify().is_err());
            }
        }
    }

    #[test]
    fn a_flipped_bit_of_the_secret_refuses(body: Vec<u8>, bit: Index) {
        for mut sample in samples::all(&body, samples::now()) {
            if let Ok(secret) = String::from_utf8(flipped(sample.secret.as_bytes(), bit)) {
                sample.secret = secret;
                let verified = sample.verifier().map(|verifier| sample.raw.clone().verify(&verifier, sample.now));
                prop_assert!(!matches!(verified, Some(Ok(_))), "{}", sample.name);
            }
        }
    }

    #[test]
    fn a_signature_is_good_for_its_tolerance_both_ways(off in -2_000_i64..2_000) {
        for mut sample in samples::all(BODY, samples::now()) {
            let tolerance = match (sample.name, sample.scheme.get("timestamp")) {
                ("standard", _) => 300,
                ("xledger", _) => 900,
                (_, Some(_)) => 60,
                (_, None) => i64::MAX,
            };
            sample.now += SignedDuration::from_secs(off);
            let refused = sample.verify().err().map(|refused| refused.reason());
            let expected = match off.abs() <= tolerance {
                true => None,
                false if off > 0 => Some(Reason::Stale),
                false => Some(Reason::Ahead),
            };
            prop_assert_eq!(refused, expected, "{}", sample.name);
        }
    }
}
