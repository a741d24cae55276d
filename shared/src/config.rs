//! The one reader of the environment: what each function is told by its deployment.
//!
//! A failure names the variable and never what it holds.

use std::collections::BTreeMap;
use std::fmt::Debug;

use crate::http::Exceptions;
use crate::model::System;
use crate::registry::HydraApi;
use crate::scheduler::Target;

/// Where variables come from.
pub trait Environment: Debug {
    /// Returns a variable, where it is set.
    fn variable(&self, name: &str) -> Option<String>;
}

/// The environment of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

/// An environment made of pairs.
#[derive(Debug, Clone, Default)]
pub struct MapEnvironment(pub BTreeMap<String, String>);

impl<const N: usize> From<[(&str, &str); N]> for MapEnvironment {
    fn from(pairs: [(&str, &str); N]) -> Self {
        let owned = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self(owned.into_iter().collect())
    }
}

impl Environment for MapEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

/// The deployment did not say what a function needs to know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The variable is not set, or empty.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// The variable holds something else than it should.
    #[error("the environment variable {name} must be {rule}")]
    Malformed {
        /// Its name.
        name: &'static str,
        /// What it should hold.
        rule: &'static str,
    },
}

const CONTROL_TABLE: &str = "CONTROL_TABLE";
const RECORDS_TABLE: &str = "RECORDS_TABLE";
const DYNAMICS365_QUEUE_URL: &str = "DYNAMICS365_QUEUE_URL";
const XLEDGER_QUEUE_URL: &str = "XLEDGER_QUEUE_URL";
const CORNERSTONE_QUEUE_URL: &str = "CORNERSTONE_QUEUE_URL";
const CONSIO_QUEUE_URL: &str = "CONSIO_QUEUE_URL";
const REST_QUEUE_URL: &str = "REST_QUEUE_URL";
const SECRET_PREFIX: &str = "SECRET_PREFIX";
const EVENT_BUS: &str = "EVENT_BUS";
const ADMIN_SECRET: &str = "ADMIN_SECRET";
const REGISTRY_TABLE: &str = "REGISTRY_TABLE";
const API_URL: &str = "API_URL";
const SIGNING_KEY: &str = "SIGNING_KEY";
const PREVIOUS_SIGNING_KEY: &str = "PREVIOUS_SIGNING_KEY";
const SEALING_KEY: &str = "SEALING_KEY";
const TOKEN_KEY: &str = "TOKEN_KEY";
const GRAPHQL_INTROSPECTION: &str = "GRAPHQL_INTROSPECTION";
const HYDRA_ADMIN_URL: &str = "HYDRA_ADMIN_URL";
const HYDRA_API: &str = "HYDRA_API";
const HYDRA_TOKEN_URL: &str = "HYDRA_TOKEN_URL";
const SCHEDULE_GROUP: &str = "SCHEDULE_GROUP";
const TICK_TARGET: &str = "TICK_TARGET";
const TICK_ROLE: &str = "TICK_ROLE";
const TICK_DEAD_LETTERS: &str = "TICK_DEAD_LETTERS";
const FILES_BUCKET: &str = "FILES_BUCKET";
const OUTBOUND_EXCEPTIONS: &str = "OUTBOUND_EXCEPTIONS";

/// Where sign-in servers send browsers back to, below the address of the API.
const CALLBACK: &str = "/v1/oauth/callback";

/// Variables that only the local stack sets: never in the template.
pub const LOCAL_ONLY: &[&str] = &[OUTBOUND_EXCEPTIONS];

/// The variables that the template gives to each function, by package.
pub const VARIABLES: &[(&str, &[&str])] = &[
    ("trigger-sync", TriggerSyncConfig::VARIABLES),
    ("integrations", IntegrationsConfig::VARIABLES),
    ("dynamics365", &SystemConfig::variables(DYNAMICS365_QUEUE_URL)),
    ("xledger", &SystemConfig::variables(XLEDGER_QUEUE_URL)),
    ("cornerstone", &SystemConfig::variables(CORNERSTONE_QUEUE_URL)),
    ("consio", &SystemConfig::variables(CONSIO_QUEUE_URL)),
    ("rest", &SystemConfig::variables(REST_QUEUE_URL)),
    ("webhooks", WebhooksConfig::VARIABLES),
    ("token-refresh", TokenRefreshConfig::VARIABLES),
    ("reconcile", ReconcileConfig::VARIABLES),
    ("authorizer", AuthorizerConfig::VARIABLES),
    ("integration-systems", IntegrationSystemsConfig::VARIABLES),
];

/// The names of the tables.
///
/// | variable | holds |
/// | --- | --- |
/// | `CONTROL_TABLE` | the name of the control table |
/// | `RECORDS_TABLE` | the name of the records table |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// The control table.
    pub control: String,
    /// The records table.
    pub records: String,
}

/// The URL of each system's queue, as far as a function sends to it.
///
/// | variable | holds |
/// | --- | --- |
/// | `DYNAMICS365_QUEUE_URL` | the URL of the queue of Dynamics 365 |
/// | `XLEDGER_QUEUE_URL` | that of Xledger |
/// | `CORNERSTONE_QUEUE_URL` | that of Cornerstone |
/// | `CONSIO_QUEUE_URL` | that of Consio |
/// | `REST_QUEUE_URL` | that of any other system with a REST API |
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Queues(pub BTreeMap<System, String>);

impl Queues {
    fn read(environment: &dyn Environment, systems: &[System]) -> Result<Self, ConfigError> {
        let read = |system: &System| Ok((*system, url(environment, Self::variable(*system))?));
        systems.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the variable that holds the URL of a system's queue.
    const fn variable(system: System) -> &'static str {
        match system {
            System::Dynamics365 => DYNAMICS365_QUEUE_URL,
            System::Xledger => XLEDGER_QUEUE_URL,
            System::Cornerstone => CORNERSTONE_QUEUE_URL,
            System::Consio => CONSIO_QUEUE_URL,
            System::Rest => REST_QUEUE_URL,
        }
    }
}

/// Where schedules are kept, and whom they call.
///
/// | variable | holds |
/// | --- | --- |
/// | `SCHEDULE_GROUP` | the name of the group of schedules |
/// | `TICK_TARGET` | the ARN of the function that is called |
/// | `TICK_ROLE` | the ARN of the role in whose name it is called |
/// | `TICK_DEAD_LETTERS` | the ARN of the queue for calls that were not delivered |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedulerConfig(pub Target);

impl SchedulerConfig {
    fn read(environment: &dyn Environment) -> Result<Self, ConfigError> {
        Ok(Self(Target {
            group: required(environment, SCHEDULE_GROUP)?,
            function: required(environment, TICK_TARGET)?,
            role: required(environment, TICK_ROLE)?,
            dead_letters: required(environment, TICK_DEAD_LETTERS)?,
        }))
    }
}

/// What `trigger-sync` is told.
///
/// | variable | holds |
/// | --- | --- |
/// | `CONTROL_TABLE`, `RECORDS_TABLE` | see [`Tables`] |
/// | `{system}_QUEUE_URL`, each | see [`Queues`] |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerSyncConfig {
    /// The tables.
    pub tables: Tables,
    /// The queues of all systems.
    pub queues: Queues,
}

/// What `integrations` is told.
///
/// | variable | holds |
/// | --- | --- |
/// | `CONTROL_TABLE`, `RECORDS_TABLE` | see [`Tables`] |
/// | `REGISTRY_TABLE` | the name of the registry table |
/// | `{system}_QUEUE_URL`, each | see [`Queues`] |
/// | `SECRET_PREFIX` | how the names of the integrations' secrets begin, up to and with the last `/` |
/// | `SCHEDULE_GROUP`, `TICK_TARGET`, `TICK_ROLE`, `TICK_DEAD_LETTERS` | see [`SchedulerConfig`] |
/// | `TOKEN_KEY` | the ARN of the key that seals the secrets of webhook endpoints |
/// | `API_URL` | the address of the API, which webhooks are sent to |
/// | `FILES_BUCKET` | the name of the bucket for files |
/// | `OUTBOUND_EXCEPTIONS` | local stack only: origins, comma-separated, that may be called though they are not public |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrationsConfig {
    /// The tables.
    pub tables: Tables,
    /// The registry table.
    pub registry_table: String,
    /// The queues of all systems.
    pub queues: Queues,
    /// How the names of the integrations' secrets begin.
    pub secret_prefix: String,
    /// Where schedules are kept.
    pub scheduler: SchedulerConfig,
    /// The key that seals the secrets of webhook endpoints.
    pub token_key: String,
    /// The address of the API.
    pub api_url: url::Url,
    /// The bucket for files.
    pub files_bucket: String,
    /// Origins that may be called though they are not public.
    pub outbound_exceptions: Exceptions,
}

/// What the function of a system is told, such as `dynamics365`.
///
/// | variable | holds |
/// | --- | --- |
/// | `CONTROL_TABLE`, `RECORDS_TABLE` | see [`Tables`] |
/// | `{system}_QUEUE_URL` | the URL of its own queue: see [`Queues`] |
/// | `SECRET_PREFIX` | how the names of the integrations' secrets begin, up to and with the last `/` |
/// | `TOKEN_KEY` | the ARN of the key that seals the tokens of integrations |
/// | `API_URL` | the address of the API, which webhooks are registered with |
/// | `EVENT_BUS` | the name of the bus for result events |
/// | `FILES_BUCKET` | the name of the bucket for files |
/// | `OUTBOUND_EXCEPTIONS` | local stack only: origins, comma-separated, that may be called though they are not public |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemConfig {
    /// The tables.
    pub tables: Tables,
    /// Its own queue.
    pub queues: Queues,
    /// How the names of the integrations' secrets begin.
    pub secret_prefix: String,
    /// The key that seals the tokens of integrations.
    pub token_key: String,
    /// The address of the API.
    pub api_url: url::Url,
    /// The name of the bus for result events.
    pub event_bus: String,
    /// The bucket for files.
    pub files_bucket: String,
    /// Origins that may be called though they are not public.
    pub outbound_exceptions: Exceptions,
}

/// What `webhooks` is told.
///
/// | variable | holds |
/// | --- | --- |
/// | `CONTROL_TABLE` | the name of the control table |
/// | `{system}_QUEUE_URL`, each | see [`Queues`] |
/// | `TOKEN_KEY` | the ARN of the key that seals the secrets of webhook endpoints |
/// | `OUTBOUND_EXCEPTIONS` | local stack only: origins, comma-separated, that integrations may name though they are not public |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhooksConfig {
    /// The control table.
    pub control_table: String,
    /// The queues of all systems.
    pub queues: Queues,
    /// The key that seals the secrets of webhook endpoints.
    pub token_key: String,
    /// Origins that integrations may name though they are not public.
    pub outbound_exceptions: Exceptions,
}

/// What `token-refresh` is told.
///
/// | variable | holds |
/// | --- | --- |
/// | `CONTROL_TABLE` | the name of the control table |
/// | `SECRET_PREFIX` | how the names of the integrations' secrets begin, up to and with the last `/` |
/// | `TOKEN_KEY` | the ARN of the key that seals the tokens of integrations |
/// | `API_URL` | the address of the API, to which sign-in servers send browsers back |
/// | `OUTBOUND_EXCEPTIONS` | local stack only: origins, comma-separated, that may be called though they are not public |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRefreshConfig {
    /// The control table.
    pub control_table: String,
    /// How the names of the integrations' secrets begin.
    pub secret_prefix: String,
    /// The key that seals the tokens of integrations.
    pub token_key: String,
    /// Where sign-in servers send browsers back to.
    pub callback: url::Url,
    /// Origins that may be called though they are not public.
    pub outbound_exceptions: Exceptions,
}

/// What `reconcile` is told.
///
/// | variable | holds |
/// | --- | --- |
/// | `CONTROL_TABLE`, `RECORDS_TABLE` | see [`Tables`] |
/// | `{system}_QUEUE_URL`, each | see [`Queues`] |
/// | `EVENT_BUS` | the name of the bus for result events |
/// | `FILES_BUCKET` | the name of the bucket for files |
/// | `SCHEDULE_GROUP`, `TICK_TARGET`, `TICK_ROLE`, `TICK_DEAD_LETTERS` | see [`SchedulerConfig`] |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconcileConfig {
    /// The tables.
    pub tables: Tables,
    /// The queues of all systems.
    pub queues: Queues,
    /// The name of the bus for result events.
    pub event_bus: String,
    /// The bucket for files.
    pub files_bucket: String,
    /// Where schedules are kept.
    pub scheduler: SchedulerConfig,
}

/// Who issues access tokens, and by which keys they are verified.
///
/// | variable | holds |
/// | --- | --- |
/// | `API_URL` | the address of the API: the issuer and the audience of tokens |
/// | `SIGNING_KEY` | the ARN of the key that signs tokens |
/// | `PREVIOUS_SIGNING_KEY` | the ARN of the key that did before; empty where there is none |
/// | `HYDRA_ADMIN_URL` | the address of Ory Hydra's admin API; empty where tokens are issued here |
/// | `HYDRA_API` | `v1` or `v2`: which one it is |
/// | `HYDRA_TOKEN_URL` | where Hydra's clients get tokens; empty where tokens are issued here |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerConfig {
    /// The address of the API.
    pub api_url: String,
    /// The key that signs.
    pub signing_key: String,
    /// The key that did before.
    pub previous_signing_key: Option<String>,
    /// Ory Hydra, where it issues the tokens.
    pub hydra: Option<HydraConfig>,
}

/// Where Ory Hydra is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HydraConfig {
    /// The address of its admin API.
    pub admin_url: url::Url,
    /// Which admin API it has.
    pub api: HydraApi,
    /// Where clients get tokens.
    pub token_url: String,
}

/// What `authorizer` is told.
///
/// | variable | holds |
/// | --- | --- |
/// | `ADMIN_SECRET` | the name or ARN of the secret that holds the administrator's token |
/// | `REGISTRY_TABLE` | the name of the registry table |
/// | `API_URL`, `SIGNING_KEY`, `PREVIOUS_SIGNING_KEY`, `HYDRA_ADMIN_URL`, `HYDRA_API`, `HYDRA_TOKEN_URL` | see [`IssuerConfig`] |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizerConfig {
    /// The name or ARN of the secret that holds the administrator's token.
    pub admin_secret: String,
    /// The registry table.
    pub registry_table: String,
    /// Who issues tokens.
    pub issuer: IssuerConfig,
}

/// What `integration-systems` is told.
///
/// | variable | holds |
/// | --- | --- |
/// | `REGISTRY_TABLE`, `CONTROL_TABLE` | the names of the tables |
/// | `SEALING_KEY` | the ARN of the key that seals secrets |
/// | `GRAPHQL_INTROSPECTION` | `on` or `off`: whether callers may read the schema |
/// | `API_URL`, `SIGNING_KEY`, `PREVIOUS_SIGNING_KEY`, `HYDRA_ADMIN_URL`, `HYDRA_API`, `HYDRA_TOKEN_URL` | see [`IssuerConfig`] |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrationSystemsConfig {
    /// The registry table.
    pub registry_table: String,
    /// The control table.
    pub control_table: String,
    /// The key that seals secrets.
    pub sealing_key: String,
    /// Whether callers may read the schema.
    pub graphql_introspection: bool,
    /// Who issues tokens.
    pub issuer: IssuerConfig,
}

impl Tables {
    fn read(environment: &dyn Environment) -> Result<Self, ConfigError> {
        let control = required(environment, CONTROL_TABLE)?;
        let records = required(environment, RECORDS_TABLE)?;
        Ok(Self { control, records })
    }
}

impl TriggerSyncConfig {
    const VARIABLES: &[&str] = &[
        CONTROL_TABLE,
        RECORDS_TABLE,
        DYNAMICS365_QUEUE_URL,
        XLEDGER_QUEUE_URL,
        CORNERSTONE_QUEUE_URL,
        CONSIO_QUEUE_URL,
        REST_QUEUE_URL,
    ];

    /// Reads it from the environment.
    ///
    /// # Errors
    ///
    /// `Missing` or `Malformed`, naming the first variable at fault.
    pub fn read(environment: &dyn Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            tables: Tables::read(environment)?,
            queues: Queues::read(environment, System::ALL)?,
        })
    }
}

impl IntegrationsConfig {
    const VARIABLES: &[&str] = &[
        CONTROL_TABLE,
        RECORDS_TABLE,
        REGISTRY_TABLE,
        DYNAMICS365_QUEUE_URL,
        XLEDGER_QUEUE_URL,
        CORNERSTONE_QUEUE_URL,
        CONSIO_QUEUE_URL,
        REST_QUEUE_URL,
        SECRET_PREFIX,
        SCHEDULE_GROUP,
        TICK_TARGET,
        TICK_ROLE,
        TICK_DEAD_LETTERS,
        TOKEN_KEY,
        API_URL,
        FILES_BUCKET,
    ];

    /// Reads it from the environment.
    ///
    /// # Errors
    ///
    /// `Missing` or `Malformed`, naming the first variable at fault.
    pub fn read(environment: &dyn Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            tables: Tables::read(environment)?,
            registry_table: required(environment, REGISTRY_TABLE)?,
            queues: Queues::read(environment, System::ALL)?,
            secret_prefix: prefix(environment, SECRET_PREFIX)?,
            scheduler: SchedulerConfig::read(environment)?,
            token_key: required(environment, TOKEN_KEY)?,
            api_url: parsed_url(environment, API_URL)?,
            files_bucket: required(environment, FILES_BUCKET)?,
            outbound_exceptions: exceptions(environment)?,
        })
    }
}

impl SystemConfig {
    const fn variables(queue: &'static str) -> [&'static str; 8] {
        [
            CONTROL_TABLE,
            RECORDS_TABLE,
            queue,
            SECRET_PREFIX,
            TOKEN_KEY,
            API_URL,
            EVENT_BUS,
            FILES_BUCKET,
        ]
    }

    /// Reads it from the environment of a system's function.
    ///
    /// # Errors
    ///
    /// `Missing` or `Malformed`, naming the first variable at fault.
    pub fn read(system: System, environment: &dyn Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            tables: Tables::read(environment)?,
            queues: Queues::read(environment, &[system])?,
            secret_prefix: prefix(environment, SECRET_PREFIX)?,
            token_key: required(environment, TOKEN_KEY)?,
            api_url: parsed_url(environment, API_URL)?,
            event_bus: required(environment, EVENT_BUS)?,
            files_bucket: required(environment, FILES_BUCKET)?,
            outbound_exceptions: exceptions(environment)?,
        })
    }
}

impl WebhooksConfig {
    const VARIABLES: &[&str] = &[
        CONTROL_TABLE,
        DYNAMICS365_QUEUE_URL,
        XLEDGER_QUEUE_URL,
        CORNERSTONE_QUEUE_URL,
        CONSIO_QUEUE_URL,
        REST_QUEUE_URL,
        TOKEN_KEY,
    ];

    /// Reads it from the environment.
    ///
    /// # Errors
    ///
    /// `Missing` or `Malformed`, naming the first variable at fault.
    pub fn read(environment: &dyn Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            control_table: required(environment, CONTROL_TABLE)?,
            queues: Queues::read(environment, System::ALL)?,
            token_key: required(environment, TOKEN_KEY)?,
            outbound_exceptions: exceptions(environment)?,
        })
    }
}

impl TokenRefreshConfig {
    const VARIABLES: &[&str] = &[CONTROL_TABLE, SECRET_PREFIX, TOKEN_KEY, API_URL];

    /// Reads it from the environment.
    ///
    /// # Errors
    ///
    /// `Missing` or `Malformed`, naming the first variable at fault.
    pub fn read(environment: &dyn Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            control_table: required(environment, CONTROL_TABLE)?,
            secret_prefix: prefix(environment, SECRET_PREFIX)?,
            token_key: required(environment, TOKEN_KEY)?,
            callback: below(environment, API_URL, CALLBACK)?,
            outbound_exceptions: exceptions(environment)?,
        })
    }
}

impl ReconcileConfig {
    const VARIABLES: &[&str] = &[
        CONTROL_TABLE,
        RECORDS_TABLE,
        DYNAMICS365_QUEUE_URL,
        XLEDGER_QUEUE_URL,
        CORNERSTONE_QUEUE_URL,
        CONSIO_QUEUE_URL,
        REST_QUEUE_URL,
        EVENT_BUS,
        FILES_BUCKET,
        SCHEDULE_GROUP,
        TICK_TARGET,
        TICK_ROLE,
        TICK_DEAD_LETTERS,
    ];

    /// Reads it from the environment.
    ///
    /// # Errors
    ///
    /// `Missing` or `Malformed`, naming the first variable at fault.
    pub fn read(environment: &dyn Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            tables: Tables::read(environment)?,
            queues: Queues::read(environment, System::ALL)?,
            event_bus: required(environment, EVENT_BUS)?,
            files_bucket: required(environment, FILES_BUCKET)?,
            scheduler: SchedulerConfig::read(environment)?,
        })
    }
}

impl IssuerConfig {
    /// Reads it from the environment.
    ///
    /// # Errors
    ///
    /// `Missing` or `Malformed`, naming the first variable at fault.
    pub fn read(environment: &dyn Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            api_url: url(environment, API_URL)?,
            signing_key: required(environment, SIGNING_KEY)?,
            previous_signing_key: optional(environment, PREVIOUS_SIGNING_KEY),
            hydra: HydraConfig::read(environment)?,
        })
    }
}

impl HydraConfig {
    fn read(environment: &dyn Environment) -> Result<Option<Self>, ConfigError> {
        let (name, rule) = (HYDRA_API, "v1 or v2");
        let api = match optional(environment, name).as_deref() {
            Some("v1") => HydraApi::V1,
            None | Some("v2") => HydraApi::V2,
            Some(_) => return Err(ConfigError::Malformed { name, rule }),
        };
        if optional(environment, HYDRA_ADMIN_URL).is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            admin_url: parsed_url(environment, HYDRA_ADMIN_URL)?,
            api,
            token_url: required(environment, HYDRA_TOKEN_URL)?,
        }))
    }
}

impl AuthorizerConfig {
    const VARIABLES: &[&str] = &[
        ADMIN_SECRET,
        REGISTRY_TABLE,
        API_URL,
        SIGNING_KEY,
        PREVIOUS_SIGNING_KEY,
        HYDRA_ADMIN_URL,
        HYDRA_API,
        HYDRA_TOKEN_URL,
    ];

    /// Reads it from the environment.
    ///
    /// # Errors
    ///
    /// `Missing` or `Malformed`, naming the first variable at fault.
    pub fn read(environment: &dyn Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            admin_secret: required(environment, ADMIN_SECRET)?,
            registry_table: required(environment, REGISTRY_TABLE)?,
            issuer: IssuerConfig::read(environment)?,
        })
    }
}

impl IntegrationSystemsConfig {
    const VARIABLES: &[&str] = &[
        REGISTRY_TABLE,
        CONTROL_TABLE,
        SEALING_KEY,
        GRAPHQL_INTROSPECTION,
        API_URL,
        SIGNING_KEY,
        PREVIOUS_SIGNING_KEY,
        HYDRA_ADMIN_URL,
        HYDRA_API,
        HYDRA_TOKEN_URL,
    ];

    /// Reads it from the environment.
    ///
    /// # Errors
    ///
    /// `Missing` or `Malformed`, naming the first variable at fault.
    pub fn read(environment: &dyn Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            registry_table: required(environment, REGISTRY_TABLE)?,
            control_table: required(environment, CONTROL_TABLE)?,
            sealing_key: required(environment, SEALING_KEY)?,
            graphql_introspection: switch(environment, GRAPHQL_INTROSPECTION)?,
            issuer: IssuerConfig::read(environment)?,
        })
    }
}

fn optional(environment: &dyn Environment, name: &'static str) -> Option<String> {
    environment.variable(name).filter(|value| !value.is_empty())
}

fn switch(environment: &dyn Environment, name: &'static str) -> Result<bool, ConfigError> {
    match required(environment, name)?.as_str() {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(ConfigError::Malformed {
            name,
            rule: "on or off",
        }),
    }
}

fn required(environment: &dyn Environment, name: &'static str) -> Result<String, ConfigError> {
    optional(environment, name).ok_or(ConfigError::Missing(name))
}

/// Returns a URL as it is written.
fn url(environment: &dyn Environment, name: &'static str) -> Result<String, ConfigError> {
    parsed_url(environment, name)?;
    required(environment, name)
}

/// Returns a place below a URL, whether that ends with a slash or not.
fn below(environment: &dyn Environment, name: &'static str, path: &str) -> Result<url::Url, ConfigError> {
    let mut url = parsed_url(environment, name)?;
    let place = format!("{}{path}", url.path().trim_end_matches('/'));
    url.set_path(&place);
    Ok(url)
}

fn parsed_url(environment: &dyn Environment, name: &'static str) -> Result<url::Url, ConfigError> {
    let parsed: Option<url::Url> = required(environment, name)?.parse().ok();
    let named = parsed.filter(url::Url::has_host);
    let rule = "a URL";
    named.ok_or(ConfigError::Malformed { name, rule })
}

fn prefix(environment: &dyn Environment, name: &'static str) -> Result<String, ConfigError> {
    let value = required(environment, name)?;
    let rule = "a path that ends with /";
    if value.ends_with('/') {
        Ok(value)
    } else {
        Err(ConfigError::Malformed { name, rule })
    }
}

fn exceptions(environment: &dyn Environment) -> Result<Exceptions, ConfigError> {
    let (name, rule) = (OUTBOUND_EXCEPTIONS, "origins, comma-separated");
    let list = environment.variable(name).unwrap_or_default();
    list.parse().map_err(|_| ConfigError::Malformed { name, rule })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use super::*;

    /// Answers every question, and remembers what was asked.
    #[derive(Debug, Default)]
    struct Asked(RefCell<BTreeSet<String>>);

    impl Environment for Asked {
        fn variable(&self, name: &str) -> Option<String> {
            self.0.borrow_mut().insert(name.to_owned());
            let value = match name {
                HYDRA_API => "v2",
                GRAPHQL_INTROSPECTION => "off",
                _ => "https://example.com/",
            };
            Some(value.to_owned())
        }
    }

    fn asked(package: &str) -> BTreeSet<String> {
        let environment = Asked::default();
        match package {
            "trigger-sync" => TriggerSyncConfig::read(&environment).map(drop),
            "integrations" => IntegrationsConfig::read(&environment).map(drop),
            "webhooks" => WebhooksConfig::read(&environment).map(drop),
            "token-refresh" => TokenRefreshConfig::read(&environment).map(drop),
            "reconcile" => ReconcileConfig::read(&environment).map(drop),
            "authorizer" => AuthorizerConfig::read(&environment).map(drop),
            "integration-systems" => IntegrationSystemsConfig::read(&environment).map(drop),
            system => SystemConfig::read(system.parse().unwrap(), &environment).map(drop),
        }
        .unwrap();
        environment.0.into_inner()
    }

    #[test]
    fn what_a_function_asks_is_what_it_declares() {
        for (package, variables) in VARIABLES {
            let declared: BTreeSet<_> = variables.iter().map(ToString::to_string).collect();
            let asked: BTreeSet<_> = asked(package)
                .into_iter()
                .filter(|name| !LOCAL_ONLY.contains(&name.as_str()))
                .collect();
            assert_eq!(asked, declared, "{package}");
        }
    }

    #[test]
    fn every_system_has_a_function_that_is_told_of_no_queue_but_its_own() {
        let queues = |variables: &[&'static str]| {
            let all = variables.iter().copied();
            all.filter(|name| name.ends_with("_QUEUE_URL"))
                .collect::<Vec<_>>()
        };
        for system in System::ALL {
            let (_, variables) = VARIABLES
                .iter()
                .find(|(name, _)| *name == system.as_str())
                .unwrap();
            let own = format!("{}_QUEUE_URL", system.as_str().to_uppercase());
            assert_eq!(queues(variables), [own], "{system}");
        }
        let all: Vec<_> = System::ALL.iter().copied().map(Queues::variable).collect();
        assert_eq!(queues(TriggerSyncConfig::VARIABLES), all);
    }

    /// Returns the variables that the template gives to a function.
    fn given(package: &str) -> BTreeSet<String> {
        let template = include_str!("../../template.yaml");
        let code = format!("CodeUri: target/lambda/{package}\n");
        let (_, function) = template.split_once(&code).unwrap();
        let (_, variables) = function.split_once("        Variables:\n").unwrap();
        let names = variables
            .lines()
            .map_while(|line| line.strip_prefix("          "));
        names
            .map(|line| line.split(':').next().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn what_a_function_declares_is_what_the_template_gives() {
        for (package, variables) in VARIABLES {
            let declared: BTreeSet<_> = variables.iter().map(ToString::to_string).collect();
            assert_eq!(given(package), declared, "{package}");
        }
    }

    #[test]
    fn what_is_for_the_local_stack_is_not_in_the_template() {
        for name in LOCAL_ONLY {
            assert!(!include_str!("../../template.yaml").contains(name), "{name}");
        }
    }

    #[test]
    fn an_empty_variable_is_missing_and_is_named() {
        let environment = MapEnvironment::from([(ADMIN_SECRET, "")]);
        let error = AuthorizerConfig::read(&environment).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the environment variable ADMIN_SECRET is not set"
        );
    }

    #[test]
    fn a_malformed_variable_is_named_and_its_value_is_not_repeated() {
        let mut environment = MapEnvironment::from([(CONTROL_TABLE, "control"), (RECORDS_TABLE, "records")]);
        for system in System::ALL {
            let name = Queues::variable(*system);
            environment.0.insert(name.into(), "canary".into());
            let error = TriggerSyncConfig::read(&environment).unwrap_err().to_string();
            assert!(error.contains(name) && !error.contains("canary"), "{error}");
            let url = format!("https://queue.example/{system}.fifo");
            environment.0.insert(name.into(), url);
        }
        let config = TriggerSyncConfig::read(&environment).unwrap();
        assert_eq!(
            config.queues.0[&System::Xledger],
            "https://queue.example/xledger.fifo"
        );
    }

    #[test]
    fn browsers_come_back_below_the_address_of_the_api() {
        for (api, callback) in [
            ("https://api.example", "https://api.example/v1/oauth/callback"),
            (
                "http://127.0.0.1:4566/api/$default",
                "http://127.0.0.1:4566/api/$default/v1/oauth/callback",
            ),
            ("https://api.example/", "https://api.example/v1/oauth/callback"),
        ] {
            let environment = MapEnvironment::from([(API_URL, api)]);
            assert_eq!(below(&environment, API_URL, CALLBACK).unwrap().as_str(), callback);
        }
    }

    #[test]
    fn hydra_is_asked_where_its_address_is_told() {
        let mut environment = MapEnvironment::from([
            (API_URL, "https://api.example.org"),
            (SIGNING_KEY, "key"),
            (HYDRA_API, "v1"),
        ]);
        assert_eq!(IssuerConfig::read(&environment).unwrap().hydra, None);
        let mut set = |name: &str, value: &str| {
            environment.0.insert(name.to_owned(), value.to_owned());
            IssuerConfig::read(&environment)
        };
        let missing = set(HYDRA_ADMIN_URL, "https://hydra.example.org").unwrap_err();
        assert_eq!(missing, ConfigError::Missing(HYDRA_TOKEN_URL));
        let config = set(HYDRA_TOKEN_URL, "https://oauth2.example.org/oauth2/token").unwrap();
        assert_eq!(config.hydra.unwrap().api, HydraApi::V1);
        assert!(
            set(HYDRA_API, "canary")
                .unwrap_err()
                .to_string()
                .ends_with("HYDRA_API must be v1 or v2")
        );
    }

    #[test]
    fn exceptions_are_a_list_that_may_be_absent() {
        let local = MapEnvironment::from([(OUTBOUND_EXCEPTIONS, "http://127.0.0.1:7365")]);
        let origin = url::Url::parse("http://127.0.0.1:7365/x").unwrap();
        assert!(exceptions(&local).unwrap().hold(&origin));
        assert!(!exceptions(&MapEnvironment::default()).unwrap().hold(&origin));
        assert!(exceptions(&MapEnvironment::from([(OUTBOUND_EXCEPTIONS, "canary")])).is_err());
    }
}
