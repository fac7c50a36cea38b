//! Who used the CPU: the server, its clients (which are this process), and whoever else is on the machine, without whom the
//! figures would be better ones.

use std::time::{Duration, Instant};

use crate::common::server::Server;
use crate::report::{CORES, Report, US};

/// Reads the kernel's counts from a moment on.
pub(crate) struct Meter<'a> {
    server: &'a Server,
    begun: Instant,
    before: Counts,
}

/// CPU time since the machine, or a process of it, was started.
struct Counts {
    server: Duration,
    clients: Duration,
    machine: Duration,
}

/// CPU time that was used meanwhile.
#[derive(Clone, Copy)]
pub(crate) struct Used {
    pub(crate) time: Duration,
    pub(crate) server: Duration,
    pub(crate) clients: Duration,
    others: Duration,
}

/// The kernel counts in hundredths of a second, on every architecture that Linux still runs on.
const TICKS_PER_S: f64 = 100.0;

impl<'a> Meter<'a> {
    pub(crate) fn start(server: &'a Server) -> Self {
        Self {
            server,
            begun: Instant::now(),
            before: Counts::now(server),
        }
    }

    pub(crate) fn read(&self) -> Used {
        let (before, now) = (&self.before, Counts::now(self.server));
        let server = now.server.saturating_sub(before.server);
        let clients = now.clients.saturating_sub(before.clients);
        let machine = now.machine.saturating_sub(before.machine);
        Used {
            time: self.begun.elapsed(),
            server,
            clients,
            others: machine.saturating_sub(server + clients),
        }
    }
}

impl Used {
    /// Cores that each of them kept busy on average.
    pub(crate) fn say(&self, report: &mut Report) {
        let cores = |used: Duration| used.as_secs_f64() / self.time.as_secs_f64();
        report.figure("server", cores(self.server), CORES);
        report.figure("clients and writers", cores(self.clients), CORES);
        report.figure("others on this machine", cores(self.others), CORES);
    }

    /// What one of so many cost the server and the clients.
    pub(crate) fn say_each(&self, what: &str, count: u64, report: &mut Report) {
        let each_us = |used: Duration| used.as_secs_f64() * 1e6 / count as f64;
        report.figure(&format!("server's CPU {what}"), each_us(self.server), US);
        report.figure(&format!("clients' CPU {what}"), each_us(self.clients), US);
    }

    /// All of several rounds.
    pub(crate) fn sum(rounds: &[Self]) -> Self {
        let sum = |of: fn(&Self) -> Duration| rounds.iter().map(of).sum();
        Self {
            time: sum(|used| used.time),
            server: sum(|used| used.server),
            clients: sum(|used| used.clients),
            others: sum(|used| used.others),
        }
    }
}

impl Counts {
    fn now(server: &Server) -> Self {
        Self {
            server: of_process(&server.process_id().to_string()),
            clients: of_process("self"),
            machine: of_machine(),
        }
    }
}

fn of_process(process: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("its stat");
    // The program's name may hold anything but ends at the last parenthesis. Behind it, from the third field on: the
    // state, ten numbers, then the ticks in user mode and in the kernel.
    let (_, fields) = stat.rsplit_once(')').expect("a name");
    of_ticks(fields.split_whitespace().skip(11).take(2))
}

fn of_machine() -> Duration {
    let stat = std::fs::read_to_string("/proc/stat").expect("the machine's stat");
    let all = stat.lines().next().expect("the line of all cores");
    // user, nice, system, then idle and waiting for the disk, which nobody uses, then interrupts and what a hypervisor took.
    let ticks = all.split_whitespace().skip(1).enumerate();
    of_ticks(
        ticks
            .filter(|(index, _)| matches!(index, 0..=2 | 5..=7))
            .map(|(_, ticks)| ticks),
    )
}

fn of_ticks<'a>(ticks: impl Iterator<Item = &'a str>) -> Duration {
    let ticks: f64 = ticks.map(|ticks| ticks.parse::<f64>().expect("ticks")).sum();
    Duration::from_secs_f64(ticks / TICKS_PER_S)
}
