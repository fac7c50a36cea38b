//! Messages of the API as lines of JSON, in the API's own JSON form, for whoever reads them with a program.
//!
//! Invariant: a line is one whole message, without a character that a terminal would obey.

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

use super::{Failure, FailureKind};
use crate::proto::API_DESCRIPTOR_SET;

/// Writes messages of one kind.
pub(super) struct JsonForm {
    message: MessageDescriptor,
}

impl JsonForm {
    /// Of a message of the API, by its name in the package.
    ///
    /// # Errors
    /// The program does not know its own API: it is broken.
    pub(super) fn of(name: &str) -> Result<Self, Failure> {
        let pool = DescriptorPool::decode(API_DESCRIPTOR_SET).map_err(|error| broken(&error.to_string()))?;
        let message = pool.get_message_by_name(&format!("binnacle.v1.{name}"));
        let message = message.ok_or_else(|| broken(&format!("it has no {name}")))?;
        Ok(Self { message })
    }

    /// One line, without its end.
    ///
    /// # Errors
    /// It is no message of that kind: the program is broken.
    pub(super) fn line(&self, message: &impl Message) -> Result<String, Failure> {
        let message = DynamicMessage::decode(self.message.clone(), message.encode_to_vec().as_slice());
        let message = message.map_err(|error| broken(&error.to_string()))?;
        let line = serde_json::to_string(&message).map_err(|error| broken(&error.to_string()))?;
        Ok(escaped(line))
    }
}

/// JSON escapes what is below a space; DEL and the other control characters, which some terminals obey, it may.
fn escaped(line: String) -> String {
    if !line.contains(char::is_control) {
        return line;
    }
    let mut escaped = String::with_capacity(line.len() + 16);
    for c in line.chars() {
        if c.is_control() {
            escaped.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

fn broken(what: &str) -> Failure {
    let sentence = format!("the program's own description of the API cannot be used: {what}");
    Failure::new(FailureKind::Failed, sentence)
}
