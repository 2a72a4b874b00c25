"""Makes a component of the project in the current folder: `python -m bellwether.build WIT`, run by build.sh.

The class is checked against plugin.toml first, natively and at once. Then sources are copied to `build/app`, for
componentize-py looks through everything beside them, and componentize-py, which takes some seconds, comes last. Runs natively, in the
Python of the tools; nothing of it gets into a component.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib

#: Where things are put, below the project.
BUILD = pathlib.Path("build")

#: The author's module.
MODULE = "plugin"

#: Parts of the contract a world needs, in the order the parser wants; by the last but one word of its name.
PACKAGES = {
    "drift": ["types", "host", "drift"],
    "model": ["types", "host", "nn", "model"],
    "deploy": ["types", "host", "deploy"],
    "alert": ["types", "host", *(f"wasi/{name}.wit" for name in "io clocks random filesystem sockets cli http".split()), "alert"],
}

#: Interfaces of the alert handler's world that need asking for, by the word under [wants].
WANTED = {"bellwether:host/clock": "clock", "bellwether:host/secrets": "secrets", "wasi:http/outgoing-handler": "http"}

#: Run beside the author's module: prints what it registers. (`bellwether.register` is the function; its module hides.)
INSPECT = """
import json, sys, plugin
found = sys.modules["bellwether.register"]
print(json.dumps([
    [cls.name, cls.version, cls.summary, *found.KINDS[found.base_of(cls)][:2]] for cls in found.registered
]))
"""


def fail(message: str) -> None:
    """Ends the build."""
    sys.exit(f"build: {message}")


def main() -> None:
    wit = pathlib.Path(sys.argv[1])
    if not pathlib.Path("plugin.toml").is_file() or not pathlib.Path(f"{MODULE}.py").is_file():
        fail(f"run it in a project: a folder with plugin.toml and {MODULE}.py")
    manifest = tomllib.loads(pathlib.Path("plugin.toml").read_text(encoding="utf-8"))
    world = inspect(manifest)
    app = stage()
    component = BUILD / f"{manifest['name']}.wasm"
    componentize(app, wit, world, manifest.get("wants", {}), component)
    print(f"{component}: {component.stat().st_size / 1e6:.1f} MB")


def stage() -> pathlib.Path:
    """Copies modules, packages and data of the project, and the SDK, to one folder; what is for tests stays out."""
    app = BUILD / "app"
    shutil.rmtree(app, ignore_errors=True)
    app.mkdir(parents=True)
    for path in sorted(pathlib.Path().iterdir()):
        if path.suffix in (".py", ".json") and not path.name.startswith("test_"):
            shutil.copy(path, app)
        elif (path / "__init__.py").is_file() and path.name not in ("bellwether", "tests"):
            shutil.copytree(path, app / path.name, ignore=shutil.ignore_patterns("__pycache__"))
    sdk = pathlib.Path(__file__).parent
    shutil.copytree(sdk, app / "bellwether", ignore=shutil.ignore_patterns("__pycache__", "testing", "build.py"))
    return app


def inspect(manifest: dict) -> str:
    """The world of what the project registers, which must be what its manifest says."""
    paths = [str(pathlib.Path(__file__).resolve().parent.parent), "vendor"]
    native = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", INSPECT], env=native, capture_output=True, text=True)
    if done.returncode:
        fail(f"{MODULE}.py cannot be loaded:\n{done.stderr.strip()}")
    registered = json.loads(done.stdout.splitlines()[-1])
    if len(registered) != 1:
        fail(f"{MODULE}.py must register one class with @bellwether.register; it registers {len(registered)}")
    name, version, summary, kind, world = registered[0]
    for key, value in (("name", name), ("version", version), ("summary", summary), ("kind", kind)):
        if manifest.get(key) != value:
            fail(f"plugin.toml says {key} = {manifest.get(key)!r}, the class says {value!r}: they must be equal")
    return world


def componentize(app: pathlib.Path, wit: pathlib.Path, world: str, wants: dict, component: pathlib.Path) -> None:
    """Runs componentize-py. Its stubs for WASI replace `wasi:http` too, so what wants http is made without them."""
    package = world.partition(":")[2].partition("/")[0]
    paths = [wit / name for name in PACKAGES[package]]
    wants_http = package == "alert" and bool(wants.get("http"))
    if package == "alert":
        paths.append(narrowed(wit, wants))
        world = "bellwether:built/plugin"
    arguments = [*(part for path in paths for part in ("-d", str(path))), "-w", world, "componentize"]
    arguments += [*([] if wants_http else ["--stub-wasi"]), "-p", str(app)]
    arguments += ["-p", "vendor"] if pathlib.Path("vendor").is_dir() else []
    arguments += [MODULE, "-o", str(component)]
    call = "import sys, componentize_py; sys.argv[0] = 'componentize-py'; sys.exit(componentize_py.script())"
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run([sys.executable, "-c", call, *arguments], env=environment, capture_output=True, text=True)
    if done.returncode:
        # Behind "Stack backtrace" come a hundred lines about componentize-py itself.
        fail(f"componentize-py: {(done.stdout + done.stderr).partition('Stack backtrace')[0].strip()}")


def narrowed(wit: pathlib.Path, wants: dict) -> pathlib.Path:
    """The alert handler's world without what the manifest does not want: a Python component imports all of its world, and
    the host refuses an import that was not asked for."""
    contract = (wit / "alert/alert.wit").read_text(encoding="utf-8")
    version = re.search(r"^package bellwether:alert@([^;]+);", contract, re.MULTILINE)
    body = re.search(r"^world alert-handler \{(.*?)^\}", contract, re.MULTILINE | re.DOTALL)
    if not version or not body:
        fail(f"{wit}/alert/alert.wit has no world alert-handler")
    lines = []
    for line in body[1].strip().splitlines():
        interface = line.strip().removeprefix("import ").partition("@")[0]
        if wants.get(WANTED.get(interface, ""), interface not in WANTED):
            lines.append(line.replace("export handler;", f"export bellwether:alert/handler@{version[1]};"))
    world = BUILD / "world.wit"
    world.write_text("package bellwether:built;\n\nworld plugin {\n" + "\n".join(lines) + "\n}\n", encoding="utf-8")
    return world


if __name__ == "__main__":
    main()
