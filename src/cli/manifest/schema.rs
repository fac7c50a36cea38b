//! What the API's own descriptors say about its fields: which may be written, which are sets, what they refer to.
//!
//! The manifests know no field by themselves, so a field that the API gains is in the manifests at once. The few that mean
//! more than they say are named where that is: `state` and `closing` in `document`, exclusive ones in `merge`.

use std::collections::BTreeMap;

use prost_reflect::{
    DescriptorPool, EnumDescriptor, ExtensionDescriptor, FieldDescriptor, MessageDescriptor,
    MethodDescriptor, Value,
};

use super::kind::Kind;
use crate::cli::{Failure, FailureKind};
use crate::proto::API_DESCRIPTOR_SET;

/// The API's package.
pub(in crate::cli) const PACKAGE: &str = "binnacle.v1";
/// A local date.
pub(in crate::cli) const DATE: &str = "google.type.Date";
/// A moment.
pub(in crate::cli) const TIMESTAMP: &str = "google.protobuf.Timestamp";
/// The field that names an objective or a key result.
pub(in crate::cli) const ALIGNED_TO: &str = "aligned_to";
/// Numbers of google.api.FieldBehavior.
const OUTPUT_ONLY: i32 = 3;
const INPUT_ONLY: i32 = 4;
const IMMUTABLE: i32 = 5;
const UNORDERED_LIST: i32 = 6;
const IDENTIFIER: i32 = 8;

/// The API's descriptors, and what was read out of them.
pub(in crate::cli) struct Schema {
    pool: DescriptorPool,
    rules: BTreeMap<String, Rule>,
    methods: BTreeMap<String, MethodDescriptor>,
}

/// What is to be known of a field beside its type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Rule {
    /// The server says it, nobody else.
    pub(in crate::cli) output_only: bool,
    /// It is said, and answered as something else.
    pub(in crate::cli) input_only: bool,
    /// It never changes.
    pub(in crate::cli) immutable: bool,
    /// The order of the list means nothing.
    pub(in crate::cli) unordered: bool,
    /// Its resource's name.
    pub(in crate::cli) identifier: bool,
    /// It names a resource of this kind.
    pub(in crate::cli) refers_to: Option<Kind>,
}

impl Schema {
    /// Reads the descriptors that the program was built with.
    ///
    /// # Errors
    /// They cannot be read: the program is broken.
    pub(in crate::cli) fn load() -> Result<Self, Failure> {
        let broken = |what: String| {
            let sentence = format!("the program's own description of the API cannot be read: {what}");
            Failure::new(FailureKind::Failed, sentence)
        };
        let pool = DescriptorPool::decode(API_DESCRIPTOR_SET).map_err(|error| broken(error.to_string()))?;
        let extension = |name: &str| {
            let extension = pool.get_extension_by_name(name);
            extension.ok_or_else(|| broken(format!("it has no {name}")))
        };
        let behavior = extension("google.api.field_behavior")?;
        let reference = extension("google.api.resource_reference")?;
        let messages = pool
            .all_messages()
            .filter(|message| message.package_name() == PACKAGE);
        let fields = messages.flat_map(|message| message.fields().collect::<Vec<_>>());
        let rules = fields
            .map(|field| (field.full_name().to_owned(), rule(&field, &behavior, &reference)))
            .collect();
        let services = pool.services().collect::<Vec<_>>();
        let methods = services
            .iter()
            .flat_map(|service| service.methods().collect::<Vec<_>>());
        let methods = methods.map(|method| (method.name().to_owned(), method)).collect();
        Ok(Self { pool, rules, methods })
    }

    /// A message of the API.
    ///
    /// # Errors
    /// There is none of that name: the program is broken.
    pub(in crate::cli) fn message(&self, name: &str) -> Result<MessageDescriptor, Failure> {
        let message = self.pool.get_message_by_name(&format!("{PACKAGE}.{name}"));
        message.ok_or_else(|| missing(name))
    }

    /// The message of a kind.
    ///
    /// # Errors
    /// There is none of that name: the program is broken.
    pub(in crate::cli) fn resource(&self, kind: Kind) -> Result<MessageDescriptor, Failure> {
        match kind {
            Kind::Series => self.message("Measurement"),
            kind => self.message(kind.word()),
        }
    }

    /// A call of the API.
    ///
    /// # Errors
    /// There is none of that name: the program is broken.
    pub(in crate::cli) fn method(&self, name: &str) -> Result<&MethodDescriptor, Failure> {
        self.methods.get(name).ok_or_else(|| missing(name))
    }

    /// What is to be known of a field.
    pub(in crate::cli) fn rule(&self, field: &FieldDescriptor) -> Rule {
        self.rules.get(field.full_name()).copied().unwrap_or_default()
    }

    /// The kinds of what a field names; none: it names nothing.
    pub(in crate::cli) fn refers_to(&self, field: &FieldDescriptor) -> Vec<Kind> {
        match self.rule(field).refers_to {
            Some(kind) => vec![kind],
            // Two kinds are more than the descriptors can say.
            None if field.name() == ALIGNED_TO => vec![Kind::Objective, Kind::KeyResult],
            None => Vec::new(),
        }
    }

    /// The fields of a message that people write, in the API's order.
    pub(in crate::cli) fn authored(&self, message: &MessageDescriptor) -> Vec<FieldDescriptor> {
        // In the order of the file, which is the order in which one reads them.
        let mut fields: Vec<_> = message.fields().collect();
        fields.sort_by_key(|field| field.path().last().copied());
        fields.retain(|field| {
            let rule = self.rule(field);
            !rule.output_only && !rule.identifier && field.name() != "etag"
        });
        fields
    }
}

fn missing(name: &str) -> Failure {
    let sentence = format!("the program's own description of the API has no {name}");
    Failure::new(FailureKind::Failed, sentence)
}

fn rule(field: &FieldDescriptor, behavior: &ExtensionDescriptor, reference: &ExtensionDescriptor) -> Rule {
    let options = field.options();
    let behaviors = options.get_extension(behavior);
    let is = |wanted: i32| {
        let all = behaviors.as_list().unwrap_or_default();
        all.iter().any(|one| one.as_enum_number() == Some(wanted))
    };
    let refers_to = options.has_extension(reference).then(|| {
        let reference = options.get_extension(reference);
        let of_type = reference.as_message()?.get_field_by_name("type")?;
        let word = of_type.as_str()?.rsplit('/').next()?;
        Kind::of_word(word).ok()
    });
    Rule {
        output_only: is(OUTPUT_ONLY),
        input_only: is(INPUT_ONLY),
        immutable: is(IMMUTABLE),
        unordered: is(UNORDERED_LIST) || field.is_list() && field.kind().as_enum().is_some(),
        identifier: is(IDENTIFIER),
        refers_to: refers_to.flatten(),
    }
}

/// What all values of an enum begin with: `STATE_`.
fn prefix(of: &EnumDescriptor) -> String {
    let unspecified = of.default_value();
    let name = unspecified.name();
    name.strip_suffix("UNSPECIFIED").unwrap_or_default().to_owned()
}

/// The words for an enum's values, without what they all begin with, and without the one that says nothing.
pub(in crate::cli) fn words(of: &EnumDescriptor) -> Vec<String> {
    let prefix = prefix(of);
    let said = of.values().filter(|value| value.number() != 0);
    said.map(|value| {
        value
            .name()
            .strip_prefix(&prefix)
            .unwrap_or(value.name())
            .to_owned()
    })
    .collect()
}

/// The number of an enum's value, by its word or its full name.
pub(in crate::cli) fn number(of: &EnumDescriptor, word: &str) -> Option<i32> {
    let value = of
        .get_value_by_name(&format!("{}{word}", prefix(of)))
        .or_else(|| of.get_value_by_name(word))?;
    Some(value.number()).filter(|number| *number != 0)
}

/// The word for an enum's number; a number that this program does not know stays one.
pub(in crate::cli) fn word(of: &EnumDescriptor, number: i32) -> String {
    let Some(value) = of.get_value(number) else {
        return number.to_string();
    };
    let prefix = prefix(of);
    value
        .name()
        .strip_prefix(&prefix)
        .unwrap_or(value.name())
        .to_owned()
}

/// A text field of a message; empty where there is none.
pub(in crate::cli) fn text(message: &prost_reflect::DynamicMessage, field: &str) -> String {
    match message.get_field_by_name(field).as_deref() {
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule_of(message: &str, field: &str) -> Rule {
        let schema = Schema::load().expect("the descriptors");
        let message = schema.message(message).expect("a message");
        schema.rule(&message.get_field_by_name(field).expect("a field"))
    }

    #[test]
    fn the_descriptors_say_who_writes_a_field_and_what_it_refers_to() {
        assert!(rule_of("Objective", "state").output_only);
        assert!(rule_of("Objective", "name").identifier);
        assert!(rule_of("Workspace", "preset").immutable);
        assert!(rule_of("CheckIn", "effective_date").input_only);
        assert!(rule_of("Objective", "serves").unordered && rule_of("Member", "roles").unordered);
        assert!(!rule_of("Unit", "scale_labels").unordered);
        assert_eq!(rule_of("Objective", "owner").refers_to, Some(Kind::Member));
        assert_eq!(rule_of("Objective", "title"), Rule::default());
    }

    #[test]
    fn every_kind_has_its_message_and_a_title_is_written_first() {
        let schema = Schema::load().expect("the descriptors");
        for kind in Kind::ALL {
            let message = schema.resource(kind).expect("a message");
            let fields = schema.authored(&message);
            assert!(!fields.is_empty(), "{kind:?}");
            assert!(fields.iter().all(|field| field.name() != "name"), "{kind:?}");
        }
        let names = |kind| {
            let fields = schema.authored(&schema.resource(kind).expect("a message"));
            fields
                .iter()
                .map(|field| field.name().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(Kind::Team), ["title", "parent_team", "lead"]);
        assert_eq!(
            names(Kind::KeyResult),
            [
                "title",
                "owner",
                "metric",
                "maintain",
                "milestones",
                "binary",
                "unit",
                "weight",
                "kpi",
                "due_date",
                "window"
            ]
        );
    }

    #[test]
    fn a_value_of_an_enum_is_said_without_what_they_all_begin_with() {
        let schema = Schema::load().expect("the descriptors");
        let kind = schema
            .message("Kpi")
            .expect("a message")
            .get_field_by_name("direction");
        let kind = kind.expect("a field").kind();
        let direction = kind.as_enum().expect("an enum");
        assert_eq!(
            words(direction),
            ["HIGHER_IS_BETTER", "LOWER_IS_BETTER", "IN_RANGE"]
        );
        assert_eq!(number(direction, "IN_RANGE"), Some(3));
        assert_eq!(number(direction, "DIRECTION_IN_RANGE"), Some(3));
        assert_eq!(
            (number(direction, "UNSPECIFIED"), number(direction, "UP")),
            (None, None)
        );
        assert_eq!(
            (word(direction, 1), word(direction, 99)),
            ("HIGHER_IS_BETTER".to_owned(), "99".to_owned())
        );
    }
}
