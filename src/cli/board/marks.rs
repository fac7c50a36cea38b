//! What stands behind a line's words: `@maria`, `#growth`, `(aspirational)`, `(due 2026-11-30)`, `(KPI: nps)`.

use super::quantity::{self, Quantity};
use super::token::{Token, TokenKind, tokens};
use super::when::{self, When};
use crate::domain::{CurrencyCode, Id, Unit, UnitKind, Weight};

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mark {
    /// Who answers for it.
    Owner(String),
    /// A label, perhaps with its value.
    Label(String, String),
    /// How high an objective aims.
    Aspirational(bool),
    /// Until when.
    Due(When),
    /// Its weight.
    Weight(Weight),
    /// Its id.
    Id(Id),
    /// Its team.
    Team(Id),
    /// The KPI that gives the values; none: no KPI does.
    Kpi(Option<String>),
    /// What the values are numbers of.
    Unit(Unit),
    /// Everything since the cycle began counts.
    CycleWindow,
    /// The share of periods counts.
    Share,
    /// How far outside of the bounds the score is 0.
    Tolerance(Quantity),
    /// An earlier figure.
    Reference(Quantity),
    /// Under way.
    InProgress,
    /// Given up.
    Dropped,
    /// How many are planned.
    Planned(i64),
    /// How many are done.
    Done(i64),
}

/// Takes the marks off the end of a line, and says how many tokens are left.
///
/// # Errors
/// One of them cannot be read, or stands there twice.
pub(super) fn take(tokens: &[Token<'_>]) -> Result<(usize, Vec<Mark>), String> {
    let mut marks: Vec<Mark> = Vec::new();
    let mut left = tokens.len();
    while let Some(token) = left.checked_sub(1).and_then(|last| tokens.get(last)) {
        let Some(mark) = mark(token)? else {
            break;
        };
        let is_label = |mark: &Mark| matches!(mark, Mark::Label(..));
        let same = |other: &Mark| std::mem::discriminant(other) == std::mem::discriminant(&mark);
        if !is_label(&mark) && marks.iter().any(same) {
            return Err(format!("it has {} twice: keep one", shown(token)));
        }
        marks.push(mark);
        left -= 1;
    }
    marks.reverse();
    Ok((left, marks))
}

/// The sentence for a mark that means nothing where it stands.
pub(super) fn misplaced(mark: &Mark, takes: &str) -> String {
    let shown = match mark {
        Mark::Owner(owner) => format!("@{owner}"),
        Mark::Label(label, _) => format!("#{label}"),
        Mark::Aspirational(true) => "(aspirational)".to_owned(),
        Mark::Aspirational(false) => "(committed)".to_owned(),
        Mark::Due(_) => "(due …)".to_owned(),
        Mark::Weight(_) => "(weight: …)".to_owned(),
        Mark::Id(_) => "(id: …)".to_owned(),
        Mark::Team(_) => "(team: …)".to_owned(),
        Mark::Kpi(Some(_)) => "(KPI: …)".to_owned(),
        Mark::Kpi(None) => "(no KPI)".to_owned(),
        Mark::Unit(_) => "(unit: …)".to_owned(),
        Mark::CycleWindow => "(window: cycle)".to_owned(),
        Mark::Share => "(share of periods)".to_owned(),
        Mark::Tolerance(_) => "(tolerance: …)".to_owned(),
        Mark::Reference(_) => "(reference: …)".to_owned(),
        Mark::InProgress => "(in progress)".to_owned(),
        Mark::Dropped => "(dropped)".to_owned(),
        Mark::Planned(_) => "(planned: …)".to_owned(),
        Mark::Done(_) => "(done: …)".to_owned(),
    };
    format!("{shown} means nothing here: {takes}; if it belongs to the title, put the title in double quotes")
}

fn shown(token: &Token<'_>) -> String {
    match token.kind {
        TokenKind::Word => token.text.to_owned(),
        TokenKind::Quoted => format!("\"{}\"", token.text),
        TokenKind::Group => format!("({})", token.text),
    }
}

/// A token as a mark; none: it belongs to the words.
fn mark(token: &Token<'_>) -> Result<Option<Mark>, String> {
    match token.kind {
        TokenKind::Word => Ok(word(token.text)),
        TokenKind::Quoted => Ok(None),
        TokenKind::Group => group(token.text),
    }
}

fn word(text: &str) -> Option<Mark> {
    let text = text.trim_end_matches([',', ';', '.']);
    if let Some(owner) = text.strip_prefix('@').filter(|owner| !owner.is_empty()) {
        return Some(Mark::Owner(owner.to_owned()));
    }
    let label = text.strip_prefix('#')?;
    let (key, value) = label.split_once('=').unwrap_or((label, ""));
    (!key.is_empty()).then(|| Mark::Label(key.to_owned(), value.to_owned()))
}

/// What stands in parentheses; none: it is a remark of the writer.
fn group(text: &str) -> Result<Option<Mark>, String> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "committed" => return Ok(Some(Mark::Aspirational(false))),
        "aspirational" => return Ok(Some(Mark::Aspirational(true))),
        "no kpi" => return Ok(Some(Mark::Kpi(None))),
        "window: cycle" => return Ok(Some(Mark::CycleWindow)),
        "share of periods" => return Ok(Some(Mark::Share)),
        "in progress" => return Ok(Some(Mark::InProgress)),
        "dropped" => return Ok(Some(Mark::Dropped)),
        _ => {}
    }
    if let Some(due) = lower.strip_prefix("due ").or_else(|| lower.strip_prefix("due:")) {
        return due_date(due).map(|when| Some(Mark::Due(when)));
    }
    let Some((name, value)) = text.split_once(':') else {
        return Ok(None);
    };
    let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
    let wrong = |sentence: String| format!("({text}): {sentence}");
    let mark = match name.as_str() {
        "kpi" if !value.is_empty() => Mark::Kpi(Some(unquoted(value))),
        "id" => Mark::Id(Id::parse(value).map_err(|invalid| wrong(invalid.to_string()))?),
        "team" => Mark::Team(Id::parse(value).map_err(|invalid| wrong(invalid.to_string()))?),
        "weight" => {
            let number = value.parse().unwrap_or(f64::NAN);
            let weight = Weight::parse(number);
            Mark::Weight(weight.map_err(|_| wrong("write a weight from 0 to 1000".to_owned()))?)
        }
        "unit" => Mark::Unit(unit(value).map_err(wrong)?),
        "tolerance" => Mark::Tolerance(number(value).map_err(wrong)?),
        "reference" => Mark::Reference(number(value).map_err(wrong)?),
        "planned" => Mark::Planned(count(value).map_err(wrong)?),
        "done" => Mark::Done(count(value).map_err(wrong)?),
        _ => {
            let known = "due, weight, id, team, KPI, unit, window, tolerance, reference, planned or done";
            return Err(wrong(format!(
                "{name:?} is no mark; those with a colon are {known}: if it belongs to the title, put the title in double quotes"
            )));
        }
    };
    Ok(Some(mark))
}

fn due_date(text: &str) -> Result<When, String> {
    let tokens = tokens(text);
    match when::read(&tokens, 0)? {
        Some((when, end)) if end == tokens.len() => Ok(when),
        _ => Err(format!(
            "(due {}): it is no date: write it as (due 2026-11-30)",
            text.trim()
        )),
    }
}

fn number(text: &str) -> Result<Quantity, String> {
    let tokens = tokens(text);
    match quantity::read(&tokens, 0)? {
        Some((quantity, end)) if end == tokens.len() => Ok(quantity),
        _ => Err("it is no number: write it as 1,234.5, perhaps with its unit".to_owned()),
    }
}

fn count(text: &str) -> Result<i64, String> {
    let count = text.replace(',', "").parse().ok();
    count
        .filter(|count| *count >= 0)
        .ok_or_else(|| "write a whole number from 0 up".to_owned())
}

/// `number "min" 0 decimals`, `currency EUR`, `scale "red" "green"`.
fn unit(text: &str) -> Result<Unit, String> {
    let wrong = || {
        "write number, percent, count, duration, currency EUR or scale \"low\" \"high\", then perhaps a \"symbol\" and 2 decimals".to_owned()
    };
    let tokens = tokens(text);
    let mut rest = tokens.as_slice();
    let [kind, behind @ ..] = rest else {
        return Err(wrong());
    };
    rest = behind;
    let kind = match kind.text.to_ascii_lowercase().as_str() {
        "number" => UnitKind::Number,
        "percent" => UnitKind::Percent,
        "count" => UnitKind::Count,
        "duration" => UnitKind::Duration,
        "currency" => {
            let [code, behind @ ..] = rest else {
                return Err(wrong());
            };
            rest = behind;
            UnitKind::Currency(CurrencyCode::parse(code.text).map_err(|invalid| invalid.to_string())?)
        }
        "scale" => {
            let labels = rest.iter().take_while(|token| token.kind == TokenKind::Quoted);
            let labels: Vec<_> = labels.map(Token::unquoted).collect();
            rest = &rest[labels.len()..];
            // A scale's symbol stands behind its labels, apart from them.
            if let [word, behind @ ..] = rest
                && word.is("symbol")
            {
                rest = behind;
            }
            UnitKind::scale(&labels).map_err(|invalid| invalid.to_string())?
        }
        _ => return Err(wrong()),
    };
    let mut symbol = String::new();
    if let [token, behind @ ..] = rest
        && token.kind == TokenKind::Quoted
    {
        symbol = token.unquoted();
        rest = behind;
    }
    let decimals = match rest {
        [] => None,
        [number, word] if word.is_any(&["decimals", "decimal"]) => {
            Some(number.text.parse().map_err(|_| wrong())?)
        }
        _ => return Err(wrong()),
    };
    Unit::parse(kind, &symbol, decimals).map_err(|invalid| invalid.to_string())
}

fn unquoted(text: &str) -> String {
    match tokens(text)[..] {
        [token] if token.kind == TokenKind::Quoted => token.unquoted(),
        _ => text.to_owned(),
    }
}
