//! A figure that followed as one line: whose it is, before → after.
//!
//! Invariant: a line says something that a person sees differ. What only an auditor or a computer tells apart, as the
//! expectation that moves every day, has none; it is in the JSON.

use super::directory::Directory;
use super::sentence::{Said, alert_closed, alert_opened};
use crate::cli::paint::Colour;
use crate::cli::phrases;
use crate::cli::text::value;
use crate::proto::api;
use crate::proto::api::derived_change::Figure;

/// What a change says; none: nothing that a person sees.
pub(super) fn figure(change: &api::DerivedChange, directory: &Directory) -> Option<Said> {
    let name = change.resource.as_str();
    match change.figure.as_ref()? {
        Figure::KeyResult(it) => key_result(name, it, directory),
        Figure::Objective(it) => objective(name, it, directory),
        Figure::Kpi(it) => kpi(name, it, directory),
        Figure::Score(it) => {
            let scores = scores(it.before, it.after)?;
            Some(Said::new(
                format!("{}: {scores}", directory.called(name)),
                Colour::Plain,
            ))
        }
        Figure::TeamScore(it) => {
            let scores = scores(it.before, it.after)?;
            let (team, cycle) = (directory.called(name), directory.called(&it.cycle));
            Some(Said::new(format!("{team} in {cycle}: {scores}"), Colour::Plain))
        }
        Figure::Alert(it) => alert(name, it, directory),
        Figure::Foundation(it) => foundation(name, it, directory),
    }
}

/// Where a resource stands that comes in or is there: its score and status, its value and health.
pub(super) fn standing(resource: &api::Resource, directory: &Directory) -> Option<(String, Said)> {
    use api::resource::Resource;
    let score = |score: Option<f64>| score.map(|score| format!("{score:.2}"));
    let (name, told, colour) = match resource.resource.as_ref()? {
        Resource::Workspace(it) => (&it.name, vec![score(it.score)], Colour::Bold),
        Resource::Cycle(it) => (&it.name, vec![score(it.score)], Colour::Bold),
        Resource::Objective(it) => {
            let progress = it.progress.unwrap_or_default();
            let (status, colour) = phrases::status(progress.status());
            (&it.name, vec![score(progress.score), word(status)], colour)
        }
        Resource::KeyResult(it) => {
            let progress = it.progress.clone().unwrap_or_default();
            let (status, colour) = phrases::status(progress.status());
            let current = progress
                .current
                .map(|it_is| value(it_is, &directory.judged(&it.name)));
            let scored = it.progress.as_ref().map(|progress| progress.score);
            (&it.name, vec![current, score(scored), word(status)], colour)
        }
        Resource::Kpi(it) => {
            let health = it.health.clone().unwrap_or_default();
            let (word_of, colour) = phrases::health(health.health());
            let period = health.period_value.map(|period| period.value);
            let period = period.map(|number| value(number, &directory.judged(&it.name)));
            (&it.name, vec![period, word(word_of)], colour)
        }
        Resource::Alert(it) => {
            let asks = if it.needs_action {
                "asks for action"
            } else {
                "has an action plan"
            };
            (
                &it.name,
                vec![word(it.summary.trim_end_matches('.')), word(asks)],
                Colour::Red,
            )
        }
        Resource::Team(it) => (&it.name, Vec::new(), Colour::Plain),
        Resource::Member(it) => (&it.name, Vec::new(), Colour::Plain),
        Resource::Initiative(it) => (&it.name, Vec::new(), Colour::Plain),
        Resource::Target(it) => (&it.name, vec![word(&it.text)], Colour::Plain),
        Resource::Review(it) => (&it.name, Vec::new(), Colour::Plain),
        Resource::ScoringPolicy(it) => (&it.name, Vec::new(), Colour::Plain),
    };
    let told: Vec<_> = told.into_iter().flatten().collect();
    let mut text = directory.called(name);
    if !told.is_empty() {
        text = format!("{text}: {}", told.join(", "));
    }
    Some((name.clone(), Said::new(text, colour)))
}

fn word(word: &str) -> Option<String> {
    (!word.is_empty()).then(|| word.to_owned())
}

fn key_result(name: &str, change: &api::KeyResultChange, directory: &Directory) -> Option<Said> {
    let (before, after) = (change.before.as_ref(), change.after.as_ref());
    let unit = directory.judged(name);
    let current =
        |it: Option<&api::KeyResultProgress>| it.and_then(|it| it.current).map(|it| value(it, &unit));
    let status = |it: Option<&api::KeyResultProgress>| {
        phrases::status(it.map(api::KeyResultProgress::status).unwrap_or_default())
    };
    let silent = |it: Option<&api::KeyResultProgress>| it.is_some_and(|it| it.outdated);
    let told = [
        step(current(before), current(after)),
        scores(before.map(|it| it.score), after.map(|it| it.score)).map(|text| format!("score {text}")),
        words(status(before).0, status(after).0),
        silence(silent(before), silent(after)),
    ];
    said(&directory.called(name), told, status(after).1)
}

fn objective(name: &str, change: &api::ObjectiveChange, directory: &Directory) -> Option<Said> {
    let (before, after) = (change.before.as_ref(), change.after.as_ref());
    let score = |it: Option<&api::ObjectiveProgress>| it.and_then(|it| it.score);
    let status = |it: Option<&api::ObjectiveProgress>| {
        phrases::status(it.map(api::ObjectiveProgress::status).unwrap_or_default())
    };
    let silent = |it: Option<&api::ObjectiveProgress>| it.is_some_and(|it| it.outdated);
    let told = [
        scores(score(before), score(after)).map(|text| format!("score {text}")),
        words(status(before).0, status(after).0),
        silence(silent(before), silent(after)),
    ];
    said(&directory.called(name), told, status(after).1)
}

fn kpi(name: &str, change: &api::KpiChange, directory: &Directory) -> Option<Said> {
    let (before, after) = (change.before.as_ref(), change.after.as_ref());
    let unit = directory.judged(name);
    let period = |it: Option<&api::KpiHealth>| {
        let period = it?.period_value.as_ref()?;
        Some(value(period.value, &unit))
    };
    let health =
        |it: Option<&api::KpiHealth>| phrases::health(it.map(api::KpiHealth::health).unwrap_or_default());
    let stale = |it: Option<&api::KpiHealth>| it.is_some_and(|it| it.stale);
    let overdue = match (stale(before), stale(after)) {
        (false, true) => Some("its value is overdue".to_owned()),
        (true, false) => Some("its value is there".to_owned()),
        _ => None,
    };
    let told = [
        step(period(before), period(after)),
        words(health(before).0, health(after).0),
        overdue,
    ];
    said(&directory.called(name), told, health(after).1)
}

fn alert(name: &str, change: &api::AlertChange, directory: &Directory) -> Option<Said> {
    use api::alert::State;
    let state = |it: &Option<api::Alert>| it.as_ref().map_or(State::Unspecified, api::Alert::state);
    let after = change.after.as_ref()?;
    match (state(&change.before), after.state()) {
        (State::Open, State::Closed) => Some(alert_closed(directory, name, after.close_reason())),
        (State::Unspecified, State::Open) => Some(alert_opened(directory, name, after.kind())),
        // Who acknowledges it or plans for it does so with an event.
        _ => None,
    }
}

fn foundation(name: &str, change: &api::FoundationChange, directory: &Directory) -> Option<Said> {
    let (before, _) = phrases::foundation(change.before());
    let (after, colour) = phrases::foundation(change.after());
    let told = words(before, after).map(|text| format!("foundation {text}"));
    said(&directory.called(name), [told], colour)
}

fn said<const N: usize>(called: &str, told: [Option<String>; N], colour: Colour) -> Option<Said> {
    let told: Vec<_> = told.into_iter().flatten().collect();
    (!told.is_empty()).then(|| Said::new(format!("{called}: {}", told.join(", ")), colour))
}

fn silence(before: bool, after: bool) -> Option<String> {
    match (before, after) {
        (false, true) => Some("nothing heard for too long".to_owned()),
        (true, false) => Some("heard of again".to_owned()),
        _ => None,
    }
}

/// A score before and after, with as many decimals as tell the two apart, up to four; none: they are the same.
fn scores(before: Option<f64>, after: Option<f64>) -> Option<String> {
    if before == after {
        return None;
    }
    let text = |score: Option<f64>, places: usize| {
        score.map_or("–".to_owned(), |score| format!("{score:.places$}"))
    };
    let places = if text(before, 2) == text(after, 2) { 4 } else { 2 };
    Some(format!("{} → {}", text(before, places), text(after, places)))
}

fn step(before: Option<String>, after: Option<String>) -> Option<String> {
    if before == after {
        return None;
    }
    let or_none = |side: Option<String>| side.unwrap_or_else(|| "–".to_owned());
    Some(format!("{} → {}", or_none(before), or_none(after)))
}

fn words(before: &str, after: &str) -> Option<String> {
    match (before, after) {
        (before, after) if before == after => None,
        ("", after) => Some(after.to_owned()),
        (before, "") => Some(format!("{before} no more")),
        (before, after) => Some(format!("{before} → {after}")),
    }
}

#[cfg(test)]
mod tests;
