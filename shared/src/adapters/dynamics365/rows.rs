//! Rows, read straight from the bytes of a page: no value is built that is not kept.
//!
//! The columns of one row come in the same order as those of the row before, so the place of each is found by
//! comparing one name.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::draft::Draft;
use super::map::Cell;
use super::table::Table;
use crate::adapter::Item;

/// What a property of a row is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Id,
    Key,
    Etag,
    State,
    ModifiedOn,
    ModifiedBy,
    Merged,
    Master,
    Context,
    DeletedId,
    Column(usize),
    Unknown,
}

/// Reads the rows of one table.
#[derive(Debug)]
pub(super) struct Rows<'t> {
    pub(super) table: &'t Table,
    /// The id of the user that this service is, where it is known.
    pub(super) user: Option<&'t str>,
    /// The properties of the last row, in their order.
    seen: Vec<(Box<str>, Slot)>,
    /// The mapped columns that some row lacks, a bit for each.
    pub(super) lacking: u64,
}

impl<'t> Rows<'t> {
    pub(super) const fn new(table: &'t Table, user: Option<&'t str>) -> Self {
        Self {
            table,
            user,
            seen: Vec::new(),
            lacking: 0,
        }
    }

    fn slot(&mut self, nth: usize, name: &str) -> Slot {
        match self.seen.get(nth) {
            Some((seen, slot)) if **seen == *name => *slot,
            _ => self.learn(nth, name),
        }
    }

    fn learn(&mut self, nth: usize, name: &str) -> Slot {
        let slot = slot(self.table, name);
        self.seen.truncate(nth);
        self.seen.push((name.into(), slot));
        slot
    }
}

fn slot(table: &Table, name: &str) -> Slot {
    match name {
        "@odata.etag" => Slot::Etag,
        "@odata.context" => Slot::Context,
        "id" => Slot::DeletedId,
        "statecode" => Slot::State,
        "modifiedon" => Slot::ModifiedOn,
        "_modifiedby_value" => Slot::ModifiedBy,
        "merged" => Slot::Merged,
        "_masterid_value" => Slot::Master,
        name if name == table.primary_key => Slot::Id,
        name if Some(name) == table.alternate_key.as_deref() => Slot::Key,
        name => {
            let position = table.columns.iter().position(|column| column.name == name);
            position.map_or(Slot::Unknown, Slot::Column)
        }
    }
}

/// Reads the list of rows.
impl<'de> DeserializeSeed<'de> for &mut Rows<'_> {
    type Value = Vec<Item>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Item>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for &mut Rows<'_> {
    type Value = Vec<Item>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Item>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(Row(self))? {
            items.push(item);
        }
        Ok(items)
    }
}

/// Reads one row.
pub(super) struct Row<'r, 't>(pub(super) &'r mut Rows<'t>);

impl<'de> DeserializeSeed<'de> for Row<'_, '_> {
    type Value = Item;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Item, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_, '_> {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item, A::Error> {
        let mut draft = Draft::new(self.0.table);
        let mut nth = 0;
        while let Some(slot) = map.next_key_seed(Name { rows: self.0, nth })? {
            nth += 1;
            match slot {
                Slot::Unknown => drop(map.next_value::<IgnoredAny>()?),
                slot => draft.put(slot, map.next_value_seed(AnyCell)?),
            }
        }
        let item = draft
            .finish(self.0)
            .ok_or_else(|| A::Error::custom("a row has no id"))?;
        Ok(item)
    }
}

/// Finds what a property is for, without keeping its name.
struct Name<'r, 't> {
    rows: &'r mut Rows<'t>,
    nth: usize,
}

impl<'de> DeserializeSeed<'de> for Name<'_, '_> {
    type Value = Slot;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Slot, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_, '_> {
    type Value = Slot;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a property")
    }

    fn visit_str<E>(self, name: &str) -> Result<Slot, E> {
        Ok(self.rows.slot(self.nth, name))
    }
}

/// Reads what stands in a column, borrowing text from the page.
struct AnyCell;

impl<'de> DeserializeSeed<'de> for AnyCell {
    type Value = Cell<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cell<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyCell {
    type Value = Cell<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Cell<'de>, E> {
        Ok(Cell::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Cell<'de>, E> {
        Ok(Cell::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Cell<'de>, E> {
        Ok(Cell::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Cell<'de>, E> {
        Ok(i64::try_from(number).map_or(Cell::Other, Cell::Whole))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Cell<'de>, E> {
        Ok(Cell::Other)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cell<'de>, E> {
        Ok(Cell::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cell<'de>, E> {
        Ok(Cell::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Cell<'de>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Cell::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cell::Other)
    }
}
