//! The measurements of a KPI as a manifest holds them: a list of points, one in a line.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::civil::Date;

use super::emit::{number, quoted};
use super::kind::{nearest, shortened};
use super::scalar;
use super::yaml::{self, Content, Fault, Node};
use crate::domain::{TimeZoneRules, Timestamp, Value};

/// What a document of kind Series may say.
const KEYS: [&str; 3] = ["kind", "kpi", "points"];
/// What a point may say.
const POINT_KEYS: [&str; 5] = ["time", "date", "value", "source_id", "note"];

/// A measurement.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cli) struct Point {
    /// Its line.
    pub(in crate::cli) line: usize,
    /// When it was true.
    pub(in crate::cli) when: When,
    /// Tells two values of one moment apart.
    pub(in crate::cli) source_id: String,
    /// The value.
    pub(in crate::cli) value: f64,
    /// For the auditor; none: nothing is said of it.
    pub(in crate::cli) note: Option<String>,
}

/// A moment, or the beginning of a local day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) enum When {
    /// A moment.
    At(Timestamp),
    /// A day.
    On(Date),
}

impl When {
    /// The moment in a time zone.
    pub(in crate::cli) fn moment(self, rules: &TimeZoneRules) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::On(date) => rules.start_of(date),
        }
    }
}

/// The points of a document of kind Series; `line` is where it begins.
pub(super) fn read(entries: &[yaml::Entry], line: usize, faults: &mut Vec<Fault>) -> Vec<Point> {
    for entry in entries {
        unknown(entry, "", &KEYS, faults);
    }
    let points = entries.iter().find(|entry| entry.key == "points");
    let Some(yaml::Entry { value, line, .. }) = points else {
        faults.push(Fault::new(line, "points is missing: list them below it"));
        return Vec::new();
    };
    let Content::List(list) = &value.content else {
        let sentence = "points: it has another form: write a list, each element {date: 2026-01-31, value: 3}";
        faults.push(Fault::new(*line, sentence));
        return Vec::new();
    };
    let mut points = Vec::with_capacity(list.len());
    let mut seen: BTreeMap<(When, String), usize> = BTreeMap::new();
    for (index, node) in list.iter().enumerate() {
        let Some(point) = point(index, node, faults) else {
            continue;
        };
        match seen.entry((point.when, point.source_id.clone())) {
            Entry::Vacant(vacant) => {
                vacant.insert(point.line);
                points.push(point);
            }
            Entry::Occupied(first) => {
                let sentence = format!(
                    "points[{index}]: the same time stands in line {} too: keep one, or tell them apart by source_id",
                    first.get()
                );
                faults.push(Fault::new(point.line, sentence));
            }
        }
    }
    points
}

fn unknown(entry: &yaml::Entry, path: &str, known: &[&'static str], faults: &mut Vec<Fault>) {
    if known.contains(&entry.key.as_str()) {
        return;
    }
    let key = shortened(&entry.key);
    let help = match nearest(&entry.key, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("the fields are {}", known.join(", ")),
    };
    faults.push(Fault::new(
        entry.line,
        format!("there is no field {path}{key}: {help}"),
    ));
}

fn point(index: usize, node: &Node, faults: &mut Vec<Fault>) -> Option<Point> {
    let at = format!("points[{index}]");
    let before = faults.len();
    let Content::Map(entries) = &node.content else {
        let sentence = format!("{at}: it has another form: write {{date: 2026-01-31, value: 3}}");
        faults.push(Fault::new(node.line, sentence));
        return None;
    };
    for entry in entries {
        // What the API calls it.
        let short = match entry.key.as_str() {
            "sourceId" => continue,
            "effective_time" | "effectiveTime" => Some("time"),
            "effective_date" | "effectiveDate" => Some("date"),
            _ => None,
        };
        match short {
            Some(short) => faults.push(Fault::new(
                entry.line,
                format!("{at}.{}: a point calls it {short}", entry.key),
            )),
            None => unknown(entry, &format!("{at}."), &POINT_KEYS, faults),
        }
    }
    let find = |keys: &[&str]| {
        let entry = entries.iter().find(|entry| keys.contains(&entry.key.as_str()))?;
        Some(entry).filter(|entry| !entry.value.is_null())
    };
    let mut text = |keys: &[&str]| {
        let entry = find(keys)?;
        match &entry.value.content {
            Content::Scalar { text, plain } => Some((text.clone(), *plain, entry.line)),
            Content::List(_) | Content::Map(_) => {
                let sentence = format!("{at}.{}: it has another form: write a single value", entry.key);
                faults.push(Fault::new(entry.line, sentence));
                None
            }
        }
    };
    let (time, date) = (text(&["time"]), text(&["date"]));
    let (value, source_id, note) = (
        text(&["value"]),
        text(&["source_id", "sourceId"]),
        text(&["note"]),
    );
    if faults.len() > before {
        return None;
    }
    let mut refuse = |line: usize, field: &str, sentence: &str| {
        faults.push(Fault::new(line, format!("{at}{field}: {sentence}")));
    };
    let when = match (&time, &date) {
        (Some((text, _, line)), None) => scalar::time(text)
            .map(When::At)
            .map_err(|sentence| (*line, ".time", sentence)),
        (None, Some((text, _, line))) => scalar::date(text)
            .map(When::On)
            .map_err(|sentence| (*line, ".date", sentence)),
        (None, None) => Err((
            node.line,
            "",
            "time or date is missing: say when it was true".to_owned(),
        )),
        (Some(_), Some((_, _, line))) => Err((*line, ".date", "time is there too: keep one".to_owned())),
    };
    let when = when
        .map_err(|(line, field, sentence)| refuse(line, field, &sentence))
        .ok();
    let number = match &value {
        None => Err((
            node.line,
            "",
            "value is missing: write a number, also when it is 0".to_owned(),
        )),
        Some((text, plain, line)) => match scalar::float(text).filter(|_| *plain) {
            Some(number) => Value::parse(number).map_err(|invalid| (*line, ".value", invalid.to_string())),
            None => {
                let sentence = format!(
                    "{:?} is not right here: write a number, without quotes or a unit",
                    shortened(text)
                );
                Err((*line, ".value", sentence))
            }
        },
    };
    let value = number
        .map_err(|(line, field, sentence)| refuse(line, field, &sentence))
        .ok()?;
    Some(Point {
        line: node.line,
        when: when?,
        source_id: source_id.map(|(text, ..)| text).unwrap_or_default(),
        value: value.get(),
        note: note.map(|(text, ..)| text),
    })
}

/// A measurement as a line of a manifest. Its note is the auditor's, and no list answers it.
pub(in crate::cli) fn line(moment: Timestamp, value: f64, source_id: &str) -> String {
    let source = match source_id {
        "" => String::new(),
        source_id => format!(", source_id: {}", quoted(source_id)),
    };
    format!("  - {{time: {moment}, value: {}{source}}}\n", number(value))
}
