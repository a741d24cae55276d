//! Gzip whose middle is compressed once and reused.
//!
//! A page of rows is the same for every caller, while the links around it are not. Each piece is a run of whole
//! deflate blocks, so pieces compressed apart can be joined into one gzip member.

use std::sync::OnceLock;

use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};

const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Holds a stretch of a body in plain form and, once asked for, in compressed form.
#[derive(Debug)]
pub struct Fragment {
    plain: Bytes,
    deflated: OnceLock<(Bytes, Crc)>,
}

impl Fragment {
    /// Wraps the plain bytes; compression waits until someone needs it.
    pub fn new(plain: impl Into<Bytes>) -> Self {
        Self {
            plain: plain.into(),
            deflated: OnceLock::new(),
        }
    }

    /// Returns the plain bytes.
    pub fn plain(&self) -> &Bytes {
        &self.plain
    }

    fn deflated(&self) -> &(Bytes, Crc) {
        self.deflated
            .get_or_init(|| (deflate(&self.plain, FlushCompress::Full).into(), crc(&self.plain)))
    }
}

/// Joins a head, a fragment, and a tail into one gzip member.
pub(super) fn join(head: &[u8], fragment: &Fragment, tail: &[u8]) -> Bytes {
    let (middle, middle_crc) = fragment.deflated();
    let mut checksum = crc(head);
    checksum.combine(middle_crc);
    checksum.combine(&crc(tail));
    let mut member = HEADER.to_vec();
    member.extend(deflate(head, FlushCompress::Full));
    member.extend_from_slice(middle);
    member.extend(deflate(tail, FlushCompress::Finish));
    member.extend(checksum.sum().to_le_bytes());
    member.extend(checksum.amount().to_le_bytes());
    member.into()
}

fn crc(bytes: &[u8]) -> Crc {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc
}

fn deflate(input: &[u8], flush: FlushCompress) -> Vec<u8> {
    let mut compress = Compress::new(Compression::fast(), false);
    let mut output = Vec::with_capacity(input.len() / 4 + 64);
    loop {
        let consumed = usize::try_from(compress.total_in()).expect("the input fits in memory");
        let status = compress
            .compress_vec(&input[consumed..], &mut output, flush)
            .expect("the stream is open");
        let flushed = status != Status::StreamEnd && output.len() < output.capacity();
        if status == Status::StreamEnd || (flushed && !matches!(flush, FlushCompress::Finish)) {
            return output;
        }
        output.reserve(output.capacity());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn pieces_compressed_apart_read_as_one() {
        let rows = "{\"firstname\":\"Kari\"},".repeat(4000);
        let member = join(b"{\"value\":[", &Fragment::new(rows.clone()), b"]}");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&member[..])
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, format!("{{\"value\":[{rows}]}}"));
    }

    #[test]
    fn empty_pieces_are_allowed() {
        let member = join(b"", &Fragment::new(""), b"");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&member[..])
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "");
    }
}
