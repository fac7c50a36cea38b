//! What a board says of how things go: bars, statuses, current values. The reader skips all of it.

use super::escape::escaped;
use crate::cli::text;
use crate::proto::api;
use crate::proto::api::key_result::Kind;

/// How wide a bar is.
const BAR_COLUMNS: usize = 10;

/// A bar with the score as a number.
pub(super) fn score(score: Option<f64>, expected: Option<f64>) -> String {
    let bar = text::bar(score, expected, BAR_COLUMNS);
    match score {
        Some(score) => format!("{bar} {score:.2}"),
        None => format!("{bar} no score"),
    }
}

/// A status in words; none: it is not judged.
pub(super) fn status(status: api::Status) -> Option<&'static str> {
    use api::Status;
    match status {
        Status::Unspecified => None,
        Status::Unmeasured => Some("unmeasured"),
        Status::NotStarted => Some("not started"),
        Status::OnTrack => Some("on track"),
        Status::Behind => Some("behind"),
        Status::AtRisk => Some("at risk"),
        Status::Achieved => Some("achieved"),
        Status::Closed => Some("closed"),
    }
}

/// Where a key result stands; nothing for a draft.
pub(super) fn standing(key_result: &api::KeyResult, unit: &api::Unit) -> String {
    let Some(progress) = &key_result.progress else {
        return String::new();
    };
    let now = match (&key_result.kind, progress.current) {
        (_, None) => "not started".to_owned(),
        (Some(Kind::Milestones(milestones)), Some(_)) => {
            let (reached, all) = (progress.reached_milestones.len(), milestones.milestones.len());
            format!("now {reached} of {all} milestones")
        }
        (Some(Kind::Binary(_)), Some(_)) if is_reached(key_result) => "now done".to_owned(),
        (Some(Kind::Binary(_)), Some(_)) => "now open".to_owned(),
        // Quotes and parentheses of a symbol would reach into the marks behind it.
        (_, Some(current)) => format!(
            "now {}",
            escaped(&text::value(current, unit).replace(['"', '(', ')'], ""))
        ),
    };
    let mut said = format!(", {now} ({:.2}", progress.score);
    let outdated = progress.outdated.then_some("outdated");
    for word in status(progress.status()).into_iter().chain(outdated) {
        said += ", ";
        said += word;
    }
    said + ")"
}

/// Whether what is done or not is done.
pub(super) fn is_reached(key_result: &api::KeyResult) -> bool {
    let current = key_result.progress.as_ref().and_then(|progress| progress.current);
    current.is_some_and(|current| current >= 1.0)
}
