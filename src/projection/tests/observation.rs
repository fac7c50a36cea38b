//! The current value of a key result, and its progress, by kind, window and source.

use jiff::civil::date;

use super::*;
use crate::domain::{Command, Confidence, Effective, KeyResultKind, Status};

/// Current value, score and status of deals.
fn score(given: &Given) -> f64 {
    of_deals(given).score
}

/// "Only what is dated within its cycle counts: check-ins …. Not linked: the newest check-in. None yet: c = b, *not started*."; "Latest
/// means latest by effective time, never by when it was edited."
#[test]
fn the_newest_check_in_of_the_cycle_counts_by_effective_time() {
    let given = company(Ambition::Committed).on(2, 15).and([deals("now", 5.0)]);
    let dated = |name: &str, when: Effective, number: f64| {
        check_in("win/deals", name, |check_in| {
            check_in.effective = when;
            check_in.value = Some(value(number));
        })
    };
    let backdated = given.and([dated("earlier", Effective::On(date(2026, 2, 1)), 9.0)]);
    assert_eq!(score(&backdated), 0.5);
    let before = company(Ambition::Committed).and([dated("before", Effective::On(date(2025, 12, 31)), 9.0)]);
    let seen = of_deals(&before);
    assert_eq!(
        (seen.current, seen.score, seen.status),
        (None, 0.0, Status::NotStarted),
        "not of this cycle"
    );
    let behind = company(Ambition::Committed).on(4, 1).and([deals("behind", 9.0)]);
    assert_eq!(score(&behind), 0.0, "not of this cycle either");
    let commented = backdated
        .on(2, 16)
        .and([check_in("win/deals", "words", |check_in| {
            check_in.confidence = Some(Confidence::parse(0.3).unwrap());
        })]);
    assert_eq!(
        score(&commented),
        0.5,
        "a check-in without a value keeps the value before"
    );
}

/// "Linked to a KPI: its newest period value"; a later recording for the same identity supersedes.
#[test]
fn a_key_result_follows_its_kpi_also_into_the_past() {
    let given = given(q1()).and([
        kpi("nps", |_| {}),
        objective("win", |_| {}),
        key_result("win/nps", |fields| {
            fields.kpi = Some(id("nps"));
            fields.kind = metric(Some(40.0), 60.0);
        }),
        activate("win"),
        measured("nps", 1, 1, 45.0),
    ]);
    let score = |given: &Given| key_result_of(given, "win/nps").unwrap().score;
    assert_eq!(score(&given), 0.25, "live");
    let given = given.on(1, 5).and([measured("nps", 1, 4, 50.0)]);
    assert_eq!(score(&given), 0.5);
    let backdated = given.clone().and([measured("nps", 1, 2, 60.0)]);
    assert_eq!(score(&backdated), 0.5, "not the newest");
    let corrected = given.clone().and([measured("nps", 1, 4, 55.0)]);
    assert_eq!(
        score(&corrected),
        0.75,
        "the correction of the newest reaches the score"
    );
    assert_eq!(of_win(&corrected).score, Some(0.75));
    let before = given.and([Command::RecordMeasurements(vec![measurement(
        "nps",
        Effective::On(date(2025, 12, 31)),
        60.0,
    )])]);
    assert_eq!(score(&before), 0.5, "not of this cycle");
}

/// "MILESTONES Σ weight of the reached ÷ Σ weight · BINARY 0 or 1"; "MAINTAIN … mode NOW: 1 when c holds, else falls linearly to
/// 0 over `tolerance` outside the bound"; "A key result of any kind without an observation has p = 0."
#[test]
fn progress_follows_the_kind() {
    let steps = milestones(&[("plan", 1.0), ("build", 2.0), ("ship", 1.0), ("toast", 0.0)]);
    let kept = |most| maintain(Some(40.0), most, 10.0);
    for (kind, seen, current, progress) in [
        (metric(Some(0.0), 10.0), None, None, 0.0),
        (metric(Some(48.0), 30.0), Some(deals("c", 39.0)), Some(39.0), 0.5),
        (metric(Some(48.0), 30.0), Some(deals("c", 57.0)), Some(57.0), -0.5),
        (metric(Some(0.0), 10.0), Some(deals("c", 15.0)), Some(15.0), 1.5),
        (kept(None), None, None, 0.0),
        (kept(None), Some(deals("c", 40.0)), Some(40.0), 1.0),
        (kept(None), Some(deals("c", 35.0)), Some(35.0), 0.5),
        (kept(Some(50.0)), Some(deals("c", 50.0)), Some(50.0), 1.0),
        (kept(Some(50.0)), Some(deals("c", 57.5)), Some(57.5), 0.25),
        (kept(Some(50.0)), Some(deals("c", 60.0)), Some(60.0), 0.0),
        (
            maintain(None, Some(3.0), 0.0),
            Some(deals("c", 3.1)),
            Some(3.1),
            0.0,
        ),
        (steps.clone(), None, None, 0.0),
        (
            steps.clone(),
            Some(reached("win/deals", "c", &[])),
            Some(0.0),
            0.0,
        ),
        (
            steps.clone(),
            Some(reached("win/deals", "c", &["build"])),
            Some(2.0),
            0.5,
        ),
        (
            steps.clone(),
            Some(reached("win/deals", "c", &["toast"])),
            Some(0.0),
            0.0,
        ),
        (
            steps,
            Some(reached("win/deals", "c", &["ship", "build", "plan"])),
            Some(4.0),
            1.0,
        ),
        (KeyResultKind::Binary, None, None, 0.0),
        (KeyResultKind::Binary, Some(deals("c", 0.0)), Some(0.0), 0.0),
        (KeyResultKind::Binary, Some(deals("c", 1.0)), Some(1.0), 1.0),
    ] {
        let said = format!("{kind:?}, {seen:?}");
        let given = given(q1())
            .and([
                objective("win", |_| {}),
                key_result("win/deals", |f| f.kind = kind),
            ])
            .and([activate("win")])
            .and(seen);
        let found = of_deals(&given);
        assert_eq!(found.current, current, "{said}");
        assert_eq!(found.progress, progress, "raw: {said}");
        assert_eq!(found.score, progress.clamp(0.0, 1.0), "{said}");
        assert!(
            found.progress != 0.0 || found.progress.is_sign_positive(),
            "−0: {said}"
        );
    }
}

/// What is reached is what the newest check-in says of milestones; those that are no more weigh nothing.
#[test]
fn milestones_are_those_of_the_newest_check_in_that_names_any() {
    let given = given(q1())
        .because("the plan changed")
        .and([
            objective("win", |_| {}),
            key_result("win/deals", |f| {
                f.kind = milestones(&[("plan", 1.0), ("build", 1.0), ("ship", 2.0)]);
            }),
            activate("win"),
            reached("win/deals", "first", &["plan", "build"]),
        ])
        .on(1, 9);
    let found = |command: Command| {
        let found = of_deals(&given.clone().and([command]));
        let names: Vec<String> = found.reached_milestones.iter().map(ToString::to_string).collect();
        (names.join(" "), found.progress)
    };
    for (command, expected) in [
        (check_in("win/deals", "c", in_words), ("plan build", 0.5)),
        (reached("win/deals", "c", &["ship", "plan"]), ("plan ship", 0.75)),
        (reached("win/deals", "c", &[]), ("", 0.0)),
        (retract("win/deals", "first"), ("", 0.0)),
        (
            update_key_result("win/deals", |p| {
                p.kind = Some(milestones(&[("build", 1.0), ("ship", 3.0)]));
            }),
            ("build", 0.25),
        ),
    ] {
        let said = format!("{command:?}");
        let (names, progress) = found(command);
        assert_eq!((names.as_str(), progress), expected, "{said}");
    }
}

/// "BINARY 0 or 1": also of a key result that was of another kind when 7.5 was seen of it.
#[test]
fn a_binary_is_0_or_1_whatever_was_seen_before() {
    let given = company(Ambition::Committed)
        .because("done or not is all that matters")
        .and([
            deals("done", 1.0),
            deals("half", 7.5),
            update_key_result("win/deals", |p| p.kind = Some(KeyResultKind::Binary)),
        ]);
    let found = of_deals(&given);
    assert_eq!((found.current, found.progress), (Some(1.0), 1.0));
    let found = of_deals(&given.and([retract("win/deals", "done")]));
    assert_eq!(
        (found.current, found.progress, found.status),
        (None, 0.0, Status::NotStarted)
    );
}
