//! What KPIs become that do not exist yet, and whether a value fits a KPI's unit.

use clap::{Args, ValueEnum};

use super::per_kpi::{Choice, PerKpi, choice, word};
use crate::domain::{CurrencyCode, Id, Title, Unit, UnitKind};
use crate::proto::api;

/// How to create KPIs that do not exist yet.
#[derive(Debug, Args)]
#[command(next_help_heading = "KPIs that do not exist yet")]
pub(super) struct Creation {
    /// Creates the KPIs that do not exist yet. What follows holds for all of them, or, as ID=…, for one
    #[arg(long, requires_all = ["direction", "cadence"])]
    create: bool,
    /// Which way the created KPIs should go: higher, lower, or range (best between two bounds)
    #[arg(long, value_parser = direction, requires = "create", value_name = "[ID=]DIRECTION")]
    direction: Vec<Choice<Direction>>,
    /// How often they are measured: daily, weekly, monthly, quarterly, semiannual, annual, or irregular
    #[arg(long, value_parser = cadence, requires = "create", value_name = "[ID=]CADENCE")]
    cadence: Vec<Choice<Cadence>>,
    /// What their values are: number, percent, count, duration (seconds), currency:EUR, or scale:bad,ok,good with its
    /// labels, the lowest first [default: number]
    #[arg(long, value_parser = unit_choice, requires = "create", value_name = "[ID=]UNIT")]
    unit: Vec<Choice<Unit>>,
    /// How a period's values become one: last, sum, mean, min, max, or count [default: last]
    #[arg(long, value_parser = aggregation, requires = "create", value_name = "[ID=]AGGREGATION")]
    aggregation: Vec<Choice<Aggregation>>,
}

/// How KPIs are to be created.
#[derive(Clone, Debug)]
pub(super) struct Blueprints {
    direction: PerKpi<Direction>,
    cadence: PerKpi<Cadence>,
    unit: PerKpi<Unit>,
    aggregation: PerKpi<Aggregation>,
}

/// How one KPI is to be created.
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
    ///
    /// # Errors
    /// Something is said twice.
    pub(super) fn blueprints(&self) -> Result<Option<Blueprints>, String> {
        let blueprints = Blueprints {
            direction: PerKpi::new("--direction", &self.direction)?,
            cadence: PerKpi::new("--cadence", &self.cadence)?,
            unit: PerKpi::new("--unit", &self.unit)?,
            aggregation: PerKpi::new("--aggregation", &self.aggregation)?,
        };
        Ok(self.create.then_some(blueprints))
    }
}

impl Blueprints {
    /// How to create a KPI.
    ///
    /// # Errors
    /// What has no default is said for other KPIs only.
    pub(super) fn of(&self, kpi: &Id) -> Result<Blueprint, String> {
        let unsaid =
            |flag: &str| format!("kpis/{kpi} is to be created: say {flag} {kpi}=…, or {flag} for all");
        Ok(Blueprint {
            direction: *self.direction.get(kpi).ok_or_else(|| unsaid("--direction"))?,
            cadence: *self.cadence.get(kpi).ok_or_else(|| unsaid("--cadence"))?,
            unit: self.unit.get(kpi).cloned().unwrap_or_else(Unit::number),
            aggregation: *self.aggregation.get(kpi).unwrap_or(&Aggregation::Last),
        })
    }

    /// # Errors
    /// Something is said for a KPI that is none.
    pub(super) fn only_of(&self, is_one: impl Fn(&Id) -> bool) -> Result<(), String> {
        let Self {
            direction,
            cadence,
            unit,
            aggregation,
        } = self;
        direction.only_of(&is_one)?;
        cadence.only_of(&is_one)?;
        unit.only_of(&is_one)?;
        aggregation.only_of(&is_one)
    }
}

impl Blueprint {
    /// What its values are.
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

/// What a KPI is measured in. What this program does not know yet is left to the server.
pub(super) fn unit_of(kpi: &api::Kpi) -> Unit {
    use api::unit::Kind;
    let Some(message) = &kpi.unit else {
        return Unit::number();
    };
    let kind = match message.kind() {
        Kind::Unspecified | Kind::Number => Some(UnitKind::Number),
        Kind::Percent => Some(UnitKind::Percent),
        Kind::Currency => CurrencyCode::parse(&message.currency_code)
            .ok()
            .map(UnitKind::Currency),
        Kind::Duration => Some(UnitKind::Duration),
        Kind::Count => Some(UnitKind::Count),
        Kind::Scale => UnitKind::scale(&message.scale_labels).ok(),
    };
    Unit {
        kind: kind.unwrap_or(UnitKind::Number),
        symbol: message.symbol.as_str().into(),
        decimals: None,
    }
}

fn direction(text: &str) -> Result<Choice<Direction>, String> {
    choice(text, word)
}

fn cadence(text: &str) -> Result<Choice<Cadence>, String> {
    choice(text, word)
}

fn aggregation(text: &str) -> Result<Choice<Aggregation>, String> {
    choice(text, word)
}

fn unit_choice(text: &str) -> Result<Choice<Unit>, String> {
    choice(text, unit)
}

fn unit(text: &str) -> Result<Unit, String> {
    let kind = match text.split_once(':') {
        Some(("currency", code)) => {
            UnitKind::Currency(CurrencyCode::parse(code).map_err(|invalid| invalid.to_string())?)
        }
        Some(("scale", labels)) => scale(labels)?,
        None if text == "number" => UnitKind::Number,
        None if text == "percent" => UnitKind::Percent,
        None if text == "count" => UnitKind::Count,
        None if text == "duration" => UnitKind::Duration,
        _ => {
            return Err(
                "write number, percent, count, duration, currency:EUR, or scale:bad,ok,good".to_owned(),
            );
        }
    };
    Ok(Unit {
        kind,
        ..Unit::number()
    })
}

fn scale(text: &str) -> Result<UnitKind, String> {
    let labels: Vec<String> = text.split(',').map(|label| label.trim().to_owned()).collect();
    let repeated = (1..labels.len()).find(|at| labels[..*at].contains(&labels[*at]));
    if let Some(at) = repeated {
        return Err(format!("the scale has {:?} twice: keep one", labels[at]));
    }
    UnitKind::scale(&labels).map_err(|invalid| invalid.to_string())
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
        let scale = unit_message(&unit("scale:bad, ok,good").expect("a scale").kind);
        assert_eq!(
            (scale.kind(), scale.scale_labels),
            (
                api::unit::Kind::Scale,
                vec!["bad".into(), "ok".into(), "good".into()]
            )
        );
        for bad in [
            "",
            "currency",
            "currency:eur",
            "scale",
            "scale:",
            "scale:one",
            "scale:a,,b",
            "scale:a,b,a",
            "number:x",
        ] {
            assert!(unit(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn one_kpi_can_be_created_otherwise_than_the_others() {
        let [nps, mrr] = ["nps", "mrr"].map(|id| Id::parse(id).expect("an id"));
        let of = |directions: &[&str]| {
            let creation = Creation {
                create: true,
                direction: directions
                    .iter()
                    .map(|text| direction(text).expect("a direction"))
                    .collect(),
                cadence: vec![cadence("monthly").expect("a cadence")],
                unit: vec![unit_choice("nps=scale:bad,good").expect("a unit")],
                aggregation: Vec::new(),
            };
            creation
                .blueprints()
                .map(|blueprints| blueprints.expect("they are to be created"))
        };
        let blueprints = of(&["higher", "nps=lower"]).expect("blueprints");
        let nps_made = blueprints.of(&nps).expect("a blueprint");
        let mrr_made = blueprints.of(&mrr).expect("a blueprint");
        assert_eq!(
            (nps_made.direction, mrr_made.direction),
            (Direction::Lower, Direction::Higher)
        );
        assert!(matches!(nps_made.unit.kind, UnitKind::Scale(_)));
        assert_eq!(mrr_made.unit.kind, UnitKind::Number);
        let unsaid = of(&["nps=lower"])
            .expect("blueprints")
            .of(&mrr)
            .expect_err("no direction");
        assert_eq!(
            unsaid,
            "kpis/mrr is to be created: say --direction mrr=…, or --direction for all"
        );
        assert!(of(&["higher", "lower"]).is_err());
        assert!(blueprints.only_of(|id| *id == mrr).is_err() && blueprints.only_of(|id| *id == nps).is_ok());
        assert!(
            direction("nps=up")
                .expect_err("no direction")
                .starts_with("write higher, lower, range")
        );
    }

    #[test]
    fn a_kpis_unit_is_what_the_server_says() {
        let of = |unit: &UnitKind| {
            unit_of(&api::Kpi {
                unit: Some(api::Unit {
                    symbol: "x".into(),
                    ..unit_message(unit)
                }),
                ..api::Kpi::default()
            })
        };
        let euro = UnitKind::Currency(CurrencyCode::parse("EUR").expect("a currency"));
        for kind in [
            UnitKind::Number,
            UnitKind::Percent,
            euro,
            UnitKind::Duration,
            UnitKind::Count,
        ] {
            assert_eq!((of(&kind).kind, &*of(&kind).symbol), (kind, "x"));
        }
        assert!(of(&UnitKind::Count).check(1.5).is_err());
        let scale = UnitKind::scale(&["red".into(), "green".into()]).expect("a scale");
        assert!(of(&scale).check(1.0).is_ok() && of(&scale).check(2.0).is_err());
        assert!(of(&UnitKind::Percent).check(-1.5).is_ok());
    }
}
