//! Keeps count of what a subscriber was sent: every revision once, in order, also across a lost connection.
//!
//! Invariant: an update is given on only when its last message has come, so a token never points into a commit. What it
//! deliberately does not know: what an update says.

use crate::proto::api;

/// What a subscriber was sent so far.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Everything up to here was delivered.
    reached: i64,
    /// The first revision that came as an update.
    first: Option<i64>,
    updates: u64,
    resumed: u64,
    /// How many revisions came late because nobody was connected when they were made.
    caught_up: u64,
    /// Where to resume.
    token: String,
    /// The messages of a commit whose last one has not come.
    parts: Vec<api::Update>,
}

impl Ledger {
    /// The subscription begins behind this revision.
    pub(super) fn begin(&mut self, revision: i64, token: String) {
        self.reached = revision;
        self.token = token;
    }

    /// Takes one message of a commit. When it was the last one, the commit's messages.
    ///
    /// # Errors
    /// A revision was missed or repeated: which.
    pub(super) fn take(
        &mut self,
        update: api::Update,
        token: String,
    ) -> Result<Option<Vec<api::Update>>, String> {
        let revision = update.commit.as_ref().map_or(0, |commit| commit.revision);
        if revision <= self.reached {
            return Err(format!("revision {revision} came again after {}", self.reached));
        }
        if revision > self.reached + 1 {
            return Err(format!("revision {revision} came after {}", self.reached));
        }
        self.parts.push(update);
        if token.is_empty() {
            return Ok(None);
        }
        self.reached = revision;
        self.first.get_or_insert(revision);
        self.updates += 1;
        self.token = token;
        Ok(Some(std::mem::take(&mut self.parts)))
    }

    /// A place in the log without an update.
    pub(super) fn stand(&mut self, token: String) {
        if !token.is_empty() && self.parts.is_empty() {
            self.token = token;
        }
    }

    /// The connection is lost: what came of an unfinished commit comes again.
    pub(super) fn disconnect(&mut self) {
        self.parts.clear();
    }

    /// The connection is there again, and the log has come to `head`.
    pub(super) fn resume(&mut self, head: i64) {
        self.resumed += 1;
        self.caught_up += u64::try_from(head - self.reached).unwrap_or_default();
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Everything up to here was delivered.
    pub(super) fn reached(&self) -> i64 {
        self.reached
    }

    /// What was delivered, in two lines.
    pub(super) fn summary(&self) -> String {
        let Self {
            updates,
            resumed,
            caught_up,
            reached,
            ..
        } = self;
        let first = self.first.unwrap_or(*reached);
        let resumed = match resumed {
            0 => "never resumed".to_owned(),
            1 => format!("resumed once with {caught_up} to catch up"),
            more => format!("resumed {more} times with {caught_up} to catch up"),
        };
        let plural = if *updates == 1 { "" } else { "s" };
        format!(
            "{updates} update{plural}, revisions {first} to {reached},\n  none missed, none repeated, {resumed}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(revision: i64) -> api::Update {
        let commit = api::Commit {
            revision,
            ..api::Commit::default()
        };
        api::Update {
            commit: Some(commit),
            ..api::Update::default()
        }
    }

    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        ledger.begin(7, "t7".to_owned());
        ledger
    }

    #[test]
    fn revisions_in_order_are_counted() {
        let mut ledger = ledger();
        for revision in 8..=10 {
            let whole = ledger
                .take(update(revision), format!("t{revision}"))
                .expect("in order");
            assert_eq!(whole.expect("whole").len(), 1);
        }
        assert_eq!(
            ledger.summary(),
            "3 updates, revisions 8 to 10,\n  none missed, none repeated, never resumed"
        );
    }

    #[test]
    fn a_revision_that_is_missed_or_repeated_is_named() {
        let mut ledger = ledger();
        let missed = ledger.take(update(9), "t".to_owned()).expect_err("8 is missed");
        assert_eq!(missed, "revision 9 came after 7");
        let repeated = ledger.take(update(7), "t".to_owned()).expect_err("7 is known");
        assert_eq!(repeated, "revision 7 came again after 7");
    }

    #[test]
    fn half_a_commit_is_forgotten_with_the_connection_and_comes_again() {
        let mut ledger = ledger();
        assert_eq!(ledger.take(update(8), String::new()), Ok(None));
        ledger.stand("wrong".to_owned());
        assert_eq!(ledger.token(), "t7");
        ledger.disconnect();
        ledger.resume(9);
        assert_eq!(ledger.take(update(8), String::new()), Ok(None));
        let whole = ledger.take(update(8), "t8".to_owned()).expect("in order");
        assert_eq!(whole.expect("whole").len(), 2);
        assert_eq!(ledger.token(), "t8");
        assert_eq!(
            ledger.summary(),
            "1 update, revisions 8 to 8,\n  none missed, none repeated, resumed once with 2 to catch up"
        );
    }
}
