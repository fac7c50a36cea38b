//! The figures as JSON, for whoever compares runs.

use serde_json::{Map, Value};

#[derive(Default)]
pub(crate) struct Report(Map<String, Value>);

impl Report {
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    pub(crate) fn get(&self, name: &str) -> Map<String, Value> {
        self.0
            .get(name)
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    }

    /// Writes what was measured.
    pub(crate) fn write(self) {
        std::fs::create_dir_all("target/bench").expect("a directory");
        let json = serde_json::to_string_pretty(&Value::Object(self.0)).expect("JSON");
        std::fs::write("target/bench/grpc.json", json).expect("the figures");
        println!("\nwritten to target/bench/grpc.json");
    }
}
