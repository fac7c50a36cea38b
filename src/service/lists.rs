//! What comes behind a key in each list, in the order of the names, and a page of it. A key is the part of a name that
//! differs.

use std::ops::Bound;
use std::sync::Arc;

use imbl::OrdMap;
use jiff::civil::Date;
use prost::Message;
use tonic::Status;

use super::api::Api;
use super::caller::Caller;
use super::filter::{Entries, Entry, ListQuery, Listed, Narrowed};
use super::names::KeyResultScope;
use super::reads::{ListRequest, Page};
use crate::domain::{
    Alert, Cycle, Id, Initiative, InitiativeId, KeyResult, KeyResultId, Kpi, Member, Objective, Place, Point,
    RecordedCheckIn, RecordedReview, Rejection, ResourceName, SetTarget, Team, Timestamp, Workspace,
};
use crate::engine::Hosted;
use crate::projection::State;

impl Api {
    /// One page of what a request asks for. `entries` answers all that is behind a key, by name, once `parent` has been
    /// found, told whether it may be deleted; `show` makes the message of one.
    pub(super) async fn list_narrowed<Q, R, T>(
        &self,
        request: &Q,
        workspace: &Id,
        parent: impl FnOnce(&Workspace, bool) -> Result<(), Rejection>,
        entries: impl for<'s> FnOnce(&'s State, Option<&str>) -> Entries<'s, R>,
        show: impl for<'s> Fn(Entry<'s, R>) -> T,
    ) -> Result<Page<T>, Status>
    where
        Q: ListRequest + Narrowed,
        R: Listed,
        T: Message,
    {
        let asked = request.narrowing();
        let query = ListQuery::<R>::parse(asked, Some(workspace))?;
        self.list(request, &asked.binding(), workspace, |state, last_key, count| {
            workspace_found(state.workspace(), query.shows_deleted())?;
            parent(state.workspace(), query.shows_deleted())?;
            let page = query.page(last_key, count, |after| entries(state, after));
            Ok(page
                .into_iter()
                .map(|entry| (R::key(entry), show(entry)))
                .collect())
        })
        .await
    }
}

/// The workspace that a list is of: refused if it is deleted, unless deleted ones are asked for.
///
/// # Errors
/// It is deleted.
pub(super) fn workspace_found(workspace: &Workspace, show_deleted: bool) -> Result<(), Rejection> {
    match workspace.deleted() {
        Some(_) if !show_deleted => Err(Rejection::Deleted(ResourceName::Workspace)),
        _ => Ok(()),
    }
}

/// The same for the resource that a list is of.
///
/// # Errors
/// It is not there, or deleted.
pub(super) fn found<T>(parent: Result<T, Rejection>, show_deleted: bool) -> Result<(), Rejection> {
    match parent {
        Err(Rejection::Deleted(_)) if show_deleted => Ok(()),
        parent => parent.map(|_| ()),
    }
}

/// The parent is the workspace: there is nothing more to find.
pub(super) fn no_parent(_: &Workspace, _: bool) -> Result<(), Rejection> {
    Ok(())
}

/// A workspace as it is published at this moment.
pub(super) type PublishedWorkspace<'h> = (&'h Hosted, Arc<State>);

/// Workspaces that a caller sees and a page may be made of: where no order asks for all of them, only so many behind the key.
pub(super) fn published<'h>(
    all: &'h OrdMap<Id, Arc<Hosted>>,
    caller: &Caller,
    query: &ListQuery<Workspace>,
    last_key: Option<&str>,
    count: usize,
) -> Vec<PublishedWorkspace<'h>> {
    let (after, count) = match query.is_by_name() {
        true => (last_key.and_then(|key| Id::parse(key).ok()), count),
        false => (None, usize::MAX),
    };
    all.range(behind(after))
        .map(|(_, hosted)| (hosted.as_ref(), Arc::clone(&hosted.published().state)))
        .filter(|(_, state)| caller.sees(state.workspace()))
        .filter(|published| query.asks_for(workspace(published)))
        .take(count)
        .collect()
}

/// Published workspaces behind a key.
pub(super) fn workspaces<'s>(
    published: &'s [PublishedWorkspace<'s>],
    after: Option<&str>,
) -> Entries<'s, Workspace> {
    let after = after.and_then(|key| Id::parse(key).ok());
    let found = published
        .iter()
        .filter(move |(hosted, _)| after.as_ref().is_none_or(|after| hosted.id() > after));
    Box::new(found.map(workspace))
}

fn workspace<'s>(published: &'s PublishedWorkspace<'s>) -> Entry<'s, Workspace> {
    let (hosted, state) = published;
    Entry {
        id: hosted,
        it: state.workspace(),
        state,
    }
}

pub(super) fn teams<'s>(state: &'s State, after: Option<&str>) -> Entries<'s, Team> {
    by_id(state, state.workspace().teams(), after)
}

pub(super) fn members<'s>(state: &'s State, after: Option<&str>) -> Entries<'s, Member> {
    by_id(state, state.workspace().members(), after)
}

pub(super) fn cycles<'s>(state: &'s State, after: Option<&str>) -> Entries<'s, Cycle> {
    by_id(state, state.workspace().cycles(), after)
}

pub(super) fn objectives<'s>(state: &'s State, after: Option<&str>) -> Entries<'s, Objective> {
    by_id(state, state.workspace().objectives(), after)
}

pub(super) fn kpis<'s>(state: &'s State, after: Option<&str>) -> Entries<'s, Kpi> {
    by_id(state, state.workspace().kpis(), after)
}

fn by_id<'s, R: Listed<Id = Id>>(
    state: &'s State,
    map: &'s OrdMap<Id, Arc<R>>,
    after: Option<&str>,
) -> Entries<'s, R> {
    let after = after.and_then(|key| Id::parse(key).ok());
    let found = map.range(behind(after));
    Box::new(found.map(move |(id, it)| Entry { id, it: &**it, state }))
}

/// An objective's key results behind a key, or all.
pub(super) fn key_results<'s>(
    state: &'s State,
    objective: Option<&Id>,
    after: Option<&str>,
) -> Entries<'s, KeyResult> {
    let of = objective.cloned();
    let after = after
        .and_then(pair)
        .map(|(objective, id)| KeyResultId { objective, id });
    let first = of.clone().map(|objective| KeyResultId {
        objective,
        id: Id::lowest(),
    });
    let found = state
        .workspace()
        .key_results()
        .range(from(after, first))
        .take_while(move |(id, _)| of.as_ref().is_none_or(|of| id.objective == *of));
    Box::new(found.map(move |(id, it)| Entry { id, it: &**it, state }))
}

/// An objective's initiatives behind a key, or all.
pub(super) fn initiatives<'s>(
    state: &'s State,
    objective: Option<&Id>,
    after: Option<&str>,
) -> Entries<'s, Initiative> {
    let of = objective.cloned();
    let after = after
        .and_then(pair)
        .map(|(objective, id)| InitiativeId { objective, id });
    let first = of.clone().map(|objective| InitiativeId {
        objective,
        id: Id::lowest(),
    });
    let found = state
        .workspace()
        .initiatives()
        .range(from(after, first))
        .take_while(move |(id, _)| of.as_ref().is_none_or(|of| id.objective == *of));
    Box::new(found.map(move |(id, it)| Entry { id, it: &**it, state }))
}

/// The check-ins of some key results behind a key.
pub(super) fn check_ins<'s>(
    state: &'s State,
    scope: &KeyResultScope,
    after: Option<&str>,
) -> Entries<'s, RecordedCheckIn> {
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
    let scope = scope.clone();
    let found = state
        .workspace()
        .key_results()
        .range((first, Bound::Unbounded))
        .filter(move |(id, _)| scope.covers(id))
        .flat_map(move |(id, key_result)| {
            let begin = after
                .as_ref()
                .filter(|(key, _)| key == id)
                .map(|(_, id)| id.clone());
            key_result
                .check_in_keys
                .range(behind(begin))
                .filter_map(move |(_, key)| {
                    let it = &**key_result.check_ins.get(key)?;
                    Some(Entry { id, it, state })
                })
        });
    Box::new(found)
}

/// A cycle's reviews behind a key, or all.
pub(super) fn reviews<'s>(
    state: &'s State,
    cycle: Option<&Id>,
    after: Option<&str>,
) -> Entries<'s, RecordedReview> {
    let of = cycle.cloned();
    let first = of.clone().map(|cycle| (cycle, Id::lowest()));
    let found = state
        .workspace()
        .reviews()
        .range(from(after.and_then(pair), first))
        .take_while(move |((cycle, _), _)| of.as_ref().is_none_or(|of| cycle == of));
    Box::new(found.map(move |(id, it)| Entry { id, it: &**it, state }))
}

/// The targets of a KPI behind a key, or of all that are not deleted.
pub(super) fn targets<'m>(
    workspace: &'m Workspace,
    kpi: Option<&Id>,
    after: Option<&str>,
) -> impl Iterator<Item = (String, &'m Id, &'m Kpi, Date, &'m SetTarget)> + use<'m> {
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
        .filter(|(_, kpi)| kpi.deleted.is_none())
        .flat_map(move |(id, kpi)| {
            let begin = after.as_ref().filter(|(key, _)| key == id).map(|(_, date)| *date);
            kpi.targets
                .range(behind(begin))
                .map(move |(date, set)| (format!("{id}/{date}"), id, &**kpi, *date, set))
        })
}

/// The alerts of a KPI behind a key, or of all.
pub(super) fn alerts<'s>(state: &'s State, kpi: Option<&Id>, after: Option<&str>) -> Entries<'s, Alert> {
    let of = kpi.cloned();
    let after = after.and_then(pair);
    let first = match (&after, &of) {
        (Some((kpi, _)), _) | (None, Some(kpi)) => Bound::Included(kpi.clone()),
        (None, None) => Bound::Unbounded,
    };
    let found = state
        .workspace()
        .kpis()
        .range((first, Bound::Unbounded))
        .take_while(move |(id, _)| of.as_ref().is_none_or(|of| *id == of))
        .flat_map(move |(id, kpi)| {
            let begin = after
                .as_ref()
                .filter(|(key, _)| key == id)
                .map(|(_, alert)| alert.clone());
            let alerts = kpi.alerts.range(behind(begin));
            alerts.map(move |(_, it)| Entry { id, it: &**it, state })
        });
    Box::new(found)
}

/// A KPI's measurements within `start` (inclusive) to `end` (exclusive) behind a key.
pub(super) fn measurements<'m>(
    kpi: &'m Kpi,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    after: Option<&str>,
) -> impl Iterator<Item = (String, Point)> + use<'m> {
    let after = after.and_then(|key| {
        let (micros, source) = key.split_once('/')?;
        let effective_time = Timestamp::from_micros(micros.parse().ok()?);
        Some(Place {
            effective_time,
            source: source.parse().ok()?,
        })
    });
    let (start, end) = (start.unwrap_or(Timestamp::MIN), end.unwrap_or(Timestamp::MAX));
    kpi.series.range_behind(start, end, after).map(|point| {
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
