//! ListEvents and GetEvent: what happened, read from the log.

use prost::Message;
use tonic::{Request, Response, Status};

use crate::domain::{Id, Invalid, Revision, Violation};
use crate::engine::StoredCommit;
use crate::proto::api;
use crate::service::api::{Api, wire};
use crate::service::pages::{self, Binding, PageToken};
use crate::service::{names, status, to_proto};

/// How many commits are read at once.
const READ_COMMITS: usize = 256;

impl Api {
    pub(super) async fn events_page(
        &self,
        request: Request<api::ListEventsRequest>,
    ) -> Result<Response<api::ListEventsResponse>, Status> {
        let request = request.get_ref();
        let workspace = names::workspace("parent", &request.parent)?;
        let direction = if request.newest_first { "newest_first" } else { "" };
        let binding = Binding(&["ListEvents", &request.parent, direction]);
        let size = pages::page_size(request.page_size)?;
        let token = pages::read(&request.page_token, binding)?;
        let (hosted, state) = self.read(&workspace, request.min_revision)?;
        // The log behind the newest revision of the first page is none of this list's business.
        let newest = token
            .as_ref()
            .map_or(state.workspace().revision(), |token| token.revision);
        // A token may come from before the log was restored to an earlier point.
        self.engine()?.read(&workspace, newest)?;
        let last_shown = token
            .as_ref()
            .map(|token| revision_key(&token.last_key))
            .transpose()?;
        let mut place = Place {
            newest_first: request.newest_first,
            newest,
            last_shown,
        };

        let mut page = EventPage::default();
        while page.events.len() < size && page.bytes < pages::BYTES_MAX {
            let Some((from, last)) = place.next_range() else {
                break;
            };
            let mut commits = self.engine()?.commits(&hosted, from, last, READ_COMMITS).await?;
            if commits.is_empty() {
                break;
            }
            if place.newest_first {
                commits.reverse();
            }
            for stored in commits {
                if page.events.len() >= size || page.bytes >= pages::BYTES_MAX {
                    break;
                }
                place.last_shown = Some(stored.commit.revision);
                page.add(&workspace, &stored);
            }
        }
        let next_page_token = match place.last_shown {
            Some(shown) if place.next_range().is_some() => pages::write(
                &PageToken {
                    revision: newest,
                    last_key: shown.to_string(),
                },
                binding,
            ),
            _ => String::new(),
        };
        Ok(Response::new(api::ListEventsResponse {
            events: page.events,
            next_page_token,
            revision: wire(newest),
        }))
    }

    pub(super) async fn one_event(
        &self,
        request: Request<api::GetEventRequest>,
    ) -> Result<Response<api::Event>, Status> {
        let request = request.get_ref();
        let (workspace, revision, index) = names::event("name", &request.name)?;
        let (hosted, _) = self.read(&workspace, request.min_revision)?;
        let commits = self.engine()?.commits(&hosted, revision, revision, 1).await?;
        let event = commits
            .iter()
            .find(|stored| stored.commit.revision == revision)
            .and_then(|stored| {
                let shown = to_proto::commit(&stored.commit, stored.leaf.0);
                to_proto::event(&workspace, &stored.commit, index, Some(shown))
            });
        event
            .map(Response::new)
            .ok_or_else(|| status::event_not_found(&request.name))
    }
}

/// How far a list of events has come.
struct Place {
    newest_first: bool,
    newest: Revision,
    last_shown: Option<Revision>,
}

#[derive(Default)]
struct EventPage {
    events: Vec<api::Event>,
    bytes: usize,
}

impl Place {
    /// The first and last revision to read next; none: the list is at its end.
    fn next_range(&self) -> Option<(Revision, Revision)> {
        let count = READ_COMMITS as u64;
        if self.newest_first {
            let last = self
                .last_shown
                .map_or(self.newest.0, |shown| shown.0.saturating_sub(1))
                .min(self.newest.0);
            (last > 0).then(|| (Revision(last.saturating_sub(count - 1).max(1)), Revision(last)))
        } else {
            let from = self.last_shown.map_or(1, |shown| shown.0.saturating_add(1));
            (from <= self.newest.0).then_some((Revision(from), self.newest))
        }
    }
}

impl EventPage {
    fn add(&mut self, workspace: &Id, stored: &StoredCommit) {
        let shown = to_proto::commit(&stored.commit, stored.leaf.0);
        for index in 0..stored.commit.events.len() {
            if let Some(event) = to_proto::event(workspace, &stored.commit, index, Some(shown.clone())) {
                self.bytes += event.encoded_len();
                self.events.push(event);
            }
        }
    }
}

fn revision_key(key: &str) -> Result<Revision, Violation> {
    let unreadable =
        |_| Invalid::new("it is no token of this list: start again without one").at("page_token");
    key.parse().map(Revision).map_err(unreadable)
}
