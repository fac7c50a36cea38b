//! Derived changes: every figure that follows from a commit comes with it, before and after, live and much later.

use binnacle::proto::api;
use binnacle::proto::api::derived_change::Figure;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscription_filter::{ChangeKind, ResourceKind};
use prost::Message as _;

use crate::common::view::{View, view_of};
use crate::common::*;
use crate::kept::Kept;
use crate::reader::*;

/// Whose figure changed, and which.
fn told(changes: &[api::DerivedChange]) -> Vec<String> {
    let told = changes.iter().map(|change| {
        let whose = change.resource.trim_start_matches("workspaces/acme");
        let whose = whose.trim_start_matches('/');
        match change.figure.as_ref().expect("a figure") {
            Figure::KeyResult(_) => format!("key result {whose}"),
            Figure::Objective(_) => format!("objective {whose}"),
            Figure::Kpi(_) => format!("kpi {whose}"),
            Figure::Score(_) => format!("score {whose}"),
            Figure::Foundation(change) => {
                format!("foundation {whose}: {:?} > {:?}", change.before(), change.after())
            }
            Figure::TeamScore(score) => format!("score {whose} in {}", score.cycle),
            Figure::Alert(change) => {
                let gist = |alert: &Option<api::Alert>| match alert {
                    None => "none".to_owned(),
                    Some(it) => format!(
                        "{}{}{}",
                        it.state().as_str_name().trim_start_matches("STATE_"),
                        if it.acknowledge_time.is_some() {
                            " seen"
                        } else {
                            ""
                        },
                        match &it.action_plan {
                            None => "",
                            Some(plan) if plan.complete_time.is_some() => " done",
                            Some(_) => " planned",
                        }
                    ),
                };
                format!(
                    "alert {whose}: {} > {}",
                    gist(&change.before),
                    gist(&change.after)
                )
            }
        }
    });
    told.collect()
}

/// A stream whose figures are held against a fresh snapshot after every commit.
struct Watched<'a> {
    server: &'a Server,
    live: Reader,
    kept: Kept,
    updates: Vec<(String, api::Update)>,
}

impl Watched<'_> {
    /// The figures that changed with what was just done.
    async fn figures(&mut self) -> Vec<String> {
        let head = self.server.head().await;
        let new = self.live.updates_to(head).await;
        for (_, update) in &new {
            self.kept.take(update);
        }
        let (fresh, ..) = Kept::fresh(self.server, &everything()).await;
        assert_eq!(
            figures_of(&self.kept),
            figures_of(&fresh),
            "behind revision {head}"
        );
        self.updates.extend(new.clone());
        let changes: Vec<api::DerivedChange> = new
            .into_iter()
            .flat_map(|(_, update)| update.derived_changes)
            .collect();
        told(&changes)
    }
}

/// Figures alone: fields are what events tell.
fn figures_of(kept: &Kept) -> View {
    view_of(&kept.0.values().cloned().collect::<Vec<_>>())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_comes_with_the_commit_that_changed_it_and_the_same_for_whoever_reads_it_later() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut live = Reader::of(&server, Start::Snapshot(())).await;
    let (resources, _, token) = live.snapshot_and_token().await;
    let mut watched = Watched {
        server: &server,
        live,
        kept: Kept::of(resources),
        updates: Vec::new(),
    };
    let (mut kpis, mut objectives) = (server.kpis(), server.objectives());
    let breach = acme("kpis/nps/alerts/breach-7");
    let above = [
        "objective objectives/win",
        "score teams/sales in workspaces/acme/cycles/q1",
        "score cycles/q1",
        "score ",
    ];
    let with_above = |first: &[&str], last: &[&str]| -> Vec<String> {
        [first, &above, last]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    objectives
        .create_check_in(new_check_in("objectives/win/keyResults/deals", "", 4.0))
        .await
        .expect("a value");
    let deals = "key result objectives/win/keyResults/deals";
    assert_eq!(watched.figures().await, with_above(&[deals], &[]));
    let retitle = api::UpdateKpiRequest {
        kpi: Some(api::Kpi {
            name: acme("kpis/nps"),
            title: "Net Promoter Score".to_owned(),
            ..Default::default()
        }),
        update_mask: mask(&["title"]),
        ..Default::default()
    };
    kpis.update_kpi(retitle).await.expect("retitled");
    let in_other_words = "alert kpis/nps/alerts/breach-7: OPEN > OPEN";
    assert_eq!(watched.figures().await, [in_other_words]);
    let seen = api::AcknowledgeAlertRequest {
        name: breach.clone(),
        ..Default::default()
    };
    kpis.acknowledge_alert(seen).await.expect("seen");
    assert_eq!(
        watched.figures().await,
        ["alert kpis/nps/alerts/breach-7: OPEN > OPEN seen"]
    );
    let plan = api::SetActionPlanRequest {
        name: breach.clone(),
        action_plan: Some(api::ActionPlan {
            text: "Call everybody".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    kpis.set_action_plan(plan).await.expect("planned");
    assert_eq!(
        watched.figures().await,
        ["alert kpis/nps/alerts/breach-7: OPEN seen > OPEN seen planned"]
    );
    let completed = api::CompleteActionPlanRequest {
        name: breach,
        ..Default::default()
    };
    kpis.complete_action_plan(completed).await.expect("done");
    assert_eq!(
        watched.figures().await,
        ["alert kpis/nps/alerts/breach-7: OPEN seen planned > OPEN seen done"]
    );
    server.clock.advance_to(at(1));
    kpis.record_measurement(measure("nps", 1, 60.0))
        .await
        .expect("a value");
    let nps = ["kpi kpis/nps", "key result objectives/win/keyResults/nps"];
    let closed = "alert kpis/nps/alerts/breach-7: OPEN seen done > CLOSED seen done";
    assert_eq!(watched.figures().await, with_above(&nps, &[closed]));
    server.clock.advance_to(at(2));
    kpis.record_measurement(measure("nps", 2, 20.0))
        .await
        .expect("a value");
    let opened = watched.figures().await;
    let expected = format!(
        "alert kpis/nps/alerts/breach-{}: none > OPEN",
        server.head().await
    );
    assert_eq!(opened.last(), Some(&expected));
    assert!(opened.contains(&"kpi kpis/nps".to_owned()));
    // A day that begins: what was expected by now is more.
    server.clock.advance_to(at(10 * 24 * 3600));
    kpis.record_measurement(measure("nps", 10 * 24 * 3600, 21.0))
        .await
        .expect("a value");
    assert!(watched.figures().await.contains(&deals.to_owned()));
    let cancel = api::CancelObjectiveRequest {
        name: acme("objectives/win"),
        ..Default::default()
    };
    objectives.cancel_objective(cancel).await.expect("canceled");
    let gone = watched.figures().await;
    assert_eq!(gone.len(), 6, "both key results and all above: {gone:?}");
    let delete = api::DeleteKpiRequest {
        name: acme("kpis/nps"),
        ..Default::default()
    };
    kpis.delete_kpi(delete).await.expect("deleted");
    let gone = watched.figures().await;
    let closed = expected.replace("none > OPEN", "OPEN > CLOSED");
    assert_eq!(gone, ["kpi kpis/nps", &closed], "nobody mends what is not there");
    let mut later = Reader::of(&server, Start::After(token)).await;
    assert_eq!(later.updates_to(server.head().await).await, watched.updates);
}

#[tokio::test]
async fn what_objectives_and_teams_rest_on_comes_with_the_value_that_turned_a_kpi() {
    let server = Server::start().await;
    with_company(&server).await;
    let own = api::UpdateKpiRequest {
        kpi: Some(api::Kpi {
            name: acme("kpis/nps"),
            team: acme("teams/sales"),
            ..Default::default()
        }),
        update_mask: mask(&["team"]),
        ..Default::default()
    };
    server.kpis().update_kpi(own).await.expect("of sales");
    let mut grow = new_objective("grow");
    grow.objective.as_mut().expect("an objective").serves = vec![acme("kpis/nps")];
    let mut lead = new_objective("lead");
    lead.objective.as_mut().expect("an objective").team = acme("teams/sales");
    let mut objectives = server.objectives();
    for request in [grow, lead] {
        objectives.create_objective(request).await.expect("an objective");
    }
    let filter = api::SubscriptionFilter {
        resource_kinds: vec![ResourceKind::Objective.into(), ResourceKind::Team.into()],
        change_kinds: vec![ChangeKind::FigureChanged.into()],
        ..Default::default()
    };
    let (mut kept, _, token) = Kept::fresh(&server, &filter).await;
    let mut live = Reader::ask(&server, asking(Start::After(token), &filter)).await;
    let turned = |from: &str, to: &str| {
        ["objectives/grow", "objectives/lead", "teams/sales"]
            .map(|whose| format!("foundation {whose}: {from} > {to}"))
    };
    for (second, value, foundations) in [
        (1, 60.0, Some(turned("Weak", "Solid"))),
        (2, 61.0, None),
        (3, 20.0, Some(turned("Solid", "Weak"))),
    ] {
        server.clock.advance_to(at(second));
        let measured = measure("nps", second, value);
        server.kpis().record_measurement(measured).await.expect("a value");
        let (update, _) = live.all_to(server.head().await).await;
        let mut said = Vec::new();
        for (_, update) in &update {
            kept.take(update);
            said.extend(told(&update.derived_changes));
        }
        said.retain(|said| said.starts_with("foundation"));
        assert_eq!(said, foundations.map(Vec::from).unwrap_or_default(), "{value}");
        let (fresh, ..) = Kept::fresh(&server, &filter).await;
        kept.assert_same(&fresh, "what only has other figures");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_that_closes_with_thousands_of_figures_comes_in_several_messages_with_one_token() {
    let server = Server::start().await;
    with_company(&server).await;
    let (objectives, key_results) = (120, 8);
    let writers = (0..8).map(|writer| {
        let mut client = server.objectives();
        tokio::spawn(async move {
            for number in (writer..objectives).step_by(8) {
                let id = format!("o{number}");
                client
                    .create_objective(new_objective(&id))
                    .await
                    .expect("an objective");
                for key_result in 0..key_results {
                    let request = new_key_result(&id, &format!("k{key_result}"));
                    client.create_key_result(request).await.expect("a key result");
                }
                let activate = api::ActivateObjectiveRequest {
                    name: acme(&format!("objectives/{id}")),
                    ..Default::default()
                };
                client.activate_objective(activate).await.expect("ACTIVE");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("a writer");
    }
    let mut live = Reader::of(&server, Start::Live(())).await;
    let (token, before) = live.wait_for(caught_up).await;
    let begin = api::BeginCycleReviewRequest {
        name: acme("cycles/q1"),
        ..Default::default()
    };
    server
        .cycles()
        .begin_cycle_review(begin)
        .await
        .expect("in REVIEW");
    let explained = |id: String| api::ObjectiveClosing {
        objective: acme(&format!("objectives/{id}")),
        closing: Some(api::Closing {
            explanation: "r".repeat(9_900),
            ..Default::default()
        }),
    };
    let names = (0..objectives)
        .map(|number| format!("o{number}"))
        .chain(["win".to_owned()]);
    let close = api::CloseCycleRequest {
        name: acme("cycles/q1"),
        objectives: names.map(explained).collect(),
        ..Default::default()
    };
    server.cycles().close_cycle(close).await.expect("CLOSED");
    let parts = live.updates_to(before + 2).await[1..].to_vec();
    assert!(parts.len() > 1, "more than 1 MiB");
    let (last, others) = parts.split_last().expect("messages");
    assert!(others.iter().all(|(token, _)| token.is_empty()) && !last.0.is_empty());
    for (_, part) in &parts {
        assert!(part.encoded_len() <= 1024 * 1024, "{} bytes", part.encoded_len());
    }
    let events: Vec<&str> = parts
        .iter()
        .flat_map(|(_, part)| &part.events)
        .map(|event| event.r#type.as_str())
        .collect();
    assert_eq!(
        events.iter().filter(|kind| **kind == "ObjectiveClosed").count(),
        121
    );
    let changes: Vec<api::DerivedChange> = parts
        .iter()
        .flat_map(|(_, part)| part.derived_changes.clone())
        .collect();
    let names: std::collections::BTreeSet<String> = told(&changes).into_iter().collect();
    assert_eq!(names.len(), changes.len(), "each once");
    assert!(changes.len() > 1000, "{}", changes.len());
    // Whoever was cut off in the middle goes on from the token before it, and is sent it whole.
    let mut again = Reader::of(&server, Start::After(token)).await;
    assert_eq!(again.updates_to(before + 2).await[1..], parts);
    let mut from_log = Reader::of(&server, Start::FromBeginning(())).await;
    let all = from_log.updates_to(before + 2).await;
    assert_eq!(all[all.len() - parts.len()..], parts);
}
