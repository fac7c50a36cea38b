//! Check-ins in batches: all or none, each bad one by its index.

use binnacle::proto::api;
use binnacle::proto::api::objective_service_client::ObjectiveServiceClient;
use tonic::Code::{AlreadyExists, NotFound};

use crate::common::*;
use crate::steps::*;

fn batch(requests: Vec<api::CreateCheckInRequest>) -> api::BatchCreateCheckInsRequest {
    api::BatchCreateCheckInsRequest {
        parent: "workspaces/acme".to_owned(),
        requests,
        ..Default::default()
    }
}

async fn progress(server: &Server, path: &str) -> api::KeyResultProgress {
    key_result_of(server, path)
        .await
        .progress
        .expect("it is ACTIVE or CLOSED")
}

#[tokio::test]
async fn a_batch_is_one_commit_and_its_retry_names_the_ids_that_the_server_chose() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut objectives = server.objectives();
    objectives
        .create_key_result(key_result("win/steps", milestones(&["plan", "build"])))
        .await
        .expect("a key result");
    let revision = server.head().await;
    let week = batch(vec![
        value("win/deals", "", 2.0),
        value("win/deals", "", 3.0),
        check_in("win/nps", "said", |it| it.comment = "It goes.".to_owned()),
        check_in("win/steps", "", |it| {
            it.reached_milestones = Some(api::ReachedMilestones {
                milestones: vec!["plan".to_owned(); 2],
            });
        }),
    ]);
    let written = retried!(server, objectives.batch_create_check_ins(week)).check_ins;
    let values: Vec<Option<f64>> = written.iter().map(|check_in| check_in.value).collect();
    assert_eq!(
        values,
        [Some(2.0), Some(3.0), None, None],
        "in the order of the requests"
    );
    assert_ne!(written[0].name, written[1].name);
    assert!(written.iter().all(|check_in| check_in.revision == revision + 1));
    assert_eq!(
        progress(&server, "win/deals").await.current,
        Some(3.0),
        "of the same moment, the later one is newer"
    );
    assert_eq!(progress(&server, "win/steps").await.score, 0.5);
    let told = told_after(&server, revision).await;
    assert_eq!(
        told.iter().filter(|(kind, ..)| kind == "CheckInRecorded").count(),
        4
    );
    let messages = messages_after(&server, revision).await;
    assert_eq!(messages[0].1.events.len(), 4, "one commit");
}

#[tokio::test]
async fn a_bad_batch_of_check_ins_names_each_bad_one_and_records_none() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut objectives = server.objectives();
    objectives
        .create_objective(new_objective("draft"))
        .await
        .expect("a draft");
    objectives
        .create_key_result(new_key_result("draft", "x"))
        .await
        .expect("a key result");
    objectives
        .create_check_in(value("win/deals", "taken", 1.0))
        .await
        .expect("a check-in");
    let mixed = batch(vec![
        value("win/deals", "good", 1.0),
        value("win/x", "a", 1.0),
        value("draft/x", "b", 1.0),
        value("win/nps", "c", 1.0),
        value("win/deals", "taken", 1.0),
        value("win/deals", "good", 2.0),
        check_in("win/deals", "d", |it| it.effective_time = time(301)),
        check_in("win/deals", "e", |_| {}),
        check_in("win/deals", "f", |it| {
            it.reached_milestones = Some(api::ReachedMilestones::default())
        }),
    ]);
    let names: Vec<String> = (1..9).map(|index| format!("requests[{index}]")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(
        server.refusal(objectives.batch_create_check_ins(mixed)).await,
        refused(NotFound, "NOT_FOUND", &names)
    );
    let malformed = batch(vec![
        value("win/deals", "a", f64::NAN),
        value("win/deals", "A", f64::INFINITY),
        check_in("win/deals", "c", |it| it.confidence = Some(1.1)),
        check_in("win/deals", "d", |it| {
            it.status_override = api::Status::Achieved.into()
        }),
        check_in("win/deals", "e", |it| it.comment = "x".repeat(10_001)),
        check_in("win/deals", "f", |it| {
            (it.effective_time, it.effective_date) = (time(0), date(2026, 1, 1))
        }),
        api::CreateCheckInRequest {
            check_in: None,
            ..value("win/deals", "g", 1.0)
        },
        api::CreateCheckInRequest {
            parent: "workspaces/other/objectives/o/keyResults/k".to_owned(),
            ..value("win/deals", "h", 1.0)
        },
        api::CreateCheckInRequest {
            request_id: new_request_id(),
            reason: "mine".to_owned(),
            ..value("win/deals", "i", 1.0)
        },
    ]);
    assert_eq!(
        server.refusal(objectives.batch_create_check_ins(malformed)).await,
        invalid(&[
            "requests[0].check_in.value",
            "requests[1].check_in_id",
            "requests[1].check_in.value",
            "requests[2].check_in.confidence",
            "requests[3].check_in.status_override",
            "requests[4].check_in.comment",
            "requests[5].check_in.effective_date",
            "requests[6].check_in",
            "requests[7].parent",
            "requests[8].request_id",
            "requests[8].reason",
        ])
    );
    for count in [0, 1001] {
        let many = batch(vec![value("win/deals", "", 1.0); count]);
        assert_eq!(
            server.refusal(objectives.batch_create_check_ins(many)).await,
            invalid(&["requests"]),
            "{count}"
        );
    }
    let one = batch(vec![value("win/deals", "taken", 1.0)]);
    assert_eq!(
        server.refusal(objectives.batch_create_check_ins(one)).await,
        refused(AlreadyExists, "ALREADY_EXISTS", &["requests[0]"]),
        "a batch of one is a batch"
    );
    let thousand = |bytes: usize| {
        let one = check_in("win/deals", "", |it| it.comment = "x".repeat(bytes));
        batch(vec![one; 1000])
    };
    assert_eq!(
        server
            .refusal(objectives.batch_create_check_ins(thousand(3200)))
            .await,
        invalid(&["requests"]),
        "over 3 MiB"
    );
    // A client that takes what every client takes.
    let mut ordinary = ObjectiveServiceClient::new(server.channel.clone());
    let thousand = ordinary
        .batch_create_check_ins(thousand(3000))
        .await
        .expect("a thousand");
    assert_eq!(thousand.into_inner().check_ins.len(), 1000);
}
