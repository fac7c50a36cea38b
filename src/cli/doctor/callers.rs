//! What callers are recognised by: API keys and who signs tokens.

use jiff::{SignedDuration, Timestamp};

use super::directory::may_be_read;
use super::{Finding, Patient};
use crate::cli::identity::KEYS;
use crate::cli::words::counted;
use crate::identity::{KeyFile, StoredKey};

const ABOUT: &str = "callers";
const KEYS_ABOUT: &str = "API keys";

/// How long before its end one hears of a key.
const NOTICE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What a start would say of credentials, and which keys are about to end.
pub(super) fn look(patient: &Patient<'_>) -> Vec<Finding> {
    if !may_be_read(&patient.data_dir) {
        return vec![Finding::warning(
            KEYS_ABOUT,
            "this user may not look whether there are any",
            "run this as the user that runs the server",
        )];
    }
    let identity = patient.settings.identity();
    let authenticator = match identity.authenticator(&patient.data_dir) {
        Ok(authenticator) => authenticator,
        Err(failure) => {
            let todo = "until then the server does not start; docs/security.md says what each setting is for";
            return vec![Finding::of_failure(ABOUT, &failure, todo)];
        }
    };
    let mut findings = Vec::new();
    if authenticator.is_open() {
        findings.push(Finding::ok(
            ABOUT,
            "nobody is asked who they are, so the server listens on loopback alone",
        ));
    }
    if let Some(jwks) = identity.jwks() {
        findings.push(Finding::ok(
            ABOUT,
            format!("the keys of who signs tokens are at {jwks}"),
        ));
    }
    // That it can be read the authenticator has found.
    let keys = KeyFile::list(&patient.data_dir.join(KEYS)).unwrap_or_default();
    let others = identity.jwks().is_some()
        || matches!(identity.tls_files(), Ok(Some(files)) if files.client_ca.is_some());
    if !keys.is_empty() {
        findings.extend(judge(&keys, patient.now, others));
    }
    findings
}

fn judge(keys: &[StoredKey], now: Timestamp, others: bool) -> Vec<Finding> {
    let make = "make a new one with \"binnacle keys create\"";
    let holding: Vec<&StoredKey> = keys.iter().filter(|key| key.holds(now)).collect();
    let mut findings = Vec::new();
    if holding.is_empty() && !others {
        let is = format!(
            "{}, and none of them lets anybody in any more",
            counted(keys.len(), "key")
        );
        findings.push(Finding::wrong(KEYS_ABOUT, is, make));
    } else {
        let is = format!("{} of {} let somebody in", holding.len(), keys.len());
        findings.push(Finding::ok(KEYS_ABOUT, is));
    }
    for key in holding {
        let Some(expires) = key
            .expire_time
            .filter(|expires| expires.duration_since(now) <= NOTICE)
        else {
            continue;
        };
        let is = format!("the key {} of {} ends on {expires:.0}", key.id, key.principal);
        findings.push(Finding::warning(
            KEYS_ABOUT,
            is,
            format!("{make}, hand it on, and revoke this one"),
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    fn key(expires: Option<i64>, revoked: bool) -> StoredKey {
        let day = |day: i64| Timestamp::from_second(day * 86_400).unwrap();
        StoredKey {
            id: "0011223344ff".into(),
            principal: "maria".into(),
            sha256: String::new(),
            create_time: day(0),
            expire_time: expires.map(day),
            revoke_time: revoked.then(|| day(1)),
            note: String::new(),
        }
    }

    #[test]
    fn a_key_is_told_of_before_it_ends_and_keys_that_let_nobody_in_are_wrong() {
        let now = Timestamp::from_second(100 * 86_400).unwrap();
        let levels = |keys: &[StoredKey], others| -> Vec<Level> {
            judge(keys, now, others)
                .into_iter()
                .map(|finding| finding.level)
                .collect()
        };
        assert_eq!(
            levels(&[key(None, false), key(Some(131), false)], false),
            [Level::Ok]
        );
        assert_eq!(
            levels(&[key(None, false), key(Some(130), false)], false),
            [Level::Ok, Level::Warning]
        );
        let gone = [key(Some(100), false), key(None, true)];
        assert_eq!(levels(&gone, false), [Level::Wrong]);
        assert_eq!(levels(&gone, true), [Level::Ok]);
    }
}
