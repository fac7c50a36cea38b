//! Values of fields as text.

use prost_types::value::Kind;
use serde_json::{Value as Json, json};

use crate::cli::text::{cut, plain};

/// How many columns of a text are shown in a line.
const COLUMNS_MAX: usize = 60;

/// A value for a person: cut, and in one line.
pub(super) fn shown(value: Option<&prost_types::Value>) -> String {
    let text = match value.map(json_of) {
        None | Some(Json::Null) => "none".to_owned(),
        Some(json) => json.to_string(),
    };
    cut(&plain(&text), COLUMNS_MAX)
}

/// A value for a table: a text as it is, a list or a structure as JSON, none as nothing.
pub(super) fn cell(value: Option<&prost_types::Value>) -> String {
    match value.map(json_of) {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text,
        Some(json) => json.to_string(),
    }
}

fn json_of(value: &prost_types::Value) -> Json {
    match &value.kind {
        None | Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::BoolValue(bool)) => json!(bool),
        Some(Kind::NumberValue(number)) => whole(*number),
        Some(Kind::StringValue(text)) => json!(text),
        Some(Kind::ListValue(list)) => list.values.iter().map(json_of).collect(),
        Some(Kind::StructValue(fields)) => {
            let fields = fields.fields.iter();
            Json::Object(
                fields
                    .map(|(name, value)| (name.clone(), json_of(value)))
                    .collect(),
            )
        }
    }
}

/// The API's values have only one kind of number: a whole one is written without a fraction.
#[allow(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
fn whole(number: f64) -> Json {
    const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= WHOLE_MAX {
        json!(number as i64)
    } else {
        json!(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(kind: Kind) -> prost_types::Value {
        prost_types::Value { kind: Some(kind) }
    }

    #[test]
    fn a_value_is_written_for_a_person_and_for_a_table() {
        let list = prost_types::ListValue {
            values: vec![
                value(Kind::StringValue("a".into())),
                value(Kind::NumberValue(1.0)),
            ],
        };
        for (given, person, table) in [
            (Some(value(Kind::NumberValue(40.0))), "40", "40"),
            (Some(value(Kind::NumberValue(0.25))), "0.25", "0.25"),
            (Some(value(Kind::BoolValue(true))), "true", "true"),
            (Some(value(Kind::StringValue("NPS".into()))), "\"NPS\"", "NPS"),
            (Some(value(Kind::ListValue(list))), "[\"a\",1]", "[\"a\",1]"),
            (None, "none", ""),
        ] {
            assert_eq!(shown(given.as_ref()), person);
            assert_eq!(cell(given.as_ref()), table);
        }
        let long = value(Kind::StringValue("x\u{1b}[2J\n".repeat(100)));
        let line = shown(Some(&long));
        assert!(!line.contains(char::is_control) && line.chars().count() <= COLUMNS_MAX);
    }
}
