//! Xledger: its GraphQL, its SOAP services, its files, and the import queue behind all three.
//!
//! A request passes `server` (who asks, and may they), then `graphql` or `soap`, which meet the books in `ledger`. `file` does
//! what a human does with a file. The job of `ledger` posts every half hour by the simulated clock; nothing is known to be
//! posted before it ran.
//!
//! What is asserted of the protocol is enforced. Xledger's own API document could not be read: what follows is inferred or not
//! known, and decided in favour of the stricter reading, which [`Settings`] can change where that is worth something.
//!
//! | what | here |
//! | --- | --- |
//! | whether a wrong node of `addGLImportItems` spoils the whole call | the nodes before it are kept; `atomic` |
//! | money as a number | refused; `money_as_number` |
//! | which fields can be filtered by, and the names of the types of filters | as the rule for names has it |
//! | what `transactions` and `journalEntries` have | the lists of public clients: only the latter has `extIdentifier`, neither `trRegNumber` |
//! | how a refused or ended API token, a missing scope, and maintenance are told | a message without a code; 503 with a page for humans |
//! | the numbers of all limits, and what a request costs | invented; `limits` |
//! | the zone of `resetAt` | Central European like all other times, without saying so |
//! | what `transactionDbId` of an import error is | the id of the line |
//! | what makes a voucher fail | a sum, a closed period, something locked or unknown, a dimension that its account must have |
//! | when a webhook is `FAULTED` | after `webhook_failures` failed deliveries in a row |
//! | everything listed in `soap` and `file` | see there |
//!
//! Not simulated: the other objects, `…_deltas`, attachments, purchase orders, taxes, amounts in other currencies, and
//! `webhook`s that are told without being asked to: [`Xledger::deliver_webhooks`] does it.
//!
//! Source: public clients and help pages, read 2026-11-21: xledger/graphql-samples, grasp-labs/ds-provider-xledger-py-lib,
//! omniboost/go-xledger, this-immortal/iiko-xledger, and Xledger UK's example for GL import.

mod control;
mod entry;
pub mod faults;
pub mod file;
mod graphql;
mod ledger;
mod operator;
mod server;
pub mod settings;
mod soap;
mod time;
pub mod tls;
pub mod token;
mod usage;
pub mod webhook;

pub use ledger::{Entry, ImportError, Item, JobReport, Line};
pub use server::Xledger;
pub use settings::Settings;
pub use soap::{Role, User};
pub use usage::{Limit, Month};
