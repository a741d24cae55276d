//! Two hundred thousand inputs per scheme, random or almost right: nothing panics, and nothing is taken for what it is not.
//!
//! `SEED=17 cargo test -p shared --lib noise` runs one seed, the same each time.

use fastrand::Rng;
use http::{HeaderMap, HeaderValue};
use jiff::SignedDuration;

use super::Verifier;
use super::raw::RawWebhook;
use super::samples::{self, Sample};
use crate::seed::Seed;

const INPUTS: usize = 200_000;
const BODY: &[u8] = br#"{"data":{"projects":{"edges":[{"syncVersion":"42"}]}}}"#;

/// Bytes that parsers trip over.
const SIGNS: &[u8] = b" ,.;:=+-_%&/\\\"'0919afAFvVZz\t\0\xff\xc3";

type Way = fn(&[u8], jiff::Timestamp) -> Sample;

struct Noise {
    rng: Rng,
    sample: Sample,
    names: Vec<String>,
}

impl Noise {
    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.rng.usize(..=most);
        let random = (0..length).map(|_| match self.rng.bool() {
            true => SIGNS[self.rng.usize(..SIGNS.len())],
            false => self.rng.u8(..),
        });
        random.collect()
    }

    /// Changes, cuts, doubles, joins or replaces something of these bytes.
    fn spoil(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let at = self.rng.usize(..=bytes.len());
        match self.rng.u8(..8) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(..at)),
            2 => bytes.insert(at, SIGNS[self.rng.usize(..SIGNS.len())]),
            3 => bytes.extend(self.bytes(8)),
            4 => bytes = [&bytes[..], b",", &bytes[..]].concat(),
            5 => bytes = [&bytes[..], b" ", &bytes[..]].concat(),
            6 => bytes = self.bytes(100),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << self.rng.u8(..8);
                }
            }
        }
        bytes
    }

    fn spoil_header(&mut self, headers: &mut HeaderMap) {
        let name: http::HeaderName = self.names[self.rng.usize(..self.names.len())].parse().unwrap();
        let before = headers
            .get(&name)
            .map_or(&b""[..], HeaderValue::as_bytes)
            .to_vec();
        let value = HeaderValue::from_bytes(&self.spoil(&before));
        match (self.rng.u8(..6), value) {
            (0, _) => drop(headers.remove(name)),
            (1, Ok(value)) => drop(headers.append(name, value)),
            (_, Ok(value)) => drop(headers.insert(name, value)),
            (_, Err(_)) => {}
        }
    }

    fn next(&mut self) -> (RawWebhook, jiff::Timestamp) {
        let (mut raw, mut now) = (self.sample.raw.clone(), self.sample.now);
        for _ in 0..self.rng.usize(1..4) {
            match self.rng.u8(..8) {
                0 => raw.body = self.spoil(&raw.body).into(),
                1 => {
                    let query = self.spoil(raw.query.as_deref().unwrap_or_default().as_bytes());
                    raw.query = Some(String::from_utf8_lossy(&query).into_owned());
                }
                2 => now += SignedDuration::from_secs(self.rng.i64(-4_000..4_000)),
                _ => self.spoil_header(&mut raw.headers),
            }
        }
        (raw, now)
    }
}

/// Returns what is accepted although it is not what was sent.
fn accepted(sample: &Sample, verifier: &Verifier, raw: RawWebhook, now: jiff::Timestamp) -> bool {
    let shown = |raw: &RawWebhook, name: &str| raw.headers.get(name).cloned();
    let asked = |raw: &RawWebhook| {
        let asked = raw.query.as_ref();
        asked.is_some_and(|query| query.contains(&sample.secret))
    };
    let kept = (sample.counts.iter()).all(|name| shown(&raw, name) == shown(&sample.raw, name));
    let kept = kept && (sample.raw.query.is_none() || asked(&raw));
    let body = raw.body.clone();
    match raw.verify(verifier, now) {
        Err(_) => false,
        // A list of signatures may say more, and a query too; whatever is signed stays what it was.
        Ok(webhook) if sample.body_counts => webhook.body() != BODY,
        Ok(webhook) => !kept || (webhook.body() != &body && sample.name != "cornerstone"),
    }
}

fn withstands_noise(samples: &[Sample], inputs: usize) {
    let seed = Seed::new();
    for (number, sample) in samples.iter().enumerate() {
        let extra = [
            "content-encoding",
            "webhook-id",
            "date",
            "x-timestamp",
            "authorization",
        ];
        let names = sample
            .counts
            .iter()
            .chain(&extra)
            .map(ToString::to_string)
            .collect();
        let verifier = sample.verifier().unwrap();
        let mut noise = Noise {
            rng: Rng::with_seed(seed.0.wrapping_add(number as u64)),
            sample: sample.clone(),
            names,
        };
        for input in 0..inputs / samples.len() {
            let (raw, now) = noise.next();
            let fooled = accepted(sample, &verifier, raw, now);
            assert!(!fooled, "input {input} of {} with SEED={}", sample.name, seed.0);
        }
    }
}

#[test]
fn standard_withstands_noise() {
    withstands_noise(&[samples::standard(BODY, samples::now())], INPUTS);
}

#[test]
fn public_keys_withstand_noise() {
    // A signature takes its time.
    withstands_noise(&[samples::standard_public(BODY, samples::now())], INPUTS / 20);
}

#[test]
fn xledger_withstands_noise() {
    withstands_noise(&[samples::xledger(BODY, samples::now())], INPUTS);
}

#[test]
fn dataverse_withstands_noise() {
    let ways = [samples::dataverse, samples::dataverse_query];
    withstands_noise(&ways.map(|way: Way| way(BODY, samples::now())), INPUTS);
}

#[test]
fn cornerstone_withstands_noise() {
    withstands_noise(&[samples::cornerstone(BODY, samples::now())], INPUTS);
}

#[test]
fn hmac_withstands_noise() {
    let ways = [samples::hmac, samples::hmac_body];
    withstands_noise(&ways.map(|way: Way| way(BODY, samples::now())), INPUTS);
}
