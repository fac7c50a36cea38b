//! The report as a whole: its order, and what it is narrowed to.

use jiff::civil::date;

use super::super::Severity;
use super::*;

/// Two teams, one below the other, each with an objective and a KPI; and the company with its own.
fn company() -> Given {
    running(Preset::Full).and([
        cycle("q2", date(2026, 4, 1), date(2026, 6, 30), None),
        team("sales", None),
        team("brazil", Some("sales")),
        objective("win", |fields| fields.team = Some(id("brazil"))),
        key_result("win/deals", |_| {}),
        objective("grow", |fields| fields.team = Some(id("sales"))),
        objective("lead", |fields| fields.cycle = id("q2")),
        kpi("nps", |fields| fields.team = Some(id("brazil"))),
        kpi("churn", |fields| fields.team = Some(id("sales"))),
        kpi("cash", |_| {}),
    ])
}

fn resources(given: &Given, scope: &HygieneScope) -> Vec<String> {
    let mut names: Vec<String> = report_about(given, scope)
        .iter()
        .map(|finding| finding.resource.to_string())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// "The most severe first, then by resource and code."
#[test]
fn the_most_severe_comes_first_then_what_it_is_about_then_the_code() {
    let keys: Vec<_> = report(&company())
        .iter()
        .map(|it| {
            let severity = std::cmp::Reverse(it.code.severity());
            (severity, it.resource.to_string(), it.code.as_str())
        })
        .collect();
    assert!(keys.is_sorted(), "{keys:#?}");
    assert_eq!(
        keys.first()
            .map(|(severity, resource, code)| (severity.0, resource.as_str(), *code)),
        Some((
            Severity::Error,
            "objectives/grow",
            "OBJECTIVE_WITHOUT_KEY_RESULTS"
        ))
    );
    assert!(keys.iter().any(|(severity, ..)| severity.0 == Severity::Info));
}

#[test]
fn a_report_is_narrowed_to_a_severity() {
    for severity_min in [Severity::Info, Severity::Warning, Severity::Error] {
        let scope = HygieneScope {
            severity_min,
            ..HygieneScope::default()
        };
        let expected: Vec<Finding> = report(&company())
            .into_iter()
            .filter(|finding| finding.code.severity() >= severity_min)
            .collect();
        assert!(!expected.is_empty());
        assert_eq!(report_about(&company(), &scope), expected);
    }
}

/// "Only findings about what this team, or a team below it, owns".
#[test]
fn a_report_is_narrowed_to_a_team_and_the_teams_below() {
    let of = |team: &str| HygieneScope {
        team: Some(id(team)),
        ..HygieneScope::default()
    };
    assert_eq!(
        resources(&company(), &of("brazil")),
        ["kpis/nps", "objectives/win", "objectives/win/keyResults/deals"]
    );
    assert_eq!(
        resources(&company(), &of("sales")),
        [
            "kpis/churn",
            "kpis/nps",
            "objectives/grow",
            "objectives/win",
            "objectives/win/keyResults/deals"
        ]
    );
}

/// "Only findings about this cycle and what lives in it; empty: every cycle that is not CLOSED, and the KPIs."
#[test]
fn a_report_is_narrowed_to_a_cycle() {
    let of = |cycle: &str| HygieneScope {
        cycle: Some(id(cycle)),
        ..HygieneScope::default()
    };
    assert_eq!(resources(&company(), &of("q2")), ["objectives/lead"]);
    assert_eq!(
        resources(&company(), &of("q1")),
        [
            "cycles/q1",
            "objectives/grow",
            "objectives/win",
            "objectives/win/keyResults/deals"
        ]
    );
}

#[test]
fn a_report_about_nothing_that_stands_is_refused() {
    let state = state_of(&company().and([delete("teams/brazil")]));
    for (cycle, team, reason) in [
        (Some("q9"), None, "NOT_FOUND"),
        (None, Some("support"), "NOT_FOUND"),
        (None, Some("brazil"), "DELETED"),
    ] {
        let scope = HygieneScope {
            cycle: cycle.map(id),
            team: team.map(id),
            ..HygieneScope::default()
        };
        let refused = check_hygiene(state.workspace(), state.figures(), &scope).unwrap_err();
        assert_eq!(refused.reason(), reason, "{scope:?}");
    }
}

/// "`KPI_ONLY` (no OKR findings".
#[test]
fn a_workspace_of_kpis_alone_hears_of_kpis_alone() {
    let given = given_for(Preset::KpiOnly, q1())
        .and([objective("win", |fields| fields.owner = None), kpi("nps", |_| {})]);
    assert_eq!(resources(&given, &HygieneScope::default()), ["kpis/nps"]);
    let named = HygieneScope {
        cycle: Some(id("q1")),
        ..HygieneScope::default()
    };
    assert!(report_about(&given, &named).is_empty());
}

#[test]
fn every_finding_is_one_sentence_with_one_suggestion() {
    for finding in report(&company()) {
        assert!(
            finding.sentence.ends_with('.') && finding.sentence.contains(' '),
            "{finding:?}"
        );
    }
    for code in FindingCode::ALL {
        let suggestion = code.suggestion();
        assert!(suggestion.ends_with('.') && suggestion.len() > 20, "{code:?}");
    }
}
