use crate::log::LogError;
use proptest::prelude::*;

use super::*;
use crate::domain::{Id, KeyResultId, Rejection, ResourceName, Timestamp};

fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

fn nps() -> KeyResultId {
    KeyResultId {
        objective: id("win"),
        id: id("nps"),
    }
}

fn violation(field: &str, sentence: &str) -> Violation {
    Violation {
        field: field.to_owned(),
        sentence: sentence.to_owned(),
    }
}

/// Code, reason, and the subject that its details name.
fn seen(rejection: &Rejection) -> (Code, String, String) {
    let status = refused(rejection);
    let details = status.check_error_details().unwrap();
    let info = details.error_info().unwrap();
    assert_eq!(info.domain, "binnacle");
    let fields = details
        .bad_request()
        .map(|bad| bad.field_violations[0].field.clone());
    let rules = details
        .precondition_failure()
        .map(|failure| failure.violations[0].subject.clone());
    let named = info.metadata.get("resource").cloned();
    let subject = fields.or(rules).or(named).unwrap();
    (status.code(), info.reason.clone(), subject)
}

#[test]
fn a_refusal_has_its_code_its_reason_and_what_it_is_about() {
    let future = Rejection::EffectiveTimeInFuture {
        effective: Timestamp::MAX,
        now: Timestamp::MIN,
    };
    let from_kpi = Rejection::ValueComesFromKpi {
        key_result: nps(),
        kpi: id("nps"),
    };
    for (rejection, code, reason, subject) in [
        (
            Rejection::invalid("team.title", "it is empty"),
            Code::InvalidArgument,
            "INVALID_FIELD",
            "team.title",
        ),
        (
            future,
            Code::InvalidArgument,
            "EFFECTIVE_TIME_IN_FUTURE",
            "effective_time",
        ),
        (
            Rejection::NotFound(ResourceName::KeyResult(nps())),
            Code::NotFound,
            "NOT_FOUND",
            "objectives/win/keyResults/nps",
        ),
        (
            Rejection::AlreadyExists(ResourceName::Team(id("sales"))),
            Code::AlreadyExists,
            "ALREADY_EXISTS",
            "teams/sales",
        ),
        (
            Rejection::LastOwner(id("maria")),
            Code::FailedPrecondition,
            "LAST_OWNER",
            "members/maria",
        ),
        (
            Rejection::CycleNotPlanned(id("q3")),
            Code::FailedPrecondition,
            "CYCLE_NOT_PLANNED",
            "cycles/q3",
        ),
        (
            from_kpi,
            Code::FailedPrecondition,
            "VALUE_COMES_FROM_KPI",
            "objectives/win/keyResults/nps",
        ),
        (
            Rejection::KpiHasMeasurements(id("nps")),
            Code::FailedPrecondition,
            "KPI_HAS_MEASUREMENTS",
            "kpis/nps",
        ),
        (
            Rejection::EtagMismatch(ResourceName::Kpi(id("nps"))),
            Code::Aborted,
            "ETAG_MISMATCH",
            "kpis/nps",
        ),
    ] {
        let expected = (code, reason.to_owned(), subject.to_owned());
        assert_eq!(seen(&rejection), expected, "{rejection}");
        assert_eq!(refused(&rejection).message(), rejection.to_string());
    }
}

#[test]
fn every_bad_element_is_named_by_its_index() {
    let elements = vec![
        (3, Rejection::NotFound(ResourceName::Kpi(id("nps")))),
        (7, Rejection::ConflictingValues { first_index: 2 }),
    ];
    let rejection = Rejection::Elements {
        list: "measurements",
        refused: elements,
    };
    let status = refused(&rejection);
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(status.message(), rejection.to_string());
    let details = status.check_error_details().unwrap();
    let named: Vec<_> = details
        .bad_request()
        .unwrap()
        .field_violations
        .iter()
        .map(|violation| {
            (
                violation.field.as_str(),
                violation.description.contains("index 2"),
            )
        })
        .collect();
    assert_eq!(named, [("measurements[3]", false), ("measurements[7]", true)]);
    let metadata = &details.error_info().unwrap().metadata;
    assert_eq!(metadata["indices"], "3,7");
    assert_eq!(metadata["refused_count"], "2");
    assert_eq!(metadata.get("left_out_count"), None);
}

#[test]
fn a_thousand_bad_elements_fit_and_the_rest_is_counted() {
    let elements = (0..1000).map(|index| {
        let name = ResourceName::Kpi(id(&format!("a{}", "x".repeat(60))));
        (index, Rejection::NotFound(name))
    });
    let status = refused(&Rejection::Elements {
        list: "measurements",
        refused: elements.collect(),
    });
    assert!(
        status.details().len() < 8 * 1024,
        "{} bytes",
        status.details().len()
    );
    let details = status.check_error_details().unwrap();
    let shown = details.bad_request().unwrap().field_violations.len();
    assert!((20..=100).contains(&shown), "{shown} shown");
    let metadata = &details.error_info().unwrap().metadata;
    assert_eq!(metadata["left_out_count"], (1000 - shown).to_string());
    assert_eq!(metadata["indices"].split(',').count(), 100);
}

#[test]
fn a_message_says_how_many_violations_it_leaves_out() {
    let violations: Vec<_> = (0..500)
        .map(|n| violation(&format!("measurements[{n}].value"), "it is missing"))
        .collect();
    let status = refused(&Rejection::Invalid(violations));
    assert!(
        status
            .message()
            .starts_with("measurements[0].value: it is missing; measurements[1]")
    );
    assert!(status.message().ends_with(" more"), "{}", status.message());
}

#[test]
fn the_engines_refusals_have_their_codes_and_say_whether_waiting_helps() {
    let soon = Duration::from_millis(20);
    let damaged = LogError::new(LogErrorKind::Damaged, "revision 7 is missing: restore it");
    for (refusal, code, reason, waits) in [
        (
            Refusal::RequestIdReused,
            Code::AlreadyExists,
            "REQUEST_ID_REUSED",
            false,
        ),
        (
            Refusal::RequestIdExpired,
            Code::FailedPrecondition,
            "REQUEST_ID_EXPIRED",
            false,
        ),
        (
            Refusal::RevisionInFuture {
                asked: Revision(2),
                head: Revision(1),
            },
            Code::OutOfRange,
            "REVISION_IN_FUTURE",
            false,
        ),
        (
            Refusal::Overloaded {
                what: "x",
                retry_after: soon,
            },
            Code::ResourceExhausted,
            "OVERLOADED",
            true,
        ),
        (
            Refusal::DiskLow {
                free_bytes: 1,
                free_bytes_min: 2,
                retry_after: soon,
            },
            Code::ResourceExhausted,
            "DISK_LOW",
            true,
        ),
        (Refusal::CallerGone, Code::Cancelled, "CALLER_GONE", false),
        (
            Refusal::CommitTooLarge {
                bytes: 2,
                bytes_max: 1,
            },
            Code::ResourceExhausted,
            "COMMIT_TOO_LARGE",
            false,
        ),
        (
            Refusal::ClockJumped("x".to_owned()),
            Code::FailedPrecondition,
            "CLOCK_JUMPED",
            false,
        ),
        (Refusal::Draining, Code::Unavailable, "DRAINING", true),
        (Refusal::Stopped, Code::Unavailable, "STOPPED", true),
        (Refusal::Panicked, Code::Internal, "INTERNAL", false),
        (Refusal::from(damaged), Code::DataLoss, "LOG_DAMAGED", false),
    ] {
        let sentence = refusal.to_string();
        let status = Status::from(refusal);
        assert_eq!((status.code(), status.message()), (code, sentence.as_str()));
        let details = status.check_error_details().unwrap();
        assert_eq!(details.error_info().unwrap().reason, reason);
        assert_eq!(details.retry_info().is_some(), waits, "{reason}");
    }
}

proptest! {
    // Large texts: a few cases are enough to fill every budget.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_status_fits_into_headers(
        parts in prop::collection::vec(("\\PC{0,300}", "\\PC{0,900}"), 1..40),
        elements: bool,
    ) {
        let rejection = if elements {
            let refused = parts.iter().map(|(field, sentence)| Rejection::invalid(field, sentence));
            Rejection::Elements {
                list: "measurements",
                refused: refused.enumerate().collect(),
            }
        } else {
            Rejection::Invalid(parts.iter().map(|(field, sentence)| violation(field, sentence)).collect())
        };
        let status = refused(&rejection);
        prop_assert!(status.details().len() < 8 * 1024, "{} bytes of details", status.details().len());
        prop_assert!(status.message().len() <= MESSAGE_BYTES_MAX);
        let mut headers = http::HeaderMap::new();
        prop_assert!(status.add_header(&mut headers).is_ok());
        let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
        prop_assert!(bytes < 15 * 1024, "{bytes} bytes of headers");
    }
}
