//! What follows from monthly figures, told forward in time as a person would with a pencil: how a month stands against a
//! target, and when a KPI would have asked for action had its figures come month by month.

use binnacle::proto::api;
use binnacle::proto::api::alert::Kind;
use jiff::civil::Date;

use crate::figures::Months;

/// At least so much, and BREACHED below what is critical; nothing critical: BREACHED at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) at_least: f64,
    pub(crate) critical: Option<f64>,
}

/// How many BREACHED months in a row open an alert, and how many HEALTHY ones close it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) breach_after: i32,
    pub(crate) recover_after: i32,
}

/// An alert: the month whose figure opened it, and the one whose figure closed it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Spell {
    pub(crate) kind: Kind,
    pub(crate) opened: Date,
    /// The newest month that was known as it opened, with its figure.
    pub(crate) newest: (Date, f64),
    pub(crate) reference: Option<f64>,
    pub(crate) periods: i32,
    pub(crate) closed: Option<Date>,
}

pub(crate) const fn rules(breach_after: i32, recover_after: i32) -> Rules {
    Rules {
        breach_after,
        recover_after,
    }
}

impl Bounds {
    pub(crate) fn judge(self, figure: f64) -> api::Health {
        match self.critical {
            _ if figure >= self.at_least => api::Health::Healthy,
            Some(critical) if figure >= critical => api::Health::Watch,
            _ => api::Health::Breached,
        }
    }

    /// The share of HEALTHY months among the newest `count`, and how many these are.
    pub(crate) fn share(self, months: &Months, count: usize) -> (f64, i32) {
        let newest: Vec<_> = months.values().rev().take(count).collect();
        let healthy = newest
            .iter()
            .filter(|figure| self.judge(***figure) == api::Health::Healthy);
        let share = healthy.count() as f64 / newest.len() as f64;
        (share, i32::try_from(newest.len()).expect("few"))
    }
}

/// The BREACH alerts of a KPI.
pub(crate) fn breaches(months: &Months, bounds: Bounds, rules: Rules) -> Vec<Spell> {
    let mut spells: Vec<Spell> = Vec::new();
    let (mut bad, mut good, mut is_open) = (0, 0, false);
    for (&month, &figure) in months {
        (bad, good) = match bounds.judge(figure) {
            api::Health::Breached => (bad + 1, 0),
            api::Health::Healthy => (0, good + 1),
            _ => (0, 0),
        };
        if !is_open && bad >= rules.breach_after {
            is_open = true;
            spells.push(Spell {
                kind: Kind::Breach,
                opened: month,
                newest: (month, figure),
                reference: Some(bounds.at_least),
                periods: rules.breach_after,
                closed: None,
            });
        } else if is_open && good >= rules.recover_after {
            is_open = false;
            spells.last_mut().expect("an open one").closed = Some(month);
        }
    }
    spells
}

/// The ADVERSE_MOVE alerts of a KPI: more than 20 % worse than the mean of the three months before.
pub(crate) fn adverse_moves(months: &Months, lower_is_better: bool) -> Vec<Spell> {
    let months: Vec<(Date, f64)> = months.iter().map(|(month, figure)| (*month, *figure)).collect();
    let mut spells: Vec<Spell> = Vec::new();
    let mut is_open = false;
    for four in months.windows(4) {
        let mean = (four[0].1 + four[1].1 + four[2].1) / 3.0;
        let (month, figure) = four[3];
        let is_adverse = match lower_is_better {
            true => figure > mean * 1.2 + 1e-9,
            false => figure < mean * 0.8 - 1e-9,
        };
        match (is_open, is_adverse) {
            (false, true) => spells.push(Spell {
                kind: Kind::AdverseMove,
                opened: month,
                newest: (month, figure),
                reference: Some(mean),
                periods: 3,
                closed: None,
            }),
            (true, false) => spells.last_mut().expect("an open one").closed = Some(month),
            _ => {}
        }
        is_open = is_adverse;
    }
    spells
}

/// The STALE alerts of a KPI without grace whose figure always comes on the second day of the month that follows: as that
/// day starts, the month is over and its figure is missing.
pub(crate) fn stale_days(months: &Months) -> Vec<Spell> {
    let months: Vec<(Date, f64)> = months.iter().map(|(month, figure)| (*month, *figure)).collect();
    let spells = months.windows(2).map(|two| Spell {
        kind: Kind::Stale,
        opened: two[1].0,
        newest: two[0],
        reference: None,
        periods: 1,
        closed: Some(two[1].0),
    });
    spells.collect()
}
