//! Where documents are: by what they describe, and by the objective that they lie in.

use std::collections::BTreeMap;

use crate::cli::manifest::document::Document;
use crate::cli::manifest::kind::{Kind, parent};

/// Where documents are.
pub(super) struct Index {
    /// By kind and name.
    pub(super) by_name: BTreeMap<(Kind, String), usize>,
    /// What lies below an objective, by its name.
    below: BTreeMap<String, Vec<usize>>,
}

impl Index {
    /// Of documents; of two with one name, the first.
    pub(super) fn of(documents: &[Document]) -> Self {
        let mut index = Self {
            by_name: BTreeMap::new(),
            below: BTreeMap::new(),
        };
        for (at, document) in documents.iter().enumerate() {
            let key = (document.kind, document.name.clone());
            index.by_name.entry(key).or_insert(at);
            let objective = objective_above(document).filter(|_| document.kind != Kind::Objective);
            if let Some(objective) = objective {
                index.below.entry(objective.to_owned()).or_default().push(at);
            }
        }
        index
    }

    /// Where an objective is.
    pub(super) fn objective(&self, name: &str) -> Option<usize> {
        self.by_name.get(&(Kind::Objective, name.to_owned())).copied()
    }

    /// What lies below an objective.
    pub(super) fn below(&self, objective: &str) -> &[usize] {
        self.below.get(objective).map_or(&[], Vec::as_slice)
    }
}

/// The objective that a document is or lies in.
pub(super) fn objective_above(document: &Document) -> Option<&str> {
    match document.kind {
        Kind::Objective => Some(document.name.as_str()),
        Kind::KeyResult | Kind::Initiative => Some(parent(&document.name).0),
        Kind::CheckIn => Some(parent(parent(&document.name).0).0),
        _ => None,
    }
}
