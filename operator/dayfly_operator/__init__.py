"""Watches what has an end, and ends it: every replica warm, one acting.

What may live here: who may act (``leadership``, ``election``, ``elector``), when and in which order
to look at things (``deadlines``, ``queue``, ``pace``), what is known (``watching``, ``policies``)
and, in modules of their own, the few that write. What should be done is decided in
``dayfly_core``; how the API server is spoken to, in ``dayfly_kube``.
"""
