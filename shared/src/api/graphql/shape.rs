//! The types that clients see.
//!
//! The whole shape of `Auth` is there, since clients select all of it; an integration system only ever has OAuth
//! credentials, so that much of it is always null.

#![expect(clippy::unused_async, reason = "the library calls every resolver so")]
#![expect(
    clippy::duplicated_attributes,
    reason = "many fields of an interface have the same type"
)]

use async_graphql::{
    Context, Enum, ID, InputObject, InputValueError, InputValueResult, Interface, Object, Scalar, ScalarType,
    SimpleObject, Union, Value,
};
use tokio::sync::OnceCell;

use super::paging::PageCursor;
use super::{Asked, Refusal};
use crate::registry::{ClientSecret, Credential, IntegrationSystem as System};

/// What an integration system is to be called.
#[derive(Debug, InputObject)]
pub(super) struct IntegrationSystemInput {
    /// A lowercase DNS subdomain of at most 36 characters that begins with a letter; unique.
    pub(super) name: String,
    /// At most 2000 characters.
    pub(super) description: Option<String>,
}

/// Somebody who may drive the service from outside.
#[derive(Debug)]
pub(super) struct IntegrationSystem {
    pub(super) system: System,
    pub(super) auths: Result<Vec<IntSysSystemAuth>, Refusal>,
}

/// Somebody who may drive the service from outside.
#[Object]
impl IntegrationSystem {
    /// Its id.
    async fn id(&self) -> ID {
        self.system.id.into()
    }

    /// Its name, unique among all.
    async fn name(&self) -> &str {
        &self.system.name
    }

    /// What it is.
    async fn description(&self) -> Option<&str> {
        self.system.description.as_deref()
    }

    /// Its credentials.
    async fn auths(&self) -> Result<Option<&Vec<IntSysSystemAuth>>, Refusal> {
        self.auths.as_ref().map(Some).map_err(Clone::clone)
    }
}

/// Some of the integration systems.
#[derive(Debug, SimpleObject)]
pub(super) struct IntegrationSystemPage {
    /// The systems.
    pub(super) data: Vec<IntegrationSystem>,
    /// Where they are in the list.
    pub(super) page_info: PageInfo,
    /// How many there are, all in all.
    pub(super) total_count: i32,
}

/// A part of a list.
#[derive(Debug, Interface)]
#[graphql(
    field(name = "page_info", ty = "&PageInfo"),
    field(name = "total_count", ty = "&i32")
)]
pub(super) enum Pageable {
    /// Of the integration systems.
    IntegrationSystemPage(IntegrationSystemPage),
}

/// Where a page is in the list.
#[derive(Debug, SimpleObject)]
pub(super) struct PageInfo {
    /// Where it begins: what was asked for.
    pub(super) start_cursor: PageCursor,
    /// Where the next one begins; empty at the end.
    pub(super) end_cursor: PageCursor,
    /// Whether there is a next one.
    pub(super) has_next_page: bool,
}

/// What a credential belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum SystemAuthReferenceType {
    Application,
    Runtime,
    IntegrationSystem,
}

/// A credential.
#[derive(Debug, Interface)]
#[graphql(
    field(name = "id", ty = "&ID"),
    field(name = "auth", ty = "&Option<Auth>"),
    field(name = "type", method = "kind", ty = "&Option<SystemAuthReferenceType>"),
    field(name = "tenant_id", ty = "&Option<String>"),
    field(name = "reference_object_id", ty = "&Option<ID>")
)]
pub(super) enum SystemAuth {
    /// Of an integration system.
    IntSys(IntSysSystemAuth),
    /// Of an application; there are none here.
    App(AppSystemAuth),
    /// Of a runtime; there are none here.
    Runtime(RuntimeSystemAuth),
}

/// A credential of an integration system.
#[derive(Debug, SimpleObject)]
pub(super) struct IntSysSystemAuth {
    /// Its id, which is the client's id.
    pub(super) id: ID,
    /// What the client authenticates with; null without the scope `integration_system.auths:read`.
    pub(super) auth: Option<Auth>,
    /// What it belongs to.
    #[graphql(name = "type")]
    pub(super) kind: Option<SystemAuthReferenceType>,
    /// Always null: an integration system acts for many organizations.
    pub(super) tenant_id: Option<String>,
    /// The id of the integration system.
    pub(super) reference_object_id: Option<ID>,
    #[graphql(flatten)]
    pub(super) limits: Limits,
}

/// How far a credential goes, for its own system and the administrator; null to others.
#[derive(Debug, Default, SimpleObject)]
pub(super) struct Limits {
    /// What it may do; null to other systems.
    pub(super) scopes: Option<Vec<&'static str>>,
    /// For which organizations; null is for all, and to other systems.
    pub(super) organizations: Option<Vec<String>>,
    /// When it was issued; null to other systems.
    pub(super) created_at: Option<Timestamp>,
    /// When it ends; null is never, and to other systems.
    pub(super) expires_at: Option<Timestamp>,
    /// When a token of it was last shown, to within an hour; null is not for a year, and to other systems.
    pub(super) last_used_at: Option<Timestamp>,
}

/// A credential of something that is not here.
macro_rules! foreign_auth {
    ($(#[doc = $doc:literal])* $name:ident) => {
        $(#[doc = $doc])*
        #[derive(Debug, SimpleObject)]
        pub(super) struct $name {
            /// Its id.
            pub(super) id: ID,
            /// What the client authenticates with.
            pub(super) auth: Option<Auth>,
            /// What it belongs to.
            #[graphql(name = "type")]
            pub(super) kind: Option<SystemAuthReferenceType>,
            /// For which tenant.
            pub(super) tenant_id: Option<String>,
            /// To what it belongs.
            pub(super) reference_object_id: Option<ID>,
        }
    };
}

foreign_auth!(
    /// A credential of an application; there are none here.
    AppSystemAuth
);
foreign_auth!(
    /// A credential of a runtime; there are none here.
    RuntimeSystemAuth
);

/// What a client authenticates with.
#[derive(Debug, SimpleObject)]
pub(super) struct Auth {
    /// The secret itself.
    pub(super) credential: Option<CredentialData>,
    /// Always null.
    pub(super) access_strategy: Option<String>,
    #[graphql(flatten)]
    pub(super) additional: Additional,
    /// Always null.
    pub(super) request_auth: Option<CredentialRequestAuth>,
    /// Always null.
    pub(super) one_time_token: Option<OneTimeToken>,
    /// Always empty.
    pub(super) cert_common_name: Option<String>,
}

/// What is sent besides; always null.
#[derive(Debug, Default, SimpleObject)]
pub(super) struct Additional {
    /// Always null.
    pub(super) additional_headers: Option<HttpHeaders>,
    /// Always null.
    pub(super) additional_headers_serialized: Option<HttpHeadersSerialized>,
    /// Always null.
    pub(super) additional_query_params: Option<QueryParams>,
    /// Always null.
    pub(super) additional_query_params_serialized: Option<QueryParamsSerialized>,
}

/// A secret.
#[derive(Debug, Union)]
pub(super) enum CredentialData {
    /// A name and a password; never here.
    Basic(BasicCredentialData),
    /// A client id and a client secret.
    OAuth(OAuthCredentialData),
    /// A client id and a certificate; never here.
    Certificate(CertificateOAuthCredentialData),
}

/// A name and a password; never here.
#[derive(Debug, SimpleObject)]
pub(super) struct BasicCredentialData {
    /// The name.
    pub(super) username: String,
    /// The password.
    pub(super) password: String,
}

/// A client id and a certificate; never here.
#[derive(Debug, SimpleObject)]
#[graphql(name = "CertificateOAuthCredentialData")]
pub(super) struct CertificateOAuthCredentialData {
    /// The client id.
    pub(super) client_id: ID,
    /// The certificate.
    pub(super) certificate: String,
    /// The token endpoint.
    pub(super) url: String,
}

/// With what a client gets tokens.
#[derive(Debug)]
pub(super) struct OAuthCredentialData {
    pub(super) credential: Credential,
    /// The secret, once it was opened, or where it was made just now.
    pub(super) secret: OnceCell<ClientSecret>,
}

/// With what a client gets tokens.
#[Object(name = "OAuthCredentialData")]
impl OAuthCredentialData {
    /// The client id.
    async fn client_id(&self) -> ID {
        self.credential.id.into()
    }

    /// The client secret.
    async fn client_secret(&self, ctx: &Context<'_>) -> Result<String, Refusal> {
        let asked = Asked::of(ctx)?;
        let open = async || {
            let _turn = asked.turns.acquire().await;
            self.credential.secret(&*asked.registry.keys).await
        };
        let secret = self.secret.get_or_try_init(open).await?;
        Ok(secret.expose().to_owned())
    }

    /// The token endpoint.
    async fn url(&self, ctx: &Context<'_>) -> Result<String, Refusal> {
        Ok(Asked::of(ctx)?.registry.issuer.token_url())
    }
}

/// How a credential is asked for; never here.
#[derive(Debug, SimpleObject)]
pub(super) struct CredentialRequestAuth {
    /// With a token against forged requests.
    pub(super) csrf: Option<CSRFTokenCredentialRequestAuth>,
}

/// How a token against forged requests is asked for; never here.
#[derive(Debug, SimpleObject)]
#[graphql(name = "CSRFTokenCredentialRequestAuth")]
pub(super) struct CSRFTokenCredentialRequestAuth {
    /// Where.
    #[graphql(name = "tokenEndpointURL")]
    pub(super) token_endpoint_url: String,
    /// With what.
    pub(super) credential: Option<CredentialData>,
    #[graphql(flatten)]
    pub(super) additional: Additional,
}

/// What a one-time token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum OneTimeTokenType {
    #[graphql(name = "Application")]
    Application,
    #[graphql(name = "Runtime")]
    Runtime,
}

/// A token that is used once; never here.
#[derive(Debug, Interface)]
#[graphql(
    field(name = "token", ty = "&String"),
    field(name = "connectorURL", method = "connector_url", ty = "&String"),
    field(name = "used", ty = "&bool"),
    field(name = "expires_at", ty = "&Timestamp"),
    field(name = "created_at", ty = "&Option<Timestamp>"),
    field(name = "used_at", ty = "&Option<Timestamp>"),
    field(name = "raw", ty = "&Option<String>"),
    field(name = "raw_encoded", ty = "&Option<String>"),
    field(name = "type", method = "kind", ty = "&Option<OneTimeTokenType>")
)]
pub(super) enum OneTimeToken {
    /// For an application.
    Application(OneTimeTokenForApplication),
    /// For a runtime.
    Runtime(OneTimeTokenForRuntime),
}

/// A token that is used once.
macro_rules! one_time_token {
    ($(#[doc = $doc:literal])* $name:ident) => {
        $(#[doc = $doc])*
        #[derive(Debug, SimpleObject)]
        pub(super) struct $name {
            /// The token.
            pub(super) token: String,
            /// Where it is shown.
            #[graphql(name = "connectorURL")]
            pub(super) connector_url: String,
            /// Whether it was used.
            pub(super) used: bool,
            /// Until when it may be.
            pub(super) expires_at: Timestamp,
            /// When it was made.
            pub(super) created_at: Option<Timestamp>,
            /// When it was used.
            pub(super) used_at: Option<Timestamp>,
            /// Where it was shown before.
            #[graphql(name = "legacyConnectorURL")]
            pub(super) legacy_connector_url: Option<String>,
            /// What it is for, in the words of applications.
            pub(super) scenario_groups: Option<Vec<String>>,
            /// With everything that belongs to it.
            pub(super) raw: Option<String>,
            /// The same, encoded.
            pub(super) raw_encoded: Option<String>,
            /// What it is for.
            #[graphql(name = "type")]
            pub(super) kind: Option<OneTimeTokenType>,
        }
    };
}

one_time_token!(
    /// A token that an application uses once; never here.
    OneTimeTokenForApplication
);
one_time_token!(
    /// A token that a runtime uses once; never here.
    OneTimeTokenForRuntime
);

/// What somebody who asks is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum ViewerType {
    Runtime,
    Application,
    IntegrationSystem,
    User,
}

/// Who asks.
#[derive(Debug, SimpleObject)]
pub(super) struct Viewer {
    /// The id of the integration system, or the name of the administrator.
    pub(super) id: ID,
    /// What it is.
    #[graphql(name = "type")]
    pub(super) kind: ViewerType,
}

/// A moment, as RFC 3339 writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timestamp(pub(super) jiff::Timestamp);

#[Scalar(name = "Timestamp")]
impl ScalarType for Timestamp {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => {
                let moment = text
                    .parse()
                    .map_err(|_| "a moment as RFC 3339 writes it is expected");
                Ok(Self(moment.map_err(InputValueError::custom)?))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A scalar that nothing here has a value of.
macro_rules! empty_scalar {
    ($(#[doc = $doc:literal])* $name:ident) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy)]
        pub(super) enum $name {}

        #[Scalar]
        impl ScalarType for $name {
            fn parse(value: Value) -> InputValueResult<Self> {
                Err(InputValueError::expected_type(value))
            }

            fn to_value(&self) -> Value {
                match *self {}
            }
        }
    };
}

empty_scalar!(
    /// Headers; never here.
    HttpHeaders
);
empty_scalar!(
    /// Headers, as text; never here.
    HttpHeadersSerialized
);
empty_scalar!(
    /// Parameters of a query; never here.
    QueryParams
);
empty_scalar!(
    /// Parameters of a query, as text; never here.
    QueryParamsSerialized
);
