"""Dayfly's certificates: issue, renew, keep in two Secrets, and serve without a restart.

No HTTP server and no policy lives here; both programs and the command line use it.
"""
