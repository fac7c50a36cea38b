//! What a subscriber has before it: which resources there are, and the figures of each, folded from its stream or read from
//! a snapshot. Unlike `common/view.rs` it follows what enters and what leaves.

use std::collections::BTreeMap;

use binnacle::proto::api;
use binnacle::proto::api::derived_change::Figure;

use crate::common::view::{name_of, rests_on, view_of};

/// Each resource by name, with its figures by what they are of.
pub(crate) type Picture = BTreeMap<String, BTreeMap<String, String>>;

pub(crate) fn enter(picture: &mut Picture, resource: &api::Resource) {
    let figures = view_of(std::slice::from_ref(resource));
    picture.insert(name_of(resource).to_owned(), figures);
}

/// Takes an update into a picture.
pub(crate) fn take(picture: &mut Picture, update: &api::Update) {
    for change in &update.derived_changes {
        // Its name may come into the picture with this update: then it comes whole, below.
        if let Some(figures) = picture.get_mut(&change.resource) {
            set(figures, change);
        }
    }
    for name in &update.left {
        assert!(picture.remove(name).is_some(), "{name} leaves and was not there");
    }
    for resource in update.entered.iter().chain(&update.changed) {
        enter(picture, resource);
    }
}

fn set(figures: &mut BTreeMap<String, String>, change: &api::DerivedChange) {
    fn shown(figure: Option<&impl std::fmt::Debug>) -> Option<String> {
        figure.map(|figure| format!("{figure:?}"))
    }
    let whose = &change.resource;
    let (whose, after) = match change.figure.as_ref().expect("a figure") {
        Figure::KeyResult(change) => (whose.clone(), shown(change.after.as_ref())),
        Figure::Objective(change) => (whose.clone(), shown(change.after.as_ref())),
        Figure::Kpi(change) => (whose.clone(), shown(change.after.as_ref())),
        Figure::Score(change) => (whose.clone(), shown(change.after.as_ref())),
        Figure::Alert(change) => (whose.clone(), shown(change.after.as_ref())),
        Figure::Foundation(change) => (format!("{whose} rests"), shown(rests_on(change.after()).as_ref())),
        Figure::TeamScore(change) => (
            format!("{whose} in {}", change.cycle),
            shown(change.after.as_ref()),
        ),
    };
    match after {
        Some(after) => figures.insert(whose, after),
        None => figures.remove(&whose),
    };
}
