//! When to come back to a server that was lost, and when there is no use in it.
//!
//! Invariant: never earlier than the server asked for, up to five minutes, and of its own accord at most half a minute after it
//! is there again; never two readers at the same moment but by chance.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;

/// The first pause; each is twice the one before, up to the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// The longest pause that a server may ask for.
const ASKED_PAUSE_MAX: Duration = Duration::from_secs(300);
/// Who answers with reasons.
const DOMAIN: &str = "binnacle";

/// How often in a row it did not help.
#[derive(Debug, Default)]
pub(super) struct Patience {
    failures: u32,
}

impl Patience {
    /// The stream has moved on.
    pub(super) fn rewarded(&mut self) {
        self.failures = 0;
    }

    /// How long to wait this time; `chance` is anything from 0 to 1.
    pub(super) fn pause(&mut self, asked: Option<Duration>, chance: f64) -> Duration {
        let whole = PAUSE_FIRST
            .saturating_mul(1 << self.failures.min(16))
            .min(PAUSE_MAX);
        self.failures = self.failures.saturating_add(1);
        let own = whole.mul_f64(0.5 + chance / 2.0);
        let asked = asked.unwrap_or_default().min(ASKED_PAUSE_MAX);
        own.max(asked.mul_f64(1.0 + chance / 2.0))
    }
}

/// Whether the same question may be answered later. `known`: this server has answered it before.
pub(super) fn may_pass(status: &Status, known: bool) -> bool {
    match status.code() {
        Code::Unavailable | Code::ResourceExhausted => true,
        // Not the service's words but what is left of a broken way, as far as there was one.
        Code::Unknown | Code::Cancelled | Code::Internal | Code::DeadlineExceeded | Code::Aborted => {
            known && !is_said_by_the_service(status)
        }
        Code::Ok
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::DataLoss
        | Code::Unauthenticated => false,
    }
}

/// Every refusal of the service has a reason of its own.
pub(super) fn is_said_by_the_service(status: &Status) -> bool {
    reason(status).is_some()
}

/// The reason of a refusal; none: the service has not said it.
pub(super) fn reason(status: &Status) -> Option<String> {
    let info = status.get_details_error_info()?;
    (info.domain == DOMAIN).then_some(info.reason)
}

/// How long the server asks to wait.
pub(super) fn asked(status: &Status) -> Option<Duration> {
    status.get_details_retry_info()?.retry_delay
}

/// Anything from 0 to 1.
pub(super) fn chance() -> f64 {
    f64::from(uuid::Uuid::new_v4().as_fields().0) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn pauses_double_up_to_half_a_minute_and_begin_anew_when_the_stream_moves_on() {
        let pauses = |chance: f64| {
            let mut patience = Patience::default();
            let pauses = (0..11).map(|_| patience.pause(None, chance).as_millis());
            pauses.collect::<Vec<_>>()
        };
        assert_eq!(
            pauses(1.0),
            [
                100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000
            ]
        );
        assert_eq!(
            pauses(0.0),
            [
                50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000
            ]
        );
        let mut patience = Patience::default();
        patience.pause(None, 1.0);
        patience.pause(None, 1.0);
        patience.rewarded();
        assert_eq!(patience.pause(None, 1.0), PAUSE_FIRST);
    }

    #[test]
    fn a_pause_that_the_server_asks_for_is_kept_up_to_five_minutes_and_not_the_same_for_everybody() {
        let asked = |seconds, chance| {
            Patience::default()
                .pause(Some(Duration::from_secs(seconds)), chance)
                .as_millis()
        };
        assert_eq!(asked(2, 0.0), 2_000);
        assert_eq!(asked(2, 1.0), 3_000);
        assert_eq!(asked(0, 1.0), 100);
        assert_eq!(asked(86_400, 0.0), 300_000);
    }

    #[test]
    fn coming_back_helps_where_the_way_broke_and_not_where_the_service_refuses() {
        let said = |code| {
            let details = ErrorDetails::with_error_info("SOMETHING", DOMAIN, HashMap::new());
            Status::with_error_details(code, "x", details)
        };
        for code in [Code::Unavailable, Code::ResourceExhausted] {
            assert!(
                may_pass(&said(code), false) && may_pass(&Status::new(code, "x"), false),
                "{code}"
            );
        }
        for code in [
            Code::Unknown,
            Code::Cancelled,
            Code::Internal,
            Code::DeadlineExceeded,
        ] {
            assert!(may_pass(&Status::new(code, "x"), true), "{code}");
            assert!(!may_pass(&said(code), true), "{code}");
            assert!(!may_pass(&Status::new(code, "x"), false), "{code}");
        }
        for code in [
            Code::NotFound,
            Code::InvalidArgument,
            Code::FailedPrecondition,
            Code::OutOfRange,
            Code::PermissionDenied,
            Code::Unauthenticated,
            Code::DataLoss,
            Code::Unimplemented,
        ] {
            assert!(
                !may_pass(&Status::new(code, "x"), true) && !may_pass(&said(code), true),
                "{code}"
            );
        }
    }

    #[test]
    fn chance_is_between_0_and_1() {
        assert!((0..1000).all(|_| (0.0..=1.0).contains(&chance())));
    }
}
