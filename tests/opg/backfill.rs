//! The same figures in any order, in batches of any size, with what was wrong put right and what was not so taken back: in the
//! end everything is as if they had come in order, and every moment before still shows what was known then.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use binnacle::proto::api;
use binnacle::proto::api::as_of::Moment;
use jiff::civil::Date;
use proptest::prelude::{Just, Strategy};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::common::*;
use crate::figures::{Months, NEWEST, lower_is_better, percent, published};
use crate::naive::{Bounds, Rules, adverse_moves, breaches, rules};
use crate::world::*;

/// A KPI, the first day of a month, and a source.
type Identity = (String, Date, &'static str);
/// What is known: a value of each identity.
type Known = BTreeMap<Identity, f64>;

/// What happens to an identity.
#[derive(Clone, Copy, Debug)]
enum Step {
    Record(f64),
    Correct(f64),
    Retract,
}

/// What happens to each identity, in this order; between identities there is none.
type Histories = BTreeMap<Identity, Vec<Step>>;

/// The published figures: some recorded wrongly at first, some taken back for a while or for good, and some that never were.
fn histories() -> Histories {
    use Step::{Correct, Record, Retract};
    let mut histories = Histories::new();
    let figures = published().iter().flat_map(|(id, months)| {
        months
            .iter()
            .map(move |(month, figure)| (id.clone(), *month, *figure))
    });
    for (n, (id, month, figure)) in figures.enumerate() {
        // On the other side of any target, and still a percent and a count.
        let wrong = if n % 2 == 0 { 95.0 } else { 5.0 };
        let is_the_newest = id == percent("use-an-lpa") && month == NEWEST;
        let steps = match n {
            _ if is_the_newest => vec![Record(figure), Correct(wrong), Retract],
            n if n % 23 == 7 => vec![Record(figure), Retract],
            n if n % 11 == 3 => vec![Record(wrong), Record(figure)],
            n if n % 13 == 5 => vec![Record(wrong), Correct(wrong + 1.0), Correct(figure)],
            n if n % 17 == 2 => vec![Record(figure), Retract, Record(figure)],
            _ => vec![Record(figure)],
        };
        if n % 19 == 4 {
            let never_was = (id.clone(), month, "typo");
            histories.insert(never_was, vec![Record(wrong), Retract]);
        }
        histories.insert((id, month, ""), steps);
    }
    histories
}

/// What is known in the end, whatever the order.
fn outcome_of(histories: &Histories) -> Known {
    let last = |steps: &Vec<Step>| match steps.last() {
        Some(Step::Record(value) | Step::Correct(value)) => Some(*value),
        Some(Step::Retract) | None => None,
    };
    let known = histories.iter();
    known
        .filter_map(|(identity, steps)| Some((identity.clone(), last(steps)?)))
        .collect()
}

/// Steps in the order in which they are taken, and the sizes of batches.
struct Plan {
    steps: Vec<(Identity, Step)>,
    sizes: Vec<usize>,
}

impl Plan {
    /// Only what is known in the end, month by month.
    fn in_order(known: &Known) -> Self {
        let mut steps: Vec<_> = known
            .iter()
            .map(|(identity, value)| (identity.clone(), Step::Record(*value)))
            .collect();
        steps.sort_by_key(|((id, month, source), _)| (*month, id.clone(), *source));
        Self {
            steps,
            sizes: vec![12],
        }
    }

    /// Everything that happened, the steps of an identity in their order and all else by chance.
    fn at_random(histories: &Histories, seed: u8) -> Self {
        let turns: Vec<Identity> = histories
            .iter()
            .flat_map(|(identity, steps)| std::iter::repeat_n(identity.clone(), steps.len()))
            .collect();
        let sizes = proptest::collection::vec(1usize..60, 20);
        let chance = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
        let mut runner = TestRunner::new_with_rng(Config::default(), chance);
        let drawn = (Just(turns).prop_shuffle(), sizes).new_tree(&mut runner);
        let (turns, sizes) = drawn.expect("a draw").current();
        let mut left: BTreeMap<&Identity, VecDeque<Step>> = histories
            .iter()
            .map(|(identity, steps)| (identity, steps.iter().copied().collect()))
            .collect();
        let mut next = |identity: &Identity| left.get_mut(identity).and_then(VecDeque::pop_front);
        let steps = turns.into_iter().map(|identity| {
            let step = next(&identity).expect("a step for each turn");
            (identity, step)
        });
        Self {
            steps: steps.collect(),
            sizes,
        }
    }
}

/// A server that is told of the figures, and what it should know.
struct Teller {
    server: Server,
    known: Known,
    batch: Vec<(Identity, f64)>,
    /// What was known at some revisions, and the second of each.
    moments: Vec<(i64, i64, Known)>,
    /// The clock's.
    second: i64,
}

impl Teller {
    async fn new(rules: Rules, bounds: Bounds) -> Self {
        let today = Date::constant(2026, 7, 15);
        let server = server_on(today).await;
        with_rules(&server, rules).await;
        for (id, months) in published() {
            with_gauge(&server, id, |_| {}).await;
            if id.ends_with("percent") {
                ask(&server, id, *months.keys().next().expect("a month"), bounds).await;
            }
        }
        Self {
            server,
            known: Known::new(),
            batch: Vec::new(),
            moments: Vec::new(),
            second: start_s(today) + 12 * 3600,
        }
    }

    async fn tell(&mut self, plan: Plan) {
        let mut sizes = plan.sizes.iter().cycle();
        let mut size = 1;
        for (identity, step) in plan.steps {
            let is_in_batch = self.batch.iter().any(|(other, _)| *other == identity);
            if is_in_batch || self.batch.len() >= size || !matches!(step, Step::Record(_)) {
                self.send_batch().await;
                size = *sizes.next().expect("they go round");
            }
            match step {
                Step::Record(value) => self.batch.push((identity, value)),
                Step::Correct(value) => self.correct(identity, value).await,
                Step::Retract => self.retract(identity).await,
            }
        }
        self.send_batch().await;
    }

    async fn send_batch(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        self.next_second();
        let measured = self
            .batch
            .iter()
            .map(|((id, month, source), value)| measurement(id, *month, source, *value));
        let revision = record(&self.server, measured.collect()).await;
        self.known.extend(std::mem::take(&mut self.batch));
        self.remember(revision);
    }

    async fn correct(&mut self, identity: Identity, value: f64) {
        self.next_second();
        let (id, month, source) = &identity;
        let request = api::CorrectMeasurementRequest {
            parent: acme(&format!("kpis/{id}")),
            measurement: Some(measurement(id, *month, source, value)),
            ..Default::default()
        };
        let corrected = self.server.kpis().correct_measurement(request).await;
        let revision = corrected.expect("corrected").into_inner().revision;
        self.known.insert(identity, value);
        self.remember(revision);
    }

    async fn retract(&mut self, identity: Identity) {
        self.next_second();
        let (id, month, source) = &identity;
        let request = api::RetractMeasurementRequest {
            parent: acme(&format!("kpis/{id}")),
            effective_time: start_of(*month),
            source_id: (*source).to_owned(),
            ..Default::default()
        };
        let retracted = self.server.kpis().retract_measurement(request).await;
        let retracted = retracted.expect("retracted").into_inner();
        assert_eq!(retracted.value, self.known.remove(&identity), "{identity:?}");
        self.remember(self.server.head().await);
    }

    fn next_second(&mut self) {
        self.second += 1;
        let now = binnacle::domain::Timestamp::from_micros(self.second * 1_000_000);
        self.server.clock.advance_to(now);
    }

    /// Every few commits.
    fn remember(&mut self, revision: i64) {
        if self.second % 7 == 0 {
            self.moments.push((revision, self.second, self.known.clone()));
        }
    }

    /// Every point of every KPI, as known at a moment.
    async fn points(&self, moment: Option<Moment>) -> (BTreeSet<i64>, Points) {
        let published = published();
        let found = batch(&self.server, published.keys(), |it| {
            it.as_of = moment.map(|moment| api::AsOf { moment: Some(moment) });
        })
        .await;
        let revisions = found.values().map(|series| series.revision).collect();
        let points = |series: api::KpiSeries| {
            let points = series.points.iter();
            points
                .map(|point| {
                    (
                        point.effective_time.as_ref().expect("a time").seconds,
                        point.value,
                    )
                })
                .collect()
        };
        let found = found.into_iter().map(|(id, series)| (id, points(series)));
        (revisions, found.collect())
    }

    async fn outcome(&self) -> Outcome {
        let published = published();
        let in_months = batch(&self.server, published.keys(), |it| {
            it.bucket = api::Cadence::Monthly.into();
        })
        .await;
        let health = kpis(&self.server).await.into_iter();
        Outcome {
            points: self.points(None).await.1,
            months: in_months
                .into_iter()
                .map(|(id, series)| (id, series.points))
                .collect(),
            health: health.map(|(id, kpi)| (id, kpi.health)).collect(),
            open: open_kinds(&self.server).await,
        }
    }
}

/// Effective times in seconds, and values, of each KPI.
type Points = BTreeMap<String, Vec<(i64, Option<f64>)>>;

fn points_of(known: &Known) -> Points {
    let mut points: Points = published().keys().map(|id| (id.clone(), Vec::new())).collect();
    for ((id, month, _), value) in known {
        let of_kpi = points.get_mut(id).expect("a KPI");
        of_kpi.push((start_s(*month), Some(*value)));
    }
    points
}

/// What has to be the same.
#[derive(Debug, PartialEq)]
struct Outcome {
    points: Points,
    months: BTreeMap<String, Vec<api::SeriesPoint>>,
    health: BTreeMap<String, Option<api::KpiHealth>>,
    open: BTreeSet<(String, &'static str)>,
}

/// The outcome of the same day, and of the day on which July is over.
async fn outcomes(teller: &Teller) -> [Outcome; 2] {
    let now = teller.outcome().await;
    teller.server.clock.advance_to(noon(Date::constant(2026, 8, 1)));
    begin_day(&teller.server).await;
    [now, teller.outcome().await]
}

/// What a pencil says is open: of each KPI the kinds of its alerts.
fn open_of(known: &Known, bounds: Bounds, rules: Rules) -> BTreeSet<(String, &'static str)> {
    let mut months: BTreeMap<&str, Months> = BTreeMap::new();
    for ((id, month, _), value) in known {
        months.entry(id).or_default().insert(*month, *value);
    }
    let mut open = BTreeSet::new();
    for (id, months) in months {
        let mut spells = adverse_moves(&months, lower_is_better(id));
        if id.ends_with("percent") {
            spells.extend(breaches(&months, bounds, rules));
        }
        let left = spells.iter().filter(|spell| spell.closed.is_none());
        open.extend(left.map(|spell| (id.to_owned(), spell.kind.as_str_name())));
    }
    open
}

/// By each of the seeds the figures come in another order, and to the same as in order.
async fn come_to_the_same(seeds: [u8; 2], critical: Option<f64>, rules: Rules) {
    let histories = histories();
    let known = outcome_of(&histories);
    let bounds = Bounds {
        at_least: 90.0,
        critical,
    };
    let mut in_order = Teller::new(rules, bounds).await;
    in_order.tell(Plan::in_order(&known)).await;
    let expected = outcomes(&in_order).await;
    assert_eq!(expected[0].points, points_of(&known));
    let mut open = open_of(&known, bounds, rules);
    assert!(!open.is_empty());
    assert_eq!(expected[0].open, open);
    open.extend(published().keys().map(|id| (id.clone(), "KIND_STALE")));
    assert_eq!(expected[1].open, open, "July is over");
    for seed in seeds {
        let mut teller = Teller::new(rules, bounds).await;
        teller.tell(Plan::at_random(&histories, seed)).await;
        assert!(teller.known == known, "all steps are taken");
        let found = outcomes(&teller).await;
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found.points, expected.points, "seed {seed}");
            assert_eq!(found.months, expected.months, "seed {seed}");
            assert_eq!(found.health, expected.health, "seed {seed}");
            assert_eq!(found.open, expected.open, "seed {seed}");
        }
        // On the way there were others, and that they were open stays.
        let filled_in = alerts(&teller.server, "close_reason = CORRECTED").await;
        assert!(!filled_in.is_empty(), "seed {seed}");
    }
}

#[tokio::test]
async fn figures_in_any_order_with_corrections_come_to_the_same_as_in_order() {
    come_to_the_same([1, 2], None, rules(1, 1)).await;
}

#[tokio::test]
async fn they_do_so_where_a_watch_band_breaks_rows() {
    come_to_the_same([3, 4], Some(80.0), rules(1, 1)).await;
}

#[tokio::test]
async fn they_do_so_where_it_takes_two_months_in_a_row() {
    come_to_the_same([5, 6], None, rules(2, 2)).await;
}

#[tokio::test]
async fn every_moment_of_a_backfill_still_shows_what_was_known_then() {
    let histories = histories();
    let known = outcome_of(&histories);
    let bounds = Bounds {
        at_least: 90.0,
        critical: None,
    };
    let mut teller = Teller::new(rules(1, 1), bounds).await;
    teller.tell(Plan::at_random(&histories, 7)).await;
    let mut believed_otherwise = 0;
    for (revision, second, then) in &teller.moments {
        let expected = points_of(then);
        let recorded = prost_types::Timestamp {
            seconds: *second,
            nanos: 0,
        };
        let last = teller.points(Some(Moment::Revision(*revision))).await;
        assert!(last.1 == expected, "at revision {revision}");
        assert_eq!(last.0, [*revision].into());
        let last = teller.points(Some(Moment::RecordedTime(recorded))).await;
        assert!(last.1 == expected, "at second {second}");
        believed_otherwise += then
            .iter()
            .filter(|(identity, value)| known.get(*identity) != Some(*value))
            .count();
    }
    assert!(teller.moments.len() > 20, "{} moments", teller.moments.len());
    assert!(
        believed_otherwise > 100,
        "what was wrong is not seen: {believed_otherwise}"
    );
}
