//! The token endpoint.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::refusal::Refusal;
use super::scope::{self, DELEGATED};
use super::{Entra, answer, check_method};
use crate::sign_in::{ClientFault, Desk, Family, Form, Grant, Proof, Reason, Redemption, RequestFault};
use crate::wire::{Answer, Request};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

type Given = Result<Value, Reason>;

impl Entra {
    /// Answers `POST /{tenant}/oauth2/v2.0/token`.
    pub(crate) fn token(&self, request: &Request) -> Answer {
        let form = read(request);
        let mut desk = self.sign_in.attend();
        let given = match &form {
            Ok(form) => self
                .check_tenant(request)
                .and_then(|()| self.give(&mut desk, form)),
            Err(reason) => Err(reason.clone()),
        };
        let form = form.unwrap_or_default();
        let client = form.get("client_id").unwrap_or_default();
        match given {
            Ok(body) => {
                desk.note(&form, None);
                answer(Answer::json(StatusCode::OK, &body))
            }
            Err(reason) => {
                let refusal = Refusal::of(&reason, client);
                desk.note(&form, Some((refusal.error, Some(refusal.number))));
                refusal.to_answer(desk.now)
            }
        }
    }

    fn give(&self, desk: &mut Desk<'_>, form: &Form) -> Given {
        let grant_type = form.need("grant_type")?;
        form.need("client_id")?;
        match grant_type {
            "client_credentials" => self.to_client(desk, form),
            "authorization_code" => self.for_code(desk, form),
            "refresh_token" => self.for_refresh_token(desk, form),
            other => Err(RequestFault::GrantType(other.to_owned()).into()),
        }
    }

    fn to_client(&self, desk: &mut Desk<'_>, form: &Form) -> Given {
        let asked = form.need("scope")?;
        let client = self.authenticate(desk, form).map_err(|reason| match reason {
            Reason::Client(ClientFault::NoProof) => ClientFault::NoProofOfItself.into(),
            other => other,
        })?;
        let system = scope::of_client(asked)?;
        let claims = json!({ "idtyp": "app" });
        let token = self.jwt(desk, &client, system, claims);
        let access = desk.give(
            token,
            Grant::to_client(&client, system, vec![".default".to_owned()]),
        );
        Ok(body(desk, &access))
    }

    fn for_code(&self, desk: &mut Desk<'_>, form: &Form) -> Given {
        let (code, redirect_uri) = (form.need("code")?, form.need("redirect_uri")?);
        let client_id = &self.authenticate(desk, form)?;
        let (family, refresh) = desk.redeem(&Redemption {
            code,
            client_id,
            redirect_uri,
            verifier: form.get("code_verifier"),
        })?;
        self.for_family(desk, &family, Some(refresh))
    }

    fn for_refresh_token(&self, desk: &mut Desk<'_>, form: &Form) -> Given {
        let shown = form.need("refresh_token")?;
        let client = self.authenticate(desk, form)?;
        let (family, refresh) = desk.refresh(shown, &client, form.get("scope"))?;
        self.for_family(desk, &family, refresh)
    }

    fn for_family(&self, desk: &mut Desk<'_>, family: &Family, refresh: Option<String>) -> Given {
        let (system, mut words) = scope::of_user(&family.scope)?;
        words.retain(|word| !desk.settings().withholds(word));
        let allowed = words.iter().map(|_| DELEGATED.to_owned()).collect();
        let claims = json!({ "idtyp": "user", "upn": family.user, "scp": DELEGATED });
        let token = self.jwt(desk, &family.client_id, system, claims);
        let access = desk.give(token, Grant::to_family(family, system, allowed));
        let mut body = body(desk, &access);
        body["scope"] = words.join(" ").into();
        if let Some(refresh) = refresh {
            body["refresh_token"] = refresh.into();
        }
        Ok(body)
    }

    fn authenticate(&self, desk: &mut Desk<'_>, form: &Form) -> Result<String, Reason> {
        let endpoint = format!("{}/{}/oauth2/v2.0/token", self.base_url, self.tenant);
        let assertion = form
            .get("client_assertion")
            .filter(|_| form.get("client_assertion_type") == Some(JWT_BEARER));
        let proof = match (form.get("client_secret"), assertion) {
            (Some(_), Some(_)) => return Err(RequestFault::TwoProofs.into()),
            (None, Some(text)) => Proof::Assertion {
                text,
                audience: &endpoint,
            },
            (Some(secret), None) => Proof::Secret(secret),
            (None, None) => Proof::Nothing,
        };
        desk.authenticate(form.need("client_id")?, proof)
    }

    /// Returns something that looks like a signed token and means nothing.
    fn jwt(&self, desk: &Desk<'_>, client_id: &str, audience: &str, more: Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = encode(&json!({ "typ": "JWT", "alg": "RS256", "kid": "simulated" }));
        let (tenant, now) = (&self.tenant, desk.now.as_second());
        let mut claims = json!({
            "aud": audience, "iss": format!("https://sts.windows.net/{tenant}/"), "iat": now, "nbf": now,
            "exp": now + desk.settings().access_token_seconds, "appid": client_id, "tid": tenant,
            "uti": Uuid::new_v4(), "ver": "1.0",
        });
        let (members, more) = (claims.as_object_mut(), more.as_object().cloned());
        members
            .expect("claims are an object")
            .extend(more.unwrap_or_default());
        let signature: Vec<u8> = (0..16).flat_map(|_| Uuid::new_v4().into_bytes()).collect();
        format!(
            "{header}.{}.{}",
            encode(&claims),
            URL_SAFE_NO_PAD.encode(signature)
        )
    }
}

fn body(desk: &Desk<'_>, access: &str) -> Value {
    let seconds = desk.settings().access_token_seconds;
    json!({ "token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": access })
}

/// Reads a form; the body of anything else counts for nothing.
fn read(request: &Request) -> Result<Form, Reason> {
    check_method(request, &Method::POST)?;
    let kind = request.header("content-type").unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Ok(Form::default());
    }
    Form::parse(&String::from_utf8_lossy(&request.body))
}
