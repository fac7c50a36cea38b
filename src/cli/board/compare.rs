//! Whether what there is already is what a board asks for, field by field.

use super::facts::last;
use super::wanted::Message;
use crate::proto::api;
use crate::proto::api::key_result::Kind;

/// The fields in which what there is differs from what is wanted.
pub(super) fn differences(there: &Message, wanted: &Message) -> Vec<&'static str> {
    match (there, wanted) {
        (Message::Objective(there), Message::Objective(wanted)) => objectives(there, wanted),
        (Message::KeyResult(there), Message::KeyResult(wanted)) => key_results(there, wanted),
        (Message::Initiative(there), Message::Initiative(wanted)) => initiatives(there, wanted),
        _ => vec!["kind"],
    }
}

fn objectives(there: &api::Objective, wanted: &api::Objective) -> Vec<&'static str> {
    named(&[
        ("title", there.title == wanted.title),
        ("description", there.description == wanted.description),
        ("owner", there.owner == wanted.owner),
        ("team", there.team == wanted.team),
        ("cycle", there.cycle == wanted.cycle),
        ("ambition", is_aspirational(there) == is_aspirational(wanted)),
        ("weight", weight(there.weight) == weight(wanted.weight)),
        ("labels", there.labels == wanted.labels),
    ])
}

fn key_results(there: &api::KeyResult, wanted: &api::KeyResult) -> Vec<&'static str> {
    let mut fields = named(&[
        ("title", there.title == wanted.title),
        ("owner", there.owner == wanted.owner),
        ("unit", units(there.unit.as_ref()) == units(wanted.unit.as_ref())),
        ("weight", weight(there.weight) == weight(wanted.weight)),
        ("kpi", there.kpi == wanted.kpi),
        ("due_date", there.due_date == wanted.due_date),
        ("window", over_cycle(there) == over_cycle(wanted)),
    ]);
    fields.extend(match (&there.kind, &wanted.kind) {
        (Some(Kind::Metric(there)), Some(Kind::Metric(wanted))) => metrics(there, wanted),
        (Some(Kind::Maintain(there)), Some(Kind::Maintain(wanted))) => maintains(there, wanted),
        (Some(Kind::Milestones(there)), Some(Kind::Milestones(wanted))) => {
            named(&[("milestones", steps(there) == steps(wanted))])
        }
        (Some(Kind::Binary(_)), Some(Kind::Binary(_))) => Vec::new(),
        _ => vec!["kind"],
    });
    fields
}

fn metrics(there: &api::Metric, wanted: &api::Metric) -> Vec<&'static str> {
    let same_goal = match wanted.relative_target {
        // The target was resolved from it.
        Some(relative) => there.relative_target == Some(relative),
        None => there.target == wanted.target && there.relative_target.is_none(),
    };
    named(&[
        // One that is left to the KPI may have become anything.
        (
            "baseline",
            wanted.baseline.is_none() || there.baseline == wanted.baseline,
        ),
        ("target", same_goal),
        ("reference_value", there.reference_value == wanted.reference_value),
    ])
}

fn maintains(there: &api::Maintain, wanted: &api::Maintain) -> Vec<&'static str> {
    let tolerance = |of: &api::Maintain| of.tolerance.unwrap_or(0.0);
    named(&[
        ("at_least", there.at_least == wanted.at_least),
        ("at_most", there.at_most == wanted.at_most),
        ("mode", by_share(there) == by_share(wanted)),
        ("tolerance", tolerance(there) == tolerance(wanted)),
    ])
}

fn initiatives(there: &api::Initiative, wanted: &api::Initiative) -> Vec<&'static str> {
    use api::initiative::State;
    let state = |of: &api::Initiative| match of.state() {
        State::Unspecified => State::Planned,
        state => state,
    };
    named(&[
        ("title", there.title == wanted.title),
        ("owner", there.owner == wanted.owner),
        ("due_date", there.due_date == wanted.due_date),
        ("state", state(there) == state(wanted)),
        ("planned_count", there.planned_count == wanted.planned_count),
        ("done_count", there.done_count == wanted.done_count),
        // Names that differ in the objective alone are of one key result.
        ("key_result", last(&there.key_result) == last(&wanted.key_result)),
    ])
}

fn named(fields: &[(&'static str, bool)]) -> Vec<&'static str> {
    let differs = fields.iter().filter(|(_, is_same)| !is_same);
    differs.map(|(name, _)| *name).collect()
}

fn weight(weight: Option<f64>) -> f64 {
    weight.unwrap_or(1.0)
}

fn is_aspirational(objective: &api::Objective) -> bool {
    objective.ambition() == api::objective::Ambition::Aspirational
}

fn over_cycle(key_result: &api::KeyResult) -> bool {
    key_result.window() == api::key_result::Window::Cycle
}

fn by_share(maintain: &api::Maintain) -> bool {
    maintain.mode() == api::maintain::Mode::Share
}

fn steps(milestones: &api::Milestones) -> Vec<(&str, &str, f64)> {
    let steps = milestones.milestones.iter();
    steps
        .map(|step| (step.id.as_str(), step.title.as_str(), weight(step.weight)))
        .collect()
}

/// A unit; NUMBER may be left unsaid.
fn units(unit: Option<&api::Unit>) -> Option<api::Unit> {
    use api::unit::Kind;
    let mut unit = unit?.clone();
    if unit.kind() == Kind::Unspecified {
        unit.kind = Kind::Number.into();
    }
    Some(unit)
}
