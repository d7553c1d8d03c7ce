"""What Grafana takes for a dashboard, as far as dashboards here make use of it: written from its own definitions (the kind of
dashboards, and the options of each type of panel), stricter than these in one point: a member that is not known is a mistake."""

import jsonschema


def one_of(*values):
    return {"enum": list(values)}


def list_of(what, least=0):
    return {"type": "array", "items": what, "minItems": least}


def members(needed, more=None):
    """An object with these members, of which the first must be there."""
    return {"type": "object", "properties": {**needed, **(more or {})}, "required": list(needed), "additionalProperties": False}


TEXT, NUMBER, TRUTH = {"type": "string"}, {"type": "number"}, {"type": "boolean"}
WORD = {"type": "string", "minLength": 1}
INTERVAL = {"type": "string", "pattern": "^[1-9][0-9]*(ms|[smhdwMy])$"}
SOURCE = members({"type": TEXT, "uid": WORD})
ON_GRID = {"type": "integer", "minimum": 0}
GRID = members({"h": {"type": "integer", "minimum": 1}, "w": {"type": "integer", "minimum": 1, "maximum": 24},
                "x": {**ON_GRID, "maximum": 23}, "y": ON_GRID})

THRESHOLDS = members({"mode": one_of("absolute", "percentage"),
                      "steps": list_of(members({"color": WORD, "value": {"type": ["number", "null"]}}), 1)})
COLOR = members({"mode": one_of("thresholds", "palette-classic", "fixed", "continuous-GrYlRd")}, {"fixedColor": WORD})
FIELDS = {"unit": WORD, "min": NUMBER, "max": NUMBER, "decimals": NUMBER, "thresholds": THRESHOLDS, "color": COLOR, "noValue": TEXT}
OVERRIDES = list_of(members({"matcher": members({"id": WORD}, {"options": {}}), "properties": list_of(members({"id": WORD}, {"value": {}}))}))
TARGET = members({"refId": {"type": "string", "pattern": "^[A-Z]$"}, "expr": WORD, "datasource": SOURCE},
                 {"legendFormat": TEXT, "editorMode": one_of("code", "builder"), "format": one_of("time_series", "table", "heatmap"),
                  "instant": TRUTH, "range": TRUTH, "interval": TEXT})

LEGEND = members({"displayMode": one_of("list", "table", "hidden"), "placement": one_of("bottom", "right"), "showLegend": TRUTH,
                  "calcs": list_of(TEXT)})
TOOLTIP = members({"mode": one_of("single", "multi", "none"), "sort": one_of("asc", "desc", "none")})
LINES = members({}, {"drawStyle": one_of("line", "bars", "points"), "lineWidth": NUMBER, "fillOpacity": NUMBER,
                     "spanNulls": {"type": ["boolean", "number"]}, "showPoints": one_of("auto", "never", "always"),
                     "lineInterpolation": one_of("linear", "smooth", "stepBefore", "stepAfter"),
                     "stacking": members({}, {"mode": one_of("none", "normal", "percent"), "group": TEXT})})
# By type: the options, and what else there is of a field.
TYPES = {
    "timeseries": (members({"legend": LEGEND, "tooltip": TOOLTIP}), LINES),
    "gauge": (members({"reduceOptions": members({"calcs": list_of(one_of("lastNotNull", "last", "mean", "max", "min", "sum"), 1)},
                                                {"fields": TEXT, "values": TRUTH, "limit": NUMBER}),
                       "showThresholdLabels": TRUTH, "showThresholdMarkers": TRUTH},
                      {"orientation": one_of("auto", "vertical", "horizontal")}), None),
    "table": (members({"showHeader": TRUTH}, {"cellHeight": one_of("sm", "md", "lg", "auto")}), None),
    "heatmap": (members({"calculate": TRUTH, "yAxis": members({"unit": WORD}),
                         "color": members({"mode": one_of("scheme", "opacity"), "scheme": WORD, "steps": {"type": "integer", "minimum": 2, "maximum": 128}}),
                         "cellGap": NUMBER, "filterValues": members({"le": NUMBER}),
                         "tooltip": members({"mode": one_of("single", "multi", "none"), "yHistogram": TRUTH})}), None),
}


def panel_of(name, options, custom):
    fields = {**FIELDS, "custom": custom} if custom else FIELDS
    return members({"id": {"type": "integer", "minimum": 1}, "type": {"const": name}, "title": WORD, "description": TEXT, "datasource": SOURCE,
                    "gridPos": GRID, "targets": list_of(TARGET, 1), "fieldConfig": members({"defaults": members({}, fields), "overrides": OVERRIDES}),
                    "options": options},
                   {"interval": INTERVAL, "transformations": list_of(members({"id": one_of("merge", "organize", "sortBy"), "options": {"type": "object"}}))})


CURRENT = members({"selected": TRUTH, "text": {"type": ["string", "array"]}, "value": {"type": ["string", "array"]}})
VARIABLES = {"oneOf": [
    members({"type": {"const": "datasource"}, "name": WORD, "label": WORD, "query": WORD, "refresh": one_of(0, 1, 2), "current": CURRENT}),
    members({"type": {"const": "query"}, "name": WORD, "label": WORD, "datasource": SOURCE,
             "query": members({"query": WORD, "refId": WORD}), "refresh": one_of(0, 1, 2)},
            {"definition": TEXT, "sort": {"type": "integer", "minimum": 0, "maximum": 8}, "multi": TRUTH, "includeAll": TRUTH, "allValue": TEXT,
             "current": CURRENT})]}

DASHBOARD = members(
    {"uid": {"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,40}$"}, "title": WORD, "schemaVersion": {"type": "integer", "minimum": 39},
     "editable": TRUTH, "time": members({"from": WORD, "to": WORD}), "panels": list_of({"properties": {"type": one_of(*TYPES)}, "required": ["type"]}, 1),
     "templating": members({"list": list_of(VARIABLES)}), "annotations": members({"list": list_of({})})},
    {"description": TEXT, "tags": list_of(WORD), "version": ON_GRID, "graphTooltip": one_of(0, 1, 2), "timezone": one_of("browser", "utc"),
     "refresh": INTERVAL})


def mistakes_in(dashboard):
    """Each as text that says where it is. By the type of each panel: of all types at once nobody could say what is wrong."""
    found = [("", each) for each in jsonschema.Draft7Validator(DASHBOARD).iter_errors(dashboard)]
    for panel in dashboard["panels"]:
        if panel.get("type") in TYPES:
            schema = panel_of(panel["type"], *TYPES[panel["type"]])
            found += [(f"{panel.get('title')}: ", each) for each in jsonschema.Draft7Validator(schema).iter_errors(panel)]
    return [f"{where}{'/'.join(map(str, each.absolute_path))}: {each.message}" for where, each in found]
