//! Whether KPIs are archived: which calls make it so, and when. An archived KPI refuses targets, measurements and new key
//! results, so it is archived behind all of them; where it is archived and stays so, it is taken into use for what changes.
//!
//! A manifest that says nothing of it leaves it alone: the server then refuses what an archived KPI does not take.

use super::lifecycle::{Step, add};
use super::order::Stage;
use super::plan::{Plan, Planner};
use crate::cli::Failure;
use crate::cli::manifest::document::{ARCHIVED, Document, Manifests};
use crate::cli::manifest::kind::{Kind, full};
use crate::cli::manifest::schema::text;

/// Adds the acts that archive KPIs and take them into use, with what they need.
pub(super) fn plan(planner: &Planner<'_>, manifests: &Manifests, plan: &mut Plan) -> Result<(), Failure> {
    for at in 0..manifests.documents.len() {
        kpi(planner, manifests, at, plan)?;
    }
    Ok(())
}

fn kpi(planner: &Planner<'_>, manifests: &Manifests, at: usize, plan: &mut Plan) -> Result<(), Failure> {
    let document = &manifests.documents[at];
    let Some(wanted) = document.archived.map(|archived| archived.is_archived) else {
        return Ok(());
    };
    let remote = planner.remote.standing(Kind::Kpi, &document.name);
    let is_archived = remote.is_some_and(|remote| remote.has_field_by_name("archive_time"));
    if is_archived != wanted {
        let change = format!("{ARCHIVED}: {is_archived} → {wanted}");
        plan.changes[at].details.push(change);
    }
    let refused: Vec<usize> = (0..manifests.documents.len())
        .filter(|other| is_refused(planner, &manifests.documents[*other], &document.name))
        .collect();
    let something_changes = refused.iter().any(|act| !plan.acts[*act].commands.is_empty());
    let in_between = is_archived && wanted && something_changes;
    if in_between {
        plan.notes.push(format!(
            "{} is archived: it is taken into use for what changes, and archived again",
            document.name
        ));
    }
    if is_archived && (!wanted || in_between) {
        let step = Step {
            stage: Stage::KpisInUse,
            call: "UnarchiveKpi",
        };
        let act = add(planner, manifests, plan, at, step, &[])?;
        for other in &refused {
            plan.acts[*other].needs.insert(act);
        }
    }
    if wanted && (!is_archived || in_between) {
        let step = Step {
            stage: Stage::ArchivedKpis,
            call: "ArchiveKpi",
        };
        let act = add(planner, manifests, plan, at, step, &[])?;
        // What was archived is so again, whatever comes of the rest; what was not waits until nothing is missing.
        if !is_archived {
            plan.acts[act].needs.extend(refused);
        }
    }
    Ok(())
}

/// Whether an archived KPI of that name refuses what a document asks.
fn is_refused(planner: &Planner<'_>, document: &Document, kpi: &str) -> bool {
    let mut references = document.references.iter();
    if !references.any(|named| named.kind == Kind::Kpi && named.name == kpi) {
        return false;
    }
    match document.kind {
        Kind::Target | Kind::Series => true,
        // One that is linked to it already may change otherwise.
        Kind::KeyResult => {
            let remote = planner.remote.standing(Kind::KeyResult, &document.name);
            let linked = remote.map(|remote| text(remote, "kpi"));
            linked != Some(full(planner.author.workspace, kpi))
        }
        _ => false,
    }
}
