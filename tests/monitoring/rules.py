"""The rules of the product, and what there is for them to name."""

import functools
import json
import pathlib
import subprocess

import yaml

from node import BINARY

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "monitoring/rules"
DATA = pathlib.Path(__file__).parent / "data"
# What Prometheus adds to each series, and what the targets' files say of each target.
TARGET = {"job", "instance", "host"}


def files():
    return sorted(FOLDER.glob("*.rules.yml"))


@functools.cache
def all_rules():
    return [rule for file in files() for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def alerts():
    return [rule for rule in all_rules() if "alert" in rule]


def recordings():
    return [rule for rule in all_rules() if "record" in rule]


@functools.cache
def own_metrics():
    """Series that a node exports, each with its labels: what the program's catalog says."""
    done = subprocess.run([BINARY, "monitoring", "metrics", "-o", "json"], capture_output=True, text=True, timeout=60, check=True)
    series = {}
    for metric in json.loads(done.stdout)["metrics"]:
        labels = set(metric["labels"])
        if metric["type"] == "histogram":
            series.update({metric["name"] + "_bucket": labels | {"le"}, metric["name"] + "_sum": labels, metric["name"] + "_count": labels})
        else:
            series[metric["name"]] = labels
    return series


@functools.cache
def others_metrics():
    """Series of the programs around the nodes, as they were captured from the real ones (test_playground.py of tests/deploy)."""
    series = {"up": set(), "scrape_duration_seconds": set(), "scrape_samples_scraped": set(),
              "node_textfile_mtime_seconds": {"file"}}  # which there is once a file is there
    for file in DATA.glob("*.metrics"):
        for line in file.read_text().splitlines():
            if not line.startswith("#"):
                name, *labels = line.split()
                series[name] = series.get(name, set()) | set(labels)
    return series
