//! File descriptors: every connection takes one.

use rustix::process::{Resource, getrlimit};

use super::{Finding, Patient};

const ABOUT: &str = "open files";

/// What a server has open beside its connections, and some to spare.
const OWN: u64 = 128;

/// The limit of whoever runs this, against the subscribers that there may be, each with a connection of its own.
pub(super) fn look(patient: &Patient<'_>) -> Option<Finding> {
    let subscriptions = patient.settings.server().subscriptions.subscriptions_max as u64;
    Some(judge(getrlimit(Resource::Nofile).current?, subscriptions))
}

fn judge(limit: u64, subscriptions: u64) -> Finding {
    let wanted = subscriptions.saturating_add(OWN);
    if limit >= wanted {
        return Finding::ok(ABOUT, format!("{limit} may be open, and a connection takes one"));
    }
    Finding::warning(
        ABOUT,
        format!(
            "{limit} may be open here, and {subscriptions} subscribers (--subscriptions-max) may come with a connection each: \
             beyond that nobody can connect"
        ),
        format!(
            "raise the limit to {wanted} where the server is started (LimitNOFILE= of a unit, ulimit -n of a shell)"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn as_many_may_be_open_as_there_may_be_subscribers_and_some_more() {
        assert_eq!(judge(1024, 16_384).level, Level::Warning);
        assert_eq!(judge(16_384 + OWN, 16_384).level, Level::Ok);
    }
}
