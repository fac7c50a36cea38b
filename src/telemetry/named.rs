//! The metrics that name workspaces, and KPIs and objectives in them: where each workspace's log and its subscribers are, and the
//! figures that people look at.
//!
//! Invariant: nothing of it is shown unless it was asked for, because whoever may read metrics would learn the names. All of it
//! together has at most [`SERIES_MAX`] series; how many were left out is one more. It reads published states, and nothing else.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::exposition::Page;
use crate::domain::Id;
use crate::engine::{Engine, Hosted, Published};
use crate::projection::State;
use crate::service::Standing;

/// What may be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// Nothing.
    Nothing,
    /// Workspaces.
    Workspaces,
    /// Workspaces, and the KPIs and objectives in them with their figures.
    Figures,
}

/// Everything that is shown, as it is at one moment.
pub(super) struct Shown {
    named: Named,
    workspaces: Vec<(Arc<Hosted>, Arc<Published>)>,
    lags: BTreeMap<Id, u64>,
}

/// How many more series there may be.
struct Room {
    left: usize,
    dropped: usize,
}

/// How many series there may be that name something.
pub(super) const SERIES_MAX: usize = 10_000;

impl Shown {
    /// None: nothing may be named.
    pub(super) fn of(named: Named, standing: &Standing) -> Option<Self> {
        if named == Named::Nothing {
            return None;
        }
        let all = standing.engine().map(Engine::workspaces).unwrap_or_default();
        Some(Self {
            named,
            workspaces: all
                .values()
                .map(|hosted| (Arc::clone(hosted), hosted.published()))
                .collect(),
            lags: standing.subscriber_lags(),
        })
    }

    pub(super) fn encode(&self, page: &mut Page<'_>) -> fmt::Result {
        let mut room = Room {
            left: SERIES_MAX,
            dropped: 0,
        };
        let labels = |hosted: &'_ Arc<Hosted>| [("workspace", hosted.id().as_str().to_owned())];
        let revisions = self.workspaces.iter().map(|(hosted, published)| {
            let revision = published.state.workspace().revision();
            (labels(hosted), revision.0)
        });
        page.gauges(
            "binnacle_workspace_revision",
            "The newest durable revision.",
            room.let_in(revisions),
        )?;
        let subscribers = self
            .workspaces
            .iter()
            .map(|(hosted, _)| (labels(hosted), hosted.feed().subscribers()));
        page.gauges(
            "binnacle_subscribers",
            "Subscriptions that are open.",
            room.let_in(subscribers),
        )?;
        let lags = self.workspaces.iter().map(|(hosted, _)| {
            let lag = self.lags.get(hosted.id()).copied().unwrap_or_default();
            (labels(hosted), lag)
        });
        page.gauges(
            "binnacle_subscriber_lag_commits",
            "Commits that the subscriber who is furthest behind has not been given yet. One that asked for a minimum interval is \
             behind on purpose.",
            room.let_in(lags),
        )?;
        if self.named >= Named::Figures {
            self.encode_figures(page, &mut room)?;
        }
        page.gauge(
            "binnacle_metrics_series_dropped",
            "Series that are left out because there would be more than 10,000 that name something.",
            Some(room.dropped),
        )
    }

    fn encode_figures(&self, page: &mut Page<'_>, room: &mut Room) -> fmt::Result {
        let labelled = |hosted: &Arc<Hosted>, label: &'static str, id: &Id| {
            let workspace = ("workspace", hosted.id().as_str().to_owned());
            [workspace, (label, id.as_str().to_owned())]
        };
        let values = self.living().flat_map(|(hosted, state)| {
            kpi_values(state).map(move |(id, value)| (labelled(hosted, "kpi", id), value))
        });
        page.gauges(
            "binnacle_kpi_value",
            "The newest period value, in the KPI's own unit; archived and deleted KPIs and those without a value are left out.",
            room.let_in(values),
        )?;
        let scores = self.living().flat_map(|(hosted, state)| {
            objective_scores(state).map(move |(id, score)| (labelled(hosted, "objective", id), score))
        });
        page.gauges(
            "binnacle_objective_score",
            "The score, 0 to 1; of a closed objective the one that was frozen. Objectives without a score are left out.",
            room.let_in(scores),
        )
    }

    /// The workspaces that are not deleted.
    fn living(&self) -> impl Iterator<Item = (&Arc<Hosted>, &State)> {
        let all = self
            .workspaces
            .iter()
            .map(|(hosted, published)| (hosted, &*published.state));
        all.filter(|(_, state)| state.workspace().deleted().is_none())
    }
}

fn kpi_values(state: &State) -> impl Iterator<Item = (&Id, f64)> {
    let kpis = state.workspace().kpis().iter();
    let kept = kpis.filter(|(_, kpi)| kpi.deleted.is_none() && kpi.archived.is_none());
    kept.filter_map(|(id, _)| {
        let newest = state.figures().kpi(id)?.period_value?;
        Some((id, newest.value))
    })
}

fn objective_scores(state: &State) -> impl Iterator<Item = (&Id, f64)> {
    let objectives = state.workspace().objectives().iter();
    let kept = objectives.filter(|(_, objective)| objective.deleted.is_none());
    kept.filter_map(|(id, _)| {
        let score = state.figures().objective(id)?.score?;
        Some((id, score))
    })
}

impl Room {
    /// As many as there is room for; the others are counted.
    fn let_in<T>(&mut self, series: impl Iterator<Item = T>) -> Vec<T> {
        let mut series = series;
        let let_in: Vec<T> = series.by_ref().take(self.left).collect();
        self.left -= let_in.len();
        self.dropped += series.count();
        let_in
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_no_room_for_is_counted() {
        let mut room = Room { left: 5, dropped: 0 };
        assert_eq!(room.let_in(0..3), [0, 1, 2]);
        assert_eq!(room.let_in(0..4), [0, 1]);
        assert!(room.let_in(0..7).is_empty());
        assert_eq!((room.left, room.dropped), (0, 9));
    }
}
