//! Refusals in the words and numbers of Entra ID.

use http::StatusCode;

use crate::sign_in::{AssertionFault, ClientFault, GrantFault, Reason, RequestFault};

/// Says why nothing is given, to machines and to humans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) error: &'static str,
    pub(super) number: u64,
    message: String,
}

impl Refusal {
    /// Words why `client` was refused.
    pub(super) fn of(reason: &Reason, client: &str) -> Self {
        let (error, number, message) = match reason {
            Reason::Request(fault) => of_request(fault),
            Reason::Client(fault) => of_client(fault, client),
            Reason::Assertion(fault) => of_assertion(*fault),
            Reason::Grant(fault) => of_grant(*fault),
        };
        let status = match error {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        Self {
            status,
            error,
            number,
            message,
        }
    }

    pub(super) fn description(&self) -> String {
        format!("AADSTS{}: {}", self.number, self.message)
    }
}

type Wording = (&'static str, u64, String);

fn of_request(fault: &RequestFault) -> Wording {
    match fault {
        RequestFault::Tenant(tenant) => (
            "invalid_request",
            90_002,
            format!(
                "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into \
                 the correct cloud."
            ),
        ),
        RequestFault::Method(method) => (
            "invalid_request",
            900_561,
            format!("The endpoint does not accept {method} requests."),
        ),
        RequestFault::Missing(name) => (
            "invalid_request",
            900_144,
            format!("The request body must contain the following parameter: '{name}'."),
        ),
        RequestFault::Repeated(name) => (
            "invalid_request",
            9_000_411,
            format!("The request is not properly formatted. The parameter '{name}' is duplicated."),
        ),
        RequestFault::Unreadable => (
            "invalid_request",
            90_004,
            "The request cannot be read.".to_owned(),
        ),
        RequestFault::GrantType(grant_type) => (
            "unsupported_grant_type",
            70_003,
            format!("The app requested an unsupported grant type '{grant_type}'."),
        ),
        _ => of_sign_in(fault),
    }
}

fn of_sign_in(fault: &RequestFault) -> Wording {
    match fault {
        RequestFault::ResponseType(response_type) => (
            "unsupported_response_type",
            70_005,
            format!("The response type '{response_type}' is not supported."),
        ),
        RequestFault::ResponseMode(mode) => (
            "invalid_request",
            70_007,
            format!("The response mode '{mode}' is not supported."),
        ),
        RequestFault::SeveralSystems => (
            "invalid_scope",
            28_000,
            "The scope is not valid because it contains more than one resource.".to_owned(),
        ),
        RequestFault::UnknownScope(scope) => (
            "invalid_scope",
            650_053,
            format!("The application asked for scope '{scope}' that doesn't exist on the resource."),
        ),
        RequestFault::ChallengeMethod => (
            "invalid_request",
            9_002_325,
            "Proof Key for Code Exchange by S256 is required.".to_owned(),
        ),
        RequestFault::Challenge => (
            "invalid_request",
            501_491,
            "Invalid size of Code_Challenge parameter.".to_owned(),
        ),
        RequestFault::Scope(scope) => (
            "invalid_scope",
            70_011,
            format!(
                "The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
            ),
        ),
        _ => ("invalid_request", 90_023, "The request is not valid.".to_owned()),
    }
}

fn of_client(fault: &ClientFault, client: &str) -> Wording {
    match fault {
        ClientFault::Unknown => (
            "unauthorized_client",
            700_016,
            format!(
                "Application with identifier '{client}' was not found in the directory. This can happen if the \
                 application has not been installed by the administrator of the tenant."
            ),
        ),
        ClientFault::NoProof => (
            "invalid_client",
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.".to_owned(),
        ),
        ClientFault::NoProofOfItself => (
            "invalid_client",
            7_000_216,
            "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type."
                .to_owned(),
        ),
        ClientFault::WrongSecret => (
            "invalid_client",
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret \
                 value, not the client secret ID, for a secret added to app '{client}'."
            ),
        ),
        ClientFault::ExpiredSecret => (
            "invalid_client",
            7_000_222,
            format!("The provided client secret keys for app '{client}' are expired."),
        ),
        ClientFault::RedirectUri(uri) => (
            "invalid_request",
            50_011,
            format!("The redirect URI '{uri}' does not match those configured for the application '{client}'."),
        ),
    }
}

fn of_assertion(fault: AssertionFault) -> Wording {
    let (error, number, message) = match fault {
        AssertionFault::Malformed => ("invalid_request", 50_027, "JWT token is invalid or malformed."),
        AssertionFault::Algorithm => (
            "invalid_client",
            700_027,
            "Client assertion failed signature validation. [Reason - The algorithm is not supported.]",
        ),
        AssertionFault::UnknownKey => (
            "invalid_client",
            700_027,
            "Client assertion failed signature validation. [Reason - The key was not found.]",
        ),
        AssertionFault::ExpiredKey => (
            "invalid_client",
            700_027,
            "Client assertion contains an invalid signature. [Reason - The key used is expired.]",
        ),
        AssertionFault::Signature => (
            "invalid_client",
            700_027,
            "Client assertion contains an invalid signature. [Reason - The signature does not fit the key.]",
        ),
        AssertionFault::Subject => (
            "invalid_client",
            700_021,
            "Client assertion application identifier doesn't match 'client_id' parameter.",
        ),
        AssertionFault::Audience => (
            "invalid_client",
            700_023,
            "Client assertion audience claim does not match Realm issuer.",
        ),
        AssertionFault::Time => (
            "invalid_client",
            700_024,
            "Client assertion is not within its valid time range.",
        ),
        AssertionFault::Replayed => (
            "invalid_client",
            50_013,
            "Assertion failed validation. It was used before.",
        ),
    };
    (error, number, message.to_owned())
}

fn of_grant(fault: GrantFault) -> Wording {
    let (error, number, message) = match fault {
        GrantFault::Unknown => (
            "invalid_grant",
            9_002_313,
            "Invalid request. Request is malformed or invalid.",
        ),
        GrantFault::OfAnotherClient => (
            "invalid_grant",
            700_007,
            "The grant was issued for a different client id.",
        ),
        GrantFault::CodeExpired => (
            "invalid_grant",
            70_008,
            "The provided authorization code or refresh token has expired due to inactivity.",
        ),
        GrantFault::CodeUsed => (
            "invalid_grant",
            54_005,
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing \
             refresh token.",
        ),
        // People see this one as `invalid_client`, though the client is right.
        GrantFault::RedirectUri => (
            "invalid_client",
            500_112,
            "The reply address does not match the reply address provided when requesting Authorization code.",
        ),
        GrantFault::Verifier => (
            "invalid_grant",
            501_481,
            "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
        ),
        GrantFault::Idle => (
            "invalid_grant",
            700_082,
            "The refresh token has expired due to inactivity.",
        ),
        GrantFault::Revoked => (
            "invalid_grant",
            50_173,
            "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
        ),
        GrantFault::NotConsented => (
            "invalid_grant",
            65_001,
            "The user or administrator has not consented to use the application.",
        ),
        GrantFault::Declined => (
            "access_denied",
            65_004,
            "User declined to consent to access the app.",
        ),
    };
    (error, number, message.to_owned())
}
