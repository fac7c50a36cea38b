//! Measurements become requests of a size that the server takes, and a refusal's indices become lines of files again.

use prost::Message;
use tonic::Status;
use tonic_types::StatusExt;
use uuid::Uuid;

use super::gather::Place;
use crate::domain::{Effective, NewMeasurement, Timestamp};
use crate::proto::{api, google_type};

/// The most measurements in one batch.
const MEASUREMENTS_MAX: usize = 1000;
/// The most bytes of measurements in one batch: the server takes messages of 4 MiB.
const BYTES_MAX: usize = 3 * 1024 * 1024;

/// One request, and where each of its measurements stands.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    /// What is sent, as often as it takes.
    pub(super) request: api::BatchRecordMeasurementsRequest,
    /// By the measurements' index.
    pub(super) places: Vec<Place>,
}

/// Cuts measurements into batches.
///
/// A batch's request id is derived from `run` and its content, so a repeat within the run is known to the server. `run`
/// is another one each time: a second run is to be answered what it did, not what the first one did.
pub(super) fn batches(
    measurements: &[(Place, NewMeasurement)],
    workspace: &str,
    reason: &str,
    run: Uuid,
) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut open = Open::default();
    for (place, measurement) in measurements {
        let message = message(workspace, measurement);
        let bytes = message.encoded_len();
        if open.places.len() == MEASUREMENTS_MAX || (open.bytes + bytes > BYTES_MAX && open.bytes > 0) {
            batches.push(std::mem::take(&mut open).close(workspace, reason, run));
        }
        open.bytes += bytes;
        open.places.push(*place);
        open.messages.push(message);
    }
    if !open.places.is_empty() {
        batches.push(open.close(workspace, reason, run));
    }
    batches
}

/// A request id for a request that has none yet.
pub(super) fn request_id(run: Uuid, request: &impl Message) -> String {
    Uuid::new_v5(&run, &request.encode_to_vec()).to_string()
}

#[derive(Default)]
struct Open {
    messages: Vec<api::Measurement>,
    places: Vec<Place>,
    bytes: usize,
}

impl Open {
    fn close(self, workspace: &str, reason: &str, run: Uuid) -> Batch {
        let mut request = api::BatchRecordMeasurementsRequest {
            parent: format!("{workspace}/kpis/-"),
            measurements: self.messages,
            request_id: String::new(),
            reason: reason.to_owned(),
        };
        request.request_id = request_id(run, &request);
        Batch {
            request,
            places: self.places,
        }
    }
}

fn message(workspace: &str, measurement: &NewMeasurement) -> api::Measurement {
    let NewMeasurement {
        kpi,
        effective,
        value,
        source_id,
        note,
    } = measurement;
    let (effective_time, effective_date) = match effective {
        Effective::Now => (None, None),
        Effective::At(moment) => (Some(timestamp(*moment)), None),
        Effective::On(date) => {
            let date = google_type::Date {
                year: date.year().into(),
                month: date.month().into(),
                day: date.day().into(),
            };
            (None, Some(date))
        }
    };
    api::Measurement {
        kpi: format!("{workspace}/kpis/{kpi}"),
        effective_time,
        effective_date,
        value: Some(value.get()),
        source_id: source_id.to_string(),
        note: note.to_string(),
        ..api::Measurement::default()
    }
}

fn timestamp(moment: Timestamp) -> prost_types::Timestamp {
    let micros = moment.as_micros();
    prost_types::Timestamp {
        seconds: micros.div_euclid(1_000_000),
        // Below a second: it always fits.
        nanos: i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or_default(),
    }
}

/// What the server refused of a batch, each with its place; nothing when it did not name any.
pub(super) fn refused_places(status: &Status, places: &[Place]) -> Vec<(Place, String)> {
    let Some(details) = status.get_details_bad_request() else {
        return Vec::new();
    };
    let violations = details.field_violations.into_iter();
    violations
        .filter_map(|violation| {
            let (index, field) = element(&violation.field)?;
            let said = match field {
                "" => violation.description,
                field => format!("{field}: {}", violation.description),
            };
            Some((*places.get(index)?, said))
        })
        .collect()
}

/// How many measurements of a batch the server refused; it names only the first of many.
pub(super) fn refused_count(status: &Status) -> usize {
    let count = status.get_details_error_info().and_then(|info| {
        let count = info.metadata.get("refused_count")?;
        count.parse().ok()
    });
    count.unwrap_or_default()
}

/// `measurements[3].value` as 3 and "value".
fn element(path: &str) -> Option<(usize, &str)> {
    let (index, field) = path.strip_prefix("measurements[")?.split_once(']')?;
    Some((index.parse().ok()?, field.trim_start_matches('.')))
}

/// The server's sentence with places for its indices: "stands at index 3" becomes "stands at FILE:7".
pub(super) fn with_places(sentence: &str, places: &[Place], name: impl Fn(Place) -> String) -> String {
    let mut said = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once("index ") {
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let place = after[..digits]
            .parse()
            .ok()
            .and_then(|index: usize| places.get(index));
        said.push_str(before);
        rest = match place {
            Some(place) => {
                said.push_str(&name(*place));
                &after[digits..]
            }
            None => {
                said.push_str("index ");
                after
            }
        };
    }
    said + rest
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
