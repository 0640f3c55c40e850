"""``dayfly --help``: the commands by what one wants to do."""

from typing import Final

HELP: Final = """\
Dayfly gives everything short-lived in a cluster an end, and keeps it.

Usage: {prog} COMMAND [flags]        {prog} COMMAND --help says more

See what ends
  list                  what ends when, and by which policy
                          {prog} list -A
                          {prog} list -n shop --watch
  show KIND/NAME        everything Dayfly knows about one object
                          {prog} show deploy/web -n shop
  explain KIND/NAME     what will happen to one object, when, and by which rule
                          {prog} explain ns/shop-pr-17
  plan                  the next acts, with every object that each touches
                          {prog} plan -A --within 1h
  simulate              what would happen for a while; changes nothing
                          {prog} simulate -A --for 7d
                          {prog} simulate -A -f policy.yaml    if it were applied
  history               what has ended, why, and by which policy
                          {prog} history -A --since 24h

Move an end
  extend KIND/NAME DUR  give it more time: 90s, 8h, 1d12h, 2w
                          {prog} extend deploy/web 2d -n shop
                          {prog} extend ns/shop-pr-17 8h
  wake KIND/NAME        bring back what was scaled down at its end
                          {prog} wake ns/shop-pr-17

Look after Dayfly itself
  breaker               what is held back because too much would end unannounced: show, reset
                          {prog} breaker show
                          {prog} breaker reset previews
  certs                 the webhooks' certificates: ensure, show
                          {prog} certs show

Run Dayfly (what its pods start)
  admission             the webhooks: stamp ends on what is created, refuse what cannot be
  operator              delete what has reached its end; one of all replicas acts

Other
  version               which Dayfly this is
  completion SHELL      complete commands and names in bash, zsh or fish
                          source <({prog} completion bash)
  help [COMMAND]        this text, or a command's

Commands act with your own rights, through your kubeconfig; `kubectl dayfly` is the same command.
Exit status: 0 done, 1 refused or failed, 2 the command line is wrong, 130 interrupted.
"""
