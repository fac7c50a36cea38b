//! Numbers as people write them, with their units: `1,500`, `3.2 %`, `$5 M`, `48 min`, `50 interviews`.
//!
//! A point is the decimal point and a comma separates thousands; what could be read in two ways is refused.

use super::token::{Token, TokenKind};
use crate::domain::CurrencyCode;

/// A number with its unit.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quantity {
    /// As it is meant: 5 M is 5,000,000. Not converted into another unit.
    pub(super) number: f64,
    /// Whether it was written with a sign.
    pub(super) is_signed: bool,
    /// Whether it was written in thousands, millions or billions.
    pub(super) is_scaled: bool,
    /// What stands with it.
    pub(super) unit: Option<Noun>,
}

/// What a number is a number of, as far as its line tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Noun {
    /// %.
    Percent,
    /// Money.
    Currency(CurrencyCode),
    /// A span of time of so many seconds.
    Duration(u32),
    /// Anything else.
    Other(String),
}

/// The currencies of ISO 4217, so that "NPS" behind a number is none.
const CURRENCIES: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN \
    BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ \
    GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL \
    LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN \
    PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD \
    TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG";
/// The symbols that mean one currency. The longer first: "R$" is no "$".
const SYMBOLS: [(&str, &str); 5] = [
    ("US$", "USD"),
    ("R$", "BRL"),
    ("$", "USD"),
    ("€", "EUR"),
    ("£", "GBP"),
];
/// Words that belong to the sentence and are no unit.
const RESERVED: [&str; 20] = [
    "from", "to", "by", "and", "now", "until", "above", "below", "over", "under", "between", "at", "least",
    "most", "done", "per", "in", "of", "the", "within",
];
/// The longest unit, in characters, as the server has it.
const NOUN_CHARS_MAX: usize = 20;

/// Reads the number that begins at a token, and says where it ends; none: there is no number.
///
/// # Errors
/// It can be read in two ways, or in none.
pub(super) fn read(tokens: &[Token<'_>], at: usize) -> Result<Option<(Quantity, usize)>, String> {
    let Some(token) = tokens.get(at).filter(|token| token.kind == TokenKind::Word) else {
        return Ok(None);
    };
    // "USD 5 M", "R$ 50,000": the currency stands alone.
    if let Some(code) = currency(token.text) {
        let Some(next) = tokens.get(at + 1).filter(|next| begins_with_digit(next.text)) else {
            return Ok(None);
        };
        return number(next.text, Some(code), false, tokens, at + 1);
    }
    let (sign, unsigned) = split_sign(token.text);
    let (code, digits) = split_currency(unsigned)?;
    if !begins_with_digit(digits) {
        return Ok(None);
    }
    let read = number(digits, code, sign.is_some(), tokens, at)?;
    Ok(read.map(|(mut quantity, end)| {
        if sign == Some(true) {
            quantity.number = -quantity.number;
        }
        (quantity, end)
    }))
}

/// A number that is shown to be read again: every digit, with commas.
pub(super) fn written(number: f64, decimals: Option<u32>) -> String {
    let places = usize::try_from(decimals.unwrap_or(0).min(9)).unwrap_or(0);
    let shortest = format!("{number}");
    let padded = format!("{number:.places$}");
    let candidates = [padded, shortest.clone(), format!("{shortest}0")];
    let grouped = candidates.iter().map(|text| crate::domain::grouped(text));
    let mut fitting = grouped.filter(|text| {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        parse(unsigned, 0).is_ok_and(|read| read == number.abs())
    });
    fitting.next().unwrap_or(shortest)
}

/// The unit that a word names, if it is one of those with a meaning of their own.
pub(in crate::cli) fn noun(text: &str) -> Result<Option<Noun>, String> {
    if let Some(code) = currency(text) {
        return Ok(Some(Noun::Currency(code)));
    }
    let seconds = match text {
        "%" | "percent" => return Ok(Some(Noun::Percent)),
        "m" => {
            return Err(
                "\"m\" may be minutes, months, metres or millions: write min, M, or the word".to_owned(),
            );
        }
        "¥" | "¥s" => return Err("\"¥\" is two currencies: write JPY or CNY".to_owned()),
        "s" | "sec" | "second" | "seconds" => 1,
        "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        "week" | "weeks" => 604_800,
        _ => return Ok(None),
    };
    Ok(Some(Noun::Duration(seconds)))
}

fn currency(text: &str) -> Option<CurrencyCode> {
    let code = match SYMBOLS.iter().find(|(symbol, _)| *symbol == text) {
        Some((_, code)) => code,
        None => CURRENCIES.split(' ').find(|code| *code == text)?,
    };
    CurrencyCode::parse(code).ok()
}

/// A sign, true for minus, and what is behind it.
fn split_sign(text: &str) -> (Option<bool>, &str) {
    for (sign, is_minus) in [("+", false), ("-", true), ("−", true)] {
        if let Some(rest) = text.strip_prefix(sign) {
            return (Some(is_minus), rest);
        }
    }
    (None, text)
}

/// A currency in front of a number, and the number.
fn split_currency(text: &str) -> Result<(Option<CurrencyCode>, &str), String> {
    if text.starts_with('¥') && text.contains(|c: char| c.is_ascii_digit()) {
        noun("¥")?;
    }
    let symbols = SYMBOLS.iter().map(|(symbol, _)| *symbol);
    for symbol in symbols.chain(CURRENCIES.split(' ')) {
        if let Some(rest) = text.strip_prefix(symbol).filter(|rest| begins_with_digit(rest)) {
            return Ok((currency(symbol), rest));
        }
    }
    Ok((None, text))
}

fn begins_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// A number without its sign, and what stands behind it.
fn number(
    text: &str,
    code: Option<CurrencyCode>,
    is_signed: bool,
    tokens: &[Token<'_>],
    at: usize,
) -> Result<Option<(Quantity, usize)>, String> {
    let length = text
        .find(|c: char| !(c.is_ascii_digit() || c == ',' || c == '.'))
        .unwrap_or(text.len());
    let (digits, glued) = text.split_at(length);
    let mut end = at + 1;
    let Some((mut exponent, mut unit)) = glued_part(glued)? else {
        return Ok(None);
    };
    if unit.is_none() {
        if exponent == 0
            && let Some(token) = tokens.get(end).filter(|token| token.kind == TokenKind::Word)
            && let Some(scale) = scale(token.text)
        {
            exponent = scale;
            end += 1;
        }
        if let Some((noun, behind)) = noun_at(tokens, end)? {
            unit = Some(noun);
            end = behind;
        }
    }
    let unit = match (code.map(Noun::Currency), unit) {
        (None, unit) | (unit, None) => unit,
        (Some(before), Some(behind)) if before == behind => Some(before),
        (Some(_), Some(_)) => {
            return Err(format!("{text:?} has two units: write one of them"));
        }
    };
    let quantity = Quantity {
        number: parse(digits, exponent)?,
        is_signed,
        is_scaled: exponent > 0,
        unit,
    };
    Ok(Some((quantity, end)))
}

/// What stands right behind the digits; none: it means nothing.
fn glued_part(text: &str) -> Result<Option<(u32, Option<Noun>)>, String> {
    if text.is_empty() {
        return Ok(Some((0, None)));
    }
    if let Some(scale) = scale(text) {
        return Ok(Some((scale, None)));
    }
    if let Some(noun) = noun(text)? {
        return Ok(Some((0, Some(noun))));
    }
    for prefix in ["k", "K", "M", "bn"] {
        if let (Some(scale), Some(rest)) = (scale(prefix), text.strip_prefix(prefix))
            && let Some(noun) = noun(rest)?
        {
            return Ok(Some((scale, Some(noun))));
        }
    }
    Ok(None)
}

/// The power of ten that a word means.
pub(in crate::cli) fn scale(text: &str) -> Option<u32> {
    match text {
        "k" | "K" | "thousand" => Some(3),
        "M" | "million" => Some(6),
        "bn" | "billion" => Some(9),
        _ => None,
    }
}

/// A unit that is a token of its own.
fn noun_at(tokens: &[Token<'_>], at: usize) -> Result<Option<(Noun, usize)>, String> {
    let Some(token) = tokens.get(at) else {
        return Ok(None);
    };
    let other = match token.kind {
        TokenKind::Quoted => token.unquoted(),
        TokenKind::Word => match noun(token.text)? {
            Some(noun) => return Ok(Some((noun, at + 1))),
            None if is_plain(token.text) => token.text.to_owned(),
            None => return Ok(None),
        },
        TokenKind::Group => return Ok(None),
    };
    let fits = (1..=NOUN_CHARS_MAX).contains(&other.chars().count());
    Ok(fits.then_some((Noun::Other(other), at + 1)))
}

/// Whether a unit can be written without quotes.
pub(super) fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '/'))
        && text.starts_with(char::is_alphabetic)
        && scale(text).is_none()
        && !RESERVED.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Digits with commas and a point, ten to the power of `exponent` times.
fn parse(text: &str, exponent: u32) -> Result<f64, String> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let is_grouped = whole.contains(',');
    let grouped_well =
        !is_grouped || ((1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3));
    if !grouped_well || fraction.is_some_and(|fraction| fraction.is_empty() || fraction.contains([',', '.']))
    {
        return Err(format!(
            "{text:?} is no number: write it as 1,234.5, with a point before the decimals and a comma at the thousands"
        ));
    }
    let like_thousands =
        fraction.is_some_and(|digits| digits.len() == 3) && !is_grouped && whole.len() <= 3 && whole != "0";
    if like_thousands {
        let thousands = text.replace('.', ",");
        return Err(format!(
            "{text:?} may be {thousands} or {text}0: write it in one of these ways"
        ));
    }
    let digits = format!(
        "{}.{}e{exponent}",
        whole.replace(',', ""),
        fraction.unwrap_or("0")
    );
    match digits.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(format!("{text:?} is too large")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::token::tokens;
    use super::*;

    /// A number as it is read, its unit, and how many tokens it has.
    fn read_text(text: &str) -> Result<Option<(f64, String, usize)>, String> {
        let tokens = tokens(text);
        let read = read(&tokens, 0)?;
        Ok(read.map(|(quantity, end)| {
            let unit = match quantity.unit {
                None => String::new(),
                Some(Noun::Percent) => "%".to_owned(),
                Some(Noun::Currency(code)) => code.as_str().to_owned(),
                Some(Noun::Duration(seconds)) => format!("{seconds} s"),
                Some(Noun::Other(other)) => other,
            };
            (quantity.number, unit, end)
        }))
    }

    #[test]
    fn a_number_is_read_with_its_unit() {
        for (text, number, unit, end) in [
            ("45", 45.0, "", 1),
            ("-3.5", -3.5, "", 1),
            ("−3.5", -3.5, "", 1),
            ("+10 %", 10.0, "%", 2),
            ("3.2%", 3.2, "%", 1),
            ("0.125", 0.125, "", 1),
            ("1,500", 1_500.0, "", 1),
            ("1,234,567.25", 1_234_567.25, "", 1),
            ("$5M", 5e6, "USD", 1),
            ("1.1 M USD", 1.1e6, "USD", 3),
            ("R$ 50,000", 50_000.0, "BRL", 2),
            ("EUR 2 bn", 2e9, "EUR", 3),
            ("EUR2k", 2e3, "EUR", 1),
            ("7M€", 7e6, "EUR", 1),
            ("500k visitors", 500e3, "visitors", 2),
            ("5 thousand", 5e3, "", 2),
            ("48 min", 48.0, "60 s", 2),
            ("6h", 6.0, "3600 s", 1),
            ("2 days", 2.0, "86400 s", 2),
            ("65 NPS", 65.0, "NPS", 2),
            ("3 \"open deals\"", 3.0, "open deals", 2),
            ("3 \"k\"", 3.0, "k", 2),
            ("45 to", 45.0, "", 1),
            ("45 by", 45.0, "", 1),
        ] {
            assert_eq!(
                read_text(text),
                Ok(Some((number, unit.to_owned(), end))),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_number_is_none_and_what_is_unclear_is_refused() {
        for text in ["NPS", "", "USD", "\"5\"", "(5)", "3x", "to 5", ".5"] {
            assert_eq!(read_text(text), Ok(None), "{text}");
        }
        for text in [
            "1,5",
            "1.500",
            "12.345",
            "1.500.000",
            "1,50,000",
            "1,500.",
            "5 m",
            "¥500",
            "5 ¥",
            "$5 EUR",
        ] {
            assert!(
                read_text(text).is_err(),
                "{text} was taken: {:?}",
                read_text(text)
            );
        }
    }

    #[test]
    fn a_number_that_is_written_is_read_as_it_was() {
        for (number, decimals, text) in [
            (45.0, None, "45"),
            (1_500_000.0, Some(0), "1,500,000"),
            (3.2, Some(2), "3.20"),
            (94.125, Some(1), "94.1250"),
            (0.125, Some(3), "0.125"),
            (3.2, Some(3), "3.2"),
            (1_234.125, Some(3), "1,234.125"),
            (-1_234.5, None, "-1,234.5"),
            (0.1 + 0.2, Some(2), "0.30000000000000004"),
            (1e15, None, "1,000,000,000,000,000"),
        ] {
            assert_eq!(written(number, decimals), text);
        }
    }

    #[test]
    fn every_currency_has_the_shape_of_one() {
        for code in CURRENCIES.split(' ') {
            assert!(currency(code).is_some(), "{code}");
        }
    }
}
