//! Every list by its name, so that a table of lists can be walked through.

use binnacle::proto::api;
use tonic::Status;

use crate::common::*;

/// The lists that take a filter.
pub(crate) const LISTS: [&str; 11] = [
    "ListWorkspaces",
    "ListTeams",
    "ListMembers",
    "ListCycles",
    "ListReviews",
    "ListObjectives",
    "ListKeyResults",
    "ListInitiatives",
    "ListCheckIns",
    "ListKpis",
    "ListAlerts",
];

/// What is asked of a list.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked<'a> {
    /// Empty: workspaces/acme, or all of what lies in between.
    pub(crate) parent: &'a str,
    pub(crate) filter: &'a str,
    pub(crate) order_by: &'a str,
    pub(crate) show_deleted: bool,
    pub(crate) page_size: i32,
    pub(crate) page_token: &'a str,
}

/// One page: names, and the token of the next.
pub(crate) async fn list(
    server: &Server,
    call: &str,
    asked: Asked<'_>,
) -> Result<(Vec<String>, String), Status> {
    let Asked {
        parent,
        filter,
        order_by,
        show_deleted,
        page_size,
        page_token,
    } = asked;
    let (filter, order_by, page_token) = (filter.to_owned(), order_by.to_owned(), page_token.to_owned());
    let below = |middle: &str| match parent {
        "" => format!("workspaces/acme{middle}"),
        parent => parent.to_owned(),
    };
    macro_rules! page {
        ($client:ident.$list:ident($Request:ident { $($field:ident: $value:expr),* }) => $items:ident) => {{
            let request = api::$Request {
                $($field: $value,)*
                page_size,
                page_token,
                filter,
                order_by,
                ..Default::default()
            };
            let page = server.$client().$list(request).await?.into_inner();
            let names = page.$items.into_iter().map(|item| item.name).collect();
            Ok((names, page.next_page_token))
        }};
    }
    match call {
        "ListWorkspaces" => {
            let request = api::ListWorkspacesRequest {
                page_size,
                page_token,
                filter,
                order_by,
                show_deleted,
            };
            let page = server.workspaces().list_workspaces(request).await?.into_inner();
            let names = page
                .workspaces
                .into_iter()
                .map(|workspace| workspace.name)
                .collect();
            Ok((names, page.next_page_token))
        }
        "ListTeams" => {
            page!(workspaces.list_teams(ListTeamsRequest { parent: below(""), show_deleted: show_deleted }) => teams)
        }
        "ListMembers" => {
            page!(workspaces.list_members(ListMembersRequest { parent: below(""), show_deleted: show_deleted }) => members)
        }
        "ListCycles" => page!(cycles.list_cycles(ListCyclesRequest { parent: below("") }) => cycles),
        "ListReviews" => {
            page!(cycles.list_reviews(ListReviewsRequest { parent: below("/cycles/-") }) => reviews)
        }
        "ListObjectives" => {
            page!(objectives.list_objectives(ListObjectivesRequest { parent: below(""), show_deleted: show_deleted }) => objectives)
        }
        "ListKeyResults" => {
            page!(objectives.list_key_results(ListKeyResultsRequest { parent: below("/objectives/-"), show_deleted: show_deleted }) => key_results)
        }
        "ListInitiatives" => {
            page!(objectives.list_initiatives(ListInitiativesRequest { parent: below("/objectives/-"), show_deleted: show_deleted }) => initiatives)
        }
        "ListCheckIns" => {
            page!(objectives.list_check_ins(ListCheckInsRequest { parent: below("/objectives/-/keyResults/-"), show_deleted: show_deleted }) => check_ins)
        }
        "ListKpis" => {
            page!(kpis.list_kpis(ListKpisRequest { parent: below(""), show_deleted: show_deleted }) => kpis)
        }
        "ListAlerts" => {
            page!(kpis.list_alerts(ListAlertsRequest { parent: below("/kpis/-"), show_deleted: show_deleted }) => alerts)
        }
        other => panic!("no list {other}"),
    }
}

/// All pages.
pub(crate) async fn all(server: &Server, call: &str, asked: Asked<'_>) -> Vec<String> {
    let (mut found, mut token) = (Vec::new(), String::new());
    loop {
        let asked = Asked {
            page_token: &token,
            ..asked
        };
        let page = list(server, call, asked).await;
        let (names, next) = page.unwrap_or_else(|refusal| panic!("{call}, {asked:?}: {refusal}"));
        found.extend(names);
        if next.is_empty() {
            return found;
        }
        token = next;
    }
}

/// How a list is refused, and in which words.
pub(crate) async fn refused(server: &Server, call: &str, asked: Asked<'_>) -> (Refused, String) {
    match list(server, call, asked).await {
        Ok(page) => panic!("{call}, {asked:?}: {page:?}"),
        Err(status) => (Refused::of(&status), status.message().to_owned()),
    }
}
