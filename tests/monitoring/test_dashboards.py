"""The dashboards, as they are put onto the host of Grafana: that it takes them, what the public dashboard linter asks of them,
and that they show only what is exported. Grafana itself is in no release of Debian."""

import json
import re

import pytest
import yaml

import grafana
import rules
from promql import list_in, named_in, tokens_of
from test_rules import all_series, complaints_about, promtool

FOLDER = rules.ROOT / "tests/deploy/golden/monitor1/var/lib/grafana/dashboards/config-center"
DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
# With those that a topology adds, of a second host.
ALL = {f"{path.parts[-8]} {path.stem}": json.loads(path.read_text())
       for path in sorted((rules.ROOT / "tests/deploy/golden").glob("monitor*/var/lib/grafana/dashboards/config-center/*.json"))}
PANELS = [(name, panel) for name, dashboard in DASHBOARDS.items() for panel in dashboard["panels"]]
TARGETS = [(name, panel["title"], target) for name, panel in PANELS for target in panel["targets"]]
# Of Grafana's, those that are used here.
UNITS = {"short", "percent", "percentunit", "s", "bytes", "Bps", "reqps", "ops", "bool", "dateTimeFromNow"}
TEMPLATED = {"type": "prometheus", "uid": "${datasource}"}
# Not every alert is of one job and instance.
WITHOUT_MATCHERS = {"Alerts that fire"}
# Over a range of their own, as they say.
OF_A_DAY = {"Backups made and failed"}
EVERY = {"alertname", "alertstate", "severity"}  # labels of Prometheus's own ALERTS


def name_of(case):
    return ": ".join(part for part in case if isinstance(part, str))


def worked_out(expression):
    """As Grafana does before it asks."""
    return expression.replace("$job", ".+").replace("$instance", ".+").replace("$__rate_interval", "1m")


def test_each_template_is_there():
    assert DASHBOARDS.keys() == {path.stem for path in (rules.ROOT / "monitoring/dashboards").iterdir()}


@pytest.mark.parametrize("dashboard", ALL.values(), ids=ALL.keys())
def test_grafana_takes_it(dashboard):
    assert grafana.mistakes_in(dashboard) == []
    for panel in dashboard["panels"]:
        # What is chosen from the first threshold on has no beginning, and the others follow each other.
        first, *steps = [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
        assert first is None and steps == sorted(steps)
        names = [target["refId"] for target in panel["targets"]]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("member, value", [("schemaVersion", 16), ("uid", "a b"), ("refresh", "often"), ("panels", []), ("panels", [{"type": "graph"}]),
                                           ("panels", [{"type": "gauge", "title": "x"}]), ("tilte", "x")])
def test_what_grafana_does_not_take_is_noticed(member, value):
    assert grafana.mistakes_in({**DASHBOARDS["nodes"], member: value})


def test_there_is_a_panel_of_each_type():
    types = {panel["type"] for path in (rules.ROOT / "monitoring/dashboards").iterdir()
             for panel in yaml.safe_load(path.read_text())["panels"]}
    assert types == {"graph", "gauge", "table", "heatmap"}
    assert {panel["type"] for _, panel in PANELS} == {"timeseries", "gauge", "table", "heatmap"}


@pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS.keys())
def test_a_dashboard_can_be_found_and_not_be_edited(dashboard):
    assert dashboard["editable"] is False and dashboard["title"] and dashboard["description"]
    assert re.fullmatch(r"[a-z_-]{1,40}", dashboard["uid"])
    assert isinstance(dashboard["schemaVersion"], int) and "id" not in dashboard
    assert dashboard["refresh"] and dashboard["time"] == {"from": "now-1h", "to": "now"} and dashboard["timezone"]


def test_uids_and_titles_are_those_of_one_alone():
    assert len({dashboard["uid"] for dashboard in DASHBOARDS.values()}) == len(DASHBOARDS)
    assert len({dashboard["title"] for dashboard in DASHBOARDS.values()}) == len(DASHBOARDS)


@pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS.keys())
def test_source_job_and_instance_can_be_chosen(dashboard):
    source, *choices = dashboard["templating"]["list"]
    assert (source["name"], source["type"], source["label"], source["query"]) == ("datasource", "datasource", "Data source", "prometheus")
    assert [each["name"] for each in choices] == ["job", "instance"]
    for each in choices:
        assert each["label"] == each["name"].capitalize() and each["datasource"] == TEMPLATED
        assert each["multi"] and each["includeAll"] and each["allValue"] == ".+" and each["refresh"] == 2
        asked = re.fullmatch(r"label_values\((.*), (\w+)\)", each["query"]["query"])
        assert asked[2] == each["name"]
        assert list(complaints_about(worked_out(asked[1]), all_series())) == []


@pytest.mark.parametrize("name, panel", PANELS, ids=map(name_of, ((name, panel["title"]) for name, panel in PANELS)))
def test_a_panel_says_what_it_shows(name, panel):
    assert panel["title"] and panel["description"]
    assert panel["datasource"] == TEMPLATED and panel["targets"]
    unit = panel["fieldConfig"]["defaults"]["unit"]
    assert unit in UNITS
    assert panel["type"] != "heatmap" or panel["options"]["yAxis"]["unit"] == unit
    assert panel["type"] != "gauge" or len(panel["fieldConfig"]["defaults"]["thresholds"]["steps"]) == 3


@pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS.keys())
def test_panels_do_not_lie_upon_each_other(dashboard):
    taken = set()
    for panel in dashboard["panels"]:
        grid = panel["gridPos"]
        cells = {(x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])}
        assert not cells & taken and max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def selectors_in(expression):
    """Each metric with what stands in its braces."""
    return re.findall(r"([a-zA-Z_:][\w:]*)\{([^}]*)\}", expression)


@pytest.mark.parametrize("name, title, target", TARGETS, ids=map(name_of, TARGETS))
def test_a_query_is_of_the_chosen_job_and_instance(name, title, target):
    assert target["datasource"] == TEMPLATED
    assert "$on" not in target["expr"]
    if title in WITHOUT_MATCHERS:
        return
    selectors = selectors_in(target["expr"])
    assert len(selectors) >= 1
    for metric, matchers in selectors:
        assert 'job=~"$job"' in matchers and 'instance=~"$instance"' in matchers, metric
    # ... and there is none without braces.
    assert {metric for metric, _ in selectors} == named_in(worked_out(target["expr"])).metrics.keys()


@pytest.mark.parametrize("name, title, target", TARGETS, ids=map(name_of, TARGETS))
def test_counters_are_shown_as_rates_over_a_range_that_fits(name, title, target):
    expression, panel = target["expr"], next(panel for _, panel in PANELS if panel["title"] == title)
    assert set(re.findall(r"\[([^\]]*)\]", expression)) <= ({"1d"} if title in OF_A_DAY else {"$__rate_interval"})
    if panel["type"] == "table":
        return  # which shows what there is now
    for metric, _ in selectors_in(expression):
        if re.search("_(total|seconds_count|seconds_sum|bucket)$", metric):
            assert re.search(rf"(rate|increase)\({metric}\{{", expression), metric


@pytest.mark.parametrize("name, title, target", TARGETS, ids=map(name_of, TARGETS))
def test_queries_name_only_what_is_exported(name, title, target):
    series = {**all_series(), "ALERTS": EVERY}
    assert list(complaints_about(worked_out(target["expr"]), series)) == []
    legend = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
    there = rules.TARGET.union(*(series[metric] for metric, _ in selectors_in(target["expr"])))
    assert legend <= there
    grouped = [list_in(tokens, at + 1, ")")[0] for tokens in [tokens_of(worked_out(target["expr"]))]
               for at, (_, word) in enumerate(tokens) if word == "by"]
    if grouped:
        assert legend <= set(grouped[0]), "the legend names a label that aggregation takes away"


def test_prometheus_takes_the_queries(tmp_path):
    """As recordings, since promtool checks nothing else."""
    file = tmp_path / "queries.rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "queries", "rules": [
        {"record": f"query:number:{number}", "expr": worked_out(target["expr"])} for number, (_, _, target) in enumerate(TARGETS)]}]}))
    assert f"{len(TARGETS)} rules found" in promtool("check", "rules", file)
