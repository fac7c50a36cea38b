//! Documents: each a resource that files describe, with the place where. Invariant: no two of a set are of one kind and
//! name. What is wrong with one is kept beside it, so that what refers to it can be told from what is wrong itself.
//!
//! Pure: it deliberately does not know the server.

use std::collections::BTreeMap;

use super::kind::{self, Kind, workspace_of};
use super::parse::{self, entry, scalar_text};
use super::read::{Given, Reference};
use super::schema::Schema;
use super::series::Point;
use super::yaml::{Fault, Node, documents};
use crate::cli::{Failure, FailureKind};
use crate::domain::Id;

/// The field that says whether a KPI is archived: the API says when it was.
pub(in crate::cli) const ARCHIVED: &str = "archived";

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
    /// Whether a KPI is to be archived.
    pub(in crate::cli) archived: Option<Archived>,
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

/// Whether a KPI is to be archived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Archived {
    /// Its line.
    pub(in crate::cli) line: usize,
    /// Or to be in use.
    pub(in crate::cli) is_archived: bool,
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
            let (document, faults) = parse::document(schema, &manifests.workspace, *file, node)?;
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

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
