"""The import rules: which package may import which, and what may touch the process (docs/architecture.md)."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import signpath_ci

ROOT = Path(signpath_ci.__file__).parent
FLOOR = {"", "caches", "checkout", "clock", "errors", "hosts", "files", "model", "streams", "text", "values", "wheels"}
"""What everybody may use."""

MAY_IMPORT = {
    "api": set(),
    "artifact_configuration": {"formats"},
    "checkout": set(),
    "cli": {"commands", "platforms", "settings"},
    "commands": {
        "artifact_configuration", "metadata", "origin", "platforms", "report", "sandbox", "settings", "signing",
        "verify", "workflows",
    },
    "caches": set(),
    "wheels": set(),
    "clock": set(),
    "errors": set(),
    "files": set(),
    "hosts": set(),
    "error_codes": set(),
    "formats": set(),
    "logs": set(),
    "metadata": set(),
    "model": set(),
    "origin": set(),
    "platforms": {"api", "origin", "report", "settings", "signing"},
    "release_metadata": set(),
    "report": set(),
    "sandbox": {"artifact_configuration", "formats", "verify"},
    "settings": {"schema"},
    "schema": set(),
    "signing": {"api", "formats", "schema"},
    "streams": set(),
    "text": set(),
    "values": set(),
    "verify": {"artifact_configuration", "formats"},
    "workflows": {
        "api", "artifact_configuration", "formats", "metadata", "origin", "platforms", "release_metadata", "report",
        "settings", "signing", "verify",
    },
    "__main__": {"cli", "logs", "platforms", "settings", "workflows"},
    "": {"platforms", "verify"},
}  # fmt: skip
EDGE = {"__main__", "cli", "logs"}
HEAVY = ("asyncio", "cryptography", "pyasn1", "requests", "rich", "starlette", "urllib3", "uvicorn", "yaml")


def _modules() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        first = path.relative_to(ROOT).parts[0].removesuffix(".py")
        found.append(("" if first == "__init__" else first, path))
    return found


def _imports(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole path"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize(("package", "path"), [pytest.param(r, p, id=str(p.relative_to(ROOT))) for r, p in _modules()])
def test_imports_go_down_only(package: str, path: Path) -> None:
    imported = {
        [*name.split("."), ""][1]
        for name in _imports(ast.parse(path.read_text("utf-8")))
        if name.startswith("signpath_ci")
    }
    packages = {part if (ROOT / part).is_dir() or (ROOT / f"{part}.py").is_file() else "" for part in imported}

    assert packages - FLOOR - {package} - MAY_IMPORT[package] == set()


@pytest.mark.parametrize(("package", "path"), [pytest.param(r, p, id=str(p.relative_to(ROOT))) for r, p in _modules()])
def test_only_the_entry_point_touches_the_process(package: str, path: Path) -> None:
    if package in EDGE or path in {ROOT / "sandbox" / name for name in ("server.py", "background.py")}:
        return
    tree = ast.parse(path.read_text("utf-8"))
    touched = {
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node)
        in {"os.environ", "os.getenv", "sys.exit", "sys.argv", "sys.stdout", "sys.stderr", "time.sleep"}
    }
    calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}

    assert touched - ({"time.sleep"} if package == "clock" else set()) == set()
    assert calls & {"print", "exit", "input"} == set()


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys, contextlib\n"
        "sys.argv = ['signpath-ci', '--help']\n"
        "from signpath_ci.__main__ import main\n"
        "with contextlib.suppress(SystemExit): main()\n"
        "print('IMPORTED', *sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    modules = finished.stdout.partition("IMPORTED ")[2].split()
    assert "argparse" in modules
    assert [name for name in modules if name.partition(".")[0] in HEAVY] == []
