"""The manifests fit Kubernetes' schemas, and promise what the compose file promises."""

from __future__ import annotations

from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from records.settings import Settings

FOLDER = Path(__file__).resolve().parents[2] / "kubernetes"
MANIFESTS = {
    f"{path.name} {number}": manifest
    for path in sorted(FOLDER.glob("*.yaml"))
    for number, manifest in enumerate(yaml.safe_load_all(path.read_text()))
}
PODS = {
    name: manifest["spec"]["template"]["spec"] for name, manifest in MANIFESTS.items() if "template" in manifest["spec"]
}
FOREIGN = ("keda.sh/v1alpha1",)
"""Kinds that Kubernetes itself does not know."""


@pytest.mark.parametrize("name", [n for n, manifest in MANIFESTS.items() if manifest["apiVersion"] not in FOREIGN])
def test_a_manifest_fits_the_schema(name):
    kubernetes_validate.validate(MANIFESTS[name], "1.33", strict=True)


def test_a_manifest_that_does_not_fit_would_be_noticed():
    manifest = {**MANIFESTS["api.yaml 1"], "spec": {**MANIFESTS["api.yaml 1"]["spec"], "replica": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, "1.33", strict=True)


@pytest.mark.parametrize("name", PODS)
def test_every_pod_is_hardened(name):
    pod = PODS[name]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container["resources"]["limits"]
    assert {volume["name"] for volume in pod["volumes"]} == {mount["name"] for mount in container["volumeMounts"]}


@pytest.mark.parametrize("name", PODS)
def test_the_images_are_those_of_the_dockerfile(name):
    dockerfile = (FOLDER.parent / "Dockerfile").read_text()
    image = PODS[name]["containers"][0]["image"]
    assert f" AS {image.removeprefix('trainyard-')}\n" in dockerfile


def test_a_worker_has_longer_to_stop_than_its_children():
    pod = PODS["worker-gpu.yaml 0"]
    assert pod["terminationGracePeriodSeconds"] >= Settings.model_fields["stop_grace_s"].default + 10


def test_the_api_is_asked_whether_it_lives_and_whether_it_is_ready():
    (container,) = PODS["api.yaml 1"]["containers"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_pods_are_added_for_jobs_that_are_queued_or_running():
    scaled = MANIFESTS["autoscaling.yaml 0"]["spec"]
    assert scaled["scaleTargetRef"]["name"] == MANIFESTS["worker-gpu.yaml 0"]["metadata"]["name"]
    assert scaled["triggers"][0]["metadata"]["query"] == 'sum(trainyard_jobs{status=~"queued|running"})'


def test_the_policy_of_the_network_meets_the_workers():
    policy = MANIFESTS["network.yaml 0"]["spec"]
    labels = MANIFESTS["worker-gpu.yaml 0"]["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"] == labels
    assert policy["ingress"] == []
