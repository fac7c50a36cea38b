//! `docs/guarantees.md` names the test that holds each promise: every name in it must be a test that exists.

use std::fs;
use std::path::{Path, PathBuf};

/// A test as the document names it: a file, and in a Rust file a function.
#[derive(Debug, PartialEq, Eq)]
struct Named<'a> {
    file: &'a str,
    function: Option<&'a str>,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What stands between backticks and begins like a file of tests.
fn named_in(document: &str) -> Vec<Named<'_>> {
    document
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|quoted| quoted.starts_with("tests/") || quoted.starts_with("src/"))
        .map(|quoted| match quoted.split_once("::") {
            Some((file, function)) => Named {
                file,
                function: Some(function),
            },
            None => Named {
                file: quoted,
                function: None,
            },
        })
        .collect()
}

/// Whether a source has a test of this name: a function right below a test attribute.
fn has_test(source: &str, function: &str) -> bool {
    let head = format!("fn {function}(");
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    lines.iter().enumerate().any(|(at, line)| {
        let begins = line.strip_prefix("async ").unwrap_or(line).starts_with(&head);
        let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
        begins
            && attributes
                .into_iter()
                .any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
    })
}

/// What is wrong with a name; none: the test is there.
fn missing(root: &Path, named: &Named<'_>) -> Option<String> {
    let Ok(source) = fs::read_to_string(root.join(named.file)) else {
        return Some(format!("there is no file {}", named.file));
    };
    let function = named.function?;
    (!has_test(&source, function)).then(|| format!("{} has no test {function}", named.file))
}

#[test]
fn every_test_that_the_guarantees_name_exists() {
    let document = fs::read_to_string(root().join("docs/guarantees.md")).expect("docs/guarantees.md");
    let named = named_in(&document);
    assert!(
        named.iter().filter(|named| named.function.is_some()).count() >= 20,
        "the table is not read: {named:?}"
    );
    let missing: Vec<String> = named.iter().filter_map(|named| missing(&root(), named)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn a_name_without_a_test_is_found_out() {
    let named = named_in(
        "| a | `tests/guarantees.rs::no_such_test`, `tests/none.rs`, `tests/guarantees.rs::has_test` |",
    );
    assert_eq!(named.len(), 3);
    assert_eq!(
        named.iter().filter_map(|named| missing(&root(), named)).count(),
        3
    );
}
