//! The pure core: what an OKR and KPI workspace is, what may happen in it, and what follows from it.
//!
//! `decide` makes events of a command, `evolve` folds an event into a state; scores and health are functions of the
//! state. Invariant: everything here is a function of its arguments and of the log. What it deliberately does not know:
//! clocks, randomness, disks, networks, time-zone databases, gRPC, and how anything is encoded.
//!
//! Each resource has one file in one order: its fields, its states, its decisions. Folding is in `evolve`.

mod aggregation;
mod alarm;
mod alert;
mod authored;
mod carry_over;
mod check_in;
mod closing;
mod command;
mod commit;
mod cycle;
mod decide;
mod deletion;
mod downsampling;
mod event;
mod event_kind;
mod evolve;
mod grading;
mod health;
mod id;
mod initiative;
mod key_result;
mod key_result_kpi;
mod kind;
mod kpi;
mod lookup;
mod mean;
mod measurement;
mod name;
mod number;
mod objective;
mod observation;
mod period;
mod period_value;
mod permission;
mod policy;
mod rejection;
mod review;
mod revision;
mod scored;
mod scoring;
mod series;
mod start_objective;
mod status;
mod target;
mod team;
mod text;
mod time;
mod unit;
mod workspace;

#[cfg(test)]
pub(crate) mod given;
#[cfg(test)]
mod tests;

pub use aggregation::{Bucket, Buckets, TooManyBuckets};
pub use alarm::ALARMS_PER_COMMIT_MAX;
pub use alert::{ActionPlan, Alert, AlertClosing, AlertKind, AlertOpening, CloseReason, SetPlan};
pub use authored::{Authorship, Etag, Provenance};
pub use carry_over::{CarryOver, CascadeTo};
pub use check_in::{CheckIn, CheckInPatch, NewCheckIn, PlacedCheckIn, StatusOverride};
pub use closing::{ClosedObjective, Closing, FrozenKeyResult, Graded, ObjectiveResult};
pub use command::{Command, CreateWorkspace};
pub use commit::{Actor, Authentication, Commit, Origin, RequestKey, Stamp};
pub use cycle::{Cycle, CycleFields, CyclePatch, CycleState, grade as grade_cycle};
pub use decide::{Decision, decide};
pub use deletion::Deletion;
pub use downsampling::{Picture, Spot, downsample};
pub use event::{EpochStarted, Event, MeasurementRecorded, WorkspaceCreated};
pub use event_kind::EVENT_KINDS;
pub use grading::{Band, Grade, Grading, Outcome};
pub use health::{Health, JudgedValue, KpiHealth, is_stale, judge, judged_values, kpi_health};
pub use id::Id;
pub use initiative::{Initiative, InitiativeFields, InitiativePatch, InitiativeState};
pub use key_result::{KeyResult, KeyResultFields, KeyResultPatch, RecordedCheckIn};
pub use key_result_kpi::KpiFromKeyResult;
pub use kind::{
    Baseline, KeyResultKind, Maintain, MaintainMode, Metric, Milestone, Milestones, RelativeTarget, Window,
};
pub use kpi::{Aggregation, Category, Direction, Kpi, KpiFields, KpiPatch, Transform};
pub use mean::{WeightedSum, weighted_mean};
pub use measurement::{Effective, MeasurementIdentity, NewMeasurement};
pub use name::{InitiativeId, KeyResultId, ResourceName};
pub use number::{Confidence, TOLERANCE, Value, Weight};
pub use objective::{
    ALIGNMENT_DEPTH_MAX, Alignment, Ambition, Objective, ObjectiveFields, ObjectivePatch, ObjectiveState,
};
pub use observation::{Observation, observe};
pub use period::{Cadence, Calendar, Period, days_between, plus_days};
pub use period_value::{PeriodValue, cycle_value, newest_period_value, period_values, period_values_back};
pub use permission::{Reach, Right, check_command, check_right};
pub use policy::{AlertRules, HygieneLimits, PolicyVersion, RollUp, ScoringPolicy, ScoringPolicyPatch};
pub use rejection::{Invalid, Rejection, RejectionKind, Violation};
pub use review::{NewReview, RecordedReview, Review};
pub use revision::Revision;
pub use scored::{Scored, TeamCycle, score};
pub use scoring::{
    KeyResultProgress, ObjectiveProgress, key_result_progress, objective_progress, score_objective,
};
pub use series::{Place, Point, Series};
pub use start_objective::{StartObjective, StartedFrom};
pub use status::Status;
pub use target::{Ramp, SetTarget, Target, Targets};
pub use team::{Member, MemberFields, MemberPatch, Principal, Role, Roles, Team, TeamFields, TeamPatch};
pub use text::{Labels, Text, Title};
pub use time::{TimeZoneRules, Timestamp};
pub use unit::{CurrencyCode, Unit, UnitKind, grouped};
pub use workspace::{FirstWeekday, Preset, Workspace, WorkspaceFields, WorkspacePatch};
