//! A caller who shows an API key: what is asked of the data of a release, and what its writer does that manifests do not say.

use std::collections::BTreeMap;

use binnacle::proto::api;
use binnacle::proto::api::audit_service_client::AuditServiceClient;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::objective_service_client::ObjectiveServiceClient;
use binnacle::proto::api::progress_service_client::ProgressServiceClient;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use binnacle::proto::google_type::Date;
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;

pub(crate) struct Client {
    channel: Channel,
    bearer: MetadataValue<Ascii>,
}

/// A day on which no release has measured anything.
const DAY: Date = Date {
    year: 2026,
    month: 1,
    day: 7,
};

impl Client {
    pub(crate) async fn connect(url: &str, token: &str) -> Self {
        let endpoint = Channel::from_shared(url.to_owned()).expect("an address");
        Self {
            channel: endpoint.connect().await.expect("a server"),
            bearer: format!("Bearer {token}").parse().expect("plain text"),
        }
    }

    fn say<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request
            .metadata_mut()
            .insert("authorization", self.bearer.clone());
        request
    }

    fn kpis(&self) -> KpiServiceClient<Channel> {
        KpiServiceClient::new(self.channel.clone())
    }

    async fn overview(&self, id: &str, as_of: Option<i64>) -> api::Overview {
        let as_of = as_of.map(|revision| api::AsOf {
            moment: Some(api::as_of::Moment::Revision(revision)),
        });
        let request = self.say(api::GetOverviewRequest {
            parent: format!("workspaces/{id}"),
            as_of,
            ..Default::default()
        });
        let answer = ProgressServiceClient::new(self.channel.clone())
            .get_overview(request)
            .await;
        answer.expect("an overview").into_inner()
    }

    /// The newest revision of a workspace.
    pub(crate) async fn revision(&self, id: &str) -> i64 {
        self.overview(id, None).await.revision
    }

    /// The root of a workspace's log up to a revision.
    pub(crate) async fn root(&self, id: &str, revision: i64) -> Vec<u8> {
        let request = self.say(api::GetCheckpointRequest {
            parent: format!("workspaces/{id}"),
            revision,
            ..Default::default()
        });
        let answer = AuditServiceClient::new(self.channel.clone())
            .get_checkpoint(request)
            .await;
        answer.expect("a checkpoint").into_inner().root
    }

    /// The scores of objectives and key results, and the newest values of KPIs, as of a revision.
    pub(crate) async fn figures(&self, id: &str, revision: i64) -> BTreeMap<String, f64> {
        let overview = self.overview(id, Some(revision)).await;
        let mut figures = BTreeMap::new();
        for kpi in overview.kpis {
            if let Some(value) = kpi.health.and_then(|health| health.latest_value) {
                figures.insert(kpi.name, value);
            }
        }
        for one in overview.objectives {
            let objective = one.objective.expect("an objective");
            if let Some(score) = objective.progress.and_then(|progress| progress.score) {
                figures.insert(objective.name, score);
            }
            let scored = one.key_results.into_iter().filter_map(|key_result| {
                let score = key_result.progress?.score;
                Some((key_result.name, score))
            });
            figures.extend(scored);
        }
        if let Some(workspace) = overview.workspace
            && let Some(score) = workspace.score
        {
            figures.insert(workspace.name, score);
        }
        figures
    }

    /// How many measurements a KPI has.
    pub(crate) async fn measurements(&self, id: &str, kpi: &str) -> i64 {
        let overview = self.overview(id, None).await;
        let kpi = overview
            .kpis
            .into_iter()
            .find(|one| one.name == kpi)
            .expect("a KPI");
        kpi.health.expect("its health").measurement_count
    }

    /// Records one more measurement, and answers its revision.
    pub(crate) async fn measure(&self, kpi: &str) -> i64 {
        self.measured(kpi, 42.0, "an upgrade").await
    }

    async fn measured(&self, kpi: &str, value: f64, source_id: &str) -> i64 {
        let request = self.say(api::RecordMeasurementRequest {
            parent: kpi.to_owned(),
            measurement: Some(measurement(value, source_id)),
            ..Default::default()
        });
        let answer = self.kpis().record_measurement(request).await;
        answer.expect("a measurement").into_inner().revision
    }

    /// What manifests do not say: a measurement that is corrected, one that is retracted, a KPI that was deleted and is back, a
    /// check-in.
    pub(crate) async fn live(&self, id: &str) {
        let kpi = format!("workspaces/{id}/kpis/support-nps");
        self.measured(&kpi, 71.0, "first").await;
        self.measured(&kpi, 99.0, "second").await;
        let correct = self.say(api::CorrectMeasurementRequest {
            parent: kpi.clone(),
            measurement: Some(measurement(73.5, "first")),
            reason: "two answers came late".to_owned(),
            ..Default::default()
        });
        self.kpis()
            .correct_measurement(correct)
            .await
            .expect("a correction");
        let retract = self.say(api::RetractMeasurementRequest {
            parent: kpi,
            effective_date: Some(DAY),
            source_id: "second".to_owned(),
            reason: "of another team".to_owned(),
            ..Default::default()
        });
        self.kpis()
            .retract_measurement(retract)
            .await
            .expect("a retraction");
        let name = format!("workspaces/{id}/kpis/gross-margin");
        let delete = self.say(api::DeleteKpiRequest {
            name: name.clone(),
            ..Default::default()
        });
        self.kpis().delete_kpi(delete).await.expect("a deletion");
        let undelete = self.say(api::UndeleteKpiRequest {
            name,
            ..Default::default()
        });
        self.kpis()
            .undelete_kpi(undelete)
            .await
            .expect("a KPI that is back");
        let check_in = self.say(api::CreateCheckInRequest {
            parent: format!("workspaces/{id}/objectives/easy-start/keyResults/first-project"),
            check_in: Some(api::CheckIn {
                value: Some(9.5),
                confidence: Some(0.7),
                effective_date: Some(DAY),
                comment: "two steps less".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        });
        let mut objectives = ObjectiveServiceClient::new(self.channel.clone());
        objectives.create_check_in(check_in).await.expect("a check-in");
    }

    /// A workspace with two KPIs.
    pub(crate) async fn begin(&self, id: &str) {
        let create = self.say(api::CreateWorkspaceRequest {
            workspace_id: id.to_owned(),
            workspace: Some(api::Workspace {
                title: "A small one".to_owned(),
                time_zone: "America/Sao_Paulo".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        });
        let mut workspaces = WorkspaceServiceClient::new(self.channel.clone());
        workspaces.create_workspace(create).await.expect("a workspace");
        for (kpi, value) in [("answers", 12.0), ("questions", -0.5)] {
            let create = self.say(api::CreateKpiRequest {
                parent: format!("workspaces/{id}"),
                kpi_id: kpi.to_owned(),
                kpi: Some(api::Kpi {
                    title: kpi.to_owned(),
                    direction: api::Direction::HigherIsBetter.into(),
                    cadence: api::Cadence::Daily.into(),
                    ..Default::default()
                }),
                ..Default::default()
            });
            self.kpis().create_kpi(create).await.expect("a KPI");
            self.measured(&format!("workspaces/{id}/kpis/{kpi}"), value, "")
                .await;
        }
    }
}

fn measurement(value: f64, source_id: &str) -> api::Measurement {
    api::Measurement {
        effective_date: Some(DAY),
        value: Some(value),
        source_id: source_id.to_owned(),
        ..Default::default()
    }
}
