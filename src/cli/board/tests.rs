//! What lines mean, or why they are refused; and that a board which was written is read as what it was.

use std::collections::BTreeMap;

use jiff::civil::date;
use proptest::prelude::*;

use super::compare::differences;
use super::draft::Faults;
use super::export::{Shown, ShownObjective};
use super::facts::{Facts, last};
use super::wanted::{self, Message, Wanted};
use super::when::Calendar;
use super::{quantity, read, unit};
use crate::domain::{CurrencyCode, Id, UnitKind};
use crate::proto::api::key_result::Kind;
use crate::proto::{api, google_type};

const WORKSPACE: &str = "workspaces/acme";
const CYCLE: &str = "workspaces/acme/cycles/q3-2026";

fn kpi(id: &str, title: &str, unit: api::Unit, value: Option<f64>) -> api::Kpi {
    let period_value = value.map(|value| api::PeriodValue {
        value,
        ..api::PeriodValue::default()
    });
    api::Kpi {
        name: format!("{WORKSPACE}/kpis/{id}"),
        title: title.to_owned(),
        unit: Some(unit),
        health: Some(api::KpiHealth {
            period_value,
            ..api::KpiHealth::default()
        }),
        ..api::Kpi::default()
    }
}

fn plain(symbol: &str) -> api::Unit {
    api::Unit {
        kind: api::unit::Kind::Number.into(),
        symbol: symbol.to_owned(),
        ..api::Unit::default()
    }
}

fn of_kind(kind: api::unit::Kind, currency_code: &str) -> api::Unit {
    api::Unit {
        kind: kind.into(),
        currency_code: currency_code.to_owned(),
        ..api::Unit::default()
    }
}

/// The third quarter of a company with some KPIs and members.
fn facts() -> Facts {
    use api::unit::Kind;
    let member = |id: &str, title: &str| api::Member {
        name: format!("{WORKSPACE}/members/{id}"),
        title: title.to_owned(),
        principal: format!("{id}@example.com"),
        ..api::Member::default()
    };
    Facts {
        workspace: WORKSPACE.to_owned(),
        cycle: CYCLE.to_owned(),
        calendar: Calendar {
            first: date(2026, 7, 1),
            last: date(2026, 9, 30),
            fiscal_first_month: 1,
        },
        team: None,
        kpis: vec![
            kpi("nps", "NPS", plain(""), Some(42.0)),
            kpi("reply-time", "Reply time", plain("min"), Some(48.0)),
            kpi("wait", "Waiting time", of_kind(Kind::Duration, ""), None),
            kpi("open-rate", "Open rate", of_kind(Kind::Percent, ""), Some(20.0)),
            kpi(
                "revenue-brl",
                "Revenue",
                of_kind(Kind::Currency, "BRL"),
                Some(50_000.0),
            ),
            kpi("revenue-usd", "Revenue", of_kind(Kind::Currency, "USD"), None),
        ],
        members: vec![member("maria", "Maria"), member("ana", "Ana Souza")],
        objectives: BTreeMap::new(),
    }
}

fn read_with(board: &str, facts: &Facts) -> (Wanted, Vec<(usize, String)>) {
    let mut faults = Faults::default();
    let drafts = read::board(board, 0, &mut faults);
    let wanted = wanted::of(drafts, facts, &mut faults);
    let (faults, _) = faults.into_sorted();
    let faults = faults.into_iter().map(|(place, sentence)| (place.line, sentence));
    (wanted, faults.collect())
}

/// The only sentence that is said about a line below an objective, or what the line means.
fn line(line: &str) -> Result<String, String> {
    let (wanted, faults) = read_with(&format!("# Win\n\n{line}\n"), &facts());
    match &faults[..] {
        [] => {
            let shown: Vec<_> = wanted.resources[1..]
                .iter()
                .map(|resource| shown(&resource.message))
                .collect();
            Ok(shown.join(" + "))
        }
        [(_, sentence)] => Err(sentence.clone()),
        _ => Err(format!("{faults:?}")),
    }
}

fn day(date: Option<google_type::Date>) -> String {
    date.map(|date| format!(" | due {:04}-{:02}-{:02}", date.year, date.month, date.day))
        .unwrap_or_default()
}

fn owner(owner: &str) -> String {
    match last(owner) {
        "" => String::new(),
        owner => format!(" | @{owner}"),
    }
}

/// A message in one line: what is not said is as it is by itself.
fn shown(message: &Message) -> String {
    match message {
        Message::Objective(objective) => {
            let mut said = format!("{}{}", objective.title, owner(&objective.owner));
            if objective.ambition() == api::objective::Ambition::Aspirational {
                said += " | aspirational";
            }
            if !objective.team.is_empty() {
                said += &format!(" | team {}", last(&objective.team));
            }
            let mut labels: Vec<_> = objective.labels.iter().collect();
            labels.sort();
            for (key, value) in labels {
                said += &format!(" | #{key}={value}");
            }
            said + &weight(objective.weight)
        }
        Message::KeyResult(key_result) => {
            let mut said = format!("{} | {}", key_result.title, kind(key_result));
            if let Some(unit) = &key_result.unit {
                said += &format!(" {}", unit::mark(unit));
            }
            if !key_result.kpi.is_empty() {
                said += &format!(" | kpi {}", last(&key_result.kpi));
            }
            if key_result.window() == api::key_result::Window::Cycle {
                said += " | window cycle";
            }
            said + &day(key_result.due_date) + &owner(&key_result.owner) + &weight(key_result.weight)
        }
        Message::Initiative(initiative) => {
            let mut said = format!("{} | {}", initiative.title, initiative.state().as_str_name());
            if let (Some(done), Some(planned)) = (initiative.done_count, initiative.planned_count) {
                said += &format!(" {done}/{planned}");
            }
            if !initiative.key_result.is_empty() {
                said += &format!(" | for {}", last(&initiative.key_result));
            }
            said + &day(initiative.due_date) + &owner(&initiative.owner)
        }
    }
}

fn weight(weight: Option<f64>) -> String {
    match weight {
        None | Some(1.0) => String::new(),
        Some(weight) => format!(" | weight {weight}"),
    }
}

fn kind(key_result: &api::KeyResult) -> String {
    let number = |name: &str, number: Option<f64>| {
        number
            .map(|number| format!(" {name} {number}"))
            .unwrap_or_default()
    };
    match key_result.kind.as_ref().expect("a kind") {
        Kind::Metric(metric) => {
            use api::relative_target::Change;
            let relative = metric
                .relative_target
                .and_then(|relative| relative.change)
                .map(|change| match change {
                    Change::Percent(percent) => format!(" by {percent} %"),
                    Change::Amount(amount) => format!(" by {amount}"),
                });
            let said = number("from", metric.baseline) + &number("to", metric.target);
            format!(
                "METRIC{said}{}{}",
                relative.unwrap_or_default(),
                number("reference", metric.reference_value)
            )
        }
        Kind::Maintain(maintain) => {
            let said = number("at least", maintain.at_least) + &number("at most", maintain.at_most);
            let share = match maintain.mode() {
                api::maintain::Mode::Share => " by share",
                _ => "",
            };
            format!("MAINTAIN{said}{share}{}", number("tolerance", maintain.tolerance))
        }
        Kind::Milestones(milestones) => {
            let ids: Vec<_> = milestones
                .milestones
                .iter()
                .map(|milestone| milestone.id.as_str())
                .collect();
            format!("MILESTONES {}", ids.join(" "))
        }
        Kind::Binary(_) => "BINARY".to_owned(),
    }
}

#[test]
fn a_key_result_says_how_it_is_measured() {
    for (said, meant) in [
        // From somewhere to somewhere; the KPI that the title names gives the values.
        (
            "KR: Increase NPS from 32 to 45 by Q3",
            "Increase NPS | METRIC from 32 to 45 | kpi nps | due 2026-09-30",
        ),
        (
            "KR: Increase NPS from 32 to 45.",
            "Increase NPS | METRIC from 32 to 45 | kpi nps",
        ),
        (
            "Key result 2: nps: 40 → 65",
            "nps | METRIC from 40 to 65 | kpi nps",
        ),
        (
            "KR1: Active customers from 500 to 2,000 customers",
            "Active customers | METRIC from 500 to 2000 (unit: number \"customers\")",
        ),
        (
            "**KR:** Reduce the *average* reply time from 48 to 30 min by end of August",
            "Reduce the average reply time | METRIC from 48 to 30 | kpi reply-time | due 2026-08-31",
        ),
        (
            "KR: Cut reply time from 1 h to 30 min",
            "Cut reply time | METRIC from 60 to 30 | kpi reply-time",
        ),
        (
            "KR: Lower the waiting time from 12 h to 4 h",
            "Lower the waiting time | METRIC from 43200 to 14400 | kpi wait",
        ),
        (
            "KR: First response from 6 h to 45 min (no KPI)",
            "First response | METRIC from 21600 to 2700 (unit: duration)",
        ),
        (
            "KR: Grow ARR from $2 M to $3 M by 2026-09-15",
            "Grow ARR | METRIC from 2000000 to 3000000 (unit: currency USD) | due 2026-09-15",
        ),
        (
            "KR: Grow apparel from R$ 500,000 to 1.5 M BRL (no KPI)",
            "Grow apparel | METRIC from 500000 to 1500000 (unit: currency BRL)",
        ),
        (
            "KR: Customers integrated from 20 to 80 %",
            "Customers integrated | METRIC from 20 to 80 (unit: percent)",
        ),
        ("KR: Loss from -5 to 3", "Loss | METRIC from -5 to 3"),
        (
            "KR: \"Raise NPS from 32 to 48\" from 32 to 48",
            "Raise NPS from 32 to 48 | METRIC from 32 to 48 | kpi nps",
        ),
        (
            "KR: Raise \"NPS\" from 32 to 48",
            "NPS | METRIC from 32 to 48 | kpi nps",
        ),
        (
            "KR: Raise NPS from 32 to 48 from 32 to 48",
            "Raise NPS from 32 to 48 | METRIC from 32 to 48 | kpi nps",
        ),
        // To somewhere: the baseline is the KPI's.
        ("KR: Raise NPS to 50", "Raise NPS | METRIC to 50 | kpi nps"),
        (
            "KR: Happy customers to 50 (KPI: nps)",
            "Happy customers | METRIC to 50 | kpi nps",
        ),
        (
            "KR: Happy customers to 50 (KPI: \"reply TIME\")",
            "Happy customers | METRIC to 50 | kpi reply-time",
        ),
        (
            "KR: Interviews to 50 interviews",
            "Interviews | METRIC to 50 (unit: number \"interviews\")",
        ),
        // By so much.
        (
            "KR: Grow the open rate by 10 %",
            "Grow the open rate | METRIC by 10 % | kpi open-rate",
        ),
        (
            "KR: Open rate from 20 % +10 %",
            "Open rate | METRIC from 20 by 10 % | kpi open-rate",
        ),
        (
            "KR: Grow the open rate by 5 points",
            "Grow the open rate | METRIC by 5 | kpi open-rate",
        ),
        (
            "KR: Reduce reply time by 15 min by 15 August",
            "Reduce reply time | METRIC by -15 | kpi reply-time | due 2026-08-15",
        ),
        ("KR: Deals from 15 by +3", "Deals | METRIC from 15 by 3"),
        (
            "KR: Reduce costs from 80 by -25 %",
            "Reduce costs | METRIC from 80 by -25 %",
        ),
        // To be kept.
        (
            "KR: Keep NPS above 40",
            "Keep NPS | MAINTAIN at least 40 | kpi nps",
        ),
        ("KR: Keep \"NPS\" ≥ 40", "NPS | MAINTAIN at least 40 | kpi nps"),
        (
            "KR: Hold reply time at most 30 min",
            "Hold reply time | MAINTAIN at most 30 | kpi reply-time",
        ),
        (
            "KR: Keep uptime between 99.5 and 100 %",
            "Keep uptime | MAINTAIN at least 99.5 at most 100 (unit: percent)",
        ),
        (
            "KR: Keep NPS above 40 (share of periods)",
            "Keep NPS | MAINTAIN at least 40 by share | kpi nps",
        ),
        (
            "KR: Keep NPS above 40 (tolerance: 5)",
            "Keep NPS | MAINTAIN at least 40 tolerance 5 | kpi nps",
        ),
        // To be done.
        (
            "[ ] KR: Launch in Brazil by Q3",
            "Launch in Brazil | BINARY | due 2026-09-30",
        ),
        ("KR: [x] Launch in Brazil", "Launch in Brazil | BINARY"),
        ("KR: Pricing page done", "Pricing page | BINARY"),
        (
            "KR: Open the shop\n  - [x] Rent it\n  - Fill it (weight: 2)\n  - Open (id: opened)",
            "Open the shop | MILESTONES rent-it fill-it opened",
        ),
        // Marks.
        (
            "KR: NPS from 40 to 65 @maria (weight: 2) (due 2026-08-01)",
            "NPS | METRIC from 40 to 65 | kpi nps | due 2026-08-01 | @maria | weight 2",
        ),
        ("KR: NPS from 40 to 65 (no KPI)", "NPS | METRIC from 40 to 65"),
        (
            "KR: Deals from 0 to 9 (unit: count \"deals\" 0 decimals) (reference: 7)",
            "Deals | METRIC from 0 to 9 reference 7 (unit: count \"deals\" 0 decimals)",
        ),
        (
            "KR: NPS to 65 (window: cycle)",
            "NPS | METRIC to 65 | kpi nps | window cycle",
        ),
        // What `binnacle board` says of how it goes.
        (
            "KR: NPS from 40 to 65, now 50 (0.40, behind, outdated) (KPI: nps) @ana",
            "NPS | METRIC from 40 to 65 | kpi nps | @ana",
        ),
        ("[ ] KR: Launch, now open (0.00, at risk)", "Launch | BINARY"),
        (
            "[ ] KR: Launch, not started (0.00, not started)",
            "Launch | BINARY",
        ),
    ] {
        assert_eq!(line(&format!("- {said}")).as_deref(), Ok(meant), "{said}");
    }
}

#[test]
fn what_is_not_clear_is_refused_with_how_to_write_it() {
    for (said, sentence) in [
        ("KR: Make customers happy", "KR: Increase NPS from 32 to 45"),
        ("KR: NPS at least 75", "KR: Keep … above 40"),
        ("KR: Raise NPS from 45 to 32", "correct the verb or the numbers"),
        (
            "KR: Reduce costs from 60 to 80",
            "correct the verb or the numbers",
        ),
        ("KR: Raise costs from 60 by -5", "contradict"),
        ("KR: Costs from 60 by 5", "by +15 or by -15"),
        ("KR: Grow customers by 10 %", "from 20 % by +10 %"),
        ("KR: Revenue from 1,5 to 3", "as 1,234.5"),
        ("KR: Customers from 1.500 to 3.000", "may be 1,500 or 1.5000"),
        ("KR: ARR from 2 to 3 M", "write both with k, M or bn"),
        (
            "KR: Reply time from 48 m to 30 m",
            "minutes, months, metres or millions",
        ),
        ("KR: Costs from ¥500 to ¥400", "JPY or CNY"),
        ("KR: Costs from $80 to €60", "different things, USD and EUR"),
        (
            "KR: Reply time from $80 to $60",
            "its KPI kpis/reply-time is in min",
        ),
        ("KR: Grow revenue to 55,000", "one of revenue-brl, revenue-usd"),
        ("KR: NPS from 40 to 65 by 30.09.2026", "write a day as 2026-09-30"),
        ("KR: NPS from 40 to 65 by Q4", "no end of Q4 in the cycle"),
        ("KR: NPS from 40 to 65 by 2026-12-31", "outside of the cycle"),
        ("KR: NPS from 40 to 65 by Q3 (due 2026-08-01)", "due twice"),
        ("KR: Grow customers from 5 by 2027", "may be a year"),
        (
            "KR: NPS from 40 to 65 @eve",
            "nobody in the workspace is called @eve",
        ),
        (
            "KR: NPS from 40 to 65 (aspirational)",
            "(aspirational) means nothing here",
        ),
        ("KR: NPS from 40 to 65 (colour: red)", "\"colour\" is no mark"),
        ("KR: NPS from 40 to 65 (weight: 1001)", "a weight from 0 to 1000"),
        ("KR: NPS from 40 to 65 @ana @maria", "twice"),
        ("KR: NPS from 40 to 65 (tolerance: 5)", "a bound to keep"),
        ("KR: \"NPS\" from 40 65", "what is behind the title is not clear"),
        ("KR: Keep NPS between 60 and 40", "the lower one first"),
        ("KR: NPS from 40 to 65\n  - a step", "a number and milestones"),
        (
            "KR: Open\n  - Rent it\n  - rent it",
            "two milestones would be called \"rent-it\"",
        ),
        ("[ ] KR: Launch (KPI: nps)", "leave it out"),
        ("[ ] KR: Launch\n\n  more of it", "\"> …\""),
        ("Raise NPS from 40 to 65", "begin it with \"KR:\""),
        ("Objective: Win", "write \"# Win\""),
        ("Initiative: Demos\n  - a step", "too deep"),
        ("Initiative: Demos by 30/09", "write a day as 2026-09-30"),
        ("[x] Initiative: Demos (in progress)", "keep one of them"),
        ("Initiative:", "its title"),
        ("KR: NPS to 50 (no KPI)\n- KR: nps to 51 (no KPI)", "like line 3"),
    ] {
        match line(&format!("- {said}")) {
            Ok(meant) => panic!("{said:?} was taken as {meant}"),
            Err(refused) => assert!(refused.contains(sentence), "{said:?}: {refused}"),
        }
    }
}

#[test]
fn an_initiative_says_who_does_it_until_when_and_how_much_is_done() {
    for (said, meant) in [
        (
            "Initiative: Hire a support manager",
            "Hire a support manager | STATE_PLANNED",
        ),
        (
            "Action: 100 demos 3/100 by Q3 @maria",
            "100 demos | STATE_PLANNED 3/100 | due 2026-09-30 | @maria",
        ),
        (
            "Initiative: 100 demos by end of July 3/100",
            "100 demos | STATE_PLANNED 3/100 | due 2026-07-31",
        ),
        (
            "[x] Initiative: Live chat (due 2026-11-30)",
            "Live chat | STATE_DONE | due 2026-11-30",
        ),
        ("[ ] Initiative: Live chat (in progress) @Ana", ""),
        ("Initiative: Live chat (dropped)", "Live chat | STATE_DROPPED"),
        ("Initiative: Open 24/7", "Open 24/7 | STATE_PLANNED"),
        ("Initiative: \"Split it 50/50\"", "Split it 50/50 | STATE_PLANNED"),
        (
            "KR: NPS to 65\n  - Initiative: Demos",
            "NPS | METRIC to 65 | kpi nps + Demos | STATE_PLANNED | for nps",
        ),
    ] {
        if meant.is_empty() {
            assert_eq!(
                line(&format!("- {said}")).as_deref(),
                Ok("Live chat | STATE_IN_PROGRESS | @ana"),
                "{said}"
            );
            continue;
        }
        assert_eq!(line(&format!("- {said}")).as_deref(), Ok(meant), "{said}");
    }
}

#[test]
fn an_objective_is_a_heading_with_its_marks_and_its_description() {
    for (said, meant, description) in [
        ("# Win Brazil", "Win Brazil", ""),
        ("## Objective: Win (phase 1)", "Win (phase 1)", ""),
        (
            "# O1: Win (aspirational) @maria #growth #tier=1 (weight: 2)",
            "Win | @maria | aspirational | #growth= | #tier=1 | weight 2",
            "",
        ),
        (
            "# \"Be vendor #1\" (committed) (team: sales)",
            "Be vendor #1 | team sales",
            "",
        ),
        (
            "# Win\n\nBecause\nwe *can*.\n\n> a remark\n\nAnd will.",
            "Win",
            "Because\nwe *can*.\n\nAnd will.",
        ),
        (
            "# Win\n\n```\n# to the letter\n```\n\n### Key results\n\n- KR: NPS to 65",
            "Win",
            "# to the letter",
        ),
        ("# Win\n\n## Actions\n\n- anything\n\n### at all", "Win", ""),
    ] {
        let (wanted, faults) = read_with(said, &facts());
        assert_eq!(faults, [], "{said}");
        let message = &wanted.resources[0].message;
        let Message::Objective(objective) = message else {
            panic!("{message:?}");
        };
        assert_eq!(
            (shown(message).as_str(), objective.description.as_str()),
            (meant, description),
            "{said}"
        );
    }
}

#[test]
fn what_belongs_to_nothing_is_told_by_its_line() {
    for (board, line, sentence) in [
        ("Our board\n\n# Win", 1, "belongs to nothing"),
        ("- KR: NPS to 65", 1, "begin with \"# OBJECTIVE\""),
        ("# Win\n\n- KR: NPS to 65\n\nmore", 5, "belongs to nothing"),
        ("# Win\n\n#### Risks", 3, "small heading"),
        ("# Win\n\nWhy\n---\n", 3, "underlined"),
        ("# Win\n\n<div>x</div>\n", 3, "belongs to nothing"),
        ("# Win\n# win", 2, "like line 1"),
        ("# Win @eve", 1, "@eve"),
        ("# Win (colour: red)\n\n- anything", 1, "no mark"),
    ] {
        let (_, faults) = read_with(board, &facts());
        assert!(
            matches!(&faults[..], [(at, said)] if *at == line && said.contains(sentence)),
            "{board:?}: {faults:?}"
        );
    }
}

#[test]
fn an_id_that_another_cycle_has_is_followed_by_the_cycles() {
    let mut facts = facts();
    for (id, cycle) in [("win", "q2-2026"), ("grow", "q3-2026")] {
        let name = format!("{WORKSPACE}/objectives/{id}");
        let objective = api::Objective {
            name: name.clone(),
            cycle: format!("{WORKSPACE}/cycles/{cycle}"),
            ..api::Objective::default()
        };
        facts.objectives.insert(name, objective);
    }
    let (wanted, faults) = read_with("# Win\n# Grow\n# 品質\n# Lead (id: first)", &facts);
    assert_eq!(faults, []);
    let ids: Vec<_> = wanted
        .resources
        .iter()
        .map(|resource| last(resource.message.name()))
        .collect();
    assert_eq!(ids[..2], ["win-q3-2026", "grow"]);
    assert!(Id::parse(ids[2]).is_ok() && ids[2].len() > 20, "{ids:?}");
    assert_eq!(ids[3], "first");
}

#[test]
fn what_a_draft_cannot_record_is_left_to_people() {
    let board = "# Win\n\n- [x] KR: Launch\n- KR: Open\n  - [x] Rent it\n- KR: Fun to 5 (KPI: fun)\n";
    let (wanted, faults) = read_with(board, &facts());
    assert_eq!(faults, []);
    let todos: Vec<_> = wanted
        .todos
        .iter()
        .map(|todo| (last(&todo.about), todo.sentence.as_str()))
        .collect();
    let expected = [
        ("launch", "it is checked as reached"),
        ("open", "reached already: \"Rent it\""),
        ("fun", "no KPI is called \"fun\""),
    ];
    assert_eq!(todos.len(), expected.len(), "{todos:?}");
    for ((about, sentence), (id, begin)) in todos.iter().zip(expected) {
        assert!(*about == id && sentence.starts_with(begin), "{todos:?}");
    }
}

fn title() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => "[a-zA-Z]{1,8}",
        1 => "[ -~]{1,6}",
        1 => r#"(from|to|by|keep|KR:|Initiative:|@maria|#one|"|""|done|now|Q3|NPS|\(no KPI\)|\(0\.50\)|, now|5|1,500|%|\*a\*|_b_|<c>|&amp;|\[x\]|`|\\)"#,
        1 => "[àéß日本🙂]{1,3}",
    ];
    prop::collection::vec(word, 1..6)
        .prop_map(|words| words.join(" ").split_whitespace().collect::<Vec<_>>().join(" "))
        .prop_filter("a title is not blank", |title| !title.is_empty())
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-2_000_000..2_000_000_i64).prop_map(|number| number as f64),
        (-99_999..99_999_i64).prop_map(|number| number as f64 / 1_000.0),
        -1e15..1e15_f64,
    ]
}

fn any_unit() -> impl Strategy<Value = Option<api::Unit>> {
    use api::unit::Kind;
    let kind = prop_oneof![
        Just((Kind::Number, "")),
        Just((Kind::Percent, "")),
        Just((Kind::Currency, "EUR")),
        Just((Kind::Currency, "XYZ")),
        Just((Kind::Duration, "")),
        Just((Kind::Count, "")),
    ];
    let symbol = prop_oneof![3 => Just(String::new()), 1 => "[a-z]{1,5}", 1 => "[ -~]{1,8}"];
    let unit =
        (kind, symbol, prop::option::of(0..9_u32)).prop_map(|((kind, code), symbol, decimals)| api::Unit {
            symbol,
            decimals,
            ..of_kind(kind, code)
        });
    prop::option::of(unit)
}

fn any_kind() -> impl Strategy<Value = Kind> {
    use api::relative_target::Change;
    let metric = (prop::option::of(number()), number(), prop::option::of(number()));
    let relative = (number(), any::<bool>(), number());
    let maintain = (number(), 0.0..1e6_f64, 0..3_u8, any::<bool>());
    let milestones = prop::collection::btree_map("[a-z]{1,6}", (title(), 0..4_u8), 1..4);
    prop_oneof![
        metric.prop_map(|(baseline, target, reference_value)| Kind::Metric(api::Metric {
            baseline,
            target: Some(target),
            reference_value,
            ..api::Metric::default()
        })),
        relative.prop_map(|(baseline, is_percent, by)| {
            let change = if is_percent {
                Change::Percent(by)
            } else {
                Change::Amount(by)
            };
            Kind::Metric(api::Metric {
                baseline: Some(baseline),
                target: Some(0.0),
                relative_target: Some(api::RelativeTarget { change: Some(change) }),
                ..api::Metric::default()
            })
        }),
        maintain.prop_map(|(least, width, which, by_share)| Kind::Maintain(api::Maintain {
            at_least: (which != 1).then_some(least),
            at_most: (which != 0).then_some(least + width),
            mode: if by_share {
                api::maintain::Mode::Share
            } else {
                api::maintain::Mode::Now
            }
            .into(),
            tolerance: (!by_share).then_some(width.floor()),
        })),
        milestones.prop_map(|milestones| Kind::Milestones(api::Milestones {
            milestones: milestones
                .into_iter()
                .map(|(id, (title, weight))| api::Milestone {
                    id,
                    title,
                    weight: Some(f64::from(weight)),
                })
                .collect(),
        })),
        Just(Kind::Binary(api::Binary {})),
    ]
}

fn any_day() -> impl Strategy<Value = Option<google_type::Date>> {
    prop::option::of((7..10_i32, 1..31_i32).prop_map(|(month, day)| google_type::Date {
        year: 2026,
        month,
        day,
    }))
}

fn any_owner() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), Just(format!("{WORKSPACE}/members/maria"))]
}

fn any_key_result() -> impl Strategy<Value = api::KeyResult> {
    let kpi = prop::option::of(prop::sample::select(vec![
        "nps",
        "reply-time",
        "wait",
        "open-rate",
    ]));
    let rest = (
        any_day(),
        any_owner(),
        0..3_u8,
        any::<bool>(),
        prop::option::of(number()),
    );
    (title(), any_kind(), any_unit(), kpi, rest).prop_map(|(title, kind, unit, kpi, rest)| {
        let (due_date, owner, weight, over_cycle, current) = rest;
        let has_number = matches!(kind, Kind::Metric(_) | Kind::Maintain(_));
        let kpi = kpi
            .filter(|_| has_number)
            .map(|id| format!("{WORKSPACE}/kpis/{id}"))
            .unwrap_or_default();
        let window = if over_cycle && !kpi.is_empty() {
            api::key_result::Window::Cycle
        } else {
            api::key_result::Window::Newest
        };
        api::KeyResult {
            title,
            owner,
            // Done or not, and steps, are numbers of nothing.
            unit: unit.filter(|_| has_number),
            weight: Some(f64::from(weight)),
            kpi,
            due_date,
            window: window.into(),
            kind: Some(kind),
            progress: current.map(|current| api::KeyResultProgress {
                current: Some(current),
                score: 0.4,
                status: api::Status::AtRisk.into(),
                ..api::KeyResultProgress::default()
            }),
            ..api::KeyResult::default()
        }
    })
}

fn any_initiative() -> impl Strategy<Value = api::Initiative> {
    let count = || prop::option::of(0..5_000_i64);
    (title(), any_owner(), any_day(), 1..5_i32, count(), count()).prop_map(
        |(title, owner, due_date, state, planned_count, done_count)| api::Initiative {
            title,
            owner,
            due_date,
            state,
            planned_count,
            done_count,
            ..api::Initiative::default()
        },
    )
}

fn any_objective() -> impl Strategy<Value = ShownObjective> {
    let description = prop_oneof![
        Just(String::new()),
        title(),
        "[ -~\n]{0,60}",
        Just("- KR: no\n\n# no\n\n```\nx\n```".to_owned()),
    ];
    let key_results = prop::collection::vec(any_key_result(), 0..4);
    let initiatives = prop::collection::vec((any_initiative(), any::<prop::sample::Index>()), 0..4);
    let rest = (any_owner(), any::<bool>(), 0..3_u8);
    (title(), description, key_results, initiatives, rest).prop_map(
        |(title, description, mut key_results, initiatives, (owner, is_aspirational, weight))| {
            use api::objective::Ambition;
            let name = format!("{WORKSPACE}/objectives/some-id");
            for (index, key_result) in key_results.iter_mut().enumerate() {
                key_result.name = format!("{name}/keyResults/k{index}");
            }
            let initiatives = initiatives
                .into_iter()
                .enumerate()
                .map(|(index, (mut initiative, of))| {
                    initiative.name = format!("{name}/initiatives/i{index}");
                    if !key_results.is_empty() {
                        initiative.key_result = key_results[of.index(key_results.len())].name.clone();
                    }
                    initiative
                });
            let initiatives = initiatives.collect();
            ShownObjective {
                objective: api::Objective {
                    name,
                    title,
                    description,
                    owner,
                    cycle: CYCLE.to_owned(),
                    ambition: if is_aspirational {
                        Ambition::Aspirational
                    } else {
                        Ambition::Committed
                    }
                    .into(),
                    weight: Some(f64::from(weight)),
                    state: api::objective::State::Active.into(),
                    ..api::Objective::default()
                },
                key_results,
                initiatives,
            }
        },
    )
}

fn shown_of(objectives: Vec<ShownObjective>) -> Shown {
    let facts = facts();
    let cycle = api::Cycle {
        name: CYCLE.to_owned(),
        title: "The *third* quarter".to_owned(),
        first_date: Some(wanted::wire_date(facts.calendar.first)),
        last_date: Some(wanted::wire_date(facts.calendar.last)),
        ..api::Cycle::default()
    };
    Shown {
        workspace: api::Workspace {
            name: WORKSPACE.to_owned(),
            title: "Acme # <1>".to_owned(),
            ..api::Workspace::default()
        },
        kpis: facts.kpis,
        members: facts.members,
        cycles: vec![(cycle, objectives)],
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_text_is_read_or_refused_and_never_a_panic(
        lines in prop::collection::vec(prop_oneof!["[ -~]{0,40}", "(# |- KR: |- \\[ \\] |  - |> |```)?", title(), "\\PC{0,20}"], 0..12)
    ) {
        let text = lines.concat();
        let (wanted, faults) = read_with(&text, &facts());
        for (line, _) in faults {
            prop_assert!(line >= 1 && line <= text.lines().count().max(1));
        }
        for resource in wanted.resources {
            prop_assert!(resource.place.line >= 1);
        }
    }

    #[test]
    fn a_number_that_is_written_is_read_as_it_was(number in number(), decimals in prop::option::of(0..9_u32)) {
        let text = quantity::written(number, decimals);
        let tokens = super::token::tokens(&text);
        let read = quantity::read(&tokens, 0).expect("clear").expect("a number");
        prop_assert_eq!((read.0.number, read.1), (number, 1), "{}", text);
    }

    #[test]
    fn a_board_that_was_written_is_read_as_what_it_was(objective in any_objective()) {
        let shown = shown_of(vec![objective.clone()]);
        let board = shown.board();
        let (wanted, faults) = read_with(&board, &facts());
        prop_assert_eq!(faults, vec![], "{}", board);
        let objectives = std::iter::once(Message::Objective(objective.objective));
        let there: BTreeMap<String, Message> = objectives
            .chain(objective.key_results.into_iter().map(Message::KeyResult))
            .chain(objective.initiatives.into_iter().map(Message::Initiative))
            .map(|message| (message.name().to_owned(), message))
            .collect();
        prop_assert_eq!(wanted.resources.len(), there.len(), "{}", board);
        for resource in &wanted.resources {
            let before = there.get(resource.message.name());
            prop_assert!(before.is_some(), "{} is new in {}", resource.message.name(), board);
            let differs = differences(before.expect("it is there"), &resource.message);
            prop_assert!(differs.is_empty(), "{differs:?} of {before:?} in {board}");
        }
        prop_assert_eq!(shown.board(), board, "it is not always the same");
    }
}

#[test]
fn a_board_reads_like_one() {
    let objective = api::Objective {
        name: format!("{WORKSPACE}/objectives/better-support"),
        title: "Better support".to_owned(),
        description: "Customers wait too long.".to_owned(),
        owner: format!("{WORKSPACE}/members/maria"),
        cycle: CYCLE.to_owned(),
        state: api::objective::State::Active.into(),
        progress: Some(api::ObjectiveProgress {
            score: Some(0.25),
            expected: Some(0.6),
            status: api::Status::AtRisk.into(),
            ..api::ObjectiveProgress::default()
        }),
        ..api::Objective::default()
    };
    let key_result = api::KeyResult {
        name: format!("{}/keyResults/reply-time", objective.name),
        title: "Reply time".to_owned(),
        kpi: format!("{WORKSPACE}/kpis/reply-time"),
        kind: Some(Kind::Metric(api::Metric {
            baseline: Some(48.0),
            target: Some(30.0),
            ..api::Metric::default()
        })),
        progress: Some(api::KeyResultProgress {
            current: Some(43.5),
            score: 0.25,
            expected: 0.6,
            status: api::Status::AtRisk.into(),
            ..api::KeyResultProgress::default()
        }),
        ..api::KeyResult::default()
    };
    let initiative = api::Initiative {
        name: format!("{}/initiatives/hire", objective.name),
        title: "Hire".to_owned(),
        key_result: key_result.name.clone(),
        due_date: Some(wanted::wire_date(date(2026, 8, 31))),
        ..api::Initiative::default()
    };
    let mut shown = shown_of(vec![ShownObjective {
        objective,
        key_results: vec![key_result],
        initiatives: vec![initiative],
    }]);
    shown.workspace.today = Some(wanted::wire_date(date(2026, 9, 1)));
    let expected =
        "> Acme \\# \\<1\\> · The \\*third\\* quarter, 2026-07-01 to 2026-09-30 · as of 2026-09-01\\
> ·········· no score

# Better support @maria

> ███░░┊░░░░ 0.25 of 0.60 expected · at risk · active

Customers wait too long.

- KR: Reply time from 48 min to 30 min, now 43.5 min (0.25, at risk) (KPI: reply-time)
  - [ ] Initiative: Hire (due 2026-08-31)

## Actions

- [ ] Better support, Reply time: at risk, 0.25 where 0.60 is expected: say what is done about it
- [ ] Better support, Hire: it was due on 2026-08-31: finish it, or move its due date
";
    assert_eq!(shown.board(), expected);
}

#[test]
fn what_an_archived_kpi_gives_no_more_is_not_asked_to_be_measured() {
    let key_result = api::KeyResult {
        name: format!("{WORKSPACE}/objectives/listen/keyResults/nps"),
        title: "NPS".to_owned(),
        kpi: format!("{WORKSPACE}/kpis/nps"),
        progress: Some(api::KeyResultProgress {
            outdated: true,
            ..api::KeyResultProgress::default()
        }),
        ..api::KeyResult::default()
    };
    let objective = api::Objective {
        name: format!("{WORKSPACE}/objectives/listen"),
        title: "Listen".to_owned(),
        owner: format!("{WORKSPACE}/members/maria"),
        state: api::objective::State::Active.into(),
        ..api::Objective::default()
    };
    let mut shown = shown_of(vec![ShownObjective {
        objective,
        key_results: vec![key_result],
        initiatives: Vec::new(),
    }]);
    let action = |shown: &Shown| {
        let board = shown.board();
        let action = board.lines().find(|line| line.starts_with("- [ ] Listen, NPS"));
        action.expect("an action").to_owned()
    };
    let silent = "- [ ] Listen, NPS: nothing was heard of it for too long: ";
    assert_eq!(action(&shown), format!("{silent}measure kpis/nps"));
    shown.kpis[0].archive_time = Some(prost_types::Timestamp::default());
    assert_eq!(
        action(&shown),
        format!("{silent}kpis/nps is archived: take it into use, or link the one that replaces it")
    );
}

#[test]
fn a_key_result_is_in_the_unit_that_its_kpi_is_judged_in() {
    let mut facts = facts();
    let board = "# Win\n\n- KR: Raise the growth from 1 % to 3 %\n";
    let brl = of_kind(api::unit::Kind::Currency, "BRL");
    facts.kpis.push(kpi("growth", "Growth", brl, Some(2.0)));
    let (_, faults) = read_with(board, &facts);
    assert_eq!(faults.len(), 1, "no % in BRL: {faults:?}");
    let growth = facts.kpis.last_mut().expect("a KPI");
    growth.set_transform(api::kpi::Transform::ChangePercent);
    let (wanted, faults) = read_with(board, &facts);
    assert_eq!(faults, []);
    assert_eq!(
        shown(&wanted.resources[1].message),
        "Raise the growth | METRIC from 1 to 3 | kpi growth"
    );
}

#[test]
fn the_units_of_this_table_are_those_of_the_domain() {
    let code = CurrencyCode::parse("EUR").expect("a currency");
    let unit = crate::domain::Unit::parse(UnitKind::Currency(code), "€", Some(2)).expect("a unit");
    assert_eq!(
        unit::mark(&unit::message(&unit)),
        "(unit: currency EUR \"€\" 2 decimals)"
    );
}

const GRAMMAR: &str = include_str!("../../../docs/board.md");

/// The code spans of a text.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The rows of the table below a line of docs/board.md, each as its cells.
fn table<'d>(head: &str) -> Vec<Vec<&'d str>> {
    let rows = GRAMMAR.split_once(head).expect(head).1.lines().skip(2);
    rows.take_while(|row| row.starts_with('|'))
        .map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

#[test]
fn every_line_of_the_grammar_is_understood() {
    let mut count = 0;
    for row in table("| written | means |") {
        for written in spans(row[0]) {
            let below = if row[0].ends_with("with a list below") {
                "\n  - Rent it\n  - Open it"
            } else {
                ""
            };
            let board = match written {
                _ if written.starts_with("# ") => written.to_owned(),
                _ if written.starts_with("- ") => format!("# Win\n\n{written}{below}"),
                _ if written.starts_with("by ") => {
                    // In a year, every one of these days is once.
                    format!("# Win\n\n- Initiative: Demos {written}")
                }
                _ if written.starts_with("(due ") => format!("# Win\n\n- Initiative: Demos {written}"),
                _ if written.starts_with("###")
                    || written.starts_with("> ")
                    || written.starts_with("<!--") =>
                {
                    format!("# Win\n\n{written}")
                }
                _ => continue,
            };
            let mut facts = facts();
            facts.calendar.first = date(2026, 1, 1);
            let (wanted, faults) = read_with(&board, &facts);
            assert_eq!(faults, [], "{board}");
            let is_line =
                written.starts_with("- ") || written.starts_with("by ") || written.starts_with("(due ");
            assert_eq!(wanted.resources.len(), 1 + usize::from(is_line), "{board}");
            count += 1;
        }
    }
    assert!(count > 15, "{count} lines were found");
}

#[test]
fn every_mark_of_the_grammar_is_understood_where_it_may_stand() {
    let mut count = 0;
    for row in table("| mark | of | means |") {
        for mark in spans(row[0]) {
            for kind in row[1].split(", ") {
                let board = match kind {
                    "objective" => format!("# Win {mark}"),
                    "key result" => format!("# Win\n\n- KR: NPS from 40 to 65 {mark}"),
                    "key result with a target" => format!("# Win\n\n- KR: NPS to 65 {mark}"),
                    "key result to be kept" => format!("# Win\n\n- KR: Keep NPS above 40 {mark}"),
                    "milestone" => format!("# Win\n\n- KR: Open\n  - Rent it {mark}"),
                    "initiative" => format!("# Win\n\n- Initiative: Demos {mark}"),
                    "all" => format!(
                        "# Win (id: a)\n\n- KR: Open (id: b)\n  - Rent it (id: c)\n- Initiative: Demos {mark}"
                    ),
                    other => panic!("{other:?} is not known"),
                };
                let (_, faults) = read_with(&board, &facts());
                assert_eq!(faults, [], "{board}");
                count += 1;
            }
        }
    }
    assert!(count > 20, "{count} marks were found");
}

#[test]
fn everything_that_the_grammar_refuses_is_refused() {
    let (_, behind) = GRAMMAR.split_once("Refused, because").expect("the sentence");
    let (sentence, _) = behind.split_once("\n\n").expect("its end");
    let refused: Vec<_> = spans(sentence).collect();
    assert_eq!(refused.len(), 6, "{refused:?}");
    for written in refused {
        let said = match written {
            _ if written.starts_with("from") => format!("- KR: Sales {written}"),
            "30.09.2026" => format!("- KR: Sales from 1 to 2 by {written}"),
            _ => format!("- KR: Sales to {written}"),
        };
        assert!(line(&said).is_err(), "{said} was taken: {:?}", line(&said));
    }
}
