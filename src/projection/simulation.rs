//! What-if: hypothetical commands decided and folded on a copy of a state, which is then thrown away.
//!
//! Invariant: the figures after are those that really doing it would give, because it is the same decide, the same fold and
//! the same figures. It records nothing and knows neither log nor clock: the moment is given to it.

use jiff::civil::Date;
use smol_str::SmolStr;

use super::figures::DerivedChange;
use super::state::State;
use crate::domain::{
    Actor, Authentication, Command, Commit, Origin, Rejection, TimeZoneRules, Timestamp, decide, plus_days,
};

/// A command to imagine.
#[derive(Clone, Debug, PartialEq)]
pub struct Imagined {
    /// The command.
    pub command: Command,
    /// Why; empty: no reason given.
    pub reason: SmolStr,
}

/// When, and by whom, it is imagined.
#[derive(Clone, Debug)]
pub struct Premise {
    /// The moment that it is now.
    pub now: Timestamp,
    /// The local date on which it happens, today or later; none: today.
    pub date: Option<Date>,
    /// Who would do it.
    pub principal: SmolStr,
}

/// What would follow.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulated {
    /// Every figure that would be another one.
    pub changes: Vec<DerivedChange>,
    /// How many events the commands would have recorded.
    pub event_count: usize,
}

/// Imagines commands, each on the result of those in front of it. What is refused changes nothing, and the rest is decided
/// all the same, so that everything that is wrong is said at once. `wanted` is asked before each: once it says no, nobody is
/// waiting any more, and the rest is left out.
///
/// # Errors
/// Commands are refused: each by its index in `commands`.
pub fn simulate(
    state: &State,
    commands: Vec<(usize, Imagined)>,
    premise: &Premise,
    wanted: impl Fn() -> bool,
) -> Result<Simulated, Vec<(usize, Rejection)>> {
    let mut imagined = state.clone();
    let mut event_count = 0;
    let mut refused = Vec::new();
    let workspace = state.workspace();
    let now = workspace
        .newest_recorded_time()
        .map_or(premise.now, |newest| newest.max(premise.now));
    // A workspace that begins here has the days of its own time zone.
    let rules = match commands.first() {
        Some((_, first)) if workspace.id().is_none() => first.rules(),
        _ => None,
    };
    let rules = rules.unwrap_or(workspace.rules()).clone();
    let moment = match premise.date {
        // The last moment of a later day: everything that happens on it has happened.
        Some(date) if date > rules.date(now) => {
            let next_day = rules.start_of(plus_days(date, 1));
            Timestamp::from_micros(next_day.as_micros() - 1)
        }
        _ => now,
    };
    if workspace.id().is_some() {
        let date = rules.date(moment);
        let _day = imagine(
            &mut imagined,
            Imagined::silent(Command::StartDay { date }),
            moment,
            premise,
        );
    }
    for (index, command) in commands {
        if !wanted() {
            break;
        }
        match imagine(&mut imagined, command, moment, premise) {
            Ok(events) => event_count += events,
            Err(rejection) => refused.push((index, rejection)),
        }
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    imagined.refresh();
    Ok(Simulated {
        changes: state.changes_to(&imagined),
        event_count,
    })
}

impl Imagined {
    /// The rules of the days of the workspace that it begins; none where it begins none.
    #[must_use]
    pub fn rules(&self) -> Option<&TimeZoneRules> {
        match &self.command {
            Command::CreateWorkspace(new) => Some(&new.rules),
            _ => None,
        }
    }

    fn silent(command: Command) -> Self {
        Self {
            command,
            reason: SmolStr::default(),
        }
    }
}

/// Decides and folds one command, and answers how many events it makes.
fn imagine(
    state: &mut State,
    Imagined { command, reason }: Imagined,
    moment: Timestamp,
    premise: &Premise,
) -> Result<usize, Rejection> {
    let workspace = state.workspace();
    let mut commit = Commit {
        revision: workspace.revision().next(),
        recorded_time: moment,
        epoch: 0,
        origin: Origin {
            actor: Actor {
                principal: premise.principal.clone(),
                authentication: Authentication::None,
                on_behalf_of: SmolStr::default(),
            },
            reason,
            ..Origin::system("Simulate")
        },
        events: Vec::new(),
    };
    let events = decide(workspace, &command, &commit.stamp())?.events;
    if events.is_empty() {
        return Ok(0);
    }
    commit.events = events;
    state.fold(&commit);
    Ok(commit.events.len())
}
