//! A connection to the simulated server, as every client opens one: patiently, but not for ever.

use std::future::Future;
use std::io;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tonic::Status;
use tonic::transport::{Channel, Endpoint, Uri};
use turmoil::net::TcpStream;

use super::machine::{PORT, SERVER};

/// Opens a connection.
pub(crate) async fn connect() -> Result<Channel, Status> {
    let open = tower::service_fn(|_: Uri| async {
        let stream = TcpStream::connect((SERVER, PORT)).await?;
        Ok::<_, io::Error>(TokioIo::new(stream))
    });
    let endpoint = Endpoint::from_static("http://server");
    let unavailable = |error: tonic::transport::Error| Status::unavailable(error.to_string());
    let opening = async { endpoint.connect_with_connector(open).await.map_err(unavailable) };
    within(Duration::from_secs(1), opening).await
}

/// Waits for something, and takes silence for the loss of the connection.
pub(crate) async fn within<T>(
    patience: Duration,
    what: impl Future<Output = Result<T, Status>>,
) -> Result<T, Status> {
    match tokio::time::timeout(patience, what).await {
        Ok(done) => done,
        Err(_) => Err(Status::unavailable("silence")),
    }
}
