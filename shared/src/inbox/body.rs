//! The body of a webhook, where it has to be kept: it cannot be read yet, and may be once the settings are other ones.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};

/// The most letters that a message and a row have room for.
const ROOM: usize = 200_000;

/// The most bytes that a body has when it is inflated again.
const INFLATED: u64 = 8 << 20;

/// A body, deflated and written in base64; one that does not fit is not kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeptBody(Box<str>);

impl KeptBody {
    /// Keeps a body, if it fits.
    #[must_use]
    pub fn of(body: &[u8]) -> Option<Self> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).ok()?;
        let text = STANDARD.encode(encoder.finish().ok()?);
        (text.len() <= ROOM).then(|| Self(text.into()))
    }

    /// Returns the body as it was.
    #[must_use]
    pub fn bytes(&self) -> Option<Bytes> {
        let deflated = STANDARD.decode(&*self.0).ok()?;
        let mut bytes = Vec::new();
        DeflateDecoder::new(&*deflated)
            .take(INFLATED)
            .read_to_end(&mut bytes)
            .ok()?;
        Some(bytes.into())
    }
}

/// What it says is a person's.
impl std::fmt::Debug for KeptBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptBody")
            .field("letters", &self.0.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_comes_out_as_it_went_in() {
        for body in [&b""[..], b"{\"navn\":\"\xc3\x85se\"}", &[0xff; 1000]] {
            assert_eq!(KeptBody::of(body).unwrap().bytes().unwrap(), body);
        }
    }

    #[test]
    fn a_megabyte_of_json_is_kept_and_a_megabyte_of_noise_is_not() {
        let json =
            br#"{"contactid":"1c8c4d2e-0000-0000-0000-000000000000","firstname":"Kari"},"#.repeat(14_000);
        assert!(KeptBody::of(&json).is_some());
        let mut noise = vec![0; 1 << 20];
        getrandom::fill(&mut noise).unwrap();
        assert!(KeptBody::of(&noise).is_none());
    }
}
