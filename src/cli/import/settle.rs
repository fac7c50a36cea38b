//! Readings become measurements once it is known what their KPIs are measured in; what is the same twice, and what
//! contradicts itself.
//!
//! Invariant: no two of the settled measurements have the same KPI, time and source; of contradicting ones none is left,
//! for nobody said which is true. Pure: it deliberately does not know the server, only the units that it named.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use smol_str::SmolStr;

use super::gather::{Gathered, Place};
use super::mapping::Reading;
use super::per_kpi::PerKpi;
use super::value_unit::{self, ValueUnit};
use crate::domain::{Effective, Id, NewMeasurement, Timestamp, Unit, Value};

/// What is ready to be sent.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// The measurements with their places.
    pub(super) measurements: Vec<(Place, NewMeasurement)>,
    /// Readings that repeat another one.
    pub(super) duplicates: usize,
}

/// `Effective` as part of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Moment {
    Now,
    At(Timestamp),
    On(Date),
}

impl Settled {
    /// The KPI of every measurement.
    pub(super) fn kpis(&self) -> impl Iterator<Item = &Id> {
        self.measurements.iter().map(|(_, measurement)| &measurement.kpi)
    }
}

type Identity = (Id, Moment, SmolStr);

/// Settles what was gathered. A KPI without a unit is refused with its sentence.
pub(super) fn settle(
    gathered: &mut Gathered,
    units: &BTreeMap<Id, Result<Unit, String>>,
    value_units: &PerKpi<ValueUnit>,
) -> Settled {
    let readings = std::mem::take(&mut gathered.readings);
    let refused = refused_kpis(gathered, units, value_units);
    let mut settling = Settling::default();
    for (place, reading) in readings {
        let Some(Ok(unit)) = units
            .get(&reading.kpi)
            .filter(|_| !refused.contains(&reading.kpi))
        else {
            gathered.leave_out(place);
            continue;
        };
        let told = value_units.get(&reading.kpi).copied();
        match value_unit::value(&reading.written, unit, told) {
            Ok(value) => settling.add(gathered, place, measurement(reading, value)),
            Err(sentence) => gathered.refuse_value(place, format!("kpis/{}: {sentence}", reading.kpi)),
        }
    }
    settling.finish()
}

/// What is settled so far.
#[derive(Default)]
struct Settling {
    settled: Settled,
    identities: HashMap<Identity, usize>,
    /// By their index: those that another reading contradicts.
    disputed: BTreeSet<usize>,
}

impl Settling {
    fn add(&mut self, gathered: &mut Gathered, place: Place, measurement: NewMeasurement) {
        let first = match self.identities.entry(identity(&measurement)) {
            Entry::Vacant(vacant) => {
                vacant.insert(self.settled.measurements.len());
                return self.settled.measurements.push((place, measurement));
            }
            Entry::Occupied(first) => *first.get(),
        };
        let (first_place, before) = &self.settled.measurements[first];
        if before.value == measurement.value {
            match self.disputed.contains(&first) {
                true => gathered.leave_out(place),
                false => self.settled.duplicates += 1,
            }
            return;
        }
        let sentence = format!(
            "its value is {} and in {} {} for the same KPI, time and source: keep one, or tell them apart with --source-column",
            measurement.value.get(),
            gathered.at(*first_place),
            before.value.get()
        );
        gathered.leave_out(*first_place);
        gathered.refuse(place, sentence);
        self.disputed.insert(first);
    }

    fn finish(self) -> Settled {
        let Self {
            mut settled,
            identities: _,
            disputed,
        } = self;
        let mut at = 0..;
        settled
            .measurements
            .retain(|_| at.next().is_none_or(|at| !disputed.contains(&at)));
        settled
    }
}

fn measurement(reading: Reading, value: Value) -> NewMeasurement {
    let Reading {
        kpi,
        name: _,
        effective,
        written: _,
        source_id,
        note,
    } = reading;
    NewMeasurement {
        kpi,
        effective,
        value,
        source_id,
        note,
    }
}

/// The KPIs no value of which can be settled; each is said once, at the first place that names it.
fn refused_kpis(
    gathered: &mut Gathered,
    units: &BTreeMap<Id, Result<Unit, String>>,
    value_units: &PerKpi<ValueUnit>,
) -> BTreeSet<Id> {
    let mut refused = Vec::new();
    for (id, (place, _)) in &gathered.kpis {
        let sentence = match (units.get(id), value_units.get(id)) {
            (Some(Ok(unit)), Some(told)) => told.fits(unit).err().map(|why| format!("kpis/{id}: {why}")),
            (Some(Ok(_)), None) => None,
            (Some(Err(sentence)), _) => Some(sentence.clone()),
            // The units are those of what was gathered.
            (None, _) => Some(format!("kpis/{id} does not exist")),
        };
        if let Some(sentence) = sentence {
            refused.push((id.clone(), *place, sentence));
        }
    }
    refused
        .into_iter()
        .map(|(id, place, sentence)| {
            gathered.refuse(place, sentence);
            id
        })
        .collect()
}

fn identity(measurement: &NewMeasurement) -> Identity {
    let moment = match measurement.effective {
        Effective::Now => Moment::Now,
        Effective::At(moment) => Moment::At(moment),
        Effective::On(date) => Moment::On(date),
    };
    (measurement.kpi.clone(), moment, measurement.source_id.clone())
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
