//! Where a history is written: to standard output as it comes, or to a file that is there when it is whole.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::cli::{Failure, FailureKind};

/// Where it is written.
pub(super) enum Output {
    Standard(BufWriter<io::Stdout>),
    File {
        part: BufWriter<File>,
        beside: Beside,
        file: PathBuf,
    },
}

/// The name of a file that is not whole yet. It goes with its writer.
pub(super) struct Beside(PathBuf);

impl Drop for Beside {
    fn drop(&mut self) {
        // It is not there any more where it was moved to its place.
        let _moved = std::fs::remove_file(&self.0);
    }
}

/// Why something is not written.
#[derive(Debug)]
pub(super) enum WriteError {
    /// Nobody reads any more.
    Unread,
    /// It cannot be written, or not be read from the server.
    Failed(Failure),
}

impl Output {
    /// # Errors
    /// The file cannot be written.
    pub(super) fn open(file: Option<&Path>) -> Result<Self, WriteError> {
        let Some(file) = file else {
            return Ok(Self::Standard(BufWriter::new(io::stdout())));
        };
        let mut beside = file.as_os_str().to_owned();
        beside.push(".part");
        let beside = Beside(PathBuf::from(beside));
        let part = File::create(&beside.0).map_err(|error| unwritten(file, &error))?;
        Ok(Self::File {
            part: BufWriter::new(part),
            beside,
            file: file.to_owned(),
        })
    }

    /// # Errors
    /// It cannot be written.
    pub(super) fn write(&mut self, text: &str) -> Result<(), WriteError> {
        match self {
            Self::Standard(out) => Ok(out.write_all(text.as_bytes())?),
            Self::File { part, file, .. } => part
                .write_all(text.as_bytes())
                .map_err(|error| unwritten(file, &error)),
        }
    }

    /// Whoever looks on sees what there is so far.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn flush(&mut self) -> Result<(), WriteError> {
        match self {
            Self::Standard(out) => Ok(out.flush()?),
            Self::File { .. } => Ok(()),
        }
    }

    /// It is whole.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn finish(self) -> Result<(), WriteError> {
        match self {
            Self::Standard(mut out) => Ok(out.flush()?),
            Self::File { part, beside, file } => {
                let whole = part.into_inner().map_err(io::IntoInnerError::into_error);
                // On the disk before it has its name, so that no crash leaves half a file under it.
                let written = whole
                    .and_then(|part| part.sync_all())
                    .and_then(|()| std::fs::rename(&beside.0, &file));
                written.map_err(|error| unwritten(&file, &error))
            }
        }
    }
}

fn unwritten(file: &Path, error: &io::Error) -> WriteError {
    let sentence = format!("{} cannot be written: {error}", file.display());
    WriteError::Failed(Failure::new(FailureKind::Failed, sentence))
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::Unread;
        }
        let sentence = format!("standard output cannot be written: {error}");
        Self::Failed(Failure::new(FailureKind::Failed, sentence))
    }
}

impl From<Failure> for WriteError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
