//! Short words for what many tests say: a call and its retry, time that passes, what the log and a subscriber saw.

use std::sync::atomic::{AtomicU64, Ordering};

use binnacle::proto::api;
use binnacle::proto::api::key_result::Kind;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscribe_response::Event;
use tonic::Code;

use crate::common::view::name_of;
use crate::common::*;

/// So many seconds has a day.
pub(crate) const DAY_S: i64 = 24 * 3600;

/// A write with a request id, sent once, and once more after something else was written: it answers what it answered, and
/// nothing is recorded. With another body its id is refused. Answers the first answer, and checks that its trailer names
/// the newest revision.
macro_rules! retried {
    ($server:expr, $client:ident.$call:ident($request:expr)) => {{
        let mut request = $request;
        request.request_id = crate::steps::new_request_id();
        let first = $server.$client().$call(request.clone()).await;
        let first = first.unwrap_or_else(|refused| panic!("{}: {refused}", stringify!($call)));
        let revision = first.metadata().get("binnacle-revision").cloned();
        assert_eq!(
            revision.as_ref().and_then(|text| text.to_str().ok()),
            Some(crate::steps::head_of_all(&$server).await.as_str()),
            "the trailer of {}",
            stringify!($call)
        );
        crate::steps::something_else(&$server).await;
        let heads = $server.heads().await;
        let again = $server.$client().$call(request.clone()).await;
        let again = again.unwrap_or_else(|refused| panic!("{} again: {refused}", stringify!($call)));
        assert_eq!(again.metadata().get("binnacle-revision").cloned(), revision);
        let (first, again) = (first.into_inner(), again.into_inner());
        assert_eq!(again, first, "{} again", stringify!($call));
        assert_eq!(
            $server.heads().await,
            heads,
            "{} was recorded again",
            stringify!($call)
        );
        request.reason.push_str("for another reason");
        let reused = crate::common::Refused::new(tonic::Code::AlreadyExists, "REQUEST_ID_REUSED", &[]);
        assert_eq!($server.refusal($server.$client().$call(request)).await, reused);
        first
    }};
}
pub(crate) use retried;

/// A request that says a name alone, or a name and more.
macro_rules! named {
    ($Request:ident, $name:expr $(, $field:ident: $value:expr)*) => {
        api::$Request {
            name: $name.to_owned(),
            $($field: $value,)*
            ..Default::default()
        }
    };
}
pub(crate) use named;

pub(crate) fn new_request_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!(
        "3f0d6f8e-6c1d-4b7e-9a55-{:012x}",
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// The newest revision of workspaces/acme, as a trailer writes it.
pub(crate) async fn head_of_all(server: &Server) -> String {
    server.head().await.to_string()
}

/// A write that changes nothing that anybody looks at, also where workspaces/acme is deleted.
pub(crate) async fn something_else(server: &Server) {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = format!("other-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    if server.workspaces().create_member(new_member(&id)).await.is_err() {
        let workspace = new_workspace(&id);
        server
            .workspaces()
            .create_workspace(workspace)
            .await
            .expect("another workspace");
    }
}

pub(crate) fn refused(code: Code, reason: &str, about: &[&str]) -> Refused {
    Refused::new(code, reason, about)
}

pub(crate) fn invalid(fields: &[&str]) -> Refused {
    refused(Code::InvalidArgument, "INVALID_FIELD", fields)
}

pub(crate) fn rule(reason: &str, about: &str) -> Refused {
    refused(Code::FailedPrecondition, reason, &[about])
}

pub(crate) fn missing(name: &str) -> Refused {
    refused(Code::NotFound, "NOT_FOUND", &[name])
}

/// Noon in São Paulo, so many days after 1 January 2026; the first command begins the day.
pub(crate) async fn on_day(server: &Server, days: i64) {
    server.clock.advance_to(at(days * DAY_S + 3 * 3600));
    something_else(server).await;
}

pub(crate) fn metric(baseline: f64, target: f64) -> Kind {
    Kind::Metric(api::Metric {
        baseline: Some(baseline),
        target: Some(target),
        ..Default::default()
    })
}

pub(crate) fn milestones(ids: &[&str]) -> Kind {
    let milestones = ids.iter().map(|&id| api::Milestone {
        id: id.to_owned(),
        title: id.to_owned(),
        weight: None,
    });
    Kind::Milestones(api::Milestones {
        milestones: milestones.collect(),
    })
}

/// A key result of some kind; `path` is "objective/key-result".
pub(crate) fn key_result(path: &str, kind: Kind) -> api::CreateKeyResultRequest {
    let (objective, id) = path.split_once('/').expect("a path");
    let mut request = new_key_result(objective, id);
    request.key_result.as_mut().expect("a key result").kind = Some(kind);
    request
}

/// A check-in of a key result "objective/key-result".
pub(crate) fn check_in(
    path: &str,
    id: &str,
    change: impl FnOnce(&mut api::CheckIn),
) -> api::CreateCheckInRequest {
    let mut check_in = api::CheckIn::default();
    change(&mut check_in);
    api::CreateCheckInRequest {
        parent: key_result_name(path),
        check_in_id: id.to_owned(),
        check_in: Some(check_in),
        ..Default::default()
    }
}

pub(crate) fn value(path: &str, id: &str, value: f64) -> api::CreateCheckInRequest {
    check_in(path, id, |check_in| check_in.value = Some(value))
}

/// `objective/key-result` as a full name.
pub(crate) fn key_result_name(path: &str) -> String {
    let (objective, id) = path.split_once('/').expect("a path");
    acme(&format!("objectives/{objective}/keyResults/{id}"))
}

/// An ACTIVE objective of cycle q1 with one key result, "number", from 0 to 10.
pub(crate) async fn with_objective(server: &Server, id: &str, change: impl FnOnce(&mut api::Objective)) {
    let mut request = new_objective(id);
    change(request.objective.as_mut().expect("an objective"));
    let mut objectives = server.objectives();
    objectives.create_objective(request).await.expect("an objective");
    objectives
        .create_key_result(new_key_result(id, "number"))
        .await
        .expect("a key result");
    activate_objective(server, id).await;
}

/// A cycle of another quarter, 2 or 3, PLANNED.
pub(crate) async fn with_quarter(server: &Server, number: i32) {
    let mut request = new_cycle(&format!("q{number}"));
    let cycle = request.cycle.as_mut().expect("a cycle");
    cycle.first_date = date(2026, number * 3 - 2, 1);
    cycle.last_date = date(2026, number * 3, 30);
    server.cycles().create_cycle(request).await.expect("a cycle");
}

pub(crate) async fn objective(server: &Server, id: &str) -> api::Objective {
    let request = named!(GetObjectiveRequest, acme(&format!("objectives/{id}")));
    let found = server.objectives().get_objective(request).await;
    found.expect("an objective").into_inner()
}

pub(crate) async fn key_result_of(server: &Server, path: &str) -> api::KeyResult {
    let request = named!(GetKeyResultRequest, key_result_name(path));
    let found = server.objectives().get_key_result(request).await;
    found.expect("a key result").into_inner()
}

/// The score of an objective, the team sales in q1, q1 and the workspace.
pub(crate) async fn scores(server: &Server, id: &str) -> [Option<f64>; 4] {
    let team = named!(GetTeamRequest, acme("teams/sales"));
    let team = server
        .workspaces()
        .get_team(team)
        .await
        .expect("a team")
        .into_inner();
    let cycle = named!(GetCycleRequest, acme("cycles/q1"));
    let cycle = server
        .cycles()
        .get_cycle(cycle)
        .await
        .expect("a cycle")
        .into_inner();
    let workspace = named!(GetWorkspaceRequest, "workspaces/acme");
    let workspace = server.workspaces().get_workspace(workspace).await;
    [
        objective(server, id)
            .await
            .progress
            .and_then(|progress| progress.score),
        team.scores.first().and_then(|score| score.score),
        cycle.score,
        workspace.expect("a workspace").into_inner().score,
    ]
}

/// What an event says: its type, its resource below the workspace, and each field with before and after.
pub(crate) type Told = (String, String, Vec<(String, String, String)>);

/// The events behind a revision, but the days that began.
pub(crate) async fn told_after(server: &Server, revision: i64) -> Vec<Told> {
    let events = all_events(&server.channel).await.expect("events");
    let told = events.into_iter().filter_map(|event| {
        let commit = event.commit.as_ref().expect("its commit");
        (commit.revision > revision && event.r#type != "DayStarted").then(|| tell(event))
    });
    told.collect()
}

fn tell(event: api::Event) -> Told {
    let changes = event.changes.into_iter();
    (
        event.r#type,
        event.resource.trim_start_matches("workspaces/acme/").to_owned(),
        changes
            .map(|change| (change.path, text(change.before), text(change.after)))
            .collect(),
    )
}

/// A value of an event as a text; absent: "".
fn text(value: Option<prost_types::Value>) -> String {
    use prost_types::value::Kind;
    match value.and_then(|value| value.kind) {
        None | Some(Kind::NullValue(_)) => String::new(),
        Some(Kind::BoolValue(it)) => it.to_string(),
        Some(Kind::NumberValue(it)) => it.to_string(),
        Some(Kind::StringValue(it)) => it,
        Some(Kind::ListValue(list)) => {
            let items: Vec<String> = list.values.into_iter().map(|item| text(Some(item))).collect();
            items.join(",")
        }
        Some(Kind::StructValue(it)) => format!("{it:?}"),
    }
}

/// Types and resources alone.
pub(crate) fn heads_of(told: &[Told]) -> Vec<(&str, &str)> {
    told.iter()
        .map(|(kind, resource, _)| (kind.as_str(), resource.as_str()))
        .collect()
}

/// What a subscriber from the beginning is sent of the commits behind a revision: every message with its token.
pub(crate) async fn messages_after(server: &Server, revision: i64) -> Vec<(String, api::Update)> {
    let head = server.head().await;
    let request = api::SubscribeRequest {
        parent: "workspaces/acme".to_owned(),
        start: Some(Start::FromBeginning(())),
        ..Default::default()
    };
    let mut stream = server
        .progress()
        .subscribe(request)
        .await
        .expect("a subscription")
        .into_inner();
    let mut messages = Vec::new();
    loop {
        let message = stream.message().await.expect("no error").expect("a message");
        let Some(Event::Update(update)) = message.event else {
            continue;
        };
        let at = update.commit.as_ref().expect("its commit").revision;
        let last = at == head && !message.resume_token.is_empty();
        if at > revision {
            messages.push((message.resume_token, update));
        }
        if last {
            return messages;
        }
    }
}

/// The derived changes of the commits behind a revision, each as a text, in the order of whose they are.
pub(crate) async fn changes_after(server: &Server, revision: i64) -> Vec<String> {
    let messages = messages_after(server, revision).await;
    sorted(
        messages
            .into_iter()
            .flat_map(|(_, update)| update.derived_changes),
    )
}

pub(crate) fn sorted(changes: impl IntoIterator<Item = api::DerivedChange>) -> Vec<String> {
    let mut changes: Vec<String> = changes.into_iter().map(|change| format!("{change:?}")).collect();
    changes.sort();
    changes
}

/// The names of all that a snapshot has, below the workspace.
pub(crate) async fn snapshot(server: &Server) -> Vec<String> {
    let resources = resources(server).await;
    let names = resources
        .iter()
        .map(|it| name_of(it).trim_start_matches("workspaces/acme/").to_owned());
    names.collect()
}

/// All that a snapshot has.
pub(crate) async fn resources(server: &Server) -> Vec<api::Resource> {
    let request = api::SubscribeRequest {
        parent: "workspaces/acme".to_owned(),
        start: Some(Start::Snapshot(())),
        ..Default::default()
    };
    let mut stream = server
        .progress()
        .subscribe(request)
        .await
        .expect("a subscription")
        .into_inner();
    let mut resources = Vec::new();
    loop {
        let message = stream.message().await.expect("no error").expect("a message");
        match message.event {
            Some(Event::Snapshot(part)) => resources.extend(part.resources),
            Some(Event::SnapshotEnd(_)) => return resources,
            _ => {}
        }
    }
}
