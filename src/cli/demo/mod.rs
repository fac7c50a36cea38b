//! `binnacle demo`: a server of its own, eight weeks in half a minute, told through the API and shown through a
//! subscription.
//!
//! What it proves on the way: a picture that is folded from the stream alone is the one the server answers, and every
//! revision arrives once, in order, also across a lost connection.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::sync::oneshot;
use tonic::transport::{Channel, Endpoint};

use super::logging::{LogFormat, start_logging};
use super::serve::{failure, interruption, open_engine};
use super::settings::LISTEN;
use super::{Failure, FailureKind};
use crate::cli::picture::Picture;
use crate::engine::{Clock, EngineConfig, SystemClock};
use crate::proto::api;
use crate::proto::api::progress_service_client::ProgressServiceClient;
use crate::proto::api::workspace_service_client::WorkspaceServiceClient;
use crate::service::{BoundServer, ServeError, ServerConfig};
use clock::StoryClock;
use compare::Verdict;
use drive::{Driver, WEEK_S, failed, refused};
use stage::Stage;
use story::Story;
use subscriber::{Subscriber, read_from_beginning};

mod clock;
mod compare;
mod drive;
mod ledger;
mod render;
mod stage;
mod story;
mod subscriber;

/// Tells a story of eight weeks on a server of its own.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// An empty directory to keep everything in [default: a temporary one that is removed at the end]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Address and port to listen on; loopback only; a free port if it is taken
    #[arg(long, value_name = "ADDRESS", default_value_t = LISTEN)]
    listen: SocketAddr,
    /// Ends after the story instead of serving on
    #[arg(long)]
    exit: bool,
    /// How fast the story is told in a terminal: 2 is twice as fast, 0 without pauses
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    speed: f64,
}

/// A data directory that is removed when it was made for the demo.
struct DataDir {
    path: PathBuf,
    is_temporary: bool,
}

/// How long a call's effect is looked at in a terminal.
const PAUSE: Duration = Duration::from_millis(100);
/// How long the end of a week is looked at in a terminal.
const PAUSE_WEEK: Duration = Duration::from_millis(1000);
/// How long the server may take to open an empty store.
const OPENING_TRIES: u32 = 500;
/// How often the picture and the overview may miss each other.
const SAME_REVISION_TRIES: u32 = 100;
/// How long between two looks whether it is open.
const OPENING_PAUSE: Duration = Duration::from_millis(20);

impl Demo {
    pub(super) fn run(self) -> Result<(), Failure> {
        if !(self.speed.is_finite() && self.speed >= 0.0) {
            return Err(Failure::new(
                FailureKind::Usage,
                "--speed is a number from 0 up: write for example 2",
            ));
        }
        start_logging(LogFormat::Pretty, Some("error"))?;
        let story = Arc::new(Story::read().map_err(failed)?);
        let data_dir = DataDir::new(self.data_dir.as_deref())?;
        let runtime = tokio::runtime::Runtime::new()
            .map_err(|error| failed(format!("the runtime cannot be started: {error}")))?;
        runtime.block_on(self.serve_and_tell(story, &data_dir.path))
    }

    /// Runs the server, tells the story, and stops the server in good order whatever comes of it.
    async fn serve_and_tell(&self, story: Arc<Story>, data_dir: &Path) -> Result<(), Failure> {
        let mut stopped_by_hand = Box::pin(interruption()?);
        let server = bind(self.listen)?;
        let address = server.address();
        let now = SystemClock::default().wall();
        let weeks = i64::try_from(story.weeks.len()).unwrap_or_default();
        let start = now.plus_seconds(-weeks * WEEK_S);
        let clock = Arc::new(StoryClock::new(start));
        let (stop, stopped) = oneshot::channel::<()>();
        let opened = {
            let (dir, clock) = (data_dir.to_owned(), Arc::clone(&clock));
            move || open_engine(&dir, clock, EngineConfig::default())
        };
        let shutdown = async {
            // A sender that is gone means that the demo is over as well.
            let _over = stopped.await;
        };
        let mut serving = tokio::spawn(server.serve(opened, shutdown));

        let told = async {
            let channel = connect(address).await?;
            let driver = Driver::new(Arc::clone(&story), Arc::clone(&clock), start, channel.clone());
            let subscriber = self.tell(&story, driver, &clock, channel, address).await?;
            if self.exit {
                return Ok(());
            }
            invite(&subscriber.stage(), address, subscriber.workspace());
            Err(subscriber.failure().await)
        };
        let told = tokio::select! {
            told = told => told,
            () = &mut stopped_by_hand => Ok(()),
            served = &mut serving => return ended(served),
        };
        // It listens until here, or is gone: both end below.
        let _told = stop.send(());
        ended(serving.await).and(told)
    }

    /// The story, from the first call to the comparison at its end.
    async fn tell(
        &self,
        story: &Arc<Story>,
        mut driver: Driver,
        clock: &StoryClock,
        channel: Channel,
        address: SocketAddr,
    ) -> Result<Subscriber, Failure> {
        let stage = Stage::new();
        let is_live = stage.is_live() && self.speed > 0.0;
        let pause = |pause: Duration| {
            if is_live {
                pause.div_f64(self.speed)
            } else {
                Duration::ZERO
            }
        };
        stage.say(&format!(
            "A server listens on {address}. Its first day is eight weeks ago."
        ));
        driver.set_up().await?;
        stage.open();
        let mut subscriber = Subscriber::new(channel.clone(), driver.workspace(), stage);
        subscriber.begin().await?;
        driver.pause = pause(PAUSE);
        for (index, week) in story.weeks.iter().enumerate() {
            let number = index + 1;
            subscriber
                .stage()
                .begin_week(&format!("Week {number} of {}: {}", story.weeks.len(), week.says));
            if week.subscriber_is_away {
                subscriber.disconnect().await;
            }
            driver.middle_of_week(number).await?;
            driver.end_of_week(number).await?;
            if week.subscriber_is_away {
                subscriber.resume(driver.revision()).await?;
            }
            subscriber.reach(driver.revision()).await?;
            subscriber.stage().end_week();
            tokio::time::sleep(pause(PAUSE_WEEK)).await;
        }
        clock.follow_the_machine();
        subscriber.stage().finish();
        prove(&subscriber, channel).await?;
        Ok(subscriber)
    }
}

/// Holds what the stream delivered against what the server answers and against the whole log.
async fn prove(subscriber: &Subscriber, channel: Channel) -> Result<(), Failure> {
    let (picture, overview) = same_revision(subscriber, channel.clone()).await?;
    let (second, second_ledger) =
        read_from_beginning(channel, subscriber.workspace(), overview.revision).await?;
    let verdict = Verdict::of(&picture, &overview);
    agreed(&verdict, "The picture from the stream")?;
    agreed(&Verdict::of(&second, &overview), "The picture from the beginning")?;
    let stage = subscriber.stage();
    let Verdict {
        scores,
        objectives,
        key_results,
        kpis,
        ..
    } = verdict;
    stage.say(&format!(
        "\nThe picture above comes from the stream alone. It agrees with GetOverview at\n\
         revision {}: {scores} scores, {objectives} objectives, {key_results} key results, {kpis} KPIs.",
        overview.revision
    ));
    stage.say(&format!("Behind its snapshot: {}.", stage.ledger.summary()));
    stage.say(&format!(
        "A second subscriber, from the beginning, saw the same: {}.",
        second_ledger.summary()
    ));
    Ok(())
}

/// The picture and the overview at one revision: a midnight, or somebody else's call, may come in between.
async fn same_revision(
    subscriber: &Subscriber,
    channel: Channel,
) -> Result<(Picture, api::Overview), Failure> {
    let mut client = ProgressServiceClient::new(channel);
    for _ in 0..SAME_REVISION_TRIES {
        let request = api::GetOverviewRequest {
            parent: subscriber.workspace().to_owned(),
            ..api::GetOverviewRequest::default()
        };
        let overview = client.get_overview(request).await;
        let overview = overview
            .map_err(|status| refused("GetOverview", &status))?
            .into_inner();
        subscriber.reach(overview.revision).await?;
        let picture = subscriber.stage().picture.clone();
        if picture.revision == overview.revision {
            return Ok((picture, overview));
        }
    }
    Err(failed(
        "the workspace changes too fast for the picture to be compared".to_owned(),
    ))
}

fn agreed(verdict: &Verdict, what: &str) -> Result<(), Failure> {
    if verdict.differences.is_empty() {
        return Ok(());
    }
    Err(failed(format!(
        "{what} does NOT agree with the server, which is a bug; report it:\n{}",
        verdict.differences.join("\n")
    )))
}

/// What to try next, as calls that work as they are printed.
fn invite(stage: &Stage, address: SocketAddr, workspace: &str) {
    let overview = format!("'{{\"parent\":\"{workspace}\"}}'");
    let measure =
        format!("'{{\"parent\":\"{workspace}/kpis/support-reply-time\",\"measurement\":{{\"value\":45}}}}'");
    let kpi = format!("'{{\"name\":\"{workspace}/kpis/support-reply-time\"}}'");
    let grpcurl = |arguments: &str, call: &str| {
        format!("grpcurl -plaintext {arguments} \\\n  {address} binnacle.v1.{call}\n")
    };
    stage.say(&format!(
        "\nIt goes on serving on {address}, with the time of today.\nTry from another terminal:\n\n\
         grpcurl -plaintext {address} list\n{}{}{}\
         buf curl --http2-prior-knowledge --protocol grpc \\\n  -d {kpi} \\\n  \
         http://{address}/binnacle.v1.KpiService/GetKpi\n\n\
         Whatever changes is told below. Ctrl-C ends it.\n",
        grpcurl(&format!("-d {overview}"), "ProgressService/GetOverview"),
        grpcurl(&format!("-d {overview}"), "ProgressService/Subscribe"),
        grpcurl(
            &format!("-H 'binnacle-actor: rui' \\\n  -d {measure}"),
            "KpiService/RecordMeasurement"
        ),
    ));
}

/// The address, or a free port when somebody else has it.
fn bind(listen: SocketAddr) -> Result<BoundServer, Failure> {
    match BoundServer::bind(listen, ServerConfig::default()) {
        Err(ServeError::Listen { .. }) => {
            let server = BoundServer::bind(SocketAddr::new(listen.ip(), 0), ServerConfig::default())
                .map_err(|error| failure(&error))?;
            eprintln!("{listen} cannot be listened on, so a free port is taken.");
            Ok(server)
        }
        bound => bound.map_err(|error| failure(&error)),
    }
}

/// A client of the server, once it serves.
async fn connect(address: SocketAddr) -> Result<Channel, Failure> {
    let unreachable = |error| failed(format!("the server cannot be reached: {error}"));
    let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(unreachable)?;
    let channel = endpoint.connect().await.map_err(unreachable)?;
    let mut workspaces = WorkspaceServiceClient::new(channel.clone());
    for _ in 0..OPENING_TRIES {
        match workspaces
            .list_workspaces(api::ListWorkspacesRequest::default())
            .await
        {
            Err(status) if status.code() == tonic::Code::Unavailable => {
                tokio::time::sleep(OPENING_PAUSE).await;
            }
            Err(status) => return Err(refused("ListWorkspaces", &status)),
            Ok(_) => return Ok(channel),
        }
    }
    Err(failed("the server does not begin to serve".to_owned()))
}

fn ended(served: Result<Result<(), ServeError>, tokio::task::JoinError>) -> Result<(), Failure> {
    match served {
        Ok(served) => served.map_err(|error| failure(&error)),
        Err(error) => Err(failed(format!("the server did not end in good order: {error}"))),
    }
}

impl DataDir {
    /// The given directory, which must be empty or not there yet; or a new one.
    fn new(given: Option<&Path>) -> Result<Self, Failure> {
        let Some(given) = given else {
            let path = std::env::temp_dir().join(format!("binnacle-demo-{}", uuid::Uuid::new_v4()));
            return Ok(Self {
                path,
                is_temporary: true,
            });
        };
        let is_empty = match std::fs::read_dir(given) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
            Err(error) => {
                let sentence = format!("{} cannot be read: {error}", given.display());
                return Err(Failure::new(FailureKind::Usage, sentence));
            }
        };
        if !is_empty {
            return Err(Failure::new(
                FailureKind::Usage,
                format!(
                    "{} is not empty, and the demo's clock runs through eight weeks: give it a directory of its own",
                    given.display()
                ),
            ));
        }
        Ok(Self {
            path: given.to_owned(),
            is_temporary: false,
        })
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        if self.is_temporary
            && let Err(error) = std::fs::remove_dir_all(&self.path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            eprintln!("{} cannot be removed: {error}", self.path.display());
        }
    }
}
