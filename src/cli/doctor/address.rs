//! Where the server listens, for calls and for metrics: whether it may, and whether the addresses are to be had.

use std::io;
use std::net::{SocketAddr, TcpListener};

use super::directory::may_be_read;
use super::{Finding, Patient};
use crate::cli::serve::failure;
use crate::service::ServerConfig;

const ABOUT: &str = "address";
const METRICS_ABOUT: &str = "metrics address";

/// What `serve` would say of the address.
pub(super) fn look(patient: &Patient<'_>) -> Vec<Finding> {
    let settings = patient.settings;
    let address = settings.listen();
    let identity = settings.identity();
    let (authenticator, tls) = (identity.authenticator(&patient.data_dir), identity.tls());
    // What is wrong with those is said where they are looked at.
    if let (Ok(authenticator), Ok(tls)) = (authenticator, tls) {
        let config = ServerConfig {
            authenticator,
            tls,
            ..settings.server()
        };
        if let Err(error) = config.check_address(address) {
            let todo = "do one of these; docs/security.md says which is for whom";
            return vec![Finding::of_failure(ABOUT, &failure(&error), todo)];
        }
    }
    if patient.is_running {
        return vec![Finding::ok(
            ABOUT,
            format!("a server runs, so {address} is its own"),
        )];
    }
    // Kept while the other is looked at: both are needed at once.
    let (taken, finding) = free(ABOUT, address, "--listen", patient);
    let mut findings = vec![finding];
    if let Some(metrics) = settings.telemetry().metrics_listen() {
        findings.push(free(METRICS_ABOUT, metrics, "--metrics-listen", patient).1);
    }
    drop(taken);
    findings
}

/// Whether an address is to be had.
fn free(
    about: &'static str,
    address: SocketAddr,
    setting: &str,
    patient: &Patient<'_>,
) -> (Option<TcpListener>, Finding) {
    let error = match TcpListener::bind(address) {
        Ok(taken) => return (Some(taken), Finding::ok(about, format!("{address} is free"))),
        Err(error) => error,
    };
    let is = format!("{address} cannot be listened on: {error}");
    // Whether its own server uses it cannot be seen by everybody.
    let may_be_its_own = error.kind() == io::ErrorKind::AddrInUse && !may_be_read(&patient.data_dir);
    let finding = match may_be_its_own {
        true => Finding::warning(
            about,
            is,
            "run this as the user that runs the server: it may be its own",
        ),
        false => {
            let todo = format!("choose another with {setting}, or stop what uses it");
            Finding::wrong(about, is, todo)
        }
    };
    (None, finding)
}
