//! When a row was true, as its file writes it: by default an RFC 3339 time or a day, else one told format.
//!
//! Invariant: a text is read in exactly one way, the told one. A month, a quarter, a week or a year is recorded on its
//! first day. It deliberately does not know a clock: what is too far ahead is told.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Weekday};
use jiff::fmt::strtime::BrokenDownTime;

use crate::domain::{Effective, Timestamp};

/// The latest that a row may be true. Refused here it is refused before anything is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Horizon {
    /// The latest moment.
    pub(super) moment: Timestamp,
    /// The latest local date anywhere on Earth.
    pub(super) date: Date,
}

/// A told format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DateFormat {
    /// As it was told.
    told: String,
    /// In jiff's directives.
    directives: String,
    has_quarter: bool,
    /// Two numbers stand side by side: then every digit has to be there, or they could be parted otherwise.
    is_glued: bool,
}

/// 0001-01-01T00:00:00Z, the earliest that the API can say.
const YEAR_1_MICROS: i64 = -62_135_596_800_000_000;
/// A year below it was not written with four digits.
const YEAR_MIN: i16 = 1000;
/// Formats that are tried for advice, never for reading.
const USUAL: &[&str] = &[
    "DD/MM/YYYY",
    "MM/DD/YYYY",
    "DD.MM.YYYY",
    "DD-MM-YYYY",
    "YYYY/MM/DD",
    "YYYYMMDD",
    "DD MMM YYYY",
    "MMM DD, YYYY",
    "YYYY-MM",
    "MM/YYYY",
    "MM.YYYY",
    "MMM YYYY",
    "MMMM YYYY",
    "MMM-YY",
    "YYYY-Q",
    "Q YYYY",
    "YYYY-W",
    "YYYY",
];

impl Horizon {
    /// # Errors
    /// It has not come yet.
    pub(super) fn check(self, effective: Effective, text: &str) -> Result<(), String> {
        let is_ahead = match effective {
            Effective::Now => false,
            Effective::At(moment) => moment > self.moment,
            Effective::On(date) => date > self.date,
        };
        match is_ahead {
            true => Err(format!(
                "{text} has not come yet by this machine's clock: measurements are of what has happened"
            )),
            false => Ok(()),
        }
    }
}

/// Reads a time: in the told format, or else as RFC 3339 or YYYY-MM-DD.
///
/// # Errors
/// It is not written so, or no time that there is.
pub(super) fn read(text: &str, format: Option<&DateFormat>) -> Result<Effective, String> {
    match format {
        Some(format) => format.read(text),
        None => standard(text),
    }
}

impl DateFormat {
    /// Reads `DD.MM.YYYY` and the like; with a % in it, the directives of strptime.
    ///
    /// # Errors
    /// It does not say a day, a month, a quarter, a week or a year, or says the time of day without its offset.
    pub(super) fn parse(told: &str) -> Result<Self, String> {
        let (directives, has_quarter) = match told.contains('%') {
            true => (told.to_owned(), false),
            false => directives(told)?,
        };
        let is_glued = is_glued(&directives);
        let format = Self {
            told: told.to_owned(),
            directives,
            has_quarter,
            is_glued,
        };
        // Whether it says enough shows on a moment that is written and read again.
        let sample = jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC);
        let no_format = |why: &str| {
            format!(
                "{told:?} {why}: write for example DD.MM.YYYY, MM/DD/YYYY, YYYY-MM, \"MMM YYYY\", YYYY-Q, or \
                 strptime's %d.%m.%Y"
            )
        };
        let written = BrokenDownTime::from(&sample)
            .to_string(&format.directives)
            .map_err(|_| no_format("is no date format"))?;
        let written = match has_quarter {
            true => written.replacen("01", "Q1", 1),
            false => written,
        };
        match format.read(&written) {
            Ok(_) => Ok(format),
            Err(sentence) if sentence.contains(NO_OFFSET) => Err(format!("{told:?} {NO_OFFSET}: add %z")),
            Err(_) => Err(no_format(
                "does not say a day, a month, a quarter, a week or a year",
            )),
        }
    }

    fn read(&self, text: &str) -> Result<Effective, String> {
        let refused = || format!("{text:?} is not written as {self}: correct it, or the format");
        let month = match self.has_quarter {
            true => Some(with_month(text).ok_or_else(refused)?),
            false => None,
        };
        let input = month.as_deref().unwrap_or(text);
        let mut read = BrokenDownTime::parse(&self.directives, input).map_err(|_| refused())?;
        if self.is_glued && read.to_string(&self.directives).ok().as_deref() != Some(input) {
            return Err(refused());
        }
        if let Some(moment) = read.timestamp() {
            return of_moment(moment, text);
        }
        if read.hour().is_some() {
            return match read.offset() {
                Some(_) => of_moment(read.to_timestamp().map_err(|_| not_in_calendar(text))?, text),
                None => Err(format!("{text:?} {NO_OFFSET}: write the format with %z")),
            };
        }
        complete(&mut read).map_err(|_| refused())?;
        let date = read.to_date().map_err(|_| not_in_calendar(text))?;
        match date.year() {
            year if year < YEAR_MIN => Err(format!(
                "{text:?} has no year of four digits: correct it, or say --date-format with YY"
            )),
            _ => Ok(Effective::On(date)),
        }
    }
}

impl fmt::Display for DateFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told)
    }
}

const NO_OFFSET: &str = "says the time of day without an offset from UTC";

/// Whether a number is followed by a directive, with nothing between.
fn is_glued(directives: &str) -> bool {
    let parts: Vec<&str> = directives.split('%').skip(1).collect();
    let before = parts.split_last().map_or(&[][..], |(_, before)| before);
    before
        .iter()
        .any(|part| part.len() == 1 && !matches!(*part, "b" | "B"))
}

/// The first day of what was read, where it is longer than a day.
fn complete(read: &mut BrokenDownTime) -> Result<(), jiff::Error> {
    if read.day().is_some() || read.day_of_year().is_some() {
        return Ok(());
    }
    if read.iso_week().is_some() {
        if read.weekday().is_none() {
            read.set_weekday(Some(Weekday::Monday));
        }
        return Ok(());
    }
    if read.sunday_based_week().is_some() || read.monday_based_week().is_some() {
        return Ok(());
    }
    if read.month().is_none() {
        read.set_month(Some(1))?;
    }
    read.set_day(Some(1))
}

/// Letters that stand for parts of a date become directives; says whether one is the quarter.
fn directives(told: &str) -> Result<(String, bool), String> {
    let mut said = String::with_capacity(2 * told.len());
    let (mut has_quarter, has_week) = (false, told.contains('W'));
    let mut rest = told;
    while let Some(first) = rest.chars().next() {
        let run = rest.chars().take_while(|c| *c == first).count();
        let directive = match (first, run) {
            ('Y', 4) if has_week => "%G",
            ('Y', 4) => "%Y",
            ('Y', 2) => "%y",
            ('M', 4) => "%B",
            ('M', 3) => "%b",
            ('M', 1 | 2) => "%m",
            ('D', 1 | 2) => "%d",
            ('W', 1) => "W%V",
            ('Q', 1) => {
                has_quarter = true;
                "%m"
            }
            (letter, _) if letter.is_ascii_alphabetic() => {
                let letters = letter.to_string().repeat(run);
                return Err(format!(
                    "{told:?} has {letters:?}, which means nothing: there are YYYY, YY, MMMM (January), MMM (Jan), MM, \
                     DD, Q (Q1) and W (W05)"
                ));
            }
            _ => {
                said.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            }
        };
        said.push_str(directive);
        rest = &rest[run..];
    }
    if has_quarter && (told.contains(['M', 'D', 'W']) || told.matches('Q').count() > 1) {
        return Err(format!("{told:?} has a quarter and more: write YYYY-Q"));
    }
    Ok((said, has_quarter))
}

/// The text with the first month of its quarter: `2026-Q2` as `2026-04`.
fn with_month(text: &str) -> Option<String> {
    let at = text.find(['Q', 'q'])?;
    let month = match text.as_bytes().get(at + 1)? {
        b'1' => "01",
        b'2' => "04",
        b'3' => "07",
        b'4' => "10",
        _ => return None,
    };
    Some(format!("{}{month}{}", &text[..at], &text[at + 2..]))
}

fn standard(text: &str) -> Result<Effective, String> {
    if is_date(text) {
        let date = Date::from_str(text).map_err(|_| not_in_calendar(text))?;
        return match date.year() {
            ..1 => Err(format!("{text:?} is before the year 1: correct the date")),
            _ => Ok(Effective::On(date)),
        };
    }
    match jiff::Timestamp::from_str(text) {
        Ok(moment) => of_moment(moment, text),
        Err(_) if jiff::civil::DateTime::from_str(text).is_ok() && text.contains([':', 'T', 't', ' ']) => {
            Err(format!(
                "{text:?} has no offset from UTC: end it with Z or for example +02:00"
            ))
        }
        Err(_) => Err(match advice(text) {
            Some(advice) => format!("{text:?} is no time: {advice}"),
            None => format!(
                "{text:?} is no time: write 2026-01-31 for a day or 2026-01-31T09:30:00Z for a moment, or say how it is \
                 written with --date-format"
            ),
        }),
    }
}

/// What told formats would read: `--date-format DD/MM/YYYY would read 2026-04-03, MM/DD/YYYY 2026-03-04`.
fn advice(text: &str) -> Option<String> {
    let mut said = String::new();
    for told in USUAL {
        let read = DateFormat::parse(told).and_then(|format| format.read(text));
        let Ok(Effective::On(date)) = read else {
            continue;
        };
        let quoted = match told.contains(' ') {
            true => format!("{told:?}"),
            false => (*told).to_owned(),
        };
        said += &match said.is_empty() {
            true => format!("--date-format {quoted} would read {date}"),
            false => format!(", {quoted} {date}"),
        };
    }
    (!said.is_empty()).then_some(said)
}

fn of_moment(moment: jiff::Timestamp, text: &str) -> Result<Effective, String> {
    // The log keeps microseconds; what is finer is cut towards the past.
    let micros = moment.as_nanosecond().div_euclid(1_000);
    let micros = i64::try_from(micros).map_err(|_| format!("{text:?} is out of bounds: correct the time"))?;
    match micros {
        ..YEAR_1_MICROS => Err(format!("{text:?} is before the year 1: correct the time")),
        _ => Ok(Effective::At(Timestamp::from_micros(micros))),
    }
}

fn not_in_calendar(text: &str) -> String {
    format!("{text:?} is not in the calendar: correct the date")
}

fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(text: &str, format: &str) -> String {
        let format = DateFormat::parse(format).unwrap_or_else(|error| panic!("{error}"));
        match format.read(text) {
            Ok(Effective::On(date)) => date.to_string(),
            Ok(Effective::At(moment)) => moment.to_string(),
            Ok(Effective::Now) => "now".to_owned(),
            Err(sentence) => format!("! {sentence}"),
        }
    }

    #[test]
    fn a_date_is_read_only_as_it_was_told_to_be_written() {
        for (format, text, expect) in [
            ("DD.MM.YYYY", "31.01.2026", "2026-01-31"),
            ("DD.MM.YYYY", "1.2.2026", "2026-02-01"),
            ("D.M.YYYY", "1.2.2026", "2026-02-01"),
            ("MM/DD/YYYY", "03/04/2026", "2026-03-04"),
            ("DD/MM/YYYY", "03/04/2026", "2026-04-03"),
            ("YYYY/MM/DD", "2026/03/04", "2026-03-04"),
            ("YYYYMMDD", "20260304", "2026-03-04"),
            ("DD.MM.YY", "31.01.26", "2026-01-31"),
            ("YYYY-MM", "2026-01", "2026-01-01"),
            ("MM.YYYY", "02.2026", "2026-02-01"),
            ("MMM YYYY", "Jan 2026", "2026-01-01"),
            ("MMM YYYY", "FEB 2026", "2026-02-01"),
            ("MMMM YYYY", "March 2026", "2026-03-01"),
            ("MMM-YY", "Jan-26", "2026-01-01"),
            ("D MMM YYYY", "4 Jul 2025", "2025-07-04"),
            ("YYYY-Q", "2026-Q1", "2026-01-01"),
            ("YYYY-Q", "2025-q4", "2025-10-01"),
            ("Q YYYY", "Q3 2025", "2025-07-01"),
            ("YYYY-W", "2026-W01", "2025-12-29"),
            ("YYYY-W", "2026-W53", "2026-12-28"),
            ("YYYY", "2025", "2025-01-01"),
            ("%Y-%j", "2026-032", "2026-02-01"),
            (
                "%d.%m.%Y %H:%M %z",
                "31.01.2026 10:30 +0100",
                "2026-01-31T09:30:00Z",
            ),
            ("%s", "1680307200", "2023-04-01T00:00:00Z"),
        ] {
            assert_eq!(said(text, format), expect, "{text} as {format}");
        }
    }

    #[test]
    fn what_is_written_otherwise_is_refused() {
        for (format, text) in [
            ("DD.MM.YYYY", "2026-01-31"),
            ("DD.MM.YYYY", "31/01/2026"),
            ("DD.MM.YYYY", "31.01.2026 10:00"),
            ("DD.MM.YYYY", "31.01."),
            ("DD.MM.YYYY", ""),
            ("MM/DD/YYYY", "31/01/2026"),
            ("YYYYMMDD", "2026111"),
            ("YYYYMMDD", "202601 1"),
            ("MMM YYYY", "January 2026"),
            ("MMM YYYY", "Jän 2026"),
            ("YYYY-Q", "2026-Q5"),
            ("YYYY-Q", "2026-01"),
            ("YYYY-Q", "2026-Q"),
            ("YYYY-W", "2026-54"),
            ("YYYY-MM", "２０２６-01"),
        ] {
            let said = said(text, format);
            assert!(said.starts_with("! "), "{text} as {format} is {said}");
            assert!(said.contains(format), "{said}");
        }
        assert_eq!(
            said("30.02.2026", "DD.MM.YYYY"),
            "! \"30.02.2026\" is not in the calendar: correct the date"
        );
        assert_eq!(
            said("31.01.26", "DD.MM.YYYY"),
            "! \"31.01.26\" has no year of four digits: correct it, or say --date-format with YY"
        );
    }

    #[test]
    fn a_format_that_says_no_day_is_refused() {
        for told in [
            "",
            "DD.MM",
            "MM",
            "DD.YYYY",
            "YYYY-HH",
            "YYY",
            "yyyy-mm-dd",
            "Q",
            "YYYY-Q-MM",
            "W",
            "%H:%M %z",
            "%Y-%",
            "%d.%m.%Y %H:%M",
            "%Q",
        ] {
            assert!(DateFormat::parse(told).is_err(), "{told:?} was taken");
        }
        let no_offset = DateFormat::parse("%d.%m.%Y %H:%M").expect_err("a time of day");
        assert!(
            no_offset.ends_with("without an offset from UTC: add %z"),
            "{no_offset}"
        );
    }

    #[test]
    fn advice_names_every_format_that_would_read_it() {
        let told = |text: &str| standard(text).expect_err("no standard time");
        assert_eq!(
            told("03/04/2026"),
            "\"03/04/2026\" is no time: --date-format DD/MM/YYYY would read 2026-04-03, MM/DD/YYYY 2026-03-04"
        );
        assert_eq!(
            told("31.01.2026"),
            "\"31.01.2026\" is no time: --date-format DD.MM.YYYY would read 2026-01-31"
        );
        assert_eq!(
            told("2026-01"),
            "\"2026-01\" is no time: --date-format YYYY-MM would read 2026-01-01"
        );
        assert_eq!(
            told("Jan 2026"),
            "\"Jan 2026\" is no time: --date-format \"MMM YYYY\" would read 2026-01-01"
        );
        assert_eq!(
            told("2026-Q2"),
            "\"2026-Q2\" is no time: --date-format YYYY-Q would read 2026-04-01"
        );
        assert!(told("yesterday").contains("say how it is written with --date-format"));
    }

    #[test]
    fn every_usual_format_is_one() {
        for told in USUAL {
            assert!(DateFormat::parse(told).is_ok(), "{told}");
        }
    }

    proptest! {
        #[test]
        fn a_date_that_is_written_in_a_format_is_read_as_it_was(
            year in 1970_i16..2068, month in 1_i8..=12, day in 1_i8..=28,
        ) {
            let date = jiff::civil::date(year, month, day);
            for told in USUAL {
                let format = DateFormat::parse(told).expect("a format");
                let quarter = (date.month() - 1) / 3;
                let directives = format.directives.clone();
                let text = match format.has_quarter {
                    true => date.strftime(&directives.replace("%m", &format!("Q{}", quarter + 1))).to_string(),
                    false => date.strftime(&directives).to_string(),
                };
                let expect = match *told {
                    told if told.contains('D') => date,
                    told if told.contains('W') => {
                        let days = i64::from(date.weekday().to_monday_zero_offset());
                        date.checked_sub(jiff::Span::new().days(days)).expect("a Monday")
                    }
                    told if told.contains('Q') => jiff::civil::date(year, quarter * 3 + 1, 1),
                    told if told.contains('M') => jiff::civil::date(year, month, 1),
                    _ => jiff::civil::date(year, 1, 1),
                };
                prop_assert_eq!(format.read(&text), Ok(Effective::On(expect)), "{} as {}", text, told);
            }
        }

        #[test]
        fn no_text_makes_reading_a_time_panic(text in "([0-9]|[-/. :+TZQW]|Jan|Feb|\\PC){0,24}") {
            let _standard = read(&text, None);
            for told in USUAL.iter().chain(&["%s", "%d.%m.%Y %H:%M %z", "%F %T%:z", "%Y-%j", "%G-W%V-%u"]) {
                let format = DateFormat::parse(told).expect("a format");
                let _read = read(&text, Some(&format));
            }
        }

        #[test]
        fn no_text_makes_a_format_panic(told in "([YMDQW%]|[a-zA-Z]|[-/. ]|\\PC){0,12}", text in "[0-9./ -]{0,12}") {
            if let Ok(format) = DateFormat::parse(&told) {
                let _read = format.read(&text);
            }
        }
    }
}
