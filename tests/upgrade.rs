//! What each release has stored is served by this one: every `tests/data/v*/store` is a whole data directory as that release left
//! it, and `backup.binnacle` beside it an archive. `tests/data/README.md` says how a release adds its own.
//!
//! Each is copied first; what is kept is never opened.

#[path = "upgrade/client.rs"]
mod client;
#[path = "common/process.rs"]
mod process;
#[path = "upgrade/program.rs"]
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use client::Client;
use process::ServerProcess;
use program::binnacle;

/// What a release has left.
struct Release {
    /// `tests/data/v0.1`.
    folder: PathBuf,
    must: Must,
}

/// What its data must answer, for ever: `store.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Must {
    /// An API key that lets somebody in who may read and write all of it.
    token: String,
    /// By id.
    workspaces: BTreeMap<String, Workspace>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Workspace {
    /// The newest revision, and the root of the log up to there, in base64.
    revision: i64,
    root: String,
    /// Scores and values as of that revision, by the name of what has them.
    figures: BTreeMap<String, f64>,
}

/// Where the data of this release is kept.
fn own_folder() -> PathBuf {
    let mut parts = env!("CARGO_PKG_VERSION").split('.');
    let (major, minor) = (parts.next().expect("a number"), parts.next().expect("a number"));
    data().join(format!("v{major}.{minor}"))
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// Every release that has a folder. One without a store is a mistake.
fn releases() -> Vec<Release> {
    let entries = fs::read_dir(data()).expect("tests/data");
    let folders = entries.map(|entry| entry.expect("an entry").path());
    let mut folders: Vec<PathBuf> = folders.filter(|path| path.is_dir()).collect();
    folders.sort();
    let read = |folder: PathBuf| {
        let text = fs::read_to_string(folder.join("store.json")).unwrap_or_else(|error| {
            panic!(
                "{}: no store.json: {error}; see tests/data/README.md",
                folder.display()
            )
        });
        let must = serde_json::from_str(&text).expect("what is to be answered");
        Release { folder, must }
    };
    folders.into_iter().map(read).collect()
}

impl Release {
    /// A copy of its data directory. What is its owner's alone is so again, which is not kept in a repository.
    fn copy(&self) -> TempDir {
        let to = TempDir::new().expect("a folder");
        copy(&self.folder.join("store"), to.path());
        to
    }

    fn public_key(&self) -> String {
        let path = self.folder.join("store/checkpoint.pub");
        path.to_string_lossy().into_owned()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let (from, name) = entry
            .map(|entry| (entry.path(), entry.file_name()))
            .expect("an entry");
        let to = to.join(name);
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a copy");
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).expect("a mode");
        }
    }
}

fn serve(dir: &Path) -> ServerProcess {
    // The clock of whoever runs this is not the one that the release had.
    let server = ServerProcess::start_at(dir, "127.0.0.1:0", &["--accept-clock"]);
    binnacle(&["health", "--wait", "30", "--server", &server.url()], None);
    server
}

fn stop(mut server: ServerProcess) {
    server.terminate();
    assert!(server.ended(), "it did not stop in good order");
}

fn verify(release: &Release, dir: &Path) {
    let dir = dir.to_string_lossy();
    binnacle(&["verify", "--public-key", &release.public_key(), &dir], None);
}

/// What stood in the data of a release stands there still.
async fn assert_answers(client: &Client, must: &Must, whose: &Path) {
    assert!(
        !must.workspaces.is_empty(),
        "{} promises nothing",
        whose.display()
    );
    for (id, workspace) in &must.workspaces {
        let whose = format!("{}: workspaces/{id}", whose.display());
        let root = client.root(id, workspace.revision).await;
        assert_eq!(BASE64.encode(root), workspace.root, "{whose}");
        let figures = client.figures(id, workspace.revision).await;
        assert!(workspace.figures.len() >= 2, "{whose} promises next to nothing");
        for (name, was) in &workspace.figures {
            let is = figures.get(name).copied().unwrap_or(f64::NAN);
            // As many digits as JSON keeps.
            assert!(
                (is - was).abs() <= was.abs() * 1e-12,
                "{whose}: {name} was {was} and is {is}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_of_every_release_is_served_gone_on_with_and_verified() {
    for release in releases() {
        let (dir, must) = (release.copy(), &release.must);
        verify(&release, dir.path());
        let server = serve(dir.path());
        let client = Client::connect(&server.url(), &must.token).await;
        assert_answers(&client, must, &release.folder).await;
        let mut recorded = Vec::new();
        for (id, workspace) in &must.workspaces {
            let kpi = workspace
                .figures
                .keys()
                .find(|name| name.contains("/kpis/"))
                .expect("a KPI");
            let before = client.measurements(id, kpi).await;
            let revision = client.measure(kpi).await;
            assert!(revision > workspace.revision, "{kpi}: {revision}");
            recorded.push((id, kpi, before + 1));
        }
        stop(server);
        let server = serve(dir.path());
        let client = Client::connect(&server.url(), &must.token).await;
        assert_answers(&client, must, &release.folder).await;
        for (id, kpi, count) in recorded {
            assert_eq!(client.measurements(id, kpi).await, count, "{kpi}");
        }
        stop(server);
        verify(&release, dir.path());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_of_every_release_is_restored() {
    for release in releases() {
        let dir = TempDir::new().expect("a folder");
        let data_dir = dir.path().to_string_lossy().into_owned();
        let archive = release
            .folder
            .join("backup.binnacle")
            .to_string_lossy()
            .into_owned();
        let key = release.public_key();
        binnacle(
            &[
                "restore",
                &archive,
                "--data-dir",
                &data_dir,
                "--public-key",
                &key,
                "--reason",
                "an upgrade",
            ],
            None,
        );
        // Keys are in no archive.
        for name in ["keys.json", "keys.lock"] {
            let to = dir.path().join(name);
            fs::copy(release.folder.join("store").join(name), &to).expect("a copy");
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).expect("a mode");
        }
        let server = serve(dir.path());
        let client = Client::connect(&server.url(), &release.must.token).await;
        assert_answers(&client, &release.must, &release.folder).await;
        stop(server);
    }
}

/// A release that has not left its data would not be held to anything.
#[tokio::test(flavor = "multi_thread")]
async fn this_release_has_left_its_data() {
    let folder = own_folder();
    if std::env::var_os("BINNACLE_WRITE_STORE").is_some() && !folder.join("store.json").exists() {
        write(&folder).await;
    }
    for name in [
        "store.json",
        "store/store/db",
        "store/checkpoint.pub",
        "backup.binnacle",
    ] {
        assert!(
            folder.join(name).is_file(),
            "{} has no {name}: see tests/data/README.md",
            folder.display()
        );
    }
}

/// The company of `examples/manifests`, with what manifests do not say, and a second workspace.
async fn write(folder: &Path) {
    let dir = TempDir::new().expect("a folder");
    let data_dir = dir.path().to_string_lossy().into_owned();
    let token = binnacle(
        &["keys", "create", "--principal", "maria", "--data-dir", &data_dir],
        None,
    );
    let server = ServerProcess::start_at(dir.path(), "127.0.0.1:0", &["--operator", "maria"]);
    let url = server.url();
    binnacle(&["health", "--wait", "30", "--server", &url], None);
    let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/manifests");
    let manifests = manifests.to_string_lossy();
    binnacle(
        &["apply", "-f", &manifests, "--actor", "maria", "--server", &url],
        Some(&token),
    );
    let client = Client::connect(&url, &token).await;
    client.live("meridian").await;
    client.begin("small").await;
    let archive = folder.join("backup.binnacle").to_string_lossy().into_owned();
    fs::create_dir_all(folder).expect("a folder");
    binnacle(&["backup", "-o", &archive, "--server", &url], Some(&token));
    let mut workspaces = BTreeMap::new();
    for id in ["meridian", "small"] {
        let revision = client.revision(id).await;
        let workspace = Workspace {
            revision,
            root: BASE64.encode(client.root(id, revision).await),
            figures: client.figures(id, revision).await,
        };
        workspaces.insert(id.to_owned(), workspace);
    }
    stop(server);
    copy(dir.path(), &folder.join("store"));
    let must = serde_json::to_string_pretty(&Must { token, workspaces }).expect("JSON");
    // The last: without it nothing is there.
    fs::write(folder.join("store.json"), must + "\n").expect("a file");
}
