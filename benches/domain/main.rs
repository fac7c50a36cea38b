//! What a check-in costs until every score that it moves is known, and what a whole tree of objectives costs, in companies
//! of 10 to 10,000 objectives: the growth is what matters, so the smallest company is the baseline of the others.
//!
//! `cargo bench --bench domain` prints a table and writes `target/bench/domain.json`. Check-ins are decided and folded in
//! this process, without a log: a durable write comes on top (`--bench grpc`). Trees go through the real server on
//! loopback to a client that does not read them; a bare tonic server that answers as many bytes is the baseline of the wire,
//! so that the difference is what the server does.

#![allow(missing_docs)]

mod blob;
mod company;
mod raw;

use std::time::{Duration, Instant};

use binnacle::domain::{Actor, Authentication, Commit, Origin, decide};
use binnacle::engine::Engine;
use binnacle::projection::State;
use binnacle::proto::api;
use binnacle::service::{BoundServer, ServerConfig};
use serde_json::json;
use tonic::transport::Channel;

/// As the program allocates.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [usize; 4] = [10, 100, 1000, 10_000];
/// Check-ins in one run.
const CHECK_INS: usize = 2000;
/// Calls in one run.
const CALLS: usize = 200;

/// What was measured of one company, all of it medians.
struct Row {
    objectives: usize,
    check_in: Duration,
    day: Duration,
    /// The whole tree, and how many bytes it is.
    tree: Duration,
    bytes: usize,
    /// As many bytes from a server that does nothing for them.
    blob: Duration,
    without_key_results: Duration,
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let rows: Vec<Row> = SIZES
        .into_iter()
        .map(|size| runtime.block_on(measure(size)))
        .collect();
    println!(
        "objectives  check-in µs  × smallest  a day µs    bytes  tree ms  as many bytes ms  difference ms  without key results ms"
    );
    let ms = |took: Duration| took.as_secs_f64() * 1e3;
    let smallest = ms(rows[0].check_in);
    let mut figures = Vec::new();
    for row in &rows {
        let growth = ms(row.check_in) / smallest;
        let server = ms(row.tree) - ms(row.blob);
        println!(
            "{:>10}  {:>11.1}  {growth:>10.2}  {:>8.0}  {:>7}  {:>7.2}  {:>16.2}  {server:>13.2}  {:>22.2}",
            row.objectives,
            ms(row.check_in) * 1e3,
            ms(row.day) * 1e3,
            row.bytes,
            ms(row.tree),
            ms(row.blob),
            ms(row.without_key_results),
        );
        figures.push(json!({
            "objectives": row.objectives,
            "check_in_us": ms(row.check_in) * 1e3,
            "check_in_growth": growth,
            "day_us": ms(row.day) * 1e3,
            "tree_bytes": row.bytes,
            "tree_ms": ms(row.tree),
            "blob_ms": ms(row.blob),
            "tree_minus_blob_ms": server,
            "tree_without_key_results_ms": ms(row.without_key_results),
        }));
    }
    std::fs::create_dir_all("target/bench").expect("a directory");
    let text = serde_json::to_string_pretty(&json!({ "domain": figures })).expect("JSON");
    std::fs::write("target/bench/domain.json", text).expect("the figures");
    println!("\nmedians; written to target/bench/domain.json");
}

async fn measure(objectives: usize) -> Row {
    let engine = company::with_objectives(objectives).await;
    let published = engine
        .read(&company::id("acme"), binnacle::domain::Revision::ZERO)
        .expect("acme");
    let check_in = check_ins(&published.state, objectives);
    let day = days(&published.state);
    let (channel, stop) = serve(engine).await;
    let request = |objectives_only| api::GetObjectiveTreeRequest {
        name: "workspaces/acme".to_owned(),
        objectives_only,
        ..Default::default()
    };
    let path = "/binnacle.v1.ObjectiveService/GetObjectiveTree";
    let (tree, bytes) = calls(&channel, path, || request(false)).await;
    let (without_key_results, _) = calls(&channel, path, || request(true)).await;
    let wire = blob::serve(bytes).await;
    let (blob, _) = calls(&wire, blob::PATH, || request(false)).await;
    let _stopped = stop.send(());
    Row {
        objectives,
        check_in,
        day,
        tree,
        bytes,
        blob,
        without_key_results,
    }
}

async fn serve(engine: Engine) -> (Channel, tokio::sync::oneshot::Sender<()>) {
    let address = "127.0.0.1:0".parse().expect("an address");
    let bound = BoundServer::bind(address, ServerConfig::default()).expect("a port");
    let address = bound.address();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    tokio::spawn(bound.serve(move || Ok(engine), async move {
        let _gone = stopped.await;
    }));
    let endpoint = Channel::from_shared(format!("http://{address}")).expect("an address");
    let channel = loop {
        if let Ok(channel) = endpoint.connect().await {
            break channel;
        }
    };
    let mut workspaces = api::workspace_service_client::WorkspaceServiceClient::new(channel.clone());
    while workspaces
        .list_workspaces(api::ListWorkspacesRequest::default())
        .await
        .is_err()
    {
        tokio::task::yield_now().await;
    }
    (channel, stop)
}

async fn calls<T: prost::Message + 'static>(
    channel: &Channel,
    path: &'static str,
    message: impl Fn() -> T,
) -> (Duration, usize) {
    let mut took = Vec::with_capacity(CALLS);
    let mut bytes = 0;
    for _ in 0..CALLS {
        let began = Instant::now();
        bytes = raw::call(channel, path, message()).await;
        took.push(began.elapsed());
    }
    (median(took), bytes)
}

/// Decide, fold, and every figure that moves: the key result, its objective, the seven above it, team, cycle, workspace.
fn check_ins(state: &State, size: usize) -> Duration {
    let mut state = state.clone();
    let deepest = (company::DEPTH - 1).min(size - 1);
    let mut took = Vec::with_capacity(CHECK_INS);
    for number in 0..CHECK_INS {
        // Never what was seen before: a check-in that says nothing new moves nothing.
        let seen = 101.0 + (number % 800) as f64;
        let command = company::check_in(
            deepest,
            number % company::KEY_RESULTS,
            &format!("c{number}"),
            seen,
        );
        let began = Instant::now();
        let changes = step(&mut state, &command);
        took.push(began.elapsed());
        assert!(changes >= deepest + 4, "only {changes} figures moved");
    }
    median(took)
}

/// A new day moves what is expected of everything, so it grows with everything.
fn days(state: &State) -> Duration {
    let mut state = state.clone();
    let mut took = Vec::new();
    for _ in 0..10 {
        let today = state.workspace().today();
        let command = binnacle::domain::Command::StartDay {
            date: binnacle::domain::plus_days(today, 1),
        };
        let began = Instant::now();
        step(&mut state, &command);
        took.push(began.elapsed());
    }
    median(took)
}

fn step(state: &mut State, command: &binnacle::domain::Command) -> usize {
    let workspace = state.workspace();
    let mut commit = Commit {
        revision: workspace.revision().next(),
        recorded_time: workspace.newest_recorded_time().expect("a past"),
        epoch: 1,
        origin: Origin {
            actor: Actor {
                principal: "maria".into(),
                authentication: Authentication::None,
                on_behalf_of: "".into(),
            },
            ..Origin::system("bench")
        },
        events: Vec::new(),
    };
    commit.events = decide(workspace, command, &commit.stamp())
        .expect("a decision")
        .events;
    state.apply(&commit).changes.len()
}

fn median(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took[took.len() / 2]
}
