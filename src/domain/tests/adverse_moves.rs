//! Moves for the worse: the newest period value against the mean of those before.

use super::super::given::*;
use super::super::{Aggregation, AlertKind, Cadence, Direction, KpiFields, Target, Unit, UnitKind};

/// "ADVERSE_MOVE: the newest period value is worse than the mean of the n before by more than x (policy; also without a
/// target)", x in percent of the mean's amount.
#[test]
fn a_move_is_adverse_when_it_is_much_worse_than_the_mean_before() {
    use Direction::{HigherIsBetter, InRange, LowerIsBetter};
    let none = None::<Target>;
    for (direction, target, values, open) in [
        (HigherIsBetter, none, vec![100.0, 100.0, 100.0, 79.9], true),
        (HigherIsBetter, none, vec![100.0, 100.0, 100.0, 80.0], false),
        (HigherIsBetter, none, vec![90.0, 100.0, 110.0, 79.9], true),
        (HigherIsBetter, none, vec![1.0, 100.0, 100.0, 100.0, 79.9], true),
        (HigherIsBetter, none, vec![100.0, 100.0, 100.0, 500.0], false),
        (HigherIsBetter, none, vec![100.0, 100.0, 79.9], false),
        (HigherIsBetter, none, vec![79.9], false),
        (
            HigherIsBetter,
            Some(at_least(10.0)),
            vec![100.0, 100.0, 100.0, 79.9],
            true,
        ),
        (HigherIsBetter, none, vec![-100.0, -100.0, -100.0, -120.1], true),
        (HigherIsBetter, none, vec![-100.0, -100.0, -100.0, -120.0], false),
        (HigherIsBetter, none, vec![-100.0, -100.0, -100.0, -10.0], false),
        (HigherIsBetter, none, vec![0.0, 0.0, 0.0, -5.0], false),
        (HigherIsBetter, none, vec![-1.0, 0.0, 1.0, -5.0], false),
        (LowerIsBetter, none, vec![100.0, 100.0, 100.0, 120.1], true),
        (LowerIsBetter, none, vec![100.0, 100.0, 100.0, 120.0], false),
        (LowerIsBetter, none, vec![100.0, 100.0, 100.0, 1.0], false),
        (LowerIsBetter, none, vec![-100.0, -100.0, -100.0, -79.9], true),
        // Without bounds a range has no worse.
        (InRange, none, vec![100.0, 100.0, 100.0, 500.0], false),
        (
            InRange,
            Some(within(10.0, 20.0)),
            vec![15.0, 15.0, 15.0, 20.0],
            false,
        ),
        (
            InRange,
            Some(within(10.0, 20.0)),
            vec![15.0, 15.0, 15.0, 23.1],
            true,
        ),
        (
            InRange,
            Some(within(10.0, 20.0)),
            vec![15.0, 15.0, 15.0, 23.0],
            false,
        ),
        (
            InRange,
            Some(within(10.0, 20.0)),
            vec![15.0, 15.0, 15.0, 6.9],
            true,
        ),
        (
            InRange,
            Some(within(10.0, 20.0)),
            vec![30.0, 30.0, 30.0, 35.0],
            false,
        ),
        (
            InRange,
            Some(within(10.0, 20.0)),
            vec![30.0, 30.0, 30.0, 36.1],
            true,
        ),
        (
            InRange,
            Some(within(10.0, 20.0)),
            vec![30.0, 30.0, 30.0, 15.0],
            false,
        ),
    ] {
        let target = target.map(|target| aim("k", day(1, 1), target));
        let before = given([kpi("k", |f| f.direction = direction)])
            .and(target)
            .on(1, 10);
        let days = (1_i8..)
            .zip(&values)
            .map(|(on, number)| measured("k", 1, on, *number));
        let after = before.and(days);
        let found = after.open("k").contains(&AlertKind::AdverseMove);
        assert_eq!(found, open, "{direction:?}: {values:?}");
        let opened = after.alarms().contains(&"ADVERSE_MOVE opened".to_owned());
        assert_eq!(opened, open, "{direction:?}: {values:?}, by the last value");
    }
}

/// The policy says over how many periods and from how many percent on; 0 percent: never. Labels of a scale have no mean.
#[test]
fn the_policy_says_what_an_adverse_move_is() {
    let values = [100.0, 100.0, 100.0, 79.0];
    let fed = |kind: fn(&mut KpiFields), values: &[f64]| {
        let days = (1_i8..)
            .zip(values)
            .map(|(on, number)| measured("k", 1, on, *number));
        given([kpi("k", kind)]).on(1, 5).and(days)
    };
    let given = fed(|_| {}, &values);
    assert_eq!(given.open("k"), [AlertKind::AdverseMove]);
    let alert = given.alert("k", AlertKind::AdverseMove).clone();
    assert_eq!(
        (
            alert.opening.value,
            alert.opening.reference,
            alert.opening.periods
        ),
        (Some(79.0), Some(100.0), 3)
    );
    let never = given
        .clone()
        .and([alert_rules(|rules| rules.adverse_move_percent = 0.0)]);
    assert_eq!(never.alarms(), ["ADVERSE_MOVE closed: TARGET_CHANGED"]);
    for (periods, percent, open) in [
        (3, 20.0, true),
        (3, 21.0, false),
        (3, 20.9, true),
        (1, 20.0, true),
        (4, 20.0, false),
    ] {
        let rules = alert_rules(|rules| {
            (rules.adverse_move_periods, rules.adverse_move_percent) = (periods, percent)
        });
        let found = !given.clone().and([rules]).open("k").is_empty();
        assert_eq!(found, open, "{percent} % of {periods}");
    }
    let recovered = given.clone().and([measured("k", 1, 5, 95.0)]);
    assert_eq!(recovered.alarms(), ["ADVERSE_MOVE closed: RECOVERED"]);
    let corrected = given.and([correct_measured("k", 1, 1, 70.0)]);
    assert_eq!(
        corrected.alarms(),
        ["ADVERSE_MOVE closed: CORRECTED"],
        "the mean was not 100"
    );
    fn scale(fields: &mut KpiFields) {
        let labels = ["a", "b", "c"].map(str::to_owned);
        fields.unit = Unit::parse(UnitKind::scale(&labels).unwrap(), "", None).unwrap();
    }
    let labels = [2.0, 2.0, 2.0, 0.0];
    assert!(fed(scale, &labels).open("k").is_empty());
    let alone = |f: &mut KpiFields| {
        scale(f);
        (f.cadence, f.aggregation) = (Cadence::Irregular, Aggregation::Count);
    };
    assert!(
        fed(alone, &labels).open("k").is_empty(),
        "each of them is a label"
    );
}
