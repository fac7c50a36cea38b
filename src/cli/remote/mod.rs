//! What a server has of a workspace: its resources by kind and name, and series of its KPIs.
//!
//! Lists are read one after the other, so each says the revision that it shows; who needs all of them at one revision
//! compares.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{DynamicMessage, ReflectMessage, Value};
use tonic::{Code, Status};

pub(super) use self::wire::Wire;
use super::Failure;
use super::manifest::kind::{self, Kind};
use super::manifest::scalar::{moment, set};
use super::manifest::schema::{Schema, text};
use super::words::failure;
use crate::domain::{Id, Timestamp};

mod wire;

/// Resources a page.
const PAGE_SIZE: i32 = 1000;

/// What is to be read.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// The kinds of resources.
    pub(super) kinds: BTreeSet<Kind>,
    /// The KPIs whose series are wanted, by relative name; none: those of all that are read.
    pub(super) series: Option<BTreeSet<String>>,
}

/// What the server has.
#[derive(Debug, Default)]
pub(super) struct Remote {
    /// The resources, the deleted ones too where the server shows them.
    pub(super) resources: BTreeMap<(Kind, String), DynamicMessage>,
    /// The series by the KPI's name.
    pub(super) series: BTreeMap<String, BTreeMap<(Timestamp, String), Measured>>,
    /// The revisions that the lists show.
    pub(super) revisions: BTreeSet<i64>,
}

/// A measurement as it is known.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measured {
    /// The value.
    pub(super) value: f64,
    /// The revision that recorded it.
    pub(super) revision: i64,
}

impl Remote {
    /// Reads a workspace; nothing of one that does not exist.
    ///
    /// # Errors
    /// The server cannot be reached, or refuses.
    pub(super) async fn read(
        wire: &Wire,
        schema: &Schema,
        workspace: &Id,
        wanted: &Wanted,
    ) -> Result<Self, Failure> {
        let mut remote = Self::default();
        let nothing = |status: &Status| failure(status, "nothing was written");
        match get(wire, schema, Kind::Workspace, &kind::full(workspace, "")).await? {
            Ok(found) => {
                remote.revisions.insert(whole(&found, "revision"));
                remote.resources.insert((Kind::Workspace, String::new()), found);
            }
            Err(status) if status.code() == Code::NotFound => return Ok(remote),
            Err(status) => return Err(nothing(&status)),
        }
        for kind in &wanted.kinds {
            match kind {
                Kind::Workspace | Kind::Series => {}
                Kind::ScoringPolicy => {
                    let name = kind::full(workspace, "scoringPolicy");
                    let policy = get(wire, schema, *kind, &name)
                        .await?
                        .map_err(|status| nothing(&status))?;
                    remote
                        .resources
                        .insert((*kind, "scoringPolicy".to_owned()), policy);
                }
                listed => {
                    let all = list(wire, schema, workspace, *listed, &mut remote.revisions).await?;
                    let all = all.map_err(|status| nothing(&status))?;
                    for one in all {
                        if let Some((_, name)) = kind::workspace_of(&text(&one, "name")) {
                            remote.resources.insert((*listed, name.to_owned()), one);
                        }
                    }
                }
            }
        }
        let kpis = match &wanted.series {
            Some(kpis) => kpis
                .iter()
                .filter(|kpi| remote.standing(Kind::Kpi, kpi).is_some())
                .cloned()
                .collect(),
            None => remote.standing_names(Kind::Kpi),
        };
        for kpi in kpis {
            let series = series(wire, schema, &kind::full(workspace, &kpi), &mut remote.revisions).await?;
            remote
                .series
                .insert(kpi, series.map_err(|status| nothing(&status))?);
        }
        Ok(remote)
    }

    /// A resource that is not deleted.
    pub(super) fn standing(&self, kind: Kind, name: &str) -> Option<&DynamicMessage> {
        let found = self.resources.get(&(kind, name.to_owned()))?;
        Some(found).filter(|found| !is_gone(found))
    }

    /// A resource that is deleted, or a check-in that is retracted.
    pub(super) fn gone(&self, kind: Kind, name: &str) -> Option<&DynamicMessage> {
        let found = self.resources.get(&(kind, name.to_owned()))?;
        Some(found).filter(|found| is_gone(found))
    }

    /// The names of what is not deleted of a kind.
    pub(super) fn standing_names(&self, kind: Kind) -> Vec<String> {
        let of_kind = self
            .resources
            .iter()
            .filter(|((of, _), found)| *of == kind && !is_gone(found));
        of_kind.map(|((_, name), _)| name.clone()).collect()
    }
}

/// Takes out what a message refers to that `stands` does not know; answers which field named what. `lists_only`: what stands
/// alone stays.
pub(super) fn without_gone(
    schema: &Schema,
    message: &mut DynamicMessage,
    lists_only: bool,
    stands: impl Fn(Kind, &str) -> bool,
) -> Vec<(String, String)> {
    let mut gone = Vec::new();
    for field in schema.authored(&message.descriptor()) {
        let kinds = schema.refers_to(&field);
        if kinds.is_empty() {
            continue;
        }
        let mut keep = |value: &Value| {
            let full = value.as_str().unwrap_or_default();
            let name = kind::workspace_of(full).map_or("", |(_, name)| name);
            let stays = full.is_empty() || kinds.iter().any(|kind| stands(*kind, name));
            if !stays {
                gone.push((field.name().to_owned(), name.to_owned()));
            }
            stays
        };
        match message.get_field(&field).into_owned() {
            Value::List(mut list) => {
                list.retain(&mut keep);
                message.set_field(&field, Value::List(list));
            }
            single if !lists_only && !keep(&single) => message.clear_field(&field),
            _ => {}
        }
    }
    gone
}

fn is_gone(resource: &DynamicMessage) -> bool {
    resource.has_field_by_name("delete_time") || resource.has_field_by_name("retract_time")
}

/// A whole number of a message; 0 where there is none.
pub(super) fn whole(message: &DynamicMessage, field: &str) -> i64 {
    let value = message.get_field_by_name(field);
    value.and_then(|value| value.as_i64()).unwrap_or_default()
}

async fn get(
    wire: &Wire,
    schema: &Schema,
    kind: Kind,
    name: &str,
) -> Result<Result<DynamicMessage, Status>, Failure> {
    let method = schema.method(&format!("Get{}", kind.word()))?;
    let mut request = DynamicMessage::new(method.input());
    set(&mut request, "name", Value::String(name.to_owned()));
    Ok(wire.call(method, &request).await)
}

async fn list(
    wire: &Wire,
    schema: &Schema,
    workspace: &Id,
    kind: Kind,
    revisions: &mut BTreeSet<i64>,
) -> Result<Result<Vec<DynamicMessage>, Status>, Failure> {
    let method = schema.method(&format!("List{}s", kind.word()))?;
    let mut request = DynamicMessage::new(method.input());
    let parent = kind::full(workspace, &kind.parent_of_all());
    set(&mut request, "parent", Value::String(parent));
    if method.input().get_field_by_name("show_deleted").is_some() {
        set(&mut request, "show_deleted", Value::Bool(true));
    }
    Ok(pages(wire, method, request, revisions).await)
}

/// The measurements of a KPI.
async fn series(
    wire: &Wire,
    schema: &Schema,
    kpi: &str,
    revisions: &mut BTreeSet<i64>,
) -> Result<Result<BTreeMap<(Timestamp, String), Measured>, Status>, Failure> {
    let method = schema.method("ListMeasurements")?;
    let mut request = DynamicMessage::new(method.input());
    set(&mut request, "parent", Value::String(kpi.to_owned()));
    let all = match pages(wire, method, request, revisions).await {
        Ok(all) => all,
        Err(status) => return Ok(Err(status)),
    };
    let known = all.iter().filter_map(|measurement| {
        let time = measurement.get_field_by_name("effective_time")?;
        let value = measurement.get_field_by_name("value")?.as_f64()?;
        let measured = Measured {
            value,
            revision: whole(measurement, "revision"),
        };
        Some((
            (moment(time.as_message()?)?, text(measurement, "source_id")),
            measured,
        ))
    });
    Ok(Ok(known.collect()))
}

/// Everything that a list has, page after page.
async fn pages(
    wire: &Wire,
    method: &prost_reflect::MethodDescriptor,
    mut request: DynamicMessage,
    revisions: &mut BTreeSet<i64>,
) -> Result<Vec<DynamicMessage>, Status> {
    set(&mut request, "page_size", Value::I32(PAGE_SIZE));
    let mut all = Vec::new();
    loop {
        let page = wire.call(method, &request).await?;
        for (field, value) in page.fields() {
            if let (true, Value::List(list)) = (field.is_list(), value) {
                all.extend(list.iter().filter_map(Value::as_message).cloned());
            }
        }
        revisions.insert(whole(&page, "revision"));
        let token = text(&page, "next_page_token");
        if token.is_empty() {
            return Ok(all);
        }
        set(&mut request, "page_token", Value::String(token));
    }
}
