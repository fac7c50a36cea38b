//! Which resources a query finds, in which order, and that no text breaks it.

use std::sync::LazyLock;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::domain::given::*;
use crate::domain::{
    Alignment, Ambition, Command, Confidence, Effective, Initiative, KeyResult, Labels, Member, Objective,
    RecordedCheckIn, RecordedReview, ResourceName, Role, Team, Workspace,
};
use crate::domain::{Cycle, Etag, Kpi};
use crate::service::lists;

/// Teams company > sales > south, objectives in each, key results, check-ins: what the tables below ask for.
static COMPANY: LazyLock<State> = LazyLock::new(company);

fn company() -> State {
    let labels = |pairs: &[(&str, &str)]| Labels::parse(pairs.iter().copied()).unwrap();
    let given = given(q1())
        .and([
            team("company", None),
            team("sales", Some("company")),
            team("south", Some("sales")),
            team("it", Some("company")),
            member("joe", "joe@acme.example", Role::Lead),
            kpi("nps", |_| {}),
            objective("win", |fields| {
                fields.title = title("Win Brazil");
                fields.team = Some(id("sales"));
                fields.contributing_teams = vec![id("it")];
                fields.serves = vec![id("nps")];
                fields.labels = labels(&[("env", "prod"), ("app.example/tier", "Gold")]);
            }),
            key_result("win/deals", |fields| fields.due_date = Some(date(2026, 3, 1))),
            key_result("win/calls", |_| {}),
            activate("win"),
        ])
        .on(1, 10)
        .and([
            objective("grow", |fields| {
                fields.title = title("grow");
                fields.team = Some(id("south"));
                fields.owner = Some(id("joe"));
                fields.ambition = Ambition::Aspirational;
                fields.aligned_to = Some(Alignment::KeyResult(key_result_id("win/deals")));
            }),
            objective("keep", |fields| {
                fields.title = title("Keep (all)");
                fields.team = Some(id("it"));
                fields.aligned_to = Some(Alignment::Objective(id("win")));
                fields.labels = labels(&[("env", "test")]);
            }),
            objective("none", |fields| fields.owner = None),
            objective("gone", |fields| fields.team = Some(id("sales"))),
            initiative("win/demos", |fields| {
                fields.key_result = Some(id("deals"));
                fields.due_date = Some(date(2026, 2, 1));
            }),
            initiative("win/offsite", |_| {}),
            check_in("win/deals", "c1", |of| {
                of.value = Some(value(7.0));
                of.confidence = Some(Confidence::parse(0.8).unwrap());
            }),
            check_in("win/calls", "c1", |of| {
                of.value = Some(value(1.0));
                of.effective = Effective::At(at(2026, 1, 9, 12));
            }),
            Command::Delete {
                name: ResourceName::Objective(id("gone")),
                etag: Etag::Any,
            },
        ]);
    let mut state = State::empty();
    for commit in &given.commits {
        state.apply(commit);
    }
    state
}

fn query<R: Listed>(filter: &str, order_by: &str, show_deleted: bool) -> Result<ListQuery<R>, Rejection> {
    let asked = Narrowing {
        filter,
        order_by,
        show_deleted,
    };
    ListQuery::parse(asked, Some(&id("acme")))
}

/// The keys that a query finds, separated by white space.
fn keys<'s, R: Listed>(
    state: &'s State,
    filter: &str,
    order_by: &str,
    entries: impl FnOnce(&'s State, Option<&str>) -> Entries<'s, R>,
) -> String {
    let query = query(filter, order_by, false).unwrap_or_else(|refused| panic!("{filter}: {refused}"));
    let page = query.page(None, usize::MAX, |after| entries(state, after));
    page.into_iter().map(R::key).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_filter_finds_objectives_by_each_of_their_fields() {
    let state = &*COMPANY;
    for (filter, found) in [
        ("", "grow keep none win"),
        ("title : \"bra\"", "win"),
        ("title = grow", "grow"),
        ("title = Grow", ""),
        ("title >= \"keep\"", "keep none win"),
        ("title : \"(\"", "keep"),
        ("owner = joe", "grow"),
        ("owner = workspaces/acme/members/joe", "grow"),
        ("owner != joe", "keep none win"),
        ("owner:*", "grow keep win"),
        ("-owner:*", "none"),
        ("NOT owner:joe", "keep none win"),
        ("team = company", "grow keep win"),
        ("team = sales", "grow win"),
        ("team = \"workspaces/acme/teams/south\"", "grow"),
        ("team != sales", "keep none"),
        ("NOT team:*", "none"),
        ("team = nobody", ""),
        ("contributing_teams : it", "win"),
        ("contributing_teams:*", "win"),
        ("cycle = q1", "grow keep none win"),
        ("cycle != q1", ""),
        ("ambition = ASPIRATIONAL", "grow"),
        ("state = DRAFT", "grow keep none"),
        ("state = ACTIVE", "win"),
        ("status = ON_TRACK", "win"),
        ("status != ON_TRACK", "grow keep none"),
        ("-status:*", "grow keep none"),
        ("score > 0.3", "win"),
        ("score = 0.4", "win"),
        ("score <= 0.4 OR NOT score:*", "grow keep none win"),
        ("outcome:*", ""),
        ("outcome != MISSED", "grow keep none win"),
        ("aligned_to = win", "keep"),
        (
            "aligned_to = \"workspaces/acme/objectives/win/keyResults/deals\"",
            "grow",
        ),
        ("aligned_to != win", "grow none win"),
        ("aligned_to:*", "grow keep"),
        ("serves : nps", "win"),
        ("carried_from:*", ""),
        ("carried_from = win", ""),
        ("labels.env = prod", "win"),
        ("labels.env : \"TES\"", "keep"),
        ("labels.env != prod", "grow keep none"),
        ("labels.env:*", "keep win"),
        ("labels:env", "keep win"),
        ("labels:*", "keep win"),
        ("labels.app.example/tier = Gold", "win"),
        ("labels.\"app.example/tier\" > \"a\"", "win"),
        ("create_time < \"2026-01-10T00:00:00Z\"", "win"),
        ("update_time >= 2026-01-10T12:00:00+00:00", "grow keep none"),
        ("update_time > 2026-01-10T14:00:00+02:00", ""),
        ("team = sales state = ACTIVE", "win"),
        ("team = it OR owner = joe AND state = DRAFT", "grow keep"),
        ("(team = it AND state = DRAFT) OR state = ACTIVE", "keep win"),
        ("NOT (team = it OR team = sales)", "none"),
    ] {
        assert_eq!(keys(state, filter, "", lists::objectives), found, "{filter}");
    }
}

#[test]
fn a_filter_finds_what_is_below_an_objective_also_by_the_objectives_fields() {
    let state = &*COMPANY;
    for (filter, found) in [
        ("team = company", "win/calls win/deals"),
        ("team = it", ""),
        ("cycle = q1 state = ACTIVE", "win/calls win/deals"),
        ("due_date <= 2026-03-01", "win/deals"),
        ("due_date > 2026-03-01", ""),
        ("confidence >= 0.8", "win/deals"),
        ("NOT confidence:*", "win/calls"),
        ("score >= 0.7", "win/deals"),
        ("owner:*", ""),
        ("-kpi:*", "win/calls win/deals"),
    ] {
        let key_results = |state, after: Option<&str>| lists::key_results(state, None, after);
        assert_eq!(keys(state, filter, "", key_results), found, "{filter}");
    }
    for (filter, found) in [
        ("key_result = deals", "win/demos"),
        (
            "key_result = \"workspaces/acme/objectives/win/keyResults/deals\"",
            "win/demos",
        ),
        (
            "key_result = \"workspaces/acme/objectives/grow/keyResults/deals\"",
            "",
        ),
        ("key_result != deals", "win/offsite"),
        ("state = PLANNED", "win/demos win/offsite"),
        ("team = sales due_date:*", "win/demos"),
    ] {
        let initiatives = |state, after: Option<&str>| lists::initiatives(state, None, after);
        assert_eq!(keys(state, filter, "", initiatives), found, "{filter}");
    }
    for (filter, found) in [
        ("principal = maria", "win/calls/c1 win/deals/c1"),
        ("confidence:*", "win/deals/c1"),
        ("value < 7", "win/calls/c1"),
        ("effective_time < 2026-01-10T00:00:00Z", "win/calls/c1"),
        ("status_override:*", ""),
    ] {
        let (_, scope) =
            crate::service::names::key_result_or_all("parent", "workspaces/acme/objectives/-/keyResults/-")
                .unwrap();
        let check_ins = |state, after: Option<&str>| lists::check_ins(state, &scope, after);
        assert_eq!(keys(state, filter, "", check_ins), found, "{filter}");
    }
}

#[test]
fn a_filter_finds_teams_and_members() {
    let state = &*COMPANY;
    for (filter, found) in [
        ("parent_team = company", "it sales"),
        ("NOT parent_team:*", "company"),
        ("title > it", "sales south"),
    ] {
        assert_eq!(keys(state, filter, "", lists::teams), found, "{filter}");
    }
    for (filter, found) in [
        ("roles : LEAD", "joe"),
        ("-roles:LEAD", "maria"),
        ("principal : \"@ACME\"", "joe"),
    ] {
        assert_eq!(keys(state, filter, "", lists::members), found, "{filter}");
    }
}

#[test]
fn an_order_puts_ties_by_name_and_what_has_no_value_last() {
    let state = &*COMPANY;
    for (order_by, found) in [
        ("", "grow keep none win"),
        ("  ", "grow keep none win"),
        ("name", "grow keep none win"),
        ("name desc", "win none keep grow"),
        ("title", "grow keep none win"),
        ("title desc", "win none keep grow"),
        ("create_time", "win grow keep none"),
        ("create_time desc", "grow keep none win"),
        ("create_time, name desc", "win none keep grow"),
        (" create_time  desc ,title   desc", "none keep grow win"),
        ("score", "win grow keep none"),
        ("score desc", "win grow keep none"),
        ("score desc, name desc", "win none keep grow"),
    ] {
        assert_eq!(keys(state, "", order_by, lists::objectives), found, "{order_by}");
    }
    let key_results = |state, after: Option<&str>| lists::key_results(state, None, after);
    assert_eq!(keys(state, "", "due_date", key_results), "win/deals win/calls");
    assert_eq!(
        keys(state, "", "due_date desc", key_results),
        "win/deals win/calls"
    );
    assert_eq!(keys(state, "", "score", key_results), "win/calls win/deals");
}

/// The violations of a query of objectives, as field and sentence.
fn refused(filter: &str, order_by: &str) -> Vec<(String, String)> {
    match query::<Objective>(filter, order_by, false) {
        Err(Rejection::Invalid(violations)) => violations
            .into_iter()
            .map(|violation| (violation.field, violation.sentence))
            .collect(),
        other => panic!("{filter} {order_by}: {:?}", other.map(|_| ())),
    }
}

#[test]
fn a_filter_that_this_list_cannot_answer_is_refused_in_one_sentence_with_its_place() {
    for (filter, sentence) in [
        (
            "state = ACTIVE size = 3",
            "at character 16: size is no field of this list: use one of title, owner, ",
        ),
        (
            "health = HEALTHY",
            "at character 1: health is no field of this list",
        ),
        (
            "state > DRAFT",
            "at character 1: state is asked for with =, != or :",
        ),
        (
            "owner < joe",
            "at character 1: owner is asked for with =, != or :",
        ),
        ("serves = nps", "at character 1: serves is asked for with :"),
        (
            "labels = env",
            "at character 1: labels is asked for with : for a key",
        ),
        (
            "state = STATE_ACTIVE",
            "at character 9: state: \"STATE_ACTIVE\" is none of its values, use one of DRAFT, ACTIVE, CLOSED, CANCELED",
        ),
        ("score = high", "at character 9: score: \"high\" is no number"),
        (
            "update_time > yesterday",
            "at character 15: update_time: \"yesterday\" is no time",
        ),
        (
            "owner = \"Joe\"",
            "at character 9: owner: \"Joe\" is neither an id nor a full name",
        ),
        ("owner = \"\"", "at character 9: owner: it is empty"),
        (
            "owner = \"workspaces/acme/teams/it\"",
            "at character 9: owner: \"workspaces/acme/teams/it\" is not the name of a member",
        ),
        (
            "owner = \"workspaces/other/members/joe\"",
            "is in another workspace",
        ),
        ("title.x = 3", "at character 1: title has no parts"),
        ("title = *", "at character 9: title: * stands behind : alone"),
        (
            "labels.env = *",
            "at character 14: labels: * stands behind : alone",
        ),
        ("state", "at character 6: an operator is missing"),
        ("state = ACTIVE)", "at character 15: there is no ( for this )"),
    ] {
        let found = refused(filter, "");
        assert_eq!(found.len(), 1, "{filter}");
        assert_eq!(found[0].0, "filter");
        assert!(found[0].1.contains(sentence), "{filter}: {}", found[0].1);
        assert!(found[0].1.len() < 400, "it is cut on its way: {}", found[0].1);
    }
}

#[test]
fn an_order_that_this_list_has_not_is_refused_in_one_sentence_with_its_place() {
    let long = format!("title{}", " ".repeat(500));
    for (order_by, sentence) in [
        (
            "title, size",
            "at character 8: \"size\" is nothing to order by: use one of name, title, score, create_time, update_time",
        ),
        ("state", "at character 1: \"state\" is nothing to order by"),
        (
            "title asc",
            "at character 1: \"title asc\" is no field with or without desc",
        ),
        ("title desc desc", "is no field with or without desc"),
        ("title DESC", "is no field with or without desc"),
        ("title,", "at character 7: \"\" is nothing to order by"),
        (",", "at character 1: \"\" is nothing to order by"),
        ("title, name, title desc", "at character 14: title is named twice"),
        (&long, "500 characters at most"),
    ] {
        let found = refused("", order_by);
        assert_eq!(found.len(), 1, "{order_by}");
        assert_eq!(found[0].0, "order_by");
        assert!(found[0].1.contains(sentence), "{order_by}: {}", found[0].1);
    }
}

#[test]
fn a_sentence_says_what_is_possible_however_long_the_bad_text_is() {
    let long = "x".repeat(480);
    for (filter, order_by, possible) in [
        (format!("{long} = 1"), String::new(), "use one of title, owner"),
        (long.clone(), String::new(), "write =, !=, <, <=, >, >= or :"),
        (
            format!("state = {long}"),
            String::new(),
            "use one of DRAFT, ACTIVE, CLOSED, CANCELED",
        ),
        (String::new(), long.clone(), "use one of name, title"),
        (String::new(), format!("title {long}"), "write it like"),
    ] {
        let sentence = &refused(&filter, &order_by)[0].1;
        assert!(sentence.contains(possible), "{sentence}");
        assert!(sentence.len() < 400, "it is cut on its way: {sentence}");
    }
}

#[test]
fn what_is_wrong_with_filter_and_order_is_said_at_once() {
    let fields: Vec<String> = refused("x = 1", "y")
        .into_iter()
        .map(|(field, _)| field)
        .collect();
    assert_eq!(fields, ["filter", "order_by"]);
}

#[test]
fn deleted_ones_are_shown_where_they_are_asked_for() {
    let state = &*COMPANY;
    let found = |filter: &str, show_deleted: bool| -> Vec<String> {
        let query = query::<Objective>(filter, "", show_deleted).unwrap();
        let page = query.page(None, usize::MAX, |after| lists::objectives(state, after));
        page.into_iter().map(Objective::key).collect()
    };
    assert_eq!(found("", false), ["grow", "keep", "none", "win"]);
    assert_eq!(found("", true), ["gone", "grow", "keep", "none", "win"]);
    assert_eq!(found("team = sales", true), ["gone", "grow", "win"]);
}

#[test]
fn a_page_behind_a_key_that_somebody_made_up_is_empty_or_begins_behind_it() {
    let state = &*COMPANY;
    let page = |order_by: &str, last_key: &str| -> Vec<String> {
        let query = query::<Objective>("", order_by, false).unwrap();
        let page = query.page(Some(last_key), 9, |after| lists::objectives(state, after));
        page.into_iter().map(Objective::key).collect()
    };
    assert_eq!(page("title desc", "keep"), ["grow"]);
    assert_eq!(page("title desc", "made-up"), [] as [&str; 0]);
    assert_eq!(page("", "lost"), ["none", "win"]);
}

/// Text that comes near to a filter.
const NEARLY: &str = "(title|owner|team|state|status|score|labels|labels\\.env|update_time|serves|aligned_to|=|!=|<|>=|:|\\*| |\\(|\\)|AND|OR|NOT|-|\"|joe|win|sales|ACTIVE|0\\.4|2026-01-10T00:00:00Z|workspaces/acme/members/joe|\\PC){0,20}";

proptest! {
    #[test]
    fn no_text_breaks_any_list(filter in NEARLY, order_by in "(name|title|score|due_date|date| desc|,| |\\PC){0,8}") {
        let state = &*COMPANY;
        macro_rules! of {
            ($R:ty) => {
                if let Err(rejection) = query::<$R>(&filter, &order_by, true) {
                    prop_assert!(matches!(rejection, Rejection::Invalid(ref found) if !found.is_empty()));
                }
            };
        }
        of!(Workspace);
        of!(Team);
        of!(Member);
        of!(Cycle);
        of!(RecordedReview);
        of!(KeyResult);
        of!(Initiative);
        of!(RecordedCheckIn);
        of!(Kpi);
        if let Ok(query) = query::<Objective>(&filter, &order_by, true) {
            let found = query.page(None, usize::MAX, |after| lists::objectives(state, after));
            prop_assert!(found.len() <= 5);
        }
    }

    #[test]
    fn pages_of_any_size_are_the_whole_list_in_its_order(
        size in 1_usize..6,
        filter in prop::sample::select(vec!["", "team = company", "state = DRAFT", "NOT labels:*"]),
        order_by in prop::sample::select(vec!["", "name desc", "title desc", "score", "create_time desc, title"]),
        show_deleted: bool,
    ) {
        let state = &*COMPANY;
        let query = query::<Objective>(filter, order_by, show_deleted).unwrap();
        let page = |last_key: Option<&str>, count| -> Vec<String> {
            let page = query.page(last_key, count, |after| lists::objectives(state, after));
            page.into_iter().map(Objective::key).collect()
        };
        let whole = page(None, usize::MAX);
        let mut joined: Vec<String> = Vec::new();
        loop {
            let next = page(joined.last().map(String::as_str), size);
            if next.is_empty() {
                break;
            }
            joined.extend(next);
        }
        prop_assert_eq!(joined, whole);
    }
}
