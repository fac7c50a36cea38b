//! How many calls there were, by method and code, how long they took, and how many are open.
//!
//! Invariant: a caller cannot make it grow: there is one entry for each call that the API has, and one for everything else
//! (health, reflection, what does not exist). It does not know in which form it is shown.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prost_reflect::{DescriptorError, DescriptorPool};
use tonic::Code;

use crate::engine::{Histogram, microseconds};
use crate::proto::API_DESCRIPTOR_SET;
use crate::service::attempts;

/// The calls of a server since its start.
#[derive(Debug)]
pub struct CallTally {
    /// Where a path's method is.
    by_path: HashMap<String, usize>,
    /// The last one is everything that the API does not have.
    methods: Vec<MethodTally>,
}

/// The calls of one method.
#[derive(Debug)]
pub struct MethodTally {
    name: String,
    began: AtomicU64,
    /// By the number of the code.
    ended: [AtomicU64; CODES.len()],
    duration_us: Histogram,
}

const CODES: [Code; 17] = [
    Code::Ok,
    Code::Cancelled,
    Code::Unknown,
    Code::InvalidArgument,
    Code::DeadlineExceeded,
    Code::NotFound,
    Code::AlreadyExists,
    Code::PermissionDenied,
    Code::ResourceExhausted,
    Code::FailedPrecondition,
    Code::Aborted,
    Code::OutOfRange,
    Code::Unimplemented,
    Code::Internal,
    Code::Unavailable,
    Code::DataLoss,
    Code::Unauthenticated,
];
/// From a read of a small state to a stream that is open all day.
const DURATION_US: &[u64] = &[
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    10_000_000,
    60_000_000,
    600_000_000,
    3_600_000_000,
    86_400_000_000,
];
/// The name of what the API does not have.
const OTHER: &str = "other";

impl CallTally {
    /// Of every call that the API has.
    ///
    /// # Errors
    /// The program's own description of the API cannot be read.
    pub(in crate::service) fn of_the_api() -> Result<Self, DescriptorError> {
        let pool = DescriptorPool::decode(API_DESCRIPTOR_SET)?;
        let names = pool.services().flat_map(|service| {
            let calls = service.methods().collect::<Vec<_>>().into_iter();
            calls.map(move |method| format!("{}/{}", service.full_name(), method.name()))
        });
        let mut methods: Vec<_> = names.map(MethodTally::new).collect();
        let by_path = methods
            .iter()
            .enumerate()
            .map(|(at, method)| (format!("/{}", method.name), at))
            .collect();
        methods.push(MethodTally::new(OTHER.to_owned()));
        Ok(Self { by_path, methods })
    }

    /// The place of what is called by a path; none: the API does not have it.
    pub(super) fn find(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    /// A method by its place; without one, everything that the API does not have.
    pub(super) fn method(&self, place: Option<usize>) -> &MethodTally {
        &self.methods[place.unwrap_or(self.methods.len() - 1)]
    }

    /// Every method that was called, in the order of the API.
    pub fn called(&self) -> impl Iterator<Item = &MethodTally> {
        self.methods.iter().filter(|method| method.began() > 0)
    }
}

impl MethodTally {
    fn new(name: String) -> Self {
        Self {
            name,
            began: AtomicU64::new(0),
            ended: std::array::from_fn(|_| AtomicU64::new(0)),
            duration_us: Histogram::new(DURATION_US),
        }
    }

    pub(super) fn begin(&self) {
        self.began.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn end(&self, code: Code, duration: Duration) {
        self.duration_us.observe(microseconds(duration));
        if let Some(at) = CODES.iter().position(|known| *known == code) {
            self.ended[at].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The method without the first slash, or `other`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many have ended, by code as gRPC spells it; what never happened is left out.
    pub fn ended(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.ended.iter().map(|count| count.load(Ordering::Relaxed));
        let codes = CODES.iter().map(|code| attempts::name(*code));
        codes.zip(counts).filter(|(_, count)| *count > 0)
    }

    /// How many are open.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        let ended: u64 = self.ended.iter().map(|count| count.load(Ordering::Relaxed)).sum();
        self.began().saturating_sub(ended)
    }

    /// How long those took that have ended, in microseconds.
    #[must_use]
    pub fn duration_us(&self) -> &Histogram {
        &self.duration_us
    }

    fn began(&self) -> u64 {
        self.began.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET_KPI: &str = "/binnacle.v1.KpiService/GetKpi";

    #[test]
    fn what_the_api_does_not_have_is_one_method_however_many_are_made_up() {
        let tally = CallTally::of_the_api().expect("the API's descriptors");
        for path in [
            "/grpc.health.v1.Health/Check",
            "",
            "/",
            "/a/1",
            "/a/2",
            "/binnacle.v1.KpiService/GetKpi/",
            &GET_KPI[1..],
        ] {
            assert_eq!(tally.method(tally.find(path)).name(), "other", "{path}");
        }
        assert_eq!(tally.method(tally.find(GET_KPI)).name(), &GET_KPI[1..]);
        assert_eq!(tally.called().count(), 0);
    }

    #[test]
    fn a_call_is_open_until_it_has_ended_with_a_code() {
        let tally = CallTally::of_the_api().expect("the API's descriptors");
        let method = tally.method(tally.find(GET_KPI));
        for _ in 0..3 {
            method.begin();
        }
        method.end(Code::Ok, Duration::from_millis(2));
        method.end(Code::NotFound, Duration::from_secs(1));
        assert_eq!(method.in_flight(), 1);
        assert_eq!(method.ended().collect::<Vec<_>>(), [("OK", 1), ("NOT_FOUND", 1)]);
        let durations = method.duration_us().counted();
        assert_eq!((durations.count(), durations.sum), (2, 1_002_000));
        assert_eq!(
            tally.called().map(MethodTally::name).collect::<Vec<_>>(),
            [&GET_KPI[1..]]
        );
    }

    #[test]
    fn every_code_is_in_its_place() {
        for number in 0..=16 {
            let code = Code::from(number);
            assert_eq!(
                CODES.iter().filter(|known| **known == code).count(),
                1,
                "{code:?}"
            );
        }
    }
}
