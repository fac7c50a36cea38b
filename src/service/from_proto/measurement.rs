//! Requests that record measurements: the hot path. A good one costs no allocation but its own texts.

use std::fmt;

use smol_str::SmolStr;

use super::Asked;
use super::findings::Findings;
use super::scalar::{chars_at_most, effective, required_value, text_of_event};
use crate::domain::{Command, Id, Invalid, NewMeasurement, Rejection, Violation};
use crate::proto::api;
use crate::service::names;

/// The most measurements in one batch.
const BATCH_MAX: usize = 1000;

/// The longest source id, in characters.
pub(super) const SOURCE_ID_CHARS_MAX: usize = 128;

/// Where a measurement stands in its request. It becomes text only when something is wrong.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Single,
    At(usize),
}

/// What the request's parent says of the KPI.
pub(super) struct Parent<'a> {
    pub(super) text: &'a str,
    pub(super) workspace: Option<&'a Id>,
    pub(super) kpi: Option<&'a Id>,
}

/// Reads a RecordMeasurement request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn record_measurement(request: &api::RecordMeasurementRequest) -> Result<Asked, Rejection> {
    let api::RecordMeasurementRequest {
        parent,
        measurement,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let (workspace, kpi) = findings.keep(names::kpi("parent", parent)).unzip();
    let parent = Parent {
        text: parent,
        workspace: workspace.as_ref(),
        kpi: kpi.as_ref(),
    };
    let command = findings
        .message("measurement", measurement.as_ref())
        .and_then(|message| {
            let new = read(Place::Single, message, &parent, &mut findings)?;
            Some((workspace.clone()?, Command::RecordMeasurements(vec![new])))
        });
    findings.asked(command, request_id, reason)
}

/// Reads a BatchRecordMeasurements request.
///
/// # Errors
/// Everything that is wrong with it, each bad measurement by its index.
pub(crate) fn batch_record_measurements(
    request: &api::BatchRecordMeasurementsRequest,
) -> Result<Asked, Rejection> {
    let api::BatchRecordMeasurementsRequest {
        parent,
        measurements,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let (workspace, kpi) = findings.keep(names::kpi_or_all("parent", parent)).unzip();
    let kpi = kpi.flatten();
    let parent = Parent {
        text: parent,
        workspace: workspace.as_ref(),
        kpi: kpi.as_ref(),
    };
    if !(1..=BATCH_MAX).contains(&measurements.len()) {
        let sentence = format!("there are {}: send 1 to {BATCH_MAX}", measurements.len());
        findings.push(Invalid::new(sentence).at("measurements"));
        return findings.asked(None, request_id, reason);
    }
    let mut all = Vec::with_capacity(measurements.len());
    for (index, message) in measurements.iter().enumerate() {
        all.extend(read(Place::At(index), message, &parent, &mut findings));
    }
    let command = workspace
        .clone()
        .map(|workspace| (workspace, Command::RecordMeasurements(all)));
    findings.asked(command, request_id, reason)
}

/// Reads one measurement; what is wrong with it is found.
pub(super) fn read(
    place: Place,
    message: &api::Measurement,
    parent: &Parent<'_>,
    findings: &mut Findings,
) -> Option<NewMeasurement> {
    let api::Measurement {
        kpi,
        effective_time,
        effective_date,
        value,
        source_id,
        note,
        recorded_time: _,
        revision: _,
    } = message;
    let kpi = findings.keep(read_kpi(place, kpi, parent));
    let effective = effective(effective_time.as_ref(), effective_date.as_ref())
        .map_err(|(field, invalid)| place.violation(field, invalid));
    let effective = findings.keep(effective);
    let value = required_value(*value).map_err(|invalid| place.violation("value", invalid));
    let value = findings.keep(value);
    let source_id = chars_at_most(source_id, SOURCE_ID_CHARS_MAX)
        .map(SmolStr::new)
        .map_err(|invalid| place.violation("source_id", invalid));
    let source_id = findings.keep(source_id);
    let note = text_of_event(note).map_err(|invalid| place.violation("note", invalid));
    Some(NewMeasurement {
        note: findings.keep(note)?,
        kpi: kpi??,
        effective: effective?,
        value: value?,
        source_id: source_id?,
    })
}

/// The KPI that a measurement is of; none: the parent's name could not be read, which is a violation already.
fn read_kpi(place: Place, text: &str, parent: &Parent<'_>) -> Result<Option<Id>, Violation> {
    if text.is_empty() || text == parent.text {
        return match (parent.kpi, parent.workspace) {
            (Some(kpi), _) => Ok(Some(kpi.clone())),
            (None, None) => Ok(None),
            (None, Some(workspace)) => Err(place.violation(
                "kpi",
                Invalid::new(format!(
                    "it is missing: the parent is all KPIs, so name one, \"workspaces/{workspace}/kpis/{{kpi}}\""
                )),
            )),
        };
    }
    // As nearly every row says it: the name of all KPIs, with an id in the place of "-".
    if let (Some(_), None, Some(all)) = (parent.workspace, parent.kpi, parent.text.strip_suffix('-'))
        && let Some(Ok(id)) = text.strip_prefix(all).map(Id::parse)
    {
        return Ok(Some(id));
    }
    let named =
        names::kpi_reference(parent.workspace, text).map_err(|invalid| place.violation("kpi", invalid))?;
    match (&named, parent.kpi) {
        (Some(named), Some(kpi)) if named != kpi => Err(place.violation(
            "kpi",
            Invalid::new(format!(
                "it is kpis/{named}, but the parent is kpis/{kpi}: leave it out, or make \"-\" the parent of a batch"
            )),
        )),
        _ => Ok(named),
    }
}

impl Place {
    #[cold]
    fn violation(self, field: &str, invalid: Invalid) -> Violation {
        invalid.at(format!("{self}.{field}"))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single => f.write_str("measurement"),
            Self::At(index) => write!(f, "measurements[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bad_fields, command, day};
    use super::*;
    use crate::domain::{Effective, Timestamp};

    const NPS: &str = "workspaces/acme/kpis/nps";
    const ALL: &str = "workspaces/acme/kpis/-";

    fn of(kpi: &str) -> api::Measurement {
        api::Measurement {
            kpi: kpi.to_owned(),
            value: Some(42.0),
            ..api::Measurement::default()
        }
    }

    fn record(measurement: api::Measurement) -> Result<Asked, Rejection> {
        record_measurement(&api::RecordMeasurementRequest {
            parent: NPS.to_owned(),
            measurement: Some(measurement),
            ..api::RecordMeasurementRequest::default()
        })
    }

    fn batch(parent: &str, measurements: Vec<api::Measurement>) -> Result<Asked, Rejection> {
        batch_record_measurements(&api::BatchRecordMeasurementsRequest {
            parent: parent.to_owned(),
            measurements,
            ..api::BatchRecordMeasurementsRequest::default()
        })
    }

    fn kpis(read: Result<Asked, Rejection>) -> Vec<String> {
        let Command::RecordMeasurements(all) = command(read) else {
            panic!("another command");
        };
        all.iter().map(|new| new.kpi.to_string()).collect()
    }

    #[test]
    fn a_measurement_says_when_it_was_true() {
        let time = prost_types::Timestamp {
            seconds: 1,
            nanos: 2_999,
        };
        for (effective_time, effective_date, expected) in [
            (None, None, Effective::Now),
            (Some(time), None, Effective::At(Timestamp::from_micros(1_000_002))),
            (
                None,
                day(2026, 7, 1),
                Effective::On(jiff::civil::date(2026, 7, 1)),
            ),
        ] {
            let measurement = api::Measurement {
                effective_time,
                effective_date,
                ..of("")
            };
            let Command::RecordMeasurements(all) = command(record(measurement)) else {
                panic!("another command");
            };
            assert_eq!(all[0].effective, expected);
        }
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let bad = api::Measurement {
            kpi: "workspaces/acme/kpis/churn".to_owned(),
            effective_time: Some(prost_types::Timestamp::default()),
            effective_date: day(2026, 7, 1),
            value: None,
            source_id: "x".repeat(129),
            note: "x".repeat(10_001),
            ..api::Measurement::default()
        };
        let expected = ["kpi", "effective_date", "value", "source_id", "note"];
        assert_eq!(
            bad_fields(record(bad.clone())),
            expected.map(|field| format!("measurement.{field}"))
        );
        assert_eq!(
            bad_fields(batch(NPS, vec![of(""), bad])),
            expected.map(|field| format!("measurements[1].{field}"))
        );
        assert_eq!(
            bad_fields(record(api::Measurement {
                value: Some(f64::NAN),
                ..of("")
            })),
            ["measurement.value"]
        );
    }

    #[test]
    fn a_batch_is_of_one_kpi_or_every_measurement_names_its_own() {
        assert_eq!(kpis(record(of(NPS))), ["nps"]);
        assert_eq!(kpis(batch(NPS, vec![of(""), of(NPS)])), ["nps", "nps"]);
        assert_eq!(
            kpis(batch(ALL, vec![of(NPS), of("workspaces/acme/kpis/churn")])),
            ["nps", "churn"]
        );
        for (parent, kpi) in [
            (ALL, ""),
            (ALL, ALL),
            (ALL, "workspaces/other/kpis/nps"),
            (ALL, "workspaces/acme/teams/nps"),
            (NPS, "workspaces/acme/kpis/churn"),
        ] {
            let refused = batch(parent, vec![of(NPS), of(kpi)]);
            assert_eq!(
                bad_fields(refused),
                ["measurements[1].kpi"],
                "{kpi:?} in {parent}"
            );
        }
        assert_eq!(bad_fields(batch("nps", vec![of("")])), ["parent"]);
    }

    #[test]
    fn a_batch_has_1_to_1000_measurements() {
        assert_eq!(kpis(batch(NPS, vec![of(""); 1000])).len(), 1000);
        assert_eq!(bad_fields(batch(NPS, vec![of(""); 1001])), ["measurements"]);
        assert_eq!(bad_fields(batch(NPS, Vec::new())), ["measurements"]);
    }
}
