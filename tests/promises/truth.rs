//! What the server holds in the end, read without a fault: the log through ListEvents, each kind's stream of it from the
//! beginning, and what a fresh snapshot shows. What subscribers were told is held against it.

use std::collections::BTreeMap;

use binnacle::proto::api;
use binnacle::proto::api::audit_service_client::AuditServiceClient;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscribe_response::Event;
use tonic::transport::Channel;

use crate::history::{History, Part, Said};
use crate::kind::{KINDS, Kind};
use crate::picture::{Picture, enter};
use crate::subscriber::{Subscriber, next, subscribe};

/// What subscribers under one fault were told, and what is true.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    pub(crate) histories: Vec<History>,
    /// What each subscriber had before it in the end, by kind.
    pub(crate) pictures: Vec<(&'static str, Picture)>,
    pub(crate) truth: Truth,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Truth {
    /// Every commit, by revision.
    pub(crate) log: BTreeMap<i64, Commit>,
    /// Every update of a kind's stream, in all of its parts.
    pub(crate) streams: BTreeMap<&'static str, BTreeMap<i64, Vec<Part>>>,
    /// What a fresh snapshot of a kind shows.
    pub(crate) pictures: BTreeMap<&'static str, Picture>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Commit {
    pub(crate) leaf: Vec<u8>,
    pub(crate) event_count: i32,
    /// Name and resource of each event, in order.
    pub(crate) events: Vec<(String, String)>,
}

impl Truth {
    /// The newest revision.
    pub(crate) fn head(&self) -> i64 {
        self.log.keys().next_back().copied().unwrap_or(0)
    }

    /// The updates that a kind is to be told of.
    pub(crate) fn of(&self, kind: &str) -> &BTreeMap<i64, Vec<Part>> {
        &self.streams[kind]
    }
}

/// Reads everything that is true of these kinds, once nobody writes any more.
pub(crate) async fn read(channel: &Channel, kinds: &[Kind]) -> Truth {
    let log = read_log(channel).await;
    let mut truth = Truth {
        log,
        ..Truth::default()
    };
    let head = truth.head();
    for kind in kinds {
        if !kind.is_coalesced() {
            truth
                .streams
                .insert(kind.name, read_stream(channel, kind, head).await);
        }
        if kind.folds {
            truth
                .pictures
                .insert(kind.name, read_picture(channel, kind).await);
        }
    }
    truth
}

/// The newest revision.
pub(crate) async fn head(channel: &Channel) -> i64 {
    let request = api::ListEventsRequest {
        parent: "workspaces/acme".to_owned(),
        page_size: 1,
        newest_first: true,
        ..Default::default()
    };
    let mut audit = AuditServiceClient::new(channel.clone());
    audit
        .list_events(request)
        .await
        .expect("events")
        .into_inner()
        .revision
}

async fn read_log(channel: &Channel) -> BTreeMap<i64, Commit> {
    let mut audit = AuditServiceClient::new(channel.clone());
    let mut request = api::ListEventsRequest {
        parent: "workspaces/acme".to_owned(),
        page_size: 1000,
        ..Default::default()
    };
    let mut log: BTreeMap<i64, Commit> = BTreeMap::new();
    loop {
        let page = audit.list_events(request.clone()).await.expect("events");
        let page = page.into_inner();
        for event in page.events {
            let of = event.commit.expect("an event's commit");
            let commit = log.entry(of.revision).or_default();
            commit.leaf = of.leaf_hash;
            commit.event_count = of.event_count;
            commit.events.push((event.name, event.resource));
        }
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return log;
        }
    }
}

async fn read_stream(channel: &Channel, kind: &Kind, head: i64) -> BTreeMap<i64, Vec<Part>> {
    let mut stream = subscribe(channel, kind.request_of_the_whole_log())
        .await
        .expect("a stream");
    let mut updates: BTreeMap<i64, Vec<Part>> = BTreeMap::new();
    loop {
        let message = next(&mut stream).await.expect("no fault").expect("a message");
        let said = Said::of(&message);
        if let Some(part) = said.part() {
            updates.entry(part.revision).or_default().push(part.clone());
        }
        if !said.token.is_empty() && said.revision().is_some_and(|revision| revision >= head) {
            return updates;
        }
    }
}

async fn read_picture(channel: &Channel, kind: &Kind) -> Picture {
    let request = kind.request(Some(Start::Snapshot(())));
    let mut stream = subscribe(channel, request).await.expect("a stream");
    let mut picture = Picture::new();
    loop {
        let message = next(&mut stream).await.expect("no fault").expect("a message");
        match message.event {
            Some(Event::Snapshot(part)) => part.resources.iter().for_each(|it| enter(&mut picture, it)),
            Some(Event::SnapshotEnd(_)) => return picture,
            _ => {}
        }
    }
}

impl Evidence {
    /// What these subscribers were told, and what is true in the end. Some of their tokens of every kind are tried once
    /// more: what each of them still leads to is evidence too.
    pub(crate) async fn of(subscribers: Vec<Subscriber>, channel: &Channel) -> Self {
        let mut evidence = Self::of_crowd(subscribers, channel).await;
        let mut again = Vec::new();
        for history in &evidence.histories {
            let kind = Kind::of(history.kind);
            for (token, revision) in some_tokens(history) {
                let mut subscriber = Subscriber::resuming(kind, token, revision);
                subscriber
                    .follow_to(channel, evidence.truth.head())
                    .await
                    .expect("a token that was given is taken");
                subscriber.lose();
                again.push(subscriber.history);
            }
        }
        evidence.histories.extend(again);
        evidence
    }

    /// The same of so many that their tokens are not tried again.
    pub(crate) async fn of_crowd(subscribers: Vec<Subscriber>, channel: &Channel) -> Self {
        let kinds: Vec<Kind> = KINDS
            .into_iter()
            .filter(|kind| subscribers.iter().any(|it| it.kind.name == kind.name))
            .collect();
        let truth = read(channel, &kinds).await;
        let mut histories = Vec::new();
        let mut pictures = Vec::new();
        for mut subscriber in subscribers {
            subscriber.lose();
            histories.push(subscriber.history);
            pictures.extend(subscriber.picture.map(|picture| (subscriber.kind.name, picture)));
        }
        Self {
            histories,
            pictures,
            truth,
        }
    }
}

/// The newest token of each sort of message, and one of an update somewhere in the middle.
fn some_tokens(history: &History) -> Vec<(String, i64)> {
    let mut by_sort = std::collections::HashMap::new();
    let groups: Vec<_> = history.kept().collect();
    for group in &groups {
        let last = group.last().expect("a group has its token");
        if let Some(revision) = last.revision() {
            by_sort.insert(std::mem::discriminant(&last.what), (last.token.clone(), revision));
        }
    }
    let middle = groups[groups.len() / 3..].iter().filter_map(|group| {
        let last = group.last()?;
        Some((last.token.clone(), last.part()?.revision))
    });
    by_sort.into_values().chain(middle.take(1)).collect()
}
