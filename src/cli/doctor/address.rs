//! Where the server listens, for calls and for metrics: whether it may, and whether the addresses are to be had.

use std::net::{SocketAddr, TcpListener};

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
    let mut findings = vec![free(ABOUT, address, "--listen")];
    if let Some(metrics) = settings.telemetry().metrics_listen() {
        findings.push(match metrics == address && address.port() > 0 {
            true => Finding::wrong(
                METRICS_ABOUT,
                format!("{metrics} is the server's own address"),
                "choose another with --metrics-listen",
            ),
            false => free(METRICS_ABOUT, metrics, "--metrics-listen"),
        });
    }
    findings
}

/// Whether an address is to be had.
fn free(about: &'static str, address: SocketAddr, setting: &str) -> Finding {
    match TcpListener::bind(address) {
        Ok(_let_go_at_once) => Finding::ok(about, format!("{address} is free")),
        Err(error) => Finding::wrong(
            about,
            format!("{address} cannot be listened on: {error}"),
            format!("choose another with {setting}, or stop what uses it"),
        ),
    }
}
