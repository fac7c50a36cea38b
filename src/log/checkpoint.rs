//! Checkpoints: a signed statement of all that a log holds up to a revision, as text that tools of others read as well
//! (c2sp.org/tlog-checkpoint in a c2sp.org/signed-note), and the key that signs them.
//!
//! Invariant: what [`PublicKey::open`] answers was signed by that key for exactly this log and epoch: the name of the
//! signature is the origin.
//!
//! What it does not know: files of checkpoints (`checkpoints`), and whether a log is what a checkpoint says.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer, VerifyingKey};
use sha2::{Digest, Sha256};

use super::data_dir::io_error;
use super::{LogError, LogErrorKind, LogId, Root};
use crate::domain::Revision;
use crate::whole_file::write_whole;

/// What every origin begins with.
const ORIGIN: &str = "binnacle.dev/log/";
/// The name of a key that no log has given one.
const KEY_NAME: &str = "binnacle.dev";
/// The algorithm's number in the encoding of keys: Ed25519.
const ED25519: u8 = 1;
/// What the text of a key that signs begins with.
const PRIVATE: &str = "PRIVATE+KEY";
/// A line of a signature begins so: an em dash and a space.
const SIGNATURE: &str = "\u{2014} ";

/// Which log a checkpoint speaks of, and in which of its epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The log.
    pub log: LogId,
    /// The epoch: 1, and one more after each restore.
    pub epoch: u32,
}

/// All that a log holds up to a revision, in one hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log and its epoch.
    pub origin: Origin,
    /// The newest revision that it speaks of.
    pub revision: Revision,
    /// The root of the hash tree over the records 1 to `revision`.
    pub root: Root,
}

/// The key that signs checkpoints.
pub struct SigningKey(ed25519_dalek::SigningKey);

/// The key that verifies them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// Why a text is not believed to be a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteFlaw {
    /// Not such a text.
    #[error("it is no checkpoint: {0}")]
    NoCheckpoint(&'static str),
    /// It has no signature of this key for the log it speaks of.
    #[error("it is not signed by the key {0} for the log that it speaks of")]
    NotSigned(String),
    /// The signature is not one of this text.
    #[error("its signature is wrong: what it says was changed, or it was signed with another key than {0}")]
    WrongSignature(String),
}

/// Why a text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no Ed25519 key of the form {0}")]
pub struct KeyFlaw(&'static str);

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ORIGIN}{}/epoch/{}", self.log, self.epoch)
    }
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let (log, epoch) = text.strip_prefix(ORIGIN)?.split_once("/epoch/")?;
        let origin = Self {
            log: LogId::from_hex(log)?,
            epoch: epoch.parse().ok()?,
        };
        // There is one way to write it.
        (origin.to_string() == text).then_some(origin)
    }
}

impl Checkpoint {
    /// What is signed: origin, size and root, a line each.
    #[must_use]
    pub fn text(&self) -> String {
        let root = BASE64.encode(self.root.0);
        format!("{}\n{}\n{root}\n", self.origin, self.revision.0)
    }

    fn parse(text: &str) -> Result<Self, NoteFlaw> {
        let flaw = NoteFlaw::NoCheckpoint;
        let mut lines = text.split('\n');
        let mut line = |what| lines.next().filter(|line| !line.is_empty()).ok_or(flaw(what));
        let origin = Origin::parse(line("it has no origin")?);
        let origin = origin.ok_or(flaw("its first line is no origin of a Binnacle log"))?;
        let size = line("it has no size")?;
        let revision = size
            .parse()
            .ok()
            .filter(|number: &u64| number.to_string() == size);
        let revision = Revision(revision.ok_or(flaw("its second line is no size"))?);
        let root = BASE64.decode(line("it has no root")?).ok();
        let root = root.and_then(|root| root.try_into().ok()).map(Root);
        Ok(Self {
            origin,
            revision,
            root: root.ok_or(flaw("its third line is no hash of 32 bytes in base64"))?,
        })
    }
}

impl SigningKey {
    /// A key that nobody has had before.
    ///
    /// # Errors
    /// `Io` when the operating system has no randomness.
    pub fn generate() -> Result<Self, LogError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| {
            LogError::new(
                LogErrorKind::Io,
                format!("there is no randomness to make a key of: {error}"),
            )
        })?;
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(&seed)))
    }

    /// The key in a file, or a new one that is written there, for its owner alone to read. Where checkpoints are that a key has
    /// signed, ask [`Checkpoints::any`](super::Checkpoints::any) first: a new one does not verify them.
    ///
    /// # Errors
    /// `Io` when the operating system refuses; `Damaged` when the file holds no key; `Exposed` when others may read it.
    pub fn load_or_create(path: &Path) -> Result<Self, LogError> {
        match File::open(path) {
            Ok(file) => Self::load(file, path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Self::generate()?;
                write(path, &format!("{}\n", key.text()), 0o600)?;
                tracing::info!(file = %path.display(), "made a key to sign checkpoints with");
                Ok(key)
            }
            Err(error) => Err(io_error("could not open", path, error)),
        }
    }

    /// The key in a file that is there.
    ///
    /// # Errors
    /// As [`SigningKey::load_or_create`].
    pub fn load(mut file: File, path: &Path) -> Result<Self, LogError> {
        let io = |error| io_error("could not read", path, error);
        let mode = file.metadata().map_err(io)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(LogError::new(
                LogErrorKind::Exposed,
                format!(
                    "{} can be read by others than its owner, so that anybody may have signed: chmod 600 it, or move it \
                     away to begin with a new key",
                    path.display()
                ),
            ));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let key = String::from_utf8(bytes)
            .ok()
            .and_then(|text| Self::parse(text.trim()));
        key.ok_or_else(|| {
            LogError::new(
                LogErrorKind::Damaged,
                format!(
                    "{} holds no key that signs checkpoints: put back the one that was there, or move it away to begin \
                     with a new one",
                    path.display()
                ),
            )
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(PRIVATE)?.strip_prefix('+')?.splitn(3, '+');
        let (name, id, key) = (parts.next()?, parts.next()?, parts.next()?);
        let bytes = BASE64.decode(key).ok()?;
        let seed: [u8; 32] = bytes.strip_prefix(&[ED25519])?.try_into().ok()?;
        let key = Self(ed25519_dalek::SigningKey::from_bytes(&seed));
        (hex(key.public().id(name)) == id).then_some(key)
    }

    /// As Go's `note` package and others write it.
    fn text(&self) -> String {
        let mut bytes = vec![ED25519];
        bytes.extend(self.0.to_bytes());
        let id = hex(self.public().id(KEY_NAME));
        format!("{PRIVATE}+{KEY_NAME}+{id}+{}", BASE64.encode(bytes))
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs a checkpoint: its text, an empty line, and the signature.
    #[must_use]
    pub fn sign(&self, checkpoint: &Checkpoint) -> String {
        let (text, name) = (checkpoint.text(), checkpoint.origin.to_string());
        let mut signature = self.public().id(&name).to_vec();
        signature.extend(self.0.sign(text.as_bytes()).to_bytes());
        format!("{text}\n{SIGNATURE}{name} {}\n", BASE64.encode(signature))
    }
}

impl PublicKey {
    /// Reads a key as it is handed on: `name+hash+key` with any name. For a key that names a log, it is the key all the same.
    ///
    /// # Errors
    /// It has another form, or its hash is not the one of its name and key.
    pub fn parse(text: &str) -> Result<Self, KeyFlaw> {
        let flaw = KeyFlaw("name+hash+key, as in binnacle.dev+b6f27e34+AbDi…");
        let read = || {
            let mut parts = text.trim().splitn(3, '+');
            let (name, id, key) = (parts.next()?, parts.next()?, parts.next()?);
            let bytes = BASE64.decode(key).ok()?;
            let key: [u8; 32] = bytes.strip_prefix(&[ED25519])?.try_into().ok()?;
            let key = Self(VerifyingKey::from_bytes(&key).ok()?);
            (hex(key.id(name)) == id).then_some(key)
        };
        read().ok_or(flaw)
    }

    /// The key as it is handed on, under the name of no log in particular.
    #[must_use]
    pub fn text(&self) -> String {
        self.named(KEY_NAME)
    }

    /// The key as verifiers of one log want it: its name is the origin.
    #[must_use]
    pub fn of_log(&self, origin: Origin) -> String {
        self.named(&origin.to_string())
    }

    fn named(&self, name: &str) -> String {
        format!("{name}+{}+{}", hex(self.id(name)), BASE64.encode(self.encoded()))
    }

    /// Writes the key beside the one that signs, to be handed on. Anybody may read it.
    ///
    /// # Errors
    /// `Io` when the operating system refuses.
    pub fn write(&self, path: &Path) -> Result<(), LogError> {
        let text = format!("{}\n", self.text());
        // As bytes: one that was damaged may be no text, and is written anew.
        match fs::read(path) {
            Ok(there) if there == text.as_bytes() => Ok(()),
            Ok(_) => write(path, &text, 0o644),
            Err(error) if error.kind() == io::ErrorKind::NotFound => write(path, &text, 0o644),
            Err(error) => Err(io_error("could not read", path, error)),
        }
    }

    /// The checkpoint in a signed note, if this key has signed it. Signatures of others are not looked at.
    ///
    /// # Errors
    /// It is no such note, this key has not signed it, or the signature is not of this text.
    pub fn open(&self, note: &str) -> Result<Checkpoint, NoteFlaw> {
        let (text, signatures) = split(note)?;
        let checkpoint = Checkpoint::parse(text)?;
        let name = checkpoint.origin.to_string();
        let (mut signed, mut verified) = (false, false);
        for line in signatures.lines() {
            let no_signature = NoteFlaw::NoCheckpoint("what stands behind the empty line is no signature");
            let (signer, signature) = line
                .strip_prefix(SIGNATURE)
                .and_then(|line| line.split_once(' '))
                .ok_or(no_signature.clone())?;
            let bytes = BASE64.decode(signature).map_err(|_| no_signature.clone())?;
            let (id, signature) = bytes.split_first_chunk::<4>().ok_or(no_signature)?;
            if signer != name || *id != self.id(&name) {
                continue;
            }
            signed = true;
            let signature = Signature::from_slice(signature);
            verified |=
                signature.is_ok_and(|signature| self.0.verify_strict(text.as_bytes(), &signature).is_ok());
        }
        match (verified, signed) {
            (true, _) => Ok(checkpoint),
            (false, true) => Err(NoteFlaw::WrongSignature(self.text())),
            (false, false) => Err(NoteFlaw::NotSigned(self.text())),
        }
    }

    /// The first four bytes of the hash of a key's name and itself: a hint at the key that signed.
    fn id(&self, name: &str) -> [u8; 4] {
        let hash = Sha256::new()
            .chain_update(name)
            .chain_update(b"\n")
            .chain_update(self.encoded())
            .finalize();
        std::array::from_fn(|place| hash.get(place).copied().unwrap_or_default())
    }

    fn encoded(&self) -> Vec<u8> {
        let mut bytes = vec![ED25519];
        bytes.extend(self.0.as_bytes());
        bytes
    }
}

/// What a signed note says, without believing it.
///
/// # Errors
/// It is no note of a checkpoint.
pub fn unverified(note: &str) -> Result<Checkpoint, NoteFlaw> {
    Checkpoint::parse(split(note)?.0)
}

/// The text that is signed, with its last line's end, and the signatures.
fn split(note: &str) -> Result<(&str, &str), NoteFlaw> {
    let flaw = NoteFlaw::NoCheckpoint("it has no empty line with signatures behind it");
    let at = note.find("\n\n").ok_or(flaw.clone())?;
    let (text, rest) = note.split_at(at + 1);
    let signatures = rest.strip_prefix('\n').filter(|rest| rest.ends_with('\n'));
    Ok((text, signatures.ok_or(flaw)?))
}

fn hex(bytes: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(bytes))
}

/// A start that is killed leaves no half of a key.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), LogError> {
    write_whole(path, text, mode).map_err(|error| io_error("could not write", path, error))
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(of {})", self.public().text())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use signed_note::{Note, StandardVerifier, VerifierList};

    use super::*;

    fn key() -> SigningKey {
        SigningKey(ed25519_dalek::SigningKey::from_bytes(&[7; 32]))
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            origin: Origin {
                log: LogId([0xab; 16]),
                epoch: 2,
            },
            revision: Revision(12_345),
            root: Root([9; 32]),
        }
    }

    #[test]
    fn a_checkpoint_is_three_lines_and_a_signature_under_the_name_of_its_origin() {
        let note = key().sign(&checkpoint());
        let lines: Vec<_> = note.lines().collect();
        let origin = "binnacle.dev/log/abababababababababababababababab/epoch/2";
        assert_eq!(lines[..2], [origin, "12345"]);
        assert_eq!(lines[2], BASE64.encode([9; 32]));
        assert_eq!(lines[3], "");
        assert!(lines[4].starts_with(&format!("\u{2014} {origin} ")), "{note}");
        assert_eq!(lines.len(), 5);
        assert_eq!(key().public().open(&note), Ok(checkpoint()));
        assert_eq!(unverified(&note), Ok(checkpoint()));
    }

    /// Another implementation of signed notes reads what is written here, with the key as it is handed on.
    #[test]
    fn another_implementation_verifies_what_is_signed() {
        let note = key().sign(&checkpoint());
        let theirs = Note::from_bytes(note.as_bytes()).unwrap();
        let verifier = |key: &str| Box::new(StandardVerifier::new(key).unwrap()) as _;
        let of_log = key().public().of_log(checkpoint().origin);
        let (verified, _) = theirs
            .verify(&VerifierList::new(vec![verifier(&of_log)]))
            .unwrap();
        assert_eq!(verified.len(), 1);
        let nameless = VerifierList::new(vec![verifier(&key().public().text())]);
        assert!(theirs.verify(&nameless).is_err(), "it is the key of no log");
    }

    #[test]
    fn a_witness_may_sign_beside_the_log() {
        let mut note = key().sign(&checkpoint());
        note.push_str("\u{2014} witness.example AAAAAAAA\n");
        assert_eq!(key().public().open(&note), Ok(checkpoint()));
    }

    #[test]
    fn what_another_key_signed_is_not_believed() {
        let other = SigningKey(ed25519_dalek::SigningKey::from_bytes(&[8; 32]));
        let note = other.sign(&checkpoint());
        let refused = key().public().open(&note).unwrap_err();
        assert_eq!(refused, NoteFlaw::NotSigned(key().public().text()));
    }

    #[test]
    fn every_changed_byte_of_a_note_is_found() {
        let note = key().sign(&checkpoint());
        for place in 0..note.len() {
            let mut bytes = note.clone().into_bytes();
            bytes[place] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else {
                continue;
            };
            assert!(key().public().open(&changed).is_err(), "byte {place}: {changed}");
        }
    }

    #[test]
    fn a_key_is_made_once_and_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("checkpoint.key");
        let made = SigningKey::load_or_create(&path).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        let again = SigningKey::load_or_create(&path).unwrap();
        assert_eq!(made.public(), again.public());
        assert!(!format!("{made:?}").contains(&BASE64.encode(made.0.to_bytes())));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = SigningKey::load_or_create(&path).unwrap_err();
        assert_eq!(refused.kind, LogErrorKind::Exposed);
        assert!(refused.context.contains("chmod 600"), "{refused}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "no key").unwrap();
        assert_eq!(
            SigningKey::load_or_create(&path).unwrap_err().kind,
            LogErrorKind::Damaged
        );
    }

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let public = key().public();
        assert_eq!(PublicKey::parse(&public.text()), Ok(public));
        assert_eq!(PublicKey::parse(&public.of_log(checkpoint().origin)), Ok(public));
        assert_eq!(SigningKey::parse(&key().text()).unwrap().public(), public);
        for wrong in [
            "",
            "binnacle.dev",
            "a+00000000+AAAA",
            &public.text().replace("dev+", "dew+"),
        ] {
            assert!(PublicKey::parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn random_text_is_no_note_and_panics_nothing(text in "[ -~\n\u{2014}]{0,300}") {
            prop_assert!(key().public().open(&text).is_err());
            prop_assert!(PublicKey::parse(&text).is_err());
        }
    }
}
