//! What a request asks for, as far as permissions, limits, and outages tell it apart.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::wire::Request;

/// The path that tokens are asked for at.
pub(super) const TOKEN: &str = "/services/api/oauth2/token";

/// The path that reporting views are below.
pub(super) const VIEWS: &str = "/services/api/x/odata/api/views/";

/// The path that the Transcript API is below.
pub(super) const TRANSCRIPTS: &str = "/services/api/v1/transcripts/";

/// The path of users.
pub(super) const EMPLOYEES: &str = "/services/api/x/users/v2/employees";

/// Names what a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Resource {
    /// A token.
    Token,
    /// A reporting view.
    Reporting,
    /// A list of users.
    UserList,
    /// One user.
    SingleUser,
    /// The transcript of one user.
    Transcripts,
    /// The endpoints before the Transcript API.
    Legacy,
}

impl Resource {
    pub(super) fn of(request: &Request) -> Self {
        let path = request.path.as_str();
        if path == TOKEN {
            return Self::Token;
        }
        if path.starts_with(VIEWS) {
            return Self::Reporting;
        }
        if path.starts_with(TRANSCRIPTS) {
            return Self::Transcripts;
        }
        match path.strip_prefix(EMPLOYEES) {
            None => Self::Legacy,
            Some("")
                if !request
                    .query
                    .as_deref()
                    .unwrap_or_default()
                    .contains("externalId=") =>
            {
                Self::UserList
            }
            Some(_) => Self::SingleUser,
        }
    }

    /// Returns what requests of this kind are counted as.
    pub(super) fn counter(self) -> &'static str {
        match self {
            Self::Token => "cornerstoneToken",
            Self::Reporting => "cornerstoneReporting",
            Self::UserList => "cornerstoneUserList",
            Self::SingleUser => "cornerstoneSingleUser",
            Self::Transcripts => "cornerstoneTranscripts",
            Self::Legacy => "cornerstoneLegacy",
        }
    }

    /// Returns the scope that a token must have for a request.
    pub(super) fn scope(self, request: &Request) -> String {
        match self {
            Self::Token => String::new(),
            Self::Reporting => format!("{}:read", request.path.trim_start_matches(VIEWS)),
            Self::UserList | Self::SingleUser => "employee:read".to_owned(),
            Self::Transcripts if request.method != Method::GET => "transcript:update".to_owned(),
            Self::Legacy if request.path.contains("/LO/") => "training:read".to_owned(),
            Self::Transcripts | Self::Legacy => "transcript:read".to_owned(),
        }
    }
}
