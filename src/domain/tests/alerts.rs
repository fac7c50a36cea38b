//! When alerts open and close, and why.

use super::super::given::*;
use super::super::{
    ALARMS_PER_COMMIT_MAX, Aggregation, AlertKind, Cadence, CloseReason, Command, Direction, Effective,
    KpiFields,
};

const BREACH: &str = "BREACH opened";
const RECOVERED: &str = "BREACH closed: RECOVERED";
const CORRECTED: &str = "BREACH closed: CORRECTED";
const CHANGED: &str = "BREACH closed: TARGET_CHANGED";
const ARCHIVED: &str = "BREACH closed: ARCHIVED";

/// HEALTHY, WATCH and BREACHED values of a KPI with the target of [`watched`].
fn number(letter: char) -> f64 {
    match letter {
        'H' => 9.0,
        'W' => 6.0,
        'B' => 1.0,
        other => panic!("no such letter: {other}"),
    }
}

/// KPI `k`, HEALTHY from 8 and WATCH from 5 on; the rules never find a move adverse.
fn watched(breach_after: u32, recover_after: u32, kind: impl Fn(&mut KpiFields)) -> Given {
    given(aimed("k", at_least_or_watch(8.0, 5.0), kind)).and([alert_rules(|rules| {
        (rules.breach_after, rules.recover_after) = (breach_after, recover_after);
        rules.adverse_move_percent = 0.0;
    })])
}

/// One value a day of January, each recorded on its day; `.` is a day without.
fn fed(given: Given, letters: &str) -> Given {
    (1_i8..).zip(letters.chars()).fold(given, |given, (on, letter)| {
        let value = (letter != '.').then(|| measured("k", 1, on, number(letter)));
        given.on(1, on).and(value)
    })
}

fn daily(breach_after: u32, recover_after: u32, letters: &str) -> Given {
    fed(watched(breach_after, recover_after, |_| {}), letters)
}

fn is_breach_open(given: &Given) -> bool {
    given.open("k").contains(&AlertKind::Breach)
}

/// "BREACH: `breach_after` consecutive BREACHED period values (default 1), closed after `recover_after` HEALTHY ones
/// (default 1); WATCH breaks both streaks." A day without a value is no value.
#[test]
fn a_breach_opens_after_so_many_in_a_row_and_closes_after_so_many() {
    for (breach_after, recover_after, letters, open) in [
        (1, 1, "H", false),
        (1, 1, "B", true),
        (1, 1, "W", false),
        (1, 1, "BH", false),
        (1, 1, "BW", true),
        (1, 1, "BWH", false),
        (1, 1, "BHB", true),
        (2, 1, "B", false),
        (2, 1, "BB", true),
        (2, 1, "BHB", false),
        (2, 1, "BWB", false),
        (2, 1, "BWBB", true),
        (2, 1, "B.B", true),
        (2, 1, "BBW", true),
        (2, 1, "BBWWWWWWWW", true),
        (2, 1, "BBWH", false),
        (3, 1, "BB", false),
        (3, 1, "BBB", true),
        (3, 1, "BB...B", true),
        (3, 1, "BBWB", false),
        (3, 1, "BBHB", false),
        (1, 2, "BH", true),
        (1, 2, "BHH", false),
        (1, 2, "BHWH", true),
        (1, 2, "BHBH", true),
        (1, 2, "BH.H", false),
        (2, 2, "BBHBHBH", true),
        (2, 2, "BBHHBHB", false),
        (1, 3, "BHHWHH", true),
        (1, 3, "BHHWHHH", false),
        (3, 3, "BBBHHBHH", true),
    ] {
        let given = daily(breach_after, recover_after, letters);
        assert_eq!(
            is_breach_open(&given),
            open,
            "{letters}: {breach_after} to open, {recover_after} to close"
        );
    }
}

/// "opens and closes by events of the commit that caused them": day by day what is said, once.
#[test]
fn an_alert_opens_and_closes_with_the_commit_that_caused_it() {
    let mut given = watched(2, 2, |_| {});
    let story = [
        ('B', vec![]),
        ('B', vec![BREACH]),
        ('B', vec![]),
        ('H', vec![]),
        ('W', vec![]),
        ('H', vec![]),
        ('H', vec![RECOVERED]),
        ('H', vec![]),
        ('B', vec![]),
        ('B', vec![BREACH]),
    ];
    for (on, (letter, said)) in (1_i8..).zip(story) {
        given = given.on(1, on);
        assert!(given.alarms().is_empty(), "on {on} January nothing is known yet");
        given = given.and([measured("k", 1, on, number(letter))]);
        assert_eq!(given.alarms(), said, "{letter} on {on} January");
    }
    let alerts = &given.workspace.kpi(&id("k")).unwrap().alerts;
    let first = alerts.values().min_by_key(|alert| alert.opened.revision).unwrap();
    assert_eq!(
        (first.opening.date, first.opening.value, first.opening.reference),
        (day(1, 2), Some(1.0), Some(8.0))
    );
    assert_eq!(
        (first.opening.periods, first.closed.map(|closing| closing.reason)),
        (2, Some(CloseReason::Recovered))
    );
    assert_eq!(alerts.len(), 2, "the next one is another");
}

/// What an alert says is of the row of BREACHED values, also where newer ones are neither here nor there.
#[test]
fn an_alert_is_about_the_values_that_opened_it() {
    for letters in ["B", "BW", "BH", "BWH"] {
        let given = watched(1, 2, |_| {}).on(1, 5);
        let values = (1_i8..).zip(letters.chars());
        let batch = values.map(|(on, letter)| from_source("k", (1, on), "", number(letter)));
        let given = given.and([Command::RecordMeasurements(batch.collect())]);
        assert_eq!(given.alarms(), [BREACH], "{letters}");
        let alert = given.alert("k", AlertKind::Breach);
        assert_eq!(
            alert.opening.period.map(|period| period.last),
            Some(day(1, 1)),
            "{letters}"
        );
        let kpi = given.workspace.kpi(&id("k")).unwrap();
        assert_eq!(
            alert.summary(&kpi.fields),
            "\"k\" is 1 and should be at least 8.",
            "{letters}"
        );
    }
}

/// "closed as `RECOVERED | CORRECTED | TARGET_CHANGED | ARCHIVED`": by what closes it.
#[test]
fn an_alert_closes_for_a_reason() {
    let breached = daily(1, 1, "HB");
    let mean = |given: Given| given.and([measured_at("k", at(2026, 1, 2, 10), 1.0)]);
    let mean = mean(watched(1, 1, |f| f.aggregation = Aggregation::Mean).at_hour(1, 2, 12));
    let gap = daily(2, 1, "B.B");
    let cases: Vec<(&str, Given, Command, Vec<&str>)> = vec![
        (
            "the next day",
            breached.clone().on(1, 3),
            measured("k", 1, 3, 9.0),
            vec![RECOVERED],
        ),
        (
            "later that day",
            breached.clone().at_hour(1, 2, 18),
            measured_at("k", at(2026, 1, 2, 17), 9.0),
            vec![RECOVERED],
        ),
        (
            "recorded in its place",
            breached.clone(),
            measured("k", 1, 2, 9.0),
            vec![CORRECTED],
        ),
        (
            "corrected",
            breached.clone(),
            correct_measured("k", 1, 2, 9.0),
            vec![CORRECTED],
        ),
        (
            "corrected to WATCH",
            breached.clone(),
            correct_measured("k", 1, 2, 6.0),
            vec![CORRECTED],
        ),
        (
            "retracted",
            breached.clone(),
            retract_measured("k", 1, 2),
            vec![CORRECTED],
        ),
        (
            "filled in, the same period",
            mean,
            measured_at("k", at(2026, 1, 2, 9), 90.0),
            vec![CORRECTED],
        ),
        (
            "filled in, a period between",
            gap.clone(),
            measured("k", 1, 2, 9.0),
            vec![CORRECTED],
        ),
        (
            "filled in with WATCH",
            gap.clone(),
            measured("k", 1, 2, 6.0),
            vec![CORRECTED],
        ),
        ("filled in, BREACHED too", gap, measured("k", 1, 2, 1.0), vec![]),
        (
            "a target set in its place",
            breached.clone(),
            aim("k", day(1, 1), at_least(1.0)),
            vec![CHANGED],
        ),
        (
            "a later target",
            breached.clone(),
            aim("k", day(1, 2), at_least(1.0)),
            vec![CHANGED],
        ),
        (
            "a target of the future",
            breached.clone(),
            aim("k", day(1, 3), at_least(1.0)),
            vec![],
        ),
        (
            "the target deleted",
            breached.clone(),
            aim_no_more("k", day(1, 1)),
            vec![CHANGED],
        ),
        (
            "a milder policy",
            breached.clone(),
            alert_rules(|rules| rules.breach_after = 2),
            vec![CHANGED],
        ),
        (
            "another title",
            breached.clone(),
            update_kpi("k", |p| p.title = Some(title("other"))),
            vec![],
        ),
        ("archived", breached.clone(), archive("k"), vec![ARCHIVED]),
        ("deleted", breached.clone(), delete("kpis/k"), vec![ARCHIVED]),
        ("nothing new", breached.clone(), measured("k", 1, 2, 1.0), vec![]),
        (
            "an older value",
            breached,
            correct_measured("k", 1, 1, 7.9),
            vec![],
        ),
    ];
    for (case, given, command, said) in cases {
        assert!(is_breach_open(&given), "{case}");
        let opening = given.alert("k", AlertKind::Breach).opening;
        let after = given.and([command]);
        assert_eq!(after.alarms(), said, "{case}");
        assert_eq!(is_breach_open(&after), said.is_empty(), "{case}");
        let alert = after.alert("k", AlertKind::Breach);
        assert_eq!(
            alert.opening, opening,
            "{case}: that it was open is never rewritten"
        );
    }
}

/// "a backdated correction can close an alert and never rewrites that it was open": if it was no mistake after all, there is
/// another alert.
#[test]
fn a_corrected_alert_stays_in_the_history() {
    let given = daily(1, 1, "HB");
    let first = given.alert_id("k", AlertKind::Breach);
    let opened = given.alert("k", AlertKind::Breach).opened.clone();
    let given = given.on(1, 5).and([correct_measured("k", 1, 2, 9.0)]);
    let closed = given.alert("k", AlertKind::Breach).clone();
    assert_eq!((closed.id.to_string(), &closed.opened), (first.clone(), &opened));
    assert_eq!(
        closed.closed.map(|closing| closing.reason),
        Some(CloseReason::Corrected)
    );
    let again = given.and([correct_measured("k", 1, 2, 1.0)]);
    assert_eq!(again.alarms(), [BREACH]);
    assert_ne!(again.alert_id("k", AlertKind::Breach), first);
    assert_eq!(
        again.workspace.alert(&id("k"), &id(&first)),
        Ok(&closed),
        "the first one is as it was"
    );
}

/// What comes back asks again; a day has to start for a value to be missing.
#[test]
fn what_is_brought_back_is_judged_again() {
    for (away, back) in [
        (archive("k"), unarchive("k")),
        (delete("kpis/k"), undelete("kpis/k")),
    ] {
        let given = daily(1, 1, "HB").on(1, 5);
        assert_eq!(given.open("k"), [AlertKind::Breach, AlertKind::Stale]);
        let gone = given.and([away.clone()]);
        assert_eq!(gone.alarms(), [ARCHIVED, "STALE closed: ARCHIVED"], "{away:?}");
        let quiet = gone.on(1, 9);
        assert!(quiet.alarms().is_empty(), "{away:?}");
        let again = quiet.and([back]);
        assert_eq!(again.alarms(), [BREACH], "{away:?}");
        assert_eq!(again.on(1, 10).alarms(), ["STALE opened"], "{away:?}");
    }
}

/// "STALE at day start", once, however many days nobody saw; it closes with the next value.
#[test]
fn stale_opens_as_a_day_starts_and_closes_with_the_next_value() {
    let fed = daily(1, 1, "H");
    assert!(fed.clone().on(1, 2).alarms().is_empty());
    for days in [vec![(1, 3)], vec![(1, 2), (1, 3)], vec![(3, 1)]] {
        let stale = days
            .iter()
            .fold(fed.clone(), |given, (month, on)| given.on(*month, *on));
        assert_eq!(stale.alarms(), ["STALE opened"], "{days:?}");
        let (month, on) = *days.last().unwrap();
        assert_eq!(stale.alert("k", AlertKind::Stale).opening.date, day(month, on));
        let next = stale.clone().on_date(super::super::plus_days(day(month, on), 1));
        assert!(next.alarms().is_empty(), "{days:?}: said already");
        let now = Command::RecordMeasurements(vec![measurement("k", Effective::Now, 9.0)]);
        assert_eq!(stale.and([now]).alarms(), ["STALE closed: RECOVERED"], "{days:?}");
    }
    let behind = fed.on(1, 9).and([measured("k", 1, 5, 9.0)]);
    assert_eq!(behind.alarms(), [""; 0], "the 6th is missing still");
    assert_eq!(
        behind.clone().and([measured("k", 1, 8, 9.0)]).alarms(),
        ["STALE closed: RECOVERED"]
    );
    let patient = behind.and([update_kpi("k", |p| p.grace_days = Some(7))]);
    assert_eq!(patient.alarms(), ["STALE closed: TARGET_CHANGED"]);
    let never = watched(1, 1, |_| {});
    assert_eq!(
        never.clone().on(1, 3).alarms(),
        ["STALE opened"],
        "never fed: counted from creation"
    );
    let first = never.on(1, 3).and([measured("k", 1, 3, 9.0)]);
    assert_eq!(first.alarms(), ["STALE closed: RECOVERED"]);
    let retracted = first.and([retract_measured("k", 1, 3)]);
    assert!(
        retracted.alarms().is_empty(),
        "until a day starts it is not known that nothing comes"
    );
    assert_eq!(retracted.on(1, 4).alarms(), ["STALE opened"]);
}

/// A period that is complete as a day starts is judged then, also when several have become complete meanwhile; a value of a
/// running period is judged as it comes.
#[test]
fn a_complete_period_is_judged_as_the_day_starts() {
    let sums = |given: Given| {
        given
            .on(1, 5)
            .and([measured("k", 1, 4, 1.0)])
            .at_hour(1, 5, 18)
            .and([
                measured_at("k", at(2026, 1, 5, 13), 4.0),
                measured_at("k", at(2026, 1, 5, 14), 5.0),
            ])
    };
    let given = sums(watched(1, 1, |f| f.aggregation = Aggregation::Sum));
    assert!(is_breach_open(&given), "the 4th is complete");
    assert_eq!(given.clone().on(1, 6).alarms(), [RECOVERED], "the 5th is");
    assert_eq!(
        given.on(1, 9).alarms(),
        [RECOVERED, "STALE opened"],
        "several days at once"
    );
    let late = watched(1, 1, |f| f.aggregation = Aggregation::Sum)
        .on(1, 5)
        .and([measured_at("k", at(2026, 1, 5, 9), 1.0)]);
    assert!(!is_breach_open(&late), "it is running");
    assert_eq!(late.on(1, 9).alarms(), [BREACH, "STALE opened"]);
    let weekly = watched(2, 1, |f| {
        (f.cadence, f.aggregation) = (Cadence::Weekly, Aggregation::Count)
    });
    let weekly = weekly
        .and([measured("k", 1, 1, 1.0)])
        .on(1, 7)
        .and([measured("k", 1, 6, 1.0)]);
    assert_eq!(
        weekly.on(2, 28).alarms(),
        [BREACH, "STALE opened"],
        "two weeks of one value each"
    );
    let provisional = watched(1, 1, |f| {
        (f.cadence, f.aggregation) = (Cadence::Monthly, Aggregation::Mean)
    });
    let provisional = provisional.and([measured("k", 1, 1, 1.0)]);
    assert_eq!(provisional.alarms(), [BREACH], "a mean of the running month");
    assert!(provisional.kpi("k").period_value.unwrap().provisional);
    let better = provisional.on(1, 9).and([measured("k", 1, 9, 19.0)]);
    assert_eq!(better.alarms(), [RECOVERED]);
}

/// A late value of a period behind the one that opened the alert is news, though the running period has newer ones.
#[test]
fn a_late_value_of_a_newer_period_recovers() {
    let given = watched(1, 1, |f| f.aggregation = Aggregation::Sum)
        .at_hour(1, 3, 18)
        .and([
            measured_at("k", at(2026, 1, 3, 17), 2.0),
            measured("k", 1, 1, 1.0),
        ]);
    assert_eq!(given.alarms(), [BREACH]);
    assert_eq!(
        given.clone().and([measured("k", 1, 2, 9.0)]).alarms(),
        [RECOVERED]
    );
    assert_eq!(
        given.and([measured_at("k", at(2026, 1, 1, 9), 9.0)]).alarms(),
        [CORRECTED]
    );
}

/// "once per commit": whatever the order inside a batch, the same is said, and only of how it ends.
#[test]
fn a_batch_says_the_same_in_every_order() {
    let other = aimed("other", at_most(5.0), |f| f.direction = Direction::LowerIsBetter);
    let given = daily(2, 1, "HB").and(other).on(1, 5);
    let batch = [
        from_source("k", (1, 3), "", 1.0),
        from_source("k", (1, 4), "", 9.0),
        from_source("k", (1, 5), "a", 1.0),
        from_source("other", (1, 4), "", 7.0),
        from_source("other", (1, 3), "", 7.0),
        from_source("k", (1, 1), "", 1.0),
    ];
    let mut orders = 0;
    permuted(&mut batch.to_vec(), 0, &mut |batch| {
        orders += 1;
        let after = given.clone().and([Command::RecordMeasurements(batch.to_vec())]);
        let fed = "STALE closed: RECOVERED";
        assert_eq!(after.alarms(), [fed, BREACH, fed], "{batch:?}");
        assert_eq!(
            (after.open("k"), after.open("other")),
            (vec![], vec![AlertKind::Breach]),
            "{batch:?}"
        );
    });
    assert_eq!(orders, 720);
}

fn permuted<T: Clone>(list: &mut Vec<T>, from: usize, seen: &mut impl FnMut(&[T])) {
    if from == list.len() {
        seen(list);
    }
    for at in from..list.len() {
        list.swap(from, at);
        permuted(list, from + 1, seen);
        list.swap(from, at);
    }
}

/// Other rules, another calendar: what is asked is something else, and everything is judged anew.
#[test]
fn other_rules_and_another_calendar_judge_anew() {
    let strict = |breach_after: u32| alert_rules(move |rules| rules.breach_after = breach_after);
    let given = daily(1, 1, "HBB");
    let mild = given.clone().and([strict(3)]);
    assert_eq!(mild.alarms(), [CHANGED]);
    assert_eq!(mild.and([strict(2)]).alarms(), [BREACH]);
    let other = update_policy(|p| p.check_in_cadence_days = Some(14));
    assert!(given.and([other]).alarms().is_empty(), "nothing about alerts");
    let recovering = daily(1, 1, "BH").and([alert_rules(|rules| rules.recover_after = 2)]);
    assert_eq!(
        recovering.alarms(),
        [BREACH],
        "one HEALTHY value is not enough any more"
    );

    let quarterly = |f: &mut KpiFields| (f.cadence, f.aggregation) = (Cadence::Quarterly, Aggregation::Sum);
    let from_2025 = [
        kpi("k", quarterly),
        aim("k", jiff::civil::date(2025, 1, 1), at_least(100.0)),
    ];
    let sums = super::super::given::given(from_2025).on(1, 10).and([
        measured_at("k", at(2025, 11, 5, 12), 60.0),
        measured_at("k", at(2025, 12, 5, 12), 30.0),
    ]);
    assert_eq!(sums.open("k"), [AlertKind::Breach], "90 in the last quarter");
    let fiscal = update_workspace(None, |p| p.fiscal_year_first_month = Some(2));
    assert_eq!(
        sums.and([fiscal]).alarms(),
        [CHANGED],
        "November to January is running"
    );

    let weekly = |f: &mut KpiFields| (f.cadence, f.aggregation) = (Cadence::Weekly, Aggregation::Sum);
    let sums = watched(1, 1, weekly).on(1, 5).and([measured("k", 1, 4, 1.0)]);
    assert!(is_breach_open(&sums), "the week ended on Sunday");
    let sunday = || {
        update_workspace(None, |p| {
            p.first_weekday = Some(super::super::FirstWeekday(jiff::civil::Weekday::Sunday))
        })
    };
    assert_eq!(
        sums.and([sunday()]).alarms(),
        [CHANGED],
        "the week began on Sunday"
    );

    let since_the_3rd = super::super::given::given([kpi("k", |_| {}), aim("k", day(1, 3), at_least(8.0))]);
    let early = since_the_3rd
        .on(1, 3)
        .and([measured_at("k", at(2026, 1, 3, 1), 1.0)]);
    assert_eq!(early.alarms(), [BREACH, "STALE closed: RECOVERED"]);
    let brazil = update_workspace(Some("America/Sao_Paulo"), |_| {});
    assert_eq!(early.and([brazil]).alarms(), [CHANGED], "it was the 2nd there");
    let kiribati = update_workspace(Some("Pacific/Kiritimati"), |_| {});
    let east = watched(1, 1, |_| {})
        .and([measured_at("k", at(2026, 1, 1, 9), 9.0)])
        .on(1, 2);
    assert_eq!(
        east.and([kiribati]).alarms(),
        ["STALE opened"],
        "there the 3rd has begun"
    );
}

/// More than a commit holds: the start of the day is asked again until nothing is left.
#[test]
fn what_a_full_commit_leaves_over_is_found_by_asking_again() {
    let kpis = (0..=ALARMS_PER_COMMIT_MAX).map(|n| kpi(&format!("k{n}"), |_| {}));
    let given = given(kpis).on(1, 9);
    assert_eq!(given.alarms().len(), ALARMS_PER_COMMIT_MAX);
    let again = || Command::StartDay { date: day(1, 9) };
    assert_eq!(given.when(again()), Ok(vec!["AlertOpened"]));
    let done = given.and([again()]);
    assert_eq!(done.when(again()), Ok(vec![]));
    let open = done
        .workspace
        .kpis
        .values()
        .filter(|kpi| !kpi.open_alerts.is_empty());
    assert_eq!(open.count(), ALARMS_PER_COMMIT_MAX + 1);
    let yesterday = Command::StartDay { date: day(1, 8) };
    assert_eq!(done.when(yesterday), Ok(vec![]));
}

/// "closed as … `TARGET_CHANGED`": by a calendar that asks otherwise, also where it is in its next day already.
#[test]
fn a_zone_that_is_in_its_next_day_asks_otherwise() {
    let given = watched(1, 1, |fields| fields.aggregation = Aggregation::Mean).at_hour(1, 2, 23);
    let given = given.and([
        measured_at("k", at(2026, 1, 2, 9), -9.0),
        measured_at("k", at(2026, 1, 2, 22), 9.0),
    ]);
    assert_eq!(given.open("k"), [AlertKind::Breach], "their mean");
    let moved = given.and([update_workspace(Some("Pacific/Kiritimati"), |_| {})]);
    assert_eq!(moved.workspace.today(), day(1, 3));
    assert_eq!(moved.alarms(), [CHANGED], "the newest is alone in its day");
}
