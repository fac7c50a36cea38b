//! Where a metric starts, and how that is known.

use super::super::given::*;
use super::super::{
    Aggregation, Baseline, Command, Etag, KeyResultFields, KeyResultKind, KeyResultPatch, Metric, Revision,
    Window,
};
use super::{company, fields};

fn metric_of<'g>(given: &'g Given, path: &str) -> &'g Metric {
    match &given
        .workspace
        .key_result(&key_result_id(path))
        .unwrap()
        .fields
        .kind
    {
        KeyResultKind::Metric(metric) => metric,
        other => panic!("another kind: {other:?}"),
    }
}

/// "The baseline is stored with where it came from (given; KPI at revision), never moves by itself".
#[test]
fn a_baseline_comes_from_the_kpi_and_never_moves_by_itself() {
    let linked = key_result("win/nps", |fields| {
        fields.kpi = Some(id("nps"));
        fields.kind = metric(None, 65.0);
    });
    let given = company().and([measured("nps", 1, 1, 40.0), linked]);
    let baseline = |given: &Given| {
        let key_result = given.workspace.key_result(&key_result_id("win/nps")).unwrap();
        let KeyResultKind::Metric(metric) = &key_result.fields.kind else {
            panic!("another kind");
        };
        metric
            .baseline
            .map(|baseline| (baseline.value.get(), baseline.kpi_revision.is_some()))
    };
    assert_eq!(baseline(&given), Some((40.0, true)));
    let later = given.on(1, 9).and([measured("nps", 1, 9, 50.0)]);
    assert_eq!(
        baseline(&later),
        Some((40.0, true)),
        "the KPI moves, the baseline does not"
    );
    let sent_back = update_key_result("win/nps", |p| p.kind = Some(metric(Some(40.0), 65.0)));
    assert_eq!(
        later.when(sent_back),
        Ok(vec![]),
        "what was read and is sent back changes nothing"
    );
    let given_anew = later.and([update_key_result("win/nps", |p| {
        p.kind = Some(metric(Some(41.0), 65.0))
    })]);
    assert_eq!(baseline(&given_anew), Some((41.0, false)));
}

/// "the key result may choose the window `CYCLE` instead … With SUM or COUNT over CYCLE the baseline is 0
/// (`BASELINE_NOT_ZERO`), the earlier figure is a `reference_value`."
#[test]
fn a_sum_over_the_cycle_starts_at_0() {
    let given = company().and([
        kpi("sum", |f| f.aggregation = Aggregation::Sum),
        kpi("count", |f| f.aggregation = Aggregation::Count),
        kpi("mean", |f| f.aggregation = Aggregation::Mean),
        measured("sum", 1, 1, 7.0),
        measured("mean", 1, 1, 7.0),
    ]);
    let of = |kpi: Option<&'static str>, baseline, window| {
        key_result("win/new", move |f| {
            f.kpi = kpi.map(id);
            f.kind = metric(baseline, 90.0);
            f.window = window;
        })
    };
    use Window::{Cycle, Newest};
    for (kpi, given_baseline, window, baseline) in [
        (Some("sum"), None, Cycle, Ok(Some(0.0))),
        (Some("sum"), Some(0.0), Cycle, Ok(Some(0.0))),
        (Some("count"), None, Cycle, Ok(Some(0.0))),
        (Some("sum"), Some(40.0), Cycle, Err("BASELINE_NOT_ZERO")),
        (Some("count"), Some(-1.0), Cycle, Err("BASELINE_NOT_ZERO")),
        (Some("mean"), Some(40.0), Cycle, Ok(Some(40.0))),
        (Some("mean"), None, Cycle, Ok(Some(7.0))),
        (Some("sum"), Some(40.0), Newest, Ok(Some(40.0))),
        (Some("sum"), None, Newest, Ok(None)),
        (None, Some(40.0), Cycle, Err("INVALID_FIELD")),
    ] {
        let command = of(kpi, given_baseline, window);
        match baseline {
            Err(reason) => assert_eq!(given.when(command.clone()), Err(reason), "{command:?}"),
            Ok(number) => {
                let given = given.clone().and([command]);
                let stored = metric_of(&given, "win/new").baseline;
                assert_eq!(stored.map(|baseline| baseline.value.get()), number);
            }
        }
    }
    assert_eq!(
        fields(&given.refused(&of(None, Some(40.0), Cycle))),
        ["key_result.window"]
    );
    let widened = given.and([of(Some("sum"), Some(40.0), Newest)]);
    let widen = |kind: Option<KeyResultKind>| {
        update_key_result("win/new", move |p| {
            p.window = Some(Cycle);
            p.kind = kind;
        })
    };
    assert_eq!(widened.when(widen(None)), Err("BASELINE_NOT_ZERO"));
    assert_eq!(
        widened.when(widen(Some(metric(None, 90.0)))),
        Ok(vec!["KeyResultUpdated"])
    );
}

/// "The baseline is stored with where it came from (given; KPI at revision)".
#[test]
fn a_baseline_says_where_it_came_from() {
    let given = company().and([kpi("other", |_| {}), measured("nps", 1, 1, 4.0)]);
    let revision = given.workspace.revision();
    let given = given.and([key_result("win/new", |f| {
        f.kpi = Some(id("nps"));
        f.kind = metric(None, 10.0);
    })]);
    let baseline = |change: fn(&mut KeyResultPatch)| {
        let given = given.clone().and([
            measured("nps", 1, 1, 5.0),
            measured("other", 1, 1, 4.0),
            update_key_result("win/new", change),
        ]);
        metric_of(&given, "win/new").baseline.unwrap()
    };
    let stored = |number, kpi_revision| Baseline {
        value: value(number),
        kpi_revision,
    };
    let newer = Revision(revision.0 + 3);
    for (change, expected) in [
        (
            (|p| p.weight = Some(weight(2.0))) as fn(&mut KeyResultPatch),
            stored(4.0, Some(revision)),
        ),
        (
            |p| p.kind = Some(metric(Some(4.0), 12.0)),
            stored(4.0, Some(revision)),
        ),
        (|p| p.kind = Some(metric(Some(3.0), 12.0)), stored(3.0, None)),
        (|p| p.kind = Some(metric(None, 12.0)), stored(5.0, Some(newer))),
        (|p| p.kpi = Some(Some(id("other"))), stored(4.0, None)),
        (|p| p.kpi = Some(None), stored(4.0, None)),
        (
            |p| {
                p.kpi = Some(Some(id("other")));
                p.kind = Some(metric(None, 12.0));
            },
            stored(4.0, Some(newer)),
        ),
    ] {
        assert_eq!(baseline(change), expected);
    }
}

/// A METRIC in a draft may wait for its baseline; it takes the KPI's value when it is sent again.
#[test]
fn a_draft_takes_its_baseline_when_its_kpi_has_one() {
    let linked = |f: &mut KeyResultFields| {
        f.kpi = Some(id("nps"));
        f.kind = metric(None, 10.0);
    };
    let given = company().and([key_result("win/new", linked), measured("nps", 1, 1, 4.0)]);
    assert_eq!(given.when(activate("win")), Err("BASELINE_MISSING"));
    let given = given.and([update_key_result("win/new", |p| {
        p.kind = Some(metric(None, 10.0))
    })]);
    assert_eq!(metric_of(&given, "win/new").baseline.unwrap().value.get(), 4.0);
    assert_eq!(given.when(activate("win")), Ok(vec!["ObjectiveActivated"]));
    let old = Command::UpdateKeyResult {
        id: key_result_id("win/new"),
        patch: Box::default(),
        etag: Etag::Exactly(Revision(2)),
    };
    assert_eq!(given.when(old), Err("ETAG_MISMATCH"));
}
