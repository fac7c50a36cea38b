//! What the codec promises: nothing is lost, nothing is misread, nothing panics.

use std::collections::BTreeSet;

use proptest::prelude::{any, prop};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use proptest::{prop_assert_eq, proptest};
use prost::Message;

use super::{commit, decode, encode, scalar};
use crate::domain::{self, Event, Revision};
use crate::log::{LogErrorKind, LogId, Record};
use crate::proto::stored;

mod golden;
mod kpi;
mod rules;
mod strategies;

const LOG: LogId = LogId([7; 16]);

fn record(revision: Revision, bytes: Vec<u8>) -> Record {
    Record { revision, bytes }
}

/// The names of the events' fields in the proto: what there is to cover.
fn names_in_proto() -> BTreeSet<String> {
    include_str!("../../../proto/binnacle/event/v1/commit.proto")
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "oneof payload {")
        .skip(1)
        .take_while(|line| *line != "}")
        .filter(|line| !line.starts_with("//"))
        .filter_map(|line| line.split_whitespace().nth(1))
        .map(str::to_owned)
        .collect()
}

/// An event's field in the proto.
fn name_in_proto(event: &Event) -> String {
    let kind = match event {
        // One message for every kind of resource.
        Event::Deleted { .. } => "ResourceDeleted",
        Event::Undeleted { .. } => "ResourceUndeleted",
        _ => event.kind(),
    };
    let mut name = String::new();
    for c in kind.chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

/// Decodes a commit of one measurement whose stored form was changed, and compares what is said about it.
fn check(change: impl FnOnce(&mut stored::Commit), expected: LogErrorKind, sentence: &str) {
    let whole = golden::commit_of(vec![golden::measurement_recorded()]);
    let mut stored = commit::commit_to_stored(LOG, &whole);
    change(&mut stored);
    check_bytes(stored.encode_to_vec(), expected, sentence);
}

fn check_bytes(bytes: Vec<u8>, expected: LogErrorKind, sentence: &str) {
    let error = decode(LOG, &record(golden::REVISION, bytes)).expect_err(sentence);
    assert_eq!(error.kind, expected, "{error}");
    let place = format!("revision {} of log {LOG} cannot be read: ", golden::REVISION);
    assert!(error.context.starts_with(&place), "{error}");
    assert!(error.context.contains(sentence), "{error}");
}

fn measurement(stored: &mut stored::Commit) -> &mut stored::MeasurementRecorded {
    match stored.events.first_mut().and_then(|event| event.payload.as_mut()) {
        Some(stored::event::Payload::MeasurementRecorded(measurement)) => measurement,
        other => panic!("{other:?} is no measurement"),
    }
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded(commit in strategies::commit()) {
        let bytes = encode(LOG, &commit);
        let decoded = decode(LOG, &record(commit.revision, bytes)).expect("a commit");
        prop_assert_eq!(decoded, commit);
    }

    #[test]
    fn the_same_commit_has_the_same_bytes(commit in strategies::commit()) {
        let bytes = encode(LOG, &commit);
        let decoded = decode(LOG, &record(commit.revision, bytes.clone())).expect("a commit");
        prop_assert_eq!(encode(LOG, &decoded), bytes);
    }

    #[test]
    fn bytes_of_anything_are_refused_or_read_but_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(LOG, &record(Revision(1), bytes));
    }

    #[test]
    fn a_changed_record_is_refused_or_read_but_never_panics(
        commit in strategies::commit(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        length in any::<prop::sample::Index>(),
    ) {
        let whole = encode(LOG, &commit);
        let mut changed = whole.clone();
        changed[place.index(whole.len())] = byte;
        if let Ok(decoded) = decode(LOG, &record(commit.revision, changed)) {
            let again = decode(LOG, &record(commit.revision, encode(LOG, &decoded))).expect("a commit");
            prop_assert_eq!(again, decoded);
        }
        let _ = decode(LOG, &record(commit.revision, whole[..length.index(whole.len())].to_vec()));
    }
}

#[test]
fn the_properties_are_shown_with_every_event() {
    let mut runner = TestRunner::deterministic();
    let made: BTreeSet<String> = strategies::events()
        .into_iter()
        .map(|event| event.new_tree(&mut runner).expect("an event").current())
        .map(|event| name_in_proto(&event))
        .collect();
    assert_eq!(made, names_in_proto());
}

#[test]
fn every_date_of_the_calendar_is_kept() {
    use jiff::civil::{Date, date};
    for (days, day) in [
        (-4_371_587, Date::MIN),
        (-1, date(1969, 12, 31)),
        (0, date(1970, 1, 1)),
        (19_782, date(2024, 2, 29)),
        (2_932_896, Date::MAX),
    ] {
        assert_eq!(scalar::date_to_stored(day), days);
        assert_eq!(scalar::date_from_stored(days).expect("a date"), day);
    }
    for days in [-4_371_588, 2_932_897, i32::MIN, i32::MAX] {
        assert!(scalar::date_from_stored(days).is_err(), "{days} was taken");
    }
}

#[test]
fn the_zone_that_never_changes_is_kept() {
    let rules = Some(domain::TimeZoneRules::utc());
    let Event::WorkspaceUpdated { before, after, .. } = golden::workspace_updated() else {
        panic!("it is no update of a workspace");
    };
    let commit = golden::commit_of(vec![Event::WorkspaceUpdated { before, after, rules }]);
    let bytes = encode(LOG, &commit);
    assert_eq!(
        decode(LOG, &record(commit.revision, bytes)).expect("a commit"),
        commit
    );
}

#[test]
fn a_commit_is_read_only_where_it_belongs() {
    let damaged = LogErrorKind::Damaged;
    check(
        |c| c.log_id = vec![8; 16],
        damaged,
        "log_id: it belongs to log 0808",
    );
    check(
        |c| c.log_id = vec![7; 15],
        damaged,
        "log_id: it has 15 bytes instead of 16",
    );
    check(|c| c.revision = 1, damaged, "revision: it is revision 1;");
    check(|c| c.revision = 0, damaged, "revision: it is revision 0;");
}

#[test]
fn what_is_missing_or_out_of_bounds_is_damage_with_its_place() {
    let damaged = LogErrorKind::Damaged;
    check(|c| c.epoch = 0, damaged, "epoch: it is missing; ");
    check(|c| c.actor = None, damaged, "actor: it is missing; ");
    check(
        |c| c.actor = Some(stored::Actor::default()),
        damaged,
        "actor.authentication: it is missing; ",
    );
    check(
        |c| c.recorded_time_us = i64::MAX,
        damaged,
        "recorded_time_us: 9223372036854775807 microseconds",
    );
    check(
        |c| c.request_id.clear(),
        damaged,
        "request_id: it has 0 bytes instead of 16",
    );
    check(
        |c| measurement(c).kpi = "NPS".into(),
        damaged,
        "events[0].measurement_recorded.kpi: \"NPS\" is not an id",
    );
    check(
        |c| measurement(c).value = f64::INFINITY,
        damaged,
        "events[0].measurement_recorded.value: inf is out of bounds",
    );
    check(
        |c| measurement(c).effective_time_us = i64::MIN,
        damaged,
        "measurement_recorded.effective_time_us: ",
    );
    check_bytes(Vec::new(), damaged, "log_id: it has 0 bytes");
    check_bytes(vec![0xff; 40], damaged, "its bytes are no commit (");
}

#[test]
fn fields_that_contradict_each_other_are_damage() {
    let payload = |event: stored::event::Payload| {
        move |c: &mut stored::Commit| c.events = vec![stored::Event { payload: Some(event) }]
    };
    let fields = stored::MemberFields {
        title: "Maria".into(),
        principal: "maria@example.com".into(),
        roles: vec![2, 1],
        teams: Vec::new(),
    };
    let member = stored::MemberCreated {
        member: "maria".into(),
        fields: Some(fields),
    };
    check(
        payload(stored::event::Payload::MemberCreated(Box::new(member))),
        LogErrorKind::Damaged,
        "events[0].member_created.fields.roles: they are not in ascending order",
    );
    let unit = stored::Unit {
        kind: i32::from(stored::unit::Kind::Percent),
        currency_code: "BRL".into(),
        ..stored::Unit::default()
    };
    let fields = stored::KeyResultFields {
        title: "NPS".into(),
        kind: Some(stored::key_result_fields::Kind::Metric(stored::Metric::default())),
        unit: Some(unit),
        ..stored::KeyResultFields::default()
    };
    let key_result = stored::KeyResultCreated {
        objective: "win".into(),
        key_result: "nps".into(),
        fields: Some(fields),
        date: 0,
    };
    check(
        payload(stored::event::Payload::KeyResultCreated(Box::new(key_result))),
        LogErrorKind::Damaged,
        "events[0].key_result_created.fields.unit.currency_code: it belongs to no currency",
    );
}

#[test]
fn what_closing_deleting_and_the_kinds_store_is_checked_where_it_stands() {
    use stored::event::Payload;
    use stored::resource_reference::Resource;
    let closed = |change: fn(&mut stored::ObjectiveResult)| {
        changed("objective_closed", move |payload| match payload {
            Payload::ObjectiveClosed(closed) => change(closed.result.as_mut().expect("a result")),
            other => panic!("{other:?}"),
        })
    };
    let created = |file: &'static str, change: fn(&mut stored::key_result_fields::Kind)| {
        changed(file, move |payload| match payload {
            Payload::KeyResultCreated(created) => {
                let fields = created.fields.as_mut().expect("fields");
                change(fields.kind.as_mut().expect("a kind"));
            }
            other => panic!("{other:?}"),
        })
    };
    let deleted = |resource: Option<Resource>| {
        changed("resource_deleted", move |payload| match payload {
            Payload::ResourceDeleted(deleted) => {
                deleted.resource = Some(stored::ResourceReference { resource });
            }
            other => panic!("{other:?}"),
        })
    };
    let policy = |change: fn(&mut stored::ScoringPolicy)| {
        changed("scoring_policy_updated", move |payload| match payload {
            Payload::ScoringPolicyUpdated(updated) => change(updated.after.as_mut().expect("a policy")),
            other => panic!("{other:?}"),
        })
    };
    let (damaged, newer) = (LogErrorKind::Damaged, LogErrorKind::UnknownFormat);
    for (commit, kind, sentence) in [
        (
            closed(|result| result.closing = None),
            damaged,
            "objective_closed.result.closing: it is missing; ",
        ),
        (
            closed(|result| result.grading.as_mut().expect("a grading").grade_tenths = 11),
            damaged,
            "objective_closed.result.grading.grade_tenths: 11 tenths are no grade; ",
        ),
        (
            closed(|result| result.grading.as_mut().expect("a grading").band = 0),
            damaged,
            "objective_closed.result.grading.band: it is missing; ",
        ),
        (
            closed(|result| result.grading.as_mut().expect("a grading").outcome = 5),
            newer,
            "objective_closed.result.grading.outcome: it has the unknown number 5; ",
        ),
        (
            closed(|result| result.score = Some(f64::NAN)),
            damaged,
            "objective_closed.result.score: NaN is no number; ",
        ),
        (
            closed(|result| result.key_results[1].progress = f64::INFINITY),
            damaged,
            "objective_closed.result.key_results[1].progress: inf is no number; ",
        ),
        (
            created("key_result_created_maintain", |kind| {
                if let stored::key_result_fields::Kind::Maintain(maintain) = kind {
                    maintain.at_most = Some(-2.0);
                }
            }),
            damaged,
            "key_result_created.fields.kind.maintain.at_least: it is above at_most",
        ),
        (
            created("key_result_created_maintain", |kind| {
                if let stored::key_result_fields::Kind::Maintain(maintain) = kind {
                    maintain.mode = 0;
                }
            }),
            damaged,
            "key_result_created.fields.kind.maintain.mode: it is missing; ",
        ),
        (
            created("key_result_created_milestones", |kind| {
                if let stored::key_result_fields::Kind::Milestones(steps) = kind {
                    steps.milestones[1].weight = 1000.5;
                }
            }),
            damaged,
            "key_result_created.fields.kind.milestones.milestones[1].weight: 1000.5 is no weight",
        ),
        (
            created("key_result_created_milestones", |kind| {
                if let stored::key_result_fields::Kind::Milestones(steps) = kind {
                    steps.milestones.clear();
                }
            }),
            damaged,
            "key_result_created.fields.kind.milestones.milestones: ",
        ),
        (
            created("key_result_created_metric", |kind| {
                if let stored::key_result_fields::Kind::Metric(metric) = kind {
                    metric.relative_target = Some(stored::RelativeTarget { change: None });
                }
            }),
            newer,
            "key_result_created.fields.kind.metric.relative_target: it is none that this release knows; ",
        ),
        (
            deleted(None),
            newer,
            "resource_deleted.resource: it is no resource that this release knows; ",
        ),
        (
            deleted(Some(Resource::Workspace(false))),
            damaged,
            "resource_deleted.resource.workspace: it is false; ",
        ),
        (
            deleted(Some(Resource::CheckIn(stored::CheckInReference::default()))),
            damaged,
            "resource_deleted.resource.check_in.objective: \"\" is not an id",
        ),
        (
            policy(|policy| policy.roll_up = 3),
            newer,
            "scoring_policy_updated.after.roll_up: it has the unknown number 3; ",
        ),
        (
            policy(|policy| policy.hygiene.as_mut().expect("limits").confidence_min = f64::NAN),
            damaged,
            "scoring_policy_updated.after.hygiene.confidence_min: NaN is no number; ",
        ),
    ] {
        check_bytes(commit.encode_to_vec(), kind, &format!("events[0].{sentence}"));
    }
}

/// The stored form of a golden file's commit with its first event changed.
fn changed(file: &str, change: impl FnOnce(&mut stored::event::Payload)) -> stored::Commit {
    let mut stored = commit::commit_to_stored(LOG, &golden::commit_of_file(file));
    let first = stored.events.first_mut().and_then(|event| event.payload.as_mut());
    change(first.expect("an event"));
    stored
}

#[test]
fn what_a_newer_release_wrote_is_not_called_damage() {
    let newer = LogErrorKind::UnknownFormat;
    let advice = "written by a newer release of binnacle: use that one or a later one";
    check(
        |c| c.events.push(stored::Event { payload: None }),
        newer,
        "events[1]: it is no event that this release knows; it was written",
    );
    check(
        |c| {
            c.actor = Some(stored::Actor {
                authentication: 9,
                ..stored::Actor::default()
            });
        },
        newer,
        "actor.authentication: it has the unknown number 9",
    );
    // A field with the number 2000 and the value 1, which this release would skip.
    let mut bytes = encode(LOG, &golden::commit_of(vec![golden::measurement_recorded()]));
    bytes.extend([0x80, 0x7d, 0x01]);
    check_bytes(bytes, newer, advice);
}
