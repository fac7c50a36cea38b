//! GetCheckpoint, GetInclusionProof, GetConsistencyProof: what an auditor keeps, and what proves that it still holds.

use tonic::{Request, Response, Status};

use crate::domain::{Invalid, Revision, Right, Violation};
use crate::engine::{Consistency, Inclusion, Signed};
use crate::proto::api;
use crate::service::api::{Api, wire};
use crate::service::{names, pages};

/// A larger record does not fit into an answer beside its proof.
const RECORD_BYTES_MAX: usize = 3 * 1024 * 1024;

impl Api {
    pub(super) async fn checkpoint(
        &self,
        request: Request<api::GetCheckpointRequest>,
    ) -> Result<Response<api::SignedCheckpoint>, Status> {
        let request = request.get_ref();
        let workspace = names::workspace("parent", &request.parent)?;
        let asked = size("revision", request.revision)?;
        if asked.is_some() && request.min_revision != 0 {
            let sentence = "revision is there too: it says which one, so send one of them";
            return Err(Invalid::new(sentence).at("min_revision").into());
        }
        let (hosted, state) = self.read(&workspace, Right::Audit, request.min_revision)?;
        let revision = asked.unwrap_or(state.workspace().revision());
        let signed = self.engine()?.checkpoint(&hosted, revision).await?;
        Ok(Response::new(shown(signed)))
    }

    pub(super) async fn inclusion_proof(
        &self,
        request: Request<api::GetInclusionProofRequest>,
    ) -> Result<Response<api::InclusionProof>, Status> {
        let request = request.get_ref();
        let workspace = names::workspace("parent", &request.parent)?;
        let revision = required("revision", request.revision)?;
        let asked = size("size", request.size)?;
        let (hosted, state) = self.read(&workspace, Right::Audit, wire(revision))?;
        let size = asked.unwrap_or(state.workspace().revision());
        if revision > size {
            let sentence =
                format!("a log of {size} commits does not have revision {revision}: ask for a larger one");
            return Err(Invalid::new(sentence).at("size").into());
        }
        let Inclusion {
            mut record,
            leaf,
            hashes,
            signed,
        } = self.engine()?.inclusion(&hosted, revision, size).await?;
        if record.len() > RECORD_BYTES_MAX {
            record.clear();
        }
        Ok(Response::new(api::InclusionProof {
            leaf_index: wire(Revision(revision.0 - 1)),
            leaf_hash: leaf.0.to_vec(),
            hashes: hashes.iter().map(|hash| hash.to_vec()).collect(),
            checkpoint: Some(shown(signed)),
            record,
        }))
    }

    pub(super) async fn consistency_proof(
        &self,
        request: Request<api::GetConsistencyProofRequest>,
    ) -> Result<Response<api::ConsistencyProof>, Status> {
        let request = request.get_ref();
        let workspace = names::workspace("parent", &request.parent)?;
        let first = required("first", request.first)?;
        let asked = size("second", request.second)?;
        let (hosted, state) = self.read(&workspace, Right::Audit, wire(first))?;
        let second = asked.unwrap_or(state.workspace().revision());
        if first > second {
            let sentence = format!("it is {second}, before the first, {first}: exchange them");
            return Err(Invalid::new(sentence).at("second").into());
        }
        let Consistency {
            first_root,
            hashes,
            signed,
        } = self.engine()?.consistency(&hosted, first, second).await?;
        Ok(Response::new(api::ConsistencyProof {
            first: wire(first),
            first_root: first_root.0.to_vec(),
            hashes: hashes.iter().map(|hash| hash.to_vec()).collect(),
            checkpoint: Some(shown(signed)),
        }))
    }
}

/// A checkpoint as the API shows it.
pub(super) fn shown(signed: Signed) -> api::SignedCheckpoint {
    let Signed {
        checkpoint,
        note,
        key,
    } = signed;
    api::SignedCheckpoint {
        origin: checkpoint.origin.to_string(),
        size: wire(checkpoint.revision),
        root: checkpoint.root.0.to_vec(),
        epoch: i32::try_from(checkpoint.origin.epoch).unwrap_or(i32::MAX),
        note,
        verifier_key: key.of_log(checkpoint.origin),
    }
}

/// A revision or size that may be left out.
pub(super) fn size(field: &'static str, number: i64) -> Result<Option<Revision>, Violation> {
    let parsed = pages::min_revision(number).map_err(|_| {
        Invalid::new(format!(
            "{number} is no revision: the first one is 1, and 0 asks for the newest"
        ))
        .at(field)
    })?;
    Ok((parsed > Revision::ZERO).then_some(parsed))
}

fn required(field: &'static str, number: i64) -> Result<Revision, Violation> {
    size(field, number)?.ok_or_else(|| Invalid::new("it is missing: the first revision is 1").at(field))
}
