//! The rules as tables: given, when, then.

mod action_plans;
mod adverse_moves;
mod alert_order;
mod alerts;
mod baselines;
mod buckets;
mod carry_over;
mod cascade;
mod check_ins;
mod closing;
mod cycles;
mod deleted;
mod deletion;
mod health;
mod key_result_kpis;
mod key_results;
mod kpis;
mod measurements;
mod objectives;
mod people;
mod period_values;
mod permission;
mod policy;
mod refusals;
mod reviews;
mod starting;
mod targets;
mod units;

use super::Rejection;
use super::given::*;

/// A company in q1 with a team, a KPI, and the DRAFT objective win with key result deals from 0 to 10.
fn company() -> Given {
    given(q1()).and([
        team("sales", None),
        kpi("nps", |_| {}),
        objective("win", |_| {}),
        key_result("win/deals", |_| {}),
    ])
}

/// The fields that a refusal names, in order.
fn fields(refused: &Rejection) -> Vec<String> {
    match refused {
        Rejection::Invalid(violations) => violations.iter().map(|bad| bad.field.clone()).collect(),
        other => panic!("names no field: {other}"),
    }
}

/// The elements of a batch that a refusal names: the list, and each bad one by its index with its reason.
fn elements(refused: &Rejection) -> (&'static str, Vec<(usize, &'static str)>) {
    match refused {
        Rejection::Elements { list, refused } => {
            let named = refused.iter().map(|(index, why)| (*index, why.reason()));
            (list, named.collect())
        }
        other => panic!("names no element: {other}"),
    }
}
