//! A picture as lines of text. Pure: the same picture, width and colours are the same lines.
//!
//! Invariant: no line is wider than it was told, and without colours there is no escape sequence in any.

use crate::cli::paint::{Colour, paint};
use crate::cli::phrases::{
    alert as alert_text, closed as close_text, health as health_text, status, target as target_text,
};
use crate::cli::picture::{KeyResultPicture, KpiPicture, Notable, Picture};
use crate::cli::text::{bar, bare, columns, cut, left, right, sparkline, suffix, value};
use crate::proto::api;

/// How wide lines are, whether they have colours, and how much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) columns: usize,
    /// Whether key results have lines of their own.
    pub(super) key_results: bool,
    pub(super) colours: bool,
}

/// The columns of the table.
struct Grid {
    title: usize,
    bar: usize,
    detail: usize,
    status: usize,
}

/// The narrowest and the widest that a frame is drawn.
const COLUMNS_MIN: usize = 60;
const COLUMNS_MAX: usize = 100;
const SCORE: usize = 4;

impl Style {
    fn paint(self, text: &str, colour: Colour) -> String {
        paint(text, colour, self.colours)
    }

    fn width(self) -> usize {
        self.columns.clamp(COLUMNS_MIN, COLUMNS_MAX)
    }

    fn grid(self) -> Grid {
        let width = self.width();
        let (bar, detail) = if width >= 96 { (16, 26) } else { (10, 22) };
        let status = 11;
        Grid {
            title: width - bar - SCORE - detail - status - 5,
            bar,
            detail,
            status,
        }
    }
}

/// The whole picture.
pub(super) fn frame(picture: &Picture, style: Style) -> Vec<String> {
    let mut lines = heading(picture, style);
    lines.push(String::new());
    lines.push(titles(style, "OBJECTIVES", "score, ┊ expected", "status"));
    for name in picture.objectives.keys() {
        lines.extend(objective(picture, name, style));
    }
    lines.push(String::new());
    lines.push(titles(style, "KPIS", "week by week", "health"));
    for kpi in picture.kpis.values() {
        lines.push(kpi_line(picture, kpi, style));
    }
    lines
}

fn heading(picture: &Picture, style: Style) -> Vec<String> {
    let width = style.width();
    let today = picture.today.map(|today| today.to_string()).unwrap_or_default();
    let place = format!("{today}  revision {}", picture.revision);
    let room = width.saturating_sub(columns(&place) + 2);
    let title = format!("{}: {}", picture.title, picture.ultimate_goal);
    let mut lines = vec![format!(
        "{}  {}",
        style.paint(&left(&title, room), Colour::Bold),
        style.paint(&place, Colour::Dim)
    )];
    for cycle in picture.cycles.values() {
        let days = match (cycle.first_date, cycle.last_date, picture.today) {
            (Some(first), Some(last), Some(today)) => {
                let days = |to: jiff::civil::Date| to.since(first).map_or(0, |span| span.get_days() + 1);
                format!("day {} of {}", days(today), days(last))
            }
            _ => String::new(),
        };
        let grid = style.grid();
        let text = format!(
            "{} {} {}  {}",
            left(&cycle.title, grid.title),
            bar(cycle.score, None, grid.bar),
            score(cycle.score),
            days
        );
        lines.push(cut(&text, width));
    }
    lines
}

fn titles(style: Style, what: &str, figure: &str, status: &str) -> String {
    let grid = style.grid();
    let middle = grid.bar + SCORE + grid.detail + 3;
    let text = format!(
        "{} {} {}",
        left(what, grid.title),
        left(figure, middle),
        left(status, grid.status)
    );
    style.paint(&text, Colour::Bold)
}

fn objective(picture: &Picture, name: &str, style: Style) -> Vec<String> {
    let Some(objective) = picture.objectives.get(name) else {
        return Vec::new();
    };
    let grid = style.grid();
    let progress = objective.progress.unwrap_or_default();
    let (status, colour) = match &objective.progress {
        Some(progress) => status(progress.status()),
        None => ("draft", Colour::Dim),
    };
    let below = |other: &str| other.starts_with(name) && other[name.len()..].starts_with('/');
    let initiatives = picture.initiatives.iter().filter(|(name, _)| below(name));
    let states: Vec<_> = initiatives.map(|(_, initiative)| initiative.state).collect();
    let done = states
        .iter()
        .filter(|state| **state == api::initiative::State::Done)
        .count();
    let detail = match states.len() {
        0 => String::new(),
        all => format!("initiatives {done} of {all} done"),
    };
    let mut lines = vec![format!(
        "{} {} {}  {} {}",
        style.paint(&left(&objective.title, grid.title), Colour::Bold),
        style.paint(&bar(progress.score, progress.expected, grid.bar), colour),
        score(progress.score),
        style.paint(&left(&detail, grid.detail), Colour::Dim),
        style.paint(&left(status, grid.status), colour),
    )];
    for (name, key_result) in &picture.key_results {
        if style.key_results && below(name) {
            lines.push(key_result_line(picture, key_result, style));
        }
    }
    lines
}

fn key_result_line(picture: &Picture, key_result: &KeyResultPicture, style: Style) -> String {
    let grid = style.grid();
    let progress = key_result.progress.as_ref();
    let scored = progress.map(|progress| progress.score);
    let expected = progress.map(|progress| progress.expected);
    let (status, colour) = progress.map_or(("draft", Colour::Dim), |progress| status(progress.status()));
    let kpi = picture.kpis.get(&key_result.kpi);
    let unit = key_result.unit.clone().or_else(|| kpi.map(KpiPicture::judged));
    let unit = unit.unwrap_or_default();
    let current = progress
        .and_then(|progress| progress.current)
        .or(key_result.baseline);
    let text = |number: Option<f64>| number.map_or("–".to_owned(), |it| bare(it, &unit));
    let detail = format!(
        "{} → {} {}",
        text(current),
        text(key_result.target),
        suffix(&unit)
    );
    format!(
        "  {} {} {}  {} {}",
        left(&key_result.title, grid.title - 2),
        style.paint(&bar(scored, expected, grid.bar), colour),
        score(scored),
        left(detail.trim_end(), grid.detail),
        style.paint(&left(status, grid.status), colour),
    )
}

fn kpi_line(picture: &Picture, kpi: &KpiPicture, style: Style) -> String {
    let grid = style.grid();
    let health = kpi.health.clone().unwrap_or_default();
    let bounds = picture.targets.get(&health.target).copied().unwrap_or_default();
    let values: Vec<f64> = kpi.series.values().copied().collect();
    let target = bounds.at_least.or(bounds.at_most);
    let (text, colour) = health_text(health.health());
    let shown = health.period_value.as_ref().map(|period| period.value);
    let shown = shown.map_or("–".to_owned(), |it| value(it, &kpi.judged()));
    let value_width = grid.detail - 12;
    format!(
        "{} {} {} {} {}",
        left(&kpi.title, grid.title),
        style.paint(&left(&sparkline(&values, target, grid.bar), grid.bar), colour),
        right(&shown, value_width),
        left(
            &target_text(bounds, &kpi.judged()),
            grid.detail + SCORE - value_width + 1
        ),
        style.paint(&left(text, grid.status), colour),
    )
}

/// A line for something that happened.
pub(super) fn notable_line(picture: &Picture, notable: &Notable, style: Style) -> String {
    let (text, colour) = match notable {
        Notable::Health {
            kpi,
            before,
            after,
            recovered,
        } => {
            let default = KpiPicture::default();
            let kpi = picture.kpis.get(kpi).unwrap_or(&default);
            let health = kpi.health.clone().unwrap_or_default();
            let bounds = picture.targets.get(&health.target).copied().unwrap_or_default();
            let shown = health
                .latest_value
                .map(|it| value(it, &kpi.unit))
                .unwrap_or_default();
            let (after, colour) = health_text(*after);
            let text = format!(
                "KPI {}{}: {} → {after} at {shown} ({})",
                kpi.title,
                if *recovered { " RECOVERED" } else { "" },
                health_text(*before).0,
                target_text(bounds, &kpi.unit)
            );
            (text, colour)
        }
        Notable::Status {
            objective,
            before,
            after,
        } => {
            let title = picture.objectives.get(objective).map(|it| it.title.as_str());
            let (after, colour) = status(*after);
            let before = status(*before).0;
            let title = title.unwrap_or_default();
            (format!("objective {title}: {before} → {after}"), colour)
        }
        Notable::Asks { kpi, about } => {
            let title = picture.kpis.get(kpi).map(|it| it.title.as_str());
            let (title, about) = (title.unwrap_or_default(), alert_text(*about));
            (format!("alert{about}: KPI {title} asks for action"), Colour::Red)
        }
        Notable::Asked { kpi, about, why } => {
            let title = picture.kpis.get(kpi).map(|it| it.title.as_str());
            let (title, about) = (title.unwrap_or_default(), alert_text(*about));
            let why = close_text(*why);
            (format!("alert{about} is over: KPI {title} {why}"), Colour::Green)
        }
        Notable::Begun { objective } => {
            let title = picture.objectives.get(objective).map(|it| it.title.as_str());
            (
                format!("objective {} begins", title.unwrap_or_default()),
                Colour::Bold,
            )
        }
        Notable::Done { initiative } => {
            let title = picture.initiatives.get(initiative).map(|it| it.title.as_str());
            (
                format!("initiative {} is done", title.unwrap_or_default()),
                Colour::Green,
            )
        }
    };
    style.paint(&cut(&text, style.width() - 2), colour)
}

/// What the narrator says.
pub(super) fn headline(text: &str, style: Style) -> String {
    style.paint(&cut(text, style.width()), Colour::Bold)
}

fn score(score: Option<f64>) -> String {
    match score.filter(|score| score.is_finite()) {
        Some(score) => right(&format!("{score:.2}"), SCORE),
        None => right("–", SCORE),
    }
}

#[cfg(test)]
mod tests;
