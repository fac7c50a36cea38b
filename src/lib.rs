//! Binnacle: an event-sourced OKR and KPI service.

pub mod cli;
pub mod domain;
pub mod engine;
pub mod log;
pub mod projection;
pub mod proto;
pub mod service;
