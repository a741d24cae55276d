//! Questions whose answers tell an operator what works, and if something does not, where it fails.
//!
//! Whether rows may be written is not asked: the only way to know for certain would be to write one.

use serde_json::Value;

use super::adapter::Rest;
use super::client::{Ask, Key};
use super::map;
use super::profile::Resource;
use super::template::Fill;
use crate::adapter::{Error, ErrorKind, Finding, Result};

impl Rest {
    pub(super) async fn ask_everything(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Key::Tokens(tokens) = &self.client.key {
            let signed_in = tokens.token().await.map_err(Error::from);
            findings.push(told(
                "sign in",
                signed_in.map(|_| "a token was issued".to_owned()),
            ));
        }
        if findings.iter().all(|finding| finding.works) {
            for resource in &self.profile.resources {
                findings.extend(self.ask_about(resource).await);
            }
        }
        findings
    }

    async fn ask_about(&self, resource: &Resource) -> Vec<Finding> {
        let kind = resource.kind.plural();
        let rows = match self.first_page(resource).await {
            Ok(rows) => rows,
            Err(error) => return vec![told(&format!("read {kind}"), Err(error))],
        };
        let Some(row) = rows.first() else {
            let answer = "there are no rows: whether the profile fits them is not known";
            return vec![works(&format!("read {kind}"), answer)];
        };
        let read = "rows can be read; whether they may be written is not asked";
        let mut findings = vec![works(&format!("read {kind}"), read), fields(resource, &rows)];
        findings.push(self.ask_for(resource, row).await);
        findings.extend(self.ask_for_key(resource, row).await);
        findings
    }

    async fn first_page(&self, resource: &Resource) -> Result<Vec<Value>> {
        let read = &resource.read;
        let mut url = read.address.url(&self.client.base_url, Fill::default())?;
        if let Some((parameter, size)) = &read.paging.size {
            url.query_pairs_mut().append_pair(parameter, &size.to_string());
        }
        let ask = Ask {
            method: read.method.clone(),
            body: read.body.clone(),
            ..Ask::get(url)
        };
        let (_, json) = self.client.read(&ask).await?;
        let rows = read.list.of(&json).and_then(Value::as_array);
        let lacking = || {
            let message = "there is no list of rows where the profile says: check `list`";
            Error::new(ErrorKind::Rejected, message)
        };
        rows.cloned().ok_or_else(lacking)
    }

    async fn ask_for(&self, resource: &Resource, row: &Value) -> Finding {
        let question = format!("get one of {}", resource.kind.plural());
        let Some(id) = map::id_at(&resource.read.row.id, row) else {
            return misconfigured(&question, "a row has no id where the profile says: check `id`");
        };
        match self.find_row(resource, &id).await {
            Ok(Some(same)) if map::version(resource, &same) != map::version(resource, row) => misconfigured(
                &question,
                "a row has another version alone than among others: check `version`",
            ),
            Ok(Some(_)) => works(&question, "a row is found by its id"),
            Ok(None) => misconfigured(
                &question,
                "a row that is listed is not found by its id: check `get`",
            ),
            Err(error) => told(&question, Err(error)),
        }
    }

    async fn ask_for_key(&self, resource: &Resource, row: &Value) -> Option<Finding> {
        resource.lookup.as_ref()?;
        let question = format!("look up one of {}", resource.kind.plural());
        let key = map::id_at(resource.read.row.key.as_ref()?, row);
        let Some(key) = key else {
            return Some(works(&question, "the first row has no key: not asked"));
        };
        Some(match self.look_up(resource, &key).await {
            Ok(Some(_)) => works(&question, "a row is found by its key"),
            Ok(None) => misconfigured(
                &question,
                "a row that is listed is not found by its key: check `lookup`",
            ),
            Err(error) => told(&question, Err(error)),
        })
    }
}

fn fields(resource: &Resource, rows: &[Value]) -> Finding {
    let question = format!("fields of {}", resource.kind.plural());
    let nowhere = resource
        .fields
        .iter()
        .filter(|map| rows.iter().all(|row| map.pointer.of(row).is_none()));
    let nowhere: Vec<String> = nowhere
        .map(|map| format!("{}: nothing stands at {}", map.field.name, map.pointer.as_str()))
        .collect();
    let misread = resource.fields.iter().filter_map(|map| {
        let wrong = rows
            .iter()
            .find_map(|row| map::read(map, map.pointer.of(row)?).err())?;
        Some(format!("{}: {wrong}", map.field.name))
    });
    let misread: Vec<String> = misread.collect();
    match (
        nowhere.is_empty() || resource.read.row.absent_is_empty,
        misread.is_empty(),
    ) {
        (true, true) => works(&question, "every mapped field is there and can be read"),
        (false, _) => misconfigured(&question, &nowhere.join("; ")),
        (true, false) => misconfigured(&question, &misread.join("; ")),
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
        ErrorKind::Unauthenticated => "key",
        ErrorKind::PermissionDenied => "permission",
        ErrorKind::NotFound | ErrorKind::Rejected | ErrorKind::Unsupported | ErrorKind::Malformed => {
            "configuration"
        }
        _ => "system",
    })
}
