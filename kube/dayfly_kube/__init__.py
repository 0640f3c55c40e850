"""The only place that speaks to the API server.

What may live here: requests with their time-outs and preconditions, list and watch, discovery,
Events, and what every program's shell shares (flags, logs, health). No rule of Dayfly's own.
"""
