//! The bytes that releases have written, and what they mean: one file for each event, all its fields set.
//!
//! `tests/data/README.md` says how a new one is added. A file is never edited, and neither is the value that belongs to
//! it here, except that a field which came later is given the value that its absence means. What came with objectives
//! that close, in all its shapes, is in `okr`; what came with alerts is in `kpi`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::civil::{Weekday, date};

use super::{LOG, decode, encode, name_in_proto, names_in_proto, record};
use crate::domain::{
    Actor, Aggregation, AlertRules, Alignment, Ambition, Authentication, Baseline, Cadence, Category,
    CheckIn, Commit, Confidence, CurrencyCode, CycleFields, CycleState, Direction, EpochStarted, Event,
    FirstWeekday, HygieneLimits, Id, InitiativeFields, InitiativeId, InitiativeState, KeyResultFields,
    KeyResultId, KeyResultKind, KpiFields, Labels, MeasurementRecorded, MemberFields, Metric,
    ObjectiveFields, ObjectiveState, Origin, Preset, Principal, RequestKey, Revision, Role, Roles, RollUp,
    ScoringPolicy, StatusOverride, Target, TeamFields, Text, TimeZoneRules, Timestamp, Title, Unit, UnitKind,
    Value, Weight, Window, WorkspaceCreated, WorkspaceFields,
};

pub(super) mod kpi;
mod okr;

/// Where every golden commit stands.
pub(super) const REVISION: Revision = Revision(42);

/// Writes the files that are missing instead of failing.
const WRITE: &str = "BINNACLE_WRITE_GOLDEN";

/// One file: the release that wrote it first, its name without the extension, and its meaning.
struct Golden {
    release: &'static str,
    name: String,
    commit: Commit,
    written: Written,
}

/// How this release would write what a file means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    /// As it is in the file.
    Same,
    /// With fields that came later; another file holds them.
    WithMore,
}

/// What is read for ever, and written with more fields today: the policy's, first its limits and then the rules of alerts,
/// and the key results' windows came later.
const WRITTEN_WITH_MORE: [&str; 5] = [
    "workspace_created",
    "workspace_created_with_limits",
    "scoring_policy_updated",
    "key_result_created",
    "key_result_updated",
];

impl Golden {
    fn path(&self) -> PathBuf {
        folder().join(self.release).join(format!("{}.bin", self.name))
    }

    fn bytes(&self) -> Vec<u8> {
        let path = self.path();
        if !path.exists() && std::env::var_os(WRITE).is_some_and(|value| value == "1") {
            fs::create_dir_all(folder().join(self.release)).expect("the release's folder");
            fs::write(&path, encode(LOG, &self.commit)).expect("a new golden file");
        }
        fs::read(&path)
            .unwrap_or_else(|error| panic!("{}: {error}; see tests/data/README.md", path.display()))
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// Every golden file of every release.
fn goldens() -> Vec<Golden> {
    let golden = |name: String, commit| Golden {
        release: "v0.1",
        written: if WRITTEN_WITH_MORE.contains(&name.as_str()) {
            Written::WithMore
        } else {
            Written::Same
        },
        name,
        commit,
    };
    let mut goldens = vec![
        golden("commit_without_events".to_owned(), commit_of(Vec::new())),
        golden("commit_of_the_server".to_owned(), commit_of_the_server()),
        golden(
            "commit_by_certificate".to_owned(),
            commit_by(Authentication::Certificate),
        ),
        golden("commit_by_token".to_owned(), commit_by(Authentication::Token)),
        golden("commit_by_api_key".to_owned(), commit_by(Authentication::ApiKey)),
    ];
    goldens.extend(
        events_of_v0_1()
            .into_iter()
            .map(|event| golden(name_in_proto(&event), commit_of(vec![event]))),
    );
    goldens.extend(
        okr::events_by_file()
            .into_iter()
            .chain(kpi::events_by_file())
            .map(|(name, events)| golden(name.to_owned(), commit_of(events))),
    );
    goldens
}

#[test]
fn golden_bytes_are_read_as_what_they_were_and_written_as_they_are() {
    for golden in goldens() {
        let path = golden.path();
        let bytes = golden.bytes();
        let decoded = decode(LOG, &record(REVISION, bytes.clone())).expect("a golden commit");
        assert_eq!(decoded, golden.commit, "{} is read otherwise", path.display());
        let written = encode(LOG, &decoded);
        match golden.written {
            Written::Same => assert_eq!(written, bytes, "{} is written otherwise", path.display()),
            Written::WithMore => {
                assert!(
                    written.len() > bytes.len(),
                    "{} is not written with more",
                    path.display()
                );
                let again = decode(LOG, &record(REVISION, written)).expect("a commit of today");
                assert_eq!(again, golden.commit, "{} is lost when written", path.display());
            }
        }
    }
}

#[test]
fn every_event_has_a_golden_file_and_every_golden_file_a_meaning() {
    let goldens = goldens();
    let events: BTreeSet<String> = goldens
        .iter()
        .filter(|golden| golden.written == Written::Same)
        .flat_map(|golden| golden.commit.events.iter().map(name_in_proto))
        .collect();
    assert_eq!(events, names_in_proto(), "left: golden; right: in the proto");
    let known: BTreeSet<PathBuf> = goldens.iter().map(Golden::path).collect();
    assert_eq!(known.len(), goldens.len(), "two meanings of one file");
    let stored: BTreeSet<PathBuf> = fs::read_dir(folder())
        .expect("tests/data")
        .map(|release| release.expect("a release").path())
        .filter(|release| release.is_dir())
        .flat_map(|release| fs::read_dir(release).expect("a release's files"))
        .map(|file| file.expect("a file").path())
        // A whole store and an archive of it are there too, and tests/upgrade.rs says what they mean.
        .filter(|file| file.extension().is_some_and(|extension| extension == "bin"))
        .collect();
    let unknown: Vec<&PathBuf> = stored.difference(&known).collect();
    assert!(unknown.is_empty(), "nothing says what they mean: {unknown:?}");
}

/// What a golden file means.
pub(super) fn commit_of_file(name: &str) -> Commit {
    let golden = goldens().into_iter().find(|golden| golden.name == name);
    golden
        .unwrap_or_else(|| panic!("{name} is no golden file"))
        .commit
}

/// A commit with every field of its origin set.
pub(super) fn commit_of(events: Vec<Event>) -> Commit {
    let origin = Origin {
        actor: Actor {
            principal: "maria@example.com".into(),
            authentication: Authentication::None,
            on_behalf_of: "joão@example.com".into(),
        },
        method: "binnacle.v1.KpiService/RecordMeasurement".into(),
        request: Some(RequestKey {
            id: std::array::from_fn(|i| u8::try_from(i).unwrap()),
            fingerprint: std::array::from_fn(|i| u8::try_from(255 - i).unwrap()),
        }),
        correlation_id: "import-2026-07".into(),
        causation_id: "sheet-17".into(),
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into(),
        user_agent: "binnacle-cli/0.1.0".into(),
        peer: "192.0.2.7:50123".into(),
        reason: "the monthly close".into(),
    };
    Commit {
        revision: REVISION,
        recorded_time: Timestamp::from_micros(1_784_505_600_123_456),
        epoch: 3,
        origin,
        events,
    }
}

fn commit_of_the_server() -> Commit {
    Commit {
        epoch: 1,
        origin: Origin::system("binnacle.Day/Start"),
        ..commit_of(vec![Event::DayStarted {
            before: None,
            date: date(2026, 7, 20),
        }])
    }
}

/// Of somebody who was authenticated: a member whose roles reach to two teams.
fn commit_by(authentication: Authentication) -> Commit {
    let fields = MemberFields {
        title: title("Jo"),
        principal: Principal::parse("spiffe://acme/jo").expect("a principal"),
        roles: Roles::parse(vec![Role::Manager]).expect("roles"),
        teams: vec![id("sales"), id("support")],
    };
    let mut commit = commit_of(vec![Event::MemberCreated {
        id: id("jo"),
        fields: Box::new(fields),
    }]);
    commit.origin.actor.authentication = authentication;
    commit
}

fn events_of_v0_1() -> Vec<Event> {
    let mut events = workspace_events();
    events.extend(people_events());
    events.extend(objective_events());
    events.extend(kpi_events());
    events
}

fn workspace_events() -> Vec<Event> {
    let epoch = EpochStarted {
        restored_revision: Revision(41),
        restored_root: [0xab; 32],
        reason: "the import of July was wrong".into(),
    };
    let created = WorkspaceCreated {
        id: id("acme"),
        fields: workspace_fields("Acme", Weekday::Monday),
        preset: Preset::KpiOnly,
        rules: rules("America/Sao_Paulo"),
        policy: policy_of_v0_1(),
    };
    vec![
        Event::EpochStarted(Box::new(epoch)),
        Event::WorkspaceCreated(Box::new(created)),
        workspace_updated(),
        Event::DayStarted {
            before: Some(date(1969, 12, 30)),
            date: date(1969, 12, 31),
        },
    ]
}

/// Written out: what the absence of its later fields means must not follow the policy of a new workspace.
fn policy_of_v0_1() -> ScoringPolicy {
    ScoringPolicy {
        semantics: 1,
        committed_bar: 0.95,
        aspirational_bar: 0.7,
        on_track_gap: 0.1,
        behind_gap: 0.25,
        achieved_from: 0.7,
        partial_from: 0.4,
        roll_up: RollUp::Own,
        check_in_cadence_days: 7,
        check_in_grace_days: 3,
        hygiene: HygieneLimits {
            objectives_of_team_max: 3,
            key_results_min: 3,
            key_results_max: 5,
            kpis_of_area_min: 3,
            kpis_of_area_max: 5,
            confidence_min: 0.4,
            linked_kpis_share_max: 0.5,
            breached_periods_max: 2,
        },
        alerts: AlertRules {
            breach_after: 1,
            recover_after: 1,
            adverse_move_periods: 3,
            adverse_move_percent: 20.0,
            healthy_share_periods: 12,
        },
    }
}

pub(super) fn workspace_updated() -> Event {
    Event::WorkspaceUpdated {
        before: Box::new(workspace_fields("Acme", Weekday::Monday)),
        after: Box::new(workspace_fields("Acme do Brasil", Weekday::Sunday)),
        rules: Some(rules("America/Fortaleza")),
    }
}

fn people_events() -> Vec<Event> {
    let team = |name: &str| {
        Box::new(TeamFields {
            title: title(name),
            parent_team: Some(id("company")),
            lead: Some(id("maria")),
        })
    };
    let member = |roles: &[Role]| {
        Box::new(MemberFields {
            title: title("Maria"),
            principal: Principal::parse("maria@example.com").expect("a principal"),
            roles: Roles::parse(roles.to_vec()).expect("roles"),
            teams: Vec::new(),
        })
    };
    vec![
        Event::TeamCreated {
            id: id("sales"),
            fields: team("Sales"),
        },
        Event::TeamUpdated {
            id: id("sales"),
            before: team("Sales"),
            after: team("Vendas"),
        },
        Event::MemberCreated {
            id: id("maria"),
            fields: member(&[Role::Lead, Role::Auditor]),
        },
        Event::MemberUpdated {
            id: id("maria"),
            before: member(&[Role::Lead, Role::Auditor]),
            after: member(&[
                Role::Owner,
                Role::Manager,
                Role::Contributor,
                Role::Ingest,
                Role::Viewer,
            ]),
        },
    ]
}

fn objective_events() -> Vec<Event> {
    let win = || KeyResultId {
        objective: id("win-brazil"),
        id: id("nps"),
    };
    let demos = || InitiativeId {
        objective: id("win-brazil"),
        id: id("demos"),
    };
    vec![
        Event::CycleCreated {
            id: id("q3-2026"),
            fields: cycle_fields("Q3"),
        },
        Event::CycleUpdated {
            id: id("q3-2026"),
            before: cycle_fields("Q3"),
            after: cycle_fields("Third quarter"),
        },
        Event::CycleActivated {
            id: id("q3-2026"),
            before: CycleState::Planned,
        },
        Event::ObjectiveCreated {
            id: id("win-brazil"),
            fields: objective_fields(Alignment::Objective(id("grow"))),
            carried_from: None,
            started_from: None,
        },
        Event::ObjectiveUpdated {
            id: id("win-brazil"),
            before: objective_fields(Alignment::Objective(id("grow"))),
            after: objective_fields(Alignment::KeyResult(KeyResultId {
                objective: id("grow"),
                id: id("revenue"),
            })),
        },
        Event::ObjectiveActivated {
            id: id("win-brazil"),
            before: ObjectiveState::Draft,
            date: date(2026, 7, 1),
        },
        Event::KeyResultCreated {
            id: win(),
            fields: key_result_fields(scale()),
            date: date(2026, 7, 2),
        },
        Event::KeyResultUpdated {
            id: win(),
            before: key_result_fields(scale()),
            after: key_result_fields(money()),
        },
        Event::InitiativeCreated {
            id: demos(),
            fields: initiative_fields(InitiativeState::Planned),
        },
        Event::InitiativeUpdated {
            id: demos(),
            before: initiative_fields(InitiativeState::InProgress),
            after: initiative_fields(InitiativeState::Dropped),
        },
        check_in_recorded(win()),
    ]
}

fn kpi_events() -> Vec<Event> {
    let target = |at_least: f64| Target {
        at_least: Some(value(at_least)),
        at_most: Some(value(90.0)),
        critical_at_least: Some(value(-1.5)),
        critical_at_most: Some(value(99.0)),
        stretch: Some(value(80.0)),
        ramp: None,
    };
    vec![
        Event::KpiCreated {
            id: id("nps"),
            fields: kpi_fields(Cadence::Weekly),
        },
        Event::KpiUpdated {
            id: id("nps"),
            before: kpi_fields(Cadence::Weekly),
            after: kpi_fields(Cadence::Irregular),
        },
        Event::TargetSet {
            kpi: id("nps"),
            date: date(2026, 8, 1),
            before: Some(target(40.0)),
            after: target(50.0),
        },
        measurement_recorded(),
    ]
}

pub(super) fn measurement_recorded() -> Event {
    Event::MeasurementRecorded(MeasurementRecorded {
        kpi: id("nps"),
        effective_time: Timestamp::from_micros(-1),
        value: 54.25,
        source_id: "survey-2026-07".into(),
        before: Some(-3.5),
        note: "corrected after the audit".into(),
    })
}

fn check_in_recorded(key_result: KeyResultId) -> Event {
    let check_in = CheckIn {
        effective_time: Timestamp::from_micros(1_784_419_200_000_000),
        value: Some(value(2.0)),
        reached_milestones: None,
        confidence: Some(Confidence::parse(0.6).expect("a confidence")),
        comment: text("Two customers wait for the contract.\nBoth said yes."),
        status_override: Some(StatusOverride::AtRisk),
    };
    Event::CheckInRecorded {
        key_result,
        id: id("c-1"),
        check_in: Box::new(check_in),
    }
}

fn workspace_fields(name: &str, first_weekday: Weekday) -> WorkspaceFields {
    WorkspaceFields {
        title: title(name),
        ultimate_goal: text("Every team knows where it stands"),
        time_zone: text("America/Sao_Paulo"),
        fiscal_year_first_month: 4,
        first_weekday: FirstWeekday(first_weekday),
    }
}

fn cycle_fields(name: &str) -> Box<CycleFields> {
    Box::new(CycleFields {
        title: title(name),
        first_date: date(2026, 7, 1),
        last_date: date(2026, 9, 30),
        review_date: Some(date(2026, 10, 5)),
        parent_cycle: Some(id("year-2026")),
    })
}

fn objective_fields(aligned_to: Alignment) -> Box<ObjectiveFields> {
    Box::new(ObjectiveFields {
        title: title("Win Brazil"),
        description: text("Be the first choice of São Paulo's retailers."),
        owner: Some(id("maria")),
        team: Some(id("sales")),
        contributing_teams: vec![id("marketing"), id("product")],
        cycle: id("q3-2026"),
        ambition: Ambition::Aspirational,
        aligned_to: Some(aligned_to),
        weight: Weight::parse(2.5).expect("a weight"),
        labels: labels(),
        serves: vec![id("nps"), id("revenue")],
    })
}

fn key_result_fields(unit: Unit) -> Box<KeyResultFields> {
    let metric = Metric {
        baseline: Some(Baseline {
            value: value(0.5),
            kpi_revision: Some(Revision(17)),
        }),
        target: value(2.0),
        relative_target: None,
        reference_value: None,
    };
    Box::new(KeyResultFields {
        title: title("NPS of 60"),
        owner: Some(id("maria")),
        kind: KeyResultKind::Metric(metric),
        unit: Some(unit),
        weight: Weight::parse(0.25).expect("a weight"),
        kpi: Some(id("nps")),
        due_date: Some(date(2026, 9, 15)),
        window: Window::Newest,
    })
}

fn initiative_fields(state: InitiativeState) -> Box<InitiativeFields> {
    Box::new(InitiativeFields {
        title: title("Fifty demos"),
        owner: Some(id("maria")),
        due_date: Some(date(2026, 8, 31)),
        state,
        planned_count: Some(50),
        done_count: Some(0),
        key_result: Some(id("nps")),
    })
}

fn kpi_fields(cadence: Cadence) -> Box<KpiFields> {
    Box::new(KpiFields {
        title: title("Net promoter score"),
        description: text("Would you recommend us?"),
        owner: Some(id("maria")),
        team: Some(id("sales")),
        area: text("sales"),
        category: Category::Operational,
        unit: money(),
        direction: Direction::InRange,
        cadence,
        grace_days: 5,
        review_cadence: Some(Cadence::Quarterly),
        aggregation: Aggregation::Mean,
        data_source: text("the survey"),
        replaces: Some(id("old-nps")),
        labels: labels(),
        transform: None,
    })
}

fn money() -> Unit {
    let code = CurrencyCode::parse("BRL").expect("a currency");
    Unit::parse(UnitKind::Currency(code), "R$", Some(2)).expect("a unit")
}

fn scale() -> Unit {
    let labels = ["red".to_owned(), "yellow".to_owned(), "green".to_owned()];
    let kind = UnitKind::scale(&labels).expect("a scale");
    Unit::parse(kind, "light", Some(0)).expect("a unit")
}

fn labels() -> Labels {
    Labels::parse([("tier", "1"), ("empty", ""), ("region", "south")]).expect("labels")
}

/// Three hours west of Greenwich all the year, written out: the release of the time-zone database must not matter.
pub(super) fn rules(name: &str) -> TimeZoneRules {
    let mut block = b"TZif2".to_vec();
    block.extend([0; 15]);
    // Counts: UT indicators, standard indicators, leap seconds, transitions, types, characters.
    for count in [0_u32, 0, 0, 0, 1, 4] {
        block.extend(count.to_be_bytes());
    }
    block.extend((-3 * 3600_i32).to_be_bytes());
    block.extend([0, 0]);
    block.extend(b"-03\0");
    let tzif = [block.as_slice(), block.as_slice(), b"\n<-03>3\n"].concat();
    TimeZoneRules::parse(name, &tzif).expect("rules")
}

fn id(text: &str) -> Id {
    Id::parse(text).expect("an id")
}

fn title(text: &str) -> Title {
    Title::parse(text).expect("a title")
}

fn text(text: &str) -> Text {
    Text::parse(text).expect("a text")
}

fn value(number: f64) -> Value {
    Value::parse(number).expect("a value")
}
