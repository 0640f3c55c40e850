"""Helm releases, which end as one."""
