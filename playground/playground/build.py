"""The control plane's binaries: found if they are there, else built once into a cache.

A complete directory holds the seven programs and, under ``stages/``, the Stage files by which
KWOK brings nodes and pods to life.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playground import toolchain
from playground.progress import Say, timed

MODULE = Path(__file__).resolve().parents[1]
KUBERNETES = "v1.36.3"

PACKAGES: Mapping[str, str] = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kwok": "sigs.k8s.io/kwok/cmd/kwok",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "helm": "helm.sh/helm/v3/cmd/helm",
}
STAGES = ("node/fast", "node/heartbeat-with-lease", "pod/fast", "pod/chaos")

# Without these the server calls itself v0.0.0-master: clients and feature gates misbehave.
LINKED = (
    f"-s -w -X k8s.io/component-base/version.gitVersion={KUBERNETES}"
    " -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36"
)


class BuildFailedError(Exception):
    """The Go compiler refused; the message ends with its last lines."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """One directory with everything that a control plane is started from."""

    directory: Path

    def path(self, name: str) -> Path:
        """Where the program of this name is."""
        return self.directory / name

    def stages(self, *folders: str) -> list[Path]:
        """List the Stage files of these folders, e.g. ``pod/fast``."""
        return [f for name in folders for f in sorted((self.directory / "stages" / name).iterdir())]

    def complete(self) -> bool:
        """Whether nothing is missing."""
        programs = all(os.access(self.path(name), os.X_OK) for name in PACKAGES)
        return programs and all((self.directory / "stages" / s).is_dir() for s in STAGES)


def cache_root(environ: Mapping[str, str]) -> Path:
    """``$XDG_CACHE_HOME/dayfly/playground``, by default under ``~/.cache``."""
    base = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".cache"
    return Path(base) / "dayfly" / "playground"


def fingerprint(module: Path = MODULE) -> str:
    """Name what is built: the pinned versions, how it is linked and for which machine."""
    digest = hashlib.sha256()
    for part in ((module / "go.mod").read_bytes(), (module / "go.sum").read_bytes()):
        digest.update(part)
    digest.update(f"{LINKED} {STAGES} {platform.system()} {platform.machine()}".encode())
    return digest.hexdigest()[:16]


def locate(environ: Mapping[str, str]) -> Binaries | None:
    """Find a complete directory: ``$KUBEBUILDER_ASSETS``, then the cache."""
    assets = environ.get("KUBEBUILDER_ASSETS")
    places = [Path(assets)] if assets else []
    places.append(cache_root(environ) / fingerprint())
    return next((b for b in map(Binaries, places) if b.complete()), None)


def ensure(environ: Mapping[str, str], say: Say) -> Binaries:
    """Find the binaries or build them; raises NoToolchainError or BuildFailedError."""
    if found := locate(environ):
        return found
    root = cache_root(environ)
    root.mkdir(parents=True, exist_ok=True)
    with locked(root / "lock", say):
        # Whoever held the lock may have built exactly this.
        return locate(environ) or build(root, say)


@contextmanager
def locked(path: Path, say: Say) -> Generator[None]:
    """Hold a file lock, which the kernel drops with the process however that ends."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is at it: waiting for it to finish")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def build(root: Path, say: Say) -> Binaries:
    """Build everything into a temporary directory and rename it, so that it is whole or absent."""
    go = toolchain.find(root, say)
    say(f"Building a Kubernetes {KUBERNETES} control plane (once; some 5 minutes from nothing)")
    with tempfile.TemporaryDirectory(prefix="build-", dir=root) as unfinished:
        target = Path(unfinished) / "bin"
        target.mkdir()
        for name, package in PACKAGES.items():
            with timed(say, f"  {name}"):
                compile_one(go, package, target / name)
        copy_stages(go, target / "stages")
        finished = root / fingerprint()
        shutil.rmtree(finished, ignore_errors=True)
        target.rename(finished)
    return Binaries(finished)


def compile_one(go: Path, package: str, output: Path) -> None:
    """Build one stripped, static program."""
    run_go(go, "build", "-trimpath", "-ldflags", LINKED, "-o", str(output), package)


def copy_stages(go: Path, target: Path) -> None:
    """Take KWOK's Stage files from its module's own folder."""
    module = Path(run_go(go, "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kwok").strip())
    for stage in STAGES:
        (target / stage).mkdir(parents=True)
        for file in (module / "kustomize" / "stage" / stage).glob("*.yaml"):
            if file.name != "kustomization.yaml":
                (target / stage / file.name).write_bytes(file.read_bytes())


def run_go(go: Path, *arguments: str) -> str:
    """Run ``go`` in the playground's module; raises BuildFailedError with its last lines."""
    environment = {**os.environ, "CGO_ENABLED": "0"}
    done = subprocess.run(
        [go, *arguments], cwd=MODULE, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        tail = "\n".join(done.stderr.splitlines()[-15:])
        raise BuildFailedError(f"`go {' '.join(arguments)}` failed:\n{tail}")
    return done.stdout
