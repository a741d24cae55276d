#![doc = include_str!("../README.md")]

pub mod adapter;
pub mod adapters;
pub mod clients;
pub mod clock;
pub mod flow;
pub mod http;
pub mod integration;
pub mod model;
pub mod oauth;
pub mod publish;
pub mod queue;
pub mod records;
pub mod secrets;
pub mod store;
pub mod sync;
