//! A workspace in which everything is wrong, seen by each preset.

use jiff::civil::date;

use super::*;
use crate::domain::{Cadence, Confidence, Effective, KeyResultKind, ObjectiveFields, Role, Text, Window};

fn of_sales(name: &str, change: impl FnOnce(&mut ObjectiveFields)) -> Command {
    objective(name, |fields| {
        fields.team = Some(id("sales"));
        change(fields);
    })
}

fn in_area(name: &str, area: &str) -> Command {
    kpi(name, |fields| fields.area = Text::parse(area).unwrap())
}

/// On 31 January, whatever its kind.
fn messy(preset: Preset) -> Given {
    given_for(preset, q1())
        .and([
            cycle("h2", date(2025, 7, 1), date(2025, 12, 31), None),
            cycle("jan", date(2026, 1, 1), date(2026, 1, 31), None),
            update_cycle("jan", |patch| patch.review_date = Some(Some(date(2026, 1, 20)))),
            activate_cycle("h2"),
            activate_cycle("jan"),
            team("group", None),
            team("sales", Some("group")),
            team("gone", None),
            member("rui", "rui", Role::Contributor),
            limit(|limits| limits.linked_kpis_share_max = 0.05),
        ])
        .and(kpis())
        .and(objectives())
        .and(mended())
        .on(1, 8)
        .and([Command::RecordMeasurements(vec![measurement(
            "bad",
            Effective::Now,
            10.0,
        )])])
        .on(1, 31)
        .and(["members/rui", "teams/gone", "objectives/dropped"].map(delete))
        .and([cancel("canceled")])
        .and(closed("h2"))
}

/// An objective whose starting alert recovers.
fn mended() -> [Command; 5] {
    [
        kpi("well", |_| {}),
        target("well", date(2026, 1, 1), |it| it.at_least = Some(value(5.0))),
        Command::RecordMeasurements(vec![measurement("well", Effective::Now, 1.0)]),
        start_objective("well", "mend"),
        Command::RecordMeasurements(vec![measurement("well", Effective::Now, 6.0)]),
    ]
}

fn kpis() -> Vec<Command> {
    let many = ["a", "b", "c", "d", "e", "f"].map(|name| in_area(name, "product"));
    let bad = [
        kpi("bad", |fields| {
            fields.team = Some(id("sales"));
            fields.cadence = Cadence::Weekly;
            fields.review_cadence = Some(Cadence::Weekly);
        }),
        target("bad", date(2026, 1, 1), |it| it.at_least = Some(value(1000.0))),
        Command::RecordMeasurements(vec![measurement("bad", Effective::Now, 10.0)]),
    ];
    let others = [
        in_area("few", "finance"),
        target("few", date(2026, 1, 1), |it| it.at_least = Some(value(5.0))),
        kpi("theirs", |fields| {
            fields.team = Some(id("gone"));
            fields.owner = Some(id("rui"));
        }),
    ];
    many.into_iter().chain(bad).chain(others).collect()
}

fn objectives() -> Vec<Command> {
    let six = (0..6).map(|number| key_result(&format!("many/k{number}"), |_| {}));
    let above = [
        objective("old", |fields| fields.cycle = id("h2")),
        objective("dropped", |_| {}),
        objective("canceled", |_| {}),
        of_sales("bare", |fields| fields.owner = None),
        of_sales("few", |fields| fields.aligned_to = Some(alignment("old"))),
        of_sales("many", |fields| fields.aligned_to = Some(alignment("dropped"))),
        of_sales("run", |fields| {
            fields.aligned_to = Some(alignment("canceled"));
            fields.owner = Some(id("rui"));
        }),
        key_result("few/app", |fields| {
            fields.title = title("Launch the app");
            fields.kind = KeyResultKind::Binary;
        }),
        key_result("few/nps", |fields| {
            fields.title = title("Keep NPS above 40");
            fields.kpi = Some(id("few"));
            fields.window = Window::Newest;
        }),
    ];
    let running = [
        key_result("run/deals", |_| {}),
        activate("run"),
        check_in("run/deals", "c1", |it| {
            it.confidence = Confidence::parse(0.1).ok()
        }),
        objective("easy", |fields| fields.cycle = id("jan")),
        key_result("easy/deals", |_| {}),
        activate("easy"),
        saw("easy/deals", "c1", 10.0),
    ];
    above.into_iter().chain(six).chain(running).collect()
}

fn codes(preset: Preset) -> Vec<FindingCode> {
    let found = report(&messy(preset));
    let all = FindingCode::ALL.iter().copied();
    all.filter(|code| found.iter().any(|finding| finding.code == *code))
        .collect()
}

/// "Presets for new ones: `FULL`, `SMALL` (no "too few" findings), `KPI_ONLY` (no OKR findings …)".
#[test]
fn every_rule_finds_something_and_each_preset_is_silent_about_what_it_does_not_want_to_hear() {
    use FindingCode::{
        KpiBreachedWithoutPlan, KpiNotReviewed, KpiWithoutDataSource, KpiWithoutOwner, KpiWithoutTarget,
        OwnerNotMember, TargetBeyondHistory, TargetWithoutHistory, TeamDeleted, TooFewKeyResults,
        TooFewKpisInArea, TooManyKpisInArea,
    };
    assert_eq!(codes(Preset::Full), FindingCode::ALL);
    let not_too_few = |code: &FindingCode| !matches!(code, TooFewKeyResults | TooFewKpisInArea);
    let small: Vec<_> = FindingCode::ALL.iter().copied().filter(not_too_few).collect();
    assert_eq!(codes(Preset::Small), small);
    assert_eq!(
        codes(Preset::KpiOnly),
        [
            KpiWithoutOwner,
            KpiWithoutDataSource,
            KpiWithoutTarget,
            KpiBreachedWithoutPlan,
            TooFewKpisInArea,
            TooManyKpisInArea,
            KpiNotReviewed,
            TargetWithoutHistory,
            TargetBeyondHistory,
            OwnerNotMember,
            TeamDeleted
        ]
    );
}
