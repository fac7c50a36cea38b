//! Requests about targets. Whether the bounds fit the KPI's direction is the domain's to say.

use super::Asked;
use super::findings::Findings;
use super::scalar::{optional_value, required_date};
use super::transition::asked;
use crate::domain::{Command, Ramp, Rejection, Target, Value};
use crate::proto::api;
use crate::service::names;

/// Reads a SetTarget request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn set_target(request: &api::SetTargetRequest) -> Result<Asked, Rejection> {
    let api::SetTargetRequest {
        parent,
        target,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let parent = findings.keep(names::kpi("parent", parent));
    let command = findings.message("target", target.as_ref()).and_then(|message| {
        let date = required_date(message.effective_date.as_ref());
        let date = findings.field("target.effective_date", date);
        let target = read(message, &mut findings);
        let (workspace, kpi) = parent?;
        let command = Command::SetTarget {
            kpi,
            date: date?,
            target: target?,
        };
        Some((workspace, command))
    });
    findings.asked(command, request_id, reason)
}

fn read(message: &api::Target, findings: &mut Findings) -> Option<Target> {
    let api::Target {
        name: _,
        effective_date: _,
        at_least,
        at_most,
        critical_at_least,
        critical_at_most,
        stretch,
        update_time: _,
        revision: _,
        ramp,
        text: _,
    } = message;
    let mut bound = |field: &str, number: &Option<f64>| -> Option<Option<Value>> {
        findings.field(field, optional_value(*number))
    };
    let at_least = bound("target.at_least", at_least);
    let at_most = bound("target.at_most", at_most);
    let critical_at_least = bound("target.critical_at_least", critical_at_least);
    let critical_at_most = bound("target.critical_at_most", critical_at_most);
    let stretch = bound("target.stretch", stretch);
    let ramp = match ramp {
        None => None,
        Some(ramp) => Some(read_ramp(ramp, findings)?),
    };
    Some(Target {
        at_least: at_least?,
        at_most: at_most?,
        critical_at_least: critical_at_least?,
        critical_at_most: critical_at_most?,
        stretch: stretch?,
        ramp,
    })
}

fn read_ramp(message: &api::target::Ramp, findings: &mut Findings) -> Option<Ramp> {
    let api::target::Ramp {
        date,
        at_least,
        at_most,
        critical_at_least,
        critical_at_most,
    } = message;
    let date = findings.field("target.ramp.date", required_date(date.as_ref()));
    let mut bound = |field: &str, number: &Option<f64>| -> Option<Option<Value>> {
        findings.field(&format!("target.ramp.{field}"), optional_value(*number))
    };
    let at_least = bound("at_least", at_least);
    let at_most = bound("at_most", at_most);
    let critical_at_least = bound("critical_at_least", critical_at_least);
    let critical_at_most = bound("critical_at_most", critical_at_most);
    Some(Ramp {
        date: date?,
        at_least: at_least?,
        at_most: at_most?,
        critical_at_least: critical_at_least?,
        critical_at_most: critical_at_most?,
    })
}

/// Reads a DeleteTarget request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn delete_target(request: &api::DeleteTargetRequest) -> Result<Asked, Rejection> {
    let api::DeleteTargetRequest {
        name,
        request_id,
        reason,
    } = request;
    asked(names::target("name", name), request_id, reason, |(kpi, date)| {
        Command::DeleteTarget { kpi, date }
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bad_fields, command, day, id};
    use super::*;

    fn set(target: api::Target) -> Result<Asked, Rejection> {
        set_target(&api::SetTargetRequest {
            parent: "workspaces/acme/kpis/nps".to_owned(),
            target: Some(target),
            ..api::SetTargetRequest::default()
        })
    }

    #[test]
    fn a_ramp_has_a_date_and_finite_bounds() {
        let bad = api::Target {
            effective_date: day(2026, 1, 1),
            ramp: Some(api::target::Ramp {
                date: None,
                at_least: Some(f64::NAN),
                at_most: Some(2e15),
                critical_at_least: Some(f64::INFINITY),
                critical_at_most: Some(-2e15),
            }),
            ..api::Target::default()
        };
        let expected = [
            "date",
            "at_least",
            "at_most",
            "critical_at_least",
            "critical_at_most",
        ];
        assert_eq!(
            bad_fields(set(bad)),
            expected.map(|field| format!("target.ramp.{field}"))
        );
    }

    #[test]
    fn a_target_has_a_date_and_finite_bounds() {
        let good = api::Target {
            effective_date: day(2026, 1, 1),
            at_least: Some(50.0),
            ..api::Target::default()
        };
        let expected = Command::SetTarget {
            kpi: id("nps"),
            date: jiff::civil::date(2026, 1, 1),
            target: Target {
                at_least: Value::parse(50.0).ok(),
                ..Target::default()
            },
        };
        assert_eq!(command(set(good)), expected);
        let bad = api::Target {
            at_least: Some(f64::NAN),
            at_most: Some(2e15),
            critical_at_least: Some(f64::NAN),
            critical_at_most: Some(f64::NAN),
            stretch: Some(-2e15),
            ..api::Target::default()
        };
        let expected = [
            "effective_date",
            "at_least",
            "at_most",
            "critical_at_least",
            "critical_at_most",
            "stretch",
        ];
        assert_eq!(
            bad_fields(set(bad)),
            expected.map(|field| format!("target.{field}"))
        );
    }
}
