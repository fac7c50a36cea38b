//! Moments as a person writes them: a revision, a time, or a day of this machine's zone.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::proto::api;
use crate::proto::api::as_of::Moment;

/// A time.
pub(super) type Time = jiff::Timestamp;

/// A time: with its zone, or in this machine's; a day is its beginning.
///
/// # Errors
/// It is none.
pub(super) fn time(text: &str) -> Result<Time, String> {
    let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
    time_in(text, &zone).ok_or_else(|| {
        "it is no time: write 2026-03-31T12:00:00Z, \"2026-03-31 12:00\" or 2026-03-31".to_owned()
    })
}

fn time_in(text: &str, zone: &TimeZone) -> Option<Time> {
    if let Ok(time) = text.parse::<Time>() {
        return Some(time);
    }
    let civil = text
        .parse::<Date>()
        .ok()
        .filter(|_| !text.contains(':'))
        .map(|date| date.to_datetime(jiff::civil::Time::midnight()))
        .or_else(|| text.parse::<DateTime>().ok())?;
    zone.to_ambiguous_timestamp(civil).compatible().ok()
}

/// A revision or a time.
///
/// # Errors
/// It is neither.
pub(super) fn as_of(text: &str) -> Result<api::AsOf, String> {
    let moment = match text.parse::<i64>() {
        Ok(revision) => Moment::Revision(revision),
        Err(_) => Moment::RecordedTime(instant(time(text).map_err(|_| {
            "it is no revision and no time: write 1200, 2026-03-31T12:00:00Z or 2026-03-31".to_owned()
        })?)),
    };
    Ok(api::AsOf { moment: Some(moment) })
}

/// A time as the API has it.
pub(super) fn instant(time: Time) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: time
            .as_nanosecond()
            .div_euclid(1_000_000_000)
            .try_into()
            .unwrap_or_default(),
        nanos: time
            .as_nanosecond()
            .rem_euclid(1_000_000_000)
            .try_into()
            .unwrap_or_default(),
    }
}

/// A time of the API in UTC, as RFC 3339 writes it; none: nothing.
pub(super) fn utc(time: Option<&prost_types::Timestamp>) -> String {
    let read = time.and_then(|time| jiff::Timestamp::new(time.seconds, time.nanos).ok());
    read.map(|time| time.to_string()).unwrap_or_default()
}

/// A time of the API in a zone, as a person reads it; none: nothing.
pub(super) fn local(time: Option<&prost_types::Timestamp>, zone: &TimeZone) -> String {
    let read = time.and_then(|time| jiff::Timestamp::new(time.seconds, time.nanos).ok());
    let write = |time| zone.to_datetime(time).strftime("%Y-%m-%d %H:%M:%S").to_string();
    read.map(write).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_its_zone_or_is_of_this_machine() {
        let sao_paulo = TimeZone::get("America/Sao_Paulo").unwrap_or(TimeZone::fixed(jiff::tz::offset(-3)));
        for (text, expected) in [
            ("2026-03-31T12:00:00Z", "2026-03-31T12:00:00Z"),
            ("2026-03-31T12:00:00+02:00", "2026-03-31T10:00:00Z"),
            ("2026-03-31T12:00:00", "2026-03-31T15:00:00Z"),
            ("2026-03-31 12:00", "2026-03-31T15:00:00Z"),
            ("2026-03-31", "2026-03-31T03:00:00Z"),
        ] {
            let read = time_in(text, &sao_paulo).map(|time| time.to_string());
            assert_eq!(read.as_deref(), Some(expected), "{text}");
        }
        for bad in ["", "soon", "12", "2026-02-30"] {
            assert_eq!(time_in(bad, &sao_paulo), None, "{bad:?}");
        }
    }

    #[test]
    fn a_moment_is_a_revision_or_a_time() {
        assert_eq!(as_of("1200").unwrap().moment, Some(Moment::Revision(1200)));
        let time = prost_types::Timestamp {
            seconds: 0,
            nanos: 500_000_000,
        };
        let read = as_of("1970-01-01T00:00:00.5Z").unwrap();
        assert_eq!(read.moment, Some(Moment::RecordedTime(time)));
        assert_eq!(utc(Some(&time)), "1970-01-01T00:00:00.5Z");
        assert!(as_of("soon").is_err());
    }
}
