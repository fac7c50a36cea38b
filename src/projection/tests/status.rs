//! Expected progress, the status that follows from it, and what somebody said of it instead.

use jiff::civil::date;

use super::*;
use crate::domain::{Effective, Status, StatusOverride};

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
