//! A subscriber as anybody could write one: it opens a stream, folds what comes, and resumes with its token.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::Streaming;
use tonic::transport::Channel;

use super::drive::{failed, refused};
use super::ledger::Ledger;
use super::stage::Stage;
use crate::cli::Failure;
use crate::cli::picture::Picture;
use crate::proto::api;
use crate::proto::api::progress_service_client::ProgressServiceClient;
use crate::proto::api::subscribe_request::Start;
use crate::proto::api::subscribe_response::Event;

/// How long an update may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// One subscription that fills a stage.
pub(super) struct Subscriber {
    client: ProgressServiceClient<Channel>,
    workspace: String,
    stage: Arc<Mutex<Stage>>,
    /// How far the stage has come, or what went wrong.
    place: watch::Sender<Result<i64, String>>,
    task: Option<JoinHandle<()>>,
}

impl Subscriber {
    pub(super) fn new(channel: Channel, workspace: &str, stage: Stage) -> Self {
        Self {
            client: ProgressServiceClient::new(channel),
            workspace: workspace.to_owned(),
            stage: Arc::new(Mutex::new(stage)),
            place: watch::Sender::new(Ok(0)),
            task: None,
        }
    }

    /// What was received, and what is shown of it.
    pub(super) fn stage(&self) -> MutexGuard<'_, Stage> {
        // A fold that panicked has failed the demo already.
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name of the workspace it watches.
    pub(super) fn workspace(&self) -> &str {
        &self.workspace
    }

    /// Begins with the state as it is.
    pub(super) async fn begin(&mut self) -> Result<(), Failure> {
        self.open(Start::Snapshot(())).await
    }

    /// The connection is lost.
    pub(super) async fn disconnect(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            // It ends because it was told to.
            let _aborted = task.await;
        }
        self.stage().ledger.disconnect();
    }

    /// Goes on behind the newest token, while the log has come to `head`.
    pub(super) async fn resume(&mut self, head: i64) -> Result<(), Failure> {
        let token = {
            let mut stage = self.stage();
            stage.ledger.resume(head);
            stage.ledger.token().to_owned()
        };
        self.open(Start::After(token)).await
    }

    async fn open(&mut self, start: Start) -> Result<(), Failure> {
        let stream = subscribe(&mut self.client, &self.workspace, start).await?;
        let (stage, place) = (Arc::clone(&self.stage), self.place.clone());
        self.task = Some(tokio::spawn(async move {
            if let Err(sentence) = fold(stream, &stage, &place).await {
                let _before = place.send_replace(Err(sentence));
            }
        }));
        Ok(())
    }

    /// Waits until something goes wrong.
    pub(super) async fn failure(&self) -> Failure {
        let mut place = self.place.subscribe();
        match place.wait_for(Result::is_err).await.as_deref() {
            Ok(Err(sentence)) => failed(sentence.clone()),
            Ok(Ok(_)) | Err(_) => failed("the subscriber is gone".to_owned()),
        }
    }

    /// Waits until everything up to a revision has arrived.
    pub(super) async fn reach(&self, revision: i64) -> Result<(), Failure> {
        let mut place = self.place.subscribe();
        let reached = place.wait_for(|place| place.as_ref().map_or(true, |reached| *reached >= revision));
        match tokio::time::timeout(PATIENCE, reached).await {
            Ok(Ok(place)) => place
                .as_ref()
                .map(|_| ())
                .map_err(|sentence| failed(sentence.clone())),
            Ok(Err(_)) => Err(failed("the subscriber is gone".to_owned())),
            Err(_) => Err(failed(format!(
                "revision {revision} did not reach the subscriber within {} s",
                PATIENCE.as_secs()
            ))),
        }
    }
}

async fn fold(
    mut stream: Streaming<api::SubscribeResponse>,
    stage: &Mutex<Stage>,
    place: &watch::Sender<Result<i64, String>>,
) -> Result<(), String> {
    let ended = |status: tonic::Status| format!("the subscription failed: {}", status.message());
    while let Some(message) = stream.message().await.map_err(ended)? {
        let mut stage = stage.lock().unwrap_or_else(PoisonError::into_inner);
        stage.take(message)?;
        let _before = place.send_replace(Ok(stage.ledger.reached()));
    }
    Ok(())
}

async fn subscribe(
    client: &mut ProgressServiceClient<Channel>,
    workspace: &str,
    start: Start,
) -> Result<Streaming<api::SubscribeResponse>, Failure> {
    let request = api::SubscribeRequest {
        parent: workspace.to_owned(),
        start: Some(start),
        ..Default::default()
    };
    let answer = client.subscribe(request).await;
    answer
        .map(tonic::Response::into_inner)
        .map_err(|status| refused("Subscribe", &status))
}

/// Another subscriber reads everything there ever was, up to a revision: its picture, and what it was sent.
pub(super) async fn read_from_beginning(
    channel: Channel,
    workspace: &str,
    revision: i64,
) -> Result<(Picture, Ledger), Failure> {
    let mut client = ProgressServiceClient::new(channel);
    let mut stream = subscribe(&mut client, workspace, Start::FromBeginning(())).await?;
    let (mut picture, mut ledger) = (Picture::default(), Ledger::default());
    while ledger.reached() < revision {
        let message = tokio::time::timeout(PATIENCE, stream.message())
            .await
            .map_err(|_| failed("the stream from the beginning stands still".to_owned()))?
            .map_err(|status| refused("Subscribe", &status))?
            .ok_or_else(|| failed("the stream from the beginning ended early".to_owned()))?;
        if let Some(Event::Update(update)) = message.event {
            let parts = ledger.take(update, message.resume_token).map_err(failed)?;
            for part in parts.iter().flatten() {
                picture.update(part);
            }
        }
    }
    Ok((picture, ledger))
}
