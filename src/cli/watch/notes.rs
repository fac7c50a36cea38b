//! What is said beside the stream, on standard error: that the connection is lost and back, and where the stream stands.

use std::time::Instant;

use super::subscription::Step;
use crate::cli::words::tell;
use crate::proto::api::subscribe_response::Event;

/// Says what happens to the stream itself.
#[derive(Debug)]
pub(super) struct Notes {
    /// A person reads: where the stream stands is said too.
    for_a_person: bool,
    workspace: String,
    lost: Option<Instant>,
}

impl Notes {
    pub(super) fn new(for_a_person: bool, workspace: &str) -> Self {
        Self {
            for_a_person,
            workspace: workspace.to_owned(),
            lost: None,
        }
    }

    /// Says what is to be said of a step.
    pub(super) fn take(&mut self, step: &Step) {
        for sentence in self.sentences(step, Instant::now()) {
            tell(&format!("binnacle: {sentence}"));
        }
    }

    fn sentences(&mut self, step: &Step, now: Instant) -> Vec<String> {
        let messages = match step {
            Step::Messages(messages) => messages,
            // It is tried as often as it takes; once is enough to say so.
            Step::Lost { .. } if self.lost.is_some() => return Vec::new(),
            Step::Lost {
                why,
                pause: _,
                reached,
            } => {
                self.lost = Some(now);
                let from = match reached {
                    0 => "asking again until it answers".to_owned(),
                    reached => {
                        format!("asking again until it answers, and going on behind revision {reached}")
                    }
                };
                return vec![format!("{why}; {from}")];
            }
        };
        let is_back = self.lost.take();
        let mut said = Vec::new();
        for message in messages {
            match &message.event {
                Some(Event::Started(started)) => said.extend(match is_back {
                    Some(lost) => Some(format!(
                        "the stream is back after {:.1} s, the log is at revision {}",
                        (now - lost).as_secs_f64(),
                        started.head_revision
                    )),
                    None => self.for_a_person.then(|| {
                        format!(
                            "watching {}, which is at revision {}; Ctrl-C ends it",
                            self.workspace, started.head_revision
                        )
                    }),
                }),
                Some(Event::SnapshotEnd(end)) if self.for_a_person => {
                    said.push(format!("so it stands at revision {}", end.revision));
                }
                Some(Event::FellBehind(behind)) if self.for_a_person => said.push(format!(
                    "more happens than is told live: reading on from the log, {} revisions behind",
                    behind.head_revision - behind.revision
                )),
                _ => {}
            }
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::proto::api;

    fn lost(reached: i64) -> Step {
        Step::Lost {
            why: "the connection to the server is lost".to_owned(),
            pause: Duration::from_secs(1),
            reached,
        }
    }

    fn started() -> Step {
        Step::Messages(vec![api::SubscribeResponse {
            resume_token: "t".to_owned(),
            event: Some(Event::Started(api::Started {
                head_revision: 50,
                oldest_revision: 1,
            })),
        }])
    }

    #[test]
    fn a_loss_is_said_once_and_so_is_the_return() {
        let mut notes = Notes::new(false, "workspaces/a");
        let now = Instant::now();
        assert_eq!(notes.sentences(&started(), now), [""; 0]);
        assert_eq!(
            notes.sentences(&lost(42), now),
            [
                "the connection to the server is lost; asking again until it answers, and going on behind revision 42"
            ]
        );
        assert_eq!(notes.sentences(&lost(42), now), [""; 0]);
        let later = now + Duration::from_millis(3_200);
        assert_eq!(
            notes.sentences(&started(), later),
            ["the stream is back after 3.2 s, the log is at revision 50"]
        );
        assert_eq!(notes.sentences(&lost(0), later).len(), 1);
    }

    #[test]
    fn a_person_is_told_what_is_watched() {
        let mut notes = Notes::new(true, "workspaces/a");
        assert_eq!(
            notes.sentences(&started(), Instant::now()),
            ["watching workspaces/a, which is at revision 50; Ctrl-C ends it"]
        );
    }
}
