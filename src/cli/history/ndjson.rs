//! Events as lines of JSON, in the API's own JSON form: who, when, from where, what, why, and the leaf of the commit.

use super::EventWriter;
use crate::cli::Failure;
use crate::cli::json::JsonForm;
use crate::proto::api;

/// Writes lines of JSON.
pub(super) struct Ndjson(JsonForm);

impl Ndjson {
    /// # Errors
    /// The program does not know its own API: it is broken.
    pub(super) fn new() -> Result<Self, Failure> {
        JsonForm::of("Event").map(Self)
    }
}

impl EventWriter for Ndjson {
    fn event(&mut self, event: &api::Event) -> Result<String, Failure> {
        let mut line = self.0.line(event)?;
        line.push('\n');
        Ok(line)
    }
}
