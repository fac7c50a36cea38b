//! Targets.

use jiff::civil::Date;

use super::scalar::{date, revision as write_revision, timestamp};
use crate::domain::{Id, Ramp, ResourceName, SetTarget, Target, Unit, Value};
use crate::proto::api;
use crate::service::names;

/// The target that holds for a KPI, judged in a unit, from a date on.
#[must_use]
pub(crate) fn target(workspace: &Id, kpi: &Id, unit: &Unit, from: Date, set: &SetTarget) -> api::Target {
    let SetTarget {
        target,
        recorded_time,
        revision,
    } = *set;
    let Target {
        at_least,
        at_most,
        critical_at_least,
        critical_at_most,
        stretch,
        ramp,
    } = target;
    api::Target {
        name: names::full_name(workspace, &ResourceName::Target(kpi.clone(), from)),
        effective_date: Some(date(from)),
        at_least: at_least.map(Value::get),
        at_most: at_most.map(Value::get),
        critical_at_least: critical_at_least.map(Value::get),
        critical_at_most: critical_at_most.map(Value::get),
        stretch: stretch.map(Value::get),
        update_time: Some(timestamp(recorded_time)),
        revision: write_revision(revision),
        ramp: ramp.map(write_ramp),
        text: target.text(unit),
    }
}

fn write_ramp(ramp: Ramp) -> api::target::Ramp {
    let Ramp {
        date: by,
        at_least,
        at_most,
        critical_at_least,
        critical_at_most,
    } = ramp;
    api::target::Ramp {
        date: Some(date(by)),
        at_least: at_least.map(Value::get),
        at_most: at_most.map(Value::get),
        critical_at_least: critical_at_least.map(Value::get),
        critical_at_most: critical_at_most.map(Value::get),
    }
}
