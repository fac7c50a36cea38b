//! What a second manifest changes, and what it leaves alone.

use binnacle::proto::api;

use crate::lists::Lists;
use crate::server::Server;

const EVERYTHING: &str = include_str!("everything.yaml");

#[test]
fn what_is_there_already_is_unchanged_and_records_nothing() {
    let server = Server::with(EVERYTHING);
    let (revision, before) = (server.revision(), Lists::of(&server));
    for _ in 0..2 {
        let run = server.apply_text(EVERYTHING, &[]);
        assert_eq!(run.good().changes(), [""; 0]);
        assert_eq!(run.summary(), "44 documents: 0 created, 0 updated, 44 unchanged");
    }
    assert_eq!(server.revision(), revision);
    assert_eq!(Lists::of(&server), before);
}

#[test]
fn only_what_is_given_changes_and_null_clears_it() {
    let server = Server::with(EVERYTHING);
    let before = Lists::of(&server);
    let change = "kind: Kpi\nname: kpis/revenue\ntitle: Revenue of all\nowner: null\nlabels: null\n---\n\
        kind: Workspace\nultimate_goal: null\n---\n\
        kind: Target\nname: kpis/revenue/targets/2026-01-01\ncritical_at_least: 900\n---\n\
        kind: CheckIn\nname: objectives/grow/keyResults/steps/checkIns/w1\nconfidence: 0.25\neffective_date: 2026-01-13\n---\n\
        kind: KeyResult\nname: objectives/grow/keyResults/more\nmetric: {target: 50}\n---\n\
        kind: ScoringPolicy\nhygiene: {key_results_min: 1}\n---\n\
        kind: Cycle\nname: cycles/q2\nreview_date: 2026-07-01\nstate: ACTIVE\n---\n\
        kind: Initiative\nname: objectives/grow/initiatives/plan\nstate: DONE\n---\n\
        kind: Member\nname: members/jo\nroles: [LEAD, MANAGER]\n---\n\
        kind: Team\nname: teams/sales\nlead: members/jo\n---\n\
        kind: Series\nkpi: kpis/revenue\npoints:\n\
        \x20 - {date: 2026-02-01, value: 750}\n  - {date: 2025-12-31, value: 1000}\n  - {date: 2026-02-02, value: 5}\n";
    let run = server.apply_text(change, &["--workspace", "acme", "--reason", "looked again"]);
    assert_eq!(
        run.good().changes(),
        [
            "update    workspaces/acme",
            "            ultimate_goal: what customers come back to → none",
            "update    teams/sales",
            "            lead: none → members/jo",
            "update    scoringPolicy",
            "            hygiene: {objectives_of_team_max: 3, key_results_min: 2, key_results_max: 5, kpis_of_area_min: 3, kpis_of_area_max: 5, confidence_min: 0.5, linked_kpis_share_max: 0.5, breached_periods_max: 2} → {objectives_of_team_max: 3, key_results_min: 1, key_results_max: 5, kpis_of_area_min: 3, kpis_of_area_max: 5, confidence_min: 0.5, linked_kpis_share_max: 0.5, breached_periods_max: 2}",
            "update    cycles/q2",
            "            review_date: none → 2026-07-01",
            "            state: PLANNED → ACTIVE",
            "update    kpis/revenue",
            "            title: Revenue → Revenue of all",
            "            owner: members/jo → none",
            "            labels: {source: crm} → none",
            "update    kpis/revenue/targets/2026-01-01",
            "            critical_at_least: none → 900",
            "update    the series of kpis/revenue",
            "            1 measurement more",
            "            2026-02-01T03:00:00Z: 700 → 750",
            "update    objectives/grow/keyResults/more",
            "            metric: {baseline: 40, target: 44, relative_target: {percent: 10}} → {baseline: 40, target: 50}",
            "update    objectives/grow/initiatives/plan",
            "            state: PLANNED → DONE",
            "update    objectives/grow/keyResults/steps/checkIns/w1",
            "            confidence: 0.5 → 0.25",
            "            effective_time: 2026-01-12T03:00:00Z → 2026-01-13T03:00:00Z",
        ]
    );
    assert_eq!(run.summary(), "11 documents: 0 created, 10 updated, 1 unchanged");

    let mut expect = before;
    expect.workspace.ultimate_goal.clear();
    expect.policy.hygiene.as_mut().unwrap().key_results_min = Some(1);
    for team in expect
        .teams
        .iter_mut()
        .filter(|team| team.name.ends_with("/sales"))
    {
        team.lead = "workspaces/acme/members/jo".to_owned();
    }
    for cycle in expect
        .cycles
        .iter_mut()
        .filter(|cycle| cycle.name.ends_with("/q2"))
    {
        cycle.state = api::cycle::State::Active.into();
        cycle.review_date = Some(binnacle::proto::google_type::Date {
            year: 2026,
            month: 7,
            day: 1,
        });
    }
    for kpi in expect
        .kpis
        .iter_mut()
        .filter(|kpi| kpi.name.ends_with("/revenue"))
    {
        kpi.title = "Revenue of all".to_owned();
        kpi.owner.clear();
        kpi.labels.clear();
    }
    expect.targets.last_mut().unwrap().critical_at_least = Some(900.0);
    let after = Lists::of(&server);
    assert_eq!((after.workspace, after.policy), (expect.workspace, expect.policy));
    assert_eq!((after.teams, after.cycles), (expect.teams, expect.cycles));
    assert_eq!(
        (after.kpis, after.targets, after.objectives),
        (expect.kpis, expect.targets, expect.objectives)
    );
    let values: Vec<_> = after
        .measurements
        .iter()
        .filter(|one| one.kpi.ends_with("/revenue"))
        .collect();
    let values: Vec<_> = values.iter().map(|one| one.value.unwrap()).collect();
    assert_eq!(values, [1000.0, 400.25, 600.0, 750.0, 5.0]);

    let again = server.apply_text(change, &["--workspace", "acme"]);
    assert_eq!(again.good().changes(), [""; 0]);
}

#[test]
fn a_dry_run_says_what_would_be_and_writes_nothing() {
    let server = Server::start();
    let dry = server.apply_text(EVERYTHING, &["--dry-run"]);
    assert_eq!(
        dry.good().summary(),
        "44 documents: 44 would be created, 0 would be updated, 0 unchanged"
    );
    assert_eq!(server.revision(), 0);
    let real = server.apply_text(EVERYTHING, &[]);
    assert_eq!(real.good().changes(), dry.changes());
    let revision = server.revision();
    let change = "kind: Kpi\nname: workspaces/acme/kpis/mood\ntitle: Moods\n";
    let dry = server.apply_text(change, &["--dry-run"]);
    assert_eq!(
        dry.good().stdout,
        "update    kpis/mood\n            title: Mood → Moods\n1 document: 0 would be created, 1 would be updated, 0 unchanged\n"
    );
    assert_eq!(server.revision(), revision);
}

#[test]
fn a_resource_that_is_further_along_is_not_moved_back() {
    let server = Server::with(EVERYTHING);
    let back = "kind: Cycle\nname: workspaces/acme/cycles/q4\nstate: ACTIVE\n---\n\
        kind: Objective\nname: objectives/won\nstate: ACTIVE\n---\n\
        kind: Objective\nname: objectives/given-up\nstate: CLOSED\n";
    let run = server.apply_text(back, &[]);
    assert_eq!(run.good().changes(), [""; 0]);
    assert_eq!(
        run.stderr.lines().collect::<Vec<_>>(),
        [
            "cycles/q4 is CLOSED and stays so, though its manifest says ACTIVE: reopen it where that is meant",
            "objectives/won is CLOSED and stays so, though its manifest says ACTIVE: reopen it where that is meant",
            "objectives/given-up is CANCELED and stays so, though its manifest says CLOSED: reopen it where that is meant",
        ]
    );
}

#[test]
fn an_objective_closes_by_itself_or_with_its_cycle_with_what_is_said() {
    let server = Server::with(EVERYTHING);
    let close = "kind: Objective\nname: workspaces/acme/objectives/grow\nstate: CLOSED\nclosing:\n  explanation: too little\n  learned: a lot\n";
    let run = server.apply_text(close, &[]);
    assert_eq!(
        run.good().changes(),
        ["update    objectives/grow", "            state: ACTIVE → CLOSED"]
    );
    assert_eq!(server.apply_text(close, &[]).good().changes(), [""; 0]);
    let said_otherwise = close.replace("a lot", "nothing");
    server.apply_text(&said_otherwise, &[]).refused(&[
        "-:6: closing.learned: a lot → nothing; what was said as it closed stays: reopen it first",
    ]);
    let end = "kind: Cycle\nname: workspaces/acme/cycles/q1\nstate: CLOSED\n---\n\
        kind: Objective\nname: objectives/aligned\nstate: CLOSED\nclosing: {learned: more}\n";
    let run = server.apply_text(end, &[]);
    assert_eq!(
        run.good().changes(),
        [
            "update    cycles/q1",
            "            state: ACTIVE → CLOSED",
            "update    objectives/aligned",
            "            state: ACTIVE → CLOSED",
        ]
    );
    let closed = |name: &str| {
        let request = api::GetObjectiveRequest {
            name: format!("workspaces/acme/objectives/{name}"),
            min_revision: 0,
            as_of: None,
        };
        let objective = server
            .ask(server.objectives().get_objective(request))
            .expect("an objective");
        let result = objective.into_inner().result.expect("a result");
        (result.with_cycle, result.closing.expect("a closing").learned)
    };
    assert_eq!(closed("grow"), (false, "a lot".to_owned()));
    assert_eq!(closed("aligned"), (true, "more".to_owned()));
}

#[test]
fn an_old_answer_is_never_taken_for_a_new_one() {
    let server = Server::with(EVERYTHING);
    let to = |value: u32| {
        format!(
            "kind: Series\nkpi: workspaces/acme/kpis/old-latency\npoints: [{{date: 2026-01-01, value: {value}}}]\n"
        )
    };
    let named = |value: u32| to(value).replace("workspaces/acme/", "");
    let apply = |text: &str| server.apply_text(text, &["--workspace", "acme"]);
    // The same request for the third time: the server remembers what it answered the first time.
    for value in [5, 6, 5, 6, 5] {
        apply(&named(value)).good();
        let newest = Lists::of(&server)
            .measurements
            .into_iter()
            .find(|one| one.kpi.ends_with("/old-latency"));
        assert_eq!(newest.and_then(|one| one.value), Some(f64::from(value)));
    }
    let titled = |title: &str| format!("kind: Team\nname: teams/sales\ntitle: {title}\n");
    for title in ["A", "B", "A", "B"] {
        apply(&titled(title)).good();
        let teams = Lists::of(&server).teams;
        assert!(teams.iter().any(|team| team.title == title), "{title}: {teams:?}");
    }
}

#[test]
fn the_last_owner_steps_down_after_the_next_has_come() {
    let server = Server::with(EVERYTHING);
    let roles = "kind: Member\nname: workspaces/acme/members/maria\nroles: [LEAD]\n---\n\
        kind: Member\nname: members/zoe\ntitle: Zoe\nprincipal: zoe\nroles: [OWNER]\n";
    let run = server.apply_text(roles, &[]);
    assert_eq!(
        run.good().changes(),
        [
            "create    members/zoe",
            "update    members/maria",
            "            roles: [OWNER] → [LEAD]"
        ]
    );
}

#[test]
fn whoever_creates_a_workspace_is_told_what_becomes_of_them() {
    let server = Server::start();
    let workspace = "kind: Workspace\nname: workspaces/acme\ntitle: Acme\n";
    let run = server.run(&["apply", "-f", "-"], workspace);
    assert_eq!(
        run.good().stdout,
        "create    workspaces/acme\n1 document: 1 created, 0 updated, 0 unchanged\n"
    );
    assert_eq!(
        run.stderr,
        "members/anonymous creates the workspace and so becomes its owner, beside the members of the manifests: --actor says who that is\n"
    );
    assert_eq!(Lists::of(&server).members.len(), 1);
}

#[test]
fn a_series_longer_than_one_question_is_checked_and_recorded_whole() {
    let server = Server::with(EVERYTHING);
    let point = |at: usize| {
        format!(
            "  - {{time: 2025-03-01T{:02}:{:02}:{:02}Z, value: {at}, source_id: {}}}\n",
            at / 3600,
            at / 60 % 60,
            at % 60,
            "s".repeat(100)
        )
    };
    // More than 3 MiB of measurements, the oldest of them not right for a count.
    let kpi = "kind: Kpi\nname: kpis/many\ntitle: Many\nunit: {kind: COUNT}\ndirection: HIGHER_IS_BETTER\ncadence: DAILY\n---\n";
    let good: String = (1..=30_000).map(point).collect();
    let series = |points: &str| format!("{kpi}kind: Series\nkpi: kpis/many\npoints:\n{points}");
    let apply = |text: &str| server.apply_text(text, &["--workspace", "acme"]);
    let bad = format!("{good}  - {{time: 2025-02-01T00:00:00Z, value: 0.5}}\n");
    let refused = apply(&series(&bad));
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""));
    let first = refused.stderr.lines().next().unwrap_or_default();
    assert!(
        first.starts_with("-:30011: ") && first.contains("whole"),
        "{}",
        refused.stderr
    );
    let run = apply(&series(&good));
    assert_eq!(
        run.good().changes(),
        [
            "create    kpis/many",
            "create    the series of kpis/many",
            "            30000 measurements more"
        ]
    );
    assert_eq!(apply(&series(&good)).good().changes(), [""; 0]);
}
