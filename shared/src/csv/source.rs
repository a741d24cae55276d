//! A file as UTF-8, one piece at a time; its bytes are counted as they pass.

use std::fmt;
use std::io::{self, Read};

use super::encoding::{Decoder, Encoding};
use super::totals::Passed;

/// How much is read at a time.
const PIECE: usize = 64 << 10;

/// Longer than any byte order mark.
const LONGEST_MARK: u64 = 3;

pub(super) struct Source<R> {
    read: R,
    decoder: Decoder,
    raw: Box<[u8]>,
    text: Vec<u8>,
    at: usize,
    ended: bool,
    pub(super) encoding: Encoding,
    pub(super) passed: Passed,
}

impl<R> fmt::Debug for Source<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("encoding", &self.encoding)
            .finish_non_exhaustive()
    }
}

impl<R: Read> Source<R> {
    /// Reads the mark, if there is one: it says more than what was declared.
    pub(super) fn open(mut read: R, declared: Encoding) -> io::Result<Self> {
        let mut head = Vec::new();
        read.by_ref().take(LONGEST_MARK).read_to_end(&mut head)?;
        let (encoding, mark) = Encoding::marked(&head).unwrap_or((declared, 0));
        let mut source = Self {
            read,
            decoder: encoding.decoder(),
            raw: vec![0; PIECE].into_boxed_slice(),
            text: Vec::new(),
            at: 0,
            ended: false,
            encoding,
            passed: Passed::default(),
        };
        source.passed.add(&head);
        let bytes = head.get(mark..).unwrap_or_default();
        source.decoder.decode(bytes, false, &mut source.text);
        Ok(source)
    }

    /// Returns what follows, at least one byte of it; nothing is the end.
    pub(super) fn fill(&mut self) -> io::Result<&[u8]> {
        while self.at >= self.text.len() && !self.ended {
            self.text.clear();
            self.at = 0;
            let length = match self.read.read(&mut self.raw) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let piece = self.raw.get(..length).unwrap_or_default();
            self.passed.add(piece);
            self.ended = piece.is_empty();
            self.decoder.decode(piece, self.ended, &mut self.text);
        }
        Ok(self.text.get(self.at..).unwrap_or_default())
    }

    /// Says how much of it was used.
    pub(super) const fn consume(&mut self, length: usize) {
        self.at += length;
    }

    /// Returns how much memory is held.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.raw.len() + self.text.capacity()
    }
}
