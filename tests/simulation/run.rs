//! One simulation from start to end: the machine, its clients, and the weather over them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use binnacle::engine::EngineConfig;
use binnacle::log::Append;
use binnacle::service::ServerConfig;
use fastrand::Rng;
use tokio::sync::Notify;
use turmoil::Sim;

use super::cuts::Cuts;
use super::disk::Disk;
use super::follower::{Follower, Habit};
use super::ingester::Ingester;
use super::invariants::{Told, check_all};
use super::machine::{Machine, SERVER};
use super::network::connect;
use super::plan::{FAULTS_END_MS, Plan, Weather};
use super::subscriber::Subscriber;
use super::subscriber::truth::{self, Evidence, Truth};
use super::trace::Trace;
use super::writer::{Sent, Writer};
use crate::common::{Server, new_kpi, with_company};

/// What the clients of a simulation do as they should, or not: a simulation that never fails proves nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    pub(crate) subscribers: Habit,
    /// Whether a writer's retry has the request id of its first try.
    pub(crate) writers_keep_request_ids: bool,
}

/// How one simulation ended.
pub(crate) struct Run {
    pub(crate) verdict: Result<(), String>,
    pub(crate) trace: Vec<String>,
}

/// What everybody does is done in steps of so long; a message takes at least one.
const TICK: Duration = Duration::from_millis(10);
/// So long after the last fault everything has arrived everywhere.
const CONVERGES_WITHIN: Duration = Duration::from_secs(12);

impl Default for Habits {
    fn default() -> Self {
        Self {
            subscribers: Habit::AppliesAndStoresAtOnce,
            writers_keep_request_ids: true,
        }
    }
}

/// What the clients of one simulation share with it.
#[derive(Clone, Default)]
struct Shared {
    sent: Rc<RefCell<Vec<Sent>>>,
    /// The subscribers that have everything, by number.
    told: Rc<RefCell<BTreeMap<usize, Subscriber>>>,
    durable_through: Rc<Cell<i64>>,
    truth: Rc<RefCell<Option<Truth>>>,
    /// How many write still.
    writing: Rc<Cell<usize>>,
}

/// Runs the simulation of a seed.
pub(crate) fn simulate(seed: u64, habits: Habits) -> Run {
    let plan = Plan::of(seed);
    let trace = Trace::default();
    let machine = Arc::new(Machine {
        disk: Disk::with(founding().clone(), trace.clone()),
        cuts: Cuts::new(plan.cuts.clone()),
        trace: trace.clone(),
        engine: EngineConfig {
            feed_bytes_max: plan.feed_bytes_max,
            ..EngineConfig::default()
        },
        pace: plan.pace,
        died: AtomicBool::new(false),
        stop: Notify::new(),
    });
    let mut sim = turmoil::Builder::new()
        .rng_seed(seed)
        .tick_duration(TICK)
        .simulation_duration(Duration::from_secs(600))
        .tcp_capacity(1024)
        .build();
    let host = Arc::clone(&machine);
    sim.host(SERVER, move || Arc::clone(&host).run());
    let shared = clients(&mut sim, &plan, habits, &trace);
    let ended = Sky::over(seed, &plan, &machine).run(&mut sim);
    let verdict = ended.and_then(|()| {
        let truth = shared.truth.take().ok_or("nobody has read what is true")?;
        let subscribers = shared.told.take().into_values().collect();
        check_all(&Told {
            sent: shared.sent.take(),
            rows: plan.rows,
            evidence: Evidence::against(truth, subscribers),
        })
    });
    Run {
        verdict,
        trace: trace.lines(),
    }
}

/// Puts everybody on the network.
fn clients(sim: &mut Sim<'_>, plan: &Plan, habits: Habits, trace: &Trace) -> Shared {
    let shared = Shared::default();
    shared.writing.set(plan.writers.len() + 1);
    for (index, commands) in plan.writers.iter().enumerate() {
        let name = format!("writer-{index}");
        let writer = || Writer {
            name: name.clone(),
            commands: commands.clone(),
            keeps_request_ids: habits.writers_keep_request_ids,
            trace: trace.clone(),
        };
        let (first, again) = (writer(), writer());
        let (sent, writing) = (Rc::clone(&shared.sent), Rc::clone(&shared.writing));
        sim.client(name.as_str(), async move {
            first.run(Rc::clone(&sent)).await?;
            tokio::time::sleep(quiet_in()).await;
            again.ask_again(sent).await?;
            writing.set(writing.get() - 1);
            Ok(())
        });
    }
    let ingester = Ingester {
        name: "ingester".to_owned(),
        rows: plan.rows,
        rows_per_message: plan.rows_per_message,
        pause: plan.pause_between_messages,
        trace: trace.clone(),
    };
    let (through, writing) = (Rc::clone(&shared.durable_through), Rc::clone(&shared.writing));
    sim.client("ingester", async move {
        ingester.run(through).await?;
        writing.set(writing.get() - 1);
        Ok(())
    });
    let (truth, writing) = (Rc::clone(&shared.truth), Rc::clone(&shared.writing));
    sim.client("auditor", async move {
        while writing.get() > 0 {
            tokio::time::sleep(TICK).await;
        }
        tokio::time::sleep(quiet_in()).await;
        let read = truth::read(&connect().await?, Plan::SCOPES.to_vec()).await?;
        *truth.borrow_mut() = Some(read);
        Ok(())
    });
    for (index, follows) in plan.subscribers.iter().enumerate() {
        let follower = Follower {
            name: format!("subscriber-{index}"),
            subscriber: Subscriber::of(follows.kind),
            pause: follows.pause,
            habit: habits.subscribers,
            dies_at: follows.dies_at.clone(),
            trace: trace.clone(),
            messages: 0,
        };
        let (told, truth) = (Rc::clone(&shared.told), Rc::clone(&shared.truth));
        sim.client(format!("subscriber-{index}"), async move {
            let subscriber = follower.run(truth).await?;
            told.borrow_mut().insert(index, subscriber);
            Ok(())
        });
    }
    shared
}

/// How long it is from here to the end of the faults.
fn quiet_in() -> Duration {
    let now = turmoil::sim_elapsed().unwrap_or_default();
    Duration::from_millis(FAULTS_END_MS + 500).saturating_sub(now)
}

/// Holds, cuts and slows links, and crashes and starts the server, until the faults end.
struct Sky<'a> {
    plan: &'a Plan,
    machine: &'a Machine,
    /// Of the latencies.
    chance: Rng,
    clients: Vec<String>,
    next: usize,
    /// When the server is started again.
    starts_at: Option<u128>,
    is_quiet: bool,
}

impl<'a> Sky<'a> {
    fn over(seed: u64, plan: &'a Plan, machine: &'a Machine) -> Self {
        let writers = (0..plan.writers.len()).map(|index| format!("writer-{index}"));
        let subscribers = (0..plan.subscribers.len()).map(|index| format!("subscriber-{index}"));
        Self {
            plan,
            machine,
            chance: Rng::with_seed(!seed),
            clients: writers
                .chain(subscribers)
                .chain(["ingester".to_owned(), "auditor".to_owned()])
                .collect(),
            next: 0,
            starts_at: None,
            is_quiet: false,
        }
    }

    /// Steps until every client has what it wants.
    fn run(mut self, sim: &mut Sim<'_>) -> Result<(), String> {
        loop {
            let now = sim.elapsed().as_millis();
            if now >= u128::from(FAULTS_END_MS) && !self.is_quiet {
                self.clear(now, sim);
            }
            self.change(now, sim);
            // Each link has its own latency for a while, so that it makes no difference who sends first in a step.
            for client in &self.clients {
                let latency = Duration::from_millis(self.chance.u64(0..=self.plan.latency_max_ms));
                sim.set_link_latency(SERVER, client.as_str(), latency);
            }
            match sim.step() {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) => return Err(format!("somebody gave up: {error}")),
            }
            if sim.elapsed() > Duration::from_millis(FAULTS_END_MS) + CONVERGES_WITHIN {
                return Err("everything_arrives_in_the_end: somebody still waits".to_owned());
            }
        }
    }

    fn change(&mut self, now: u128, sim: &mut Sim<'_>) {
        while let Some((at, weather)) = self.plan.weather.get(self.next)
            && *at <= now
            && !self.is_quiet
        {
            self.next += 1;
            self.come(now, weather, sim);
        }
        for client in self.machine.cuts.healed(now) {
            self.note(now, &format!("the link to {client} is whole again"));
            sim.release(SERVER, client.as_str());
        }
        if self.machine.died.swap(false, Ordering::SeqCst) && self.starts_at.is_none() {
            self.crash(now, true, 100, sim);
        }
        if self.starts_at.is_none() && !sim.is_host_running(SERVER) {
            self.starts_at = Some(now + 200);
        }
        if self.starts_at.is_some_and(|at| at <= now) {
            self.starts_at = None;
            self.note(now, "the server is started");
            sim.bounce(SERVER);
        }
    }

    fn come(&mut self, now: u128, weather: &Weather, sim: &mut Sim<'_>) {
        self.note(now, &format!("{weather:?}"));
        let cuts = &self.machine.cuts;
        match weather {
            Weather::Held { client, for_ms } => {
                sim.hold(SERVER, client.as_str());
                cuts.heal_at(now + u128::from(*for_ms), client);
            }
            Weather::Parted { client, for_ms } => {
                sim.partition(SERVER, client.as_str());
                cuts.heal_at(now + u128::from(*for_ms), client);
            }
            Weather::PartedOneWay {
                client,
                from_server: true,
                for_ms,
            } => {
                sim.partition_oneway(SERVER, client.as_str());
                cuts.heal_at(now + u128::from(*for_ms), client);
            }
            Weather::PartedOneWay { client, for_ms, .. } => {
                sim.partition_oneway(client.as_str(), SERVER);
                cuts.heal_at(now + u128::from(*for_ms), client);
            }
            Weather::Crash { silently, down_ms } => self.crash(now, *silently, *down_ms, sim),
            Weather::Stop => self.machine.stop.notify_one(),
            Weather::Doomed(fate) => self.machine.disk.destine(Some(*fate)),
        }
    }

    fn crash(&mut self, now: u128, silently: bool, down_ms: u64, sim: &mut Sim<'_>) {
        self.note(now, &format!("the server crashes, silently: {silently}"));
        for client in self.clients.iter().filter(|_| silently) {
            sim.partition(SERVER, client.as_str());
        }
        sim.crash(SERVER);
        for client in self.clients.iter().filter(|_| silently) {
            sim.release(SERVER, client.as_str());
        }
        self.machine.disk.destine(None);
        self.machine.died.store(false, Ordering::SeqCst);
        self.starts_at = Some(now + u128::from(down_ms));
    }

    /// Ends all faults.
    fn clear(&mut self, now: u128, sim: &mut Sim<'_>) {
        self.note(now, "the faults end");
        self.is_quiet = true;
        self.machine.cuts.end();
        self.machine.disk.destine(None);
        for client in &self.clients {
            sim.release(SERVER, client.as_str());
        }
    }

    fn note(&self, now: u128, what: &str) {
        self.machine.trace.note_at(now, "sky", what);
    }
}

/// The log that every simulation begins with: a little company, founded through the API once in a process.
fn founding() -> &'static Append {
    static FOUNDING: OnceLock<Append> = OnceLock::new();
    FOUNDING.get_or_init(|| {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let disk = Disk::default();
            let server = Server::with(disk.clone(), EngineConfig::default(), ServerConfig::default()).await;
            with_company(&server).await;
            let kpi = server.kpis().create_kpi(new_kpi("rows")).await;
            kpi.expect("a KPI for the rows");
            disk.whole()
        })
    })
}
