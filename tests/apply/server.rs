//! A real server on a free port and the real program beside it, in a folder of their own.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use binnacle::proto::api;
use binnacle::proto::api::cycle_service_client::CycleServiceClient;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use binnacle::proto::api::objective_service_client::ObjectiveServiceClient;
use binnacle::proto::api::workspace_service_client::WorkspaceServiceClient;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tonic::Code;
use tonic::transport::Channel;

use crate::process::{ServerProcess, WAIT};
use crate::proxy::Revision;

const PROGRAM: &str = env!("CARGO_BIN_EXE_binnacle");

/// A server; it ends with the test.
pub(crate) struct Server {
    process: ServerProcess,
    files: TempDir,
    runtime: Runtime,
    pub(crate) channel: Channel,
}

/// What a run of the program left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Server {
    /// Starts with nothing in it.
    pub(crate) fn start() -> Self {
        let files = TempDir::new().expect("a folder");
        let process = ServerProcess::start(&files.path().join("data"));
        let runtime = Runtime::new().expect("a runtime");
        let channel = runtime.block_on(reached(&process.address));
        Self {
            process,
            files,
            runtime,
            channel,
        }
    }

    /// Starts, and applies manifests as Maria, who becomes the owner.
    pub(crate) fn with(manifests: &str) -> Self {
        let server = Self::start();
        let run = server.apply_text(manifests, &[]);
        assert_eq!(run.code, Some(0), "{run:?}");
        server
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.process.address
    }

    /// Runs the program against this server.
    pub(crate) fn run(&self, args: &[&str], stdin: &str) -> Run {
        self.run_at(&self.process.url(), args, stdin)
    }

    /// Runs the program against an address.
    pub(crate) fn run_at(&self, url: &str, args: &[&str], stdin: &str) -> Run {
        let mut process = self.command(url, args).spawn().expect("the program starts");
        let mut pipe = process.stdin.take().expect("a pipe");
        // A program that refuses its flags does not read.
        let _unread = pipe.write_all(stdin.as_bytes());
        drop(pipe);
        let output = process.wait_with_output().expect("the program ends");
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// Starts the program against an address, and does not wait for it.
    pub(crate) fn spawn_at(&self, url: &str, args: &[&str]) -> Child {
        self.command(url, args).spawn().expect("the program starts")
    }

    fn command(&self, url: &str, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .args(args)
            .args(["--server", url])
            .current_dir(self.files.path())
            .env_remove("BINNACLE_ACTOR")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Applies a text as Maria.
    pub(crate) fn apply_text(&self, manifests: &str, args: &[&str]) -> Run {
        let args = [&["apply", "-f", "-", "--actor", "maria"], args].concat();
        self.run(&args, manifests)
    }

    /// Exports the workspace "acme".
    pub(crate) fn export(&self) -> Run {
        let run = self.run(&["export", "--workspace", "acme"], "");
        assert_eq!(run.code, Some(0), "{run:?}");
        run
    }

    /// Writes a file beside the program.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let file = self.files.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap_or(Path::new("."))).expect("a folder");
        std::fs::write(file, text).expect("a file");
    }

    /// Reads a file beside the program.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.files.path().join(name)).expect("a file")
    }

    /// Asks the server something.
    pub(crate) fn ask<T>(&self, question: impl Future<Output = T>) -> T {
        self.runtime.block_on(question)
    }

    /// The workspace's newest revision; 0: there is none.
    pub(crate) fn revision(&self) -> i64 {
        self.ask(revision(self.workspaces()))
    }

    /// The same, for a proxy in front of this server.
    pub(crate) fn revisions(&self) -> Revision {
        let (runtime, workspaces) = (self.runtime.handle().clone(), self.workspaces());
        Arc::new(move || runtime.block_on(revision(workspaces.clone())))
    }

    pub(crate) fn workspaces(&self) -> WorkspaceServiceClient<Channel> {
        WorkspaceServiceClient::new(self.channel.clone())
    }

    pub(crate) fn cycles(&self) -> CycleServiceClient<Channel> {
        CycleServiceClient::new(self.channel.clone())
    }

    pub(crate) fn objectives(&self) -> ObjectiveServiceClient<Channel> {
        ObjectiveServiceClient::new(self.channel.clone())
    }

    pub(crate) fn kpis(&self) -> KpiServiceClient<Channel> {
        KpiServiceClient::new(self.channel.clone())
    }
}

impl Run {
    /// It did what it was asked.
    #[track_caller]
    pub(crate) fn good(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// The last line of standard output.
    pub(crate) fn summary(&self) -> &str {
        self.stdout.trim_end().lines().last().unwrap_or_default()
    }

    /// The lines about what is not unchanged, without the summary.
    pub(crate) fn changes(&self) -> Vec<&str> {
        let lines = self.stdout.lines().filter(|line| !line.starts_with("unchanged"));
        let mut lines: Vec<_> = lines.collect();
        lines.pop();
        lines
    }

    /// It refused everything with these faults, and nothing else but the last sentence.
    #[track_caller]
    pub(crate) fn refused(&self, faults: &[&str]) {
        assert_eq!(
            (self.code, self.stdout.as_str()),
            (Some(2), ""),
            "{}",
            self.stderr
        );
        let mut lines: Vec<_> = self.stderr.lines().collect();
        let last = lines.pop().unwrap_or_default();
        assert_eq!(lines, faults, "{}", self.stderr);
        assert!(last.starts_with("binnacle: nothing was written"), "{last}");
    }
}

async fn revision(mut workspaces: WorkspaceServiceClient<Channel>) -> i64 {
    let request = api::GetWorkspaceRequest {
        name: "workspaces/acme".to_owned(),
        min_revision: 0,
        as_of: None,
    };
    match workspaces.get_workspace(request).await {
        Ok(workspace) => workspace.into_inner().revision,
        Err(status) if status.code() == Code::NotFound => 0,
        Err(status) => panic!("{status}"),
    }
}

/// A channel to a server that has read its log.
async fn reached(address: &str) -> Channel {
    let endpoint = Channel::from_shared(format!("http://{address}")).expect("an address");
    let channel = endpoint.connect().await.expect("a connection");
    let mut client = WorkspaceServiceClient::new(channel.clone());
    let until = std::time::Instant::now() + WAIT;
    while let Err(status) = client
        .list_workspaces(api::ListWorkspacesRequest::default())
        .await
    {
        assert!(std::time::Instant::now() < until, "{status}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    channel
}
