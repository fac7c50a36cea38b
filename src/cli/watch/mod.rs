//! `binnacle watch`: a workspace as it happens, for a person (lines, or a dashboard) and for scripts (JSON).
//!
//! One task keeps the subscription, over any number of connections; what it gives on is shown here. Between the two is a
//! short queue, so that who reads slowly slows the stream down and nothing is piled up.

use std::io::{self, IsTerminal};
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::sync::mpsc;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Code, Status};

use self::dashboard::Dashboard;
use self::directory::Directory;
use self::json::Json;
use self::lines::Lines;
use self::notes::Notes;
use self::options::Words;
pub(super) use self::sentence::moment;
use self::show::{Show, ShowError};
use self::subscription::{Step, Subscription};
use super::connection::{self, patiently};
use super::import::workspace;
use super::paint::colours;
use super::serve::interruption;
use super::words::{failure, tell};
use super::{Failure, FailureKind};
use crate::cli::connection::Channel;
use crate::domain::Id;
use crate::proto::api;
use crate::proto::api::progress_service_client::ProgressServiceClient;
use crate::proto::api::subscribe_request::Start;
use crate::proto::api::subscribe_response::Event;
use crate::proto::api::subscription_filter::{ChangeKind, ResourceKind};
use crate::proto::api::workspace_service_client::WorkspaceServiceClient;

mod dashboard;
mod directory;
mod figure;
mod json;
mod lines;
mod notes;
mod options;
mod parts;
mod patience;
mod sentence;
mod show;
mod subscription;
mod table;
mod trail;

/// Shows what happens in a workspace, as it happens.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(super) struct Watch {
    /// The workspace's id [default: the only one that there is]
    #[arg(value_parser = workspace, value_name = "WORKSPACE")]
    workspace: Option<Id>,
    /// The same, as the other commands have it
    #[arg(long = "workspace", value_parser = workspace, value_name = "ID", conflicts_with = "workspace")]
    named: Option<Id>,
    /// How it is written
    #[arg(short, long, value_enum, default_value_t = Output::Lines, value_name = "FORMAT")]
    output: Output,
    /// A table that is drawn anew in its place: scores, values, open alerts. It begins with the state, and lives on every kind of
    /// change
    #[arg(long, conflicts_with_all = ["output", "changes", "snapshot", "live", "from_beginning", "after", "exit_after_caught_up"])]
    dashboard: bool,
    /// Only this kind of resource, for example KPI; repeat it for several
    #[arg(long = "kind", value_parser = options::kind, value_name = "KIND")]
    kinds: Vec<ResourceKind>,
    /// Only this resource; with a `*` at the end, everything whose name begins so, for example 'objectives/grow*'
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,
    /// Only what this team and the teams below it own
    #[arg(long = "team", value_name = "ID")]
    teams: Vec<String>,
    /// Only what lies in this cycle
    #[arg(long = "cycle", value_name = "ID")]
    cycles: Vec<String>,
    /// Only this kind of change, for example VALUE_CHANGED
    #[arg(long = "change", value_parser = options::change, value_name = "CHANGE")]
    changes: Vec<ChangeKind>,
    /// Begins with what happens from now on; so it does without any of these
    #[arg(long, group = "start")]
    live: bool,
    /// Begins with the state as it is
    #[arg(long, group = "start")]
    snapshot: bool,
    /// Begins with everything that ever happened
    #[arg(long, group = "start")]
    from_beginning: bool,
    /// Begins behind a resume token that an earlier run has printed
    #[arg(long, group = "start", value_name = "TOKEN")]
    after: Option<String>,
    /// At most one update in so long, which is the net change of all that happened meanwhile: 100ms to 1h
    #[arg(long, value_parser = options::min_interval, value_name = "DURATION")]
    min_interval: Option<Duration>,
    /// How often a quiet stream says where it stands: 1s to 1h [default: 30s]
    #[arg(long, value_parser = options::checkpoint_interval, value_name = "DURATION")]
    checkpoint_interval: Option<Duration>,
    /// Ends as soon as everything up to now was shown
    #[arg(long)]
    exit_after_caught_up: bool,
    /// The server's address
    #[arg(long, default_value = "http://127.0.0.1:7700", value_name = "URL")]
    server: String,
    /// Who asks
    #[arg(long, env = "BINNACLE_ACTOR", value_name = "NAME")]
    actor: Option<String>,
}

/// How a stream is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// Lines for a person, in the time of this machine
    Lines,
    /// A JSON object a line: every message of the stream
    Json,
}

const AFTER_HELP: &str = "\
A connection that is lost is looked for until it is back, and the stream goes on where it was: every revision comes once \
and in order. What is said about that is on standard error. Ctrl-C ends it, and prints the resume token with which \
--after goes on later; in JSON each line has its own.

It ends with exit code 2 where asking again does not help: a workspace, a team or a cycle that is not there, a token of \
another log or of other options.

    binnacle watch acme
    binnacle watch acme --kind KPI --kind ALERT --team sales
    binnacle watch acme --dashboard
    binnacle watch acme -o json --from-beginning --exit-after-caught-up > history.jsonl";

/// How many steps wait for whoever reads.
const QUEUE: usize = 16;
/// What a dashboard asks for: more often it is not drawn.
const DASHBOARD_INTERVAL: Duration = dashboard::TICK;

impl Watch {
    pub(super) fn run(self) -> Result<(), Failure> {
        let actor = self.actor.as_deref().filter(|actor| !actor.is_empty());
        let actor = actor.map(connection::actor).transpose()?;
        if self.dashboard && !io::stdout().is_terminal() {
            let sentence = "--dashboard is drawn in a terminal, and standard output is none: leave it out for lines, or write -o json";
            return Err(Failure::new(FailureKind::Usage, sentence));
        }
        // Writing may block; the connection goes on beside it.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| {
            Failure::new(
                FailureKind::Failed,
                format!("the runtime cannot be started: {error}"),
            )
        })?;
        runtime.block_on(self.watch(actor))
    }

    async fn watch(&self, actor: Option<MetadataValue<Ascii>>) -> Result<(), Failure> {
        let mut stopped = Box::pin(interruption()?);
        let (channel, workspace) = tokio::select! {
            found = self.find(actor.as_ref()) => found?,
            () = &mut stopped => return Ok(()),
        };
        let request = self.request(&workspace)?;
        let parent = request.parent.clone();
        // It begins first, so that nothing happens unseen while titles are read.
        let given = kept(Subscription::new(channel.clone(), actor.clone(), request));
        let show = tokio::select! {
            show = self.show(channel, actor, &parent) => show?,
            () = &mut stopped => return Ok(()),
        };
        let notes = Notes::new(self.output == Output::Lines, &parent);
        self.follow(given, show, notes, stopped).await
    }

    /// Shows what is given until it is over, or until it is stopped by hand.
    async fn follow(
        &self,
        mut given: mpsc::Receiver<Result<Step, Failure>>,
        mut show: Box<dyn Show>,
        mut notes: Notes,
        mut stopped: impl Future<Output = ()> + Unpin,
    ) -> Result<(), Failure> {
        let mut tick = tokio::time::interval(dashboard::TICK);
        let mut token = String::new();
        loop {
            let shown = tokio::select! {
                () = &mut stopped => break,
                step = given.recv() => {
                    let Some(step) = step.transpose()? else { break };
                    if !self.dashboard {
                        notes.take(&step);
                    }
                    let shown = show.take(&step);
                    remember(&step, &mut token);
                    if shown.is_ok() && self.exit_after_caught_up && is_caught_up(&step) {
                        break;
                    }
                    shown
                },
                _ = tick.tick(), if self.dashboard => show.pass_time(),
            };
            match shown {
                Ok(()) => {}
                Err(ShowError::Unread) => return Ok(()),
                Err(ShowError::Failed(failure)) => return Err(failure),
            }
        }
        if self.output == Output::Lines && !self.dashboard && !token.is_empty() {
            tell(&format!("binnacle: to go on from here: --after {token}"));
        }
        Ok(())
    }

    /// The server, and the workspace.
    async fn find(&self, actor: Option<&MetadataValue<Ascii>>) -> Result<(Channel, Id), Failure> {
        let channel = connection::open(&self.server).await?;
        if let Some(workspace) = self.workspace.as_ref().or(self.named.as_ref()) {
            return Ok((channel, workspace.clone()));
        }
        let listed = patiently(async || {
            let request = connection::request(api::ListWorkspacesRequest::default(), actor);
            WorkspaceServiceClient::new(channel.clone())
                .list_workspaces(request)
                .await
        });
        let listed = listed
            .await
            .map_err(|status| failure(&status, "nothing is shown"))?;
        let names: Vec<_> = listed
            .into_inner()
            .workspaces
            .into_iter()
            .map(|it| it.name)
            .collect();
        let usage = |sentence: String| Failure::new(FailureKind::Usage, sentence);
        match names.as_slice() {
            [] => Err(usage(
                "the server has no workspace yet: create one first".to_owned(),
            )),
            [name] => {
                let found = workspace(name).map_err(|what| usage(format!("{name}: {what}")))?;
                Ok((channel, found))
            }
            several => Err(usage(format!(
                "the server has several workspaces: name one, for example \"binnacle watch {}\"",
                several[0].trim_start_matches("workspaces/")
            ))),
        }
    }

    fn request(&self, workspace: &Id) -> Result<api::SubscribeRequest, Failure> {
        let words = Words {
            kinds: &self.kinds,
            names: &self.names,
            teams: &self.teams,
            cycles: &self.cycles,
            changes: &self.changes,
        };
        let start = match &self.after {
            Some(token) => Start::After(token.clone()),
            None if self.from_beginning => Start::FromBeginning(()),
            None if self.snapshot || self.dashboard => Start::Snapshot(()),
            None => Start::Live(()),
        };
        let min_interval = self.min_interval.or(self.dashboard.then_some(DASHBOARD_INTERVAL));
        Ok(api::SubscribeRequest {
            parent: format!("workspaces/{workspace}"),
            start: Some(start),
            filter: words.filter(workspace)?,
            min_interval: min_interval.map(wire),
            checkpoint_interval: self.checkpoint_interval.map(wire),
        })
    }

    /// What it is shown with.
    async fn show(
        &self,
        channel: Channel,
        actor: Option<MetadataValue<Ascii>>,
        parent: &str,
    ) -> Result<Box<dyn Show>, Failure> {
        if self.dashboard {
            let opened = Dashboard::open(io::stdout(), || console::Term::stdout().size_checked(), colours());
            return match opened {
                Ok(dashboard) => Ok(Box::new(dashboard)),
                Err(ShowError::Failed(failure)) => Err(failure),
                Err(ShowError::Unread) => Err(Failure::new(FailureKind::Failed, "the terminal is gone")),
            };
        }
        match self.output {
            Output::Json => Ok(Box::new(Json::new(io::stdout())?)),
            Output::Lines => {
                let called = patiently(async || directory(&channel, actor.as_ref(), parent).await);
                let called = called
                    .await
                    .map_err(|status| failure(&status, "nothing is shown"))?;
                let zone = jiff::tz::TimeZone::try_system().unwrap_or(jiff::tz::TimeZone::UTC);
                Ok(Box::new(Lines::new(io::stdout(), called, zone, colours())))
            }
        }
    }
}

/// Keeps a subscription in a task of its own, as far ahead of its reader as the queue is long.
fn kept(mut subscription: Subscription) -> mpsc::Receiver<Result<Step, Failure>> {
    let (give, given) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        loop {
            let step = subscription.next().await;
            let is_over = step.is_err();
            if give.send(step).await.is_err() || is_over {
                return;
            }
        }
    });
    given
}

/// What everything is called, read once, whatever the stream is about: a KPI's alert names its KPI.
async fn directory(
    channel: &Channel,
    actor: Option<&MetadataValue<Ascii>>,
    parent: &str,
) -> Result<Directory, Status> {
    let request = api::SubscribeRequest {
        parent: parent.to_owned(),
        start: Some(Start::Snapshot(())),
        ..api::SubscribeRequest::default()
    };
    let mut client = ProgressServiceClient::new(channel.clone());
    let mut stream = client
        .subscribe(connection::request(request, actor))
        .await?
        .into_inner();
    let mut directory = Directory::default();
    while let Some(message) = stream.message().await? {
        match message.event {
            Some(Event::Snapshot(snapshot)) => {
                snapshot
                    .resources
                    .iter()
                    .for_each(|resource| directory.resource(resource));
            }
            Some(Event::SnapshotEnd(_)) => return Ok(directory),
            _ => {}
        }
    }
    Err(Status::new(
        Code::Unavailable,
        "the server ended the stream before its snapshot was there",
    ))
}

fn remember(step: &Step, token: &mut String) {
    if let Step::Messages(messages) = step {
        let mut tokens = messages.iter().map(|message| message.resume_token.as_str());
        if let Some(newest) = tokens.rfind(|token| !token.is_empty()) {
            newest.clone_into(token);
        }
    }
}

fn is_caught_up(step: &Step) -> bool {
    let Step::Messages(messages) = step else {
        return false;
    };
    messages
        .iter()
        .any(|message| matches!(message.event, Some(Event::CaughtUp(_))))
}

fn wire(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or_default(),
    }
}
