//! What a webhook of Dataverse says: which row something happened to.
//!
//! Nothing else of it is believed. Whoever has the secret can send anything; and a context of more than 256 KB comes without
//! what changed. The row is asked for.
//!
//! Source: Microsoft Learn, "Use webhooks to create external handlers for server events", read 2026-11-22.

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::config::Settings;
use crate::adapter::{Hint, ReadWebhook, Told, Why};
use crate::model::{FieldError, Kind};

/// Under which the tag of a request reaches the webhooks that it caused.
const TAG: &str = "tag";

/// What of a context is read; a name that stands there twice is refused.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Context {
    primary_entity_name: String,
    primary_entity_id: Uuid,
    #[serde(default)]
    shared_variables: Vec<Variable>,
}

#[derive(Deserialize)]
struct Variable {
    key: String,
    #[serde(default)]
    value: Value,
}

/// Reads the webhooks of one environment.
#[derive(Debug)]
pub(super) struct Contexts {
    tables: Vec<(String, Kind)>,
    tag: Option<String>,
}

impl Contexts {
    pub(super) fn new(settings: &Settings) -> Self {
        let tables = settings.tables.iter();
        Self {
            tables: tables
                .map(|table| (table.logical_name.clone(), table.kind))
                .collect(),
            tag: settings.tag.clone(),
        }
    }

    /// Says whether a request of this service has caused it.
    fn is_echo(&self, context: &Context) -> bool {
        let ours = |tag: &String| {
            let is_tag = |variable: &Variable| variable.key == TAG && variable.value == tag.as_str();
            context.shared_variables.iter().any(is_tag)
        };
        self.tag.as_ref().is_some_and(ours)
    }
}

impl ReadWebhook for Contexts {
    fn read(&self, body: &[u8]) -> Result<Told, FieldError> {
        // A list would be read for the object whose members it has in their order.
        let object = Some(body).filter(|body| body.trim_ascii_start().starts_with(b"{"));
        let context = object.and_then(|body| serde_json::from_slice::<Context>(body).ok());
        let context = context.ok_or_else(|| {
            let reason =
                "must be an execution context of Dataverse, with PrimaryEntityName and PrimaryEntityId";
            FieldError::new("body", reason)
        })?;
        let mapped = self
            .tables
            .iter()
            .find(|(name, _)| *name == context.primary_entity_name);
        let Some((_, kind)) = mapped else {
            return Ok(Told::Nothing(Why::NotMapped));
        };
        if context.primary_entity_id.is_nil() {
            return Ok(Told::Nothing(Why::NoRows));
        }
        if self.is_echo(&context) {
            return Ok(Told::Nothing(Why::Echo));
        }
        Ok(Told::Rows(vec![Hint {
            kind: *kind,
            id: context.primary_entity_id.to_string().into(),
        }]))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROW: &str = "1c8c4d2e-0a5b-4c3d-9e8f-102938475610";

    fn told(context: &Value) -> Result<Told, FieldError> {
        let contexts = Contexts {
            tables: vec![("contact".to_owned(), Kind::Member)],
            tag: Some("likeperson-sync".to_owned()),
        };
        contexts.read(context.to_string().as_bytes())
    }

    fn context() -> Value {
        json!({
            "MessageName": "Update", "PrimaryEntityName": "contact", "PrimaryEntityId": ROW, "Stage": 40,
            "InputParameters": [{ "key": "Target", "value": { "Attributes": [{ "key": "firstname", "value": "canary" }] } }],
            "SharedVariables": [{ "key": "tag", "value": "somebody-else" }, { "key": "n", "value": 1 }],
        })
    }

    fn row() -> Told {
        Told::Rows(vec![Hint {
            kind: Kind::Member,
            id: ROW.into(),
        }])
    }

    #[test]
    fn whatever_happened_to_a_row_the_row_is_looked_at() {
        for message in ["Create", "Update", "Delete", "SetState", "Merge", "SomethingNew"] {
            let mut context = context();
            context["MessageName"] = message.into();
            assert_eq!(told(&context), Ok(row()), "{message}");
        }
    }

    #[test]
    fn a_context_that_came_without_what_changed_is_read_all_the_same() {
        let mut context = context();
        for stripped in ["InputParameters", "SharedVariables"] {
            context.as_object_mut().unwrap().remove(stripped);
        }
        assert_eq!(told(&context), Ok(row()));
    }

    #[test]
    fn what_this_service_caused_and_what_is_not_mapped_is_passed_over() {
        let mut echo = context();
        echo["SharedVariables"][0]["value"] = "likeperson-sync".into();
        assert_eq!(told(&echo), Ok(Told::Nothing(Why::Echo)));
        let mut account = context();
        account["PrimaryEntityName"] = "account".into();
        assert_eq!(told(&account), Ok(Told::Nothing(Why::NotMapped)));
        let mut none = context();
        none["PrimaryEntityId"] = Uuid::nil().to_string().into();
        assert_eq!(told(&none), Ok(Told::Nothing(Why::NoRows)));
    }

    #[test]
    fn what_is_no_context_is_told_and_not_shown() {
        let mut wrong = context();
        wrong["PrimaryEntityId"] = "canary".into();
        for context in [wrong, json!(["contact", ROW]), json!({}), json!("canary")] {
            let fault = told(&context).unwrap_err();
            assert!(!fault.to_string().contains("canary"), "{fault}");
        }
    }
}
