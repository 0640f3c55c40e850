"""The command ``dayfly``, also ``kubectl dayfly``: what people do by hand, and how pods start.

Nothing is decided here that the webhook or the operator decides: commands read objects, compute
with the core, and write one annotation as the person who runs them.
"""
