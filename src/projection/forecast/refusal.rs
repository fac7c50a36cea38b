//! Why the past of something says nothing of its future: a closed list, each with a stable reason code and one sentence
//! that says what to do.

use jiff::civil::Date;
use thiserror::Error;

use super::{HORIZON_MAX, POINTS_MIN};
use crate::domain::{KeyResultId, Rejection, ResourceName};

/// A forecast, or a suggestion, that cannot be given.
#[derive(Clone, Debug, PartialEq, Error)]
#[allow(
    missing_docs,
    reason = "each variant's sentence says what it is, and its fields are what the sentence names"
)]
pub enum ForecastRefusal {
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// `since`: what lies before was left out because of a gap.
    #[error("{of} has {} and {POINTS_MIN} are needed: {}", known(.of, *.points, *.since), more(.of, *.points, *.since))]
    TooLittleHistory {
        of: ResourceName,
        points: usize,
        since: Option<Date>,
    },
    #[error(
        "{0} is IRREGULAR, and a forecast needs values that are equally far apart: create a successor with a cadence"
    )]
    NoRhythm(ResourceName),
    #[error("{0} has a SCALE, whose labels are neither averaged nor forecast: ask about a KPI in numbers")]
    UnitIsScale(ResourceName),
    #[error(
        "{0} is MILESTONES or BINARY, which move in steps that no series foretells: ask about a METRIC or a MAINTAIN"
    )]
    KindNotForecast(KeyResultId),
    #[error(
        "{0} takes the mean, the smallest or the largest value of the whole cycle, which is not forecast: use window NEWEST, or a KPI that sums or counts"
    )]
    WindowNotForecast(KeyResultId),
    #[error(
        "{target_date} is over, or every value that counts by then is known: nothing is left to forecast of {key_result}, read its progress"
    )]
    NothingToForecast {
        key_result: KeyResultId,
        target_date: Date,
    },
    #[error(
        "{target_date} is more than {HORIZON_MAX} periods behind the newest value of {of}: record what came since, or ask again later"
    )]
    HorizonTooFar { of: ResourceName, target_date: Date },
    #[error("no model fits the values of {0}: look for values that were recorded in another unit")]
    NoModel(ResourceName),
}

impl ForecastRefusal {
    /// The stable code that programs may act on.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Rejected(rejection) => rejection.reason(),
            Self::TooLittleHistory { .. } => "TOO_LITTLE_HISTORY",
            Self::NoRhythm(_) => "NO_RHYTHM",
            Self::UnitIsScale(_) => "UNIT_IS_SCALE",
            Self::KindNotForecast(_) => "KIND_NOT_FORECAST",
            Self::WindowNotForecast(_) => "WINDOW_NOT_FORECAST",
            Self::NothingToForecast { .. } => "NOTHING_TO_FORECAST",
            Self::HorizonTooFar { .. } => "HORIZON_TOO_FAR",
            Self::NoModel(_) => "NO_MODEL",
        }
    }
}

fn known(of: &ResourceName, points: usize, since: Option<Date>) -> String {
    let noun = match (of, points) {
        (ResourceName::KeyResult(_), 1) => "period with a check-in",
        (ResourceName::KeyResult(_), _) => "periods with a check-in",
        (_, 1) => "complete period value",
        (_, _) => "complete period values",
    };
    match since {
        None => format!("{points} {noun}"),
        Some(since) => format!("{points} {noun} since {since}, before which too many are missing,"),
    }
}

fn more(of: &ResourceName, points: usize, since: Option<Date>) -> String {
    let missing = POINTS_MIN.saturating_sub(points);
    match (of, since) {
        (ResourceName::KeyResult(_), _) => "go on checking in, or link a KPI that has a history".to_owned(),
        (_, Some(_)) => "record those that are missing, or ask again later".to_owned(),
        (_, None) if missing == 1 => "record an earlier one, or ask again later".to_owned(),
        (_, None) => format!("record {missing} earlier ones, or ask again later"),
    }
}
