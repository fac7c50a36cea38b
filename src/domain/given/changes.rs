//! Commands about what is there already: changing, closing, carrying over, deleting, putting right.

use super::{id, key_result_id, title, value};
use crate::domain::{
    Alignment, CarryOver, CascadeTo, CheckInPatch, Closing, Command, CyclePatch, Effective, Etag,
    InitiativeId, KeyResultId, KeyResultPatch, NewCheckIn, NewReview, ObjectivePatch, PlacedCheckIn,
    ResourceName, ScoringPolicyPatch, Text,
};

pub(crate) fn update_objective(name: &str, change: impl FnOnce(&mut ObjectivePatch)) -> Command {
    let mut patch = ObjectivePatch::default();
    change(&mut patch);
    Command::UpdateObjective {
        id: id(name),
        patch: Box::new(patch),
        etag: Etag::Any,
    }
}

/// `to` is an objective, or a key result as `objective/keyResult`.
pub(crate) fn alignment(to: &str) -> Alignment {
    match to.contains('/') {
        true => Alignment::KeyResult(key_result_id(to)),
        false => Alignment::Objective(id(to)),
    }
}

pub(crate) fn align(name: &str, to: &str) -> Command {
    update_objective(name, |patch| patch.aligned_to = Some(Some(alignment(to))))
}

pub(crate) fn update_key_result(path: &str, change: impl FnOnce(&mut KeyResultPatch)) -> Command {
    let mut patch = KeyResultPatch::default();
    change(&mut patch);
    Command::UpdateKeyResult {
        id: key_result_id(path),
        patch: Box::new(patch),
        etag: Etag::Any,
    }
}

pub(crate) fn update_cycle(name: &str, change: impl FnOnce(&mut CyclePatch)) -> Command {
    let mut patch = CyclePatch::default();
    change(&mut patch);
    Command::UpdateCycle {
        id: id(name),
        patch: Box::new(patch),
        etag: Etag::Any,
    }
}

pub(crate) fn begin_review(name: &str) -> Command {
    Command::BeginCycleReview {
        id: id(name),
        etag: Etag::Any,
    }
}

/// Closes a cycle; of each objective named, something is said.
pub(crate) fn close_cycle(name: &str, closings: Vec<(&str, Closing)>) -> Command {
    Command::CloseCycle {
        id: id(name),
        closings: closings.into_iter().map(|(of, said)| (id(of), said)).collect(),
        etag: Etag::Any,
    }
}

pub(crate) fn reopen_cycle(name: &str) -> Command {
    Command::ReopenCycle {
        id: id(name),
        etag: Etag::Any,
    }
}

pub(crate) fn closing(change: impl FnOnce(&mut Closing)) -> Closing {
    let mut closing = Closing::silent();
    change(&mut closing);
    closing
}

/// Said of what ended below its bar.
pub(crate) fn explained() -> Closing {
    closing(|said| said.explanation = Text::parse("the market fell").unwrap())
}

pub(crate) fn close(name: &str, said: Closing) -> Command {
    Command::CloseObjective {
        id: id(name),
        closing: Box::new(said),
        etag: Etag::Any,
    }
}

pub(crate) fn cancel(name: &str) -> Command {
    Command::CancelObjective {
        id: id(name),
        etag: Etag::Any,
    }
}

pub(crate) fn reopen(name: &str) -> Command {
    Command::ReopenObjective {
        id: id(name),
        etag: Etag::Any,
    }
}

pub(crate) fn carry_over(name: &str, new: &str, cycle: &str) -> Command {
    let to = CarryOver {
        new_id: id(new),
        cycle: id(cycle),
    };
    Command::CarryOverObjective {
        id: id(name),
        to,
        etag: Etag::Any,
    }
}

/// To each team, by the id of its new objective.
pub(crate) fn cascade(name: &str, teams: &[(&str, &str)]) -> Command {
    let to = |(team, new): &(&str, &str)| CascadeTo {
        team: id(team),
        new_id: id(new),
        title: None,
    };
    Command::CascadeObjective {
        id: id(name),
        teams: teams.iter().map(to).collect(),
        etag: Etag::Any,
    }
}

pub(crate) fn saw(path: &str, name: &str, number: f64) -> Command {
    super::check_in(path, name, |check_in| check_in.value = Some(value(number)))
}

/// Seen at noon of a day of 2026, in UTC.
pub(crate) fn saw_on(path: &str, name: &str, (month, day): (i8, i8), number: f64) -> Command {
    super::check_in(path, name, |check_in| {
        check_in.effective = Effective::At(super::at(2026, month, day, 12));
        check_in.value = Some(value(number));
    })
}

pub(crate) fn reached(path: &str, name: &str, milestones: &[&str]) -> Command {
    super::check_in(path, name, |check_in| {
        check_in.reached_milestones = Some(milestones.iter().map(|of| id(of)).collect());
    })
}

pub(crate) fn correct(path: &str, name: &str, change: impl FnOnce(&mut CheckInPatch)) -> Command {
    let mut patch = CheckInPatch::default();
    change(&mut patch);
    Command::CorrectCheckIn {
        key_result: key_result_id(path),
        id: id(name),
        patch: Box::new(patch),
    }
}

pub(crate) fn retract(path: &str, name: &str) -> Command {
    Command::RetractCheckIn {
        key_result: key_result_id(path),
        id: id(name),
    }
}

/// All or none; each as `check_in` makes it.
pub(crate) fn check_ins(commands: impl IntoIterator<Item = Command>) -> Command {
    let placed = |command| match command {
        Command::CreateCheckIn(placed) => *placed,
        other => panic!("no check-in: {other:?}"),
    };
    let placed: Vec<PlacedCheckIn> = commands.into_iter().map(placed).collect();
    Command::CreateCheckIns(placed)
}

/// Something is said and nothing is measured.
pub(crate) fn in_words(check_in: &mut NewCheckIn) {
    check_in.comment = Text::parse("going well").unwrap();
}

pub(crate) fn update_policy(change: impl FnOnce(&mut ScoringPolicyPatch)) -> Command {
    let mut patch = ScoringPolicyPatch::default();
    change(&mut patch);
    Command::UpdateScoringPolicy {
        patch: Box::new(patch),
        etag: Etag::Any,
    }
}

pub(crate) fn review(cycle: &str, name: &str, change: impl FnOnce(&mut NewReview)) -> Command {
    let mut review = NewReview {
        team: None,
        date: None,
        attendees: Vec::new(),
        achieved: Text::empty(),
        learned: Text::empty(),
        next: Text::empty(),
    };
    change(&mut review);
    Command::CreateReview {
        cycle: id(cycle),
        id: id(name),
        review: Box::new(review),
    }
}

/// `teams/a`, `members/a`, `objectives/a`, `keyResults/a/b`, `initiatives/a/b`, `kpis/a` or `workspace`.
pub(crate) fn named(text: &str) -> ResourceName {
    let inside = |path: &str| {
        let KeyResultId { objective, id } = key_result_id(path);
        InitiativeId { objective, id }
    };
    match text.split_once('/') {
        None => ResourceName::Workspace,
        Some(("teams", of)) => ResourceName::Team(id(of)),
        Some(("members", of)) => ResourceName::Member(id(of)),
        Some(("objectives", of)) => ResourceName::Objective(id(of)),
        Some(("keyResults", of)) => ResourceName::KeyResult(key_result_id(of)),
        Some(("initiatives", of)) => ResourceName::Initiative(inside(of)),
        Some(("kpis", of)) => ResourceName::Kpi(id(of)),
        Some(("cycles", of)) => ResourceName::Cycle(id(of)),
        Some((other, _)) => panic!("no such kind: {other}"),
    }
}

pub(crate) fn delete(name: &str) -> Command {
    Command::Delete {
        name: named(name),
        etag: Etag::Any,
    }
}

pub(crate) fn undelete(name: &str) -> Command {
    Command::Undelete {
        name: named(name),
        etag: Etag::Any,
    }
}

/// Another title.
pub(crate) fn retitle(name: &str) -> Command {
    update_objective(name, |patch| patch.title = Some(title("Another")))
}
