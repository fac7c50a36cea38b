//! The API as a stranger meets it: a real server on a free port, a real client, one file a noun.

#[path = "../common/mod.rs"]
mod common;

mod filters;
mod health;
mod hygiene;
mod limits;
mod lists;
mod reads;
mod refusals;
mod retries;
mod writes;
