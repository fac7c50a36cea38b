//! Every call of the API, with a request that is well formed and changes nothing, and the right that it takes.

use binnacle::domain::Right;
use binnacle::proto::API_DESCRIPTOR_SET;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use tonic::{Request, Status};

use super::Known;
use crate::common::every_read::Bytes;

/// What a call takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// A right in the workspace.
    Right(Right),
    /// Nothing but to be known; what is answered is of the caller's workspaces.
    Known,
    /// To run the server.
    Operator,
}

use Right::{Administer, Audit, CheckIn, Measure, Read, SetKpis, SetObjectives, Steer};

const fn right(right: Right) -> Takes {
    Takes::Right(right)
}

/// Beside the lists and the like, which are asked about the workspace alone: the call, what it takes, and the request as JSON.
pub(crate) const CALLS: &[(&str, Takes, &str)] = &[
    (
        "CreateWorkspace",
        Takes::Operator,
        r#"{"workspace_id":"acme","workspace":{"title":"A"}}"#,
    ),
    ("ListWorkspaces", Takes::Known, "{}"),
    ("GetWorkspace", right(Read), r#"{"name":"W"}"#),
    (
        "UpdateWorkspace",
        right(Administer),
        r#"{"workspace":{"name":"W","title":"A","etag":"x"},"update_mask":"title"}"#,
    ),
    ("DeleteWorkspace", right(Administer), r#"{"name":"W","etag":"x"}"#),
    (
        "UndeleteWorkspace",
        right(Administer),
        r#"{"name":"W","etag":"x"}"#,
    ),
    (
        "CreateTeam",
        right(Steer),
        r#"{"parent":"W","team_id":"sales","team":{"title":"S"}}"#,
    ),
    ("GetTeam", right(Read), r#"{"name":"W/teams/sales"}"#),
    ("ListTeams", right(Read), r#"{"parent":"W"}"#),
    (
        "UpdateTeam",
        right(Steer),
        r#"{"team":{"name":"W/teams/sales","title":"S","etag":"x"},"update_mask":"title"}"#,
    ),
    (
        "DeleteTeam",
        right(Steer),
        r#"{"name":"W/teams/sales","etag":"x"}"#,
    ),
    (
        "UndeleteTeam",
        right(Steer),
        r#"{"name":"W/teams/sales","etag":"x"}"#,
    ),
    (
        "CreateMember",
        right(Administer),
        r#"{"parent":"W","member_id":"owner","member":{"title":"A","principal":"a","roles":["ROLE_VIEWER"]}}"#,
    ),
    ("GetMember", right(Read), r#"{"name":"W/members/owner"}"#),
    ("ListMembers", right(Read), r#"{"parent":"W"}"#),
    (
        "UpdateMember",
        right(Administer),
        r#"{"member":{"name":"W/members/viewer","title":"A","etag":"x"},"update_mask":"title"}"#,
    ),
    (
        "DeleteMember",
        right(Administer),
        r#"{"name":"W/members/viewer","etag":"x"}"#,
    ),
    (
        "UndeleteMember",
        right(Administer),
        r#"{"name":"W/members/viewer","etag":"x"}"#,
    ),
    ("GetScoringPolicy", right(Read), r#"{"name":"W/scoringPolicy"}"#),
    ("ListScoringPolicies", right(Read), r#"{"parent":"W"}"#),
    (
        "UpdateScoringPolicy",
        right(Steer),
        r#"{"scoring_policy":{"name":"W/scoringPolicy","etag":"x","check_in_cadence_days":7},"update_mask":"checkInCadenceDays"}"#,
    ),
    (
        "CreateCycle",
        right(Steer),
        r#"{"parent":"W","cycle_id":"q1","cycle":{"title":"Q","first_date":{"year":2026,"month":1,"day":1},"last_date":{"year":2026,"month":3,"day":31}}}"#,
    ),
    ("GetCycle", right(Read), r#"{"name":"W/cycles/q1"}"#),
    ("ListCycles", right(Read), r#"{"parent":"W"}"#),
    (
        "UpdateCycle",
        right(Steer),
        r#"{"cycle":{"name":"W/cycles/q1","title":"Q","etag":"x"},"update_mask":"title"}"#,
    ),
    (
        "ActivateCycle",
        right(Steer),
        r#"{"name":"W/cycles/q1","etag":"x"}"#,
    ),
    (
        "BeginCycleReview",
        right(Steer),
        r#"{"name":"W/cycles/q1","etag":"x"}"#,
    ),
    ("CloseCycle", right(Steer), r#"{"name":"W/cycles/q1","etag":"x"}"#),
    (
        "ReopenCycle",
        right(Steer),
        r#"{"name":"W/cycles/q1","etag":"x","reason":"r"}"#,
    ),
    (
        "CreateReview",
        right(Steer),
        r#"{"parent":"W/cycles/none","review_id":"r1","review":{"achieved":"a"}}"#,
    ),
    ("GetReview", right(Read), r#"{"name":"W/cycles/q1/reviews/none"}"#),
    ("ListReviews", right(Read), r#"{"parent":"W/cycles/q1"}"#),
    (
        "CreateObjective",
        right(SetObjectives),
        r#"{"parent":"W","objective_id":"win","objective":{"title":"O","cycle":"W/cycles/q1"}}"#,
    ),
    ("GetObjective", right(Read), r#"{"name":"W/objectives/win"}"#),
    ("ListObjectives", right(Read), r#"{"parent":"W"}"#),
    (
        "UpdateObjective",
        right(SetObjectives),
        r#"{"objective":{"name":"W/objectives/win","title":"O","etag":"x"},"update_mask":"title"}"#,
    ),
    (
        "DeleteObjective",
        right(SetObjectives),
        r#"{"name":"W/objectives/win","etag":"x"}"#,
    ),
    (
        "UndeleteObjective",
        right(SetObjectives),
        r#"{"name":"W/objectives/win","etag":"x"}"#,
    ),
    (
        "ActivateObjective",
        right(SetObjectives),
        r#"{"name":"W/objectives/win","etag":"x"}"#,
    ),
    (
        "CloseObjective",
        right(SetObjectives),
        r#"{"name":"W/objectives/win","etag":"x"}"#,
    ),
    (
        "ReopenObjective",
        right(SetObjectives),
        r#"{"name":"W/objectives/win","etag":"x","reason":"r"}"#,
    ),
    (
        "CancelObjective",
        right(SetObjectives),
        r#"{"name":"W/objectives/win","etag":"x"}"#,
    ),
    (
        "CarryOverObjective",
        right(SetObjectives),
        r#"{"name":"W/objectives/win","etag":"x","cycle":"W/cycles/q1"}"#,
    ),
    (
        "CascadeObjective",
        right(SetObjectives),
        r#"{"name":"W/objectives/win","etag":"x","teams":[{"team":"W/teams/sales"}]}"#,
    ),
    (
        "CreateKeyResult",
        right(SetObjectives),
        r#"{"parent":"W/objectives/win","key_result_id":"deals","key_result":{"title":"K","binary":{}}}"#,
    ),
    (
        "GetKeyResult",
        right(Read),
        r#"{"name":"W/objectives/win/keyResults/deals"}"#,
    ),
    ("ListKeyResults", right(Read), r#"{"parent":"W/objectives/win"}"#),
    (
        "UpdateKeyResult",
        right(SetObjectives),
        r#"{"key_result":{"name":"W/objectives/win/keyResults/deals","title":"K","etag":"x"},"update_mask":"title"}"#,
    ),
    (
        "DeleteKeyResult",
        right(SetObjectives),
        r#"{"name":"W/objectives/win/keyResults/deals","etag":"x"}"#,
    ),
    (
        "UndeleteKeyResult",
        right(SetObjectives),
        r#"{"name":"W/objectives/win/keyResults/deals","etag":"x"}"#,
    ),
    (
        "CreateInitiative",
        right(CheckIn),
        r#"{"parent":"W/objectives/win","initiative_id":"demos","initiative":{"title":"I"}}"#,
    ),
    (
        "GetInitiative",
        right(Read),
        r#"{"name":"W/objectives/win/initiatives/demos"}"#,
    ),
    ("ListInitiatives", right(Read), r#"{"parent":"W/objectives/win"}"#),
    (
        "UpdateInitiative",
        right(CheckIn),
        r#"{"initiative":{"name":"W/objectives/win/initiatives/demos","title":"I","etag":"x"},"update_mask":"title"}"#,
    ),
    (
        "DeleteInitiative",
        right(CheckIn),
        r#"{"name":"W/objectives/win/initiatives/demos","etag":"x"}"#,
    ),
    (
        "UndeleteInitiative",
        right(CheckIn),
        r#"{"name":"W/objectives/win/initiatives/demos","etag":"x"}"#,
    ),
    (
        "CreateCheckIn",
        right(CheckIn),
        r#"{"parent":"W/objectives/win/keyResults/nps","check_in_id":"c","check_in":{"value":1}}"#,
    ),
    (
        "BatchCreateCheckIns",
        right(CheckIn),
        r#"{"parent":"W","requests":[{"parent":"W/objectives/win/keyResults/nps","check_in_id":"c","check_in":{"value":1}}]}"#,
    ),
    (
        "CorrectCheckIn",
        right(CheckIn),
        r#"{"check_in":{"name":"W/objectives/win/keyResults/deals/checkIns/none","comment":"c"},"update_mask":"comment","reason":"r"}"#,
    ),
    (
        "RetractCheckIn",
        right(CheckIn),
        r#"{"name":"W/objectives/win/keyResults/deals/checkIns/none","reason":"r"}"#,
    ),
    (
        "ListCheckIns",
        right(Read),
        r#"{"parent":"W/objectives/win/keyResults/deals"}"#,
    ),
    ("GetObjectiveTree", right(Read), r#"{"name":"W"}"#),
    ("GetScoreSeries", right(Read), r#"{"name":"W"}"#),
    (
        "CreateKpi",
        right(SetKpis),
        r#"{"parent":"W","kpi_id":"nps","kpi":{"title":"K","unit":{"kind":"KIND_NUMBER"},"direction":"DIRECTION_HIGHER_IS_BETTER","cadence":"CADENCE_DAILY"}}"#,
    ),
    ("GetKpi", right(Read), r#"{"name":"W/kpis/nps"}"#),
    ("ListKpis", right(Read), r#"{"parent":"W"}"#),
    (
        "UpdateKpi",
        right(SetKpis),
        r#"{"kpi":{"name":"W/kpis/nps","title":"K","etag":"x"},"update_mask":"title"}"#,
    ),
    (
        "ArchiveKpi",
        right(SetKpis),
        r#"{"name":"W/kpis/nps","etag":"x"}"#,
    ),
    (
        "UnarchiveKpi",
        right(SetKpis),
        r#"{"name":"W/kpis/nps","etag":"x"}"#,
    ),
    ("DeleteKpi", right(SetKpis), r#"{"name":"W/kpis/nps","etag":"x"}"#),
    (
        "UndeleteKpi",
        right(SetKpis),
        r#"{"name":"W/kpis/nps","etag":"x"}"#,
    ),
    (
        "SetTarget",
        right(SetKpis),
        r#"{"parent":"W/kpis/none","target":{"effective_date":{"year":2026,"month":1,"day":1},"at_least":1}}"#,
    ),
    (
        "DeleteTarget",
        right(SetKpis),
        r#"{"name":"W/kpis/nps/targets/1999-01-01"}"#,
    ),
    ("ListTargets", right(Read), r#"{"parent":"W/kpis/nps"}"#),
    (
        "RecordMeasurement",
        right(Measure),
        r#"{"parent":"W/kpis/nps","measurement":{"effective_time":"2199-01-01T00:00:00Z","value":1}}"#,
    ),
    (
        "BatchRecordMeasurements",
        right(Measure),
        r#"{"parent":"W/kpis/nps","measurements":[{"effective_time":"2199-01-01T00:00:00Z","value":1}]}"#,
    ),
    (
        "IngestMeasurements",
        right(Measure),
        r#"{"parent":"W/kpis/nps","rows":[{"sequence":"1","measurement":{"effective_time":"2026-01-01T00:00:00Z","value":1}}]}"#,
    ),
    (
        "CorrectMeasurement",
        right(Measure),
        r#"{"parent":"W/kpis/nps","measurement":{"effective_time":"1999-01-01T00:00:00Z","value":1},"reason":"r"}"#,
    ),
    (
        "RetractMeasurement",
        right(Measure),
        r#"{"parent":"W/kpis/nps","effective_time":"1999-01-01T00:00:00Z","reason":"r"}"#,
    ),
    ("ListMeasurements", right(Read), r#"{"parent":"W/kpis/nps"}"#),
    ("GetSeries", right(Read), r#"{"name":"W/kpis/nps"}"#),
    (
        "BatchGetSeries",
        right(Read),
        r#"{"parent":"W","names":["W/kpis/nps"]}"#,
    ),
    ("GetAlert", right(Read), r#"{"name":"W/kpis/nps/alerts/none"}"#),
    ("ListAlerts", right(Read), r#"{"parent":"W/kpis/nps"}"#),
    (
        "AcknowledgeAlert",
        right(SetKpis),
        r#"{"name":"W/kpis/nps/alerts/none","note":"n"}"#,
    ),
    (
        "SetActionPlan",
        right(SetKpis),
        r#"{"name":"W/kpis/nps/alerts/none","action_plan":{"text":"t","due_date":{"year":2026,"month":2,"day":1}}}"#,
    ),
    (
        "CompleteActionPlan",
        right(SetKpis),
        r#"{"name":"W/kpis/nps/alerts/none","note":"n"}"#,
    ),
    (
        "StartObjectiveFromKpi",
        right(SetObjectives),
        r#"{"name":"W/kpis/nps","cycle":"W/cycles/q1","objective_id":"win"}"#,
    ),
    (
        "CreateKpiFromKeyResult",
        right(SetKpis),
        r#"{"name":"W/objectives/win/keyResults/deals","kpi_id":"nps","cadence":"CADENCE_DAILY"}"#,
    ),
    ("SuggestTarget", right(Read), r#"{"name":"W/kpis/nps"}"#),
    ("ForecastKpi", right(Read), r#"{"name":"W/kpis/nps"}"#),
    (
        "ForecastKeyResult",
        right(Read),
        r#"{"name":"W/objectives/win/keyResults/deals"}"#,
    ),
    ("Subscribe", right(Read), r#"{"parent":"W","live":{}}"#),
    ("GetOverview", right(Read), r#"{"parent":"W"}"#),
    ("CheckHygiene", right(Read), r#"{"parent":"W"}"#),
    ("Simulate", right(Read), r#"{"parent":"W"}"#),
    ("ListEvents", right(Audit), r#"{"parent":"W"}"#),
    ("GetEvent", right(Audit), r#"{"name":"W/events/1.0"}"#),
    (
        "DiffStates",
        right(Audit),
        r#"{"parent":"W","before":{"revision":"1"},"after":{"revision":"2"}}"#,
    ),
    ("GetCheckpoint", right(Audit), r#"{"parent":"W"}"#),
    (
        "GetInclusionProof",
        right(Audit),
        r#"{"parent":"W","revision":"1"}"#,
    ),
    (
        "GetConsistencyProof",
        right(Audit),
        r#"{"parent":"W","first":"1"}"#,
    ),
    ("ExportEvents", right(Audit), r#"{"parent":"W"}"#),
    ("ListAttempts", right(Audit), r#"{"parent":"W"}"#),
];

/// One call that is about to be made.
pub(crate) struct Call {
    method: MethodDescriptor,
    request: DynamicMessage,
}

/// Every call of the API.
pub(crate) fn methods() -> Vec<MethodDescriptor> {
    let pool = DescriptorPool::decode(API_DESCRIPTOR_SET).expect("the API");
    let services = pool
        .services()
        .filter(|service| service.full_name().starts_with("binnacle.v1."));
    services
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .collect()
}

impl Call {
    /// A call about a workspace.
    pub(crate) fn about(method: &MethodDescriptor, json: &str, workspace: &str) -> Self {
        let json = json.replace("\"W", &format!("\"workspaces/{workspace}"));
        let mut read = serde_json::Deserializer::from_str(&json);
        let request = DynamicMessage::deserialize(method.input(), &mut read);
        Self {
            method: method.clone(),
            request: request.unwrap_or_else(|error| panic!("{}: {error}", method.name())),
        }
    }

    /// Makes it; of a stream the first answer is enough.
    pub(crate) async fn make(&self, channel: &Known) -> Result<(), Status> {
        let path = format!(
            "/{}/{}",
            self.method.parent_service().full_name(),
            self.method.name()
        );
        let path = path.parse().expect("a path");
        let mut client = tonic::client::Grpc::new(channel.clone()).max_decoding_message_size(64 << 20);
        client.ready().await.expect("a connection");
        let message = self.request.encode_to_vec();
        if self.method.is_client_streaming() {
            let messages = tokio_stream::once(message);
            let answers = client.streaming(Request::new(messages), path, Bytes).await?;
            return answers.into_inner().message().await.map(drop);
        }
        if self.method.is_server_streaming() {
            let answers = client
                .server_streaming(Request::new(message), path, Bytes)
                .await?;
            return answers.into_inner().message().await.map(drop);
        }
        client.unary(Request::new(message), path, Bytes).await.map(drop)
    }
}
