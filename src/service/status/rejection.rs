//! What the domain refuses, as a status: every field that is wrong, or the one thing that it is about.

use std::collections::HashMap;
use std::fmt::Write as _;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use super::{DOMAIN, MESSAGE_BYTES_MAX, PATH_BYTES_MAX, SENTENCE_BYTES_MAX, shortened};
use crate::domain::{Rejection, RejectionKind, Violation};

/// What all field violations together may take, in bytes; beside them stand the message and up to 100 indices.
const VIOLATIONS_BYTES_MAX: usize = 5 * 1024;

/// What a field violation takes beside its texts, in bytes, at most: tags and lengths.
const VIOLATION_FRAME_BYTES: usize = 12;

/// The most elements of a batch that are named one by one.
const ELEMENTS_MAX: usize = 100;

impl From<&Rejection> for Status {
    fn from(rejection: &Rejection) -> Self {
        refused(rejection)
    }
}

impl From<Rejection> for Status {
    fn from(rejection: Rejection) -> Self {
        refused(&rejection)
    }
}

impl From<Violation> for Status {
    fn from(violation: Violation) -> Self {
        refused(&Rejection::Invalid(vec![violation]))
    }
}

/// A command or a query that the domain refuses.
#[must_use]
pub(crate) fn refused(rejection: &Rejection) -> Status {
    let code = match rejection.kind() {
        RejectionKind::Malformed => Code::InvalidArgument,
        RejectionKind::Missing => Code::NotFound,
        RejectionKind::Duplicate => Code::AlreadyExists,
        RejectionKind::Rule => Code::FailedPrecondition,
        RejectionKind::Outdated => Code::Aborted,
        RejectionKind::Denied => Code::PermissionDenied,
    };
    let mut metadata = HashMap::new();
    let mut details = ErrorDetails::new();
    let message = match rejection {
        Rejection::Invalid(violations) => {
            let left_out = set_violations(&mut details, violations.iter().cloned());
            count_left_out(&mut metadata, left_out);
            sentences(violations)
        }
        Rejection::Elements {
            list,
            refused: elements,
        } => {
            let named = elements
                .iter()
                .take(ELEMENTS_MAX)
                .map(|(index, refused)| Violation {
                    field: format!("{list}[{index}]"),
                    sentence: refused.to_string(),
                });
            let left_out = set_violations(&mut details, named) + elements.len().saturating_sub(ELEMENTS_MAX);
            metadata.insert("indices".to_owned(), indices(elements));
            metadata.insert("refused_count".to_owned(), elements.len().to_string());
            count_left_out(&mut metadata, left_out);
            rejection.to_string()
        }
        one => {
            let sentence = one.to_string();
            set_details_of_one(&mut details, &mut metadata, one, &sentence);
            sentence
        }
    };
    details.set_error_info(rejection.reason(), DOMAIN, metadata);
    Status::with_error_details(code, shortened(&message, MESSAGE_BYTES_MAX), details)
}

/// A refusal as one sentence of a bounded length, where many stand beside each other.
pub(in crate::service) fn sentence(rejection: &Rejection) -> String {
    shortened(&rejection.to_string(), SENTENCE_BYTES_MAX)
}

/// The path of a field, in a bounded length.
pub(in crate::service) fn path(field: &str) -> String {
    shortened(field, PATH_BYTES_MAX)
}

/// What is wrong with one thing: the field, the rule, or the name of the resource.
fn set_details_of_one(
    details: &mut ErrorDetails,
    metadata: &mut HashMap<String, String>,
    rejection: &Rejection,
    sentence: &str,
) {
    let subject = shortened(&subject(rejection), PATH_BYTES_MAX);
    let sentence = shortened(sentence, SENTENCE_BYTES_MAX);
    match rejection.kind() {
        RejectionKind::Malformed => {
            details.add_bad_request_violation(subject, sentence);
        }
        RejectionKind::Rule => {
            details.add_precondition_failure_violation(rejection.reason(), subject, sentence);
        }
        RejectionKind::Missing
        | RejectionKind::Duplicate
        | RejectionKind::Outdated
        | RejectionKind::Denied => {
            // A role that is missing is missing in the whole workspace.
            if !subject.is_empty() {
                metadata.insert("resource".to_owned(), subject);
            }
        }
    }
}

/// What a refusal is about: a field of the request where it is malformed, else a resource inside the workspace.
fn subject(rejection: &Rejection) -> String {
    match rejection {
        Rejection::Invalid(violations) => violations
            .first()
            .map(|first| first.field.clone())
            .unwrap_or_default(),
        Rejection::Elements { list: _, refused } => refused
            .first()
            .map(|(_, first)| subject(first))
            .unwrap_or_default(),
        Rejection::EffectiveTimeInFuture { effective: _, now: _ } => "effective_time".to_owned(),
        Rejection::ConflictingValues { first_index: _ } => "measurements".to_owned(),
        Rejection::RoleMissing(_) => String::new(),
        Rejection::NotFound(name)
        | Rejection::OutsideTeams(name)
        | Rejection::NotOwn(name)
        | Rejection::AlreadyExists(name)
        | Rejection::EtagMismatch(name)
        | Rejection::Deleted(name)
        | Rejection::NotDeleted(name)
        | Rejection::ReopeningReasonMissing(name)
        | Rejection::CheckInRetracted(name) => name.to_string(),
        Rejection::PrincipalTaken { principal: _, member } | Rejection::LastOwner(member) => {
            format!("members/{member}")
        }
        Rejection::TeamBelowItself(team) => format!("teams/{team}"),
        Rejection::CycleBelowItself(cycle)
        | Rejection::CycleOutsideParent {
            inner: cycle,
            outer: _,
        }
        | Rejection::CycleNotPlanned(cycle)
        | Rejection::CycleNotActive(cycle)
        | Rejection::CycleClosed(cycle)
        | Rejection::CycleNotInReview(cycle)
        | Rejection::CycleNotClosed(cycle)
        | Rejection::NestedCycleOpen {
            cycle: _,
            nested: cycle,
        } => format!("cycles/{cycle}"),
        Rejection::ObjectiveNotDraft(objective)
        | Rejection::ObjectiveNotActive(objective)
        | Rejection::ObjectiveOver(objective)
        | Rejection::OwnerMissing(objective)
        | Rejection::GradeReasonMissing(objective)
        | Rejection::ObjectiveNotOver(objective)
        | Rejection::ObjectiveNotInCycle { objective, cycle: _ }
        | Rejection::CarriedOverAlready {
            objective: _,
            cycle: _,
            carried: objective,
        }
        | Rejection::AlignmentCycle(objective) => format!("objectives/{objective}"),
        Rejection::BaselineMissing(key_result)
        | Rejection::DeletedWithoutBaseline(key_result)
        | Rejection::ReasonMissing(key_result)
        | Rejection::KeyResultHasNoValues(key_result)
        | Rejection::KeyResultHasKpi { key_result, kpi: _ }
        | Rejection::WindowOverChanges { key_result, kpi: _ }
        | Rejection::ValueComesFromKpi { key_result, kpi: _ } => key_result.to_string(),
        Rejection::AlertClosed(kpi, alert)
        | Rejection::ActionPlanMissing(kpi, alert)
        | Rejection::ActionPlanCompleted(kpi, alert) => format!("kpis/{kpi}/alerts/{alert}"),
        Rejection::ExplanationMissing(objectives) => objectives
            .first()
            .map(|objective| format!("objectives/{objective}"))
            .unwrap_or_default(),
        Rejection::BaselineNotZero(_) => "key_result.metric.baseline".to_owned(),
        Rejection::RelativeToZero => "key_result.metric.relative_target".to_owned(),
        Rejection::AlignmentTooDeep { depth_max: _ } => "objective.aligned_to".to_owned(),
        Rejection::TargetIsBaseline {
            baseline: _,
            target: _,
        } => "key_result.metric.target".to_owned(),
        Rejection::WrongDirection {
            kpi,
            baseline: _,
            target: _,
        }
        | Rejection::KpiHasMeasurements(kpi)
        | Rejection::KpiArchived(kpi)
        | Rejection::KpiNotInTrouble(kpi)
        | Rejection::MeasurementNotFound {
            kpi,
            effective_time: _,
            source_id: _,
        }
        | Rejection::TooManySources(kpi) => format!("kpis/{kpi}"),
    }
}

/// Sets as many field violations as there is room for, and answers how many were left out.
fn set_violations(details: &mut ErrorDetails, violations: impl Iterator<Item = Violation>) -> usize {
    let mut room = VIOLATIONS_BYTES_MAX;
    let mut shown = Vec::new();
    let mut left_out = 0;
    for Violation { field, sentence } in violations {
        let field = shortened(&field, PATH_BYTES_MAX);
        let description = shortened(&sentence, SENTENCE_BYTES_MAX);
        let bytes = field.len() + description.len() + VIOLATION_FRAME_BYTES;
        if left_out == 0 && bytes <= room && shown.len() < ELEMENTS_MAX {
            room -= bytes;
            shown.push(FieldViolation::new(field, description));
        } else {
            left_out += 1;
        }
    }
    details.set_bad_request(shown);
    left_out
}

fn count_left_out(metadata: &mut HashMap<String, String>, left_out: usize) {
    if left_out > 0 {
        metadata.insert("left_out_count".to_owned(), left_out.to_string());
    }
}

/// The indices of the first bad elements.
fn indices(elements: &[(usize, Rejection)]) -> String {
    let named: Vec<String> = elements
        .iter()
        .take(ELEMENTS_MAX)
        .map(|(index, _)| index.to_string())
        .collect();
    named.join(",")
}

/// The first violations as one message, and how many there are more.
fn sentences(violations: &[Violation]) -> String {
    let mut message = String::new();
    for (index, violation) in violations.iter().enumerate() {
        let sentence = shortened(&violation.to_string(), SENTENCE_BYTES_MAX);
        if message.len() + sentence.len() > MESSAGE_BYTES_MAX - 20 {
            // Writing to a text cannot fail.
            let _ = write!(message, "; and {} more", violations.len() - index);
            break;
        }
        if index > 0 {
            message.push_str("; ");
        }
        message.push_str(&sentence);
    }
    message
}
