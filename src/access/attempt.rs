//! One attempt: a call that was refused or denied, and how long each of its texts may be.
//!
//! Invariant: an attempt that was cut has an entry of at most [`super::entry::BYTES_MAX`] bytes, whatever its caller sent.

use crate::domain::Timestamp;

/// A call that was refused or denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it was refused.
    pub time: Timestamp,
    /// What else is known of it.
    pub texts: Texts,
}

/// What is known of an attempt, each cut at its own number of characters. Empty: not said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// Who asked: 200.
    pub principal: String,
    /// How the principal was authenticated: 50.
    pub authentication: String,
    /// On whose behalf: 200.
    pub on_behalf_of: String,
    /// The call: 200.
    pub method: String,
    /// What it was about, by name: 500.
    pub resource: String,
    /// The gRPC code: 50.
    pub code: String,
    /// The stable reason: 100.
    pub reason: String,
    /// The sentence that the caller was told: 500.
    pub message: String,
    /// The request's id: 100.
    pub request_id: String,
    /// W3C trace context: 200.
    pub traceparent: String,
    /// The client's user agent: 200.
    pub user_agent: String,
    /// The client's address: 100.
    pub peer: String,
}

/// How many texts an attempt has.
pub(super) const TEXTS: usize = 12;

/// The longest each may be, in characters, in the order in which they are stored.
pub(super) const CHARS_MAX: [usize; TEXTS] = [200, 50, 200, 200, 500, 50, 100, 500, 100, 200, 200, 100];

impl Attempt {
    /// With every text cut at its length.
    pub(super) fn cut(mut self) -> Self {
        for (text, chars_max) in self.texts.in_order_mut().into_iter().zip(CHARS_MAX) {
            if let Some((end, _)) = text.char_indices().nth(chars_max) {
                text.truncate(end);
                // What was cut off may have been large.
                text.shrink_to_fit();
            }
        }
        self
    }

    /// About what it takes in memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let texts = self.texts.in_order().into_iter().map(str::len);
        size_of::<Self>() + texts.sum::<usize>()
    }

    /// Whether it was about a workspace, or something in it. `workspace` is an id.
    #[must_use]
    pub fn is_in(&self, workspace: &str) -> bool {
        let mut parts = self.texts.resource.split('/');
        parts.next() == Some("workspaces") && parts.next() == Some(workspace)
    }
}

impl Texts {
    /// In the order in which they are stored, which never changes; what comes later comes behind.
    pub(super) fn in_order(&self) -> [&str; TEXTS] {
        let Self {
            principal,
            authentication,
            on_behalf_of,
            method,
            resource,
            code,
            reason,
            message,
            request_id,
            traceparent,
            user_agent,
            peer,
        } = self;
        [
            principal,
            authentication,
            on_behalf_of,
            method,
            resource,
            code,
            reason,
            message,
            request_id,
            traceparent,
            user_agent,
            peer,
        ]
    }

    pub(super) fn in_order_mut(&mut self) -> [&mut String; TEXTS] {
        let Self {
            principal,
            authentication,
            on_behalf_of,
            method,
            resource,
            code,
            reason,
            message,
            request_id,
            traceparent,
            user_agent,
            peer,
        } = self;
        [
            principal,
            authentication,
            on_behalf_of,
            method,
            resource,
            code,
            reason,
            message,
            request_id,
            traceparent,
            user_agent,
            peer,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(resource: &str) -> Attempt {
        Attempt {
            time: Timestamp::from_micros(0),
            texts: Texts {
                resource: resource.to_owned(),
                ..Texts::default()
            },
        }
    }

    #[test]
    fn an_attempt_lies_in_the_workspace_that_its_resource_begins_with() {
        for (resource, is_in) in [
            ("workspaces/acme", true),
            ("workspaces/acme/kpis/nps", true),
            ("workspaces/acme2", false),
            ("workspaces/acm", false),
            ("workspaces/other/workspaces/acme", false),
            ("workspaces/-", false),
            ("acme", false),
            ("/workspaces/acme", false),
            ("", false),
        ] {
            assert_eq!(about(resource).is_in("acme"), is_in, "{resource}");
        }
    }

    #[test]
    fn every_text_is_cut_at_its_number_of_characters() {
        let mut attempt = about("");
        for text in attempt.texts.in_order_mut() {
            *text = "é".repeat(1000);
        }
        let cut = attempt.cut();
        let lengths = cut.texts.in_order().map(|text| text.chars().count());
        assert_eq!(lengths, CHARS_MAX);
        assert_eq!(about("short").cut(), about("short"));
    }
}
