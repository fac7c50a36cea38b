//! What is open ends with the right to it: of a member who is taken out, of a key that is revoked or expires.

use std::time::Duration;

use binnacle::identity::{KeyFile, NewKey};
use binnacle::proto::api;
use binnacle::proto::api::progress_service_client::ProgressServiceClient;
use binnacle::proto::api::subscribe_request::Start;
use tonic::{Code, Status, Streaming};

use super::{Guarded, Known, is_expired, kpi_client, workspace_client};
use crate::common::*;

async fn subscribe(channel: &Known) -> Streaming<api::SubscribeResponse> {
    try_subscribe(channel).await.expect("a subscription")
}

/// A stream that has begun.
async fn try_subscribe(channel: &Known) -> Result<Streaming<api::SubscribeResponse>, Status> {
    let request = api::SubscribeRequest {
        parent: "workspaces/acme".to_owned(),
        start: Some(Start::Live(())),
        ..Default::default()
    };
    let mut updates = ProgressServiceClient::new(channel.clone())
        .subscribe(request)
        .await?
        .into_inner();
    updates.message().await?.expect("a message");
    Ok(updates)
}

/// How a stream ends.
async fn end(updates: &mut Streaming<api::SubscribeResponse>) -> tonic::Status {
    let ended = async {
        loop {
            match updates.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ended as if all were well"),
                Err(status) => return status,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ended)
        .await
        .expect("the stream ends")
}

#[tokio::test]
async fn a_subscriber_who_is_taken_out_is_ended_at_once_and_does_not_see_the_commit_that_did_it() {
    let guarded = Guarded::new().await;
    let viewer = guarded.channel_of("viewer").await;
    let owner = guarded.channel_of("owner").await;
    let mut theirs = subscribe(&viewer).await;
    let mut ours = subscribe(&owner).await;
    let delete = api::DeleteMemberRequest {
        name: acme("members/viewer"),
        ..Default::default()
    };
    workspace_client(&owner)
        .delete_member(delete)
        .await
        .expect("deleted");
    let ended = async {
        loop {
            match theirs.message().await {
                Ok(Some(message)) => {
                    let update = matches!(message.event, Some(api::subscribe_response::Event::Update(_)));
                    assert!(!update, "{message:?}");
                }
                Ok(None) => panic!("it ended as if all were well"),
                Err(status) => return status,
            }
        }
    };
    let status = tokio::time::timeout(Duration::from_secs(60), ended)
        .await
        .expect("the stream ends");
    assert_eq!(status.code(), Code::NotFound, "{status}");
    // Who may go on does.
    loop {
        let message = ours.message().await.expect("a message").expect("a message");
        if matches!(message.event, Some(api::subscribe_response::Event::Update(_))) {
            break;
        }
    }
}

#[tokio::test]
async fn a_stream_ends_with_the_key_that_it_was_opened_with() {
    let guarded = Guarded::new().await;
    let (token, id) = guarded.key_of("viewer");
    let channel = guarded.with_token(&token).await;
    let mut updates = subscribe(&channel).await;
    KeyFile::revoke_key(&guarded.keys(), &id).expect("revoked");
    let status = end(&mut updates).await;
    assert_eq!(status.code(), Code::Unauthenticated, "{status}");
    assert_eq!(reason_of(&status), "CREDENTIALS_EXPIRED");
    let request = api::ListWorkspacesRequest::default();
    let again = workspace_client(&channel).list_workspaces(request).await;
    assert_eq!(again.expect_err("revoked").code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_stream_ends_when_its_key_expires() {
    let guarded = Guarded::new().await;
    // The server has to see a key and open a stream for it before it expires: a slow one is given more time.
    for key_s in [5, 10, 20, 40] {
        match subscribed_for(&guarded, key_s).await {
            Ok(mut updates) => {
                let status = end(&mut updates).await;
                assert_eq!(reason_of(&status), "CREDENTIALS_EXPIRED", "{status}");
                return;
            }
            Err(status) => assert!(is_expired(&status), "{status}"),
        }
    }
    panic!("every key has expired before a stream was open");
}

/// A stream that is opened with a key of so many seconds.
async fn subscribed_for(guarded: &Guarded, key_s: i64) -> Result<Streaming<api::SubscribeResponse>, Status> {
    let new = NewKey {
        expire_time: Some(jiff::Timestamp::now() + jiff::SignedDuration::from_secs(key_s)),
        ..NewKey::of("viewer")
    };
    let (_, token) = KeyFile::create_key(&guarded.keys(), &new).expect("a key");
    try_subscribe(&guarded.try_token(&token).await?).await
}

async fn take_out(owner: &Known, member: &str) {
    let delete = api::DeleteMemberRequest {
        name: acme(&format!("members/{member}")),
        ..Default::default()
    };
    workspace_client(owner)
        .delete_member(delete)
        .await
        .expect("deleted");
}

#[tokio::test]
async fn a_subscriber_who_waits_for_an_interval_is_ended_at_once_too() {
    let guarded = Guarded::new().await;
    let (viewer, owner) = (
        guarded.channel_of("viewer").await,
        guarded.channel_of("owner").await,
    );
    let request = api::SubscribeRequest {
        parent: "workspaces/acme".to_owned(),
        start: Some(Start::Live(())),
        // Longer than this test waits.
        min_interval: Some(prost_types::Duration {
            seconds: 300,
            nanos: 0,
        }),
        ..Default::default()
    };
    let subscribed = ProgressServiceClient::new(viewer).subscribe(request).await;
    let mut updates = subscribed.expect("a subscription").into_inner();
    updates.message().await.expect("started").expect("a message");
    take_out(&owner, "viewer").await;
    let status = end(&mut updates).await;
    assert_eq!(status.code(), Code::NotFound, "{status}");
}

#[tokio::test]
async fn a_stream_of_rows_ends_with_the_right_to_it_and_records_none_of_what_comes_later() {
    let guarded = Guarded::new().await;
    let (ingest, owner) = (
        guarded.channel_of("ingest").await,
        guarded.channel_of("owner").await,
    );
    let rows = |sequence: i64| api::IngestMeasurementsRequest {
        parent: acme("kpis/nps"),
        rows: vec![api::MeasurementRow {
            sequence,
            measurement: measure("nps", sequence, 1.0).measurement,
        }],
        ..Default::default()
    };
    let (send, sent) = tokio::sync::mpsc::channel(4);
    let stream = tokio_stream::wrappers::ReceiverStream::new(sent);
    let opened = kpi_client(&ingest).ingest_measurements(stream).await;
    let mut answers = opened.expect("a stream").into_inner();
    send.send(rows(1)).await.expect("it is open");
    let answer = answers.message().await.expect("an answer").expect("an answer");
    assert_eq!(answer.durable_through, 1);
    take_out(&owner, "ingest").await;
    let head = guarded.head().await;
    // It may have ended before this comes.
    let _ended = send.send(rows(2)).await;
    let status = loop {
        match answers.message().await {
            Ok(Some(answer)) => assert_eq!(answer.durable_through, 1),
            Ok(None) => panic!("it ended as if all were well"),
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::NotFound, "{status}");
    assert_eq!(guarded.head().await, head, "a row was recorded");
}

#[tokio::test]
async fn an_export_that_is_not_read_to_its_end_goes_no_further_than_the_right_to_it() {
    let guarded = Guarded::new().await;
    let owner = guarded.channel_of("owner").await;
    // More than fits between a server and a client that does not read.
    for batch in 0..8 {
        let measurements = (0..1000).map(|at| {
            let mut request = measure("nps", -(batch * 1000 + at), 1.0);
            let measurement = request.measurement.as_mut().expect("one");
            measurement.note = "n".repeat(1000);
            measurement.clone()
        });
        let batch = api::BatchRecordMeasurementsRequest {
            parent: acme("kpis/nps"),
            measurements: measurements.collect(),
            ..Default::default()
        };
        let recorded = kpi_client(&owner).batch_record_measurements(batch).await;
        recorded.expect("measurements");
    }
    let auditor = guarded.channel_of("auditor").await;
    let head = guarded.head().await;
    let request = api::ExportEventsRequest {
        parent: "workspaces/acme".to_owned(),
        ..Default::default()
    };
    let opened = api::audit_service_client::AuditServiceClient::new(auditor)
        .max_decoding_message_size(CLIENT_BYTES_MAX)
        .export_events(request)
        .await;
    let mut records = opened.expect("a stream").into_inner();
    records.message().await.expect("a checkpoint").expect("a message");
    take_out(&owner, "auditor").await;
    let mut count = 0;
    let status = loop {
        match records.message().await {
            Ok(Some(_)) => count += 1,
            Ok(None) => panic!("it was told all of it"),
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::NotFound, "{status}");
    assert!(count < head, "{count} of {head}");
}
