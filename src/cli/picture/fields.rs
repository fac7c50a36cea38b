//! Reads the fields that an event changed, as its paths name them.

use jiff::civil::Date;
use prost_types::value::Kind;

use crate::proto::{api, google_type};

/// The fields of one event.
pub(in crate::cli) struct Fields<'a> {
    changes: &'a [api::FieldChange],
}

impl<'a> Fields<'a> {
    pub(in crate::cli) fn of(event: &'a api::Event) -> Self {
        Self {
            changes: &event.changes,
        }
    }

    /// A value after the event; none: it did not change, or is none.
    pub(in crate::cli) fn after(&self, path: &str) -> Option<&'a Kind> {
        let change = self.changes.iter().find(|change| change.path == path)?;
        change.after.as_ref()?.kind.as_ref()
    }

    /// A text after the event; none: it did not change, or is none.
    pub(in crate::cli) fn string(&self, path: &str) -> Option<&'a str> {
        match self.after(path)? {
            Kind::StringValue(text) => Some(text),
            _ => None,
        }
    }

    /// A number after the event; none: it did not change, or is none.
    pub(in crate::cli) fn number(&self, path: &str) -> Option<f64> {
        match self.after(path)? {
            Kind::NumberValue(number) => Some(*number),
            _ => None,
        }
    }

    /// A number that may have changed from `before`, also to none.
    pub(in crate::cli) fn changed(&self, path: &str, before: Option<f64>) -> Option<f64> {
        if self.changes.iter().any(|change| change.path == path) {
            self.number(path)
        } else {
            before
        }
    }

    /// Puts a text that changed into its place.
    pub(in crate::cli) fn text(&self, path: &str, place: &mut String) {
        if self.changes.iter().any(|change| change.path == path) {
            self.string(path).unwrap_or_default().clone_into(place);
        }
    }

    /// The texts of a list after the event; none of them: it did not change, or is empty.
    fn strings(&self, path: &str) -> Vec<String> {
        let Some(Kind::ListValue(list)) = self.after(path) else {
            return Vec::new();
        };
        let texts = list.values.iter().filter_map(|value| match &value.kind {
            Some(Kind::StringValue(text)) => Some(text.clone()),
            _ => None,
        });
        texts.collect()
    }

    /// What a KPI's values are and are made into after the event; of `known`, what it leaves as it is.
    pub(in crate::cli) fn measure(&self, known: api::Kpi) -> api::Kpi {
        let word = |path: &str, prefix: &str| {
            let changed = self.changes.iter().any(|change| change.path == path);
            changed.then(|| format!("{prefix}{}", self.string(path).unwrap_or_default()))
        };
        let transform = word("transform", "TRANSFORM_").map(|word| {
            let transform = api::kpi::Transform::from_str_name(&word);
            transform.unwrap_or_default().into()
        });
        let aggregation = word("aggregation", "AGGREGATION_").map(|word| {
            let aggregation = api::Aggregation::from_str_name(&word);
            aggregation.unwrap_or_default().into()
        });
        api::Kpi {
            unit: self.unit().or(known.unit),
            transform: transform.unwrap_or(known.transform),
            aggregation: aggregation.unwrap_or(known.aggregation),
            ..api::Kpi::default()
        }
    }

    /// The unit of a new resource; none: it has none, or did not change.
    pub(in crate::cli) fn unit(&self) -> Option<api::Unit> {
        let kind = format!("KIND_{}", self.string("unit.kind")?);
        Some(api::Unit {
            kind: api::unit::Kind::from_str_name(&kind)?.into(),
            currency_code: self.string("unit.currency_code").unwrap_or_default().to_owned(),
            symbol: self.string("unit.symbol").unwrap_or_default().to_owned(),
            decimals: self.number("unit.decimals").map(whole),
            scale_labels: self.strings("unit.scale_labels"),
        })
    }
}

/// The name of what a check-in, a key result, an initiative or an alert belongs to.
pub(in crate::cli) fn parent(name: &str) -> &str {
    let mut parts = name.rsplitn(3, '/');
    parts.nth(2).unwrap_or(name)
}

pub(in crate::cli) fn text_date(text: &str) -> Option<Date> {
    text.parse().ok()
}

pub(in crate::cli) fn wire_date(date: google_type::Date) -> Option<Date> {
    let year = i16::try_from(date.year).ok()?;
    let (month, day) = (i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
    Date::new(year, month, day).ok()
}

/// Decimals shown: 0 to 9.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=9 before"
)]
fn whole(number: f64) -> u32 {
    number.clamp(0.0, 9.0) as u32
}
