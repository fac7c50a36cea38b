//! What comes behind a key in each list, in the order of the names. A key is the part of a name that differs.

use std::ops::Bound;

use imbl::OrdMap;
use jiff::civil::Date;

use super::names::KeyResultScope;
use crate::domain::{
    Id, InitiativeId, KeyResult, KeyResultId, Kpi, Place, Point, RecordedCheckIn, RecordedReview, SetTarget,
    Timestamp, Workspace,
};

/// Entries of a map by id behind a key.
pub(super) fn by_id<'m, V>(
    map: &'m OrdMap<Id, V>,
    after: Option<&str>,
) -> impl Iterator<Item = (&'m Id, &'m V)> + use<'m, V> {
    map.range(behind(after.and_then(|key| Id::parse(key).ok())))
}

/// An objective's key results behind a key, or all.
pub(super) fn key_results<'m>(
    workspace: &'m Workspace,
    objective: Option<&Id>,
    after: Option<&str>,
) -> impl Iterator<Item = (String, &'m KeyResultId, &'m KeyResult)> + use<'m> {
    let of = objective.cloned();
    let after = after
        .and_then(pair)
        .map(|(objective, id)| KeyResultId { objective, id });
    let first = of.clone().map(|objective| KeyResultId {
        objective,
        id: Id::lowest(),
    });
    workspace
        .key_results()
        .range(from(after, first))
        .take_while(move |(id, _)| of.as_ref().is_none_or(|of| id.objective == *of))
        .map(|(id, key_result)| (format!("{}/{}", id.objective, id.id), id, &**key_result))
}

/// An objective's initiatives behind a key, or all.
pub(super) fn initiatives<'m>(
    workspace: &'m Workspace,
    objective: Option<&Id>,
    after: Option<&str>,
) -> impl Iterator<Item = (String, &'m InitiativeId, &'m crate::domain::Initiative)> + use<'m> {
    let of = objective.cloned();
    let after = after
        .and_then(pair)
        .map(|(objective, id)| InitiativeId { objective, id });
    let first = of.clone().map(|objective| InitiativeId {
        objective,
        id: Id::lowest(),
    });
    workspace
        .initiatives()
        .range(from(after, first))
        .take_while(move |(id, _)| of.as_ref().is_none_or(|of| id.objective == *of))
        .map(|(id, initiative)| (format!("{}/{}", id.objective, id.id), id, &**initiative))
}

/// The check-ins of some key results behind a key.
pub(super) fn check_ins<'m>(
    workspace: &'m Workspace,
    scope: &'m KeyResultScope,
    after: Option<&str>,
) -> impl Iterator<Item = (String, &'m KeyResultId, &'m RecordedCheckIn)> + use<'m> {
    let after = after.and_then(|key| {
        let (objective, rest) = key.split_once('/')?;
        let (key_result, id) = rest.split_once('/')?;
        let of = KeyResultId {
            objective: Id::parse(objective).ok()?,
            id: Id::parse(key_result).ok()?,
        };
        Some((of, Id::parse(id).ok()?))
    });
    let first = match &after {
        Some((of, _)) => Bound::Included(of.clone()),
        None => Bound::Unbounded,
    };
    workspace
        .key_results()
        .range((first, Bound::Unbounded))
        .filter(|(id, _)| scope.covers(id))
        .flat_map(move |(of, key_result)| {
            let begin = after
                .as_ref()
                .filter(|(key, _)| key == of)
                .map(|(_, id)| id.clone());
            key_result
                .check_in_keys
                .range(behind(begin))
                .filter_map(move |(id, key)| {
                    let recorded = key_result.check_ins.get(key)?;
                    Some((format!("{}/{}/{id}", of.objective, of.id), of, &**recorded))
                })
        })
}

/// A cycle's reviews behind a key, or all.
pub(super) fn reviews<'m>(
    workspace: &'m Workspace,
    cycle: Option<&Id>,
    after: Option<&str>,
) -> impl Iterator<Item = (String, &'m Id, &'m Id, &'m RecordedReview)> + use<'m> {
    let of = cycle.cloned();
    let first = of.clone().map(|cycle| (cycle, Id::lowest()));
    workspace
        .reviews()
        .range(from(after.and_then(pair), first))
        .take_while(move |((cycle, _), _)| of.as_ref().is_none_or(|of| cycle == of))
        .map(|((cycle, id), review)| (format!("{cycle}/{id}"), cycle, id, &**review))
}

/// The targets of a KPI behind a key, or of all.
pub(super) fn targets<'m>(
    workspace: &'m Workspace,
    kpi: Option<&Id>,
    after: Option<&str>,
) -> impl Iterator<Item = (String, &'m Id, Date, &'m SetTarget)> + use<'m> {
    let of = kpi.cloned();
    let after = after.and_then(|key| {
        let (kpi, date) = key.split_once('/')?;
        Some((Id::parse(kpi).ok()?, date.parse::<Date>().ok()?))
    });
    let first = match (&after, &of) {
        (Some((kpi, _)), _) | (None, Some(kpi)) => Bound::Included(kpi.clone()),
        (None, None) => Bound::Unbounded,
    };
    workspace
        .kpis()
        .range((first, Bound::Unbounded))
        .take_while(move |(id, _)| of.as_ref().is_none_or(|of| *id == of))
        .flat_map(move |(id, kpi)| {
            let begin = after.as_ref().filter(|(key, _)| key == id).map(|(_, date)| *date);
            kpi.targets
                .range(behind(begin))
                .map(move |(date, set)| (format!("{id}/{date}"), id, *date, set))
        })
}

/// A KPI's measurements within `start` (inclusive) to `end` (exclusive) behind a key.
pub(super) fn measurements<'m>(
    kpi: &'m Kpi,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    after: Option<&str>,
) -> impl Iterator<Item = (String, &'m Point)> + use<'m> {
    let after = after.and_then(|key| {
        let (micros, source) = key.split_once('/')?;
        let effective_time = Timestamp::from_micros(micros.parse().ok()?);
        Some(Place {
            effective_time,
            source: source.parse().ok()?,
        })
    });
    // Where no page came before, the range begins behind everything that is earlier than it.
    let begin = after.or_else(|| {
        let before = Timestamp::from_micros(start?.as_micros().saturating_sub(1));
        Some(Place {
            effective_time: before,
            source: u64::MAX,
        })
    });
    kpi.series
        .points_behind(begin)
        .take_while(move |point| end.is_none_or(|end| point.effective_time() < end))
        .map(|point| {
            let place = kpi.series.place(point);
            (
                format!("{}/{}", place.effective_time.as_micros(), place.source),
                point,
            )
        })
}

fn pair(key: &str) -> Option<(Id, Id)> {
    let (first, second) = key.split_once('/')?;
    Some((Id::parse(first).ok()?, Id::parse(second).ok()?))
}

/// Behind a key, else from a first one on, else everything.
fn from<K>(after: Option<K>, first: Option<K>) -> (Bound<K>, Bound<K>) {
    let start = match (after, first) {
        (Some(after), _) => Bound::Excluded(after),
        (None, Some(first)) => Bound::Included(first),
        (None, None) => Bound::Unbounded,
    };
    (start, Bound::Unbounded)
}

fn behind<K>(after: Option<K>) -> (Bound<K>, Bound<K>) {
    from(after, None)
}
