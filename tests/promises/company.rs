//! A company that many write to at once, as fast as they can and against each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use binnacle::proto::api;
use binnacle::proto::api::cycle_service_client::CycleServiceClient;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::objective_service_client::ObjectiveServiceClient;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use binnacle::proto::google_type;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::common::*;

/// Objectives o0 to o11, each with key result kr.
const OBJECTIVES: u64 = 12;
/// KPIs k0 to k3.
const KPIS: u64 = 4;
/// Notes of a batch that is larger than one message of a stream.
const LARGE_BATCH: (usize, usize) = (400, 3500);

/// Every client that a writer needs.
#[derive(Clone)]
pub(crate) struct Clients {
    workspaces: WorkspaceServiceClient<Channel>,
    cycles: CycleServiceClient<Channel>,
    objectives: ObjectiveServiceClient<Channel>,
    kpis: KpiServiceClient<Channel>,
}

/// Writers at work.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pressure {
    /// How many commands were answered with success.
    pub(crate) answered: Arc<AtomicUsize>,
    /// How many were refused, since others had been there before.
    pub(crate) refused: Arc<AtomicUsize>,
    /// No more commands.
    pub(crate) over: Arc<AtomicBool>,
}

impl Clients {
    pub(crate) fn of(channel: &Channel) -> Self {
        Self {
            workspaces: WorkspaceServiceClient::new(channel.clone()),
            cycles: CycleServiceClient::new(channel.clone()),
            objectives: ObjectiveServiceClient::new(channel.clone()),
            kpis: KpiServiceClient::new(channel.clone()),
        }
    }

    /// The company, in a cycle that is running on that day.
    pub(crate) async fn set_up(&mut self, today: jiff::civil::Date) -> Result<(), Status> {
        let mut workspace = new_workspace("acme");
        workspace.workspace.as_mut().expect("a workspace").time_zone = "UTC".to_owned();
        self.workspaces.create_workspace(workspace).await?;
        for (team, parent) in [("sales", ""), ("north", "sales"), ("support", "")] {
            self.workspaces.create_team(new_team(team, parent)).await?;
        }
        let mut cycle = new_cycle("q1");
        let fields = cycle.cycle.as_mut().expect("a cycle");
        fields.first_date = wire(today - jiff::Span::new().days(20));
        fields.last_date = wire(today + jiff::Span::new().days(60));
        self.cycles.create_cycle(cycle).await?;
        self.cycles.activate_cycle(activate_cycle()).await?;
        for number in 0..KPIS {
            self.kpis.create_kpi(new_kpi(&format!("k{number}"))).await?;
            self.kpis.set_target(new_target(&format!("k{number}"))).await?;
        }
        for number in 0..OBJECTIVES {
            let id = format!("o{number}");
            self.create_objective(&id, number).await?;
            let key_result = new_key_result(&id, "kr");
            self.objectives.create_key_result(key_result).await?;
            let activate = api::ActivateObjectiveRequest {
                name: objective_name(number),
                ..Default::default()
            };
            self.objectives.activate_objective(activate).await?;
        }
        Ok(())
    }

    async fn create_objective(&mut self, id: &str, number: u64) -> Result<(), Status> {
        let mut objective = new_objective(id);
        let fields = objective.objective.as_mut().expect("an objective");
        fields.ambition = api::objective::Ambition::Aspirational.into();
        fields.team = team(number);
        self.objectives.create_objective(objective).await?;
        Ok(())
    }

    /// KPIs with long descriptions, so that a snapshot takes several messages.
    pub(crate) async fn make_large(&mut self, kpis: usize) {
        for number in 0..kpis {
            let mut kpi = new_kpi(&format!("large-{number}"));
            kpi.kpi.as_mut().expect("a KPI").description = "d".repeat(10_000);
            self.kpis.create_kpi(kpi).await.expect("a KPI");
        }
    }

    /// A batch that no single message of a stream holds.
    pub(crate) async fn record_large_batch(&mut self) -> Result<(), Status> {
        let (count, chars) = LARGE_BATCH;
        self.record_batch(count, &"n".repeat(chars)).await
    }

    async fn record_batch(&mut self, count: usize, note: &str) -> Result<(), Status> {
        let measurements = (0..count).map(|index| api::Measurement {
            kpi: acme(&format!("kpis/k{}", index as u64 % KPIS)),
            value: Some(index as f64),
            note: note.to_owned(),
            // They are of one moment.
            source_id: format!("source-{index}"),
            ..Default::default()
        });
        let request = api::BatchRecordMeasurementsRequest {
            parent: acme("kpis/-"),
            measurements: measurements.collect(),
            ..Default::default()
        };
        self.kpis.batch_record_measurements(request).await?;
        Ok(())
    }

    /// One command. Which it is follows from the two numbers alone.
    async fn command(&mut self, writer: u64, number: u64) -> Result<(), Status> {
        let random = scattered(writer, number);
        let which = (random >> 8) % OBJECTIVES;
        let name = objective_name(which);
        let value = u8::try_from((random >> 16) % 10).expect("a digit");
        match random % 16 {
            0..=3 => {
                let request = new_check_in(
                    &format!("objectives/o{which}/keyResults/kr"),
                    "",
                    f64::from(value),
                );
                self.objectives.create_check_in(request).await?;
            }
            4 | 5 => self.check_in_at_several(value).await?,
            6 | 7 => self.edit(&name, number).await?,
            8 => {
                self.update(&name, "team", |it| it.team = team(random >> 32))
                    .await?
            }
            9 => {
                let request = api::DeleteObjectiveRequest {
                    name,
                    ..Default::default()
                };
                self.objectives.delete_objective(request).await?;
            }
            10 => {
                let request = api::UndeleteObjectiveRequest {
                    name,
                    ..Default::default()
                };
                self.objectives.undelete_objective(request).await?;
            }
            11 => {
                self.create_objective(&format!("o1-{writer}-{number}"), random)
                    .await?
            }
            12 | 13 => self.record_batch(10, "").await?,
            _ => {
                let request = api::RecordMeasurementRequest {
                    parent: acme(&format!("kpis/k{}", which % KPIS)),
                    measurement: Some(api::Measurement {
                        value: Some(f64::from(value) * 11.0),
                        ..Default::default()
                    }),
                    ..Default::default()
                };
                self.kpis.record_measurement(request).await?;
            }
        }
        Ok(())
    }

    async fn check_in_at_several(&mut self, value: u8) -> Result<(), Status> {
        let requests = (0..OBJECTIVES / 2).map(|number| {
            new_check_in(
                &format!("objectives/o{number}/keyResults/kr"),
                "",
                f64::from(value),
            )
        });
        let request = api::BatchCreateCheckInsRequest {
            parent: "workspaces/acme".to_owned(),
            requests: requests.collect(),
            ..Default::default()
        };
        self.objectives.batch_create_check_ins(request).await?;
        Ok(())
    }

    /// A title, on what was read.
    async fn edit(&mut self, name: &str, number: u64) -> Result<(), Status> {
        let request = api::GetObjectiveRequest {
            name: name.to_owned(),
            ..Default::default()
        };
        let read = self.objectives.get_objective(request).await?.into_inner();
        self.update(name, "title", |it| {
            it.title = format!("edit {number}");
            it.etag = read.etag;
        })
        .await
    }

    async fn update(
        &mut self,
        name: &str,
        path: &str,
        change: impl FnOnce(&mut api::Objective),
    ) -> Result<(), Status> {
        let mut objective = api::Objective {
            name: name.to_owned(),
            ..Default::default()
        };
        change(&mut objective);
        let request = api::UpdateObjectiveRequest {
            objective: Some(objective),
            update_mask: mask(&[path]),
            ..Default::default()
        };
        self.objectives.update_objective(request).await?;
        Ok(())
    }

    /// From here on the cycle can be closed.
    pub(crate) async fn begin_review(&mut self) -> Result<(), Status> {
        let begin = api::BeginCycleReviewRequest {
            name: acme("cycles/q1"),
            ..Default::default()
        };
        self.cycles.begin_cycle_review(begin).await?;
        Ok(())
    }

    /// Closes the cycle and opens it again.
    pub(crate) async fn close_and_reopen(&mut self) -> Result<(), Status> {
        let name = acme("cycles/q1");
        let close = api::CloseCycleRequest {
            name: name.clone(),
            ..Default::default()
        };
        self.cycles.close_cycle(close).await?;
        let reopen = api::ReopenCycleRequest {
            name,
            reason: "There is more.".to_owned(),
            ..Default::default()
        };
        self.cycles.reopen_cycle(reopen).await?;
        Ok(())
    }

    /// Writes until it is over, or the server is gone.
    pub(crate) async fn write(mut self, writer: u64, pressure: Pressure, commands_max: u64) {
        for number in 0..commands_max {
            if pressure.over.load(Ordering::SeqCst) {
                return;
            }
            match self.command(writer, number).await {
                Ok(()) => pressure.answered.fetch_add(1, Ordering::SeqCst),
                Err(status) if is_loss(&status) => return,
                // Somebody else was there before.
                Err(status) if is_conflict(&status) => pressure.refused.fetch_add(1, Ordering::SeqCst),
                Err(status) => panic!("the load is wrong: {status:?}"),
            };
        }
    }
}

fn is_loss(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal
    )
}

fn is_conflict(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Aborted | Code::FailedPrecondition | Code::NotFound | Code::AlreadyExists
    )
}

fn objective_name(number: u64) -> String {
    acme(&format!("objectives/o{number}"))
}

fn team(number: u64) -> String {
    let teams = ["sales", "north", "support"];
    acme(&format!("teams/{}", teams[(number % 3) as usize]))
}

fn activate_cycle() -> api::ActivateCycleRequest {
    api::ActivateCycleRequest {
        name: acme("cycles/q1"),
        ..Default::default()
    }
}

fn wire(date: jiff::civil::Date) -> Option<google_type::Date> {
    Some(google_type::Date {
        year: date.year().into(),
        month: date.month().into(),
        day: date.day().into(),
    })
}

/// Numbers that look like chance and are the same in every run.
pub(crate) fn scattered(one: u64, other: u64) -> u64 {
    let mut mixed = one.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ other.wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    mixed ^= mixed >> 29;
    mixed = mixed.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed ^ (mixed >> 32)
}
