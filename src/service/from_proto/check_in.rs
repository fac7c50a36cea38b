//! Requests about check-ins.

use prost::Message;

use super::Asked;
use super::findings::Findings;
use super::scalar::{effective, optional_value, unknown};
use crate::domain::{
    CheckInPatch, Command, Confidence, Id, Invalid, Milestones, NewCheckIn, PlacedCheckIn, Rejection,
    StatusOverride, Text, Violation,
};
use crate::proto::api;
use crate::service::mask::Field;
use crate::service::{ids, names};

/// The most check-ins in one batch.
const BATCH_MAX: usize = 1000;
/// The largest batch, in bytes: its answer says every check-in again, with its name and who recorded it, and has to fit
/// into a message of 4 MiB.
const BATCH_BYTES_MAX: usize = 3 * 1024 * 1024;

const FIELDS: &[Field<api::CheckIn>] = &[
    Field::new("value", |m| m.value.is_some()),
    Field::new("reached_milestones", |m| m.reached_milestones.is_some()),
    Field::new("confidence", |m| m.confidence.is_some()),
    Field::new("comment", |m| !m.comment.is_empty()),
    Field::new("status_override", |m| m.status_override != 0),
    Field::new("effective_time", |m| {
        m.effective_time.is_some() || m.effective_date.is_some()
    }),
];

/// Reads a CreateCheckIn request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn create_check_in(request: &api::CreateCheckInRequest) -> Result<Asked, Rejection> {
    let mut findings = Findings::default();
    let id = ids::chosen("check_in_id", &request.check_in_id, 'c', &request.request_id);
    let command = read_placed(request, id, "", &mut findings)
        .map(|(workspace, placed)| (workspace, Command::CreateCheckIn(Box::new(placed))));
    findings.asked(command, &request.request_id, &request.reason)
}

/// Reads a BatchCreateCheckIns request.
///
/// # Errors
/// Everything that is wrong with it, each bad check-in by its index.
pub(crate) fn batch_create_check_ins(request: &api::BatchCreateCheckInsRequest) -> Result<Asked, Rejection> {
    let api::BatchCreateCheckInsRequest {
        parent,
        requests,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let workspace = findings.keep(names::workspace("parent", parent));
    if !(1..=BATCH_MAX).contains(&requests.len()) {
        let sentence = format!("there are {}: send 1 to {BATCH_MAX}", requests.len());
        findings.push(Invalid::new(sentence).at("requests"));
        return findings.asked(None, request_id, reason);
    }
    let bytes = request.encoded_len();
    if bytes > BATCH_BYTES_MAX {
        let sentence =
            format!("they take {bytes} bytes: send at most {BATCH_BYTES_MAX}, in several batches if need be");
        findings.push(Invalid::new(sentence).at("requests"));
        return findings.asked(None, request_id, reason);
    }
    let mut all = Vec::with_capacity(requests.len());
    for (index, one) in requests.iter().enumerate() {
        let at = |field: &str| format!("requests[{index}].{field}");
        for (field, text) in [("request_id", &one.request_id), ("reason", &one.reason)] {
            if !text.is_empty() {
                let sentence = "a batch has one for all: leave it out here, and send it beside `requests`";
                findings.push(Invalid::new(sentence).at(at(field)));
            }
        }
        let id = ids::chosen_at(&at("check_in_id"), &one.check_in_id, 'c', request_id, index);
        let Some((of, placed)) = read_placed(one, id, &format!("requests[{index}]."), &mut findings) else {
            continue;
        };
        if workspace.as_ref().is_some_and(|workspace| *workspace != of) {
            let sentence = "it is in another workspace: send one batch a workspace";
            findings.push(Invalid::new(sentence).at(at("parent")));
        }
        all.push(placed);
    }
    let command = workspace.map(|workspace| (workspace, Command::CreateCheckIns(all)));
    findings.asked(command, request_id, reason)
}

/// Reads a CorrectCheckIn request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn correct_check_in(request: &api::CorrectCheckInRequest) -> Result<Asked, Rejection> {
    let api::CorrectCheckInRequest {
        check_in,
        update_mask,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let command = findings
        .message("check_in", check_in.as_ref())
        .and_then(|message| {
            let named = findings.keep(names::check_in("check_in.name", &message.name));
            let mask = findings.mask(update_mask.as_ref(), FIELDS, message);
            let new = read(message, "", &mut findings)?;
            let (workspace, (key_result, id)) = named?;
            let patch = Box::new(CheckInPatch {
                effective: mask.has("effective_time").then_some(new.effective),
                value: mask.has("value").then_some(new.value),
                reached_milestones: mask.has("reached_milestones").then_some(new.reached_milestones),
                confidence: mask.has("confidence").then_some(new.confidence),
                comment: mask.has("comment").then_some(new.comment),
                status_override: mask.has("status_override").then_some(new.status_override),
            });
            Some((
                workspace,
                Command::CorrectCheckIn {
                    key_result,
                    id,
                    patch,
                },
            ))
        });
    findings.asked(command, request_id, reason)
}

/// Reads a RetractCheckIn request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn retract_check_in(request: &api::RetractCheckInRequest) -> Result<Asked, Rejection> {
    let api::RetractCheckInRequest {
        name,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let command = findings
        .keep(names::check_in("name", name))
        .map(|(workspace, (key_result, id))| (workspace, Command::RetractCheckIn { key_result, id }));
    findings.asked(command, request_id, reason)
}

/// The check-in of one request; `prefix` is where that stands in a batch.
fn read_placed(
    request: &api::CreateCheckInRequest,
    id: Result<Id, Violation>,
    prefix: &str,
    findings: &mut Findings,
) -> Option<(Id, PlacedCheckIn)> {
    let api::CreateCheckInRequest {
        parent,
        check_in_id: _,
        check_in,
        request_id: _,
        reason: _,
    } = request;
    let parent = findings.keep(names::key_result(&format!("{prefix}parent"), parent));
    let id = findings.keep(id);
    let message = findings.message(&format!("{prefix}check_in"), check_in.as_ref())?;
    let check_in = read(message, prefix, findings);
    let (workspace, key_result) = parent?;
    let placed = PlacedCheckIn {
        key_result,
        id: id?,
        check_in: check_in?,
    };
    Some((workspace, placed))
}

fn read(message: &api::CheckIn, prefix: &str, findings: &mut Findings) -> Option<NewCheckIn> {
    let api::CheckIn {
        name: _,
        value,
        confidence,
        comment,
        status_override,
        effective_time,
        effective_date,
        principal: _,
        recorded_time: _,
        revision: _,
        reached_milestones,
        correct_time: _,
        retract_time: _,
    } = message;
    let at = |field: &str| format!("{prefix}check_in.{field}");
    let value = findings.field(&at("value"), optional_value(*value));
    let reached = reached_milestones.as_ref().map(read_reached).transpose();
    let reached = findings.field(&at("reached_milestones"), reached);
    let confidence = confidence.map(Confidence::parse).transpose();
    let confidence = findings.field(&at("confidence"), confidence);
    let comment = findings.field(&at("comment"), Text::parse(comment));
    let status_override = findings.field(&at("status_override"), read_override(*status_override));
    let effective = effective(effective_time.as_ref(), effective_date.as_ref())
        .map_err(|(field, invalid)| invalid.at(at(field)));
    Some(NewCheckIn {
        effective: findings.keep(effective)?,
        value: value?,
        reached_milestones: reached?,
        confidence: confidence?,
        comment: comment?,
        status_override: status_override?,
    })
}

/// A set of milestones.
fn read_reached(message: &api::ReachedMilestones) -> Result<Vec<Id>, Invalid> {
    let api::ReachedMilestones { milestones } = message;
    if milestones.len() > Milestones::MAX {
        let sentence = format!("there are {}: send {} at most", milestones.len(), Milestones::MAX);
        return Err(Invalid::new(sentence));
    }
    let mut reached = milestones
        .iter()
        .map(|id| Id::parse(id))
        .collect::<Result<Vec<_>, _>>()?;
    reached.sort_unstable();
    reached.dedup();
    Ok(reached)
}

fn read_override(number: i32) -> Result<Option<StatusOverride>, Invalid> {
    use api::Status as Api;
    match Api::try_from(number).map_err(|_| unknown(number))? {
        Api::Unspecified => Ok(None),
        Api::OnTrack => Ok(Some(StatusOverride::OnTrack)),
        Api::Behind => Ok(Some(StatusOverride::Behind)),
        Api::AtRisk => Ok(Some(StatusOverride::AtRisk)),
        Api::Unmeasured | Api::NotStarted | Api::Achieved | Api::Closed => Err(Invalid::new(
            "nobody says this, it follows from the score: use ON_TRACK, BEHIND or AT_RISK",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bad_fields, command, day, id};
    use super::*;
    use crate::domain::Effective;

    fn create(check_in: api::CheckIn) -> Result<Asked, Rejection> {
        create_check_in(&api::CreateCheckInRequest {
            parent: "workspaces/acme/objectives/win/keyResults/nps".to_owned(),
            check_in_id: "c1".to_owned(),
            check_in: Some(check_in),
            ..api::CreateCheckInRequest::default()
        })
    }

    #[test]
    fn a_check_in_says_what_was_seen_and_when() {
        let seen = api::CheckIn {
            value: Some(0.0),
            status_override: api::Status::AtRisk.into(),
            effective_date: day(2026, 7, 1),
            ..api::CheckIn::default()
        };
        let Command::CreateCheckIn(placed) = command(create(seen)) else {
            panic!("another command");
        };
        let PlacedCheckIn {
            key_result,
            id: created,
            check_in,
        } = *placed;
        assert_eq!((key_result.id, created), (id("nps"), id("c1")));
        assert_eq!(check_in.value.map(|value| value.get()), Some(0.0));
        assert_eq!(check_in.confidence, None);
        assert_eq!(check_in.status_override, Some(StatusOverride::AtRisk));
        assert_eq!(check_in.effective, Effective::On(jiff::civil::date(2026, 7, 1)));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let bad = api::CheckIn {
            value: Some(f64::INFINITY),
            confidence: Some(1.1),
            comment: "x".repeat(10_001),
            status_override: api::Status::Achieved.into(),
            effective_time: Some(prost_types::Timestamp::default()),
            effective_date: day(2026, 7, 1),
            ..api::CheckIn::default()
        };
        let expected = [
            "value",
            "confidence",
            "comment",
            "status_override",
            "effective_date",
        ];
        assert_eq!(
            bad_fields(create(bad)),
            expected.map(|field| format!("check_in.{field}"))
        );
        let unknown = api::CheckIn {
            status_override: 42,
            ..api::CheckIn::default()
        };
        assert_eq!(bad_fields(create(unknown)), ["check_in.status_override"]);
    }
}
