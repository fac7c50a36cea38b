//! Requests of the API for a resource: creating it, changing it, bringing it into another state.

use prost_reflect::{DynamicMessage, MethodDescriptor, Value};
use uuid::Uuid;

use crate::cli::Failure;
use crate::cli::manifest::emit;
use crate::cli::manifest::kind::{self, Kind};
use crate::cli::manifest::read::empty;
use crate::cli::manifest::scalar::set;
use crate::cli::manifest::schema::{Schema, text};
use crate::domain::Id;

/// A request that writes.
#[derive(Clone, Debug)]
pub(super) struct Command {
    /// The call.
    pub(super) method: MethodDescriptor,
    /// Its request, ready to be sent as often as it takes.
    pub(super) request: DynamicMessage,
    /// Of a batch of measurements: the lines of its points.
    pub(super) lines: Vec<usize>,
}

/// Makes commands.
pub(super) struct Author<'a> {
    /// The API.
    pub(super) schema: &'a Schema,
    /// The workspace.
    pub(super) workspace: &'a Id,
    /// Why, for the auditor.
    pub(super) reason: &'a str,
    /// The log that the commands are for; nil: one that does not exist yet.
    pub(super) log: Uuid,
}

impl Author<'_> {
    /// Creates a resource under its name.
    pub(super) fn create(&self, kind: Kind, name: &str, message: DynamicMessage) -> Result<Command, Failure> {
        let (above, id) = kind::parent(name);
        let method = self.schema.method(&format!("Create{}", kind.word()))?;
        let mut request = DynamicMessage::new(method.input());
        if kind == Kind::Workspace {
            set(
                &mut request,
                "workspace_id",
                Value::String(self.workspace.to_string()),
            );
        } else {
            set(
                &mut request,
                "parent",
                Value::String(kind::full(self.workspace, above)),
            );
            set(
                &mut request,
                &format!("{}_id", kind.snake()),
                Value::String(id.to_owned()),
            );
        }
        set(&mut request, kind.snake(), Value::Message(message));
        Ok(self.stamped(method, request, ""))
    }

    /// Changes the fields of a resource that `paths` name. `basis`: what it was when it was read, `etag`: what it still has
    /// to be.
    pub(super) fn update(
        &self,
        kind: Kind,
        name: &str,
        mut message: DynamicMessage,
        paths: Vec<String>,
        etag: &str,
        basis: &str,
    ) -> Result<Command, Failure> {
        let verb = if kind == Kind::CheckIn {
            "Correct"
        } else {
            "Update"
        };
        let method = self.schema.method(&format!("{verb}{}", kind.word()))?;
        let mut request = DynamicMessage::new(method.input());
        set(
            &mut message,
            "name",
            Value::String(kind::full(self.workspace, name)),
        );
        if kind != Kind::CheckIn {
            set(&mut message, "etag", Value::String(etag.to_owned()));
        }
        set(&mut request, kind.snake(), Value::Message(message));
        let field = method.input().get_field_by_name("update_mask");
        if let Some(mut mask) = field.and_then(|field| empty(&field)) {
            let paths = paths.into_iter().map(Value::String).collect();
            set(&mut mask, "paths", Value::List(paths));
            set(&mut request, "update_mask", Value::Message(mask));
        }
        Ok(self.stamped(method, request, basis))
    }

    /// Sets the target of a day.
    pub(super) fn set_target(
        &self,
        name: &str,
        message: DynamicMessage,
        basis: &str,
    ) -> Result<Command, Failure> {
        // `kpis/nps/targets/2026-01-01` lies in `kpis/nps`.
        let (kpi, _) = kind::parent(name);
        let method = self.schema.method("SetTarget")?;
        let mut request = DynamicMessage::new(method.input());
        set(
            &mut request,
            "parent",
            Value::String(kind::full(self.workspace, kpi)),
        );
        set(&mut request, "target", Value::Message(message));
        Ok(self.stamped(method, request, basis))
    }

    /// Brings a resource into another state by the call of a name.
    pub(super) fn transition(
        &self,
        call: &str,
        name: &str,
        etag: &str,
        basis: &str,
        said: &[(&str, Value)],
    ) -> Result<Command, Failure> {
        let method = self.schema.method(call)?;
        let mut request = DynamicMessage::new(method.input());
        set(
            &mut request,
            "name",
            Value::String(kind::full(self.workspace, name)),
        );
        set(&mut request, "etag", Value::String(etag.to_owned()));
        for (field, value) in said {
            set(&mut request, field, value.clone());
        }
        Ok(self.stamped(method, request, basis))
    }

    /// Records measurements of a KPI, at most 1,000, each with its line.
    pub(super) fn record(
        &self,
        kpi: &str,
        measurements: Vec<(usize, DynamicMessage)>,
        basis: &str,
    ) -> Result<Command, Failure> {
        let method = self.schema.method("BatchRecordMeasurements")?;
        let mut request = DynamicMessage::new(method.input());
        set(
            &mut request,
            "parent",
            Value::String(kind::full(self.workspace, kpi)),
        );
        let (lines, measurements): (_, Vec<_>) = measurements.into_iter().unzip();
        let measurements = measurements.into_iter().map(Value::Message).collect();
        set(&mut request, "measurements", Value::List(measurements));
        let mut command = self.stamped(method, request, basis);
        command.lines = lines;
        Ok(command)
    }

    /// With why, and with an id that is a function of the log, of what was read, and of what is asked. The same run, broken
    /// and begun again, asks the same; but what has been changed by somebody else in between is asked anew.
    fn stamped(&self, method: &MethodDescriptor, mut request: DynamicMessage, basis: &str) -> Command {
        if method.input().get_field_by_name("reason").is_some() {
            set(&mut request, "reason", Value::String(self.reason.to_owned()));
        }
        let name = names_in(&request);
        let asked = emit::inline_message(self.schema, &request);
        let content = format!(
            "{}\n{}\n{name}\n{basis}\n{asked}",
            method.full_name(),
            self.workspace
        );
        let id = Uuid::new_v5(&self.log, content.as_bytes());
        set(&mut request, "request_id", Value::String(id.to_string()));
        Command {
            method: method.clone(),
            request,
            lines: Vec::new(),
        }
    }
}

/// The names that a request has besides what people write.
fn names_in(request: &DynamicMessage) -> String {
    let of_resource = request.fields().filter_map(|(_, value)| {
        let name = text(value.as_message()?, "name");
        Some(name).filter(|name| !name.is_empty())
    });
    of_resource.chain([text(request, "name")]).collect()
}

/// The requests of a batch of measurements, each with one of them; nothing of any other command.
pub(super) fn split(command: &Command) -> Vec<Command> {
    let all = command.request.get_field_by_name("measurements");
    let Some(Value::List(all)) = all.map(std::borrow::Cow::into_owned) else {
        return Vec::new();
    };
    let each = all.into_iter().zip(&command.lines);
    each.map(|(one, line)| {
        let mut request = command.request.clone();
        set(&mut request, "measurements", Value::List(vec![one]));
        Command {
            method: command.method.clone(),
            request,
            lines: vec![*line],
        }
    })
    .collect()
}
