//! A disk that somebody else fills while the server writes to it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use tonic::transport::Endpoint;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::good_client::GoodClient;
use super::patience::in_time;
use super::process::ServerProcess;
use super::{alone, tell};

/// A disk in memory, where there is one: nobody else writes to it meanwhile.
fn disk() -> PathBuf {
    let in_memory = PathBuf::from("/dev/shm");
    match in_memory.is_dir() {
        true => in_memory,
        false => std::env::temp_dir(),
    }
}

fn free_bytes(path: &Path) -> u64 {
    let disk = statvfs(path).expect("a disk");
    disk.f_bavail * disk.f_frsize
}

fn is_low(status: &Status) -> bool {
    status.code() == Code::ResourceExhausted
        && status
            .get_details_error_info()
            .is_some_and(|info| info.reason == "DISK_LOW")
        && status.get_details_retry_info().is_some()
}

#[test]
fn a_disk_that_is_filled_refuses_writes_and_takes_them_again_when_there_is_room() {
    let _alone = alone();
    let dir = tempfile::tempdir_in(disk()).expect("a directory");
    let free = free_bytes(dir.path());
    // What the store takes, and what others write meanwhile, is less than that.
    let some = (free / 4).min(64 * 1024 * 1024);
    let free_min = (free - some).to_string();
    let settings = ["--disk-free-bytes-min", free_min.as_str()];
    let server = ServerProcess::start_at(&dir.path().join("data"), "127.0.0.1:0", &settings);
    let endpoint = Endpoint::from_shared(server.url()).expect("an address");
    let client = GoodClient::new(endpoint, None, false);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        client.prepare().await;
        let channel = client.connect().await;
        let recorded = client.record(&channel, 1).await.expect("there is room");
        let filler = dir.path().join("filler");
        let file = std::fs::File::create(&filler).expect("a file");
        fallocate(&file, FallocateFlags::empty(), 0, 2 * some).expect("somebody fills the disk");
        let refused = in_time("a write that is refused", async {
            loop {
                // It looks at the disk every now and then.
                match client.record(&channel, 2).await {
                    Ok(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                    Err(status) => break status,
                }
            }
        })
        .await;
        assert!(is_low(&refused), "{refused:?}");
        client
            .read(&channel, recorded.revision)
            .await
            .expect("it is read");
        drop(file);
        std::fs::remove_file(filler).expect("somebody makes room");
        let again = in_time("writes to be taken again", async {
            loop {
                match client.record(&channel, 3).await {
                    Ok(recorded) => break recorded,
                    Err(status) => assert!(is_low(&status), "{status:?}"),
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        assert!(again.revision > recorded.revision);
        tell(&format!("abuse: a disk that is filled: {}", refused.message()));
    });
}
