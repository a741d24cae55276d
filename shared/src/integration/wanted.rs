//! What somebody wants an integration to be: read from JSON, with everything that is wrong at once.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{ConflictRule, DeleteGuard, Direction};
use crate::adapters;
use crate::http::Exceptions;
use crate::model::{FieldError, Group, Kind, System};

/// The longest display name, in characters.
const MAX_NAME: usize = 100;

const PARTS: &[&str] = &[
    "displayName",
    "integrationSystemId",
    "direction",
    "conflictRules",
    "excludedGroups",
    "deleteGuard",
    "settings",
    "credentials",
];

/// What somebody wants an integration to be.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub(super) display_name: String,
    /// The integration system that is to manage it: another one, or none; absent where it stays as it is.
    pub(super) integration_system: Option<Option<Uuid>>,
    pub(super) direction: Direction,
    pub(super) conflict_rules: BTreeMap<Group, ConflictRule>,
    pub(super) excluded_groups: Vec<Group>,
    pub(super) delete_guard: DeleteGuard,
    pub(super) settings: Value,
    /// Absent where the ones that are kept still hold.
    pub(super) credentials: Option<SecretString>,
}

/// Collects what is wrong, part by part.
struct Reading<'a> {
    object: &'a Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Wanted {
    /// Reads what is wanted of an integration with `system`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong; no value is repeated.
    pub fn read(
        system: System,
        object: &Map<String, Value>,
        exceptions: &Exceptions,
    ) -> Result<Self, Vec<FieldError>> {
        let mut reading = Reading {
            object,
            errors: Vec::new(),
        };
        reading.refuse_unknown("", object, PARTS);
        let wanted = Self {
            display_name: reading.display_name(system),
            integration_system: reading.integration_system(),
            direction: reading.choice("direction", "pull or both"),
            conflict_rules: reading.rules(),
            excluded_groups: reading.groups(),
            delete_guard: reading.guard(),
            settings: reading.settings(system, exceptions),
            credentials: reading.credentials(system),
        };
        if reading.errors.is_empty() {
            Ok(wanted)
        } else {
            Err(reading.errors)
        }
    }
}

impl Reading<'_> {
    fn refuse(&mut self, field: impl Into<String>, reason: impl Into<String>) {
        self.errors.push(FieldError::new(field, reason));
    }

    fn part(&self, name: &str) -> Option<Value> {
        self.object.get(name).filter(|value| !value.is_null()).cloned()
    }

    fn object(&mut self, name: &str) -> Map<String, Value> {
        match self.part(name) {
            None => Map::new(),
            Some(Value::Object(object)) => object,
            Some(_) => {
                self.refuse(name, "must be an object");
                Map::new()
            }
        }
    }

    fn refuse_unknown(&mut self, path: &str, object: &Map<String, Value>, known: &[&str]) {
        for name in object.keys().filter(|name| !known.contains(&name.as_str())) {
            self.refuse(
                format!("{path}{name}"),
                format!("is not known; known are {}", known.join(", ")),
            );
        }
    }

    fn display_name(&mut self, system: System) -> String {
        match self.part("displayName") {
            None => system.to_string(),
            Some(Value::String(name))
                if (1..=MAX_NAME).contains(&name.chars().count()) && !has_control(&name) =>
            {
                name
            }
            Some(_) => {
                self.refuse(
                    "displayName",
                    format!("must be a text of 1 to {MAX_NAME} characters"),
                );
                String::new()
            }
        }
    }

    fn integration_system(&mut self) -> Option<Option<Uuid>> {
        let name = "integrationSystemId";
        let value = self.object.get(name)?;
        let id = value.as_str().and_then(|text| text.parse().ok());
        if id.is_none() && !value.is_null() {
            self.refuse(name, "must be the id of an integration system, or null");
        }
        Some(id)
    }

    fn choice<T: DeserializeOwned + Default>(&mut self, name: &str, rule: &str) -> T {
        let Some(value) = self.part(name) else {
            return T::default();
        };
        serde_json::from_value(value).unwrap_or_else(|_| {
            self.refuse(name, format!("must be {rule}"));
            T::default()
        })
    }

    fn rules(&mut self) -> BTreeMap<Group, ConflictRule> {
        let mut rules = BTreeMap::new();
        for (name, value) in self.object("conflictRules") {
            let path = format!("conflictRules.{name}");
            match (group(&name), serde_json::from_value(value)) {
                (None, _) => self.refuse(path, format!("is not a group; groups are {}", group_names())),
                (_, Err(_)) => {
                    self.refuse(
                        path,
                        "must be external_wins, platform_wins, newest_wins or review",
                    );
                }
                (Some(group), Ok(rule)) => {
                    rules.insert(group, rule);
                }
            }
        }
        rules
    }

    fn groups(&mut self) -> Vec<Group> {
        let Some(Value::Array(names)) = self
            .part("excludedGroups")
            .or_else(|| Some(Value::Array(Vec::new())))
        else {
            self.refuse("excludedGroups", "must be a list of groups");
            return Vec::new();
        };
        let mut groups = Vec::new();
        for (position, name) in names.iter().enumerate() {
            match name.as_str().and_then(group) {
                Some(group) if !groups.contains(&group) => groups.push(group),
                Some(_) => self.refuse(format!("excludedGroups.{position}"), "is there twice"),
                None => {
                    let reason = format!("is not a group; groups are {}", group_names());
                    self.refuse(format!("excludedGroups.{position}"), reason);
                }
            }
        }
        groups.sort_unstable();
        groups
    }

    fn guard(&mut self) -> DeleteGuard {
        let object = self.object("deleteGuard");
        self.refuse_unknown("deleteGuard.", &object, &["percent", "rows"]);
        let default = DeleteGuard::default();
        let percent = self.number(&object, "percent", default.percent.into(), 100);
        let rows = self.number(&object, "rows", default.rows, 1_000_000);
        DeleteGuard {
            percent: u8::try_from(percent).unwrap_or(default.percent),
            rows,
        }
    }

    fn number(&mut self, object: &Map<String, Value>, name: &str, default: u32, max: u32) -> u32 {
        let Some(value) = object.get(name) else {
            return default;
        };
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        number.filter(|number| *number <= max).unwrap_or_else(|| {
            self.refuse(
                format!("deleteGuard.{name}"),
                format!("must be a whole number from 0 to {max}"),
            );
            default
        })
    }

    fn settings(&mut self, system: System, exceptions: &Exceptions) -> Value {
        let Some(settings) = self.part("settings") else {
            self.refuse("settings", "is required");
            return Value::Null;
        };
        let checked = adapters::check_settings(system, &settings, exceptions);
        self.errors.extend(checked.err().unwrap_or_default());
        settings
    }

    fn credentials(&mut self, system: System) -> Option<SecretString> {
        let credentials = SecretString::from(self.part("credentials")?.to_string());
        let checked = adapters::check_credentials(system, &credentials);
        self.errors.extend(checked.err().unwrap_or_default());
        Some(credentials)
    }
}

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

fn group(name: &str) -> Option<Group> {
    all_groups().find(|group| group.as_str() == name)
}

fn group_names() -> String {
    let mut names: Vec<_> = all_groups().map(Group::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

fn all_groups() -> impl Iterator<Item = Group> {
    Kind::ALL.iter().flat_map(|kind| kind.groups()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &Value) -> Result<Wanted, Vec<FieldError>> {
        Wanted::read(
            System::Dynamics365,
            json.as_object().unwrap(),
            &Exceptions::none(),
        )
    }

    fn settings() -> Value {
        serde_json::json!({
            "baseUrl": "https://hlf.crm4.dynamics.com",
            "tenant": "00000000-0000-0000-0000-000000000001",
            "members": {
                "entitySet": "contacts", "logicalName": "contact", "primaryKey": "contactid",
                "alternateKey": "hlf_memberno", "fields": { "firstName": "firstname", "lastName": "lastname" },
                "onDelete": "deactivate",
            },
        })
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once_and_no_value_is_repeated() {
        let errors = read(&serde_json::json!({
            "status": "canary", "displayName": "", "direction": "canary",
            "conflictRules": { "canaries": "review", "identity": "canary" },
            "excludedGroups": ["preferences", "preferences", "canary"],
            "deleteGuard": { "percent": 101, "rows": -1, "columns": 2 },
            "settings": { "baseUrl": "http://canary" },
            "credentials": { "clientId": "", "secret": "canary" },
        }))
        .unwrap_err();
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        for expected in [
            "status",
            "displayName",
            "direction",
            "conflictRules.canaries",
            "conflictRules.identity",
            "excludedGroups.1",
            "excludedGroups.2",
            "deleteGuard.columns",
            "deleteGuard.percent",
            "deleteGuard.rows",
            "settings.baseUrl",
            "settings.tenant",
            "credentials.clientId",
            "credentials.clientSecret",
        ] {
            assert!(fields.contains(&expected), "{expected} of {fields:?}");
        }
        assert!(errors.iter().all(|error| !error.reason.contains("canary")));
    }

    #[test]
    fn what_is_left_out_takes_its_default_except_the_settings() {
        let wanted = read(&serde_json::json!({ "settings": settings() })).unwrap();
        assert_eq!(wanted.display_name, "dynamics365");
        assert_eq!(wanted.delete_guard, DeleteGuard::default());
        assert!(wanted.credentials.is_none());
        assert_eq!(read(&serde_json::json!({})).unwrap_err()[0].field, "settings");
    }

    #[test]
    fn credentials_do_not_show_in_debug_output() {
        let credentials = serde_json::json!({ "clientId": "canary", "clientSecret": "canary" });
        let wanted =
            read(&serde_json::json!({ "settings": settings(), "credentials": credentials })).unwrap();
        assert!(!format!("{wanted:?}").contains("canary"));
    }
}
