//! What a subscriber has before it: which resources there are, and the figures of each, folded from its stream or read from
//! a snapshot. Unlike `common/view.rs` it follows what enters and what leaves.

use std::collections::BTreeMap;

use binnacle::proto::api;
use binnacle::proto::api::subscribe_response::Event;

use crate::common::view::{View, name_of, try_fold, view_of};

/// Each resource by name, with its figures.
pub(crate) type Picture = BTreeMap<String, View>;

/// Takes what came up to a token.
///
/// # Errors
/// It does not go on from what the picture shows: how.
pub(crate) fn take(picture: &mut Picture, messages: &[api::SubscribeResponse]) -> Result<(), String> {
    for message in messages {
        match message.event.as_ref().expect("a message says something") {
            Event::Snapshot(part) => {
                for resource in &part.resources {
                    enter(picture, resource);
                }
            }
            Event::Update(update) => update_with(picture, update)?,
            _ => {}
        }
    }
    Ok(())
}

fn enter<'a>(picture: &'a mut Picture, resource: &api::Resource) -> &'a View {
    let figures = picture.entry(name_of(resource).to_owned()).or_default();
    *figures = view_of(std::slice::from_ref(resource));
    figures
}

fn update_with(picture: &mut Picture, update: &api::Update) -> Result<(), String> {
    let mut new = Picture::new();
    for change in &update.derived_changes {
        match picture.get_mut(&change.resource) {
            Some(figures) => try_fold(figures, change)?,
            None => {
                // It comes whole, below. What has a figure from before was somewhere else.
                let figures = new.entry(change.resource.clone()).or_default();
                let _was_elsewhere = try_fold(figures, change);
            }
        }
    }
    for name in &update.left {
        picture
            .remove(name)
            .ok_or_else(|| format!("{name} leaves and was not there"))?;
    }
    for resource in update.entered.iter().chain(&update.changed) {
        let told = new.remove(name_of(resource)).unwrap_or_default();
        let shown = enter(picture, resource);
        if told
            .iter()
            .any(|(whose, figure)| shown.get(whose) != Some(figure))
        {
            return Err(format!("{shown:?} comes, and {told:?} was told"));
        }
    }
    Ok(())
}
