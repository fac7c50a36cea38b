//! Requests that move a resource from one state to another: its name, its etag, and why. One shape for every kind of resource.

use super::Asked;
use super::findings::Findings;
use crate::domain::{Command, Id, Rejection, Violation};
use crate::proto::api;
use crate::service::{etag, names};

/// Declares the reader of each transition.
macro_rules! transitions {
    ($($Request:ident => $read:ident: $name:path, $Command:ident;)*) => {
        $(
            /// Reads such a request.
            ///
            /// # Errors
            /// Everything that is wrong with it.
            pub(crate) fn $read(request: &api::$Request) -> Result<Asked, Rejection> {
                let api::$Request { name, etag, request_id, reason } = request;
                asked($name("name", name), request_id, reason, |id| Command::$Command {
                    id,
                    etag: etag::read(etag),
                })
            }
        )*
    };
}

transitions! {
    ActivateCycleRequest => activate_cycle: names::cycle, ActivateCycle;
    BeginCycleReviewRequest => begin_cycle_review: names::cycle, BeginCycleReview;
    ReopenCycleRequest => reopen_cycle: names::cycle, ReopenCycle;
    ActivateObjectiveRequest => activate_objective: names::objective, ActivateObjective;
    ReopenObjectiveRequest => reopen_objective: names::objective, ReopenObjective;
    CancelObjectiveRequest => cancel_objective: names::objective, CancelObjective;
    ArchiveKpiRequest => archive_kpi: names::kpi, ArchiveKpi;
    UnarchiveKpiRequest => unarchive_kpi: names::kpi, UnarchiveKpi;
}

/// What a request that says little more than a name asks for.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn asked<T>(
    named: Result<(Id, T), Violation>,
    request_id: &str,
    reason: &str,
    command: impl FnOnce(T) -> Command,
) -> Result<Asked, Rejection> {
    let mut findings = Findings::default();
    let command = findings
        .keep(named)
        .map(|(workspace, named)| (workspace, command(named)));
    findings.asked(command, request_id, reason)
}
