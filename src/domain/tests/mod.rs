//! The rules as tables: given, when, then.

mod kpis;
mod objectives;
mod people;
