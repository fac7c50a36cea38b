use std::collections::BTreeSet;

use tonic::Code;
use tonic_types::ErrorDetails;

use super::*;
use crate::domain::{Id, Value};

fn measurements(count: u64, note_chars: usize) -> Vec<(Place, NewMeasurement)> {
    (0..count)
        .map(|at| {
            let measurement = NewMeasurement {
                kpi: Id::parse("nps").expect("an id"),
                effective: Effective::At(Timestamp::from_micros(at.cast_signed() * 1_000_000 - 1)),
                value: Value::parse(1.5).expect("a value"),
                source_id: "crm".into(),
                note: "n".repeat(note_chars).into(),
            };
            (
                Place {
                    file: 0,
                    line: at + 2,
                    column: Some(1),
                },
                measurement,
            )
        })
        .collect()
}

#[test]
fn a_batch_has_at_most_1000_measurements_and_fits_a_message() {
    let sizes = |count, note_chars| -> Vec<usize> {
        let batches = batches(
            &measurements(count, note_chars),
            "workspaces/acme",
            "",
            Uuid::nil(),
        );
        for batch in &batches {
            assert_eq!(batch.places.len(), batch.request.measurements.len());
            assert!(batch.request.encoded_len() < 4 * 1024 * 1024);
        }
        batches.iter().map(|batch| batch.places.len()).collect()
    };
    assert_eq!(sizes(0, 0), [0_usize; 0]);
    assert_eq!(sizes(1000, 0), [1000]);
    assert_eq!(sizes(2001, 0), [1000, 1000, 1]);
    let large = sizes(1000, 10_000);
    assert!(
        large.len() > 1 && large.iter().sum::<usize>() == 1000,
        "{large:?}"
    );
}

#[test]
fn a_request_id_is_the_same_for_the_same_content_and_only_in_one_run() {
    let ids = |reason: &str, run| -> Vec<String> {
        let batches = batches(&measurements(1500, 0), "workspaces/acme", reason, run);
        batches
            .into_iter()
            .map(|batch| batch.request.request_id)
            .collect()
    };
    let run = Uuid::from_u128(7);
    let first = ids("", run);
    assert_eq!(first, ids("", run));
    let all: BTreeSet<_> = first
        .into_iter()
        .chain(ids("", Uuid::from_u128(8)))
        .chain(ids("why", run))
        .collect();
    assert_eq!(all.len(), 6);
}

#[test]
fn a_measurement_says_what_its_row_says() {
    let mut both = measurements(2, 3);
    both[1].1.effective = Effective::On(jiff::civil::date(2026, 2, 1));
    let batches = batches(&both, "workspaces/acme", "why", Uuid::nil());
    let request = &batches[0].request;
    assert_eq!(
        (request.parent.as_str(), request.reason.as_str()),
        ("workspaces/acme/kpis/-", "why")
    );
    let first = api::Measurement {
        kpi: "workspaces/acme/kpis/nps".into(),
        effective_time: Some(prost_types::Timestamp {
            seconds: -1,
            nanos: 999_999_000,
        }),
        value: Some(1.5),
        source_id: "crm".into(),
        note: "nnn".into(),
        ..api::Measurement::default()
    };
    let second = api::Measurement {
        effective_time: None,
        effective_date: Some(google_type::Date {
            year: 2026,
            month: 2,
            day: 1,
        }),
        ..first.clone()
    };
    assert_eq!(request.measurements, [first, second]);
}

#[test]
fn a_refused_element_is_named_by_its_row() {
    let places: Vec<_> = (0..5)
        .map(|at| Place {
            file: 1,
            line: at + 10,
            column: Some(1),
        })
        .collect();
    let mut details = ErrorDetails::new();
    details.add_bad_request_violation("measurements[3].value", "it is missing: send a number");
    details.add_bad_request_violation("measurements[0]", "another value stands at index 4: send one");
    details.add_bad_request_violation("measurements[9]", "there is no such row");
    details.add_bad_request_violation("parent", "it is no KPI");
    let metadata = [("refused_count".to_owned(), "7".to_owned())];
    details.set_error_info("INVALID_FIELD", "binnacle", metadata);
    let status = Status::with_error_details(Code::InvalidArgument, "2 elements are refused", details);
    let refused: Vec<_> = refused_places(&status, &places)
        .into_iter()
        .map(|(place, said)| {
            (
                place.line,
                with_places(&said, &places, |place| format!("a.csv:{}", place.line)),
            )
        })
        .collect();
    assert_eq!(
        refused,
        [
            (13, "value: it is missing: send a number".to_owned()),
            (10, "another value stands at a.csv:14: send one".to_owned()),
        ]
    );
    assert_eq!(refused_count(&status), 7);
    assert_eq!(
        (
            refused_count(&Status::internal("x")),
            refused_places(&Status::internal("x"), &places)
        ),
        (0, vec![])
    );
}

#[test]
fn only_an_index_of_the_batch_becomes_a_place() {
    let places = [Place {
        file: 0,
        line: 7,
        column: None,
    }];
    let check = |sentence: &str, expect: &str| {
        assert_eq!(
            with_places(sentence, &places, |place| format!("a.csv:{}", place.line)),
            expect
        );
    };
    check(
        "3 elements are refused, the first at index 0: x",
        "3 elements are refused, the first at a.csv:7: x",
    );
    check(
        "at index 0 and index 1 of an index ",
        "at a.csv:7 and index 1 of an index ",
    );
    check("index 99999999999999999999999", "index 99999999999999999999999");
    check("", "");
}
