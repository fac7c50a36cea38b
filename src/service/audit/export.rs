//! ExportEvents: a log as it is stored, with the checkpoint that covers it.
//!
//! Invariant: what comes is a consistent prefix, fixed when the call comes; at most one message of records is held, so that a
//! reader who is slow costs no more than one who is quick.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream;
use tonic::{Request, Response, Status};

use super::proofs::{shown, size};
use crate::domain::{Invalid, Revision, Right};
use crate::engine::{Engine, Hosted, Refusal};
use crate::proto::api;
use crate::proto::api::export_events_response::Content;
use crate::service::api::{Api, wire};
use crate::service::caller::Caller;
use crate::service::names;

/// So many bytes of records travel in one message.
const MESSAGE_BYTES: usize = 1024 * 1024;

/// The messages of one call.
pub(crate) type Export = Pin<Box<dyn Stream<Item = Result<api::ExportEventsResponse, Status>> + Send>>;

impl Api {
    pub(super) async fn export(
        &self,
        request: Request<api::ExportEventsRequest>,
    ) -> Result<Response<Export>, Status> {
        let request = request.get_ref();
        let workspace = names::workspace("parent", &request.parent)?;
        let after = size("after_revision", request.after_revision)?.unwrap_or_default();
        let asked = size("last_revision", request.last_revision)?;
        let (hosted, state) = self.read(&workspace, Right::Audit, wire(after))?;
        let last = asked.unwrap_or(state.workspace().revision());
        if after > last {
            let sentence = format!("it is {last}, before after_revision, {after}: exchange them");
            return Err(Invalid::new(sentence).at("last_revision").into());
        }
        let engine = self.engine()?.clone();
        let mut guard = Caller::current()?.guard(&hosted, Right::Audit);
        guard.judge()?;
        let signed = engine.checkpoint(&hosted, last).await?;
        let draining = self.draining();
        let records = Box::pin(async_stream::try_stream! {
            guard.check()?;
            let checkpoint = Content::Checkpoint(shown(signed));
            yield api::ExportEventsResponse { content: Some(checkpoint) };
            let mut newest = after;
            while newest < last {
                if *draining.borrow() {
                    Err(Status::from(Refusal::Draining))?;
                }
                let records = next(&engine, &hosted, newest, last).await?;
                guard.check()?;
                let first_revision = wire(newest.next());
                newest = Revision(newest.0 + records.len() as u64);
                let records = Content::Records(api::StoredRecords { first_revision, records });
                yield api::ExportEventsResponse { content: Some(records) };
            }
        });
        Ok(Response::new(records))
    }
}

/// The next records behind a revision; there is at least one.
async fn next(
    engine: &Engine,
    hosted: &Arc<Hosted>,
    newest: Revision,
    last: Revision,
) -> Result<Vec<Vec<u8>>, Status> {
    let records = engine.records(hosted, newest.next(), last, MESSAGE_BYTES).await?;
    match records.is_empty() {
        // What is published is in the log.
        true => Err(Status::data_loss(format!(
            "revision {} cannot be read",
            newest.next()
        ))),
        false => Ok(records),
    }
}
