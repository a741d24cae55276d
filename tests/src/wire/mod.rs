//! HTTP as the simulated systems see it: requests, answers, and a transport that can break on purpose.

mod answer;
mod gzip;
mod request;
mod stream;
mod transport;

pub use answer::{Answer, Body, Delivery, Page};
pub use gzip::Fragment;
pub use request::Request;
pub use transport::{Handler, Transport};
