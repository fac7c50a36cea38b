//! The program, run to its end.

use std::process::Command;

/// Runs it and answers what it wrote. It has to succeed.
pub(crate) fn binnacle(args: &[&str], token: Option<&str>) -> String {
    let mut command = Command::new("timeout");
    command.args(["120", env!("CARGO_BIN_EXE_binnacle")]).args(args);
    for name in [
        "BINNACLE_ACTOR",
        "BINNACLE_DATA_DIR",
        "BINNACLE_TOKEN",
        "BINNACLE_TOKEN_FILE",
    ] {
        command.env_remove(name);
    }
    if let Some(token) = token {
        command.env("BINNACLE_TOKEN", token);
    }
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}
