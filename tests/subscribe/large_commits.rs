//! A commit that is larger than a message.

use binnacle::proto::api;
use binnacle::proto::api::subscribe_request::Start;
use prost::Message;

use crate::common::*;
use crate::reader::*;

fn large_batch(second: i64) -> api::BatchRecordMeasurementsRequest {
    api::BatchRecordMeasurementsRequest {
        parent: acme("kpis/-"),
        measurements: (0..1000)
            .map(|number| api::Measurement {
                kpi: acme(["kpis/nps", "kpis/churn"][number % 2]),
                note: "n".repeat(3000),
                ..measure("nps", second - number as i64, number as f64)
                    .measurement
                    .expect("a measurement")
            })
            .collect(),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_commit_comes_in_several_messages_and_only_the_last_can_be_resumed_from() {
    let server = Server::start().await;
    with_kpi(&server).await;
    server.kpis().create_kpi(new_kpi("churn")).await.unwrap();
    let mut live = Reader::of(&server, Start::Live(())).await;
    live.wait_for(caught_up).await;
    server
        .kpis()
        .batch_record_measurements(large_batch(0))
        .await
        .unwrap();
    let parts = live.updates_to(4).await;
    assert!(parts.len() > 2, "3 MB of notes");
    let (last, first) = parts.split_last().unwrap();
    assert!(first.iter().all(|(token, _)| token.is_empty()) && !last.0.is_empty());
    for (_, part) in &parts {
        assert_eq!(revision_of(part), 4);
        assert!(
            part.encoded_len() <= 1024 * 1024 + 64 * 1024,
            "{} bytes",
            part.encoded_len()
        );
    }
    let events: Vec<_> = parts.iter().flat_map(|(_, part)| &part.events).collect();
    let names: Vec<_> = (0..1000)
        .map(|index| acme(&format!("events/4.{index}")))
        .collect();
    assert_eq!(
        events.iter().map(|event| event.name.clone()).collect::<Vec<_>>(),
        names
    );
    let changes: usize = parts.iter().map(|(_, part)| part.derived_changes.len()).sum();
    assert_eq!(changes, 2, "each KPI once");
    let mut again = Reader::of(&server, Start::FromBeginning(())).await;
    assert_eq!(again.updates_to(4).await[3..], parts);
}
