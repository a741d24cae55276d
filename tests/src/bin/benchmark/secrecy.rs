//! Whether the time that a refusal takes tells what is wrong: two kinds of wrong are told apart by Welch's t.
//!
//! Source: Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?", 2017: a value beyond 4.5 tells them apart.

use shared::clock::{Clock as _, SystemClock};
use shared::registry::{ClientSecret, GrantError, authenticate, delete_credential};
use tokio::time::Instant;
use uuid::Uuid;

use crate::Result;
use crate::options::Options;
use crate::registry::Served;
use crate::report;

/// How many times each kind is tried.
const TRIES: usize = 200_000;
/// How many comparisons of a secret are timed together: one alone is shorter than the clock is fine.
const TOGETHER: usize = 20;
/// The t beyond which two kinds are told apart.
const MOST: f64 = 4.5;
/// What share of the slowest tries is left out, as whatever else the machine does is in them.
const KEPT: f64 = 0.9;

pub(crate) async fn measure(options: &Options) -> Result<()> {
    let tries = options.runs(TRIES);
    report::line(format!(
        "\nsecrecy: {tries} refusals of each kind, in turns by chance"
    ));
    let served = Served::new();
    let system = served.register("s").await?;
    let (live, gone) = (served.issue(system).await?, served.issue(system).await?);
    delete_credential(&served.registry, gone.credential.id, "administrator").await?;
    let (known, unknown) = (live.credential.id.to_string(), Uuid::new_v4().to_string());
    let (wrong, deleted) = (ClientSecret::new()?, gone.credential.id.to_string());
    let refuse = async |client: &str, secret: &ClientSecret| -> Result<f64> {
        let began = Instant::now();
        let answer = authenticate(&*served.registry.store, client, secret, SystemClock.now()).await;
        let took = began.elapsed().as_secs_f64();
        match answer {
            Err(GrantError::InvalidClient) => Ok(took),
            _ => Err("it was not refused".into()),
        }
    };
    let mut samples = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..3 * tries {
        let kind = usize::from(random::<u8>() % 3);
        let (client, secret) = [(&known, &wrong), (&unknown, &wrong), (&deleted, &gone.secret)][kind];
        samples[kind].push(refuse(client, secret).await?);
    }
    let [wrong_secret, unknown, deleted] = samples.map(cropped);
    report::goal(
        "wrong secret or unknown client, |t|",
        welch(&wrong_secret, &unknown).abs(),
        MOST,
    );
    report::goal(
        "unknown or deleted client, |t|",
        welch(&unknown, &deleted).abs(),
        MOST,
    );
    let verifier = live.secret.verifier();
    let [first, last] = [0, live.secret.expose().len() - 1].map(|place| changed(&live.secret, place));
    let mut samples = [Vec::new(), Vec::new()];
    for _ in 0..2 * tries {
        let kind = usize::from(random::<u8>() % 2);
        let secret = [&first, &last][kind];
        let began = Instant::now();
        for _ in 0..TOGETHER {
            if std::hint::black_box(&verifier).is_of(std::hint::black_box(secret)) {
                return Err("it is not this secret".into());
            }
        }
        samples[kind].push(began.elapsed().as_secs_f64());
    }
    let [first, last] = samples.map(cropped);
    report::goal(
        "first or last letter wrong, |t|",
        welch(&first, &last).abs(),
        MOST,
    );
    Ok(())
}

/// Returns a secret with another letter at a place.
fn changed(secret: &ClientSecret, place: usize) -> ClientSecret {
    let letters = secret.expose().chars().enumerate();
    let other = |letter: char| if letter == 'A' { 'B' } else { 'A' };
    let changed = letters.map(|(at, letter)| if at == place { other(letter) } else { letter });
    ClientSecret::known(changed.collect::<String>())
}

fn random<T: From<u8>>() -> T {
    T::from(Uuid::new_v4().as_bytes()[0])
}

fn cropped(mut samples: Vec<f64>) -> Vec<f64> {
    samples.sort_by(f64::total_cmp);
    samples.truncate((samples.len() as f64 * KEPT) as usize);
    samples
}

/// Returns Welch's t of two samples.
fn welch(one: &[f64], other: &[f64]) -> f64 {
    let moments = |samples: &[f64]| {
        let count = samples.len() as f64;
        let mean = samples.iter().sum::<f64>() / count;
        let variance = samples.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    };
    let ((mean, error), (other_mean, other_error)) = (moments(one), moments(other));
    (mean - other_mean) / (error + other_error).sqrt()
}
