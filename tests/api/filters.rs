//! Filters, order and deleted ones, in every list: that docs/filters.md says what is true, pages, and refusals.

mod company;
mod listing;

use std::collections::BTreeSet;

use binnacle::proto::api;
use tonic::Code;

use crate::common::*;
use company::with_larger_company;
use listing::{Asked, LISTS, all, list, refused};

/// docs/filters.md, as the tests read it.
const REFERENCE: &str = include_str!("../../docs/filters.md");

/// The lines of the reference from the heading of a list to the next.
fn section(list: &str) -> impl Iterator<Item = &'static str> {
    let heading = format!("## {list}");
    REFERENCE
        .lines()
        .skip_while(move |line| *line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
}

/// What stands between backticks in a line.
fn quoted(line: &'static str) -> Vec<&'static str> {
    line.split('`').skip(1).step_by(2).collect()
}

/// The rows of a list's table: field and example.
fn rows(list: &str) -> Vec<(&'static str, &'static str)> {
    let rows = section(list).filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let quoted = quoted(line);
        (quoted[0], quoted[quoted.len() - 1])
    })
    .collect()
}

/// The lines of the blocks of one kind.
fn examples(kind: &str) -> Vec<&'static str> {
    let fence = format!("```{kind}");
    let mut lines = REFERENCE.lines().skip_while(|line| *line != fence).skip(1);
    lines.by_ref().take_while(|line| *line != "```").collect()
}

fn filter(text: &str) -> Asked<'_> {
    Asked {
        filter: text,
        ..Asked::default()
    }
}

fn order_by(text: &str) -> Asked<'_> {
    Asked {
        order_by: text,
        ..Asked::default()
    }
}

#[tokio::test]
async fn every_example_of_the_reference_finds_something_and_leaves_something_out() {
    let server = Server::start().await;
    with_larger_company(&server).await;
    let mut count = 0;
    for call in LISTS {
        let everything: BTreeSet<String> = all(&server, call, Asked::default()).await.into_iter().collect();
        let of_all_lists = rows(call).into_iter().map(|(_, example)| example);
        let of_objectives = examples("filter of ListObjectives");
        let examples: Vec<&str> = match call {
            "ListObjectives" => of_all_lists.chain(of_objectives).collect(),
            _ => of_all_lists.collect(),
        };
        for example in examples {
            let found: BTreeSet<String> = all(&server, call, filter(example)).await.into_iter().collect();
            assert!(!found.is_empty(), "{call}, {example}: finds nothing");
            assert!(
                found.is_subset(&everything) && found.len() < everything.len(),
                "{call}, {example}: leaves nothing out of {everything:?}"
            );
            count += 1;
        }
    }
    assert!(count > 90, "the reference is not read: {count} examples");
}

#[tokio::test]
async fn every_order_of_the_reference_is_an_order_of_everything() {
    let server = Server::start().await;
    with_larger_company(&server).await;
    let mut everything = all(&server, "ListObjectives", Asked::default()).await;
    let mut orders = BTreeSet::new();
    for example in examples("order_by of ListObjectives") {
        let mut found = all(&server, "ListObjectives", order_by(example)).await;
        orders.insert(found.clone());
        found.sort_unstable();
        everything.sort_unstable();
        assert_eq!(found, everything, "{example}");
    }
    assert_eq!(orders.len(), 4, "two of them are the same order");
    for call in LISTS {
        let everything: BTreeSet<String> = all(&server, call, Asked::default()).await.into_iter().collect();
        let ordered = section(call)
            .find(|line| line.starts_with("Ordered by "))
            .expect("its orders");
        for field in quoted(ordered) {
            let descending = format!("{field} desc");
            let found: BTreeSet<String> = all(&server, call, order_by(&descending))
                .await
                .into_iter()
                .collect();
            assert_eq!(found, everything, "{call}, {descending}");
        }
    }
}

#[tokio::test]
async fn the_reference_names_every_field_and_every_order_that_a_list_has() {
    let server = Server::start().await;
    with_workspace(&server).await;
    for call in LISTS {
        let sentence = refused(&server, call, filter("nonsense = 1")).await.1;
        let fields: Vec<&str> = rows(call).into_iter().map(|(field, _)| field).collect();
        let named = fields.join(", ").replace("labels", "labels.KEY");
        assert!(
            sentence.contains(&format!("use one of {named}")),
            "{call}: {sentence}, not {named}"
        );
        let sentence = refused(&server, call, order_by("nonsense")).await.1;
        let ordered = section(call)
            .find(|line| line.starts_with("Ordered by "))
            .expect("its orders");
        let named = quoted(ordered).join(", ");
        assert!(
            sentence.contains(&format!("use one of {named}")),
            "{call}: {sentence}, not {named}"
        );
    }
}

#[tokio::test]
async fn what_a_list_cannot_read_is_refused_with_its_field_and_everything_at_once() {
    let server = Server::start().await;
    with_workspace(&server).await;
    let long = format!("title = \"{}\"", "x".repeat(2000));
    let deep = format!("{}title:x{}", "(".repeat(9), ")".repeat(9));
    for call in LISTS {
        for text in [
            "(",
            "= =",
            "create_time > now",
            "create_time",
            "name = a",
            &long,
            &deep,
        ] {
            let (refusal, sentence) = refused(&server, call, filter(text)).await;
            assert_eq!(
                refusal,
                Refused::new(Code::InvalidArgument, "INVALID_FIELD", &["filter"]),
                "{call} {text}"
            );
            assert!(sentence.contains("at character "), "{sentence}");
        }
        for text in ["create_time down", "name, name", ",", &long] {
            let (refusal, sentence) = refused(&server, call, order_by(text)).await;
            assert_eq!(
                refusal,
                Refused::new(Code::InvalidArgument, "INVALID_FIELD", &["order_by"]),
                "{call} {text}"
            );
            assert!(sentence.contains("at character "), "{sentence}");
        }
        let both = Asked {
            filter: "x",
            order_by: "y",
            ..Asked::default()
        };
        let (refusal, _) = refused(&server, call, both).await;
        assert_eq!(refusal.about, ["filter", "order_by"], "{call}");
    }
}

#[tokio::test]
async fn a_team_stands_for_all_teams_below_it() {
    let server = Server::start().await;
    with_larger_company(&server).await;
    for (text, found) in [
        ("team = sales", vec!["brazil", "win"]),
        ("team = south", vec!["brazil"]),
        ("team = it", vec![]),
        ("team != sales AND team:*", vec![]),
    ] {
        let found: Vec<String> = found
            .into_iter()
            .map(|id| acme(&format!("objectives/{id}")))
            .collect();
        assert_eq!(
            all(&server, "ListObjectives", filter(text)).await,
            found,
            "{text}"
        );
    }
    let kpis = all(&server, "ListKpis", filter("team = sales")).await;
    assert_eq!(kpis, [acme("kpis/churn")], "it is of south, which is below sales");
}

#[tokio::test]
async fn pages_of_a_filter_in_an_order_show_one_revision_while_writes_go_on() {
    let server = Server::start().await;
    with_workspace(&server).await;
    let create = async |id: &str, title: &str| {
        let mut kpi = new_kpi(id);
        let fields = kpi.kpi.as_mut().unwrap();
        fields.title = title.to_owned();
        fields.area = "sales".to_owned();
        server.kpis().create_kpi(kpi).await.unwrap();
    };
    for (id, title) in [
        ("a", "five"),
        ("b", "Four"),
        ("c", "three"),
        ("d", "Two"),
        ("e", "one"),
    ] {
        create(id, title).await;
    }
    server.kpis().create_kpi(new_kpi("of-no-area")).await.unwrap();
    let mut number = 0;
    for (order, expected) in [
        ("", ["a", "b", "c", "d", "e"]),
        ("title", ["a", "b", "e", "c", "d"]),
        ("title desc", ["d", "c", "e", "b", "a"]),
    ] {
        let asked = Asked {
            filter: "area = sales",
            order_by: order,
            page_size: 2,
            ..Asked::default()
        };
        let (mut seen, mut token, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let asked = Asked {
                page_token: &token,
                ..asked
            };
            let (names, next) = list(&server, "ListKpis", asked).await.unwrap();
            seen.extend(names);
            pages += 1;
            if next.is_empty() {
                break;
            }
            token = next;
            // Two come that the filter would find, in front and behind; one goes that is still to be shown.
            number += 1;
            create(&format!("a{number}"), "aaa").await;
            create(&format!("z{number}"), "zzz").await;
            delete_kpi(&server, expected[4]).await;
        }
        let expected_names = expected.map(|id| acme(&format!("kpis/{id}")));
        assert_eq!(
            (seen.as_slice(), pages),
            (expected_names.as_slice(), 3),
            "{order}"
        );
        undelete_kpi(&server, expected[4]).await;
        for number in number - 1..=number {
            delete_kpi(&server, &format!("a{number}")).await;
            delete_kpi(&server, &format!("z{number}")).await;
        }
    }
}

async fn delete_kpi(server: &Server, id: &str) {
    let request = api::DeleteKpiRequest {
        name: acme(&format!("kpis/{id}")),
        ..Default::default()
    };
    // What is deleted already stays so.
    if let Err(refusal) = server.kpis().delete_kpi(request).await {
        assert_eq!(Refused::of(&refusal).reason, "DELETED");
    }
}

async fn undelete_kpi(server: &Server, id: &str) {
    let request = api::UndeleteKpiRequest {
        name: acme(&format!("kpis/{id}")),
        ..Default::default()
    };
    server.kpis().undelete_kpi(request).await.expect("it was deleted");
}

#[tokio::test]
async fn a_token_is_bound_to_the_filter_the_order_and_the_deleted_ones() {
    let server = Server::start().await;
    with_larger_company(&server).await;
    for call in LISTS {
        let [filter, the_same_filter] = match call {
            "ListCheckIns" => ["recorded_time:*", "recorded_time :*"],
            "ListAlerts" => ["open_time:*", "open_time :*"],
            _ => ["create_time:*", "create_time :*"],
        };
        let asked = Asked {
            filter,
            order_by: "name desc",
            page_size: 1,
            ..Asked::default()
        };
        let (_, token) = list(&server, call, asked).await.expect("a page");
        assert!(!token.is_empty(), "{call}");
        let next = Asked {
            page_token: &token,
            page_size: 1000,
            ..asked
        };
        let (rest, _) = list(&server, call, next).await.expect("the page size may change");
        assert_eq!(rest.len() + 1, all(&server, call, asked).await.len(), "{call}");
        let mut others = vec![
            Asked { filter: "", ..next },
            Asked {
                filter: the_same_filter,
                ..next
            },
            Asked { order_by: "", ..next },
            Asked {
                order_by: "name  desc",
                ..next
            },
        ];
        if !matches!(call, "ListCycles" | "ListReviews") {
            others.push(Asked {
                show_deleted: true,
                ..next
            });
        }
        for other in others {
            let (refusal, _) = refused(&server, call, other).await;
            let bad = Refused::new(Code::InvalidArgument, "INVALID_FIELD", &["page_token"]);
            assert_eq!(refusal, bad, "{call}: {other:?}");
        }
    }
}

#[tokio::test]
async fn what_is_deleted_is_shown_only_on_request_and_so_is_what_is_below_it() {
    let server = Server::start().await;
    with_larger_company(&server).await;
    let deals = "objectives/win/keyResults/deals";
    let shown = async |call: &str, show_deleted: bool, name: &str| {
        let asked = Asked {
            show_deleted,
            ..Asked::default()
        };
        all(&server, call, asked).await.contains(&acme(name))
    };
    macro_rules! delete {
        ($client:ident, $call:ident, $Request:ident, $name:expr) => {{
            let request = api::$Request {
                name: acme($name),
                ..Default::default()
            };
            server.$client().$call(request).await.expect("it is there");
        }};
    }
    let gone = async |call: &str, name: &str| {
        assert!(!shown(call, false, name).await, "{call} shows {name}");
        assert!(
            shown(call, true, name).await,
            "{call} does not show {name} on request"
        );
    };
    let check_in = format!("{deals}/checkIns/first");
    assert!(shown("ListCheckIns", false, &check_in).await);
    delete!(objectives, retract_check_in, RetractCheckInRequest, &check_in);
    gone("ListCheckIns", &check_in).await;
    let other = format!("{deals}/checkIns/slow");
    assert!(shown("ListCheckIns", false, &other).await);
    delete!(objectives, delete_key_result, DeleteKeyResultRequest, deals);
    gone("ListKeyResults", deals).await;
    gone("ListCheckIns", &other).await;
    delete!(
        objectives,
        delete_initiative,
        DeleteInitiativeRequest,
        "objectives/win/initiatives/calls"
    );
    gone("ListInitiatives", "objectives/win/initiatives/calls").await;
    delete!(
        objectives,
        delete_objective,
        DeleteObjectiveRequest,
        "objectives/best"
    );
    gone("ListObjectives", "objectives/best").await;
    gone("ListKeyResults", "objectives/best/keyResults/calls").await;
    gone("ListCheckIns", "objectives/best/keyResults/calls/checkIns/done").await;
    delete!(workspaces, delete_team, DeleteTeamRequest, "teams/south");
    gone("ListTeams", "teams/south").await;
    let of_deleted = all(&server, "ListObjectives", filter("team = sales")).await;
    assert!(
        of_deleted.contains(&acme("objectives/brazil")),
        "its team is below sales all the same"
    );
    delete!(workspaces, delete_member, DeleteMemberRequest, "members/joe");
    gone("ListMembers", "members/joe").await;
    delete!(kpis, delete_kpi, DeleteKpiRequest, "kpis/nps");
    gone("ListKpis", "kpis/nps").await;
    gone("ListAlerts", "kpis/nps/alerts/breach-7").await;
    let targets = api::ListTargetsRequest {
        parent: acme("kpis/-"),
        ..Default::default()
    };
    let targets = server
        .kpis()
        .list_targets(targets)
        .await
        .expect("a list")
        .into_inner();
    assert_eq!(targets.targets, [], "the only one is of a deleted KPI");
}

#[tokio::test]
async fn a_list_below_something_deleted_is_refused_unless_deleted_ones_are_asked_for() {
    let server = Server::start().await;
    with_company(&server).await;
    let check_in = new_check_in("objectives/win/keyResults/deals", "c", 1.0);
    server.objectives().create_check_in(check_in).await.unwrap();
    let delete = api::DeleteObjectiveRequest {
        name: acme("objectives/win"),
        ..Default::default()
    };
    server.objectives().delete_objective(delete).await.unwrap();
    let deleted = |name: &str| Refused::new(Code::FailedPrecondition, "DELETED", &[name]);
    for (call, parent, about, count) in [
        ("ListKeyResults", "objectives/win", "objectives/win", 2),
        ("ListInitiatives", "objectives/win", "objectives/win", 1),
        ("ListCheckIns", "objectives/win/keyResults/-", "objectives/win", 1),
        (
            "ListCheckIns",
            "objectives/win/keyResults/deals",
            "objectives/win",
            1,
        ),
        (
            "ListCheckIns",
            "objectives/win/keyResults/nps",
            "objectives/win",
            0,
        ),
    ] {
        let parent = acme(parent);
        let mut asked = Asked {
            parent: &parent,
            ..Asked::default()
        };
        assert_eq!(refused(&server, call, asked).await.0, deleted(about), "{parent}");
        asked.show_deleted = true;
        assert_eq!(all(&server, call, asked).await.len(), count, "{parent}");
    }
    delete_kpi(&server, "nps").await;
    let targets = api::ListTargetsRequest {
        parent: acme("kpis/nps"),
        ..Default::default()
    };
    assert_eq!(
        server.refusal(server.kpis().list_targets(targets)).await,
        deleted("kpis/nps")
    );
    for (call, parent) in [
        ("ListKeyResults", "objectives/nowhere"),
        ("ListCheckIns", "objectives/win/keyResults/nowhere"),
    ] {
        let nowhere = Asked {
            parent: &acme(parent),
            show_deleted: true,
            ..Asked::default()
        };
        let missing = Refused::new(Code::NotFound, "NOT_FOUND", &[parent]);
        assert_eq!(refused(&server, call, nowhere).await.0, missing);
    }
}

#[tokio::test]
async fn the_lists_of_a_deleted_workspace_are_refused_unless_deleted_ones_are_asked_for() {
    let server = Server::start().await;
    with_larger_company(&server).await;
    let delete = api::DeleteWorkspaceRequest {
        name: "workspaces/acme".to_owned(),
        ..Default::default()
    };
    server.workspaces().delete_workspace(delete).await.unwrap();
    assert_eq!(
        all(&server, "ListWorkspaces", Asked::default()).await,
        ["workspaces/other"]
    );
    let with_deleted = Asked {
        show_deleted: true,
        ..Asked::default()
    };
    assert_eq!(
        all(&server, "ListWorkspaces", with_deleted).await,
        ["workspaces/acme", "workspaces/other"]
    );
    for call in LISTS.into_iter().filter(|call| *call != "ListWorkspaces") {
        let (refusal, _) = refused(&server, call, Asked::default()).await;
        assert_eq!(
            (refusal.code, refusal.reason.as_str()),
            (Code::FailedPrecondition, "DELETED"),
            "{call}"
        );
        if !matches!(call, "ListCycles" | "ListReviews") {
            assert!(!all(&server, call, with_deleted).await.is_empty(), "{call}");
        }
    }
}

#[tokio::test]
async fn workspaces_are_narrowed_ordered_and_paged_too() {
    let server = Server::start().await;
    for id in ["acme", "beta", "core"] {
        server
            .workspaces()
            .create_workspace(new_workspace(id))
            .await
            .unwrap();
    }
    let of = async |filter: &str, order_by: &str, page_size: i32| -> Vec<String> {
        let asked = Asked {
            filter,
            order_by,
            page_size,
            ..Asked::default()
        };
        all(&server, "ListWorkspaces", asked).await
    };
    let names = |ids: &[&str]| -> Vec<String> { ids.iter().map(|id| format!("workspaces/{id}")).collect() };
    for page_size in [1, 2, 1000] {
        assert_eq!(of("", "", page_size).await, names(&["acme", "beta", "core"]));
        assert_eq!(
            of("", "title desc", page_size).await,
            names(&["core", "beta", "acme"])
        );
        assert_eq!(of("-title:beta", "", page_size).await, names(&["acme", "core"]));
        assert_eq!(
            of("-title:beta", "name desc", page_size).await,
            names(&["core", "acme"])
        );
        assert_eq!(
            of("title >= beta", "score, name desc", page_size).await,
            names(&["core", "beta"])
        );
    }
}
