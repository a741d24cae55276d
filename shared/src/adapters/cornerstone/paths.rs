//! Where in a portal things are asked for; each can be set, since some are only named in the documentation, and not shown.
//!
//! Source: csod.dev, "Authentication", "Reporting API" and "Transcript API - Examples"; help.csod.com, "Transcript API".

use crate::settings::Section;

/// The paths that are used, each with a slash before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Paths {
    pub(super) token: String,
    /// Where the reporting views are; the name of one follows.
    pub(super) views: String,
    pub(super) details: String,
    pub(super) assign: String,
    pub(super) register: String,
    pub(super) in_progress: String,
    pub(super) complete: String,
    pub(super) exempt: String,
    pub(super) withdraw: String,
    pub(super) remove: String,
    pub(super) update: String,
}

impl Paths {
    /// Reads the paths that are set; the others are the usual ones.
    pub(super) fn read(section: Option<Section<'_>>) -> Option<Self> {
        let read = |name: &'static str, usual: &str| match &section {
            Some(section) if section.get(name).is_some() => section.text(name, path),
            _ => Some(format!("/services/api/{usual}")),
        };
        let transcripts = |name: &'static str, usual: &str| read(name, &format!("v1/transcripts/{usual}"));
        let (token, views) = (read("token", "oauth2/token"), read("views", "x/odata/api/views"));
        let (details, assign) = (transcripts("details", "details"), transcripts("assign", "assign"));
        let (register, in_progress) = (
            transcripts("register", "register"),
            transcripts("inProgress", "in-progress"),
        );
        let (complete, exempt) = (
            transcripts("complete", "complete"),
            transcripts("exempt", "exempt"),
        );
        let (withdraw, remove) = (
            transcripts("withdraw", "withdraw"),
            transcripts("remove", "remove"),
        );
        let update = transcripts("update", "update");
        if let Some(section) = &section {
            section.finish();
        }
        Some(Self {
            token: token?,
            views: views?,
            details: details?,
            assign: assign?,
            register: register?,
            in_progress: in_progress?,
            complete: complete?,
            exempt: exempt?,
            withdraw: withdraw?,
            remove: remove?,
            update: update?,
        })
    }
}

fn path(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.');
    let odd = text.contains("//") || text.contains("..") || text.ends_with('/');
    match text.starts_with('/') && !odd && text.len() <= 200 && text.bytes().all(plain) {
        true => Ok(text.to_owned()),
        false => Err("must be a path such as /services/api/v1/transcripts/details".to_owned()),
    }
}
