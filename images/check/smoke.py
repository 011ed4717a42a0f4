"""Imports what the tests start with, and asks each checker for its version."""
# ruff: noqa: F401, T201

import subprocess
import sys
from pathlib import Path

import hypothesis
import mlflow.server.fastapi_app
import playwright.sync_api
import pytest
import streamlit.testing.v1
import typer
import xdist.plugin

for checker in ("ruff", "mypy", "pytest"):
    subprocess.run([Path(sys.executable).with_name(checker), "--version"], check=True)
print("check: ok")
