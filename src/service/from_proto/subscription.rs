//! A request of Subscribe: where it begins, what it is about and how often it speaks.

use std::collections::BTreeSet;
use std::time::Duration;

use super::findings::Findings;
use super::scalar::unknown;
use crate::domain::{Id, Invalid, Rejection};
use crate::proto::api;
use crate::proto::api::subscription_filter::{ChangeKind, ResourceKind};
use crate::service::names;
use crate::service::subscription::{Asked, Filter, NamePattern, Start};

/// How often a quiet stream says where it stands unless it is told otherwise.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(3600);
/// The most entries of one of a filter's lists.
const ENTRIES_MAX: usize = 100;
/// The longest name of a filter, in bytes.
const NAME_BYTES_MAX: usize = 500;

/// Reads a request of Subscribe: the workspace, and what is asked of it.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn subscription(request: api::SubscribeRequest) -> Result<(Id, Asked), Rejection> {
    use api::subscribe_request::Start as Wire;
    let api::SubscribeRequest {
        parent,
        start,
        checkpoint_interval,
        filter,
        min_interval,
    } = request;
    let mut findings = Findings::default();
    let workspace = findings.keep(names::workspace("parent", &parent));
    let checkpoint_interval = match checkpoint_interval {
        None => Some(CHECKPOINT_INTERVAL),
        Some(asked) => {
            let read = interval(asked, Duration::from_secs(1), "1 s");
            findings.field("checkpoint_interval", read)
        }
    };
    let min_interval = min_interval.map(|asked| {
        let read = interval(asked, Duration::from_millis(100), "100 ms");
        findings.field("min_interval", read)
    });
    let start = match start {
        None | Some(Wire::Snapshot(())) => Start::Snapshot,
        Some(Wire::After(token)) => Start::After(token),
        Some(Wire::FromBeginning(())) => Start::FromBeginning,
        Some(Wire::Live(())) => Start::Live,
    };
    let filter = self::filter(&mut findings, workspace.as_ref(), &filter.unwrap_or_default());
    let read = workspace
        .zip(checkpoint_interval)
        .map(|(workspace, checkpoint_interval)| {
            let asked = Asked {
                start,
                filter,
                checkpoint_interval,
                min_interval: min_interval.flatten(),
            };
            (workspace, asked)
        });
    findings.end(read)
}

fn interval(asked: prost_types::Duration, least: Duration, least_text: &str) -> Result<Duration, Invalid> {
    match Duration::try_from(asked) {
        Ok(interval) if interval >= least && interval <= HOUR => Ok(interval),
        _ => Err(Invalid::new(format!("it is out of bounds: {least_text} to 1 h"))),
    }
}

fn filter(findings: &mut Findings, workspace: Option<&Id>, written: &api::SubscriptionFilter) -> Filter {
    let api::SubscriptionFilter {
        resource_kinds,
        names,
        teams,
        cycles,
        change_kinds,
    } = written;
    let names = each(findings, "filter.names", names, |text| pattern(workspace, text));
    let teams = each(findings, "filter.teams", teams, |text| {
        names::given(names::team_reference(workspace, text)?)
    });
    let cycles = each(findings, "filter.cycles", cycles, |text| {
        names::given(names::cycle_reference(workspace, text)?)
    });
    let resource_kinds =
        each(
            findings,
            "filter.resource_kinds",
            resource_kinds,
            |number| match ResourceKind::try_from(*number) {
                Err(_) | Ok(ResourceKind::Unspecified) => Err(unknown(*number)),
                Ok(kind) => Ok(kind),
            },
        );
    let change_kinds = each(
        findings,
        "filter.change_kinds",
        change_kinds,
        |number| match ChangeKind::try_from(*number) {
            Err(_) | Ok(ChangeKind::Unspecified) => Err(unknown(*number)),
            Ok(kind) => Ok(kind),
        },
    );
    let as_set = |list: Vec<Id>| -> BTreeSet<Id> { list.into_iter().collect() };
    Filter::new(
        written,
        names,
        (as_set(teams), as_set(cycles)),
        (
            resource_kinds.into_iter().collect(),
            change_kinds.into_iter().collect(),
        ),
    )
}

fn each<T, U>(
    findings: &mut Findings,
    field: &str,
    list: &[T],
    read: impl Fn(&T) -> Result<U, Invalid>,
) -> Vec<U> {
    if list.len() > ENTRIES_MAX {
        let sentence = format!(
            "it has {} entries and may have {ENTRIES_MAX}: name prefixes, or split it into several subscriptions",
            list.len()
        );
        findings.push(Invalid::new(sentence).at(field));
        return Vec::new();
    }
    let list = list.iter().enumerate();
    list.filter_map(|(index, entry)| findings.field(&format!("{field}[{index}]"), read(entry)))
        .collect()
}

/// A resource of the workspace, or all whose names begin with what stands in front of a `*`.
fn pattern(workspace: Option<&Id>, text: &str) -> Result<NamePattern, Invalid> {
    if text.len() > NAME_BYTES_MAX {
        return Err(Invalid::new(format!(
            "it is longer than {NAME_BYTES_MAX} bytes: no resource has such a name"
        )));
    }
    let Some(workspace) = workspace else {
        // What is wrong with the workspace is said already.
        return Ok(NamePattern::Prefix(String::new()));
    };
    match text.strip_suffix('*') {
        None => {
            let (of, name) =
                names::resource("", text).map_err(|violation| Invalid::new(violation.sentence))?;
            if of != *workspace {
                return Err(elsewhere(workspace));
            }
            Ok(NamePattern::Exactly(name))
        }
        Some(begins) if begins.contains('*') => Err(Invalid::new(
            "a `*` may stand at its end alone: name the prefix in front of the first",
        )),
        Some(begins) => {
            let within = begins.strip_prefix(&format!("workspaces/{workspace}/"));
            Ok(NamePattern::Prefix(
                within.ok_or_else(|| elsewhere(workspace))?.to_owned(),
            ))
        }
    }
}

fn elsewhere(workspace: &Id) -> Invalid {
    Invalid::new(format!(
        "it lies outside of the subscribed workspace: begin it with \"workspaces/{workspace}/\""
    ))
}
