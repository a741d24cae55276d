#![doc = include_str!("../README.md")]

pub mod adapter;
pub mod adapters;
pub mod api;
pub mod authorize;
pub mod certificate;
pub mod clients;
pub mod clock;
pub mod config;
pub mod csv;
pub mod decisions;
pub mod export;
pub mod flow;
pub mod http;
pub mod inbox;
pub mod integration;
mod json;
pub mod keys;
pub mod model;
pub mod norwegian;
pub mod oauth;
pub mod objects;
pub mod publish;
pub mod queue;
pub mod records;
pub mod registry;
pub mod schedule;
pub mod scheduler;
pub mod secrets;
#[cfg(test)]
mod seed;
mod settings;
pub mod store;
pub mod sync;
pub mod transfer;
pub mod webhook;
