//! Expected progress: from which day to which, of which kind.

use jiff::civil::date;

use super::*;
use crate::domain::{Effective, KeyResultKind, Timestamp};

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
