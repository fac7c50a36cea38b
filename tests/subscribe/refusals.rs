//! What is refused before the first message.

use binnacle::proto::api;
use binnacle::proto::api::subscribe_request::Start;
use tonic::Code;

use crate::common::*;
use crate::reader::*;

#[tokio::test]
async fn a_token_is_refused_where_it_does_not_belong() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let mut reader = Reader::of(&server, Start::Live(())).await;
    let (token, _) = reader.wait_for(caught_up).await;
    let refused = async |token: String| match Reader::try_of(&server, Start::After(token)).await {
        Ok(_) => panic!("it was taken"),
        Err(status) => Refused::of(&status),
    };
    for garbage in ["", "garbage", &token[1..], &"A".repeat(87)] {
        let expected = Refused::new(Code::InvalidArgument, "INVALID_FIELD", &["after"]);
        assert_eq!(refused(garbage.to_owned()).await, expected, "{garbage:?}");
    }
    let log = Refused::new(Code::FailedPrecondition, "LOG_MISMATCH", &["after"]);
    let filter = Refused::new(Code::FailedPrecondition, "FILTER_MISMATCH", &["after"]);
    let future = Refused::new(Code::OutOfRange, "POSITION_IN_FUTURE", &[]);
    // By the format that the token's own file describes: version, log, revision, root, filter.
    for (at, expected) in [
        (1, &log),
        (16, &log),
        (24, &future),
        (17, &future),
        (25, &log),
        (56, &log),
        (57, &filter),
    ] {
        assert_eq!(refused(changed(&token, at)).await, *expected, "byte {at}");
    }
    server
        .workspaces()
        .create_workspace(new_workspace("other"))
        .await
        .unwrap();
    let request = api::SubscribeRequest {
        parent: "workspaces/other".to_owned(),
        start: Some(Start::After(token)),
        ..Default::default()
    };
    let status = server
        .progress()
        .subscribe(request)
        .await
        .map(|_| ())
        .expect_err("another workspace's");
    assert_eq!(Refused::of(&status), log);
}

/// The token with one byte changed.
fn changed(token: &str, at: usize) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut bytes = URL_SAFE_NO_PAD.decode(token).expect("base64url");
    bytes[at] ^= 0x40;
    URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test]
async fn a_request_that_makes_no_sense_is_refused_before_the_first_message() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let refused = async |request: api::SubscribeRequest| {
        let status = server
            .progress()
            .subscribe(request)
            .await
            .map(|_| ())
            .expect_err("a refusal");
        Refused::of(&status)
    };
    for (seconds, nanos) in [
        (0, 0),
        (-1, 0),
        (3601, 0),
        (0, 999_999_999),
        (i64::MAX, 0),
        (1, -5),
    ] {
        let request = api::SubscribeRequest {
            parent: "workspaces/acme".to_owned(),
            start: None,
            checkpoint_interval: Some(prost_types::Duration { seconds, nanos }),
            ..Default::default()
        };
        let expected = Refused::new(Code::InvalidArgument, "INVALID_FIELD", &["checkpoint_interval"]);
        assert_eq!(refused(request).await, expected, "{seconds} s {nanos} ns");
    }
    let nowhere = api::SubscribeRequest {
        parent: "workspaces/nowhere".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        refused(nowhere).await,
        Refused::new(Code::NotFound, "NOT_FOUND", &[])
    );
}
