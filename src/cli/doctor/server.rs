//! A server that runs: it has the store, so it is asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Finding, Patient, said};
use crate::cli::health::serves;

const ABOUT: &str = "server";

/// Whether the server that has the store open serves, where these settings say that it listens.
pub(super) fn look(patient: &Patient<'_>) -> Vec<Finding> {
    let running = Finding::ok(
        "store",
        format!(
            "a server has it open in {}, and has held it against heads and checkpoints when it started",
            said(&patient.data_dir)
        ),
    );
    let is_secured = matches!(patient.settings.identity().tls_files(), Ok(Some(_)));
    let url = url(patient.settings.listen(), is_secured);
    vec![running, ask(&url)]
}

fn ask(url: &str) -> Finding {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let answered = match runtime {
        Ok(runtime) => runtime
            .block_on(serves(url, ""))
            .map_err(|failure| failure.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match answered {
        Ok(()) => Finding::ok(ABOUT, format!("it serves at {url}")),
        Err(sentence) => Finding::warning(
            ABOUT,
            format!("one runs, and cannot be asked: {sentence}"),
            "where it was started with another address, or has a certificate for another name, ask it with \"binnacle health\"; \
             where it is reading its log, wait; else see \"The server is down\" in docs/operations.md",
        ),
    }
}

/// Where a server is reached from its own machine.
fn url(listen: SocketAddr, is_secured: bool) -> String {
    let own = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let scheme = if is_secured { "https" } else { "http" };
    format!("{scheme}://{}", SocketAddr::new(own, listen.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_is_asked_on_loopback() {
        for (listen, secured, expected) in [
            ("127.0.0.1:7700", false, "http://127.0.0.1:7700"),
            ("0.0.0.0:7700", true, "https://127.0.0.1:7700"),
            ("[::]:7", true, "https://[::1]:7"),
            ("192.0.2.1:7", false, "http://192.0.2.1:7"),
        ] {
            assert_eq!(url(listen.parse().unwrap(), secured), expected);
        }
    }
}
