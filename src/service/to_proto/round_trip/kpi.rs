//! KPIs that change, are archived and ask for action; what is done about it; and how an auditor reads all that.

use std::collections::BTreeMap;

use prost::Message;
use prost_types::{DescriptorProto, FileDescriptorSet};

use super::*;

const NPS: &str = "workspaces/acme/kpis/nps";
const BREACH: &str = "workspaces/acme/kpis/nps/alerts/breach-12";

fn noon() -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp {
        seconds: NOON,
        nanos: 0,
    })
}

fn measure_on(running: &mut Running, kpi: &str, date: Option<google_type::Date>, value: f64) {
    running.run(from_proto::record_measurement(&api::RecordMeasurementRequest {
        parent: kpi.to_owned(),
        measurement: Some(api::Measurement {
            effective_date: date,
            value: Some(value),
            ..api::Measurement::default()
        }),
        ..api::RecordMeasurementRequest::default()
    }));
}

/// A KPI far below its target, which its alert says.
fn breached() -> Running {
    let mut running = acme();
    measure_on(&mut running, NPS, day(2026, 6, 22), -5.0);
    running
}

fn set_plan(running: &mut Running, plan: api::ActionPlan) -> usize {
    running.run(from_proto::set_action_plan(&api::SetActionPlanRequest {
        name: BREACH.to_owned(),
        action_plan: Some(plan),
        ..api::SetActionPlanRequest::default()
    }));
    running.commits.last().unwrap().events.len()
}

fn acknowledge(running: &mut Running, note: &str) -> usize {
    running.run(from_proto::acknowledge_alert(&api::AcknowledgeAlertRequest {
        name: BREACH.to_owned(),
        note: note.to_owned(),
        ..api::AcknowledgeAlertRequest::default()
    }));
    running.commits.last().unwrap().events.len()
}

fn complete(running: &mut Running, note: &str) {
    running.run(from_proto::complete_action_plan(
        &api::CompleteActionPlanRequest {
            name: BREACH.to_owned(),
            note: note.to_owned(),
            ..api::CompleteActionPlanRequest::default()
        },
    ));
}

fn plan() -> api::ActionPlan {
    api::ActionPlan {
        cause: "The team is too small.".to_owned(),
        text: "Hire a support manager.".to_owned(),
        owner: "workspaces/acme/members/maria".to_owned(),
        due_date: day(2026, 8, 31),
        objective: WIN.to_owned(),
        ..api::ActionPlan::default()
    }
}

fn archive(running: &mut Running, name: &str) {
    running.run(from_proto::archive_kpi(&api::ArchiveKpiRequest {
        name: name.to_owned(),
        ..api::ArchiveKpiRequest::default()
    }));
}

fn unarchive(running: &mut Running, name: &str) {
    running.run(from_proto::unarchive_kpi(&api::UnarchiveKpiRequest {
        name: name.to_owned(),
        ..api::UnarchiveKpiRequest::default()
    }));
}

#[test]
fn a_kpi_judged_by_its_change_is_answered_as_it_was_written_and_can_be_sent_back() {
    let mut running = acme();
    let asked = api::Kpi {
        transform: api::kpi::Transform::ChangePercent.into(),
        replaces: NPS.to_owned(),
        ..gauge()
    };
    running.run(from_proto::create_kpi(&api::CreateKpiRequest {
        parent: "workspaces/acme".to_owned(),
        kpi_id: "growth".to_owned(),
        kpi: Some(asked.clone()),
        ..api::CreateKpiRequest::default()
    }));
    let name = "workspaces/acme/kpis/growth";
    let answered = read!(running, Kpi, name);
    let again = answered.clone();
    authored!(answered, asked, name, health, create_time, update_time, etag);
    running.run(from_proto::update_kpi(&api::UpdateKpiRequest {
        kpi: Some(again),
        update_mask: all(),
        ..api::UpdateKpiRequest::default()
    }));
    assert_eq!(running.commits.last().unwrap().events, []);
    measure_on(&mut running, name, day(2026, 6, 15), 50.0);
    measure_on(&mut running, name, day(2026, 6, 22), 60.0);
    let measured = read!(running, Kpi, name);
    let value = measured.health.unwrap().period_value.unwrap();
    assert_eq!((value.first_date, value.value), (day(2026, 6, 21), 20.0));
    assert_eq!(
        (
            measured.period_value_text.as_str(),
            measured.latest_value_text.as_str()
        ),
        ("20 %", "60 BRL")
    );
}

#[test]
fn an_archived_kpi_says_since_when_until_it_is_in_use_again() {
    let mut running = breached();
    assert_eq!(read!(running, Kpi, NPS).archive_time, None);
    archive(&mut running, NPS);
    let archived = read!(running, Kpi, NPS);
    assert_eq!((archived.archive_time, archived.open_alerts), (noon(), vec![]));
    let closed = read!(running, Alert, BREACH);
    assert_eq!(closed.close_reason(), api::alert::CloseReason::Archived);
    unarchive(&mut running, NPS);
    assert_eq!(read!(running, Kpi, NPS).archive_time, None);
}

#[test]
fn an_alert_is_answered_as_it_opened_with_what_was_said_and_done_and_how_it_closed() {
    let mut running = breached();
    let opened = api::Alert {
        name: BREACH.to_owned(),
        kind: api::alert::Kind::Breach.into(),
        state: api::alert::State::Open.into(),
        summary: "\"NPS\" is -5 BRL and should be at least 55 BRL.".to_owned(),
        open_time: noon(),
        open_revision: 12,
        period_value: Some(api::PeriodValue {
            first_date: day(2026, 6, 21),
            last_date: day(2026, 6, 27),
            value: -5.0,
            provisional: false,
        }),
        // On the period's last day the ramp has gone 177 of its 364 days from 50 to 60.
        reference_value: Some(50.0 + 10.0 * (177.0 / 364.0)),
        period_count: 1,
        needs_action: true,
        ..api::Alert::default()
    };
    assert_eq!(read!(running, Alert, BREACH), opened);
    let kpi = read!(running, Kpi, NPS);
    assert_eq!(
        (kpi.open_alerts, kpi.needs_action),
        (vec![BREACH.to_owned()], true)
    );

    assert_eq!(set_plan(&mut running, plan()), 1);
    let planned = api::ActionPlan {
        update_time: noon(),
        update_principal: "binnacle".to_owned(),
        ..plan()
    };
    let expected = api::Alert {
        needs_action: false,
        action_plan: Some(planned.clone()),
        ..opened
    };
    assert_eq!(read!(running, Alert, BREACH), expected);
    assert!(!read!(running, Kpi, NPS).needs_action);
    assert_eq!(set_plan(&mut running, planned.clone()), 0, "it can be sent back");

    assert_eq!(acknowledge(&mut running, "On it."), 1);
    assert_eq!(acknowledge(&mut running, "On it."), 0);
    complete(&mut running, "She is here.");
    let expected = api::Alert {
        acknowledge_time: noon(),
        acknowledge_principal: "binnacle".to_owned(),
        acknowledge_note: "On it.".to_owned(),
        action_plan: Some(api::ActionPlan {
            complete_time: noon(),
            complete_note: "She is here.".to_owned(),
            ..planned
        }),
        ..expected
    };
    assert_eq!(read!(running, Alert, BREACH), expected);

    let listed = |running: &Running| {
        let acme = Id::parse("acme").unwrap();
        resource_names(&running.state).any(|name| names::full_name(&acme, &name) == BREACH)
    };
    assert!(listed(&running), "an open alert is in the snapshot");
    measure_on(&mut running, NPS, day(2026, 6, 29), 70.0);
    let expected = api::Alert {
        state: api::alert::State::Closed.into(),
        close_time: noon(),
        close_revision: running.state.workspace().revision().0.try_into().unwrap(),
        close_reason: api::alert::CloseReason::Recovered.into(),
        ..expected
    };
    assert_eq!(read!(running, Alert, BREACH), expected);
    assert!(!listed(&running), "a closed one is not");
}

#[test]
fn an_objective_started_from_a_kpi_names_it_and_its_alert_and_the_plan_names_the_objective() {
    let mut running = breached();
    running.run(from_proto::start_objective_from_kpi(
        &api::StartObjectiveFromKpiRequest {
            name: NPS.to_owned(),
            cycle: "workspaces/acme/cycles/q3".to_owned(),
            objective_id: "mend".to_owned(),
            key_result_id: "back".to_owned(),
            ambition: api::objective::Ambition::Committed.into(),
            ..api::StartObjectiveFromKpiRequest::default()
        },
    ));
    let mend = "workspaces/acme/objectives/mend";
    let started = read!(running, Objective, mend);
    assert_eq!(
        (
            started.started_from_kpi.as_str(),
            started.started_from_alert.as_str()
        ),
        (NPS, BREACH)
    );
    assert_eq!(started.serves, [NPS]);
    assert_eq!(
        read!(running, KeyResult, &format!("{mend}/keyResults/back")).kpi,
        NPS
    );
    let planned = read!(running, Alert, BREACH).action_plan.unwrap();
    assert_eq!(
        (planned.objective.as_str(), planned.due_date),
        (mend, day(2026, 9, 30))
    );
    let by_itself = read!(running, Objective, WIN);
    assert_eq!(by_itself.started_from_kpi + &by_itself.started_from_alert, "");
}

/// The API's messages by their full names.
fn api_messages() -> BTreeMap<String, DescriptorProto> {
    let set = FileDescriptorSet::decode(crate::proto::API_DESCRIPTOR_SET).unwrap();
    let mut found = BTreeMap::new();
    let mut wanted: Vec<(String, DescriptorProto)> = Vec::new();
    for file in set.file {
        let package = format!(".{}", file.package());
        wanted.extend(
            file.message_type
                .into_iter()
                .map(|message| (package.clone(), message)),
        );
    }
    while let Some((scope, message)) = wanted.pop() {
        let name = format!("{scope}.{}", message.name());
        wanted.extend(
            message
                .nested_type
                .iter()
                .map(|nested| (name.clone(), nested.clone())),
        );
        found.insert(name, message);
    }
    found
}

/// The message that a resource of a name is.
fn message_of(resource: &str) -> &'static str {
    match resource.rsplit('/').nth(1) {
        Some("kpis") => ".binnacle.v1.Kpi",
        Some("targets") => ".binnacle.v1.Target",
        Some("alerts") => ".binnacle.v1.Alert",
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_change_of_a_kpi_a_target_or_an_alert_is_read_under_a_field_of_the_api() {
    let mut running = breached();
    running.run(from_proto::create_kpi(&api::CreateKpiRequest {
        parent: "workspaces/acme".to_owned(),
        kpi_id: "growth".to_owned(),
        kpi: Some(api::Kpi {
            transform: api::kpi::Transform::ChangePercent.into(),
            replaces: NPS.to_owned(),
            ..gauge()
        }),
        ..api::CreateKpiRequest::default()
    }));
    set_plan(&mut running, plan());
    acknowledge(&mut running, "On it.");
    acknowledge(&mut running, "Still.");
    complete(&mut running, "She is here.");
    archive(&mut running, NPS);
    unarchive(&mut running, NPS);
    running.run(from_proto::delete_target(&api::DeleteTargetRequest {
        name: format!("{NPS}/targets/2026-01-01"),
        ..api::DeleteTargetRequest::default()
    }));
    let messages = api_messages();
    let acme = Id::parse("acme").unwrap();
    let mut read = 0;
    for commit in &running.commits {
        let events = (0..commit.events.len()).map(|index| event(&acme, commit, index, None).unwrap());
        for event in events.filter(|event| event.resource.starts_with("workspaces/acme/kpis/")) {
            for change in event.changes {
                // A measurement is of its KPI, not a field of it.
                let (mut message, path) = match change.path.strip_prefix("measurement.") {
                    Some(path) => (".binnacle.v1.Measurement", path),
                    None => (message_of(&event.resource), change.path.as_str()),
                };
                let mut parts = path.split('.');
                while let Some(part) = parts.next() {
                    let field = messages
                        .get(message)
                        .and_then(|message| message.field.iter().find(|field| field.name() == part))
                        .unwrap_or_else(|| panic!("{}: {}", event.r#type, change.path));
                    message = field.type_name();
                    let options = messages.get(message).and_then(|inside| inside.options.as_ref());
                    if options.is_some_and(|options| options.map_entry()) {
                        // The key of a label.
                        parts.next();
                    }
                }
                read += 1;
            }
        }
    }
    assert!(read > 60, "{read} changes only");
}
