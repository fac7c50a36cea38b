//! Measurements that were recorded and retracted.

use smol_str::SmolStr;

use super::fault::{At, Fault};
use super::scalar::{
    id_from_stored, id_to_stored, optional_value_from_stored, small_to_stored, timestamp_from_stored,
    value_from_stored,
};
use crate::domain::{Event, Id, MeasurementRecorded, Timestamp, Value};
use crate::proto::stored;

pub(super) fn recorded_to_stored(recorded: &MeasurementRecorded) -> stored::MeasurementRecorded {
    let MeasurementRecorded {
        kpi,
        effective_time,
        value,
        source_id,
        before,
        note,
    } = recorded;
    stored::MeasurementRecorded {
        kpi: id_to_stored(kpi),
        effective_time_us: effective_time.as_micros(),
        value: *value,
        source_id: small_to_stored(source_id),
        before: *before,
        note: small_to_stored(note),
    }
}

pub(super) fn recorded_from_stored(stored: stored::MeasurementRecorded) -> Result<Event, Fault> {
    let stored::MeasurementRecorded {
        kpi,
        effective_time_us,
        value,
        source_id,
        before,
        note,
    } = stored;
    Ok(Event::MeasurementRecorded(MeasurementRecorded {
        kpi: id_from_stored(&kpi).at("kpi")?,
        effective_time: timestamp_from_stored(effective_time_us).at("effective_time_us")?,
        value: value_from_stored(value).at("value")?.get(),
        source_id: SmolStr::from(source_id),
        before: optional_value_from_stored(before).at("before")?.map(Value::get),
        note: SmolStr::from(note),
    }))
}

pub(super) fn retracted_to_stored(
    kpi: &Id,
    effective_time: Timestamp,
    source_id: &SmolStr,
    before: f64,
) -> stored::MeasurementRetracted {
    stored::MeasurementRetracted {
        kpi: id_to_stored(kpi),
        effective_time_us: effective_time.as_micros(),
        source_id: small_to_stored(source_id),
        before,
    }
}

pub(super) fn retracted_from_stored(stored: stored::MeasurementRetracted) -> Result<Event, Fault> {
    let stored::MeasurementRetracted {
        kpi,
        effective_time_us,
        source_id,
        before,
    } = stored;
    Ok(Event::MeasurementRetracted {
        kpi: id_from_stored(&kpi).at("kpi")?,
        effective_time: timestamp_from_stored(effective_time_us).at("effective_time_us")?,
        source_id: SmolStr::from(source_id),
        before: value_from_stored(before).at("before")?.get(),
    })
}
