//! A system that exists only here: it keeps rows, tells changes, refuses stale writes, and breaks when the dice say so.

mod files;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use shared::adapter::{
    Adapter, Capability, Change, ChangeAction, Cursor, Error, ErrorKind, ExternalRecord, Finding, Found,
    From, Item, KindCapability, Made, Next, Outcome, Pulled, Pushed, References, Result, Subscribed,
    Subscription, Usage,
};
use shared::clock::Clock;
use shared::model::{Fields, Kind, RecordId, System, Value};

use crate::dice::Dice;

const PAGE: usize = 7;

#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) fields: Fields,
    pub(crate) key: Option<Box<str>>,
    version: u64,
    modified_at: Timestamp,
    ours: bool,
}

#[derive(Debug, Default)]
struct Tables {
    rows: BTreeMap<(Kind, Box<str>), Row>,
    gone: BTreeMap<(Kind, Box<str>), u64>,
    /// Changes in files that nobody has imported yet.
    filed: BTreeMap<(Kind, RecordId), Change>,
    version: u64,
    born: u64,
}

/// The system, and the adapter that reaches it.
#[derive(Debug)]
pub(crate) struct ModelSystem {
    tables: Mutex<Tables>,
    clock: Arc<dyn Clock>,
    dice: Arc<Dice>,
    /// Whether some changes go by files, and some listings are not complete.
    by_files: bool,
}

/// Says whether nothing ever refers to a member, so that it may be deleted without leaving a reference to nothing.
pub(crate) fn is_single(id: &str) -> bool {
    let made_there = id.starts_with("member-guid-") || id.starts_with("x-member-");
    made_there && id.ends_with(['1', '3', '5', '7', '9'])
}

impl ModelSystem {
    pub(crate) fn new(clock: Arc<dyn Clock>, dice: Arc<Dice>) -> Self {
        let by_files = dice.one_in(2);
        Self {
            tables: Mutex::default(),
            clock,
            dice,
            by_files,
        }
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn rows(&self, kind: Kind) -> BTreeMap<Box<str>, Row> {
        let tables = self.tables();
        tables
            .rows
            .iter()
            .filter(|((of, _), _)| *of == kind)
            .map(|((_, id), row)| (id.clone(), row.clone()))
            .collect()
    }

    /// Somebody changes something in the portal; returns which row.
    pub(crate) fn human(&self) -> Option<(Kind, Box<str>)> {
        let kind = if self.dice.one_in(4) {
            Kind::Membership
        } else {
            Kind::Member
        };
        let now = self.clock.now();
        let members = self.rows(Kind::Member).into_keys().filter(|id| !is_single(id));
        let members: Vec<Box<str>> = members.collect();
        let ids: Vec<Box<str>> = self.rows(kind).into_keys().collect();
        let mut tables = self.tables();
        match self.dice.below(10) {
            0..4 if kind == Kind::Member || !members.is_empty() => {
                let born = tables.born;
                tables.born += 1;
                let key = self
                    .dice
                    .one_in(2)
                    .then(|| format!("x-{kind}-{born}").into_boxed_str());
                let id = format!("{kind}-guid-{born}").into_boxed_str();
                let fields = self.fields(kind, &members);
                tables.put(
                    kind,
                    id.clone(),
                    Row {
                        fields,
                        key,
                        version: 0,
                        modified_at: now,
                        ours: false,
                    },
                );
                Some((kind, id))
            }
            4..9 if !ids.is_empty() => {
                let id = ids[self.dice.below(ids.len())].clone();
                if let Some(mut row) = tables.rows.get(&(kind, id.clone())).cloned() {
                    self.edit(&mut row.fields);
                    (row.modified_at, row.ours) = (now, false);
                    tables.put(kind, id.clone(), row);
                }
                Some((kind, id))
            }
            9 => {
                let id = ids
                    .get(self.dice.below(ids.len().max(1)))
                    .filter(|id| kind == Kind::Membership || is_single(id));
                if let Some(id) = id {
                    tables.remove(kind, id.clone());
                }
                Some((kind, id?.clone()))
            }
            _ => None,
        }
    }

    fn fields(&self, kind: Kind, members: &[Box<str>]) -> Fields {
        let mut fields = Fields::new(kind);
        match kind {
            Kind::Member => fields.set(2, Some(Value::Text(self.dice.word("name")))),
            Kind::Membership => fields.set(
                0,
                Some(Value::Text(members[self.dice.below(members.len())].clone())),
            ),
            Kind::CourseEnrollment => {
                let member = members[self.dice.below(members.len())].clone();
                fields.set(0, Some(Value::Text(member)));
                fields.set(1, Some(Value::Text(self.dice.word("course"))));
            }
        }
        fields
    }

    pub(crate) fn edit(&self, fields: &mut Fields) {
        let positions: &[usize] = match fields.kind() {
            Kind::Member => &[0, 2, 5, 8],
            Kind::Membership => &[1, 2],
            Kind::CourseEnrollment => &[2, 9],
        };
        // Now and then what it was before.
        let value = match self.dice.below(6) {
            old @ 0..2 => format!("value {old}").into(),
            _ => self.dice.word("value"),
        };
        let position = positions[self.dice.below(positions.len())];
        fields.set(position, Some(Value::Text(value)));
    }

    /// Breaks before anything has happened.
    fn break_before(&self) -> Result<()> {
        if self.dice.fault(40) {
            let until = self.clock.now() + std::time::Duration::from_secs(30);
            return Err(Error::new(ErrorKind::RateLimited { until }, "too many requests"));
        }
        if self.dice.fault(25) {
            return Err(Error::new(ErrorKind::Unavailable, "down"));
        }
        if self.dice.fault(3) {
            self.human();
        }
        Ok(())
    }

    fn break_after(&self) -> Result<()> {
        if self.dice.fault(25) {
            Err(Error::new(ErrorKind::Unknown, "no answer"))
        } else {
            Ok(())
        }
    }

    fn push_one(&self, kind: Kind, change: &Change) -> Result<Made> {
        let mut tables = self.tables();
        let by_key = || {
            tables
                .rows
                .iter()
                .find(|((of, _), row)| *of == kind && row.key.as_deref() == Some(change.key.as_str()))
        };
        let id = match &change.target {
            Some(target) => target.id.clone(),
            None => match by_key() {
                Some(((_, id), _)) => {
                    let error = Error::new(ErrorKind::Conflict, "a row has this key already");
                    return Err(error.with("row", id));
                }
                None => format!("{kind}-made-{}", change.key).into(),
            },
        };
        let before = tables.rows.get(&(kind, id.clone())).cloned();
        if let Some(target) = &change.target {
            let Some(row) = &before else {
                return Err(Error::new(ErrorKind::NotFound, "no such row"));
            };
            if target.etag.as_deref() != Some(&*row.version.to_string()) {
                return Err(Error::new(ErrorKind::Conflict, "changed meanwhile"));
            }
        }
        match &change.action {
            ChangeAction::Remove => {
                tables.remove(kind, id.clone());
                Ok(Made {
                    id,
                    etag: None,
                    active: false,
                    gone: true,
                })
            }
            ChangeAction::Write { fields, changed } => {
                let key = Some(change.key.as_str().into());
                let modified_at = self.clock.now();
                let mut row = before.unwrap_or(Row {
                    fields: Fields::new(kind),
                    key,
                    version: 0,
                    modified_at,
                    ours: true,
                });
                row.fields.take(fields, *changed);
                (row.modified_at, row.ours) = (modified_at, true);
                let version = tables.put(kind, id.clone(), row);
                Ok(Made {
                    id,
                    etag: Some(version.to_string().into()),
                    active: true,
                    gone: false,
                })
            }
        }
    }
}

impl Tables {
    fn put(&mut self, kind: Kind, id: Box<str>, mut row: Row) -> u64 {
        self.version += 1;
        row.version = self.version;
        self.gone.remove(&(kind, id.clone()));
        self.rows.insert((kind, id), row);
        self.version
    }

    fn remove(&mut self, kind: Kind, id: Box<str>) {
        self.version += 1;
        self.rows.remove(&(kind, id.clone()));
        self.gone.insert((kind, id), self.version);
    }

    fn item(&self, kind: Kind, id: &str) -> Option<Item> {
        let row = self.rows.get(&(kind, id.into()))?;
        Some(Item::Row(ExternalRecord {
            id: id.into(),
            etag: Some(row.version.to_string().into()),
            key: row.key.clone(),
            fields: row.fields.clone(),
            told: u64::MAX,
            modified_at: Some(row.modified_at),
            ours: row.ours,
            active: true,
        }))
    }

    /// Rows after `after`, read as they are now; what changes behind the reader is told by the next delta.
    fn listing(&self, kind: Kind, after: &str, since: u64) -> Pulled {
        let ids: Vec<&str> = self
            .rows
            .keys()
            .filter(|(of, id)| *of == kind && &**id > after)
            .map(|(_, id)| &**id)
            .collect();
        let items = ids
            .iter()
            .take(PAGE)
            .filter_map(|id| self.item(kind, id))
            .collect();
        let next = match ids.get(PAGE - 1) {
            Some(last) if ids.len() > PAGE => Next::Page(Cursor(format!("list/{since}/{last}"))),
            _ => Next::End(Cursor(format!("since/{since}"))),
        };
        Pulled {
            items,
            next,
            warnings: Vec::new(),
        }
    }

    /// What changed in `(since, upto]`: rows first, then deletions; what changed again later is told later.
    ///
    /// A page goes on after what the last one ended with, so that a row which leaves the window shifts no other.
    fn delta(&self, kind: Kind, since: u64, upto: u64, after: (bool, u64)) -> Pulled {
        let within = |version: u64| version > since && version <= upto;
        let rows = self
            .rows
            .iter()
            .map(|((of, id), row)| (*of, &**id, (false, row.version)));
        let gone = self
            .gone
            .iter()
            .map(|((of, id), version)| (*of, &**id, (true, *version)));
        let wanted =
            |(of, _, place): &(Kind, &str, (bool, u64))| *of == kind && within(place.1) && *place > after;
        let mut told: Vec<_> = rows.chain(gone).filter(wanted).collect();
        told.sort_by_key(|(_, _, place)| *place);
        let next = match told.get(PAGE - 1) {
            Some((_, _, (gone, version))) if told.len() > PAGE => Next::Page(Cursor(format!(
                "delta/{since}/{upto}/{}/{version}",
                u8::from(*gone)
            ))),
            _ => Next::End(Cursor(format!("since/{upto}"))),
        };
        let item = |(_, id, (gone, _)): (Kind, &str, (bool, u64))| {
            if gone {
                Some(Item::Deleted {
                    id: id.into(),
                    merged_into: None,
                })
            } else {
                self.item(kind, id)
            }
        };
        Pulled {
            items: told.into_iter().take(PAGE).filter_map(item).collect(),
            next,
            warnings: Vec::new(),
        }
    }
}

#[async_trait]
impl Adapter for ModelSystem {
    fn system(&self) -> System {
        System::Dynamics365
    }

    fn capability(&self) -> Capability {
        let of = |kind: &Kind| KindCapability {
            kind: *kind,
            mapped: u64::MAX,
            tracks_changes: true,
            pushes: true,
            references: References::ByLink,
            lag: Duration::ZERO,
        };
        Capability {
            kinds: Kind::ALL.iter().map(of).collect(),
            push_batch: 5,
            find_batch: 4,
            pushes_unread: self.by_files,
        }
    }

    fn usable(&self) -> Result<()> {
        Ok(())
    }

    fn take_usage(&self) -> Usage {
        Usage {
            requests: 1,
            bytes_received: 1,
        }
    }

    async fn probe(&self) -> Vec<Finding> {
        Vec::new()
    }

    async fn pull(&self, kind: Kind, from: &From) -> Result<Pulled> {
        self.dice.point().await;
        self.break_before()?;
        if matches!(from, From::Since(_)) && self.dice.fault(40) {
            return Err(Error::new(ErrorKind::CursorExpired, "too old"));
        }
        let tables = self.tables();
        let parts: Vec<&str> = match from {
            From::Start => vec!["list", "now", ""],
            From::Since(cursor) | From::Page(cursor) => cursor.0.split('/').collect(),
        };
        let number = |position: usize| parts[position].parse().unwrap_or(tables.version);
        let mut pulled = match parts[0] {
            "list" => tables.listing(kind, parts[2], number(1)),
            "since" => tables.delta(kind, number(1), tables.version, (false, 0)),
            _ => tables.delta(kind, number(1), number(2), (parts[3] == "1", number(4))),
        };
        if matches!(pulled.next, Next::End(_)) && self.by_files && self.dice.fault(4) {
            // All of it is told once more.
            pulled.next = Next::Enough(Cursor::none());
        }
        Ok(pulled)
    }

    async fn acknowledge(&self, _: Kind, _: &Cursor) -> Result<()> {
        Ok(())
    }

    async fn push(&self, kind: Kind, changes: &[Change]) -> Result<Vec<Outcome>> {
        self.dice.point().await;
        self.break_before()?;
        let outcomes = changes
            .iter()
            .map(|change| {
                self.break_before()?;
                if let Some(pushed) = self.hand_over(kind, change) {
                    return Ok(pushed);
                }
                let pushed = self.push_one(kind, change)?;
                self.break_after()?;
                Ok(Pushed::Made(pushed))
            })
            .collect();
        self.break_after()?;
        self.dice.point().await;
        Ok(outcomes)
    }

    async fn find(&self, kind: Kind, ids: &[Box<str>]) -> Result<Vec<Found>> {
        self.dice.point().await;
        self.break_before()?;
        let tables = self.tables();
        Ok(ids
            .iter()
            .map(|id| tables.item(kind, id).map_or(Found::Nothing, Found::Here))
            .collect())
    }

    async fn subscribe(&self, _: &Subscription) -> Result<Subscribed> {
        Ok(Subscribed::ByHand)
    }

    async fn unsubscribe(&self, _: &str) -> Result<()> {
        Ok(())
    }
}
