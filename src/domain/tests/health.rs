//! KPI health beside the judgement: stale, the distance to the target, the share of healthy periods.

use super::super::given::*;
use super::super::{Aggregation, Cadence, Direction, Health, KpiFields};

/// "No target: `NO_TARGET` (never "healthy"); no measurement: `NO_DATA`."
#[test]
fn without_a_target_or_a_value_nothing_is_healthy() {
    let bare = given([kpi("k", |_| {})]).on(1, 10);
    let aim_at = aim("k", day(1, 1), at_least(5.0));
    let aimed = bare.clone().and([aim_at.clone()]);
    let fed = bare.clone().and([measured("k", 1, 10, 9.0)]);
    let both = fed.clone().and([aim_at]);
    let retracted = both.clone().and([retract_measured("k", 1, 10)]);
    let sum = given([kpi("k", |f| f.aggregation = Aggregation::Sum)]).and([measured("k", 1, 1, 9.0)]);
    for (case, given, health, counted) in [
        ("neither", &bare, Health::NoData, 0),
        ("no value", &aimed, Health::NoData, 0),
        ("no target", &fed, Health::NoTarget, 0),
        ("both", &both, Health::Healthy, 1),
        ("retracted", &retracted, Health::NoData, 0),
        ("no complete period", &sum, Health::NoData, 0),
    ] {
        let found = given.kpi("k");
        assert_eq!(
            (found.health, found.healthy_share_periods),
            (health, counted),
            "{case}"
        );
        let judged = matches!(health, Health::Healthy);
        assert_eq!(found.healthy_share, judged.then_some(1.0), "{case}");
        assert_eq!(found.distance_to_target, judged.then_some(4.0), "{case}");
        assert_eq!(found.target.is_some(), judged, "{case}");
    }
}

/// "`distance_to_target` (positive is better)", in IN_RANGE to the nearer bound.
#[test]
fn the_distance_to_the_target_is_positive_when_it_is_good() {
    use Direction::{HigherIsBetter, InRange, LowerIsBetter};
    for (direction, target, number, expected) in [
        (HigherIsBetter, at_least(50.0), 60.0, 10.0),
        (HigherIsBetter, at_least(50.0), 45.0, -5.0),
        (HigherIsBetter, at_least(-50.0), -45.0, 5.0),
        (LowerIsBetter, at_most(50.0), 60.0, -10.0),
        (LowerIsBetter, at_most(50.0), 45.0, 5.0),
        (InRange, within(10.0, 20.0), 12.0, 2.0),
        (InRange, within(10.0, 20.0), 17.0, 3.0),
        (InRange, within(10.0, 20.0), 10.0, 0.0),
        (InRange, within(10.0, 20.0), 7.0, -3.0),
        (InRange, within(10.0, 20.0), 25.0, -5.0),
    ] {
        let given = given(aimed("k", target, |f| f.direction = direction)).and([measured("k", 1, 1, number)]);
        assert_eq!(
            given.kpi("k").distance_to_target,
            Some(expected),
            "{direction:?}: {number} against {target:?}"
        );
    }
}

/// "`stale` beside it: the period after the newest value's period has ended, and the grace too, with no value (never fed:
/// counted from creation)."
#[test]
fn stale_is_what_awaits_a_value_in_vain() {
    struct Case {
        what: &'static str,
        kind: fn(&mut KpiFields),
        fed: Option<(i8, i8)>,
        fresh_until: (i8, i8),
    }
    let cases = [
        Case {
            what: "daily",
            kind: |_| {},
            fed: Some((1, 1)),
            fresh_until: (1, 2),
        },
        Case {
            what: "never fed",
            kind: |_| {},
            fed: None,
            fresh_until: (1, 2),
        },
        Case {
            what: "with grace",
            kind: |f| f.grace_days = 3,
            fed: Some((1, 1)),
            fresh_until: (1, 5),
        },
        // 1 January 2026 is a Thursday: its week ends on the 4th, the one that is awaited on the 11th.
        Case {
            what: "weekly",
            kind: |f| f.cadence = Cadence::Weekly,
            fed: Some((1, 1)),
            fresh_until: (1, 11),
        },
        Case {
            what: "monthly",
            kind: |f| f.cadence = Cadence::Monthly,
            fed: Some((1, 1)),
            fresh_until: (2, 28),
        },
        Case {
            what: "never fed, monthly, with grace",
            kind: |f| (f.cadence, f.grace_days) = (Cadence::Monthly, 5),
            fed: None,
            fresh_until: (3, 5),
        },
        Case {
            what: "quarterly",
            kind: |f| f.cadence = Cadence::Quarterly,
            fed: None,
            fresh_until: (6, 30),
        },
        Case {
            what: "sums too",
            kind: |f| f.aggregation = Aggregation::Sum,
            fed: Some((1, 1)),
            fresh_until: (1, 2),
        },
        Case {
            what: "irregular",
            kind: |f| f.cadence = Cadence::Irregular,
            fed: Some((1, 1)),
            fresh_until: (12, 31),
        },
        Case {
            what: "irregular, never fed",
            kind: |f| f.cadence = Cadence::Irregular,
            fed: None,
            fresh_until: (12, 31),
        },
    ];
    for Case {
        what,
        kind,
        fed,
        fresh_until: (month, on),
    } in cases
    {
        let given = given([kpi("k", kind)]).and(fed.map(|(month, on)| measured("k", month, on, 1.0)));
        let last = given.clone().on(month, on);
        assert!(!last.kpi("k").stale, "{what}: fresh on {month}/{on}");
        if (month, on) == (12, 31) {
            continue;
        }
        let next = last.on_date(super::super::plus_days(day(month, on), 1));
        assert!(next.kpi("k").stale, "{what}: stale after {month}/{on}");
        let archived = next.clone().and([archive("k")]);
        assert!(!archived.kpi("k").stale, "{what}: archived");
        assert!(
            archived.and([unarchive("k")]).kpi("k").stale,
            "{what}: unarchived"
        );
        let value = next.clone().and([measured("k", month, on, 2.0)]);
        assert!(!value.kpi("k").stale, "{what}: fed again");
    }
    let backdated = given([kpi("k", |_| {})])
        .on(1, 10)
        .and([measured("k", 1, 8, 1.0)]);
    assert!(backdated.kpi("k").stale, "the 9th is missing");
    assert!(!backdated.and([measured("k", 1, 9, 1.0)]).kpi("k").stale);
    let back_to_creation = given([kpi("k", |_| {})])
        .on(1, 10)
        .and([measured("k", 1, 10, 1.0), retract_measured("k", 1, 10)]);
    assert!(
        back_to_creation.kpi("k").stale,
        "fed no more: counted from creation"
    );
}

/// "`healthy_share` over n periods (a KPI is expected to hold 95 to 100 % of the time)", n by the policy; periods without
/// data or without a target are not counted.
#[test]
fn the_healthy_share_is_of_the_newest_periods_that_had_a_target() {
    // From the 1st to the 10th: the target begins on the 3rd, the 7th has no value; 9 is HEALTHY, 6 WATCH, 1 BREACHED.
    let values = [9.0, 9.0, 1.0, 9.0, 6.0, 9.0, f64::NAN, 9.0, 9.0, 1.0];
    let days = (1_i8..).zip(values).filter(|(_, number)| !number.is_nan());
    let given = given([kpi("k", |_| {}), aim("k", day(1, 3), at_least_or_watch(8.0, 5.0))])
        .on(1, 10)
        .and(days.map(|(on, number)| measured("k", 1, on, number)));
    assert_eq!(given.judged("k"), "??BHWHHHB");
    for (periods, share, counted) in [
        (1, 0.0, 1),
        (2, 0.5, 2),
        (4, 0.75, 4),
        (6, 4.0 / 6.0, 6),
        (7, 4.0 / 7.0, 7),
        (9, 4.0 / 7.0, 7),
        (12, 4.0 / 7.0, 7),
    ] {
        let found = given
            .clone()
            .and([alert_rules(|rules| rules.healthy_share_periods = periods)])
            .kpi("k");
        assert_eq!(
            (found.healthy_share, found.healthy_share_periods),
            (Some(share), counted),
            "{periods}"
        );
    }
}

/// "Latest means latest by effective time, never by when it was edited."
#[test]
fn the_latest_value_is_the_latest_by_effective_time() {
    let given = given(aimed("k", at_least(5.0), |_| {})).on(1, 10).and([
        measured("k", 1, 10, 9.0),
        measured("k", 1, 8, 1.0),
        measured("k", 1, 9, 1.0),
    ]);
    let found = given.kpi("k");
    assert_eq!((found.health, found.measurement_count), (Health::Healthy, 3));
    assert_eq!(found.latest, Some((at(2026, 1, 10, 12), 9.0)));
    let corrected = given.clone().and([correct_measured("k", 1, 8, 2.0)]).kpi("k");
    assert_eq!(corrected.latest, found.latest);
    let retracted = given.and([retract_measured("k", 1, 10)]).kpi("k");
    assert_eq!(
        (retracted.health, retracted.latest),
        (Health::Breached, Some((at(2026, 1, 9, 12), 1.0)))
    );
}
