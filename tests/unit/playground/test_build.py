from pathlib import Path

import pytest

from playground import build


def fill(directory: Path) -> Path:
    for name in build.PACKAGES:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).touch(mode=0o755)
    for stage in build.STAGES:
        (directory / "stages" / stage).mkdir(parents=True)
        (directory / "stages" / stage / "stage.yaml").touch()
    return directory


def test_a_full_directory_is_complete(tmp_path: Path) -> None:
    assert build.Binaries(fill(tmp_path)).complete()


@pytest.mark.parametrize("name", build.PACKAGES)
def test_without_one_program_it_is_not(tmp_path: Path, name: str) -> None:
    (fill(tmp_path) / name).unlink()
    assert not build.Binaries(tmp_path).complete()


def test_a_program_that_cannot_be_executed_is_missing(tmp_path: Path) -> None:
    (fill(tmp_path) / "helm").chmod(0o644)
    assert not build.Binaries(tmp_path).complete()


def test_kubebuilder_assets_come_before_the_cache(tmp_path: Path) -> None:
    assets = fill(tmp_path / "assets")
    fill(tmp_path / "dayfly" / "playground" / build.fingerprint())
    environ = {"KUBEBUILDER_ASSETS": str(assets), "XDG_CACHE_HOME": str(tmp_path)}
    assert build.locate(environ) == build.Binaries(assets)


def test_kubebuilder_assets_without_helm_are_passed_over(tmp_path: Path) -> None:
    (fill(tmp_path / "assets") / "helm").unlink()
    cached = fill(tmp_path / "dayfly" / "playground" / build.fingerprint())
    environ = {"KUBEBUILDER_ASSETS": str(tmp_path / "assets"), "XDG_CACHE_HOME": str(tmp_path)}
    assert build.locate(environ) == build.Binaries(cached)


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    assert build.locate({"XDG_CACHE_HOME": str(tmp_path)}) is None


def test_the_cache_is_under_home_by_default() -> None:
    assert build.cache_root({"HOME": "/home/ann"}) == Path("/home/ann/.cache/dayfly/playground")


def test_another_pinned_version_is_another_cache(tmp_path: Path) -> None:
    for file in ("go.mod", "go.sum"):
        (tmp_path / file).write_bytes((build.MODULE / file).read_bytes())
    assert build.fingerprint(tmp_path) == build.fingerprint()
    (tmp_path / "go.mod").write_text("module other\n")
    assert build.fingerprint(tmp_path) != build.fingerprint()


def test_the_pinned_kubernetes_is_the_one_that_is_linked_in() -> None:
    assert f"k8s.io/kubernetes {build.KUBERNETES}" in (build.MODULE / "go.mod").read_text()


def test_stages_are_the_files_of_their_folders(tmp_path: Path) -> None:
    [file] = build.Binaries(fill(tmp_path)).stages("pod/fast")
    assert file == tmp_path / "stages" / "pod" / "fast" / "stage.yaml"
