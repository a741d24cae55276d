//! Whether the time that a refusal takes tells what is wrong: two kinds of wrong are told apart by Welch's t.
//!
//! Source: Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?", 2017: a value beyond 4.5 tells them apart.

use futures::future::try_join_all;
use shared::registry::{ClientSecret, Verifier, delete_credential};
use tokio::time::Instant;
use uuid::Uuid;

use crate::Result;
use crate::options::Options;
use crate::registry::Served;
use crate::report;

/// How often each kind of client is tried.
const TRIES: usize = 3_000;
/// How many of them are under way at once: each waits most of its time.
const AT_ONCE: usize = 30;
/// How many comparisons of each kind are timed.
const COMPARISONS: usize = 1_000_000;
/// The t beyond which two kinds are told apart.
const MOST: f64 = 4.5;
/// What share of the slowest tries is left out, as whatever else the machine does is in them.
const KEPT: f64 = 0.9;

pub(crate) async fn measure(options: &Options) -> Result<()> {
    let tries = options.runs(TRIES);
    report::line(format!(
        "\nsecrecy: {tries} refusals of each kind by the token endpoint, in turns by chance"
    ));
    let served = Served::new();
    let system = served.register("s").await?;
    let (live, gone) = (served.issue(system).await?, served.issue(system).await?);
    delete_credential(&served.registry, gone.credential.id, "administrator").await?;
    let wrong = ClientSecret::new()?.expose().to_owned();
    let kinds = [
        (live.credential.id.to_string(), wrong.clone()),
        (Uuid::new_v4().to_string(), wrong),
        (gone.credential.id.to_string(), gone.secret.expose().to_owned()),
    ];
    let mut samples = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..3 * tries / AT_ONCE {
        let turns = (0..AT_ONCE).map(|_| async {
            let kind = usize::from(chance()) % kinds.len();
            let (client, secret) = &kinds[kind];
            let began = Instant::now();
            served.is_refused(client, secret).await?;
            Ok::<_, crate::Failure>((kind, began.elapsed().as_secs_f64()))
        });
        for (kind, took) in try_join_all(turns).await? {
            samples[kind].push(took);
        }
    }
    let [wrong_secret, unknown, deleted] = samples.map(cropped);
    let told = |name: &str, one: &[f64], other: &[f64]| {
        report::goal(name, welch(one, other).abs(), MOST);
    };
    told("wrong secret or unknown client, |t|", &wrong_secret, &unknown);
    told("unknown or deleted client, |t|", &unknown, &deleted);
    compare(live.secret.verifier(), live.secret.expose())
}

/// Compares secrets that begin like the right one with secrets that do not; each is made anew, so that where it lies in
/// memory tells nothing.
fn compare(verifier: Verifier, right: &str) -> Result<()> {
    let mut samples = [Vec::new(), Vec::new()];
    for _ in 0..2 * COMPARISONS {
        let kind = usize::from(chance() % 2);
        let place = [0, right.len() - 1][kind];
        let letters = right.chars().enumerate();
        let other = |letter: char| if letter == 'A' { 'B' } else { 'A' };
        let secret: String = letters
            .map(|(at, letter)| if at == place { other(letter) } else { letter })
            .collect();
        let secret = ClientSecret::known(secret);
        let began = Instant::now();
        if std::hint::black_box(&verifier).is_of(std::hint::black_box(&secret)) {
            return Err("it is not this secret".into());
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

fn chance() -> u8 {
    Uuid::new_v4().as_bytes()[0]
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
