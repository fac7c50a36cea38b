//! What a client keeps of a stream: resources by name, from a snapshot on, with what entered, left and changed, and every
//! figure as its newest derived change says.

use std::collections::BTreeMap;

use binnacle::proto::api;
use binnacle::proto::api::derived_change::Figure;
use binnacle::proto::api::resource::Resource;

use crate::common::*;
use crate::reader::*;

/// Resources by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept(pub(crate) BTreeMap<String, api::Resource>);

impl Kept {
    pub(crate) fn of(resources: Vec<api::Resource>) -> Self {
        let count = resources.len();
        let kept: BTreeMap<_, _> = resources
            .into_iter()
            .map(|it| (name_of(&it).to_owned(), it))
            .collect();
        assert_eq!(kept.len(), count, "each once");
        Self(kept)
    }

    /// A fresh snapshot with a filter, its revision and its token.
    pub(crate) async fn fresh(server: &Server, filter: &api::SubscriptionFilter) -> (Self, i64, String) {
        let request = asking(api::subscribe_request::Start::Snapshot(()), filter);
        let (resources, revision, token) = Reader::ask(server, request).await.snapshot_and_token().await;
        (Self::of(resources), revision, token)
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// Takes a message of an update. Of a resource that is kept, a figure was what its change says that it was.
    pub(crate) fn take(&mut self, update: &api::Update) {
        for change in &update.derived_changes {
            if let Some(resource) = self.0.get_mut(&change.resource) {
                change_figure(resource, change);
            }
        }
        for entered in &update.entered {
            let before = self.0.insert(name_of(entered).to_owned(), entered.clone());
            assert!(before.is_none(), "{} was here", name_of(entered));
        }
        for changed in &update.changed {
            let before = self.0.insert(name_of(changed).to_owned(), changed.clone());
            assert!(before.is_some(), "{} was not here", name_of(changed));
        }
        for name in &update.left {
            assert!(self.0.remove(name).is_some(), "{name} was not here");
        }
    }

    /// Without what docs/subscribe.md says that a stream does not bring by itself.
    pub(crate) fn comparable(&self) -> BTreeMap<String, api::Resource> {
        let mut resources = self.0.clone();
        for resource in resources.values_mut() {
            match resource.resource.as_mut().expect("a resource") {
                Resource::Workspace(it) => it.revision = 0,
                Resource::Kpi(it) => {
                    it.period_value_text.clear();
                    it.latest_value_text.clear();
                }
                _ => {}
            }
        }
        resources
    }

    /// Holds it against another, resource by resource.
    pub(crate) fn assert_same(&self, other: &Self, what: &str) {
        assert_eq!(self.names(), other.names(), "{what}");
        let (mine, theirs) = (self.comparable(), other.comparable());
        for (name, resource) in &mine {
            assert_eq!(resource, &theirs[name], "{what}: {name}");
        }
    }
}

fn change_figure(resource: &mut api::Resource, change: &api::DerivedChange) {
    let name = &change.resource;
    match (
        resource.resource.as_mut().expect("a resource"),
        change.figure.as_ref().expect("a figure"),
    ) {
        (Resource::KeyResult(it), Figure::KeyResult(c)) => {
            assert_eq!(it.progress, c.before, "before of {name}");
            it.progress.clone_from(&c.after);
        }
        (Resource::Objective(it), Figure::Objective(c)) => {
            assert_eq!(it.progress, c.before, "before of {name}");
            it.progress.clone_from(&c.after);
        }
        (Resource::Kpi(it), Figure::Kpi(c)) => {
            assert_eq!(it.health, c.before, "before of {name}");
            it.health.clone_from(&c.after);
        }
        (Resource::Cycle(it), Figure::Score(c)) => {
            assert_eq!(it.score, c.before, "before of {name}");
            it.score = c.after;
        }
        (Resource::Workspace(it), Figure::Score(c)) => {
            assert_eq!(it.score, c.before, "before of {name}");
            it.score = c.after;
        }
        (Resource::Team(it), Figure::TeamScore(c)) => {
            let at = it.scores.iter().position(|score| score.cycle == c.cycle);
            assert_eq!(
                at.and_then(|at| it.scores[at].score),
                c.before,
                "before of {name}"
            );
            if let Some(at) = at {
                it.scores.remove(at);
            }
            if c.after.is_some() {
                it.scores.push(api::CycleScore {
                    cycle: c.cycle.clone(),
                    score: c.after,
                });
                it.scores.sort_by(|a, b| a.cycle.cmp(&b.cycle));
            }
        }
        (Resource::Objective(it), Figure::Foundation(c)) => {
            assert_eq!(it.foundation, c.before, "before of {name}");
            it.foundation = c.after;
        }
        (Resource::Team(it), Figure::Foundation(c)) => {
            assert_eq!(it.foundation, c.before, "before of {name}");
            it.foundation = c.after;
        }
        (Resource::Alert(it), Figure::Alert(c)) => {
            assert_eq!(Some(&*it), c.before.as_ref(), "before of {name}");
            *it = c.after.clone().expect("an alert is never gone");
        }
        (_, figure) => panic!("{name} has no {figure:?}"),
    }
}
