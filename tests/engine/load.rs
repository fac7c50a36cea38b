//! What the engine takes on while its disk is slow, or nearly full.

use std::sync::atomic::AtomicU64;

use binnacle::disk::DiskSpace;
use binnacle::log::{LogError, LogId, Records};

use super::*;

/// A log in memory that says how much is free on the disk of it.
struct SmallDisk {
    log: MemoryLog,
    free_bytes: Arc<AtomicU64>,
}

impl EventLog for SmallDisk {
    fn append(&self, appends: &[Append]) -> Result<Vec<AppendOutcome>, LogError> {
        self.log.append(appends)
    }

    fn read(&self, log: LogId, from: Revision) -> Records<'_> {
        self.log.read(log, from)
    }

    fn heads(&self) -> Result<std::collections::BTreeMap<LogId, Revision>, LogError> {
        self.log.heads()
    }

    fn disk(&self) -> Option<DiskSpace> {
        Some(DiskSpace {
            free_bytes: self.free_bytes.load(Ordering::SeqCst),
            total_bytes: 10_000,
        })
    }
}

/// An engine whose queue has such bounds, and whose log waits at a gate behind the workspace and the KPI.
async fn gated(queue: QueueLimits, free: usize) -> (Engine, Gate) {
    let (log, gate) = gated_log(free);
    let config = EngineConfig {
        queue,
        ..EngineConfig::default()
    };
    let engine = engine_with(Arc::new(log), &clock(), config);
    (engine, gate)
}

fn what(refused: &Refusal) -> &'static str {
    match refused {
        Refusal::Overloaded { what, .. } => what,
        _ => panic!("{refused}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_workspace_takes_the_whole_queue() {
    let limits = QueueLimits {
        workspace_commands_max: 2,
        ..QueueLimits::default()
    };
    let (engine, gate) = gated(limits, 2).await;
    prepared(&engine).await;
    let held = sent(&engine, measure("nps", 0, 1.0));
    gate.wait();
    let waiting = sent(&engine, measure("nps", 1, 1.0));
    until_queued(&engine, 2).await;
    let refused = engine
        .execute(measure("nps", 2, 1.0))
        .await
        .expect_err("its share");
    assert_eq!(what(&refused), "too many commands of this workspace");
    let other = sent(
        &engine,
        Request {
            workspace: id("other"),
            ..measure("nps", 2, 1.0)
        },
    );
    until_queued(&engine, 3).await;
    gate.open(Ending::AsUsual);
    gate.wait();
    gate.open(Ending::AsUsual);
    held.await.expect("a task").expect("a measurement");
    waiting.await.expect("a task").expect("a measurement");
    let other = other.await.expect("a task").expect_err("no such workspace");
    assert!(
        matches!(other, Refusal::WorkspaceNotFound(_)),
        "it was looked at: {other}"
    );
    let after = sent(&engine, measure("nps", 3, 1.0));
    gate.wait();
    gate.open(Ending::AsUsual);
    after.await.expect("a task").expect("there is a place again");
    engine.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_disk_is_slower_than_what_comes_in_more_is_refused_before_the_queue_is_full() {
    let limits = QueueLimits {
        wait_ms_max: 30,
        ..QueueLimits::default()
    };
    let (engine, gate) = gated(limits, 2).await;
    prepared(&engine).await;
    let held = sent(&engine, measure("nps", 0, 1.0));
    gate.wait();
    tokio::time::sleep(Duration::from_millis(60)).await;
    let refused = engine
        .execute(measure("nps", 1, 1.0))
        .await
        .expect_err("it waits");
    assert_eq!(what(&refused), "commands wait too long for the disk");
    gate.open(Ending::AsUsual);
    held.await.expect("a task").expect("what was taken in is done");
    let after = sent(&engine, measure("nps", 2, 1.0));
    gate.wait();
    gate.open(Ending::AsUsual);
    after.await.expect("a task").expect("it goes on by itself");
    assert_eq!(head(&engine), Revision(4), "the refused one is not recorded");
    engine.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_waits_for_any_more_is_not_recorded_when_its_turn_comes() {
    let (engine, gate) = gated(QueueLimits::default(), 2).await;
    prepared(&engine).await;
    let held = sent(&engine, measure("nps", 0, 1.0));
    gate.wait();
    let gone = sent(&engine, measure("nps", 1, 1.0));
    until_queued(&engine, 2).await;
    gone.abort();
    assert!(gone.await.expect_err("aborted").is_cancelled());
    let stays = sent(&engine, measure("nps", 2, 1.0));
    until_queued(&engine, 3).await;
    gate.open(Ending::AsUsual);
    gate.wait();
    gate.open(Ending::AsUsual);
    held.await.expect("a task").expect("a measurement");
    let stays = stays.await.expect("a task").expect("a measurement");
    assert_eq!(stays.revision, Revision(4), "nothing was recorded in between");
    until_queued(&engine, 0).await;
    engine.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_about_to_be_full_refuses_writes_and_not_reads_or_retries_and_recovers_by_itself() {
    let free_bytes = Arc::new(AtomicU64::new(5_000));
    let log = SmallDisk {
        log: MemoryLog::new(),
        free_bytes: Arc::clone(&free_bytes),
    };
    let engine = engine_on(log, &clock());
    prepared(&engine).await;
    let first = engine
        .execute(with_id(measure("nps", 0, 1.0), 1, 1))
        .await
        .expect("a measurement");
    free_bytes.store(499, Ordering::SeqCst);
    let mut looks = 0;
    let refused = loop {
        // It is looked at every now and then.
        if let Err(refused) = engine.execute(measure("nps", 1, 1.0)).await {
            break refused;
        }
        looks += 1;
        assert!(looks < 1_000, "nothing is refused");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    let Refusal::DiskLow {
        free_bytes: 499,
        free_bytes_min: 500,
        retry_after,
    } = refused
    else {
        panic!("{refused}");
    };
    assert!(retry_after > Duration::ZERO);
    let before = head(&engine);
    let again = engine.execute(with_id(measure("nps", 0, 1.0), 1, 1)).await;
    assert_eq!(again.expect("it ran before").revision, first.revision);
    engine
        .execute(measure("nps", 2, 1.0))
        .await
        .expect_err("there is no room yet");
    assert_eq!(
        head(&engine),
        before,
        "nothing was recorded, and it is still read"
    );
    free_bytes.store(500, Ordering::SeqCst);
    let recovered = async {
        while let Err(refused) = engine.execute(measure("nps", 3, 1.0)).await {
            assert!(matches!(refused, Refusal::DiskLow { .. }), "{refused}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    in_time("writes to be taken again", recovered).await;
    assert_eq!(head(&engine).0, before.0 + 1);
    engine.close();
}
