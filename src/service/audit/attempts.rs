//! ListAttempts: calls that were refused or denied, read from the access record.
//!
//! Invariant: under a workspace there is only what lies in it by its whole id; what says no workspace, or one that is none, is
//! found under all of them alone.

use prost::Message;
use tonic::{Request, Response, Status};

use crate::access::{Attempt, Kept, Page, Texts};
use crate::domain::{Id, Invalid, Principal, Revision, Right, Violation};
use crate::proto::api;
use crate::service::api::Api;
use crate::service::caller::Caller;
use crate::service::pages::{self, Binding, PageToken};
use crate::service::{names, to_proto};

/// The parent of those of all workspaces, and of none.
const OF_ALL: &str = "workspaces/-";

/// Which attempts are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    /// Those in this workspace; none: all.
    workspace: Option<Id>,
    /// Those of this principal; empty: everybody's.
    principal: String,
}

impl Api {
    pub(super) async fn attempts_page(
        &self,
        request: Request<api::ListAttemptsRequest>,
    ) -> Result<Response<api::ListAttemptsResponse>, Status> {
        let api::ListAttemptsRequest {
            parent,
            page_size,
            page_token,
            principal,
        } = request.into_inner();
        let workspace = workspace(&parent)?;
        if !principal.is_empty() {
            Principal::parse(&principal).map_err(|invalid| invalid.at("principal"))?;
        }
        let size = pages::page_size(page_size)?;
        let parts = ["ListAttempts", &parent, &principal];
        let binding = Binding(&parts);
        let token = pages::read(&page_token, binding)?;
        let before = token.as_ref().map(sequence).transpose()?;
        if let Some(workspace) = &workspace {
            self.hosted(workspace, Right::Audit)?;
        } else {
            Caller::current()?.check_operator("read the refused calls of all workspaces")?;
        }
        let wanted = Wanted {
            workspace,
            principal: principal.clone(),
        };
        let Page {
            kept,
            before: mut next,
        } = self.attempts(before, size, wanted).await?;
        let mut attempts: Vec<_> = kept.iter().map(attempt).collect();
        let fitting = pages::fitting(attempts.iter().map(Message::encoded_len));
        if fitting < attempts.len() {
            attempts.truncate(fitting);
            next = kept.get(fitting - 1).map(|last| last.sequence);
        }
        let next_page_token = next.map(|before| {
            let token = PageToken {
                // There is no revision of attempts: a place among them is all that there is.
                revision: Revision::ZERO,
                last_key: before.to_string(),
            };
            pages::write(&token, binding)
        });
        let (record, _) = self.access();
        Ok(Response::new(api::ListAttemptsResponse {
            attempts,
            next_page_token: next_page_token.unwrap_or_default(),
            oldest_time: record.oldest_time().map(to_proto::timestamp),
            dropped_count: i64::try_from(record.dropped_count()).unwrap_or(i64::MAX),
        }))
    }

    /// Reads the record, beside the threads that answer calls.
    async fn attempts(&self, before: Option<u64>, size: usize, wanted: Wanted) -> Result<Page, Status> {
        let (record, readers) = self.access();
        // It is never closed.
        let _place = readers.acquire().await;
        let record = record.clone();
        let read = move || record.page(before, size, |attempt| wanted.has(attempt));
        let page = tokio::task::spawn_blocking(read).await;
        page.map_err(|_panicked| Status::internal("the access record could not be read: report it"))
    }
}

impl Wanted {
    fn has(&self, attempt: &Attempt) -> bool {
        let in_workspace = |workspace: &Id| attempt.is_in(workspace.as_str());
        self.workspace.as_ref().is_none_or(in_workspace)
            && (self.principal.is_empty() || self.principal == attempt.texts.principal)
    }
}

/// One attempt as the API shows it.
fn attempt(kept: &Kept) -> api::Attempt {
    let Attempt { time, texts } = kept.attempt.clone();
    let Texts {
        principal,
        authentication,
        on_behalf_of,
        method,
        resource,
        code,
        reason,
        message,
        request_id,
        traceparent,
        user_agent,
        peer,
    } = texts;
    api::Attempt {
        time: Some(to_proto::timestamp(time)),
        principal,
        authentication,
        on_behalf_of,
        method,
        resource,
        code,
        reason,
        message,
        request_id,
        traceparent,
        user_agent,
        peer,
    }
}

/// The workspace of a parent; none: all of them.
fn workspace(parent: &str) -> Result<Option<Id>, Violation> {
    if parent == OF_ALL {
        return Ok(None);
    }
    names::workspace("parent", parent).map(Some)
}

/// The number that the page before ended with.
fn sequence(token: &PageToken) -> Result<u64, Violation> {
    let unreadable =
        |_| Invalid::new("it is no token of this list: start again without one").at("page_token");
    token.last_key.parse().map_err(unreadable)
}
