//! Faults that come before a request is performed.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::Fault;
use crate::dataverse::address::Resource;
use crate::dataverse::call::relative;
use crate::dataverse::edits::object;
use crate::dataverse::server::Dataverse;
use crate::dataverse::write;
use crate::wire::{Answer, Delivery, Request};

impl Fault {
    /// Returns how long to wait before doing anything.
    pub(crate) fn wait(&self) -> Duration {
        match self {
            Self::Delay { milliseconds } => Duration::from_millis(*milliseconds),
            Self::Stall => Duration::from_secs(24 * 60 * 60),
            _ => Duration::ZERO,
        }
    }

    /// Changes the organization if that is the fault, and returns an answer if the request is not performed.
    pub(crate) fn instead(&self, dataverse: &Dataverse, request: &Request) -> Option<Answer> {
        match self {
            Self::RevokePrivilege { table, privilege } => dataverse.access().revoke(table, *privilege),
            Self::ExpireDeltaLinks => dataverse.expire_delta_links(),
            Self::HumanEdit { changes } => human_edit(dataverse, request, changes.as_ref()),
            _ => return self.answer(dataverse),
        }
        None
    }

    fn answer(&self, dataverse: &Dataverse) -> Option<Answer> {
        match self {
            Self::Status {
                status,
                body,
                retry_after,
            } => Some(scripted(*status, body.as_ref(), retry_after.as_deref())),
            Self::TooManyRequests { limit, retry_after } => Some(retry(
                dataverse.limits().refusal(*limit).to_answer(false),
                retry_after.as_deref(),
            )),
            Self::Unauthorized => Some(dataverse.challenge()),
            Self::ErrorInBody => {
                let error =
                    json!({ "error": { "code": "0x80040216", "message": "An unexpected error occurred." } });
                Some(Answer::json(StatusCode::OK, &error))
            }
            Self::Html => {
                let page = "<!DOCTYPE html><html><body><h1>Scheduled maintenance</h1></body></html>";
                Some(Answer::bytes(StatusCode::OK, page).with("content-type", "text/html"))
            }
            Self::Redirect { status, location } => {
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::FOUND);
                Some(Answer::empty(status).with("location", location))
            }
            Self::ResetBefore => Some(Answer::empty(StatusCode::OK).delivered(Delivery::Reset)),
            _ => None,
        }
    }
}

/// Returns an answer that is as the script says, whatever was asked.
pub(super) fn scripted(status: u16, body: Option<&Value>, retry_after: Option<&str>) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    retry(with_body(status, body), retry_after)
}

fn with_body(status: StatusCode, body: Option<&Value>) -> Answer {
    match body {
        None => Answer::empty(status),
        Some(Value::String(text)) => {
            let kind = if text.starts_with('<') {
                "text/html"
            } else {
                "text/plain"
            };
            Answer::bytes(status, text.clone()).with("content-type", kind)
        }
        Some(body) => Answer::json(status, body),
    }
}

fn retry(answer: Answer, after: Option<&str>) -> Answer {
    match after {
        Some(text) => answer.with("retry-after", text),
        None => answer,
    }
}

/// Changes the row that a request addresses; a request that addresses none is left alone.
fn human_edit(dataverse: &Dataverse, request: &Request, changes: Option<&Map<String, Value>>) {
    let resource = relative(&request.path).and_then(Resource::parse);
    let Ok(Resource::Row(set, locator)) = resource else {
        return;
    };
    let id = {
        let store = dataverse.store();
        let Some(table) = store.position(&set) else { return };
        let rows = store.rows(table);
        let target = locator.resolve(rows).ok();
        target.and_then(|target| write::find(rows, &target).map(|row| row.id))
    };
    let changes = changes
        .cloned()
        .unwrap_or_else(|| object(json!({ "telephone1": "+4700000000" })));
    if let Some(id) = id {
        dataverse.edit_as_human(&set, id, &changes).ok();
    }
}
