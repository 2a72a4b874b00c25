//! What is counted of plugins as Prometheus reads it (text format 0.0.4).

use std::fmt::Write;

use bellwether_plugin::{HostCounters, PluginInfo, PluginMetrics};

/// The media type of the text.
pub(crate) const MEDIA_TYPE: &str = "text/plain; version=0.0.4";

/// The text for all plugins: one histogram of call times by plugin, function and outcome, and what is under way.
pub(crate) fn of_plugins(plugins: &[(PluginInfo, PluginMetrics)], counters: HostCounters) -> String {
    let mut text = Text::default();
    text.family("bellwether_plugin_call_seconds", "histogram", "Time of plugin calls that ended, by plugin, function and outcome.");
    for (plugin, metrics) in plugins {
        for calls in &metrics.calls {
            let labels = labels(&[("plugin", &plugin.name), ("function", &calls.function), ("outcome", calls.outcome.name())]);
            for (upper, count) in &calls.buckets {
                text.sample("_bucket", &format!("{labels},le=\"{upper}\""), *count);
            }
            text.sample("_bucket", &format!("{labels},le=\"+Inf\""), calls.count);
            text.sample("_sum", &labels, calls.seconds);
            text.sample("_count", &labels, calls.count);
        }
    }
    let each = |text: &mut Text, read: fn(&PluginInfo, &PluginMetrics) -> u64| {
        for (plugin, metrics) in plugins {
            text.sample("", &labels(&[("plugin", &plugin.name)]), read(plugin, metrics));
        }
    };
    text.family("bellwether_plugin_faults_total", "counter", "Faults of a plugin: traps, time-outs, limits, malformed answers.");
    each(&mut text, |plugin, _| plugin.faults);
    text.family("bellwether_plugin_running", "gauge", "Calls of a plugin under way.");
    each(&mut text, |_, metrics| u64::from(metrics.running));
    text.family("bellwether_plugin_waiting", "gauge", "Calls of a plugin that wait.");
    each(&mut text, |_, metrics| u64::from(metrics.waiting));
    text.family("bellwether_plugin_active", "gauge", "1 when a plugin takes calls; 0 when it is paused, disabled, refused or removed.");
    each(&mut text, |plugin, _| u64::from(plugin.state == "active"));
    for (name, help, value) in [
        ("bellwether_plugin_instances_total", "Plugin instances made: one per call.", counters.instances),
        ("bellwether_plugin_compiled_total", "Components compiled.", counters.compiled),
        ("bellwether_plugin_cached_total", "Components that the compile cache had.", counters.cached),
        ("bellwether_plugin_reloaded_total", "Components taken up in place of one that served.", counters.reloaded),
    ] {
        text.family(name, "counter", help);
        text.sample("", "", value);
    }
    text.written
}

/// A text under way, and the family its samples belong to.
#[derive(Debug, Default)]
struct Text {
    written: String,
    family: &'static str,
}

impl Text {
    fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.family = name;
        // Writing to a `String` cannot fail.
        writeln!(self.written, "# HELP {name} {help}\n# TYPE {name} {kind}").ok();
    }

    fn sample(&mut self, suffix: &str, labels: &str, value: impl std::fmt::Display) {
        let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        writeln!(self.written, "{}{suffix}{labels} {value}", self.family).ok();
    }
}

fn labels(pairs: &[(&str, &str)]) -> String {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    pairs.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use bellwether_plugin::{CallSeries, Kind, Outcome};

    use super::*;

    fn info(name: &str) -> PluginInfo {
        let text = |value: &str| value.to_owned();
        PluginInfo {
            name: text(name),
            plugin: text(name),
            version: text("1.0.0"),
            kind: Kind::DriftTest,
            summary: text(""),
            state: text("active"),
            problem: None,
            source: text("built-in"),
            licence: text("MIT"),
            contract: text("0.1.0"),
            digest: text(""),
            size_bytes: 0,
            imports: Vec::new(),
            exports: Vec::new(),
            granted: serde_json::Value::Null,
            withheld: Vec::new(),
            limits: serde_json::Value::Null,
            config_schema: serde_json::Value::Null,
            config: serde_json::Value::Null,
            calls: 3,
            faults: 1,
        }
    }

    #[test]
    fn the_text_is_prometheus() {
        let calls = CallSeries {
            function: "test".to_owned(),
            outcome: Outcome::TimeOut,
            count: 3,
            seconds: 1.5,
            buckets: vec![(0.000_008, 1), (0.5, 2)],
        };
        let metrics = PluginMetrics { calls: vec![calls], running: 2, waiting: 1, errors: Vec::new() };
        let counters = HostCounters { instances: 7, running: 2, compiled: 1, cached: 4, reloaded: 0 };
        let text = of_plugins(&[(info("k\"s"), metrics)], counters);
        let series = "plugin=\"k\\\"s\",function=\"test\",outcome=\"time-out\"";
        for line in [
            "# TYPE bellwether_plugin_call_seconds histogram".to_owned(),
            format!("bellwether_plugin_call_seconds_bucket{{{series},le=\"0.000008\"}} 1"),
            format!("bellwether_plugin_call_seconds_bucket{{{series},le=\"0.5\"}} 2"),
            format!("bellwether_plugin_call_seconds_bucket{{{series},le=\"+Inf\"}} 3"),
            format!("bellwether_plugin_call_seconds_sum{{{series}}} 1.5"),
            format!("bellwether_plugin_call_seconds_count{{{series}}} 3"),
            "bellwether_plugin_running{plugin=\"k\\\"s\"} 2".to_owned(),
            "bellwether_plugin_active{plugin=\"k\\\"s\"} 1".to_owned(),
            "bellwether_plugin_instances_total 7".to_owned(),
            "bellwether_plugin_cached_total 4".to_owned(),
        ] {
            assert!(text.lines().any(|found| found == line), "`{line}` is not in:\n{text}");
        }
        assert!(text.ends_with('\n'));
    }
}
