//! What is left to people before a draft can be activated, each with the call or the field that does it.

use super::facts::last;
use super::wanted::Todo;
use crate::cli::words::counted;
use crate::proto::api;
use crate::proto::api::key_result::Kind;

/// How many key results an objective should have.
const KEY_RESULTS_MIN: usize = 3;
const KEY_RESULTS_MAX: usize = 5;

/// What a draft lacks.
pub(super) fn of_draft(
    objective: &api::Objective,
    key_results: &[&api::KeyResult],
    kpis: &[api::Kpi],
) -> Vec<Todo> {
    let mut todos = Vec::new();
    let mut todo = |about: &str, sentence: String| {
        todos.push(Todo {
            about: about.to_owned(),
            sentence,
        });
    };
    if objective.owner.is_empty() {
        let sentence = "it has no owner: write @member behind its title before it is imported, or set its field owner (ObjectiveService.UpdateObjective)";
        todo(&objective.name, sentence.to_owned());
    }
    let count = key_results.len();
    if count < KEY_RESULTS_MIN {
        let has = counted(count, "key result");
        todo(
            &objective.name,
            format!(
                "it has {has}: write {KEY_RESULTS_MIN} to {KEY_RESULTS_MAX} (ObjectiveService.CreateKeyResult)"
            ),
        );
    }
    if count > KEY_RESULTS_MAX {
        todo(
            &objective.name,
            format!(
                "it has {count} key results: keep {KEY_RESULTS_MIN} to {KEY_RESULTS_MAX} (ObjectiveService.DeleteKeyResult)"
            ),
        );
    }
    for key_result in key_results {
        let Some(Kind::Metric(metric)) = &key_result.kind else {
            continue;
        };
        let kpi = kpis.iter().find(|kpi| kpi.name == key_result.kpi);
        let kpi_has_value = kpi
            .and_then(|kpi| kpi.health.as_ref())
            .is_some_and(|health| health.period_value.is_some());
        if metric.baseline.is_some() || kpi_has_value {
            continue;
        }
        let sentence = match kpi {
            Some(kpi) => format!(
                "it has no baseline, for its KPI kpis/{} has no value yet: record one (binnacle import kpi, KpiService.RecordMeasurement), or set the field metric.baseline (ObjectiveService.UpdateKeyResult)",
                last(&kpi.name)
            ),
            None => "it has no baseline, and no KPI is called as in its title: write \"from A to B\" or (KPI: ID) before it is imported, or set its field metric.baseline (ObjectiveService.UpdateKeyResult)".to_owned(),
        };
        todo(&key_result.name, sentence);
    }
    todos
}

/// A todo as one line; `workspace` is left out of the name.
pub(super) fn line(todo: &Todo, workspace: &str) -> String {
    let about = todo.about.strip_prefix(workspace).unwrap_or(&todo.about);
    format!("{}: {}", about.trim_start_matches('/'), todo.sentence)
}
