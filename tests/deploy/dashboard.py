"""Asks a real Prometheus, which scrapes a real server as deploy/prometheus says, what the dashboard and the alerts ask.

dashboard.py ROOT BINARY SCRATCH; prometheus is on the PATH. Every query of the dashboard has to answer something, but those that
have nothing to say of a server that is well; and no alert is about such a one.
"""

import contextlib
import json
import pathlib
import shutil
import sys
import urllib.parse

import yaml

ROOT = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(ROOT / "tests/clients"))

import metrics  # noqa: E402
import prometheus as scraping  # noqa: E402

# Of a server that no call has failed at, these answer nothing.
SILENT = ['code=~"UNKNOWN|INTERNAL|DATA_LOSS"', 'code="RESOURCE_EXHAUSTED"']


def main(binary: str, scratch: pathlib.Path) -> None:
    queries = metrics.read_queries(ROOT / "deploy/grafana/dashboards/binnacle.json")
    with contextlib.ExitStack() as stack:
        address, served = scraping.start_server(stack, binary, scratch)
        scraping.make_calls(binary, address)
        url = start(stack, served, scratch)
        scraping.until("a scrape", lambda: scraping.query(url, "up") == {"up": 1.0})
        scraping.until("another one", lambda: list(scraping.query(url, "count_over_time(up[1m]) > 1").values()))
        for where, expression in queries:
            found = ask(url, expression)
            says_nothing = any(matcher in expression for matcher in SILENT)
            assert says_nothing or found, f"{where}: {expression} answers nothing"
        scraping.until("no alert of a server that is well", lambda: all(is_silent(rule) for rule in read_rules(url)))
    print(f"{len(queries)} queries of the dashboard are answered, and no alert is about a server that is well")


def start(stack, served, scratch):
    """Prometheus as it is deployed, but for where the server is and how often it is asked."""
    folder = scratch / "prometheus"
    shutil.copytree(ROOT / "deploy/prometheus", folder)
    configuration = yaml.safe_load((folder / "prometheus.yaml").read_text())
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    configuration["scrape_configs"][0]["static_configs"][0]["targets"] = [served]
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration))
    address = f"127.0.0.1:{scraping.free_port()}"
    command = ["prometheus", f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={scratch / 'tsdb'}"]
    scraping.run(stack, [*command, f"--web.listen-address={address}", "--log.level=error"])
    return f"http://{address}"


def ask(url, expression):
    answer = scraping.ask(url, "/api/v1/query?query=" + urllib.parse.quote(expression))
    assert answer["status"] == "success", json.dumps(answer)
    return answer["data"]["result"]


def read_rules(url):
    """Those about the server alone: how fast and how full a disk is depends on what else the machine does."""
    groups = scraping.ask(url, "/api/v1/rules")["data"]["groups"]
    found = [rule for group in groups if group["name"] in ("binnacle-up", "binnacle-calls") for rule in group["rules"]]
    assert found, "the rules are not read"
    return found


def is_silent(rule):
    return rule["health"] == "ok" and rule["state"] == "inactive"


if __name__ == "__main__":
    main(sys.argv[2], pathlib.Path(sys.argv[3]))
