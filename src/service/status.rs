//! The one place where a refusal becomes a `google.rpc.Status`: a code, one sentence, a stable reason and details.
//!
//! Invariant: a status fits into HTTP/2 headers. They take 16 KiB, the details travel as base64 and the message a second
//! time beside them, so the encoded details stay under 8 KiB and the message under 1 KiB, and what is left out is counted.
//! It does not know who is refused, nor writes logs.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use super::load::Excess;
use crate::domain::{Rejection, RejectionKind, Revision, Violation};
use crate::engine::Refusal;
use crate::identity::Unauthenticated;
use crate::log::LogErrorKind;
use crate::projection::{ForecastRefusal, POINTS_MIN};

/// Who answers the reasons.
const DOMAIN: &str = "binnacle";

/// The longest message, in bytes. On the wire a byte may take three.
const MESSAGE_BYTES_MAX: usize = 1000;

/// The longest sentence about one field, in bytes.
const SENTENCE_BYTES_MAX: usize = 400;

/// The longest path of a field, or name of a resource, in bytes.
const PATH_BYTES_MAX: usize = 200;

/// What all field violations together may take, in bytes; beside them stand the message and up to 100 indices.
const VIOLATIONS_BYTES_MAX: usize = 5 * 1024;

/// What a field violation takes beside its texts, in bytes, at most: tags and lengths.
const VIOLATION_FRAME_BYTES: usize = 12;

/// When a server that ends may be back.
const RESTART_DELAY: Duration = Duration::from_secs(1);

/// When a server with too many subscriptions may have room.
const CROWD_DELAY: Duration = Duration::from_secs(10);

/// When a caller with too many open calls may have ended some.
const BUSY_DELAY: Duration = Duration::from_millis(100);

/// The most elements of a batch that are named one by one.
const ELEMENTS_MAX: usize = 100;

impl From<&Rejection> for Status {
    fn from(rejection: &Rejection) -> Self {
        refused(rejection)
    }
}

impl From<Rejection> for Status {
    fn from(rejection: Rejection) -> Self {
        refused(&rejection)
    }
}

impl From<Violation> for Status {
    fn from(violation: Violation) -> Self {
        refused(&Rejection::Invalid(vec![violation]))
    }
}

/// A command or a query that the domain refuses.
#[must_use]
pub(crate) fn refused(rejection: &Rejection) -> Status {
    let code = match rejection.kind() {
        RejectionKind::Malformed => Code::InvalidArgument,
        RejectionKind::Missing => Code::NotFound,
        RejectionKind::Duplicate => Code::AlreadyExists,
        RejectionKind::Rule => Code::FailedPrecondition,
        RejectionKind::Outdated => Code::Aborted,
        RejectionKind::Denied => Code::PermissionDenied,
    };
    let mut metadata = HashMap::new();
    let mut details = ErrorDetails::new();
    let message = match rejection {
        Rejection::Invalid(violations) => {
            let left_out = set_violations(&mut details, violations.iter().cloned());
            count_left_out(&mut metadata, left_out);
            sentences(violations)
        }
        Rejection::Elements {
            list,
            refused: elements,
        } => {
            let named = elements
                .iter()
                .take(ELEMENTS_MAX)
                .map(|(index, refused)| Violation {
                    field: format!("{list}[{index}]"),
                    sentence: refused.to_string(),
                });
            let left_out = set_violations(&mut details, named) + elements.len().saturating_sub(ELEMENTS_MAX);
            metadata.insert("indices".to_owned(), indices(elements));
            metadata.insert("refused_count".to_owned(), elements.len().to_string());
            count_left_out(&mut metadata, left_out);
            rejection.to_string()
        }
        one => {
            let sentence = one.to_string();
            set_details_of_one(&mut details, &mut metadata, one, &sentence);
            sentence
        }
    };
    details.set_error_info(rejection.reason(), DOMAIN, metadata);
    Status::with_error_details(code, shortened(&message, MESSAGE_BYTES_MAX), details)
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let (code, retry_delay) = match &refusal {
            Refusal::Rejected(rejection) => return refused(rejection),
            Refusal::WorkspaceNotFound(_) | Refusal::WorkspaceNotCreatedYet { .. } => (Code::NotFound, None),
            Refusal::WorkspaceExists(_) | Refusal::RequestIdReused => (Code::AlreadyExists, None),
            Refusal::RequestIdExpired | Refusal::ClockJumped(_) => (Code::FailedPrecondition, None),
            Refusal::RevisionInFuture { .. } => (Code::OutOfRange, None),
            Refusal::Overloaded { what: _, retry_after }
            | Refusal::DiskLow {
                free_bytes: _,
                free_bytes_min: _,
                retry_after,
            } => (Code::ResourceExhausted, Some(*retry_after)),
            Refusal::CallerGone => (Code::Cancelled, None),
            Refusal::CommitTooLarge { .. } => (Code::ResourceExhausted, None),
            Refusal::SignsNothing => (Code::FailedPrecondition, None),
            Refusal::Draining | Refusal::Stopped => (Code::Unavailable, Some(RESTART_DELAY)),
            Refusal::Panicked => (Code::Internal, None),
            Refusal::Log(error) => match error.kind {
                LogErrorKind::Damaged | LogErrorKind::UnknownFormat => (Code::DataLoss, None),
                LogErrorKind::TooLarge | LogErrorKind::Io | LogErrorKind::Locked | LogErrorKind::Exposed => {
                    (Code::Internal, None)
                }
            },
        };
        with_retry(code, refusal.reason(), &refusal.to_string(), retry_delay)
    }
}

/// A refusal as one sentence of a bounded length, where many stand beside each other.
pub(super) fn sentence(rejection: &Rejection) -> String {
    shortened(&rejection.to_string(), SENTENCE_BYTES_MAX)
}

/// The path of a field, in a bounded length.
pub(super) fn path(field: &str) -> String {
    shortened(field, PATH_BYTES_MAX)
}

/// Why a stream of rows ends: its client is told how it goes on.
pub(super) fn rows_ended(refusal: Refusal) -> Status {
    match refusal {
        Refusal::Draining | Refusal::Stopped => {
            let sentence = "the server is stopping: when it is back, open the stream again and go on behind durable_through";
            with_retry(Code::Unavailable, refusal.reason(), sentence, Some(RESTART_DELAY))
        }
        refusal => refusal.into(),
    }
}

impl From<ForecastRefusal> for Status {
    fn from(refusal: ForecastRefusal) -> Self {
        let mut metadata = HashMap::new();
        let subject = match &refusal {
            ForecastRefusal::Rejected(rejection) => return refused(rejection),
            ForecastRefusal::TooLittleHistory { of, points, since: _ } => {
                metadata.insert("points_count".to_owned(), points.to_string());
                metadata.insert("points_needed".to_owned(), POINTS_MIN.to_string());
                of.to_string()
            }
            ForecastRefusal::NoRhythm(of)
            | ForecastRefusal::UnitIsScale(of)
            | ForecastRefusal::NoModel(of)
            | ForecastRefusal::HorizonTooFar { of, target_date: _ } => of.to_string(),
            ForecastRefusal::KindNotForecast(key_result)
            | ForecastRefusal::WindowNotForecast(key_result)
            | ForecastRefusal::NothingToForecast {
                key_result,
                target_date: _,
            } => key_result.to_string(),
        };
        let (reason, sentence) = (refusal.reason(), refusal.to_string());
        let mut details = ErrorDetails::with_error_info(reason, DOMAIN, metadata);
        let subject = shortened(&subject, PATH_BYTES_MAX);
        details.add_precondition_failure_violation(reason, subject, shortened(&sentence, SENTENCE_BYTES_MAX));
        let message = shortened(&sentence, MESSAGE_BYTES_MAX);
        Status::with_error_details(Code::FailedPrecondition, message, details)
    }
}

/// The log is still being replayed.
pub(super) fn starting() -> Status {
    let sentence = "the server is reading its log: try again when its health says SERVING";
    with_retry(Code::Unavailable, "STARTING", sentence, Some(RESTART_DELAY))
}

/// Nobody is known by what was shown.
pub(super) fn unauthenticated(refused: Unauthenticated) -> Status {
    with_reason(Code::Unauthenticated, refused.reason(), &refused.to_string())
}

/// Who asks does not run the server.
pub(super) fn not_an_operator(what: &str) -> Status {
    let sentence =
        format!("only operators of this server {what}: ask one, or have yourself named with --operator");
    with_reason(Code::PermissionDenied, "NOT_AN_OPERATOR", &sentence)
}

/// There is no event of that name.
pub(super) fn event_not_found(name: &str) -> Status {
    let name = shortened(name, PATH_BYTES_MAX);
    with_reason(
        Code::NotFound,
        "NOT_FOUND",
        &format!("{name} does not exist: take the name from ListEvents"),
    )
}

/// A resume token that is none of this server's.
pub(super) fn token_unreadable() -> Status {
    Violation {
        field: "after".to_owned(),
        sentence: "it is no resume token: send one as the stream gave it, or begin with a snapshot"
            .to_owned(),
    }
    .into()
}

/// A resume token of another log, or of the same one before it was restored to an earlier point.
pub(super) fn token_of_another_log() -> Status {
    let sentence =
        "the token belongs to another log, or to this one before it was restored: begin with a snapshot";
    token_refused("LOG_MISMATCH", sentence)
}

/// A resume token of a subscription to something else.
pub(super) fn token_of_another_subscription() -> Status {
    let sentence =
        "the token belongs to a subscription with another filter: send that filter, or begin with a snapshot";
    token_refused("FILTER_MISMATCH", sentence)
}

/// A resume token of what has not happened yet.
pub(super) fn token_in_future(asked: Revision, head: Revision) -> Status {
    let sentence =
        format!("the token stands at revision {asked} and the log ends at {head}: begin with a snapshot");
    with_reason(Code::OutOfRange, "POSITION_IN_FUTURE", &sentence)
}

/// There are as many subscriptions as there may be.
pub(super) fn too_many_subscriptions(count_max: usize) -> Status {
    let sentence = format!(
        "the server has {count_max} subscriptions and takes no more: end one that is not needed, or come back later"
    );
    with_retry(
        Code::ResourceExhausted,
        "TOO_MANY_SUBSCRIPTIONS",
        &sentence,
        Some(CROWD_DELAY),
    )
}

/// Somebody makes more calls than they may.
pub(super) fn too_many_calls(who_make: &str, excess: Excess) -> Status {
    let (reason, sentence, retry_after) = match excess {
        Excess::Rate {
            calls_per_s,
            retry_after,
        } => {
            let sentence = format!(
                "{who_make} more than {calls_per_s} calls a second: make fewer, or send several changes in one call"
            );
            ("RATE_LIMITED", sentence, retry_after)
        }
        Excess::Open { calls_max } => {
            let sentence =
                format!("{who_make} more than {calls_max} calls at once: wait until some have ended");
            ("TOO_MANY_OPEN_CALLS", sentence, BUSY_DELAY)
        }
    };
    with_retry(Code::ResourceExhausted, reason, &sentence, Some(retry_after))
}

impl From<Excess> for Status {
    fn from(excess: Excess) -> Self {
        too_many_calls("all who call about this workspace together make", excess)
    }
}

/// All requests together have more bytes than may be received at once.
pub(super) fn too_many_bytes(bytes_max: usize) -> Status {
    let sentence = format!(
        "the server receives more than {bytes_max} bytes of requests at once: try again later, in smaller calls"
    );
    with_retry(Code::ResourceExhausted, "OVERLOADED", &sentence, Some(BUSY_DELAY))
}

/// Callers do not read what they have asked for.
pub(super) fn too_much_unread() -> Status {
    let sentence = "the server has made as many bytes of answers as it keeps for callers who have not read them yet, or for you: read \
                    those before you ask for more, or ask again later; whether the call has changed something is unknown, so send a \
                    change again with the same request_id";
    with_retry(Code::Unavailable, "ANSWERS_UNREAD", sentence, Some(BUSY_DELAY))
}

/// A call had no answer within so many seconds.
pub(super) fn not_in_time(answer_s_max: u64) -> Status {
    let sentence = format!(
        "the call had no answer within {answer_s_max} s, and the server has given it up: send the whole request at once; \
         whether it has changed something is unknown, so send a change again with the same request_id"
    );
    with_reason(Code::DeadlineExceeded, "NOT_IN_TIME", &sentence)
}

/// A call has more in its headers than it may.
pub(super) fn headers_too_large(bytes_max: u32) -> Status {
    let sentence =
        format!("the headers of the call have more than {bytes_max} bytes: send fewer, or shorter ones");
    with_reason(Code::ResourceExhausted, "HEADERS_TOO_LARGE", &sentence)
}

/// A page in a browser asks, and nobody has named its origin.
pub(super) fn origin_not_allowed() -> Status {
    let sentence = "a page of this origin may not talk to the server: start it with --web-origin and the origin to allow it";
    with_reason(Code::PermissionDenied, "ORIGIN_NOT_ALLOWED", sentence)
}

/// A subscriber took nothing for too long.
pub(super) fn slow_consumer() -> Status {
    let sentence = "this stream was not read for too long and has ended: subscribe again with the newest resume token, and \
                    read faster, or ask for less with a filter or min_interval";
    with_reason(Code::ResourceExhausted, "SLOW_CONSUMER", sentence)
}

fn token_refused(reason: &str, sentence: &str) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    details.add_precondition_failure_violation(reason, "after", sentence);
    Status::with_error_details(Code::FailedPrecondition, sentence, details)
}

fn with_reason(code: Code, reason: &str, sentence: &str) -> Status {
    with_retry(code, reason, sentence, None)
}

fn with_retry(code: Code, reason: &str, sentence: &str, retry_delay: Option<Duration>) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    if retry_delay.is_some() {
        details.set_retry_info(retry_delay);
    }
    Status::with_error_details(code, shortened(sentence, MESSAGE_BYTES_MAX), details)
}

/// What is wrong with one thing: the field, the rule, or the name of the resource.
fn set_details_of_one(
    details: &mut ErrorDetails,
    metadata: &mut HashMap<String, String>,
    rejection: &Rejection,
    sentence: &str,
) {
    let subject = shortened(&subject(rejection), PATH_BYTES_MAX);
    let sentence = shortened(sentence, SENTENCE_BYTES_MAX);
    match rejection.kind() {
        RejectionKind::Malformed => {
            details.add_bad_request_violation(subject, sentence);
        }
        RejectionKind::Rule => {
            details.add_precondition_failure_violation(rejection.reason(), subject, sentence);
        }
        RejectionKind::Missing
        | RejectionKind::Duplicate
        | RejectionKind::Outdated
        | RejectionKind::Denied => {
            // A role that is missing is missing in the whole workspace.
            if !subject.is_empty() {
                metadata.insert("resource".to_owned(), subject);
            }
        }
    }
}

/// What a refusal is about: a field of the request where it is malformed, else a resource inside the workspace.
fn subject(rejection: &Rejection) -> String {
    match rejection {
        Rejection::Invalid(violations) => violations
            .first()
            .map(|first| first.field.clone())
            .unwrap_or_default(),
        Rejection::Elements { list: _, refused } => refused
            .first()
            .map(|(_, first)| subject(first))
            .unwrap_or_default(),
        Rejection::EffectiveTimeInFuture { effective: _, now: _ } => "effective_time".to_owned(),
        Rejection::ConflictingValues { first_index: _ } => "measurements".to_owned(),
        Rejection::RoleMissing(_) => String::new(),
        Rejection::NotFound(name)
        | Rejection::OutsideTeams(name)
        | Rejection::NotOwn(name)
        | Rejection::AlreadyExists(name)
        | Rejection::EtagMismatch(name)
        | Rejection::Deleted(name)
        | Rejection::NotDeleted(name)
        | Rejection::ReopeningReasonMissing(name)
        | Rejection::CheckInRetracted(name) => name.to_string(),
        Rejection::PrincipalTaken { principal: _, member } | Rejection::LastOwner(member) => {
            format!("members/{member}")
        }
        Rejection::TeamBelowItself(team) => format!("teams/{team}"),
        Rejection::CycleBelowItself(cycle)
        | Rejection::CycleOutsideParent {
            inner: cycle,
            outer: _,
        }
        | Rejection::CycleNotPlanned(cycle)
        | Rejection::CycleNotActive(cycle)
        | Rejection::CycleClosed(cycle)
        | Rejection::CycleNotInReview(cycle)
        | Rejection::CycleNotClosed(cycle)
        | Rejection::NestedCycleOpen {
            cycle: _,
            nested: cycle,
        } => format!("cycles/{cycle}"),
        Rejection::ObjectiveNotDraft(objective)
        | Rejection::ObjectiveNotActive(objective)
        | Rejection::ObjectiveOver(objective)
        | Rejection::OwnerMissing(objective)
        | Rejection::GradeReasonMissing(objective)
        | Rejection::ObjectiveNotOver(objective)
        | Rejection::ObjectiveNotInCycle { objective, cycle: _ }
        | Rejection::CarriedOverAlready {
            objective: _,
            cycle: _,
            carried: objective,
        }
        | Rejection::AlignmentCycle(objective) => format!("objectives/{objective}"),
        Rejection::BaselineMissing(key_result)
        | Rejection::DeletedWithoutBaseline(key_result)
        | Rejection::ReasonMissing(key_result)
        | Rejection::KeyResultHasNoValues(key_result)
        | Rejection::KeyResultHasKpi { key_result, kpi: _ }
        | Rejection::WindowOverChanges { key_result, kpi: _ }
        | Rejection::ValueComesFromKpi { key_result, kpi: _ } => key_result.to_string(),
        Rejection::AlertClosed(kpi, alert)
        | Rejection::ActionPlanMissing(kpi, alert)
        | Rejection::ActionPlanCompleted(kpi, alert) => format!("kpis/{kpi}/alerts/{alert}"),
        Rejection::ExplanationMissing(objectives) => objectives
            .first()
            .map(|objective| format!("objectives/{objective}"))
            .unwrap_or_default(),
        Rejection::BaselineNotZero(_) => "key_result.metric.baseline".to_owned(),
        Rejection::RelativeToZero => "key_result.metric.relative_target".to_owned(),
        Rejection::AlignmentTooDeep { depth_max: _ } => "objective.aligned_to".to_owned(),
        Rejection::TargetIsBaseline {
            baseline: _,
            target: _,
        } => "key_result.metric.target".to_owned(),
        Rejection::WrongDirection {
            kpi,
            baseline: _,
            target: _,
        }
        | Rejection::KpiHasMeasurements(kpi)
        | Rejection::KpiArchived(kpi)
        | Rejection::KpiNotInTrouble(kpi)
        | Rejection::MeasurementNotFound {
            kpi,
            effective_time: _,
            source_id: _,
        }
        | Rejection::TooManySources(kpi) => format!("kpis/{kpi}"),
    }
}

/// Sets as many field violations as there is room for, and answers how many were left out.
fn set_violations(details: &mut ErrorDetails, violations: impl Iterator<Item = Violation>) -> usize {
    let mut room = VIOLATIONS_BYTES_MAX;
    let mut shown = Vec::new();
    let mut left_out = 0;
    for Violation { field, sentence } in violations {
        let field = shortened(&field, PATH_BYTES_MAX);
        let description = shortened(&sentence, SENTENCE_BYTES_MAX);
        let bytes = field.len() + description.len() + VIOLATION_FRAME_BYTES;
        if left_out == 0 && bytes <= room && shown.len() < ELEMENTS_MAX {
            room -= bytes;
            shown.push(FieldViolation::new(field, description));
        } else {
            left_out += 1;
        }
    }
    details.set_bad_request(shown);
    left_out
}

fn count_left_out(metadata: &mut HashMap<String, String>, left_out: usize) {
    if left_out > 0 {
        metadata.insert("left_out_count".to_owned(), left_out.to_string());
    }
}

/// The indices of the first bad elements.
fn indices(elements: &[(usize, Rejection)]) -> String {
    let named: Vec<String> = elements
        .iter()
        .take(ELEMENTS_MAX)
        .map(|(index, _)| index.to_string())
        .collect();
    named.join(",")
}

/// The first violations as one message, and how many there are more.
fn sentences(violations: &[Violation]) -> String {
    let mut message = String::new();
    for (index, violation) in violations.iter().enumerate() {
        let sentence = shortened(&violation.to_string(), SENTENCE_BYTES_MAX);
        if message.len() + sentence.len() > MESSAGE_BYTES_MAX - 20 {
            // Writing to a text cannot fail.
            let _ = write!(message, "; and {} more", violations.len() - index);
            break;
        }
        if index > 0 {
            message.push_str("; ");
        }
        message.push_str(&sentence);
    }
    message
}

/// The text, or its beginning and "…", in at most so many bytes.
fn shortened(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let mut end = bytes_max.saturating_sub("…".len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use crate::log::LogError;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Id, KeyResultId, ResourceName, Timestamp};

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
}
