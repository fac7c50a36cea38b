//! `binnacle demo`, as somebody runs it who pipes its output.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn demo() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_binnacle"));
    command.arg("demo");
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn ran(command: &mut Command) -> Output {
    command.output().expect("the demo runs")
}

fn line_with<'a>(text: &'a str, part: &str) -> &'a str {
    let line = text.lines().find(|line| line.contains(part));
    line.unwrap_or_else(|| panic!("no line with {part:?} in:\n{text}"))
}

/// What is in a directory, by name.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

fn assert_everything_was_delivered_once(out: &str) {
    let end = &out[out.find("Behind its snapshot: ").expect("the count")..];
    let (first, second) = end.split_once("A second subscriber").expect("another count");
    assert!(
        first.contains("none missed, none repeated, resumed once with 21 to catch up"),
        "{first}"
    );
    let line = line_with(second, "from the beginning, saw the same");
    let numbers: Vec<u64> = line
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|number| number.parse().ok())
        .collect();
    // It saw every revision as an update of its own.
    assert!(
        matches!(numbers[..], [updates, 1, last] if updates == last && last > 200),
        "{line}"
    );
    assert!(
        second.contains("none missed, none repeated, never resumed"),
        "{second}"
    );
}

#[test]
fn the_story_is_told_and_the_picture_of_the_stream_agrees_with_the_server() {
    let temporary = tempfile::tempdir().expect("a directory");
    let told = ran(demo()
        .args(["--exit", "--listen", "127.0.0.1:0"])
        .env("TMPDIR", temporary.path()));
    let out = text(&told.stdout);
    assert!(told.status.success(), "{}\n{out}", text(&told.stderr));
    assert_eq!(text(&told.stderr), "");
    assert!(!out.contains('\x1b'), "an escape sequence is in:\n{out}");

    // A KPI falls short, an objective is made for it, it recovers: in this order.
    let steps = [
        "alert (breach): KPI Average reply time asks for action",
        "KPI Average reply time: watch → BREACHED at 41 min (at most 30)",
        "objective Better customer support begins",
        "initiative Hire a support manager is done",
        "alert (breach) is over: KPI Average reply time has recovered",
        "KPI Average reply time RECOVERED: watch → healthy at 29 min (at most 30)",
        "objective Better customer support: on track → ACHIEVED",
    ];
    let places: Vec<usize> = steps
        .iter()
        .map(|step| out.find(step).unwrap_or_else(|| panic!("no {step:?} in:\n{out}")))
        .collect();
    assert!(places.is_sorted(), "{places:?}");

    // One alert that asks and is over, and no other in between.
    assert_eq!(out.matches("alert").count(), 2, "{out}");
    // The key result begins where the KPI stands and goes to its target, in its unit.
    let begun = &out[out
        .find("objective Better customer support begins")
        .expect("it begins")..];
    let key_result = line_with(begun, " → 30 ");
    assert!(
        key_result.starts_with("  Average reply time") && key_result.contains("0.00  48 → 30 min"),
        "{key_result}"
    );

    // A frame a week; in the last one the objective is reached and the KPI is healthy again.
    assert_eq!(out.matches("\nOBJECTIVES ").count(), 8);
    let last = &out[out.rfind("\nOBJECTIVES ").expect("a frame")..];
    assert!(
        line_with(last, "Better customer support").ends_with("1.00  initiatives 3 of 3 done    ACHIEVED")
    );
    let kpi = line_with(last, "at most 30 ");
    assert!(
        kpi.starts_with("Average reply time") && kpi.contains("▁▂▅█▇▄▂▁"),
        "{kpi}"
    );
    assert!(kpi.ends_with("healthy"), "{kpi}");

    assert!(out.contains("It agrees with GetOverview"), "{out}");
    assert_everything_was_delivered_once(&out);
    assert_eq!(
        entries(temporary.path()),
        Vec::<PathBuf>::new(),
        "the temporary store is still there"
    );
}

#[test]
fn a_given_directory_is_kept_and_never_used_twice() {
    let directory = tempfile::tempdir().expect("a directory");
    let with_directory = || {
        let mut command = demo();
        command
            .args(["--exit", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(directory.path());
        command
    };
    assert!(ran(&mut with_directory()).status.success());
    let kept = entries(directory.path());
    assert!(!kept.is_empty());

    let again = ran(&mut with_directory());
    assert_eq!(again.status.code(), Some(2));
    assert!(
        text(&again.stderr).contains("is not empty"),
        "{}",
        text(&again.stderr)
    );
    assert_eq!(text(&again.stdout), "");
}

#[test]
fn a_port_that_is_taken_is_replaced_by_a_free_one_which_goes_on_serving() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let temporary = tempfile::tempdir().expect("a directory");
    let mut running = demo()
        .args(["--listen", &address])
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the demo runs");
    let mut lines = BufReader::new(running.stdout.take().expect("its output")).lines();
    let mut next_with = |part: &str| {
        let mut lines = lines.by_ref().map(|line| line.expect("a line"));
        lines
            .find(|line| line.contains(part))
            .unwrap_or_else(|| panic!("no line with {part:?}"))
    };
    let serving = next_with("It goes on serving on ");
    assert!(!serving.contains(&address), "{serving}");
    next_with("Ctrl-C ends it.");

    // It is told to end as Ctrl-C would tell it.
    let interrupted = Command::new("kill")
        .args(["-INT", &running.id().to_string()])
        .status();
    assert!(interrupted.expect("kill runs").success());
    let ended = running.wait_with_output().expect("the demo ends");
    assert!(ended.status.success());
    let said = text(&ended.stderr);
    assert_eq!(
        said,
        format!("{address} cannot be listened on, so a free port is taken.\n")
    );
    assert_eq!(
        entries(temporary.path()),
        Vec::<PathBuf>::new(),
        "the temporary store is still there"
    );
}
