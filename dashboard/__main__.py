"""`python -m dashboard --host 127.0.0.1 --port 8501`: serve the dashboard until told to stop."""

import argparse

from dashboard.server import serve


def main() -> None:
    """Read the command line and serve."""
    told = argparse.ArgumentParser(prog="python -m dashboard", description="Gaplab's dashboard.")
    told.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: this machine alone)")
    told.add_argument("--port", type=int, default=8501, help="the port to listen on (default: 8501)")
    told.add_argument("--allow", action="append", default=[], metavar="NAME", help="another host name it is reached by")
    given = told.parse_args()
    serve(given.host, given.port, given.allow)


if __name__ == "__main__":
    main()
