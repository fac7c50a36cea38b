//! Rules about KPIs.

use jiff::civil::date;

use super::*;
use crate::domain::{ActionPlan, Aggregation, AlertKind, Cadence, Effective, KpiFields, Text};

const NPS: &[&str] = &["kpis/nps"];

fn text(words: &str) -> Text {
    Text::parse(words).unwrap()
}

fn at_least(name: &str, bound: f64) -> Command {
    target(name, date(2026, 1, 1), |target| {
        target.at_least = Some(value(bound))
    })
}

/// "KPI without owner, data source, target".
#[test]
fn a_kpi_has_an_owner_a_data_source_and_a_target() {
    use FindingCode::{KpiWithoutDataSource, KpiWithoutOwner, KpiWithoutTarget};
    for preset in [Preset::Full, Preset::Small, Preset::KpiOnly] {
        let with = |change: fn(&mut KpiFields)| given_for(preset, [kpi("nps", change)]);
        let bare = || with(|_| {});
        check(
            KpiWithoutOwner,
            [
                ("none", bare(), NPS),
                ("one", with(|fields| fields.owner = Some(id("maria"))), &[]),
                ("deleted", bare().and([delete("kpis/nps")]), &[]),
                (
                    "replaced",
                    bare().and([kpi("nps-2", |fields| {
                        fields.owner = Some(id("maria"));
                        fields.replaces = Some(id("nps"));
                    })]),
                    &[],
                ),
            ],
        );
        check(
            KpiWithoutDataSource,
            [
                ("none", bare(), NPS),
                ("blank", with(|fields| fields.data_source = text("  ")), NPS),
                ("one", with(|fields| fields.data_source = text("CRM")), &[]),
            ],
        );
        check(
            KpiWithoutTarget,
            [
                ("none", bare(), NPS),
                ("one", bare().and([at_least("nps", 50.0)]), &[]),
                (
                    "one to come",
                    bare().and([target("nps", date(2026, 6, 1), |it| {
                        it.at_least = Some(value(50.0))
                    })]),
                    &[],
                ),
            ],
        );
    }
}

/// A weekly KPI that is to be 50, with a value in each of the first weeks of 2026 (Mondays are 29 December, 5, 12, 19 and
/// 26 January), seen on a day of January.
fn weekly(preset: Preset, seen: &[f64], day: i8) -> Given {
    let values = seen.iter().zip([1, 8, 15, 22]);
    let mut given = given_for(preset, [kpi("nps", |fields| fields.cadence = Cadence::Weekly)])
        .and(q1())
        .and([at_least("nps", 50.0)]);
    for (seen, day) in values {
        given = given.on(1, day).and([measured("nps", 1, day, *seen)]);
    }
    given.on(1, day)
}

/// "KPI breached … with no objective after two periods".
#[test]
fn a_kpi_that_stays_breached_asks_for_an_objective() {
    let bad = |preset| weekly(preset, &[40.0, 40.0], 12);
    let serving = objective("win", |fields| fields.serves = vec![id("nps")]);
    let measuring = || {
        [
            objective("win", |_| {}),
            key_result("win/one", |fields| {
                fields.kpi = Some(id("nps"));
                fields.kind = metric(Some(40.0), 50.0);
            }),
        ]
    };
    check(
        FindingCode::KpiBreachedWithoutObjective,
        [
            ("two weeks are over", bad(Preset::Full), NPS),
            (
                "the second still runs",
                weekly(Preset::Full, &[40.0, 40.0], 11),
                &[],
            ),
            (
                "it was healthy in between",
                weekly(Preset::Full, &[40.0, 60.0, 40.0], 19),
                &[],
            ),
            (
                "it is healthy again",
                weekly(Preset::Full, &[40.0, 40.0, 60.0], 19),
                &[],
            ),
            (
                "three weeks, and the third runs",
                weekly(Preset::Full, &[40.0, 40.0, 40.0], 16),
                NPS,
            ),
            (
                "another limit",
                bad(Preset::Full).and([limit(|limits| limits.breached_periods_max = 3)]),
                &[],
            ),
            (
                "an objective serves it",
                bad(Preset::Full).and([serving.clone()]),
                &[],
            ),
            (
                "a key result measures it",
                bad(Preset::Full).and(measuring()),
                &[],
            ),
            (
                "the objective was given up",
                bad(Preset::Full).and(measuring()).and([cancel("win")]),
                NPS,
            ),
            (
                "the key result is deleted",
                bad(Preset::Full)
                    .and(measuring())
                    .and([delete("keyResults/win/one")]),
                NPS,
            ),
            (
                "the cycle is closed",
                bad(Preset::Full).and([serving]).and(closed("q1")),
                NPS,
            ),
            ("KPIs alone have no objectives", bad(Preset::KpiOnly), &[]),
        ],
    );
}

/// Each value is judged by the target in force on the last day of its period.
#[test]
fn a_breach_is_judged_by_the_target_of_its_time() {
    let raised = weekly(Preset::Full, &[40.0, 40.0], 12).and([
        at_least("nps", 30.0),
        target("nps", date(2026, 1, 6), |it| it.at_least = Some(value(50.0))),
    ]);
    check(
        FindingCode::KpiBreachedWithoutObjective,
        [("only the second week was breached", raised, &[][..])],
    );
}

fn in_area(preset: Preset, count: usize) -> Given {
    let kpis = (0..count).map(|number| {
        // Capitals and blanks make no other area.
        let area = if number == 0 { " Sales" } else { "sales" };
        kpi(&format!("k{number}"), |fields| {
            fields.team = Some(id("brazil"));
            fields.area = text(area);
        })
    });
    given_for(preset, [team("brazil", None)]).and(kpis)
}

/// "not 3 to 5 KPIs in an area of a team".
#[test]
fn an_area_of_a_team_has_3_to_5_kpis() {
    use FindingCode::{TooFewKpisInArea, TooManyKpisInArea};
    let brazil: &[&str] = &["teams/brazil"];
    for (preset, count, few, many) in [
        (Preset::Full, 1, brazil, &[][..]),
        (Preset::Full, 2, brazil, &[]),
        (Preset::Full, 3, &[], &[]),
        (Preset::Full, 5, &[], &[]),
        (Preset::Full, 6, &[], brazil),
        (Preset::Small, 2, &[], &[]),
        (Preset::Small, 6, &[], brazil),
        (Preset::KpiOnly, 2, brazil, &[]),
        (Preset::KpiOnly, 6, &[], brazil),
    ] {
        check(TooFewKpisInArea, [("few", in_area(preset, count), few)]);
        check(TooManyKpisInArea, [("many", in_area(preset, count), many)]);
    }
    let other = || limit(|limits| (limits.kpis_of_area_min, limits.kpis_of_area_max) = (2, 6));
    check(
        TooFewKpisInArea,
        [("two are enough", in_area(Preset::Full, 2).and([other()]), &[][..])],
    );
    check(
        TooManyKpisInArea,
        [(
            "six are allowed",
            in_area(Preset::Full, 6).and([other()]),
            &[][..],
        )],
    );
    let nowhere = given([kpi("nps", |_| {})]);
    check(TooFewKpisInArea, [("without an area", nowhere, &[][..])]);
    let company = given([kpi("nps", |fields| fields.area = text("sales"))]);
    check(
        TooFewKpisInArea,
        [("of the company itself", company, &["the workspace"][..])],
    );
}

/// "most KPIs turned into key results".
#[test]
fn most_kpis_are_watched_and_few_are_key_results() {
    let linked = |preset, linked: usize, count: usize| {
        let kpis = (0..count).map(|number| kpi(&format!("k{number}"), |_| {}));
        let key_results = (0..linked).map(|number| {
            key_result(&format!("win/r{number}"), |fields| {
                fields.kpi = Some(id(&format!("k{number}")));
            })
        });
        running(preset)
            .and(kpis)
            .and([objective("win", |_| {})])
            .and(key_results)
    };
    let all: &[&str] = &["the workspace"];
    check(
        FindingCode::MostKpisAreKeyResults,
        [
            ("two of four", linked(Preset::Full, 2, 4), &[][..]),
            ("three of four", linked(Preset::Full, 3, 4), all),
            (
                "two of two are too few to say so",
                linked(Preset::Full, 2, 2),
                &[],
            ),
            (
                "another limit",
                linked(Preset::Full, 3, 4).and([limit(|limits| limits.linked_kpis_share_max = 0.75)]),
                &[],
            ),
            (
                "the objective was given up",
                linked(Preset::Full, 3, 4).and([cancel("win")]),
                &[],
            ),
            ("KPIs alone", linked(Preset::KpiOnly, 3, 4), &[]),
        ],
    );
}

/// A review of a team, or of the company, that is held now.
fn reviewed_by(team: Option<&str>) -> Command {
    review("q1", "r1", |it| it.team = team.map(id))
}

/// "KPI not reviewed in its cadence": monthly, so in this month or the one before.
#[test]
fn a_kpi_is_reviewed_in_its_review_cadence() {
    let with = |preset, cadence| {
        given_for(preset, q1()).and([
            team("sales", None),
            team("product", None),
            kpi("nps", |fields| {
                fields.team = Some(id("sales"));
                fields.review_cadence = cadence;
            }),
        ])
    };
    let monthly = || with(Preset::Full, Some(Cadence::Monthly));
    let reviewed = |of: Option<&str>| monthly().on(1, 31).and([reviewed_by(of)]);
    check(
        FindingCode::KpiNotReviewed,
        [
            ("young", monthly().on(2, 28), &[][..]),
            ("never", monthly().on(3, 1), NPS),
            (
                "never, KPIs alone",
                with(Preset::KpiOnly, Some(Cadence::Monthly)).on(3, 1),
                NPS,
            ),
            (
                "by its team a month before",
                reviewed(Some("sales")).on(2, 28),
                &[],
            ),
            (
                "by its team two months before",
                reviewed(Some("sales")).on(3, 1),
                NPS,
            ),
            (
                "by the company",
                monthly().on(2, 1).and([reviewed_by(None)]).on(3, 31),
                &[],
            ),
            (
                "by another team",
                monthly().on(2, 1).and([reviewed_by(Some("product"))]).on(3, 31),
                NPS,
            ),
            ("in no cadence", with(Preset::Full, None).on(3, 31), &[]),
            (
                "irregularly",
                with(Preset::Full, Some(Cadence::Irregular)).on(3, 31),
                &[],
            ),
            (
                "once a quarter",
                with(Preset::Full, Some(Cadence::Quarterly)).on(3, 31),
                &[],
            ),
        ],
    );
}

/// A sum that still runs says nothing yet, so it neither breaks nor makes a breach.
#[test]
fn a_sum_is_judged_once_its_period_is_over() {
    let summed = || {
        given([kpi("deals", |fields| {
            fields.cadence = Cadence::Weekly;
            fields.aggregation = Aggregation::Sum;
        })])
        .and([at_least("deals", 10.0)])
        .and([Command::RecordMeasurements(vec![measurement(
            "deals",
            Effective::Now,
            4.0,
        )])])
        .on(1, 8)
        .and([Command::RecordMeasurements(vec![measurement(
            "deals",
            Effective::Now,
            4.0,
        )])])
    };
    check(
        FindingCode::KpiBreachedWithoutObjective,
        [
            ("one week is over", summed(), &[][..]),
            ("two weeks are over", summed().on(1, 12), &["kpis/deals"]),
        ],
    );
}

/// "KPI breached with no action plan".
#[test]
fn a_breached_kpi_has_an_action_plan() {
    let breached = || weekly(Preset::Full, &[45.0], 1);
    let plan = |given: Given| {
        let alert = given.workspace.kpi(&id("nps")).unwrap().open_alerts[&AlertKind::Breach].clone();
        given.and([Command::SetActionPlan {
            kpi: id("nps"),
            id: alert,
            plan: Box::new(ActionPlan {
                cause: Text::empty(),
                text: text("Hire a support manager."),
                owner: None,
                due_date: None,
                objective: None,
            }),
        }])
    };
    check(
        FindingCode::KpiBreachedWithoutPlan,
        [
            ("no plan", breached(), NPS),
            ("a plan", plan(breached()), &[]),
            ("healthy", weekly(Preset::Full, &[55.0], 1), &[]),
            ("recovered", weekly(Preset::Full, &[45.0, 55.0], 8), &[]),
            ("of a company of KPIs alone", weekly_alone(&[45.0]), NPS),
        ],
    );
}

/// The same without a cycle.
fn weekly_alone(seen: &[f64]) -> Given {
    let values = seen
        .iter()
        .zip([1, 8])
        .map(|(seen, day)| measured("nps", 1, day, *seen));
    given_for(
        Preset::KpiOnly,
        [
            kpi("nps", |fields| fields.cadence = Cadence::Weekly),
            at_least("nps", 50.0),
        ],
    )
    .and(values)
}
