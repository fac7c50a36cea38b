//! Arbitrary commits: every variant, every field, every bound.

use jiff::civil::{Date, Weekday};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{Just, any, prop};
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy, Union};
use smol_str::SmolStr;

use super::golden;
use crate::domain::{
    Actor, Aggregation, Alignment, Ambition, Authentication, Baseline, Cadence, Category, CheckIn, Commit,
    Confidence, CurrencyCode, CycleFields, CycleState, Direction, EpochStarted, Event, FirstWeekday, Id,
    InitiativeFields, InitiativeId, InitiativeState, KeyResultFields, KeyResultId, KeyResultKind, KpiFields,
    Labels, MeasurementRecorded, MemberFields, Metric, ObjectiveFields, ObjectiveState, Origin, Preset,
    Principal, RequestKey, Revision, Role, Roles, ScoringPolicy, StatusOverride, Target, TeamFields, Text,
    TimeZoneRules, Timestamp, Title, Unit, UnitKind, Value, Weight, WorkspaceCreated, WorkspaceFields,
};

/// A commit of up to four events of any kind.
pub(super) fn commit() -> impl Strategy<Value = Commit> {
    let head = (any::<u64>(), timestamp(), 1..=u32::MAX, origin());
    (head, vec(Union::new(events()), 0..4)).prop_map(|((revision, recorded_time, epoch, origin), events)| {
        Commit {
            revision: Revision(revision),
            recorded_time,
            epoch,
            origin,
            events,
        }
    })
}

/// One strategy for each variant.
pub(super) fn events() -> Vec<BoxedStrategy<Event>> {
    [workspace_events(), people_events(), okr_events(), kpi_events()].concat()
}

fn workspace_events() -> Vec<BoxedStrategy<Event>> {
    let epoch = (any::<u64>(), any::<[u8; 32]>(), small()).prop_map(|(revision, restored_root, reason)| {
        Event::EpochStarted(Box::new(EpochStarted {
            restored_revision: Revision(revision),
            restored_root,
            reason,
        }))
    });
    let preset = select(vec![Preset::Full, Preset::Small, Preset::KpiOnly]);
    let created = (id(), workspace_fields(), preset, rules(), policy()).prop_map(
        |(id, fields, preset, rules, policy)| {
            Event::WorkspaceCreated(Box::new(WorkspaceCreated {
                id,
                fields,
                preset,
                rules,
                policy,
            }))
        },
    );
    let updated = (boxed(workspace_fields()), boxed(workspace_fields()), of(rules()))
        .prop_map(|(before, after, rules)| Event::WorkspaceUpdated { before, after, rules });
    let day = (of(date()), date()).prop_map(|(before, date)| Event::DayStarted { before, date });
    vec![epoch.boxed(), created.boxed(), updated.boxed(), day.boxed()]
}

fn people_events() -> Vec<BoxedStrategy<Event>> {
    let team_created = (id(), boxed(team())).prop_map(|(id, fields)| Event::TeamCreated { id, fields });
    let team_updated = (id(), boxed(team()), boxed(team()))
        .prop_map(|(id, before, after)| Event::TeamUpdated { id, before, after });
    let member_created = (id(), boxed(member())).prop_map(|(id, fields)| Event::MemberCreated { id, fields });
    let member_updated = (id(), boxed(member()), boxed(member()))
        .prop_map(|(id, before, after)| Event::MemberUpdated { id, before, after });
    vec![
        team_created.boxed(),
        team_updated.boxed(),
        member_created.boxed(),
        member_updated.boxed(),
    ]
}

fn okr_events() -> Vec<BoxedStrategy<Event>> {
    let cycle_states = vec![
        CycleState::Planned,
        CycleState::Active,
        CycleState::Review,
        CycleState::Closed,
    ];
    let states = vec![
        ObjectiveState::Draft,
        ObjectiveState::Active,
        ObjectiveState::Closed,
        ObjectiveState::Canceled,
    ];
    vec![
        (id(), boxed(cycle()))
            .prop_map(|(id, fields)| Event::CycleCreated { id, fields })
            .boxed(),
        (id(), boxed(cycle()), boxed(cycle()))
            .prop_map(|(id, before, after)| Event::CycleUpdated { id, before, after })
            .boxed(),
        (id(), select(cycle_states))
            .prop_map(|(id, before)| Event::CycleActivated { id, before })
            .boxed(),
        (id(), boxed(objective()))
            .prop_map(|(id, fields)| Event::ObjectiveCreated { id, fields })
            .boxed(),
        (id(), boxed(objective()), boxed(objective()))
            .prop_map(|(id, before, after)| Event::ObjectiveUpdated { id, before, after })
            .boxed(),
        (id(), select(states), date())
            .prop_map(|(id, before, date)| Event::ObjectiveActivated { id, before, date })
            .boxed(),
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
        (key_result_id(), id(), boxed(check_in()))
            .prop_map(|(key_result, id, check_in)| Event::CheckInRecorded {
                key_result,
                id,
                check_in,
            })
            .boxed(),
    ]
}

fn kpi_events() -> Vec<BoxedStrategy<Event>> {
    let measurement = (id(), timestamp(), value(), small(), of(value()), small());
    vec![
        (id(), boxed(kpi()))
            .prop_map(|(id, fields)| Event::KpiCreated { id, fields })
            .boxed(),
        (id(), boxed(kpi()), boxed(kpi()))
            .prop_map(|(id, before, after)| Event::KpiUpdated { id, before, after })
            .boxed(),
        (id(), date(), of(target()), target())
            .prop_map(|(kpi, date, before, after)| Event::TargetSet {
                kpi,
                date,
                before,
                after,
            })
            .boxed(),
        measurement
            .prop_map(|(kpi, effective_time, value, source_id, before, note)| {
                Event::MeasurementRecorded(MeasurementRecorded {
                    kpi,
                    effective_time,
                    value: value.get(),
                    source_id,
                    before: before.map(Value::get),
                    note,
                })
            })
            .boxed(),
    ]
}

fn origin() -> impl Strategy<Value = Origin> {
    let authentication = select(vec![Authentication::None, Authentication::System]);
    let actor =
        (small(), authentication, small()).prop_map(|(principal, authentication, on_behalf_of)| Actor {
            principal,
            authentication,
            on_behalf_of,
        });
    let request =
        (any::<[u8; 16]>(), any::<[u8; 32]>()).prop_map(|(id, fingerprint)| RequestKey { id, fingerprint });
    let texts = (small(), small(), small(), small(), small(), small(), small());
    (actor, of(request), texts).prop_map(|(actor, request, texts)| {
        let (method, correlation_id, causation_id, traceparent, user_agent, peer, reason) = texts;
        Origin {
            actor,
            method,
            request,
            correlation_id,
            causation_id,
            traceparent,
            user_agent,
            peer,
            reason,
        }
    })
}

fn workspace_fields() -> impl Strategy<Value = WorkspaceFields> {
    let weekday =
        (1_i8..=7).prop_map(|n| FirstWeekday(Weekday::from_monday_one_offset(n).expect("a weekday")));
    (title(), text(), text(), 1_i8..=12, weekday).prop_map(
        |(title, ultimate_goal, time_zone, fiscal_year_first_month, first_weekday)| WorkspaceFields {
            title,
            ultimate_goal,
            time_zone,
            fiscal_year_first_month,
            first_weekday,
        },
    )
}

fn policy() -> impl Strategy<Value = ScoringPolicy> {
    (any::<[u32; 3]>(), [-1e3..1e3, -1e3..1e3, -1e3..1e3, -1e3..1e3]).prop_map(|(whole, parts)| {
        ScoringPolicy {
            semantics: whole[0],
            committed_bar: parts[0],
            aspirational_bar: parts[1],
            on_track_gap: parts[2],
            behind_gap: parts[3],
            check_in_cadence_days: whole[1],
            check_in_grace_days: whole[2],
        }
    })
}

fn rules() -> impl Strategy<Value = TimeZoneRules> {
    prop::bool::ANY.prop_map(|utc| {
        if utc {
            TimeZoneRules::utc()
        } else {
            golden::rules("America/Sao_Paulo")
        }
    })
}

fn team() -> impl Strategy<Value = TeamFields> {
    (title(), of(id()), of(id())).prop_map(|(title, parent_team, lead)| TeamFields {
        title,
        parent_team,
        lead,
    })
}

fn member() -> impl Strategy<Value = MemberFields> {
    let roles = vec![
        Role::Owner,
        Role::Lead,
        Role::Manager,
        Role::Contributor,
        Role::Ingest,
        Role::Viewer,
        Role::Auditor,
    ];
    (title(), "\\PC{1,40}", prop::sample::subsequence(roles, 1..=7)).prop_map(|(title, principal, roles)| {
        MemberFields {
            title,
            principal: Principal::parse(&principal).expect("a principal"),
            roles: Roles::parse(roles).expect("roles"),
        }
    })
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

fn key_result() -> impl Strategy<Value = KeyResultFields> {
    let baseline = (value(), of(any::<u64>().prop_map(Revision)))
        .prop_map(|(value, kpi_revision)| Baseline { value, kpi_revision });
    let kind = (of(baseline), value())
        .prop_map(|(baseline, target)| KeyResultKind::Metric(Metric { baseline, target }));
    (
        title(),
        of(id()),
        kind,
        of(unit()),
        weight(),
        of(id()),
        of(date()),
    )
        .prop_map(
            |(title, owner, kind, unit, weight, kpi, due_date)| KeyResultFields {
                title,
                owner,
                kind,
                unit,
                weight,
                kpi,
                due_date,
            },
        )
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
    (timestamp(), of(value()), of(confidence), text(), of(status)).prop_map(
        |(effective_time, value, confidence, comment, status_override)| CheckIn {
            effective_time,
            value,
            confidence,
            comment,
            status_override,
        },
    )
}

fn kpi() -> impl Strategy<Value = KpiFields> {
    let category = select(vec![
        Category::Strategic,
        Category::Operational,
        Category::Financial,
    ]);
    let direction = select(vec![
        Direction::HigherIsBetter,
        Direction::LowerIsBetter,
        Direction::InRange,
    ]);
    let aggregation = select(vec![
        Aggregation::Last,
        Aggregation::Sum,
        Aggregation::Mean,
        Aggregation::Min,
        Aggregation::Max,
        Aggregation::Count,
    ]);
    let first = (
        title(),
        text(),
        of(id()),
        of(id()),
        text(),
        category,
        unit(),
        direction,
    );
    let second = (
        cadence(),
        any::<u32>(),
        of(cadence()),
        aggregation,
        text(),
        of(id()),
        labels(),
    );
    (first, second).prop_map(|(first, second)| {
        let (title, description, owner, team, area, category, unit, direction) = first;
        let (cadence, grace_days, review_cadence, aggregation, data_source, replaces, labels) = second;
        KpiFields {
            title,
            description,
            owner,
            team,
            area,
            category,
            unit,
            direction,
            cadence,
            grace_days,
            review_cadence,
            aggregation,
            data_source,
            replaces,
            labels,
        }
    })
}

fn target() -> impl Strategy<Value = Target> {
    (of(value()), of(value()), of(value()), of(value()), of(value())).prop_map(
        |(at_least, at_most, critical_at_least, critical_at_most, stretch)| Target {
            at_least,
            at_most,
            critical_at_least,
            critical_at_most,
            stretch,
        },
    )
}

fn cadence() -> impl Strategy<Value = Cadence> {
    select(vec![
        Cadence::Daily,
        Cadence::Weekly,
        Cadence::Monthly,
        Cadence::Quarterly,
        Cadence::Semiannual,
        Cadence::Annual,
        Cadence::Irregular,
    ])
}

fn unit() -> impl Strategy<Value = Unit> {
    let kind = proptest::prop_oneof![
        Just(UnitKind::Number),
        Just(UnitKind::Percent),
        Just(UnitKind::Duration),
        Just(UnitKind::Count),
        "[A-Z]{3}".prop_map(|code| UnitKind::Currency(CurrencyCode::parse(&code).expect("a currency"))),
        vec("\\PC{1,20}", 2..5).prop_map(|labels| UnitKind::scale(&labels).expect("a scale")),
    ];
    (kind, "\\PC{0,20}", of(0_u32..=9))
        .prop_map(|(kind, symbol, decimals)| Unit::parse(kind, &symbol, decimals).expect("a unit"))
}

fn key_result_id() -> impl Strategy<Value = KeyResultId> {
    (id(), id()).prop_map(|(objective, id)| KeyResultId { objective, id })
}

fn initiative_id() -> impl Strategy<Value = InitiativeId> {
    (id(), id()).prop_map(|(objective, id)| InitiativeId { objective, id })
}

fn id() -> impl Strategy<Value = Id> {
    "[a-z]([a-z0-9-]{0,40}[a-z0-9])?".prop_map(|text| Id::parse(&text).expect("an id"))
}

fn title() -> impl Strategy<Value = Title> {
    "\\PC{0,40}x".prop_map(|text| Title::parse(&text).expect("a title"))
}

fn text() -> impl Strategy<Value = Text> {
    "(?s).{0,40}".prop_map(|text| Text::parse(&text).expect("a text"))
}

fn small() -> impl Strategy<Value = SmolStr> {
    "(?s).{0,30}".prop_map(SmolStr::from)
}

fn labels() -> impl Strategy<Value = Labels> {
    prop::collection::btree_map("\\PC{1,30}", "\\PC{0,30}", 0..6).prop_map(|labels| {
        let pairs = labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        Labels::parse(pairs).expect("labels")
    })
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    (Timestamp::MIN.as_micros()..=Timestamp::MAX.as_micros()).prop_map(Timestamp::from_micros)
}

fn date() -> impl Strategy<Value = Date> {
    (-9999_i16..=9999, 1_i8..=12, 1_i8..=28)
        .prop_map(|(year, month, day)| Date::new(year, month, day).expect("a date"))
}

fn value() -> impl Strategy<Value = Value> {
    let number = proptest::prop_oneof![Just(0.0), -1e3..=1e3, -Value::MAX..=Value::MAX];
    number.prop_map(|number| Value::parse(number).expect("a value"))
}

fn weight() -> impl Strategy<Value = Weight> {
    (0.0..=1000.0).prop_map(|number: f64| Weight::parse(number).expect("a weight"))
}

fn boxed<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>) -> impl Strategy<Value = Box<T>> {
    strategy.prop_map(Box::new)
}
