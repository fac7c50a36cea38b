//! How statuses, healths, alerts and targets are called where a person reads them, and in which colour.
//!
//! Every word of the API has one here, so a new one stops the build.

use super::paint::Colour;
use super::picture::Bounds;
use super::text::bare;
use crate::proto::api;

/// How an objective or a key result goes.
pub(super) fn status(status: api::Status) -> (&'static str, Colour) {
    match status {
        api::Status::Unspecified => ("", Colour::Plain),
        api::Status::Unmeasured => ("unmeasured", Colour::Dim),
        api::Status::NotStarted => ("not started", Colour::Dim),
        api::Status::OnTrack => ("on track", Colour::Green),
        api::Status::Behind => ("behind", Colour::Yellow),
        api::Status::AtRisk => ("AT RISK", Colour::Red),
        api::Status::Achieved => ("ACHIEVED", Colour::Green),
        api::Status::Closed => ("closed", Colour::Dim),
    }
}

/// How a KPI stands.
pub(super) fn health(health: api::Health) -> (&'static str, Colour) {
    match health {
        api::Health::Unspecified => ("", Colour::Plain),
        api::Health::NoData => ("no data", Colour::Dim),
        api::Health::NoTarget => ("no target", Colour::Dim),
        api::Health::Healthy => ("healthy", Colour::Green),
        api::Health::Watch => ("watch", Colour::Yellow),
        api::Health::Breached => ("BREACHED", Colour::Red),
    }
}

/// What an objective or a team rests on.
pub(super) fn foundation(foundation: api::Foundation) -> (&'static str, Colour) {
    match foundation {
        api::Foundation::Unspecified => ("", Colour::Plain),
        api::Foundation::Solid => ("solid", Colour::Green),
        api::Foundation::Weak => ("WEAK", Colour::Red),
        api::Foundation::Unknown => ("unknown", Colour::Dim),
    }
}

/// What an alert is about, behind the word.
pub(super) fn alert(about: api::alert::Kind) -> &'static str {
    match about {
        api::alert::Kind::Unspecified => "",
        api::alert::Kind::Breach => " (breach)",
        api::alert::Kind::Stale => " (no new value)",
        api::alert::Kind::AdverseMove => " (moves for the worse)",
    }
}

/// Why an alert is over, behind the KPI.
pub(super) fn closed(why: api::alert::CloseReason) -> &'static str {
    use api::alert::CloseReason;
    match why {
        CloseReason::Unspecified => "asks no more",
        CloseReason::Recovered => "has recovered",
        CloseReason::Corrected => "was measured otherwise",
        CloseReason::TargetChanged => "is asked something else",
        CloseReason::Archived => "is archived",
    }
}

/// What is asked of a KPI.
pub(super) fn target(bounds: Bounds, unit: &api::Unit) -> String {
    let bare = |it| bare(it, unit);
    match (bounds.at_least, bounds.at_most) {
        (Some(low), Some(high)) => format!("{} to {}", bare(low), bare(high)),
        (Some(low), None) => format!("at least {}", bare(low)),
        (None, Some(high)) => format!("at most {}", bare(high)),
        (None, None) => "no target".to_owned(),
    }
}
