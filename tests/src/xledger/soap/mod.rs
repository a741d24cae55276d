//! SOAP 1.2: `LogonKey` and `ReceiveFile`.
//!
//! Known are the two operations, their parameters and namespace, and that uploads want a certificate of the client. Not known
//! are the form of faults and of the upload's result, what a wrong password is answered with, how long a key lives, and the
//! status that a missing certificate gets: faults are SOAP 1.2 faults in 500, the result is an invented number, and the status
//! is IIS's 403. Not simulated: WSDL documents, SOAP 1.1, other import codes than `GL02XML`.
//!
//! Source: code of two public clients, and the rules of ASP.NET for `.asmx`, read 2026-11-21.

mod fault;
mod gl02xml;
mod service;
mod xml;

pub(super) use fault::Fault;
pub use fault::Role;
pub(super) use service::Desk;
pub use service::User;
