//! DiffStates: how a workspace, or what lies in one resource of it, differs between two moments.
//!
//! Invariant: what is answered is a function of two states. What the two share is not looked at, and nothing of what happened
//! in between is read: who did it and why ListEvents says.

use std::collections::BTreeMap;
use std::sync::Arc;

use prost::Message;
use tonic::{Request, Response, Status};

use super::fields::{Difference, Subject, Unreadable, difference};
use crate::domain::{Id, Invalid, ResourceName, Revision, Right, Violation, Workspace};
use crate::engine::{Hosted, Refusal};
use crate::log::LogId;
use crate::projection::{FieldChange, State, is_there, may_differ};
use crate::proto::api;
use crate::proto::api::resource_difference::Kind;
use crate::service::api::{Api, wire};
use crate::service::moment::Moment;
use crate::service::pages::{self, Binding, PageToken};
use crate::service::reads::history_of;
use crate::service::{names, to_proto};

impl Api {
    pub(super) async fn differences_page(
        &self,
        request: Request<api::DiffStatesRequest>,
    ) -> Result<Response<api::DiffStatesResponse>, Status> {
        let request = request.get_ref();
        let asked = Asked::parse(request)?;
        let size = pages::page_size(request.page_size)?;
        let (hosted, newest) = self.read(&asked.workspace, Right::Audit, 0)?;
        let mut bound = asked.bound();
        bound.extend(history_of(&hosted));
        let bound: Vec<&str> = bound.iter().map(String::as_str).collect();
        let binding = Binding(&bound);
        let token = pages::read(&request.page_token, binding)?;
        let place = match token {
            Some(token) => Place::of_token(&token)?,
            None => asked.place(newest.workspace())?,
        };
        let before = self.state_then(&hosted, &newest, place.before).await?;
        let after = self.state_then(&hosted, &newest, place.after).await?;
        let compared = Compared {
            workspace: asked.workspace,
            log: hosted.log(),
            before,
            after,
        };
        let (within, last_name) = (asked.resource, place.last_name.clone());
        let work = move || compared.page(within.as_ref(), &last_name, size);
        let page = self.engine()?.aside(work).await?.map_err(broken)?;
        let next_page_token = match page.differences.last() {
            Some(last) if page.more => pages::write(
                &PageToken {
                    revision: place.after,
                    last_key: format!("{} {}", place.before, last.name),
                },
                binding,
            ),
            _ => String::new(),
        };
        Ok(Response::new(api::DiffStatesResponse {
            differences: page.differences,
            next_page_token,
            before_revision: wire(place.before),
            after_revision: wire(place.after),
        }))
    }

    /// A workspace as it was at a revision.
    async fn state_then(
        &self,
        hosted: &Arc<Hosted>,
        newest: &Arc<State>,
        revision: Revision,
    ) -> Result<Arc<State>, Status> {
        if newest.workspace().revision() == revision {
            return Ok(Arc::clone(newest));
        }
        if revision == Revision::ZERO {
            return Ok(Arc::new(State::empty()));
        }
        Ok(self.engine()?.state_at(hosted, revision).await?)
    }
}

fn broken(_: Unreadable) -> Status {
    tracing::error!("the program's own description of the API cannot be read: this is a fault in Binnacle");
    Refusal::Panicked.into()
}

/// What is asked.
struct Asked {
    workspace: Id,
    /// None: of the whole workspace.
    resource: Option<ResourceName>,
    before: Moment,
    /// None: what is known now.
    after: Option<Moment>,
}

impl Asked {
    fn parse(request: &api::DiffStatesRequest) -> Result<Self, Violation> {
        let api::DiffStatesRequest {
            parent,
            resource,
            before,
            after,
            page_size: _,
            page_token: _,
        } = request;
        let workspace = names::workspace("parent", parent)?;
        let resource = match resource.as_str() {
            "" => None,
            text => Some(names::resource_of("resource", &workspace, text)?),
        };
        let missing = || Invalid::new("it is missing: send a revision or a recorded_time").at("before");
        let before = before.as_ref().ok_or_else(missing)?;
        Ok(Self {
            workspace,
            resource,
            before: moment("before", before)?,
            after: after.as_ref().map(|after| moment("after", after)).transpose()?,
        })
    }

    /// What a page token is bound to.
    fn bound(&self) -> Vec<String> {
        let said = |moment: Option<Moment>| moment.and_then(Moment::binding).unwrap_or_default();
        let resource = self.resource.as_ref();
        vec![
            "DiffStates".to_owned(),
            names::full_name(&self.workspace, &ResourceName::Workspace),
            resource.map_or_else(String::new, |name| names::full_name(&self.workspace, name)),
            said(Some(self.before)),
            said(self.after),
        ]
    }

    fn place(&self, newest: &Workspace) -> Result<Place, Violation> {
        let head = newest.revision();
        let before = self.before.past(newest).unwrap_or(head);
        let after = self.after.and_then(|after| after.past(newest)).unwrap_or(head);
        if after < before {
            let sentence = format!(
                "it is revision {after}, and before is the later revision {before}: exchange the two"
            );
            return Err(Invalid::new(sentence).at("after"));
        }
        Ok(Place {
            before,
            after,
            last_name: String::new(),
        })
    }
}

/// A moment is read as those of other reads are, but it has another name here.
fn moment(field: &str, as_of: &api::AsOf) -> Result<Moment, Violation> {
    Moment::parse(0, Some(as_of)).map_err(|violation| Violation {
        field: violation.field.replacen("as_of", field, 1),
        sentence: violation.sentence,
    })
}

/// The two revisions, and how far the list has come.
struct Place {
    before: Revision,
    after: Revision,
    last_name: String,
}

impl Place {
    fn of_token(token: &PageToken) -> Result<Self, Violation> {
        let read = || {
            let (before, last_name) = token.last_key.split_once(' ')?;
            Some(Self {
                before: before.parse().map(Revision).ok()?,
                after: token.revision,
                last_name: last_name.to_owned(),
            })
        };
        read().ok_or_else(|| {
            Invalid::new("it is no token of this list: start again without one").at("page_token")
        })
    }
}

/// Two states of one workspace.
struct Compared {
    workspace: Id,
    log: LogId,
    before: Arc<State>,
    after: Arc<State>,
}

struct DifferencePage {
    differences: Vec<api::ResourceDifference>,
    more: bool,
}

impl Compared {
    /// The differences behind a name, by name.
    fn page(
        &self,
        within: Option<&ResourceName>,
        last_name: &str,
        size: usize,
    ) -> Result<DifferencePage, Unreadable> {
        let names = may_differ(&self.before, &self.after);
        let names = names
            .into_iter()
            .filter(|name| within.is_none_or(|within| name.is_or_lies_in(within)));
        let by_name: BTreeMap<String, ResourceName> = names
            .map(|name| (names::full_name(&self.workspace, &name), name))
            .collect();
        let behind = by_name
            .iter()
            .filter(|(full_name, _)| full_name.as_str() > last_name);
        let mut page = DifferencePage {
            differences: Vec::new(),
            more: false,
        };
        let mut bytes = 0;
        for (full_name, name) in behind {
            let Some(found) = self.of(full_name, name)? else {
                continue;
            };
            bytes += found.encoded_len();
            // The first always fits.
            let full = page.differences.len() == size || bytes > pages::BYTES_MAX;
            if full && !page.differences.is_empty() {
                page.more = true;
                break;
            }
            page.differences.push(found);
        }
        Ok(page)
    }

    /// How one resource differs; none: it is the same for people.
    fn of(
        &self,
        full_name: &str,
        name: &ResourceName,
    ) -> Result<Option<api::ResourceDifference>, Unreadable> {
        let (before, after) = (self.subject(&self.before, name), self.subject(&self.after, name));
        let Difference { written, derived } = difference(before.as_ref(), after.as_ref())?;
        let kind = match (&before, &after) {
            (None, None) => return Ok(None),
            (None, Some(_)) => Kind::Created,
            (Some(_), None) => Kind::Removed,
            (Some(_), Some(_)) if !written.is_empty() => Kind::Changed,
            (Some(_), Some(_)) if !derived.is_empty() => Kind::Recomputed,
            (Some(_), Some(_)) => return Ok(None),
        };
        let shown = |changes: Vec<FieldChange>| changes.into_iter().map(to_proto::field_change).collect();
        Ok(Some(api::ResourceDifference {
            name: full_name.to_owned(),
            kind: kind.into(),
            changes: shown(written),
            derived: shown(derived),
        }))
    }

    /// A resource of a state as the API shows it; none: it is not there for people.
    fn subject(&self, state: &State, name: &ResourceName) -> Option<Subject> {
        let workspace = state.workspace();
        if !is_there(workspace, name) {
            return None;
        }
        match name {
            ResourceName::CheckIn(key_result, id) => {
                let recorded = workspace.key_results().get(key_result)?.check_in(id)?;
                let shown = to_proto::check_in(&self.workspace, key_result, recorded);
                Some(Subject::CheckIn(Box::new(shown)))
            }
            name => {
                let shown = to_proto::resource(&self.workspace, state, self.log, name)?;
                Some(Subject::Resource(Box::new(shown)))
            }
        }
    }
}
