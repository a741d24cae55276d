//! The least that a function does before its first poll: it makes the clients of AWS, and polls.
//!
//! The benchmark lays the cold starts of the functions beside it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use shared::clients::Clients;
use shared::config::{Environment as _, ProcessEnvironment};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let clients = Clients::from_environment(&ProcessEnvironment);
    let made = (
        clients.dynamodb(),
        clients.sqs(),
        clients.secrets_manager(),
        clients.eventbridge(),
        clients.kms(),
    );
    let api = ProcessEnvironment
        .variable("AWS_LAMBDA_RUNTIME_API")
        .unwrap_or_default();
    let mut stream = TcpStream::connect(&api)?;
    write!(
        stream,
        "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nhost: {api}\r\n\r\n"
    )?;
    stream.read_to_end(&mut Vec::new())?;
    drop(made);
    Ok(())
}
