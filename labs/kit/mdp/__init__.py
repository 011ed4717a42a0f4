"""Exact solutions of small Markov chains and decision processes; each solver is tested against a second derivation."""
