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
const STORED: &[&str] = &["binnacle/event/v1/commit.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);

    // The stored protos are no part of the API: reflection does not show them.
    let mut api = protox::Compiler::new(["proto"])?;
    api.include_imports(true)
        .include_source_info(true)
        .open_files(API)?;
    std::fs::write(out.join("api.bin"), api.encode_file_descriptor_set())?;

    let mut all = protox::Compiler::new(["proto"])?;
    all.include_imports(true)
        .include_source_info(true)
        .open_files(API)?
        .open_files(STORED)?;
    tonic_prost_build::configure()
        .include_file("protos.rs")
        // Ordered, so that a message has one encoding: the fingerprint of a retried request has to be the same.
        .btree_map(".")
        .compile_fds(all.file_descriptor_set())?;
    Ok(())
}
