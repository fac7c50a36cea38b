//! Periods of a cadence in a workspace's calendar: local days, weeks, months, fiscal quarters, halves and years.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use serde::Serialize;

/// How often something is measured or reviewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Cadence {
    /// A local day.
    Daily,
    /// Seven days from the workspace's first weekday.
    Weekly,
    /// A calendar month.
    Monthly,
    /// Three months of the fiscal year.
    Quarterly,
    /// Six months of the fiscal year.
    Semiannual,
    /// A fiscal year.
    Annual,
    /// No rhythm: every value stands alone.
    Irregular,
}

/// Some local days in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Period {
    /// First day.
    pub first: Date,
    /// Last day, inclusive.
    pub last: Date,
}

/// Where weeks and fiscal years begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// A week's first day.
    pub first_weekday: Weekday,
    /// A fiscal year's first month, 1 to 12.
    pub fiscal_year_first_month: i8,
}

impl Calendar {
    /// The period of `cadence` that `date` lies in. An irregular one is the day itself.
    #[must_use]
    pub fn period(&self, cadence: Cadence, date: Date) -> Period {
        match cadence {
            Cadence::Daily | Cadence::Irregular => Period {
                first: date,
                last: date,
            },
            Cadence::Weekly => {
                let first = date.saturating_sub(i64::from(self.first_weekday.until(date.weekday())).days());
                Period {
                    first,
                    last: first.saturating_add(6.days()),
                }
            }
            Cadence::Monthly => self.months(date, 1),
            Cadence::Quarterly => self.months(date, 3),
            Cadence::Semiannual => self.months(date, 6),
            Cadence::Annual => self.months(date, 12),
        }
    }

    /// The period after `period`.
    #[must_use]
    pub fn following(&self, cadence: Cadence, period: Period) -> Period {
        self.period(cadence, period.last.saturating_add(1.day()))
    }

    /// `count` months, counted from the fiscal year's first.
    fn months(&self, date: Date, count: i8) -> Period {
        let into_fiscal_year = (date.month() - self.fiscal_year_first_month).rem_euclid(12);
        let first = date
            .first_of_month()
            .saturating_sub(i64::from(into_fiscal_year % count).months());
        let last = first
            .saturating_add(i64::from(count - 1).months())
            .last_of_month();
        Period { first, last }
    }
}

impl Period {
    /// Whether `date` lies in it.
    #[must_use]
    pub fn contains(&self, date: Date) -> bool {
        self.first <= date && date <= self.last
    }
}

/// Days from `from` to `to`; negative when `to` is earlier.
#[must_use]
pub fn days_between(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

/// The date `days` after `date`, cut at the ends of the calendar.
#[must_use]
pub fn plus_days(date: Date, days: u32) -> Date {
    date.saturating_add(i64::from(days).days())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn every_day_lies_in_exactly_one_period_and_periods_follow_each_other() {
        let cadences = [
            Cadence::Daily,
            Cadence::Weekly,
            Cadence::Monthly,
            Cadence::Quarterly,
            Cadence::Semiannual,
            Cadence::Annual,
        ];
        for fiscal_year_first_month in 1..=12 {
            for first_weekday in [Weekday::Monday, Weekday::Sunday, Weekday::Saturday] {
                let calendar = Calendar {
                    first_weekday,
                    fiscal_year_first_month,
                };
                for cadence in cadences {
                    let mut day = date(2023, 12, 1);
                    while day < date(2025, 4, 1) {
                        let period = calendar.period(cadence, day);
                        assert!(period.contains(day), "{day} {cadence:?} {period:?}");
                        assert_eq!(calendar.period(cadence, period.first), period);
                        assert_eq!(calendar.period(cadence, period.last), period);
                        let next = calendar.following(cadence, period);
                        assert_eq!(days_between(period.last, next.first), 1);
                        day = plus_days(day, 1);
                    }
                }
            }
        }
    }

    #[test]
    fn a_fiscal_year_begins_in_its_month() {
        let calendar = Calendar {
            first_weekday: Weekday::Monday,
            fiscal_year_first_month: 4,
        };
        let year = calendar.period(Cadence::Annual, date(2026, 2, 3));
        assert_eq!(
            year,
            Period {
                first: date(2025, 4, 1),
                last: date(2026, 3, 31)
            }
        );
        let quarter = calendar.period(Cadence::Quarterly, date(2026, 2, 3));
        assert_eq!(
            quarter,
            Period {
                first: date(2026, 1, 1),
                last: date(2026, 3, 31)
            }
        );
        let half = calendar.period(Cadence::Semiannual, date(2024, 2, 29));
        assert_eq!(
            half,
            Period {
                first: date(2023, 10, 1),
                last: date(2024, 3, 31)
            }
        );
    }

    #[test]
    fn the_ends_of_the_calendar_are_survived() {
        let calendar = Calendar {
            first_weekday: Weekday::Sunday,
            fiscal_year_first_month: 7,
        };
        for cadence in [Cadence::Weekly, Cadence::Annual] {
            let _ = calendar.period(cadence, Date::MIN);
            let _ = calendar.following(cadence, calendar.period(cadence, Date::MAX));
        }
    }
}
