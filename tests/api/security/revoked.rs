//! What is open ends with the right to it: of a member who is taken out, of a key that is revoked or expires.

use std::time::Duration;

use binnacle::identity::{KeyFile, NewKey};
use binnacle::proto::api;
use binnacle::proto::api::progress_service_client::ProgressServiceClient;
use binnacle::proto::api::subscribe_request::Start;
use tonic::{Code, Streaming};

use super::{Guarded, Known, workspace_client};
use crate::common::*;

async fn subscribe(channel: &Known) -> Streaming<api::SubscribeResponse> {
    let request = api::SubscribeRequest {
        parent: "workspaces/acme".to_owned(),
        start: Some(Start::Live(())),
        ..Default::default()
    };
    let mut updates = ProgressServiceClient::new(channel.clone())
        .subscribe(request)
        .await
        .expect("a subscription")
        .into_inner();
    updates.message().await.expect("started").expect("a message");
    updates
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
    let new = NewKey {
        expire_time: Some(jiff::Timestamp::now() + jiff::SignedDuration::from_secs(5)),
        ..NewKey::of("viewer")
    };
    let (_, token) = KeyFile::create_key(&guarded.keys(), &new).expect("a key");
    let channel = guarded.with_token(&token).await;
    let mut updates = subscribe(&channel).await;
    let status = end(&mut updates).await;
    assert_eq!(reason_of(&status), "CREDENTIALS_EXPIRED", "{status}");
}
