//! `GetObjectiveTree`: objectives with what is aligned to them, from the top down, at one revision.
//!
//! A node is smaller than a resource: a dashboard asks for a thousand at once. It is made of figures that are there already.

use std::ops::ControlFlow;

use prost::Message;

use super::names;
use super::to_proto::{member_name, objective_ambition, objective_state, status as write_status};
use crate::domain::{
    Alignment, Id, KeyResult, KeyResultId, KeyResultProgress, Objective, Rejection, ResourceName, Workspace,
};
use crate::projection::State;
use crate::proto::api;

/// The most bytes of one answer: a client takes 4 MiB unless it is told otherwise.
const BYTES_MAX: usize = 3_500_000;

/// What a tree is narrowed to.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// The objective at the top; none: every one that is aligned to nothing.
    pub(super) top: Option<Id>,
    /// Only trees whose top is in this cycle.
    pub(super) cycle: Option<Id>,
    /// How many levels; none: all.
    pub(super) depth_max: Option<u32>,
    /// Without key results.
    pub(super) objectives_only: bool,
}

/// A tree while it grows.
struct Growing<'a> {
    id: &'a Id,
    state: &'a State,
    shape: &'a Shape,
    nodes: Vec<api::ObjectiveNode>,
    bytes: usize,
}

/// The objectives of a shape, each before what is aligned to it.
///
/// # Errors
/// The top or the cycle does not exist, or is deleted.
pub(super) fn tree(id: &Id, state: &State, shape: &Shape) -> Result<api::ObjectiveTree, Rejection> {
    let workspace = state.workspace();
    if let Some(cycle) = &shape.cycle {
        workspace.cycle(cycle)?;
    }
    let mut growing = Growing {
        id,
        state,
        shape,
        nodes: Vec::new(),
        bytes: 0,
    };
    let grown = match &shape.top {
        Some(top) => growing.grow(top, workspace.objective(top)?, 0),
        None => tops(workspace, shape.cycle.as_ref())
            .try_for_each(|(top, objective)| growing.grow(top, objective, 0)),
    };
    Ok(api::ObjectiveTree {
        nodes: growing.nodes,
        revision: super::api::wire(workspace.revision()),
        truncated: grown.is_break(),
        policy_version: super::api::wire(workspace.policy_version()),
    })
}

/// The objectives that are aligned to nothing, or to nothing that stands.
fn tops<'w>(
    workspace: &'w Workspace,
    cycle: Option<&'w Id>,
) -> impl Iterator<Item = (&'w Id, &'w Objective)> {
    workspace.objectives().iter().filter_map(move |(id, objective)| {
        let top = objective.deleted.is_none()
            && !hangs(workspace, objective)
            && cycle.is_none_or(|cycle| objective.fields.cycle == *cycle);
        top.then_some((id, &**objective))
    })
}

/// Whether what an objective is aligned to stands: the objective, and the key result where it names one.
fn hangs(workspace: &Workspace, objective: &Objective) -> bool {
    match &objective.fields.aligned_to {
        None => false,
        Some(Alignment::Objective(above)) => workspace.objective(above).is_ok(),
        Some(Alignment::KeyResult(above)) => {
            workspace.objective(&above.objective).is_ok() && workspace.key_result(above).is_ok()
        }
    }
}

impl Growing<'_> {
    /// Adds an objective and all below it; breaks off where the message is full.
    fn grow(&mut self, id: &Id, objective: &Objective, depth: u32) -> ControlFlow<()> {
        let node = self.node(id, objective, depth);
        // A field's tag and length take a few bytes more.
        self.bytes += node.encoded_len() + 8;
        if self.bytes > BYTES_MAX {
            return ControlFlow::Break(());
        }
        self.nodes.push(node);
        if self
            .shape
            .depth_max
            .is_some_and(|depth_max| depth + 1 >= depth_max)
        {
            return ControlFlow::Continue(());
        }
        let workspace = self.state.workspace();
        for below in workspace.aligned_below(id) {
            match workspace.objective(below) {
                Ok(objective) if hangs(workspace, objective) => self.grow(below, objective, depth + 1)?,
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }

    fn node(&self, id: &Id, objective: &Objective, depth: u32) -> api::ObjectiveNode {
        let (fields, figures) = (&objective.fields, self.state.figures());
        let progress = figures.objective(id);
        let name = |resource: ResourceName| names::full_name(self.id, &resource);
        let own_name = name(ResourceName::Objective(id.clone()));
        let key_results = match self.shape.objectives_only {
            true => Vec::new(),
            false => self.key_results(id, &own_name),
        };
        api::ObjectiveNode {
            name: own_name,
            title: fields.title.as_str().to_owned(),
            owner: self.member(fields.owner.as_ref()),
            team: fields
                .team
                .as_ref()
                .map(|team| name(ResourceName::Team(team.clone())))
                .unwrap_or_default(),
            cycle: name(ResourceName::Cycle(fields.cycle.clone())),
            state: objective_state(objective.state).into(),
            ambition: objective_ambition(fields.ambition).into(),
            aligned_to: fields
                .aligned_to
                .as_ref()
                .map(|alignment| name(alignment.name()))
                .unwrap_or_default(),
            weight: fields.weight.get(),
            depth: i32::try_from(depth).unwrap_or(i32::MAX),
            score: progress.and_then(|progress| progress.score),
            expected: progress.and_then(|progress| progress.expected),
            status: progress
                .map(|progress| write_status(progress.status))
                .unwrap_or_default(),
            worst_status: progress
                .and_then(|progress| progress.worst_status)
                .map(write_status)
                .unwrap_or_default(),
            outdated: progress.is_some_and(|progress| progress.outdated),
            key_results,
        }
    }

    /// The key results of an objective; `name` is the objective's, with which theirs begin.
    fn key_results(&self, objective: &Id, name: &str) -> Vec<api::KeyResultNode> {
        // Both are by id, so they are walked side by side.
        let mut figures = self.state.figures().key_results_of(objective).peekable();
        let key_results = self.state.workspace().key_results_of(objective);
        let nodes = key_results.map(|(id, key_result)| {
            while figures.next_if(|(other, _)| *other < id).is_some() {}
            let progress = figures
                .next_if(|(other, _)| *other == id)
                .map(|(_, progress)| progress);
            self.key_result(name, id, key_result, progress)
        });
        nodes.collect()
    }

    fn key_result(
        &self,
        objective: &str,
        id: &KeyResultId,
        key_result: &KeyResult,
        progress: Option<&KeyResultProgress>,
    ) -> api::KeyResultNode {
        let fields = &key_result.fields;
        api::KeyResultNode {
            name: [objective, "/keyResults/", id.id.as_str()].concat(),
            title: fields.title.as_str().to_owned(),
            owner: self.member(fields.owner.as_ref()),
            weight: fields.weight.get(),
            kpi: fields
                .kpi
                .as_ref()
                .map(|kpi| names::full_name(self.id, &ResourceName::Kpi(kpi.clone())))
                .unwrap_or_default(),
            current: progress.and_then(|progress| progress.current),
            score: progress.map(|progress| progress.score),
            progress: progress.map(|progress| progress.progress),
            expected: progress.map(|progress| progress.expected),
            status: progress
                .map(|progress| write_status(progress.status))
                .unwrap_or_default(),
            outdated: progress.is_some_and(|progress| progress.outdated),
            confidence: key_result.confidence(),
        }
    }

    fn member(&self, id: Option<&Id>) -> String {
        id.map(|id| member_name(self.id, id)).unwrap_or_default()
    }
}
