//! `binnacle keys`: API keys are made, listed and revoked in a data directory, while the server runs or not.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::{Span, Timestamp};

use super::identity::KEYS;
use super::text::plain;
use super::words::{counted, say, tell};
use super::{Failure, FailureKind};
use crate::identity::{KeyFault, KeyFile, NewKey, StoredKey};

/// Makes, lists and revokes API keys.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(super) struct Keys {
    #[command(subcommand)]
    what: What,
    /// The server's data directory
    #[arg(
        long,
        env = "BINNACLE_DATA_DIR",
        value_name = "DIR",
        default_value = "./data",
        global = true
    )]
    data_dir: PathBuf,
}

const AFTER_HELP: &str = "\
  binnacle keys create --principal ingest@acme.example --expires-in 90days > ingest.key
  binnacle keys list
  binnacle keys revoke 3f0d6f8e6c1d

A server with keys asks everybody for one, or for another credential. Whoever makes the first key starts the server again; from \
then on a key that is made or revoked counts within a second, and what is open with a revoked one ends.";

#[derive(Debug, Subcommand)]
enum What {
    /// Makes a key and writes it: nobody will see it again
    Create(Create),
    /// Lists all keys, without what would let anybody in
    List,
    /// Revokes a key: it lets nobody in any more
    Revoke {
        /// The key's id, as list shows it
        id: String,
    },
}

#[derive(Debug, Args)]
struct Create {
    /// Whose it is, as members of workspaces name it, for example maria@acme.example
    #[arg(long, value_name = "NAME")]
    principal: String,
    /// How long it holds, for example 90days or 12h [default: for ever]
    #[arg(long, value_name = "SPAN")]
    expires_in: Option<Span>,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

impl Keys {
    pub(super) fn run(self) -> Result<(), Failure> {
        let path = self.data_dir.join(KEYS);
        match self.what {
            What::Create(Create {
                principal,
                expires_in,
                note,
            }) => {
                let is_first = !path.exists();
                let expire_time = expires_in.map(from_now).transpose()?;
                let new = NewKey {
                    principal,
                    expire_time,
                    note,
                };
                let (key, token) = KeyFile::create_key(&path, &new).map_err(|fault| failure(&fault))?;
                tell(&format!(
                    "the key {} of {}; send it as \"authorization: Bearer KEY\", or give it to this program in BINNACLE_TOKEN",
                    key.id, key.principal
                ));
                if is_first {
                    tell(
                        "it is the first: start the server again, from then on it asks everybody who they are",
                    );
                }
                say(&token);
            }
            What::List => {
                let keys = KeyFile::list(&path).map_err(|fault| failure(&fault))?;
                let now = Timestamp::now();
                for key in &keys {
                    say(&plain(&line(key, now)));
                }
                tell(&counted(keys.len(), "key"));
            }
            What::Revoke { id } => {
                KeyFile::revoke_key(&path, &id).map_err(|fault| failure(&fault))?;
                say(&format!("{id} lets nobody in any more"));
            }
        }
        Ok(())
    }
}

fn line(key: &StoredKey, now: Timestamp) -> String {
    let state = match (key.revoke_time, key.expire_time) {
        (Some(time), _) => format!("revoked {time:.0}"),
        (None, Some(time)) if time <= now => format!("expired {time:.0}"),
        (None, Some(time)) => format!("until {time:.0}"),
        (None, None) => "for ever".to_owned(),
    };
    let note = match key.note.as_str() {
        "" => String::new(),
        note => format!("  {note}"),
    };
    format!(
        "{}  {}  made {:.0}, {state}{note}",
        key.id, key.principal, key.create_time
    )
}

fn from_now(span: Span) -> Result<Timestamp, Failure> {
    let wrong = |error: jiff::Error| Failure::new(FailureKind::Usage, format!("--expires-in: {error}"));
    // Days and weeks have a length only where there is a calendar: these are of 24 hours, without leap seconds.
    let now = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    now.checked_add(span)
        .map(|zoned| zoned.timestamp())
        .map_err(wrong)
}

fn failure(fault: &KeyFault) -> Failure {
    match fault {
        KeyFault::Io { .. } => Failure::failed(fault),
        KeyFault::Damaged { .. } => Failure::new(FailureKind::Damaged, fault.to_string()),
        KeyFault::Exposed { .. }
        | KeyFault::NotFound(_)
        | KeyFault::RevokedAlready(_)
        | KeyFault::Invalid(_) => Failure::new(FailureKind::Usage, fault.to_string()),
    }
}
