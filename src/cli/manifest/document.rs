//! Documents: each a resource that files describe, with the place where. Invariant: no two of a set are of one kind and
//! name. What is wrong with one is kept beside it, so that what refers to it can be told from what is wrong itself.
//!
//! Pure: it deliberately does not know the server.

use std::collections::BTreeMap;

use prost_reflect::{Kind as Type, Value};

use super::kind::{self, Kind, workspace_of};
use super::read::{Given, Reader, Reference, What};
use super::scalar;
use super::schema::Schema;
use super::series::{self, Point};
use super::yaml::{Content, Entry, Fault, Node, documents};
use crate::cli::{Failure, FailureKind};
use crate::domain::Id;
use crate::proto::api;

/// What only the server says, and a manifest may wish for.
const STATE: &str = "state";
/// What people say as an objective closes.
const CLOSING: &str = "closing";

/// Where something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) struct Place {
    /// The file, in the order in which they were given.
    pub(in crate::cli) file: usize,
    /// Its line.
    pub(in crate::cli) line: usize,
}

/// A resource as a manifest describes it.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Document {
    /// Where it begins.
    pub(in crate::cli) place: Place,
    /// What it describes.
    pub(in crate::cli) kind: Kind,
    /// Its relative name; of a series, its KPI's.
    pub(in crate::cli) name: String,
    /// Its fields.
    pub(in crate::cli) fields: Vec<Given>,
    /// The state that a cycle or an objective is to reach, as the API numbers it.
    pub(in crate::cli) state: Option<Stated>,
    /// What is said as the objective closes.
    pub(in crate::cli) closing: Option<Closing>,
    /// The points of a series.
    pub(in crate::cli) points: Vec<Point>,
    /// What it refers to.
    pub(in crate::cli) references: Vec<Reference>,
    /// Whether something is wrong with it: it is not to be applied.
    pub(in crate::cli) is_broken: bool,
}

/// A wished state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Stated {
    /// Its line.
    pub(in crate::cli) line: usize,
    /// The API's number.
    pub(in crate::cli) state: i32,
}

/// What is said as an objective closes.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Closing {
    /// Its line.
    pub(in crate::cli) line: usize,
    /// The fields of the API's Closing.
    pub(in crate::cli) fields: Vec<Given>,
}

/// What all files hold.
#[derive(Debug)]
pub(in crate::cli) struct Manifests {
    /// The files' names, for places.
    pub(in crate::cli) files: Vec<String>,
    /// The workspace.
    pub(in crate::cli) workspace: Id,
    /// The documents that have a kind and a name, in the order of the files.
    pub(in crate::cli) documents: Vec<Document>,
    /// What is wrong.
    faults: Vec<(usize, Fault)>,
}

impl Manifests {
    /// Reads files, each with its name. `workspace`: what the command line says.
    ///
    /// # Errors
    /// Nothing says which workspace they are about.
    pub(in crate::cli) fn read(
        files: &[(String, Vec<u8>)],
        workspace: Option<&Id>,
        schema: &Schema,
    ) -> Result<Self, Failure> {
        let mut faults = Vec::new();
        let mut nodes = Vec::new();
        for (file, (_, bytes)) in files.iter().enumerate() {
            let (read, wrong) = documents(bytes);
            nodes.extend(read.into_iter().map(|node| (file, node)));
            faults.extend(wrong.into_iter().map(|fault| (file, fault)));
        }
        let names: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
        let workspace = match workspace {
            Some(workspace) => workspace.clone(),
            None => named_workspace(nodes.iter().map(|(_, node)| &**node))?,
        };
        let mut manifests = Self {
            files: names,
            workspace,
            documents: Vec::new(),
            faults,
        };
        for (file, node) in &nodes {
            let (document, faults) = read(schema, &manifests.workspace, *file, node)?;
            manifests
                .faults
                .extend(faults.into_iter().map(|fault| (*file, fault)));
            manifests.documents.extend(document);
        }
        manifests.refuse_doubles();
        Ok(manifests)
    }

    /// What is wrong, by file and line: `FILE:LINE: sentence`.
    pub(in crate::cli) fn faults(&self) -> Vec<String> {
        let mut faults: Vec<_> = self.faults.iter().collect();
        faults.sort();
        faults.dedup();
        let shown = faults
            .iter()
            .map(|(file, fault)| format!("{}:{}: {}", self.files[*file], fault.line, fault.sentence));
        shown.collect()
    }

    /// Adds what is wrong with a document as somebody else judges it.
    pub(in crate::cli) fn refuse(&mut self, document: usize, line: usize, sentence: String) {
        let file = self.documents[document].place.file;
        self.documents[document].is_broken = true;
        self.faults.push((file, Fault::new(line, sentence)));
    }

    /// A place as text.
    pub(in crate::cli) fn at(&self, place: Place) -> String {
        format!("{}:{}", self.files[place.file], place.line)
    }

    /// The document that describes a resource.
    pub(in crate::cli) fn find(&self, kind: Kind, name: &str) -> Option<usize> {
        let is_it = |document: &Document| document.kind == kind && document.name == name;
        self.documents.iter().position(is_it)
    }

    fn refuse_doubles(&mut self) {
        let mut first: BTreeMap<(Kind, String), Place> = BTreeMap::new();
        for index in 0..self.documents.len() {
            let Document {
                place, kind, name, ..
            } = &self.documents[index];
            let key = (*kind, name.clone());
            let Some(before) = first.get(&key).copied() else {
                first.insert(key, *place);
                continue;
            };
            let sentence = format!(
                "{} is described in {} already: keep one",
                shown(*kind, name, &self.workspace),
                self.at(before)
            );
            let line = place.line;
            self.refuse(index, line, sentence);
        }
    }
}

/// A resource as sentences call it.
pub(in crate::cli) fn shown(kind: Kind, name: &str, workspace: &Id) -> String {
    match kind {
        Kind::Workspace => kind::full(workspace, ""),
        Kind::Series => format!("the series of {name}"),
        _ => name.to_owned(),
    }
}

/// The one workspace that full names lie in.
fn named_workspace<'n>(nodes: impl Iterator<Item = &'n Node>) -> Result<Id, Failure> {
    let names = nodes.filter_map(|node| {
        let (id, _) = workspace_of(entry(node, "name").and_then(|entry| scalar_text(&entry.value))?)?;
        Id::parse(id).ok()
    });
    let named: std::collections::BTreeSet<Id> = names.collect();
    let mut each = named.iter();
    match (each.next(), each.next()) {
        (Some(workspace), None) => Ok(workspace.clone()),
        (None, _) => Err(Failure::new(
            FailureKind::Usage,
            "no manifest names its workspace: say which with --workspace, or describe it in one of kind Workspace",
        )),
        (Some(_), Some(_)) => {
            let named = named.iter().map(|id| format!("workspaces/{id}"));
            let named = named.collect::<Vec<_>>().join(", ");
            let sentence =
                format!("the manifests are about several workspaces, {named}: apply one at a time");
            Err(Failure::new(FailureKind::Usage, sentence))
        }
    }
}

fn entry<'n>(node: &'n Node, key: &str) -> Option<&'n Entry> {
    match &node.content {
        Content::Map(map) => map.iter().find(|entry| entry.key == key),
        Content::Scalar { .. } | Content::List(_) => None,
    }
}

fn scalar_text(node: &Node) -> Option<&str> {
    match &node.content {
        Content::Scalar { text, .. } if !node.is_null() => Some(text),
        _ => None,
    }
}

/// A document, if its kind and name are known, and all that is wrong with it.
fn read(
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

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
