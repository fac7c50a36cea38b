//! ListEvents and GetEvent: what happened, found by the index and read from the log.

use std::sync::Arc;

use prost::Message;
use tonic::{Request, Response, Status};

use crate::domain::{Id, Invalid, Revision, Right, Timestamp, Violation, Workspace};
use crate::engine::{Candidates, StoredCommit};
use crate::projection::EventFilter;
use crate::proto::api;
use crate::service::api::{Api, wire};
use crate::service::pages::{self, Binding, PageToken};
use crate::service::reads::history_of;
use crate::service::{from_proto, names, status, to_proto};

/// How many commits are read at once.
const READ_COMMITS: usize = 256;

/// What says of a commit why and from where is repeated with each of its events, up to so many bytes in all.
const REPEATED_BYTES_MAX: usize = 1024 * 1024;

/// How many commits are read for one page at most: where few of them have an event that is asked for, the page ends early.
const LOOKED_AT_MAX: usize = 16_384;

impl Api {
    pub(super) async fn events_page(
        &self,
        request: Request<api::ListEventsRequest>,
    ) -> Result<Response<api::ListEventsResponse>, Status> {
        let request = request.get_ref();
        let workspace = names::workspace("parent", &request.parent)?;
        let filter = from_proto::event_filter(&workspace, request)?;
        let size = pages::page_size(request.page_size)?;
        let (hosted, state) = self.read(&workspace, Right::Audit, request.min_revision)?;
        let mut bound = parameters(request, &filter);
        bound.extend(history_of(&hosted));
        let bound: Vec<&str> = bound.iter().map(String::as_str).collect();
        let binding = Binding(&bound);
        let token = pages::read(&request.page_token, binding)?;
        // The log behind the newest revision of the first page is none of this list's business.
        let newest = token
            .as_ref()
            .map_or(state.workspace().revision(), |token| token.revision);
        // A token may come from before the log was restored to an earlier point.
        self.engine()?.read(&workspace, newest)?;
        let seen = token
            .as_ref()
            .map(|token| revision_key(&token.last_key))
            .transpose()?;
        let mut place = Place::new(request.newest_first, newest, seen, &filter, state.workspace());

        let filter = Arc::new(filter);
        let candidates = self.engine()?.candidates(&hosted, &filter).await?;
        let mut page = EventPage::new(&workspace, &filter, request.include_records, size);
        let mut looked_at = 0;
        let more = 'reading: loop {
            // One more than the page has room for tells whether there is another.
            let wanted = place.next(&candidates, (page.room() + 1).min(READ_COMMITS));
            let commits = self
                .engine()?
                .commits_at(&hosted, wanted, pages::BYTES_MAX)
                .await?;
            if commits.is_empty() {
                break false;
            }
            for stored in commits {
                if looked_at == LOOKED_AT_MAX || !page.add(&stored) {
                    break 'reading true;
                }
                looked_at += 1;
                place.seen = Some(stored.commit.revision);
            }
        };
        let next_page_token = match place.seen {
            Some(seen) if more => pages::write(
                &PageToken {
                    revision: newest,
                    last_key: seen.to_string(),
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
        let (hosted, _) = self.read(&workspace, Right::Audit, request.min_revision)?;
        let commits = self.engine()?.commits(&hosted, revision, revision, 1).await?;
        let event = commits
            .iter()
            .find(|stored| stored.commit.revision == revision)
            .and_then(|stored| {
                let mut shown = to_proto::commit(&stored.commit, stored.leaf.0);
                if request.include_record {
                    shown.record.clone_from(&stored.record);
                }
                to_proto::event(&workspace, &stored.commit, index, Some(shown))
            });
        event
            .map(Response::new)
            .ok_or_else(|| status::event_not_found(&request.name))
    }
}

/// What a page token is bound to. Of an unfiltered list it is what it was in the first release.
fn parameters(request: &api::ListEventsRequest, filter: &EventFilter) -> Vec<String> {
    let direction = if request.newest_first { "newest_first" } else { "" };
    let mut bound = vec![
        "ListEvents".to_owned(),
        request.parent.clone(),
        direction.to_owned(),
    ];
    let mut bind = |name: &str, value: &str| bound.push(format!("{name} {value}"));
    for (name, text) in [
        ("resource", &request.resource),
        ("principal", &request.principal),
        ("request id", &request.request_id),
        ("correlation id", &request.correlation_id),
    ] {
        if !text.is_empty() {
            bind(name, text);
        }
    }
    for kind in &filter.types {
        bind("type", kind);
    }
    for (name, moment) in [
        ("recorded from", filter.recorded.start),
        ("recorded before", filter.recorded.end),
        ("effective from", filter.effective.start),
        ("effective before", filter.effective.end),
    ] {
        if let Some(moment) = moment {
            bind(name, &moment.to_string());
        }
    }
    if request.include_records {
        bind("include", "records");
    }
    bound
}

/// How far a list of events has come.
struct Place {
    newest_first: bool,
    /// Of the revisions that the list is about, both inclusive.
    first: Revision,
    last: Revision,
    /// The last commit that was looked at.
    seen: Option<Revision>,
}

impl Place {
    fn new(
        newest_first: bool,
        newest: Revision,
        seen: Option<Revision>,
        filter: &EventFilter,
        workspace: &Workspace,
    ) -> Self {
        let before = |moment: Timestamp| workspace.revision_before(moment);
        let end = filter.recorded.end.map_or(newest, before);
        Self {
            newest_first,
            first: filter
                .recorded
                .start
                .map_or(Revision(1), |start| before(start).next()),
            last: newest.min(end),
            seen,
        }
    }

    /// The next commits to look at, at most so many; none: the list is at its end.
    fn next(&self, candidates: &Candidates, count_max: usize) -> Vec<Revision> {
        let (mut first, mut last) = (self.first, self.last);
        if let Some(Revision(seen)) = self.seen {
            if self.newest_first {
                last = last.min(Revision(seen.saturating_sub(1)));
            } else {
                first = first.max(Revision(seen.saturating_add(1)));
            }
        }
        candidates.next(first, last, self.newest_first, count_max)
    }
}

/// One page as it fills.
struct EventPage<'a> {
    workspace: &'a Id,
    filter: &'a EventFilter,
    include_records: bool,
    size: usize,
    events: Vec<api::Event>,
    bytes: usize,
}

impl<'a> EventPage<'a> {
    fn new(workspace: &'a Id, filter: &'a EventFilter, include_records: bool, size: usize) -> Self {
        Self {
            workspace,
            filter,
            include_records,
            size,
            events: Vec::new(),
            bytes: 0,
        }
    }

    /// For how many more events there is room, as far as their number goes.
    fn room(&self) -> usize {
        self.size.saturating_sub(self.events.len())
    }

    /// Adds what is asked for of a commit, all or nothing. Answers whether there was room: the first one is always taken.
    fn add(&mut self, stored: &StoredCommit) -> bool {
        let wanted = |event| self.filter.wants(&stored.commit, event);
        let events = stored.commit.events.iter().enumerate();
        let indices: Vec<usize> = events
            .filter(|(_, event)| wanted(event))
            .map(|(index, _)| index)
            .collect();
        if indices.is_empty() {
            return true;
        }
        if self.room() == 0 {
            return false;
        }
        let mut shown = to_proto::commit(&stored.commit, stored.leaf.0);
        if self.include_records {
            shown.record.clone_from(&stored.record);
        }
        let mut events = Vec::with_capacity(indices.len());
        let mut bytes = 0;
        let repeats_much = indices
            .len()
            .saturating_mul(shown.encoded_len() - shown.record.len())
            > REPEATED_BYTES_MAX;
        for index in indices {
            events.extend(to_proto::event(
                self.workspace,
                &stored.commit,
                index,
                Some(shown.clone()),
            ));
            bytes += events.last().map_or(0, Message::encoded_len);
            // Once a commit is enough.
            shown.record = Vec::new();
            if repeats_much {
                shown.reason.clear();
                shown.user_agent.clear();
                shown.causation_id.clear();
            }
        }
        if !self.events.is_empty() && self.bytes + bytes > pages::BYTES_MAX {
            return false;
        }
        self.bytes += bytes;
        self.events.append(&mut events);
        true
    }
}

fn revision_key(key: &str) -> Result<Revision, Violation> {
    let unreadable =
        |_| Invalid::new("it is no token of this list: start again without one").at("page_token");
    key.parse().map(Revision).map_err(unreadable)
}
