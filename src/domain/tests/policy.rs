//! The scoring policy: its bounds and its versions.

use super::super::given::*;
use super::super::{
    Command, Etag, HygieneLimits, Revision, RollUp, ScoringPolicy, ScoringPolicyPatch, grade_cycle,
};
use super::{company, fields};

/// "All numbers above (bars, gaps, bands, roll-up, cadences, limits for hygiene) and the `semantics` number of the formulas
/// are one resource in the log": what a new workspace begins with.
#[test]
fn a_workspace_begins_with_the_numbers_of_the_design() {
    let given = given([]);
    let ScoringPolicy {
        semantics,
        committed_bar,
        aspirational_bar,
        on_track_gap,
        behind_gap,
        achieved_from,
        partial_from,
        roll_up,
        check_in_cadence_days,
        check_in_grace_days,
        hygiene:
            HygieneLimits {
                objectives_of_team_max,
                key_results_min,
                key_results_max,
                ..
            },
        alerts,
    } = given.workspace.policy().clone();
    assert_eq!((semantics, roll_up), (1, RollUp::Own));
    assert_eq!((committed_bar, aspirational_bar), (1.0, 0.7));
    assert_eq!((on_track_gap, behind_gap), (0.10, 0.25));
    assert_eq!((achieved_from, partial_from), (0.7, 0.4));
    assert_eq!((check_in_cadence_days, check_in_grace_days), (7, 3), "weekly");
    assert_eq!(
        (objectives_of_team_max, key_results_min, key_results_max),
        (3, 3, 5)
    );
    assert_eq!((alerts.breach_after, alerts.recover_after), (1, 1));
    assert_eq!(given.workspace.policy_version(), Revision(1));
}

/// Each number keeps to its bounds, and those that belong together fit; every bad one is named at once.
#[test]
fn a_policy_fits_together() {
    type Change = fn(&mut ScoringPolicyPatch);
    let hygiene = |change: fn(&mut HygieneLimits)| {
        let mut limits = HygieneLimits::default();
        change(&mut limits);
        limits
    };
    let given = company();
    let cases: Vec<(Change, Vec<&str>)> = vec![
        (|p| p.committed_bar = Some(0.0), vec!["committed_bar"]),
        (|p| p.committed_bar = Some(1.1), vec!["committed_bar"]),
        (|p| p.committed_bar = Some(0.8), vec![]),
        (|p| p.aspirational_bar = Some(f64::NAN), vec!["aspirational_bar"]),
        (|p| p.aspirational_bar = Some(1.0), vec![]),
        (|p| p.on_track_gap = Some(0.0), vec![]),
        (|p| p.on_track_gap = Some(0.25), vec![]),
        (|p| p.on_track_gap = Some(0.26), vec!["behind_gap"]),
        (|p| p.on_track_gap = Some(-0.1), vec!["on_track_gap"]),
        (|p| p.behind_gap = Some(0.05), vec!["behind_gap"]),
        (|p| p.behind_gap = Some(1.5), vec!["behind_gap"]),
        (|p| p.behind_gap = Some(f64::NAN), vec!["behind_gap"]),
        (|p| p.achieved_from = Some(0.4), vec!["partial_from"]),
        (|p| p.achieved_from = Some(0.41), vec![]),
        (|p| p.partial_from = Some(0.0), vec!["partial_from"]),
        (
            |p| p.check_in_cadence_days = Some(0),
            vec!["check_in_cadence_days"],
        ),
        (|p| p.check_in_cadence_days = Some(366), vec![]),
        (
            |p| p.check_in_cadence_days = Some(367),
            vec!["check_in_cadence_days"],
        ),
        (|p| p.check_in_grace_days = Some(0), vec![]),
        (|p| p.check_in_grace_days = Some(367), vec!["check_in_grace_days"]),
        (|p| p.roll_up = Some(RollUp::OwnAndAligned), vec![]),
        (
            |p| {
                p.committed_bar = Some(2.0);
                p.partial_from = Some(2.0);
            },
            vec!["committed_bar", "partial_from", "partial_from"],
        ),
    ];
    for (change, bad) in cases {
        let command = update_policy(change);
        match bad.as_slice() {
            [] => assert_eq!(
                given.when(command.clone()),
                Ok(vec!["ScoringPolicyUpdated"]),
                "{command:?}"
            ),
            _ => {
                let bad: Vec<String> = bad
                    .iter()
                    .map(|field| format!("scoring_policy.{field}"))
                    .collect();
                assert_eq!(fields(&given.refused(&command)), bad, "{command:?}");
            }
        }
    }
    for (limits, bad) in [
        (
            hygiene(|l| l.objectives_of_team_max = 0),
            "objectives_of_team_max",
        ),
        (hygiene(|l| l.breached_periods_max = 101), "breached_periods_max"),
        (hygiene(|l| l.key_results_min = 6), "key_results_max"),
        (hygiene(|l| l.key_results_max = 101), "key_results_max"),
        (hygiene(|l| l.kpis_of_area_min = 6), "kpis_of_area_max"),
        (hygiene(|l| l.confidence_min = 1.1), "confidence_min"),
        (
            hygiene(|l| l.linked_kpis_share_max = -0.1),
            "linked_kpis_share_max",
        ),
    ] {
        let refused = given.refused(&update_policy(|p| p.hygiene = Some(limits)));
        assert_eq!(fields(&refused), [format!("scoring_policy.hygiene.{bad}")]);
    }
}

/// "its version is the revision that set it": a version never goes away, and who has read an older one changes nothing.
#[test]
fn a_policys_version_is_the_revision_that_set_it() {
    let given = company().because("we grade harder");
    let command = update_policy(|p| p.achieved_from = Some(0.8));
    let changed = given.and([command.clone()]);
    let version = changed.workspace.revision();
    assert_eq!(changed.workspace.policy_version(), version);
    assert_eq!(changed.workspace.policy_at(version).achieved_from, 0.8);
    assert_eq!(changed.workspace.policy_at(Revision(1)).achieved_from, 0.7);
    assert_eq!(changed.workspace.policies()[&version].reason, "we grade harder");
    assert_eq!(changed.when(command), Ok(vec![]), "it is so already");
    for (etag, outcome) in [
        (Etag::Exactly(Revision(1)), Err("ETAG_MISMATCH")),
        (Etag::Unknown, Err("ETAG_MISMATCH")),
        (Etag::Exactly(version), Ok(vec!["ScoringPolicyUpdated"])),
    ] {
        let command = Command::UpdateScoringPolicy {
            patch: Box::new(ScoringPolicyPatch {
                partial_from: Some(0.3),
                ..ScoringPolicyPatch::default()
            }),
            etag,
        };
        assert_eq!(changed.when(command), outcome, "{etag:?}");
    }
}

/// "Every derived figure names the version it used": closing grades by the policy in force, and keeps its version.
#[test]
fn closing_grades_by_the_policy_in_force() {
    let given = company().and([
        update_objective("win", |p| p.ambition = Some(super::super::Ambition::Aspirational)),
        activate("win"),
        saw("win/deals", "c", 7.5),
        begin_review("q1"),
    ]);
    let outcome = |given: &Given| {
        let graded = grade_cycle(&given.workspace, &id("q1"), &[], Etag::Any)
            .unwrap()
            .remove(0);
        (graded.result.outcome().unwrap(), graded.result.policy_version)
    };
    use super::super::Outcome::{Achieved, Missed, Partial};
    assert_eq!(outcome(&given), (Achieved, Revision(1)));
    for (achieved, partial, expected) in [(0.75, 0.4, Partial), (0.9, 0.8, Missed), (0.6, 0.1, Achieved)] {
        let given = given.clone().and([update_policy(|p| {
            p.achieved_from = Some(achieved);
            p.partial_from = Some(partial);
        })]);
        let (outcome, version) = outcome(&given);
        assert_eq!(outcome, expected, "from {achieved}, {partial}");
        assert_eq!(version, given.workspace.revision());
    }
}
