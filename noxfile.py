"""What can be run here, each in an environment of its own: see README.md, or `nox --list`."""

from __future__ import annotations

import shutil
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.needs_version = ">=2024.3.2"
nox.options.sessions = ["lint", "engine"]
nox.options.error_on_missing_interpreters = False  # a ring that needs another Python is skipped, and says so
nox.options.reuse_existing_virtualenvs = True

BLENDER = {"4.5": "bpy==4.5.15", "5.2": "bpy==5.2.3"}  # Blender as a Python module: what the tests run in
GIGABYTES = 4  # what an environment with Blender, the zips built in it and a window's own Blender fill


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
    install_blender(session, "4.5", "pytest==9.2.0")
    session.run("pytest", "-rs", "tests/addon", *session.posargs)


@nox.session(name="addon-5.2", python="3.13", tags=["tests"])
def addon_5_2(session: nox.Session) -> None:
    """Build the add-on's zip, install it into Blender 5.2 and test it there."""
    install_blender(session, "5.2", "pytest==9.2.0")
    session.run("pytest", "-rs", "tests/addon", *session.posargs)


@nox.session(python="3.13")
def window(session: nox.Session) -> None:
    """Test the add-on in a real window, under Xvfb; says so where that can't be put up."""
    install_blender(session, "5.2", "pytest==9.2.0")
    session.run("pytest", "-rs", "tests/window", *session.posargs)


@nox.session(python="3.11")
def demo(session: nox.Session) -> None:
    """Make a loop of the still that the project ships, in Blender, with the add-on's zip built first."""
    session.install(BLENDER["4.5"])
    session.run("python", "build_addon.py", "--series", "4.5", "--platform", "this")
    zip_file = max(Path("dist").glob("*-blender4.5-*.zip"), key=lambda path: path.stat().st_mtime)
    sandbox = {"BLENDER_USER_RESOURCES": str(Path(session.create_tmp()).resolve())}
    session.run("python", "examples/facade_in_blender.py", str(zip_file), env=sandbox)
    session.log("The movie, the sequence and the .blend with the strip are in out/facade")


@nox.session
def pictures(session: nox.Session) -> None:
    """Make the README's pictures anew from what `demo` and `window` left in out/."""
    session.install("pillow==13.0.0")
    session.run("python", "examples/make_pictures.py")


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Print every figure the project states, beside the plain recipe of the paper."""
    session.install("-e", ".")
    install_reference_solver(session)
    session.run("python", "-m", "tests.benchmarks", *session.posargs)


@nox.session(name="to-sequencer", python="3.13")
def to_sequencer(session: nox.Session) -> None:
    """Print how long To Sequencer takes, over the engine's own writing, and registering."""
    session.install(BLENDER["5.2"])
    session.run("python", "-m", "tests.benchmarks.registering")
    session.run("python", "-m", "tests.benchmarks.to_sequencer")


def install_blender(session: nox.Session, series: str, *others: str) -> None:
    """Install Blender as a Python module; where there is no room or no registry, skip the session."""
    free = shutil.disk_usage(".").free / 1e9
    if free < GIGABYTES:
        session.skip(
            f"Blender {series} and its tests take {GIGABYTES} GB of disk, and {free:.1f} GB are free"
        )
    try:
        session.install(BLENDER[series], *others)
    except CommandFailed:
        session.skip(f"{BLENDER[series]} can't be installed on this machine: pip says why above")


def install_reference_solver(session: nox.Session) -> None:
    """Install pydensecrf2, which is compiled on the spot: without a C++ compiler its tests are skipped."""
    session.install("-e", ".[reference]", success_codes=range(256), silent=True)
