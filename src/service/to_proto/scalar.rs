//! The small values that many messages have.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::domain::{Deletion, Id, Labels, ResourceName, Revision, Status, Timestamp, Unit, UnitKind};
use crate::proto::{api, google_type};
use crate::service::names;

/// A moment.
#[must_use]
pub(crate) fn timestamp(at: Timestamp) -> prost_types::Timestamp {
    let micros = at.as_micros();
    let nanos = micros.rem_euclid(1_000_000) * 1000;
    prost_types::Timestamp {
        seconds: micros.div_euclid(1_000_000),
        // Below 1e9 by the line above.
        nanos: i32::try_from(nanos).unwrap_or_default(),
    }
}

/// When something was deleted; absent: it stands.
pub(super) fn delete_time(deleted: Option<Deletion>) -> Option<prost_types::Timestamp> {
    deleted.map(|Deletion { time, revision: _ }| timestamp(time))
}

/// A local date.
#[must_use]
pub(crate) fn date(date: Date) -> google_type::Date {
    google_type::Date {
        year: date.year().into(),
        month: date.month().into(),
        day: date.day().into(),
    }
}

/// A revision or a count as the API's signed number.
pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn revision(revision: Revision) -> i64 {
    number(revision.0)
}

pub(super) fn labels(labels: &Labels) -> BTreeMap<String, String> {
    labels
        .iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

pub(super) fn team_name(workspace: &Id, id: &Id) -> String {
    names::full_name(workspace, &ResourceName::Team(id.clone()))
}

pub(crate) fn member_name(workspace: &Id, id: &Id) -> String {
    names::full_name(workspace, &ResourceName::Member(id.clone()))
}

pub(super) fn cycle_name(workspace: &Id, id: &Id) -> String {
    names::full_name(workspace, &ResourceName::Cycle(id.clone()))
}

pub(super) fn kpi_name(workspace: &Id, id: &Id) -> String {
    names::full_name(workspace, &ResourceName::Kpi(id.clone()))
}

/// The name of what an optional field refers to; empty: nothing.
pub(super) fn reference(workspace: &Id, id: Option<&Id>, name: fn(&Id, &Id) -> String) -> String {
    id.map(|id| name(workspace, id)).unwrap_or_default()
}

pub(super) fn unit(unit: &Unit) -> api::Unit {
    let Unit {
        kind,
        symbol,
        decimals,
    } = unit;
    let mut message = api::Unit {
        symbol: symbol.to_string(),
        decimals: decimals.map(u32::from),
        ..api::Unit::default()
    };
    use api::unit::Kind;
    let kind = match kind {
        UnitKind::Number => Kind::Number,
        UnitKind::Percent => Kind::Percent,
        UnitKind::Currency(code) => {
            message.currency_code = code.as_str().to_owned();
            Kind::Currency
        }
        UnitKind::Duration => Kind::Duration,
        UnitKind::Count => Kind::Count,
        UnitKind::Scale(labels) => {
            message.scale_labels = labels.iter().map(ToString::to_string).collect();
            Kind::Scale
        }
    };
    message.set_kind(kind);
    message
}

pub(crate) fn status(status: Status) -> i32 {
    use api::Status as Api;
    let status = match status {
        Status::Unmeasured => Api::Unmeasured,
        Status::NotStarted => Api::NotStarted,
        Status::OnTrack => Api::OnTrack,
        Status::Behind => Api::Behind,
        Status::AtRisk => Api::AtRisk,
        Status::Achieved => Api::Achieved,
        Status::Closed => Api::Closed,
    };
    status.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_before_1970_counts_its_nanos_forward() {
        let written = timestamp(Timestamp::from_micros(-1));
        assert_eq!((written.seconds, written.nanos), (-1, 999_999_000));
        let written = timestamp(Timestamp::from_micros(1_500_000));
        assert_eq!((written.seconds, written.nanos), (1, 500_000_000));
    }
}
