//! Requests that put a measurement right or take it back. Both have to say which one they mean.

use smol_str::SmolStr;

use super::Asked;
use super::findings::Findings;
use super::measurement::{SOURCE_ID_CHARS_MAX, record_measurement};
use super::scalar::{chars_at_most, effective};
use crate::domain::{Command, Effective, Invalid, MeasurementIdentity, Rejection};
use crate::proto::api;
use crate::service::names;

/// Reads a CorrectMeasurement request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn correct_measurement(request: &api::CorrectMeasurementRequest) -> Result<Asked, Rejection> {
    let api::CorrectMeasurementRequest {
        parent,
        measurement,
        request_id,
        reason,
    } = request;
    // What is to stand there is read as if it were recorded.
    let asked = record_measurement(&api::RecordMeasurementRequest {
        parent: parent.clone(),
        measurement: measurement.clone(),
        request_id: request_id.clone(),
        reason: reason.clone(),
    })?;
    let corrected = match asked.command {
        Command::RecordMeasurements(mut measurements) => measurements.pop(),
        _ => None,
    };
    match corrected {
        Some(measurement) if measurement.effective != Effective::Now => Ok(Asked {
            command: Command::CorrectMeasurement(Box::new(measurement)),
            ..asked
        }),
        _ => Err(Rejection::invalid("measurement.effective_time", MISSING)),
    }
}

/// Reads a RetractMeasurement request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn retract_measurement(request: &api::RetractMeasurementRequest) -> Result<Asked, Rejection> {
    let api::RetractMeasurementRequest {
        parent,
        effective_time,
        effective_date,
        source_id,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let named = findings.keep(names::kpi("parent", parent));
    let effective = match effective(effective_time.as_ref(), effective_date.as_ref()) {
        Ok(Effective::Now) => Err(Invalid::new(MISSING).at("effective_time")),
        Ok(effective) => Ok(effective),
        Err((field, invalid)) => Err(invalid.at(field)),
    };
    let effective = findings.keep(effective);
    let source_id = chars_at_most(source_id, SOURCE_ID_CHARS_MAX).map(SmolStr::new);
    let source_id = findings.field("source_id", source_id);
    let command = (|| {
        let (workspace, kpi) = named?;
        let identity = MeasurementIdentity {
            kpi,
            effective: effective?,
            source_id: source_id?,
        };
        Some((workspace, Command::RetractMeasurement(Box::new(identity))))
    })();
    findings.asked(command, request_id, reason)
}

const MISSING: &str =
    "it is missing: say which measurement is meant by its effective_time or effective_date, and its source";

#[cfg(test)]
mod tests {
    use super::super::tests::{bad_fields, command, day, id};
    use super::*;

    const NPS: &str = "workspaces/acme/kpis/nps";

    #[test]
    fn a_correction_and_a_retraction_say_which_measurement_they_mean() {
        let measurement = api::Measurement {
            effective_date: day(2026, 1, 31),
            value: Some(42.0),
            source_id: "deal-7".to_owned(),
            ..api::Measurement::default()
        };
        let asked = correct_measurement(&api::CorrectMeasurementRequest {
            parent: NPS.to_owned(),
            measurement: Some(measurement.clone()),
            ..api::CorrectMeasurementRequest::default()
        });
        let Command::CorrectMeasurement(corrected) = command(asked) else {
            panic!("another command");
        };
        assert_eq!(
            (corrected.value.get(), corrected.source_id.as_str()),
            (42.0, "deal-7")
        );
        let asked = retract_measurement(&api::RetractMeasurementRequest {
            parent: NPS.to_owned(),
            effective_date: measurement.effective_date,
            source_id: "deal-7".to_owned(),
            ..api::RetractMeasurementRequest::default()
        });
        let expected = MeasurementIdentity {
            kpi: id("nps"),
            effective: Effective::On(jiff::civil::date(2026, 1, 31)),
            source_id: "deal-7".into(),
        };
        assert_eq!(command(asked), Command::RetractMeasurement(Box::new(expected)));
    }

    #[test]
    fn now_is_no_measurement_that_is_known() {
        let asked = correct_measurement(&api::CorrectMeasurementRequest {
            parent: NPS.to_owned(),
            measurement: Some(api::Measurement {
                value: Some(42.0),
                ..api::Measurement::default()
            }),
            ..api::CorrectMeasurementRequest::default()
        });
        assert_eq!(bad_fields(asked), ["measurement.effective_time"]);
        let asked = retract_measurement(&api::RetractMeasurementRequest {
            parent: "workspaces/acme".to_owned(),
            source_id: "x".repeat(129),
            ..api::RetractMeasurementRequest::default()
        });
        assert_eq!(bad_fields(asked), ["parent", "effective_time", "source_id"]);
    }
}
