//! Dates as people write them: `2026-09-30`, `Q3`, `end of March`, `31 March`.
//!
//! A date without its year is one within the cycle; if there is none, or more than one, it is refused.

use jiff::civil::Date;

use super::token::{Token, TokenKind};

/// When something is due, as a line says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// A day of a year.
    On(Date),
    /// The last day of a quarter of the fiscal year, 1 to 4.
    EndOfQuarter(i8, Option<i16>),
    /// The last day of a month, 1 to 12.
    EndOfMonth(i8, Option<i16>),
    /// A month and its day, in the cycle.
    Day(i8, i8),
    /// The cycle's last day.
    EndOfCycle,
}

/// What a date without a year is looked for in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Calendar {
    /// The cycle's first day.
    pub(super) first: Date,
    /// Its last day.
    pub(super) last: Date,
    /// The fiscal year's first month, 1 to 12.
    pub(super) fiscal_first_month: i8,
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Reads the date that begins at a token, and says where it ends; none: there is no date.
///
/// # Errors
/// It could be read in two ways, or is not in the calendar.
pub(super) fn read(tokens: &[Token<'_>], at: usize) -> Result<Option<(When, usize)>, String> {
    let at = at + usize::from(word(tokens, at).is_some_and(|text| text == "the"));
    let Some(first) = word(tokens, at) else {
        return Ok(None);
    };
    if first == "end" && word(tokens, at + 1).is_some_and(|text| text == "of") {
        let at = at + 2 + usize::from(word(tokens, at + 2).is_some_and(|text| text == "the"));
        return Ok(match word(tokens, at).as_deref() {
            Some("cycle") => Some((When::EndOfCycle, at + 1)),
            Some(text) => period(text, tokens, at),
            None => None,
        });
    }
    if let Some(period) = period(&first, tokens, at) {
        return Ok(
            match (month(&first), word(tokens, at + 1).and_then(|text| day(&text))) {
                // "March 31", "March 31, 2026"; "March 2026" is a month.
                (Some(month), Some(day)) => dated(month, day, tokens, at + 2)?,
                _ => Some(period),
            },
        );
    }
    if let (Some(day), Some(month)) = (day(&first), word(tokens, at + 1).and_then(|text| month(&text))) {
        return dated(month, day, tokens, at + 2);
    }
    if first.len() == 10
        && first.starts_with(|c: char| c.is_ascii_digit())
        && first.bytes().filter(|byte| *byte == b'-').count() == 2
    {
        let date = first
            .parse()
            .map_err(|_| format!("{first:?} is not in the calendar: write a day as 2026-09-30"))?;
        return Ok(Some((When::On(date), at + 1)));
    }
    let parts: Vec<_> = first.split(['.', '/']).collect();
    let like_date = parts.len() == 3 || (parts.len() == 2 && first.contains('/'));
    if like_date && parts.iter().all(|part| part.parse::<u16>().is_ok()) {
        return Err(format!(
            "{first:?} may be two days: write a day as 2026-09-30, or with the name of its month"
        ));
    }
    Ok(None)
}

impl When {
    /// The day that is meant.
    ///
    /// # Errors
    /// There is no such day in the cycle, or more than one.
    pub(super) fn date(self, calendar: &Calendar) -> Result<Date, String> {
        let Calendar {
            first,
            last,
            fiscal_first_month,
        } = *calendar;
        let found = |dates: Vec<Date>, said: String| match dates[..] {
            [date] => Ok(date),
            [] => Err(format!(
                "there is no {said} in the cycle, {first} to {last}: write the day as {last}"
            )),
            _ => Err(format!(
                "there is more than one {said} in the cycle, {first} to {last}: write the day as {last}"
            )),
        };
        let in_cycle = |dates: Vec<Date>| {
            let within = |date: &Date| *date >= first && *date <= last;
            dates.into_iter().filter(within).collect::<Vec<_>>()
        };
        let years = || first.year()..=last.year();
        match self {
            Self::On(date) => Ok(date),
            Self::EndOfCycle => Ok(last),
            Self::EndOfMonth(month, Some(year)) => {
                end_of_month(year, month).ok_or_else(|| format!("the year {year} is out of bounds"))
            }
            Self::EndOfMonth(month, None) => {
                let ends = years().filter_map(|year| end_of_month(year, month)).collect();
                found(in_cycle(ends), format!("end of {}", name(month)))
            }
            Self::Day(month, day) => {
                let days = years()
                    .filter_map(|year| Date::new(year, month, day).ok())
                    .collect();
                found(in_cycle(days), format!("{day} {}", name(month)))
            }
            Self::EndOfQuarter(quarter, year) => {
                if year.is_some() && fiscal_first_month != 1 {
                    let sentence =
                        "the fiscal year does not begin in January, so the year of a quarter is unclear";
                    return Err(format!("{sentence}: write the day as {last}"));
                }
                let month = (fiscal_first_month - 1 + quarter * 3 - 1).rem_euclid(12) + 1;
                match year {
                    Some(year) => {
                        end_of_month(year, month).ok_or_else(|| format!("the year {year} is out of bounds"))
                    }
                    None => {
                        let ends = years().filter_map(|year| end_of_month(year, month)).collect();
                        found(in_cycle(ends), format!("end of Q{quarter}"))
                    }
                }
            }
        }
    }
}

/// A quarter or a month, perhaps with its year, that begins at a token.
fn period(text: &str, tokens: &[Token<'_>], at: usize) -> Option<(When, usize)> {
    if let Some((year, quarter)) = text.split_once('-')
        && let (Some(year), Some(quarter)) = (year_of(year), quarter_of(quarter))
    {
        return Some((When::EndOfQuarter(quarter, Some(year)), at + 1));
    }
    let year = word(tokens, at + 1).and_then(|text| year_of(&text));
    let end = at + 1 + usize::from(year.is_some());
    match (quarter_of(text), month(text)) {
        (Some(quarter), _) => Some((When::EndOfQuarter(quarter, year), end)),
        (None, Some(month)) => Some((When::EndOfMonth(month, year), end)),
        (None, None) => None,
    }
}

/// A day of a month, perhaps with its year.
fn dated(month: i8, day: i8, tokens: &[Token<'_>], at: usize) -> Result<Option<(When, usize)>, String> {
    let outside = || format!("there is no {day} {}: correct the day", name(month));
    match word(tokens, at).and_then(|text| year_of(&text)) {
        Some(year) => {
            let date = Date::new(year, month, day).map_err(|_| outside())?;
            Ok(Some((When::On(date), at + 1)))
        }
        // A leap year has every day that there is.
        None => Date::new(2024, month, day)
            .map(|_| Some((When::Day(month, day), at)))
            .map_err(|_| outside()),
    }
}

fn word(tokens: &[Token<'_>], at: usize) -> Option<String> {
    let token = tokens.get(at).filter(|token| token.kind == TokenKind::Word)?;
    Some(token.text.trim_end_matches(',').to_ascii_lowercase())
}

fn quarter_of(text: &str) -> Option<i8> {
    let quarter = text.strip_prefix('q')?.parse().ok()?;
    (1..=4).contains(&quarter).then_some(quarter)
}

fn month(text: &str) -> Option<i8> {
    let matches = |month: &str| month == text || (text.len() == 3 && month.starts_with(text));
    let index = MONTHS.iter().position(|month| matches(month))?;
    i8::try_from(index + 1).ok()
}

fn name(month: i8) -> String {
    let index = usize::try_from(month - 1).unwrap_or(0);
    let name = MONTHS.get(index).copied().unwrap_or_default();
    let (first, rest) = name.split_at(name.len().min(1));
    first.to_uppercase() + rest
}

fn day(text: &str) -> Option<i8> {
    let digits = ["st", "nd", "rd", "th"]
        .iter()
        .find_map(|ending| text.strip_suffix(ending))
        .unwrap_or(text);
    let is_number =
        !digits.is_empty() && digits.len() <= 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .parse()
        .ok()
        .filter(|day| is_number && (1..=31).contains(day))
}

fn year_of(text: &str) -> Option<i16> {
    let is_year = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_year)
}

fn end_of_month(year: i16, month: i8) -> Option<Date> {
    Date::new(year, month, 1).ok().map(Date::last_of_month)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::token::tokens;
    use super::*;

    fn read_in(text: &str, calendar: &Calendar) -> Result<String, String> {
        let tokens = tokens(text);
        match read(&tokens, 0)? {
            Some((when, end)) if end == tokens.len() => when.date(calendar).map(|date| date.to_string()),
            other => Ok(format!("{other:?}")),
        }
    }

    fn year(fiscal_first_month: i8) -> Calendar {
        Calendar {
            first: date(2026, 1, 1),
            last: date(2026, 12, 31),
            fiscal_first_month,
        }
    }

    #[test]
    fn a_date_is_read_as_people_write_it() {
        for (text, expected) in [
            ("2026-09-30", "2026-09-30"),
            ("Q3", "2026-09-30"),
            ("the end of Q3", "2026-09-30"),
            ("Q3 2027", "2027-09-30"),
            ("2027-Q1", "2027-03-31"),
            ("end of March", "2026-03-31"),
            ("March", "2026-03-31"),
            ("Feb 2028", "2028-02-29"),
            ("31 March", "2026-03-31"),
            ("March 31st", "2026-03-31"),
            ("Mar 3, 2027", "2027-03-03"),
            ("1 april 2026", "2026-04-01"),
            ("the end of the cycle", "2026-12-31"),
        ] {
            assert_eq!(read_in(text, &year(1)).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(read_in("Q3", &year(4)).as_deref(), Ok("2026-12-31"));
        assert_eq!(read_in("Q4", &year(4)).as_deref(), Ok("2026-03-31"));
    }

    #[test]
    fn what_is_no_date_is_none_and_what_is_unclear_is_refused() {
        for text in ["15", "15 %", "Q5", "soon", "\"Q3\"", "end", ""] {
            assert_eq!(read_in(text, &year(1)).as_deref(), Ok("None"), "{text}");
        }
        for text in [
            "30.09.2026",
            "9/30/2026",
            "9/30",
            "2026-02-30",
            "30 February",
            "February 29",
        ] {
            assert!(read_in(text, &year(1)).is_err(), "{text} was taken");
        }
        let quarter = Calendar {
            first: date(2026, 7, 1),
            last: date(2026, 9, 30),
            fiscal_first_month: 1,
        };
        assert!(read_in("Q4", &quarter).is_err_and(|sentence| sentence.contains("no end of Q4")));
        let long = Calendar {
            last: date(2027, 9, 30),
            ..quarter
        };
        assert!(read_in("Q3", &long).is_err_and(|sentence| sentence.contains("more than one end of Q3")));
        assert!(read_in("Q3 2026", &year(4)).is_err_and(|sentence| sentence.contains("fiscal")));
    }
}
