"""Writes every dashboard to its file."""

from ops.grafana.files import FOLDER, files

for name, text in files().items():
    (FOLDER / name).write_text(text, encoding="utf-8")
