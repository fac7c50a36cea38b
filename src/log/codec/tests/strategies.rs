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
    Actor, AlertRules, Authentication, Commit, CurrencyCode, EpochStarted, Event, FirstWeekday,
    HygieneLimits, Id, Labels, MemberFields, Origin, Preset, Principal, RequestKey, Revision, Role, Roles,
    RollUp, ScoringPolicy, TeamFields, Text, TimeZoneRules, Timestamp, Title, Unit, UnitKind, Value, Weight,
    WorkspaceCreated, WorkspaceFields,
};

mod alert;
mod closing;
mod deletion;
mod key_result;
mod kpi;
mod okr;

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
    [
        workspace_events(),
        people_events(),
        okr::events(),
        deletion::events(),
        kpi::events(),
        alert::events(),
    ]
    .concat()
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
    let policy_updated = (boxed(policy()), boxed(policy()))
        .prop_map(|(before, after)| Event::ScoringPolicyUpdated { before, after });
    vec![
        epoch.boxed(),
        created.boxed(),
        updated.boxed(),
        day.boxed(),
        policy_updated.boxed(),
    ]
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
    let part = || -1e3..1e3;
    let parts = [part(), part(), part(), part(), part(), part()];
    let roll_up = select(vec![RollUp::Own, RollUp::OwnAndAligned]);
    (any::<[u32; 3]>(), parts, roll_up, hygiene(), alert_rules()).prop_map(
        |(whole, parts, roll_up, hygiene, alerts)| ScoringPolicy {
            semantics: whole[0],
            committed_bar: parts[0],
            aspirational_bar: parts[1],
            on_track_gap: parts[2],
            behind_gap: parts[3],
            achieved_from: parts[4],
            partial_from: parts[5],
            roll_up,
            check_in_cadence_days: whole[1],
            check_in_grace_days: whole[2],
            hygiene,
            alerts,
        },
    )
}

fn alert_rules() -> impl Strategy<Value = AlertRules> {
    (any::<[u32; 4]>(), -1e3..1e3).prop_map(|(whole, adverse_move_percent)| AlertRules {
        breach_after: whole[0],
        recover_after: whole[1],
        adverse_move_periods: whole[2],
        adverse_move_percent,
        healthy_share_periods: whole[3],
    })
}

fn hygiene() -> impl Strategy<Value = HygieneLimits> {
    (any::<[u32; 6]>(), [-1e3..1e3, -1e3..1e3]).prop_map(|(whole, parts)| HygieneLimits {
        objectives_of_team_max: whole[0],
        key_results_min: whole[1],
        key_results_max: whole[2],
        kpis_of_area_min: whole[3],
        kpis_of_area_max: whole[4],
        confidence_min: parts[0],
        linked_kpis_share_max: parts[1],
        breached_periods_max: whole[5],
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
    let teams = prop::collection::btree_set(id(), 0..4);
    let roles = prop::sample::subsequence(roles, 1..=7);
    (title(), "\\PC{1,40}", roles, teams).prop_map(|(title, principal, roles, teams)| MemberFields {
        title,
        principal: Principal::parse(&principal).expect("a principal"),
        roles: Roles::parse(roles).expect("roles"),
        teams: teams.into_iter().collect(),
    })
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
