//! Expected progress, the status that follows from it, and what somebody said of it instead.

use jiff::civil::date;

use super::*;
use crate::domain::{Effective, KeyResultKind, Status, StatusOverride, Timestamp};

/// "gap = E − s …. `ACHIEVED` s ≥ bar · `ON_TRACK` gap ≤ 0.10 · `BEHIND` gap ≤ 0.25 · `AT_RISK` above · `NOT_STARTED` no observation
/// yet and gap ≤ 0.10 …. After the last day a missed bar is at best BEHIND."; "Progress `p` (kept raw) and score
/// `s = clamp(p, 0, 1)` (both are answered)".
#[test]
fn a_status_is_the_score_against_what_is_expected_today() {
    use Ambition::{Aspirational, Committed};
    use Status::{Achieved, AtRisk, Behind, NotStarted, OnTrack};
    // The cycle has 90 days: on 15 February half of it has passed, on 1 April all.
    for (ambition, (month, day), seen, expected, status) in [
        (Committed, (1, 1), None, 0.0, NotStarted),
        (Committed, (1, 10), None, 0.1, NotStarted),
        (Committed, (1, 11), None, 1.0 / 9.0, Behind),
        (Committed, (1, 24), None, 23.0 / 90.0, AtRisk),
        (Committed, (2, 15), Some(4.0), 0.5, OnTrack),
        (Committed, (2, 15), Some(3.9), 0.5, Behind),
        (Committed, (2, 15), Some(2.5), 0.5, Behind),
        (Committed, (2, 15), Some(2.4), 0.5, AtRisk),
        (Committed, (2, 15), Some(-3.0), 0.5, AtRisk),
        (Committed, (2, 15), Some(9.9), 0.5, OnTrack),
        (Committed, (2, 15), Some(10.0), 0.5, Achieved),
        (Committed, (2, 15), Some(15.0), 0.5, Achieved),
        (Committed, (4, 1), Some(9.5), 1.0, Behind),
        (Committed, (4, 1), Some(10.0), 1.0, Achieved),
        (Committed, (4, 1), Some(7.4), 1.0, AtRisk),
        (Aspirational, (2, 15), Some(2.5), 0.35, OnTrack),
        (Aspirational, (2, 15), Some(7.0), 0.35, Achieved),
        (Aspirational, (4, 1), Some(6.9), 0.7, Behind),
        (Aspirational, (4, 1), Some(7.0), 0.7, Achieved),
    ] {
        let today = (month, day);
        let said = format!("{ambition:?}, {today:?}, {seen:?}");
        let last_day = today.min((3, 31));
        let given = company(ambition)
            .on(last_day.0, last_day.1)
            .and(seen.map(|number| deals("c", number)))
            .on(month, day);
        let state = state_of(&given);
        let progress = state.figures().key_result(&key_result_id("win/deals")).unwrap();
        assert!(close_to(progress.expected, expected), "{said}: {progress:?}");
        assert_eq!(progress.status, status, "{said}");
        assert_eq!(progress.current, seen, "{said}");
        assert_eq!(progress.progress, seen.unwrap_or(0.0) / 10.0, "raw: {said}");
        assert_eq!(progress.score, progress.progress.clamp(0.0, 1.0), "{said}");
        let objective = state.figures().objective(&id("win")).unwrap();
        assert_eq!(
            (objective.score, objective.status),
            (Some(progress.score), status),
            "{said}"
        );
        assert_eq!(objective.worst_status, Some(status), "{said}");
    }
}

/// "Elapsed on local date d runs from the later of the cycle's first day and the activation (a key result: its creation, if
/// later) to the earlier of the cycle's end and the due date: 0 on its first day, 1 after its last."
#[test]
fn elapsed_runs_from_the_later_beginning_to_the_earlier_end() {
    // (cycle active and objective activated on, key result created on, due, today, elapsed)
    for (activated, created, due, today, expected) in [
        ((1, 1), (1, 1), None, (1, 1), 0.0),
        ((1, 1), (1, 1), None, (1, 2), 1.0 / 90.0),
        ((1, 1), (1, 1), None, (3, 31), 89.0 / 90.0),
        ((1, 1), (1, 1), None, (4, 1), 1.0),
        ((1, 1), (1, 1), None, (12, 31), 1.0),
        ((1, 23), (1, 1), Some((2, 1)), (1, 23), 0.0),
        ((1, 23), (1, 1), Some((2, 1)), (1, 28), 0.5),
        ((1, 23), (1, 1), Some((2, 1)), (2, 1), 0.9),
        ((1, 23), (1, 1), Some((2, 1)), (2, 2), 1.0),
        ((1, 1), (3, 22), None, (3, 27), 0.5),
        ((1, 1), (2, 10), Some((2, 9)), (2, 10), 1.0),
        ((1, 1), (2, 10), Some((2, 10)), (2, 10), 0.0),
        ((1, 1), (2, 10), Some((2, 10)), (2, 11), 1.0),
        ((4, 5), (4, 5), None, (4, 5), 1.0),
    ] {
        let create = |given: Given| {
            given.and([key_result("win/deals", |f| {
                f.due_date = due.map(|(month, day)| date(2026, month, day));
            })])
        };
        let before = given(q1()).and([objective("win", |_| {})]);
        let (month, day) = activated;
        let given = match created <= activated {
            true => create(before).on(month, day).and([activate("win")]),
            false => create(
                before
                    .on(month, day)
                    .and([activate("win")])
                    .on(created.0, created.1),
            ),
        };
        let found = of_deals(&given.on(today.0, today.1)).expected;
        assert!(
            close_to(found, expected),
            "{found} instead of {expected}: active {activated:?}, created {created:?}, due {due:?}, on {today:?}"
        );
    }
    let early = given([
        cycle("q1", date(2026, 2, 1), date(2026, 2, 28), None),
        activate_cycle("q1"),
        objective("win", |_| {}),
        key_result("win/deals", |_| {}),
        activate("win"),
    ]);
    for ((month, day), expected) in [((1, 15), 0.0), ((2, 1), 0.0), ((2, 15), 0.5), ((3, 1), 1.0)] {
        let found = of_deals(&early.clone().on(month, day)).expected;
        assert_eq!(found, expected, "activated before the cycle's first day");
    }
}

/// "Expected: METRIC, MILESTONES E = bar × elapsed; BINARY 0 until due, then bar; MAINTAIN bar from the first observation."
/// "Bar: 1.0 COMMITTED, 0.7 ASPIRATIONAL (policy); a key result has its objective's."
#[test]
fn what_is_expected_follows_the_kind() {
    use Ambition::{Aspirational, Committed};
    let kinds = [
        ("win/metric", metric(Some(0.0), 10.0)),
        ("win/steps", milestones(&[("plan", 1.0), ("ship", 1.0)])),
        ("win/done", KeyResultKind::Binary),
        ("win/kept", maintain(Some(40.0), None, 0.0)),
        ("win/share", share(40.0)),
    ];
    for (ambition, bar, (month, day), due, seen, expected) in [
        (Committed, None, (2, 15), None, false, [0.5, 0.5, 0.0, 0.0, 0.0]),
        (Committed, None, (2, 15), None, true, [0.5, 0.5, 0.0, 1.0, 1.0]),
        (
            Committed,
            None,
            (3, 31),
            None,
            true,
            [89.0 / 90.0, 89.0 / 90.0, 0.0, 1.0, 1.0],
        ),
        (Committed, None, (4, 1), None, false, [1.0, 1.0, 1.0, 0.0, 0.0]),
        (
            Committed,
            None,
            (2, 14),
            Some((2, 14)),
            true,
            [44.0 / 45.0, 44.0 / 45.0, 0.0, 1.0, 1.0],
        ),
        (Committed, None, (2, 15), Some((2, 14)), true, [1.0; 5]),
        (
            Aspirational,
            None,
            (2, 15),
            None,
            true,
            [0.35, 0.35, 0.0, 0.7, 0.7],
        ),
        (Aspirational, None, (4, 1), None, true, [0.7; 5]),
        (
            Committed,
            Some(0.8),
            (2, 15),
            None,
            true,
            [0.4, 0.4, 0.0, 0.8, 0.8],
        ),
        (Committed, Some(0.8), (4, 1), None, true, [0.8; 5]),
    ] {
        let given = given(q1())
            .and([objective("win", |f| f.ambition = ambition)])
            .and(kinds.clone().map(|(path, kind)| {
                key_result(path, |f| {
                    f.kind = kind;
                    f.due_date = due.map(|(month, day)| date(2026, month, day));
                })
            }))
            .and([activate("win"), update_policy(|p| p.committed_bar = bar)])
            .and(
                [
                    saw("win/metric", "c", 1.0),
                    reached("win/steps", "c", &["plan"]),
                    saw("win/done", "c", 0.0),
                    saw("win/kept", "c", 45.0),
                    saw("win/share", "c", 45.0),
                ]
                .into_iter()
                .filter(|_| seen),
            )
            .on(month, day);
        for ((path, _), expected) in kinds.iter().zip(expected) {
            let found = key_result_of(&given, path).unwrap().expected;
            assert!(
                close_to(found, expected),
                "{path}: {found} instead of {expected}: {ambition:?} {bar:?} on {month}/{day} due {due:?} seen {seen}"
            );
        }
    }
    let forgotten = given(q1()).and([
        objective("win", |_| {}),
        key_result("win/deals", |f| f.kind = maintain(Some(40.0), None, 0.0)),
        activate("win"),
        deals("c", 45.0),
        retract("win/deals", "c"),
    ]);
    let progress = of_deals(&forgotten);
    assert_eq!((progress.expected, progress.status), (0.0, Status::NotStarted));
}

/// "**Every comparison with a threshold … allows 1e-9 in the owner's favour**".
#[test]
fn every_limit_of_a_status_allows_1e_9_in_the_owners_favour() {
    use Status::{Achieved, AtRisk, Behind, OnTrack};
    // On 15 February half is expected.
    for (ambition, day, seen, status) in [
        (Ambition::Committed, (2, 15), 4.0 - 1e-9, OnTrack),
        (Ambition::Committed, (2, 15), 4.0 - 1e-7, Behind),
        (Ambition::Committed, (2, 15), 2.5 - 1e-9, Behind),
        (Ambition::Committed, (2, 15), 2.5 - 1e-7, AtRisk),
        (Ambition::Committed, (2, 15), 10.0 - 1e-9, Achieved),
        (Ambition::Committed, (2, 15), 10.0 - 1e-7, OnTrack),
        (Ambition::Aspirational, (2, 15), 7.0 - 1e-9, Achieved),
        (Ambition::Aspirational, (2, 15), 7.0 - 1e-7, OnTrack),
        (Ambition::Committed, (4, 1), 10.0 - 1e-9, Achieved),
        (Ambition::Committed, (4, 1), 10.0 - 1e-7, Behind),
        (Ambition::Committed, (4, 1), 7.5 - 1e-9, Behind),
        (Ambition::Committed, (4, 1), 7.5 - 1e-7, AtRisk),
    ] {
        let given = company(ambition)
            .on(2, 15)
            .and([deals("c", seen)])
            .on(day.0, day.1);
        assert_eq!(
            of_deals(&given).status,
            status,
            "{ambition:?} at {seen} on {day:?}"
        );
        assert_eq!(of_win(&given).status, status, "{ambition:?} at {seen} on {day:?}");
    }
    let kept = |seen: f64| {
        let given = given(q1()).and([
            objective("win", |_| {}),
            key_result("win/deals", |f| f.kind = maintain(Some(40.0), None, 0.0)),
            activate("win"),
            deals("c", seen),
        ]);
        of_deals(&given).score
    };
    assert_eq!((kept(40.0 - 9e-10), kept(40.0 - 2e-9)), (1.0, 0.0));
}

#[test]
fn three_times_seven_tenths_is_the_aspirational_bar() {
    let key_results = ["win/a", "win/b", "win/c"];
    let given = given(q1())
        .and([objective("win", |fields| {
            fields.ambition = Ambition::Aspirational
        })])
        .and(key_results.map(|path| key_result(path, |_| {})))
        .and([activate("win")])
        .and(key_results.map(|path| saw(path, "c", 7.0)));
    assert_eq!(of_win(&given).status, Status::Achieved);
}

/// "`ACHIEVED` s ≥ bar (anything with MAINTAIN in it: only after the last day)".
#[test]
fn what_is_to_be_kept_is_achieved_only_after_the_last_day() {
    use Status::{Achieved, AtRisk, Behind, NotStarted, OnTrack};
    for (today, seen, due, status) in [
        ((1, 5), None, None, NotStarted),
        ((3, 31), None, None, NotStarted),
        ((1, 5), Some(45.0), None, OnTrack),
        ((3, 31), Some(40.0), None, OnTrack),
        ((4, 1), Some(40.0), None, Achieved),
        ((4, 1), Some(39.5), None, Behind),
        ((3, 31), Some(39.5), None, OnTrack),
        ((3, 31), Some(37.5), None, Behind),
        ((3, 31), Some(37.4), None, AtRisk),
        ((4, 1), Some(37.4), None, AtRisk),
        ((2, 1), Some(45.0), Some((2, 1)), OnTrack),
        ((2, 2), Some(45.0), Some((2, 1)), Achieved),
    ] {
        let given = given(q1())
            .and([
                objective("win", |_| {}),
                key_result("win/deals", |f| {
                    f.kind = maintain(Some(40.0), None, 10.0);
                    f.due_date = due.map(|(month, day)| date(2026, month, day));
                }),
                activate("win"),
            ])
            .and(seen.map(|number| deals("c", number)))
            .on(today.0, today.1);
        assert_eq!(
            of_deals(&given).status,
            status,
            "{seen:?} on {today:?}, due {due:?}"
        );
    }
    let mixed = company(Ambition::Committed).and([
        key_result("win/kept", |f| f.kind = maintain(Some(40.0), None, 10.0)),
        deals("c", 10.0),
        saw("win/kept", "c", 45.0),
    ]);
    for (today, status) in [((3, 31), OnTrack), ((4, 1), Achieved)] {
        let given = mixed.clone().on(today.0, today.1);
        assert_eq!(
            of_win(&given).status,
            status,
            "an objective with one in it on {today:?}"
        );
        assert_eq!(of_deals(&given).status, Achieved, "and not the one beside it");
    }
}

/// "An objective's E is the weighted mean of the E of what counts in it."
#[test]
fn an_objectives_expected_is_the_weighted_mean_of_its_key_results() {
    let given = company(Ambition::Committed)
        .and([
            key_result("win/half", |f| {
                f.weight = weight(3.0);
                f.due_date = Some(date(2026, 2, 14));
            }),
            key_result("win/done", |f| f.kind = KeyResultKind::Binary),
            key_result("win/nothing", |f| f.weight = weight(0.0)),
        ])
        .on(2, 15);
    assert_close(
        of_win(&given).expected,
        Some((0.5 + 3.0 + 0.0) / 5.0),
        "half, all, nothing",
    );
    let empty = super::given(q1()).and([objective("win", |_| {}), activate("win")]);
    assert_eq!(of_win(&empty).expected, None, "absent with the score");
}

/// "`NOT_STARTED` no observation yet and gap ≤ 0.10": one observation of anything is enough to have started.
#[test]
fn an_objective_has_started_with_its_first_observation() {
    let given = company(Ambition::Committed)
        .and([key_result("win/other", |_| {})])
        .on(1, 9);
    for (command, status) in [
        (None, Status::NotStarted),
        (Some(check_in("win/other", "c", in_words)), Status::NotStarted),
        (Some(saw("win/other", "c", 0.0)), Status::OnTrack),
    ] {
        let given = given.clone().and(command);
        assert_eq!(of_win(&given).status, status);
        let same_as_its_own = key_result_of(&given, "win/other").unwrap().status == status;
        assert!(same_as_its_own);
    }
}

/// "The worst status among key results (AT_RISK, BEHIND, NOT_STARTED, ON_TRACK, ACHIEVED) is answered beside the objective's
/// own."
#[test]
fn the_worst_status_is_answered_beside_the_objectives_own() {
    let saying = |path: &str, status| {
        check_in(path, "c", move |c| {
            c.value = Some(value(5.0));
            c.status_override = Some(status);
        })
    };
    let given = given(q1())
        .and([objective("win", |_| {}), key_result("win/achieved", |_| {})])
        .and([activate("win"), saw("win/achieved", "c", 10.0)])
        .on(1, 9);
    assert_eq!(of_win(&given).worst_status, Some(Status::Achieved));
    let mut given = given;
    for (path, command, worst) in [
        (
            "win/on-track",
            Some(saw("win/on-track", "c", 1.0)),
            Status::OnTrack,
        ),
        ("win/not-started", None, Status::NotStarted),
        (
            "win/behind",
            Some(saying("win/behind", StatusOverride::Behind)),
            Status::Behind,
        ),
        (
            "win/at-risk",
            Some(saying("win/at-risk", StatusOverride::AtRisk)),
            Status::AtRisk,
        ),
    ] {
        given = given
            .and([key_result(path, |f| f.weight = weight(0.0))])
            .and(command);
        let win = of_win(&given);
        assert_eq!(
            (win.worst_status, win.status),
            (Some(worst), Status::Achieved),
            "with {path}"
        );
    }
}

/// "A check-in's override (ON_TRACK, BEHIND, AT_RISK) stands until the next check-in by effective time or until outdated."
#[test]
fn an_override_stands_until_the_next_check_in_or_until_it_is_outdated() {
    let overridden =
        company(Ambition::Committed)
            .on(2, 15)
            .and([check_in("win/deals", "worried", |check_in| {
                check_in.value = Some(value(10.0));
                check_in.status_override = Some(StatusOverride::AtRisk);
            })]);
    let status = |given: &Given| of_deals(given).status;
    assert_eq!(status(&overridden), Status::AtRisk);
    assert_eq!(
        status(&overridden.clone().on(2, 25)),
        Status::AtRisk,
        "a week and three days"
    );
    assert_eq!(
        status(&overridden.clone().on(2, 26)),
        Status::Achieved,
        "outdated"
    );
    let earlier = check_in("win/deals", "late", |check_in| {
        check_in.effective = Effective::At(at(2026, 2, 14, 12));
        check_in.value = Some(value(1.0));
    });
    assert_eq!(
        status(&overridden.clone().and([earlier])),
        Status::AtRisk,
        "the next by effective time"
    );
    assert_eq!(
        status(&overridden.on(2, 16).and([deals("next", 10.0)])),
        Status::Achieved
    );
}

/// "stands until the next check-in": also until one that says nothing of the status; a retracted one says nothing.
#[test]
fn an_override_ends_with_the_next_check_in_of_any_kind() {
    let worried = |c: &mut crate::domain::NewCheckIn| {
        c.value = Some(value(10.0));
        c.status_override = Some(StatusOverride::AtRisk);
    };
    let given = company(Ambition::Committed)
        .on(2, 14)
        .and([check_in("win/deals", "worried", worried)])
        .on(2, 15);
    for (command, status) in [
        (check_in("win/deals", "words", in_words), Status::Achieved),
        (retract("win/deals", "worried"), Status::AtRisk),
        (
            correct("win/deals", "worried", |p| p.status_override = Some(None)),
            Status::Achieved,
        ),
        (
            correct("win/deals", "worried", |p| {
                p.status_override = Some(Some(StatusOverride::OnTrack))
            }),
            Status::OnTrack,
        ),
        (
            correct("win/deals", "worried", |p| {
                p.effective = Some(Effective::On(date(2025, 12, 31)))
            }),
            Status::AtRisk,
        ),
    ] {
        let said = format!("{command:?}");
        assert_eq!(of_deals(&given.clone().and([command])).status, status, "{said}");
    }
    let taken_back = given.and([
        check_in("win/deals", "words", in_words),
        retract("win/deals", "words"),
    ]);
    assert_eq!(
        of_deals(&taken_back).status,
        Status::AtRisk,
        "the one before is the newest again"
    );
}

/// "After the last day a missed bar is at best BEHIND": whoever says otherwise.
#[test]
fn nobody_says_on_track_of_a_bar_missed_after_the_last_day() {
    use StatusOverride::{AtRisk, Behind, OnTrack};
    for (seen, said, today, status) in [
        (5.0, OnTrack, (3, 31), Status::OnTrack),
        (5.0, OnTrack, (4, 1), Status::Behind),
        (9.9, OnTrack, (4, 1), Status::Behind),
        (5.0, Behind, (4, 1), Status::Behind),
        (9.9, AtRisk, (4, 1), Status::AtRisk),
        (10.0, OnTrack, (4, 1), Status::OnTrack),
        (10.0, AtRisk, (4, 1), Status::AtRisk),
    ] {
        let given = company(Ambition::Committed)
            .on(3, 30)
            .and([check_in("win/deals", "c", move |c| {
                c.value = Some(value(seen));
                c.status_override = Some(said);
            })])
            .on(today.0, today.1);
        assert_eq!(of_deals(&given).status, status, "{said:?} of {seen} on {today:?}");
    }
    let due = given(q1())
        .and([
            objective("win", |_| {}),
            key_result("win/deals", |f| f.due_date = Some(date(2026, 2, 1))),
            activate("win"),
        ])
        .on(2, 1)
        .and([check_in("win/deals", "c", |c| {
            c.value = Some(value(5.0));
            c.status_override = Some(OnTrack);
        })]);
    assert_eq!(of_deals(&due).status, Status::OnTrack, "its last day");
    assert_eq!(of_deals(&due.on(2, 2)).status, Status::Behind, "the day after");
}

/// "first and last date (local, inclusive)", "Elapsed on local date d": days are the workspace's own, also those of 23 and of
/// 25 hours.
#[test]
fn days_are_counted_in_the_workspaces_own_time_zone() {
    // Clocks go forward on 8 March 2026 in New York and on 29 March in Beirut, there at midnight.
    for (zone, last_moment) in [
        ("America/New_York", at(2026, 4, 1, 4)),
        ("Asia/Beirut", at(2026, 3, 31, 21)),
        ("UTC", at(2026, 4, 1, 0)),
        ("Pacific/Kiritimati", at(2026, 3, 31, 10)),
    ] {
        let before = Timestamp::from_micros(last_moment.as_micros() - 1);
        let given = given_in(zone, 1, q1())
            .and([
                objective("win", |_| {}),
                key_result("win/deals", |_| {}),
                activate("win"),
            ])
            .on(4, 3);
        let seen_at = |name: &str, moment, number| {
            check_in("win/deals", name, move |c| {
                c.effective = Effective::At(moment);
                c.value = Some(value(number));
            })
        };
        let given = given.and([seen_at("in", before, 5.0), seen_at("after", last_moment, 9.0)]);
        assert_eq!(of_deals(&given).current, Some(5.0), "{zone}");
    }
    let new_york = given_in("America/New_York", 1, q1()).and([
        objective("win", |_| {}),
        key_result("win/deals", |_| {}),
        activate("win"),
    ]);
    for ((month, day, hour), days) in [
        ((3, 8, 12), 66.0),
        ((3, 9, 3), 66.0),
        ((3, 9, 4), 67.0),
        ((4, 1, 4), 90.0),
    ] {
        let given = new_york.clone().at_hour(month, day, hour);
        let found = of_deals(&given).expected;
        assert!(
            close_to(found, days / 90.0),
            "{found} on {month}/{day} at {hour} in UTC"
        );
    }
}
