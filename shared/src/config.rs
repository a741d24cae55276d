//! The one reader of the environment: what each function is told by its deployment.
//!
//! A failure names the variable and never what it holds.

use std::collections::BTreeMap;
use std::fmt::Debug;

use crate::http::Exceptions;

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
const SECRET_PREFIX: &str = "SECRET_PREFIX";
const EVENT_BUS: &str = "EVENT_BUS";
const ADMIN_SECRET: &str = "ADMIN_SECRET";
const OUTBOUND_EXCEPTIONS: &str = "OUTBOUND_EXCEPTIONS";

/// Variables that only the local stack sets: never in the template.
pub const LOCAL_ONLY: &[&str] = &[OUTBOUND_EXCEPTIONS];

/// The variables that the template gives to each function, by package.
pub const VARIABLES: &[(&str, &[&str])] = &[
    ("trigger-sync", TriggerSyncConfig::VARIABLES),
    ("integrations", IntegrationsConfig::VARIABLES),
    ("dynamics365", Dynamics365Config::VARIABLES),
    ("reconcile", ReconcileConfig::VARIABLES),
    ("authorizer", AuthorizerConfig::VARIABLES),
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

/// What `trigger-sync` is told.
///
/// | variable | holds |
/// | --- | --- |
/// | `CONTROL_TABLE`, `RECORDS_TABLE` | see [`Tables`] |
/// | `DYNAMICS365_QUEUE_URL` | the URL of the Dynamics 365 queue |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerSyncConfig {
    /// The tables.
    pub tables: Tables,
    /// The URL of the Dynamics 365 queue.
    pub dynamics365_queue_url: String,
}

/// What `integrations` is told.
///
/// | variable | holds |
/// | --- | --- |
/// | `CONTROL_TABLE`, `RECORDS_TABLE` | see [`Tables`] |
/// | `DYNAMICS365_QUEUE_URL` | the URL of the Dynamics 365 queue |
/// | `SECRET_PREFIX` | how the names of the integrations' secrets begin, up to and with the last `/` |
/// | `OUTBOUND_EXCEPTIONS` | local stack only: origins, comma-separated, that may be called though they are not public |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrationsConfig {
    /// The tables.
    pub tables: Tables,
    /// The URL of the Dynamics 365 queue.
    pub dynamics365_queue_url: String,
    /// How the names of the integrations' secrets begin.
    pub secret_prefix: String,
    /// Origins that may be called though they are not public.
    pub outbound_exceptions: Exceptions,
}

/// What `dynamics365` is told.
///
/// | variable | holds |
/// | --- | --- |
/// | `CONTROL_TABLE`, `RECORDS_TABLE` | see [`Tables`] |
/// | `DYNAMICS365_QUEUE_URL` | the URL of the Dynamics 365 queue |
/// | `SECRET_PREFIX` | how the names of the integrations' secrets begin, up to and with the last `/` |
/// | `EVENT_BUS` | the name of the bus for result events |
/// | `OUTBOUND_EXCEPTIONS` | local stack only: origins, comma-separated, that may be called though they are not public |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dynamics365Config {
    /// The tables.
    pub tables: Tables,
    /// The URL of the Dynamics 365 queue.
    pub dynamics365_queue_url: String,
    /// How the names of the integrations' secrets begin.
    pub secret_prefix: String,
    /// The name of the bus for result events.
    pub event_bus: String,
    /// Origins that may be called though they are not public.
    pub outbound_exceptions: Exceptions,
}

/// What `reconcile` is told.
///
/// | variable | holds |
/// | --- | --- |
/// | `CONTROL_TABLE`, `RECORDS_TABLE` | see [`Tables`] |
/// | `DYNAMICS365_QUEUE_URL` | the URL of the Dynamics 365 queue |
/// | `EVENT_BUS` | the name of the bus for result events |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconcileConfig {
    /// The tables.
    pub tables: Tables,
    /// The URL of the Dynamics 365 queue.
    pub dynamics365_queue_url: String,
    /// The name of the bus for result events.
    pub event_bus: String,
}

/// What `authorizer` is told.
///
/// | variable | holds |
/// | --- | --- |
/// | `ADMIN_SECRET` | the name or ARN of the secret that holds the administrator's token |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizerConfig {
    /// The name or ARN of the secret that holds the administrator's token.
    pub admin_secret: String,
}

impl Tables {
    fn read(environment: &dyn Environment) -> Result<Self, ConfigError> {
        let control = required(environment, CONTROL_TABLE)?;
        let records = required(environment, RECORDS_TABLE)?;
        Ok(Self { control, records })
    }
}

impl TriggerSyncConfig {
    const VARIABLES: &[&str] = &[CONTROL_TABLE, RECORDS_TABLE, DYNAMICS365_QUEUE_URL];

    /// Reads it from the environment.
    ///
    /// # Errors
    ///
    /// `Missing` or `Malformed`, naming the first variable at fault.
    pub fn read(environment: &dyn Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            tables: Tables::read(environment)?,
            dynamics365_queue_url: url(environment, DYNAMICS365_QUEUE_URL)?,
        })
    }
}

impl IntegrationsConfig {
    const VARIABLES: &[&str] = &[CONTROL_TABLE, RECORDS_TABLE, DYNAMICS365_QUEUE_URL, SECRET_PREFIX];

    /// Reads it from the environment.
    ///
    /// # Errors
    ///
    /// `Missing` or `Malformed`, naming the first variable at fault.
    pub fn read(environment: &dyn Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            tables: Tables::read(environment)?,
            dynamics365_queue_url: url(environment, DYNAMICS365_QUEUE_URL)?,
            secret_prefix: prefix(environment, SECRET_PREFIX)?,
            outbound_exceptions: exceptions(environment)?,
        })
    }
}

impl Dynamics365Config {
    const VARIABLES: &[&str] = &[
        CONTROL_TABLE,
        RECORDS_TABLE,
        DYNAMICS365_QUEUE_URL,
        SECRET_PREFIX,
        EVENT_BUS,
    ];

    /// Reads it from the environment.
    ///
    /// # Errors
    ///
    /// `Missing` or `Malformed`, naming the first variable at fault.
    pub fn read(environment: &dyn Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            tables: Tables::read(environment)?,
            dynamics365_queue_url: url(environment, DYNAMICS365_QUEUE_URL)?,
            secret_prefix: prefix(environment, SECRET_PREFIX)?,
            event_bus: required(environment, EVENT_BUS)?,
            outbound_exceptions: exceptions(environment)?,
        })
    }
}

impl ReconcileConfig {
    const VARIABLES: &[&str] = &[CONTROL_TABLE, RECORDS_TABLE, DYNAMICS365_QUEUE_URL, EVENT_BUS];

    /// Reads it from the environment.
    ///
    /// # Errors
    ///
    /// `Missing` or `Malformed`, naming the first variable at fault.
    pub fn read(environment: &dyn Environment) -> Result<Self, ConfigError> {
        Ok(Self {
            tables: Tables::read(environment)?,
            dynamics365_queue_url: url(environment, DYNAMICS365_QUEUE_URL)?,
            event_bus: required(environment, EVENT_BUS)?,
        })
    }
}

impl AuthorizerConfig {
    const VARIABLES: &[&str] = &[ADMIN_SECRET];

    /// Reads it from the environment.
    ///
    /// # Errors
    ///
    /// `Missing`, naming the variable.
    pub fn read(environment: &dyn Environment) -> Result<Self, ConfigError> {
        let admin_secret = required(environment, ADMIN_SECRET)?;
        Ok(Self { admin_secret })
    }
}

fn required(environment: &dyn Environment, name: &'static str) -> Result<String, ConfigError> {
    environment
        .variable(name)
        .filter(|value| !value.is_empty())
        .ok_or(ConfigError::Missing(name))
}

fn url(environment: &dyn Environment, name: &'static str) -> Result<String, ConfigError> {
    let value = required(environment, name)?;
    let rule = "a URL";
    let parsed = url::Url::parse(&value).map_err(|_| ConfigError::Malformed { name, rule })?;
    if parsed.has_host() {
        Ok(value)
    } else {
        Err(ConfigError::Malformed { name, rule })
    }
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
            Some("https://example.com/".to_owned())
        }
    }

    fn asked(package: &str) -> BTreeSet<String> {
        let environment = Asked::default();
        match package {
            "trigger-sync" => TriggerSyncConfig::read(&environment).map(drop),
            "integrations" => IntegrationsConfig::read(&environment).map(drop),
            "dynamics365" => Dynamics365Config::read(&environment).map(drop),
            "reconcile" => ReconcileConfig::read(&environment).map(drop),
            "authorizer" => AuthorizerConfig::read(&environment).map(drop),
            other => panic!("{other} has no config"),
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
        let mut environment = MapEnvironment::from([
            (CONTROL_TABLE, "control"),
            (RECORDS_TABLE, "records"),
            (DYNAMICS365_QUEUE_URL, "canary"),
        ]);
        let error = TriggerSyncConfig::read(&environment).unwrap_err().to_string();
        assert!(
            error.contains(DYNAMICS365_QUEUE_URL) && !error.contains("canary"),
            "{error}"
        );
        environment
            .0
            .insert(DYNAMICS365_QUEUE_URL.into(), "https://queue.example/q".into());
        assert!(TriggerSyncConfig::read(&environment).is_ok());
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
