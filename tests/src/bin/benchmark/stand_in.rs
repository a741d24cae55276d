//! What stands for DynamoDB: it takes every write, and has nothing to read.
//!
//! `{}` is a whole answer to `TransactWriteItems`, `BatchWriteItem`, `UpdateItem`, `BatchGetItem`, and `Query`: done,
//! nothing left over, nothing found.

use std::io::{self, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::head::Head;
use crate::{Result, server};

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 2\r\n\r\n{}";

/// Serves, with a thread for each connection.
pub(crate) fn serve() -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    server::announce(&format!("http://{}", listener.local_addr()?));
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || answer_all(stream));
    }
    Ok(())
}

fn answer_all(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut requests = BufReader::with_capacity(1 << 16, stream.try_clone()?);
    while let Some(head) = Head::read(&mut requests)? {
        io::copy(&mut (&mut requests).take(head.length), &mut io::sink())?;
        stream.write_all(ANSWER)?;
    }
    Ok(())
}
