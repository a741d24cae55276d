//! How the register behaves.

use serde::Deserialize;

/// Says how the register behaves.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Settings {
    /// How callers sign in.
    pub auth: Auth,
    /// How listings are cut into pages.
    pub paging: Paging,
    /// The most rows of a page, whatever is asked for.
    pub page_cap: usize,
    /// Whether changes can be asked for.
    pub changes: bool,
    /// Whether rows that were deleted stay, and say so.
    pub keeps_deleted: bool,
    /// Whether `If-Match` is wanted of every write to a row.
    pub versions: bool,
    /// Whether a new row is told by its address only.
    pub silent: bool,
    /// Whether several rows may have the same number.
    pub repeats_numbers: bool,
    /// How often callers may ask.
    pub limit: Option<Limit>,
    /// What goes wrong with listings.
    pub quirk: Option<Quirk>,
}

/// How callers sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Auth {
    /// By a key in the header `x-register-key`.
    ApiKey,
    /// By a token that never ends.
    Bearer,
    /// By a name and a password.
    Basic,
    /// By a token of the register's own sign-in.
    Oidc,
}

/// How listings are cut into pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Paging {
    /// Not at all.
    None,
    /// By `page`, from 1, and `size`.
    Page,
    /// By `offset` and `limit`.
    Offset,
    /// By `cursor`, which the page before names.
    Cursor,
    /// By the header `Link`.
    Link,
    /// By a link in the page before.
    NextLink,
}

/// How often callers may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limit {
    /// So many requests.
    pub requests: usize,
    /// In so many seconds.
    pub seconds: i64,
    /// Where the wait is told.
    pub told: Wait,
}

/// Where a wait is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Wait {
    /// In `Retry-After`.
    RetryAfter,
    /// In a header of the register's own.
    Header,
    /// In the body.
    Body,
    /// Nowhere.
    Nowhere,
}

/// What goes wrong with listings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Quirk {
    /// After the last page comes the second one.
    Circles,
    /// Every page is the first.
    FirstPageOnly,
    /// Links lead to another host.
    ForeignLinks,
    /// The last row of each page is the first of the next one too.
    Overlaps,
    /// The second page and all that follow are empty.
    CutShort,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            auth: Auth::ApiKey,
            paging: Paging::Page,
            page_cap: 100,
            changes: true,
            keeps_deleted: true,
            versions: true,
            silent: false,
            repeats_numbers: false,
            limit: None,
            quirk: None,
        }
    }
}
