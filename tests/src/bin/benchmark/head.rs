//! The heads of requests, as far as the stand-ins look at them.

use std::io::{self, BufRead, Read as _};

/// The head of a request.
#[derive(Debug, Default)]
pub(crate) struct Head {
    /// Its method, its target and its version.
    pub(crate) line: String,
    /// The operation of AWS that it asks for; empty where it asks for none.
    pub(crate) operation: String,
    /// How many bytes follow.
    pub(crate) length: u64,
}

impl Head {
    /// Reads the head of a request; nothing at the end of the connection.
    pub(crate) fn read(requests: &mut impl BufRead) -> io::Result<Option<Self>> {
        let (mut head, mut line) = (Self::default(), String::new());
        if requests.read_line(&mut head.line)? == 0 {
            return Ok(None);
        }
        loop {
            line.clear();
            if requests.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            let Some((name, value)) = line.trim_end().split_once(':') else {
                return Ok(Some(head));
            };
            if name.eq_ignore_ascii_case("content-length") {
                head.length = value.trim().parse().map_err(io::Error::other)?;
            } else if name.eq_ignore_ascii_case("x-amz-target") {
                let operation = value.rsplit('.').next().unwrap_or_default();
                operation.trim().clone_into(&mut head.operation);
            }
        }
    }

    /// Reads what follows it.
    pub(crate) fn body(&self, requests: &mut impl BufRead) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        requests.take(self.length).read_to_end(&mut body)?;
        Ok(body)
    }
}
