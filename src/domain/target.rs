//! Targets: what a KPI should be from a date on, until the next one.
//!
//! A target may move: its ramp says where its bounds are by a later date, and between the two they lie on a straight line.
//! Invariant: what judges a period value are the bounds of the period's last day, so that a changed target never changes
//! what was recorded, only how it is judged from then on.

use imbl::OrdMap;
use jiff::civil::Date;
use serde::Serialize;

use super::{
    Direction, Event, Id, Kpi, KpiFields, Rejection, ResourceName, Revision, Timestamp, Unit, UnitKind,
    Value, Violation, Workspace, days_between,
};

/// What a KPI should be. The bounds follow the direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Target {
    /// Healthy from here up.
    pub at_least: Option<Value>,
    /// Healthy from here down.
    pub at_most: Option<Value>,
    /// Below this it is BREACHED, from here to `at_least` WATCH.
    pub critical_at_least: Option<Value>,
    /// Above this it is BREACHED, from `at_most` to here WATCH.
    pub critical_at_most: Option<Value>,
    /// What would be splendid; never judged.
    pub stretch: Option<Value>,
    /// Where the bounds move to.
    pub ramp: Option<Ramp>,
}

/// Where the bounds of a target move to, in a straight line from the target's own date on. A bound that is absent here
/// stays where it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ramp {
    /// When they have arrived; from then on they stay.
    pub date: Date,
    /// Healthy from here up.
    pub at_least: Option<Value>,
    /// Healthy from here down.
    pub at_most: Option<Value>,
    /// Below this it is BREACHED.
    pub critical_at_least: Option<Value>,
    /// Above this it is BREACHED.
    pub critical_at_most: Option<Value>,
}

/// A target with what the log says about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SetTarget {
    /// The bounds.
    pub target: Target,
    /// When it was set.
    pub recorded_time: Timestamp,
    /// The revision that set it.
    pub revision: Revision,
}

/// A KPI's targets by the date from which they hold.
pub type Targets = OrdMap<Date, SetTarget>;

impl Kpi {
    /// The target in force on a day, the newest whose date has come, with its bounds as they are on that day.
    #[must_use]
    pub fn target_on(&self, date: Date) -> Option<(Date, Target)> {
        let (from, set) = self.targets.get_prev(&date)?;
        Some((*from, set.target.on(*from, date)))
    }
}

impl Target {
    /// The bounds on a day, of a target that holds from a date: b + (r − b) · days gone ÷ days of the ramp, where r is what
    /// the ramp leads to.
    #[must_use]
    pub fn on(&self, from: Date, day: Date) -> Self {
        let Some(ramp) = &self.ramp else { return *self };
        let days = days_between(from, ramp.date).max(1);
        let gone = days_between(from, day).clamp(0, days);
        let share = f64::from(gone) / f64::from(days);
        let between = |start: Option<Value>, end: Option<Value>| match (start, end) {
            (Some(_), Some(end)) if gone == days => Some(end),
            // Between two values that are in bounds there are only such.
            (Some(start), Some(end)) => {
                Some(Value::parse(start.get() + (end.get() - start.get()) * share).unwrap_or(start))
            }
            (start, _) => start,
        };
        Self {
            at_least: between(self.at_least, ramp.at_least),
            at_most: between(self.at_most, ramp.at_most),
            critical_at_least: between(self.critical_at_least, ramp.critical_at_least),
            critical_at_most: between(self.critical_at_most, ramp.critical_at_most),
            stretch: self.stretch,
            ramp: None,
        }
    }

    /// The bounds as people read them: "at least 45 %, at least 60 % by 2026-12-31".
    #[must_use]
    pub fn text(&self, unit: &Unit) -> String {
        let said = |at_least: Option<Value>, at_most: Option<Value>| {
            let text = |bound: Value| unit.short_text(bound.get());
            match (at_least.map(text), at_most.map(text)) {
                (Some(least), Some(most)) => format!("{least} to {most}"),
                (Some(least), None) => format!("at least {least}"),
                (None, Some(most)) => format!("at most {most}"),
                (None, None) => String::new(),
            }
        };
        let now = said(self.at_least, self.at_most);
        match &self.ramp {
            None => now,
            Some(ramp) => {
                let then = said(ramp.at_least.or(self.at_least), ramp.at_most.or(self.at_most));
                format!("{now}, {then} by {}", ramp.date)
            }
        }
    }

    /// The bound that counts against a value: the one that it misses, else the nearer one.
    #[must_use]
    pub fn nearer_bound(&self, direction: Direction, value: f64) -> Option<Value> {
        match (direction, self.at_least, self.at_most) {
            (Direction::HigherIsBetter, at_least, _) => at_least,
            (Direction::LowerIsBetter, _, at_most) => at_most,
            (Direction::InRange, Some(least), Some(most)) => {
                let (below, above) = (least.get() - value, value - most.get());
                Some(if below >= above { least } else { most })
            }
            (Direction::InRange, at_least, at_most) => at_least.or(at_most),
        }
    }

    /// What does not fit the KPI's direction and unit, or each other, as the target of a date.
    pub(super) fn violations(&self, kpi: &KpiFields, from: Date) -> Vec<Violation> {
        let mut bad = Vec::new();
        self.check_bounds(kpi.direction, "target", &mut bad);
        self.check_stretch(kpi.direction, &mut bad);
        self.check_scale(kpi, &mut bad);
        let Some(ramp) = &self.ramp else { return bad };
        let mut violation =
            |field: &str, sentence: &str| bad.push(violation_of("target.ramp", field, sentence));
        if ramp.date <= from {
            violation(
                "date",
                "it is not after effective_date: say by when the ramp has arrived",
            );
        }
        let moves = [
            ("at_least", self.at_least, ramp.at_least),
            ("at_most", self.at_most, ramp.at_most),
            (
                "critical_at_least",
                self.critical_at_least,
                ramp.critical_at_least,
            ),
            ("critical_at_most", self.critical_at_most, ramp.critical_at_most),
        ];
        for (field, start, end) in moves {
            if start.is_none() && end.is_some() {
                violation(
                    field,
                    "the target has no such bound to start from: set it there too",
                );
            }
        }
        if moves.iter().all(|(_, _, end)| end.is_none()) {
            bad.push(Violation {
                field: "target.ramp".to_owned(),
                sentence: "it moves nothing: say which bound it leads to, or leave the ramp out".to_owned(),
            });
        }
        if bad.is_empty() {
            let arrived = self.on(from, ramp.date);
            arrived.check_bounds(kpi.direction, "target.ramp", &mut bad);
            arrived.check_stretch(kpi.direction, &mut bad);
        }
        bad
    }

    /// Checks the bounds against a direction and each other.
    fn check_bounds(&self, direction: Direction, path: &str, bad: &mut Vec<Violation>) {
        let mut check = |wrong: bool, field: &str, sentence: &str| {
            if wrong {
                bad.push(violation_of(path, field, sentence));
            }
        };
        let above = |a: Option<Value>, b: Option<Value>| matches!((a, b), (Some(a), Some(b)) if a > b);
        let needs_least = direction != Direction::LowerIsBetter;
        let needs_most = direction != Direction::HigherIsBetter;
        check(
            needs_least && self.at_least.is_none(),
            "at_least",
            "it is missing: this KPI should not go lower",
        );
        check(
            needs_most && self.at_most.is_none(),
            "at_most",
            "it is missing: this KPI should not go higher",
        );
        check(
            !needs_least && (self.at_least.is_some() || self.critical_at_least.is_some()),
            "at_least",
            "lower is better for this KPI: use at_most and critical_at_most",
        );
        check(
            !needs_most && (self.at_most.is_some() || self.critical_at_most.is_some()),
            "at_most",
            "higher is better for this KPI: use at_least and critical_at_least",
        );
        check(
            above(self.at_least, self.at_most),
            "at_least",
            "it is above at_most: swap them",
        );
        check(
            above(self.critical_at_least, self.at_least),
            "critical_at_least",
            "it is above at_least: the critical bound is the worse one",
        );
        check(
            above(self.at_most, self.critical_at_most),
            "critical_at_most",
            "it is below at_most: the critical bound is the worse one",
        );
    }

    /// A stretch does not move with the ramp: it is better than all that the ramp comes to.
    fn check_stretch(&self, direction: Direction, bad: &mut Vec<Violation>) {
        let above = |a: Option<Value>, b: Option<Value>| matches!((a, b), (Some(a), Some(b)) if a > b);
        let worse = match direction {
            Direction::HigherIsBetter => above(self.at_least, self.stretch),
            Direction::LowerIsBetter => above(self.stretch, self.at_most),
            Direction::InRange => above(self.at_least, self.stretch) || above(self.stretch, self.at_most),
        };
        if worse {
            bad.push(violation_of(
                "target",
                "stretch",
                "it is worse than the target, or than what its ramp leads to: a stretch is better than the target",
            ));
        }
    }

    /// On a scale a bound is the index of a label, unless what is judged is a count or a change.
    fn check_scale(&self, kpi: &KpiFields, bad: &mut Vec<Violation>) {
        let unit = kpi.judged_unit();
        if !matches!(unit.kind, UnitKind::Scale(_)) {
            return;
        }
        let arrived = self.ramp.as_ref();
        for (field, bound) in [
            ("at_least", self.at_least),
            ("at_most", self.at_most),
            ("critical_at_least", self.critical_at_least),
            ("critical_at_most", self.critical_at_most),
            ("stretch", self.stretch),
            ("ramp.at_least", arrived.and_then(|ramp| ramp.at_least)),
            ("ramp.at_most", arrived.and_then(|ramp| ramp.at_most)),
            (
                "ramp.critical_at_least",
                arrived.and_then(|ramp| ramp.critical_at_least),
            ),
            (
                "ramp.critical_at_most",
                arrived.and_then(|ramp| ramp.critical_at_most),
            ),
        ] {
            if let Some(Err(invalid)) = bound.map(|bound| unit.check(bound.get())) {
                bad.push(invalid.at(format!("target.{field}")));
            }
        }
    }
}

fn violation_of(path: &str, field: &str, sentence: &str) -> Violation {
    Violation {
        field: format!("{path}.{field}"),
        sentence: sentence.to_owned(),
    }
}

pub(super) fn set(
    workspace: &Workspace,
    id: &Id,
    date: Date,
    target: &Target,
) -> Result<Vec<Event>, Rejection> {
    let kpi = workspace.kpi_in_use(id)?;
    let violations = target.violations(&kpi.fields, date);
    if !violations.is_empty() {
        return Err(Rejection::Invalid(violations));
    }
    let before = kpi.targets.get(&date).map(|set| set.target);
    if before == Some(*target) {
        return Ok(Vec::new());
    }
    Ok(vec![Event::TargetSet {
        kpi: id.clone(),
        date,
        before,
        after: *target,
    }])
}

pub(super) fn delete(workspace: &Workspace, id: &Id, date: Date) -> Result<Vec<Event>, Rejection> {
    let kpi = workspace.kpi_in_use(id)?;
    let Some(set) = kpi.targets.get(&date) else {
        return Err(Rejection::NotFound(ResourceName::Target(id.clone(), date)));
    };
    Ok(vec![Event::TargetDeleted {
        kpi: id.clone(),
        date,
        before: set.target,
    }])
}
