"""Benchmarks: every figure is a ratio against a named peer or limit, measured in the same run.

The machines this runs on change speed by half within minutes, so nothing here gates on wall-clock
time alone: variants are kept running side by side and measured in alternating slices, and what
counts is the median of the paired ratios.
"""
