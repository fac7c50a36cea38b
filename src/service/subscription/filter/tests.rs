//! Which filter takes what, as tables.

use sha2::{Digest as _, Sha256};

use super::*;
use crate::domain::given::*;
use crate::domain::{AlertKind, EpochStarted, MemberPatch, Roles, TeamCycle};
use crate::projection::{State, scope};
use crate::proto::api;
use crate::service::from_proto;

/// A filter as a request asks for it.
pub(in super::super) fn filter(change: impl FnOnce(&mut SubscriptionFilter)) -> Filter {
    let mut filter = SubscriptionFilter::default();
    change(&mut filter);
    let request = api::SubscribeRequest {
        parent: "workspaces/acme".to_owned(),
        filter: Some(filter),
        ..api::SubscribeRequest::default()
    };
    from_proto::subscription(request).expect("a filter").1.filter
}

fn acme(names: &[&str]) -> Vec<String> {
    names
        .iter()
        .map(|name| format!("workspaces/acme/{name}"))
        .collect()
}

fn kinds(kinds: &[ResourceKind]) -> Vec<i32> {
    kinds.iter().map(|kind| i32::from(*kind)).collect()
}

fn state_of(given: &Given) -> State {
    let mut state = State::empty();
    for commit in &given.commits {
        state.apply(commit);
    }
    state
}

/// East below sales has objective win; sales has KPI nps, which is in trouble; objective lone is nobody's and in q2.
fn company() -> Given {
    given(q1())
        .and([
            cycle("q2", day(4, 1), day(6, 30), None),
            team("sales", None),
            team("east", Some("sales")),
            team("ops", None),
            objective("win", |fields| fields.team = Some(id("east"))),
            key_result("win/deals", |_| {}),
            initiative("win/demos", |_| {}),
            objective("lone", |fields| fields.cycle = id("q2")),
            review("q1", "kickoff", |_| {}),
        ])
        .and(aimed("nps", at_least(50.0), |fields| {
            fields.team = Some(id("sales"))
        }))
        .and([measured("nps", 1, 1, 40.0)])
}

#[test]
fn a_snapshot_has_what_is_in_every_list_of_its_filter() {
    use ResourceKind as Kind;
    let company = company();
    let state = state_of(&company);
    let alert = format!("kpis/nps/alerts/{}", company.alert_id("nps", AlertKind::Breach));
    let everybody: Vec<ResourceName> = crate::service::to_proto::resource_names(&state).collect();
    let nps = ["kpis/nps", "kpis/nps/targets/2026-01-01", &alert];
    let win = [
        "objectives/win",
        "objectives/win/keyResults/deals",
        "objectives/win/initiatives/demos",
    ];
    type Change<'a> = &'a dyn Fn(&mut SubscriptionFilter);
    let table: Vec<(Change<'_>, Vec<&str>)> = vec![
        (
            &|f| f.teams = acme(&["teams/sales"]),
            [&["teams/east", "teams/sales"][..], &nps, &win].concat(),
        ),
        (
            &|f| f.teams = acme(&["teams/east"]),
            [&["teams/east"][..], &win].concat(),
        ),
        (&|f| f.teams = acme(&["teams/ops"]), vec!["teams/ops"]),
        (
            &|f| f.teams = acme(&["teams/ops", "teams/east"]),
            [&["teams/east", "teams/ops"][..], &win].concat(),
        ),
        (
            &|f| f.cycles = acme(&["cycles/q1"]),
            [&["cycles/q1", "cycles/q1/reviews/kickoff"][..], &win].concat(),
        ),
        (
            &|f| f.cycles = acme(&["cycles/q2"]),
            vec!["cycles/q2", "objectives/lone"],
        ),
        (
            &|f| {
                f.teams = acme(&["teams/sales"]);
                f.cycles = acme(&["cycles/q2"]);
            },
            vec![],
        ),
        (
            &|f| {
                f.teams = acme(&["teams/sales"]);
                f.resource_kinds = kinds(&[Kind::Kpi, Kind::Initiative]);
            },
            vec!["kpis/nps", "objectives/win/initiatives/demos"],
        ),
        (&|f| f.names = acme(&["objectives/win"]), vec!["objectives/win"]),
        (&|f| f.names = acme(&["objectives/win*"]), win.to_vec()),
        (
            &|f| f.names = acme(&["objectives/w*", "kpis/nps"]),
            [&["kpis/nps"][..], &win].concat(),
        ),
        (&|f| f.names = acme(&["objectives/wi", "kpis/n"]), vec![]),
        (
            &|f| f.names = vec!["workspaces/acme".to_owned()],
            vec!["the workspace"],
        ),
        (
            &|f| f.resource_kinds = kinds(&[Kind::ScoringPolicy]),
            vec!["scoringPolicy"],
        ),
        (
            &|f| f.resource_kinds = kinds(&[Kind::Workspace, Kind::Member]),
            vec!["the workspace", "members/maria"],
        ),
        (
            &|f| f.resource_kinds = kinds(&[Kind::Target, Kind::Alert]),
            nps[1..].to_vec(),
        ),
        (
            &|f| f.resource_kinds = kinds(&[Kind::Review, Kind::KeyResult]),
            vec!["cycles/q1/reviews/kickoff", "objectives/win/keyResults/deals"],
        ),
        // Check-ins are no part of a snapshot.
        (&|f| f.resource_kinds = kinds(&[Kind::CheckIn]), vec![]),
    ];
    for (change, expected) in table {
        let filter = filter(change);
        let mut listed: Vec<String> = everybody
            .iter()
            .filter(|name| filter.lists(name, scope(state.workspace(), name).as_ref()))
            .map(ToString::to_string)
            .collect();
        listed.sort();
        let mut expected = expected;
        expected.sort_unstable();
        assert_eq!(listed, expected, "{:?}", filter.canonical);
    }
    let all = filter(|f| f.names = acme(&["*"]));
    let listed = everybody
        .iter()
        .filter(|name| all.lists(name, scope(state.workspace(), name).as_ref()));
    assert_eq!(
        listed.count(),
        everybody.len() - 1,
        "the workspace has no name within itself"
    );
}

#[test]
fn a_change_is_taken_where_its_resource_belonged_before_and_where_it_belongs_after() {
    let given = company().and([update_objective("win", |patch| {
        patch.team = Some(Some(id("ops")));
    })]);
    let (last, earlier) = given.commits.split_last().unwrap();
    let mut state = State::empty();
    for commit in earlier {
        state.apply(commit);
    }
    let effect = state.apply(last);
    let (event, name) = (&last.events[0], last.events[0].resource());
    let takes = |filter: &Filter| filter.takes_event(event, &name, effect.concerns.get(&name));
    for (team, expected) in [("teams/ops", true), ("teams/east", true), ("teams/sales", true)] {
        assert_eq!(takes(&filter(|f| f.teams = acme(&[team]))), expected, "{team}");
    }
    assert!(takes(&filter(|f| f.cycles = acme(&["cycles/q1"]))));
    assert!(!takes(&filter(|f| f.cycles = acme(&["cycles/q2"]))));
    assert!(!takes(&filter(
        |f| f.change_kinds = vec![ChangeKind::Created.into()]
    )));
    assert!(takes(&filter(
        |f| f.change_kinds = vec![ChangeKind::Created.into(), ChangeKind::Updated.into()]
    )));
    assert!(
        !filter(|f| f.teams = acme(&["teams/ops"])).takes_event(event, &name, None),
        "it belongs nowhere"
    );
    assert!(filter(|f| f.names = acme(&["objectives/win"])).takes_event(event, &name, None));
}

#[test]
fn a_teams_score_is_that_of_its_cycle() {
    let company = company();
    let state = state_of(&company);
    let score = DerivedChange::Team {
        id: TeamCycle {
            team: id("east"),
            cycle: id("q1"),
        },
        before: None,
        after: Some(0.5),
    };
    let name = score.resource();
    let concern = Concern::Stays(scope(state.workspace(), &name).unwrap());
    let takes = |change: &dyn Fn(&mut SubscriptionFilter)| {
        filter(change).takes_derived(&score, &name, Some(&concern))
    };
    assert!(takes(&|f| f.cycles = acme(&["cycles/q1"])));
    assert!(!takes(&|f| f.cycles = acme(&["cycles/q2"])));
    assert!(takes(&|f| f.teams = acme(&["teams/sales"])));
    assert!(takes(&|f| f.change_kinds = vec![ChangeKind::FigureChanged.into()]));
    assert!(!takes(&|f| f.change_kinds = vec![ChangeKind::ValueChanged.into()]));
    assert!(!takes(&|f| f.resource_kinds = vec![ResourceKind::Cycle.into()]));
}

/// All that can happen, and what it does to its resource; as the contract says it.
const CHANGES: [(&str, ChangeKind); 58] = [
    ("WorkspaceCreated", ChangeKind::Created),
    ("TeamCreated", ChangeKind::Created),
    ("MemberCreated", ChangeKind::Created),
    ("CycleCreated", ChangeKind::Created),
    ("ReviewRecorded", ChangeKind::Created),
    ("ObjectiveCreated", ChangeKind::Created),
    ("KeyResultCreated", ChangeKind::Created),
    ("InitiativeCreated", ChangeKind::Created),
    ("KpiCreated", ChangeKind::Created),
    ("TargetSet", ChangeKind::Created),
    ("AlertOpened", ChangeKind::Created),
    ("WorkspaceUndeleted", ChangeKind::Created),
    ("TeamUndeleted", ChangeKind::Created),
    ("MemberUndeleted", ChangeKind::Created),
    ("ObjectiveUndeleted", ChangeKind::Created),
    ("KeyResultUndeleted", ChangeKind::Created),
    ("InitiativeUndeleted", ChangeKind::Created),
    ("KpiUndeleted", ChangeKind::Created),
    ("WorkspaceUpdated", ChangeKind::Updated),
    ("ScoringPolicyUpdated", ChangeKind::Updated),
    ("TeamUpdated", ChangeKind::Updated),
    ("MemberUpdated", ChangeKind::Updated),
    ("CycleUpdated", ChangeKind::Updated),
    ("ObjectiveUpdated", ChangeKind::Updated),
    ("KeyResultUpdated", ChangeKind::Updated),
    ("InitiativeUpdated", ChangeKind::Updated),
    ("KpiUpdated", ChangeKind::Updated),
    ("TargetSet again", ChangeKind::Updated),
    ("AlertAcknowledged", ChangeKind::Updated),
    ("ActionPlanSet", ChangeKind::Updated),
    ("WorkspaceDeleted", ChangeKind::Deleted),
    ("TeamDeleted", ChangeKind::Deleted),
    ("MemberDeleted", ChangeKind::Deleted),
    ("ObjectiveDeleted", ChangeKind::Deleted),
    ("KeyResultDeleted", ChangeKind::Deleted),
    ("InitiativeDeleted", ChangeKind::Deleted),
    ("KpiDeleted", ChangeKind::Deleted),
    ("TargetDeleted", ChangeKind::Deleted),
    ("EpochStarted", ChangeKind::StateChanged),
    ("DayStarted", ChangeKind::StateChanged),
    ("CycleActivated", ChangeKind::StateChanged),
    ("CycleReviewBegun", ChangeKind::StateChanged),
    ("CycleClosed", ChangeKind::StateChanged),
    ("CycleReopened", ChangeKind::StateChanged),
    ("ObjectiveActivated", ChangeKind::StateChanged),
    ("ObjectiveClosed", ChangeKind::StateChanged),
    ("ObjectiveReopened", ChangeKind::StateChanged),
    ("ObjectiveCanceled", ChangeKind::StateChanged),
    ("KpiArchived", ChangeKind::StateChanged),
    ("KpiUnarchived", ChangeKind::StateChanged),
    ("AlertClosed", ChangeKind::StateChanged),
    ("ActionPlanCompleted", ChangeKind::StateChanged),
    ("ActionPlanOverdue", ChangeKind::StateChanged),
    ("CheckInRecorded", ChangeKind::ValueChanged),
    ("CheckInCorrected", ChangeKind::ValueChanged),
    ("CheckInRetracted", ChangeKind::ValueChanged),
    ("MeasurementRecorded", ChangeKind::ValueChanged),
    ("MeasurementRetracted", ChangeKind::ValueChanged),
];

/// One life with everything in it.
fn life() -> Vec<Event> {
    use crate::domain::{Command, Etag, InitiativePatch, TeamPatch};
    let company = company();
    let breach = company.alert_id("nps", AlertKind::Breach);
    let lived = company.and([
        acknowledge("nps", &breach, "seen"),
        set_plan("nps", &breach, |plan| plan.due_date = Some(day(1, 1))),
        aim("nps", day(1, 1), at_least(49.0)),
        update_workspace(None, |patch| patch.title = Some(title("Acme again"))),
        update_policy(|patch| patch.achieved_from = Some(0.9)),
        Command::UpdateTeam {
            id: id("ops"),
            patch: Box::new(TeamPatch {
                title: Some(title("Operations")),
                ..TeamPatch::default()
            }),
            etag: Etag::Any,
        },
        member("rosa", "rosa@acme.example", crate::domain::Role::Viewer),
        Command::UpdateMember {
            id: id("rosa"),
            patch: Box::new(MemberPatch {
                roles: Some(Roles::parse(vec![crate::domain::Role::Lead]).unwrap()),
                ..MemberPatch::default()
            }),
            etag: Etag::Any,
        },
        update_cycle("q2", |patch| patch.title = Some(title("Second"))),
        retitle("win"),
        update_key_result("win/deals", |patch| patch.title = Some(title("Contracts"))),
        Command::UpdateInitiative {
            id: crate::domain::InitiativeId {
                objective: id("win"),
                id: id("demos"),
            },
            patch: Box::new(InitiativePatch {
                title: Some(title("Shows")),
                ..InitiativePatch::default()
            }),
            etag: Etag::Any,
        },
        update_kpi("nps", |patch| patch.title = Some(title("NPS"))),
        activate("win"),
        saw("win/deals", "a", 3.0),
        correct("win/deals", "a", |patch| patch.value = Some(Some(value(4.0)))),
        retract("win/deals", "a"),
        saw("win/deals", "b", 9.0),
    ]);
    let lived = lived
        .on(1, 3)
        .and([complete_plan("nps", &breach), measured("nps", 1, 3, 70.0)]);
    let mut lived = lived.because("It was too early.").and([
        retract_measured("nps", 1, 3),
        aim_no_more("nps", day(1, 1)),
        archive("nps"),
        unarchive("nps"),
        cancel("win"),
        reopen("win"),
    ]);
    for name in [
        "initiatives/win/demos",
        "keyResults/win/deals",
        "objectives/lone",
        "kpis/nps",
        "teams/ops",
        "members/rosa",
        "workspace",
    ] {
        lived = lived.and([delete(name), undelete(name)]);
    }
    let lived = lived.and([
        close("win", explained()),
        begin_review("q1"),
        close_cycle("q1", vec![]),
        reopen_cycle("q1"),
    ]);
    let restored = Event::EpochStarted(Box::new(EpochStarted {
        restored_revision: crate::domain::Revision(1),
        restored_root: [0; 32],
        reason: "a disk".into(),
    }));
    let events = lived.commits.into_iter().flat_map(|commit| commit.events);
    events.chain([restored]).collect()
}

#[test]
fn every_event_is_a_change_of_the_kind_that_the_contract_says() {
    let mut seen = BTreeSet::new();
    for event in life() {
        let again = matches!(event, Event::TargetSet { before: Some(_), .. });
        let kind = if again { "TargetSet again" } else { event.kind() };
        let (_, expected) = CHANGES
            .iter()
            .find(|(name, _)| *name == kind)
            .unwrap_or_else(|| panic!("{kind} is in no row"));
        assert_eq!(change_kind(&event), *expected, "{kind}");
        seen.insert(kind);
    }
    let missing: Vec<_> = CHANGES.iter().filter(|(name, _)| !seen.contains(name)).collect();
    assert!(missing.is_empty(), "nothing holds {missing:?}");
}

#[test]
fn the_hash_is_the_same_for_every_way_to_write_a_filter_and_another_for_every_other_filter() {
    let everything = filter(|_| {});
    // What the release before has put into its tokens.
    assert_eq!(everything.hash(), Sha256::digest([])[..8]);
    assert!(everything.is_everything());
    let (sales, ops) = ("teams/sales", "teams/ops");
    let both = filter(|f| f.teams = acme(&[sales, ops]));
    assert_eq!(filter(|f| f.teams = acme(&[ops, sales, ops])), both);
    assert_eq!(filter(|f| f.teams = acme(&[ops, sales, ops])).hash(), both.hash());
    let of_kinds = |list: &[ResourceKind]| filter(|f| f.resource_kinds = kinds(list)).hash();
    use ResourceKind::{Kpi, Team};
    assert_eq!(of_kinds(&[Kpi, Team, Kpi]), of_kinds(&[Team, Kpi]));
    let different = [
        everything,
        both,
        filter(|f| f.teams = acme(&[sales])),
        filter(|f| f.names = acme(&[sales])),
        filter(|f| f.names = acme(&["teams/sales*"])),
        filter(|f| f.cycles = acme(&["cycles/sales"])),
        filter(|f| f.resource_kinds = kinds(&[Kpi])),
        filter(|f| f.resource_kinds = kinds(&[Team])),
        filter(|f| f.change_kinds = vec![ChangeKind::Created.into()]),
        filter(|f| f.change_kinds = vec![ChangeKind::Updated.into()]),
        filter(|f| f.names = acme(&["*"])),
    ];
    let hashes: BTreeSet<_> = different.iter().map(Filter::hash).collect();
    let keys: BTreeSet<_> = different.iter().map(Filter::key).collect();
    assert_eq!((hashes.len(), keys.len()), (different.len(), different.len()));
    assert_eq!(
        different.iter().filter(|filter| filter.is_everything()).count(),
        1
    );
}
