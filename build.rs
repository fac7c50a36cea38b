//! Compiles the protos with protox, so that a machine with only Rust builds them.
//!
//! Writes beside the generated code the whole descriptor set, with its option extensions, for server reflection.

use std::error::Error;
use std::path::PathBuf;

const API: &[&str] = &[
    "binnacle/v1/audit_service.proto",
    "binnacle/v1/cycle_service.proto",
    "binnacle/v1/kpi_service.proto",
    "binnacle/v1/objective_service.proto",
    "binnacle/v1/progress_service.proto",
    "binnacle/v1/workspace_service.proto",
];
/// What no call has in its messages, but a refusal in its details: who asks reflection can read them.
const DETAILS: &[&str] = &["google/rpc/error_details.proto"];
const STORED: &[&str] = &["binnacle/event/v1/commit.proto"];
/// The events that are larger than a measurement: on the heap, so that a batch of measurements stays small in memory.
const LARGE_EVENTS: &[&str] = &[
    "workspace_created",
    "workspace_updated",
    "team_created",
    "team_updated",
    "member_created",
    "member_updated",
    "cycle_created",
    "cycle_updated",
    "objective_created",
    "objective_updated",
    "key_result_created",
    "key_result_updated",
    "initiative_created",
    "initiative_updated",
    "check_in_recorded",
    "check_in_corrected",
    "check_in_retracted",
    "scoring_policy_updated",
    "resource_deleted",
    "resource_undeleted",
    "review_recorded",
    "objective_closed",
    "objective_reopened",
    "kpi_created",
    "kpi_updated",
    "target_set",
    "target_deleted",
    "alert_opened",
    "action_plan_set",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);

    // The stored protos are no part of the API: reflection does not show them.
    let mut api = protox::Compiler::new(["proto"])?;
    api.include_imports(true)
        .include_source_info(true)
        .open_files(API)?
        .open_files(DETAILS)?;
    std::fs::write(out.join("api.bin"), api.encode_file_descriptor_set())?;

    let mut all = protox::Compiler::new(["proto"])?;
    all.include_imports(true)
        .include_source_info(true)
        .open_files(API)?
        .open_files(STORED)?;
    // Ordered maps: the bytes of a message are a function of it, of a commit and of a retried request.
    let mut builder = tonic_prost_build::configure()
        .include_file("protos.rs")
        .btree_map(".");
    for event in LARGE_EVENTS {
        builder = builder.boxed(format!(".binnacle.event.v1.Event.payload.{event}"));
    }
    builder.compile_fds(all.file_descriptor_set())?;
    Ok(())
}
