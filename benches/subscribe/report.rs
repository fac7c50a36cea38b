//! The figures as lines, each beside what was asked, and as JSON for whoever compares runs.

use serde_json::{Map, Value, json};

#[derive(Default)]
pub(crate) struct Report {
    section: String,
    figures: Map<String, Value>,
}

/// What was asked of a figure.
#[derive(Clone, Copy)]
pub(crate) enum Asked {
    Nothing,
    AtLeast(f64),
    AtMost(f64),
}

/// What a figure is counted in, and to how many decimals.
#[derive(Clone, Copy)]
pub(crate) struct Unit(usize, &'static str);

pub(crate) const MS: Unit = Unit(1, " ms");
pub(crate) const US: Unit = Unit(2, " µs");
pub(crate) const S: Unit = Unit(2, " s");
pub(crate) const MB: Unit = Unit(1, " MB");
pub(crate) const KB: Unit = Unit(1, " KB");
pub(crate) const CORES: Unit = Unit(2, " cores");
pub(crate) const PER_S: Unit = Unit(0, "/s");
pub(crate) const TIMES: Unit = Unit(0, " times");
pub(crate) const RATIO: Unit = Unit(2, "");

impl Report {
    /// The lines that follow belong to this.
    pub(crate) fn begin(&mut self, section: &str) {
        println!();
        section.clone_into(&mut self.section);
    }

    /// A figure of which nothing was asked.
    pub(crate) fn figure(&mut self, name: &str, seen: f64, unit: Unit) {
        self.asked(name, seen, unit, Asked::Nothing);
    }

    /// A figure beside what was asked of it.
    pub(crate) fn asked(&mut self, name: &str, seen: f64, Unit(decimals, unit): Unit, asked: Asked) {
        let section = &self.section;
        let (words, asked) = match asked {
            Asked::Nothing => (String::new(), None),
            Asked::AtLeast(least) => (
                format!(" (asked: at least {least}{unit})"),
                Some(json!({ "at_least": least })),
            ),
            Asked::AtMost(most) => (
                format!(" (asked: at most {most}{unit})"),
                Some(json!({ "at_most": most })),
            ),
        };
        println!("{section}: {name} {seen:.decimals$}{unit}{words}");
        let figure = match asked {
            None => json!(seen),
            Some(asked) => json!({ "seen": seen, "asked": asked }),
        };
        let figures = self.figures.entry(section).or_insert_with(|| json!({}));
        figures[name] = figure;
    }

    /// What one has to know to read the figures.
    pub(crate) fn remark(&self, remark: &str) {
        println!("{}: {remark}", self.section);
    }

    /// Writes what was measured.
    pub(crate) fn write(self) {
        std::fs::create_dir_all("target/bench").expect("a directory");
        let json = serde_json::to_string_pretty(&Value::Object(self.figures)).expect("JSON");
        std::fs::write("target/bench/subscribe.json", json).expect("the figures");
        println!("\nwritten to target/bench/subscribe.json");
    }
}
