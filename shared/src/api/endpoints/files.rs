//! Files: what is done where a system has no API, or its API is down.

use axum::Json as JsonAnswer;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::adapters;
use crate::api::Problem;
use crate::api::body::Json;
use crate::api::idempotency::Kept;
use crate::api::operation::connected;
use crate::api::place::{AtFile, AtIntegration};
use crate::api::query::{FilesWanted, next};
use crate::api::routes::Integrations;
use crate::api::view::{AnnouncementBody, FileDecisionBody, FileList, FileView};
use crate::export::NoReason;
use crate::flow::files;
use crate::integration;
use crate::registry::Scope;
use crate::transfer::{self, Announcement, FileVerdict, TransferError};

/// How many pages of files one request looks at, where it asks for those of one state.
const PAGES: usize = 10;

/// Lists the files of an integration, the newest first.
#[utoipa::path(get, path = "/files", operation_id = "listFiles", tag = "files",
    params(("state" = Option<String>, Query, description = "How far they are.")),
    responses((status = 200, body = FileList)))]
pub(in crate::api) async fn list_files(
    State(state): State<Integrations>,
    AtIntegration { id, .. }: AtIntegration,
    wanted: FilesWanted,
) -> Result<JsonAnswer<FileList>, Problem> {
    connected(&state.ports, &id).await?;
    let prefix = transfer::files_prefix(&id);
    let mut after = wanted.paging.after(&prefix)?;
    let mut items: Vec<FileView> = Vec::new();
    for _ in 0..PAGES {
        let left = wanted.paging.limit - items.len();
        let (files, place) = transfer::list_files(&*state.ports.store, &id, after, left).await?;
        let files = files
            .into_iter()
            .filter(|file| wanted.state.is_none_or(|state| state == file.state));
        items.extend(files.map(FileView::from));
        after = place;
        if after.is_none() || items.len() >= wanted.paging.limit {
            break;
        }
    }
    Ok(JsonAnswer(FileList {
        items,
        next: next(after, &prefix),
    }))
}

/// Shows a file, with a link to download it where it is ready and the caller may read records.
#[utoipa::path(get, path = "/files/{fileId}", operation_id = "getFile", tag = "files",
    responses((status = 200, body = FileView)))]
pub(in crate::api) async fn get_file(
    State(state): State<Integrations>,
    AtFile { caller, id, file }: AtFile,
) -> Result<JsonAnswer<FileView>, Problem> {
    let found = transfer::read_file(&*state.ports.store, &id, &file).await?;
    let link = match caller.scopes().allow(Scope::RecordRead) {
        true => transfer::download(&*state.objects, &found, state.ports.now()).await?,
        false => None,
    };
    Ok(JsonAnswer(FileView::from(found).downloaded_at(link)))
}

/// Closes a file that still collects rows, and gives a link to download it, which is good for ten minutes.
#[utoipa::path(post, path = "/files/{fileId}/download", operation_id = "downloadFile", tag = "files",
    responses((status = 200, body = FileView)))]
pub(in crate::api) async fn download_file(
    State(state): State<Integrations>,
    AtFile { id, file, .. }: AtFile,
) -> Result<Response, Problem> {
    let found = files::close(&state.ports, &*state.objects, &id, &file).await?;
    let link = transfer::download(&*state.objects, &found, state.ports.now()).await?;
    let without = FileView::from(found.clone());
    let mut answer = JsonAnswer(FileView::from(found).downloaded_at(link)).into_response();
    answer.extensions_mut().insert(Kept::json(&without));
    Ok(answer)
}

/// Announces a file that is to be uploaded, and gives the link to put it, which is good for a quarter of an hour.
#[utoipa::path(post, path = "/files", operation_id = "announceFile", tag = "files",
    request_body = AnnouncementBody, responses((status = 201, body = FileView)))]
pub(in crate::api) async fn announce_file(
    State(state): State<Integrations>,
    AtIntegration { caller, id }: AtIntegration,
    Json(body): Json<AnnouncementBody>,
) -> Result<Response, Problem> {
    let stored = integration::read(&*state.ports.store, &id).await?;
    let integration = stored
        .ok_or_else(|| Problem::unknown_integration(&id))?
        .integration;
    let purpose = body.purpose.parse();
    let purpose = purpose.map_err(|_| {
        let reason = "must be 1 to 64 of a-z, 0-9, '-', '_' and ':'";
        Problem::of_field("purpose", reason)
    })?;
    let profile = adapters::upload_profile(&integration, &purpose, body.profile.as_ref());
    let profile = profile.map_err(|more| {
        let mut faults = transfer::faults(body.bytes, &body.sha256);
        faults.extend(more);
        TransferError::Announcement(faults)
    })?;
    let announcement = Announcement {
        purpose: &purpose,
        profile: &profile,
        complete: body.complete,
        bytes: body.bytes,
        sha256: &body.sha256,
    };
    let (store, now) = (&*state.ports.store, state.ports.now());
    let announced = transfer::announce(store, &*state.objects, &id, &announcement, caller.name(), now);
    let (file, link) = announced.await?;
    // A link is not kept: announce the file anew where the answer was lost.
    let without = FileView::from(file.clone());
    let view = FileView::from(file).put_at(link);
    let mut answer = (StatusCode::CREATED, JsonAnswer(view)).into_response();
    answer.extensions_mut().insert(Kept::json(&without));
    Ok(answer)
}

/// Accepts a file that was uploaded, or says what is wrong with it; the next run takes what was accepted.
#[utoipa::path(post, path = "/files/{fileId}/accept", operation_id = "acceptFile", tag = "files",
    responses((status = 200, body = FileView)))]
pub(in crate::api) async fn accept_file(
    State(state): State<Integrations>,
    AtFile { caller, id, file }: AtFile,
) -> Result<JsonAnswer<FileView>, Problem> {
    let (store, now) = (&*state.ports.store, state.ports.now());
    let accepted = transfer::accept(store, &*state.objects, &id, &file, caller.name(), now).await?;
    Ok(JsonAnswer(accepted.into()))
}

/// Keeps what became of a file: the system has it, or it is not to be used, and its rows go out anew.
#[utoipa::path(post, path = "/files/{fileId}/decision", operation_id = "decideFile", tag = "files",
    request_body = FileDecisionBody, responses((status = 200, body = FileView)))]
pub(in crate::api) async fn decide_file(
    State(state): State<Integrations>,
    AtFile { caller, id, file }: AtFile,
    Json(body): Json<FileDecisionBody>,
) -> Result<JsonAnswer<FileView>, Problem> {
    let reason = body.reason.parse();
    let reason = reason.map_err(|error: NoReason| Problem::of_field("reason", error.to_string()))?;
    let verdict = FileVerdict {
        decision: body.decision,
        reason: &reason,
        by: caller.name(),
        now: state.ports.now(),
    };
    let decided = transfer::decide(&*state.ports.store, &id, &file, &verdict).await?;
    transfer::put_away(&*state.objects, &decided).await;
    Ok(JsonAnswer(decided.into()))
}
