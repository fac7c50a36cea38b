//! Targets of KPIs, and what happened to them.

use jiff::civil::Date;

use super::fault::{At, Fault};
use super::scalar::{
    date_from_stored, date_to_stored, id_from_stored, id_to_stored, optional_value_from_stored,
    optional_value_to_stored, required,
};
use crate::domain::{Event, Id, Ramp, Target};
use crate::proto::stored;

fn fields_to_stored(target: &Target) -> stored::TargetFields {
    let Target {
        at_least,
        at_most,
        critical_at_least,
        critical_at_most,
        stretch,
        ramp,
    } = target;
    stored::TargetFields {
        at_least: optional_value_to_stored(*at_least),
        at_most: optional_value_to_stored(*at_most),
        critical_at_least: optional_value_to_stored(*critical_at_least),
        critical_at_most: optional_value_to_stored(*critical_at_most),
        stretch: optional_value_to_stored(*stretch),
        ramp: ramp.as_ref().map(ramp_to_stored),
    }
}

fn fields_from_stored(stored: stored::TargetFields) -> Result<Target, Fault> {
    let stored::TargetFields {
        at_least,
        at_most,
        critical_at_least,
        critical_at_most,
        stretch,
        ramp,
    } = stored;
    Ok(Target {
        at_least: optional_value_from_stored(at_least).at("at_least")?,
        at_most: optional_value_from_stored(at_most).at("at_most")?,
        critical_at_least: optional_value_from_stored(critical_at_least).at("critical_at_least")?,
        critical_at_most: optional_value_from_stored(critical_at_most).at("critical_at_most")?,
        stretch: optional_value_from_stored(stretch).at("stretch")?,
        ramp: ramp.map(ramp_from_stored).transpose().at("ramp")?,
    })
}

fn ramp_to_stored(ramp: &Ramp) -> stored::Ramp {
    let Ramp {
        date,
        at_least,
        at_most,
        critical_at_least,
        critical_at_most,
    } = ramp;
    stored::Ramp {
        date: date_to_stored(*date),
        at_least: optional_value_to_stored(*at_least),
        at_most: optional_value_to_stored(*at_most),
        critical_at_least: optional_value_to_stored(*critical_at_least),
        critical_at_most: optional_value_to_stored(*critical_at_most),
    }
}

fn ramp_from_stored(stored: stored::Ramp) -> Result<Ramp, Fault> {
    let stored::Ramp {
        date,
        at_least,
        at_most,
        critical_at_least,
        critical_at_most,
    } = stored;
    Ok(Ramp {
        date: date_from_stored(date).at("date")?,
        at_least: optional_value_from_stored(at_least).at("at_least")?,
        at_most: optional_value_from_stored(at_most).at("at_most")?,
        critical_at_least: optional_value_from_stored(critical_at_least).at("critical_at_least")?,
        critical_at_most: optional_value_from_stored(critical_at_most).at("critical_at_most")?,
    })
}

pub(super) fn set_to_stored(
    kpi: &Id,
    date: Date,
    before: Option<&Target>,
    after: &Target,
) -> stored::TargetSet {
    stored::TargetSet {
        kpi: id_to_stored(kpi),
        date: date_to_stored(date),
        before: before.map(fields_to_stored),
        after: Some(fields_to_stored(after)),
    }
}

pub(super) fn set_from_stored(stored: stored::TargetSet) -> Result<Event, Fault> {
    let stored::TargetSet {
        kpi,
        date,
        before,
        after,
    } = stored;
    Ok(Event::TargetSet {
        kpi: id_from_stored(&kpi).at("kpi")?,
        date: date_from_stored(date).at("date")?,
        before: before.map(fields_from_stored).transpose().at("before")?,
        after: required(after).and_then(fields_from_stored).at("after")?,
    })
}

pub(super) fn deleted_to_stored(kpi: &Id, date: Date, before: &Target) -> stored::TargetDeleted {
    stored::TargetDeleted {
        kpi: id_to_stored(kpi),
        date: date_to_stored(date),
        before: Some(fields_to_stored(before)),
    }
}

pub(super) fn deleted_from_stored(stored: stored::TargetDeleted) -> Result<Event, Fault> {
    let stored::TargetDeleted { kpi, date, before } = stored;
    Ok(Event::TargetDeleted {
        kpi: id_from_stored(&kpi).at("kpi")?,
        date: date_from_stored(date).at("date")?,
        before: required(before).and_then(fields_from_stored).at("before")?,
    })
}
