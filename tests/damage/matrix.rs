//! The one checker of the table: whatever happened to the directory, `verify` and a start say it, or nothing is lost.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use crate::cases::{Case, Then, of_blocks, of_checkpoints, of_heads, of_histories, of_keys, of_sleds_files};
use crate::prepared::{Copied, prepared};
use crate::program::{Run, Start, run, start};
use crate::reads::everything;

/// How many cases run at once.
const AT_ONCE: usize = 2;
/// A refusal says what to do with one of these.
const ADVICE: [&str; 5] = ["restore", "put ", "move ", "start the release", "remove it"];

#[test]
fn a_changed_or_cut_file_of_the_store_is_refused_by_name_or_nothing_is_lost() {
    check(of_sleds_files());
}

#[test]
fn blocks_that_were_changed_exchanged_or_taken_out_are_refused_by_their_revision() {
    check(of_blocks());
}

#[test]
fn an_older_store_and_another_history_are_found_by_whatever_speaks_against_them() {
    check(of_histories());
}

#[test]
fn damaged_heads_are_refused_or_nothing_is_lost() {
    check(of_heads());
}

#[test]
fn a_changed_checkpoint_is_refused_by_its_number_and_one_that_was_cut_short_left_out() {
    check(of_checkpoints());
}

#[test]
fn a_damaged_or_missing_signing_key_is_refused_and_never_replaced() {
    check(of_keys());
}

/// Checks each case, and says of all that went wrong which they were.
fn check(cases: Vec<Case>) {
    let count = cases.len();
    prepared();
    let (cases, wrong) = (Mutex::new(cases), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = { cases.lock().expect("the cases").pop() } {
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| case.check())) {
                        let said = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                        wrong
                            .lock()
                            .expect("the wrong ones")
                            .push(format!("{case:?}: {said}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("the wrong ones");
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

impl Case {
    fn check(&self) {
        let copied = prepared().copy();
        self.damage.happen(&copied.dir());
        // First: a start may change what is damaged.
        let verified = verify(&copied);
        let started = start(&copied.dir());
        match (self.then, started) {
            (Then::Found(sentences), Start::Refused(refused)) => {
                is_refused(&refused, sentences);
                verified.ended(3, sentences);
            }
            (Then::Refused(sentences), Start::Refused(refused)) => {
                is_refused(&refused, sentences);
                verified.ended(0, &["everything agrees"]);
            }
            (Then::Either, Start::Refused(refused)) => {
                is_refused(&refused, &[]);
                verified.ended(3, &[]);
            }
            (Then::Harmless | Then::Either, Start::Serves(server)) => {
                let after = everything(&server.url);
                assert!(after == prepared().before, "something else is served");
                verified.ended(0, &["everything agrees"]);
            }
            (Then::Kept(sentences), Start::Serves(_)) => {
                verified.ended(3, sentences);
            }
            (Then::Harmless | Then::Kept(_), Start::Refused(refused)) => {
                panic!("it is refused: {refused:#?}")
            }
            (Then::Found(_) | Then::Refused(_), Start::Serves(server)) => {
                let same = everything(&server.url) == prepared().before;
                panic!(
                    "it is served, {}",
                    if same { "whole" } else { "and something else" }
                );
            }
        }
    }
}

/// With the key and the checkpoints that were kept elsewhere.
fn verify(copied: &Copied) -> Run {
    let (key, dir) = (prepared().key(), copied.dir());
    let [acme, beta] = prepared().kept();
    let scratch = copied.scratch();
    run([
        "verify".as_ref(),
        "--public-key".as_ref(),
        key.as_os_str(),
        "--scratch".as_ref(),
        scratch.as_os_str(),
        dir.as_os_str(),
        acme.as_os_str(),
        beta.as_os_str(),
    ])
}

fn is_refused(run: &Run, sentences: &[&str]) {
    assert_eq!(run.code, Some(3), "{run:#?}");
    let sentence = run.sentence();
    for said in sentences {
        assert!(sentence.contains(said), "it does not say {said:?}: {run:#?}");
    }
    assert!(
        ADVICE.iter().any(|advice| sentence.contains(advice)),
        "it says not what to do: {run:#?}"
    );
}
