//! Why things are as they are: one page for each decision that somebody will question.

#[doc = include_str!("0001_slices_and_fences.md")]
pub mod slices_and_fences {}

#[doc = include_str!("0002_pending_rows.md")]
pub mod pending_rows {}

#[doc = include_str!("0003_deletions_are_asked_for.md")]
pub mod deletions_are_asked_for {}

#[doc = include_str!("0004_reconcile_every_minute.md")]
pub mod reconcile_every_minute {}

#[doc = include_str!("0005_fingerprints_by_field.md")]
pub mod fingerprints_by_field {}

#[doc = include_str!("0006_made_only_where_there_is_none.md")]
pub mod made_only_where_there_is_none {}

#[doc = include_str!("0007_credentials_at_any_issuer.md")]
pub mod credentials_at_any_issuer {}

#[doc = include_str!("0008_scopes_that_are_not_ours.md")]
pub mod scopes_that_are_not_ours {}

#[doc = include_str!("0009_a_call_is_a_reason_to_look.md")]
pub mod a_call_is_a_reason_to_look {}

#[doc = include_str!("0010_refresh_tokens_in_the_table.md")]
pub mod refresh_tokens_in_the_table {}

#[doc = include_str!("0011_webhooks_are_hints.md")]
pub mod webhooks_are_hints {}

#[doc = include_str!("0012_sent_again_only_where_the_ledger_says_no.md")]
pub mod sent_again_only_where_the_ledger_says_no {}

#[doc = include_str!("0013_reimbursements_beside_the_kinds.md")]
pub mod reimbursements_beside_the_kinds {}

#[doc = include_str!("0014_no_run_for_an_export.md")]
pub mod no_run_for_an_export {}

#[doc = include_str!("0015_handed_over_is_not_agreed_on.md")]
pub mod handed_over_is_not_agreed_on {}
