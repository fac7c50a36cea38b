//! What has to be done before what. An act is a part of a document that is done at one point: made as it is, brought into
//! the next state, closed. Acts go stage by stage, and inside of one after whatever they need.

use std::collections::BTreeSet;

use super::command::Command;
use crate::cli::manifest::document::Document;
use crate::cli::manifest::kind::Kind;

/// The stages, first to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// The workspace.
    Workspace,
    /// Members who are owners: the last owner steps down after the next has come.
    Owners,
    /// The other members.
    Members,
    /// Teams.
    Teams,
    /// The scoring policy.
    Policy,
    /// Cycles.
    Cycles,
    /// Cycles become ACTIVE.
    ActiveCycles,
    /// KPIs.
    Kpis,
    /// KPIs that are archived are taken into use.
    KpisInUse,
    /// Their targets.
    Targets,
    /// Their measurements: a key result without a baseline begins where its KPI stands.
    Series,
    /// Objectives.
    Objectives,
    /// Key results.
    KeyResults,
    /// Initiatives.
    Initiatives,
    /// Objectives become ACTIVE.
    ActiveObjectives,
    /// Check-ins.
    CheckIns,
    /// Reviews.
    Reviews,
    /// Objectives become CLOSED or CANCELED.
    OverObjectives,
    /// Cycles become REVIEW.
    CyclesInReview,
    /// Cycles become CLOSED.
    ClosedCycles,
    /// KPIs are archived, behind everything that an archived one refuses: nothing needs that it is.
    ArchivedKpis,
}

/// What is done at one point.
#[derive(Debug)]
pub(super) struct Act {
    /// The document that it is a part of.
    pub(super) document: usize,
    /// When.
    pub(super) stage: Stage,
    /// What is sent, in order; nothing where all is as it should be.
    pub(super) commands: Vec<Command>,
    /// The acts that it cannot do without.
    pub(super) needs: BTreeSet<usize>,
}

impl Stage {
    /// The stage in which a document is made as it is.
    pub(super) fn of(document: &Document, is_owner: bool) -> Self {
        match document.kind {
            Kind::Workspace => Self::Workspace,
            Kind::Member if is_owner => Self::Owners,
            Kind::Member => Self::Members,
            Kind::Team => Self::Teams,
            Kind::ScoringPolicy => Self::Policy,
            Kind::Cycle => Self::Cycles,
            Kind::Kpi => Self::Kpis,
            Kind::Target => Self::Targets,
            Kind::Series => Self::Series,
            Kind::Objective => Self::Objectives,
            Kind::KeyResult => Self::KeyResults,
            Kind::Initiative => Self::Initiatives,
            Kind::CheckIn => Self::CheckIns,
            Kind::Review => Self::Reviews,
        }
    }
}

/// The acts in an order in which each comes after what it needs: the earliest stage first, then by name. Also those that
/// have none, because they need themselves through others.
pub(super) fn sorted(acts: &[Act], documents: &[Document]) -> (Vec<usize>, Vec<usize>) {
    let key = |act: usize| {
        let Act { document, stage, .. } = &acts[act];
        (*stage, documents[*document].name.as_str(), act)
    };
    let mut waits_for: Vec<usize> = acts.iter().map(|act| act.needs.len()).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); acts.len()];
    for (index, act) in acts.iter().enumerate() {
        for needed in &act.needs {
            needed_by[*needed].push(index);
        }
    }
    let free = (0..acts.len()).filter(|act| waits_for[*act] == 0);
    let mut ready: BTreeSet<_> = free.map(key).collect();
    let mut order = Vec::with_capacity(acts.len());
    while let Some((_, _, act)) = ready.pop_first() {
        order.push(act);
        for next in &needed_by[act] {
            waits_for[*next] -= 1;
            if waits_for[*next] == 0 {
                ready.insert(key(*next));
            }
        }
    }
    let in_circles = (0..acts.len()).filter(|act| waits_for[*act] > 0).collect();
    (order, in_circles)
}

/// Which acts cannot be done when some documents are left out: theirs, and what needs any of those. Each with the document
/// that is to blame.
pub(super) fn left_out(
    acts: &[Act],
    order: &[usize],
    is_broken: impl Fn(usize) -> bool,
) -> Vec<Option<usize>> {
    let mut blame: Vec<Option<usize>> = vec![None; acts.len()];
    for act in order {
        let Act { document, needs, .. } = &acts[*act];
        blame[*act] = if is_broken(*document) {
            Some(*document)
        } else {
            needs.iter().find_map(|needed| blame[*needed])
        };
    }
    blame
}
