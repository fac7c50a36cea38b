//! What every call that reads has in common: the state that it is about, one resource of it, one page of a list.
//!
//! Invariant: whatever a call answers is read from the one state that `seen` gives it, so that the past is answered as it was
//! answered then. How the past is rebuilt only the engine knows.

use std::sync::Arc;

use prost::Message;
use tonic::{Response, Status};

use super::api::{Api, Shown, show};
use super::moment::Moment;
use super::pages::{self, Binding, PageToken};
use super::trailer::DurableAt;
use crate::domain::{Id, Rejection, ResourceName, Revision, Right};
use crate::engine::Hosted;
use crate::projection::State;
use crate::proto::api;

/// A request that reads one workspace at a moment.
pub(super) trait ReadRequest {
    /// The answer is at least as new.
    fn min_revision(&self) -> i64;

    /// The moment that it is asked as of; none: now.
    fn as_of(&self) -> Option<&api::AsOf>;
}

/// A request for one page of a list.
pub(super) trait ListRequest: ReadRequest {
    /// The call.
    const CALL: &'static str;

    fn parent(&self) -> &str;
    fn page_size(&self) -> i32;
    fn page_token(&self) -> &str;
}

/// One page of a list.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next_page_token: String,
    pub(super) revision: Revision,
}

/// A list that is bound to its parent alone.
pub(super) const NO_FILTERS: &[&str] = &[];

macro_rules! reads {
    ($($Request:ident),* $(,)?) => {
        $(
            impl ReadRequest for api::$Request {
                fn min_revision(&self) -> i64 {
                    self.min_revision
                }

                fn as_of(&self) -> Option<&api::AsOf> {
                    self.as_of.as_ref()
                }
            }
        )*
    };
}

macro_rules! lists {
    ($($Request:ident),* $(,)?) => {
        reads!($($Request),*);
        $(
            impl ListRequest for api::$Request {
                const CALL: &'static str = stringify!($Request);

                fn parent(&self) -> &str {
                    &self.parent
                }

                fn page_size(&self) -> i32 {
                    self.page_size
                }

                fn page_token(&self) -> &str {
                    &self.page_token
                }
            }
        )*
    };
}

reads!(
    GetWorkspaceRequest,
    GetTeamRequest,
    GetMemberRequest,
    GetScoringPolicyRequest,
    GetCycleRequest,
    GetReviewRequest,
    GetObjectiveRequest,
    GetKeyResultRequest,
    GetInitiativeRequest,
    GetObjectiveTreeRequest,
    GetScoreSeriesRequest,
    GetKpiRequest,
    GetAlertRequest,
    SuggestTargetRequest,
    ForecastKpiRequest,
    ForecastKeyResultRequest,
    GetOverviewRequest,
    CheckHygieneRequest,
);

lists!(
    ListTeamsRequest,
    ListMembersRequest,
    ListCyclesRequest,
    ListObjectivesRequest,
    ListKeyResultsRequest,
    ListInitiativesRequest,
    ListCheckInsRequest,
    ListReviewsRequest,
    ListScoringPoliciesRequest,
    ListKpisRequest,
    ListTargetsRequest,
    ListMeasurementsRequest,
    ListAlertsRequest,
);

impl Api {
    /// The state that a read is about.
    pub(super) async fn seen(
        &self,
        workspace: &Id,
        request: &impl ReadRequest,
    ) -> Result<(Arc<Hosted>, Arc<State>), Status> {
        let moment = Moment::parse(request.min_revision(), request.as_of())?;
        self.seen_at(workspace, moment).await
    }

    /// The state of a moment.
    pub(super) async fn seen_at(
        &self,
        workspace: &Id,
        moment: Moment,
    ) -> Result<(Arc<Hosted>, Arc<State>), Status> {
        let hosted = self.hosted(workspace, Right::Read)?;
        let state = self.state_of(&hosted, moment, None).await?;
        Ok((hosted, state))
    }

    /// The state of a moment, or of the revision that the first page of a list has pinned.
    async fn state_of(
        &self,
        hosted: &Arc<Hosted>,
        moment: Moment,
        pinned: Option<Revision>,
    ) -> Result<Arc<State>, Status> {
        let engine = self.engine()?;
        let newest = Arc::clone(&engine.read(hosted.id(), moment.at_least())?.state);
        match pinned.or_else(|| moment.past(newest.workspace())) {
            Some(revision) if revision != newest.workspace().revision() => {
                Ok(engine.state_at(hosted, revision).await?)
            }
            _ => Ok(newest),
        }
    }

    /// One resource.
    pub(super) async fn get<T: Shown>(
        &self,
        workspace: &Id,
        name: &ResourceName,
        request: &impl ReadRequest,
    ) -> Result<Response<T>, Status> {
        let (hosted, state) = self.seen(workspace, request).await?;
        Ok(seen_in(&state, show(workspace, &state, hosted.log(), name)?))
    }

    /// One page. `items` answers so many of what comes behind a key, each with its own key; `filters` are what else a
    /// page token is bound to.
    pub(super) async fn list<R: ListRequest, T: Message>(
        &self,
        request: &R,
        filters: &[&str],
        workspace: &Id,
        items: impl FnOnce(&State, Option<&str>, usize) -> Result<Vec<(String, T)>, Rejection>,
    ) -> Result<Page<T>, Status> {
        let moment = Moment::parse(request.min_revision(), request.as_of())?;
        let size = pages::page_size(request.page_size())?;
        let hosted = self.hosted(workspace, Right::Read)?;
        let (as_of, history) = (moment.binding(), history_of(&hosted));
        let mut parts = [&[R::CALL, request.parent()], filters].concat();
        parts.extend(as_of.as_deref());
        parts.extend(history.as_deref());
        let binding = Binding(&parts);
        let token = pages::read(request.page_token(), binding)?;
        let pinned = token.as_ref().map(|token| token.revision);
        let state = self.state_of(&hosted, moment, pinned).await?;
        let revision = state.workspace().revision();
        let last_key = token.as_ref().map(|token| token.last_key.as_str());
        // One more than the page tells whether there is another.
        let mut found = items(&state, last_key, size + 1)?;
        let size = size.min(pages::fitting(found.iter().map(|(_, item)| item.encoded_len())));
        let more = found.len() > size;
        found.truncate(size);
        let next_page_token = match found.last() {
            Some((last_key, _)) if more => pages::write(
                &PageToken {
                    revision,
                    last_key: last_key.clone(),
                },
                binding,
            ),
            _ => String::new(),
        };
        Ok(Page {
            items: found.into_iter().map(|(_, item)| item).collect(),
            next_page_token,
            revision,
        })
    }
}

/// What a page token is bound to of a log that was restored: pages of two histories do not go together. None: it has its first
/// history.
pub(super) fn history_of(hosted: &Hosted) -> Option<String> {
    let epoch = hosted.published().epoch;
    (epoch > 1).then(|| format!("epoch {epoch}"))
}

/// One resource as an answer that names the revision it was read at.
pub(super) fn seen_in<T>(state: &State, message: T) -> Response<T> {
    let mut response = Response::new(message);
    response
        .extensions_mut()
        .insert(DurableAt(state.workspace().revision()));
    response
}
