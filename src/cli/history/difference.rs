//! How a resource and what lies below it differ between two moments, and what one was at a moment, for a person: a line a
//! resource, below it a line a field.

use super::Subject;
use super::audit::Audit;
use super::output::{Output, WriteError};
use super::value::shown;
use crate::cli::paint::{Colour, paint};
use crate::cli::text::plain;
use crate::cli::{Failure, FailureKind};
use crate::proto::api;
use crate::proto::api::as_of::Moment;
use crate::proto::api::resource_difference::Kind;

/// How many resources are asked for at once.
const PAGE_RESOURCES: i32 = 1000;

/// # Errors
/// It cannot be read or written.
pub(super) async fn show(
    audit: &mut Audit,
    mut request: api::DiffStatesRequest,
    subject: &Subject,
    colours: bool,
    output: &mut Output,
) -> Result<(), WriteError> {
    request.page_size = PAGE_RESOURCES;
    let mut is_first = true;
    loop {
        let page = audit.differences(request.clone()).await?;
        if is_first {
            let what = match page.differences.is_empty() {
                true => "nothing differs",
                false => "what differs",
            };
            let (before, after) = (page.before_revision, page.after_revision);
            output.write(&format!(
                "{what} between revision {before} and revision {after}\n"
            ))?;
            is_first = false;
        }
        for difference in &page.differences {
            output.write(&lines(difference, subject, colours))?;
        }
        output.flush()?;
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok(());
        }
    }
}

/// A resource as it was: what differs from before there was anything.
///
/// # Errors
/// It was not there, or it cannot be read or written.
pub(super) async fn show_as_of(
    audit: &mut Audit,
    moment: api::AsOf,
    subject: &Subject,
    colours: bool,
    output: &mut Output,
) -> Result<(), WriteError> {
    // Ahead of every workspace: protobuf's calendar begins there.
    let beginning = prost_types::Timestamp {
        seconds: BEGINNING_S,
        nanos: 0,
    };
    let request = api::DiffStatesRequest {
        parent: subject.parent(),
        resource: subject.full_name(),
        before: Some(api::AsOf {
            moment: Some(Moment::RecordedTime(beginning)),
        }),
        after: Some(moment),
        // By name it is in front of all that lies below it.
        page_size: 1,
        ..api::DiffStatesRequest::default()
    };
    let page = audit.differences(request).await?;
    let name = subject.full_name();
    let revision = page.after_revision;
    let Some(found) = page.differences.iter().find(|it| it.name == name) else {
        let sentence = format!("{name} was not there at revision {revision}: its history says when it was");
        return Err(Failure::new(FailureKind::Usage, sentence).into());
    };
    output.write(&format!(
        "{} at revision {revision}\n",
        paint(&name, Colour::Bold, colours)
    ))?;
    for change in found.changes.iter().chain(&found.derived) {
        output.write(&format!(
            "    {} {}\n",
            plain(&change.path),
            shown(change.after.as_ref())
        ))?;
    }
    Ok(())
}

/// 0001-01-01T00:00:00Z.
const BEGINNING_S: i64 = -62_135_596_800;

fn lines(difference: &api::ResourceDifference, subject: &Subject, colours: bool) -> String {
    let (word, colour) = match difference.kind() {
        Kind::Created => ("created", Colour::Green),
        Kind::Removed => ("removed", Colour::Red),
        Kind::Changed => ("changed", Colour::Yellow),
        Kind::Recomputed | Kind::Unspecified => ("recomputed", Colour::Dim),
    };
    let name = plain(subject.relative(&difference.name)).into_owned();
    let mut text = format!("{}  {name}\n", paint(word, colour, colours));
    let written = difference.changes.iter().map(|change| (change, ""));
    let derived = difference.derived.iter().map(|change| (change, "  (derived)"));
    for (change, derived) in written.chain(derived) {
        let (before, after) = (shown(change.before.as_ref()), shown(change.after.as_ref()));
        let line = match difference.kind() {
            // What is new had nothing, and what is gone has nothing.
            Kind::Created => format!("    {} {after}{derived}\n", plain(&change.path)),
            Kind::Removed => format!("    {} {before}{derived}\n", plain(&change.path)),
            _ => format!("    {} {before} → {after}{derived}\n", plain(&change.path)),
        };
        text.push_str(&line);
    }
    text
}
