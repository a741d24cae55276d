//! Next links and delta links: positions in a listing, sealed so that an altered link is refused.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::error::{Outcome, Refusal};
use super::options::Options;

const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\'')
    .add(b'&')
    .add(b'+')
    .add(b'#')
    .add(b'%')
    .add(b'!')
    .add(b'/')
    .add(b':')
    .add(b'?');

/// Says where the next page begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) page: u32,
    pub(crate) size: usize,
    pub(crate) mode: Mode,
}

/// Says what is being listed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Mode {
    /// Rows that match a query, after this one.
    List { after: Uuid, keys: Vec<Value> },
    /// All rows, with changes since `since` to follow.
    Baseline { after: Uuid, since: Bookmark },
    /// Changes after `from`, of which those up to `done` have been listed.
    Delta {
        from: Bookmark,
        to: Bookmark,
        done: u64,
        deletes: bool,
    },
}

/// Marks a point in a table's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bookmark {
    pub(crate) version: u64,
    /// Whole seconds since the Unix epoch.
    pub(crate) taken_at: i64,
    pub(crate) metadata_version: u32,
}

/// Seals links with a secret that only this server knows.
#[derive(Debug, Clone)]
pub(crate) struct Seal(pub(crate) u64);

impl Seal {
    fn over(&self, parts: &impl std::hash::Hash) -> String {
        let mut hasher = DefaultHasher::new();
        (self.0, parts).hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// Returns the value of `$skiptoken`, escaped.
    pub(crate) fn skip_token(&self, set: &str, options: &Options, position: &Position) -> String {
        let payload = serde_json::to_string(position).expect("positions are plain data");
        let others: Vec<_> = options.lasting().collect();
        let seal = self.over(&(set, others, &payload));
        let cookie = format!("{}.{seal}", URL_SAFE_NO_PAD.encode(payload));
        let tracking = if matches!(position.mode, Mode::List { .. }) {
            "False"
        } else {
            "True"
        };
        let page = position.page;
        escape(&format!(
            "<cookie pagenumber=\"{page}\" pagingcookie=\"{cookie}\" istracking=\"{tracking}\" />"
        ))
    }

    /// Reads a `$skiptoken` back; anything but an unaltered one is refused.
    pub(crate) fn open_skip_token(&self, set: &str, options: &Options, token: &str) -> Outcome<Position> {
        let altered = || Refusal::bad_request("Malformed XML in the Paging Cookie.");
        let (_, cookie) = token.split_once("pagingcookie=\"").ok_or_else(altered)?;
        let (payload, seal) = cookie
            .split_once('"')
            .and_then(|(cookie, _)| cookie.split_once('.'))
            .ok_or_else(altered)?;
        let payload = URL_SAFE_NO_PAD
            .decode(payload)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let payload = payload.ok_or_else(altered)?;
        let others: Vec<_> = options.lasting().collect();
        if self.over(&(set, others, &payload)) != seal {
            return Err(altered());
        }
        serde_json::from_str(&payload).map_err(|_| altered())
    }

    /// Returns the value of `$deltatoken`, escaped.
    pub(crate) fn delta_token(&self, set: &str, select: &str, mark: &Bookmark) -> String {
        let at = Timestamp::from_second(mark.taken_at)
            .unwrap_or_default()
            .to_zoned(TimeZone::UTC);
        let date = at.strftime("%m/%d/%Y %H:%M:%S");
        let (version, metadata) = (mark.version, mark.metadata_version);
        let seal = self.over(&(set, version, mark.taken_at, metadata));
        let columns = self.over(&(set, select));
        escape(&format!("{version}!{date}!{metadata}!{columns}!{seal}"))
    }

    /// Reads a `$deltatoken` back; `select` is not compared where only a count is asked for.
    pub(crate) fn open_delta_token(&self, set: &str, select: Option<&str>, token: &str) -> Outcome<Bookmark> {
        let altered = || Refusal::bad_request("The delta token is not valid.");
        let parts: Vec<&str> = token.split('!').collect();
        let [version, date, metadata, columns, seal] = parts[..] else {
            return Err(altered());
        };
        let date = jiff::civil::DateTime::strptime("%m/%d/%Y %H:%M:%S", date).map_err(|_| altered())?;
        let taken_at = date
            .to_zoned(TimeZone::UTC)
            .map_err(|_| altered())?
            .timestamp()
            .as_second();
        let version = version.parse().map_err(|_| altered())?;
        let metadata_version = metadata.parse().map_err(|_| altered())?;
        let other_columns = select.is_some_and(|select| self.over(&(set, select)) != columns);
        if other_columns || self.over(&(set, version, taken_at, metadata_version)) != seal {
            return Err(altered());
        }
        Ok(Bookmark {
            version,
            taken_at,
            metadata_version,
        })
    }
}

/// Escapes a value for a query string the way the Web API's own links do.
pub(crate) fn escape(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}
