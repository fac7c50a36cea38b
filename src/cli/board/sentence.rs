//! One line of a board: an objective, a key result or a milestone. The fourth, an initiative, stands in `initiative`.
//!
//! A title in double quotes is taken to the letter. Marks stand behind everything else (`marks`), what `binnacle board`
//! says of current values and scores is skipped. It deliberately does not know the workspace.

use super::draft::{KeyResultDraft, MilestoneDraft, ObjectiveDraft, Place, Way, each_mark};
use super::marks::{self, Mark};
use super::measure::{self, Measure, Tail};
use super::token::{Token, TokenKind, tokens};
use crate::domain::{Labels, Text, Title, Weight};

/// What a line begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    /// `Objective:`.
    Objective,
    /// `KR:`.
    KeyResult,
    /// `Initiative:`.
    Initiative,
}

const UP: [&str; 6] = ["increase", "raise", "grow", "lift", "boost", "expand"];
const DOWN: [&str; 5] = ["reduce", "cut", "lower", "decrease", "shrink"];
const EITHER: [&str; 4] = ["improve", "move", "bring", "change"];
const KEEP: [&str; 4] = ["keep", "hold", "maintain", "stay"];

/// What a key result can look like.
pub(super) const KEY_RESULT_FORMS: &str = "write \"KR: Increase NPS from 32 to 45\", \"KR: Raise NPS to 45\" or \"KR: Grow sales by +10 %\" for a number, \"KR: Keep NPS above 40\" for something to hold, \"[ ] KR: Open the shop\" for something to be done, or list milestones below it";

/// What a line begins with, and what is behind that.
pub(super) fn prefix(text: &str) -> (Option<Prefix>, &str) {
    let Some((name, rest)) = text.split_once(':') else {
        return (None, text);
    };
    let name = name
        .trim()
        .trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ');
    let prefix = match name.to_ascii_lowercase().as_str() {
        "o" | "objective" => Prefix::Objective,
        "kr" | "key result" => Prefix::KeyResult,
        "initiative" | "action" => Prefix::Initiative,
        _ => return (None, text),
    };
    (Some(prefix), rest.trim())
}

/// An objective's heading.
///
/// # Errors
/// Its title or its marks cannot be read.
pub(super) fn objective(text: &str, place: Place) -> Result<ObjectiveDraft, String> {
    let body = match prefix(text) {
        (Some(Prefix::Objective), rest) => rest,
        _ => text,
    };
    let tokens = tokens(body);
    let (left, marks) = marks::take(&tokens)?;
    let mut draft = ObjectiveDraft {
        place,
        id: None,
        title: whole_title(body, &tokens[..left])?,
        description: Text::empty(),
        owner: None,
        team: None,
        is_aspirational: false,
        weight: Weight::ONE,
        labels: Labels::default(),
        key_results: Vec::new(),
        initiatives: Vec::new(),
    };
    let mut labels = Vec::new();
    let takes = "an objective takes @owner, #label, (committed), (aspirational), (team: ID), (weight: N) and (id: ID)";
    each_mark(marks, takes, |mark| {
        match mark {
            Mark::Owner(owner) => draft.owner = Some(owner),
            Mark::Label(key, value) => labels.push((key, value)),
            Mark::Aspirational(is_aspirational) => draft.is_aspirational = is_aspirational,
            Mark::Weight(weight) => draft.weight = weight,
            Mark::Id(id) => draft.id = Some(id),
            Mark::Team(team) => draft.team = Some(team),
            other => return Err(other),
        }
        Ok(())
    })?;
    let pairs = labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    draft.labels = Labels::parse(pairs).map_err(|invalid| invalid.to_string())?;
    if draft.labels.iter().count() < labels.len() {
        return Err("one label stands there twice: keep one".to_owned());
    }
    Ok(draft)
}

/// A key result behind its prefix; `milestones` says whether some stand below it.
///
/// # Errors
/// It says nothing that can be measured, or says it in a way that is not clear.
pub(super) fn key_result(
    text: &str,
    is_checked: Option<bool>,
    has_milestones: bool,
    place: Place,
) -> Result<KeyResultDraft, String> {
    let (own_box, body) = check_box(text);
    let is_checked = is_checked.or(own_box);
    let all = tokens(body);
    let (left, marks) = marks::take(&all)?;
    let end = standing(body, &all[..left]);
    let body = &body[..end];
    let said = said(body)?;
    let measure = measure_of(&said, is_checked, has_milestones)?;
    let mut draft = KeyResultDraft {
        place,
        id: None,
        title: said.title,
        owner: None,
        measure,
        way: said.way,
        milestones: Vec::new(),
        is_checked,
        due: said.tail.due,
        weight: Weight::ONE,
        kpi: None,
        unit: None,
        over_cycle: false,
        by_share: false,
        tolerance: None,
        reference: None,
        initiatives: Vec::new(),
    };
    let mut due_twice = false;
    let takes = "a key result takes @owner, (due DATE), (KPI: ID), (no KPI), (unit: …), (weight: N), (id: ID), (window: cycle), (share of periods), (tolerance: N) and (reference: N)";
    each_mark(marks, takes, |mark| {
        match mark {
            Mark::Owner(owner) => draft.owner = Some(owner),
            Mark::Due(due) => due_twice = draft.due.replace(due).is_some(),
            Mark::Weight(weight) => draft.weight = weight,
            Mark::Id(id) => draft.id = Some(id),
            Mark::Kpi(kpi) => draft.kpi = Some(kpi),
            Mark::Unit(unit) => draft.unit = Some(unit),
            Mark::CycleWindow => draft.over_cycle = true,
            Mark::Share => draft.by_share = true,
            Mark::Tolerance(tolerance) => draft.tolerance = Some(tolerance),
            Mark::Reference(reference) => draft.reference = Some(reference),
            other => return Err(other),
        }
        Ok(())
    })?;
    if due_twice {
        return Err("it is due twice: keep one date".to_owned());
    }
    fits_measure(&draft)?;
    Ok(draft)
}

/// A milestone below a key result.
///
/// # Errors
/// Its title or its marks cannot be read.
pub(super) fn milestone(
    text: &str,
    is_checked: Option<bool>,
    place: Place,
) -> Result<MilestoneDraft, String> {
    let (own_box, body) = check_box(text);
    let tokens = tokens(body);
    let (left, marks) = marks::take(&tokens)?;
    let mut draft = MilestoneDraft {
        place,
        id: None,
        title: whole_title(body, &tokens[..left])?,
        weight: Weight::ONE,
        is_checked: is_checked.or(own_box).unwrap_or(false),
    };
    each_mark(marks, "a milestone takes (weight: N) and (id: ID)", |mark| {
        match mark {
            Mark::Weight(weight) => draft.weight = weight,
            Mark::Id(id) => draft.id = Some(id),
            other => return Err(other),
        }
        Ok(())
    })?;
    Ok(draft)
}

/// The words of a key result.
struct Said {
    title: Title,
    tail: Tail,
    way: Option<Way>,
    is_kept: bool,
}

fn said(body: &str) -> Result<Said, String> {
    // A full stop belongs to the sentence, unless the whole of it is the title.
    let all = tokens(body.trim_end_matches(['.', ';']));
    let verb = all.first().map_or("", |token| token.text).to_ascii_lowercase();
    let is_verb = |verbs: &[&str]| verbs.contains(&verb.as_str());
    let has_verb = is_verb(&UP) || is_verb(&DOWN) || is_verb(&EITHER) || is_verb(&KEEP);
    let is_quoted = |at: usize| all.get(at).is_some_and(|token| token.kind == TokenKind::Quoted);
    let quoted_at = if is_quoted(0) {
        Some(0)
    } else {
        (has_verb && is_quoted(1)).then_some(1)
    };
    let (title, tail) = match quoted_at {
        Some(at) => {
            let behind = &all[at + 1..];
            let tail = match measure::read(behind)? {
                Some(tail) => tail,
                None if behind.is_empty() => Tail::default(),
                None => {
                    return Err(format!(
                        "what is behind the title is not clear: {KEY_RESULT_FORMS}"
                    ));
                }
            };
            (title(&all[at].unquoted())?, tail)
        }
        None => {
            let (at, tail) = measure::find(&all, 1)?;
            if tail == Tail::default() {
                (title(body)?, tail)
            } else {
                (
                    title(between(body, &all[..at]).trim_end_matches([':', ',', ' ']))?,
                    tail,
                )
            }
        }
    };
    let way = match () {
        () if is_verb(&UP) => Some(Way::Up),
        () if is_verb(&DOWN) => Some(Way::Down),
        () => None,
    };
    Ok(Said {
        title,
        tail,
        way,
        is_kept: is_verb(&KEEP),
    })
}

/// How a key result is measured; none: by its milestones.
fn measure_of(
    said: &Said,
    is_checked: Option<bool>,
    has_milestones: bool,
) -> Result<Option<Measure>, String> {
    match (said.tail.measure.clone(), has_milestones) {
        (Some(_), true) => {
            Err("it has a number and milestones: keep one of them, or write \"Initiative: …\" for what is to be done for it".to_owned())
        }
        (Some(Measure::Maintain(..)), false) if !said.is_kept => {
            Err("a bound alone may be a target or something to hold: write \"KR: Keep … above 40\" to hold it, or \"KR: … from 32 to 40\" to reach it".to_owned())
        }
        (Some(measure), false) => Ok(Some(measure)),
        (None, true) => Ok(None),
        (None, false) if is_checked.is_some() => Ok(Some(Measure::Binary)),
        (None, false) => Err(format!("it does not say how it is measured: {KEY_RESULT_FORMS}")),
    }
}

/// What only some kinds have.
fn fits_measure(draft: &KeyResultDraft) -> Result<(), String> {
    let is_metric = matches!(draft.measure, Some(Measure::Metric(..)));
    let is_kept = matches!(draft.measure, Some(Measure::Maintain(..)));
    let has_number = is_metric || is_kept;
    for (is_said, fits, mark, takes) in [
        (
            draft.reference.is_some(),
            is_metric,
            "(reference: N)",
            "a number to reach",
        ),
        (draft.by_share, is_kept, "(share of periods)", "a bound to keep"),
        (
            draft.tolerance.is_some(),
            is_kept,
            "(tolerance: N)",
            "a bound to keep",
        ),
        (draft.over_cycle, has_number, "(window: cycle)", "a number"),
        (
            draft.kpi.as_ref().is_some_and(Option::is_some),
            has_number,
            "(KPI: ID)",
            "a number",
        ),
    ] {
        if is_said && !fits {
            return Err(format!("{mark} is for a key result with {takes}: leave it out"));
        }
    }
    Ok(())
}

/// Where the words end and what `binnacle board` says of the current value begins: `, now 38 (0.46, behind)`.
fn standing(body: &str, tokens: &[Token<'_>]) -> usize {
    let end = tokens.last().map_or(0, |token| token.end);
    let Some(score) = tokens.last().filter(|token| is_score(token)) else {
        return end;
    };
    let words = body[..score.start].trim_end();
    if let Some(words) = words.strip_suffix(", not started") {
        return words.len();
    }
    words.rfind(", now ").unwrap_or(end)
}

/// `(0.46)`, `(0.46, behind)`.
fn is_score(token: &Token<'_>) -> bool {
    let number = token.text.split(',').next().unwrap_or_default();
    let is_number = number.len() == 4 && number.as_bytes()[1] == b'.' && number.parse::<f64>().is_ok();
    token.kind == TokenKind::Group && is_number
}

/// A check box that is written behind the prefix.
pub(super) fn check_box(text: &str) -> (Option<bool>, &str) {
    let text = text.trim();
    for (mark, is_checked) in [("[ ] ", false), ("[x] ", true), ("[X] ", true)] {
        if let Some(rest) = text.strip_prefix(mark) {
            return (Some(is_checked), rest.trim());
        }
    }
    (None, text)
}

/// All of these tokens as a title.
///
/// # Errors
/// They are none.
pub(super) fn whole_title(line: &str, tokens: &[Token<'_>]) -> Result<Title, String> {
    match tokens {
        [token] if token.kind == TokenKind::Quoted => title(&token.unquoted()),
        _ => title(between(line, tokens)),
    }
}

fn between<'t>(line: &'t str, tokens: &[Token<'_>]) -> &'t str {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => &line[first.start..last.end],
        _ => "",
    }
}

fn title(text: &str) -> Result<Title, String> {
    Title::parse(text).map_err(|invalid| format!("its title: {invalid}"))
}
