//! Silence: when a key result is outdated.

use super::*;
use crate::domain::{Aggregation, Cadence, Effective, NewCheckIn, Status, StatusOverride};

/// Whether deals is outdated; its objective says the same.
fn outdated(given: &Given) -> bool {
    let found = of_deals(given).outdated;
    assert_eq!(of_win(given).outdated, found);
    found
}

/// The first day from `from` on which it is outdated.
fn first_outdated(given: &Given, from: (i8, i8)) -> (i8, i8) {
    let mut day = jiff::civil::date(2026, from.0, from.1);
    while !outdated(&given.clone().on(day.month(), day.day())) {
        day = day.tomorrow().unwrap();
    }
    (day.month(), day.day())
}

/// "`outdated` …: no check-in … within the check-in cadence (policy, weekly) plus grace, counted from activation: silence is
/// never shown as green." After the last day nobody has to speak: what they saw would not count.
#[test]
fn silence_is_outdated_and_is_counted_from_activation() {
    let quiet = company(Ambition::Committed);
    assert!(!outdated(&quiet.clone().on(1, 11)) && outdated(&quiet.clone().on(1, 12)));
    let heard = quiet.on(1, 12).and([deals("c", 1.0)]);
    assert!(!outdated(&heard.clone().on(1, 22)) && outdated(&heard.on(1, 23)));
    let activated_late = given(q1())
        .and([objective("win", |_| {}), key_result("win/deals", |_| {})])
        .on(2, 1)
        .and([activate("win")]);
    assert!(!outdated(&activated_late.clone().on(2, 11)) && outdated(&activated_late.on(2, 12)));
    let heard_to_the_end = company(Ambition::Committed)
        .on(3, 25)
        .and([deals("c", 1.0)])
        .on(6, 1);
    assert!(
        !outdated(&heard_to_the_end),
        "behind the cycle's last day nobody has to check in"
    );
}

/// "counted from activation": of a key result that was created later, from its creation, as what is expected of it is.
#[test]
fn what_was_not_there_was_not_silent() {
    let given = company(Ambition::Committed)
        .on(2, 1)
        .and([key_result("win/new", |_| {})]);
    let of_new = |given: &Given| key_result_of(given, "win/new").unwrap().outdated;
    assert!(of_deals(&given).outdated && !of_new(&given));
    assert!(!of_new(&given.clone().on(2, 11)));
    assert!(of_new(&given.on(2, 12)));
}

/// "no check-in (or no period value of the linked KPI) within the check-in cadence (policy, weekly) plus grace".
#[test]
fn whatever_is_heard_of_a_key_result_ends_its_silence() {
    let worried = |c: &mut NewCheckIn| c.status_override = Some(StatusOverride::AtRisk);
    let on = |day: Effective| {
        move |c: &mut NewCheckIn| {
            in_words(c);
            c.effective = day;
        }
    };
    let early = Effective::At(at(2026, 1, 5, 12));
    for (command, first) in [
        (None, (1, 12)),
        (Some(deals("c", 1.0)), (1, 21)),
        (Some(check_in("win/deals", "c", in_words)), (1, 21)),
        (Some(check_in("win/deals", "c", worried)), (1, 21)),
        (Some(check_in("win/deals", "c", on(early))), (1, 16)),
        (
            Some(check_in(
                "win/deals",
                "c",
                on(Effective::At(at(2025, 12, 20, 12))),
            )),
            (1, 12),
        ),
    ] {
        let said = format!("{command:?}");
        let given = company(Ambition::Committed).on(1, 10).and(command);
        assert_eq!(first_outdated(&given, (1, 10)), first, "{said}");
    }
    let taken_back = company(Ambition::Committed)
        .on(1, 10)
        .and([deals("c", 1.0), retract("win/deals", "c")]);
    assert_eq!(first_outdated(&taken_back, (1, 10)), (1, 12));
}

/// "(or no period value of the linked KPI)": a period value is of the last day of its period, or of today while it runs.
#[test]
fn a_period_value_of_the_linked_kpi_is_heard_too() {
    use Aggregation::{Last, Mean, Sum};
    for (cadence, aggregation, first) in [
        (Cadence::Daily, Last, (1, 21)),
        (Cadence::Daily, Sum, (1, 21)),
        // The week of 5 to 11 January.
        (Cadence::Weekly, Last, (1, 22)),
        (Cadence::Weekly, Sum, (1, 22)),
        (Cadence::Monthly, Mean, (2, 11)),
        // A month is summed when it is over: until then nothing is heard.
        (Cadence::Monthly, Sum, (1, 12)),
        (Cadence::Irregular, Last, (1, 21)),
    ] {
        let given = given(q1())
            .and([
                kpi("nps", |f| {
                    f.cadence = cadence;
                    f.aggregation = aggregation;
                }),
                objective("win", |_| {}),
                key_result("win/deals", |f| f.kpi = Some(id("nps"))),
                activate("win"),
            ])
            .on(1, 10)
            .and([measured("nps", 1, 10, 5.0)])
            .on(1, 11);
        assert_eq!(
            first_outdated(&given, (1, 11)),
            first,
            "{cadence:?} {aggregation:?}"
        );
    }
}

/// "the check-in cadence (policy, weekly) plus grace".
#[test]
fn cadence_and_grace_are_the_policys() {
    let with = |cadence: u32, grace: u32| {
        company(Ambition::Committed).and([update_policy(|p| {
            p.check_in_cadence_days = Some(cadence);
            p.check_in_grace_days = Some(grace);
        })])
    };
    for (cadence, grace, first) in [(7, 0, (1, 9)), (1, 0, (1, 3)), (30, 1, (2, 2)), (7, 4, (1, 13))] {
        let found = first_outdated(&with(cadence, grace), (1, 1));
        assert_eq!(found, first, "{cadence} days and {grace}");
    }
}

/// "stands until the next check-in by effective time or until outdated": a KPI that is measured keeps it standing.
#[test]
fn an_override_stands_while_the_linked_kpi_is_heard() {
    let given = given(q1())
        .and([
            kpi("nps", |_| {}),
            objective("win", |_| {}),
            key_result("win/deals", |f| f.kpi = Some(id("nps"))),
            activate("win"),
            check_in("win/deals", "c", |c| {
                c.status_override = Some(StatusOverride::AtRisk)
            }),
        ])
        .on(1, 9)
        .and([measured("nps", 1, 9, 9.0)]);
    assert_eq!(of_deals(&given.clone().on(1, 19)).status, Status::AtRisk);
    assert_eq!(of_deals(&given.on(1, 20)).status, Status::OnTrack, "outdated");
}
