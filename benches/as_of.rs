//! What a state of the past costs in a workspace of a million commits of one event each: at random revisions, the same again,
//! and at the revisions beside it.
//!
//! `cargo bench --bench as_of` prints a table. The log is a sled store, read through the engine; a read call adds what it
//! adds at the head. `BINNACLE_AS_OF_COMMITS` says how many commits there are, `BINNACLE_AS_OF_KPIS` over how many KPIs.

#![allow(missing_docs)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use binnacle::domain::{
    Actor, Aggregation, Authentication, Cadence, Category, Command, Commit, CreateWorkspace, Direction,
    Effective, FirstWeekday, Id, KpiFields, Labels, NewMeasurement, Origin, Preset, Revision, Stamp, Text,
    TimeZoneRules, Timestamp, Title, Unit, Value, WorkspaceFields, decide,
};
use binnacle::engine::{Engine, EngineConfig, SystemClock};
use binnacle::log::{Append, EventLog, LogId, SledLog, codec};
use binnacle::projection::State;

/// As the program allocates.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LOG: LogId = LogId([7; 16]);
/// 2026-01-01T12:00:00Z.
const START_S: i64 = 1_767_268_800;
/// A commit a minute, so that days begin too.
const STEP_S: i64 = 60;
/// Commits in one write.
const GROUP: usize = 1000;
/// Reads of one kind.
const READS: u64 = 300;

fn main() {
    let commits = asked("BINNACLE_AS_OF_COMMITS", 1_000_000);
    let kpis = asked("BINNACLE_AS_OF_KPIS", 100);
    let dir = tempfile::tempdir_in("target").expect("a directory");
    let began = Instant::now();
    let head = fill(&SledLog::open(dir.path()).expect("a log"), commits, kpis);
    println!(
        "{head} commits of {kpis} KPIs written in {:.1} s",
        began.elapsed().as_secs_f64()
    );
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let began = Instant::now();
        let log = Arc::new(SledLog::open(dir.path()).expect("a log"));
        let clock = Arc::new(SystemClock::default());
        let config = EngineConfig {
            accept_clock: true,
            ..EngineConfig::default()
        };
        let engine = Engine::open(log, None, clock, config).expect("an engine");
        println!(
            "replayed in {:.1} s, {} MiB resident",
            began.elapsed().as_secs_f64(),
            resident_mib()
        );
        read(&engine, head).await;
        engine.close();
    });
}

async fn read(engine: &Engine, head: u64) {
    let hosted = engine.hosted(&id("acme")).expect("acme");
    let mut random = fastrand::Rng::with_seed(1);
    let (mut cold, mut again, mut beside) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..READS {
        let revision = random.u64(1..head - 1);
        for (at, took) in [
            (revision, &mut cold),
            (revision, &mut again),
            (revision + 1, &mut beside),
        ] {
            let began = Instant::now();
            let state = engine.state_at(&hosted, Revision(at)).await.expect("a state");
            took.push(began.elapsed());
            assert_eq!(state.workspace().revision(), Revision(at));
        }
    }
    println!("as of                    median ms    p90 ms    p99 ms    max ms");
    for (what, took) in [
        ("a random revision", cold),
        ("the same again", again),
        ("the one behind it", beside),
    ] {
        let [median, p90, p99, max] = percentiles(took);
        println!("{what:<22}  {median:>11.3}  {p90:>8.3}  {p99:>8.3}  {max:>8.3}");
    }
    println!("{} MiB resident", resident_mib());
}

fn percentiles(mut took: Vec<Duration>) -> [f64; 4] {
    took.sort_unstable();
    [50, 90, 99, 100]
        .map(|percent| took[(took.len() * percent / 100).min(took.len() - 1)].as_secs_f64() * 1e3)
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}

fn asked(name: &str, default: u64) -> u64 {
    let number = std::env::var(name).ok().and_then(|number| number.parse().ok());
    number.unwrap_or(default)
}

fn id(text: &str) -> Id {
    Id::parse(text).expect("an id")
}

/// Writes a history of measurements, one a commit, and answers its newest revision.
fn fill(log: &dyn EventLog, commits: u64, kpis: u64) -> u64 {
    let mut state = State::empty();
    let mut records = Vec::new();
    run(&mut state, &mut records, &workspace());
    for kpi in 0..kpis {
        run(&mut state, &mut records, &new_kpi(kpi));
    }
    let mut expected = Revision::ZERO;
    for number in 0..commits {
        let now = time(state.workspace().revision());
        let date = state.workspace().rules().date(now);
        if date > state.workspace().today() {
            run(&mut state, &mut records, &Command::StartDay { date });
        }
        let measurement = NewMeasurement {
            kpi: id(&format!("k{}", number.wrapping_mul(7919) % kpis)),
            effective: Effective::Now,
            value: Value::parse((number % 1013) as f64).expect("a value"),
            source_id: "".into(),
            note: "".into(),
        };
        run(
            &mut state,
            &mut records,
            &Command::RecordMeasurements(vec![measurement]),
        );
        if records.len() >= GROUP || number + 1 == commits {
            let append = Append {
                log: LOG,
                expected,
                records: std::mem::take(&mut records),
            };
            log.append(&[append]).expect("appended");
            expected = state.workspace().revision();
        }
    }
    expected.0
}

fn time(revision: Revision) -> Timestamp {
    let minutes = i64::try_from(revision.0).expect("a small number");
    Timestamp::from_micros((START_S + minutes * STEP_S) * 1_000_000)
}

fn run(state: &mut State, records: &mut Vec<Vec<u8>>, command: &Command) {
    let revision = state.workspace().revision().next();
    let stamp = Stamp {
        revision,
        recorded_time: time(state.workspace().revision()),
        principal: "maria".into(),
        reason: "".into(),
    };
    let events = decide(state.workspace(), command, &stamp)
        .expect("a decision")
        .events;
    let commit = Commit {
        revision,
        recorded_time: stamp.recorded_time,
        epoch: 1,
        origin: Origin {
            actor: Actor {
                principal: "maria".into(),
                authentication: Authentication::None,
                on_behalf_of: "".into(),
            },
            ..Origin::system("bench")
        },
        events,
    };
    records.push(codec::encode(LOG, &commit));
    state.fold(&commit);
}

fn workspace() -> Command {
    Command::CreateWorkspace(Box::new(CreateWorkspace {
        id: id("acme"),
        fields: WorkspaceFields {
            title: Title::parse("Acme").expect("a title"),
            ultimate_goal: Text::empty(),
            time_zone: Text::parse("UTC").expect("a text"),
            fiscal_year_first_month: 1,
            first_weekday: FirstWeekday::MONDAY,
        },
        preset: Preset::Full,
        rules: TimeZoneRules::utc(),
    }))
}

fn new_kpi(number: u64) -> Command {
    Command::CreateKpi {
        id: id(&format!("k{number}")),
        fields: Box::new(KpiFields {
            title: Title::parse("KPI").expect("a title"),
            description: Text::empty(),
            owner: None,
            team: None,
            area: Text::empty(),
            category: Category::Operational,
            unit: Unit::number(),
            direction: Direction::HigherIsBetter,
            cadence: Cadence::Daily,
            grace_days: 0,
            review_cadence: None,
            aggregation: Aggregation::Last,
            data_source: Text::empty(),
            replaces: None,
            labels: Labels::default(),
            transform: None,
        }),
    }
}
