"""Helm releases: whose an object is, what a release stores, and how it ends."""
