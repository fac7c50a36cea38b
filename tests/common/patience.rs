//! Waiting for what has to come. Where it does not, the test fails and says what it waited for: it does not hang.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::time::Duration;

/// Long enough for a slow machine that also stands still for a while.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for something, and not for ever.
pub(crate) async fn in_time<T>(what: &str, coming: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, coming).await {
        Ok(come) => come,
        Err(_elapsed) => panic!("waited {PATIENCE:?} for {what}"),
    }
}
