"""The webhook server: bytes in, a well-formed answer out, and no effect on the cluster.

What an object's end is and what is wrong with it is decided in ``dayfly_core``.
"""
