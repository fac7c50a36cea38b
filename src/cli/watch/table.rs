//! The dashboard as lines of text. Pure: the same picture, size and colours are the same lines.
//!
//! Invariant: no line takes more columns than the terminal has, there are no more lines than it has rows, and without
//! colours there is no escape sequence in any. What does not fit is counted, and what is worst stands first.

use super::trail::Trail;
use crate::cli::paint::{Colour, paint};
use crate::cli::phrases;
use crate::cli::picture::{KpiPicture, ObjectivePicture, Picture};
use crate::cli::text::{bar, cut, left, right, sparkline, value};
use crate::proto::api;

/// The terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Screen {
    pub(super) columns: usize,
    pub(super) rows: usize,
    pub(super) colours: bool,
}

/// How the stream is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Condition {
    /// In a word or two, for example "live".
    pub(super) state: String,
    /// It is not what it should be.
    pub(super) is_bad: bool,
    /// The newest revision that is known to be there.
    pub(super) head: i64,
    /// Seconds since the last message.
    pub(super) silent_s: u64,
}

/// The columns of the table; what has no place has the width 0.
struct Grid {
    title: usize,
    bar: usize,
    figure: usize,
    spark: usize,
}

/// One line of a section.
struct Row {
    title: String,
    bar: String,
    figure: String,
    spark: String,
    status: &'static str,
    colour: Colour,
}

/// Nothing sensible is narrower.
const COLUMNS_MIN: usize = 20;
const STATUS: usize = 11;

impl Screen {
    fn grid(self) -> Grid {
        let width = self.columns;
        let (bar, figure, spark) = match width {
            0..36 => (0, 0, 0),
            36..60 => (0, 12, 0),
            60..100 => (10, 14, 10),
            100..160 => (16, 16, 20),
            _ => (24, 18, 40),
        };
        let gaps = [bar, figure, spark, STATUS]
            .iter()
            .filter(|width| **width > 0)
            .count();
        Grid {
            title: width.saturating_sub(bar + figure + spark + STATUS + gaps),
            bar,
            figure,
            spark,
        }
    }

    fn paint(self, text: &str, colour: Colour) -> String {
        paint(text, colour, self.colours)
    }

    fn line(self, row: &Row) -> String {
        let grid = self.grid();
        let mut cells = vec![self.paint(&left(&row.title, grid.title), Colour::Plain)];
        if grid.bar > 0 {
            cells.push(self.paint(&left(&row.bar, grid.bar), row.colour));
        }
        if grid.figure > 0 {
            cells.push(right(&row.figure, grid.figure));
        }
        if grid.spark > 0 {
            cells.push(left(&row.spark, grid.spark));
        }
        cells.push(self.paint(&left(row.status, STATUS), row.colour));
        cells.join(" ")
    }

    fn titles(self, what: &str, bar: &str, figure: &str, spark: &str, status: &'static str) -> String {
        let plain = Self {
            colours: false,
            ..self
        };
        let line = plain.line(&Row {
            title: what.to_owned(),
            bar: bar.to_owned(),
            figure: figure.to_owned(),
            spark: spark.to_owned(),
            status,
            colour: Colour::Plain,
        });
        self.paint(&line, Colour::Bold)
    }
}

/// The whole dashboard.
pub(super) fn frame(picture: &Picture, trail: &Trail, condition: &Condition, screen: Screen) -> Vec<String> {
    if screen.columns < COLUMNS_MIN {
        let mut lines = vec![cut("too narrow", screen.columns)];
        lines.truncate(screen.rows);
        return lines;
    }
    let mut lines = heading(picture, condition, screen);
    let grid = screen.grid();
    let objectives = objectives(picture, trail, &grid);
    let kpis = kpis(picture, trail, &grid);
    let alerts = alerts(picture, screen);
    let sections = [
        (
            screen.titles("OBJECTIVES", "progress", "score", "recent", "status"),
            objectives.iter().map(|row| screen.line(row)).collect(),
        ),
        (
            screen.titles("KPIS", "target", "value", "recent", "health"),
            kpis.iter().map(|row| screen.line(row)).collect(),
        ),
        (
            screen.paint(&cut("ALERTS THAT NEED ACTION", screen.columns), Colour::Bold),
            alerts,
        ),
    ];
    let mut sections: Vec<(String, Vec<String>)> = sections
        .into_iter()
        .filter(|(_, rows)| !rows.is_empty())
        .collect();
    fit(&mut sections, screen.rows.saturating_sub(lines.len()), screen);
    for (title, rows) in sections {
        lines.push(String::new());
        lines.push(title);
        lines.extend(rows);
    }
    lines.truncate(screen.rows);
    lines
}

/// Shortens the longest sections until all of them fit, each with a count of what is left out.
fn fit(sections: &mut [(String, Vec<String>)], rows: usize, screen: Screen) {
    // An empty line and a title each.
    let room = rows.saturating_sub(2 * sections.len());
    let mut shown: Vec<usize> = sections.iter().map(|(_, lines)| lines.len()).collect();
    while shown.iter().sum::<usize>() > room {
        let Some(longest) = shown.iter_mut().max() else {
            break;
        };
        if *longest <= 1 {
            break;
        }
        *longest -= 1;
    }
    for ((_, lines), shown) in sections.iter_mut().zip(shown) {
        let hidden = lines.len() - shown.min(lines.len());
        if hidden > 0 {
            // The count takes the place of one more.
            lines.truncate(shown - 1);
            let more = cut(&format!("… and {} more", hidden + 1), screen.columns);
            lines.push(screen.paint(&more, Colour::Dim));
        }
    }
}

fn heading(picture: &Picture, condition: &Condition, screen: Screen) -> Vec<String> {
    let width = screen.columns;
    let score = picture
        .score
        .map(|score| format!("  score {score:.2}"))
        .unwrap_or_default();
    let today = picture
        .today
        .map(|today| format!("  {today}"))
        .unwrap_or_default();
    let behind = condition.head.saturating_sub(picture.revision);
    let place = match behind {
        ..=0 => format!("revision {}", picture.revision),
        behind => format!("revision {}, {behind} behind", picture.revision),
    };
    let stream = format!(
        "{}  {place}  last heard {} s ago",
        condition.state, condition.silent_s
    );
    let colour = if condition.is_bad {
        Colour::Red
    } else {
        Colour::Green
    };
    let title = cut(&format!("{}{score}{today}", picture.title), width);
    let mut lines = vec![
        screen.paint(&title, Colour::Bold),
        screen.paint(&cut(&stream, width), colour),
    ];
    for cycle in picture.cycles.values().filter(|cycle| cycle.score.is_some()) {
        let grid = screen.grid();
        let title = left(&cycle.title, grid.title);
        let bar = bar(cycle.score, None, grid.bar);
        let line = format!("{title} {bar} {}", score_text(cycle.score));
        lines.push(cut(&line, width));
    }
    lines
}

fn objectives(picture: &Picture, trail: &Trail, grid: &Grid) -> Vec<Row> {
    let shown = picture.objectives.iter().filter_map(|(name, objective)| {
        let progress = objective.progress.as_ref()?;
        // What is closed does not move any more.
        (progress.status() != api::Status::Closed).then_some((name, objective, progress))
    });
    let mut shown: Vec<_> = shown.collect();
    shown.sort_by_key(|(name, _, progress)| (urgency(progress.status()), *name));
    let row = |(name, objective, progress): (&String, &ObjectivePicture, &api::ObjectiveProgress)| {
        let (status, colour) = phrases::status(progress.status());
        Row {
            title: titled(&objective.title, name),
            bar: bar(progress.score, progress.expected, grid.bar),
            figure: score_text(progress.score),
            spark: sparkline(&trail.of(name), None, grid.spark),
            status,
            colour,
        }
    };
    shown.into_iter().map(row).collect()
}

fn kpis(picture: &Picture, trail: &Trail, grid: &Grid) -> Vec<Row> {
    let mut shown: Vec<(&String, &KpiPicture)> = picture.kpis.iter().collect();
    let health = |kpi: &KpiPicture| {
        kpi.health
            .as_ref()
            .map(api::KpiHealth::health)
            .unwrap_or_default()
    };
    shown.sort_by_key(|(name, kpi)| (std::cmp::Reverse(i32::from(health(kpi))), *name));
    let row = |(name, kpi): (&String, &KpiPicture)| {
        let (status, colour) = phrases::health(health(kpi));
        let known = kpi.health.as_ref();
        let is_stale = known.is_some_and(|health| health.stale);
        let period = known.and_then(|health| health.period_value.as_ref());
        let figure = period.map_or("–".to_owned(), |period| value(period.value, &kpi.judged()));
        let bounds = known.and_then(|health| picture.targets.get(&health.target));
        let target = bounds.and_then(|bounds| bounds.at_least.or(bounds.at_most));
        let asked = bounds.map(|bounds| phrases::target(*bounds, &kpi.judged()));
        Row {
            title: titled(&kpi.title, name),
            bar: if is_stale {
                "overdue".to_owned()
            } else {
                asked.unwrap_or_default()
            },
            figure,
            spark: sparkline(&trail.of(name), target, grid.spark),
            status,
            colour,
        }
    };
    shown.into_iter().map(row).collect()
}

fn alerts(picture: &Picture, screen: Screen) -> Vec<String> {
    let open = picture.alerts.iter().filter(|(_, alert)| alert.needs_action);
    open.map(|(name, alert)| {
        let kpi = crate::cli::picture::fields::parent(name);
        let title = picture.kpis.get(kpi).map_or("", |kpi| kpi.title.as_str());
        let line = format!("KPI {}{}", titled(title, kpi), phrases::alert(alert.about));
        screen.paint(&cut(&line, screen.columns), Colour::Red)
    })
    .collect()
}

/// A title, or the id of what has none (yet).
fn titled(title: &str, name: &str) -> String {
    if title.is_empty() {
        name.rsplit('/').next().unwrap_or(name).to_owned()
    } else {
        title.to_owned()
    }
}

fn score_text(score: Option<f64>) -> String {
    match score.filter(|score| score.is_finite()) {
        Some(score) => format!("{score:.2}"),
        None => "–".to_owned(),
    }
}

/// The smaller, the sooner somebody should look.
fn urgency(status: api::Status) -> u8 {
    match status {
        api::Status::AtRisk => 0,
        api::Status::Behind => 1,
        api::Status::OnTrack => 2,
        api::Status::NotStarted => 3,
        api::Status::Unmeasured | api::Status::Unspecified => 4,
        api::Status::Achieved => 5,
        api::Status::Closed => 6,
    }
}

#[cfg(test)]
mod tests;
