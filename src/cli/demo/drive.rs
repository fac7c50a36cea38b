//! Tells the story through the API, as its people: every step is an ordinary call of an ordinary client.
//!
//! What it knows: the order of things, and who does what. What it deliberately does not know: the figures, which are the
//! manifests', and who watches.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use super::clock::StoryClock;
use super::story::{InitiativeStep, KeyResultData, KpiData, ObjectiveData, Story, enum_number};
use crate::cli::{Failure, FailureKind};
use crate::domain::Timestamp;
use crate::proto::api::cycle_service_client::CycleServiceClient;
use crate::proto::api::kpi_service_client::KpiServiceClient;
use crate::proto::api::objective_service_client::ObjectiveServiceClient;
use crate::proto::api::workspace_service_client::WorkspaceServiceClient;
use crate::proto::{api, google_type};

mod beginning;
mod objective;

/// Whoever measures.
const GAUGES: &str = "gauges";
/// A week in seconds.
pub(super) const WEEK_S: i64 = 7 * 24 * 60 * 60;

/// Makes the calls.
pub(super) struct Driver {
    story: Arc<Story>,
    clock: Arc<StoryClock>,
    /// When the cycle begins.
    start: Timestamp,
    /// `workspaces/{workspace}`.
    workspace: String,
    workspaces: WorkspaceServiceClient<Channel>,
    cycles: CycleServiceClient<Channel>,
    objectives: ObjectiveServiceClient<Channel>,
    kpis: KpiServiceClient<Channel>,
    /// The newest revision that a call was answered with.
    revision: i64,
    /// How long to wait after each call.
    pub(super) pause: Duration,
}

impl Driver {
    pub(super) fn new(story: Arc<Story>, clock: Arc<StoryClock>, start: Timestamp, channel: Channel) -> Self {
        Self {
            workspace: format!("workspaces/{}", story.company.workspace.id),
            story,
            clock,
            start,
            workspaces: WorkspaceServiceClient::new(channel.clone()),
            cycles: CycleServiceClient::new(channel.clone()),
            objectives: ObjectiveServiceClient::new(channel.clone()),
            kpis: KpiServiceClient::new(channel),
            revision: 0,
            pause: Duration::ZERO,
        }
    }

    /// The workspace's name.
    pub(super) fn workspace(&self) -> &str {
        &self.workspace
    }

    /// The newest revision that a call was answered with.
    pub(super) fn revision(&self) -> i64 {
        self.revision
    }

    /// The workspace, its people, the cycle, the KPIs with their past, and the objectives that begin with the cycle.
    pub(super) async fn set_up(&mut self) -> Result<(), Failure> {
        let story = Arc::clone(&self.story);
        self.create_company(&story).await?;
        for kpi in &story.kpis {
            self.create_kpi(kpi).await?;
        }
        self.record_past(&story).await?;
        for objective in story.objectives.iter().filter(|it| it.begins_in_week == 0) {
            self.begin_objective(objective).await?;
        }
        Ok(())
    }

    /// The middle of a week, counted from 1: initiatives move on.
    pub(super) async fn middle_of_week(&mut self, week: usize) -> Result<(), Failure> {
        self.advance_to(week, -3);
        let story = Arc::clone(&self.story);
        for step in story
            .weeks
            .get(week - 1)
            .map_or(&[][..], |week| &week.initiatives)
        {
            self.update_initiative(step).await?;
        }
        Ok(())
    }

    /// The end of a week: KPIs are measured, key results are checked in, and what has to be done about it begins.
    pub(super) async fn end_of_week(&mut self, week: usize) -> Result<(), Failure> {
        self.advance_to(week, 0);
        let story = Arc::clone(&self.story);
        for kpi in &story.kpis {
            if let Some(value) = kpi.value_of_week(week) {
                self.measure(kpi, value).await?;
            }
        }
        for objective in &story.objectives {
            if let Some(nth) = objective.check_in_of_week(week) {
                for key_result in &objective.key_results {
                    self.check_in(objective, key_result, nth).await?;
                }
            }
        }
        for objective in story.objectives.iter().filter(|it| it.begins_in_week == week) {
            self.begin_objective(objective).await?;
        }
        Ok(())
    }

    fn advance_to(&self, week: usize, days: i64) {
        let weeks = i64::try_from(week).unwrap_or_default();
        self.clock
            .advance_to(self.start.plus_seconds(weeks * WEEK_S + days * WEEK_S / 7));
    }

    async fn measure(&mut self, kpi: &KpiData, value: f64) -> Result<(), Failure> {
        let message = api::RecordMeasurementRequest {
            parent: self.name("kpis", &kpi.id),
            measurement: Some(api::Measurement {
                value: Some(value),
                ..api::Measurement::default()
            }),
            ..api::RecordMeasurementRequest::default()
        };
        let request = self.by(GAUGES, message);
        let answer = self.kpis.record_measurement(request).await;
        self.done("RecordMeasurement", answer).await
    }

    async fn update_initiative(&mut self, step: &InitiativeStep) -> Result<(), Failure> {
        let (objective, initiative) = step.name.split_once('/').unwrap_or_default();
        let state = enum_number(&step.state, "STATE_", api::initiative::State::from_str_name);
        let message = api::UpdateInitiativeRequest {
            initiative: Some(api::Initiative {
                name: format!("{}/initiatives/{initiative}", self.name("objectives", objective)),
                state: state.map_err(broken)?,
                done_count: step.done_count,
                ..api::Initiative::default()
            }),
            ..api::UpdateInitiativeRequest::default()
        };
        let request = self.by(&step.by, message);
        let answer = self.objectives.update_initiative(request).await;
        self.done("UpdateInitiative", answer).await
    }

    async fn check_in(
        &mut self,
        objective: &ObjectiveData,
        key_result: &KeyResultData,
        nth: usize,
    ) -> Result<(), Failure> {
        let objective_name = self.name("objectives", &objective.id);
        let message = api::CreateCheckInRequest {
            parent: format!("{objective_name}/keyResults/{}", key_result.id),
            check_in_id: format!("week-{}", objective.begins_in_week + nth + 1),
            check_in: Some(api::CheckIn {
                value: key_result.check_ins.get(nth).copied(),
                confidence: key_result.confidence.get(nth).copied(),
                ..api::CheckIn::default()
            }),
            ..api::CreateCheckInRequest::default()
        };
        let request = self.by(&objective.owner, message);
        let answer = self.objectives.create_check_in(request).await;
        self.done("CreateCheckIn", answer).await
    }

    /// The full name of something in the workspace; of nothing, nothing.
    fn name(&self, collection: &str, id: &str) -> String {
        if id.is_empty() {
            return String::new();
        }
        format!("{}/{collection}/{id}", self.workspace)
    }

    /// A request in somebody's name.
    fn by<T>(&self, member: &str, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Ok(actor) = self.story.principal(member).parse() {
            request.metadata_mut().insert("binnacle-actor", actor);
        }
        request
    }

    /// Remembers at which revision a call was done, and gives the reader time to see it.
    async fn done<T>(&mut self, call: &str, answer: Result<Response<T>, Status>) -> Result<(), Failure> {
        let answer = answer.map_err(|status| refused(call, &status))?;
        let revision = answer.metadata().get("binnacle-revision");
        let revision = revision.and_then(|revision| revision.to_str().ok()?.parse().ok());
        let missing = || failed(format!("{call} was answered without its revision"));
        self.revision = self.revision.max(revision.ok_or_else(missing)?);
        tokio::time::sleep(self.pause).await;
        Ok(())
    }
}

/// A call that the server refused.
pub(super) fn refused(call: &str, status: &Status) -> Failure {
    failed(format!(
        "{call} was refused ({}): {}",
        status.code(),
        status.message()
    ))
}

pub(super) fn failed(sentence: String) -> Failure {
    Failure::new(FailureKind::Failed, sentence)
}

/// A manifest that is part of the program says what it cannot.
fn broken(sentence: String) -> Failure {
    failed(sentence)
}

fn date(at: Timestamp) -> google_type::Date {
    let date = jiff::Timestamp::from_microsecond(at.as_micros())
        .map_or(Date::MIN, |at| jiff::tz::TimeZone::UTC.to_datetime(at).date());
    google_type::Date {
        year: date.year().into(),
        month: date.month().into(),
        day: date.day().into(),
    }
}

fn timestamp(at: Timestamp) -> prost_types::Timestamp {
    let micros = at.as_micros();
    prost_types::Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos: i32::try_from(micros.rem_euclid(1_000_000) * 1000).unwrap_or_default(),
    }
}
