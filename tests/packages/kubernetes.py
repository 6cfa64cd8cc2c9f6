"""The manifests, against the schemas of several versions of Kubernetes; the configuration in them, against the proxy."""

import copy
import json
import stat
from pathlib import Path

import kubernetes_validate
import yaml
from lab_tools import expect
from paths import ROOT
from procs import run

FOLDER = ROOT / "config" / "kubernetes"
# preStop's sleep is there from 1.30 on.
VERSIONS = ("1.30.0", "1.32.0", "1.34.0")
# Custom resources, of which Kubernetes itself has no schema.
FOREIGN = {"Kustomization", "Component", "PodMonitor"}


def documents() -> dict[str, dict]:
    return {file.name: yaml.safe_load(file.read_text()) for file in sorted(FOLDER.glob("*.yaml"))}


def merged(base: object, patch: object) -> object:
    """A strategic merge, as kustomize does it: lists of things with names are merged by name."""
    if isinstance(base, dict) and isinstance(patch, dict):
        both = {key: merged(base[key], patch[key]) for key in base.keys() & patch.keys()}
        return {**base, **patch, **both}
    if isinstance(base, list) and isinstance(patch, list) and all(isinstance(each, dict) and "name" in each for each in base + patch):
        by_name = {each["name"]: each for each in base}
        for each in patch:
            by_name[each["name"]] = merged(by_name.get(each["name"], {}), each)
        return list(by_name.values())
    return copy.deepcopy(patch)


def with_interception() -> dict:
    patch = yaml.safe_load((FOLDER / "interception" / "deployment.patch.yaml").read_text())
    return merged(documents()["deployment.yaml"], patch)


def valid(_binary: Path, _scratch: Path) -> str:
    native = [document for document in documents().values() if document["kind"] not in FOREIGN]
    expect(len(native) >= 7, f"{len(native)} manifests")
    for document in [*native, with_interception()]:
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                raise AssertionError(f"{document['kind']} in {version}: {error.message}") from error
    return f"{len(native)} manifests and the component, Kubernetes {', '.join(VERSIONS)}"


def fitting(_binary: Path, _scratch: Path) -> None:
    """What refers to something refers to what is there."""
    all_documents = documents()
    listed = set(all_documents["kustomization.yaml"]["resources"])
    there = {name for name, document in all_documents.items() if document["kind"] not in FOREIGN}
    expect(listed == there, f"kustomization.yaml lists {listed ^ there} wrongly")
    pod = with_interception()["spec"]["template"]
    container = pod["spec"]["containers"][0]
    volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
    mounts = {mount["name"] for each in [container, *pod["spec"]["initContainers"]] for mount in each["volumeMounts"]}
    expect(mounts == volumes, f"volumes {volumes}, mounts {mounts}")
    labels = pod["metadata"]["labels"]
    selectors = [all_documents["deployment.yaml"]["spec"]["selector"]["matchLabels"], all_documents["service.yaml"]["spec"]["selector"],
                 all_documents["poddisruptionbudget.yaml"]["spec"]["selector"]["matchLabels"],
                 all_documents["podmonitor.yaml"]["spec"]["selector"]["matchLabels"],
                 all_documents["networkpolicy.yaml"]["spec"]["podSelector"]["matchLabels"]]
    expect(all(selector == labels for selector in selectors), f"{labels}: {selectors}")
    ports = {port["name"] for port in container["ports"]}
    used = {all_documents["service.yaml"]["spec"]["ports"][0]["targetPort"], container["readinessProbe"]["httpGet"]["port"],
            all_documents["podmonitor.yaml"]["spec"]["podMetricsEndpoints"][0]["port"]}
    expect(used <= ports, f"{used - ports} are no ports of the container")
    grace = pod["spec"]["terminationGracePeriodSeconds"]
    expect(container["lifecycle"]["preStop"]["sleep"]["seconds"] + 45 < grace, "the drain does not fit into the grace period")


def configured(binary: Path, scratch: Path) -> None:
    """The configuration loads with the one warning that the network policy answers, and with the component's lines too."""
    text = documents()["configmap.yaml"]["data"]["ucx-egress.toml"]
    expect('drain = "45s"' in text, "the drain is another one than the grace period was reckoned with")
    folder = scratch / "configmap"
    folder.mkdir()
    file = folder / "ucx-egress.toml"
    file.write_text(text)
    plain = run([binary, "--config", file, "check"])
    expect(plain.code == 0 and "\n1 warning\n" in plain.out and "admin.address is on the network" in plain.out, plain.err or plain.out)
    file.write_text(text.replace("# [interception]", "[interception]").replace("# ca_", "ca_").replace("/etc/ucx-egress-ca/", f"{folder}/"))
    made = run([binary, "--config", file, "ca", "init"])
    expect(made.code == 0, made.err)
    # As the init container copies it.
    (folder / "ca.key").chmod(stat.S_IRUSR)
    inspecting = run([binary, "--config", file, "check"])
    expect(inspecting.code == 0 and "interception   api.imagicle.com" in inspecting.out, inspecting.err or inspecting.out)
    looked_at = json.loads(run([binary, "--config", file, "doctor", "--json"], timeout=120).out)
    wrong = [check for check in looked_at["checks"] if check["area"] in ("policy", "files") and check["level"] == "fail"]
    expect(not wrong, str(wrong))


CASES = [
    ("the manifests are valid", valid),
    ("names, ports, labels and times fit", fitting),
    ("the configuration in them loads", configured),
]
