//! Serves the simulated systems on one local address.

use std::time::Duration;

use tests::{Simulation, SimulationConfig};

const USAGE: &str = "simulated_systems [--port N] [--contacts N] [--seed N] [--latency-ms N]";

#[tokio::main]
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the address is for whoever started this"
)]
async fn main() {
    let config = match read(std::env::args().skip(1)) {
        Ok(config) => config,
        Err(message) => {
            eprintln!("{message}\nusage: {USAGE}");
            std::process::exit(2);
        }
    };
    let simulation = Simulation::start(config).await;
    println!("listening on {}", simulation.base_url());
    tokio::select! {
        () = simulation.keep_delivering() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

fn read(mut arguments: impl Iterator<Item = String>) -> Result<SimulationConfig, String> {
    let mut config = SimulationConfig {
        contacts: 10_000,
        ..SimulationConfig::default()
    };
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{flag} needs a value"))?;
        let number: u64 = value
            .parse()
            .map_err(|_| format!("{flag} takes a number, not {value}"))?;
        match flag.as_str() {
            "--port" => {
                config.port = u16::try_from(number).map_err(|_| format!("there is no port {number}"))?
            }
            "--contacts" => config.contacts = usize::try_from(number).map_err(|error| error.to_string())?,
            "--seed" => config.seed = number,
            "--latency-ms" => config.latency = Duration::from_millis(number),
            _ => return Err(format!("there is no flag {flag}")),
        }
    }
    Ok(config)
}
