//! Checkpoints, proofs and the export of a log, through the API: everything is checked with hashes and the key alone.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "revisions of a short log"
)]

use std::sync::Arc;

use binnacle::domain::Revision;
use binnacle::engine::{Engine, EngineConfig};
use binnacle::log::{
    Checkpoint, Evidence, Frontier, LeafHash, MemoryLog, PublicKey, Root, SigningKey, is_beginning,
    is_included,
};
use binnacle::proto::api;
use binnacle::proto::api::export_events_response::Content;
use binnacle::service::ServerConfig;
use tempfile::TempDir;
use tonic::Code;

use crate::common::*;

/// A server that signs, with the little company and 600 measurements more: more than two tiles of its tree.
async fn signing() -> (Server, TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    let key = SigningKey::load_or_create(&dir.path().join("key")).expect("a key");
    let evidence = Evidence::open(dir.path(), key).expect("evidence");
    let clock = clock();
    let given = Arc::clone(&clock);
    let server = Server::opening(ServerConfig::default(), clock, move || {
        Engine::open(
            Arc::new(MemoryLog::new()),
            Some(evidence),
            given,
            EngineConfig::default(),
        )
        .expect("an engine")
    })
    .await;
    until_serving(&server.channel).await;
    with_company(&server).await;
    for second in 1..=600 {
        let measured = server
            .kpis()
            .record_measurement(measure("nps", -second, 41.0))
            .await;
        measured.expect("a measurement");
    }
    (server, dir)
}

async fn checkpoint(server: &Server, revision: i64) -> (Checkpoint, api::SignedCheckpoint) {
    let request = api::GetCheckpointRequest {
        parent: "workspaces/acme".to_owned(),
        revision,
        min_revision: 0,
    };
    let shown = server
        .audit()
        .get_checkpoint(request)
        .await
        .expect("a checkpoint")
        .into_inner();
    let key = PublicKey::parse(&shown.verifier_key).expect("a key");
    let said = key.open(&shown.note).expect("a note that the key has signed");
    assert_eq!(
        (
            shown.origin.clone(),
            shown.size,
            shown.root.as_slice(),
            shown.epoch
        ),
        (
            said.origin.to_string(),
            said.revision.0 as i64,
            &said.root.0[..],
            1
        )
    );
    (said, shown)
}

fn hashes(found: &[Vec<u8>]) -> Vec<[u8; 32]> {
    found
        .iter()
        .map(|hash| hash.as_slice().try_into().expect("32 bytes"))
        .collect()
}

/// The records of the log behind a revision, and the checkpoint that came with them.
async fn export(server: &Server, after: i64, last: i64) -> (Checkpoint, Vec<Vec<u8>>) {
    let request = api::ExportEventsRequest {
        parent: "workspaces/acme".to_owned(),
        after_revision: after,
        last_revision: last,
    };
    let mut messages = server
        .audit()
        .export_events(request)
        .await
        .expect("a stream")
        .into_inner();
    let (mut said, mut records) = (None, Vec::new());
    while let Some(message) = messages.message().await.expect("a message") {
        match message.content.expect("content") {
            Content::Checkpoint(shown) => {
                let key = PublicKey::parse(&shown.verifier_key).expect("a key");
                assert!(
                    said.replace(key.open(&shown.note).expect("signed")).is_none(),
                    "one, and first"
                );
            }
            Content::Records(found) => {
                assert_eq!(found.first_revision, after + records.len() as i64 + 1);
                records.extend(found.records);
            }
        }
    }
    (said.expect("a checkpoint"), records)
}

#[tokio::test]
async fn a_checkpoint_is_the_root_of_exactly_the_records_up_to_its_revision() {
    let (server, _dir) = signing().await;
    let head = server.head().await;
    let (newest, records) = export(&server, 0, 0).await;
    assert_eq!(newest.revision, Revision(head as u64));
    assert_eq!(records.len() as i64, head);
    let mut tree = Frontier::empty();
    for (revision, record) in (1..).zip(&records) {
        tree.push(LeafHash::of(record));
        if [1, 2, 255, 256, 257, 512, 600, head].contains(&revision) {
            let (said, _) = checkpoint(&server, revision).await;
            assert_eq!(
                (said.revision.0, said.root),
                (tree.size(), tree.root()),
                "{revision}"
            );
        }
    }
    let (said, _) = checkpoint(&server, 0).await;
    assert_eq!(said, newest, "the newest, when none is named");
    assert_eq!(said.origin, checkpoint(&server, 1).await.0.origin);
}

#[tokio::test]
async fn every_commit_has_a_proof_in_every_later_log_and_none_in_another() {
    let (server, _dir) = signing().await;
    let head = server.head().await;
    for (revision, size) in [
        (1, 1),
        (1, head),
        (7, 300),
        (256, 256),
        (256, 257),
        (300, 0),
        (head, 0),
    ] {
        let request = api::GetInclusionProofRequest {
            parent: "workspaces/acme".to_owned(),
            revision,
            size,
        };
        let proof = server
            .audit()
            .get_inclusion_proof(request)
            .await
            .expect("a proof")
            .into_inner();
        let shown = proof.checkpoint.expect("a checkpoint");
        let said = PublicKey::parse(&shown.verifier_key)
            .expect("a key")
            .open(&shown.note)
            .expect("signed");
        assert_eq!(said.revision.0 as i64, if size == 0 { head } else { size });
        assert_eq!(proof.leaf_index, revision - 1);
        assert_eq!(proof.leaf_hash, LeafHash::of(&proof.record).0);
        let hashes = hashes(&proof.hashes);
        let holds =
            |index: i64| is_included(&proof.record, index as u64, said.revision.0, said.root, &hashes);
        assert!(holds(proof.leaf_index), "{revision} in {size}");
        assert!(
            !holds(proof.leaf_index + 1),
            "{revision} in {size}: at another place"
        );
        let event = api::GetEventRequest {
            name: acme(&format!("events/{revision}.0")),
            ..Default::default()
        };
        let event = server
            .audit()
            .get_event(event)
            .await
            .expect("an event")
            .into_inner();
        assert_eq!(
            event.commit.expect("a commit").leaf_hash,
            proof.leaf_hash,
            "the same commit"
        );
    }
}

#[tokio::test]
async fn a_later_log_is_proven_to_go_on_from_an_earlier_one() {
    let (server, _dir) = signing().await;
    let head = server.head().await;
    for (first, second) in [(1, 1), (1, head), (255, 256), (256, 300), (300, 0), (head, 0)] {
        let request = api::GetConsistencyProofRequest {
            parent: "workspaces/acme".to_owned(),
            first,
            second,
        };
        let proof = server
            .audit()
            .get_consistency_proof(request)
            .await
            .expect("a proof")
            .into_inner();
        let (earlier, _) = checkpoint(&server, first).await;
        assert_eq!(proof.first_root, earlier.root.0, "{first}");
        let later = proof.checkpoint.expect("a checkpoint");
        let later = PublicKey::parse(&later.verifier_key)
            .expect("a key")
            .open(&later.note)
            .expect("signed");
        let (first, second) = (first as u64, (later.revision.0, later.root));
        let hashes = hashes(&proof.hashes);
        assert!(
            is_beginning((first, earlier.root), second, &hashes),
            "{first} to {second:?}"
        );
        assert!(!is_beginning((first, Root([3; 32])), second, &hashes));
    }
}

#[tokio::test]
async fn an_export_goes_on_behind_any_revision_and_ends_at_any() {
    let (server, _dir) = signing().await;
    let (_, all) = export(&server, 0, 0).await;
    for (after, last) in [(0, 1), (5, 5), (5, 6), (300, 600), (600, 0)] {
        let (said, records) = export(&server, after, last).await;
        let end = if last == 0 { all.len() } else { last as usize };
        assert_eq!(records, all[after as usize..end], "{after} to {last}");
        assert_eq!(said.revision.0 as usize, end);
    }
}

#[tokio::test]
async fn what_is_not_there_is_refused_by_name() {
    let (server, _dir) = signing().await;
    let head = server.head().await;
    let parent = || "workspaces/acme".to_owned();
    let mut audit = server.audit();
    macro_rules! refused {
        ($call:ident, $request:expr, $code:ident, $reason:literal, $about:expr) => {{
            let call = async { audit.$call($request).await.map(|_| tonic::Response::new(())) };
            assert_eq!(
                server.refusal(call).await,
                Refused::new(Code::$code, $reason, &$about),
                "{:?}",
                $request
            );
        }};
    }
    let of = |revision, min_revision| api::GetCheckpointRequest {
        parent: parent(),
        revision,
        min_revision,
    };
    refused!(
        get_checkpoint,
        of(-1, 0),
        InvalidArgument,
        "INVALID_FIELD",
        ["revision"]
    );
    refused!(
        get_checkpoint,
        of(1, 1),
        InvalidArgument,
        "INVALID_FIELD",
        ["min_revision"]
    );
    refused!(
        get_checkpoint,
        of(head + 1, 0),
        OutOfRange,
        "REVISION_IN_FUTURE",
        []
    );
    let of = |revision, size| api::GetInclusionProofRequest {
        parent: parent(),
        revision,
        size,
    };
    refused!(
        get_inclusion_proof,
        of(0, 0),
        InvalidArgument,
        "INVALID_FIELD",
        ["revision"]
    );
    refused!(
        get_inclusion_proof,
        of(5, 4),
        InvalidArgument,
        "INVALID_FIELD",
        ["size"]
    );
    refused!(
        get_inclusion_proof,
        of(5, head + 1),
        OutOfRange,
        "REVISION_IN_FUTURE",
        []
    );
    refused!(
        get_inclusion_proof,
        of(i64::MAX, 0),
        OutOfRange,
        "REVISION_IN_FUTURE",
        []
    );
    let of = |first, second| api::GetConsistencyProofRequest {
        parent: parent(),
        first,
        second,
    };
    refused!(
        get_consistency_proof,
        of(0, 4),
        InvalidArgument,
        "INVALID_FIELD",
        ["first"]
    );
    refused!(
        get_consistency_proof,
        of(5, 4),
        InvalidArgument,
        "INVALID_FIELD",
        ["second"]
    );
    refused!(
        get_consistency_proof,
        of(5, head + 1),
        OutOfRange,
        "REVISION_IN_FUTURE",
        []
    );
    let of = |after_revision, last_revision| api::ExportEventsRequest {
        parent: parent(),
        after_revision,
        last_revision,
    };
    refused!(
        export_events,
        of(5, 4),
        InvalidArgument,
        "INVALID_FIELD",
        ["last_revision"]
    );
    refused!(
        export_events,
        of(head + 1, 0),
        OutOfRange,
        "REVISION_IN_FUTURE",
        []
    );
}

#[tokio::test]
async fn a_server_without_a_key_says_so() {
    let server = Server::start().await;
    with_workspace(&server).await;
    let request = api::GetCheckpointRequest {
        parent: "workspaces/acme".to_owned(),
        ..Default::default()
    };
    let refused = server.refusal(server.audit().get_checkpoint(request)).await;
    assert_eq!(
        refused,
        Refused::new(Code::FailedPrecondition, "SIGNS_NOTHING", &[])
    );
}

#[tokio::test]
async fn what_is_published_is_under_a_checkpoint_when_the_engine_closes_in_good_order() {
    let (mut server, dir) = signing().await;
    let head = server.head().await as u64;
    server.tell_to_stop();
    server.ended().await.expect("it stops in good order");
    let key = SigningKey::load_or_create(&dir.path().join("key")).expect("a key");
    let found = binnacle::log::Checkpoints::read(&dir.path().join("checkpoints"), &key.public());
    let found = found.expect("checkpoints");
    let newest: Vec<_> = found
        .values()
        .filter_map(|all| all.last())
        .map(|said| said.revision.0)
        .collect();
    assert_eq!(newest, [head]);
}
