//! Reads of the past and proofs, one at a time over one connection, each beside the cheapest call of the same kind.

use std::time::Instant;

use binnacle::log::{PublicKey, is_included};
use binnacle::proto::api;
use binnacle::proto::api::as_of::Moment;
use binnacle::proto::api::audit_service_client::AuditServiceClient;
use binnacle::proto::api::kpi_service_client::KpiServiceClient;
use hdrhistogram::Histogram;
use tonic::transport::Channel;

use crate::common::{WORKSPACE, kpi, micros};
use crate::filled::{Filled, RARE, rare};
use crate::report::Report;

/// How many reads as of a moment, lists and proofs.
const LOOKS: usize = 300;
const LISTS: usize = 200;
const PROOFS: usize = 1000;

pub(crate) async fn run(filled: &Filled, report: &mut Report) {
    let mut random = fastrand::Rng::with_seed(6);
    let mut kpis = KpiServiceClient::new(filled.channel.clone());
    let mut now = times();
    for _ in 0..LOOKS {
        let begun = Instant::now();
        let request = api::GetKpiRequest {
            name: kpi(7),
            ..Default::default()
        };
        kpis.get_kpi(request).await.expect("a KPI");
        record(&mut now, begun);
    }
    report.times("GetKpi, now", &now, "");
    let mut as_of = times();
    for _ in 0..LOOKS {
        let revision = random.i64(200..=filled.head);
        let begun = Instant::now();
        let request = api::GetKpiRequest {
            name: kpi(7),
            as_of: Some(api::AsOf {
                moment: Some(Moment::Revision(revision)),
            }),
            ..Default::default()
        };
        kpis.get_kpi(request).await.expect("a KPI");
        record(&mut as_of, begun);
    }
    report.times("GetKpi, as of a random revision", &as_of, "less than 50 ms");

    let mut audit = AuditServiceClient::new(filled.channel.clone());
    let mut page = times();
    for _ in 0..LISTS {
        let begun = Instant::now();
        let events = list(&mut audit, String::new(), i32::try_from(RARE).expect("a size")).await;
        assert!(events >= RARE as usize);
        record(&mut page, begun);
    }
    report.times("ListEvents, the first 100 of all", &page, "");
    let mut of_one = times();
    for _ in 0..LISTS {
        let begun = Instant::now();
        let events = list(&mut audit, rare(), 1000).await;
        // Its creation, too.
        assert_eq!(events, RARE as usize + 1);
        record(&mut of_one, begun);
    }
    report.times("ListEvents, the 101 of one KPI", &of_one, "less than 5 ms");

    let mut proofs = times();
    for _ in 0..PROOFS {
        let revision = random.i64(1..=filled.head);
        let size = random.i64(revision..=filled.head);
        let begun = Instant::now();
        let request = api::GetInclusionProofRequest {
            parent: WORKSPACE.to_owned(),
            revision,
            size,
        };
        let proof = audit
            .get_inclusion_proof(request)
            .await
            .expect("a proof")
            .into_inner();
        record(&mut proofs, begun);
        check(&proof, revision);
    }
    report.times(
        "GetInclusionProof, of a random revision in a random log",
        &proofs,
        "less than 2 ms",
    );
    let mut proofs = times();
    for _ in 0..PROOFS {
        let first = random.i64(1..=filled.head);
        let begun = Instant::now();
        let request = api::GetConsistencyProofRequest {
            parent: WORKSPACE.to_owned(),
            first,
            second: random.i64(first..=filled.head),
        };
        audit.get_consistency_proof(request).await.expect("a proof");
        record(&mut proofs, begun);
    }
    report.times("GetConsistencyProof, between random revisions", &proofs, "");
    println!();
}

async fn list(audit: &mut AuditServiceClient<Channel>, resource: String, page_size: i32) -> usize {
    let request = api::ListEventsRequest {
        parent: WORKSPACE.to_owned(),
        page_size,
        resource,
        ..Default::default()
    };
    audit
        .list_events(request)
        .await
        .expect("events")
        .into_inner()
        .events
        .len()
}

fn check(proof: &api::InclusionProof, revision: i64) {
    let shown = proof.checkpoint.as_ref().expect("a checkpoint");
    let said = PublicKey::parse(&shown.verifier_key)
        .expect("a key")
        .open(&shown.note)
        .expect("signed");
    let hashes: Vec<[u8; 32]> = proof
        .hashes
        .iter()
        .map(|hash| hash.as_slice().try_into().expect("a hash"))
        .collect();
    let index = u64::try_from(revision - 1).expect("a place");
    assert!(is_included(
        &proof.record,
        index,
        said.revision.0,
        said.root,
        &hashes
    ));
}

fn times() -> Histogram<u64> {
    Histogram::new(3).expect("a histogram")
}

fn record(times: &mut Histogram<u64>, begun: Instant) {
    times.record(micros(begun.elapsed())).expect("a time");
}
