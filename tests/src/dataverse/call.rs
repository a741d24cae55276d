//! One request, read.

use http::Method;

use super::access::ApplicationUser;
use super::address::Resource;
use super::error::{Outcome, Refusal};
use super::options::Options;
use super::preferences::Preferences;
use super::server::Dataverse;
use crate::wire::Request;

/// The versions of the Web API that are served.
const VERSIONS: [&str; 3] = ["v9.0", "v9.1", "v9.2"];

/// Holds a request with everything that was read from it.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(super) request: &'a Request,
    pub(super) user: &'a ApplicationUser,
    /// The address up to and including the version.
    pub(super) root: String,
    pub(super) preferences: Preferences,
    pub(super) options: Options,
    /// Whole seconds since the Unix epoch.
    pub(super) now: i64,
    /// The store's version when the request came.
    pub(super) version: u64,
}

impl Dataverse {
    pub(super) fn call<'a>(&self, request: &'a Request, user: &'a ApplicationUser) -> Outcome<Call<'a>> {
        let version = self.store().version();
        self.call_at(request, user, version)
    }

    /// Reads a request without touching the store, for callers that hold its lock.
    pub(super) fn call_at<'a>(
        &self,
        request: &'a Request,
        user: &'a ApplicationUser,
        store_version: u64,
    ) -> Outcome<Call<'a>> {
        let version = request
            .path
            .trim_start_matches("/api/data/")
            .split('/')
            .next()
            .unwrap_or_default();
        Ok(Call {
            request,
            user,
            root: format!("{}/api/data/{version}", self.base_url),
            preferences: Preferences::read(&request.headers),
            options: Options::parse(request.query.as_deref())?,
            now: self.clock.now().as_second(),
            version: store_version,
        })
    }
}

/// Returns a path below `/api/data/v9.x/`.
pub(super) fn relative(path: &str) -> Outcome<&str> {
    let rest = path.strip_prefix("/api/data/").unwrap_or_default();
    let (version, rest) = rest.split_once('/').unwrap_or((rest, ""));
    if VERSIONS.contains(&version) {
        return Ok(rest);
    }
    Err(Refusal::unknown_segment(version))
}

/// Names what is asked for, for the counters.
pub(super) fn kind(call: &Call<'_>, resource: &Resource) -> &'static str {
    match (resource, &call.request.method) {
        (Resource::WhoAmI, _) => "whoAmI",
        (Resource::Batch, _) => "batch",
        (Resource::ServiceDocument | Resource::Definitions(..), _) => "metadata",
        (Resource::Count(_), _) => "count",
        (Resource::Action(..), _) => "bulk",
        (_, &Method::POST) => "create",
        (_, &Method::PATCH) => "upsert",
        (_, &Method::DELETE) => "delete",
        (Resource::Row(..), _) => "single",
        (Resource::Collection(_), _) if call.options.get("$skiptoken").is_some() => "nextPage",
        (Resource::Collection(_), _) if call.options.get("$deltatoken").is_some() => "delta",
        (Resource::Collection(_), _) => "list",
    }
}
