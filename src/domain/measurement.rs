//! Recording measurements: identity, superseding, batches.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::civil::Date;
use smol_str::SmolStr;

use super::{Event, Id, MeasurementRecorded, Point, Rejection, Stamp, Timestamp, Value, Workspace};

/// A measurement as somebody asks for it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewMeasurement {
    /// The KPI.
    pub kpi: Id,
    /// When it was true.
    pub effective: Effective,
    /// The value.
    pub value: Value,
    /// Tells two values of one moment apart; empty: there is one. At most 128 characters.
    pub source_id: SmolStr,
    /// For the auditor; empty: none. At most 10,000 characters.
    pub note: SmolStr,
}

/// Which measurement is meant.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasurementIdentity {
    /// The KPI.
    pub kpi: Id,
    /// When it was said to be true.
    pub effective: Effective,
    /// Its source; empty: none.
    pub source_id: SmolStr,
}

/// When something was true, as somebody says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effective {
    /// When it is recorded.
    Now,
    /// At a moment.
    At(Timestamp),
    /// At the start of a local day.
    On(Date),
}

/// How far ahead of the server an effective time may be, in seconds.
const AHEAD_MAX_S: i64 = 5 * 60;

impl Effective {
    /// The moment that is meant.
    ///
    /// # Errors
    /// It lies more than 5 minutes ahead of the recorded time.
    pub(super) fn resolve(self, workspace: &Workspace, stamp: &Stamp) -> Result<Timestamp, Rejection> {
        let effective = match self {
            Self::Now => return Ok(stamp.recorded_time),
            Self::At(at) => at,
            Self::On(date) => workspace.rules().start_of(date),
        };
        if effective > stamp.recorded_time.plus_seconds(AHEAD_MAX_S) {
            return Err(Rejection::EffectiveTimeInFuture {
                effective,
                now: stamp.recorded_time,
            });
        }
        Ok(effective)
    }
}

/// One measurement, or a batch: all or none.
pub(super) fn record(
    workspace: &Workspace,
    measurements: &[NewMeasurement],
    stamp: &Stamp,
) -> Result<Vec<Event>, Rejection> {
    if let [only] = measurements {
        return Ok(record_one(workspace, only, stamp)?.into_iter().collect());
    }
    let mut events = Vec::with_capacity(measurements.len());
    let mut refused = Vec::new();
    let all_differ = ascend(measurements);
    let mut seen: BTreeMap<(&Id, Timestamp, &SmolStr), (usize, f64)> = BTreeMap::new();
    for (index, measurement) in measurements.iter().enumerate() {
        let effective_time = match measurement.effective.resolve(workspace, stamp) {
            Ok(effective_time) => effective_time,
            Err(rejection) => {
                refused.push((index, rejection));
                continue;
            }
        };
        if !all_differ {
            match seen.entry((&measurement.kpi, effective_time, &measurement.source_id)) {
                Entry::Vacant(vacant) => {
                    vacant.insert((index, measurement.value.get()));
                }
                Entry::Occupied(first) if first.get().1 == measurement.value.get() => {
                    // What is refused is refused again: who leaves out what is refused has to know of both.
                    let first = first.get().0;
                    let again = refused.iter().find(|(index, _)| *index == first);
                    refused.extend(again.map(|(_, rejection)| (index, rejection.clone())));
                    continue;
                }
                Entry::Occupied(first) => {
                    let first_index = first.get().0;
                    refused.push((index, Rejection::ConflictingValues { first_index }));
                    continue;
                }
            }
        }
        match record_one(workspace, measurement, stamp) {
            Ok(event) => events.extend(event),
            Err(rejection) => refused.push((index, rejection)),
        }
    }
    Rejection::unless_empty("measurements", refused)?;
    Ok(events)
}

/// Whether each measurement is behind the one before by time, KPI and source, as a series is sent: then no two of them are
/// of one identity, and nobody has to look.
fn ascend(measurements: &[NewMeasurement]) -> bool {
    measurements.is_sorted_by(|a, b| match (a.effective, b.effective) {
        (Effective::At(first), Effective::At(second)) => {
            (first, &a.kpi, &a.source_id) < (second, &b.kpi, &b.source_id)
        }
        _ => false,
    })
}

fn record_one(
    workspace: &Workspace,
    new: &NewMeasurement,
    stamp: &Stamp,
) -> Result<Option<Event>, Rejection> {
    let kpi = workspace.kpi_in_use(&new.kpi)?;
    let value = new.value.get();
    kpi.fields
        .unit
        .check(value)
        .map_err(|invalid| Rejection::Invalid(vec![invalid.at("measurement.value")]))?;
    let effective_time = new.effective.resolve(workspace, stamp)?;
    let before = kpi.series.get(effective_time, &new.source_id).map(Point::value);
    if before == Some(value) {
        return Ok(None);
    }
    if kpi.series.is_full_for(&new.source_id) {
        return Err(Rejection::TooManySources(new.kpi.clone()));
    }
    Ok(Some(Event::MeasurementRecorded(MeasurementRecorded {
        kpi: new.kpi.clone(),
        effective_time,
        value,
        source_id: new.source_id.clone(),
        before,
        note: new.note.clone(),
    })))
}

/// A value put right: recorded in the place of the one that is known for its identity.
pub(super) fn correct(
    workspace: &Workspace,
    measurement: &NewMeasurement,
    stamp: &Stamp,
) -> Result<Vec<Event>, Rejection> {
    let identity = MeasurementIdentity {
        kpi: measurement.kpi.clone(),
        effective: measurement.effective,
        source_id: measurement.source_id.clone(),
    };
    identity.known(workspace, stamp)?;
    Ok(record_one(workspace, measurement, stamp)?.into_iter().collect())
}

/// A value taken back. What it had superseded does not come back.
pub(super) fn retract(
    workspace: &Workspace,
    identity: &MeasurementIdentity,
    stamp: &Stamp,
) -> Result<Vec<Event>, Rejection> {
    let (effective_time, before) = identity.known(workspace, stamp)?;
    Ok(vec![Event::MeasurementRetracted {
        kpi: identity.kpi.clone(),
        effective_time,
        source_id: identity.source_id.clone(),
        before,
    }])
}

impl MeasurementIdentity {
    /// When it was true, and the value that is known.
    ///
    /// # Errors
    /// The KPI is not there or not in use, or nothing is known of this identity.
    fn known(&self, workspace: &Workspace, stamp: &Stamp) -> Result<(Timestamp, f64), Rejection> {
        let kpi = workspace.kpi_in_use(&self.kpi)?;
        let effective_time = self.effective.resolve(workspace, stamp)?;
        match kpi.series.get(effective_time, &self.source_id) {
            Some(point) => Ok((effective_time, point.value())),
            None => Err(Rejection::MeasurementNotFound {
                kpi: self.kpi.clone(),
                effective_time,
                source_id: self.source_id.clone(),
            }),
        }
    }
}
