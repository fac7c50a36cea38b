//! What happens in one simulation: everything follows from its seed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use binnacle::proto::api::subscription_filter::ResourceKind;
use fastrand::Rng;

use super::cuts::Cut;
use super::disk::Fate;
use super::subscriber::kind::{self, Begins, EVERYTHING, Scope, is_in, of_kinds, of_names};
use super::writer::{Command, Kind};

/// All that is left to chance.
pub(crate) struct Plan {
    /// The commands of each writer, each behind a pause.
    pub(crate) writers: Vec<Vec<(Duration, Command)>>,
    pub(crate) subscribers: Vec<Follows>,
    pub(crate) rows: i64,
    pub(crate) rows_per_message: usize,
    pub(crate) pause_between_messages: Duration,
    /// By time in milliseconds, ascending.
    pub(crate) weather: Vec<(u128, Weather)>,
    /// By client and number of the message to it.
    pub(crate) cuts: BTreeMap<(String, u64), Cut>,
    /// How many bytes of updates live readers share: with few of them everybody falls behind.
    pub(crate) feed_bytes_max: usize,
    /// How long the committer waits for more.
    pub(crate) pace: Duration,
    pub(crate) latency_max_ms: u64,
}

/// What one subscriber does.
pub(crate) struct Follows {
    pub(crate) kind: kind::Kind,
    /// Between the token that it begins with and its use.
    pub(crate) pause: Duration,
    /// At these of its messages its process dies.
    pub(crate) dies_at: BTreeSet<usize>,
}

/// Some kinds of resources.
const SOME: Scope = Scope {
    name: "KPIs, objectives and alerts",
    filter: || of_kinds(&[ResourceKind::Kpi, ResourceKind::Objective, ResourceKind::Alert]),
    takes: Some(|resource| is_in(&["kpis", "objectives", "alerts"], resource)),
    ..EVERYTHING
};
/// The objectives that the writers create.
const CREATED: Scope = Scope {
    name: "names that begin with w",
    filter: || of_names("workspaces/acme/objectives/w*"),
    takes: Some(|resource| resource.starts_with("workspaces/acme/objectives/w")),
    ..EVERYTHING
};

/// What happens to the network or to the server at some moment.
#[derive(Clone, Debug)]
pub(crate) enum Weather {
    /// What is sent between the server and a client is held, and delivered later.
    Held { client: String, for_ms: u64 },
    /// It is lost.
    Parted { client: String, for_ms: u64 },
    /// What is sent in one direction is lost.
    PartedOneWay {
        client: String,
        from_server: bool,
        for_ms: u64,
    },
    /// The server crashes; silently: nobody hears the end of its connections.
    Crash { silently: bool, down_ms: u64 },
    /// The server is asked to stop, and started again.
    Stop,
    /// The next write is the last one before a crash.
    Doomed(Fate),
}

/// Faults end here, in milliseconds.
pub(crate) const FAULTS_END_MS: u64 = 6_000;

impl Plan {
    /// Everything that somebody wants to hear of.
    pub(crate) const SCOPES: [Scope; 3] = [EVERYTHING, SOME, CREATED];

    pub(crate) fn of(seed: u64) -> Self {
        let mut chance = Rng::with_seed(seed);
        let writers: Vec<_> = (0..chance.usize(4..=8))
            .map(|writer| commands(writer, &mut chance))
            .collect();
        let subscribers: Vec<_> = (0..chance.usize(7..=9))
            .map(|index| {
                let begins = begins(index, &mut chance);
                let pause_ms = match begins {
                    Begins::After => chance.u64(0..2_000),
                    _ => 0,
                };
                Follows {
                    kind: kind(index, begins, &mut chance),
                    pause: Duration::from_millis(pause_ms),
                    dies_at: deaths(&mut chance),
                }
            })
            .collect();
        let mut clients: Vec<String> = (0..writers.len()).map(|i| format!("writer-{i}")).collect();
        clients.extend((0..subscribers.len()).map(|i| format!("subscriber-{i}")));
        clients.push("ingester".to_owned());
        Self {
            writers,
            subscribers,
            rows: chance.i64(20..60),
            rows_per_message: chance.usize(1..8),
            pause_between_messages: Duration::from_millis(chance.u64(0..200)),
            weather: weather(&clients, &mut chance),
            cuts: cuts(&clients, &mut chance),
            feed_bytes_max: if chance.bool() { 4 * 1024 * 1024 } else { 4_000 },
            pace: Duration::from_millis(chance.u64(1..40)),
            latency_max_ms: chance.u64(5..60),
        }
    }
}

fn commands(writer: usize, chance: &mut Rng) -> Vec<(Duration, Command)> {
    let mut there: Vec<String> = Vec::new();
    (0..chance.usize(5..=9))
        .map(|number| {
            let name = format!("w{writer}-{number}");
            let kind = match chance.u8(0..20) {
                0..7 => Kind::Measure(f64::from(chance.u8(30..70))),
                7..13 => Kind::CheckIn(f64::from(chance.u8(0..12))),
                13 if writer == 0 => Kind::MeasureMuch(130),
                13..16 if !there.is_empty() => {
                    Kind::DeleteObjective(there.swap_remove(chance.usize(..there.len())))
                }
                _ => {
                    there.push(name.clone());
                    Kind::CreateObjective(name.clone())
                }
            };
            (Duration::from_millis(chance.u64(20..900)), Command { name, kind })
        })
        .collect()
}

fn begins(index: usize, chance: &mut Rng) -> Begins {
    match index {
        0 | 4 | 5 | 6 => Begins::Snapshot,
        1 => Begins::FromBeginning,
        2 => Begins::Live,
        3 => Begins::After,
        _ => [Begins::FromBeginning, Begins::Live, Begins::Snapshot][usize::from(chance.u8(0..3))],
    }
}

fn kind(index: usize, begins: Begins, chance: &mut Rng) -> kind::Kind {
    let [everything, some, created] = Plan::SCOPES.map(|scope| scope.told(begins));
    let coalesced = everything.every_ms(chance.i32(100..900));
    match index {
        0..=3 => everything,
        4 => coalesced,
        5 => some,
        6 => created,
        _ => [coalesced, some, created][chance.usize(..3)],
    }
}

/// A process dies up to three times; not so late that it is never reached.
fn deaths(chance: &mut Rng) -> BTreeSet<usize> {
    (0..chance.usize(0..=3)).map(|_| chance.usize(2..40)).collect()
}

fn weather(clients: &[String], chance: &mut Rng) -> Vec<(u128, Weather)> {
    let mut weather: Vec<_> = (0..chance.usize(8..16))
        .map(|_| {
            let client = clients[chance.usize(..clients.len())].clone();
            let for_ms = chance.u64(20..1_500);
            let what = match chance.u8(0..12) {
                0..3 => Weather::Held { client, for_ms },
                3..5 => Weather::Parted { client, for_ms },
                5..7 => Weather::PartedOneWay {
                    client,
                    from_server: chance.bool(),
                    for_ms,
                },
                7..9 => Weather::Crash {
                    silently: chance.bool(),
                    down_ms: for_ms / 2,
                },
                9 => Weather::Stop,
                10 => Weather::Doomed(Fate::DiesBeforeTheWrite),
                _ => Weather::Doomed(Fate::DiesBehindTheWrite),
            };
            (u128::from(chance.u64(100..FAULTS_END_MS - 500)), what)
        })
        .collect();
    weather.sort_by_key(|(at, _)| *at);
    weather
}

fn cuts(clients: &[String], chance: &mut Rng) -> BTreeMap<(String, u64), Cut> {
    let mut cuts = BTreeMap::new();
    for client in clients {
        for _ in 0..chance.usize(0..=2) {
            let for_ms = chance.u64(10..800);
            let cut = match chance.u8(0..8) {
                0..4 => Cut::Lost { for_ms },
                4..7 => Cut::Held { for_ms },
                _ => Cut::ServerDies,
            };
            cuts.insert((client.clone(), chance.u64(1..25)), cut);
        }
    }
    cuts
}
