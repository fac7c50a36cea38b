//! All subscriptions of one workspace with one filter: what one is sent, all are sent, so it is made and encoded once.
//!
//! Invariant: the bytes are a function of the update and the filter. What is kept is bounded in bytes; what is not kept any
//! more is made anew.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use prost::bytes::{Bytes, BytesMut};

use super::Position;
use super::filter::Filter;
use super::messages::{Messages, Part};
use super::pages::{Page, Pages};
use super::token::{FilterHash, ResumeToken};
use crate::domain::{Id, Revision};
use crate::engine::Update;
use crate::log::{LogId, Root};
use crate::projection::Concern;
use crate::proto::api;
use crate::service::to_proto;

/// What subscriptions with one filter share.
pub(super) struct Audience {
    pub(super) workspace: Id,
    pub(super) log: LogId,
    pub(super) filter: Filter,
    hash: FilterHash,
    pages: Mutex<Pages>,
}

/// Every audience that has a subscription.
#[derive(Default)]
pub(super) struct Audiences {
    by_key: Mutex<BTreeMap<AudienceKey, Weak<Audience>>>,
    /// What all of them keep, in bytes.
    kept_bytes: Arc<AtomicUsize>,
}

/// The log, and the filter as bytes.
type AudienceKey = (LogId, Vec<u8>);

/// Behind so many bytes a page is full.
const PAGE_BYTES: usize = 64 * 1024;

impl Audiences {
    /// The audience of a filter.
    pub(super) fn join(&self, workspace: &Id, log: LogId, filter: Filter) -> Arc<Audience> {
        let mut audiences = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (log, filter.key());
        if let Some(there) = audiences.get(&key).and_then(Weak::upgrade) {
            return there;
        }
        // Looked through when it has doubled, so that it is no larger than twice those who are here.
        if audiences.len().is_power_of_two() {
            audiences.retain(|_, audience| audience.strong_count() > 0);
        }
        let audience = Arc::new(Audience {
            workspace: workspace.clone(),
            log,
            hash: filter.hash(),
            filter,
            pages: Mutex::new(Pages::among(&self.kept_bytes)),
        });
        audiences.insert(key, Arc::downgrade(&audience));
        audience
    }
}

impl Audience {
    /// Messages of consecutive updates, as many as make a page, the first of them at least.
    pub(super) fn page(self: &Arc<Self>, updates: &[Arc<Update>]) -> Option<Page> {
        let first = updates.first()?.commit.revision;
        // Nobody else would look at what is kept.
        if Arc::strong_count(self) == 1 {
            return self.make_page(updates);
        }
        // Whoever comes meanwhile wants the same: it waits instead of doing it a second time.
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = pages.get(first) {
            return Some(page);
        }
        let page = self.make_page(updates)?;
        pages.keep(first, page.clone());
        Some(page)
    }

    fn make_page(&self, updates: &[Arc<Update>]) -> Option<Page> {
        let mut framed = BytesMut::new();
        let mut last = updates.first()?;
        for update in updates {
            self.write(update, &mut framed);
            last = update;
            if framed.len() >= PAGE_BYTES {
                break;
            }
        }
        Some(Page {
            // It may be kept for long: without what the buffer has grown too much.
            framed: Bytes::copy_from_slice(&framed),
            last: Position {
                revision: last.commit.revision,
                root: last.root,
            },
        })
    }

    /// The token of a place in the stream.
    pub(super) fn token(&self, revision: Revision, root: Root) -> String {
        ResumeToken {
            log: self.log,
            revision,
            root,
            filter: self.hash,
        }
        .encode()
    }

    /// The hash of its filter.
    pub(super) fn hash(&self) -> FilterHash {
        self.hash
    }

    /// Writes the messages of an update. Nothing, where nothing in it is for this audience.
    fn write(&self, update: &Update, out: &mut BytesMut) {
        let (workspace, filter, effect) = (&self.workspace, &self.filter, &update.effect);
        let mut messages = Messages::new(&api::Update {
            commit: Some(to_proto::commit(&update.commit, update.leaf.0)),
            ..api::Update::default()
        });
        let everything = filter.is_everything();
        for (index, event) in update.commit.events.iter().enumerate() {
            let taken = everything || {
                let name = event.resource();
                filter.takes_event(event, &name, effect.concerns.get(&name))
            };
            if taken && let Some(event) = to_proto::event(workspace, &update.commit, index, None) {
                messages.put(&Part::Event(event), out);
            }
        }
        for change in &effect.changes {
            let taken = everything || {
                let name = change.resource();
                filter.takes_derived(change, &name, effect.concerns.get(&name))
            };
            if taken {
                messages.put(&Part::Derived(to_proto::derived_change(workspace, change)), out);
            }
        }
        self.write_moves(update, &mut messages, out);
        // Who takes everything is told of every revision, also of one in which a retry was remembered and nothing else.
        if !messages.is_empty() || everything {
            messages.end(&self.token(update.commit.revision, update.root), out);
        }
    }

    /// Writes what enters and what leaves.
    fn write_moves(&self, update: &Update, messages: &mut Messages, out: &mut BytesMut) {
        let Some(state) = &update.state else { return };
        for (name, concern) in update.effect.concerns.iter() {
            let Concern::Moves(moved) = concern else { continue };
            let was = self.filter.lists(name, moved.before.as_ref());
            let is = self.filter.lists(name, moved.after.as_ref());
            let part = match (was, is) {
                (false, true) => {
                    to_proto::resource(&self.workspace, state, self.log, name).map(Part::Entered)
                }
                (true, false) => Some(Part::Left(crate::service::names::full_name(
                    &self.workspace,
                    name,
                ))),
                (true, true) | (false, false) => None,
            };
            if let Some(part) = part {
                messages.put(&part, out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::super::filter::tests::filter;
    use super::super::messages::tests::one_by_one;
    use super::*;
    use crate::domain::given::*;
    use crate::log::LeafHash;
    use crate::projection::State;

    const LOG: LogId = LogId([7; 16]);

    /// The updates of a life, with `notes` of a measurement each, as a feed has them.
    fn updates(values: u32) -> Vec<Update> {
        let given = given(q1())
            .and([
                team("sales", None),
                kpi("nps", |fields| fields.team = Some(id("sales"))),
            ])
            .and((0..values).map(|number| measured("nps", 1, 1, f64::from(number))));
        let mut state = State::empty();
        let updates = given.commits.into_iter().map(|commit| {
            let effect = state.apply(&commit);
            Update {
                state: effect.moves().then(|| Arc::new(state.clone())),
                root: Root([u8::try_from(commit.revision.0 % 256).unwrap(); 32]),
                leaf: LeafHash([1; 32]),
                commit: Arc::new(commit),
                effect,
                size_bytes: 1,
            }
        });
        updates.collect()
    }

    /// What an audience is told of an update.
    fn messages(audience: &Audience, update: &Update) -> Vec<api::SubscribeResponse> {
        let mut out = BytesMut::new();
        audience.write(update, &mut out);
        let messages = one_by_one(&out).into_iter();
        messages
            .map(|message| api::SubscribeResponse::decode(message).unwrap())
            .collect()
    }

    fn of_teams(teams: &[&str]) -> Filter {
        filter(|filter| {
            filter.teams = teams
                .iter()
                .map(|team| format!("workspaces/acme/teams/{team}"))
                .collect()
        })
    }

    #[test]
    fn the_same_filter_in_one_log_is_one_audience_and_every_other_is_another() {
        let audiences = Audiences::default();
        let join = |log, filter| audiences.join(&id("acme"), log, filter);
        let first = join(LOG, of_teams(&["sales", "ops"]));
        assert!(Arc::ptr_eq(
            &first,
            &join(LOG, of_teams(&["ops", "sales", "ops"]))
        ));
        assert!(!Arc::ptr_eq(&first, &join(LOG, of_teams(&["ops"]))));
        assert!(!Arc::ptr_eq(&first, &join(LOG, of_teams(&[]))));
        assert!(!Arc::ptr_eq(
            &first,
            &join(LogId([8; 16]), of_teams(&["sales", "ops"]))
        ));
    }

    #[test]
    fn audiences_without_a_subscription_are_forgotten() {
        let audiences = Audiences::default();
        let stays = audiences.join(&id("acme"), LOG, of_teams(&["stays"]));
        for number in 0..1000 {
            audiences.join(&id("acme"), LOG, of_teams(&[&format!("team-{number}")]));
        }
        assert!(
            audiences.by_key.lock().unwrap().len() < 10,
            "of 1,001 one is left"
        );
        assert!(Arc::ptr_eq(
            &stays,
            &audiences.join(&id("acme"), LOG, of_teams(&["stays"]))
        ));
    }

    #[test]
    fn what_is_made_anew_is_the_same_and_what_is_kept_is_bounded() {
        let updates: Vec<_> = updates(6000).into_iter().map(Arc::new).collect();
        let audiences = Audiences::default();
        let join = || audiences.join(&id("acme"), LOG, of_teams(&["sales"]));
        let alone = join();
        // Cycles and the workspace are of no team; the team, its KPI and each value are.
        let empty = updates
            .iter()
            .filter(|update| messages(&alone, update).is_empty());
        assert_eq!(empty.count(), updates.len() - 6002);
        drop(alone);
        let (first, second) = (join(), join());
        let mut at = 0;
        while at < updates.len() {
            let made = first.make_page(&updates[at..]).unwrap();
            let (one, two) = (
                first.page(&updates[at..]).unwrap(),
                second.page(&updates[at..]).unwrap(),
            );
            assert_eq!((&one.framed, one.last), (&made.framed, made.last));
            assert!(
                one.framed.is_empty() || one.framed.as_ptr() == two.framed.as_ptr(),
                "made once for both"
            );
            assert!(first.pages.lock().unwrap().bytes() < 3 * 1024 * 1024);
            at = usize::try_from(one.last.revision.0).unwrap();
        }
        assert!(
            first.pages.lock().unwrap().get(Revision(1)).is_none(),
            "not everything is kept"
        );
        let anew = second.page(&updates).unwrap();
        assert_eq!(
            anew.framed,
            first.make_page(&updates).unwrap().framed,
            "also what is not kept any more"
        );
    }

    #[test]
    fn only_who_takes_everything_is_told_of_a_commit_with_nothing_in_it() {
        let mut update = updates(1).remove(0);
        update.commit = Arc::new(crate::domain::Commit {
            events: Vec::new(),
            ..(*update.commit).clone()
        });
        update.effect = crate::projection::Effect::default();
        let audiences = Audiences::default();
        let told = |filter| messages(&audiences.join(&id("acme"), LOG, filter), &update);
        let everything = told(of_teams(&[]));
        assert!(everything.len() == 1 && !everything[0].resume_token.is_empty());
        assert_eq!(told(of_teams(&["sales"])), []);
    }
}
