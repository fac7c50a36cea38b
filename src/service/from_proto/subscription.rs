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
    // Of the most negative one the conversion would overflow.
    let asked = (asked.seconds >= 0).then(|| Duration::try_from(asked));
    match asked {
        Some(Ok(interval)) if interval >= least && interval <= HOUR => Ok(interval),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn acme(change: impl FnOnce(&mut api::SubscribeRequest)) -> api::SubscribeRequest {
        let mut request = api::SubscribeRequest {
            parent: "workspaces/acme".to_owned(),
            ..api::SubscribeRequest::default()
        };
        change(&mut request);
        request
    }

    fn of(change: impl FnOnce(&mut api::SubscriptionFilter)) -> api::SubscribeRequest {
        let mut filter = api::SubscriptionFilter::default();
        change(&mut filter);
        acme(|request| request.filter = Some(filter))
    }

    /// The fields that a request is refused for, and the first sentence.
    fn bad(request: api::SubscribeRequest) -> (Vec<String>, String) {
        let Err(Rejection::Invalid(violations)) = subscription(request) else {
            panic!("it was taken");
        };
        let sentence = violations[0].sentence.clone();
        (
            violations.into_iter().map(|violation| violation.field).collect(),
            sentence,
        )
    }

    fn lasting(seconds: i64, nanos: i32) -> Option<prost_types::Duration> {
        Some(prost_types::Duration { seconds, nanos })
    }

    #[test]
    fn intervals_are_taken_up_to_their_bounds_and_refused_beyond() {
        const MS: i32 = 1_000_000;
        for (interval, min_taken, checkpoint_taken) in [
            (lasting(0, 0), false, false),
            (lasting(0, 100 * MS - 1), false, false),
            (lasting(0, 100 * MS), true, false),
            (lasting(0, 999 * MS), true, false),
            (lasting(1, 0), true, true),
            (lasting(3600, 0), true, true),
            (lasting(3600, 1), false, false),
            (lasting(-1, 0), false, false),
            (lasting(i64::MAX, 0), false, false),
            (lasting(i64::MIN, i32::MIN), false, false),
        ] {
            for (field, taken) in [
                ("min_interval", min_taken),
                ("checkpoint_interval", checkpoint_taken),
            ] {
                let request = acme(|request| match field {
                    "min_interval" => request.min_interval = interval,
                    _ => request.checkpoint_interval = interval,
                });
                match taken {
                    true => assert!(subscription(request).is_ok(), "{field} {interval:?}"),
                    false => assert_eq!(bad(request).0, [field], "{interval:?}"),
                }
            }
        }
        let (_, asked) = subscription(acme(|_| {})).unwrap();
        assert_eq!(
            (asked.checkpoint_interval, asked.min_interval),
            (CHECKPOINT_INTERVAL, None)
        );
        assert_eq!(asked.start, Start::Snapshot, "where nothing is asked for");
    }

    #[test]
    fn a_bad_entry_is_named_by_its_place_with_a_sentence_that_helps() {
        let names = |name: &str| {
            of(|filter| filter.names = vec!["workspaces/acme/kpis/nps".to_owned(), name.to_owned()])
        };
        let long = format!("workspaces/acme/{}*", "k".repeat(500));
        for (request, field, word) in [
            (names(""), "filter.names[1]", "workspaces/"),
            (names("*"), "filter.names[1]", "workspaces/acme/"),
            (names("workspaces/*"), "filter.names[1]", "workspaces/acme/"),
            (names("workspaces/acme*"), "filter.names[1]", "workspaces/acme/"),
            (names("workspaces/acme2/*"), "filter.names[1]", "workspaces/acme/"),
            (
                names("workspaces/other/kpis/nps"),
                "filter.names[1]",
                "workspaces/acme/",
            ),
            (names("workspaces/other"), "filter.names[1]", "workspaces/acme/"),
            (
                names("workspaces/acme/kpis/*/targets"),
                "filter.names[1]",
                "resource",
            ),
            (
                names("workspaces/acme/kpis/*/targets/*"),
                "filter.names[1]",
                "end",
            ),
            (names("workspaces/acme/kpis/**"), "filter.names[1]", "end"),
            (names("workspaces/acme/ships/one"), "filter.names[1]", "resource"),
            (names(&long), "filter.names[1]", "500"),
            (
                of(|filter| filter.teams = vec![String::new()]),
                "filter.teams[0]",
                "missing",
            ),
            (
                of(|filter| filter.teams = vec!["workspaces/acme/cycles/q1".to_owned()]),
                "filter.teams[0]",
                "teams",
            ),
            (
                of(|filter| filter.teams = vec!["workspaces/other/teams/a".to_owned()]),
                "filter.teams[0]",
                "acme",
            ),
            (
                of(|filter| filter.cycles = vec!["workspaces/acme/cycles/-".to_owned()]),
                "filter.cycles[0]",
                "",
            ),
            (
                of(|filter| filter.resource_kinds = vec![8, 0]),
                "filter.resource_kinds[1]",
                "0",
            ),
            (
                of(|filter| filter.resource_kinds = vec![14]),
                "filter.resource_kinds[0]",
                "14",
            ),
            (
                of(|filter| filter.change_kinds = vec![-1]),
                "filter.change_kinds[0]",
                "-1",
            ),
            (
                of(|filter| filter.change_kinds = vec![1, 2, 7]),
                "filter.change_kinds[2]",
                "7",
            ),
        ] {
            let (fields, sentence) = bad(request.clone());
            assert_eq!(fields, [field], "{request:?}");
            assert!(sentence.contains(word), "{field}: {sentence}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let request = api::SubscribeRequest {
            parent: "acme".to_owned(),
            start: None,
            checkpoint_interval: lasting(0, 0),
            min_interval: lasting(0, 0),
            filter: Some(api::SubscriptionFilter {
                resource_kinds: vec![0, 99],
                names: vec!["x".repeat(501)],
                teams: vec![
                    "sales".to_owned(),
                    "workspaces/acme/teams/ops".to_owned(),
                    String::new(),
                ],
                cycles: vec!["q1".to_owned()],
                change_kinds: vec![0],
            }),
        };
        let mut fields = bad(request).0;
        fields.sort_unstable();
        assert_eq!(
            fields,
            [
                "checkpoint_interval",
                "filter.change_kinds[0]",
                "filter.cycles[0]",
                "filter.names[0]",
                "filter.resource_kinds[0]",
                "filter.resource_kinds[1]",
                "filter.teams[0]",
                "filter.teams[2]",
                "min_interval",
                "parent",
            ]
        );
    }

    #[test]
    fn a_list_has_at_most_100_entries() {
        let names = |count: usize, kind: &str| -> Vec<String> {
            (0..count)
                .map(|number| format!("workspaces/acme/{kind}/a{number}"))
                .collect()
        };
        for count in [100, 101] {
            let requests = [
                ("filter.names", of(|filter| filter.names = names(count, "kpis"))),
                ("filter.teams", of(|filter| filter.teams = names(count, "teams"))),
                (
                    "filter.cycles",
                    of(|filter| filter.cycles = names(count, "cycles")),
                ),
                (
                    "filter.resource_kinds",
                    of(|filter| filter.resource_kinds = vec![1; count]),
                ),
                (
                    "filter.change_kinds",
                    of(|filter| filter.change_kinds = vec![1; count]),
                ),
            ];
            for (field, request) in requests {
                match count {
                    100 => assert!(subscription(request).is_ok(), "{field}"),
                    _ => {
                        let (fields, sentence) = bad(request);
                        assert_eq!(fields, [field]);
                        assert!(sentence.contains("101") && sentence.contains("100"), "{sentence}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_star_at_the_end_is_a_prefix_and_the_workspace_a_name_of_its_own() {
        let read = |name: &str| {
            let request = of(|filter| filter.names = vec![name.to_owned()]);
            subscription(request).unwrap().1.filter.names
        };
        let prefix = |text: &str| vec![NamePattern::Prefix(text.to_owned())];
        assert_eq!(read("workspaces/acme/*"), prefix(""));
        assert_eq!(
            read("workspaces/acme/objectives/grow*"),
            prefix("objectives/grow")
        );
        assert_eq!(
            read("workspaces/acme/objectives/grow/*"),
            prefix("objectives/grow/")
        );
        let exactly = |name| vec![NamePattern::Exactly(name)];
        use crate::domain::ResourceName;
        assert_eq!(read("workspaces/acme"), exactly(ResourceName::Workspace));
        let nps = Id::parse("nps").unwrap();
        assert_eq!(read("workspaces/acme/kpis/nps"), exactly(ResourceName::Kpi(nps)));
    }
}
