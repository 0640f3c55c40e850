"""The second act: all else that ends. What one scene begins, a later one sees end."""

import time
from datetime import timedelta
from typing import Final

from dayfly_core import duration
from playground.mistakes import mistake
from playground.originals import ENDING, endings, originals
from playground.releases import release, release_ends
from playground.sleepers import PREVIEW, sleeper, tenant, waking
from playground.stage import Stage

SCENES: Final = (sleeper, originals, waking, tenant, release, endings, mistake, release_ends)


def others(stage: Stage) -> None:
    """Play all of it, and look back at the end."""
    began = time.monotonic()
    for scene in SCENES:
        scene(stage)
    tell = stage.teller
    tell.chapter("What has ended, and why: the history outlives Events, and every replica")
    tell.wait(lambda: not stage.exists("namespace", PREVIEW), f"the end of {PREVIEW}", 60)
    tell.expect(that=True, fact=f"{PREVIEW} went to sleep once more, and is deleted now")
    since = timedelta(seconds=round(time.monotonic() - began) + 1)
    told = tell.run(f"kubectl dayfly history -A --since {duration.render(since)}").output
    tell.expect(
        that=all(name in told for name in (PREVIEW, *ENDING, "clusterroles", "WAKE")),
        fact="all of this act is there, with the rule that it came from",
    )
