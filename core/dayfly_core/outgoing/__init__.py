"""Outgoing webhooks: where they may go, what they say, and when they are said again."""
