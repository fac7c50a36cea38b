//! What hygiene found.

use prost::Message;

use super::scalar::revision as write_revision;
use crate::domain::{Id, Revision};
use crate::projection::{Finding, Severity};
use crate::proto::api;
use crate::service::names;

/// What the findings of one report may take, in bytes.
const BYTES_MAX: usize = 3 * 1024 * 1024;

/// A report at one revision: as many of its findings, in their order, as fit into one message.
#[must_use]
pub(crate) fn hygiene_report(
    workspace: &Id,
    found: &[Finding],
    revision: Revision,
    policy_version: Revision,
) -> api::HygieneReport {
    let mut bytes = 0;
    let findings: Vec<_> = found
        .iter()
        .map(|one| finding(workspace, one))
        .take_while(|shown| {
            // In front of each stand its tag, one byte, and its length.
            let length = shown.encoded_len();
            bytes += 1 + prost::length_delimiter_len(length) + length;
            bytes <= BYTES_MAX
        })
        .collect();
    api::HygieneReport {
        truncated: findings.len() < found.len(),
        findings,
        revision: write_revision(revision),
        policy_version: write_revision(policy_version),
    }
}

fn finding(workspace: &Id, finding: &Finding) -> api::Finding {
    use api::finding::Severity as Api;
    let Finding {
        code,
        resource,
        sentence,
    } = finding;
    api::Finding {
        code: code.as_str().to_owned(),
        severity: match code.severity() {
            Severity::Info => Api::Info,
            Severity::Warning => Api::Warning,
            Severity::Error => Api::Error,
        }
        .into(),
        resource: names::full_name(workspace, resource),
        sentence: sentence.clone(),
        suggestion: code.suggestion().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ResourceName;
    use crate::projection::FindingCode;

    fn report(count: usize) -> api::HygieneReport {
        let acme = Id::parse("acme").unwrap();
        let found: Vec<Finding> = (0..count)
            .map(|number| Finding {
                code: FindingCode::KpiWithoutOwner,
                resource: ResourceName::Kpi(Id::parse(&format!("k{number}")).unwrap()),
                sentence: "x".repeat(10_000),
            })
            .collect();
        hygiene_report(&acme, &found, Revision(9), Revision(4))
    }

    #[test]
    fn a_report_that_fits_is_whole() {
        let report = report(2);
        let first = &report.findings[0];
        assert_eq!(
            (first.code.as_str(), first.resource.as_str(), first.severity()),
            (
                "KPI_WITHOUT_OWNER",
                "workspaces/acme/kpis/k0",
                api::finding::Severity::Warning
            )
        );
        assert_eq!(first.suggestion, FindingCode::KpiWithoutOwner.suggestion());
        assert_eq!((report.findings.len(), report.truncated), (2, false));
        assert_eq!((report.revision, report.policy_version), (9, 4));
    }

    #[test]
    fn a_report_ends_at_3_mib_with_its_beginning_and_says_so() {
        let report = report(400);
        let names: Vec<_> = report.findings.iter().map(|one| one.resource.clone()).collect();
        let first: Vec<_> = (0..names.len())
            .map(|number| format!("workspaces/acme/kpis/k{number}"))
            .collect();
        assert_eq!(names, first);
        assert!(report.truncated && names.len() < 400);
        // Not one more would fit; behind the findings stand two revisions and a flag.
        let (size, one) = (report.encoded_len(), report.findings[0].encoded_len());
        assert!(size < BYTES_MAX + 32 && size + one + 8 > BYTES_MAX, "{size}");
    }
}
