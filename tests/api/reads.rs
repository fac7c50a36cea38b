//! Every call that reads: one resource, the overview, the events.

use binnacle::proto::api;
use tonic::Code;

use crate::common::*;

#[tokio::test]
async fn everything_that_was_made_can_be_read_by_its_name() {
    let server = Server::start().await;
    with_company(&server).await;
    let (mut workspaces, mut objectives) = (server.workspaces(), server.objectives());
    macro_rules! read {
        ($client:expr, $call:ident, $Request:ident, $name:expr) => {{
            let name: String = $name;
            let request = api::$Request {
                name: name.clone(),
                min_revision: 0,
                ..api::$Request::default()
            };
            let answer = $client.$call(request).await.expect("it is there").into_inner();
            assert_eq!(answer.name, name);
            answer
        }};
    }
    let workspace = read!(
        workspaces,
        get_workspace,
        GetWorkspaceRequest,
        "workspaces/acme".to_owned()
    );
    assert_eq!(workspace.score, Some(0.0));
    let team = read!(workspaces, get_team, GetTeamRequest, acme("teams/sales"));
    assert_eq!(team.scores[0].cycle, acme("cycles/q1"));
    read!(
        workspaces,
        get_member,
        GetMemberRequest,
        acme("members/anonymous")
    );
    let cycle = read!(server.cycles(), get_cycle, GetCycleRequest, acme("cycles/q1"));
    assert_eq!(cycle.score, Some(0.0));
    let objective = read!(
        objectives,
        get_objective,
        GetObjectiveRequest,
        acme("objectives/win")
    );
    assert_eq!(objective.progress.unwrap().status(), api::Status::OnTrack);
    let key_result = acme("objectives/win/keyResults/nps");
    let key_result = read!(objectives, get_key_result, GetKeyResultRequest, key_result);
    let Some(api::key_result::Kind::Metric(metric)) = key_result.kind else {
        panic!("no metric")
    };
    assert_eq!(metric.baseline, Some(40.0), "where its KPI stood");
    read!(
        objectives,
        get_initiative,
        GetInitiativeRequest,
        acme("objectives/win/initiatives/demos")
    );
    let kpi = read!(server.kpis(), get_kpi, GetKpiRequest, acme("kpis/nps"));
    assert_eq!(kpi.health.unwrap().health(), api::Health::Breached);
    read!(server.audit(), get_event, GetEventRequest, acme("events/1.2"));
    for missing in [
        "events/1.3",
        "events/0.0",
        "events/99.0",
        "events/18446744073709551615.0",
    ] {
        let request = api::GetEventRequest {
            name: acme(missing),
            min_revision: 0,
            ..api::GetEventRequest::default()
        };
        let refused = server.refusal(server.audit().get_event(request)).await;
        assert_eq!(
            (refused.code, refused.reason.as_str()),
            (Code::NotFound, "NOT_FOUND"),
            "{missing}"
        );
    }
}

#[tokio::test]
async fn an_overview_is_narrowed_by_cycle_team_and_owner() {
    let server = Server::start().await;
    with_company(&server).await;
    server
        .workspaces()
        .create_member(new_member("maria"))
        .await
        .unwrap();
    let mut others = new_objective("others");
    others.objective.as_mut().unwrap().owner = acme("members/maria");
    server.objectives().create_objective(others).await.unwrap();
    server.cycles().create_cycle(new_cycle("planned")).await.unwrap();
    let overview = async |cycle: &str, team: &str, owner: &str| {
        let name = |text: &str| {
            if text.is_empty() {
                String::new()
            } else {
                acme(text)
            }
        };
        let request = api::GetOverviewRequest {
            parent: "workspaces/acme".to_owned(),
            cycle: name(cycle),
            team: name(team),
            owner: name(owner),
            min_revision: 0,
            as_of: None,
        };
        server
            .progress()
            .get_overview(request)
            .await
            .map(tonic::Response::into_inner)
    };
    let shown = async |cycle: &str, team: &str, owner: &str| {
        let overview = overview(cycle, team, owner).await.expect("an overview");
        let objectives = overview
            .objectives
            .into_iter()
            .filter_map(|shown| shown.objective);
        let names: Vec<String> = objectives
            .map(|objective| objective.name.rsplit('/').next().unwrap_or_default().to_owned())
            .collect();
        (names.join(" "), overview.kpis.len())
    };
    assert_eq!(shown("", "", "").await, ("others win".to_owned(), 1));
    assert_eq!(shown("cycles/q1", "", "").await, ("others win".to_owned(), 1));
    assert_eq!(shown("cycles/planned", "", "").await, (String::new(), 1));
    assert_eq!(shown("", "teams/sales", "").await, ("win".to_owned(), 0));
    assert_eq!(shown("", "", "members/maria").await, ("others".to_owned(), 0));
    let whole = overview("", "", "").await.unwrap();
    assert_eq!((whole.revision, whole.truncated), (server.head().await, false));
    assert_eq!(whole.objectives[1].key_results.len(), 2);
    for (cycle, team, owner, missing) in [
        ("cycles/none", "", "", "cycles/none"),
        ("", "teams/none", "", "teams/none"),
        ("", "", "members/none", "members/none"),
    ] {
        let refused = Refused::of(&overview(cycle, team, owner).await.unwrap_err());
        assert_eq!(refused, Refused::new(Code::NotFound, "NOT_FOUND", &[missing]));
    }
    let wrong = Refused::of(&overview("kpis/nps", "", "").await.unwrap_err());
    assert_eq!(
        wrong,
        Refused::new(Code::InvalidArgument, "INVALID_FIELD", &["cycle"])
    );
}

/// All pages of all events: their revisions, and the page on which each stood.
async fn events(server: &Server, page_size: i32, newest_first: bool) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut request = api::ListEventsRequest {
        parent: "workspaces/acme".to_owned(),
        page_size,
        newest_first,
        ..Default::default()
    };
    loop {
        let page = server
            .audit()
            .list_events(request.clone())
            .await
            .expect("events")
            .into_inner();
        pages.push(page.events.into_iter().map(|event| event.name).collect());
        if page.next_page_token.is_empty() {
            return pages;
        }
        request.page_token = page.next_page_token;
        // What happens between two pages is none of this list's business.
        server
            .kpis()
            .record_measurement(measure("nps", -(pages.len() as i64), 1.0))
            .await
            .expect("a value");
    }
}

#[tokio::test]
async fn events_are_listed_both_ways_in_whole_commits_while_writes_go_on() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let batch = api::BatchRecordMeasurementsRequest {
        parent: acme("kpis/nps"),
        measurements: (0..5)
            .map(|n| measure("nps", n, n as f64).measurement.unwrap())
            .collect(),
        ..Default::default()
    };
    server.kpis().batch_record_measurements(batch).await.unwrap();
    let name = |(revision, index): (i32, i32)| acme(&format!("events/{revision}.{index}"));
    let commits = [
        vec![(1, 0), (1, 1), (1, 2)],
        vec![(2, 0)],
        vec![(3, 0), (3, 1), (3, 2), (3, 3), (3, 4)],
    ];
    let forward: Vec<Vec<String>> = commits
        .iter()
        .map(|commit| commit.iter().copied().map(name).collect())
        .collect();
    assert_eq!(
        events(&server, 1, false).await,
        forward,
        "a commit is never cut by a page"
    );
    let all = events(&server, 1000, true).await.concat();
    let first_of_oldest = all
        .iter()
        .position(|event| *event == name((1, 0)))
        .expect("the first");
    assert_eq!(
        all[first_of_oldest..],
        forward[0],
        "the newest commit first, each in its own order"
    );
    assert_eq!(all.len(), forward.concat().len() + 2);
}
