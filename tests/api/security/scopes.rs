//! How far roles reach: teams with those below, and what somebody owns.

use binnacle::proto::api;
use tonic::Code;

use super::{Guarded, kpi_client, workspace_client};
use crate::common::*;

/// Adds a team below another, and a member with a role in some teams; both by the owner.
async fn with_team_and_member(guarded: &Guarded, member: &str, role: i32, teams: &[&str]) {
    let owner = guarded.channel_of("owner").await;
    let team = |id: &str, parent: &str| api::CreateTeamRequest {
        parent: "workspaces/acme".to_owned(),
        team_id: id.to_owned(),
        team: Some(api::Team {
            title: id.to_owned(),
            parent_team: parent.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    for (id, parent) in [("field", acme("teams/sales")), ("support", String::new())] {
        let created = workspace_client(&owner).create_team(team(id, &parent)).await;
        created.expect("a team");
    }
    for (id, team) in [
        ("of-field", "field"),
        ("of-support", "support"),
        ("of-nobody", ""),
    ] {
        let mut kpi = new_kpi(id);
        let fields = kpi.kpi.as_mut().expect("a KPI");
        fields.team = if team.is_empty() {
            String::new()
        } else {
            acme(&format!("teams/{team}"))
        };
        kpi_client(&owner).create_kpi(kpi).await.expect("a KPI");
    }
    let member = api::CreateMemberRequest {
        parent: "workspaces/acme".to_owned(),
        member_id: member.to_owned(),
        member: Some(api::Member {
            title: member.to_owned(),
            principal: member.to_owned(),
            roles: vec![role],
            teams: teams.iter().map(|team| acme(&format!("teams/{team}"))).collect(),
            ..Default::default()
        }),
        ..Default::default()
    };
    workspace_client(&owner)
        .create_member(member)
        .await
        .expect("a member");
}

#[tokio::test]
async fn a_scoped_role_changes_what_belongs_to_its_teams_and_those_below_and_reads_everything() {
    let guarded = Guarded::new().await;
    with_team_and_member(&guarded, "sam", 3, &["sales"]).await;
    let sam = guarded.channel_of("sam").await;
    let measured = async |kpi: &str| {
        let answer = kpi_client(&sam).record_measurement(measure(kpi, -5, 1.0)).await;
        answer
            .map(drop)
            .map_err(|status| (status.code(), reason_of(&status)))
    };
    let outside = Err((Code::PermissionDenied, "OUTSIDE_TEAMS".to_owned()));
    assert_eq!(measured("of-field").await, Ok(()));
    assert_eq!(measured("of-support").await, outside);
    assert_eq!(measured("of-nobody").await, outside);
    let get = api::GetKpiRequest {
        name: acme("kpis/of-support"),
        ..Default::default()
    };
    kpi_client(&sam)
        .get_kpi(get)
        .await
        .expect("everybody reads everything");
    // Nothing is pulled in or pushed out.
    let moved = async |kpi: &str, team: &str| {
        let update = api::UpdateKpiRequest {
            kpi: Some(api::Kpi {
                name: acme(&format!("kpis/{kpi}")),
                team: acme(&format!("teams/{team}")),
                ..Default::default()
            }),
            update_mask: Some(prost_types::FieldMask {
                paths: vec!["team".to_owned()],
            }),
            ..Default::default()
        };
        let answer = kpi_client(&sam).update_kpi(update).await;
        answer
            .map(drop)
            .map_err(|status| (status.code(), reason_of(&status)))
    };
    assert_eq!(moved("of-support", "sales").await, outside);
    assert_eq!(moved("of-field", "support").await, outside);
    assert_eq!(moved("of-field", "sales").await, Ok(()));
    // A batch is refused whole.
    let batch = api::BatchRecordMeasurementsRequest {
        parent: acme("kpis/-"),
        measurements: ["of-field", "of-support"]
            .iter()
            .map(|kpi| api::Measurement {
                kpi: acme(&format!("kpis/{kpi}")),
                ..measure(kpi, -9, 2.0).measurement.expect("a measurement")
            })
            .collect(),
        ..Default::default()
    };
    let refused = kpi_client(&sam)
        .batch_record_measurements(batch)
        .await
        .expect_err("outside");
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
}

#[tokio::test]
async fn a_contributor_changes_what_is_theirs() {
    let guarded = Guarded::new().await;
    let owner = guarded.channel_of("owner").await;
    for (id, member) in [("mine", "contributor"), ("yours", "manager")] {
        let mut kpi = new_kpi(id);
        kpi.kpi.as_mut().expect("a KPI").owner = acme(&format!("members/{member}"));
        kpi_client(&owner).create_kpi(kpi).await.expect("a KPI");
    }
    let contributor = guarded.channel_of("contributor").await;
    let measured = async |kpi: &str| {
        let answer = kpi_client(&contributor)
            .record_measurement(measure(kpi, -5, 1.0))
            .await;
        answer
            .map(drop)
            .map_err(|status| (status.code(), reason_of(&status)))
    };
    assert_eq!(measured("mine").await, Ok(()));
    assert_eq!(
        measured("yours").await,
        Err((Code::PermissionDenied, "NOT_OWN".to_owned()))
    );
    assert_eq!(
        measured("none").await,
        Err((Code::NotFound, "NOT_FOUND".to_owned()))
    );
}

#[tokio::test]
async fn a_retry_is_answered_only_to_who_still_may() {
    let guarded = Guarded::new().await;
    let manager = guarded.channel_of("manager").await;
    let request = || api::RecordMeasurementRequest {
        request_id: "3f0d6f8e-6c1d-4b7e-9a55-0c2b1d9e7f42".to_owned(),
        ..measure("nps", -5, 1.0)
    };
    kpi_client(&manager)
        .record_measurement(request())
        .await
        .expect("a measurement");
    kpi_client(&manager)
        .record_measurement(request())
        .await
        .expect("the same again");
    let owner = guarded.channel_of("owner").await;
    let delete = api::DeleteMemberRequest {
        name: acme("members/manager"),
        ..Default::default()
    };
    workspace_client(&owner)
        .delete_member(delete)
        .await
        .expect("deleted");
    let refused = kpi_client(&manager)
        .record_measurement(request())
        .await
        .expect_err("no member");
    assert_eq!(refused.code(), Code::NotFound, "{refused}");
}
