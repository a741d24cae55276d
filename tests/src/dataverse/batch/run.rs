//! Performing a batch: in order, atomically inside change sets, and up to the first failure unless told otherwise.

use std::collections::HashMap;

use http::{Method, StatusCode};
use serde_json::Value;

use super::multipart::{Item, Operation, read};
use super::reply::{Part, Reply, write};
use crate::dataverse::address::Resource;
use crate::dataverse::call::{Call, kind, relative};
use crate::dataverse::error::{Outcome, Refusal};
use crate::dataverse::server::Dataverse;
use crate::dataverse::store::Store;
use crate::wire::{Answer, Request};

/// A batch may hold this many operations.
///
/// Source: Microsoft Learn, "Execute batch operations using the Web API", read 2026-11-21.
const MOST_OPERATIONS: usize = 1000;

impl Dataverse {
    pub(in crate::dataverse) fn batch(&self, call: &Call<'_>) -> Outcome<Answer> {
        if call.request.method != Method::POST {
            return Err(Refusal::method_not_allowed(&call.request.method));
        }
        let content_type = call.request.header("content-type").unwrap_or_default();
        let Ok(items) = read(content_type, &call.request.body) else {
            return Ok(unreadable());
        };
        check_size(&items)?;
        Ok(self.run(call, items))
    }

    fn run(&self, call: &Call<'_>, items: Vec<Item>) -> Answer {
        let mut replies = Vec::new();
        for item in items {
            replies.push(match item {
                Item::Single(operation) => Reply::Single(self.single_operation(call, *operation)),
                Item::ChangeSet(operations) => Reply::ChangeSet(self.change_set(call, operations)),
            });
            let failure = replies.last().and_then(Reply::failure);
            if let Some(status) = failure.filter(|_| !call.preferences.continue_on_error) {
                return write(status, &replies);
            }
        }
        write(StatusCode::OK, &replies)
    }

    fn single_operation(&self, call: &Call<'_>, mut operation: Operation) -> Part {
        locate(call, &mut operation.request);
        let answer = self.faults.of_part(self, &operation.request).unwrap_or_else(|| {
            let outcome = self.part(call, &operation.request, |part, resource| {
                self.operate(part, resource)
            });
            outcome.unwrap_or_else(|refusal| refusal.to_answer(false))
        });
        self.recorder.note(&operation.request, Some(answer.status), true);
        Part {
            content_id: operation.content_id,
            answer,
        }
    }

    fn part(
        &self,
        call: &Call<'_>,
        request: &Request,
        perform: impl FnOnce(&Call<'_>, &Resource) -> Outcome<Answer>,
    ) -> Outcome<Answer> {
        let part = self.call(request, call.user)?;
        let resource = Resource::parse(relative(&request.path)?)?;
        if let Resource::Batch = resource {
            return Err(Refusal::bad_request("A batch cannot contain another batch."));
        }
        self.recorder.count_kind("batchPart");
        self.recorder.count_kind(kind(&part, &resource));
        perform(&part, &resource)
    }

    fn change_set(&self, call: &Call<'_>, operations: Vec<Operation>) -> Vec<Part> {
        for operation in &operations {
            let mut request = operation.request.clone();
            locate(call, &mut request);
            if let Some(answer) = self.faults.of_part(self, &request) {
                self.recorder.note(&request, Some(answer.status), true);
                return vec![Part {
                    content_id: operation.content_id.clone(),
                    answer,
                }];
            }
        }
        self.transaction(call, operations)
    }

    /// Performs all operations or none; of none, only the failure is answered.
    fn transaction(&self, call: &Call<'_>, operations: Vec<Operation>) -> Vec<Part> {
        let version = self.store().version();
        let mut store = self.store_mut();
        store.begin();
        let mut parts = Vec::new();
        let mut references = HashMap::new();
        for operation in operations {
            let part = self.step(&mut store, call, operation, &mut references, version);
            if part.answer.status.is_client_error() {
                store.roll_back();
                return vec![part];
            }
            parts.push(part);
        }
        store.commit();
        parts
    }

    fn step(
        &self,
        store: &mut Store,
        call: &Call<'_>,
        mut operation: Operation,
        references: &mut HashMap<String, String>,
        version: u64,
    ) -> Part {
        let outcome = prepare(call, &mut operation, references)
            .and_then(|()| self.call_at(&operation.request, call.user, version))
            .and_then(|part| {
                let resource = Resource::parse(relative(&operation.request.path)?)?;
                self.recorder.count_kind("batchPart");
                self.recorder.count_kind(kind(&part, &resource));
                self.modify(store, &part, &resource)
            });
        let answer = outcome.unwrap_or_else(|refusal| refusal.to_answer(false));
        if let (Some(id), Some(link)) = (&operation.content_id, answer.headers.get("odata-entityid")) {
            references.insert(id.clone(), link.to_str().unwrap_or_default().to_owned());
        }
        self.recorder.note(&operation.request, Some(answer.status), true);
        Part {
            content_id: operation.content_id,
            answer,
        }
    }
}

/// Resolves what a step refers to, and refuses what change sets do not take.
fn prepare(call: &Call<'_>, operation: &mut Operation, references: &HashMap<String, String>) -> Outcome<()> {
    if operation.content_id.is_none() {
        return Err(Refusal::bad_request(
            "The Content-ID header is not present in the change set's request.",
        ));
    }
    if operation.request.method == Method::GET {
        return Err(Refusal::bad_request(
            "A GET request cannot be part of a change set.",
        ));
    }
    if operation.request.path.starts_with('$') {
        operation.request.path = resolve(&operation.request.path, references)?;
    }
    locate(call, &mut operation.request);
    rewrite_body(&mut operation.request, references)
}

fn resolve(reference: &str, references: &HashMap<String, String>) -> Outcome<String> {
    let id = reference.trim_start_matches('$');
    references.get(id).cloned().ok_or_else(|| {
        let message = format!("Content-ID Reference: '{reference}' does not exist in the batch context.");
        Refusal::bad_request(message)
    })
}

fn rewrite_body(request: &mut Request, references: &HashMap<String, String>) -> Outcome<()> {
    let Ok(Value::Object(mut body)) = serde_json::from_slice(&request.body) else {
        return Ok(());
    };
    let mut changed = false;
    for (name, value) in &mut body {
        if let Some(text) = value
            .as_str()
            .filter(|text| name.ends_with("@odata.bind") && text.starts_with('$'))
        {
            *value = resolve(text, references)?.into();
            changed = true;
        }
    }
    if changed {
        request.body = Value::Object(body).to_string().into();
    }
    Ok(())
}

/// Turns an absolute or relative URL of a part into a path.
fn locate(call: &Call<'_>, request: &mut Request) {
    if let Some((_, rest)) = request.path.split_once("://") {
        request.path = rest
            .find('/')
            .and_then(|slash| rest.get(slash..))
            .unwrap_or("/")
            .to_owned();
    } else if !request.path.starts_with('/') {
        let root = call.root.split_once("/api/").map_or("", |(_, rest)| rest);
        request.path = format!("/api/{root}/{}", request.path);
    }
}

fn check_size(items: &[Item]) -> Outcome<()> {
    let operations = |item: &Item| match item {
        Item::Single(_) => 1,
        Item::ChangeSet(operations) => operations.len(),
    };
    if items.iter().map(operations).any(|count| count > MOST_OPERATIONS) {
        let message = format!(
            "The current change set contains too many operations. A maximum number of '{MOST_OPERATIONS}' operations \
             are allowed in a change set."
        );
        return Err(Refusal::bad_request(message));
    }
    if items.iter().map(operations).sum::<usize>() <= MOST_OPERATIONS {
        return Ok(());
    }
    let message = format!(
        "The current batch message contains too many parts. A maximum number of '{MOST_OPERATIONS}' query operations \
         and change sets are allowed in a batch message."
    );
    Err(Refusal::bad_request(message))
}

/// Answers a body that cannot be read, as wrong line endings make it.
fn unreadable() -> Answer {
    let refusal = Refusal::payload("", "System.ArgumentException: Stream was not readable.");
    let part = Part {
        content_id: None,
        answer: refusal.to_answer(false),
    };
    write(StatusCode::BAD_REQUEST, &[Reply::Single(part)])
}
