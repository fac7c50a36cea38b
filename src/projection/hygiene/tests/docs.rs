//! `docs/hygiene.md` has a row for every code, and no other: with its severity and its suggestion.

use super::super::{FindingCode, Severity};

/// The rows of the tables: code, severity, what it looks at, the limit, what to do.
fn rows(document: &str) -> Vec<Vec<&str>> {
    document
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"))
        .map(|row| row.split(" | ").map(|cell| cell.trim_matches('`')).collect())
        .collect()
}

#[test]
fn the_documentation_and_the_codes_agree() {
    let document = include_str!("../../../../docs/hygiene.md");
    let written = rows(document);
    let mut documented: Vec<(&str, &str, &str)> = Vec::new();
    for row in &written {
        let &[code, severity, looks_at, limit, what_to_do] = row.as_slice() else {
            panic!("not five cells: {row:?}");
        };
        assert!(
            !looks_at.trim().is_empty() && !limit.trim().is_empty(),
            "{code} says too little"
        );
        documented.push((code, severity, what_to_do));
    }
    let known: Vec<(&str, &str, &str)> = FindingCode::ALL
        .iter()
        .map(|code| {
            let severity = match code.severity() {
                Severity::Info => "INFO",
                Severity::Warning => "WARNING",
                Severity::Error => "ERROR",
            };
            (code.as_str(), severity, code.suggestion())
        })
        .collect();
    assert_eq!(documented, known);
}

#[test]
fn a_code_is_in_capitals_and_stands_for_one_thing() {
    let mut names: Vec<&str> = FindingCode::ALL.iter().map(|code| code.as_str()).collect();
    for name in &names {
        assert!(
            name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'),
            "{name}"
        );
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FindingCode::ALL.len());
}
