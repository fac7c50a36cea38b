//! What is wrong with one request: every violation, in the order of its fields.

use prost_types::FieldMask;

use super::{Asked, scalar};
use crate::domain::{Command, Id, Invalid, Rejection, Violation};
use crate::service::mask::{Field, Mask};

/// Collects violations. A value that could not be read is `None`, and reading goes on.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Violation>);

/// Reads the masked fields of one message inside a request.
pub(super) struct Fields<'a> {
    /// The workspace that references have to stay in; none: its name could not be read.
    pub(super) workspace: Option<&'a Id>,
    prefix: &'static str,
    mask: &'a Mask,
    findings: &'a mut Findings,
}

impl Findings {
    pub(super) fn push(&mut self, violation: Violation) {
        self.0.push(violation);
    }

    /// The value, or its violation is kept.
    pub(super) fn keep<T>(&mut self, read: Result<T, Violation>) -> Option<T> {
        read.map_err(|violation| self.0.push(violation)).ok()
    }

    /// The value, or what is wrong with it is kept as the violation of `field`.
    pub(super) fn field<T>(&mut self, field: &str, read: Result<T, Invalid>) -> Option<T> {
        read.map_err(|invalid| self.0.push(invalid.at(field))).ok()
    }

    /// The message that a request is about.
    pub(super) fn message<'m, M>(&mut self, field: &str, message: Option<&'m M>) -> Option<&'m M> {
        let missing = || Invalid::new("it is missing: send the resource").at(field);
        self.keep(message.ok_or_else(missing))
    }

    /// The fields that an update is about; of a mask that cannot be read none.
    pub(super) fn mask<M>(&mut self, mask: Option<&FieldMask>, fields: &[Field<M>], message: &M) -> Mask {
        Mask::parse(mask, fields, message).unwrap_or_else(|violations| {
            self.0.extend(violations);
            Mask::Only(Vec::new())
        })
    }

    /// Reads the masked fields of the message at `prefix`.
    pub(super) fn fields<'a>(
        &'a mut self,
        prefix: &'static str,
        mask: &'a Mask,
        workspace: Option<&'a Id>,
    ) -> Fields<'a> {
        Fields {
            workspace,
            prefix,
            mask,
            findings: self,
        }
    }

    /// All that is wrong with a request that asks for no command.
    pub(super) fn refused(self) -> Rejection {
        Rejection::Invalid(self.0)
    }

    /// The end of reading what is no request: the value, or all that is wrong.
    pub(super) fn end<T>(self, read: Option<T>) -> Result<T, Rejection> {
        match read {
            Some(read) if self.0.is_empty() => Ok(read),
            _ => Err(Rejection::Invalid(self.0)),
        }
    }

    /// The fields that were found wrong.
    #[cfg(test)]
    pub(super) fn into_fields(self) -> Vec<String> {
        self.0.into_iter().map(|violation| violation.field).collect()
    }

    /// The end of reading a request: what is asked, or all that is wrong.
    pub(super) fn asked(
        mut self,
        command: Option<(Id, Command)>,
        request_id: &str,
        reason: &str,
    ) -> Result<Asked, Rejection> {
        let request_id = self.keep(scalar::request_id("request_id", request_id));
        let reason = self.field("reason", scalar::text_of_event(reason));
        match (command, request_id, reason) {
            (Some((workspace, command)), Some(request_id), Some(reason)) if self.0.is_empty() => Ok(Asked {
                workspace,
                command,
                request_id,
                reason,
            }),
            _ => Err(Rejection::Invalid(self.0)),
        }
    }
}

impl Fields<'_> {
    /// Whether the mask has this path.
    pub(super) fn has(&self, path: &str) -> bool {
        self.mask.has(path)
    }

    /// The field of this path, if the mask has it and it is well-formed.
    pub(super) fn read<T>(&mut self, path: &str, read: impl FnOnce() -> Result<T, Invalid>) -> Option<T> {
        if !self.mask.has(path) {
            return None;
        }
        let prefix = self.prefix;
        read()
            .map_err(|invalid| self.findings.push(invalid.at(format!("{prefix}.{path}"))))
            .ok()
    }

    /// The same for a field with parts of its own: `read` is told the field's whole path and keeps what it finds.
    pub(super) fn read_parts<T>(
        &mut self,
        path: &str,
        read: impl FnOnce(&str, &mut Findings) -> Option<T>,
    ) -> Option<T> {
        if !self.mask.has(path) {
            return None;
        }
        read(&format!("{}.{path}", self.prefix), self.findings)
    }
}
