//! Questions whose answers tell an operator what works, and if something does not, where it fails.
//!
//! Whether rows may be written is not asked: the only way to know for certain would be to write one.

use http::header::DATE;
use jiff::SignedDuration;
use jiff::fmt::rfc2822::DateTimeParser;

use super::adapter::Dynamics365;
use super::table::{Column, Holds, Table};
use super::wire::{AttributeDefinition, EntityDefinition, KeyDefinition};
use crate::adapter::{Error, ErrorKind, Finding, Result};
use crate::http::Answer;
use crate::model::FieldType;

/// A clock that is off by more makes tokens look expired when they are not.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

impl Dynamics365 {
    pub(super) async fn ask_everything(&self) -> Vec<Finding> {
        let signed_in = self.client.tokens.token().await.map_err(Error::from);
        let mut findings = vec![told(
            "sign in",
            signed_in.map(|_| "a token was issued".to_owned()),
        )];
        if findings.iter().any(|finding| !finding.works) {
            return findings;
        }
        let me = self.client.who_am_i().await;
        let clock = me.as_ref().ok().map(|(_, answer)| self.compare_clocks(answer));
        findings.push(told(
            "enter the environment",
            me.map(|_| "the environment knows the application user".to_owned()),
        ));
        let entered = findings.iter().all(|finding| finding.works);
        findings.extend(clock);
        if entered {
            for table in &self.settings.tables {
                findings.extend(self.ask_about(table).await);
            }
        }
        findings
    }

    fn compare_clocks(&self, answer: &Answer) -> Finding {
        let date = answer.headers.get(DATE).and_then(|date| date.to_str().ok());
        let theirs = date.and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
        let apart = theirs.map(|theirs| theirs.duration_since(self.client.clock.now()).abs());
        let finding =
            |works, answer: &str| finding("compare clocks", works, (!works).then_some("clock"), answer);
        match apart {
            Some(apart) if apart > CLOCK_TOLERANCE => finding(
                false,
                &format!("our clock and the system's are {} seconds apart", apart.as_secs()),
            ),
            Some(_) => finding(true, "our clock and the system's agree"),
            None => finding(true, "the system does not tell the time"),
        }
    }

    async fn ask_about(&self, table: &Table) -> Vec<Finding> {
        let kind = table.kind.plural();
        let read = self.client.get_one(table).await;
        let read = read.map(|_| "rows can be read; whether they may be written is not asked".to_owned());
        let mut findings = vec![told(&format!("read {kind}"), read)];
        match self.client.get_entity_definition(table).await {
            Ok(definition) => findings.extend(judge(table, &definition)),
            Err(error) => findings.push(told(&format!("describe {kind}"), Err(error))),
        }
        findings.push(self.ask_about_key(table).await);
        findings.push(self.ask_about_columns(table).await);
        findings
    }

    async fn ask_about_key(&self, table: &Table) -> Finding {
        let question = format!("key of {}", table.kind.plural());
        match (table.alternate_key.as_deref(), self.client.get_keys(table).await) {
            (None, _) => works(
                &question,
                "no `alternateKey` is set: rows are changed, and never made",
            ),
            (Some(column), Ok(keys)) => key(&question, column, &keys),
            (Some(_), Err(error)) => told(&question, Err(error)),
        }
    }

    async fn ask_about_columns(&self, table: &Table) -> Finding {
        let question = format!("columns of {}", table.kind.plural());
        let attributes = match self.client.get_attributes(table).await {
            Ok(attributes) => attributes,
            Err(error) => return told(&question, Err(error)),
        };
        // Lengths are advice: without them the columns are still known.
        let lengths = self.client.get_string_attributes(table).await.unwrap_or_default();
        let mismatches: Vec<String> = table
            .columns
            .iter()
            .filter_map(|column| mismatch(column, &attributes))
            .collect();
        let tight: Vec<String> = table
            .columns
            .iter()
            .filter_map(|column| tight(column, &lengths))
            .collect();
        match (mismatches.is_empty(), tight.is_empty()) {
            (false, _) => misconfigured(&question, &mismatches.join("; ")),
            (true, false) => works(&question, &tight.join("; ")),
            (true, true) => works(&question, "every mapped column is there and fits"),
        }
    }
}

fn judge(table: &Table, definition: &EntityDefinition) -> Vec<Finding> {
    vec![names(table, definition), tracking(table, definition)]
}

fn names(table: &Table, definition: &EntityDefinition) -> Finding {
    let question = format!("names of {}", table.kind.plural());
    let differs = |ours: &str, theirs: Option<&str>| theirs.is_some_and(|theirs| theirs != ours);
    if differs(&table.entity_set, definition.entity_set_name.as_deref()) {
        return misconfigured(&question, "`entitySet` is not the one of `logicalName`");
    }
    if differs(&table.primary_key, definition.primary_id_attribute.as_deref()) {
        return misconfigured(&question, "`primaryKey` is not the one of the table");
    }
    works(&question, "entity set and primary key are those of the table")
}

fn tracking(table: &Table, definition: &EntityDefinition) -> Finding {
    let question = format!("track changes of {}", table.kind.plural());
    match (table.tracks_changes, definition.change_tracking_enabled) {
        (true, Some(false)) => misconfigured(
            &question,
            "change tracking is off for the table: turn it on, or set `changeTracking` to false and do without deletions",
        ),
        (true, _) => works(&question, "changes and deletions are told"),
        (false, Some(true)) => works(
            &question,
            "`changeTracking` is false although the table tracks changes: deletions are not told",
        ),
        (false, _) => works(
            &question,
            "changes are found by their time; deletions are not told",
        ),
    }
}

fn key(question: &str, column: &str, keys: &[KeyDefinition]) -> Finding {
    let alone = |key: &&KeyDefinition| matches!(key.key_attributes.as_slice(), [only] if only == column);
    match keys
        .iter()
        .find(alone)
        .map(|key| key.entity_key_index_status.as_deref())
    {
        None => {
            let answer = format!("the table has no alternate key of the column {column} alone: make one");
            misconfigured(question, &answer)
        }
        Some(None | Some("Active")) => works(question, "the alternate key is active"),
        Some(Some(_)) => misconfigured(
            question,
            "the index of the alternate key is not active yet: wait for it, or mend the duplicates that stop it",
        ),
    }
}

fn mismatch(column: &Column, attributes: &[AttributeDefinition]) -> Option<String> {
    let name = column.logical_name();
    let Some(attribute) = attributes.iter().find(|attribute| attribute.logical_name == name) else {
        return Some(format!("{}: there is no column {name}", column.field.name));
    };
    let (fitting, wanted): (&[&str], _) = match column.holds {
        Holds::Text => (&["String", "Memo"], "text"),
        Holds::Date => (&["DateTime"], "a date"),
        Holds::Bool => (&["Boolean"], "yes or no"),
        Holds::Choice(_) => (&["Picklist", "Status", "Integer"], "a choice"),
        Holds::Lookup { .. } => (&["Lookup", "Customer", "Owner"], "a lookup"),
    };
    let kind = attribute.attribute_type.as_deref()?;
    (!fitting.contains(&kind))
        .then(|| format!("{}: the column {name} does not hold {wanted}", column.field.name))
}

fn tight(column: &Column, lengths: &[AttributeDefinition]) -> Option<String> {
    let name = column.logical_name();
    let room = lengths
        .iter()
        .find(|attribute| attribute.logical_name == name)?
        .max_length?;
    match (column.field.holds, &column.holds) {
        (FieldType::Text(most), Holds::Text) if (most as u64) > room => Some(format!(
            "{}: the system refuses more than {room} characters",
            column.field.name
        )),
        _ => None,
    }
}

fn told(question: &str, result: Result<String>) -> Finding {
    match result {
        Ok(answer) => finding(question, true, None, &answer),
        Err(error) => finding(question, false, Some(cause(&error)), &error.to_string()),
    }
}

fn works(question: &str, answer: &str) -> Finding {
    finding(question, true, None, answer)
}

fn misconfigured(question: &str, answer: &str) -> Finding {
    finding(question, false, Some("configuration"), answer)
}

fn finding(question: &str, works: bool, cause: Option<&'static str>, answer: &str) -> Finding {
    Finding {
        question: question.to_owned(),
        works,
        cause,
        answer: answer.to_owned(),
    }
}

/// A token that was issued and is refused was issued for something else: its scope is wrong.
fn cause(error: &Error) -> &'static str {
    const KNOWN: [&str; 8] = [
        "name",
        "tls",
        "network",
        "key",
        "scope",
        "permission",
        "configuration",
        "clock",
    ];
    let named = error
        .fact("cause")
        .and_then(|cause| KNOWN.into_iter().find(|known| *known == cause));
    named.unwrap_or(match error.kind() {
        ErrorKind::Unauthenticated => "scope",
        ErrorKind::PermissionDenied => "permission",
        ErrorKind::NotFound | ErrorKind::Rejected | ErrorKind::Unsupported => "configuration",
        _ => "system",
    })
}
