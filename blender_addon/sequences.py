"""Folders of numbered frames that appear, and are replaced, in one step. Needs no Blender."""

import os
import re
import shutil
import tempfile
from pathlib import Path

from .errors import Refused


def check_replaceable(target):
    """Refuse a folder that holds anything but an earlier sequence: replacing it would take that away."""
    if not target.exists():
        return
    frame = re.compile(re.escape(target.name) + r"_\d+\.\w+")
    foreign = [name for name in os.listdir(target) if not frame.fullmatch(name)]
    if foreign:
        raise Refused(f"{target} holds other files, such as {foreign[0]}: choose another folder")


def begin(target):
    """An empty folder beside `target` to write the frames in; what a killed run left there is removed."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for left_over in target.parent.glob(f".{target.name}.part-*"):
            shutil.rmtree(left_over)
        return Path(tempfile.mkdtemp(prefix=f".{target.name}.part-", dir=target.parent))
    except OSError as error:
        raise Refused(
            f"Nothing can be written in {target.parent} ({error.strerror}): choose another folder"
        ) from error


def frame_path(folder, name, index, extension):
    """The path of frame `index`, counted from 1 on disk."""
    return folder / f"{name}_{index + 1:04d}{extension}"


def commit(part, target):
    """Put the finished folder `part` in the place of `target`; returns its files in order."""
    retired = target.with_name(f".{target.name}.part-retired")
    try:
        part.chmod(0o755)  # mkdtemp's folders are private; an artist's render node must read this one
        if target.exists():
            target.rename(retired)
        part.rename(target)
    except OSError as error:
        if retired.exists() and not target.exists():
            retired.rename(target)
        raise Refused(f"{target} can't be replaced ({error.strerror}): is a frame open elsewhere?") from error
    shutil.rmtree(retired, ignore_errors=True)
    return sorted(target.iterdir())


def discard(part):
    """Remove a half-made folder."""
    shutil.rmtree(part, ignore_errors=True)
