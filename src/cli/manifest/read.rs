//! From nodes to the fields of the API that they give. All that is wrong is said at once, each in its line.

use std::rc::Rc;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind as Type, MapKey, MessageDescriptor, Value};

use super::kind::{self, Kind, nearest, shortened};
use super::scalar;
use super::schema::Schema;
use super::yaml::{Content, Entry, Fault, Node};
use crate::domain::Id;

/// A field that a manifest gives.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Given {
    /// Which.
    pub(in crate::cli) field: FieldDescriptor,
    /// Its line.
    pub(in crate::cli) line: usize,
    /// What it is to be.
    pub(in crate::cli) what: What,
}

/// What a field is to be.
#[derive(Clone, Debug)]
pub(in crate::cli) enum What {
    /// Nothing: `null`.
    Cleared,
    /// A single value, a list of them, or a map.
    Value(Value),
    /// A message, in the fields that are given.
    Message(Vec<Given>),
    /// A list of messages.
    Messages(Vec<Vec<Given>>),
}

/// A name of another resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Reference {
    /// The line where it is named.
    pub(in crate::cli) line: usize,
    /// The field that names it.
    pub(in crate::cli) field: String,
    /// Its kind.
    pub(in crate::cli) kind: Kind,
    /// Its relative name.
    pub(in crate::cli) name: String,
}

/// Reads the fields of one document.
pub(in crate::cli) struct Reader<'a> {
    /// What fields there are.
    pub(in crate::cli) schema: &'a Schema,
    /// The workspace that all names lie in.
    pub(in crate::cli) workspace: &'a Id,
    /// What is wrong.
    pub(in crate::cli) faults: Vec<Fault>,
    /// What other resources are named.
    pub(in crate::cli) references: Vec<Reference>,
}

impl Given {
    /// The line of a field below this one, by its path; of the nearest one above it where it is not given.
    pub(in crate::cli) fn line_of(fields: &[Self], path: &str) -> Option<usize> {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        let name = name.split('[').next().unwrap_or(name);
        let given = fields.iter().find(|given| given.field.name() == name)?;
        let below = match &given.what {
            What::Message(fields) => Self::line_of(fields, rest),
            What::Messages(_) | What::Value(_) | What::Cleared => None,
        };
        Some(below.unwrap_or(given.line))
    }
}

impl Reader<'_> {
    /// The fields of a message that entries give; `path` is what they lie in, for sentences.
    pub(in crate::cli) fn message<'e>(
        &mut self,
        message: &MessageDescriptor,
        path: &str,
        entries: impl Iterator<Item = &'e Entry>,
    ) -> Vec<Given> {
        let mut fields: Vec<Given> = Vec::new();
        for entry in entries {
            let Some(field) = self.field(message, path, entry) else {
                continue;
            };
            let at = format!("{path}{}", field.name());
            let twice = fields.iter().find(|given| given.field == field);
            let excluded = field.containing_oneof().and_then(|one| {
                let other = |given: &&Given| {
                    given.field.containing_oneof().as_ref() == Some(&one)
                        && !matches!(given.what, What::Cleared)
                        && !entry.value.is_null()
                };
                fields.iter().find(other)
            });
            if let Some(other) = twice.or(excluded) {
                let sentence = format!(
                    "{at} and {}{} (line {}) exclude each other: keep one",
                    path,
                    other.field.name(),
                    other.line
                );
                self.faults.push(Fault::new(entry.line, sentence));
                continue;
            }
            if let Some(what) = self.what(&field, &at, &entry.value, entry.line) {
                fields.push(Given {
                    field,
                    line: entry.line,
                    what,
                });
            }
        }
        fields
    }

    /// The field that a key names, if people may write it.
    fn field(&mut self, message: &MessageDescriptor, path: &str, entry: &Entry) -> Option<FieldDescriptor> {
        let field = message
            .get_field_by_name(&entry.key)
            .or_else(|| message.get_field_by_json_name(&entry.key));
        let key = shortened(&entry.key);
        let sentence = match field {
            Some(field) if field.name() == "etag" => {
                "etag: what is on the server is read anew each time, so leave it out".to_owned()
            }
            Some(field) if self.schema.rule(&field).output_only => {
                format!("{path}{}: only the server says it, so leave it out", field.name())
            }
            Some(field) => return Some(field),
            None => {
                let known = self.schema.authored(message);
                let names = || known.iter().map(FieldDescriptor::name);
                match nearest(&entry.key, names()) {
                    Some(near) => format!("there is no field {path}{key}: did you mean {path}{near}?"),
                    None => format!(
                        "there is no field {path}{key}: the fields are {}",
                        names().collect::<Vec<_>>().join(", ")
                    ),
                }
            }
        };
        self.faults.push(Fault::new(entry.line, sentence));
        None
    }

    fn what(&mut self, field: &FieldDescriptor, at: &str, node: &Rc<Node>, line: usize) -> Option<What> {
        if node.is_null() {
            return Some(What::Cleared);
        }
        let nested = match field.kind() {
            Type::Message(message) if !scalar::is_single(&message) => Some(message),
            _ => None,
        };
        match (&node.content, nested) {
            (Content::Map(entries), Some(_)) if field.is_map() => self.map(at, entries).map(What::Value),
            (Content::List(list), Some(message)) if field.is_list() => {
                let mut all = Vec::with_capacity(list.len());
                for (index, element) in list.iter().enumerate() {
                    let at = format!("{at}[{index}]");
                    match &element.content {
                        Content::Map(entries) => {
                            all.push(self.message(&message, &format!("{at}."), entries.iter()));
                        }
                        _ => self.wrong(&at, element.line, field),
                    }
                }
                Some(What::Messages(all))
            }
            (Content::Map(entries), Some(message)) if !field.is_list() => Some(What::Message(self.message(
                &message,
                &format!("{at}."),
                entries.iter(),
            ))),
            (Content::List(list), None) if field.is_list() => {
                let values = list.iter().enumerate().filter_map(|(index, element)| {
                    self.single(field, &format!("{at}[{index}]"), element, element.line)
                });
                Some(What::Value(Value::List(values.collect())))
            }
            (_, None) if !field.is_list() => self.single(field, at, node, line).map(What::Value),
            _ => {
                self.wrong(at, line, field);
                None
            }
        }
    }

    fn wrong(&mut self, at: &str, line: usize, field: &FieldDescriptor) {
        let sentence = format!(
            "{at}: it has another form: write {}",
            scalar::wanted_nested(field)
        );
        self.faults.push(Fault::new(line, sentence));
    }

    fn map(&mut self, at: &str, entries: &[Entry]) -> Option<Value> {
        let mut map = std::collections::HashMap::new();
        for entry in entries {
            match &entry.value.content {
                Content::Scalar { text, .. } if !entry.value.is_null() => {
                    map.insert(MapKey::String(entry.key.clone()), Value::String(text.clone()));
                }
                _ => {
                    let sentence = format!(
                        "{at}.{}: write a text, or leave the key out",
                        shortened(&entry.key)
                    );
                    self.faults.push(Fault::new(entry.line, sentence));
                }
            }
        }
        Some(Value::Map(map))
    }

    fn single(&mut self, field: &FieldDescriptor, at: &str, node: &Rc<Node>, line: usize) -> Option<Value> {
        if node.is_null() {
            self.faults.push(Fault::new(
                line,
                format!("{at}: it is empty: fill it in, or leave it out"),
            ));
            return None;
        }
        let refers_to = self.schema.refers_to(field);
        let read = scalar::read(node, field).and_then(|value| match (&value, refers_to.as_slice()) {
            (Value::String(text), [first, rest @ ..]) if !text.is_empty() => {
                let named = |kind: &Kind| Some((*kind, kind.relative(text, self.workspace).ok()?));
                let (kind, name) = match rest.iter().find_map(named) {
                    Some(named) => named,
                    None => (*first, first.relative(text, self.workspace)?),
                };
                let full = kind::full(self.workspace, &name);
                self.references.push(Reference {
                    line,
                    field: at.to_owned(),
                    kind,
                    name,
                });
                Ok(Value::String(full))
            }
            _ => Ok(value),
        });
        match read {
            Ok(value) => Some(value),
            Err(sentence) => {
                self.faults.push(Fault::new(line, format!("{at}: {sentence}")));
                None
            }
        }
    }
}

/// An empty message of a field's type.
pub(in crate::cli) fn empty(field: &FieldDescriptor) -> Option<DynamicMessage> {
    match field.kind() {
        Type::Message(message) => Some(DynamicMessage::new(message)),
        _ => None,
    }
}
