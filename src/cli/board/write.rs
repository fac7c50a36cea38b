//! Objectives become lines of a board that mean the same when they are read.
//!
//! Each line is tried as plainly as it can be written and read at once; what would be read as something else is escaped,
//! gets a mark, or has its title put in quotes. What is said of current values, scores and statuses is skipped by the
//! reader. It deliberately does not know which objectives are shown.

use super::compare::differences;
use super::draft::Faults;
use super::escape::{escaped, escaped_where_needed, is_plain_title};
use super::facts::{Facts, last};
use super::standing::{is_reached, standing};
use super::token::quoted;
use super::wanted::{self, Message, slug};
use super::{date, quantity, read, unit};
use crate::cli::text::judged_unit;
use crate::domain::Title;
use crate::proto::api;
use crate::proto::api::key_result::Kind;

/// What stands in front of a list's items below a key result.
const INDENT: &str = "  ";

/// Writes lines for a workspace whose names it knows.
pub(super) struct Writer {
    facts: Facts,
}

/// How a line is written.
#[derive(Clone, Copy)]
struct Manner {
    is_escaped: bool,
    is_quoted: bool,
    with_unit: bool,
    with_no_kpi: bool,
}

impl Writer {
    pub(super) fn new(mut facts: Facts) -> Self {
        // Nothing is in the way of a name when a line is read on its own.
        facts.objectives.clear();
        Self { facts }
    }

    /// An objective's heading.
    pub(super) fn heading(&self, objective: &api::Objective) -> String {
        let mut marks = Vec::new();
        marks.extend(id_mark(&objective.name, &objective.title, 'o'));
        if objective.ambition() == api::objective::Ambition::Aspirational {
            marks.push("(aspirational)".to_owned());
        }
        marks.extend(weight_mark(objective.weight));
        if !objective.team.is_empty() {
            marks.push(format!("(team: {})", last(&objective.team)));
        }
        marks.extend(self.owner_mark(&objective.owner));
        let mut labels: Vec<_> = objective.labels.iter().collect();
        labels.sort();
        for (key, value) in labels {
            let label = match value.as_str() {
                "" => format!("#{key}"),
                value => format!("#{key}={value}"),
            };
            // One that is no single word cannot stand on a board.
            let is_word = !label.contains(char::is_whitespace) && !label.ends_with([',', ';', '.']);
            if is_word && !key.is_empty() && !key.contains('=') {
                marks.push(escaped_where_needed(&label));
            }
        }
        let wanted = api::Objective {
            description: String::new(),
            ..objective.clone()
        };
        let marks = behind(&marks);
        self.first_that_is_read(&manners(false), &Message::Objective(wanted), 0, |manner| {
            format!("# {}{marks}", manner.title(&objective.title))
        })
    }

    /// An objective's description.
    pub(super) fn description(&self, text: &str) -> String {
        let board = format!("# x\n\n{text}\n");
        let mut faults = Faults::default();
        let is_read = match &read::board(&board, 0, &mut faults)[..] {
            [draft] => {
                draft.description.as_str() == text
                    && draft.key_results.is_empty()
                    && draft.initiatives.is_empty()
            }
            _ => false,
        };
        if is_read && faults.is_empty() {
            return text.to_owned();
        }
        let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        format!("{fence}\n{text}\n{fence}")
    }

    /// A key result with its milestones.
    pub(super) fn key_result(&self, key_result: &api::KeyResult) -> String {
        let kpi = self.facts.kpis.iter().find(|kpi| kpi.name == key_result.kpi);
        // A deleted KPI gives no values any more, and a board cannot name it.
        let wanted = api::KeyResult {
            kpi: kpi.map(|kpi| kpi.name.clone()).unwrap_or_default(),
            ..key_result.clone()
        };
        let unit = key_result.unit.clone().or_else(|| kpi.map(judged_unit));
        let unit = unit.unwrap_or_default();
        let shown_box = match &key_result.kind {
            Some(Kind::Binary(_)) if is_reached(key_result) => "[x] ",
            Some(Kind::Binary(_)) => "[ ] ",
            _ => "",
        };
        let verb = match &key_result.kind {
            Some(Kind::Maintain(_)) => "Keep ",
            _ => "",
        };
        let said = tail(key_result, &unit) + &standing(key_result, &unit);
        let marks = self.key_result_marks(key_result, kpi, &unit);
        let steps = milestones(key_result);
        self.first_that_is_read(&manners(true), &Message::KeyResult(wanted), 1, |manner| {
            let title = manner.title(&key_result.title);
            let verb = if manner.is_quoted { verb } else { "" };
            let mut line = format!("- {shown_box}KR: {verb}{title}{said}");
            if manner.with_no_kpi && kpi.is_none() {
                line += " (no KPI)";
            }
            if manner.with_unit {
                line += " ";
                line += &escaped(&unit::mark(&unit));
            }
            line + &behind(&marks) + &steps
        })
    }

    /// An initiative; `depth` is how many lists it lies below.
    pub(super) fn initiative(&self, initiative: &api::Initiative, depth: usize) -> String {
        use api::initiative::State;
        let state = initiative.state();
        let shown_box = if state == State::Done { "[x]" } else { "[ ]" };
        let mut marks = Vec::new();
        match (initiative.done_count, initiative.planned_count) {
            (Some(done), Some(planned)) if done <= planned => marks.push(format!("{done}/{planned}")),
            (done, planned) => {
                marks.extend(done.map(|done| format!("(done: {done})")));
                marks.extend(planned.map(|planned| format!("(planned: {planned})")));
            }
        }
        marks.extend(date(initiative.due_date).map(|due| format!("(due {due})")));
        match state {
            State::InProgress => marks.push("(in progress)".to_owned()),
            State::Dropped => marks.push("(dropped)".to_owned()),
            State::Unspecified | State::Planned | State::Done => {}
        }
        marks.extend(id_mark(&initiative.name, &initiative.title, 'i'));
        marks.extend(self.owner_mark(&initiative.owner));
        let marks = behind(&marks);
        let wanted = api::Initiative {
            // Where it stands on the board says it.
            key_result: String::new(),
            ..initiative.clone()
        };
        let line = self.first_that_is_read(&manners(false), &Message::Initiative(wanted), 1, |manner| {
            format!(
                "- {shown_box} Initiative: {}{marks}",
                manner.title(&initiative.title)
            )
        });
        INDENT.repeat(depth) + &line
    }

    fn key_result_marks(&self, of: &api::KeyResult, kpi: Option<&api::Kpi>, unit: &api::Unit) -> Vec<String> {
        let mut marks = Vec::new();
        marks.extend(date(of.due_date).map(|due| format!("(due {due})")));
        marks.extend(kpi.map(|kpi| format!("(KPI: {})", last(&kpi.name))));
        if of.window() == api::key_result::Window::Cycle && kpi.is_some() {
            marks.push("(window: cycle)".to_owned());
        }
        match &of.kind {
            Some(Kind::Metric(metric)) => {
                let reference = metric.reference_value;
                marks.extend(
                    reference.map(|it| format!("(reference: {})", escaped(&unit::sentence(it, unit)))),
                );
            }
            Some(Kind::Maintain(maintain)) => {
                if maintain.mode() == api::maintain::Mode::Share {
                    marks.push("(share of periods)".to_owned());
                }
                let tolerance = maintain.tolerance.filter(|tolerance| *tolerance != 0.0);
                marks.extend(
                    tolerance.map(|it| format!("(tolerance: {})", escaped(&unit::sentence(it, unit)))),
                );
            }
            Some(Kind::Milestones(_) | Kind::Binary(_)) | None => {}
        }
        marks.extend(weight_mark(of.weight));
        marks.extend(id_mark(&of.name, &of.title, 'k'));
        marks.extend(self.owner_mark(&of.owner));
        marks
    }

    /// The mark of an owner; of one who is no member any more there is none.
    fn owner_mark(&self, owner: &str) -> Option<String> {
        let is_member = self.facts.members.iter().any(|member| member.name == owner);
        is_member.then(|| format!("@{}", last(owner)))
    }

    /// The plainest line that is read as what it was written for; `index` is its place among what is read.
    fn first_that_is_read(
        &self,
        manners: &[Manner],
        wanted: &Message,
        index: usize,
        line: impl Fn(Manner) -> String,
    ) -> String {
        let is_read = |line: &String| {
            let board = if index == 0 {
                line.clone()
            } else {
                format!("# x\n\n{line}\n")
            };
            let mut faults = Faults::default();
            let drafts = read::board(&board, 0, &mut faults);
            let found = wanted::of(drafts, &self.facts, &mut faults).resources;
            faults.is_empty()
                && found.len() == index + 1
                && last(found[index].message.name()) == last(wanted.name())
                && self.is_same(wanted, &found[index].message)
        };
        let mut lines = manners.iter().map(|manner| line(*manner));
        let escaped = manners
            .iter()
            .find(|manner| manner.is_escaped)
            .map(|manner| line(*manner));
        lines.find(is_read).or(escaped).unwrap_or_default()
    }

    fn is_same(&self, there: &Message, found: &Message) -> bool {
        let mut differs = differences(there, found);
        let is_ours = |name: &str| self.facts.members.iter().any(|member| member.name == name);
        let (owner, is_unknown_cycle) = match there {
            Message::Objective(objective) => (&objective.owner, objective.cycle != self.facts.cycle),
            Message::KeyResult(key_result) => (&key_result.owner, false),
            Message::Initiative(initiative) => (&initiative.owner, false),
        };
        // What no line can say is no reason to write it otherwise.
        let labels_unsaid = matches!(there, Message::Objective(_));
        differs.retain(|field| match *field {
            "owner" => is_ours(owner),
            "cycle" => !is_unknown_cycle,
            "labels" => !labels_unsaid,
            _ => true,
        });
        differs.is_empty()
    }
}

impl Manner {
    fn title(self, title: &str) -> String {
        let title = if self.is_quoted {
            quoted(title)
        } else {
            title.to_owned()
        };
        if self.is_escaped { escaped(&title) } else { title }
    }
}

/// From the plainest on.
fn manners(measured: bool) -> Vec<Manner> {
    let mut manners = Vec::new();
    for is_quoted in [false, true] {
        for (with_unit, with_no_kpi) in [(false, false), (false, true), (true, false), (true, true)] {
            if !measured && (with_unit || with_no_kpi) {
                continue;
            }
            for is_escaped in [false, true] {
                manners.push(Manner {
                    is_escaped,
                    is_quoted,
                    with_unit,
                    with_no_kpi,
                });
            }
        }
    }
    manners
}

/// How the values of a key result are to move.
fn tail(key_result: &api::KeyResult, unit: &api::Unit) -> String {
    let number = |number: f64| escaped(&unit::sentence(number, unit));
    match &key_result.kind {
        Some(Kind::Metric(metric)) => {
            let from = metric
                .baseline
                .map(|baseline| format!(" from {}", number(baseline)));
            use api::relative_target::Change;
            let goal = match metric.relative_target.and_then(|relative| relative.change) {
                Some(Change::Percent(percent)) => format!(" by {} %", with_sign(percent)),
                Some(Change::Amount(amount)) => format!(" by {}", change(amount, unit)),
                None => format!(" to {}", number(metric.target.unwrap_or_default())),
            };
            from.unwrap_or_default() + &goal
        }
        Some(Kind::Maintain(maintain)) => match (maintain.at_least, maintain.at_most) {
            (Some(least), Some(most)) => format!(" between {} and {}", number(least), number(most)),
            (Some(least), None) => format!(" at least {}", number(least)),
            (None, Some(most)) => format!(" at most {}", number(most)),
            (None, None) => String::new(),
        },
        Some(Kind::Milestones(_) | Kind::Binary(_)) | None => String::new(),
    }
}

/// A change in its unit; of a percentage in points, for a percentage of it is another thing.
fn change(amount: f64, unit: &api::Unit) -> String {
    if unit.kind() == api::unit::Kind::Percent {
        return format!("{} points", with_sign(amount));
    }
    let sign = if amount < 0.0 { "" } else { "+" };
    format!("{sign}{}", escaped(&unit::sentence(amount, unit)))
}

fn with_sign(number: f64) -> String {
    let sign = if number < 0.0 { "" } else { "+" };
    format!("{sign}{}", quantity::written(number, None))
}

fn milestones(key_result: &api::KeyResult) -> String {
    let Some(Kind::Milestones(milestones)) = &key_result.kind else {
        return String::new();
    };
    let reached = key_result
        .progress
        .as_ref()
        .map(|progress| &progress.reached_milestones);
    let mut lines = String::new();
    for api::Milestone { id, title, weight } in &milestones.milestones {
        let shown_box = if reached.is_some_and(|reached| reached.contains(id)) {
            "[x]"
        } else {
            "[ ]"
        };
        let mut marks = Vec::new();
        marks.extend(id_mark(id, title, 'm'));
        marks.extend(weight_mark(*weight));
        // Quotes keep a title that ends like a mark, or begins like another line, from being read as one.
        let title = if is_plain_title(title) {
            escaped_where_needed(title)
        } else {
            escaped(&quoted(title))
        };
        lines += &format!("\n{INDENT}- {shown_box} {title}{}", behind(&marks));
    }
    lines
}

/// The mark of an id that does not follow from the title.
fn id_mark(name: &str, title: &str, prefix: char) -> Option<String> {
    let id = last(name);
    let follows = Title::parse(title).is_ok_and(|title| slug(&title, prefix).as_str() == id);
    (!follows).then(|| format!("(id: {id})"))
}

fn weight_mark(weight: Option<f64>) -> Option<String> {
    let weight = weight.filter(|weight| *weight != 1.0)?;
    Some(format!("(weight: {weight})"))
}

fn behind(marks: &[String]) -> String {
    marks.iter().map(|mark| format!(" {mark}")).collect()
}
