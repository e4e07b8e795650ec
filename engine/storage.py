"""Files and folders that appear whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import BadFile


@contextmanager
def replaced_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a path beside the target to write to; on success it takes the target's place in one step.

    Folders above it are made.

    Raises
    ------
    BadFile
        When the folder can't be written, or what is there is no file; it is then still there.
    """
    check_replaceable_file(path)
    target = _target(path)
    temporary = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{target.stem}-", suffix=Path(path).suffix, dir=target.parent
        )
        os.close(handle)
        temporary = Path(name)
        temporary.chmod(0o666 & ~_umask())
        yield temporary
        os.replace(temporary, target)
    except OSError as reason:
        raise BadFile(f"Can't write {path}: {_why(reason)}.") from reason
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def replaced_folder(path: str | os.PathLike[str], ours: Callable[[str], bool]) -> Iterator[Path]:
    """Yield an empty folder beside the target to fill; on success it takes the target's place.

    Parameters
    ----------
    path : path
        The folder wanted. Folders above it are made.
    ours : callable
        Says of a file's name, or of a folder's with a slash behind it, whether what a previous run
        wrote may hold it. A folder that holds anything else isn't touched.

    Raises
    ------
    BadFile
        When the folder can't be written or holds other files.
    """
    target = _target(path)
    temporary = previous = None
    try:
        check_replaceable(target, ours)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        temporary.chmod(0o777 & ~_umask())
        yield temporary
        if target.exists():
            previous = temporary.with_name(temporary.name + "-previous")
            os.rename(target, previous)
        os.rename(temporary, target)
    except OSError as reason:
        raise BadFile(f"Can't write {target}: {_why(reason)}.") from reason
    finally:
        if previous is not None and previous.exists() and not target.exists():
            os.rename(previous, target)  # whatever came between the two
        for leftover in (temporary, previous):
            if leftover is not None:
                shutil.rmtree(leftover, ignore_errors=True)


def check_replaceable_file(path: str | os.PathLike[str]) -> None:
    """Refuse what `replaced_file` wouldn't replace: a folder, or a device that would become a file.

    Raises
    ------
    BadFile
    """
    if os.path.exists(path) and not os.path.isfile(path):
        raise BadFile(f"{path} is a folder, a device or a pipe: choose a file.")


def check_replaceable(folder: Path, ours: Callable[[str], bool]) -> None:
    """Refuse a folder that `replaced_folder` wouldn't replace.

    Raises
    ------
    BadFile
    """
    with reading(folder):
        if folder.is_dir():
            names = (entry.name + "/" * entry.is_dir() for entry in folder.iterdir())
            foreign = sorted(name for name in names if not ours(name))
            if foreign:
                raise BadFile(
                    f"The folder {folder} holds other files ({foreign[0]}): choose a new or an empty one."
                )
        elif folder.exists():
            raise BadFile(f"{folder} is a file: choose a folder for the frames.")


@contextmanager
def reading(path: str | os.PathLike[str]) -> Iterator[None]:
    """Say in a sentence what the system refuses while a path is read.

    Raises
    ------
    BadFile
    """
    try:
        yield
    except OSError as reason:
        raise BadFile(f"Can't read {path}: {_why(reason)}.") from reason


def _target(path: str | os.PathLike[str]) -> Path:
    """Follow a link to where it leads: what is written goes there, and the link stays one."""
    if not os.fspath(path):
        raise BadFile("The path to write to is empty: choose a file or a folder.")
    return Path(os.path.realpath(path))


def _why(reason: OSError) -> str:
    return (reason.strerror or str(reason)).lower()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
