//! What a board says, before the workspace is asked about it.

use super::marks::Mark;
use super::measure::Measure;
use super::quantity::Quantity;
use super::when::When;
use crate::domain::{Id, Labels, Text, Title, Unit, Weight};

/// Where something stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The file by its index.
    pub(super) file: usize,
    /// The line, from 1.
    pub(super) line: usize,
}

/// An objective of a board.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ObjectiveDraft {
    /// Where it stands.
    pub(super) place: Place,
    /// The id that it asks for.
    pub(super) id: Option<Id>,
    /// What people call it.
    pub(super) title: Title,
    /// The paragraphs below it.
    pub(super) description: Text,
    /// Who answers for it, as it is written.
    pub(super) owner: Option<String>,
    /// Whose it is.
    pub(super) team: Option<Id>,
    /// Whether it is a stretch.
    pub(super) is_aspirational: bool,
    /// Its weight.
    pub(super) weight: Weight,
    /// Its labels.
    pub(super) labels: Labels,
    /// Its key results.
    pub(super) key_results: Vec<KeyResultDraft>,
    /// What is done for it as a whole.
    pub(super) initiatives: Vec<InitiativeDraft>,
}

/// A key result of a board.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct KeyResultDraft {
    /// Where it stands.
    pub(super) place: Place,
    /// The id that it asks for.
    pub(super) id: Option<Id>,
    /// What people call it.
    pub(super) title: Title,
    /// Who answers for it, as it is written.
    pub(super) owner: Option<String>,
    /// How it is measured; none: by its milestones.
    pub(super) measure: Option<Measure>,
    /// Which way its first word says it goes.
    pub(super) way: Option<Way>,
    /// Its milestones.
    pub(super) milestones: Vec<MilestoneDraft>,
    /// Its check box.
    pub(super) is_checked: Option<bool>,
    /// When it is due.
    pub(super) due: Option<When>,
    /// Its weight.
    pub(super) weight: Weight,
    /// The KPI that it names itself; some none: that there is none.
    pub(super) kpi: Option<Option<String>>,
    /// What its values are numbers of.
    pub(super) unit: Option<Unit>,
    /// Whether everything since the cycle began counts.
    pub(super) over_cycle: bool,
    /// Whether the share of periods counts.
    pub(super) by_share: bool,
    /// How far outside of the bounds the score is 0.
    pub(super) tolerance: Option<Quantity>,
    /// An earlier figure.
    pub(super) reference: Option<Quantity>,
    /// What is done for it.
    pub(super) initiatives: Vec<InitiativeDraft>,
}

/// Which way a verb goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Increase.
    Up,
    /// Reduce.
    Down,
}

/// A milestone of a key result.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MilestoneDraft {
    /// Where it stands.
    pub(super) place: Place,
    /// The id that it asks for.
    pub(super) id: Option<Id>,
    /// What people call it.
    pub(super) title: Title,
    /// Its weight.
    pub(super) weight: Weight,
    /// Whether its box is checked.
    pub(super) is_checked: bool,
}

/// An initiative of a board.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct InitiativeDraft {
    /// Where it stands.
    pub(super) place: Place,
    /// The id that it asks for.
    pub(super) id: Option<Id>,
    /// What people call it.
    pub(super) title: Title,
    /// Who does it, as it is written.
    pub(super) owner: Option<String>,
    /// When it is due.
    pub(super) due: Option<When>,
    /// Where it stands in its life.
    pub(super) stands: Stands,
    /// How many are planned.
    pub(super) planned: Option<i64>,
    /// How many are done.
    pub(super) done: Option<i64>,
}

/// Where an initiative stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    /// Not begun.
    Planned,
    /// Under way.
    InProgress,
    /// Finished.
    Done,
    /// Given up.
    Dropped,
}

/// What is wrong with boards, by place.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<(Place, String)>);

impl Faults {
    /// Adds one.
    pub(super) fn push(&mut self, place: Place, sentence: impl Into<String>) {
        self.0.push((place, sentence.into()));
    }

    /// The value, or what is wrong with it is kept.
    pub(super) fn keep<T>(&mut self, place: Place, read: Result<T, String>) -> Option<T> {
        read.map_err(|sentence| self.push(place, sentence)).ok()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them by place, each once, and how many lines they are about.
    pub(super) fn into_sorted(mut self) -> (Vec<(Place, String)>, usize) {
        self.0.sort();
        self.0.dedup();
        let mut places: Vec<_> = self.0.iter().map(|(place, _)| *place).collect();
        places.dedup();
        (self.0, places.len())
    }
}

/// Sorts marks into their fields; what does not belong is refused with what does.
pub(super) fn each_mark(
    marks: Vec<Mark>,
    takes: &str,
    mut put: impl FnMut(Mark) -> Result<(), Mark>,
) -> Result<(), String> {
    marks
        .into_iter()
        .try_for_each(|mark| put(mark).map_err(|mark| super::marks::misplaced(&mark, takes)))
}
