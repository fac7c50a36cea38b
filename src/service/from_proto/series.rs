//! Requests for the history of KPIs.

use super::findings::Findings;
use super::kpi::{read_aggregation, read_cadence};
use super::scalar::{optional_date, timestamp};
use crate::domain::{Cadence, Id, Invalid, Rejection};
use crate::projection::{SeriesBuckets, SeriesQuery, SeriesRange};
use crate::proto::{api, google_type};
use crate::service::moment::Moment;
use crate::service::names;

/// What is asked of the history of some KPIs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AskedSeries {
    /// The workspace.
    pub workspace: Id,
    /// The KPIs, in the order of the answer.
    pub kpis: Vec<Id>,
    /// What is asked of each.
    pub query: SeriesQuery,
    /// As known when.
    pub moment: Moment,
}

/// What both requests say of the history.
struct Asked<'r> {
    start_time: Option<&'r prost_types::Timestamp>,
    end_time: Option<&'r prost_types::Timestamp>,
    first_date: Option<&'r google_type::Date>,
    last_date: Option<&'r google_type::Date>,
    bucket: i32,
    aggregation: i32,
    points_max: i32,
    min_revision: i64,
    as_of: Option<&'r api::AsOf>,
}

/// Points of a picture unless somebody says otherwise.
const POINTS_DEFAULT: usize = 1000;

/// The most points of one KPI.
const POINTS_MAX: usize = 10_000;

/// The most points of one answer. A point takes up to 38 bytes in it, so that it stays below 4 MiB.
const POINTS_TOGETHER_MAX: usize = 100_000;

/// The most KPIs of one answer.
const KPIS_MAX: usize = 100;

/// Reads a GetSeries request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn series(request: &api::GetSeriesRequest) -> Result<AskedSeries, Rejection> {
    let api::GetSeriesRequest {
        name,
        start_time,
        end_time,
        first_date,
        last_date,
        bucket,
        aggregation,
        points_max,
        min_revision,
        as_of,
    } = request;
    let mut findings = Findings::default();
    let kpi = findings.keep(names::kpi("name", name));
    let named = kpi.map(|(workspace, kpi)| (workspace, vec![kpi]));
    let asked = Asked {
        start_time: start_time.as_ref(),
        end_time: end_time.as_ref(),
        first_date: first_date.as_ref(),
        last_date: last_date.as_ref(),
        bucket: *bucket,
        aggregation: *aggregation,
        points_max: *points_max,
        min_revision: *min_revision,
        as_of: as_of.as_ref(),
    };
    asked.read(named, findings)
}

/// Reads a BatchGetSeries request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn batch_series(request: &api::BatchGetSeriesRequest) -> Result<AskedSeries, Rejection> {
    let api::BatchGetSeriesRequest {
        parent,
        names,
        start_time,
        end_time,
        first_date,
        last_date,
        bucket,
        aggregation,
        points_max,
        min_revision,
        as_of,
    } = request;
    let mut findings = Findings::default();
    let workspace = findings.keep(names::workspace("parent", parent));
    let kpis = findings.field("names", count_of(names)).and_then(|()| {
        let read = names.iter().enumerate().map(|(index, name)| {
            findings.field(
                &format!("names[{index}]"),
                names::kpi_reference(workspace.as_ref(), name)
                    .and_then(|kpi| kpi.ok_or_else(|| Invalid::new("it is empty: name a KPI"))),
            )
        });
        // All are read, so that all that is wrong is said.
        let read: Vec<Option<Id>> = read.collect();
        read.into_iter().collect::<Option<Vec<Id>>>()
    });
    let asked = Asked {
        start_time: start_time.as_ref(),
        end_time: end_time.as_ref(),
        first_date: first_date.as_ref(),
        last_date: last_date.as_ref(),
        bucket: *bucket,
        aggregation: *aggregation,
        points_max: *points_max,
        min_revision: *min_revision,
        as_of: as_of.as_ref(),
    };
    asked.read(workspace.zip(kpis), findings)
}

fn count_of(names: &[String]) -> Result<(), Invalid> {
    match names.len() {
        0 => Err(Invalid::new("it is missing: name the KPIs")),
        1..=KPIS_MAX => Ok(()),
        count => Err(Invalid::new(format!(
            "there are {count}: ask for {KPIS_MAX} KPIs at most in one call"
        ))),
    }
}

impl Asked<'_> {
    fn read(self, named: Option<(Id, Vec<Id>)>, mut findings: Findings) -> Result<AskedSeries, Rejection> {
        let count = named.as_ref().map_or(1, |(_, kpis)| kpis.len());
        let range = self.range(&mut findings);
        let buckets = self.buckets(&mut findings);
        let points_max = findings.field("points_max", self.points_max(count));
        let moment = findings.keep(Moment::parse(self.min_revision, self.as_of));
        match (named, range, buckets, points_max, moment) {
            (Some((workspace, kpis)), Some(range), Some(buckets), Some(points_max), Some(moment)) => {
                Ok(AskedSeries {
                    workspace,
                    kpis,
                    query: SeriesQuery {
                        range,
                        buckets,
                        points_max,
                    },
                    moment,
                })
            }
            _ => Err(findings.refused()),
        }
    }

    fn range(&self, findings: &mut Findings) -> Option<SeriesRange> {
        let start = findings.field("start_time", self.start_time.map(timestamp).transpose());
        let end = findings.field("end_time", self.end_time.map(timestamp).transpose());
        let first = findings.field("first_date", optional_date(self.first_date));
        let last = findings.field("last_date", optional_date(self.last_date));
        let (range, field, ordered) = match (start?, end?, first?, last?) {
            (start, end, None, None) => (
                SeriesRange::Moments(start, end),
                "end_time",
                start.zip(end).is_none_or(|(start, end)| start < end),
            ),
            (None, None, first, last) => (
                SeriesRange::Days(first, last),
                "last_date",
                first.zip(last).is_none_or(|(first, last)| first <= last),
            ),
            (..) => {
                let sentence =
                    "times are there too: send start_time and end_time, or first_date and last_date";
                let field = if first.flatten().is_some() {
                    "first_date"
                } else {
                    "last_date"
                };
                findings.push(Invalid::new(sentence).at(field));
                return None;
            }
        };
        let sentence = "the range ends before it begins: nothing lies between";
        let ordered = ordered.then_some(range).ok_or_else(|| Invalid::new(sentence));
        findings.field(field, ordered)
    }

    fn buckets(&self, findings: &mut Findings) -> Option<Option<SeriesBuckets>> {
        let length = match read_cadence(self.bucket) {
            Ok(Some(Cadence::Irregular)) => Err(Invalid::new("it has no length: DAILY to ANNUAL")),
            read => read,
        };
        let length = findings.field("bucket", length);
        let aggregation = match self.aggregation {
            0 => Ok(None),
            number => read_aggregation(number).map(Some),
        };
        let aggregation = match (&length, aggregation) {
            (Some(None), Ok(Some(_))) => Err(Invalid::new(
                "single measurements are not aggregated: say a bucket too, for example MONTHLY",
            )),
            (_, aggregation) => aggregation,
        };
        let aggregation = findings.field("aggregation", aggregation)?;
        Some(length?.map(|length| SeriesBuckets { length, aggregation }))
    }

    /// How many points each of so many KPIs gets at most.
    fn points_max(&self, kpis: usize) -> Result<usize, Invalid> {
        let asked = match usize::try_from(self.points_max) {
            Ok(0) => POINTS_DEFAULT,
            Ok(asked @ 2..) => asked.min(POINTS_MAX),
            _ => {
                let sentence = format!(
                    "{} is out of bounds: send 2 to {POINTS_MAX}, or 0 for {POINTS_DEFAULT}",
                    self.points_max
                );
                return Err(Invalid::new(sentence));
            }
        };
        if asked * kpis > POINTS_TOGETHER_MAX {
            return Err(Invalid::new(format!(
                "{kpis} KPIs with {asked} points are too much for one answer: send {} at most, or fewer names",
                POINTS_TOGETHER_MAX / kpis
            )));
        }
        Ok(asked)
    }
}
