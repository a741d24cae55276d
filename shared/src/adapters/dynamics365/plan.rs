//! What a change comes to: which operations, in which order.
//!
//! A row's state is written apart from its fields, and a row that is not in use is brought back first: the system
//! takes no change of one that is not. What belongs together is one change set, so that all of it happens or none.

use http::Method;
use serde_json::{Map, Value as Json};

use super::batch::{Operation, Unit};
use super::key;
use super::map;
use super::table::{self, OnDelete, Table};
use crate::adapter::{Change, ChangeAction, Error, ErrorKind, Made, Result, Target};
use crate::model::{Fields, Value};

/// What is to be done for a change.
pub(super) enum Step {
    /// Nothing: it is so already, or configuration says to leave it.
    Settled(Made),
    /// This.
    Ask(Plan),
}

/// What is asked of the system for one change.
pub(super) struct Plan {
    pub(super) unit: Unit,
    pub(super) row: Row,
    /// Whether the row is in use afterwards.
    pub(super) active: bool,
    /// Whether the row is gone afterwards, so that one which is gone already is as good as done.
    pub(super) removes: bool,
}

/// On what condition an operation is carried out.
#[derive(Debug, Clone)]
enum Condition {
    /// There is a row, of this version; `*` is any.
    Is(String),
    /// There is none.
    IsNot,
}

/// How the row of a change is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Row {
    Id(Box<str>),
    Key(Box<str>),
}

/// Writes the operations of one table.
pub(super) struct Planner<'a> {
    pub(super) table: &'a Table,
    pub(super) tag: Option<&'a str>,
    /// The path of the Web API's root.
    pub(super) root: &'a str,
}

impl Planner<'_> {
    /// Says what a change comes to.
    ///
    /// # Errors
    ///
    /// `Rejected` with the field where a value cannot be written; `Unsupported` for a new row without an alternate
    /// key; `NotFound` where an unknown row is to be taken out of use.
    pub(super) fn plan(&self, change: &Change) -> Result<Step> {
        match (&change.action, &change.target) {
            (ChangeAction::Write { fields, changed }, Some(target)) => self.update(target, fields, *changed),
            (ChangeAction::Write { fields, changed }, None) => {
                self.create(change.key.as_str(), fields, *changed)
            }
            (ChangeAction::Remove, Some(target)) => self.remove(target),
            (ChangeAction::Remove, None) => Err(Error::new(
                ErrorKind::NotFound,
                "a record without a row cannot be taken out of use",
            )),
        }
    }

    fn update(&self, target: &Target, fields: &Fields, changed: u64) -> Result<Step> {
        let body = self.body(fields, changed)?;
        let wanted = self.wanted(fields, changed).unwrap_or(target.active);
        let row = self.by_id(target)?;
        let writes = !body.is_empty();
        let mut bodies = Vec::new();
        if writes && !target.active {
            bodies.push(state(true));
        }
        if writes {
            bodies.push(body);
        }
        if wanted != (target.active || writes) {
            bodies.push(state(wanted));
        }
        Ok(self
            .patches(&row, Condition::Is(etag(target)?), bodies)
            .map_or_else(
                || Step::Settled(as_it_was(target)),
                |unit| {
                    Step::Ask(Plan {
                        unit,
                        row: Row::Id(target.id.clone()),
                        active: wanted,
                        removes: false,
                    })
                },
            ))
    }

    /// Without a key, a lost answer would leave a second row behind when the change is pushed again.
    fn create(&self, key: &str, fields: &Fields, changed: u64) -> Result<Step> {
        let Some(column) = &self.table.alternate_key else {
            let message = "new rows are made by an alternate key only: set `alternateKey`";
            return Err(Error::new(ErrorKind::Unsupported, message));
        };
        let literal =
            key::literal(key).map_err(|reason| Error::new(ErrorKind::Rejected, reason).at_field("id"))?;
        let row = format!("{}({column}={literal})", self.table.entity_set);
        let wanted = self.wanted(fields, changed).unwrap_or(true);
        let body = self.body(fields, changed)?;
        let last = (!wanted).then(|| state(false));
        let bodies = [Some(body), last].into_iter().flatten().collect();
        let unit = self.patches(&row, Condition::IsNot, bodies);
        let unit = unit.ok_or_else(|| Error::new(ErrorKind::Unsupported, "there is nothing to write"))?;
        Ok(Step::Ask(Plan {
            unit,
            row: Row::Key(key.into()),
            active: wanted,
            removes: false,
        }))
    }

    /// Returns what asks for the id of the row that has a key.
    pub(super) fn look_up(&self, key: &str) -> Option<Unit> {
        let column = self.table.alternate_key.as_deref()?;
        let (set, literal) = (&self.table.entity_set, key::literal(key).ok()?);
        let select = &self.table.primary_key;
        Some(Unit::One(Operation {
            method: Method::GET,
            path: format!("{}{set}({column}={literal})?$select={select}", self.root),
            headers: Vec::new(),
            body: None,
        }))
    }

    fn remove(&self, target: &Target) -> Result<Step> {
        let row = self.by_id(target)?;
        let unit = match self.table.on_delete {
            OnDelete::Ignore => return Ok(Step::Settled(as_it_was(target))),
            OnDelete::Deactivate if !target.active => return Ok(Step::Settled(as_it_was(target))),
            OnDelete::Deactivate => self.patches(&row, Condition::Is(etag(target)?), vec![state(false)]),
            OnDelete::Delete => Some(Unit::One(self.operation(
                Method::DELETE,
                &row,
                Some(Condition::Is(etag(target)?)),
                None,
            ))),
        };
        Ok(unit.map_or_else(
            || Step::Settled(as_it_was(target)),
            |unit| {
                let removes = self.table.on_delete == OnDelete::Delete;
                Step::Ask(Plan {
                    unit,
                    row: Row::Id(target.id.clone()),
                    active: false,
                    removes,
                })
            },
        ))
    }

    fn by_id(&self, target: &Target) -> Result<String> {
        match map::guid(&target.id) {
            Some(id) => Ok(format!("{}({id})", self.table.entity_set)),
            None => Err(Error::new(
                ErrorKind::Rejected,
                "the link does not hold the id of a row",
            )),
        }
    }

    fn body(&self, fields: &Fields, changed: u64) -> Result<Map<String, Json>> {
        let mut body = Map::new();
        for column in self
            .table
            .columns
            .iter()
            .filter(|column| changed >> column.position & 1 == 1)
        {
            let written = map::write(column, fields.at(column.position), &mut body);
            written.map_err(|reason| Error::new(ErrorKind::Rejected, reason).at_field(column.field.name))?;
        }
        Ok(body)
    }

    /// Returns whether the change says that the row is to be in use, or is not to be.
    fn wanted(&self, fields: &Fields, changed: u64) -> Option<bool> {
        let position = table::active(self.table.kind);
        match fields.at(position) {
            Some(Value::Bool(active)) if self.table.maps_active && changed >> position & 1 == 1 => {
                Some(*active)
            }
            _ => None,
        }
    }

    /// Makes one unit of these bodies: the first on condition, the last with the row as its answer.
    fn patches(&self, row: &str, condition: Condition, bodies: Vec<Map<String, Json>>) -> Option<Unit> {
        let last = bodies.len().checked_sub(1)?;
        let operation = |(position, body): (usize, Map<String, Json>)| {
            let condition = if position == 0 {
                condition.clone()
            } else {
                Condition::Is("*".to_owned())
            };
            let body = Json::Object(body).to_string();
            let mut operation = self.operation(Method::PATCH, row, Some(condition), Some(body));
            if position == last {
                operation
                    .headers
                    .push(("Prefer", "return=representation".to_owned()));
            }
            operation
        };
        Unit::of(bodies.into_iter().enumerate().map(operation).collect())
    }

    fn operation(
        &self,
        method: Method,
        row: &str,
        condition: Option<Condition>,
        body: Option<String>,
    ) -> Operation {
        let select = body.is_some().then(|| format!("$select={}", self.table.echo()));
        let tag = self.tag.map(|tag| format!("tag={tag}"));
        let query = [select, tag].into_iter().flatten().collect::<Vec<_>>().join("&");
        let mark = if query.is_empty() { "" } else { "?" };
        Operation {
            method,
            path: format!("{}{row}{mark}{query}", self.root),
            headers: condition.into_iter().map(Condition::header).collect(),
            body,
        }
    }
}

impl Condition {
    fn header(self) -> (&'static str, String) {
        match self {
            Self::Is(etag) => ("If-Match", etag),
            Self::IsNot => ("If-None-Match", "*".to_owned()),
        }
    }
}

/// Returns the version that the row must have; `*` keeps the system from making a row where there is none.
fn etag(target: &Target) -> Result<String> {
    let etag = target.etag.as_deref().unwrap_or("*");
    if etag.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(etag.to_owned())
    } else {
        Err(Error::new(
            ErrorKind::Rejected,
            "the row's version cannot be sent back: it is not plain text",
        ))
    }
}

fn state(active: bool) -> Map<String, Json> {
    Map::from_iter([("statecode".to_owned(), Json::from(u8::from(!active)))])
}

fn as_it_was(target: &Target) -> Made {
    Made {
        id: target.id.clone(),
        etag: target.etag.clone(),
        active: target.active,
        gone: false,
    }
}
