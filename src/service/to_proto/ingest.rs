//! Refused rows of a stream, each as its client is told.

use crate::domain::Rejection;
use crate::proto::api;
use crate::service::status;

/// Why a row was left out.
#[must_use]
pub(crate) fn row_refusal(sequence: i64, rejection: &Rejection) -> api::RowRefusal {
    let field = match rejection {
        Rejection::Invalid(violations) => violations.first().map_or("", |first| first.field.as_str()),
        Rejection::EffectiveTimeInFuture { .. } => "measurement.effective_time",
        Rejection::TooManySources(_) => "measurement.source_id",
        // Whatever else refuses a measurement is about its KPI.
        _ => "measurement.kpi",
    };
    api::RowRefusal {
        sequence,
        reason: rejection.reason().to_owned(),
        message: status::sentence(rejection),
        field: status::path(field),
    }
}
