//! How bytes are written in headers and secrets, each in one way only.

use std::io::Read as _;

use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use flate2::read::MultiGzDecoder;

use super::raw::RawWebhook;
use super::refused::Reason;

const EITHER: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// Base64, padded or not.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, EITHER);

/// Base64 for URLs, padded or not.
pub(super) const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, EITHER);

/// The most bytes that a compressed body has when it is inflated.
const INFLATED: usize = 4 << 20;

/// Returns the bytes of lower-case hex.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some((digit(*high)? << 4) | digit(*low)?),
            _ => None,
        })
        .collect()
}

fn named(raw: &RawWebhook) -> Result<&str, Reason> {
    match raw.header("content-encoding") {
        Err(Reason::Missing) => Ok("identity"),
        named => named.map_err(|_| Reason::Encoding),
    }
}

/// Returns a body that is not compressed.
pub(super) fn plain(raw: RawWebhook) -> Result<Bytes, Reason> {
    match named(&raw)? {
        "identity" => Ok(raw.body),
        _ => Err(Reason::Encoding),
    }
}

/// Returns a body that may be compressed, inflated and whole.
pub(super) fn inflated(raw: RawWebhook) -> Result<Bytes, Reason> {
    match named(&raw)? {
        "gzip" | "x-gzip" => inflate(&raw.body),
        _ => plain(raw),
    }
}

fn inflate(body: &[u8]) -> Result<Bytes, Reason> {
    let mut bytes = Vec::new();
    // One more than is taken tells a body that ends there from one that goes on.
    let mut decoder = MultiGzDecoder::new(body).take(INFLATED as u64 + 1);
    decoder.read_to_end(&mut bytes).map_err(|_| Reason::Encoding)?;
    match bytes.len() {
        0..=INFLATED => Ok(bytes.into()),
        _ => Err(Reason::TooLarge),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn sent(encoding: &'static str, body: Vec<u8>) -> RawWebhook {
        let mut raw = RawWebhook {
            body: body.into(),
            ..RawWebhook::default()
        };
        raw.headers.insert("content-encoding", encoding.parse().unwrap());
        raw
    }

    #[test]
    fn a_body_that_inflates_without_end_is_refused() {
        let most = gzip(&vec![b' '; INFLATED]);
        assert_eq!(inflated(sent("gzip", most)).unwrap().len(), INFLATED);
        let bomb = gzip(&vec![0; 64 << 20]);
        assert!(bomb.len() < 1 << 17);
        assert_eq!(inflated(sent("gzip", bomb)), Err(Reason::TooLarge));
    }

    #[test]
    fn a_compressed_body_that_is_not_whole_is_refused() {
        let whole = gzip(b"{\"ids\":[1]}");
        assert_eq!(inflated(sent("x-gzip", whole.clone())).unwrap(), "{\"ids\":[1]}");
        for cut in 0..whole.len() {
            let part = sent("gzip", whole[..cut].to_vec());
            assert_eq!(inflated(part), Err(Reason::Encoding), "{cut}");
        }
        let more = [&whole[..], b"{}"].concat();
        assert_eq!(inflated(sent("gzip", more)), Err(Reason::Encoding));
        assert_eq!(inflated(sent("br", whole.clone())), Err(Reason::Encoding));
        assert_eq!(inflated(sent("gzip, gzip", whole)), Err(Reason::Encoding));
    }

    #[test]
    fn hex_has_one_spelling() {
        assert_eq!(hex("00ff1a"), Some(vec![0, 0xff, 0x1a]));
        for text in ["0", "0g", "FF", "+1", "0x00", " 0", "é"] {
            assert_eq!(hex(text), None, "{text}");
        }
    }
}
