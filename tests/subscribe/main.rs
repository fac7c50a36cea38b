//! Subscriptions through a real server and a real client: ordered, unique, without a gap, resumable anywhere; what a filter
//! takes, what enters and leaves it, and what comes of many commits at once. One noun a file.

#[path = "../common/mod.rs"]
mod common;

mod checkpoints;
mod coalescing;
mod derived;
mod filters;
mod kept;
mod large_commits;
mod life;
mod limits;
mod live;
mod moves;
mod naive;
mod reader;
mod refusals;
mod resuming;
mod snapshots;
