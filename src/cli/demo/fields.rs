//! Reads the fields that an event changed, as its paths name them.

use jiff::civil::Date;
use prost_types::value::Kind;

use crate::proto::{api, google_type};

/// The fields of one event.
pub(super) struct Fields<'a> {
    changes: &'a [api::FieldChange],
}

impl<'a> Fields<'a> {
    pub(super) fn of(event: &'a api::Event) -> Self {
        Self {
            changes: &event.changes,
        }
    }

    fn after(&self, path: &str) -> Option<&'a Kind> {
        let change = self.changes.iter().find(|change| change.path == path)?;
        change.after.as_ref()?.kind.as_ref()
    }

    /// A text after the event; none: it did not change, or is none.
    pub(super) fn string(&self, path: &str) -> Option<&'a str> {
        match self.after(path)? {
            Kind::StringValue(text) => Some(text),
            _ => None,
        }
    }

    /// A number after the event; none: it did not change, or is none.
    pub(super) fn number(&self, path: &str) -> Option<f64> {
        match self.after(path)? {
            Kind::NumberValue(number) => Some(*number),
            _ => None,
        }
    }

    /// A number that may have changed from `before`, also to none.
    pub(super) fn changed(&self, path: &str, before: Option<f64>) -> Option<f64> {
        if self.changes.iter().any(|change| change.path == path) {
            self.number(path)
        } else {
            before
        }
    }

    /// Puts a text that changed into its place.
    pub(super) fn text(&self, path: &str, place: &mut String) {
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

    /// The unit of a new resource; none: it has none, or did not change.
    pub(super) fn unit(&self) -> Option<api::Unit> {
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
pub(super) fn parent(name: &str) -> &str {
    let mut parts = name.rsplitn(3, '/');
    parts.nth(2).unwrap_or(name)
}

pub(super) fn text_date(text: &str) -> Option<Date> {
    text.parse().ok()
}

pub(super) fn wire_date(date: google_type::Date) -> Option<Date> {
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
