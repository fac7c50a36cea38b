//! What every log has to do, told once and run against each of them.
//!
//! A new log joins by a `Subject` and one line of `conformance!`.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tempfile::TempDir;

use super::{Append, AppendOutcome, EventLog, LogErrorKind, LogId, MAX_RECORD_BYTES, MemoryLog, SledLog};
use crate::domain::Revision;

const A: LogId = LogId([0xaa; 16]);
const B: LogId = LogId([0xbb; 16]);
/// The ends of the range of ids, where a scan for logs could stumble.
const FIRST: LogId = LogId([0; 16]);
const LAST: LogId = LogId([0xff; 16]);

/// A log under test.
trait Subject: Sized {
    fn begin() -> Self;
    fn log(&self) -> &dyn EventLog;
    /// Closes the log and opens it again, where there is something to open, and checks what lies beside it.
    fn reopen(self) -> Self;
}

impl Subject for MemoryLog {
    fn begin() -> Self {
        Self::new()
    }

    fn log(&self) -> &dyn EventLog {
        self
    }

    fn reopen(self) -> Self {
        self
    }
}

struct OnDisk {
    log: SledLog,
    dir: TempDir,
}

impl Subject for OnDisk {
    fn begin() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            log: SledLog::open(dir.path().join("store")).unwrap(),
            dir,
        }
    }

    fn log(&self) -> &dyn EventLog {
        &self.log
    }

    fn reopen(self) -> Self {
        let Self { log, dir } = self;
        log.check_nothing_beside_the_file().unwrap();
        drop(log);
        Self {
            log: SledLog::open(dir.path().join("store")).unwrap(),
            dir,
        }
    }
}

/// Runs `test`, then closes and opens the log and expects to find the same in it.
fn check<S: Subject>(test: fn(&dyn EventLog)) {
    let subject = S::begin();
    test(subject.log());
    let before = all(subject.log());
    let subject = subject.reopen();
    assert_eq!(all(subject.log()), before, "after opening it again");
}

macro_rules! conformance {
    ($module:ident, $subject:ty, [$($test:ident),* $(,)?]) => {
        mod $module {
            $(
                #[test]
                fn $test() {
                    super::check::<$subject>(super::$test);
                }
            )*

            #[test]
            fn any_groups_leave_what_a_list_would_hold() {
                super::any_groups_leave_what_a_list_would_hold::<$subject>();
            }
        }
    };
    ($($module:ident: $subject:ty),*) => {
        $(conformance!($module, $subject, [
            an_empty_log_has_no_heads_and_no_records,
            revisions_are_dense_from_one_on,
            records_of_every_size_come_back_byte_for_byte,
            a_wrong_expected_revision_conflicts_and_writes_nothing,
            a_log_that_is_not_there_conflicts_when_something_is_expected_in_it,
            each_run_of_a_group_has_its_own_outcome,
            runs_of_the_same_log_in_one_group_follow_each_other,
            a_record_over_the_limit_refuses_the_whole_group,
            reading_begins_anywhere,
            reading_past_the_head_gives_nothing,
            a_group_of_many_commits_is_one_append,
            logs_at_both_ends_of_the_ids_are_found,
            a_reading_ends_at_the_head_it_began_with,
            an_empty_group_and_an_empty_run_write_nothing,
        ]);)*
    };
}

conformance!(memory: super::MemoryLog, sled: super::OnDisk);

fn run(log: LogId, expected: u64, records: impl IntoIterator<Item = Vec<u8>>) -> Append {
    Append {
        log,
        expected: Revision(expected),
        records: records.into_iter().collect(),
    }
}

fn append(log: &dyn EventLog, appends: &[Append]) -> Vec<AppendOutcome> {
    log.append(appends).unwrap()
}

fn read(log: &dyn EventLog, id: LogId, from: u64) -> Vec<(u64, Vec<u8>)> {
    log.read(id, Revision(from))
        .map(|record| record.unwrap())
        .map(|record| (record.revision.0, record.bytes))
        .collect()
}

/// A log's head and all its records.
type Contents = (Revision, Vec<(u64, Vec<u8>)>);

fn all(log: &dyn EventLog) -> BTreeMap<LogId, Contents> {
    let heads = log.heads().unwrap();
    heads
        .into_iter()
        .map(|(id, head)| (id, (head, read(log, id, 0))))
        .collect()
}

/// Bytes that differ from place to place, so that a shifted or swapped piece shows.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_be_bytes()[0]
        })
        .collect()
}

const SIZES: [usize; 9] = [0, 1, 200, 4_000, 5_000, 100_000, 0, MAX_RECORD_BYTES, 1];

fn an_empty_log_has_no_heads_and_no_records(log: &dyn EventLog) {
    assert!(log.heads().unwrap().is_empty());
    assert!(read(log, A, 0).is_empty());
}

fn revisions_are_dense_from_one_on(log: &dyn EventLog) {
    for expected in 0..50 {
        let outcome = append(log, &[run(A, expected, [noise(10, expected)])]);
        assert_eq!(outcome, [AppendOutcome::Appended]);
    }
    let revisions: Vec<_> = read(log, A, 0)
        .into_iter()
        .map(|(revision, _)| revision)
        .collect();
    assert_eq!(revisions, (1..=50).collect::<Vec<_>>());
    assert_eq!(log.heads().unwrap(), BTreeMap::from([(A, Revision(50))]));
}

fn records_of_every_size_come_back_byte_for_byte(log: &dyn EventLog) {
    let records: Vec<_> = SIZES
        .iter()
        .zip(1..)
        .map(|(size, seed)| noise(*size, seed))
        .collect();
    // Once all in one group, once each alone.
    append(log, &[run(A, 0, records.clone())]);
    for (record, expected) in records.iter().zip(0..) {
        append(log, &[run(B, expected, [record.clone()])]);
    }
    for id in [A, B] {
        let found = read(log, id, 0);
        assert_eq!(found.len(), records.len());
        for ((revision, found), record) in found.into_iter().zip(&records) {
            assert!(
                found == *record,
                "revision {revision} of {} bytes is not what was written",
                record.len()
            );
        }
        assert_eq!(log.heads().unwrap()[&id], Revision(SIZES.len() as u64));
    }
}

fn a_wrong_expected_revision_conflicts_and_writes_nothing(log: &dyn EventLog) {
    append(log, &[run(A, 0, [b"one".to_vec(), b"two".to_vec()])]);
    let before = all(log);
    for wrong in [0, 1, 3, u64::MAX] {
        let outcome = append(log, &[run(A, wrong, [b"other".to_vec()])]);
        assert_eq!(
            outcome,
            [AppendOutcome::Conflict { head: Revision(2) }],
            "expected {wrong}"
        );
    }
    assert_eq!(all(log), before);
}

fn a_log_that_is_not_there_conflicts_when_something_is_expected_in_it(log: &dyn EventLog) {
    let outcome = append(log, &[run(A, 1, [b"one".to_vec()])]);
    assert_eq!(outcome, [AppendOutcome::Conflict { head: Revision::ZERO }]);
    assert!(log.heads().unwrap().is_empty());
}

fn each_run_of_a_group_has_its_own_outcome(log: &dyn EventLog) {
    append(log, &[run(B, 0, [b"b1".to_vec()])]);
    let outcomes = append(
        log,
        &[
            run(A, 0, [b"a1".to_vec()]),
            run(B, 0, [b"late".to_vec()]),
            run(LAST, 0, [b"l1".to_vec()]),
        ],
    );
    let conflict = AppendOutcome::Conflict { head: Revision(1) };
    assert_eq!(
        outcomes,
        [AppendOutcome::Appended, conflict, AppendOutcome::Appended]
    );
    assert_eq!(read(log, A, 0), [(1, b"a1".to_vec())]);
    assert_eq!(read(log, B, 0), [(1, b"b1".to_vec())]);
    assert_eq!(read(log, LAST, 0), [(1, b"l1".to_vec())]);
}

fn runs_of_the_same_log_in_one_group_follow_each_other(log: &dyn EventLog) {
    let outcomes = append(
        log,
        &[
            run(A, 0, [b"1".to_vec(), b"2".to_vec()]),
            run(A, 2, [b"3".to_vec()]),
            run(A, 2, [b"no".to_vec()]),
        ],
    );
    let conflict = AppendOutcome::Conflict { head: Revision(3) };
    assert_eq!(
        outcomes,
        [AppendOutcome::Appended, AppendOutcome::Appended, conflict]
    );
    assert_eq!(
        read(log, A, 0),
        [(1, b"1".to_vec()), (2, b"2".to_vec()), (3, b"3".to_vec())]
    );
}

fn a_record_over_the_limit_refuses_the_whole_group(log: &dyn EventLog) {
    let too_large = vec![0; MAX_RECORD_BYTES + 1];
    let error = log
        .append(&[run(A, 0, [b"fits".to_vec()]), run(B, 0, [too_large])])
        .unwrap_err();
    assert_eq!(error.kind, LogErrorKind::TooLarge);
    assert!(error.context.contains("4194305 bytes"), "{error}");
    assert!(log.heads().unwrap().is_empty());
    // It is no fatal error: the log goes on.
    assert_eq!(
        append(log, &[run(A, 0, [b"fits".to_vec()])]),
        [AppendOutcome::Appended]
    );
}

fn reading_begins_anywhere(log: &dyn EventLog) {
    // Full blocks, blocks of one commit and commits of several parts, in turns.
    let mut records = Vec::new();
    for round in 0..8 {
        let mut sizes = vec![150; 30];
        sizes.extend([9_000, 5_000, 10, 4_089, 4_090]);
        let group: Vec<_> = sizes
            .into_iter()
            .map(|size| noise(size, round + size as u64))
            .collect();
        append(
            log,
            &[
                run(A, records.len() as u64, group.clone()),
                run(B, round, [noise(20, round)]),
            ],
        );
        records.extend(group);
    }
    let whole: Vec<_> = (1..).zip(records).collect();
    assert_eq!(read(log, A, 0), whole);
    for (from, _) in &whole {
        let place = usize::try_from(*from).unwrap() - 1;
        assert!(read(log, A, *from) == whole[place..], "from {from}");
    }
}

fn reading_past_the_head_gives_nothing(log: &dyn EventLog) {
    append(
        log,
        &[
            run(A, 0, [b"1".to_vec()]),
            run(B, 0, [b"1".to_vec(), b"2".to_vec()]),
        ],
    );
    assert!(read(log, A, 2).is_empty());
    assert!(read(log, A, u64::MAX).is_empty());
    assert!(read(log, FIRST, 0).is_empty());
}

fn a_group_of_many_commits_is_one_append(log: &dyn EventLog) {
    let records: Vec<_> = (0..5_000).map(|seed| noise(200, seed)).collect();
    assert_eq!(
        append(log, &[run(A, 0, records.clone())]),
        [AppendOutcome::Appended]
    );
    assert_eq!(read(log, A, 0), (1..).zip(records).collect::<Vec<_>>());
}

fn logs_at_both_ends_of_the_ids_are_found(log: &dyn EventLog) {
    for id in [LAST, A, FIRST, B] {
        append(
            log,
            &[run(id, 0, [noise(5_000, 1), noise(3, 2), noise(9_000, 3)])],
        );
    }
    let three = Revision(3);
    assert_eq!(
        log.heads().unwrap(),
        BTreeMap::from([(FIRST, three), (A, three), (B, three), (LAST, three)])
    );
}

fn a_reading_ends_at_the_head_it_began_with(log: &dyn EventLog) {
    append(log, &[run(A, 0, [b"1".to_vec(), b"2".to_vec()])]);
    let mut reading = log.read(A, Revision::ZERO);
    assert_eq!(reading.next().unwrap().unwrap().revision, Revision(1));
    append(log, &[run(A, 2, [b"3".to_vec()])]);
    assert_eq!(reading.next().unwrap().unwrap().revision, Revision(2));
    assert!(reading.next().is_none());
    assert_eq!(read(log, A, 3), [(3, b"3".to_vec())]);
}

fn an_empty_group_and_an_empty_run_write_nothing(log: &dyn EventLog) {
    assert!(append(log, &[]).is_empty());
    append(log, &[run(A, 0, [])]);
    assert!(log.heads().unwrap().is_empty());
}

/// A run of a random group: which log, how far off what it expects is, and the sizes of its records.
type AnyRun = (usize, Option<u64>, Vec<usize>);

fn any_run() -> impl Strategy<Value = AnyRun> {
    let off = prop_oneof![4 => Just(None), 1 => (0_u64..5).prop_map(Some)];
    let size = prop_oneof![6 => 0_usize..300, 2 => 3_900_usize..4_300, 1 => 0_usize..40_000];
    (0_usize..4, off, prop::collection::vec(size, 1..40))
}

fn any_groups_leave_what_a_list_would_hold<S: Subject>() {
    let groups = prop::collection::vec(prop::collection::vec(any_run(), 1..5), 1..8);
    proptest!(ProptestConfig::with_cases(24), |(groups in groups, from in 0_u64..60)| {
        let ids = [FIRST, A, B, LAST];
        let mut model: BTreeMap<LogId, Vec<Vec<u8>>> = BTreeMap::new();
        let mut subject = S::begin();
        for (group, number) in groups.into_iter().zip(0_u64..) {
            let mut appends = Vec::new();
            let mut outcomes = Vec::new();
            for (log, wrong, sizes) in group {
                let head = model.get(&ids[log]).map_or(0, Vec::len) as u64;
                let expected = wrong.unwrap_or(head);
                let records: Vec<_> = sizes.into_iter().map(|size| noise(size, number + size as u64)).collect();
                appends.push(run(ids[log], expected, records.clone()));
                outcomes.push(if expected == head {
                    model.entry(ids[log]).or_default().extend(records);
                    AppendOutcome::Appended
                } else {
                    AppendOutcome::Conflict { head: Revision(head) }
                });
            }
            prop_assert_eq!(append(subject.log(), &appends), outcomes);
            if number % 3 == 2 {
                subject = subject.reopen();
            }
        }
        let subject = subject.reopen();
        for id in ids {
            let records = model.get(&id).cloned().unwrap_or_default();
            let whole: Vec<_> = (1..).zip(records).filter(|(revision, _)| *revision >= from).collect();
            prop_assert!(read(subject.log(), id, from) == whole, "log {} from {}", id, from);
        }
        let heads: BTreeMap<_, _> =
            model.iter().map(|(id, records)| (*id, Revision(records.len() as u64))).collect();
        prop_assert_eq!(subject.log().heads().unwrap(), heads);
    });
}
