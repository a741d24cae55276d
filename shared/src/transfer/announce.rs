//! Announcing a file that comes in, and a link to put it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::TransferError;
use super::close::folder;
use super::file::{Announced, File, FileDirection, FileState};
use crate::csv::Profile;
use crate::integration::audit;
use crate::model::{FieldError, FilePurpose, IntegrationId};
use crate::objects::{self, LONGEST_LINK, Link, MAX_BYTES, Objects};
use crate::store::Store;

/// How long a link to download is valid: enough to begin.
const DOWNLOAD: Duration = Duration::from_secs(10 * 60);

/// The most bytes of a profile, as JSON.
const MAX_PROFILE: usize = 100 << 10;

/// What somebody says of a file before it is there.
#[derive(Debug, Clone, Copy)]
pub struct Announcement<'a> {
    /// What its rows are for.
    pub purpose: &'a FilePurpose,
    /// The profile that it is written by.
    pub profile: &'a Value,
    /// Whether it holds all that there is, so that what is not in it is gone.
    pub complete: bool,
    /// How long it is.
    pub bytes: u64,
    /// Its SHA-256, in hex.
    pub sha256: &'a str,
}

/// Announces a file; returns it with a link to put it, which takes this file alone.
///
/// # Errors
///
/// `Announcement`, with every fault; `Store`, `Objects`.
pub async fn announce(
    store: &dyn Store,
    objects: &dyn Objects,
    integration: &IntegrationId,
    announcement: &Announcement<'_>,
    by: &str,
    now: Timestamp,
) -> Result<(File, Link), TransferError> {
    let profile = check(announcement).map_err(TransferError::Announcement)?;
    let mut file = File::new(FileDirection::In, announcement.purpose, FileState::Announced, now);
    let key = format!("{}/upload.csv", folder(integration, &file.id));
    file.content_type = Some(profile.content_type());
    file.name = Some("upload.csv".to_owned());
    file.bytes = announcement.bytes;
    file.sha256 = Some(announcement.sha256.to_ascii_lowercase());
    file.opened_by = Some(by.into());
    file.announced = Some(Announced {
        profile: announcement.profile.clone(),
        complete: announcement.complete,
        refused_rows: 0,
    });
    let upload = objects::Upload {
        bytes: file.bytes,
        sha256: announcement.sha256,
        content_type: &profile.content_type(),
    };
    let link = objects.link_to_put(&key, &upload, LONGEST_LINK, now).await?;
    file.object = Some(key);
    let mut writes = file.writes(integration, None, None);
    let parts = [file.id.as_str(), file.purpose.as_str()];
    writes.push(audit::write(integration, by, "announce_file", &parts, now));
    store.write(writes).await?;
    Ok((file, link))
}

/// Returns what is wrong with what is said of the bytes of a file.
#[must_use]
pub fn faults(bytes: u64, sha256: &str) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let mut hold = |field: &str, holds: bool, reason: String| {
        if !holds {
            faults.push(FieldError::new(field, reason));
        }
    };
    let sizes = 1..=MAX_BYTES;
    hold(
        "bytes",
        sizes.contains(&bytes),
        format!("must be from 1 to {MAX_BYTES}"),
    );
    let digits = sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
    hold(
        "sha256",
        digits && sha256.len() == 64,
        "must be 64 hexadecimal digits".to_owned(),
    );
    faults
}

fn check(announcement: &Announcement<'_>) -> Result<Profile, Vec<FieldError>> {
    let mut faults = faults(announcement.bytes, announcement.sha256);
    if announcement.profile.to_string().len() > MAX_PROFILE {
        let reason = format!("must be at most {MAX_PROFILE} bytes");
        faults.push(FieldError::new("profile", reason));
    }
    match Profile::check(announcement.profile) {
        Ok(profile) if faults.is_empty() => Ok(profile),
        Ok(_) => Err(faults),
        Err(more) => Err(faults.into_iter().chain(more).collect()),
    }
}

/// Makes a link to download a file that goes out; none while it is not rendered, or once it is not to be used.
///
/// # Errors
///
/// Those of the objects.
pub async fn download(
    objects: &dyn Objects,
    file: &File,
    now: Timestamp,
) -> Result<Option<Link>, TransferError> {
    let is_there = matches!(file.state, FileState::Ready | FileState::Imported);
    match (&file.object, &file.name) {
        (Some(key), Some(name)) if is_there => {
            let link = objects.link_to_get(key, name, DOWNLOAD, now).await?;
            Ok(Some(link))
        }
        _ => Ok(None),
    }
}
