//! The current value of a key result, and its progress, by kind, window and source.

use jiff::civil::date;

use super::*;
use crate::domain::{
    Aggregation, Cadence, Command, Confidence, Effective, KeyResultFields, KeyResultKind, Status, Window,
};

/// A value at noon of a day, in UTC.
fn measured_on(day: jiff::civil::Date, number: f64) -> Command {
    let moment = at(day.year(), day.month(), day.day(), 12);
    Command::RecordMeasurements(vec![measurement("kpi", Effective::At(moment), number)])
}

/// An objective whose key result follows a KPI.
fn linked(cadence: Cadence, aggregation: Aggregation, change: impl FnOnce(&mut KeyResultFields)) -> Given {
    given(q1()).and([
        kpi("kpi", |f| {
            f.cadence = cadence;
            f.aggregation = aggregation;
        }),
        objective("win", |_| {}),
        key_result("win/deals", |f| {
            f.kpi = Some(id("kpi"));
            change(f);
        }),
        activate("win"),
    ])
}

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

/// "the key result may choose the window `CYCLE` instead (everything since the cycle began, up to its last day: "revenue of the
/// quarter")".
#[test]
fn the_window_cycle_takes_everything_from_its_first_day_to_its_last() {
    use Aggregation::{Count, Last, Max, Mean, Min, Sum};
    for (aggregation, early, in_february, at_the_end) in [
        (Sum, None, Some(6.0), Some(12.0)),
        (Count, None, Some(2.0), Some(3.0)),
        (Mean, None, Some(3.0), Some(4.0)),
        (Min, None, Some(2.0), Some(2.0)),
        (Max, None, Some(4.0), Some(6.0)),
        (Last, None, Some(4.0), Some(6.0)),
    ] {
        let cadence = Cadence::Monthly;
        let given = linked(cadence, aggregation, |f| f.window = Window::Cycle)
            .and([measured_on(date(2025, 12, 31), 100.0)]);
        let check = |given: &Given, current, provisional, when: &str| {
            let found = of_deals(given);
            assert_eq!(
                (found.current, found.provisional),
                (current, provisional),
                "{aggregation:?} {when}"
            );
            assert_eq!(
                found.progress,
                current.unwrap_or(0.0) / 10.0,
                "{aggregation:?} {when}"
            );
        };
        check(&given, early, false, "before the first value");
        let given = given
            .and([measured_on(date(2026, 1, 1), 2.0)])
            .on(2, 28)
            .and([measured_on(date(2026, 2, 28), 4.0)]);
        check(&given, in_february, true, "in February");
        let given = given.on(3, 31).and([measured_on(date(2026, 3, 31), 6.0)]);
        check(&given, at_the_end, true, "on the last day");
        let given = given.on(4, 1).and([measured_on(date(2026, 4, 1), 50.0)]);
        check(&given, at_the_end, false, "the day after");
        let given = given.on(12, 31);
        check(&given, at_the_end, false, "at the end of the year");
    }
}

/// "Only what is dated within its cycle counts: …, LAST values, and periods that end in it (or are running)"; "SUM and COUNT use
/// complete periods only; the others may use the running one, marked `provisional`."
#[test]
fn the_newest_period_value_is_of_the_cycle() {
    use Aggregation::{Count, Last, Max, Mean, Sum};
    // 1 January 2026 is a Thursday: the first week ends on 4 January, the last that ends in the cycle on 29 March.
    for (aggregation, first_week, while_running, at_the_end, after) in [
        (Sum, None, Some(3.0), Some(8.0), Some(8.0)),
        (Count, None, Some(2.0), Some(1.0), Some(1.0)),
        (Mean, Some(1.5), Some(6.0), Some(4.0), Some(8.0)),
        (Max, Some(2.0), Some(6.0), Some(4.0), Some(8.0)),
        (Last, Some(2.0), Some(6.0), Some(4.0), Some(4.0)),
    ] {
        let given = linked(Cadence::Weekly, aggregation, |_| {})
            .and([measured_on(date(2025, 12, 30), 1.0)])
            .on(1, 2)
            .and([measured_on(date(2026, 1, 2), 2.0)]);
        let current = |given: &Given| of_deals(given).current;
        assert_eq!(current(&given), first_week, "{aggregation:?} in the first week");
        assert_eq!(of_deals(&given).provisional, first_week.is_some());
        let given = given.on(1, 5).and([measured_on(date(2026, 1, 5), 6.0)]);
        assert_eq!(current(&given), while_running, "{aggregation:?} in the second");
        let given = given.on(3, 31).and([
            measured_on(date(2026, 3, 25), 8.0),
            measured_on(date(2026, 3, 31), 4.0),
        ]);
        assert_eq!(current(&given), at_the_end, "{aggregation:?} on the last day");
        let given = given.on(4, 6).and([measured_on(date(2026, 4, 1), 90.0)]);
        assert_eq!(
            current(&given),
            after,
            "{aggregation:?} when the last week is over"
        );
        assert!(!of_deals(&given).provisional);
    }
    let before = linked(Cadence::Weekly, Last, |_| {}).and([measured_on(date(2025, 12, 31), 9.0)]);
    assert_eq!(
        of_deals(&before).current,
        None,
        "in the first week, but not in the cycle"
    );
}

/// "mode SHARE: periods that held ÷ periods with data, since the cycle began".
#[test]
fn a_share_is_of_the_periods_with_data_in_every_cadence() {
    use Aggregation::{Count, Last, Max, Mean, Min, Sum};
    use Cadence::{Annual, Daily, Irregular, Monthly, Quarterly, Semiannual, Weekly};
    let day = |month, day| date(2026, month, day);
    let new_year = date(2025, 12, 31);
    for (cadence, aggregation, values, today, held, with_data, provisional) in [
        (
            Daily,
            Last,
            vec![
                (new_year, 9.0),
                (day(1, 1), 45.0),
                (day(1, 2), 35.0),
                (day(1, 5), 45.0),
            ],
            (1, 5),
            2,
            3,
            true,
        ),
        (
            Daily,
            Last,
            vec![(day(1, 1), 35.0), (day(1, 2), 40.0 - 1e-10)],
            (1, 9),
            1,
            2,
            false,
        ),
        (
            Daily,
            Sum,
            vec![(day(1, 1), 45.0), (day(1, 2), 35.0), (day(1, 5), 45.0)],
            (1, 5),
            1,
            2,
            false,
        ),
        (
            Weekly,
            Sum,
            vec![
                (new_year, 10.0),
                (day(1, 1), 30.0),
                (day(1, 6), 10.0),
                (day(1, 14), 99.0),
            ],
            (1, 14),
            1,
            2,
            false,
        ),
        (
            Weekly,
            Last,
            vec![(day(1, 1), 45.0), (day(1, 4), 35.0), (day(1, 5), 45.0)],
            (1, 5),
            1,
            2,
            true,
        ),
        (
            Monthly,
            Mean,
            vec![
                (day(1, 5), 50.0),
                (day(1, 6), 40.0),
                (day(2, 1), 10.0),
                (day(3, 9), 60.0),
            ],
            (3, 10),
            2,
            3,
            true,
        ),
        (
            Monthly,
            Min,
            vec![(day(1, 5), 50.0), (day(1, 6), 39.0)],
            (4, 20),
            0,
            1,
            false,
        ),
        (
            Quarterly,
            Max,
            vec![(day(1, 5), 10.0), (day(2, 5), 50.0)],
            (2, 5),
            1,
            1,
            true,
        ),
        (Quarterly, Count, vec![(day(1, 5), 10.0)], (3, 31), 0, 0, false),
        (Quarterly, Count, vec![(day(1, 5), 10.0)], (4, 1), 0, 1, false),
        (Semiannual, Sum, vec![(day(1, 5), 50.0)], (4, 1), 0, 0, false),
        (
            Annual,
            Last,
            vec![(day(1, 5), 10.0), (day(2, 5), 50.0)],
            (2, 5),
            1,
            1,
            true,
        ),
        // The week of 30 March to 5 April ends behind the cycle.
        (
            Weekly,
            Mean,
            vec![(day(3, 25), 45.0), (day(3, 31), 10.0)],
            (3, 31),
            1,
            2,
            true,
        ),
        (
            Weekly,
            Mean,
            vec![(day(3, 25), 45.0), (day(3, 31), 10.0)],
            (4, 6),
            1,
            1,
            false,
        ),
        (
            Weekly,
            Last,
            vec![(day(3, 25), 45.0), (day(3, 31), 10.0)],
            (4, 6),
            1,
            2,
            false,
        ),
        (
            Irregular,
            Sum,
            vec![
                (day(1, 5), 45.0),
                (day(1, 6), 35.0),
                (day(1, 7), 45.0),
                (day(1, 8), 1.0),
            ],
            (1, 8),
            2,
            4,
            false,
        ),
        (Daily, Last, vec![], (1, 8), 0, 0, false),
    ] {
        let said = format!("{cadence:?} {aggregation:?} {values:?} on {today:?}");
        let given = linked(cadence, aggregation, |f| f.kind = share(40.0))
            .on(today.0, today.1)
            .and(values.into_iter().map(|(day, number)| measured_on(day, number)));
        let found = of_deals(&given);
        assert_eq!(
            (found.periods_held, found.periods_with_data),
            (held, with_data),
            "{said}"
        );
        let share = if with_data == 0 {
            0.0
        } else {
            f64::from(held) / f64::from(with_data)
        };
        assert_eq!(found.progress, share, "{said}");
        assert_eq!(found.current.is_some(), with_data > 0, "{said}");
        assert_eq!(found.provisional, provisional, "{said}");
    }
}

/// Without a KPI there are no periods: each value seen stands alone, and what is said without one is no period with data.
#[test]
fn a_share_without_a_kpi_is_of_the_check_ins() {
    let given = given(q1())
        .and([
            objective("win", |_| {}),
            key_result("win/deals", |f| f.kind = share(40.0)),
            activate("win"),
        ])
        .on(1, 9)
        .and([
            check_in("win/deals", "before", |c| {
                c.effective = Effective::On(date(2025, 12, 31));
                c.value = Some(value(1.0));
            }),
            saw_on("win/deals", "a", (1, 3), 45.0),
            saw_on("win/deals", "b", (1, 3), 40.0),
            saw_on("win/deals", "c", (1, 4), 39.0),
            check_in("win/deals", "d", in_words),
        ]);
    let found = of_deals(&given);
    assert_eq!((found.periods_held, found.periods_with_data), (2, 3));
    assert_eq!((found.current, found.progress), (Some(39.0), 2.0 / 3.0));
    let found = of_deals(&given.and([retract("win/deals", "c")]));
    assert_eq!((found.periods_held, found.progress), (2, 1.0));
}

/// "A key result whose KPI is deleted keeps its last value, flagged `source_deleted`."
#[test]
fn a_deleted_kpi_leaves_its_last_value() {
    for window in [Window::Newest, Window::Cycle] {
        let given = linked(Cadence::Daily, Aggregation::Last, |f| f.window = window)
            .and([measured_on(date(2026, 1, 1), 5.0)]);
        let seen = |given: &Given| {
            let found = of_deals(given);
            (found.current, found.score, found.source_deleted)
        };
        assert_eq!(seen(&given), (Some(5.0), 0.5, false));
        let deleted = given.and([delete("kpis/kpi")]);
        assert_eq!(seen(&deleted), (Some(5.0), 0.5, true));
        assert_eq!(of_win(&deleted).score, Some(0.5));
        assert_eq!(seen(&deleted.clone().on(3, 1)), (Some(5.0), 0.5, true));
        let closed = deleted.clone().and([close("win", explained())]);
        assert_eq!(seen(&closed), (Some(5.0), 0.5, true));
        let back = deleted.and([undelete("kpis/kpi"), measured_on(date(2026, 1, 1), 7.0)]);
        assert_eq!(seen(&back), (Some(7.0), 0.7, false));
    }
}
