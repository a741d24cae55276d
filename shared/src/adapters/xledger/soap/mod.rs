//! Xledger by its SOAP services: a key for a name and a password, and a file for each voucher.
//!
//! # What it does
//!
//! | step | to | says |
//! | --- | --- | --- |
//! | `LogonKey` | `/WS/Common/Lib/Authentication.asmx` | user, password and application: gives a key, which the process keeps |
//! | `ReceiveFile` | `/WS/Common/Lib/FileUpload.asmx`, with a certificate of ours | user, key, and a [`GL02XML`](super::gl02xml) file |
//!
//! There is nothing by which could be asked what became of a file: [`Dedup::None`](crate::export::Dedup::None). So an answer is
//! sorted by what it leaves no doubt about:
//!
//! | answer to an upload | is |
//! | --- | --- |
//! | a result that is a positive number, a GUID, `true` or `ok` | accepted |
//! | a fault of the sender that names the key | the key is asked for anew, once, and the file sent again |
//! | another fault of the sender, or of the envelope | rejected |
//! | no connection, our certificate not accepted, 401, 403, 404, 405, 413, 415 or 429 without an envelope | not sent |
//! | all else: a fault of the receiver, another result, an answer that breaks off or cannot be read | unknown |
//!
//! # Inferred
//!
//! The forms of the upload's result and of faults are not public, nor what a wrong password and a key that ended are answered
//! with: faults are taken as SOAP 1.2 has them, in 500 and in 200, and an empty key for a refusal. Whether the service asks for
//! the certificate in the handshake is not known either: one that asks for it only after it has read the path (as IIS can,
//! by renegotiation) does not get it, since that is not supported by `rustls`, and answers 403.
//!
//! Source: code of this-immortal/iiko-xledger, read 2026-11-22; SOAP 1.2 part 1, section 5.4.

mod account;
mod client;
mod envelope;
mod ledger;

pub(super) use account::home_currency;
pub use account::{SoapAccount, SoapCredentials, SoapSettings};
pub use ledger::{SoapLedger, SoapSession};
