import pytest

from dayfly_core.helm import marks as helm
from dayfly_core.helm.marks import ReleaseRef, release_of
from dayfly_core.objects import ObjectMeta

NAME, PLACE = {helm.RELEASE_NAME: "shop"}, {helm.RELEASE_NAMESPACE: "team-a"}
HELM = {helm.MANAGED_BY: "Helm"}


@pytest.mark.parametrize(
    ("labels", "annotations", "want"),
    [
        pytest.param(HELM, NAME | PLACE, ReleaseRef("team-a", "shop"), id="all three marks"),
        pytest.param({}, NAME | PLACE, None, id="without the label"),
        pytest.param({helm.MANAGED_BY: "Argo"}, NAME | PLACE, None, id="managed by another"),
        pytest.param(HELM, NAME, None, id="without the namespace"),
        pytest.param(HELM, PLACE, None, id="without the name"),
        pytest.param(HELM, {**NAME, helm.RELEASE_NAMESPACE: ""}, None, id="an empty namespace"),
        pytest.param(None, None, None, id="nothing at all"),
    ],
)
def test_whose_an_object_is(
    labels: dict[str, str], annotations: dict[str, str], want: ReleaseRef | None
) -> None:
    assert release_of(ObjectMeta(labels=labels, annotations=annotations)) == want


def test_a_release_is_called_as_people_call_it() -> None:
    assert str(ReleaseRef("team-a", "shop")) == "team-a/shop"


@pytest.mark.parametrize(
    ("annotations", "want"),
    [
        pytest.param({helm.RESOURCE_POLICY: "keep"}, True, id="keep"),
        pytest.param(
            {helm.RESOURCE_POLICY: "delete"}, True, id="Helm deletes no other value either"
        ),
        pytest.param({}, False, id="nothing said"),
    ],
)
def test_what_outlives_its_release(annotations: dict[str, str], want: bool) -> None:
    assert helm.stays(annotations) is want
