"""Names and hosts: who has which, what is repaired, and who is told."""
