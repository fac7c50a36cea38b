//! Damaged archives, proofs, checkpoints and keys: whatever is changed, cut off or made up, it is refused in a sentence, and
//! nothing is restored.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::archives::{Parts, frame};
use crate::prepared::{Copied, prepared};
use crate::program::{Run, Server, run};

/// What an auditor has of the prepared directory: every kind of file.
pub(crate) struct Kept {
    data: Copied,
    files: TempDir,
}

impl Kept {
    pub(crate) fn new() -> Self {
        let kept = Self {
            data: prepared().copy(),
            files: TempDir::new().expect("a folder"),
        };
        let server = Server::start(&kept.data.dir());
        let url = server.url.as_str();
        for (name, args) in [
            ("archive", &["backup"][..]),
            ("early", &["checkpoint", "acme", "--revision", "40"]),
            ("checkpoint", &["checkpoint", "acme"]),
            ("key", &["checkpoint", "acme", "--key"]),
            ("event", &["prove", "workspaces/acme/events/20.0"]),
            ("other", &["prove", "workspaces/acme/events/21.0"]),
            (
                "early-event",
                &["prove", "workspaces/acme/events/20.0", "--size", "40"],
            ),
        ] {
            let path = kept.path(name);
            let args = args.iter().copied().chain(["--server", url, "-o"]);
            run(args.map(AsRef::as_ref).chain([path.as_os_str()])).ended(0, &[]);
        }
        let (early, since) = (kept.path("early"), kept.path("since"));
        let args = [
            "prove".as_ref(),
            "workspaces/acme".as_ref(),
            "--server".as_ref(),
            url.as_ref(),
        ];
        let more = [
            "--since".as_ref(),
            early.as_os_str(),
            "-o".as_ref(),
            since.as_os_str(),
        ];
        run(args.into_iter().chain(more)).ended(0, &[]);
        server.stop();
        kept
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.data.dir()
    }

    pub(crate) fn verify(&self, names: &[&str]) -> Run {
        let paths: Vec<_> = names.iter().map(|name| self.path(name)).collect();
        let key = self.path("key");
        let args = ["verify".as_ref(), "--public-key".as_ref(), key.as_os_str()];
        run(args.into_iter().chain(paths.iter().map(|path| path.as_os_str())))
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).expect("a file");
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("a file")
    }
}

/// Neither agrees nor panics, and says why.
fn refused(run: &Run, about: &str) {
    assert!(matches!(run.code, Some(2 | 3)), "{about}: {run:#?}");
    assert!(!run.sentence().is_empty(), "{about}: {run:#?}");
}

#[test]
fn whatever_is_cut_off_an_archive_a_proof_or_a_checkpoint_is_noticed() {
    let kept = Kept::new();
    for name in ["archive", "event", "since", "checkpoint", "key"] {
        let whole = kept.read(name);
        // A file that lacks nothing but the end of its last line says all that it has to say.
        let text = whole.iter().rposition(|byte| *byte != b'\n').expect("some text");
        let lengths = (0..12).map(|part| text * part / 12).chain([text]);
        for length in lengths {
            let cut = &whole[..length];
            kept.write("cut", cut);
            match name {
                "key" => {
                    let (key, archive) = (kept.path("cut"), kept.path("archive"));
                    let args = [
                        "verify".as_ref(),
                        "--public-key".as_ref(),
                        key.as_os_str(),
                        archive.as_os_str(),
                    ];
                    refused(run(args).ended(2, &["--public-key"]), name);
                }
                _ => refused(
                    &kept.verify(&["cut", "early"]),
                    &format!("{name} cut at {length}"),
                ),
            }
        }
    }
    // The second of two.
    let two = [kept.read("early"), b"\n".to_vec(), kept.read("checkpoint")].concat();
    for back in [5, 150, 230] {
        kept.write("cut", &two[..two.len() - back]);
        refused(
            &kept.verify(&["archive", "cut"]),
            &format!("two without {back} bytes"),
        );
    }
}

#[test]
fn bytes_that_mean_nothing_are_refused_in_a_sentence_whatever_they_begin_with() {
    let kept = Kept::new();
    let mut chance = fastrand::Rng::with_seed(11);
    for beginning in [
        &b""[..],
        b"BINNARCH",
        b"BINNARCH\0\0\0\x01",
        b"BINNARCH\0\0\0\x01L\0\0\0\x02",
        b"c2sp.org/tlog-proof@v1\n",
        b"c2sp.org/tlog-proof@v1\nextra AAAA\nindex 18446744073709551615\n\n",
        b"old 18446744073709551615\n\n",
        b"old 0\n",
        b"binnacle.dev/log/00000000000000000000000000000001/epoch/1\n0\n",
        b"\n\n\n\n",
    ] {
        for length in [0, 1, 40, 3000] {
            let mut bytes = beginning.to_vec();
            bytes.extend((0..length).map(|_| chance.u8(..)));
            kept.write("rubbish", &bytes);
            refused(
                &kept.verify(&["rubbish"]),
                &format!("{beginning:?} and {length} bytes"),
            );
            let (key, archive) = (kept.path("rubbish"), kept.path("archive"));
            run([
                "verify".as_ref(),
                "--public-key".as_ref(),
                key.as_os_str(),
                archive.as_os_str(),
            ])
            .ended(2, &["--public-key"]);
        }
    }
}

/// An archive that somebody changed, and what is to be said of it.
struct Changed {
    bytes: Box<dyn Fn(&Parts) -> Parts>,
    sentences: &'static [&'static str],
}

fn changed(sentences: &'static [&'static str], change: impl Fn(&mut Parts) + 'static) -> Changed {
    let bytes = Box::new(move |parts: &Parts| {
        let mut parts = parts.clone();
        change(&mut parts);
        parts
    });
    Changed { bytes, sentences }
}

/// The frame of the record of a revision of the first log.
fn record(parts: &Parts, revision: usize) -> usize {
    parts.places(b'R')[revision - 1]
}

fn table() -> Vec<Changed> {
    const DAMAGED: &[&str] = &[
        "workspaces/acme, revision 7:",
        "what stands at byte",
        "is damaged",
    ];
    let flip = |place: fn(&Parts) -> usize, byte: usize| {
        move |parts: &mut Parts| {
            let place = place(parts);
            let frame = &mut parts.frames[place];
            let byte = byte.min(frame.len() - 1);
            frame[byte] ^= 0x10;
        }
    };
    let seventh: fn(&Parts) -> usize = |parts| record(parts, 7);
    let head: fn(&Parts) -> usize = |_| 0;
    let end: fn(&Parts) -> usize = |parts| parts.frames.len() - 1;
    let mut table = Vec::new();
    // A record: kind, its length, its checksum, and itself.
    for byte in [0, 6, 9, 30, usize::MAX] {
        table.push(changed(DAMAGED, flip(seventh, byte)));
    }
    table.push(changed(&["workspaces/acme, revision 7:"], flip(seventh, 4)));
    // What is said of the log ahead of it, and the manifest.
    for byte in [0, 8, 20, 120] {
        table.push(changed(&["is damaged"], flip(head, byte)));
        table.push(changed(&["is damaged"], flip(end, byte)));
    }
    table.push(changed(&["is cut off"], |parts| drop(parts.frames.pop())));
    table.push(changed(&["something stands behind the end"], |parts| {
        parts.frames.push(vec![0])
    }));
    table.push(changed(&["revisions 7 to 7 are missing"], |parts| {
        let (seven, eight) = (record(parts, 7), record(parts, 8));
        parts.frames.swap(seven, eight);
    }));
    table.push(changed(&["revisions 7 to 7 are missing"], |parts| {
        let seven = record(parts, 7);
        parts.frames.remove(seven);
    }));
    table.push(changed(&["behind revision 7 comes 7 again"], |parts| {
        let seven = record(parts, 7);
        parts.frames.insert(seven, parts.frames[seven].clone());
    }));
    // What somebody does who knows the format: the checksums fit.
    table.push(changed(&["are missing"], |parts| {
        let last = parts.places(b'L')[1] - 1;
        parts.frames.remove(last);
    }));
    table.push(changed(&["the records up to revision"], |parts| {
        let seven = record(parts, 7);
        let mut content = parts.content(seven).to_vec();
        // The source of the measurement is in it as text.
        let text = content
            .windows(5)
            .position(|bytes| bytes == b"acme-")
            .expect("a source");
        content[text] = b'A';
        parts.frames[seven] = frame(b'R', &content);
    }));
    table.push(changed(&["commits, and says"], |parts| {
        // Behind the last record that was signed comes another one.
        let last = parts.places(b'L')[1] - 1;
        let content = parts.content(last).to_vec();
        let mut commit = <binnacle::proto::stored::Commit as prost::Message>::decode(content.as_slice())
            .expect("a commit");
        commit.revision += 1;
        parts
            .frames
            .insert(last + 1, frame(b'R', &prost::Message::encode_to_vec(&commit)));
    }));
    table.push(changed(&["twice"], |parts| {
        let second = parts.places(b'L')[1];
        let again: Vec<_> = parts.frames[..second].to_vec();
        let end = parts.frames.len() - 1;
        let manifest: serde_json::Value = serde_json::from_slice(parts.content(end)).expect("a manifest");
        let mut logs = manifest["logs"].as_array().expect("logs").clone();
        logs.push(logs[0].clone());
        parts.frames[end] = manifest_of(&logs);
        for frame in again.into_iter().rev() {
            parts.frames.insert(end, frame);
        }
    }));
    table.push(changed(&["its first commit creates workspaces/acme"], |parts| {
        let end = parts.frames.len() - 1;
        for place in [0, end] {
            let text = String::from_utf8(parts.content(place).to_vec()).expect("text");
            let text = text.replacen("\"acme\"", "\"gamma\"", 1);
            parts.frames[place] = frame(parts.frames[place][0], text.as_bytes());
        }
    }));
    table
}

/// With the fields in the order that they are written in.
fn manifest_of(logs: &[serde_json::Value]) -> Vec<u8> {
    let text = serde_json::json!({ "logs": logs }).to_string();
    frame(b'E', text.as_bytes())
}

#[test]
fn a_damaged_archive_is_refused_by_the_record_and_nothing_of_it_is_restored() {
    let kept = Kept::new();
    let whole = Parts::of(&kept.path("archive"));
    let archive = kept.path("damaged");
    for (number, changed) in table().iter().enumerate() {
        (changed.bytes)(&whole).write(&archive);
        check(&kept, &archive, changed.sentences, number);
    }
    // Its magic and its version, and cut off in the middle of a record.
    let bytes = kept.read("archive");
    let middle = whole.at(record(&whole, 7)) + 20;
    for (number, (bytes, sentence)) in [
        (flipped(&bytes, 3), "no archive of Binnacle"),
        (flipped(&bytes, 11), "a newer release"),
        (bytes[..middle].to_vec(), "revision 7: it is cut off"),
        (bytes[..12].to_vec(), "it is cut off"),
    ]
    .into_iter()
    .enumerate()
    {
        fs::write(&archive, bytes).expect("an archive");
        check(&kept, &archive, &[sentence], 1000 + number);
    }
}

fn flipped(bytes: &[u8], place: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[place] ^= 2;
    bytes
}

fn check(kept: &Kept, archive: &Path, sentences: &[&str], number: usize) {
    let dir = kept.path("restored");
    let key = kept.path("key");
    let args = [
        "restore".as_ref(),
        archive.as_os_str(),
        "--data-dir".as_ref(),
        dir.as_os_str(),
    ];
    let more = ["--reason", "a test", "--public-key"].map(AsRef::as_ref);
    let restored = run(args.into_iter().chain(more).chain([key.as_os_str()]));
    assert_eq!(restored.code, Some(3), "row {number}: {restored:#?}");
    for sentence in sentences {
        assert!(
            restored.sentence().contains(sentence),
            "row {number}: {sentence:?} of {restored:#?}"
        );
    }
    assert!(
        restored.sentence().ends_with("nothing was restored"),
        "row {number}: {restored:#?}"
    );
    assert!(
        !dir.exists() || fs::read_dir(&dir).expect("a folder").next().is_none(),
        "row {number}"
    );
    refused(&kept.verify(&["damaged"]), &format!("row {number}"));
}
