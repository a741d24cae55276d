//! The files of a system without a profile: a column for each field.
//!
//! What such a system takes and gives is as little known as its API: the columns are ours, and whoever imports a file says in the
//! system which column is which. See [`crate::adapters::files`] for what they hold.

use std::time::Duration;

use jiff::civil::Date;
use serde_json::Value as Json;

use super::config::FileSettings;
use crate::adapter::{Change, Error, ErrorKind, Item, KindCapability, References};
use crate::adapters::files::{Columns, Layout, Row};
use crate::csv::Profile;
use crate::model::{FieldError, FilePurpose, Kind};
use crate::transfer::{FileRow, Holds, Table, Tables};

impl FileSettings {
    fn columns(&self, kind: Kind) -> Option<Columns> {
        self.kinds.iter().find(|columns| columns.kind == kind).copied()
    }

    fn demand(&self, kind: Kind) -> Result<Columns, Error> {
        let missing = || Error::new(ErrorKind::Unsupported, "the settings name no files of this kind");
        self.columns(kind).ok_or_else(|| missing().with("kind", kind))
    }

    /// Returns what renders a file of each kind.
    pub(super) fn tables(&self) -> Tables {
        let table = |columns: &Columns| {
            let name = columns.kind.plural();
            let profile = Profile::check(&columns.profile(self.audience)).ok()?;
            let table = Table::new(
                profile,
                name.parse().ok()?,
                Some(Holds {
                    kind: columns.kind,
                    has_api: self.has_api,
                }),
            );
            Some((name.parse().ok()?, table))
        };
        Tables(self.kinds.iter().filter_map(table).collect())
    }
}

impl Layout for FileSettings {
    fn kinds(&self) -> Vec<KindCapability> {
        let of = |columns: &Columns| KindCapability {
            kind: columns.kind,
            mapped: columns.mapped,
            tracks_changes: true,
            pushes: true,
            references: References::ByEither,
            lag: Duration::ZERO,
        };
        self.kinds.iter().map(of).collect()
    }

    fn leaves_blanks(&self) -> bool {
        false
    }

    fn makes_twice(&self) -> bool {
        true
    }

    fn purposes(&self, kind: Kind) -> Vec<FilePurpose> {
        kind.plural().parse().into_iter().collect()
    }

    fn row(&self, kind: Kind, change: &Change, _: Date) -> Result<Row, Error> {
        let columns = self.demand(kind)?;
        let purpose = kind
            .plural()
            .parse()
            .map_err(|_| Error::new(ErrorKind::Unsupported, "no file is of this kind"))?;
        Ok(Row {
            purpose,
            value: columns.row(change),
        })
    }

    fn item(&self, kind: Kind, row: &FileRow) -> Item {
        let none = Columns { kind, mapped: 0 };
        self.columns(kind).unwrap_or(none).item(row)
    }

    fn key<'r>(&self, kind: Kind, row: &'r FileRow) -> Option<&'r str> {
        self.columns(kind)?.key(row)
    }

    fn profile(&self, kind: Kind) -> Option<Json> {
        self.columns(kind).map(|columns| columns.profile(self.audience))
    }

    fn check(&self, kind: Kind, profile: &Profile) -> Vec<FieldError> {
        self.columns(kind)
            .map_or_else(Vec::new, |columns| columns.check_own(profile))
    }
}
