//! A resource as the API shows it, field by field, and how it differs from what it was.
//!
//! Invariant: paths and values are those of the changes of events, so that both can be held side by side. Which fields there
//! are, and who says them, is read from the API's own descriptors: a field that the API gains is compared at once. It knows
//! nothing of where the two come from.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, ExtensionDescriptor, FieldDescriptor, MapKey,
    ReflectMessage, Value,
};
use serde_json::{Value as Json, json};

use crate::projection::FieldChange;
use crate::proto::{API_DESCRIPTOR_SET, api};

/// A resource, or a check-in, which is none of those that a subscription shows.
pub(super) enum Subject {
    Resource(Box<api::Resource>),
    CheckIn(Box<api::CheckIn>),
}

/// What people write of a resource, and what Binnacle makes of it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Difference {
    pub(super) written: Vec<FieldChange>,
    pub(super) derived: Vec<FieldChange>,
}

/// Every field that has a value, by path, and whether Binnacle derives it.
type Leaves = BTreeMap<String, (Json, bool)>;

struct Descriptors {
    pool: DescriptorPool,
    behavior: ExtensionDescriptor,
    reference: ExtensionDescriptor,
}

/// The number of `OUTPUT_ONLY` in google.api.FieldBehavior.
const OUTPUT_ONLY: i32 = 3;

/// Said by the server, but changed by somebody's call alone.
const DONE_BY_CALLS: [&str; 13] = [
    "binnacle.v1.ActionPlan.complete_note",
    "binnacle.v1.ActionPlan.complete_time",
    "binnacle.v1.Alert.acknowledge_note",
    "binnacle.v1.Alert.acknowledge_time",
    "binnacle.v1.Alert.action_plan",
    "binnacle.v1.Cycle.state",
    "binnacle.v1.Kpi.archive_time",
    "binnacle.v1.Objective.activation_date",
    "binnacle.v1.Objective.carried_from",
    "binnacle.v1.Objective.result",
    "binnacle.v1.Objective.started_from_alert",
    "binnacle.v1.Objective.started_from_kpi",
    "binnacle.v1.Objective.state",
];

/// When, where in the log and by whom: the events say it.
const OF_THE_EVENT: [&str; 15] = [
    "acknowledge_principal",
    "close_revision",
    "correct_time",
    "create_time",
    "delete_time",
    "etag",
    "log_id",
    "name",
    "open_revision",
    "reason",
    "recorded_time",
    "retract_time",
    "revision",
    "update_principal",
    "update_time",
];

/// The same of fields whose names elsewhere mean something else, and texts that say in words what other fields say in numbers.
const LEFT_OUT: [&str; 10] = [
    "binnacle.v1.Alert.close_time",
    "binnacle.v1.Alert.open_time",
    "binnacle.v1.Alert.summary",
    "binnacle.v1.CheckIn.principal",
    "binnacle.v1.Kpi.latest_value_text",
    "binnacle.v1.Kpi.period_value_text",
    "binnacle.v1.ObjectiveResult.close_time",
    "binnacle.v1.ObjectiveResult.principal",
    "binnacle.v1.Review.principal",
    "binnacle.v1.Target.text",
];

/// What events call by another path than the API does: a baseline is one thing with where it came from.
const OTHER_PATHS: [(&str, &str); 2] = [
    ("metric.baseline", "metric.baseline.value"),
    (
        "metric.baseline_source.kpi_revision",
        "metric.baseline.kpi_revision",
    ),
];

static DESCRIPTORS: LazyLock<Option<Descriptors>> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(API_DESCRIPTOR_SET).ok()?;
    Some(Descriptors {
        behavior: pool.get_extension_by_name("google.api.field_behavior")?,
        reference: pool.get_extension_by_name("google.api.resource_reference")?,
        pool,
    })
});

/// How a resource differs from what it was; none: it is not there. An error: the program's own description of the API cannot
/// be read.
pub(super) fn difference(
    before: Option<&Subject>,
    after: Option<&Subject>,
) -> Result<Difference, Unreadable> {
    let leaves = |subject: Option<&Subject>| subject.map_or(Ok(Leaves::new()), leaves);
    let (mut was, mut is) = (leaves(before)?, leaves(after)?);
    let mut paths: Vec<String> = was.keys().chain(is.keys()).cloned().collect();
    paths.sort_unstable();
    paths.dedup();
    let mut found = Difference::default();
    for path in paths {
        let (before, after) = (was.remove(&path), is.remove(&path));
        let derived = before
            .as_ref()
            .or(after.as_ref())
            .is_some_and(|(_, derived)| *derived);
        let value = |side: Option<(Json, bool)>| side.map_or(Json::Null, |(value, _)| value);
        let (before, after) = (value(before), value(after));
        if before != after {
            let side = if derived {
                &mut found.derived
            } else {
                &mut found.written
            };
            side.push(FieldChange { path, before, after });
        }
    }
    Ok(found)
}

/// The program's own description of the API cannot be read.
#[derive(Debug)]
pub(super) struct Unreadable;

fn leaves(subject: &Subject) -> Result<Leaves, Unreadable> {
    let descriptors = DESCRIPTORS.as_ref().ok_or(Unreadable)?;
    let decode = |name: &str, bytes: Vec<u8>| {
        let message = descriptors.pool.get_message_by_name(name).ok_or(Unreadable)?;
        DynamicMessage::decode(message, bytes.as_slice()).map_err(|_| Unreadable)
    };
    let message = match subject {
        Subject::CheckIn(check_in) => decode("binnacle.v1.CheckIn", check_in.encode_to_vec())?,
        Subject::Resource(resource) => {
            let resource = decode("binnacle.v1.Resource", resource.encode_to_vec())?;
            let held = resource
                .fields()
                .find_map(|(_, value)| value.as_message().cloned());
            held.ok_or(Unreadable)?
        }
    };
    let mut found = Leaves::new();
    descriptors.message("", &message, false, &mut found);
    Ok(found)
}

impl Descriptors {
    /// `derived`: whether the message lies in a field that Binnacle derives.
    fn message(&self, path: &str, message: &DynamicMessage, derived: bool, found: &mut Leaves) {
        for field in message.descriptor().fields() {
            let (name, full_name) = (field.name(), field.full_name());
            if OF_THE_EVENT.contains(&name) || LEFT_OUT.contains(&full_name) {
                continue;
            }
            let derived = !DONE_BY_CALLS.contains(&full_name) && (derived || self.is_output_only(&field));
            let inside = match path {
                "" => name.to_owned(),
                path if is_list(message) => path.to_owned(),
                path => format!("{path}.{name}"),
            };
            // A field without presence has its zero; one with presence that is not set has nothing.
            if message.has_field(&field) || !field.supports_presence() {
                let value = message.get_field(&field);
                self.field(&inside, &field, &value, derived, found);
            }
        }
    }

    fn field(&self, path: &str, field: &FieldDescriptor, value: &Value, derived: bool, found: &mut Leaves) {
        match value {
            Value::Message(message) => match well_known(message) {
                Some(leaf) => keep(path, leaf, derived, found),
                None if message.descriptor().fields().len() == 0 => keep(path, json!(true), derived, found),
                None => {
                    // The list that says that nothing is in it.
                    if is_list(message) && message.fields().next().is_none() {
                        keep(path, json!([]), derived, found);
                    }
                    self.message(path, message, derived, found);
                }
            },
            Value::List(items) if items.is_empty() => {}
            Value::List(items) if items.iter().any(|item| item.as_message().is_some()) => {
                let messages = items.iter().filter_map(Value::as_message);
                let mut ids = Vec::new();
                for (index, message) in messages.enumerate() {
                    let (id, rest) = self.named(message, index);
                    self.message(&format!("{path}.{id}"), &rest, derived, found);
                    ids.push(Json::String(id));
                }
                keep(path, Json::Array(ids), derived, found);
            }
            Value::List(items) => {
                let items = items.iter().map(|item| self.scalar(field, item)).collect();
                keep(path, Json::Array(items), derived, found);
            }
            Value::Map(entries) => {
                for (key, value) in entries {
                    if let MapKey::String(key) = key {
                        keep(
                            &format!("{path}.{key}"),
                            self.scalar(field, value),
                            derived,
                            found,
                        );
                    }
                }
            }
            Value::Bool(false) => {}
            Value::String(text) if text.is_empty() => {}
            Value::EnumNumber(0) => {}
            scalar => keep(path, self.scalar(field, scalar), derived, found),
        }
    }

    /// An element of a list by its id, or by the resource that it is about, and what else it says.
    fn named(&self, item: &DynamicMessage, index: usize) -> (String, DynamicMessage) {
        let mut rest = item.clone();
        let fields: Vec<FieldDescriptor> = item.descriptor().fields().collect();
        let key = fields
            .iter()
            .find(|field| field.name() == "id" || field.options().has_extension(&self.reference));
        let Some(key) = key else {
            return (index.to_string(), rest);
        };
        let id = self.scalar(key, &item.get_field(key));
        rest.clear_field(key);
        (id.as_str().unwrap_or_default().to_owned(), rest)
    }

    fn scalar(&self, field: &FieldDescriptor, value: &Value) -> Json {
        match value {
            Value::Bool(bool) => json!(bool),
            Value::I32(number) => json!(number),
            Value::I64(number) => json!(number),
            Value::U32(number) => json!(number),
            Value::U64(number) => json!(number),
            Value::F32(number) => json!(number),
            Value::F64(number) => json!(number),
            Value::EnumNumber(number) => match field.kind().as_enum() {
                Some(of) => Json::String(word(of, *number)),
                None => json!(number),
            },
            Value::String(text) if field.options().has_extension(&self.reference) => json!(last_part(text)),
            // It names one of two kinds of resources: by its name in the workspace.
            Value::String(text) if field.name() == "aligned_to" => {
                let inside = text.splitn(3, '/').nth(2);
                json!(inside.unwrap_or(text))
            }
            Value::String(text) => json!(text),
            Value::Bytes(_) | Value::Message(_) | Value::List(_) | Value::Map(_) => Json::Null,
        }
    }

    fn is_output_only(&self, field: &FieldDescriptor) -> bool {
        let options = field.options();
        let behaviors = options.get_extension(&self.behavior);
        let all = behaviors.as_list().unwrap_or_default();
        all.iter().any(|one| one.as_enum_number() == Some(OUTPUT_ONLY))
    }
}

fn keep(path: &str, value: Json, derived: bool, found: &mut Leaves) {
    let other = OTHER_PATHS.iter().find(|(of_the_api, _)| *of_the_api == path);
    let path = other.map_or(path, |(_, of_events)| of_events);
    found.insert(path.to_owned(), (value, derived));
}

/// A message that is there to tell an empty list from none has no level of its own.
fn is_list(message: &DynamicMessage) -> bool {
    let descriptor = message.descriptor();
    let mut fields = descriptor.fields();
    fields.next().is_some_and(|field| field.is_list()) && fields.next().is_none()
}

/// A date or a moment.
fn well_known(message: &DynamicMessage) -> Option<Json> {
    let number = |name: &str| {
        let value = message.get_field_by_name(name)?;
        value.as_i64().or_else(|| value.as_i32().map(i64::from))
    };
    match message.descriptor().full_name() {
        "google.type.Date" => {
            let (year, month, day) = (number("year")?, number("month")?, number("day")?);
            Some(json!(format!("{year:04}-{month:02}-{day:02}")))
        }
        "google.protobuf.Timestamp" => {
            let micros = number("seconds")?.saturating_mul(1_000_000) + number("nanos")? / 1000;
            Some(json!(crate::domain::Timestamp::from_micros(micros)))
        }
        _ => None,
    }
}

/// An enum's value without what they all begin with.
fn word(of: &EnumDescriptor, number: i32) -> String {
    let unspecified = of.default_value();
    let prefix = unspecified.name().strip_suffix("UNSPECIFIED").unwrap_or_default();
    match of.get_value(number) {
        Some(value) => value
            .name()
            .strip_prefix(prefix)
            .unwrap_or(value.name())
            .to_owned(),
        None => number.to_string(),
    }
}

fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
