"""Holds the alerts and the dashboard against the metrics that there are, and the alerts against their tests and their runbook.

metrics.py ROOT PROMTOOL. Which metrics there are docs/observability.md says, which a test of the server compares with a scrape.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

# What Prometheus itself adds to a sample.
OF_THE_SCRAPE = {"instance", "job", "le"}
VARIABLES = {"$__rate_interval": "5m", "$instance": ".*"}


def main(root: pathlib.Path, promtool: str) -> None:
    documented = read_documented((root / "docs/observability.md").read_text())
    alerts = read_alerts(root / "deploy/prometheus/alerts.yaml")
    queries = read_queries(root / "deploy/grafana/dashboards/binnacle.json")
    wrong = []
    for where, expression in [(alert["alert"], alert["expr"]) for alert in alerts] + queries:
        wrong += [f"{where}: {fault}" for fault in faults_of(expression, documented)]
    wrong += faults_of_alerts(alerts, root)
    wrong += faults_of_tests(alerts, yaml.safe_load((root / "tests/deploy/alerts_test.yaml").read_text()))
    wrong += faults_of_wiring(root)
    if wrong:
        raise SystemExit("\n".join(wrong))
    check_syntax(promtool, queries)
    print(f"{len(alerts)} alerts and {len(queries)} queries ask for metrics that there are")


def read_documented(page):
    """The labels of each metric, by the names that its samples have."""
    rows = re.findall(r"^\| `(binnacle_\w+)` \| (\w+) \|[^|]*\|([^|]*)\|", page, re.MULTILINE)
    assert len(rows) > 10, f"the table of the page is not read: {rows}"
    found = {}
    for name, kind, labels in rows:
        suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        found |= {name + suffix: set(re.findall(r"`(\w+)`", labels)) for suffix in suffixes}
    return found


def read_alerts(file):
    return [rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def read_queries(file):
    """Where they stand and what they ask, with Grafana's variables filled in."""
    dashboard = json.loads(file.read_text())
    found = [
        (f"the panel {panel['title']!r}", target["expr"])
        for panel in dashboard["panels"]
        for target in panel.get("targets", [])
    ]
    assert len(found) > 10, "the panels are not read"
    return [(where, filled(expression)) for where, expression in found]


def filled(expression):
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    assert "$" not in expression, f"{expression} has a variable that nobody fills in"
    return expression


def faults_of(expression, documented):
    names = set(re.findall(r"\bbinnacle_\w+", expression))
    unknown = names - set(documented)
    if unknown:
        return [f"there is no metric {name}" for name in sorted(unknown)]
    labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", expression))
    for grouped in re.findall(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)", expression):
        labels |= {label.strip() for label in grouped.split(",")}
    known = OF_THE_SCRAPE.union(*(documented[name] for name in names))
    return [f"none of {sorted(names)} has a label {label}" for label in sorted(labels - known)]


def faults_of_alerts(alerts, root):
    wrong = []
    for alert in alerts:
        says = alert.get("annotations", {})
        for needed in ("summary", "description", "runbook"):
            if not says.get(needed):
                wrong.append(f"{alert['alert']} has no {needed}")
        if alert.get("labels", {}).get("severity") not in ("critical", "warning"):
            wrong.append(f"{alert['alert']} is neither critical nor a warning")
        fault = fault_of_link(says.get("runbook", ""), root)
        wrong += [f"{alert['alert']}: {fault}"] if fault else []
    return wrong


def fault_of_link(link, root):
    page, _, anchor = link.partition("#")
    if not (root / page).is_file():
        return f"there is no page {page}"
    headings = re.findall(r"^#+ (.+)$", (root / page).read_text(), re.MULTILINE)
    # As GitHub makes them.
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return None if anchor in anchors else f"{page} has no heading for #{anchor}"


def faults_of_tests(alerts, tested):
    """Each alert has to be seen firing, and seen silent."""
    cases = [case for test in tested["tests"] for case in test["alert_rule_test"]]
    firing = {case["alertname"] for case in cases if case["exp_alerts"]}
    silent = {case["alertname"] for case in cases if not case["exp_alerts"]}
    names = {alert["alert"] for alert in alerts}
    wrong = [f"no test sees {name} fire" for name in sorted(names - firing)]
    wrong += [f"no test sees {name} silent" for name in sorted(names - silent)]
    return wrong + [f"{name} is tested, and there is no such alert" for name in sorted((firing | silent) - names)]


def faults_of_wiring(root):
    """What one file names and another one has."""
    read = lambda file: yaml.safe_load((root / "deploy" / file).read_text())
    compose = read("compose.yaml")["services"]
    source = read("grafana/provisioning/datasources/prometheus.yaml")["datasources"][0]
    provider = read("grafana/provisioning/dashboards/binnacle.yaml")["providers"][0]
    job = read("prometheus/prometheus.yaml")["scrape_configs"][0]
    dashboard = json.loads((root / "deploy/grafana/dashboards/binnacle.json").read_text())
    uids = {panel["datasource"]["uid"] for panel in dashboard["panels"] if panel["type"] != "row"}
    folders = [mount.split(":")[1] for mount in compose["grafana"]["volumes"]]
    metrics = next(flag for flag in compose["binnacle"]["command"] if flag.startswith("--metrics-listen="))
    expected = {
        "the dashboard's data source": (uids, {source["uid"]}),
        "the folder of dashboards": (provider["options"]["path"] in folders, True),
        "the job that the alerts name": (job["job_name"], "binnacle"),
        "what is scraped": (job["static_configs"][0]["targets"], ["binnacle:" + metrics.rpartition(":")[2]]),
    }
    return [f"{what} is {found}, not {wanted}" for what, (found, wanted) in expected.items() if found != wanted]


def check_syntax(promtool, queries):
    """promtool reads expressions in rules alone, so each becomes one."""
    rules = [{"record": f"query_{number}", "expr": expression} for number, (_, expression) in enumerate(queries)]
    with tempfile.TemporaryDirectory() as scratch:
        file = pathlib.Path(scratch) / "queries.yaml"
        file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
        subprocess.run([promtool, "check", "rules", file], check=True)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2])
