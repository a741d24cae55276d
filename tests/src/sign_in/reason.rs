//! Why a request is refused, before a dialect words it.

/// Says what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    Request(RequestFault),
    Client(ClientFault),
    Assertion(AssertionFault),
    Grant(GrantFault),
}

/// Says what is wrong with a request, whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RequestFault {
    Tenant(String),
    Method(String),
    Missing(&'static str),
    Repeated(String),
    Unreadable,
    TwoProofs,
    GrantType(String),
    ResponseType(String),
    ResponseMode(String),
    Scope(String),
    SeveralSystems,
    UnknownScope(String),
    ChallengeMethod,
    Challenge,
}

/// Says what is wrong with a client or its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ClientFault {
    Unknown,
    /// It shows nothing, and asks in the name of somebody.
    NoProof,
    /// It shows nothing, and asks in its own name.
    NoProofOfItself,
    WrongSecret,
    ExpiredSecret,
    RedirectUri(String),
}

/// Says what is wrong with a client assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AssertionFault {
    Malformed,
    Algorithm,
    UnknownKey,
    ExpiredKey,
    Signature,
    Subject,
    Audience,
    Time,
    Replayed,
}

/// Says what is wrong with a code, a refresh token, or what a user allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GrantFault {
    Unknown,
    OfAnotherClient,
    CodeExpired,
    CodeUsed,
    RedirectUri,
    Verifier,
    Idle,
    Revoked,
    NotConsented,
    Declined,
}

impl From<RequestFault> for Reason {
    fn from(fault: RequestFault) -> Self {
        Self::Request(fault)
    }
}

impl From<ClientFault> for Reason {
    fn from(fault: ClientFault) -> Self {
        Self::Client(fault)
    }
}

impl From<AssertionFault> for Reason {
    fn from(fault: AssertionFault) -> Self {
        Self::Assertion(fault)
    }
}

impl From<GrantFault> for Reason {
    fn from(fault: GrantFault) -> Self {
        Self::Grant(fault)
    }
}
