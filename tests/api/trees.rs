//! Objectives as a tree, scores as a history, and the overview of a workspace that has KPIs alone.

use binnacle::proto::api;
use prost::Message;

use crate::common::*;
use crate::steps::*;

async fn with_aligned(server: &Server, id: &str, above: &str) {
    let mut request = new_objective(id);
    request.objective.as_mut().expect("an objective").aligned_to = acme(above);
    server
        .objectives()
        .create_objective(request)
        .await
        .expect("an objective");
}

/// Each node as "id depth (key results)".
fn shape(tree: &api::ObjectiveTree) -> Vec<String> {
    let node = |node: &api::ObjectiveNode| {
        let id = node.name.rsplit('/').next().unwrap_or_default();
        format!("{id} {} ({})", node.depth, node.key_results.len())
    };
    tree.nodes.iter().map(node).collect()
}

async fn tree(
    server: &Server,
    name: &str,
    change: impl FnOnce(&mut api::GetObjectiveTreeRequest),
) -> api::ObjectiveTree {
    let mut request = named!(GetObjectiveTreeRequest, name);
    change(&mut request);
    server
        .objectives()
        .get_objective_tree(request)
        .await
        .expect("a tree")
        .into_inner()
}

#[tokio::test]
async fn a_tree_is_narrowed_by_its_top_its_cycle_its_depth_and_what_is_deleted_is_not_in_it() {
    let server = Server::start().await;
    with_company(&server).await;
    with_quarter(&server, 2).await;
    with_aligned(&server, "a", "objectives/win").await;
    with_aligned(&server, "b", "objectives/win/keyResults/deals").await;
    with_aligned(&server, "c", "objectives/a").await;
    let mut later = new_objective("later");
    later.objective.as_mut().expect("an objective").cycle = acme("cycles/q2");
    server
        .objectives()
        .create_objective(later)
        .await
        .expect("an objective");
    let whole = "workspaces/acme";
    assert_eq!(
        shape(&tree(&server, whole, |_| {}).await),
        ["later 0 (0)", "win 0 (2)", "a 1 (0)", "c 2 (0)", "b 1 (0)"]
    );
    let q1 = tree(&server, whole, |it| it.cycle = acme("cycles/q1")).await;
    assert_eq!(shape(&q1)[0], "win 0 (2)");
    assert_eq!(
        shape(&tree(&server, whole, |it| it.depth_max = 1).await),
        ["later 0 (0)", "win 0 (2)"]
    );
    let bare = tree(&server, &acme("objectives/win"), |it| {
        (it.depth_max, it.objectives_only) = (2, true)
    })
    .await;
    assert_eq!(shape(&bare), ["win 0 (0)", "a 1 (0)", "b 1 (0)"]);
    let below = tree(&server, &acme("objectives/a"), |_| {}).await;
    assert_eq!(shape(&below), ["a 0 (0)", "c 1 (0)"]);
    assert_eq!(
        (below.revision, below.truncated, below.policy_version),
        (server.head().await, false, 1)
    );

    // What hangs on something deleted hangs on nothing for the time being.
    let mut objectives = server.objectives();
    let deals = named!(DeleteKeyResultRequest, key_result_name("win/deals"));
    objectives.delete_key_result(deals).await.expect("deleted");
    assert_eq!(
        shape(&tree(&server, whole, |_| {}).await),
        ["b 0 (0)", "later 0 (0)", "win 0 (1)", "a 1 (0)", "c 2 (0)"]
    );
    let a = named!(DeleteObjectiveRequest, acme("objectives/a"));
    objectives.delete_objective(a).await.expect("deleted");
    assert_eq!(
        shape(&tree(&server, whole, |_| {}).await),
        ["b 0 (0)", "c 0 (0)", "later 0 (0)", "win 0 (1)"]
    );
    let deals = named!(UndeleteKeyResultRequest, key_result_name("win/deals"));
    objectives.undelete_key_result(deals).await.expect("undeleted");
    assert_eq!(
        shape(&tree(&server, &acme("objectives/win"), |_| {}).await),
        ["win 0 (2)", "b 1 (0)"]
    );
}

#[tokio::test]
async fn a_tree_of_something_else_is_refused() {
    let server = Server::start().await;
    with_company(&server).await;
    let ask = |name: &str, cycle: &str, depth_max: i32| api::GetObjectiveTreeRequest {
        name: name.to_owned(),
        cycle: cycle.to_owned(),
        depth_max,
        ..Default::default()
    };
    let q9 = acme("cycles/q9");
    for (request, expected) in [
        (ask("", "", 0), invalid(&["name"])),
        (ask("workspaces/acme/kpis/nps", "", 0), invalid(&["name"])),
        (
            ask("workspaces/acme/objectives/win/keyResults/deals", "", 0),
            invalid(&["name"]),
        ),
        (ask("workspaces/acme/objectives/-", "", 0), invalid(&["name"])),
        (
            ask("workspaces/acme/objectives/x", "", 0),
            missing("objectives/x"),
        ),
        (
            ask("workspaces/nowhere", "", 0),
            refused(tonic::Code::NotFound, "NOT_FOUND", &[]),
        ),
        (ask("workspaces/acme", &q9, 0), missing("cycles/q9")),
        (
            ask("workspaces/acme", "workspaces/other/cycles/q1", 0),
            invalid(&["cycle"]),
        ),
        (ask("workspaces/acme", "", -1), invalid(&["depth_max"])),
        (
            ask(&acme("objectives/win"), &acme("cycles/q1"), 0),
            invalid(&["cycle"]),
        ),
    ] {
        let refusal = server
            .refusal(server.objectives().get_objective_tree(request.clone()))
            .await;
        assert_eq!(refusal, expected, "{request:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_that_does_not_fit_is_cut_and_says_so() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut objectives = server.objectives();
    let title = "ü".repeat(200);
    for number in 0..60 {
        let id = format!("o{number:02}");
        objectives
            .create_objective(new_objective(&id))
            .await
            .expect("an objective");
        for of in 0..150 {
            let mut request = new_key_result(&id, &format!("k{of:03}"));
            request.key_result.as_mut().expect("a key result").title = title.clone();
            objectives.create_key_result(request).await.expect("a key result");
        }
    }
    let cut = tree(&server, "workspaces/acme", |_| {}).await;
    assert!(cut.truncated && cut.nodes.len() < 61 && !cut.nodes.is_empty());
    assert!(cut.encoded_len() <= 3_500_000, "{} bytes", cut.encoded_len());
    let bare = tree(&server, "workspaces/acme", |it| it.objectives_only = true).await;
    assert_eq!((bare.truncated, bare.nodes.len()), (false, 61));
}

#[tokio::test]
async fn a_score_has_a_history_as_it_was_known_and_deletion_does_not_end_it() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut objectives = server.objectives();
    for (day, seen) in [(0, 2.0), (1, 4.0), (3, 8.0)] {
        on_day(&server, day).await;
        objectives
            .create_check_in(value("win/deals", "", seen))
            .await
            .expect("a check-in");
    }
    let series = async |name: &str, change: fn(&mut api::GetScoreSeriesRequest)| {
        let mut request = named!(GetScoreSeriesRequest, name);
        change(&mut request);
        let found = server
            .objectives()
            .get_score_series(request)
            .await
            .expect("a history")
            .into_inner();
        found
            .points
            .into_iter()
            .map(|point| point.score)
            .collect::<Vec<_>>()
    };
    let deals = key_result_name("win/deals");
    assert_eq!(
        series(&deals, |_| {}).await,
        [Some(0.2), Some(0.4), Some(0.4), Some(0.8)]
    );
    assert_eq!(
        series("workspaces/acme", |it| it.first_date = date(2026, 1, 3)).await,
        [Some(0.2), Some(0.4)]
    );
    assert_eq!(
        series(&acme("cycles/q1"), |it| it.bucket = api::Cadence::Weekly.into()).await,
        [Some(0.4)]
    );
    assert_eq!(
        series(&acme("objectives/win"), |it| (it.first_date, it.last_date) =
            (date(2025, 12, 31), date(2026, 1, 1)))
        .await,
        [None, Some(0.1)],
        "before the workspace there was nothing"
    );
    assert_eq!(
        series(&acme("teams/sales"), |it| it.cycle = acme("cycles/q1"))
            .await
            .len(),
        4
    );
    let delete = named!(DeleteObjectiveRequest, acme("objectives/win"));
    objectives.delete_objective(delete).await.expect("deleted");
    assert_eq!(
        series(&deals, |_| {}).await,
        [Some(0.2), Some(0.4), Some(0.4), None],
        "what was known then stays"
    );
}

#[tokio::test]
async fn a_history_of_what_has_no_score_or_over_no_time_is_refused() {
    let server = Server::start().await;
    with_company(&server).await;
    type Change = fn(&mut api::GetScoreSeriesRequest);
    let nothing: Change = |_| {};
    let cases: [(&str, Change, Refused); 14] = [
        ("", nothing, invalid(&["name"])),
        ("workspaces/acme/kpis/nps", nothing, invalid(&["name"])),
        ("workspaces/acme/scoringPolicy", nothing, invalid(&["name"])),
        ("workspaces/acme/objectives/x", nothing, missing("objectives/x")),
        ("workspaces/acme/teams/sales", nothing, invalid(&["cycle"])),
        (
            "workspaces/acme/teams/x",
            |it| it.cycle = acme("cycles/q1"),
            missing("teams/x"),
        ),
        (
            "workspaces/acme/teams/sales",
            |it| it.cycle = acme("cycles/q9"),
            missing("cycles/q9"),
        ),
        (
            "workspaces/acme/cycles/q1",
            |it| it.cycle = acme("cycles/q1"),
            invalid(&["cycle"]),
        ),
        (
            "workspaces/acme",
            |it| it.bucket = api::Cadence::Irregular.into(),
            invalid(&["bucket"]),
        ),
        ("workspaces/acme", |it| it.bucket = 99, invalid(&["bucket"])),
        (
            "workspaces/acme",
            |it| it.first_date = date(1, 1, 1),
            invalid(&["bucket"]),
        ),
        (
            "workspaces/acme",
            |it| it.first_date = date(2026, 2, 30),
            invalid(&["first_date"]),
        ),
        (
            "workspaces/acme",
            |it| (it.first_date, it.last_date) = (date(2026, 1, 1), date(2025, 12, 31)),
            invalid(&["last_date"]),
        ),
        (
            "workspaces/acme",
            |it| it.first_date = date(2026, 1, 2),
            invalid(&["first_date"]),
        ),
    ];
    for (name, change, expected) in cases {
        let mut request = named!(GetScoreSeriesRequest, name);
        change(&mut request);
        let refusal = server
            .refusal(server.objectives().get_score_series(request.clone()))
            .await;
        assert_eq!(refusal, expected, "{request:?}");
    }
}

#[tokio::test]
async fn a_workspace_of_kpis_alone_has_an_overview_without_cycles() {
    let server = Server::start().await;
    let mut request = new_workspace("acme");
    request.workspace.as_mut().expect("a workspace").preset = api::workspace::Preset::KpiOnly.into();
    server
        .workspaces()
        .create_workspace(request)
        .await
        .expect("a workspace");
    server.kpis().create_kpi(new_kpi("nps")).await.expect("a KPI");
    server
        .cycles()
        .create_cycle(new_cycle("q1"))
        .await
        .expect("a cycle all the same");
    server
        .cycles()
        .activate_cycle(named!(ActivateCycleRequest, acme("cycles/q1")))
        .await
        .expect("ACTIVE");
    with_objective(&server, "win", |_| {}).await;
    let overview = async |cycle: &str| {
        let request = api::GetOverviewRequest {
            parent: "workspaces/acme".to_owned(),
            cycle: cycle.to_owned(),
            ..Default::default()
        };
        server
            .progress()
            .get_overview(request)
            .await
            .expect("an overview")
            .into_inner()
    };
    let whole = overview("").await;
    assert_eq!(
        (whole.cycles.len(), whole.objectives.len(), whole.kpis.len()),
        (0, 0, 1)
    );
    assert_eq!(
        whole.workspace.expect("a workspace").preset(),
        api::workspace::Preset::KpiOnly
    );
    let asked = overview(&acme("cycles/q1")).await;
    assert_eq!(
        (asked.cycles.len(), asked.objectives.len()),
        (1, 1),
        "who asks for a cycle is shown it"
    );
    let fixed = api::UpdateWorkspaceRequest {
        workspace: Some(api::Workspace {
            name: "workspaces/acme".to_owned(),
            preset: api::workspace::Preset::Full.into(),
            ..Default::default()
        }),
        update_mask: mask(&["preset"]),
        ..Default::default()
    };
    assert_eq!(
        server.refusal(server.workspaces().update_workspace(fixed)).await,
        invalid(&["update_mask"])
    );
}
