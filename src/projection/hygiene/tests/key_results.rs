//! Rules about key results.

use super::*;
use crate::domain::{Ambition, Confidence, KeyResultKind};

fn win(preset: Preset) -> Given {
    running(preset).and([objective("win", |_| {})])
}

/// objectives/win with one key result of a title and a kind.
fn titled(text: &str, kind: KeyResultKind) -> Given {
    win(Preset::Full).and([key_result("win/one", |fields| {
        fields.title = title(text);
        fields.kind = kind;
    })])
}

fn at_least(bound: f64) -> KeyResultKind {
    maintain(Some(bound), None, 0.0)
}

const ONE: &[&str] = &["objectives/win/keyResults/one"];

/// "key result without KPI (info)".
#[test]
fn a_key_result_without_kpi_is_worth_knowing() {
    let linked = || {
        win(Preset::Full).and([
            kpi("nps", |_| {}),
            key_result("win/one", |fields| fields.kpi = Some(id("nps"))),
        ])
    };
    check(
        FindingCode::KeyResultWithoutKpi,
        [
            ("none", titled("Deals", metric(Some(0.0), 10.0)), ONE),
            ("linked", linked(), &[]),
            ("linked to a deleted one", linked().and([delete("kpis/nps")]), ONE),
            (
                "deleted",
                titled("Deals", KeyResultKind::Binary).and([delete("keyResults/win/one")]),
                &[],
            ),
            (
                "KPIs alone",
                win(Preset::KpiOnly).and([key_result("win/one", |_| {})]),
                &[],
            ),
        ],
    );
    assert_eq!(
        FindingCode::KeyResultWithoutKpi.severity(),
        super::super::Severity::Info
    );
}

/// "key result that is an activity (\"launch …\": BINARY or MILESTONES only)".
#[test]
fn a_key_result_that_is_something_to_do_is_found() {
    check(
        FindingCode::KeyResultIsActivity,
        [
            (
                "done or not",
                titled("Launch the app", KeyResultKind::Binary),
                ONE,
            ),
            (
                "in steps",
                titled("Build a data warehouse", milestones(&[("plan", 1.0)])),
                ONE,
            ),
            (
                "measured",
                titled("Launch 10 shops", metric(Some(0.0), 10.0)),
                &[],
            ),
            (
                "an outcome",
                titled("ISO 27001 is certified", KeyResultKind::Binary),
                &[],
            ),
            (
                "an outcome by a verb",
                titled("Win Petrobras", KeyResultKind::Binary),
                &[],
            ),
        ],
    );
}

/// "\"maintain\" key results that should be KPI targets": "Keep NPS above 40" is one, "raise NPS from 32 to 48" is not.
#[test]
fn a_key_result_that_keeps_what_is_there_is_a_kpi_target() {
    let of_kpi = |kind: KeyResultKind| {
        win(Preset::Full).and([
            kpi("nps", |_| {}),
            key_result("win/one", |fields| {
                fields.title = title("NPS");
                fields.kpi = Some(id("nps"));
                fields.kind = kind;
            }),
        ])
    };
    check(
        FindingCode::KeyResultIsKpiTarget,
        [
            (
                "METRIC",
                titled("Keep NPS above 40", metric(Some(38.0), 40.0)),
                ONE,
            ),
            (
                "METRIC, better",
                titled("raise NPS from 32 to 48", metric(Some(32.0), 48.0)),
                &[],
            ),
            (
                "MAINTAIN by its title",
                titled("Keep NPS above 40", at_least(40.0)),
                ONE,
            ),
            ("MAINTAIN of a KPI", of_kpi(at_least(40.0)), ONE),
            (
                "MAINTAIN of nothing that is a KPI",
                titled("No accident", at_least(0.0)),
                &[],
            ),
            ("METRIC of a KPI", of_kpi(metric(Some(32.0), 48.0)), &[]),
            (
                "BINARY",
                titled("Churn stays below 2 %", KeyResultKind::Binary),
                ONE,
            ),
        ],
    );
}

/// "committed key result with confidence under 0.4".
#[test]
fn a_committed_key_result_that_nobody_believes_in_is_found() {
    let sure = |ambition: Ambition, confidence: f64| {
        running(Preset::Full).and([
            objective("win", |fields| fields.ambition = ambition),
            key_result("win/one", |_| {}),
            activate("win"),
            check_in("win/one", "c1", |it| {
                it.confidence = Confidence::parse(confidence).ok()
            }),
        ])
    };
    check(
        FindingCode::CommittedConfidenceLow,
        [
            ("just under", sure(Ambition::Committed, 0.39), ONE),
            ("just there", sure(Ambition::Committed, 0.4), &[]),
            (
                "1e-9 in the owner's favour",
                sure(Ambition::Committed, 0.4 - 1e-10),
                &[],
            ),
            ("a stretch", sure(Ambition::Aspirational, 0.1), &[]),
            (
                "believed in again",
                sure(Ambition::Committed, 0.1)
                    .at_hour(1, 1, 13)
                    .and([check_in("win/one", "c2", |it| {
                        it.confidence = Confidence::parse(0.8).ok()
                    })]),
                &[],
            ),
            (
                "another limit",
                sure(Ambition::Committed, 0.39).and([limit(|limits| limits.confidence_min = 0.3)]),
                &[],
            ),
            ("nobody said", titled("Deals", metric(Some(0.0), 10.0)), &[]),
        ],
    );
}

/// "outdated": "no check-in … within the check-in cadence (policy, weekly) plus grace, counted from activation".
#[test]
fn a_key_result_that_nobody_speaks_of_is_found() {
    let active = || win(Preset::Full).and([key_result("win/one", |_| {}), activate("win")]);
    check(
        FindingCode::KeyResultOutdated,
        [
            ("ten days", active().on(1, 11), &[][..]),
            ("eleven days", active().on(1, 12), ONE),
            (
                "checked in",
                active()
                    .on(1, 12)
                    .and([check_in("win/one", "c1", |it| it.value = Some(value(1.0)))]),
                &[],
            ),
            (
                "a draft",
                win(Preset::Full).and([key_result("win/one", |_| {})]).on(1, 31),
                &[],
            ),
        ],
    );
}
