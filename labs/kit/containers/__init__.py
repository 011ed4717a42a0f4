"""Stacks as images and workers in containers: what the engine `docker` and `gaplab stack image` are made of."""
