//! What the tests of all requests share.

use prost_types::FieldMask;

use super::Asked;
use crate::domain::{Command, Id, Rejection};
use crate::proto::google_type;

pub(super) fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

pub(super) fn day(year: i32, month: i32, day: i32) -> Option<google_type::Date> {
    Some(google_type::Date { year, month, day })
}

pub(super) fn mask(paths: &[&str]) -> Option<FieldMask> {
    let paths = paths.iter().map(ToString::to_string).collect();
    Some(FieldMask { paths })
}

/// The command of a request that is well-formed.
pub(super) fn command(read: Result<Asked, Rejection>) -> Command {
    let asked = read.unwrap();
    assert_eq!(asked.workspace, id("acme"));
    asked.command
}

/// The fields that a request is refused for, in order; every one with a sentence.
pub(super) fn bad_fields(read: Result<Asked, Rejection>) -> Vec<String> {
    let Err(Rejection::Invalid(violations)) = read else {
        panic!("{read:?} is no refusal of fields");
    };
    assert!(violations.iter().all(|violation| !violation.sentence.is_empty()));
    violations.into_iter().map(|violation| violation.field).collect()
}
