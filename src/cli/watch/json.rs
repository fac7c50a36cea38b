//! The stream for scripts: every message as a line of JSON, as the API's JSON form has it.
//!
//! Invariant: a line is one whole message, and nothing else is on standard output. A message is written when its commit is
//! whole, so a reader who keeps the newest `resumeToken` misses nothing and reads nothing twice.

use std::io::Write;

use super::show::{Show, ShowError};
use super::subscription::Step;
use crate::cli::Failure;
use crate::cli::json::JsonForm;

/// Writes lines of JSON.
pub(super) struct Json<W> {
    out: W,
    form: JsonForm,
}

impl<W: Write> Json<W> {
    /// # Errors
    /// The program does not know its own API: it is broken.
    pub(super) fn new(out: W) -> Result<Self, Failure> {
        let form = JsonForm::of("SubscribeResponse")?;
        Ok(Self { out, form })
    }
}

impl<W: Write> Show for Json<W> {
    fn take(&mut self, step: &Step) -> Result<(), ShowError> {
        let Step::Messages(messages) = step else {
            return Ok(());
        };
        for message in messages {
            let mut line = self.form.line(message).map_err(ShowError::Failed)?;
            line.push('\n');
            // In one piece, so that a reader never finds half a line, and at once.
            self.out.write_all(line.as_bytes())?;
        }
        Ok(self.out.flush()?)
    }

    fn pass_time(&mut self) -> Result<(), ShowError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::api;
    use crate::proto::api::subscribe_response::Event;

    fn lines(messages: Vec<api::SubscribeResponse>) -> String {
        let mut json = Json::new(Vec::new()).expect("the API is known");
        assert!(json.take(&Step::Messages(messages)).is_ok());
        String::from_utf8(json.out).expect("text")
    }

    #[test]
    fn a_message_is_one_line_in_the_apis_json_form() {
        let update = api::Update {
            commit: Some(api::Commit {
                revision: 9_007_199_254_740_993,
                recorded_time: Some(prost_types::Timestamp {
                    seconds: 0,
                    nanos: 500_000_000,
                }),
                principal: "maria".to_owned(),
                ..api::Commit::default()
            }),
            derived_changes: vec![api::DerivedChange {
                resource: "workspaces/a".to_owned(),
                figure: Some(api::derived_change::Figure::Score(api::ScoreChange {
                    before: None,
                    after: Some(0.0),
                })),
            }],
            ..api::Update::default()
        };
        let message = api::SubscribeResponse {
            resume_token: "t".to_owned(),
            event: Some(Event::Update(update)),
        };
        assert_eq!(
            lines(vec![message]),
            "{\"resumeToken\":\"t\",\"update\":{\"commit\":{\"revision\":\"9007199254740993\",\
             \"recordedTime\":\"1970-01-01T00:00:00.500Z\",\"principal\":\"maria\"},\
             \"derivedChanges\":[{\"resource\":\"workspaces/a\",\"score\":{\"after\":0.0}}]}}\n"
        );
    }

    #[test]
    fn no_control_character_is_in_a_line_and_the_text_is_the_same() {
        let title = "a\u{1b}[2J\u{9b}31m\u{7f}\n b 売";
        let workspace = api::Workspace {
            title: title.to_owned(),
            ..api::Workspace::default()
        };
        let message = api::SubscribeResponse {
            resume_token: String::new(),
            event: Some(Event::Snapshot(api::Snapshot {
                resources: vec![api::Resource {
                    resource: Some(api::resource::Resource::Workspace(workspace)),
                }],
            })),
        };
        let line = lines(vec![message]);
        assert!(
            !line.trim_end_matches('\n').contains(char::is_control),
            "{line:?}"
        );
        let read: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(read["snapshot"]["resources"][0]["workspace"]["title"], title);
    }
}
