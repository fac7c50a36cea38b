//! The way back from a key result to a KPI.

use super::super::given::*;
use super::super::{
    AlertKind, Cadence, Command, Direction, Effective, Health, KeyResultKind, Target, Unit, UnitKind,
    key_result_progress,
};

/// ACTIVE objective win in q1 with key result k of a kind.
fn with(kind: KeyResultKind) -> Given {
    given(q1())
        .and([
            objective("win", |_| {}),
            key_result("win/k", |f| f.kind = kind),
            activate("win"),
        ])
        .on(1, 10)
}

const LINKED: [&str; 3] = ["KpiCreated", "TargetSet", "KeyResultUpdated"];

/// METRIC asks for its target in the direction in which it goes, MAINTAIN for its bounds, from today on.
#[test]
fn what_a_key_result_asks_for_is_what_the_kpi_asks_for() {
    for (kind, direction, target) in [
        (metric(Some(0.0), 10.0), Direction::HigherIsBetter, at_least(10.0)),
        (metric(Some(10.0), 2.0), Direction::LowerIsBetter, at_most(2.0)),
        (
            metric(Some(-10.0), -2.0),
            Direction::HigherIsBetter,
            at_least(-2.0),
        ),
        (
            maintain(Some(5.0), None, 1.0),
            Direction::HigherIsBetter,
            at_least(5.0),
        ),
        (
            maintain(None, Some(5.0), 1.0),
            Direction::LowerIsBetter,
            at_most(5.0),
        ),
        (
            maintain(Some(1.0), Some(5.0), 1.0),
            Direction::InRange,
            within(1.0, 5.0),
        ),
        (share(5.0), Direction::HigherIsBetter, at_least(5.0)),
    ] {
        let given = with(kind.clone());
        let command = keep("win/k", "kept", Cadence::Weekly);
        assert_eq!(given.when(command.clone()), Ok(LINKED.to_vec()), "{kind:?}");
        let given = given.and([command]);
        let kpi = given.workspace.kpi(&id("kept")).unwrap();
        assert_eq!(
            (kpi.fields.direction, kpi.fields.cadence),
            (direction, Cadence::Weekly),
            "{kind:?}"
        );
        assert_eq!(kpi.fields.title.as_str(), "win/k");
        assert_eq!(kpi.fields.owner, Some(id("maria")), "the objective's");
        let targets: Vec<(_, Target)> = kpi
            .targets
            .iter()
            .map(|(date, set)| (*date, set.target))
            .collect();
        assert_eq!(targets, [(day(1, 10), target)], "{kind:?}");
        let linked = &given
            .workspace
            .key_result(&key_result_id("win/k"))
            .unwrap()
            .fields;
        assert_eq!(
            (&linked.kpi, &linked.kind),
            (&Some(id("kept")), &kind),
            "and nothing else of it"
        );
    }
}

/// Without values, with a KPI of its own, or without a free name there is nothing to make.
#[test]
fn what_has_no_values_or_has_a_kpi_becomes_none() {
    let metric_like = with(metric(Some(0.0), 10.0));
    let linked = metric_like.clone().and([keep("win/k", "kept", Cadence::Daily)]);
    let closed = metric_like.clone().and([close("win", explained())]);
    let canceled = metric_like.clone().and([cancel("win")]);
    let deleted = metric_like.clone().and([delete("keyResults/win/k")]);
    let taken = metric_like.clone().and([kpi("kept", |_| {})]);
    let unlinked = ["KpiCreated", "TargetSet"].to_vec();
    for (case, given, path, outcome) in [
        (
            "MILESTONES",
            &with(milestones(&[("a", 1.0)])),
            "win/k",
            Err("KEY_RESULT_HAS_NO_VALUES"),
        ),
        (
            "BINARY",
            &with(KeyResultKind::Binary),
            "win/k",
            Err("KEY_RESULT_HAS_NO_VALUES"),
        ),
        ("linked already", &linked, "win/k", Err("KEY_RESULT_HAS_KPI")),
        ("not there", &metric_like, "win/x", Err("NOT_FOUND")),
        ("deleted", &deleted, "win/k", Err("DELETED")),
        ("a name that is taken", &taken, "win/k", Err("ALREADY_EXISTS")),
        ("active", &metric_like, "win/k", Ok(LINKED.to_vec())),
        // What is over changes no more, but what was reached is kept.
        ("closed", &closed, "win/k", Ok(unlinked.clone())),
        ("canceled", &canceled, "win/k", Ok(unlinked)),
    ] {
        assert_eq!(given.when(keep(path, "kept", Cadence::Daily)), outcome, "{case}");
    }
    let draft = given(q1()).and([
        objective("win", |f| f.owner = None),
        key_result("win/k", |f| f.kind = metric(None, 10.0)),
    ]);
    assert_eq!(
        draft.when(keep("win/k", "kept", Cadence::Daily)),
        Ok(LINKED.to_vec()),
        "a draft without a baseline"
    );
    let draft = draft.and([keep("win/k", "kept", Cadence::Daily), measured("kept", 1, 1, 4.0)]);
    let again = update_key_result("win/k", |p| p.kind = Some(metric(None, 10.0)));
    let kind = &draft.and([again]).workspace.key_results[&key_result_id("win/k")]
        .fields
        .kind;
    assert!(matches!(kind, KeyResultKind::Metric(metric) if metric.baseline.unwrap().value.get() == 4.0));
}

/// What was checked in becomes measurements: of several of one moment the last, corrected ones as they are, retracted ones
/// not, those outside of the cycle too, and none that is no value of the unit.
#[test]
fn check_ins_become_measurements() {
    let at_noon = |name: &str, on: (i8, i8), number: f64| saw_on("win/k", name, on, number);
    let given = with(metric(Some(0.0), 10.0)).on(1, 20).and([
        at_noon("a", (1, 3), 1.0),
        at_noon("b", (1, 3), 2.0),
        at_noon("c", (1, 5), 3.0),
        correct("win/k", "c", |patch| patch.value = Some(Some(value(4.0)))),
        at_noon("d", (1, 7), 5.0),
        retract("win/k", "d"),
        check_in("win/k", "words", in_words),
        check_in("win/k", "old", |c| {
            (c.effective, c.value) = (Effective::At(at(2025, 12, 30, 12)), Some(value(-1.0)));
        }),
        at_noon("e", (1, 8), 7.5),
        at_noon("f", (1, 9), 6.0),
    ]);
    let known = |given: &Given| -> Vec<f64> {
        given
            .points("kept", &[""])
            .into_iter()
            .map(|(_, _, number)| number)
            .collect()
    };
    let kept = given.clone().and([keep("win/k", "kept", Cadence::Daily)]);
    assert_eq!(known(&kept), [-1.0, 2.0, 4.0, 7.5, 6.0]);
    let moments: Vec<_> = kept
        .points("kept", &[""])
        .into_iter()
        .map(|(time, ..)| time)
        .collect();
    assert_eq!(moments[0], at(2025, 12, 30, 12));
    assert_eq!(moments[1], at(2026, 1, 3, 12));
    assert_eq!(
        kept.kpi("kept").health,
        Health::NoTarget,
        "the target holds from today on"
    );
    // In another unit by now: what is no count stays behind.
    let count = Unit::parse(UnitKind::Count, "deals", None).unwrap();
    let counted = given.and([update_key_result("win/k", |p| p.unit = Some(Some(count.clone())))]);
    let kept = counted.and([keep("win/k", "kept", Cadence::Daily)]);
    assert_eq!(known(&kept), [2.0, 4.0, 6.0]);
    assert_eq!(kept.workspace.kpi(&id("kept")).unwrap().fields.unit, count);
}

/// The link changes no score: the newest check-in of the cycle is the newest value of the KPI.
#[test]
fn the_link_leaves_the_score_as_it_is() {
    let days = [(1, 2), (1, 5), (1, 9)];
    for values in [
        vec![],
        vec![3.0],
        vec![3.0, 4.0],
        vec![3.0, 9.0, 4.0],
        vec![-3.0, 20.0],
    ] {
        for cadence in [
            Cadence::Daily,
            Cadence::Weekly,
            Cadence::Monthly,
            Cadence::Quarterly,
            Cadence::Irregular,
        ] {
            let check_ins = days
                .iter()
                .zip(&values)
                .enumerate()
                .map(|(n, (on, number))| saw_on("win/k", &format!("c{n}"), *on, *number));
            let given = with(metric(Some(0.0), 10.0)).and(check_ins);
            let progress = |given: &Given| {
                let path = key_result_id("win/k");
                let found = key_result_progress(
                    &given.workspace,
                    &path,
                    given.workspace.key_result(&path).unwrap(),
                );
                let found = found.unwrap();
                (found.current, found.progress, found.score)
            };
            let before = progress(&given);
            let linked = given.and([keep("win/k", "kept", cadence)]);
            assert_eq!(progress(&linked), before, "{values:?}, {cadence:?}");
            assert_eq!(
                linked.when(saw("win/k", "late", 1.0)),
                Err("VALUE_COMES_FROM_KPI")
            );
        }
    }
}

/// The new KPI is judged at once, in the commit that makes it.
#[test]
fn a_kpi_that_misses_what_was_reached_asks_for_action_at_once() {
    let given = with(maintain(Some(5.0), None, 1.0)).and([saw("win/k", "now", 3.0)]);
    let kept = given.and([keep("win/k", "kept", Cadence::Daily)]);
    assert_eq!(kept.alarms(), ["BREACH opened"]);
    assert_eq!(kept.open("kept"), [AlertKind::Breach]);
    let named = Command::CreateKpiFromKeyResult(Box::new(super::super::KpiFromKeyResult {
        key_result: key_result_id("win/k"),
        kpi: id("kept"),
        title: Some(title("Kept")),
        cadence: Cadence::Monthly,
        area: super::super::Text::parse("sales").unwrap(),
        data_source: super::super::Text::parse("the desk").unwrap(),
    }));
    let told = with(maintain(Some(5.0), None, 1.0)).and([named]);
    let fields = &told.workspace.kpi(&id("kept")).unwrap().fields;
    assert_eq!(
        (
            fields.title.as_str(),
            fields.area.as_str(),
            fields.data_source.as_str()
        ),
        ("Kept", "sales", "the desk")
    );
}
