//! The end of a key result's sentence: `from 32 to 45 by Q3`, `to 7 M USD`, `by +10 %`, `above 40`.
//!
//! It deliberately does not know the words in front of it, nor what its numbers are numbers of.

use super::quantity::{self, Noun, Quantity};
use super::token::Token;
use super::when::{self, When};

/// How a key result is measured, as its sentence says it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Measure {
    /// From somewhere to a target.
    Metric(Option<Quantity>, Goal),
    /// Not below the first, not above the second.
    Maintain(Option<Quantity>, Option<Quantity>),
    /// Done or not.
    Binary,
}

/// Where a metric goes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Goal {
    /// There.
    To(Quantity),
    /// So much further.
    By(Quantity),
}

/// The end of a sentence.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tail {
    /// How it is measured; none: it does not say.
    pub(super) measure: Option<Measure>,
    /// Until when.
    pub(super) due: Option<When>,
}

/// Where the end of a sentence begins, and what it says: the longest that is one.
///
/// # Errors
/// Something in it can be read in two ways.
pub(super) fn find(tokens: &[Token<'_>], first: usize) -> Result<(usize, Tail), String> {
    for at in first..tokens.len() {
        if let Some(tail) = read(&tokens[at..])? {
            return Ok((at, tail));
        }
    }
    Ok((tokens.len(), Tail::default()))
}

/// Reads tokens that are an end as a whole; none: they are not.
///
/// # Errors
/// Something in them can be read in two ways.
pub(super) fn read(tokens: &[Token<'_>]) -> Result<Option<Tail>, String> {
    let (measure, at) = match measure(tokens)? {
        Some((measure, at)) => (Some(measure), at),
        None => (None, 0),
    };
    let (due, at) = match tokens.get(at) {
        Some(token) if token.is_any(&["by", "until"]) => match when::read(tokens, at + 1)? {
            Some((when, end)) => (Some(when), end),
            None => return Ok(None),
        },
        _ => (None, at),
    };
    let is_whole = at == tokens.len() && at > 0;
    Ok(is_whole.then_some(Tail { measure, due }))
}

fn measure(tokens: &[Token<'_>]) -> Result<Option<(Measure, usize)>, String> {
    let Some(first) = tokens.first() else {
        return Ok(None);
    };
    if first.is("done") {
        return Ok(Some((Measure::Binary, 1)));
    }
    if first.is("to") {
        let read = quantity::read(tokens, 1)?;
        return Ok(read.map(|(target, end)| (Measure::Metric(None, Goal::To(target)), end)));
    }
    if let Some((by, end)) = change(tokens, 0)? {
        return Ok(Some((Measure::Metric(None, Goal::By(by)), end)));
    }
    if let Some(bounds) = bounds(tokens)? {
        return Ok(Some(bounds));
    }
    let has_from = first.is("from");
    let Some((from, at)) = quantity::read(tokens, usize::from(has_from))? else {
        return Ok(None);
    };
    let Some(joint) = tokens.get(at) else {
        return Ok(None);
    };
    if joint.is_any(&["→", "->"]) || (has_from && joint.is("to")) {
        let Some((to, end)) = quantity::read(tokens, at + 1)? else {
            return Ok(None);
        };
        let may_be_scaled = from.number != 0.0 && from.number.abs() < 1_000.0;
        if to.is_scaled && !from.is_scaled && may_be_scaled {
            return Err(format!(
                "{} may be meant like the {} behind it: write both with k, M or bn, or both in full",
                quantity::written(from.number, None),
                quantity::written(to.number, None)
            ));
        }
        return Ok(Some((Measure::Metric(Some(from), Goal::To(to)), end)));
    }
    if has_from && let Some((by, end)) = change(tokens, at)? {
        return Ok(Some((Measure::Metric(Some(from), Goal::By(by)), end)));
    }
    Ok(None)
}

/// `by 15`, `by +10 %`, `+10 %`.
fn change(tokens: &[Token<'_>], at: usize) -> Result<Option<(Quantity, usize)>, String> {
    let has_by = tokens.get(at).is_some_and(|token| token.is("by"));
    // "by 15 March" is a date, and so is "by Q3".
    if has_by && when::read(tokens, at + 1)?.is_some() {
        return Ok(None);
    }
    let Some((quantity, end)) = quantity::read(tokens, at + usize::from(has_by))? else {
        return Ok(None);
    };
    if !has_by && !quantity.is_signed {
        return Ok(None);
    }
    // "from -5 to 3": what is followed by its target is no change.
    if !has_by && tokens.get(end).is_some_and(|token| token.is_any(&["→", "->"])) {
        return Ok(None);
    }
    let like_year =
        quantity.unit.is_none() && !quantity.is_signed && (1900.0..2100.0).contains(&quantity.number);
    if like_year {
        let year = quantity.number;
        return Err(format!(
            "\"by {year}\" may be a year: write by {year}-12-31 for a day, or by +{year} for a change"
        ));
    }
    Ok(Some((quantity, end)))
}

/// `above 40`, `at most 5 %`, `between 40 and 60`.
fn bounds(tokens: &[Token<'_>]) -> Result<Option<(Measure, usize)>, String> {
    let word = |at: usize, words: &[&str]| tokens.get(at).is_some_and(|token| token.is_any(words));
    if word(0, &["between"]) {
        let Some((least, at)) = quantity::read(tokens, 1)? else {
            return Ok(None);
        };
        let most = if word(at, &["and"]) {
            quantity::read(tokens, at + 1)?
        } else {
            None
        };
        return Ok(most.map(|(most, end)| (Measure::Maintain(Some(least), Some(most)), end)));
    }
    let of_two = word(0, &["at"]) && word(1, &["least", "most"]);
    let at_least = word(0, &["above", "over", "≥", ">="]) || (of_two && word(1, &["least"]));
    let at_most = word(0, &["below", "under", "≤", "<="]) || (of_two && word(1, &["most"]));
    if !at_least && !at_most {
        return Ok(None);
    }
    let read = quantity::read(tokens, if of_two { 2 } else { 1 })?;
    Ok(read.map(|(bound, end)| match at_least {
        true => (Measure::Maintain(Some(bound), None), end),
        false => (Measure::Maintain(None, Some(bound)), end),
    }))
}

/// The numbers of a measure.
impl Measure {
    /// All of them.
    pub(super) fn quantities(&self) -> impl Iterator<Item = &Quantity> {
        let (first, second) = match self {
            Self::Metric(from, Goal::To(to) | Goal::By(to)) => (from.as_ref(), Some(to)),
            Self::Maintain(least, most) => (least.as_ref(), most.as_ref()),
            Self::Binary => (None, None),
        };
        first.into_iter().chain(second)
    }

    /// What its values are numbers of, as far as the sentence tells; a change in percent does not.
    pub(super) fn nouns(&self) -> impl Iterator<Item = &Noun> {
        let is_share = |quantity: &Quantity| matches!(self, Self::Metric(_, Goal::By(by)) if std::ptr::eq(by, quantity) && by.is_share());
        self.quantities()
            .filter(move |quantity| !is_share(quantity))
            .filter_map(|quantity| quantity.unit.as_ref())
    }
}

impl Quantity {
    /// Whether a change is a share of where it begins.
    pub(super) fn is_share(&self) -> bool {
        self.unit == Some(Noun::Percent)
    }
}
