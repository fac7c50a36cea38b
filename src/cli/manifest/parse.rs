//! From the nodes of one document to what it describes. The fields of a resource are the API's (`read`); what a manifest
//! says beyond them is here: its kind, its name, a wished state, whether it is archived, what is said at closing.

use prost_reflect::{Kind as Type, Value};

use super::document::{ARCHIVED, Archived, Closing, Document, Place, Stated};
use super::kind::{self, Kind};
use super::read::{Given, Reader, Reference, What};
use super::scalar;
use super::schema::Schema;
use super::series;
use super::yaml::{Content, Entry, Fault, Node};
use crate::cli::Failure;
use crate::domain::Id;
use crate::proto::api;

/// What only the server says, and a manifest may wish for.
const STATE: &str = "state";
/// What people say as an objective closes.
const CLOSING: &str = "closing";

/// The entry of a map under a key.
pub(super) fn entry<'n>(node: &'n Node, key: &str) -> Option<&'n Entry> {
    match &node.content {
        Content::Map(map) => map.iter().find(|entry| entry.key == key),
        Content::Scalar { .. } | Content::List(_) => None,
    }
}

/// The text of a scalar; none of `null`.
pub(super) fn scalar_text(node: &Node) -> Option<&str> {
    match &node.content {
        Content::Scalar { text, .. } if !node.is_null() => Some(text),
        _ => None,
    }
}

/// A document, if its kind and name are known, and all that is wrong with it.
///
/// # Errors
/// The program is broken.
pub(super) fn document(
    schema: &Schema,
    workspace: &Id,
    file: usize,
    node: &Node,
) -> Result<(Option<Document>, Vec<Fault>), Failure> {
    let line = node.line;
    let one = |sentence: String| Ok((None, vec![Fault::new(line, sentence)]));
    let Content::Map(entries) = &node.content else {
        return one("a manifest is a map of fields: begin with \"kind: …\"".to_owned());
    };
    let kind = match entry(node, "kind") {
        None => return one("kind is missing: say what it is, for example \"kind: Objective\"".to_owned()),
        Some(kind) => match Kind::of_word(scalar_text(&kind.value).unwrap_or_default()) {
            Ok(found) => found,
            Err(sentence) => return Ok((None, vec![Fault::new(kind.line, sentence)])),
        },
    };
    let mut reader = Reader {
        schema,
        workspace,
        faults: Vec::new(),
        references: Vec::new(),
    };
    let name = match name(kind, node, workspace) {
        Ok(name) => Some(name),
        Err(fault) => {
            reader.faults.push(fault);
            None
        }
    };
    let mut document = Document {
        place: Place { file, line },
        kind,
        name: name.clone().unwrap_or_default(),
        fields: Vec::new(),
        state: None,
        archived: None,
        closing: None,
        points: Vec::new(),
        references: Vec::new(),
        is_broken: false,
    };
    if kind == Kind::Series {
        document.points = series::read(entries, line, &mut reader.faults);
    } else {
        fields(&mut reader, &mut document, entries)?;
    }
    document.references = reader.references;
    if !matches!(kind, Kind::Workspace) && name.is_some() {
        document.references.extend(lies_in(&document));
    }
    document.is_broken = !reader.faults.is_empty();
    Ok((name.is_some().then_some(document), reader.faults))
}

/// The relative name of a document.
fn name(kind: Kind, node: &Node, workspace: &Id) -> Result<String, Fault> {
    let key = if kind == Kind::Series { "kpi" } else { "name" };
    let Some(entry) = entry(node, key) else {
        return match kind {
            Kind::Workspace => Ok(String::new()),
            Kind::ScoringPolicy => Ok("scoringPolicy".to_owned()),
            _ => Err(Fault::new(
                node.line,
                format!(
                    "{key} is missing: write for example \"{key}: {}\"",
                    kind.pattern()
                ),
            )),
        };
    };
    let text = scalar_text(&entry.value).unwrap_or_default();
    kind.relative(text, workspace)
        .map_err(|sentence| Fault::new(entry.line, format!("{key}: {sentence}")))
}

/// What a document lies in, or is about.
fn lies_in(document: &Document) -> Option<Reference> {
    let (kind, name) = match document.kind {
        Kind::Series => (Kind::Kpi, document.name.clone()),
        kind => {
            let (above, _) = kind::parent(&document.name);
            let above_kind = match kind {
                Kind::Target => Kind::Kpi,
                Kind::KeyResult | Kind::Initiative => Kind::Objective,
                Kind::CheckIn => Kind::KeyResult,
                Kind::Review => Kind::Cycle,
                _ => return None,
            };
            (above_kind, above.to_owned())
        }
    };
    Some(Reference {
        line: document.place.line,
        field: if document.kind == Kind::Series {
            "kpi"
        } else {
            "name"
        }
        .to_owned(),
        kind,
        name,
    })
}

fn fields(reader: &mut Reader<'_>, document: &mut Document, entries: &[Entry]) -> Result<(), Failure> {
    let has_state = matches!(document.kind, Kind::Cycle | Kind::Objective);
    let mut own = Vec::with_capacity(entries.len());
    for entry in entries {
        match entry.key.as_str() {
            "kind" | "name" => {}
            STATE if has_state => document.state = state(reader, document.kind, entry)?,
            ARCHIVED if document.kind == Kind::Kpi => document.archived = archived(reader, entry),
            CLOSING if document.kind == Kind::Objective => {
                let message = reader.schema.message("Closing")?;
                match &entry.value.content {
                    Content::Map(said) => {
                        document.closing = Some(Closing {
                            line: entry.line,
                            fields: reader.message(&message, "closing.", said.iter()),
                        });
                    }
                    _ => reader.faults.push(Fault::new(
                        entry.line,
                        "closing: it has another form: write its fields below it, for example achieved",
                    )),
                }
            }
            _ => own.push(entry),
        }
    }
    let message = reader.schema.resource(document.kind)?;
    document.fields = reader.message(&message, "", own.into_iter());
    if document.kind == Kind::Target {
        date_of_name(reader, document)?;
    }
    if let Some(closing) = &document.closing {
        let closed = i32::from(api::objective::State::Closed);
        if document.state.is_none_or(|stated| stated.state != closed) {
            reader.faults.push(Fault::new(
                closing.line,
                "closing is what is said as it closes: add \"state: CLOSED\", or leave it out",
            ));
        }
    }
    Ok(())
}

fn state(reader: &mut Reader<'_>, kind: Kind, entry: &Entry) -> Result<Option<Stated>, Failure> {
    let message = reader.schema.resource(kind)?;
    let Some(field) = message.get_field_by_name(STATE) else {
        return Ok(None);
    };
    if entry.value.is_null() {
        return Ok(None);
    }
    match scalar::read(&entry.value, &field) {
        Ok(Value::EnumNumber(state)) => Ok(Some(Stated {
            line: entry.line,
            state,
        })),
        Ok(_) => Ok(None),
        Err(sentence) => {
            reader
                .faults
                .push(Fault::new(entry.line, format!("state: {sentence}")));
            Ok(None)
        }
    }
}

fn archived(reader: &mut Reader<'_>, entry: &Entry) -> Option<Archived> {
    if entry.value.is_null() {
        return None;
    }
    let is_archived = match &entry.value.content {
        Content::Scalar { text, plain: true } => text.parse().ok(),
        _ => None,
    };
    if is_archived.is_none() {
        let sentence = format!("{ARCHIVED}: write true or false, without quotes");
        reader.faults.push(Fault::new(entry.line, sentence));
    }
    Some(Archived {
        line: entry.line,
        is_archived: is_archived?,
    })
}

/// A target's date is the end of its name, whether it is given or not.
fn date_of_name(reader: &mut Reader<'_>, document: &mut Document) -> Result<(), Failure> {
    let (_, id) = kind::parent(&document.name);
    let date = match scalar::date(id) {
        Ok(date) => date,
        Err(sentence) => {
            if !document.name.is_empty() {
                let line = document.place.line;
                reader.faults.push(Fault::new(line, format!("name: {sentence}")));
            }
            return Ok(());
        }
    };
    let message = reader.schema.resource(Kind::Target)?;
    let Some(field) = message.get_field_by_name("effective_date") else {
        return Ok(());
    };
    let given = document.fields.iter().find(|given| given.field == field);
    match given.map(|given| (&given.what, given.line)) {
        Some((What::Value(Value::Message(said)), _)) if scalar::day(said) == Some(date) => {}
        Some((_, line)) => {
            let sentence = format!("effective_date: the name says {date}: make them agree, or leave it out");
            reader.faults.push(Fault::new(line, sentence));
        }
        None => {
            if let Type::Message(message) = field.kind() {
                let date = Value::Message(scalar::date_message(message, date));
                document.fields.push(Given {
                    field,
                    line: document.place.line,
                    what: What::Value(date),
                });
            }
        }
    }
    Ok(())
}
