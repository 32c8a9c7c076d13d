"""The chart for Kubernetes: valid from 1.30 to 1.37 whatever is set, each value does something, and what it starts is what the program has."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache, partial
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from deploy.processes import PROCESSES
from streams.commands.notify import _EXAMPLE as EXAMPLE_OF_NOTIFIER
from streams.gateway import config as gateway
from streams.notifier import config as notifier
from streams.settings import SECRETS, Settings
from tests.conftest import lacking
from tests.contract.test_deploy import known, parsed
from tests.support import ROOT

try:
    from helm_python import Chart, HelmError, disable_logging, lint
except ImportError:
    lacking("Helm as a Python package is not there: helm-python-sdk has it for Linux on x86-64 only")

CHART = ROOT / "deploy" / "helm" / "deskpulse"
VERSIONS = ("1.30.0", "1.31.0", "1.32.0", "1.33.0", "1.34.0", "1.35.0", "1.36.0", "1.37.0")
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
EXAMPLES = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((CHART / "examples").glob("*.yaml"))
    if path.stem != "strimzi-user"
}
#: What has no default.
LEAST = {
    "image": {"repository": "registry.example.org/deskpulse"},
    "kafka": {"broker": "kafka:9092", "partitions": 8},
    "secrets": {"existing": "deskpulse"},
}
KINDS = {one.name: one for one in PROCESSES}
#: Kinds of the Kubernetes API itself; others are of operators.
OF_OPERATORS = {"ScaledObject", "TriggerAuthentication", "ServiceMonitor", "PrometheusRule"}
Document = dict[str, Any]
Values = dict[str, Any]
PEER = {"podSelector": {"matchLabels": {"role": "one"}}}


# -- rendering and validating ------------------------------------------------------------------------------------------


@cache
def chart() -> Chart:
    disable_logging()
    return Chart.load(CHART)


def put(values: Values, path: str, value: Any) -> Values:
    """A copy with the value at ``a.b.c``."""
    changed = copy.deepcopy(values)
    *way, last = path.split(".")
    at = changed
    for name in way:
        at = at.setdefault(name, {})
    at[last] = value
    return changed


def merged(*those: Values) -> Values:
    """As Helm merges: what is behind wins."""
    whole: Values = {}
    for values in those:
        for name, value in values.items():
            own = whole.get(name)
            whole[name] = (
                merged(own, value) if isinstance(own, dict) and isinstance(value, dict) else copy.deepcopy(value)
            )
    return whole


def texts(values: Values) -> dict[str, str]:
    rendered: dict[str, str] = chart().render(values=values, name="deskpulse", namespace="service")
    return rendered


def rendered(values: Values) -> list[Document]:
    """Everything that would be handed to Kubernetes. Nobody changes it."""
    return _rendered(json.dumps(values, sort_keys=True))


@cache
def _rendered(values: str) -> list[Document]:
    return [
        document
        for name, text in texts(json.loads(values)).items()
        if name.endswith(".yaml")
        for document in yaml.load_all(text, yaml.CSafeLoader)
        if document
    ]


def of(documents: list[Document], kind: str, component: str | None = None) -> list[Document]:
    return [
        one
        for one in documents
        if one["kind"] == kind and component in (None, one["metadata"]["labels"].get("app.kubernetes.io/component"))
    ]


def pods(documents: list[Document]) -> Iterator[tuple[str, Document]]:
    """Component → the pod that a workload makes."""
    for one in documents:
        if one["kind"] in ("StatefulSet", "Deployment", "Job"):
            pod = one["spec"]["template"]
            yield pod["metadata"]["labels"]["app.kubernetes.io/component"], pod


@cache
def validator(version: str, name: str) -> Any:
    """Of one kind of thing in one version of Kubernetes, strict: a field that there is not is refused."""
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}-local-strict"
    schema = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return jsonschema_rs.validator_for(schema | {"$id": f"k8s:/{name}.json"}, retriever=partial(definitions, version))


@cache
def definitions(version: str, _: str) -> Any:
    """What the schemas of a version refer to."""
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}-local-strict"
    return json.loads((folder / "_definitions.json").read_text(encoding="utf-8"))


_SOUND: set[tuple[str, str]] = set()


def objections(documents: list[Document], versions: tuple[str, ...] = VERSIONS) -> list[str]:
    """What Kubernetes would refuse."""
    found = []
    for document, version in product(documents, versions):
        if document["kind"] in OF_OPERATORS or (seen := (version, json.dumps(document, sort_keys=True))) in _SOUND:
            continue
        group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", document["apiVersion"])
        errors = [
            f"{version} {document['kind']} {document['metadata']['name']} {list(error.instance_path)}: {error.message[:300]}"
            for error in validator(version, f"{document['kind'].lower()}-{group}").iter_errors(document)
        ]
        found += errors
        if not errors:
            _SOUND.add(seen)
    return found


def test_what_kubernetes_would_refuse_is_found() -> None:
    documents = rendered(LEAST)
    (stateful,) = of(documents, "StatefulSet")
    for wrong in (
        put(stateful, "spec.template.spec.terminationGraceSeconds", 1),
        put(stateful, "spec.podManagementPolicy", 1),
        put(stateful, "spec.template.spec.containers", {}),
    ):
        assert len(objections([wrong], ("1.30.0",))) >= 1
        assert len(objections([wrong], ("1.37.0",))) >= 1


@pytest.mark.parametrize("name", ["least", *EXAMPLES])
def test_it_is_valid_in_every_version(name: str) -> None:
    documents = rendered(LEAST if name == "least" else EXAMPLES[name])
    assert len(documents) > 20
    assert objections(documents) == []
    names = [(one["kind"], one["metadata"]["name"]) for one in documents]
    assert len(names) == len(set(names))


def test_helm_finds_nothing_to_complain_of() -> None:
    for values in (LEAST, *EXAMPLES.values()):
        report = lint(CHART, values, strict=True, kube_version="v1.30.0")
        worse = [one for one in report["messages"] if one["severity"] > 1]
        assert (report["errors"], worse) == ([], [])


def test_it_is_this_version_of_the_program() -> None:
    about = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    (version,) = re.findall(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    assert about["appVersion"] == version
    assert about["kubeVersion"] == f">={VERSIONS[0]}-0"


# -- every value -------------------------------------------------------------------------------------------------------


def leaves(values: Any, path: str = "") -> Iterator[str]:
    if isinstance(values, dict) and values:
        for name, value in values.items():
            yield from leaves(value, f"{path}.{name}" if path else name)
    else:
        yield path


#: What has to be set besides, so that a value means anything.
_SASL = {"kafka": {"securityProtocol": "SASL_SSL", "sasl": {"username": "u"}}}
_SCALED = {"worker": {"autoscaling": {"enabled": True}}}
_EGRESS = {
    "networkPolicy": {"egress": {"enabled": True}},
    "notifier": {"enabled": True},
    "files": {"notify": {"text": "x: 1"}},
}
_NOTIFY = {"notifier": {"enabled": True}, "files": {"notify": {"configMap": "written"}}}
_GATEWAY = {"gateway": {"enabled": True}, "files": {"gateway": {"configMap": "written"}}}
_CREATED = {
    "secrets": {
        "existing": "",
        "create": {"database": "postgresql://d", "redis": "redis://r", "pseudonymKey": "0123456789abcdef"},
    }
}
_MONITOR = {
    "monitoring": {"serviceMonitor": {"enabled": True}, "rules": {"enabled": True}, "boards": {"enabled": True}}
}


def _ingress(name: str) -> Values:
    return {name: {"ingress": {"enabled": True, "host": "one.example.org"}}}


#: Path → another value than the default, and what goes with it.
VARIED: dict[str, tuple[Any, Values]] = {
    "nameOverride": ("other", {}),
    "fullnameOverride": ("other", {}),
    "image.repository": ("elsewhere/deskpulse", {}),
    "image.tag": ("1.2.3", {}),
    "image.digest": ("sha256:" + "0" * 64, {}),
    "image.pullPolicy": ("Always", {}),
    "image.pullSecrets": (["registry"], {}),
    "kafka.broker": ("k-1:9092,k-2:9092", {}),
    "kafka.partitions": (64, {}),
    "kafka.replication": (1, {}),
    "kafka.securityProtocol": ("SSL", {}),
    "kafka.sasl.mechanism": ("PLAIN", _SASL),
    "kafka.sasl.username": ("other", _SASL),
    "kafka.tls.ca.secret": ("ca", {"kafka": {"securityProtocol": "SSL"}}),
    "kafka.tls.ca.configMap": ("ca", {"kafka": {"securityProtocol": "SSL"}}),
    "kafka.tls.ca.key": ("x.pem", {"kafka": {"securityProtocol": "SSL", "tls": {"ca": {"secret": "ca"}}}}),
    "kafka.tls.client.secret": ("us", {"kafka": {"securityProtocol": "SSL"}}),
    "kafka.tls.client.certificateKey": ("x.crt", {"kafka": {"securityProtocol": "SSL", "tls": {"client": {"secret": "us"}}}}),
    "kafka.tls.client.keyKey": ("x.key", {"kafka": {"securityProtocol": "SSL", "tls": {"client": {"secret": "us"}}}}),
    "kafka.version": ("3.9", {}),
    "redis.ca.secret": ("ca", {}),
    "redis.ca.configMap": ("ca", {}),
    "redis.ca.key": ("x.pem", {"redis": {"ca": {"secret": "ca"}}}),
    "database.sslMode": ("require", {}),
    "database.ca.secret": ("ca", {}),
    "database.ca.configMap": ("ca", {}),
    "database.ca.key": ("x.pem", {"database": {"ca": {"secret": "ca"}}}),
    "secrets.existing": ("others", {}),
    **{f"secrets.from.{which}.name": ("elsewhere", _SASL | {"secrets": {"existing": "deskpulse", "from": {which: {"key": "k"}}}})
       for which in DEFAULTS["secrets"]["from"]},
    **{f"secrets.from.{which}.key": ("other", _SASL) for which in DEFAULTS["secrets"]["from"]},
    "secrets.create": (_CREATED["secrets"]["create"], {}),
    **{f"files.{name}.{what}": (value, more)
       for name in DEFAULTS["files"]
       for what, value, more in (
           ("text", "x: 1", {}),
           ("configMap", "written", {}),
           ("key", "x.yaml", {"files": {name: {"configMap": "written"}}}),
       )},
    "operation.prefix": ("north.", {}),
    "operation.customerIds": ("pseudonymise", {}),
    "operation.names": ("none", {}),
    "operation.webUrl": ("https://desk.example.org", {}),
    "operation.logLevel": ("DEBUG", {}),
    "operation.language": ("zh", {}),
    "operation.records": (False, {}),
    "operation.environment": ({"TZ": "Asia/Shanghai"}, {}),
    "listen": ("::", {}),
    "worker.replicas": (3, {}),
    "worker.standby": (True, {}),
    "worker.autoscaling.enabled": (True, {}),
    "worker.autoscaling.min": (1, _SCALED),
    "worker.autoscaling.max": (8, _SCALED),
    "worker.autoscaling.lag": (50_000, _SCALED),
    "worker.autoscaling.pollingSeconds": (60, _SCALED),
    "worker.autoscaling.upAfterSeconds": (600, _SCALED),
    "worker.autoscaling.downAfterSeconds": (1800, _SCALED),
    "history.keep": ({"contacts": 400}, {}),
    "wallboard.allowHosts": (["board.example.org"], {}),
    "web.allowHosts": (["desk.example.org"], {}),
    "setup.enabled": (False, {}),
    "setup.topics": (False, {}),
    "setup.backoffLimit": (1, {}),
    "setup.deadlineSeconds": (60, {}),
    "serviceAccount.create": (False, {}),
    "serviceAccount.name": ("other", {}),
    "serviceAccount.annotations": ({"a": "b"}, {}),
    "networkPolicy.enabled": (False, {}),
    "networkPolicy.from": ([PEER], {}),
    "networkPolicy.metricsFrom": ([PEER], {}),
    "networkPolicy.egress.enabled": (True, {}),
    **{f"networkPolicy.egress.{whom}.to": ([PEER], _EGRESS) for whom in ("kafka", "redis", "database", "outside")},
    **{f"networkPolicy.egress.{whom}.ports": ([1234], _EGRESS) for whom in ("kafka", "redis", "database", "outside")},
    "monitoring.serviceMonitor.enabled": (True, {}),
    "monitoring.serviceMonitor.interval": ("30s", _MONITOR),
    "monitoring.serviceMonitor.labels": ({"release": "prometheus"}, _MONITOR),
    "monitoring.rules.enabled": (True, {}),
    "monitoring.rules.labels": ({"release": "prometheus"}, _MONITOR),
    "monitoring.rules.runbooks": ("https://git.example.org/", _MONITOR),
    "monitoring.boards.enabled": (True, {}),
    "monitoring.boards.labels.grafana_dashboard": ("yes", _MONITOR),
}  # fmt: skip
for _name in (*KINDS, "console", "setup"):
    _on = {"notifier": _NOTIFY, "gateway": _GATEWAY}.get(_name, {})
    _own: dict[str, Any] = {
        "enabled": not DEFAULTS[_name].get("enabled"),
        "replicas": 2,
        "resources.requests.cpu": "2",
        "resources.requests.memory": "2Gi",
        "resources.limits.memory": "3Gi",
        "terminationGracePeriodSeconds": 90,
        "disruptionBudget.enabled": False,
        "disruptionBudget.maxUnavailable": 2,
        "topologySpread.enabled": False,
        "topologySpread.keys": ["rack"],
        "topologySpread.whenUnsatisfiable": "DoNotSchedule",
        "nodeSelector": {"disk": "fast"},
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "high",
        "podAnnotations": {"a": "b"},
        "podLabels": {"a": "b"},
        "environment": {"A": "b"},
        "secrets": {"ONE": {"name": "a", "key": "b"}},
    }
    for _path in leaves(DEFAULTS[_name]):
        if f"{_name}.{_path}" in VARIED:
            continue
        if _path.startswith("ingress."):
            _value = {"enabled": True, "className": "nginx", "host": "two.example.org", "tlsSecret": "t", "annotations": {"a": "b"}}[_path[8:]]  # fmt: skip
            VARIED[f"{_name}.{_path}"] = (_value, merged(_on, _ingress(_name)) if _path != "ingress.enabled" else merged(_on, {_name: {"ingress": {"host": "one.example.org"}}}))  # fmt: skip
        elif _path.startswith("disruptionBudget.") and _name != "worker":
            VARIED[f"{_name}.{_path}"] = (_own[_path], merged(_on, {_name: {"replicas": 2}}))
        elif _path == "enabled" and _on:
            VARIED[f"{_name}.{_path}"] = (True, {"files": _on["files"]})
        else:
            VARIED[f"{_name}.{_path}"] = (_own[_path], _on)


def test_every_value_is_tried() -> None:
    assert set(VARIED) == set(leaves(DEFAULTS))


@pytest.mark.parametrize("path", VARIED)
def test_a_value_does_something_and_is_valid(path: str) -> None:
    value, besides = VARIED[path]
    before = merged(LEAST, besides)
    after = put(before, path, value)
    if path == "secrets.create":
        after = put(after, "secrets.existing", "")
    documents = rendered(after)
    assert documents != rendered(before)
    assert objections(documents, (VERSIONS[0], VERSIONS[-1])) == []
    told = re.sub(r"[{}\[\]'\" ]", "", str(list(leaves_of(value))[-1]))
    assert told.lower() in re.sub(r"[{}\[\]'\" \\]", "", json.dumps(documents)).lower() or isinstance(value, bool)


def leaves_of(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list) and value:
        for one in value.values() if isinstance(value, dict) else value:
            yield from leaves_of(one)
    else:
        yield value


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"image": {"repository": ""}}, r"image\.repository is missing: where you pushed"),
        ({"kafka": {"broker": ""}}, r"kafka\.broker is missing: HOST:PORT"),
        ({"kafka": {"broker": "kafka"}}, r"/kafka/broker.*does not match pattern"),
        ({"kafka": {"broker": "https://kafka:9092"}}, r"/kafka/broker"),
        ({"kafka": {"partitions": None}}, r"kafka\.partitions is missing: .*four times the workers"),
        ({"kafka": {"partitions": "8"}}, r"/kafka/partitions.*got string, want"),
        ({"worker": {"replicas": 9}}, r"worker\.replicas is 9, but there are 8 partitions .*no work"),
        ({"worker": {"replicas": 0}}, r"/worker/replicas.*minimum"),
        ({"worker": {"autoscaling": {"enabled": True, "max": 9}}}, r"worker\.autoscaling\.max is 9, but there are 8"),
        ({"worker": {"autoscaling": {"enabled": True, "min": 5}}}, r"min is 5, and max 4: min is the smaller"),
        ({"worker": {"autoscaling": {"min": 0}}}, r"/worker/autoscaling/min.*minimum"),
        ({"worker": {"autoscaling": {"upAfterSeconds": 5}}}, r"/worker/autoscaling/upAfterSeconds.*minimum"),
        ({"worker": {"replica": 2}}, r"/worker.*additional properties 'replica' not allowed"),
        ({"wrker": {}}, r"additional properties 'wrker' not allowed"),
        ({"incidents": {"replicas": 3}}, r"/incidents/replicas.*maximum: got 3, want 2"),
        ({"secrets": {"existing": ""}}, r"the secret database is nowhere: name your Secret in secrets\.existing"),
        ({"secrets": {"existing": ""}}, r"the secret pseudonymKey is nowhere"),
        ({"secrets": {"create": {"database": "mysql://x"}}}, r"/secrets/create/database.*\^postgresql://"),
        ({"secrets": {"create": {"pseudonymKey": "short"}}}, r"/secrets/create/pseudonymKey.*minLength"),
        ({"kafka": {"securityProtocol": "TLS"}}, r"/kafka/securityProtocol.*'PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'"),
        ({"kafka": {"securityProtocol": "SASL_SSL"}}, r"kafka\.sasl\.username is missing: SASL_SSL needs it"),
        (merged(_SASL, {"secrets": {"from": {"kafkaPassword": {"key": ""}}}}), r"the secret kafkaPassword is nowhere"),
        (merged(_SASL, {"kafka": {"sasl": {"mechanism": "OAUTHBEARER"}}}), r"OAUTHBEARER: Deskpulse speaks PLAIN, SCRAM.*make a SCRAM user"),
        (merged(_SASL, {"kafka": {"sasl": {"mechanism": "AWS_MSK_IAM"}}}), r"AWS_MSK_IAM: Deskpulse speaks"),
        (merged(_SASL, {"kafka": {"sasl": {"mechanism": "SCRAM"}}}), r"/kafka/sasl/mechanism.*'SCRAM-SHA-512'"),
        ({"kafka": {"tls": {"ca": {"secret": "x"}}}}, r"kafka\.tls is set, but kafka\.securityProtocol is PLAINTEXT"),
        ({"database": {"sslMode": "verify-full"}}, r"verify-full, and needs the certificate authority .*database\.ca"),
        ({"redis": {"ca": {"secret": "a", "configMap": "b"}}}, r"redis\.ca names a secret and a config map"),
        ({"files": {"policy": {"text": "x", "configMap": "b"}}}, r"files\.policy has a text and names a config map"),
        ({"notifier": {"enabled": True}}, r"notifier\.enabled needs its file: .*`deskpulse notify example` prints one"),
        ({"gateway": {"enabled": True}}, r"gateway\.enabled needs its file: .*`deskpulse gateway example`"),
        ({"web": {"ingress": {"enabled": True}}}, r"web\.ingress\.host is missing"),
        ({"web": {"ingress": {"enabled": True, "host": "https://desk"}}}, r"/web/ingress/host.*pattern"),
        ({"web": {"enabled": False, "ingress": {"enabled": True, "host": "a.b"}}}, r"web is off: there is nothing behind it"),
        ({"image": {"repository": "a@sha256:x"}}, r"/image/repository.*pattern"),
        ({"image": {"digest": "sha256:1"}}, r"/image/digest.*pattern"),
        ({"worker": {"resources": {"limits": {"memory": "5GB"}}}}, r"/worker/resources/limits/memory.*'5GB' does not match"),
        ({"worker": {"environment": {"A": 1}}}, r"/worker/environment/A.*got number, want string"),
        ({"networkPolicy": {"from": [{"namespace": "a"}]}}, r"/networkPolicy/from/0.*'namespace' not allowed"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_what_to_do(values: Values, reason: str) -> None:
    with pytest.raises(HelmError) as refused:
        texts(merged(LEAST, values))
    assert re.search(reason, str(refused.value)), str(refused.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(HelmError) as refused:
        texts({})
    assert len(re.findall(r"^- ", str(refused.value), re.M)) == 6


# -- against the program -----------------------------------------------------------------------------------------------

WHOLE = EXAMPLES["large"]


def environment(container: Document) -> dict[str, str]:
    return {one["name"]: one.get("value", "deskpulse-worker-0") for one in container["env"]}


def provided(pod: Document) -> dict[str, Document]:
    """Path → where it comes from, of every file that is mounted into a pod."""
    (container,) = pod["spec"]["containers"]
    volumes = {one["name"]: one for one in pod["spec"]["volumes"]}
    assert {one["name"] for one in container["volumeMounts"]} == set(volumes)
    return {
        f"{mount['mountPath']}/{item['path']}": source
        for mount in container["volumeMounts"]
        for source in volumes[mount["name"]].get("projected", {}).get("sources", ())
        for kind in source.values()
        for item in kind["items"]
    }


def test_every_process_is_started_as_the_program_has_it() -> None:
    started = {}
    for component, pod in pods(rendered(WHOLE)):
        (container,) = pod["spec"]["containers"]
        if component not in KINDS:
            continue
        names, context = parsed(container["args"])
        started[component] = names
        (port,) = container["ports"]
        option = next(one for one in context.command.params if KINDS[component].option in one.opts)
        assert context.params[option.name] == port["containerPort"] == KINDS[component].port
        assert "command" not in container  # the image's entry point is `deskpulse`
    assert started == {one.name: one.command for one in PROCESSES}
    assert {name for name, _ in pods(rendered(LEAST))} == set(KINDS) - {"notifier", "gateway"} | {"setup", "console"}


def test_the_setup_brings_tables_and_topics_to_this_version() -> None:
    (job,) = of(rendered(LEAST), "Job")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    compose = yaml.safe_load((ROOT / "deploy" / "compose" / "compose.yaml").read_text(encoding="utf-8"))
    assert container["command"] == compose["services"]["setup"]["entrypoint"]
    assert container["args"] == compose["services"]["setup"]["command"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    for line in container["args"][0].split("&&"):
        parsed(line.split()[1:])
    (without,) = of(rendered(put(LEAST, "setup.topics", False)), "Job")
    assert "topics" not in without["spec"]["template"]["spec"]["containers"][0]["args"][0]


@pytest.mark.parametrize("name", ["least", *EXAMPLES])
def test_variables_are_those_of_the_program_and_files_are_there(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    values = LEAST if name == "least" else EXAMPLES[name]
    secret_files = {f"DESKPULSE_{one.upper()}_FILE" for one in SECRETS}
    for component, pod in pods(rendered(values)):
        (container,) = pod["spec"]["containers"]
        given, there = environment(container), provided(pod)
        assert {one for one in given if one.startswith("DESKPULSE_")} <= known(), component
        with monkeypatch.context() as patch:
            for variable, value in given.items():
                if value.startswith(("/run/", "/etc/")):
                    assert value in there, (component, variable)
                if variable in secret_files:
                    (tmp_path / "secret").write_text("postgresql://of-this-pod", encoding="utf-8")
                    value = str(tmp_path / "secret")
                patch.setenv(variable, value)
            settings = Settings()
        assert settings.broker == values["kafka"]["broker"]
        assert settings.partitions == values["kafka"]["partitions"]
        assert settings.security_protocol == values["kafka"].get("securityProtocol", "PLAINTEXT")
        assert str(settings.data_dir) == "/data"
        # Each file that is mounted is one that a variable names, or that an address in a secret may name.
        named = {value for value in given.values() if value.startswith("/")}
        assert set(there) - named <= {"/etc/deskpulse/tls/redis-ca.pem"}, component


def test_a_pod_has_the_secrets_that_its_process_reads_and_no_others() -> None:
    values = merged(
        EXAMPLES["strimzi"], _NOTIFY, _GATEWAY, {"files": {"signOn": {"configMap": "x"}}},
        {"secrets": {"from": {"history": {"key": "history"}, "signOnSecret": {"key": "sign-on"}}}},
    )  # fmt: skip
    read = {
        component: {Path(path).name for path in provided(pod) if path.startswith("/run/secrets/deskpulse/")}
        for component, pod in pods(rendered(values))
    }
    everywhere = {"sasl_password"}
    assert read == {
        "worker": everywhere | {"redis", "pseudonym_key"},
        "incidents": everywhere,
        "notifier": everywhere | {"database"},
        "wallboard": everywhere | {"redis", "database"},
        "scores": everywhere | {"database", "history", "pseudonym_key"},
        "history": everywhere | {"redis", "database", "history"},
        "web": everywhere | {"database", "history", "sign_on_secret", "pseudonym_key"},
        "gateway": everywhere | {"pseudonym_key"},
        "setup": everywhere | {"database"},
        "console": everywhere | {"redis", "database", "history", "pseudonym_key", "sign_on_secret"},
    }
    (worker,) = (pod for name, pod in pods(rendered(values)) if name == "worker")
    source = provided(worker)["/run/secrets/deskpulse/sasl_password"]
    assert source == {"secret": {"name": "deskpulse", "items": [{"key": "password", "path": "sasl_password"}]}}


def test_secrets_that_are_made_have_every_key_that_is_mounted() -> None:
    values = merged(LEAST, _CREATED, _SASL, {"secrets": {"create": {"kafkaPassword": "hush"}}})
    documents = rendered(values)
    made = {one["metadata"]["name"]: set(one["stringData"]) for one in of(documents, "Secret")}
    assert set(made) == {"deskpulse", "deskpulse-setup"}
    for component, pod in pods(documents):
        for source in provided(pod).values():
            (item,) = source["secret"]["items"]
            assert item["key"] in made[source["secret"]["name"]]
            # What the job reads is there before the release is.
            assert (source["secret"]["name"] == "deskpulse-setup") == (component == "setup")
    hooks = [one for one in of(documents, "Secret") if "helm.sh/hook" in one["metadata"].get("annotations", {})]
    assert [one["metadata"]["name"] for one in hooks] == ["deskpulse-setup"]
    assert of(rendered(LEAST), "Secret") == []


def test_files_that_are_written_here_arrive(tmp_path: Path) -> None:
    values = merged(LEAST, {
        "notifier": {"enabled": True}, "gateway": {"enabled": True},
        "files": {"notify": {"text": EXAMPLE_OF_NOTIFIER}, "gateway": {"text": gateway.EXAMPLE}, "policy": {"text": "time_zone: UTC\n"}},
    })  # fmt: skip
    (written,) = of(rendered(values), "ConfigMap")
    assert set(written["data"]) == {"notify.yaml", "gateway.yaml", "policy.yaml"}
    assert written["data"]["notify.yaml"] == EXAMPLE_OF_NOTIFIER
    for name, load in (("notify", notifier.load), ("gateway", gateway.load)):
        (tmp_path / name).write_text(written["data"][f"{name}.yaml"], encoding="utf-8")
        load(tmp_path / name)
    changed = rendered(put(values, "files.policy.text", "time_zone: Asia/Shanghai\n"))
    sums = [{name: pod["metadata"]["annotations"] for name, pod in pods(one) if name != "setup"} for one in (rendered(values), changed)]  # fmt: skip
    assert all(sums[0][name] != sums[1][name] for name in sums[0])  # so they are started again


def test_a_worker_is_known_by_its_pods_name() -> None:
    (worker,) = (pod for name, pod in pods(rendered(LEAST)) if name == "worker")
    (instance,) = (one for one in worker["spec"]["containers"][0]["env"] if one["name"] == "DESKPULSE_INSTANCE")
    assert instance["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    (stateful,) = of(rendered(LEAST), "StatefulSet")
    # Where pods come one by one, a worker that lags would keep away the one that is to help it.
    assert stateful["spec"]["podManagementPolicy"] == "Parallel"
    (service,) = of(rendered(LEAST), "Service", "worker")
    assert stateful["spec"]["serviceName"] == service["metadata"]["name"]
    assert service["spec"]["clusterIP"] == "None"


# -- scaling -----------------------------------------------------------------------------------------------------------


def test_workers_follow_the_lag_of_their_group_slowly_and_never_beyond_partitions() -> None:
    values = merged(EXAMPLES["strimzi"], _SCALED, {"operation": {"prefix": "north."}, "kafka": {"partitions": 4}})
    documents = rendered(values)
    (scaled,) = of(documents, "ScaledObject")
    (stateful,) = of(documents, "StatefulSet")
    spec = scaled["spec"]
    assert spec["scaleTargetRef"] == {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "name": stateful["metadata"]["name"],
    }
    assert "replicas" not in stateful["spec"]  # an upgrade would set them back
    assert 1 <= spec["minReplicaCount"] <= spec["maxReplicaCount"] <= 4
    (trigger,) = spec["triggers"]
    assert trigger["metadata"]["consumerGroup"] == Settings(prefix="north.").group
    assert trigger["metadata"]["allowIdleConsumers"] == "false"
    assert (trigger["metadata"]["sasl"], trigger["metadata"]["tls"]) == ("scram_sha512", "enable")
    assert all(isinstance(value, str) for value in trigger["metadata"].values())
    behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    for way, least in (("scaleUp", 300), ("scaleDown", 3600)):
        assert behavior[way]["stabilizationWindowSeconds"] >= least
        (policy,) = behavior[way]["policies"]
        assert (policy["type"], policy["value"]) == ("Pods", 1)
        assert 300 <= policy["periodSeconds"] <= 1800  # as Kubernetes has it at most
    autoscaler = {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "made-by-keda"},
        "spec": {"scaleTargetRef": spec["scaleTargetRef"], "maxReplicas": spec["maxReplicaCount"], "behavior": behavior},
    }  # fmt: skip
    assert objections([autoscaler]) == []
    (login,) = of(documents, "TriggerAuthentication")
    assert trigger["authenticationRef"]["name"] == login["metadata"]["name"]
    assert login["spec"]["secretTargetRef"] == [
        {"parameter": "password", "name": "deskpulse", "key": "password"},
        {"parameter": "ca", "name": "events-cluster-ca-cert", "key": "ca.crt"},
    ]
    (container,) = stateful["spec"]["template"]["spec"]["containers"]
    (user,) = login["spec"]["env"]
    assert (user["containerName"], environment(container)[user["name"]]) == (container["name"], "deskpulse")


def test_a_broker_without_a_lock_needs_no_login() -> None:
    documents = rendered(merged(LEAST, _SCALED))
    assert of(documents, "TriggerAuthentication") == []
    assert "authenticationRef" not in of(documents, "ScaledObject")[0]["spec"]["triggers"][0]


# -- safety ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["least", *EXAMPLES])
def test_pods_may_do_nothing_that_they_need_not(name: str) -> None:
    """Kubernetes' standard `restricted`, and a root that is read only."""
    for component, pod in pods(rendered(LEAST if name == "least" else EXAMPLES[name])):
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"], component
        assert spec["securityContext"]["runAsUser"] == spec["securityContext"]["fsGroup"] == 10001
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        (container,) = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]
        for volume in spec["volumes"]:
            assert set(volume) - {"name"} <= {"projected", "emptyDir"}
            assert volume.get("projected", {"defaultMode": 0o440})["defaultMode"] == 0o440
    assert re.search(
        r"^USER 10001:10001$", (ROOT / "deploy" / "image" / "Dockerfile").read_text(encoding="utf-8"), re.M
    )


def test_selectors_find_the_pods_of_their_kind_and_no_others() -> None:
    documents = rendered(WHOLE)
    made = dict(pods(documents))
    for one in documents:
        spec = one.get("spec", {})
        selector = {
            "Service": lambda spec=spec: spec["selector"],
            "NetworkPolicy": lambda spec=spec: spec["podSelector"]["matchLabels"],
            "PodDisruptionBudget": lambda spec=spec: spec["selector"]["matchLabels"],
            "Deployment": lambda spec=spec: spec["selector"]["matchLabels"],
            "StatefulSet": lambda spec=spec: spec["selector"]["matchLabels"],
        }.get(one["kind"])
        if selector is not None:
            found = [name for name, pod in made.items() if selector().items() <= pod["metadata"]["labels"].items()]
            assert found == [one["metadata"]["labels"]["app.kubernetes.io/component"]], one["metadata"]["name"]
    assert {name for name, _ in pods(documents)} == {one["metadata"]["labels"]["app.kubernetes.io/component"] for one in of(documents, "NetworkPolicy")}  # fmt: skip
    services = {one["metadata"]["labels"]["app.kubernetes.io/component"]: one for one in of(documents, "Service")}
    assert set(services) == set(KINDS)
    for name, service in services.items():
        (port,) = service["spec"]["ports"]
        assert port["port"] == KINDS[name].port
    budgets = {one["metadata"]["labels"]["app.kubernetes.io/component"] for one in of(documents, "PodDisruptionBudget")}
    assert budgets == set(KINDS)
    assert [one["metadata"]["name"] for one in of(rendered(LEAST), "PodDisruptionBudget")] == ["deskpulse-worker"]


def test_network_policies_let_in_who_may_and_out_to_whom_is_needed() -> None:
    policies = {one["metadata"]["labels"]["app.kubernetes.io/component"]: one["spec"] for one in of(rendered(WHOLE), "NetworkPolicy")}  # fmt: skip
    settings = WHOLE["networkPolicy"]
    for name, spec in policies.items():
        assert spec["policyTypes"] == ["Ingress", "Egress"]
        ports = [port["port"] for rule in spec["ingress"] for port in rule["ports"]]
        assert ports == ([KINDS[name].port] if name in KINDS else [])
        out = {port["port"] for rule in spec["egress"] for port in rule["ports"]}
        assert 53 in out
    assert policies["worker"]["ingress"][0]["from"] == settings["metricsFrom"]
    assert policies["wallboard"]["ingress"][0]["from"] == settings["from"] + settings["metricsFrom"]
    reached = {name: {port["port"] for rule in spec["egress"] for port in rule["ports"]} - {53} for name, spec in policies.items()}  # fmt: skip
    assert reached == {
        "worker": {9092, 6379}, "incidents": {9092}, "notifier": {9092, 5432, 443, 465, 587}, "wallboard": {6379, 5432},
        "scores": {9092, 5432}, "history": {9092, 6379, 5432}, "web": {9092, 5432, 443, 465, 587}, "gateway": {9092},
        "setup": {9092, 6379, 5432}, "console": {9092, 6379, 5432},
    }  # fmt: skip


def test_an_ingress_leads_to_what_is_for_people_only() -> None:
    paths = {
        one["metadata"]["labels"]["app.kubernetes.io/component"]: [
            way["path"] for rule in one["spec"]["rules"] for way in rule["http"]["paths"]
        ]
        for one in of(rendered(merged(WHOLE, _ingress("scores"))), "Ingress")
    }
    assert paths == {
        "notifier": ["/acknowledge/"],
        "wallboard": ["/"],
        "scores": ["/"],
        "web": ["/"],
        "gateway": ["/events/"],
    }
    by_name = dict(pods(rendered(WHOLE)))
    for name in ("wallboard", "web"):
        _, context = parsed(by_name[name]["spec"]["containers"][0]["args"])
        assert list(context.params["allow_host"]) == [WHOLE[name]["ingress"]["host"]]
    assert environment(by_name["wallboard"]["spec"]["containers"][0])["DESKPULSE_WEB_URL"] == "https://desk.example.org"


# -- watching ----------------------------------------------------------------------------------------------------------


def test_rules_and_boards_are_those_of_the_repository() -> None:
    for path in (CHART / "files").iterdir():
        assert path.is_symlink()
        assert path.resolve().parent in (ROOT / "deploy" / "prometheus", ROOT / "deploy" / "grafana" / "boards")
    sources = sorted((ROOT / "deploy" / "prometheus").glob("*.rules.yaml"))
    groups = [group for path in sources for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]]
    (made,) = of(rendered(put(WHOLE, "monitoring.rules.runbooks", "")), "PrometheusRule")
    assert made["spec"]["groups"] == groups
    (boards,) = (one for one in of(rendered(WHOLE), "ConfigMap") if one["metadata"]["name"].endswith("-boards"))
    there = {
        path.name: path.read_text(encoding="utf-8") for path in (ROOT / "deploy" / "grafana" / "boards").glob("*.json")
    }
    assert boards["data"] == there
    (linked,) = of(rendered(WHOLE), "PrometheusRule")
    for group in linked["spec"]["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                assert rule["annotations"]["runbook_url"] == f"https://git.example.org/deskpulse/blob/main/{rule['annotations']['runbook']}"  # fmt: skip


def test_no_alert_tells_that_what_is_off_is_gone() -> None:
    def alerts(values: Values) -> set[str]:
        (made,) = of(rendered(merged(values, _MONITOR)), "PrometheusRule")
        return {rule["alert"] for group in made["spec"]["groups"] for rule in group["rules"] if "alert" in rule}

    assert alerts(WHOLE) - alerts(LEAST) == {"DeskpulseNotifierGone", "DeskpulseGatewayGone"}
    off = merged(LEAST, {name: {"enabled": False} for name in ("incidents", "wallboard", "scores", "history", "web")})
    assert not {name for name in alerts(off) if name.endswith("Gone")} - {"DeskpulseWorkersGone"}


def test_jobs_are_called_as_the_rules_have_them() -> None:
    config = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    jobs = {one["job_name"]: one.get("metrics_path", "/metrics") for one in config["scrape_configs"]}
    documents = rendered(WHOLE)
    made = {
        relabel["replacement"]: endpoint["path"]
        for monitor in of(documents, "ServiceMonitor")
        for endpoint in monitor["spec"]["endpoints"]
        for relabel in endpoint["relabelings"]
        if relabel["targetLabel"] == "job"
    }
    assert made == jobs
    services = {one["metadata"]["name"]: one["metadata"]["labels"] for one in of(documents, "Service")}
    for monitor in of(documents, "ServiceMonitor"):
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        assert [name for name, labels in services.items() if wanted <= labels.items()] == [monitor["metadata"]["name"]]


def test_values_say_what_each_of_them_is() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    assert jsonschema_rs.meta.is_valid(schema)

    def told(part: Mapping[str, Any], values: Any, path: str) -> None:
        part = schema["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
        if isinstance(values, dict) and "properties" in part:
            assert part["additionalProperties"] is False, path
            assert set(values) <= set(part["properties"]), path
            for name, value in values.items():
                told(part["properties"][name], value, f"{path}.{name}")

    told(schema, DEFAULTS, "")


@pytest.fixture(autouse=True, scope="module")
def _closed() -> Iterator[None]:
    yield
    chart().close()
    chart.cache_clear()


def test_values_are_merged_here_as_helm_does() -> None:
    for values in (LEAST, *EXAMPLES.values()):
        assert chart().merge_values(values) == merged(DEFAULTS, values)
