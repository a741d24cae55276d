//! How long the costliest documents take that are accepted, beside what it takes to write their answers down.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;
use shared::registry::MAX_CREDENTIALS;
use tokio::time::Instant;

use crate::Result;
use crate::options::Options;
use crate::registry::Served;
use crate::report::{self, MILLISECONDS, Samples};

/// The most that a document may take, in milliseconds.
const MOST: f64 = 50.0;

/// The longest page.
const SYSTEMS: usize = 200;

const CREDENTIAL: &str = "id type tenantId referenceObjectId auth {
    credential {
        ... on BasicCredentialData { username password }
        ... on OAuthCredentialData { clientId clientSecret url }
        ... on CertificateOAuthCredentialData { clientId certificate url }
    }
    accessStrategy certCommonName
    additionalHeaders additionalHeadersSerialized additionalQueryParams additionalQueryParamsSerialized
    oneTimeToken { __typename token connectorURL used expiresAt createdAt usedAt raw rawEncoded type }
    requestAuth { csrf { tokenEndpointURL additionalHeaders additionalQueryParams } }
}";

pub(crate) async fn measure(options: &Options) -> Result<()> {
    let served = Served::new();
    let mut system = uuid::Uuid::nil();
    for number in 0..SYSTEMS {
        system = served.register(&format!("s{number}")).await?;
        for _ in 0..MAX_CREDENTIALS {
            served.issue(system).await?;
        }
    }
    report::title(format!(
        "graphql: {SYSTEMS} systems with {MAX_CREDENTIALS} credentials each, all in memory"
    ));
    let page = format!(
        "{{ integrationSystems(first: {SYSTEMS}) {{ data {{ id name description auths {{ {CREDENTIAL} }} }} totalCount }} }}"
    );
    let mut aliases = String::from("{");
    for number in 0..5 {
        write!(
            aliases,
            "a{number}: integrationSystem(id: \"{system}\") {{ auths {{ {CREDENTIAL} }} }} "
        )?;
    }
    aliases.push('}');
    let names = format!(
        "{{ integrationSystems(first: {SYSTEMS}) {{ data {{ {} }} }} }}",
        "name ".repeat(73)
    );
    for (name, document) in [
        ("a whole page, all of it", page),
        ("one system, five times", aliases),
        ("one name, as often as is taken", names),
    ] {
        compare(&served, options, name, &document).await?;
    }
    Ok(())
}

async fn compare(served: &Served, options: &Options, name: &str, document: &str) -> Result<()> {
    let (mut ours, mut theirs, mut bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..options.runs(15) {
        let began = Instant::now();
        let answer = served.graphql(document).await?;
        ours.push(began.elapsed());
        let answer: Value = serde_json::from_slice(answer.body())?;
        if let Some(errors) = answer.get("errors") {
            return Err(format!("{name} is refused: {errors}").into());
        }
        let began = Instant::now();
        bytes = serde_json::to_string(&answer)?.len();
        theirs.push(began.elapsed());
    }
    let (ours, theirs): (Samples, Samples) = (times(&ours), times(&theirs));
    report::samples(name, &ours, MILLISECONDS);
    report::samples(
        &format!("its {bytes} bytes, written by serde_json"),
        &theirs,
        MILLISECONDS,
    );
    report::goal("in milliseconds", ours.median() * 1e3, MOST);
    report::line(format!("  ratio {:.1}", ours.median() / theirs.median()));
    Ok(())
}

fn times(times: &[Duration]) -> Samples {
    Samples::of_times(times)
}
