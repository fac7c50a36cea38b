//! What people say about an objective as it closes, alone or with its cycle.

use super::Asked;
use super::findings::Findings;
use crate::domain::{Closing, Command, Grade, Id, Invalid, Rejection, Text};
use crate::proto::api;
use crate::service::{etag, names};

/// The most objectives that one closing says something about.
const CLOSINGS_MAX: usize = 1000;

/// Reads a CloseObjective request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn close_objective(request: &api::CloseObjectiveRequest) -> Result<Asked, Rejection> {
    let api::CloseObjectiveRequest {
        name,
        etag,
        request_id,
        reason,
        closing,
    } = request;
    let mut findings = Findings::default();
    let named = findings.keep(names::objective("name", name));
    let closing = read("closing", closing.as_ref(), &mut findings);
    let command = named.zip(closing).map(|((workspace, id), closing)| {
        let command = Command::CloseObjective {
            id,
            closing: Box::new(closing),
            etag: etag::read(etag),
        };
        (workspace, command)
    });
    findings.asked(command, request_id, reason)
}

/// Reads a CloseCycle request. Whether it is a dry run is the caller's to look at.
///
/// # Errors
/// Everything that is wrong with it, each bad closing by its index.
pub(crate) fn close_cycle(request: &api::CloseCycleRequest) -> Result<Asked, Rejection> {
    let api::CloseCycleRequest {
        name,
        etag,
        request_id,
        reason,
        dry_run: _,
        objectives,
    } = request;
    let mut findings = Findings::default();
    let (workspace, id) = findings.keep(names::cycle("name", name)).unzip();
    if objectives.len() > CLOSINGS_MAX {
        let sentence = format!("there are {}: send {CLOSINGS_MAX} at most", objectives.len());
        findings.push(Invalid::new(sentence).at("objectives"));
        return findings.asked(None, request_id, reason);
    }
    let mut closings = Vec::with_capacity(objectives.len());
    for (index, message) in objectives.iter().enumerate() {
        closings.extend(read_of(index, message, workspace.as_ref(), &mut findings));
    }
    let command = workspace.clone().zip(id).map(|(workspace, id)| {
        let etag = etag::read(etag);
        (workspace, Command::CloseCycle { id, closings, etag })
    });
    findings.asked(command, request_id, reason)
}

fn read_of(
    index: usize,
    message: &api::ObjectiveClosing,
    workspace: Option<&Id>,
    findings: &mut Findings,
) -> Option<(Id, Closing)> {
    let api::ObjectiveClosing { objective, closing } = message;
    let reference = names::objective_reference(workspace, objective).and_then(names::given);
    let objective = findings.field(&format!("objectives[{index}].objective"), reference);
    let closing = read(
        &format!("objectives[{index}].closing"),
        closing.as_ref(),
        findings,
    );
    Some((objective?, closing?))
}

fn read(path: &str, message: Option<&api::Closing>, findings: &mut Findings) -> Option<Closing> {
    let Some(message) = message else {
        return Some(Closing::silent());
    };
    let api::Closing {
        grade,
        grade_reason,
        explanation,
        achieved,
        learned,
        next,
    } = message;
    let grade = findings.field(&format!("{path}.grade"), grade.map(Grade::parse).transpose());
    let mut text = |field: &str, text: &str| findings.field(&format!("{path}.{field}"), Text::parse(text));
    let (grade_reason, explanation) = (
        text("grade_reason", grade_reason),
        text("explanation", explanation),
    );
    let (achieved, learned) = (text("achieved", achieved), text("learned", learned));
    let next = text("next", next);
    Some(Closing {
        grade: grade?,
        grade_reason: grade_reason?,
        explanation: explanation?,
        achieved: achieved?,
        learned: learned?,
        next: next?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bad_fields, command, id};
    use super::*;

    #[test]
    fn closing_a_cycle_says_something_about_some_objectives() {
        let close = |objectives: Vec<api::ObjectiveClosing>| {
            close_cycle(&api::CloseCycleRequest {
                name: "workspaces/acme/cycles/q3".to_owned(),
                objectives,
                ..api::CloseCycleRequest::default()
            })
        };
        let of = |objective: &str, grade: Option<f64>| api::ObjectiveClosing {
            objective: objective.to_owned(),
            closing: Some(api::Closing {
                grade,
                explanation: "It rained.".to_owned(),
                ..api::Closing::default()
            }),
        };
        let win = "workspaces/acme/objectives/win";
        let Command::CloseCycle {
            id: cycle, closings, ..
        } = command(close(vec![of(win, Some(0.8))]))
        else {
            panic!("another command");
        };
        assert_eq!(cycle, id("q3"));
        assert_eq!(closings[0].0, id("win"));
        assert_eq!(closings[0].1.grade.map(Grade::get), Some(0.8));
        assert_eq!(
            bad_fields(close(vec![of(win, None), of("win", Some(0.85))])),
            ["objectives[1].objective", "objectives[1].closing.grade"]
        );
        assert_eq!(bad_fields(close(vec![of(win, None); 1001])), ["objectives"]);
    }
}
