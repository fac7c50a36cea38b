//! Which events a request asks for.

use std::collections::BTreeSet;

use smol_str::SmolStr;

use super::findings::Findings;
use super::scalar;
use crate::domain::{EVENT_KINDS, Id, Invalid, Rejection};
use crate::projection::{EventFilter, Moments};
use crate::proto::api;
use crate::service::names;

/// Below it a name is no likely misspelling of another.
const LIKENESS_MIN: f64 = 0.8;
/// How much of a bad text a sentence repeats, in characters.
const SHOWN_CHARS_MAX: usize = 100;

/// Reads what a list of events of `workspace` is narrowed to.
///
/// # Errors
/// A name is none, or of another workspace; a type is unknown; an id is no UUID; a range ends before it begins.
pub(crate) fn event_filter(
    workspace: &Id,
    request: &api::ListEventsRequest,
) -> Result<EventFilter, Rejection> {
    let api::ListEventsRequest {
        parent: _,
        page_size: _,
        page_token: _,
        min_revision: _,
        newest_first: _,
        resource,
        principal,
        types,
        recorded_start_time,
        recorded_end_time,
        effective_start_time,
        effective_end_time,
        request_id,
        correlation_id,
        include_records: _,
    } = request;
    let mut findings = Findings::default();
    let resource = match resource.as_str() {
        "" => Some(None),
        text => findings
            .keep(names::resource_of("resource", workspace, text))
            .map(Some),
    };
    let types = types.iter().enumerate().map(|(index, text)| {
        let read = kind(text);
        findings.field(&format!("types[{index}]"), read)
    });
    // All are read, so that all that is wrong is said.
    let types: Vec<_> = types.collect();
    let types: Option<BTreeSet<_>> = types.into_iter().collect();
    let recorded = moments(
        ("recorded_start_time", recorded_start_time.as_ref()),
        ("recorded_end_time", recorded_end_time.as_ref()),
        &mut findings,
    );
    let effective = moments(
        ("effective_start_time", effective_start_time.as_ref()),
        ("effective_end_time", effective_end_time.as_ref()),
        &mut findings,
    );
    let request_id = findings.keep(scalar::request_id("request_id", request_id));
    let text = |text: &str| (!text.is_empty()).then(|| SmolStr::new(text));
    let read = || {
        Some(EventFilter {
            resource: resource?,
            principal: text(principal),
            types: types?,
            recorded: recorded?,
            effective: effective?,
            request_id: request_id?,
            correlation_id: text(correlation_id),
        })
    };
    let read = read();
    findings.end(read)
}

fn kind(text: &str) -> Result<&'static str, Invalid> {
    if let Ok(at) = EVENT_KINDS.binary_search(&text) {
        return EVENT_KINDS
            .get(at)
            .copied()
            .ok_or_else(|| Invalid::new("it is no type"));
    }
    let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    let likeness = |kind: &str| strsim::jaro_winkler(&shown.to_lowercase(), &kind.to_lowercase());
    let nearest = EVENT_KINDS
        .iter()
        .map(|kind| (likeness(kind), kind))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    Err(Invalid::new(match nearest {
        Some((_, near)) => format!("there is no type {shown:?}: did you mean {near:?}?"),
        None => {
            format!("there is no type {shown:?}: send one as events name it, for example \"CheckInRecorded\"")
        }
    }))
}

type NamedTime<'r> = (&'static str, Option<&'r prost_types::Timestamp>);

fn moments(start: NamedTime<'_>, end: NamedTime<'_>, findings: &mut Findings) -> Option<Moments> {
    let from = findings.keep(scalar::optional_timestamp(start.0, start.1));
    let to = findings.keep(scalar::optional_timestamp(end.0, end.1));
    let (from, to) = (from?, to?);
    if let (Some(from), Some(to)) = (from, to)
        && to <= from
    {
        let sentence = format!(
            "{to} is not after {}, {from}: there is no moment between them",
            start.0
        );
        findings.push(Invalid::new(sentence).at(end.0));
        return None;
    }
    Some(Moments { start: from, end: to })
}
