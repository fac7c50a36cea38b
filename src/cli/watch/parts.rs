//! Keeps the messages of a commit until its last one has come, so that half a commit is never shown and comes whole after
//! a lost connection.
//!
//! Invariant: every revision is given on once, in order. What it deliberately does not know: what an update says, and
//! which revisions a filter leaves out.

use crate::proto::api;
use crate::proto::api::subscribe_response::Event;

/// The messages of a commit whose last one has not come, and how far the stream has.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Everything up to here was given on.
    reached: i64,
    /// Where to resume; empty: nowhere yet.
    token: String,
    waiting: Vec<api::SubscribeResponse>,
}

impl Parts {
    /// Takes a message; answers what is whole now.
    ///
    /// # Errors
    /// The stream has broken its promise: how.
    pub(super) fn take(
        &mut self,
        message: api::SubscribeResponse,
    ) -> Result<Vec<api::SubscribeResponse>, String> {
        let token = message.resume_token.clone();
        match (&message.event, self.unfinished()) {
            (Some(Event::Update(update)), _) => self.follow(update)?,
            // A server that stops does not wait for the rest: all of it comes again.
            (Some(Event::GoingAway(_)), Some(_)) => self.waiting.clear(),
            (_, Some(inside)) => return Err(format!("something came inside of revision {inside}")),
            (Some(Event::SnapshotEnd(end)), None) => self.reached = end.revision,
            // Nothing that is not given on lies before it.
            (Some(Event::CaughtUp(caught_up)), None) => self.reached = caught_up.revision,
            (Some(Event::Checkpoint(checkpoint)), None) => self.reached = checkpoint.revision,
            _ => {}
        }
        let is_part = matches!(&message.event, Some(Event::Update(_))) && token.is_empty();
        if let Some(Event::Update(update)) = &message.event
            && !is_part
        {
            self.reached = revision(update);
        }
        if !token.is_empty() {
            self.token = token;
        }
        self.waiting.push(message);
        Ok(if is_part {
            Vec::new()
        } else {
            std::mem::take(&mut self.waiting)
        })
    }

    /// The connection is lost: what came of an unfinished commit comes again.
    pub(super) fn lost(&mut self) {
        self.waiting.clear();
    }

    /// Where to resume; none: it begins anew.
    pub(super) fn token(&self) -> Option<&str> {
        Some(self.token.as_str()).filter(|token| !token.is_empty())
    }

    /// Everything up to here was given on.
    pub(super) fn reached(&self) -> i64 {
        self.reached
    }

    /// An update is later than everything before, and a part of the commit that is waited for.
    fn follow(&self, update: &api::Update) -> Result<(), String> {
        let next = revision(update);
        if next <= self.reached {
            return Err(format!("revision {next} came again after {}", self.reached));
        }
        match self.unfinished() {
            Some(inside) if inside != next => Err(format!("revision {next} came inside of {inside}")),
            _ => Ok(()),
        }
    }

    /// The commit that is waited for.
    fn unfinished(&self) -> Option<i64> {
        match self.waiting.first()?.event.as_ref()? {
            Event::Update(first) => Some(revision(first)),
            _ => None,
        }
    }
}

fn revision(update: &api::Update) -> i64 {
    update.commit.as_ref().map_or(0, |commit| commit.revision)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(revision: i64, token: &str) -> api::SubscribeResponse {
        let commit = api::Commit {
            revision,
            ..api::Commit::default()
        };
        api::SubscribeResponse {
            resume_token: token.to_owned(),
            event: Some(Event::Update(api::Update {
                commit: Some(commit),
                ..api::Update::default()
            })),
        }
    }

    fn whole(parts: &mut Parts, message: api::SubscribeResponse) -> usize {
        parts.take(message).expect("in order").len()
    }

    #[test]
    fn a_commit_in_several_messages_is_given_on_whole() {
        let mut parts = Parts::default();
        assert_eq!(whole(&mut parts, update(3, "t3")), 1);
        assert_eq!(whole(&mut parts, update(7, "")), 0);
        assert_eq!((parts.token(), parts.reached()), (Some("t3"), 3));
        assert_eq!(whole(&mut parts, update(7, "")), 0);
        assert_eq!(whole(&mut parts, update(7, "t7")), 3);
        assert_eq!((parts.token(), parts.reached()), (Some("t7"), 7));
    }

    #[test]
    fn half_a_commit_is_forgotten_with_the_connection_and_comes_again() {
        let mut parts = Parts::default();
        assert_eq!(whole(&mut parts, update(3, "t3")), 1);
        assert_eq!(whole(&mut parts, update(4, "")), 0);
        parts.lost();
        assert_eq!(parts.token(), Some("t3"));
        assert_eq!(whole(&mut parts, update(4, "")), 0);
        assert_eq!(whole(&mut parts, update(4, "t4")), 2);
    }

    #[test]
    fn a_server_that_stops_inside_of_a_commit_breaks_no_promise() {
        let mut parts = Parts::default();
        assert_eq!(whole(&mut parts, update(3, "t3")), 1);
        assert_eq!(whole(&mut parts, update(9, "")), 0);
        let going_away = api::SubscribeResponse {
            resume_token: String::new(),
            event: Some(Event::GoingAway(api::GoingAway {})),
        };
        assert_eq!(whole(&mut parts, going_away), 1);
        assert_eq!((parts.token(), parts.reached()), (Some("t3"), 3));
        parts.lost();
        assert_eq!(whole(&mut parts, update(9, "t9")), 1);
        let checkpoint = api::SubscribeResponse {
            resume_token: "t12".to_owned(),
            event: Some(Event::Checkpoint(api::Checkpoint {
                revision: 12,
                ..api::Checkpoint::default()
            })),
        };
        assert_eq!(whole(&mut parts, checkpoint), 1);
        assert_eq!((parts.token(), parts.reached()), (Some("t12"), 12));
    }

    #[test]
    fn a_revision_that_comes_again_or_inside_of_another_is_named() {
        let mut parts = Parts::default();
        assert_eq!(whole(&mut parts, update(3, "t3")), 1);
        assert_eq!(
            parts.take(update(3, "t")).expect_err("again"),
            "revision 3 came again after 3"
        );
        assert_eq!(whole(&mut parts, update(4, "")), 0);
        assert_eq!(
            parts.take(update(5, "t")).expect_err("inside"),
            "revision 5 came inside of 4"
        );
        let caught_up = api::SubscribeResponse {
            resume_token: "t4".to_owned(),
            event: Some(Event::CaughtUp(api::CaughtUp { revision: 4 })),
        };
        assert_eq!(
            parts.take(caught_up).expect_err("inside"),
            "something came inside of revision 4"
        );
    }

    #[test]
    fn without_a_token_there_is_nowhere_to_resume() {
        let mut parts = Parts::default();
        let snapshot = api::SubscribeResponse {
            resume_token: String::new(),
            event: Some(Event::Snapshot(api::Snapshot::default())),
        };
        assert_eq!(whole(&mut parts, snapshot), 1);
        assert_eq!(parts.token(), None);
        let end = api::SubscribeResponse {
            resume_token: "t9".to_owned(),
            event: Some(Event::SnapshotEnd(api::SnapshotEnd { revision: 9 })),
        };
        assert_eq!(whole(&mut parts, end), 1);
        assert_eq!((parts.token(), parts.reached()), (Some("t9"), 9));
    }
}
