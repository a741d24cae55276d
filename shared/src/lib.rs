#![doc = include_str!("../README.md")]

pub mod adapter;
pub mod api;
pub mod authorize;
pub mod clients;
pub mod clock;
pub mod config;
pub mod flow;
pub mod integration;
pub mod model;
pub mod publish;
pub mod queue;
pub mod records;
pub mod secrets;
pub mod store;
pub mod sync;
