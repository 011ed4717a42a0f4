"""Imports what the command, the tracking server, the dashboard and the Jupyter server start with."""
# ruff: noqa: F401, T201

import jupyterlab.labapp
import mlflow.cli
import mlflow.server.fastapi_app
import nbclient
import nbformat
import psutil
import rich.progress
import scipy.special
import streamlit.starlette
import streamlit.testing.v1
import streamlit.web.cli
import supervisor.supervisord
import supervisor.xmlrpc
import typer
import uvicorn

print("services: ok")
