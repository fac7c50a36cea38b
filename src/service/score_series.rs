//! `GetScoreSeries`: a score as it was known at the end of each bucket of a range.

use jiff::civil::Date;
use tonic::{Request, Response, Status};

use super::api::{Api, wire};
use super::{from_proto, names, to_proto};
use crate::domain::{
    Cadence, Id, Invalid, Period, Rejection, ResourceName, Revision, Scored, TeamCycle, Violation, Workspace,
    plus_days, score,
};
use crate::proto::api;

/// The most buckets of one answer.
const BUCKETS_MAX: usize = 1000;

impl Api {
    pub(super) async fn score_series(
        &self,
        request: Request<api::GetScoreSeriesRequest>,
    ) -> Result<Response<api::ScoreSeries>, Status> {
        let request = request.get_ref();
        let (id, scored) = scored(request)?;
        let first = from_proto::optional_date("first_date", request.first_date.as_ref())?;
        let last = from_proto::optional_date("last_date", request.last_date.as_ref())?;
        let bucket = bucket(request.bucket)?;
        let (hosted, state) = self.seen(&id, request).await?;
        let workspace = state.workspace();
        exists(workspace, &scored)?;
        let buckets = buckets(workspace, first, last, bucket)?;
        let ends: Vec<Revision> = buckets
            .iter()
            .map(|bucket| workspace.revision_before(workspace.rules().start_of(plus_days(bucket.last, 1))))
            .collect();
        let mut revisions = ends.clone();
        revisions.dedup();
        let known = self
            .engine()?
            .look_back(&hosted, revisions.clone(), move |past| {
                (score(past, &scored), past.policy_version())
            })
            .await?;
        let point = |(bucket, end): (&Period, &Revision)| {
            // Each end is among the revisions that were looked at.
            let at = revisions.binary_search(end).unwrap_or_default();
            let (score, policy_version) = known.get(at).copied().unwrap_or_default();
            api::ScorePoint {
                first_date: Some(to_proto::date(bucket.first)),
                last_date: Some(to_proto::date(bucket.last)),
                score,
                revision: wire(*end),
                policy_version: wire(policy_version),
            }
        };
        Ok(Response::new(api::ScoreSeries {
            points: buckets.iter().zip(&ends).map(point).collect(),
            revision: wire(workspace.revision()),
        }))
    }
}

/// The scored name that a request is about.
fn scored(request: &api::GetScoreSeriesRequest) -> Result<(Id, Scored), Violation> {
    let (workspace, name) = names::resource("name", &request.name)?;
    let cycle =
        names::cycle_reference(Some(&workspace), &request.cycle).map_err(|invalid| invalid.at("cycle"))?;
    let scored = match (name, cycle) {
        (ResourceName::Team(team), Some(cycle)) => Scored::Team(TeamCycle { team, cycle }),
        (ResourceName::Team(_), None) => {
            let sentence = "it is missing: a team is scored in a cycle, so name the one";
            return Err(Invalid::new(sentence).at("cycle"));
        }
        (_, Some(_)) => {
            let sentence = "only a team is scored in a cycle of choice: leave it out";
            return Err(Invalid::new(sentence).at("cycle"));
        }
        (ResourceName::Workspace, None) => Scored::Workspace,
        (ResourceName::Cycle(cycle), None) => Scored::Cycle(cycle),
        (ResourceName::Objective(objective), None) => Scored::Objective(objective),
        (ResourceName::KeyResult(key_result), None) => Scored::KeyResult(key_result),
        (
            ResourceName::Member(_)
            | ResourceName::ScoringPolicy
            | ResourceName::Review(..)
            | ResourceName::Initiative(_)
            | ResourceName::CheckIn(..)
            | ResourceName::Kpi(_)
            | ResourceName::Target(..)
            | ResourceName::Alert(..),
            None,
        ) => {
            let sentence =
                "it has no score: name a key result, an objective, a team, a cycle or the workspace";
            return Err(Invalid::new(sentence).at("name"));
        }
    };
    Ok((workspace, scored))
}

/// A history ends with what is there; what was deleted keeps its own.
fn exists(workspace: &Workspace, scored: &Scored) -> Result<(), Rejection> {
    let (found, name) = match scored {
        Scored::Workspace => return Ok(()),
        Scored::KeyResult(id) => (
            workspace.key_results().contains_key(id),
            ResourceName::KeyResult(id.clone()),
        ),
        Scored::Objective(id) => (
            workspace.objectives().contains_key(id),
            ResourceName::Objective(id.clone()),
        ),
        Scored::Team(TeamCycle { team, cycle }) => {
            workspace.cycle(cycle)?;
            (
                workspace.teams().contains_key(team),
                ResourceName::Team(team.clone()),
            )
        }
        Scored::Cycle(id) => (
            workspace.cycles().contains_key(id),
            ResourceName::Cycle(id.clone()),
        ),
    };
    if found {
        Ok(())
    } else {
        Err(Rejection::NotFound(name))
    }
}

fn bucket(number: i32) -> Result<Cadence, Violation> {
    match from_proto::cadence(number) {
        Ok(None) => Ok(Cadence::Daily),
        Ok(Some(Cadence::Irregular)) => Err(Invalid::new("it has no length: DAILY to ANNUAL").at("bucket")),
        Ok(Some(cadence)) => Ok(cadence),
        Err(invalid) => Err(invalid.at("bucket")),
    }
}

/// The buckets of a range, cut at its ends.
fn buckets(
    workspace: &Workspace,
    first: Option<Date>,
    last: Option<Date>,
    cadence: Cadence,
) -> Result<Vec<Period>, Violation> {
    let today = workspace.today();
    let began = workspace
        .recorded_time(Revision::ZERO.next())
        .map_or(today, |began| workspace.rules().date(began));
    let first = first.unwrap_or(began);
    if let Some(last) = last.filter(|last| *last < first) {
        let sentence = format!("{last} is before the first day, {first}: nothing lies between them");
        return Err(Invalid::new(sentence).at("last_date"));
    }
    if first > today {
        let sentence = format!("{first} is after today, {today}: a history ends today");
        return Err(Invalid::new(sentence).at("first_date"));
    }
    let last = last.unwrap_or(today).min(today);
    let mut buckets = Vec::new();
    let mut day = first;
    while day <= last {
        if buckets.len() == BUCKETS_MAX {
            let sentence =
                format!("there are more than {BUCKETS_MAX} buckets: ask for longer ones, or for less");
            return Err(Invalid::new(sentence).at("bucket"));
        }
        let period = workspace.calendar().period(cadence, day);
        buckets.push(Period {
            first: day,
            last: period.last.min(last),
        });
        day = plus_days(period.last, 1);
    }
    Ok(buckets)
}
