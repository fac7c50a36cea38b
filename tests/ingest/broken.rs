//! Connections that break anywhere and servers that are killed: the client goes on behind what it was told, and every row
//! is there once.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use binnacle::proto::api;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::common::*;
use crate::process::ServerProcess;
use crate::rows::*;

/// A way to a server that is cut behind so many bytes from the client.
fn way_cut_behind(bytes: usize, server: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let way = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let server = TcpStream::connect(server).unwrap();
        let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let answers = std::thread::spawn(move || carry(back.0, back.1, usize::MAX));
        carry(client.try_clone().unwrap(), server.try_clone().unwrap(), bytes);
        for end in [&client, &server] {
            let _gone_already = end.shutdown(Shutdown::Both);
        }
        answers.join().unwrap();
    });
    way
}

fn carry(mut from: TcpStream, mut to: TcpStream, mut left: usize) {
    let mut buffer = [0; 4096];
    while left > 0 {
        let room = buffer.len().min(left);
        match from.read(&mut buffer[..room]) {
            Ok(count @ 1..) if to.write_all(&buffer[..count]).is_ok() => left -= count,
            Ok(_) | Err(_) => return,
        }
    }
}

async fn connected(address: &str) -> Result<Channel, Status> {
    let endpoint = Endpoint::new(format!("http://{address}")).unwrap();
    endpoint.connect().await.map_err(|error| Status::unavailable(error.to_string()))
}

/// One try: sends the rows behind `durable_through` in messages of `size`, until the end or until something breaks.
/// `told` hears every answer.
async fn deliver(
    address: &str,
    count: i64,
    size: usize,
    durable_through: i64,
    mut told: impl FnMut(i64),
) -> Result<(), Status> {
    let client = KpiServiceClient::new(connected(address).await?);
    let mut rows = Rows::try_open(client).await?;
    let mut messages = (durable_through + 1..=count).collect::<Vec<_>>().into_iter();
    loop {
        let part: Vec<_> = messages.by_ref().take(size).map(own_row).collect();
        if part.is_empty() {
            rows.close();
        } else {
            tokio::time::timeout(PATIENCE, rows.send(first(part))).await.expect("in time");
        }
        while let Ok(answer) = tokio::time::timeout(Duration::ZERO, rows.answers.message()).await {
            match answer? {
                Some(answer) => told(answer.durable_through),
                None => return Ok(()),
            }
        }
        if messages.len() == 0 {
            rows.close();
            while let Some(answer) = rows.answers.message().await? {
                told(answer.durable_through);
            }
            return Ok(());
        }
    }
}

fn expected(count: i64) -> Vec<(i64, f64)> {
    (1..=count).map(|sequence| (sequence - 1_000_000, sequence as f64)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn over_connections_that_break_anywhere_every_row_arrives_once() {
    const COUNT: i64 = 6000;
    let server = Server::start().await;
    with_kpi(&server).await;
    let (mut durable_through, mut breaks, mut random) = (0, 0_usize, 7_u64);
    loop {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let bytes = 200 + usize::try_from(random >> 33).unwrap() % 40_000;
        let size = 1 + usize::try_from(random >> 50).unwrap() % 300;
        let way = way_cut_behind(bytes, server.address.to_string());
        match deliver(&way, COUNT, size, durable_through, |told| durable_through = told).await {
            Ok(()) => break,
            Err(_broken) => breaks += 1,
        }
        // Nothing that was acknowledged is missing.
        assert!(series(server.kpis()).await.len() >= usize::try_from(durable_through).unwrap());
        assert!(breaks < 500, "it never comes to its end");
    }
    assert!(breaks >= 5, "{breaks} breaks show nothing");
    assert_eq!(durable_through, COUNT);
    assert_eq!(series(server.kpis()).await, expected(COUNT));
    assert_eq!(recordings(&server.channel).await.len(), expected(COUNT).len(), "a row was recorded twice");
}

async fn started(data_dir: &Path) -> (ServerProcess, Channel) {
    let server = ServerProcess::start(data_dir);
    let channel = connected(&server.address).await.unwrap();
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
    let dir = tempfile::tempdir().unwrap();
    let mut durable_through = 0;
    // After how many answers of a round the kill comes; the last round is left alone.
    for kill_at in [Some(1), Some(3), Some(2), None] {
        let (server, channel) = started(dir.path()).await;
        if durable_through == 0 {
            let acme = new_workspace("acme");
            WorkspaceServiceClient::new(channel.clone()).create_workspace(acme).await.unwrap();
            KpiServiceClient::new(channel.clone()).create_kpi(new_kpi("nps")).await.unwrap();
        }
        let there = series(KpiServiceClient::new(channel.clone())).await;
        let acknowledged = usize::try_from(durable_through).unwrap();
        assert_eq!(there.get(..acknowledged), Some(&expected(durable_through)[..]), "lost");

        let (address, mut answers) = (server.address.clone(), 0);
        let mut running = Some(server);
        let delivered = deliver(&address, COUNT, 400, durable_through, |told| {
            durable_through = told;
            answers += 1;
            if Some(answers) == kill_at {
                // kill -9.
                running = None;
            }
        })
        .await;
        assert_eq!(delivered.is_ok(), kill_at.is_none(), "{delivered:?}");
        if kill_at.is_none() {
            assert_eq!(durable_through, COUNT);
            assert_eq!(series(KpiServiceClient::new(channel.clone())).await, expected(COUNT));
            assert_eq!(recordings(&channel).await.len(), expected(COUNT).len(), "doubled");
        }
    }
}
