//! `min_interval`: one net change at a time, without a gap, that comes to the same.

use std::time::{Duration, Instant};

use binnacle::proto::api;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscribe_response::Event;

use crate::common::*;
use crate::kept::Kept;
use crate::life::{Life, criteria, with_people};
use crate::reader::*;

/// A net change, put together of its messages.
#[derive(Clone, Debug, Default, PartialEq)]
struct Net {
    from: i64,
    to: i64,
    token: String,
    messages: Vec<api::Update>,
}

/// Net changes until the stream stands at a revision. Of each, only the last message has a token.
async fn net_changes(reader: &mut Reader, revision: i64) -> Vec<Net> {
    let mut nets = Vec::new();
    let mut parts: Vec<api::Update> = Vec::new();
    let (updates, _) = reader.all_to(revision).await;
    for (token, update) in updates {
        assert!(update.events.is_empty(), "a net change has no events");
        let commit = update.commit.clone().expect("its commit");
        let known = api::Commit {
            revision: commit.revision,
            recorded_time: commit.recorded_time,
            ..Default::default()
        };
        assert_eq!(commit, known, "what is known of the newest commit");
        assert!(commit.recorded_time.is_some());
        let from = update.from_revision.expect("where it begins");
        parts.push(update);
        if !token.is_empty() {
            let messages = std::mem::take(&mut parts);
            assert!(messages.iter().all(|part| part.from_revision == Some(from)));
            nets.push(Net {
                from,
                to: commit.revision,
                token,
                messages,
            });
        }
    }
    assert!(parts.is_empty(), "it is whole");
    nets
}

/// What is there of one net change, all messages together.
fn whole(net: &Net) -> api::Update {
    let mut whole = api::Update::default();
    for part in &net.messages {
        whole.derived_changes.extend(part.derived_changes.clone());
        whole.entered.extend(part.entered.clone());
        whole.changed.extend(part.changed.clone());
        whole.left.extend(part.left.clone());
    }
    whole
}

/// From a token on: the one net change to the head, if there is one.
async fn one_net_change(server: &Server, token: &str, filter: &api::SubscriptionFilter) -> Option<Net> {
    let request = coalesced(Start::After(token.to_owned()), filter, 100);
    let mut reader = Reader::ask(server, request).await;
    let mut nets = net_changes(&mut reader, server.head().await).await;
    assert!(nets.len() < 2, "what is there already is one net change");
    nets.pop()
}

#[tokio::test(flavor = "multi_thread")]
async fn net_changes_follow_one_another_and_come_to_the_next_snapshot_while_four_write() {
    let server = Server::start().await;
    with_people(&server).await;
    let mut streams = Vec::new();
    for (name, filter) in criteria() {
        if !filter.change_kinds.is_empty() {
            continue;
        }
        let mut reader = Reader::ask(&server, coalesced(Start::Snapshot(()), &filter, 100)).await;
        let (resources, revision, _) = reader.snapshot_and_token().await;
        streams.push((name, filter, reader, Kept::of(resources), revision));
    }
    let began = Instant::now();
    let mut lives: Vec<Life<'_>> = (30..34).map(|number| Life::of(&server, number)).collect();
    let [a, b, c, d] = lives.as_mut_slice() else {
        panic!("four lives")
    };
    let live = async |life: &mut Life<'_>| {
        for _ in 0..250 {
            life.step().await;
        }
    };
    tokio::join!(live(a), live(b), live(c), live(d));
    let head = server.head().await;
    assert!(head > 150, "{head}");
    for (name, filter, mut reader, mut kept, revision) in streams {
        let nets = net_changes(&mut reader, head).await;
        let intervals = began.elapsed().as_millis() / 100;
        assert!(
            nets.len() as u128 <= intervals + 2,
            "{name}: {} in {intervals} intervals",
            nets.len()
        );
        let mut stands = revision;
        for net in &nets {
            // What came to nothing was passed over.
            assert!(
                stands <= net.from && net.from < net.to,
                "{name}: {stands}, {} to {}",
                net.from,
                net.to
            );
            stands = net.to;
            for message in &net.messages {
                kept.take(message);
            }
        }
        let (fresh, ..) = Kept::fresh(&server, &filter).await;
        kept.assert_same(&fresh, name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_every_commit_changes_a_figure_one_net_change_begins_where_the_last_ended() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let mut reader = Reader::ask(&server, coalesced(Start::Live(()), &everything(), 100)).await;
    assert_eq!(reader.wait_for(caught_up).await.1, 2);
    let began = Instant::now();
    let mut client = server.kpis();
    for number in 0..60 {
        client
            .record_measurement(measure("nps", -number, 1.0))
            .await
            .expect("a value");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let nets = net_changes(&mut reader, 62).await;
    let intervals = began.elapsed().as_millis() / 100;
    assert!(
        nets.len() > 2 && nets.len() as u128 <= intervals + 2,
        "{} in {intervals} intervals",
        nets.len()
    );
    let mut stands = 2;
    for net in &nets {
        assert_eq!(net.from, stands);
        stands = net.to;
    }
    assert_eq!(stands, 62, "the last state always comes");
}

#[tokio::test]
async fn what_was_changed_and_changed_back_is_left_out_and_the_rest_has_the_oldest_before_and_the_newest_after()
 {
    let server = Server::start().await;
    with_company(&server).await;
    let (before, from, token) = Kept::fresh(&server, &everything()).await;
    let value = |of: &api::DerivedChange| match of.figure.as_ref().expect("a figure") {
        api::derived_change::Figure::Kpi(change) => {
            let latest = |health: &Option<api::KpiHealth>| health.as_ref().and_then(|it| it.latest_value);
            (latest(&change.before), latest(&change.after))
        }
        other => panic!("{other:?}"),
    };
    let passing = api::DeleteTeamRequest {
        name: acme("teams/west"),
        ..Default::default()
    };
    server
        .workspaces()
        .create_team(new_team("west", "sales"))
        .await
        .expect("a team");
    server
        .workspaces()
        .delete_team(passing)
        .await
        .expect("gone again");
    assert_eq!(one_net_change(&server, &token, &everything()).await, None);
    for (second, value) in [(1, 41.0), (2, 99.0), (3, 43.0)] {
        server.clock.advance_to(at(second));
        server
            .kpis()
            .record_measurement(measure("nps", second, value))
            .await
            .expect("a value");
    }
    let net = one_net_change(&server, &token, &everything())
        .await
        .expect("a net change");
    assert_eq!((net.from, net.to), (from, server.head().await));
    let came = whole(&net);
    let of_kpi: Vec<_> = came
        .derived_changes
        .iter()
        .filter(|it| it.resource == acme("kpis/nps"))
        .collect();
    assert_eq!(
        of_kpi.iter().map(|it| value(it)).collect::<Vec<_>>(),
        [(Some(40.0), Some(43.0))]
    );
    // An alert closed, another opened: the KPI names it.
    let changed: Vec<&str> = came.changed.iter().map(name_of).collect();
    assert_eq!(changed, [acme("kpis/nps")]);
    assert_eq!((came.entered.len(), came.left.len()), (1, 1));
    let mut kept = before;
    kept.take(&came);
    let (fresh, ..) = Kept::fresh(&server, &everything()).await;
    kept.assert_same(&fresh, "the end");
}

#[tokio::test]
async fn written_fields_come_whole_and_what_only_has_another_figure_does_not() {
    let server = Server::start().await;
    with_company(&server).await;
    let deals = "objectives/win/keyResults/deals";
    let retitle = || api::UpdateKpiRequest {
        kpi: Some(api::Kpi {
            name: acme("kpis/nps"),
            title: "Net Promoter Score".to_owned(),
            ..Default::default()
        }),
        update_mask: mask(&["title"]),
        ..Default::default()
    };
    let (mut kept, _, mut token) = Kept::fresh(&server, &everything()).await;
    let mut came = async |what: &str| {
        let net = one_net_change(&server, &token, &everything())
            .await
            .unwrap_or_default();
        let came = whole(&net);
        kept.take(&came);
        let (fresh, ..) = Kept::fresh(&server, &everything()).await;
        kept.assert_same(&fresh, what);
        token = net.token;
        let mut changed: Vec<String> = came.changed.iter().map(|it| name_of(it).to_owned()).collect();
        changed.sort();
        (changed, came.derived_changes.len())
    };
    let check_in = new_check_in(deals, "", 3.0);
    server
        .objectives()
        .create_check_in(check_in)
        .await
        .expect("a value");
    assert_eq!(came("a value").await, (vec![], 5));
    let mut sure = new_check_in(deals, "", 3.0);
    sure.check_in.as_mut().expect("a check-in").confidence = Some(0.3);
    server.objectives().create_check_in(sure).await.expect("said");
    assert_eq!(came("a confidence").await.0, [acme(deals)]);
    let (_, figures) = {
        server.kpis().update_kpi(retitle()).await.expect("retitled");
        let came = came("a title").await;
        assert!(came.0.contains(&acme("kpis/nps")), "{came:?}");
        assert!(came.0[1].contains("alerts/breach"), "it says the title: {came:?}");
        came
    };
    assert_eq!(figures, 1, "the alert in other words");
    server.clock.advance_to(at(24 * 3600));
    let member = server.workspaces().create_member(new_member("rosa")).await;
    member.expect("the first of the day");
    let (changed, _) = came("a day").await;
    assert!(
        changed.contains(&"workspaces/acme".to_owned()),
        "it has another today: {changed:?}"
    );
}

#[tokio::test]
async fn a_stream_is_resumed_with_another_interval_or_none_and_from_a_token_of_each() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let (_, _, start) = Kept::fresh(&server, &everything()).await;
    measured(&server, 1..6).await;
    let mut single = Reader::of(&server, Start::After(start.clone())).await;
    let singles = single.updates_to(7).await;
    let net = one_net_change(&server, &start, &everything())
        .await
        .expect("a net change");
    assert_eq!((net.from, net.to), (2, 7));
    let newest = &singles.last().expect("an update").0;
    assert_eq!(&net.token, newest, "a place is a place, however one came there");
    for (at, (token, _)) in singles.iter().enumerate().take(4) {
        let net = one_net_change(&server, token, &everything())
            .await
            .expect("a net change");
        assert_eq!((net.from, net.to), (at as i64 + 3, 7));
    }
    measured(&server, 6..9).await;
    let mut without = Reader::of(&server, Start::After(net.token.clone())).await;
    let rest = without.updates_to(10).await;
    assert_eq!(revisions(&rest), [8, 9, 10]);
    assert!(
        rest.iter()
            .all(|(_, update)| update.from_revision.is_none() && update.events.len() == 1)
    );
    let slower = coalesced(Start::After(net.token), &everything(), 3_600_000);
    let mut slower = Reader::ask(&server, slower).await;
    let nets = net_changes(&mut slower, 10).await;
    assert_eq!(
        (nets[0].from, nets[0].to, nets.len()),
        (7, 10, 1),
        "the first comes at once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_beginning_is_one_net_change_from_nothing_and_a_large_one_is_cut() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut client = server.kpis();
    for number in 0..150 {
        let mut request = new_kpi(&format!("large-{number}"));
        request.kpi.as_mut().expect("a KPI").description = "d".repeat(9_000);
        client.create_kpi(request).await.expect("a KPI");
    }
    let head = server.head().await;
    let mut reader = Reader::ask(&server, coalesced(Start::FromBeginning(()), &everything(), 100)).await;
    let (token, started) = reader.next().await.expect("started");
    assert!(matches!(started, Event::Started(_)) && !token.is_empty());
    let nets = net_changes(&mut reader, head).await;
    let [net] = nets.as_slice() else {
        panic!("one net change: {}", nets.len())
    };
    assert_eq!((net.from, net.to), (0, head));
    assert_eq!(net.messages.len(), 2, "1.4 MB of descriptions");
    let came = whole(net);
    assert!(came.changed.is_empty() && came.left.is_empty());
    let (fresh, ..) = Kept::fresh(&server, &everything()).await;
    Kept::of(came.entered).assert_same(&fresh, "from nothing");
    // From the token before it, it comes whole again.
    let mut again = Reader::ask(&server, coalesced(Start::After(token), &everything(), 100)).await;
    assert_eq!(net_changes(&mut again, head).await, nets);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coalesced_stream_says_that_it_is_live_also_where_something_happens_all_the_time() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let mut client = server.kpis();
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let writer = tokio::spawn(async move {
        let mut number = 0;
        while stopped.try_recv().is_err() {
            number += 1;
            client
                .record_measurement(measure("nps", -number, 1.0))
                .await
                .expect("a value");
        }
    });
    let mut reader = Reader::ask(&server, coalesced(Start::Live(()), &everything(), 1000)).await;
    let said = tokio::time::timeout(Duration::from_secs(10), reader.wait_for(caught_up)).await;
    stop.send(()).expect("a writer");
    writer.await.expect("a writer");
    assert!(said.expect("it says so").1 >= 2);
}
