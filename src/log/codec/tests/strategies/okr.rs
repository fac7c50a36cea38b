//! Cycles, reviews, objectives, key results, initiatives, check-ins: every event of them.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::any;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};

use super::closing::result;
use super::deletion::{initiative_id, key_result_id};
use super::key_result::key_result;
use super::{boxed, date, id, labels, text, timestamp, title, value, weight};
use crate::domain::{
    Alignment, Ambition, CheckIn, Confidence, CycleFields, CycleState, Event, InitiativeFields,
    InitiativeState, ObjectiveFields, ObjectiveState, Review, StartedFrom, StatusOverride,
};

/// One strategy for each variant.
pub(super) fn events() -> Vec<BoxedStrategy<Event>> {
    [
        cycle_events(),
        objective_events(),
        key_result_events(),
        check_in_events(),
    ]
    .concat()
}

fn cycle_events() -> Vec<BoxedStrategy<Event>> {
    vec![
        (id(), boxed(cycle()))
            .prop_map(|(id, fields)| Event::CycleCreated { id, fields })
            .boxed(),
        (id(), boxed(cycle()), boxed(cycle()))
            .prop_map(|(id, before, after)| Event::CycleUpdated { id, before, after })
            .boxed(),
        (id(), cycle_state())
            .prop_map(|(id, before)| Event::CycleActivated { id, before })
            .boxed(),
        (id(), cycle_state())
            .prop_map(|(id, before)| Event::CycleReviewBegun { id, before })
            .boxed(),
        (id(), cycle_state())
            .prop_map(|(id, before)| Event::CycleClosed { id, before })
            .boxed(),
        (id(), cycle_state())
            .prop_map(|(id, before)| Event::CycleReopened { id, before })
            .boxed(),
        (id(), id(), boxed(review()))
            .prop_map(|(cycle, id, review)| Event::ReviewRecorded { cycle, id, review })
            .boxed(),
    ]
}

fn objective_events() -> Vec<BoxedStrategy<Event>> {
    let started_from = (id(), of(id())).prop_map(|(kpi, alert)| StartedFrom { kpi, alert });
    vec![
        (id(), boxed(objective()), of(id()), of(started_from))
            .prop_map(
                |(id, fields, carried_from, started_from)| Event::ObjectiveCreated {
                    id,
                    fields,
                    carried_from,
                    started_from,
                },
            )
            .boxed(),
        (id(), boxed(objective()), boxed(objective()))
            .prop_map(|(id, before, after)| Event::ObjectiveUpdated { id, before, after })
            .boxed(),
        (id(), objective_state(), date())
            .prop_map(|(id, before, date)| Event::ObjectiveActivated { id, before, date })
            .boxed(),
        (id(), objective_state(), boxed(result()))
            .prop_map(|(id, before, result)| Event::ObjectiveClosed { id, before, result })
            .boxed(),
        (id(), objective_state(), objective_state(), of(boxed(result())))
            .prop_map(|(id, before, after, result)| Event::ObjectiveReopened {
                id,
                before,
                after,
                result,
            })
            .boxed(),
        (id(), objective_state())
            .prop_map(|(id, before)| Event::ObjectiveCanceled { id, before })
            .boxed(),
    ]
}

fn key_result_events() -> Vec<BoxedStrategy<Event>> {
    vec![
        (key_result_id(), boxed(key_result()), date())
            .prop_map(|(id, fields, date)| Event::KeyResultCreated { id, fields, date })
            .boxed(),
        (key_result_id(), boxed(key_result()), boxed(key_result()))
            .prop_map(|(id, before, after)| Event::KeyResultUpdated { id, before, after })
            .boxed(),
        (initiative_id(), boxed(initiative()))
            .prop_map(|(id, fields)| Event::InitiativeCreated { id, fields })
            .boxed(),
        (initiative_id(), boxed(initiative()), boxed(initiative()))
            .prop_map(|(id, before, after)| Event::InitiativeUpdated { id, before, after })
            .boxed(),
    ]
}

fn check_in_events() -> Vec<BoxedStrategy<Event>> {
    vec![
        (key_result_id(), id(), boxed(check_in()))
            .prop_map(|(key_result, id, check_in)| Event::CheckInRecorded {
                key_result,
                id,
                check_in,
            })
            .boxed(),
        (key_result_id(), id(), boxed(check_in()), boxed(check_in()))
            .prop_map(|(key_result, id, before, after)| Event::CheckInCorrected {
                key_result,
                id,
                before,
                after,
            })
            .boxed(),
        (key_result_id(), id(), boxed(check_in()))
            .prop_map(|(key_result, id, before)| Event::CheckInRetracted {
                key_result,
                id,
                before,
            })
            .boxed(),
    ]
}

fn cycle_state() -> impl Strategy<Value = CycleState> {
    select(vec![
        CycleState::Planned,
        CycleState::Active,
        CycleState::Review,
        CycleState::Closed,
    ])
}

fn objective_state() -> impl Strategy<Value = ObjectiveState> {
    select(vec![
        ObjectiveState::Draft,
        ObjectiveState::Active,
        ObjectiveState::Closed,
        ObjectiveState::Canceled,
    ])
}

fn review() -> impl Strategy<Value = Review> {
    (of(id()), date(), vec(id(), 0..4), text(), text(), text()).prop_map(
        |(team, date, attendees, achieved, learned, next)| Review {
            team,
            date,
            attendees,
            achieved,
            learned,
            next,
        },
    )
}

fn cycle() -> impl Strategy<Value = CycleFields> {
    (title(), date(), date(), of(date()), of(id())).prop_map(
        |(title, first_date, last_date, review_date, parent_cycle)| CycleFields {
            title,
            first_date,
            last_date,
            review_date,
            parent_cycle,
        },
    )
}

fn objective() -> impl Strategy<Value = ObjectiveFields> {
    let ambition = select(vec![Ambition::Committed, Ambition::Aspirational]);
    let aligned_to = proptest::prop_oneof![
        id().prop_map(Alignment::Objective),
        key_result_id().prop_map(Alignment::KeyResult),
    ];
    let first = (title(), text(), of(id()), of(id()), vec(id(), 0..4), id());
    let second = (ambition, of(aligned_to), weight(), labels(), vec(id(), 0..4));
    (first, second).prop_map(|(first, second)| {
        let (title, description, owner, team, contributing_teams, cycle) = first;
        let (ambition, aligned_to, weight, labels, serves) = second;
        ObjectiveFields {
            title,
            description,
            owner,
            team,
            contributing_teams,
            cycle,
            ambition,
            aligned_to,
            weight,
            labels,
            serves,
        }
    })
}

fn initiative() -> impl Strategy<Value = InitiativeFields> {
    let state = select(vec![
        InitiativeState::Planned,
        InitiativeState::InProgress,
        InitiativeState::Done,
        InitiativeState::Dropped,
    ]);
    let counts = (of(any::<u64>()), of(any::<u64>()));
    (title(), of(id()), of(date()), state, counts, of(id())).prop_map(
        |(title, owner, due_date, state, (planned_count, done_count), key_result)| InitiativeFields {
            title,
            owner,
            due_date,
            state,
            planned_count,
            done_count,
            key_result,
        },
    )
}

fn check_in() -> impl Strategy<Value = CheckIn> {
    let status = select(vec![
        StatusOverride::OnTrack,
        StatusOverride::Behind,
        StatusOverride::AtRisk,
    ]);
    let confidence = (0.0..=1.0).prop_map(|number: f64| Confidence::parse(number).expect("a confidence"));
    let seen = (of(value()), of(vec(id(), 0..4)));
    (timestamp(), seen, of(confidence), text(), of(status)).prop_map(
        |(effective_time, (value, reached_milestones), confidence, comment, status_override)| CheckIn {
            effective_time,
            value,
            reached_milestones,
            confidence,
            comment,
            status_override,
        },
    )
}
