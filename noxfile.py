"""What can be run here, each in an environment of its own: see README.md, or `nox --list`."""

from __future__ import annotations

import json
from pathlib import Path

import nox

nox.needs_version = ">=2024.3.2"
nox.options.sessions = ["lint", "engine"]
nox.options.error_on_missing_interpreters = False  # a ring that needs another Python is skipped, and says so
nox.options.reuse_existing_virtualenvs = True

EXAMPLE = Path("examples/facade")
OUTPUT = Path("out/facade")
FRAMES = 48


@nox.session
def lint(session: nox.Session) -> None:
    """Check the format, the rules and the types."""
    session.install("-e", ".", "ruff==0.17.6", "mypy==2.4.1")
    session.run("ruff", "format", "--check")
    session.run("ruff", "check")
    session.run("mypy")


@nox.session(tags=["tests"])
def engine(session: nox.Session) -> None:
    """Test the engine and the instruments that measure it, without Blender."""
    session.install("-e", ".", "pytest==9.2.0")
    install_reference_solver(session)
    session.run("pytest", "-rs", "tests/engine", "tests/benchmarks", *session.posargs)


@nox.session(name="addon-4.5", python="3.11", tags=["tests"])
def addon_4_5(session: nox.Session) -> None:
    """Build the add-on's zip, install it into Blender 4.5 and test it there."""
    session.install("bpy==4.5.15", "pytest==9.2.0")
    session.run("pytest", "-rs", "tests/addon", *session.posargs)


@nox.session(name="addon-5.2", python="3.13", tags=["tests"])
def addon_5_2(session: nox.Session) -> None:
    """Build the add-on's zip, install it into Blender 5.2 and test it there."""
    session.install("bpy==5.2.3", "pytest==9.2.0")
    session.run("pytest", "-rs", "tests/addon", *session.posargs)


@nox.session
def demo(session: nox.Session) -> None:
    """Turn the still that the project ships into a loop, with the installed shell command."""
    session.install(".")
    OUTPUT.mkdir(parents=True, exist_ok=True)
    strokes = json.loads((EXAMPLE / "strokes.json").read_text())
    arguments = []
    for stroke in strokes:
        arguments += ["--stroke", " ".join(f"{x},{y}" for x, y in stroke)]
    session.run(
        *("endless-loops", "animate", str(EXAMPLE / "still.png"), "--mask", str(EXAMPLE / "mask.png")),
        *arguments,
        *("--frames", str(FRAMES), "--output", str(OUTPUT / "frames")),
        *("--video", str(OUTPUT / "loop.mp4"), "--loop", str(OUTPUT / "facade.loop")),
    )
    session.log(f"The loop: {OUTPUT / 'loop.mp4'}, its frames: {OUTPUT / 'frames'}")


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Print every figure the project states, beside the plain recipe of the paper."""
    session.install("-e", ".")
    install_reference_solver(session)
    session.run("python", "-m", "tests.benchmarks", *session.posargs)


def install_reference_solver(session: nox.Session) -> None:
    """Install pydensecrf2, which is compiled on the spot: without a C++ compiler its tests are skipped."""
    session.install("-e", ".[reference]", success_codes=range(256), silent=True)
