//! Certificates: that they can be read and fit their key, and until when they hold.

use std::ops::Range;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::{Finding, Patient, said};
use crate::cli::Failure;
use crate::identity::validity_of;
use crate::service::{TlsFiles, certificates_in};

const ABOUT: &str = "certificates";

/// How long before its end one hears of it.
const NOTICE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Every certificate that the settings name.
pub(super) fn look(patient: &Patient<'_>) -> Vec<Finding> {
    let identity = patient.settings.identity();
    let wrong = |failure: &Failure| {
        let todo = "correct the files or the settings: see \"Rotating certificates\" in docs/operations.md";
        vec![Finding::of_failure(ABOUT, failure, todo)]
    };
    let files = match identity.tls_files() {
        Ok(Some(files)) => files,
        Ok(None) => return vec![Finding::ok(ABOUT, "connections are not secured")],
        Err(failure) => return wrong(&failure),
    };
    // Whether they can be read and fit each other.
    if let Err(failure) = identity.tls() {
        return wrong(&failure);
    }
    let TlsFiles {
        certificate,
        key: _,
        client_ca,
    } = files;
    let paths = [Some(certificate), client_ca].into_iter().flatten();
    paths.flat_map(|path| look_at(&path, patient.now)).collect()
}

/// Every certificate in a file: an authority that has ended ends what it has signed.
fn look_at(path: &Path, now: Timestamp) -> Vec<Finding> {
    // What cannot be read was said.
    let certificates = certificates_in(path).unwrap_or_default();
    let validities = certificates.iter().map(|certificate| validity_of(certificate));
    let count = certificates.len();
    validities
        .zip(1..)
        .map(|(validity, number)| {
            let which = match count {
                1 => said(path),
                count => format!("{}, certificate {number} of {count}", said(path)),
            };
            match validity {
                Some(validity) => judge(&which, &validity, now),
                None => Finding::wrong(
                    ABOUT,
                    format!("{which} cannot be understood"),
                    "replace it with one of X.509",
                ),
            }
        })
        .collect()
}

fn judge(which: &str, validity: &Range<Timestamp>, now: Timestamp) -> Finding {
    let Range { start, end } = validity;
    let renew = "put a new one in its place: a running server has it within a second; see \"Rotating certificates\" in \
                 docs/operations.md";
    if now < *start {
        let is = format!("{which} holds from {start:.0} on, which is not yet");
        return Finding::wrong(ABOUT, is, "wait, look at the clock, or replace it");
    }
    if now >= *end {
        return Finding::wrong(ABOUT, format!("{which} has ended on {end:.0}"), renew);
    }
    let left = end.duration_since(now);
    match left <= NOTICE {
        true => Finding::warning(
            ABOUT,
            format!("{which} ends on {end:.0}, in {} days", left.as_hours() / 24),
            renew,
        ),
        false => Finding::ok(ABOUT, format!("{which} holds until {end:.0}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn a_certificate_is_told_of_30_days_before_it_ends() {
        let at = |day: i64| Timestamp::from_second(day * 86_400).unwrap();
        let validity = at(10)..at(100);
        for (today, level) in [
            (9, Level::Wrong),
            (10, Level::Ok),
            (69, Level::Ok),
            (70, Level::Warning),
            (99, Level::Warning),
            (100, Level::Wrong),
        ] {
            assert_eq!(judge("it", &validity, at(today)).level, level, "day {today}");
        }
    }
}
