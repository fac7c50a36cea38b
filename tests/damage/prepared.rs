//! One data directory that every case starts from a copy of, and what is known of it from before the damage.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::company::{batch, furnish, measure_all, wait};
use crate::program::{Server, run};
use crate::reads::{Everything, everything};

/// The directory, and what an auditor has kept elsewhere.
pub(crate) struct Prepared {
    files: TempDir,
    /// Everything that the server answered from before.
    pub(crate) before: Everything,
}

/// A copy of it, gone with the case.
pub(crate) struct Copied {
    files: TempDir,
}

/// Two workspaces, each with three checkpoints: "acme" with single measurements and one commit of many blocks, "beta" with
/// a few.
pub(crate) fn prepared() -> &'static Prepared {
    static PREPARED: OnceLock<Prepared> = OnceLock::new();
    PREPARED.get_or_init(Prepared::new)
}

impl Prepared {
    fn new() -> Self {
        let files = TempDir::new().expect("a folder");
        let data = files.path().join("data");
        let server = Server::start(&data);
        wait(async {
            for workspace in ["acme", "beta"] {
                furnish(&server.url, workspace).await;
            }
            measure_all(&server.url, "acme", 0..30).await;
            batch(&server.url, "acme", "large", &[60; 300]).await;
            measure_all(&server.url, "beta", 0..5).await;
        });
        server.stop();
        copy(&data, &files.path().join("older"));
        let server = Server::start(&data);
        wait(measure_all(&server.url, "acme", 30..80));
        wait(measure_all(&server.url, "beta", 5..8));
        server.stop();
        let server = Server::start(&data);
        wait(measure_all(&server.url, "acme", 80..120));
        wait(measure_all(&server.url, "beta", 8..10));
        let before = everything(&server.url);
        for workspace in ["acme", "beta"] {
            let kept = files.path().join(format!("{workspace}.checkpoint"));
            let args = ["checkpoint", workspace, "--server", &server.url, "-o"];
            run(args.iter().map(AsRef::as_ref).chain([kept.as_os_str()])).ended(0, &[]);
        }
        server.stop();
        fs::copy(data.join("checkpoint.pub"), files.path().join("kept.pub")).expect("the key");
        Self { files, before }
    }

    /// The directory as it was when it was stopped first.
    pub(crate) fn older(&self) -> PathBuf {
        self.files.path().join("older")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.files.path().join("kept.pub")
    }

    /// The checkpoints that were kept elsewhere, of the newest revision of each workspace.
    pub(crate) fn kept(&self) -> [PathBuf; 2] {
        ["acme", "beta"].map(|workspace| self.files.path().join(format!("{workspace}.checkpoint")))
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.files.path().join("data")
    }

    pub(crate) fn copy(&self) -> Copied {
        let copied = Copied {
            files: TempDir::new().expect("a folder"),
        };
        copy(&self.data(), &copied.dir());
        copied
    }
}

impl Copied {
    pub(crate) fn dir(&self) -> PathBuf {
        self.files.path().join("data")
    }

    /// Where `verify` copies the store to.
    pub(crate) fn scratch(&self) -> &Path {
        self.files.path()
    }
}

/// A directory with all that is in it, and the modes of its files.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true => copy(&from, &to),
            false => {
                fs::copy(&from, &to).expect("a copy");
            }
        }
    }
}
