//! What of an update a person wants to hear of.

use crate::proto::api;

/// Something in an update that a person wants to hear of.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cli) enum Notable {
    /// A KPI stands otherwise than before.
    Health {
        kpi: String,
        before: api::Health,
        after: api::Health,
        /// It was breached before and is healthy now.
        recovered: bool,
    },
    /// An objective stands otherwise than before.
    Status {
        objective: String,
        before: api::Status,
        after: api::Status,
    },
    /// A KPI asks for action.
    Asks {
        /// The KPI's name.
        kpi: String,
        /// What the alert is about.
        about: api::alert::Kind,
    },
    /// It asks no more.
    Asked {
        /// The KPI's name.
        kpi: String,
        /// What the alert was about.
        about: api::alert::Kind,
        /// Why it is over.
        why: api::alert::CloseReason,
    },
    /// An objective counts from now on.
    Begun { objective: String },
    /// An initiative is finished.
    Done { initiative: String },
}

pub(super) fn status_change(name: &str, change: &api::ObjectiveChange) -> Option<Notable> {
    let (before, after) = (change.before.as_ref()?.status(), change.after.as_ref()?.status());
    (before != after).then(|| Notable::Status {
        objective: name.to_owned(),
        before,
        after,
    })
}

pub(super) fn health_change(name: &str, change: &api::KpiChange, in_trouble: &mut bool) -> Option<Notable> {
    let (before, after) = (change.before.as_ref()?.health(), change.after.as_ref()?.health());
    let recovered = *in_trouble && after == api::Health::Healthy;
    *in_trouble = after == api::Health::Breached || (*in_trouble && !recovered);
    (before != after).then(|| Notable::Health {
        kpi: name.to_owned(),
        before,
        after,
        recovered,
    })
}
