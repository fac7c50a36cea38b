//! The same data in any order comes to the same: series, health and open alerts.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::Health;
use super::super::given::*;
use super::super::{
    Aggregation, AlertKind, Cadence, Command, KpiFields, Timestamp, Transform, judged_values,
};

const SOURCES: [&str; 3] = ["", "a", "b"];

/// One assertion of one identity: a value, or that there is none.
#[derive(Clone, Copy, Debug)]
struct Said {
    on: i8,
    hour: i8,
    source: usize,
    value: Option<f64>,
}

impl Said {
    fn time(self) -> Timestamp {
        at(2026, 1, self.on, self.hour)
    }

    fn identity(self) -> (i8, i8, usize) {
        (self.on, self.hour, self.source)
    }
}

fn said() -> impl Strategy<Value = Said> {
    let value = prop_oneof![4 => (0_u8..12).prop_map(|tenth| Some(f64::from(tenth) + 0.1)), 1 => Just(None)];
    (1_i8..15, prop_oneof![Just(3), Just(20)], 0..SOURCES.len(), value).prop_map(
        |(on, hour, source, value)| Said {
            on,
            hour,
            source,
            value,
        },
    )
}

fn kinds() -> impl Strategy<Value = (Cadence, Aggregation, bool, u32, u32)> {
    use Aggregation::{Count, Last, Max, Mean, Min, Sum};
    (
        prop_oneof![
            Just(Cadence::Daily),
            Just(Cadence::Weekly),
            Just(Cadence::Irregular)
        ],
        prop_oneof![
            Just(Last),
            Just(Sum),
            Just(Mean),
            Just(Min),
            Just(Max),
            Just(Count)
        ],
        proptest::bool::weighted(0.2),
        1_u32..4,
        1_u32..4,
    )
}

fn measured_by(
    (cadence, aggregation, change, breach_after, recover_after): (Cadence, Aggregation, bool, u32, u32),
) -> Given {
    let kind = |fields: &mut KpiFields| {
        (fields.cadence, fields.aggregation) = (cadence, aggregation);
        fields.transform = change.then_some(Transform::ChangePercent);
    };
    given(aimed("k", at_least_or_watch(8.0, 5.0), kind))
        .and([
            // From here on another one; the days before the first of them have none.
            aim("k", day(1, 9), at_least(4.0)),
            aim_no_more("k", day(1, 1)),
            aim("k", day(1, 4), at_least_or_watch(8.0, 5.0)),
            alert_rules(|rules| (rules.breach_after, rules.recover_after) = (breach_after, recover_after)),
        ])
        .on(1, 15)
}

/// What a series of assertions records: batches that end at random, and where an identity comes again.
fn recorded(given: Given, said: &[Said], ends: &[bool]) -> Given {
    let mut batch: BTreeMap<(i8, i8, usize), Said> = BTreeMap::new();
    let mut given = given;
    let flush = |given: Given, batch: &mut BTreeMap<(i8, i8, usize), Said>| {
        let elements: Vec<_> = std::mem::take(batch)
            .into_values()
            .map(|said| {
                let mut new = measurement("k", super::super::Effective::At(said.time()), said.value.unwrap());
                new.source_id = SOURCES[said.source].into();
                new
            })
            .collect();
        match elements.is_empty() {
            true => given,
            false => given.and([Command::RecordMeasurements(elements)]),
        }
    };
    for (said, ends) in said.iter().zip(ends.iter().cycle()) {
        if *ends || batch.contains_key(&said.identity()) || said.value.is_none() {
            given = flush(given, &mut batch);
        }
        let source = SOURCES[said.source];
        match said.value {
            Some(_) => {
                batch.insert(said.identity(), *said);
            }
            None => {
                let retract = retract_at("k", said.time(), source);
                let known = given
                    .workspace
                    .kpi(&id("k"))
                    .unwrap()
                    .series
                    .get(said.time(), source)
                    .is_some();
                given = given.and(known.then_some(retract));
            }
        }
    }
    flush(given, &mut batch)
}

/// BREACH as the sentence has it, from the oldest value to the newest.
fn naive_breach(given: &Given, breach_after: u32, recover_after: u32) -> bool {
    let kpi = given.workspace.kpi(&id("k")).unwrap();
    let mut judged: Vec<Health> = judged_values(kpi, &given.workspace)
        .map(|judged| judged.health)
        .collect();
    judged.reverse();
    let (mut open, mut breached, mut healthy) = (false, 0, 0);
    for health in judged {
        breached = if health == Health::Breached {
            breached + 1
        } else {
            0
        };
        healthy = if health == Health::Healthy { healthy + 1 } else { 0 };
        if breached >= breach_after {
            open = true;
        }
        if healthy >= recover_after {
            open = false;
        }
    }
    open
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    /// "Judged on the newest values by effective time, once per commit": the order in which values, corrections and
    /// retractions came makes no difference, and what is open is what a look at all values says.
    #[test]
    fn the_same_data_in_any_order_comes_to_the_same(
        kind in kinds(),
        said in prop::collection::vec(said(), 1..40),
        keys in prop::collection::vec(any::<u16>(), 14 * 2 * 3),
        ends in prop::collection::vec(any::<bool>(), 7),
    ) {
        // Each identity keeps its own order, so the newest assertion of each stays the newest; between them all is mixed.
        let mut mixed = said.clone();
        mixed.sort_by_key(|said| {
            keys[(usize::from(said.on.unsigned_abs()) - 1) * 6 + usize::from(said.hour > 12) * 3 + said.source]
        });
        let (one, other) = (recorded(measured_by(kind), &said, &[true]), recorded(measured_by(kind), &mixed, &ends));
        prop_assert_eq!(one.points("k", &SOURCES), other.points("k", &SOURCES));
        prop_assert_eq!(one.values("k"), other.values("k"));
        let open = |given: &Given| {
            let open = given.open("k").into_iter().filter(|kind| *kind != AlertKind::Stale);
            open.collect::<Vec<_>>()
        };
        prop_assert_eq!(open(&one), open(&other));
        prop_assert_eq!(one.kpi("k"), other.kpi("k"));
        let breached = naive_breach(&one, kind.3, kind.4);
        prop_assert_eq!(open(&one).contains(&AlertKind::Breach), breached);
        // A day's start finds nothing but what is missing; then everything is the same.
        let (one, other) = (one.on(1, 16), other.on(1, 16));
        prop_assert_eq!(one.open("k"), other.open("k"));
        prop_assert_eq!(one.kpi("k"), other.kpi("k"));
        prop_assert_eq!(one.open("k").contains(&AlertKind::Breach), naive_breach(&one, kind.3, kind.4));
        prop_assert_eq!(one.open("k").contains(&AlertKind::Stale), one.kpi("k").stale);
    }

    /// A row of judged values, one a day as it comes: after each of them BREACH is open exactly when the sentence says so.
    #[test]
    fn a_breach_is_open_when_a_look_at_all_values_says_so(
        letters in prop::collection::vec(0_usize..4, 1..25),
        breach_after in 1_u32..5, recover_after in 1_u32..5,
    ) {
        let kind = (Cadence::Daily, Aggregation::Last, false, breach_after, recover_after);
        let mut given = given(aimed("k", at_least_or_watch(8.0, 5.0), |_| {}))
            .and([alert_rules(|rules| (rules.breach_after, rules.recover_after) = (kind.3, kind.4))]);
        for (on, letter) in (1_i8..).zip(letters) {
            let number = [Some(9.0), Some(6.0), Some(1.0), None][letter];
            given = given.on(1, on).and(number.map(|number| measured("k", 1, on, number)));
            let open = given.open("k").contains(&AlertKind::Breach);
            prop_assert_eq!(open, naive_breach(&given, breach_after, recover_after), "on {} January", on);
        }
    }
}
