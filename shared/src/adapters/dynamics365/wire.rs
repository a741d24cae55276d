//! The Web API's JSON, and nothing more.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, de::DeserializeSeed};

use super::rows::{Row, Rows};
use crate::adapter::Item;

/// One page of a listing.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// The rows; `None` where the member is missing.
    pub(super) items: Option<Vec<Item>>,
    pub(super) next: Option<String>,
    pub(super) delta: Option<String>,
    /// An error that came with status 200.
    pub(super) error: Option<ErrorBody>,
}

/// Why bytes are not what they should be, without any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misread {
    /// They end before their end.
    CutShort,
    /// They are not JSON, or more than one text of it.
    NotJson,
    /// They are JSON of another shape.
    Shape,
}

impl Misread {
    /// Passes over serde's own message: it repeats what it read.
    fn from_error(error: &serde_json::Error) -> Self {
        match error.classify() {
            serde_json::error::Category::Eof => Self::CutShort,
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => Self::NotJson,
            serde_json::error::Category::Data => Self::Shape,
        }
    }
}

/// Reads one page.
pub(super) fn page(bytes: &[u8], rows: &mut Rows<'_>) -> Result<Page, Misread> {
    whole(bytes, PageSeed(rows))
}

/// Reads one row.
pub(super) fn row(bytes: &[u8], rows: &mut Rows<'_>) -> Result<Item, Misread> {
    whole(bytes, Row(rows))
}

/// Reads a short answer.
pub(super) fn short<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Misread> {
    serde_json::from_slice(without_mark(bytes)).map_err(|error| Misread::from_error(&error))
}

fn whole<'de, S: DeserializeSeed<'de>>(bytes: &'de [u8], seed: S) -> Result<S::Value, Misread> {
    let mut deserializer = serde_json::Deserializer::from_slice(without_mark(bytes));
    let read = seed.deserialize(&mut deserializer);
    let read = read.and_then(|read| deserializer.end().map(|()| read));
    read.map_err(|error| Misread::from_error(&error))
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

struct PageSeed<'r, 't>(&'r mut Rows<'t>);

impl<'de> DeserializeSeed<'de> for PageSeed<'_, '_> {
    type Value = Page;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Page, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PageSeed<'_, '_> {
    type Value = Page;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page of rows")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Page, A::Error> {
        let mut page = Page::default();
        while let Some(member) = map.next_key::<Member>()? {
            match member {
                Member::Value => page.items = Some(map.next_value_seed(&mut *self.0)?),
                Member::NextLink => page.next = map.next_value()?,
                Member::DeltaLink => page.delta = map.next_value()?,
                Member::Error => page.error = Some(map.next_value()?),
                Member::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(page)
    }
}

#[derive(Deserialize)]
enum Member {
    #[serde(rename = "value")]
    Value,
    #[serde(rename = "@odata.nextLink")]
    NextLink,
    #[serde(rename = "@odata.deltaLink")]
    DeltaLink,
    #[serde(rename = "error")]
    Error,
    #[serde(other)]
    Other,
}

/// An error as the Web API words it.
///
/// # Shape
///
/// `{"error":{"code":"0x80040265","message":"…"}}`; the code may be empty.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorEnvelope {
    pub(super) error: ErrorBody,
}

/// What [`ErrorEnvelope`] holds; the message is looked at for names of ours, and never shown.
#[derive(Deserialize)]
pub(super) struct ErrorBody {
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: String,
}

impl fmt::Debug for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorBody").finish_non_exhaustive()
    }
}

/// The answer of `WhoAmI`.
#[derive(Debug, Deserialize)]
pub(super) struct WhoAmI {
    #[serde(rename = "UserId")]
    pub(super) user_id: String,
}

/// The answer of `EntityDefinitions(LogicalName='…')`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EntityDefinition {
    #[serde(default)]
    pub(super) entity_set_name: Option<String>,
    #[serde(default)]
    pub(super) primary_id_attribute: Option<String>,
    #[serde(default)]
    pub(super) change_tracking_enabled: Option<bool>,
}

/// An alternate key of a table.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyDefinition {
    pub(super) key_attributes: Vec<String>,
    #[serde(default)]
    pub(super) entity_key_index_status: Option<String>,
}

/// A list of metadata.
#[derive(Debug, Deserialize)]
pub(super) struct Definitions<T> {
    pub(super) value: Vec<T>,
}

/// A column of a table.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AttributeDefinition {
    pub(super) logical_name: String,
    #[serde(default)]
    pub(super) attribute_type: Option<String>,
    #[serde(default)]
    pub(super) max_length: Option<u64>,
}
