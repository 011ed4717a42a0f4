"""How fast Gaplab is: every figure beside a peer measured in the same run. Type `make bench` or bench/run.sh NAME."""
