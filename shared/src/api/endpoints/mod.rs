//! The endpoints: each decodes, calls one flow, and encodes.

pub(super) mod bulk;
pub(super) mod exports;
pub(super) mod files;
pub(super) mod graphql;
pub(super) mod integrations;
pub(super) mod meta;
pub(super) mod oauth;
pub(super) mod records;
pub(super) mod reimbursements;
pub(super) mod runs;
pub(super) mod schedules;
pub(super) mod sync;
pub(super) mod test;
pub(super) mod tokens;
pub(super) mod waiting;
pub(super) mod webhooks;
