//! The API as a stranger meets it: a real server on a free port, a real client, one file a noun.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/process.rs"]
mod process;

mod alerts;
mod archive;
mod as_of;
mod attempts;
mod attempts_kept;
mod bridges;
mod carry_over;
mod cascades;
mod check_ins;
mod closing;
mod corrections;
mod definitions;
mod deletion;
mod differences;
mod endings;
mod events;
mod filters;
mod following;
mod forecasts;
mod gauges;
mod health;
mod hostile;
mod hygiene;
mod key_results;
mod kpi_attacks;
mod kpi_docs;
mod kpi_retries;
mod kpi_stream;
mod leaving;
mod limits;
mod lists;
mod measurements;
mod names;
mod policy;
mod premises;
mod proofs;
mod reads;
mod refusals;
mod retries;
mod reviews;
mod security;
mod series;
mod simulate;
mod steps;
mod targets;
mod trees;
mod writes;
