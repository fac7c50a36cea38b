//! File descriptors: every connection takes one.

use rustix::process::{Resource, getrlimit};

use super::{Finding, Patient};
use crate::cli::load::OTHER_FILES;

const ABOUT: &str = "open files";

/// The most that whoever runs this may open, which a server takes, against the connections that there may be.
pub(super) fn look(patient: &Patient<'_>) -> Option<Finding> {
    let connections = patient.settings.server().load.connections_max;
    Some(judge(getrlimit(Resource::Nofile).maximum?, connections as u64))
}

fn judge(limit: u64, connections: u64) -> Finding {
    let wanted = connections.saturating_add(OTHER_FILES as u64);
    if limit >= wanted {
        return Finding::ok(ABOUT, format!("{limit} may be open, and a connection takes one"));
    }
    Finding::warning(
        ABOUT,
        format!(
            "{limit} may be open here, and {connections} connections may come (--connections-max): a server will take fewer"
        ),
        format!(
            "raise the limit to {wanted} where the server is started (LimitNOFILE= of a unit, ulimit -Hn of a shell), or ask for \
             fewer connections"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn as_many_may_be_open_as_there_may_be_connections_and_some_more() {
        assert_eq!(judge(10_255, 10_000).level, Level::Warning);
        assert_eq!(judge(10_256, 10_000).level, Level::Ok);
    }
}
