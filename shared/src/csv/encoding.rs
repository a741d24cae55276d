//! Bytes and letters.
//!
//! UTF-8 is what is taken where nothing else is declared. A byte order mark is believed more than the declaration; nothing
//! is ever guessed. In what was read, bytes that are no letters of the encoding become the byte FF, which is none in UTF-8
//! either: the cell that holds them is found out by that, and no replacement character stands in for them.
//!
//! `iso-8859-1` is what its name says. The Encoding Standard, and `encoding_rs` with it, takes that name for Windows-1252;
//! here the bytes 80 to 9F, which ISO 8859-1 has controls for that nobody writes, are refused in both directions: a
//! file that has them is most likely Windows-1252 and should be declared so. Of `windows-1252` the five bytes that it leaves
//! undefined (81, 8D, 8F, 90, 9D) are refused, which the Encoding Standard would take for controls.
//!
//! Source: Encoding Standard (WHATWG); ISO/IEC 8859-1:1998.

use std::borrow::Cow;
use std::io::{self, Write};

use encoding_rs::{DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::words::words;

words! {
    /// How letters are written as bytes.
    Encoding {
        /// UTF-8.
        Utf8 = "utf-8",
        /// UTF-16 with the low byte first.
        Utf16Le = "utf-16le",
        /// UTF-16 with the high byte first.
        Utf16Be = "utf-16be",
        /// ISO 8859-1, without its controls from 80 to 9F.
        Iso8859 = "iso-8859-1",
        /// Windows-1252: ISO 8859-1 with `€` and other signs from 80 to 9F.
        Windows1252 = "windows-1252",
    }
}

/// What stands for bytes that are no letters.
const INVALID: u8 = 0xFF;

impl Encoding {
    /// Finds the mark at the start of a file, and how long it is.
    pub(super) fn marked(head: &[u8]) -> Option<(Self, usize)> {
        let of = |encoding: &Self| head.starts_with(encoding.mark());
        let marks = [Self::Utf8, Self::Utf16Le, Self::Utf16Be];
        let found = marks.into_iter().find(of)?;
        Some((found, found.mark().len()))
    }

    /// Returns the byte order mark; nothing where the encoding has none.
    pub(super) const fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf8 => b"\xEF\xBB\xBF",
            Self::Utf16Le => b"\xFF\xFE",
            Self::Utf16Be => b"\xFE\xFF",
            Self::Iso8859 | Self::Windows1252 => b"",
        }
    }

    pub(super) const fn has_mark(self) -> bool {
        !self.mark().is_empty()
    }

    /// Says whether the encoding has all letters of a text.
    pub(super) fn carries(self, text: &str) -> bool {
        match self {
            Self::Utf8 | Self::Utf16Le | Self::Utf16Be => true,
            _ if text.is_ascii() => true,
            Self::Iso8859 => text.chars().all(|letter| letter <= 'ÿ' && !is_c1(letter)),
            Self::Windows1252 => !text.chars().any(is_c1) && !WINDOWS_1252.encode(text).2,
        }
    }

    /// Returns a text that the encoding carries as bytes.
    pub(super) fn encode(self, text: &str) -> Cow<'_, [u8]> {
        match self {
            Self::Utf8 => text.as_bytes().into(),
            Self::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Self::Iso8859 => text.chars().map(latin1).collect(),
            Self::Windows1252 => WINDOWS_1252.encode(text).0,
        }
    }

    pub(super) fn decoder(self) -> Decoder {
        match self {
            Self::Utf8 => Decoder::AsItIs,
            Self::Utf16Le => Decoder::Wide(Box::new(UTF_16LE.new_decoder_without_bom_handling())),
            Self::Utf16Be => Decoder::Wide(Box::new(UTF_16BE.new_decoder_without_bom_handling())),
            Self::Iso8859 => Decoder::Latin1,
            Self::Windows1252 => Decoder::Windows1252,
        }
    }
}

/// Returns the byte of a letter, which was seen to have one.
fn latin1(letter: char) -> u8 {
    u8::try_from(letter).unwrap_or(b'?')
}

fn is_c1(letter: char) -> bool {
    ('\u{80}'..='\u{9F}').contains(&letter)
}

/// Takes bytes, a piece at a time, and gives UTF-8 with [`INVALID`] where there is no letter.
pub(super) enum Decoder {
    AsItIs,
    Latin1,
    Windows1252,
    Wide(Box<encoding_rs::Decoder>),
}

impl Decoder {
    /// Decodes the next piece into the end of `text`; `last` says that there is no more.
    pub(super) fn decode(&mut self, bytes: &[u8], last: bool, text: &mut Vec<u8>) {
        match self {
            Self::AsItIs => text.extend_from_slice(bytes),
            Self::Latin1 => {
                let undefined = |byte: &u8| (0x80..=0x9F).contains(byte);
                decode_runs(bytes, undefined, encoding_rs::mem::decode_latin1, text);
            }
            Self::Windows1252 => {
                let undefined = |byte: &u8| matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D);
                let decode = |run| WINDOWS_1252.decode_without_bom_handling(run).0;
                decode_runs(bytes, undefined, decode, text);
            }
            Self::Wide(decoder) => decode_wide(decoder, bytes, last, text),
        }
    }
}

fn decode_runs<'a>(
    bytes: &'a [u8],
    undefined: fn(&u8) -> bool,
    decode: fn(&'a [u8]) -> Cow<'a, str>,
    text: &mut Vec<u8>,
) {
    for (place, run) in bytes.split(undefined).enumerate() {
        if place > 0 {
            text.push(INVALID);
        }
        text.extend_from_slice(decode(run).as_bytes());
    }
}

fn decode_wide(decoder: &mut encoding_rs::Decoder, mut bytes: &[u8], last: bool, text: &mut Vec<u8>) {
    /// More than any letter takes, so that each turn gets on.
    const ROOM: usize = 1024;
    loop {
        let written = text.len();
        text.resize(written + bytes.len() + ROOM, 0);
        let room = text.get_mut(written..).unwrap_or_default();
        let (result, read, wrote) = decoder.decode_to_utf8_without_replacement(bytes, room, last);
        text.truncate(written + wrote);
        bytes = bytes.get(read..).unwrap_or_default();
        match result {
            DecoderResult::InputEmpty => return,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => text.push(INVALID),
        }
    }
}

/// Takes UTF-8, cut anywhere, and writes it in another encoding that carries all of it.
#[derive(Debug)]
pub(super) struct Encoder<W> {
    write: W,
    encoding: Encoding,
    /// The first bytes of a letter whose others are still to come.
    begun: Vec<u8>,
}

impl<W: Write> Encoder<W> {
    pub(super) const fn new(write: W, encoding: Encoding) -> Self {
        let begun = Vec::new();
        Self {
            write,
            encoding,
            begun,
        }
    }

    pub(super) fn into_inner(self) -> W {
        self.write
    }

    /// Writes the whole letters of `bytes` and keeps what is left over.
    fn encode(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(chunk) = bytes.utf8_chunks().next() else {
            return Ok(());
        };
        self.write.write_all(&self.encoding.encode(chunk.valid()))?;
        self.begun = bytes.get(chunk.valid().len()..).unwrap_or_default().to_vec();
        match self.begun.len() {
            0..4 => Ok(()),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.encoding == Encoding::Utf8 {
            return self.write.write(bytes);
        }
        let mut begun = std::mem::take(&mut self.begun);
        if begun.is_empty() {
            self.encode(bytes)?;
        } else {
            begun.extend_from_slice(bytes);
            self.encode(&begun)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Encoding; 5] = [
        Encoding::Utf8,
        Encoding::Utf16Le,
        Encoding::Utf16Be,
        Encoding::Iso8859,
        Encoding::Windows1252,
    ];

    fn decoded(encoding: Encoding, bytes: &[u8], piece: usize) -> Vec<u8> {
        let (mut decoder, mut text) = (encoding.decoder(), Vec::new());
        bytes
            .chunks(piece)
            .for_each(|piece| decoder.decode(piece, false, &mut text));
        decoder.decode(&[], true, &mut text);
        text
    }

    #[test]
    fn what_an_encoding_carries_comes_back_cut_at_any_place() {
        for encoding in ALL {
            for text in ["æøåÆØÅ", "€ – “”", "李小龍 👩‍👩‍👧", "e\u{301}", "\u{85}", "\0"]
            {
                for piece in 1..7 {
                    let mut encoder = Encoder::new(Vec::new(), encoding);
                    for bytes in text.as_bytes().chunks(piece) {
                        encoder.write_all(bytes).unwrap();
                    }
                    let same = decoded(encoding, &encoder.into_inner(), piece) == text.as_bytes();
                    assert_eq!(same, encoding.carries(text), "{encoding:?} {text}");
                }
            }
        }
    }

    #[test]
    fn the_euro_sign_is_in_windows_1252_and_not_in_iso_8859_1() {
        assert_eq!(*Encoding::Windows1252.encode("€ø"), [0x80, 0xF8]);
        assert!(!Encoding::Iso8859.carries("€"));
        assert_eq!(decoded(Encoding::Windows1252, &[0x80, 0xF8], 1), "€ø".as_bytes());
    }

    #[test]
    fn bytes_that_are_no_letters_are_marked_and_never_replaced() {
        let undefined = [0x81, 0x8D, 0x8F, 0x90, 0x9D];
        assert_eq!(decoded(Encoding::Windows1252, &undefined, 5), [INVALID; 5]);
        let controls: Vec<u8> = (0x80..=0x9F).collect();
        assert_eq!(decoded(Encoding::Iso8859, &controls, 7), [INVALID; 32]);
        assert_eq!(decoded(Encoding::Utf16Le, b"a\0\x00\xD8b\0", 1), b"a\xFFb");
        assert_eq!(decoded(Encoding::Utf16Be, b"\0a\0", 1), b"a\xFF");
    }
}
