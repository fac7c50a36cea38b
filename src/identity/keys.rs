//! API keys: 256 random bits for a principal, of which only a hash is kept.
//!
//! Invariant: the file holds nothing that would let anybody in; it is its owner's alone, and whole whenever it is read. A key
//! that is revoked stays in it, so that the history can be read.
//!
//! Format: JSON, one object with `keys`, a list; see `docs/security.md`.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use smol_str::SmolStr;
use subtle::ConstantTimeEq;
use thiserror::Error;

use super::{FileVersion, Identity, Unauthenticated};
use crate::domain::{Authentication, Principal};
use crate::whole_file::write_whole;

/// What every key begins with, so that one that has leaked is found by whoever looks for it.
const PREFIX: &str = "binnacle_";
const SECRET_BYTES: usize = 32;
const ID_BYTES: usize = 6;

/// A key as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredKey {
    /// Names it: 12 hexadecimal digits, no secret.
    pub id: SmolStr,
    /// Whose it is.
    pub principal: SmolStr,
    /// SHA-256 of the secret, in hexadecimal.
    pub sha256: String,
    /// When it was made.
    pub create_time: Timestamp,
    /// From when on it is worth nothing; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_time: Option<Timestamp>,
    /// When it was revoked; absent: it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke_time: Option<Timestamp>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A key that is to be made.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Whose it is.
    pub principal: String,
    /// From when on it is worth nothing.
    pub expire_time: Option<Timestamp>,
    /// What it is for.
    pub note: String,
}

/// All keys of a server.
#[derive(Debug, Default)]
pub struct KeyRing {
    keys: BTreeMap<SmolStr, (StoredKey, [u8; 32])>,
}

/// The file, and what was read of it last.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    ring: ArcSwap<KeyRing>,
    read: Mutex<FileVersion>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    keys: Vec<StoredKey>,
}

/// Why the keys cannot be read or changed.
#[derive(Debug, Error)]
pub enum KeyFault {
    /// The operating system refuses.
    #[error("{path} cannot be read or written: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not what was written.
    #[error("{path} holds no keys that this release reads: {why}; put it back from a copy, or remove it and make new keys", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Others may read or write it.
    #[error("{path} can be read or written by others than its owner: run chmod 600 {path}", path = path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// No key has that id.
    #[error("there is no key {0}: binnacle keys list shows them all")]
    NotFound(String),
    /// It is revoked already.
    #[error("the key {0} is revoked already")]
    RevokedAlready(String),
    /// A field of a new key.
    #[error("{0}")]
    Invalid(String),
}

impl NewKey {
    /// A key that never expires.
    #[must_use]
    pub fn of(principal: &str) -> Self {
        Self {
            principal: principal.to_owned(),
            expire_time: None,
            note: String::new(),
        }
    }
}

impl KeyRing {
    /// Whether a bearer token looks like a key.
    #[must_use]
    pub fn is_key(token: &str) -> bool {
        token.starts_with(PREFIX)
    }

    /// Whose a token is.
    ///
    /// # Errors
    /// It is no key of this ring, or one that is worth nothing any more.
    pub fn identify(&self, token: &str, now: Timestamp) -> Result<Identity, Unauthenticated> {
        let (id, secret) = token
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('_'))
            .ok_or(Unauthenticated::Unknown)?;
        let shown: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
        // Also for an id that there is not a hash is compared: the time says nothing of which ids there are.
        let found = self.keys.get(id);
        let kept = found.map_or([0; 32], |(_, hash)| *hash);
        let is_right = bool::from(kept.ct_eq(&shown));
        let (key, _) = found.filter(|_| is_right).ok_or(Unauthenticated::Unknown)?;
        if !key.holds(now) {
            return Err(Unauthenticated::Expired);
        }
        Ok(Identity {
            principal: key.principal.clone(),
            authentication: Authentication::ApiKey,
            expires: key.expire_time,
            key: Some(key.id.clone()),
            is_operator: false,
        })
    }

    /// Whether there is a key of that id that still holds.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.keys
            .get(id)
            .is_some_and(|(key, _)| key.holds(Timestamp::now()))
    }

    /// Every key, by id.
    pub fn iter(&self) -> impl Iterator<Item = &StoredKey> {
        self.keys.values().map(|(key, _)| key)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let Stored { keys } = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut ring = Self::default();
        for key in keys {
            let hash = hash_of(&key.sha256).ok_or_else(|| format!("the hash of {} is none", key.id))?;
            Principal::parse(&key.principal).map_err(|invalid| invalid.to_string())?;
            if ring.keys.insert(key.id.clone(), (key, hash)).is_some() {
                return Err("one id is in it twice".to_owned());
            }
        }
        Ok(ring)
    }
}

impl StoredKey {
    /// Whether it lets anybody in at a moment.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.revoke_time.is_none() && self.expire_time.is_none_or(|expires| now < expires)
    }
}

impl KeyFile {
    /// Opens it.
    ///
    /// # Errors
    /// It cannot be read, is damaged, or others may read it.
    pub fn open(path: PathBuf) -> Result<Self, KeyFault> {
        let (ring, version) = read(&path)?;
        Ok(Self {
            path,
            ring: ArcSwap::from_pointee(ring),
            read: Mutex::new(version),
        })
    }

    /// The keys as they were read last.
    #[must_use]
    pub fn ring(&self) -> Arc<KeyRing> {
        self.ring.load_full()
    }

    /// Reads it again if it has changed, and answers whether it had. One that cannot be read leaves nobody in: whoever removes the
    /// file, or damages it, must not bring a revoked key back.
    pub(super) fn look_again(&self) -> bool {
        let mut last = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let version = FileVersion::at(&self.path);
        if version == *last {
            return false;
        }
        let ring = match read(&self.path) {
            Ok((ring, read)) => {
                *last = read;
                tracing::info!(keys = ring.keys.len(), "the keys have changed");
                ring
            }
            Err(fault) => {
                // It is tried again.
                *last = FileVersion::default();
                if self.ring().keys.is_empty() {
                    return false;
                }
                tracing::error!(%fault, "no key is accepted until the file can be read");
                KeyRing::default()
            }
        };
        self.ring.store(Arc::new(ring));
        true
    }

    /// Whether there were keys at a path once.
    #[must_use]
    pub fn was_at(path: &Path) -> bool {
        lock_of(path).exists()
    }

    /// Every key of a file; one that is not there has none.
    ///
    /// # Errors
    /// As [`KeyFile::open`].
    pub fn list(path: &Path) -> Result<Vec<StoredKey>, KeyFault> {
        match path.exists() {
            true => Ok(read(path)?.0.iter().cloned().collect()),
            false => Ok(Vec::new()),
        }
    }

    /// Makes a key, and answers it: nobody will ever see it again.
    ///
    /// # Errors
    /// As [`KeyFile::open`]; a field of it is no good.
    pub fn create_key(path: &Path, new: &NewKey) -> Result<(StoredKey, String), KeyFault> {
        let invalid = |sentence: String| KeyFault::Invalid(sentence);
        Principal::parse(&new.principal).map_err(|error| invalid(error.to_string()))?;
        if !new.principal.is_ascii() {
            return Err(invalid(
                "the principal is not plain ASCII text: write it so, for example as an e-mail address"
                    .to_owned(),
            ));
        }
        if new.note.chars().count() > 200 || new.note.chars().any(char::is_control) {
            return Err(invalid(
                "the note has at most 200 characters and no control characters".to_owned(),
            ));
        }
        let now = Timestamp::now();
        if new.expire_time.is_some_and(|expires| expires <= now) {
            return Err(invalid(
                "the key would have expired already: name a later time".to_owned(),
            ));
        }
        let id = hex(&random::<ID_BYTES>(path)?);
        let secret = URL_SAFE_NO_PAD.encode(random::<SECRET_BYTES>(path)?);
        let key = StoredKey {
            id: id.as_str().into(),
            principal: new.principal.as_str().into(),
            sha256: hex(&Sha256::digest(secret.as_bytes())),
            create_time: now,
            expire_time: new.expire_time,
            revoke_time: None,
            note: new.note.clone(),
        };
        change(path, |keys| {
            keys.push(key.clone());
            Ok(())
        })?;
        Ok((key, format!("{PREFIX}{id}_{secret}")))
    }

    /// Revokes a key: it lets nobody in from now on.
    ///
    /// # Errors
    /// As [`KeyFile::open`]; there is no such key, or it is revoked already.
    pub fn revoke_key(path: &Path, id: &str) -> Result<(), KeyFault> {
        change(path, |keys| {
            let key = keys.iter_mut().find(|key| key.id == id);
            let key = key.ok_or_else(|| KeyFault::NotFound(id.to_owned()))?;
            if key.revoke_time.is_some() {
                return Err(KeyFault::RevokedAlready(id.to_owned()));
            }
            key.revoke_time = Some(Timestamp::now());
            Ok(())
        })
    }
}

/// What one program holds while it changes the file. It stays, and says that there were keys.
fn lock_of(path: &Path) -> PathBuf {
    path.with_extension("lock")
}

/// Changes the file: one program after the other, and whole whenever it is read.
fn change(
    path: &Path,
    change: impl FnOnce(&mut Vec<StoredKey>) -> Result<(), KeyFault>,
) -> Result<(), KeyFault> {
    let failed = |source| KeyFault::Io {
        path: path.to_owned(),
        source,
    };
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir).map_err(failed)?;
    }
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(lock_of(path))
        .map_err(failed)?;
    lock.lock().map_err(failed)?;
    let mut keys = KeyFile::list(path)?;
    change(&mut keys)?;
    let text = serde_json::to_string_pretty(&Stored { keys }).map_err(|error| failed(error.into()))?;
    write_whole(path, &text, 0o600).map_err(failed)
}

fn read(path: &Path) -> Result<(KeyRing, FileVersion), KeyFault> {
    let failed = |source| KeyFault::Io {
        path: path.to_owned(),
        source,
    };
    let metadata = fs::metadata(path).map_err(failed)?;
    if metadata.mode() & 0o077 != 0 {
        return Err(KeyFault::Exposed {
            path: path.to_owned(),
        });
    }
    // Before the text: what changes meanwhile is seen the next time.
    let version = FileVersion::of(&metadata);
    let text = fs::read_to_string(path).map_err(failed)?;
    let ring = KeyRing::parse(&text).map_err(|why| KeyFault::Damaged {
        path: path.to_owned(),
        why,
    })?;
    Ok((ring, version))
}

fn random<const N: usize>(path: &Path) -> Result<[u8; N], KeyFault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| KeyFault::Io {
        path: path.to_owned(),
        source: io::Error::other(error.to_string()),
    })?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash_of(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Given {
        _dir: tempfile::TempDir,
        path: PathBuf,
    }

    fn given() -> Given {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys.json");
        Given { _dir: dir, path }
    }

    #[test]
    fn a_key_lets_its_principal_in_and_the_file_holds_nothing_that_would() {
        let given = given();
        let (key, token) = KeyFile::create_key(&given.path, &NewKey::of("maria@example.com")).unwrap();
        let file = KeyFile::open(given.path.clone()).unwrap();
        let identity = file.ring().identify(&token, Timestamp::now()).unwrap();
        assert_eq!(identity.principal, "maria@example.com");
        assert_eq!(identity.authentication, Authentication::ApiKey);
        assert_eq!(identity.key.as_ref(), Some(&key.id));
        let secret = token.splitn(3, '_').nth(2).unwrap();
        let text = fs::read_to_string(&given.path).unwrap();
        assert!(
            token.len() > 60 && !text.contains(&token) && !text.contains(secret),
            "{text}"
        );
        assert_eq!(fs::metadata(&given.path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn any_other_secret_or_id_is_none() {
        let given = given();
        let (key, token) = KeyFile::create_key(&given.path, &NewKey::of("maria")).unwrap();
        let ring = KeyFile::open(given.path).unwrap().ring();
        let last = if token.ends_with('A') { 'B' } else { 'A' };
        let changed = format!("{}{last}", &token[..token.len() - 1]);
        for wrong in [
            changed,
            token.replace(key.id.as_str(), "000000000000"),
            token.to_uppercase(),
            format!("{token}A"),
            PREFIX.to_owned(),
            format!("{PREFIX}{}_", key.id),
            format!("{PREFIX}{}", key.id),
        ] {
            let refused = ring.identify(&wrong, Timestamp::now());
            assert_eq!(refused.unwrap_err(), Unauthenticated::Unknown, "{wrong}");
        }
    }

    #[test]
    fn a_key_ends_with_its_time_and_at_once_when_it_is_revoked() {
        let given = given();
        let hour = jiff::SignedDuration::from_hours(1);
        let new = NewKey {
            expire_time: Some(Timestamp::now() + hour),
            ..NewKey::of("maria")
        };
        let (key, token) = KeyFile::create_key(&given.path, &new).unwrap();
        let file = KeyFile::open(given.path.clone()).unwrap();
        let at = |time| {
            file.ring()
                .identify(&token, time)
                .map(|identity| identity.principal)
        };
        assert!(at(Timestamp::now()).is_ok());
        assert_eq!(
            at(Timestamp::now() + hour * 2).unwrap_err(),
            Unauthenticated::Expired
        );
        assert!(!file.look_again(), "nothing has changed");
        KeyFile::revoke_key(&given.path, &key.id).unwrap();
        assert!(file.look_again());
        assert_eq!(at(Timestamp::now()).unwrap_err(), Unauthenticated::Expired);
        assert!(!file.ring().has(&key.id));
        let again = KeyFile::revoke_key(&given.path, &key.id).unwrap_err();
        assert!(again.to_string().contains("revoked already"), "{again}");
        let other = KeyFile::revoke_key(&given.path, "nobody").unwrap_err();
        assert!(other.to_string().contains("there is no key nobody"), "{other}");
    }

    #[test]
    fn a_file_that_is_gone_damaged_or_open_to_others_lets_nobody_in() {
        use std::os::unix::fs::PermissionsExt;
        let given = given();
        let (_, token) = KeyFile::create_key(&given.path, &NewKey::of("maria")).unwrap();
        let whole = fs::read(&given.path).unwrap();
        let file = KeyFile::open(given.path.clone()).unwrap();
        let enters = |file: &KeyFile| file.ring().identify(&token, Timestamp::now()).is_ok();
        assert!(enters(&file));
        fs::write(&given.path, b"{\"keys\": [").unwrap();
        assert!(file.look_again() && !enters(&file));
        fs::write(&given.path, &whole).unwrap();
        assert!(file.look_again() && enters(&file));
        fs::remove_file(&given.path).unwrap();
        assert!(file.look_again() && !enters(&file));
        fs::write(&given.path, &whole).unwrap();
        fs::set_permissions(&given.path, fs::Permissions::from_mode(0o644)).unwrap();
        let exposed = KeyFile::open(given.path).unwrap_err();
        assert!(exposed.to_string().contains("chmod 600"), "{exposed}");
    }

    #[test]
    fn what_no_key_can_be_is_refused_in_a_sentence() {
        let given = given();
        for (new, part) in [
            (NewKey::of(""), "1 to 200 characters"),
            (NewKey::of("José"), "plain ASCII"),
            (
                NewKey {
                    expire_time: Some(Timestamp::UNIX_EPOCH),
                    ..NewKey::of("maria")
                },
                "expired already",
            ),
            (
                NewKey {
                    note: "a\nb".to_owned(),
                    ..NewKey::of("maria")
                },
                "no control characters",
            ),
        ] {
            let refused = KeyFile::create_key(&given.path, &new).unwrap_err().to_string();
            assert!(refused.contains(part), "{refused}");
        }
        assert!(!given.path.exists(), "nothing was recorded");
    }

    #[test]
    fn keys_that_are_made_at_once_are_all_there() {
        let given = given();
        let made: Vec<_> = (0..8)
            .map(|number| {
                let path = given.path.clone();
                std::thread::spawn(move || {
                    KeyFile::create_key(&path, &NewKey::of(&format!("service-{number}"))).unwrap()
                })
            })
            .collect();
        for made in made {
            made.join().unwrap();
        }
        assert_eq!(KeyFile::list(&given.path).unwrap().len(), 8);
    }
}
