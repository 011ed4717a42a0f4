"""A lab handed on: an image that holds it, its stack, and what was recorded, so that it can be held against that."""
