//! How bytes are written in headers and secrets, each in one way only.

use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

use super::raw::RawWebhook;
use super::refused::Reason;

const EITHER: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// Base64, padded or not.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, EITHER);

/// Base64 for URLs, padded or not.
pub(super) const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, EITHER);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_has_one_spelling() {
        assert_eq!(hex("00ff1a"), Some(vec![0, 0xff, 0x1a]));
        for text in ["0", "0g", "FF", "+1", "0x00", " 0", "é"] {
            assert_eq!(hex(text), None, "{text}");
        }
    }
}
