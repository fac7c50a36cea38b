//! Rules about objectives.

use jiff::civil::date;

use super::*;
use crate::domain::{Alignment, Direction, Effective, Role};
use crate::projection::Foundation;

fn of_sales(names: &[&str]) -> Vec<Command> {
    let one = |name: &&str| objective(name, |fields| fields.team = Some(id("sales")));
    names.iter().map(one).collect()
}

/// "More than 3 objectives of a team in a cycle (sources differ: 3, or 3 to 5: policy)".
#[test]
fn more_objectives_of_a_team_in_a_cycle_than_the_policy_allows_are_found() {
    let sales = || running(Preset::Full).and([team("sales", None)]);
    let four = || sales().and(of_sales(&["a", "b", "c", "d"]));
    check(
        FindingCode::TooManyObjectives,
        [
            ("three", sales().and(of_sales(&["a", "b", "c"])), &[][..]),
            ("four", four(), &["teams/sales"]),
            (
                "five allowed",
                four().and([limit(|it| it.objectives_of_team_max = 5)]),
                &[],
            ),
            ("one of four canceled", four().and([cancel("a")]), &[]),
            ("one of four deleted", four().and([delete("objectives/a")]), &[]),
            (
                "of the company itself",
                running(Preset::Full).and(["a", "b", "c", "d"].map(|name| objective(name, |_| {}))),
                &["cycles/q1"],
            ),
            (
                "in two cycles",
                four().and([
                    cycle("q2", date(2026, 4, 1), date(2026, 6, 30), None),
                    objective("e", |fields| {
                        fields.team = Some(id("sales"));
                        fields.cycle = id("q2");
                    }),
                    delete("objectives/d"),
                ]),
                &[],
            ),
            (
                "KPIs alone",
                running(Preset::KpiOnly)
                    .and([team("sales", None)])
                    .and(of_sales(&["a", "b", "c", "d"])),
                &[],
            ),
        ],
    );
}

/// "objective without owner".
#[test]
fn an_objective_without_owner_is_found_while_it_is_open() {
    let nobodys = || running(Preset::Full).and([objective("win", |fields| fields.owner = None)]);
    check(
        FindingCode::ObjectiveWithoutOwner,
        [
            ("none", nobodys(), &["objectives/win"][..]),
            ("one", running(Preset::Full).and([objective("win", |_| {})]), &[]),
            ("canceled", nobodys().and([cancel("win")]), &[]),
            ("deleted", nobodys().and([delete("objectives/win")]), &[]),
            ("in a closed cycle", nobodys().and(closed("q1")), &[]),
        ],
    );
}

fn with_key_results(preset: Preset, count: usize) -> Given {
    let key_results = (0..count).map(|number| key_result(&format!("win/k{number}"), |_| {}));
    running(preset).and([objective("win", |_| {})]).and(key_results)
}

/// "not 3 to 5 key results", "without key results"; "`SMALL` (no \"too few\" findings)", "`KPI_ONLY` (no OKR findings".
#[test]
fn an_objective_has_3_to_5_key_results() {
    use FindingCode::{ObjectiveWithoutKeyResults, TooFewKeyResults, TooManyKeyResults};
    let win: &[&str] = &["objectives/win"];
    for (preset, count, none, few, many) in [
        (Preset::Full, 0, win, &[][..], &[][..]),
        (Preset::Full, 1, &[], win, &[]),
        (Preset::Full, 2, &[], win, &[]),
        (Preset::Full, 3, &[], &[], &[]),
        (Preset::Full, 5, &[], &[], &[]),
        (Preset::Full, 6, &[], &[], win),
        (Preset::Small, 0, win, &[], &[]),
        (Preset::Small, 2, &[], &[], &[]),
        (Preset::Small, 6, &[], &[], win),
        (Preset::KpiOnly, 0, &[], &[], &[]),
        (Preset::KpiOnly, 2, &[], &[], &[]),
        (Preset::KpiOnly, 6, &[], &[], &[]),
    ] {
        let given = || with_key_results(preset, count);
        check(ObjectiveWithoutKeyResults, [("none", given(), none)]);
        check(TooFewKeyResults, [("few", given(), few)]);
        check(TooManyKeyResults, [("many", given(), many)]);
    }
    let other = limit(|limits| (limits.key_results_min, limits.key_results_max) = (1, 6));
    let with = |count| with_key_results(Preset::Full, count);
    check(
        TooFewKeyResults,
        [("one is enough", with(1).and([other.clone()]), &[][..])],
    );
    check(
        TooManyKeyResults,
        [("six are allowed", with(6).and([other]), &[][..])],
    );
    let deleted = with(3).and([delete("keyResults/win/k0")]);
    check(TooFewKeyResults, [("a deleted one counts nowhere", deleted, win)]);
}

/// "without alignment though its team has a parent".
#[test]
fn an_objective_of_a_team_below_another_is_aligned() {
    let teams = || running(Preset::Full).and([team("sales", None), team("brazil", Some("sales"))]);
    let of = |name: &str, owner: &str| {
        let owner = id(owner);
        objective(name, |fields| fields.team = Some(owner))
    };
    check(
        FindingCode::ObjectiveWithoutAlignment,
        [
            (
                "below, aligned to nothing",
                teams().and([of("win", "brazil")]),
                &["objectives/win"][..],
            ),
            ("nothing is above", teams().and([of("win", "sales")]), &[]),
            ("of the company", teams().and([objective("win", |_| {})]), &[]),
            (
                "below, aligned",
                teams().and([
                    of("grow", "sales"),
                    objective("win", |fields| {
                        fields.team = Some(id("brazil"));
                        fields.aligned_to = Some(Alignment::Objective(id("grow")));
                    }),
                ]),
                &[],
            ),
        ],
    );
}

/// "that serves and measures no KPI".
#[test]
fn an_objective_serves_or_measures_a_kpi() {
    let nps = || running(Preset::Full).and([kpi("nps", |_| {})]);
    let serves = || objective("win", |fields| fields.serves = vec![id("nps")]);
    let measures = || {
        [
            objective("win", |_| {}),
            key_result("win/nps", |fields| fields.kpi = Some(id("nps"))),
        ]
    };
    check(
        FindingCode::ObjectiveWithoutKpi,
        [
            (
                "neither",
                nps().and([objective("win", |_| {})]),
                &["objectives/win"][..],
            ),
            ("serves one", nps().and([serves()]), &[]),
            ("measures one", nps().and(measures()), &[]),
            (
                "serves a deleted one",
                nps().and([serves(), delete("kpis/nps")]),
                &["objectives/win"],
            ),
            (
                "measures by a deleted key result",
                nps().and(measures()).and([delete("keyResults/win/nps")]),
                &["objectives/win"],
            ),
        ],
    );
}

/// "aligned under a closed cycle".
#[test]
fn an_objective_is_aligned_under_what_still_runs() {
    use FindingCode::{AlignedUnderCanceled, AlignedUnderClosedCycle, AlignedUnderDeleted};
    let above = || {
        running(Preset::Full).and([
            cycle("h2", date(2025, 7, 1), date(2025, 12, 31), None),
            activate_cycle("h2"),
            objective("grow", |fields| fields.cycle = id("h2")),
            key_result("grow/deals", |_| {}),
            objective("win", |fields| {
                fields.aligned_to = Some(Alignment::KeyResult(key_result_id("grow/deals")));
            }),
        ])
    };
    let win: &[&str] = &["objectives/win"];
    for (what, given, closed, deleted, canceled) in [
        ("it stands", above(), &[][..], &[][..], &[][..]),
        ("its cycle is closed", above().and(closed("h2")), win, &[], &[]),
        (
            "it is deleted",
            above().and([delete("objectives/grow")]),
            &[],
            win,
            &[],
        ),
        (
            "its key result is deleted",
            above().and([delete("keyResults/grow/deals")]),
            &[],
            win,
            &[],
        ),
        ("it is canceled", above().and([cancel("grow")]), &[], &[], win),
        (
            "it is canceled in a closed cycle",
            above().and([cancel("grow")]).and(closed("h2")),
            &[],
            &[],
            win,
        ),
    ] {
        check(AlignedUnderClosedCycle, [(what, given.clone(), closed)]);
        check(AlignedUnderDeleted, [(what, given.clone(), deleted)]);
        check(AlignedUnderCanceled, [(what, given, canceled)]);
    }
}

/// A KPI of sales that is healthy from 50 up, with a value.
fn judged(name: &str, seen: f64) -> [Command; 3] {
    [
        kpi(name, |fields| fields.team = Some(id("sales"))),
        target(name, date(2026, 1, 1), |target| {
            target.at_least = Some(value(50.0));
            target.critical_at_least = Some(value(40.0));
        }),
        measured(name, 1, 1, seen),
    ]
}

/// "**Foundation** of an objective or team: `SOLID | WEAK | UNKNOWN` from the health of the KPIs it serves and the team's
/// own".
#[test]
fn a_foundation_is_weak_where_at_least_half_of_the_judged_kpis_are_breached() {
    use Foundation::{Solid, Unknown, Weak};
    let (healthy, watch, breached) = (60.0, 45.0, 30.0);
    for (seen, expected) in [
        (&[][..], Unknown),
        (&[healthy][..], Solid),
        (&[watch], Solid),
        (&[breached], Weak),
        (&[breached, healthy], Weak),
        (&[breached, healthy, watch], Solid),
        (&[breached, breached, healthy], Weak),
    ] {
        let kpis = seen.iter().zip(["a", "b", "c"]);
        let given = running(Preset::Full)
            .and([
                team("sales", None),
                kpi("unfed", |fields| fields.team = Some(id("sales"))),
            ])
            .and(kpis.flat_map(|(seen, name)| judged(name, *seen)))
            .and([objective("win", |fields| fields.team = Some(id("sales")))]);
        let state = state_of(&given);
        let figures = state.figures();
        assert_eq!(figures.team_foundation(&id("sales")), expected, "{seen:?}");
        assert_eq!(figures.objective_foundation(&id("win")), expected, "{seen:?}");
        let weak: &[&str] = match expected {
            Weak => &["objectives/win", "teams/sales"],
            Solid | Unknown => &[],
        };
        check(FindingCode::WeakFoundation, [("sales", given, weak)]);
    }
}

/// "A KPI in trouble is where an objective starts": what it measures does not speak against it, what it serves does.
#[test]
fn an_objective_rests_on_what_it_serves_and_not_on_what_it_is_there_to_mend() {
    let company = || {
        running(Preset::Full)
            .and([team("sales", None)])
            .and(judged("nps", 30.0))
    };
    let measures = key_result("win/nps", |fields| {
        fields.kpi = Some(id("nps"));
        fields.kind = metric(Some(30.0), 50.0);
    });
    check(
        FindingCode::WeakFoundation,
        [
            (
                "it serves it",
                company().and([objective("win", |fields| fields.serves = vec![id("nps")])]),
                &["objectives/win"][..],
            ),
            (
                "it mends one of its team",
                company().and([
                    objective("win", |fields| fields.team = Some(id("sales"))),
                    measures,
                ]),
                &["teams/sales"],
            ),
            (
                "the KPI is deleted",
                company().and([
                    objective("win", |fields| fields.serves = vec![id("nps")]),
                    delete("kpis/nps"),
                ]),
                &[],
            ),
            ("a team without objectives", company(), &[]),
        ],
    );
}

/// "owner who is no longer a member".
#[test]
fn an_owner_is_a_member() {
    let rui = || Some(id("rui"));
    let company = || {
        running(Preset::Full).and([
            member("rui", "rui", Role::Contributor),
            objective("win", |fields| fields.owner = rui()),
            key_result("win/deals", |fields| fields.owner = rui()),
            initiative("win/demos", |fields| fields.owner = rui()),
            kpi("nps", |fields| fields.owner = rui()),
        ])
    };
    let owned: &[&str] = &[
        "kpis/nps",
        "objectives/win",
        "objectives/win/initiatives/demos",
        "objectives/win/keyResults/deals",
    ];
    check(
        FindingCode::OwnerNotMember,
        [
            ("still there", company(), &[][..]),
            ("gone", company().and([delete("members/rui")]), owned),
            (
                "gone, and the objective too",
                company().and([delete("members/rui"), delete("objectives/win")]),
                &["kpis/nps"],
            ),
            (
                "gone, KPIs alone",
                given_for(
                    Preset::KpiOnly,
                    [
                        member("rui", "rui", Role::Contributor),
                        kpi("nps", |fields| fields.owner = rui()),
                        delete("members/rui"),
                    ],
                ),
                &["kpis/nps"],
            ),
        ],
    );
}

#[test]
fn what_a_deleted_team_owns_is_found() {
    let company = || {
        running(Preset::Full).and([
            team("sales", None),
            objective("win", |fields| fields.team = Some(id("sales"))),
            kpi("nps", |fields| {
                fields.team = Some(id("sales"));
                fields.direction = Direction::LowerIsBetter;
            }),
        ])
    };
    check(
        FindingCode::TeamDeleted,
        [
            ("it stands", company(), &[][..]),
            (
                "deleted",
                company().and([delete("teams/sales")]),
                &["kpis/nps", "objectives/win"],
            ),
            (
                "deleted with the rest",
                company().and([delete("teams/sales"), delete("kpis/nps"), cancel("win")]),
                &[],
            ),
        ],
    );
    // A value recorded in the meantime changes nothing about it.
    let later = company().and([
        delete("teams/sales"),
        Command::RecordMeasurements(vec![measurement("nps", Effective::Now, 1.0)]),
    ]);
    assert_eq!(found(&later, FindingCode::TeamDeleted).len(), 2);
}

/// "an objective whose starting alert recovered".
#[test]
fn an_objective_outlives_its_starting_alert() {
    let started = || {
        running(Preset::Full)
            .and([
                kpi("nps", |_| {}),
                target("nps", date(2026, 1, 1), |target| {
                    target.at_least = Some(value(50.0))
                }),
                measured("nps", 1, 1, 40.0),
            ])
            .and([start_objective("nps", "better")])
            .on(1, 5)
    };
    const BETTER: &[&str] = &["objectives/better"];
    let rows: [Row; 5] = [
        ("still open", started(), &[]),
        ("recovered", started().and([measured("nps", 1, 4, 55.0)]), BETTER),
        ("corrected", started().and([measured("nps", 1, 1, 55.0)]), BETTER),
        (
            "the target changed",
            started().and([target("nps", date(2026, 1, 1), |target| {
                target.at_least = Some(value(30.0));
            })]),
            &[],
        ),
        (
            "canceled",
            started().and([measured("nps", 1, 4, 55.0), cancel("better")]),
            &[],
        ),
    ];
    check(FindingCode::StartingAlertRecovered, rows);
}
