"""Holds what the files in deploy/ say to the program against the program: flags, variables, keys, ports, versions.

settings.py ROOT BINARY RENDERED…, where RENDERED are manifests of Kubernetes as kustomize writes them.
"""

import pathlib
import re
import subprocess
import sys
import tomllib

import yaml


def main(root: pathlib.Path, binary: str, rendered: list[pathlib.Path]) -> None:
    program = Program(root, binary)
    deploy = root / "deploy"
    wrong = []
    for file in sorted(file for file in deploy.rglob("*") if file.is_file()):
        wrong += [f"{file.relative_to(root)}: {fault}" for fault in program.faults_of_text(file.read_text())]
    wrong += program.faults_of_toml(deploy / "systemd/binnacle.toml")
    composed = yaml.safe_load((deploy / "compose.yaml").read_text())["services"]["binnacle"]["command"]
    wrong += program.faults_of_command(composed[0], composed[1:])
    for file in rendered:
        documents = [document for document in yaml.safe_load_all(file.read_text()) if document]
        wrong += [f"{file.stem}: {fault}" for fault in faults_of_manifests(documents, program)]
    wrong += faults_of_versions(root, rendered)
    if wrong:
        raise SystemExit("\n".join(wrong))
    print(f"{program.asked} flags, variables and keys are the program's own")


class Program:
    def __init__(self, root, binary):
        self.binary = binary
        self.asked = 0
        self.helps = {}
        # Some variables are no flags, so that no help names them: secrets.
        sources = "".join(source.read_text() for source in sorted((root / "src").rglob("*.rs")))
        self.variables = set(re.findall(r'"(BINNACLE_\w+)"', sources))
        assert len(self.variables) > 20, "the sources are not read"
        self.commands = re.findall(r"^  (\w+) ", self.help(), re.MULTILINE)
        assert "serve" in self.commands, self.commands

    def help(self, *command):
        if command not in self.helps:
            asked = subprocess.run([self.binary, *command, "--help"], capture_output=True, text=True)
            self.helps[command] = asked.stdout if asked.returncode == 0 else None
        return self.helps[command]

    def faults_of_command(self, name, words, inner=None):
        """The flags in the words of one command."""
        command = (name, inner) if inner else (name,)
        said = self.help(*command)
        if said is None:
            return [f"there is no binnacle {' '.join(command)}"]
        known = set(re.findall(r"--[a-z][\w-]+", said))
        flags = [match[0] for word in words if (match := re.match(r"--[a-z][\w-]+", word))]
        self.asked += len(flags)
        return [f"binnacle {' '.join(command)} has no {flag}" for flag in flags if flag not in known]

    def faults_of_text(self, text):
        """Variables anywhere, and the commands in blocks of a shell, comments and arguments of an image."""
        found = set(re.findall(r"\bBINNACLE_\w+", text))
        self.asked += len(found)
        wrong = [f"there is no variable {name}" for name in sorted(found - self.variables)]
        joined = text.replace("\\\n", " ")
        # Where a shell, a container or systemd runs it.
        ran = re.findall(r"(?:^|-- |-T |/usr/bin/)(?:[A-Z_]+=\S+ )*binnacle ([a-z]\S*)", joined, re.MULTILINE)
        wrong += [f"there is no binnacle {name}" for name in ran if name not in self.commands]
        # What it is told, also in a sentence.
        commands = "|".join(self.commands)
        for line in re.findall(rf"\bbinnacle(?: --)? +((?:{commands}) [^\n`]*)", joined):
            words = re.split(r"[>|&;#)]", line)[0].split()
            inner = words[1] if words[0] == "keys" and len(words) > 1 else None
            wrong += self.faults_of_command(words[0], words[1:], inner)
        for quoted in re.findall(r'"/usr/bin/binnacle", "(\w+)"', text):
            wrong += self.faults_of_command(quoted, [])
        return wrong

    def faults_of_toml(self, file):
        # What is commented out is there to be used.
        text = re.sub(r"^# (\w+ = )", r"\1", file.read_text(), flags=re.MULTILINE)
        lines = {}
        for line in text.splitlines():
            lines |= tomllib.loads(line)
        self.asked += len(lines)
        assert lines, f"{file} is not read"
        known = self.help("serve")
        return [f"{file.name}: there is no setting {key}" for key in lines if f"--{key.replace('_', '-')} " not in known]


def faults_of_manifests(documents, program):
    """Kubernetes takes names that nothing has, and waits."""
    of_kind = {}
    for document in documents:
        of_kind.setdefault(document["kind"], []).append(document)
    (stateful,) = of_kind["StatefulSet"]
    pod = stateful["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    wrong = program.faults_of_command(container["args"][0], container["args"][1:])
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    listens = {int(flag.rpartition(":")[2]) for flag in container["args"] if "listen=" in flag}
    if listens != set(ports.values()):
        wrong.append(f"it listens on {listens}, and its ports are {ports}")
    named = [port["targetPort"] for service in of_kind["Service"] for port in service["spec"]["ports"]]
    named += [port["port"] for rule in of_kind["NetworkPolicy"][0]["spec"]["ingress"] for port in rule["ports"]]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[probe].get("httpGet") or container[probe]["grpc"]
        named.append(asked["port"])
    wrong += [f"there is no port {port}" for port in named if port not in ports and port not in ports.values()]
    volumes = {volume["name"] for volume in pod.get("volumes", [])}
    volumes |= {claim["metadata"]["name"] for claim in stateful["spec"]["volumeClaimTemplates"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    wrong += [f"there is no volume {name}" for name in mounts if name not in volumes]
    for variable in container["env"]:
        path = variable["value"]
        if path.startswith("/") and not any(path.startswith(mount + "/") for mount in mounts.values()):
            wrong.append(f"{variable['name']} is {path}, and nothing is mounted there")
    return wrong


def faults_of_versions(root, rendered):
    """The image has the version of the program."""
    version = tomllib.loads((root / "Cargo.toml").read_text())["package"]["version"]
    files = [*(root / "deploy").rglob("*.yaml"), root / "deploy/Dockerfile", root / "deploy/README.md", *rendered]
    found = [(file.name, tag) for file in files for tag in re.findall(r"\bbinnacle:(\d+\.\d+\.\d+)", file.read_text())]
    assert len(found) > 3, f"no image is found: {found}"
    return [f"{file} names the image {tag}, and this is {version}" for file, tag in found if tag != version]


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2], [pathlib.Path(file) for file in sys.argv[3:]])
