//! What the server holds in the end, read without a fault: the log through ListEvents, each scope's stream of it from the
//! beginning, and what a fresh snapshot shows. What subscribers were told is held against it.

use std::collections::BTreeMap;

use binnacle::proto::api;
use binnacle::proto::api::audit_service_client::AuditServiceClient;
use tonic::Status;
use tonic::transport::Channel;

use super::Subscriber;
use super::history::{History, Part};
use super::kind::{Begins, Kind, Scope};
use super::picture::Picture;
use crate::common::all_events;

/// What subscribers were told, and what is true.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    pub(crate) histories: Vec<History>,
    /// What each subscriber had before it in the end.
    pub(crate) pictures: Vec<(Kind, Picture)>,
    pub(crate) truth: Truth,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Truth {
    /// The events of every commit, by revision.
    pub(crate) log: BTreeMap<i64, Vec<api::Event>>,
    /// By the scope's name.
    pub(crate) scopes: BTreeMap<&'static str, Undisturbed>,
}

/// What a subscriber of a scope is told whose connection holds.
#[derive(Clone, Debug)]
pub(crate) struct Undisturbed {
    pub(crate) scope: Scope,
    /// Every update, in all of its parts.
    pub(crate) updates: BTreeMap<i64, Vec<Part>>,
    /// What a fresh snapshot shows.
    pub(crate) picture: Picture,
}

impl Truth {
    /// The newest revision.
    pub(crate) fn head(&self) -> i64 {
        self.log.keys().next_back().copied().unwrap_or(0)
    }

    pub(crate) fn commit(&self, revision: i64) -> Option<&api::Commit> {
        self.log.get(&revision)?.first()?.commit.as_ref()
    }

    /// What a kind is to be told.
    pub(crate) fn of(&self, kind: &Kind) -> &Undisturbed {
        &self.scopes[kind.scope.name]
    }
}

impl Undisturbed {
    async fn read(channel: &Channel, scope: Scope, head: i64) -> Result<Self, Status> {
        let mut reader = Subscriber::of(scope.told(Begins::FromBeginning));
        reader.follow_to(channel, head).await?;
        let mut updates: BTreeMap<i64, Vec<Part>> = BTreeMap::new();
        for (revision, parts) in reader.history.updates() {
            updates
                .entry(revision)
                .or_default()
                .extend(parts.into_iter().cloned());
        }
        let mut fresh = Subscriber::of(scope.told(Begins::Snapshot));
        fresh.follow_to(channel, head).await?;
        Ok(Self {
            scope,
            updates,
            picture: fresh.picture.unwrap_or_default(),
        })
    }
}

/// Reads everything that is true of these scopes, once nobody writes any more.
pub(crate) async fn read(channel: &Channel, scopes: Vec<Scope>) -> Result<Truth, Status> {
    let mut truth = Truth::default();
    for event in all_events(channel).await? {
        let revision = event.commit.as_ref().map_or(0, |commit| commit.revision);
        truth.log.entry(revision).or_default().push(event);
    }
    let head = truth.head();
    for scope in scopes {
        if !truth.scopes.contains_key(scope.name) {
            let undisturbed = Undisturbed::read(channel, scope, head).await?;
            truth.scopes.insert(scope.name, undisturbed);
        }
    }
    Ok(truth)
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

impl Evidence {
    /// What these subscribers were told, and what is true in the end. Some of their tokens of every kind are tried once
    /// more: what each of them still leads to is evidence too.
    pub(crate) async fn of(subscribers: Vec<Subscriber>, channel: &Channel) -> Self {
        let mut evidence = Self::of_crowd(subscribers, channel).await;
        let mut again = Vec::new();
        for history in &evidence.histories {
            for (token, revision) in some_tokens(history) {
                let mut subscriber = Subscriber::resuming(history.kind, token, revision);
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
        let scopes = subscribers.iter().map(|it| it.kind.scope).collect();
        let truth = read(channel, scopes).await.expect("no fault");
        Self::against(truth, subscribers)
    }

    /// What these subscribers were told, and what is known to be true.
    pub(crate) fn against(truth: Truth, subscribers: Vec<Subscriber>) -> Self {
        let mut histories = Vec::new();
        let mut pictures = Vec::new();
        for mut subscriber in subscribers {
            subscriber.lose();
            histories.push(subscriber.history);
            pictures.extend(subscriber.picture.map(|picture| (subscriber.kind, picture)));
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
