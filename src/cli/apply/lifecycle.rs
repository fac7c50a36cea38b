//! The states of cycles and objectives: which calls bring one from where it stands to where a manifest wants it, and what
//! has to be done before. Nothing is moved back: that has a call and a reason of its own.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{DynamicMessage, Value};

use super::index::{Index, objective_above};
use super::merge::{differences, merge};
use super::order::{Act, Stage};
use super::plan::{Plan, Planner, basis};
use crate::cli::Failure;
use crate::cli::manifest::document::{Document, Manifests};
use crate::cli::manifest::kind::{Kind, full, workspace_of};
use crate::cli::manifest::scalar::set;
use crate::cli::manifest::schema::{self, text};
use crate::proto::api::{Outcome, cycle, objective};

/// A state that is wanted where another one is.
pub(super) struct Step {
    /// When.
    pub(super) stage: Stage,
    /// The call that leads there.
    pub(super) call: &'static str,
}

/// Where a resource stands: one that is created begins with the first.
fn stands(remote: Option<&DynamicMessage>) -> i32 {
    let state = remote.and_then(|remote| remote.get_field_by_name("state")?.as_enum_number());
    state.unwrap_or(1)
}

/// Where an objective stands. One that was carried over is POSTPONED: it counts nowhere, and for manifests it is CANCELED.
pub(in crate::cli) fn objective_stands(remote: Option<&DynamicMessage>) -> i32 {
    let postponed = || {
        let result = remote?.get_field_by_name("result")?.as_message()?.clone();
        let grading = result.get_field_by_name("grading")?.as_message()?.clone();
        let outcome = grading.get_field_by_name("outcome")?.as_enum_number()?;
        Some(outcome == i32::from(Outcome::Postponed))
    };
    if postponed() == Some(true) {
        objective::State::Canceled.into()
    } else {
        stands(remote)
    }
}

/// Adds the acts that change states, with what they need.
pub(super) fn plan(
    planner: &Planner<'_>,
    manifests: &mut Manifests,
    index: &Index,
    plan: &mut Plan,
) -> Result<(), Failure> {
    let closing_cycles = closing_cycles(planner, manifests);
    let mut activated: BTreeMap<usize, usize> = BTreeMap::new();
    for at in 0..manifests.documents.len() {
        if manifests.documents[at].kind == Kind::Cycle {
            cycle_begins(planner, manifests, at, plan, &mut activated)?;
        }
    }
    let mut said: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for at in 0..manifests.documents.len() {
        if manifests.documents[at].kind == Kind::Objective {
            let cycle = cycle_of(planner, &manifests.documents[at]);
            let with_cycle = closing_cycles.contains(&cycle);
            if let Some(closing) = closing(planner, manifests, at)?
                && with_cycle
            {
                said.entry(cycle).or_default().push(closing);
            }
            objective_begins(planner, manifests, index, at, plan, &mut activated)?;
            objective_ends(planner, manifests, index, at, plan, with_cycle)?;
        }
    }
    for at in 0..manifests.documents.len() {
        if manifests.documents[at].kind == Kind::CheckIn {
            let of = objective_above(&manifests.documents[at]).and_then(|of| index.objective(of));
            plan.acts[at].needs.extend(of.and_then(|of| activated.get(&of)));
        }
    }
    for at in 0..manifests.documents.len() {
        if manifests.documents[at].kind == Kind::Cycle {
            cycle_ends(planner, manifests, index, at, plan, &said)?;
        }
    }
    nested_close_first(manifests, plan);
    Ok(())
}

/// The names of the cycles that are to be closed now.
fn closing_cycles(planner: &Planner<'_>, manifests: &Manifests) -> BTreeSet<String> {
    let closed = i32::from(cycle::State::Closed);
    let cycles = manifests
        .documents
        .iter()
        .filter(|document| document.kind == Kind::Cycle);
    cycles
        .filter(|document| document.state.is_some_and(|stated| stated.state == closed))
        .filter(|document| stands(planner.remote.standing(Kind::Cycle, &document.name)) < closed)
        .map(|document| document.name.clone())
        .collect()
}

/// The relative name of the cycle that an objective is to live in.
fn cycle_of(planner: &Planner<'_>, document: &Document) -> String {
    let given = document.references.iter().find(|named| named.field == "cycle");
    given.map(|named| named.name.clone()).unwrap_or_else(|| {
        let remote = planner.remote.standing(Kind::Objective, &document.name);
        let full = remote.map(|remote| text(remote, "cycle")).unwrap_or_default();
        workspace_of(&full).map_or_else(String::new, |(_, name)| name.to_owned())
    })
}

/// Adds an act that takes a step, behind those that the document has already.
pub(super) fn add(
    planner: &Planner<'_>,
    manifests: &Manifests,
    plan: &mut Plan,
    at: usize,
    Step { stage, call }: Step,
    said: &[(&str, Value)],
) -> Result<usize, Failure> {
    let document = &manifests.documents[at];
    let remote = planner.remote.standing(document.kind, &document.name);
    let is_first = plan.acts_of[at]
        .iter()
        .all(|act| plan.acts[*act].commands.is_empty());
    let etag = remote
        .filter(|_| is_first)
        .map(|remote| text(remote, "etag"))
        .unwrap_or_default();
    let basis = remote.map(basis).unwrap_or_default();
    let command = planner
        .author
        .transition(call, &document.name, &etag, &basis, said)?;
    let needs = plan.acts_of[at].iter().copied().collect();
    plan.acts_of[at].push(plan.acts.len());
    plan.acts.push(Act {
        document: at,
        stage,
        commands: vec![command],
        needs,
    });
    Ok(plan.acts.len() - 1)
}

/// Says what the change of a state is, or why there is none.
fn tell(planner: &Planner<'_>, document: &Document, plan: &mut Plan, at: usize, from: i32, to: i32) {
    let word = |state| {
        let message = planner.schema.resource(document.kind).ok();
        let field = message.and_then(|message| message.get_field_by_name("state"));
        match field.map(|field| field.kind()) {
            Some(prost_reflect::Kind::Enum(of)) => schema::word(&of, state),
            _ => state.to_string(),
        }
    };
    let is_over = document.kind == Kind::Objective && from >= i32::from(objective::State::Closed);
    if to < from || (is_over && to != from) {
        plan.notes.push(format!(
            "{} is {} and stays so, though its manifest says {}: reopen it where that is meant",
            document.name,
            word(from),
            word(to)
        ));
    } else if to != from {
        plan.changes[at]
            .details
            .push(format!("state: {} → {}", word(from), word(to)));
    }
}

fn cycle_begins(
    planner: &Planner<'_>,
    manifests: &Manifests,
    at: usize,
    plan: &mut Plan,
    activated: &mut BTreeMap<usize, usize>,
) -> Result<(), Failure> {
    let document = &manifests.documents[at];
    let Some(stated) = document.state else {
        return Ok(());
    };
    let from = stands(planner.remote.standing(Kind::Cycle, &document.name));
    tell(planner, document, plan, at, from, stated.state);
    let active = i32::from(cycle::State::Active);
    if from < active && stated.state >= active {
        let step = Step {
            stage: Stage::ActiveCycles,
            call: "ActivateCycle",
        };
        let act = add(planner, manifests, plan, at, step, &[])?;
        activated.insert(at, act);
    }
    Ok(())
}

/// What is said of an objective as it closes: as CloseCycle takes it. What was said of one that is closed stays.
fn closing(planner: &Planner<'_>, manifests: &mut Manifests, at: usize) -> Result<Option<Value>, Failure> {
    let document = &manifests.documents[at];
    let Some(closing) = &document.closing else {
        return Ok(None);
    };
    let remote = planner.remote.standing(Kind::Objective, &document.name);
    if objective_stands(remote) == i32::from(objective::State::Closed) {
        let result = remote.and_then(|remote| remote.get_field_by_name("result")?.as_message().cloned());
        let before = result.and_then(|result| result.get_field_by_name("closing")?.as_message().cloned());
        let before = before.unwrap_or(DynamicMessage::new(planner.schema.message("Closing")?));
        let mut after = before.clone();
        merge(planner.schema, &mut after, &closing.fields);
        let other = differences(planner.schema, &before, &after, &closing.fields);
        if let Some(first) = other.first() {
            let sentence = format!(
                "closing.{}; what was said as it closed stays: reopen it first",
                first.shown
            );
            let line = first.line;
            manifests.refuse(at, line, sentence);
        }
        return Ok(None);
    }
    let mut said = DynamicMessage::new(planner.schema.message("Closing")?);
    merge(planner.schema, &mut said, &closing.fields);
    let mut of = DynamicMessage::new(planner.schema.message("ObjectiveClosing")?);
    let name = full(planner.author.workspace, &document.name);
    set(&mut of, "objective", Value::String(name));
    set(&mut of, "closing", Value::Message(said));
    Ok(Some(Value::Message(of)))
}

/// An objective becomes ACTIVE after its key results, in an ACTIVE cycle.
fn objective_begins(
    planner: &Planner<'_>,
    manifests: &Manifests,
    index: &Index,
    at: usize,
    plan: &mut Plan,
    activated: &mut BTreeMap<usize, usize>,
) -> Result<(), Failure> {
    let document = &manifests.documents[at];
    let Some(stated) = document.state else {
        return Ok(());
    };
    let from = objective_stands(planner.remote.standing(Kind::Objective, &document.name));
    tell(planner, document, plan, at, from, stated.state);
    let below = index.below(&document.name);
    let is = |at: usize, kind: Kind| manifests.documents[at].kind == kind;
    let is_new_check_in = |at: &usize| is(*at, Kind::CheckIn) && plan.changes[*at].is_new;
    let begins = match objective::State::try_from(stated.state) {
        Ok(objective::State::Active | objective::State::Closed) => true,
        // What was seen on the way belongs to it.
        Ok(objective::State::Canceled) => below.iter().any(is_new_check_in),
        _ => false,
    };
    if from == i32::from(objective::State::Draft) && begins {
        let step = Step {
            stage: Stage::ActiveObjectives,
            call: "ActivateObjective",
        };
        let act = add(planner, manifests, plan, at, step, &[])?;
        let cycle = index.by_name.get(&(Kind::Cycle, cycle_of(planner, document)));
        let cycle = cycle.and_then(|cycle| activated.get(cycle)).copied();
        let key_results = below.iter().copied().filter(|at| is(*at, Kind::KeyResult));
        plan.acts[act].needs.extend(cycle.into_iter().chain(key_results));
        activated.insert(at, act);
    }
    Ok(())
}

/// An objective becomes CLOSED, unless its cycle closes it, or CANCELED.
fn objective_ends(
    planner: &Planner<'_>,
    manifests: &Manifests,
    index: &Index,
    at: usize,
    plan: &mut Plan,
    with_cycle: bool,
) -> Result<(), Failure> {
    let document = &manifests.documents[at];
    let wanted = document
        .state
        .and_then(|stated| objective::State::try_from(stated.state).ok());
    let from = objective_stands(planner.remote.standing(Kind::Objective, &document.name));
    let is_open = from < i32::from(objective::State::Closed);
    let call = match wanted {
        Some(objective::State::Closed) if is_open && !with_cycle => "CloseObjective",
        Some(objective::State::Canceled) if is_open => "CancelObjective",
        _ => return Ok(()),
    };
    let mut said = Vec::new();
    if let Some(closing) = &document.closing {
        let mut message = DynamicMessage::new(planner.schema.message("Closing")?);
        merge(planner.schema, &mut message, &closing.fields);
        said.push(("closing", Value::Message(message)));
    }
    let step = Step {
        stage: Stage::OverObjectives,
        call,
    };
    let act = add(planner, manifests, plan, at, step, &said)?;
    // Half an objective is not closed.
    plan.acts[act].needs.extend(index.below(&document.name));
    Ok(())
}

fn cycle_ends(
    planner: &Planner<'_>,
    manifests: &Manifests,
    index: &Index,
    at: usize,
    plan: &mut Plan,
    said: &BTreeMap<String, Vec<Value>>,
) -> Result<(), Failure> {
    let document = &manifests.documents[at];
    let Some(stated) = document.state else {
        return Ok(());
    };
    let from = stands(planner.remote.standing(Kind::Cycle, &document.name));
    let [review, closed] = [cycle::State::Review, cycle::State::Closed].map(i32::from);
    // Everything that lives in it: what is not there as it should be is not reviewed, and not closed.
    let lives_in = |other: &Document| {
        let of = objective_above(other).and_then(|of| index.objective(of));
        of.is_some_and(|of| cycle_of(planner, &manifests.documents[of]) == document.name)
    };
    let inside = |plan: &Plan| -> Vec<usize> {
        let acts = 0..plan.acts.len();
        acts.filter(|act| lives_in(&manifests.documents[plan.acts[*act].document]))
            .collect()
    };
    if from < review && stated.state >= review {
        let step = Step {
            stage: Stage::CyclesInReview,
            call: "BeginCycleReview",
        };
        let needs = inside(plan);
        let act = add(planner, manifests, plan, at, step, &[])?;
        plan.acts[act].needs.extend(needs);
    }
    if from < closed && stated.state == closed {
        let step = Step {
            stage: Stage::ClosedCycles,
            call: "CloseCycle",
        };
        let needs = inside(plan);
        let said = said.get(&document.name).cloned().unwrap_or_default();
        let said = [("objectives", Value::List(said))];
        let act = add(planner, manifests, plan, at, step, &said)?;
        plan.acts[act].needs.extend(needs);
    }
    Ok(())
}

/// A cycle closes after those that lie in it.
fn nested_close_first(manifests: &Manifests, plan: &mut Plan) {
    let closes: Vec<(usize, usize)> = (0..plan.acts.len())
        .filter(|act| plan.acts[*act].stage == Stage::ClosedCycles)
        .map(|act| (act, plan.acts[act].document))
        .collect();
    for (act, document) in &closes {
        let outer = manifests.documents[*document]
            .references
            .iter()
            .find(|named| named.field == "parent_cycle");
        let outer = outer.and_then(|named| {
            closes
                .iter()
                .find(|(_, of)| manifests.documents[*of].name == named.name)
        });
        if let Some((outer, _)) = outer {
            plan.acts[*outer].needs.insert(*act);
        }
    }
}
