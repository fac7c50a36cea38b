//! What KPIs become that do not exist yet, and whether a value fits a KPI's unit.

use clap::{Args, ValueEnum};

use crate::domain::{CurrencyCode, Title, Unit, UnitKind};
use crate::proto::api;

/// How to create KPIs that do not exist yet.
#[derive(Debug, Args)]
pub(super) struct Creation {
    /// Creates the KPIs that do not exist yet
    #[arg(long, requires_all = ["direction", "cadence"])]
    create: bool,
    /// Which way the created KPIs should go
    #[arg(long, value_enum, requires = "create", value_name = "DIRECTION")]
    direction: Option<Direction>,
    /// How often they are measured
    #[arg(long, value_enum, requires = "create", value_name = "CADENCE")]
    cadence: Option<Cadence>,
    /// What their values are: number, percent, count, duration (seconds), or currency:EUR [default: number]
    #[arg(long, value_parser = unit, requires = "create", value_name = "UNIT")]
    unit: Option<Unit>,
    /// How a period's values become one [default: last]
    #[arg(long, value_enum, requires = "create", value_name = "AGGREGATION")]
    aggregation: Option<Aggregation>,
}

/// What every created KPI has in common.
#[derive(Clone, Debug)]
pub(super) struct Blueprint {
    direction: Direction,
    cadence: Cadence,
    unit: Unit,
    aggregation: Aggregation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Direction {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
    /// Best between two bounds.
    Range,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Cadence {
    /// Every day.
    Daily,
    /// Every week.
    Weekly,
    /// Every month.
    Monthly,
    /// Every three months.
    Quarterly,
    /// Every six months.
    Semiannual,
    /// Every year.
    Annual,
    /// In no rhythm.
    Irregular,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Aggregation {
    /// The latest.
    Last,
    /// All added up.
    Sum,
    /// Their mean.
    Mean,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// How many there are.
    Count,
}

impl Creation {
    /// How to create KPIs; none: they are not to be created.
    pub(super) fn blueprint(&self) -> Option<Blueprint> {
        match (self.create, self.direction, self.cadence) {
            (true, Some(direction), Some(cadence)) => Some(Blueprint {
                direction,
                cadence,
                unit: self.unit.clone().unwrap_or_else(Unit::number),
                aggregation: self.aggregation.unwrap_or(Aggregation::Last),
            }),
            // The command line asks for the other two with the first.
            _ => None,
        }
    }
}

impl Blueprint {
    /// The unit of the created KPIs.
    pub(super) fn unit(&self) -> &Unit {
        &self.unit
    }

    /// A KPI to create.
    pub(super) fn kpi(&self, title: &Title) -> api::Kpi {
        let direction = match self.direction {
            Direction::Higher => api::Direction::HigherIsBetter,
            Direction::Lower => api::Direction::LowerIsBetter,
            Direction::Range => api::Direction::InRange,
        };
        let cadence = match self.cadence {
            Cadence::Daily => api::Cadence::Daily,
            Cadence::Weekly => api::Cadence::Weekly,
            Cadence::Monthly => api::Cadence::Monthly,
            Cadence::Quarterly => api::Cadence::Quarterly,
            Cadence::Semiannual => api::Cadence::Semiannual,
            Cadence::Annual => api::Cadence::Annual,
            Cadence::Irregular => api::Cadence::Irregular,
        };
        let aggregation = match self.aggregation {
            Aggregation::Last => api::Aggregation::Last,
            Aggregation::Sum => api::Aggregation::Sum,
            Aggregation::Mean => api::Aggregation::Mean,
            Aggregation::Min => api::Aggregation::Min,
            Aggregation::Max => api::Aggregation::Max,
            Aggregation::Count => api::Aggregation::Count,
        };
        api::Kpi {
            title: title.as_str().to_owned(),
            unit: Some(unit_message(&self.unit.kind)),
            direction: direction.into(),
            cadence: cadence.into(),
            aggregation: aggregation.into(),
            ..api::Kpi::default()
        }
    }
}

/// A unit by its kind alone, as the API has it.
pub(in crate::cli) fn unit_message(kind: &UnitKind) -> api::Unit {
    use api::unit::Kind;
    let (kind, currency_code, scale_labels) = match kind {
        UnitKind::Number => (Kind::Number, String::new(), Vec::new()),
        UnitKind::Percent => (Kind::Percent, String::new(), Vec::new()),
        UnitKind::Currency(code) => (Kind::Currency, code.as_str().to_owned(), Vec::new()),
        UnitKind::Duration => (Kind::Duration, String::new(), Vec::new()),
        UnitKind::Count => (Kind::Count, String::new(), Vec::new()),
        UnitKind::Scale(labels) => {
            let labels = labels.iter().map(|label| label.to_string()).collect();
            (Kind::Scale, String::new(), labels)
        }
    };
    api::Unit {
        kind: kind.into(),
        currency_code,
        scale_labels,
        ..api::Unit::default()
    }
}

/// What a KPI's unit demands of its values. What this program does not know yet is left to the server.
pub(super) fn unit_of(kpi: &api::Kpi) -> Unit {
    use api::unit::Kind;
    let Some(message) = &kpi.unit else {
        return Unit::number();
    };
    let kind = match message.kind() {
        Kind::Count => UnitKind::Count,
        Kind::Scale => UnitKind::scale(&message.scale_labels).unwrap_or(UnitKind::Number),
        Kind::Unspecified | Kind::Number | Kind::Percent | Kind::Currency | Kind::Duration => {
            UnitKind::Number
        }
    };
    Unit {
        kind,
        ..Unit::number()
    }
}

fn unit(text: &str) -> Result<Unit, String> {
    let kind = match text.split_once(':') {
        Some(("currency", code)) => {
            UnitKind::Currency(CurrencyCode::parse(code).map_err(|invalid| invalid.to_string())?)
        }
        None if text == "number" => UnitKind::Number,
        None if text == "percent" => UnitKind::Percent,
        None if text == "count" => UnitKind::Count,
        None if text == "duration" => UnitKind::Duration,
        _ => return Err("write number, percent, count, duration, or currency:EUR".to_owned()),
    };
    Ok(Unit {
        kind,
        ..Unit::number()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_read_as_it_is_sent() {
        for (text, kind, code) in [
            ("number", api::unit::Kind::Number, ""),
            ("percent", api::unit::Kind::Percent, ""),
            ("count", api::unit::Kind::Count, ""),
            ("duration", api::unit::Kind::Duration, ""),
            ("currency:EUR", api::unit::Kind::Currency, "EUR"),
        ] {
            let message = unit_message(&unit(text).expect(text).kind);
            assert_eq!((message.kind(), message.currency_code.as_str()), (kind, code));
        }
        for bad in ["", "currency", "currency:eur", "scale", "number:x"] {
            assert!(unit(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_kpi_that_counts_takes_whole_numbers_and_a_scale_its_labels() {
        let of = |unit: &UnitKind| {
            unit_of(&api::Kpi {
                unit: Some(unit_message(unit)),
                ..api::Kpi::default()
            })
        };
        assert!(of(&UnitKind::Count).check(1.5).is_err());
        let scale = UnitKind::scale(&["red".into(), "green".into()]).expect("a scale");
        assert!(of(&scale).check(1.0).is_ok() && of(&scale).check(2.0).is_err());
        assert!(of(&UnitKind::Percent).check(-1.5).is_ok());
    }
}
