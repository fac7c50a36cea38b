//! Where the server listens: whether it may, and whether the address is to be had.

use std::net::TcpListener;

use super::{Finding, Patient};
use crate::cli::serve::failure;
use crate::service::ServerConfig;

const ABOUT: &str = "address";

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
    match TcpListener::bind(address) {
        Ok(_let_go_at_once) => vec![Finding::ok(ABOUT, format!("{address} is free"))],
        Err(error) => vec![Finding::wrong(
            ABOUT,
            format!("{address} cannot be listened on: {error}"),
            "choose another with --listen, or stop what uses it",
        )],
    }
}
