use secrecy::ExposeSecret as _;

use super::*;
use crate::keys::MemoryKeys;
use crate::registry::Scope;

const PLACE: &str = "https://api.example.org";

fn now() -> Timestamp {
    "2026-01-31T10:00:00Z".parse().unwrap()
}

fn later(seconds: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() + seconds).unwrap()
}

fn client() -> Uuid {
    Uuid::from_u128(7)
}

/// A deployment, and the keys that it signs with.
struct Deployment {
    keys: Arc<MemoryKeys>,
    tokens: Tokens,
}

impl Deployment {
    fn new() -> Self {
        Self::with(MemoryKeys::new())
    }

    fn with(keys: MemoryKeys) -> Self {
        let keys = Arc::new(keys);
        let tokens = Tokens::new(Arc::<MemoryKeys>::clone(&keys), PLACE);
        Self { keys, tokens }
    }

    async fn token(&self) -> String {
        let scopes = Scopes::from_iter([Scope::SyncTrigger]);
        let token = self.tokens.issue(client(), scopes, now()).await.unwrap();
        token.expose_secret().to_owned()
    }

    async fn accepts(&self, token: &str) -> bool {
        self.tokens.verify(token, now()).await.is_ok()
    }

    /// Signs a token of another making with the deployment's own key.
    async fn signed(&self, change: impl FnOnce(&mut Value, &mut Value)) -> String {
        let token = self.token().await;
        let parts: Vec<&str> = token.split('.').collect();
        let read =
            |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
        let (mut header, mut claims) = (read(parts[0]), read(parts[1]));
        change(&mut header, &mut claims);
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = self.keys.sign(signed.as_bytes()).await.unwrap();
        format!("{signed}.{}", encode(signature.0))
    }
}

#[tokio::test]
async fn a_token_that_was_issued_is_accepted_and_says_who_may_do_what() {
    let deployment = Deployment::new();
    let token = deployment.token().await;
    let claims = deployment.tokens.verify(&token, now()).await.unwrap();
    assert_eq!((claims.client_id, claims.sub), (client(), client()));
    assert_eq!(claims.scope, Scopes::from_iter([Scope::SyncTrigger]));
    assert_eq!(claims.exp - claims.iat, LIFETIME);
    let header = decode_header(&token).unwrap();
    let set = deployment.tokens.key_set().await.unwrap();
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    assert_eq!(set["keys"][0]["kid"], json!(header.kid));
}

#[tokio::test]
async fn a_token_is_good_until_its_end_and_not_before_its_time() {
    let deployment = Deployment::new();
    let token = deployment.token().await;
    for (seconds, good) in [
        (-61, false),
        (-60, true),
        (0, true),
        (LIFETIME - 1, true),
        (LIFETIME, false),
    ] {
        let verified = deployment.tokens.verify(&token, later(seconds)).await;
        assert_eq!(verified.is_ok(), good, "{seconds}");
    }
}

#[tokio::test]
async fn no_letter_of_a_token_may_be_another() {
    let deployment = Deployment::new();
    let token = deployment.token().await;
    for position in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        // The last letter of a part holds bits that mean nothing, and must be as they are written.
        assert!(!deployment.accepts(&changed).await, "{position}");
    }
    for token in [
        "",
        ".",
        "..",
        "a.b.c",
        token.strip_suffix(|_| true).unwrap(),
        &format!("{token}."),
        &format!("{token}A"),
    ] {
        assert!(!deployment.accepts(token).await, "{token}");
    }
}

#[tokio::test]
async fn what_another_key_signed_or_nobody_is_refused() {
    let deployment = Deployment::new();
    assert!(!deployment.accepts(&Deployment::new().token().await).await);
    let token = deployment.token().await;
    let (signed, _) = token.rsplit_once('.').unwrap();
    assert!(!deployment.accepts(&format!("{signed}.")).await);
    for algorithm in ["none", "HS256", "RS256", "ES384", "EdDSA"] {
        let token = deployment
            .signed(|header, _| header["alg"] = json!(algorithm))
            .await;
        assert!(!deployment.accepts(&token).await, "{algorithm}");
    }
}

#[tokio::test]
async fn a_token_of_another_kind_place_or_audience_is_refused_though_our_key_signed_it() {
    let deployment = Deployment::new();
    assert!(deployment.accepts(&deployment.signed(|_, _| {}).await).await);
    for (member, value) in [
        ("typ", json!("JWT")),
        ("typ", Value::Null),
        ("kid", json!("../key")),
        ("kid", json!("' or 1=1")),
        ("kid", json!("https://elsewhere.example/key")),
        ("kid", json!("k".repeat(2_000))),
        ("jku", json!("https://elsewhere.example/keys")),
        ("x5u", json!("https://elsewhere.example/key")),
        ("jwk", json!({ "kty": "EC" })),
        ("crit", json!(["exp"])),
    ] {
        let token = deployment
            .signed(|header, _| header[member] = value.clone())
            .await;
        assert!(!deployment.accepts(&token).await, "{member} {value}");
    }
    for (claim, value) in [
        ("iss", json!("https://elsewhere.example")),
        ("aud", json!("https://elsewhere.example")),
        ("sub", json!(Uuid::from_u128(9))),
        ("exp", json!("9999999999")),
        ("exp", json!(9_999_999_999_i64)),
        ("exp", json!(-1)),
        ("iat", json!("0")),
        ("nbf", json!(9_999_999_999_i64)),
        ("nbf", json!("0")),
        ("scope", json!("sync:trigger everything")),
        ("client_id", json!("administrator")),
    ] {
        let token = deployment.signed(|_, claims| claims[claim] = value.clone()).await;
        assert!(!deployment.accepts(&token).await, "{claim} {value}");
    }
    for claim in ["iss", "aud", "sub", "exp", "iat", "jti", "scope", "client_id"] {
        let token = deployment
            .signed(|_, claims| drop(claims.as_object_mut().unwrap().remove(claim)))
            .await;
        assert!(!deployment.accepts(&token).await, "without {claim}");
    }
}

#[tokio::test]
async fn a_token_longer_than_any_of_ours_is_not_looked_at() {
    let deployment = Deployment::new();
    let token = deployment
        .signed(|_, claims| claims["more"] = json!("x".repeat(LONGEST)))
        .await;
    assert!(!deployment.accepts(&token).await);
}

#[tokio::test]
async fn after_the_key_was_changed_tokens_of_the_old_one_are_accepted_while_it_is_still_named() {
    let old = Deployment::new();
    let token = old.token().await;
    let rotated = Deployment::with(MemoryKeys::new().after(&old.keys));
    assert!(rotated.accepts(&token).await);
    let new = rotated.token().await;
    assert!(rotated.accepts(&new).await);
    let set = rotated.tokens.key_set().await.unwrap();
    assert_eq!(set["keys"].as_array().unwrap().len(), 2);
    assert_eq!(set["keys"][0]["kid"], json!(decode_header(&new).unwrap().kid));
    assert!(!Deployment::new().accepts(&token).await);
}

#[tokio::test]
async fn a_token_that_our_public_key_was_the_password_of_is_refused() {
    let deployment = Deployment::new();
    let key = deployment.keys.public().await.unwrap()[0];
    let point = [&[4][..], &key.x, &key.y].concat();
    let set = deployment
        .tokens
        .key_set()
        .await
        .unwrap()
        .to_string()
        .into_bytes();
    let token = deployment.token().await;
    let claims = token.split('.').nth(1).unwrap();
    for password in [point, [key.x, key.y].concat(), set] {
        let head = encode(json!({ "alg": "HS256", "typ": TYPE, "kid": kid(&key) }).to_string());
        let signed = format!("{head}.{claims}");
        let mac = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &password);
        let tag = ring::hmac::sign(&mac, signed.as_bytes());
        assert!(
            !deployment
                .accepts(&format!("{signed}.{}", encode(tag.as_ref())))
                .await
        );
    }
}

/// Keys that count how often they are asked for the public ones.
#[derive(Debug)]
struct Counting(MemoryKeys, std::sync::atomic::AtomicUsize);

#[async_trait::async_trait]
impl Keys for Counting {
    async fn sign(&self, message: &[u8]) -> Result<crate::keys::Signature, KeyError> {
        self.0.sign(message).await
    }

    async fn public(&self) -> Result<Vec<PublicKey>, KeyError> {
        self.1.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        self.0.public().await
    }

    async fn seal(&self, context: &str, secret: &SecretString) -> Result<crate::keys::Sealed, KeyError> {
        self.0.seal(context, secret).await
    }

    async fn sealer(&self, context: &str) -> Result<crate::keys::Sealer, KeyError> {
        self.0.sealer(context).await
    }

    async fn open(&self, context: &str, sealed: &crate::keys::Sealed) -> Result<SecretString, KeyError> {
        self.0.open(context, sealed).await
    }
}

#[tokio::test]
async fn a_flood_of_unknown_keys_asks_for_ours_once() {
    let keys = Arc::new(Counting(MemoryKeys::new(), 0.into()));
    let tokens = Tokens::new(Arc::<Counting>::clone(&keys), PLACE);
    let stranger = Deployment::new();
    for _ in 0..1_000 {
        assert!(tokens.verify(&stranger.token().await, now()).await.is_err());
    }
    assert_eq!(keys.1.load(std::sync::atomic::Ordering::SeqCst), 1);
}
