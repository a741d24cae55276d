//! KMS, as far as functions seal and open: what it sealed in a context opens whole and in that context only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Value, json};

/// What its one key is called.
pub(crate) const KEY: &str = "arn:aws:kms:eu-north-1:123456789012:key/tokens";

/// KMS with one key, which nobody ever sees.
pub(crate) struct Kms(LessSafeKey);

impl Kms {
    pub(crate) fn new() -> Self {
        let key = UnboundKey::new(&AES_256_GCM, &random::<32>()).unwrap();
        Self(LessSafeKey::new(key))
    }

    /// Answers an operation; an error is the code of a refusal.
    pub(crate) fn answer(&self, operation: &str, said: &Value) -> Result<Value, &'static str> {
        if said["KeyId"] != KEY {
            return Err("NotFoundException");
        }
        let context = said["EncryptionContext"].to_string();
        match operation {
            "Encrypt" => {
                let plain = decoded(&said["Plaintext"]);
                Ok(json!({ "CiphertextBlob": self.seal(&context, &plain), "KeyId": KEY }))
            }
            "GenerateDataKey" => {
                assert_eq!(said["KeySpec"], "AES_256");
                let plain = random::<32>();
                let sealed = self.seal(&context, &plain);
                Ok(json!({ "CiphertextBlob": sealed, "Plaintext": STANDARD.encode(plain), "KeyId": KEY }))
            }
            _ => {
                let plain = self.open(&context, &decoded(&said["CiphertextBlob"]));
                let plain = plain.ok_or("InvalidCiphertextException")?;
                Ok(json!({ "Plaintext": STANDARD.encode(plain), "KeyId": KEY }))
            }
        }
    }

    fn seal(&self, context: &str, plain: &[u8]) -> String {
        let (nonce, mut sealed) = (random::<NONCE_LEN>(), plain.to_vec());
        let by = Nonce::assume_unique_for_key(nonce);
        self.0
            .seal_in_place_append_tag(by, Aad::from(context), &mut sealed)
            .unwrap();
        STANDARD.encode([&nonce[..], &sealed].concat())
    }

    fn open(&self, context: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN)?;
        let (nonce, mut rest) = (Nonce::try_assume_unique_for_key(nonce).ok()?, rest.to_vec());
        let opened = self.0.open_in_place(nonce, Aad::from(context), &mut rest);
        opened.ok().map(|plain| plain.to_vec())
    }
}

fn decoded(text: &Value) -> Vec<u8> {
    STANDARD.decode(text.as_str().unwrap()).unwrap()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).unwrap();
    bytes
}
