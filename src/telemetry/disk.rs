//! What the data directory takes.

use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;

/// How many bytes the files below a directory have. What goes away meanwhile is not counted, and no link is followed.
pub(super) fn store_bytes(directory: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        match bytes_of(&entry?) {
            Ok(more) => bytes += more,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

fn bytes_of(entry: &DirEntry) -> io::Result<u64> {
    let kind = entry.file_type()?;
    if kind.is_dir() {
        store_bytes(&entry.path())
    } else if kind.is_file() {
        Ok(entry.metadata()?.len())
    } else {
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_below_a_directory_counts_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path();
        fs::create_dir_all(root.join("a/b")).expect("directories");
        fs::write(root.join("1"), [0; 10]).expect("a file");
        fs::write(root.join("a/b/2"), [0; 200]).expect("a file");
        std::os::unix::fs::symlink(root.join("a"), root.join("again")).expect("a link");
        assert_eq!(store_bytes(root).expect("a size"), 210);
        assert!(store_bytes(&root.join("none")).is_err());
    }
}
