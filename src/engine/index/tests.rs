//! The index against whoever looks at every commit.

use proptest::prelude::*;
use smol_str::SmolStr;

use super::*;
use crate::domain::given::id;
use crate::domain::{Event, MeasurementRecorded, Origin, RequestKey};

const NAMES: [&str; 12] = [
    "teams/sales",
    "cycles/q3",
    "cycles/q3/reviews/mid-term",
    "objectives/win",
    "objectives/win/keyResults/nps",
    "objectives/win/keyResults/nps/checkIns/c1",
    "objectives/win/initiatives/demos",
    "objectives/win-more",
    "kpis/nps",
    "kpis/nps/targets/2026-01-01",
    "kpis/nps/alerts/breach-42",
    "",
];
const KINDS: [&str; 5] = [
    "ObjectiveDeleted",
    "KpiDeleted",
    "KpiArchived",
    "MeasurementRecorded",
    "CycleClosed",
];

fn name(text: &str) -> ResourceName {
    ResourceName::parse(text).unwrap()
}

fn hour(hour: i64) -> Timestamp {
    Timestamp::from_micros(hour * 3_600_000_000)
}

/// A commit an hour, beginning ten days after 1970.
fn commit(revision: u64, origin: Origin, events: Vec<Event>) -> Commit {
    Commit {
        revision: Revision(revision),
        recorded_time: hour(240 + i64::try_from(revision).unwrap()),
        epoch: 1,
        origin,
        events,
    }
}

fn measured(kpi: &str, effective_time: Timestamp) -> Event {
    Event::MeasurementRecorded(MeasurementRecorded {
        kpi: id(kpi),
        effective_time,
        value: 1.0,
        source_id: SmolStr::default(),
        before: None,
        note: SmolStr::default(),
    })
}

fn principals() -> impl Strategy<Value = SmolStr> {
    prop::sample::select(vec!["maria", "joao", "ana"]).prop_map(SmolStr::new)
}

fn names() -> impl Strategy<Value = ResourceName> {
    prop::sample::select(NAMES.to_vec()).prop_map(name)
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        names().prop_map(|name| Event::Deleted { name }),
        prop::sample::select(vec!["nps", "churn"]).prop_map(|kpi| Event::KpiArchived { id: id(kpi) }),
        (prop::sample::select(vec!["nps", "churn"]), 0..400_i64)
            .prop_map(|(kpi, at)| measured(kpi, hour(at))),
    ]
}

fn origins() -> impl Strategy<Value = Origin> {
    let request = prop::option::of(0..6_u8);
    let correlation = prop::sample::select(vec!["", "", "import"]).prop_map(SmolStr::new);
    (principals(), prop::option::of(principals()), request, correlation).prop_map(
        |(principal, on_behalf_of, request, correlation_id)| {
            let mut origin = Origin::system("Test");
            origin.actor.principal = principal;
            origin.actor.on_behalf_of = on_behalf_of.unwrap_or_default();
            origin.request = request.map(|id| RequestKey {
                id: [id; 16],
                fingerprint: [0; 32],
            });
            origin.correlation_id = correlation_id;
            origin
        },
    )
}

fn logs() -> impl Strategy<Value = Vec<Commit>> {
    let commits = (origins(), prop::collection::vec(events(), 0..5));
    prop::collection::vec(commits, 0..150).prop_map(|commits| {
        let numbered = (1..).zip(commits);
        numbered
            .map(|(revision, (origin, events))| commit(revision, origin, events))
            .collect()
    })
}

fn moments() -> impl Strategy<Value = Moments> {
    let bound = || prop::option::of((0..400_i64).prop_map(hour));
    (bound(), bound()).prop_map(|(start, end)| Moments { start, end })
}

fn filters() -> impl Strategy<Value = EventFilter> {
    (
        prop::option::of(names()),
        prop::option::of(principals()),
        prop::collection::btree_set(prop::sample::select(KINDS.to_vec()), 0..3),
        moments(),
        prop::option::weighted(0.2, 0..7_u8),
        prop::option::weighted(0.2, Just(SmolStr::new("import"))),
    )
        .prop_map(
            |(resource, principal, types, effective, request, correlation_id)| EventFilter {
                resource,
                principal,
                types,
                recorded: Moments::default(),
                effective,
                request_id: request.map(|id| [id; 16]),
                correlation_id,
            },
        )
}

fn index(commits: &[Commit]) -> EventIndex {
    let mut index = EventIndex::default();
    for commit in commits {
        index.add(commit);
    }
    index
}

fn revisions(candidates: &Candidates, head: u64) -> Vec<Revision> {
    candidates.next(Revision(1), Revision(head), false, usize::MAX)
}

/// Every commit with an event that a filter wants is among the candidates.
fn invariant_no_event_is_missed(commits: &[Commit], filter: &EventFilter, found: &[Revision]) {
    for commit in commits {
        if commit.events.iter().any(|event| filter.wants(commit, event)) {
            assert!(found.contains(&commit.revision), "{} is missed", commit.revision);
        }
    }
}

/// A candidate has each thing that is asked for, though maybe not in one event.
fn invariant_a_candidate_has_each_thing(commits: &[Commit], filter: &EventFilter, found: &[Revision]) {
    let alone = [
        EventFilter {
            resource: filter.resource.clone(),
            ..EventFilter::default()
        },
        EventFilter {
            principal: filter.principal.clone(),
            request_id: filter.request_id,
            correlation_id: filter.correlation_id.clone(),
            ..EventFilter::default()
        },
        EventFilter {
            types: filter.types.clone(),
            ..EventFilter::default()
        },
    ];
    if filter.types.is_empty()
        && alone[1] == EventFilter::default()
        && filter
            .resource
            .as_ref()
            .is_none_or(|name| *name == ResourceName::Workspace)
    {
        return;
    }
    for revision in found {
        let commit = commits
            .iter()
            .find(|commit| commit.revision == *revision)
            .unwrap();
        for one in &alone {
            let mut events = commit.events.iter();
            assert!(
                events.any(|event| one.wants(commit, event)),
                "{revision}: {one:?}"
            );
        }
    }
}

/// Whatever is asked for at once, and from which end, it is the candidates in their order.
fn invariant_pages_are_the_whole(candidates: &Candidates, head: u64, count: usize) {
    let all = revisions(candidates, head);
    for newest_first in [false, true] {
        let (mut first, mut last, mut pages) = (Revision(1), Revision(head), Vec::new());
        loop {
            let page = candidates.next(first, last, newest_first, count);
            let Some(&seen) = page.last() else { break };
            pages.extend(page);
            if newest_first {
                last = Revision(seen.0 - 1);
            } else {
                first = seen.next();
            }
        }
        if newest_first {
            pages.reverse();
        }
        assert_eq!(pages, all);
    }
}

proptest! {
    #[test]
    fn what_the_index_gives_is_what_a_scan_finds(commits in logs(), filter in filters(), count in 1..9_usize) {
        let index = index(&commits);
        let head = commits.len() as u64;
        let candidates = index.candidates(&filter);
        let found = revisions(&candidates, head);
        invariant_no_event_is_missed(&commits, &filter, &found);
        invariant_a_candidate_has_each_thing(&commits, &filter, &found);
        invariant_pages_are_the_whole(&candidates, head, count);
    }

    #[test]
    fn many_revisions_under_one_key_are_kept_as_few_are(gaps in prop::collection::vec(1..70_000_u64, 1..200)) {
        let mut revision = 0;
        let commits: Vec<Commit> = gaps.iter().map(|gap| {
            revision += gap;
            let archived = || Event::KpiArchived { id: id("nps") };
            commit(revision, Origin::system("Test"), vec![archived(), archived()])
        }).collect();
        let index = index(&commits);
        let expected: Vec<Revision> = commits.iter().map(|commit| commit.revision).collect();
        let filter = EventFilter { resource: Some(name("kpis/nps")), ..EventFilter::default() };
        prop_assert_eq!(revisions(&index.candidates(&filter), revision), expected);
    }
}

#[test]
fn what_is_below_a_resource_is_found_with_it_and_what_never_was_is_not() {
    let review = Event::Deleted {
        name: name("objectives/win/keyResults/nps/checkIns/c1"),
    };
    let index = index(&[commit(7, Origin::system("Test"), vec![review])]);
    let found = |text: &str| {
        let filter = EventFilter {
            resource: Some(name(text)),
            ..EventFilter::default()
        };
        revisions(&index.candidates(&filter), 7).len()
    };
    for (text, count) in [
        ("objectives/win/keyResults/nps/checkIns/c1", 1),
        ("objectives/win/keyResults/nps", 1),
        ("objectives/win", 1),
        ("objectives/win-more", 0),
        ("kpis/never", 0),
        // Everything is in the workspace.
        ("", 7),
    ] {
        assert_eq!(found(text), count, "{text}");
    }
}

#[test]
fn days_that_leave_nothing_out_are_not_looked_up() {
    let commits: Vec<Commit> = (1..=100)
        .map(|revision| {
            commit(
                revision,
                Origin::system("Test"),
                vec![measured("nps", hour(24 * 3))],
            )
        })
        .collect();
    let index = index(&commits);
    let asked = |start, end| {
        index.candidates(&EventFilter {
            effective: Moments { start, end },
            ..EventFilter::default()
        })
    };
    assert!(matches!(asked(Some(hour(72)), None), Candidates::Every));
    assert!(matches!(asked(None, Some(hour(96))), Candidates::Every));
    for (start, end) in [
        (Some(hour(96)), None),
        (None, Some(hour(71))),
        (Some(hour(96)), Some(hour(48))),
    ] {
        assert_eq!(revisions(&asked(start, end), 100), [], "{start:?} to {end:?}");
    }
}
