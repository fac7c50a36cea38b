//! How many subscriptions there may be, and that there is room again when one is over.

use std::time::Duration;

use binnacle::engine::EngineConfig;
use binnacle::log::MemoryLog;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::service::{ServerConfig, SubscriptionLimits};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::common::*;
use crate::reader::*;

async fn with_at_most(subscriptions_max: usize) -> Server {
    let config = ServerConfig {
        subscriptions: SubscriptionLimits {
            subscriptions_max,
            ..SubscriptionLimits::default()
        },
        ..ServerConfig::default()
    };
    let server = Server::with(MemoryLog::new(), EngineConfig::default(), config).await;
    with_kpi(&server).await;
    server
}

async fn live(server: &Server) -> Result<Reader, Status> {
    Reader::try_of(server, Start::Live(())).await
}

/// Room comes when the server has noticed that a reader is gone.
async fn soon(server: &Server) -> Reader {
    for _ in 0..200 {
        match live(server).await {
            Ok(reader) => return reader,
            Err(status) => assert_eq!(status.code(), Code::ResourceExhausted, "{status}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("there is no room again")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_subscription_too_many_is_told_when_to_come_back_and_has_room_when_another_ends() {
    let server = with_at_most(3).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut reader = live(&server).await.expect("room");
        reader.wait_for(caught_up).await;
        open.push(reader);
    }
    let status = live(&server).await.err().expect("no room");
    let expected = Refused::new(Code::ResourceExhausted, "TOO_MANY_SUBSCRIPTIONS", &[]);
    assert_eq!(Refused::of(&status), expected);
    let retry = status.get_details_retry_info().and_then(|info| info.retry_delay);
    assert!(retry.is_some_and(|delay| delay > Duration::ZERO), "{retry:?}");
    open.pop();
    let mut next = soon(&server).await;
    assert_eq!(next.wait_for(caught_up).await.1, 2);
    assert!(live(&server).await.is_err(), "and for one alone");
    // Who was refused something else takes nobody's place.
    open.pop();
    drop(soon(&server).await);
    for _ in 0..5 {
        let garbage = Reader::try_of(&server, Start::After("garbage".to_owned())).await;
        let code = garbage.err().expect("a refusal").code();
        assert!(
            matches!(code, Code::InvalidArgument | Code::ResourceExhausted),
            "{code}"
        );
    }
    soon(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_come_at_once_just_as_many_get_in() {
    let server = with_at_most(3).await;
    let comers = (0..24).map(|_| {
        let mut client = server.progress();
        tokio::spawn(async move { client.subscribe(asking(Start::Live(()), &everything())).await })
    });
    let mut open = Vec::new();
    let mut refused = 0;
    for comer in comers.collect::<Vec<_>>() {
        match comer.await.expect("a comer") {
            Ok(stream) => open.push(stream),
            Err(status) => {
                assert_eq!(status.code(), Code::ResourceExhausted);
                refused += 1;
            }
        }
    }
    assert_eq!((open.len(), refused), (3, 21));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_just_vanishes_makes_room() {
    let server = with_at_most(1).await;
    let address = server.address;
    let (tell, told) = tokio::sync::oneshot::channel();
    let (let_go, may_go) = tokio::sync::oneshot::channel::<()>();
    // A client of its own, with its own connection, which is gone from one moment to the next.
    let client = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        runtime.block_on(async move {
            use binnacle::proto::api::progress_service_client::ProgressServiceClient;
            let mut client = ProgressServiceClient::connect(format!("http://{address}"))
                .await
                .expect("a server");
            let request = asking(Start::Live(()), &everything());
            let mut stream = client.subscribe(request).await.expect("room").into_inner();
            stream.message().await.expect("no error").expect("started");
            tell.send(()).expect("somebody who waits");
            // It reads nothing more until the runtime is torn down under it.
            let _told = may_go.await;
            std::mem::forget(stream);
        });
        runtime.shutdown_background();
    });
    told.await.expect("it is in");
    assert!(live(&server).await.is_err(), "there is one");
    let_go.send(()).expect("a client that waits");
    soon(&server).await;
    client.join().expect("a client");
}
