//! Every call that changes something, once as it should go, and the revision that its trailer names.

use binnacle::proto::api;
use tonic::Response;
use tonic::metadata::MetadataMap;

use crate::common::*;

/// What a write answers, and the revision in its trailer. tonic hands a unary answer's trailers over with its headers.
fn done<T>(response: Response<T>) -> (T, i64) {
    let revision = revision(response.metadata());
    (response.into_inner(), revision)
}

fn revision(metadata: &MetadataMap) -> i64 {
    let text = metadata
        .get("binnacle-revision")
        .expect("the trailer")
        .to_str()
        .expect("a text");
    text.parse().expect("a revision")
}

#[tokio::test]
async fn a_workspace_its_people_and_its_teams_are_made_and_changed() {
    let server = Server::start().await;
    let mut client = server.workspaces();
    let (workspace, revision) = done(client.create_workspace(new_workspace("acme")).await.unwrap());
    assert_eq!(
        (workspace.name.as_str(), workspace.revision, revision),
        ("workspaces/acme", 1, 1)
    );
    assert_eq!(workspace.today, date(2026, 1, 1));
    assert_eq!(workspace.etag, "r1");

    let update = api::UpdateWorkspaceRequest {
        workspace: Some(api::Workspace {
            ultimate_goal: "Everybody rows".to_owned(),
            title: "not in the mask".to_owned(),
            etag: workspace.etag,
            ..new_workspace("acme").workspace.unwrap()
        }),
        update_mask: mask(&["ultimate_goal"]),
        ..Default::default()
    };
    let mut named = update;
    named.workspace.as_mut().unwrap().name = "workspaces/acme".to_owned();
    let (workspace, revision) = done(client.update_workspace(named).await.unwrap());
    assert_eq!(
        (workspace.ultimate_goal.as_str(), workspace.title.as_str()),
        ("Everybody rows", "acme")
    );
    assert_eq!(revision, 2);

    let (team, _) = done(client.create_team(new_team("sales", "")).await.unwrap());
    assert_eq!(team.name, acme("teams/sales"));
    let (member, _) = done(client.create_member(new_member("maria")).await.unwrap());
    assert_eq!(member.principal, "maria@acme.example");
    let update = api::UpdateTeamRequest {
        team: Some(api::Team {
            name: team.name,
            lead: acme("members/maria"),
            ..Default::default()
        }),
        ..Default::default()
    };
    let (team, revision) = done(client.update_team(update.clone()).await.unwrap());
    assert_eq!(
        (team.lead.as_str(), team.etag.as_str(), revision),
        (acme("members/maria").as_str(), "r5", 5)
    );
    let (_, revision) = done(client.update_team(update).await.unwrap());
    assert_eq!(revision, 5, "what changes nothing has a revision too: the head");
    assert_eq!(server.head().await, 5);
    let update = api::UpdateMemberRequest {
        member: Some(api::Member {
            name: acme("members/maria"),
            roles: vec![api::member::Role::Lead.into()],
            ..Default::default()
        }),
        ..Default::default()
    };
    let (member, _) = done(client.update_member(update).await.unwrap());
    assert_eq!(member.roles, [i32::from(api::member::Role::Lead)]);
}

#[tokio::test]
async fn a_cycle_is_made_changed_and_activated() {
    let server = Server::start().await;
    with_workspace(&server).await;
    let mut client = server.cycles();
    let (cycle, _) = done(client.create_cycle(new_cycle("q1")).await.unwrap());
    assert_eq!(cycle.state(), api::cycle::State::Planned);
    let update = api::UpdateCycleRequest {
        cycle: Some(api::Cycle {
            name: cycle.name.clone(),
            review_date: date(2026, 4, 2),
            ..Default::default()
        }),
        ..Default::default()
    };
    let (cycle, _) = done(client.update_cycle(update).await.unwrap());
    assert_eq!(cycle.review_date, date(2026, 4, 2));
    let activate = api::ActivateCycleRequest {
        name: cycle.name,
        etag: cycle.etag,
        ..Default::default()
    };
    let (cycle, revision) = done(client.activate_cycle(activate).await.unwrap());
    assert_eq!((cycle.state(), revision), (api::cycle::State::Active, 4));
}

#[tokio::test]
async fn an_objective_is_made_changed_activated_and_checked_in_on() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut client = server.objectives();
    let update = api::UpdateObjectiveRequest {
        objective: Some(api::Objective {
            name: acme("objectives/win"),
            weight: Some(0.0),
            serves: vec![acme("kpis/nps")],
            ..Default::default()
        }),
        update_mask: mask(&["weight", "serves", "serves"]),
        ..Default::default()
    };
    let (objective, _) = done(client.update_objective(update).await.unwrap());
    assert_eq!((objective.weight, objective.serves.len()), (Some(0.0), 1));
    assert_eq!(objective.state(), api::objective::State::Active);

    let update = api::UpdateKeyResultRequest {
        key_result: Some(api::KeyResult {
            name: acme("objectives/win/keyResults/deals"),
            due_date: date(2026, 2, 28),
            ..Default::default()
        }),
        ..Default::default()
    };
    let (key_result, _) = done(client.update_key_result(update).await.unwrap());
    assert_eq!(key_result.due_date, date(2026, 2, 28));

    let update = api::UpdateInitiativeRequest {
        initiative: Some(api::Initiative {
            name: acme("objectives/win/initiatives/demos"),
            state: api::initiative::State::Done.into(),
            done_count: Some(0),
            key_result: acme("objectives/win/keyResults/deals"),
            ..Default::default()
        }),
        ..Default::default()
    };
    let (initiative, _) = done(client.update_initiative(update).await.unwrap());
    assert_eq!(
        (initiative.state(), initiative.done_count),
        (api::initiative::State::Done, Some(0))
    );

    let request = new_check_in("objectives/win/keyResults/deals", "first", 5.0);
    let (check_in, revision) = done(client.create_check_in(request).await.unwrap());
    assert_eq!(
        (check_in.value, check_in.principal.as_str()),
        (Some(5.0), "anonymous")
    );
    assert_eq!(
        (check_in.revision, revision),
        (server.head().await, check_in.revision)
    );
    let request = api::GetKeyResultRequest {
        name: acme("objectives/win/keyResults/deals"),
        min_revision: revision,
        as_of: None,
    };
    let progress = client
        .get_key_result(request)
        .await
        .unwrap()
        .into_inner()
        .progress
        .unwrap();
    assert_eq!((progress.current, progress.score), (Some(5.0), 0.5));
    assert_eq!(progress.status(), api::Status::OnTrack);
}

#[tokio::test]
async fn a_kpi_is_made_changed_given_a_target_and_measured() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let mut client = server.kpis();
    let update = api::UpdateKpiRequest {
        kpi: Some(api::Kpi {
            name: acme("kpis/nps"),
            area: "care".to_owned(),
            labels: [("tier".to_owned(), "1".to_owned())].into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let (kpi, _) = done(client.update_kpi(update).await.unwrap());
    assert_eq!(kpi.area, "care");
    let (target, revision) = done(client.set_target(new_target("nps")).await.unwrap());
    assert_eq!(
        (target.name, target.revision),
        (acme("kpis/nps/targets/2026-01-01"), revision)
    );

    let (measured, revision) = done(client.record_measurement(measure("nps", 0, 51.0)).await.unwrap());
    assert_eq!((measured.value, measured.revision), (Some(51.0), revision));
    let (again, same) = done(client.record_measurement(measure("nps", 0, 51.0)).await.unwrap());
    assert_eq!(
        (again.revision, same),
        (revision, revision),
        "an identical repeat records nothing"
    );
    assert_eq!(server.head().await, revision);

    let batch = api::BatchRecordMeasurementsRequest {
        parent: acme("kpis/-"),
        measurements: [(0, 51.0), (0, 51.0), (1, 7.0), (2, 8.0)]
            .map(|(second, value)| api::Measurement {
                kpi: acme("kpis/nps"),
                ..measure("nps", second, value).measurement.unwrap()
            })
            .to_vec(),
        ..Default::default()
    };
    let (batch, revision) = done(client.batch_record_measurements(batch).await.unwrap());
    assert_eq!(
        (
            batch.recorded_count,
            batch.superseded_count,
            batch.unchanged_count
        ),
        (2, 0, 2)
    );
    assert_eq!(batch.revision, revision);
    let (superseded, _) = done(client.record_measurement(measure("nps", 2, 49.0)).await.unwrap());
    assert_eq!(superseded.value, Some(49.0));
    let request = api::GetKpiRequest {
        name: acme("kpis/nps"),
        min_revision: 0,
        as_of: None,
    };
    let health = client
        .get_kpi(request)
        .await
        .unwrap()
        .into_inner()
        .health
        .unwrap();
    assert_eq!(health.health(), api::Health::Breached);
    assert_eq!((health.latest_value, health.measurement_count), (Some(49.0), 3));
}
