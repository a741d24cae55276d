//! The views, and what their columns show.
//!
//! The columns are those that the vendor's pages and public clients name, and not all of them. `is_archive` and
//! `is_latest_reg_num` are numbers, `archived` and its like are not, as in those clients.

use jiff::Timestamp;

use super::cell::Cell::{Flag, Id, Moment, Text, Whole};
use super::cell::{Cell, Kind};
use crate::cornerstone::record::{LearningObject, Registration, User};

/// A record as the warehouse has it.
#[derive(Debug)]
pub(super) struct Seen<'a, T> {
    pub(super) record: &'a T,
    /// When the warehouse got it.
    pub(super) touched: Timestamp,
    /// Whether no later registration of the same user for the same learning object is seen.
    pub(super) is_latest: bool,
}

/// A column of a view.
#[derive(Debug)]
pub(super) struct Column<T: 'static> {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) read: fn(&Seen<'_, T>) -> Cell,
}

const fn column<T>(name: &'static str, kind: Kind, read: fn(&Seen<'_, T>) -> Cell) -> Column<T> {
    Column { name, kind, read }
}

/// The columns of `vw_rpt_transcript`.
pub(super) static TRANSCRIPT: &[Column<Registration>] = &[
    column("transc_user_id", Kind::Whole, |row| Whole(row.record.user)),
    column("transc_object_id", Kind::Id, |row| Id(row.record.learning_object)),
    column("reg_num", Kind::Whole, |row| Whole(row.record.number)),
    column("user_lo_status_id", Kind::Whole, |row| {
        Whole(row.record.status.id())
    }),
    column("user_lo_status_group_id", Kind::Whole, |row| {
        Whole(row.record.status.group_id())
    }),
    column("user_lo_create_dt", Kind::Moment, |row| {
        Moment(row.record.created_at)
    }),
    column("user_lo_reg_dt", Kind::Moment, |row| {
        Cell::moment(row.record.registered_at)
    }),
    column("user_lo_start_dt", Kind::Moment, |row| {
        Cell::moment(row.record.started_at)
    }),
    column("user_lo_comp_dt", Kind::Moment, |row| {
        Cell::moment(row.record.completed_at)
    }),
    column("user_lo_min_due_date", Kind::Moment, |row| {
        Cell::moment(row.record.due_at)
    }),
    column("user_lo_assigned_dt", Kind::Moment, |row| {
        Cell::moment(row.record.assigned_at)
    }),
    column("user_lo_last_action_dt", Kind::Moment, |row| {
        Moment(row.record.modified_at)
    }),
    column("user_lo_last_modified_dt", Kind::Moment, |row| {
        Moment(row.record.modified_at)
    }),
    column("_last_touched_dt_utc", Kind::Moment, |row| Moment(row.touched)),
    column("user_lo_withdrawal_date", Kind::Moment, |row| {
        Cell::moment(row.record.withdrawn_at)
    }),
    column("user_lo_withdrawal_reason_id", Kind::Whole, |_| Cell::Null),
    column("user_lo_withdrawal_reason", Kind::Text, |_| Cell::Null),
    column("user_lo_pct_complete", Kind::Whole, |row| {
        Whole(row.record.percent())
    }),
    column("user_lo_score", Kind::Whole, |row| Cell::whole(row.record.score)),
    column("user_lo_pass", Kind::Flag, |row| {
        row.record.passed.map_or(Cell::Null, Flag)
    }),
    column("user_lo_comment", Kind::Text, |row| {
        Cell::text(row.record.comment.as_deref())
    }),
    column("is_removed", Kind::Flag, |row| Flag(row.record.removed)),
    column("archived", Kind::Flag, |row| Flag(row.record.archived)),
    column("is_archive", Kind::Whole, |row| Whole(row.record.archived.into())),
    column("is_assigned", Kind::Flag, |row| {
        Flag(row.record.assigned_at.is_some())
    }),
    column("is_suggested", Kind::Flag, |_| Flag(false)),
    column("is_required", Kind::Flag, |row| Flag(row.record.required)),
    column("is_latest_reg_num", Kind::Whole, |row| {
        Whole(row.is_latest.into())
    }),
    column("is_latest_version_on_transcript", Kind::Flag, |row| {
        Flag(row.is_latest)
    }),
    column("is_standalone", Kind::Flag, |_| Flag(true)),
    column("is_express_class", Kind::Flag, |_| Flag(false)),
];

/// The columns of `vw_rpt_user`.
pub(super) static USER: &[Column<User>] = &[
    column("user_id", Kind::Whole, |row| Whole(row.record.id)),
    column("user_ref", Kind::Text, |row| Text(row.record.external_id.clone())),
    column("user_name_first", Kind::Text, |row| {
        Text(row.record.first_name.clone())
    }),
    column("user_name_last", Kind::Text, |row| {
        Text(row.record.last_name.clone())
    }),
    column("user_email", Kind::Text, |row| Text(row.record.email.clone())),
    column("user_status_id", Kind::Whole, |row| {
        Whole(row.record.active.into())
    }),
    column("user_mgr_id", Kind::Whole, |_| Cell::Null),
    column("user_mgr_ref", Kind::Text, |_| Cell::Null),
    column("user_create_dt", Kind::Moment, |row| {
        Moment(row.record.created_at)
    }),
    column("_last_touched_dt_utc", Kind::Moment, |row| Moment(row.touched)),
];

/// The columns of `vw_rpt_training`.
pub(super) static TRAINING: &[Column<LearningObject>] = &[
    column("object_id", Kind::Id, |row| Id(row.record.id)),
    column("lo_object_id", Kind::Id, |row| Id(row.record.id)),
    column("lo_root_id", Kind::Id, |row| Id(row.record.id)),
    column("lo_ref", Kind::Text, |row| Text(row.record.reference.clone())),
    column("lo_title", Kind::Text, |row| Text(row.record.title.clone())),
    column("lo_object_type", Kind::Text, |row| {
        Text(row.record.training_type.code().to_owned())
    }),
    column("lo_type", Kind::Text, |row| {
        Text(row.record.training_type.title().to_owned())
    }),
    column("lo_provider", Kind::Text, |row| Text(row.record.provider.clone())),
    column("lo_hours", Kind::Whole, |row| Whole(row.record.hours)),
    column("lo_version", Kind::Text, |row| {
        Text(row.record.version.to_string())
    }),
    column("lo_active", Kind::Text, |row| {
        let active = if row.record.active { "Yes" } else { "No" };
        Text(active.to_owned())
    }),
    column("lo_start_dt", Kind::Moment, |_| Cell::Null),
    column("lo_end_dt", Kind::Moment, |_| Cell::Null),
    column("lo_create_dt", Kind::Moment, |row| Moment(row.record.created_at)),
    column("lo_modified_dt", Kind::Moment, |row| {
        Moment(row.record.modified_at)
    }),
    column("_last_touched_dt_utc", Kind::Moment, |row| Moment(row.touched)),
];
