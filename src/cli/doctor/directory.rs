//! The data directory: that it is there, who may read and write it, and what an interrupted command has left in it.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::process::geteuid;

use super::{Finding, said};
use crate::cli::identity::KEYS;
use crate::cli::proof::HEADS_BEFORE;
use crate::cli::serve::{
    RESTORING, SIGNING_KEY, STORE, check_signing_key_is_there, check_store_is_there, log_failure,
};
use crate::log::{SigningKey, store_is_there};

const ABOUT: &str = "data directory";

/// What a start needs of the directory.
pub(super) fn look(dir: &Path) -> Vec<Finding> {
    let metadata = match fs::metadata(dir) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return vec![Finding::warning(
                ABOUT,
                format!("{} is not there: a start makes an empty one", said(dir)),
                "if there should be data, mount its disk or correct --data-dir before the server starts",
            )];
        }
        Err(error) => {
            let is = format!("{} cannot be looked at: {error}", said(dir));
            return vec![Finding::wrong(
                ABOUT,
                is,
                "run this as the user that runs the server",
            )];
        }
    };
    if !metadata.is_dir() {
        let is = format!("{} is no directory", said(dir));
        return vec![Finding::wrong(ABOUT, is, "move it away, or correct --data-dir")];
    }
    let mut findings = rights(dir, &metadata);
    if may_be_read(dir) {
        findings.extend(signing_key(dir));
        findings.extend(leftovers(dir));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(
            ABOUT,
            format!("{} is there, and its owner's alone", said(dir)),
        ));
    }
    findings
}

/// Whether this user may look into it and at the store, as far as they are there: what they may not see is not missing.
pub(super) fn may_be_read(dir: &Path) -> bool {
    [dir.to_owned(), dir.join(STORE), dir.join(STORE).join("db")]
        .iter()
        .all(|path| {
            let denied = |error: io::Error| error.kind() == io::ErrorKind::PermissionDenied;
            let is_dir = fs::metadata(path).is_ok_and(|metadata| metadata.is_dir());
            let rights = if is_dir {
                Access::READ_OK | Access::EXEC_OK
            } else {
                Access::READ_OK
            };
            !access(path, rights).is_err_and(|error| denied(error.into()))
        })
}

/// Who may read and write it, and what is in it.
fn rights(dir: &Path, metadata: &Metadata) -> Vec<Finding> {
    if access(dir, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err() {
        // Of what is in it the same would be said.
        return vec![Finding::wrong(
            ABOUT,
            format!("this user may not read and write {}", said(dir)),
            "run this as the user that runs the server, or give the directory to that user with chown -R",
        )];
    }
    let mut findings = Vec::new();
    if geteuid().is_root() && metadata.uid() != 0 {
        findings.push(Finding::warning(
            ABOUT,
            format!(
                "root may read and write everything, but {} belongs to the user {}: what is found here is not what a server of \
                 theirs would find",
                said(dir),
                metadata.uid()
            ),
            "run this as the user that runs the server",
        ));
    }
    if metadata.mode() & 0o007 != 0 {
        findings.push(Finding::warning(
            ABOUT,
            format!(
                "every user of this machine may look into {}, mode {:03o}",
                said(dir),
                metadata.mode() & 0o777
            ),
            format!("run chmod 700 {}", said(dir)),
        ));
    }
    for path in files(dir) {
        let Ok(file) = fs::metadata(&path) else { continue };
        let strange = file.uid() != metadata.uid();
        if strange || access(&path, Access::READ_OK | Access::WRITE_OK).is_err() {
            let is = match strange {
                true => format!("{} belongs to another user than its directory", said(&path)),
                false => format!("this user may not read and write {}", said(&path)),
            };
            let todo = "give everything in the directory to the user that runs the server, with chown -R";
            findings.push(Finding::wrong(ABOUT, is, todo));
        }
    }
    findings
}

/// What a server reads and writes there, as far as it is there.
fn files(dir: &Path) -> Vec<PathBuf> {
    let names = [
        STORE,
        "store/db",
        "heads",
        "checkpoints",
        SIGNING_KEY,
        KEYS,
        "access",
    ];
    let paths = names.map(|name| dir.join(name)).into_iter();
    paths.filter(|path| path.exists()).collect()
}

/// The key that signs checkpoints.
fn signing_key(dir: &Path) -> Option<Finding> {
    let path = dir.join(SIGNING_KEY);
    let fault = match File::open(&path) {
        Ok(file) => SigningKey::load(file, &path).err(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => check_signing_key_is_there(dir).err(),
        // That it may not be read is said already.
        Err(_) => None,
    };
    let todo = "see \"Lost key\" in docs/operations.md";
    fault.map(|fault| Finding::of_failure("signing key", &log_failure(&fault), todo))
}

/// What a restore that was interrupted has left, and a store that is missing.
fn leftovers(dir: &Path) -> Vec<Finding> {
    if let Err(error) = check_store_is_there(dir) {
        let todo = "see \"Restore\" in docs/operations.md";
        return vec![Finding::of_failure(ABOUT, &log_failure(&error), todo)];
    }
    let mut left: Vec<PathBuf> = [RESTORING, HEADS_BEFORE].map(|name| dir.join(name)).into();
    let superseded = fs::read_dir(dir.join("checkpoints/superseded"))
        .into_iter()
        .flatten()
        .flatten();
    left.extend(
        superseded
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "before")),
    );
    left.retain(|path| path.exists() && store_is_there(&dir.join(STORE)));
    let left = left.into_iter();
    left.map(|path| {
        Finding::warning(
            ABOUT,
            format!("{} is what an interrupted restore has left", said(&path)),
            "nothing is to be done: the next start puts heads and checkpoints right, and store.restoring may be removed behind it",
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::Level;
    use super::*;

    fn dir_with(mode: u32) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).unwrap();
        dir
    }

    fn found(dir: &Path) -> Vec<(Level, String)> {
        look(dir)
            .into_iter()
            .map(|finding| (finding.level, finding.is))
            .collect()
    }

    #[test]
    fn a_directory_of_its_owners_alone_is_fine_and_one_that_all_may_read_is_not() {
        let dir = dir_with(0o700);
        assert!(matches!(found(dir.path()).as_slice(), [(Level::Ok, _)]));
        let open = dir_with(0o755);
        let [(Level::Warning, is)] = &found(open.path())[..] else {
            panic!("{:?}", found(open.path()));
        };
        assert!(is.contains("mode 755"), "{is}");
    }

    #[test]
    fn one_that_is_not_there_is_told_from_one_that_is_none() {
        let dir = dir_with(0o700);
        let (nowhere, file) = (dir.path().join("nowhere"), dir.path().join("file"));
        fs::write(&file, b"").unwrap();
        assert!(matches!(found(&nowhere).as_slice(), [(Level::Warning, is)] if is.contains("is not there")));
        assert!(matches!(found(&file).as_slice(), [(Level::Wrong, is)] if is.contains("is no directory")));
    }

    #[test]
    fn what_a_restore_has_left_beside_a_whole_store_is_a_warning_and_without_one_it_is_wrong() {
        let dir = dir_with(0o700);
        fs::create_dir_all(dir.path().join("store.restoring")).unwrap();
        assert!(
            matches!(found(dir.path()).as_slice(), [(Level::Wrong, is)] if is.contains("was interrupted"))
        );
        fs::create_dir_all(dir.path().join("store")).unwrap();
        fs::write(dir.path().join("store/db"), b"").unwrap();
        fs::create_dir_all(dir.path().join("checkpoints/superseded")).unwrap();
        for left in [
            "heads.before-restore",
            "checkpoints/superseded/00.before",
            "checkpoints/superseded/00",
        ] {
            fs::write(dir.path().join(left), b"").unwrap();
        }
        let found = found(dir.path());
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found.iter().all(|(level, _)| *level == Level::Warning),
            "{found:?}"
        );
    }
}
