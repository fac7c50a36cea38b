//! Two public services as their office published them: loaded by the real program into a real server, and held against what
//! follows from the files by counting. Nothing here knows more of a KPI than the API says; what is expected is computed from
//! the figures in `figures` and `naive`, which ask nobody.

#[path = "../common/mod.rs"]
mod common;

mod alerts;
mod backfill;
mod figures;
mod health;
mod naive;
mod percent;
mod series;
mod world;
