//! From documents and what the server has to what is to be done. Pure: it asks nobody.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{DynamicMessage, Kind as Type, Value};

use super::archiving;
use super::command::{Author, Command};
use super::index::Index;
use super::lifecycle;
use super::measurements::{self, Planned};
use super::merge::{self, Difference, differences, merge};
use super::order::{Act, Stage, left_out, sorted};
use crate::cli::Failure;
use crate::cli::manifest::document::{Document, Manifests, shown};
use crate::cli::manifest::kind::{Kind, nearest};
use crate::cli::manifest::read::{Given, What};
use crate::cli::manifest::scalar::{day, timestamp_message};
use crate::cli::manifest::schema::{Schema, text};
use crate::cli::remote::{Remote, whole, without_gone};
use crate::domain::Id;
use crate::proto::api;

/// What is to be done.
pub(super) struct Plan {
    /// The acts; the first ones make the documents, in their order.
    pub(super) acts: Vec<Act>,
    /// The acts of each document.
    pub(super) acts_of: Vec<Vec<usize>>,
    /// The order in which they are done.
    pub(super) order: Vec<usize>,
    /// What comes of each document.
    pub(super) changes: Vec<Change>,
    /// What a person should know beside.
    pub(super) notes: Vec<String>,
}

/// What comes of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Whether the resource is new.
    pub(super) is_new: bool,
    /// What becomes another, a line each.
    pub(super) details: Vec<String>,
}

/// What all of planning looks at.
pub(super) struct Planner<'a> {
    /// The API.
    pub(super) schema: &'a Schema,
    /// Makes the commands.
    pub(super) author: Author<'a>,
    /// What the server has.
    pub(super) remote: &'a Remote,
    /// Whether the workspace is to be created.
    pub(super) creates: bool,
    /// The member that the server makes of whoever creates the workspace, as far as that is known here.
    pub(super) creator: Option<Id>,
    /// The time zone of a workspace that does not exist yet.
    pub(super) new_time_zone: Option<String>,
}

/// How one document is made as it is.
struct Made {
    change: Change,
    commands: Vec<Command>,
}

impl Planner<'_> {
    /// Plans. What is wrong with a document is said in `manifests`.
    pub(super) fn plan(&self, manifests: &mut Manifests) -> Result<Plan, Failure> {
        let index = Index::of(&manifests.documents);
        self.check_references(manifests, &index.by_name);
        let mut plan = Plan {
            acts: Vec::new(),
            acts_of: Vec::new(),
            order: Vec::new(),
            changes: Vec::new(),
            notes: Vec::new(),
        };
        for at in 0..manifests.documents.len() {
            let made = self.made(at, manifests)?;
            let document = &manifests.documents[at];
            plan.acts.push(Act {
                document: at,
                stage: Stage::of(document, is_owner(document)),
                commands: made.commands,
                needs: BTreeSet::new(),
            });
            plan.acts_of.push(vec![at]);
            plan.changes.push(made.change);
        }
        for at in 0..manifests.documents.len() {
            let references = manifests.documents[at].references.iter();
            let needs = references.filter_map(|named| index.by_name.get(&(named.kind, named.name.clone())));
            plan.acts[at].needs = needs.copied().filter(|needed| *needed != at).collect();
        }
        lifecycle::plan(self, manifests, &index, &mut plan)?;
        archiving::plan(self, manifests, &mut plan)?;
        let (order, in_circles) = sorted(&plan.acts, &manifests.documents);
        for act in &in_circles {
            let at = plan.acts[*act].document;
            let document = &manifests.documents[at];
            let sentence = format!(
                "{} needs itself through what it refers to: break the circle",
                shown(document.kind, &document.name, &manifests.workspace)
            );
            let line = document.place.line;
            manifests.refuse(at, line, sentence);
        }
        // What goes in circles is done last, which is never: it is refused.
        plan.order = order.into_iter().chain(in_circles).collect();
        Ok(plan)
    }

    /// What a document refers to has to be there, or to be made.
    fn check_references(&self, manifests: &mut Manifests, index: &BTreeMap<(Kind, String), usize>) {
        let mut missing = Vec::new();
        for (at, document) in manifests.documents.iter().enumerate() {
            for named in &document.references {
                let key = (named.kind, named.name.clone());
                let by_creation = named.kind == Kind::Member
                    && self
                        .creator
                        .as_ref()
                        .is_some_and(|id| named.name == format!("members/{id}"));
                if index.contains_key(&key) || self.remote.resources.contains_key(&key) || by_creation {
                    continue;
                }
                let known = self.remote.standing_names(named.kind);
                let in_files = index
                    .keys()
                    .filter(|(kind, _)| *kind == named.kind)
                    .map(|(_, name)| name);
                let help = match nearest(&named.name, known.iter().chain(in_files).map(String::as_str)) {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!(
                        "describe it in a manifest of kind {}, or correct the name",
                        named.kind.word()
                    ),
                };
                let sentence = format!("{}: {} does not exist: {help}", named.field, named.name);
                missing.push((at, named.line, sentence));
            }
        }
        for (at, line, sentence) in missing {
            manifests.refuse(at, line, sentence);
        }
    }

    fn made(&self, at: usize, manifests: &mut Manifests) -> Result<Made, Failure> {
        let document = &manifests.documents[at];
        let (kind, name) = (document.kind, document.name.as_str());
        if self.remote.gone(kind, name).is_some() {
            let (what, help) = match kind {
                Kind::CheckIn => ("retracted", "record another one, its name stays taken"),
                _ => (
                    "deleted",
                    "undelete it, or take another name, for its own stays taken",
                ),
            };
            let sentence = format!("{} is {what}: {help}", shown(kind, name, &manifests.workspace));
            let line = document.place.line;
            manifests.refuse(at, line, sentence);
            return Ok(Made::nothing());
        }
        if kind == Kind::Series {
            let Planned {
                change,
                commands,
                twice,
            } = measurements::plan(self, document)?;
            for (line, sentence) in twice {
                manifests.refuse(at, line, sentence);
            }
            return Ok(Made { change, commands });
        }
        match self.remote.standing(kind, name) {
            None => self.created(document),
            Some(before) => {
                let (made, fault) = self.updated(document, before)?;
                if let Some((line, sentence)) = fault {
                    manifests.refuse(at, line, sentence);
                }
                Ok(made)
            }
        }
    }

    fn created(&self, document: &Document) -> Result<Made, Failure> {
        let (kind, name) = (document.kind, document.name.as_str());
        let mut message = DynamicMessage::new(self.schema.resource(kind)?);
        merge(self.schema, &mut message, &document.fields);
        let change = Change {
            is_new: true,
            details: Vec::new(),
        };
        // What comes with the workspace is there before anybody asks for it.
        let comes_along = self.creates
            && match kind {
                Kind::ScoringPolicy => true,
                Kind::Member => self
                    .creator
                    .as_ref()
                    .is_some_and(|id| name == format!("members/{id}")),
                _ => false,
            };
        let command = match kind {
            Kind::Target => self.author.set_target(name, message, "")?,
            _ if comes_along => {
                let paths = document.fields.iter().map(|given| given.field.name().to_owned());
                self.author.update(kind, name, message, paths.collect(), "", "")?
            }
            _ => self.author.create(kind, name, message)?,
        };
        Ok(Made {
            change,
            commands: vec![command],
        })
    }

    /// What changes of a resource, and what of it cannot.
    fn updated(
        &self,
        document: &Document,
        remote: &DynamicMessage,
    ) -> Result<(Made, Option<(usize, String)>), Failure> {
        let (kind, name) = (document.kind, document.name.as_str());
        let before = merge::authored(self.schema, remote);
        let fields = self.resolved(document);
        let mut after = before.clone();
        merge(self.schema, &mut after, &fields);
        let differences = differences(
            self.schema,
            &self.standing(&before),
            &self.standing(&after),
            &fields,
        );
        let Some(first) = differences.first() else {
            return Ok((Made::nothing(), None));
        };
        if let Some(fault) = self.fixed(kind, first, &differences) {
            return Ok((Made::nothing(), Some(fault)));
        }
        let paths = differences
            .iter()
            .map(|one| one.field.name().to_owned())
            .collect();
        let basis = basis(remote);
        let command = match kind {
            Kind::Target => self.author.set_target(name, after, &basis)?,
            _ => {
                let etag = text(remote, "etag");
                self.author.update(kind, name, after, paths, &etag, &basis)?
            }
        };
        let change = Change {
            is_new: false,
            details: differences.into_iter().map(|one| one.shown).collect(),
        };
        let made = Made {
            change,
            commands: vec![command],
        };
        Ok((made, None))
    }

    /// What is to be another and cannot.
    fn fixed(&self, kind: Kind, first: &Difference, all: &[Difference]) -> Option<(usize, String)> {
        if kind == Kind::Review {
            let sentence = format!(
                "{}; a review is written down once: take another name",
                first.shown
            );
            return Some((first.line, sentence));
        }
        let fixed = all.iter().find(|one| self.schema.rule(&one.field).immutable)?;
        let sentence = format!("{}; it is fixed at creation: write it as it is", fixed.shown);
        Some((fixed.line, sentence))
    }

    /// A resource without what its lists name that is deleted: whether a manifest still names it makes no difference.
    fn standing(&self, message: &DynamicMessage) -> DynamicMessage {
        let mut standing = message.clone();
        without_gone(self.schema, &mut standing, true, |kind, name| {
            self.remote.gone(kind, name).is_none()
        });
        standing
    }

    /// The fields of a document, a day as the moment that the server makes of it.
    fn resolved(&self, document: &Document) -> Vec<Given> {
        let time = |given: &Given| {
            let message = given.field.parent_message();
            let field = message.get_field_by_name("effective_time")?;
            let (What::Value(Value::Message(date)), Type::Message(of)) = (&given.what, field.kind()) else {
                return None;
            };
            let start = self.rules().start_of(day(date)?);
            Some(Given {
                line: given.line,
                what: What::Value(Value::Message(timestamp_message(of, start))),
                field,
            })
        };
        let fields = document.fields.iter().map(|given| {
            let is_day = self.schema.rule(&given.field).input_only;
            is_day
                .then(|| time(given))
                .flatten()
                .unwrap_or_else(|| given.clone())
        });
        fields.collect()
    }
}

impl Made {
    fn nothing() -> Self {
        Self {
            change: Change::default(),
            commands: Vec::new(),
        }
    }
}

impl Plan {
    /// The acts that are left out, each with the document that is to blame.
    pub(super) fn left_out(&self, manifests: &Manifests) -> Vec<Option<usize>> {
        left_out(&self.acts, &self.order, |document| {
            manifests.documents[document].is_broken
        })
    }
}

/// What a resource was when it was read: its etag, or all of it where it has none.
pub(super) fn basis(remote: &DynamicMessage) -> String {
    match text(remote, "etag") {
        etag if etag.is_empty() => format!(
            "{} {:?}",
            whole(remote, "revision"),
            remote
                .get_field_by_name("correct_time")
                .as_deref()
                .and_then(Value::as_message)
                .map(|time| whole(time, "seconds"))
        ),
        etag => etag,
    }
}

/// Whether a member is to be an owner.
fn is_owner(document: &Document) -> bool {
    let owner = Value::EnumNumber(api::member::Role::Owner.into());
    document.kind == Kind::Member
        && document
            .fields
            .iter()
            .any(|given| matches!(&given.what, What::Value(Value::List(roles)) if roles.contains(&owner)))
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
