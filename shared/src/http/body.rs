//! Bodies as they arrive: decompressed on the way, and capped.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use super::{Cause, Failure};

/// Collects a body; the decoder is fed by hand because the client's own hides how much came over the wire.
pub(super) enum Body {
    Plain(Capped),
    Gzip(Box<MultiGzDecoder<Capped>>),
}

impl Body {
    /// Makes room for a body in the encoding that the headers name.
    pub(super) fn new(headers: &HeaderMap, cap: usize) -> Result<Self, Failure> {
        let sink = Capped {
            bytes: Vec::new(),
            cap,
        };
        match headers.get(CONTENT_ENCODING).map(http::HeaderValue::as_bytes) {
            None | Some(b"" | b"identity") => Ok(Self::Plain(sink)),
            Some(b"gzip" | b"x-gzip") => Ok(Self::Gzip(Box::new(MultiGzDecoder::new(sink)))),
            Some(_) => Err(Failure::after_sending(Cause::Encoding)),
        }
    }

    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Plain(sink) => sink.write_all(chunk),
            Self::Gzip(decoder) => decoder.write_all(chunk),
        }
        .map_err(|error| failure(&error))
    }

    /// Returns what came, and whether the compression says that it is all.
    pub(super) fn finish(self) -> (Vec<u8>, Result<(), Failure>) {
        match self {
            Self::Plain(sink) => (sink.bytes, Ok(())),
            Self::Gzip(mut decoder) => {
                let end = decoder.try_finish().map_err(|error| failure(&error));
                (std::mem::take(&mut decoder.get_mut().bytes), end)
            }
        }
    }
}

/// Takes bytes up to a cap.
pub(super) struct Capped {
    bytes: Vec<u8>,
    cap: usize,
}

impl Write for Capped {
    fn write(&mut self, chunk: &[u8]) -> io::Result<usize> {
        if chunk.len() > self.cap - self.bytes.len() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(chunk);
        Ok(chunk.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn failure(error: &io::Error) -> Failure {
    Failure::after_sending(match error.kind() {
        io::ErrorKind::FileTooLarge => Cause::TooLarge,
        _ => Cause::Encoding,
    })
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(encoding: &'static str, chunks: &[&[u8]], cap: usize) -> Result<Vec<u8>, Cause> {
        let headers = HeaderMap::from_iter([(CONTENT_ENCODING, encoding.parse().unwrap())]);
        let mut body = Body::new(&headers, cap).map_err(|failure| failure.cause())?;
        for chunk in chunks {
            body.push(chunk).map_err(|failure| failure.cause())?;
        }
        let (bytes, end) = body.finish();
        end.map(|()| bytes).map_err(|failure| failure.cause())
    }

    #[test]
    fn a_body_of_many_small_bytes_is_stopped_at_the_cap() {
        let bomb = gzip(&vec![0; 10 << 20]);
        assert!(bomb.len() < 1 << 20);
        assert_eq!(read("gzip", &[&bomb], 1 << 20), Err(Cause::TooLarge));
        assert_eq!(read("identity", &[&[0; 10]], 9), Err(Cause::TooLarge));
    }

    #[test]
    fn a_compressed_body_that_ends_early_is_not_taken_for_whole() {
        let whole = gzip(b"{\"value\":[]}");
        assert_eq!(
            read("gzip", &[&whole[..whole.len() - 5]], 100),
            Err(Cause::Encoding)
        );
        assert_eq!(read("gzip", &[b"<html>"], 100), Err(Cause::Encoding));
        assert_eq!(read("br", &[], 100), Err(Cause::Encoding));
    }

    proptest! {
        #[test]
        fn a_body_is_the_same_however_it_is_cut_up(bytes: Vec<u8>, cut in 0_usize..64) {
            let whole = gzip(&bytes);
            let (one, other) = whole.split_at(cut.min(whole.len()));
            prop_assert_eq!(read("gzip", &[one, other], bytes.len()), Ok(bytes));
        }
    }
}
