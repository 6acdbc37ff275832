"""The dashboards, described in Python, written as JSON for Grafana: `python -m ops.grafana`."""
