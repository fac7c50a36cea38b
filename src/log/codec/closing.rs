//! Closing an objective: what was frozen, what was said, reopening, canceling.

use super::fault::{At, Fault};
use super::objective::{state_from_stored, state_to_stored};
use super::scalar::{
    date_from_stored, date_to_stored, finite_from_stored, id_from_stored, id_to_stored, list_from_stored,
    required, stored_enum,
};
use crate::domain::{
    Band, Closing, Event, FrozenKeyResult, Grade, Grading, Id, ObjectiveResult, ObjectiveState, Outcome,
    Revision, Text,
};
use crate::proto::stored;

stored_enum!(band_to_stored, band_from_stored: Band = stored::grading::Band { Red, Yellow, Green });
stored_enum!(outcome_to_stored, outcome_from_stored:
    Outcome = stored::grading::Outcome { Achieved, Partial, Missed, Postponed });

pub(super) fn closed_to_stored(
    id: &Id,
    before: ObjectiveState,
    result: &ObjectiveResult,
) -> stored::ObjectiveClosed {
    stored::ObjectiveClosed {
        objective: id_to_stored(id),
        before: state_to_stored(before),
        result: Some(result_to_stored(result)),
    }
}

pub(super) fn closed_from_stored(stored: stored::ObjectiveClosed) -> Result<Event, Fault> {
    let stored::ObjectiveClosed {
        objective,
        before,
        result,
    } = stored;
    Ok(Event::ObjectiveClosed {
        id: id_from_stored(&objective).at("objective")?,
        before: state_from_stored(before).at("before")?,
        result: Box::new(required(result).and_then(result_from_stored).at("result")?),
    })
}

pub(super) fn reopened_to_stored(
    id: &Id,
    before: ObjectiveState,
    after: ObjectiveState,
    result: Option<&ObjectiveResult>,
) -> stored::ObjectiveReopened {
    stored::ObjectiveReopened {
        objective: id_to_stored(id),
        before: state_to_stored(before),
        after: state_to_stored(after),
        result: result.map(result_to_stored),
    }
}

pub(super) fn reopened_from_stored(stored: stored::ObjectiveReopened) -> Result<Event, Fault> {
    let stored::ObjectiveReopened {
        objective,
        before,
        after,
        result,
    } = stored;
    Ok(Event::ObjectiveReopened {
        id: id_from_stored(&objective).at("objective")?,
        before: state_from_stored(before).at("before")?,
        after: state_from_stored(after).at("after")?,
        result: result
            .map(result_from_stored)
            .transpose()
            .at("result")?
            .map(Box::new),
    })
}

pub(super) fn canceled_to_stored(id: &Id, before: ObjectiveState) -> stored::ObjectiveCanceled {
    stored::ObjectiveCanceled {
        objective: id_to_stored(id),
        before: state_to_stored(before),
    }
}

pub(super) fn canceled_from_stored(stored: stored::ObjectiveCanceled) -> Result<Event, Fault> {
    let stored::ObjectiveCanceled { objective, before } = stored;
    Ok(Event::ObjectiveCanceled {
        id: id_from_stored(&objective).at("objective")?,
        before: state_from_stored(before).at("before")?,
    })
}

fn result_to_stored(result: &ObjectiveResult) -> stored::ObjectiveResult {
    let ObjectiveResult {
        score,
        expected,
        grading,
        postponed,
        closing,
        with_cycle,
        date,
        policy_version,
        key_results,
    } = result;
    stored::ObjectiveResult {
        score: *score,
        expected: *expected,
        grading: grading.as_ref().map(grading_to_stored),
        postponed: *postponed,
        closing: Some(closing_to_stored(closing)),
        with_cycle: *with_cycle,
        date: date_to_stored(*date),
        policy_version: policy_version.0,
        key_results: key_results.iter().map(frozen_to_stored).collect(),
    }
}

fn result_from_stored(stored: stored::ObjectiveResult) -> Result<ObjectiveResult, Fault> {
    let stored::ObjectiveResult {
        score,
        expected,
        grading,
        postponed,
        closing,
        with_cycle,
        date,
        policy_version,
        key_results,
    } = stored;
    Ok(ObjectiveResult {
        score: score.map(finite_from_stored).transpose().at("score")?,
        expected: expected.map(finite_from_stored).transpose().at("expected")?,
        grading: grading.map(grading_from_stored).transpose().at("grading")?,
        postponed,
        closing: required(closing).and_then(closing_from_stored).at("closing")?,
        with_cycle,
        date: date_from_stored(date).at("date")?,
        policy_version: Revision(policy_version),
        key_results: list_from_stored("key_results", key_results, frozen_from_stored)?,
    })
}

fn grading_to_stored(grading: &Grading) -> stored::Grading {
    let Grading {
        grade,
        band,
        outcome,
        too_easy,
        needs_explanation,
    } = *grading;
    stored::Grading {
        grade_tenths: u32::from(grade.tenths()),
        band: band_to_stored(band),
        outcome: outcome_to_stored(outcome),
        too_easy,
        needs_explanation,
    }
}

fn grading_from_stored(stored: stored::Grading) -> Result<Grading, Fault> {
    let stored::Grading {
        grade_tenths,
        band,
        outcome,
        too_easy,
        needs_explanation,
    } = stored;
    Ok(Grading {
        grade: grade_from_stored(grade_tenths).at("grade_tenths")?,
        band: band_from_stored(band).at("band")?,
        outcome: outcome_from_stored(outcome).at("outcome")?,
        too_easy,
        needs_explanation,
    })
}

fn grade_from_stored(tenths: u32) -> Result<Grade, Fault> {
    if tenths <= u32::from(Grade::BEST.tenths()) {
        Ok(Grade::from_tenths(f64::from(tenths)))
    } else {
        Err(Fault::damaged(format!("{tenths} tenths are no grade")))
    }
}

fn closing_to_stored(closing: &Closing) -> stored::Closing {
    let Closing {
        grade,
        grade_reason,
        explanation,
        achieved,
        learned,
        next,
    } = closing;
    stored::Closing {
        grade_tenths: grade.map(|grade| u32::from(grade.tenths())),
        grade_reason: grade_reason.as_str().to_owned(),
        explanation: explanation.as_str().to_owned(),
        achieved: achieved.as_str().to_owned(),
        learned: learned.as_str().to_owned(),
        next: next.as_str().to_owned(),
    }
}

fn closing_from_stored(stored: stored::Closing) -> Result<Closing, Fault> {
    let stored::Closing {
        grade_tenths,
        grade_reason,
        explanation,
        achieved,
        learned,
        next,
    } = stored;
    Ok(Closing {
        grade: grade_tenths
            .map(grade_from_stored)
            .transpose()
            .at("grade_tenths")?,
        grade_reason: Text::parse(&grade_reason).at("grade_reason")?,
        explanation: Text::parse(&explanation).at("explanation")?,
        achieved: Text::parse(&achieved).at("achieved")?,
        learned: Text::parse(&learned).at("learned")?,
        next: Text::parse(&next).at("next")?,
    })
}

fn frozen_to_stored(frozen: &FrozenKeyResult) -> stored::FrozenKeyResult {
    let FrozenKeyResult {
        id,
        current,
        progress,
        score,
        expected,
        provisional,
        reached_milestones,
        periods_held,
        periods_with_data,
    } = frozen;
    stored::FrozenKeyResult {
        key_result: id_to_stored(id),
        current: *current,
        progress: *progress,
        score: *score,
        expected: *expected,
        provisional: *provisional,
        reached_milestones: reached_milestones.iter().map(id_to_stored).collect(),
        periods_held: *periods_held,
        periods_with_data: *periods_with_data,
    }
}

fn frozen_from_stored(stored: stored::FrozenKeyResult) -> Result<FrozenKeyResult, Fault> {
    let stored::FrozenKeyResult {
        key_result,
        current,
        progress,
        score,
        expected,
        provisional,
        reached_milestones,
        periods_held,
        periods_with_data,
    } = stored;
    Ok(FrozenKeyResult {
        id: id_from_stored(&key_result).at("key_result")?,
        current: current.map(finite_from_stored).transpose().at("current")?,
        progress: finite_from_stored(progress).at("progress")?,
        score: finite_from_stored(score).at("score")?,
        expected: finite_from_stored(expected).at("expected")?,
        provisional,
        reached_milestones: list_from_stored("reached_milestones", reached_milestones, |id| {
            id_from_stored(&id)
        })?,
        periods_held,
        periods_with_data,
    })
}
