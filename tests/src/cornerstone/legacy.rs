//! Two of the endpoints before the Transcript API, which answer in XML unless JSON is asked for.
//!
//! `GET TranscriptAndTask/Transcript` shows an active user's transcript without what is archived or removed, fifty lines a page;
//! `GET LO/GetDetails` shows a learning object. The elements of the XML are inferred from the members of the JSON.
//!
//! Source: csod.dev, "Transcript and Task (Legacy)"; a public client for the members of a learning object; read 2026-11-22.

use http::StatusCode;
use quick_xml::escape::escape;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::{Outcome, Refusal, json_answer};
use super::record::{LearningObject, Registration};
use super::server::{only_get, parameters};
use super::store::Store;
use super::time::plain;
use crate::sign_in::Form;
use crate::wire::{Answer, Request};

const PAGE: usize = 50;

pub(super) fn answer(store: &Store, request: &Request) -> Outcome<Answer> {
    let read: fn(&Store, &Form) -> Outcome<Value> = match request.path.as_str() {
        "/services/api/TranscriptAndTask/Transcript" => transcript,
        "/services/api/LO/GetDetails" => learning_object,
        _ => return Err(Refusal::new(StatusCode::NOT_FOUND, "There is no such service.")),
    };
    only_get(request)?;
    let body = read(store, &parameters(request)?)?;
    let accepted = request.header("accept").unwrap_or_default();
    if accepted.contains("application/json") {
        return Ok(json_answer(StatusCode::OK, &body));
    }
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    write(&mut xml, "response", &body);
    Ok(Answer::bytes(StatusCode::OK, xml).with("content-type", "application/xml; charset=utf-8"))
}

fn transcript(store: &Store, form: &Form) -> Outcome<Value> {
    let asked = form
        .get("UserId")
        .ok_or_else(|| Refusal::bad("UserId is required"))?;
    let user = store
        .user(asked)
        .filter(|user| user.active)
        .ok_or_else(Refusal::not_found)?;
    let page = form.get("PageNumber").map_or(Ok(1), str::parse);
    let page: usize = page.map_err(|_| Refusal::bad("PageNumber is not a number"))?;
    let in_progress = form.get("InprogressOnly") == Some("true");
    let shown = store.transcript(user.id).filter_map(|line| {
        let object = store.object(line.learning_object)?;
        let title = line.status.title();
        let wanted = form.get("Status").is_none_or(|status| status == title);
        let wanted = wanted && (!in_progress || title == "In Progress") && !line.archived && !line.removed;
        wanted.then(|| render(object, line))
    });
    let lines: Vec<Value> = shown.collect();
    let first = page.saturating_sub(1) * PAGE;
    let listed: Vec<&Value> = lines.iter().skip(first).take(PAGE).collect();
    Ok(json!({ "status": "200", "data": [{ "Transcripts": listed }], "totalRecords": lines.len() }))
}

fn render(object: &LearningObject, line: &Registration) -> Value {
    json!({
        "LoId": object.id, "LoType": object.training_type.title(), "LoProviderId": "", "ProviderName": object.provider,
        "Title": object.title, "Status": line.status.title(), "RegistrationDate": line.registered_at.map(plain),
        "DueDate": line.due_at.map(plain), "CompletionDate": line.completed_at.map(plain),
        "LastAccessDate": line.started_at.map(plain), "Score": line.score,
        "TotalTime": "0000:00:00", "TrainingHours": object.hours,
        "StartDateTime": null, "EndDateTime": null, "LaunchUrl": null,
    })
}

fn learning_object(store: &Store, form: &Form) -> Outcome<Value> {
    let asked = form
        .get("ObjectID")
        .ok_or_else(|| Refusal::bad("ObjectID is required"))?;
    let id: Uuid = asked.parse().map_err(|_| Refusal::bad("ObjectID is not valid"))?;
    let object = store.object(id).ok_or_else(Refusal::not_found)?;
    let item = json!({
        "ObjectId": object.id, "Type": object.training_type.title(), "Title": object.title,
        "Provider": object.provider, "Descr": "", "Duration": format!("{:04}:00:00", object.hours),
    });
    Ok(json!({ "status": "200", "data": [{ "trainingItem": item }] }))
}

/// Writes a value as an element; the items of a list are elements of the list's name.
fn write(xml: &mut String, name: &str, value: &Value) {
    if let Value::Array(items) = value {
        return items.iter().for_each(|item| write(xml, name, item));
    }
    xml.extend(["<", name, ">"]);
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| write(xml, name, value)),
        Value::String(text) => xml.push_str(&escape(text.as_str())),
        Value::Null | Value::Array(_) => {}
        plain => xml.push_str(&plain.to_string()),
    }
    xml.extend(["</", name, ">"]);
}
