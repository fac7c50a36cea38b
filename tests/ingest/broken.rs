//! Connections that break anywhere and servers that are killed: the client goes on behind what it was told, and every row
//! is there once.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use binnacle::proto::api;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use tonic::transport::{Channel, Endpoint};

use crate::client::{attempt, deliver};
use crate::common::*;
use crate::process::ServerProcess;
use crate::rows::*;

/// A way to a server on which every connection is cut behind so many bytes, in turn of rows, of answers, and of answers
/// again so late that some arrived behind the headers, which take some 400 bytes: the first two may never bring one. How many
/// connections there were is counted.
fn way_that_breaks(server: String) -> (Endpoint, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let way = Endpoint::new(format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    std::thread::spawn(move || {
        let mut random = 7_u64;
        for client in listener.incoming().map_while(Result::ok) {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let somewhere = usize::try_from(random >> 33).unwrap();
            let number = counted.fetch_add(1, Ordering::SeqCst);
            let (rows, answers) = match number % 3 {
                0 => (200 + somewhere % 60_000, usize::MAX),
                1 => (usize::MAX, 150 + somewhere % 250),
                // Later each time: how much else than answers a server says first is a matter of its speed.
                _ => (usize::MAX, 600 + somewhere % 150 + 100 * number),
            };
            let server = TcpStream::connect(&server).unwrap();
            let (from, to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || carry(from, to, answers));
            std::thread::spawn(move || carry(client, server, rows));
        }
    });
    (way, connections)
}

/// Carries so many bytes; then both ends are gone.
fn carry(mut from: TcpStream, mut to: TcpStream, mut left: usize) {
    let mut buffer = [0; 4096];
    while left > 0 {
        let room = buffer.len().min(left);
        match from.read(&mut buffer[..room]) {
            Ok(count @ 1..) if to.write_all(&buffer[..count]).is_ok() => left -= count,
            Ok(_) | Err(_) => break,
        }
    }
    for end in [from, to] {
        let _gone_already = end.shutdown(Shutdown::Both);
    }
}

fn measurements(count: i64) -> Arc<[api::Measurement]> {
    (1..=count)
        .map(|sequence| own_row(sequence).measurement.unwrap())
        .collect()
}

fn expected(count: i64) -> Vec<(i64, f64)> {
    (1..=count)
        .map(|sequence| (sequence - 1_000_000, sequence as f64))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn over_connections_that_break_anywhere_every_row_arrives_once() {
    const COUNT: i64 = 40_000;
    let server = Server::start().await;
    with_kpi(&server).await;
    let (way, connections) = way_that_breaks(server.address.to_string());
    let no_refusal = |refusal| panic!("{refusal:?}");
    deliver(&way, &acme("kpis/nps"), &measurements(COUNT), no_refusal)
        .await
        .expect("delivered");
    let connections = connections.load(Ordering::SeqCst);
    assert!(connections > 3, "{connections} connections: that shows nothing");
    assert_eq!(series(server.kpis()).await, expected(COUNT));
    assert_eq!(
        recordings(&server.channel).await.len(),
        expected(COUNT).len(),
        "a row was recorded twice"
    );
}

#[tokio::test]
async fn a_client_gives_up_where_coming_back_does_not_help() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let there = Endpoint::new(format!("http://{}", server.address)).unwrap();
    let refused = deliver(&there, &acme("kpis/none"), &measurements(3), |_| {}).await;
    assert_eq!(refused.expect_err("no such KPI").code(), tonic::Code::NotFound);
    let mut refusals = Vec::new();
    let mut all = measurements(3).to_vec();
    all[1].value = None;
    deliver(&there, &acme("kpis/nps"), &all.into(), |refusal| {
        refusals.push(refusal.sequence)
    })
    .await
    .expect("a row that is refused does not end the stream");
    assert_eq!(refusals, [2]);
    assert_eq!(series(server.kpis()).await.len(), 2);
}

async fn started(data_dir: &Path) -> (ServerProcess, Channel) {
    let server = ServerProcess::start(data_dir);
    let channel = Endpoint::new(server.url()).unwrap().connect().await.unwrap();
    for _ in 0..3000 {
        let asked = WorkspaceServiceClient::new(channel.clone())
            .list_workspaces(api::ListWorkspacesRequest::default())
            .await;
        if asked.is_ok() {
            return (server, channel);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it does not serve");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_and_nothing_doubled_by_a_server_that_is_killed() {
    const COUNT: i64 = 20_000;
    let all = measurements(COUNT);
    let dir = tempfile::tempdir().unwrap();
    let mut durable_through = 0;
    let mut killed_on_the_way = 0;
    // After how many answers of a round the kill comes; the last round is left alone.
    for kill_at in [Some(1), Some(3), Some(2), None] {
        let (server, channel) = started(dir.path()).await;
        if durable_through == 0 {
            let acme = new_workspace("acme");
            WorkspaceServiceClient::new(channel.clone())
                .create_workspace(acme)
                .await
                .unwrap();
            KpiServiceClient::new(channel.clone())
                .create_kpi(new_kpi("nps"))
                .await
                .unwrap();
        }
        let there = series(KpiServiceClient::new(channel.clone())).await;
        let acknowledged = usize::try_from(durable_through).unwrap();
        assert_eq!(
            there.get(..acknowledged),
            Some(&expected(durable_through)[..]),
            "lost"
        );

        let (endpoint, mut answers) = (Endpoint::new(server.url()).unwrap(), 0);
        let mut running = Some(server);
        let told = |answer: api::IngestMeasurementsResponse| {
            durable_through = answer.durable_through;
            answers += 1;
            if Some(answers) == kill_at {
                // kill -9.
                running = None;
            }
        };
        let delivered = attempt(
            &endpoint,
            &acme("kpis/nps"),
            &all,
            i64::try_from(acknowledged).unwrap(),
            told,
        )
        .await;
        // A quick disk may be through before the kill.
        let through = durable_through == COUNT;
        assert!(delivered.is_err() || through, "{delivered:?}");
        killed_on_the_way += usize::from(delivered.is_err() && !through);
        if kill_at.is_none() {
            assert_eq!(durable_through, COUNT);
            assert_eq!(
                series(KpiServiceClient::new(channel.clone())).await,
                expected(COUNT)
            );
            assert_eq!(recordings(&channel).await.len(), expected(COUNT).len(), "doubled");
        }
    }
    assert!(killed_on_the_way >= 1, "every kill came too late");
}
