//! Holds a subscriber's picture against what the server answers when it is asked.

use std::fmt::Debug;

use crate::cli::picture::Picture;
use crate::proto::api;

/// How many figures were compared, or which of them differ.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) scores: usize,
    pub(super) objectives: usize,
    pub(super) key_results: usize,
    pub(super) kpis: usize,
    pub(super) differences: Vec<String>,
}

impl Verdict {
    /// Every score, status and health of an overview against the picture of the same revision.
    pub(super) fn of(picture: &Picture, overview: &api::Overview) -> Self {
        let mut verdict = Self::default();
        verdict.compare("the revision", &picture.revision, &overview.revision);
        verdict.differences.extend(picture.contradiction.clone());
        let workspace = overview.workspace.as_ref();
        verdict.scores = 1 + overview.cycles.len();
        verdict.compare(
            "the workspace's score",
            &picture.score,
            &workspace.and_then(|it| it.score),
        );
        for it in &overview.cycles {
            let shown = picture.cycles.get(&it.name).and_then(|cycle| cycle.score);
            verdict.compare(&it.name, &shown, &it.score);
        }
        for it in &overview.objectives {
            for key_result in &it.key_results {
                let shown = picture.key_results.get(&key_result.name);
                let shown = shown.and_then(|shown| shown.progress.as_ref());
                verdict.compare(&key_result.name, &shown, &key_result.progress.as_ref());
                verdict.key_results += 1;
            }
            let Some(objective) = &it.objective else { continue };
            let shown = picture.objectives.get(&objective.name);
            verdict.compare(
                &objective.name,
                &shown.and_then(|shown| shown.progress.as_ref()),
                &objective.progress.as_ref(),
            );
            verdict.objectives += 1;
        }
        for it in &overview.kpis {
            let shown = picture.kpis.get(&it.name).and_then(|kpi| kpi.health.as_ref());
            verdict.compare(&it.name, &shown, &it.health.as_ref());
            verdict.kpis += 1;
        }
        verdict.count("objectives", picture.objectives.len(), verdict.objectives);
        verdict.count("key results", picture.key_results.len(), verdict.key_results);
        verdict.count("KPIs", picture.kpis.len(), verdict.kpis);
        verdict
    }

    fn compare<T: PartialEq + Debug>(&mut self, what: &str, shown: &T, asked: &T) {
        if shown != asked {
            self.differences.push(format!(
                "{what}: the stream says {shown:?}, the overview {asked:?}"
            ));
        }
    }

    fn count(&mut self, what: &str, shown: usize, asked: usize) {
        if shown != asked {
            self.differences
                .push(format!("the stream shows {shown} {what}, the overview {asked}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::picture::KpiPicture;

    fn health(value: f64) -> api::KpiHealth {
        api::KpiHealth {
            latest_value: Some(value),
            ..api::KpiHealth::default()
        }
    }

    fn picture() -> Picture {
        let mut picture = Picture {
            revision: 5,
            score: Some(0.25),
            ..Picture::default()
        };
        let kpi = KpiPicture {
            health: Some(health(1.0)),
            ..KpiPicture::default()
        };
        picture.kpis.insert("k".to_owned(), kpi);
        picture
    }

    fn overview() -> api::Overview {
        api::Overview {
            workspace: Some(api::Workspace {
                score: Some(0.25),
                ..api::Workspace::default()
            }),
            kpis: vec![api::Kpi {
                name: "k".to_owned(),
                health: Some(health(1.0)),
                ..api::Kpi::default()
            }],
            revision: 5,
            ..api::Overview::default()
        }
    }

    #[test]
    fn a_picture_that_agrees_has_no_differences_and_one_that_does_not_names_them() {
        assert_eq!(
            Verdict::of(&picture(), &overview()).differences,
            Vec::<String>::new()
        );

        let mut other = picture();
        other.score = Some(0.5);
        other.kpis.insert("l".to_owned(), KpiPicture::default());
        other.contradiction = Some("it never was".to_owned());
        assert_eq!(
            Verdict::of(&other, &overview()).differences,
            [
                "it never was",
                "the workspace's score: the stream says Some(0.5), the overview Some(0.25)",
                "the stream shows 2 KPIs, the overview 1",
            ]
        );
    }
}
