//! The pure core.

mod revision;

pub use revision::Revision;
