"""The only writer of files: whenever one looks, a file is whole, as it was or as it is now."""

import os
import secrets
import signal
import stat
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from distillplan.errors import InputError
from distillplan.named_tuples import NamedTuple

TEMPORARY: Final = ".distillplan-"
"""How the name of a file begins that is not yet in its place."""
STALE_SECONDS: Final = 3600.0
"""Age of a temporary file that nobody writes any more: its process was killed."""
_HELD: Final = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that wait until a file is in its place; not every system has all."""


class NamedFile(NamedTuple):
    """A file as somebody named it."""

    what: str
    """What it is, for messages, such as ``--save``."""
    path: str
    """Its path; ``-`` is standard input."""


def save(path: Path, content: str | bytes) -> None:
    """Put a text, or the bytes of a picture, where a file is, or is to be, in one step.

    It is written and synced under another name in the same folder, and then renamed. A link
    stays a link and its target is replaced; an existing file keeps its permissions. Signals that
    end the process wait for these milliseconds, so they leave no temporary file; what a killed
    process leaves is removed by a later save.

    Raises:
        InputError: when it cannot be written; what was there before is there still.
    """
    target = Path(os.path.realpath(path))
    try:
        with _signals_waiting():
            _remove_stale(target.parent)
            _replace(target, content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None


def save_all(folder: NamedFile, texts: Mapping[str, str]) -> tuple[Path, ...]:
    """Put new files into a folder, all or none; the folder is made where it is missing.

    Args:
        folder: as somebody named it.
        texts: by the names of the files.

    Returns:
        Where they are now.

    Raises:
        InputError: when one of them is there already, or one cannot be written; then none is.
    """
    place = Path(folder.path)
    demand_savable_in(folder)
    paths = tuple(place / name for name in texts)
    for path in paths:
        if path.exists() or path.is_symlink():
            raise InputError(f"{folder.what}: {path} exists; remove it, or name another folder")
    made, done = not place.exists(), list[Path]()
    try:
        with _signals_waiting():
            try:
                place.mkdir(exist_ok=True)
                for path, text in zip(paths, texts.values(), strict=True):
                    _replace(path, text.encode())
                    done.append(path)
            except OSError:
                for path in done:
                    path.unlink(missing_ok=True)
                if made:
                    with suppress(OSError):
                        place.rmdir()
                raise
    except OSError as error:
        raise InputError(f"{folder.what}: {place} cannot be written: {error.strerror}") from None
    return paths


def demand_savable_in(folder: NamedFile) -> None:
    """Refuse a place that is no folder to write in, and where none can be made.

    Raises:
        InputError: for a file, a missing parent, or where permissions are missing.
    """
    try:
        place = Path(os.path.realpath(folder.path))
        there, is_folder, parent = place.exists(), place.is_dir(), place.parent.is_dir()
    except (OSError, ValueError) as error:  # a name that no folder can have
        reason = getattr(error, "strerror", None) or "not a folder name"
        raise InputError(f"{folder.what}: {folder.path!r} cannot be written: {reason}") from None
    if there and not is_folder:
        raise InputError(f"{folder.what}: {folder.path} is a file; name a folder")
    if not there and not parent:
        raise InputError(
            f"{folder.what}: the folder {place.parent} does not exist; create it first"
        )
    target = place if there else place.parent
    if not os.access(target, os.W_OK):
        raise InputError(f"{folder.what}: {target} is read-only; name another folder")


def demand_savable(name: NamedFile) -> None:
    """Refuse, before any work is done, a place where no file can be saved.

    Raises:
        InputError: for a folder, a device, a missing folder, or where permissions are missing.
    """
    try:
        target = Path(os.path.realpath(name.path))
        there = target.stat().st_mode if target.exists() else None
    except (OSError, ValueError) as error:  # a name that no file can have
        reason = getattr(error, "strerror", None) or "not a file name"
        raise InputError(f"{name.what}: {name.path!r} cannot be written: {reason}") from None
    if there is not None and not stat.S_ISREG(there):
        kind = "a folder" if stat.S_ISDIR(there) else "a device or a pipe"
        raise InputError(f"{name.what}: {name.path} is {kind}; name a file")
    if target.is_symlink():  # after all links were followed
        raise InputError(f"{name.what}: {name.path} is a link to itself; name another file")
    ends_as_folder = name.path.endswith(("/", os.sep))  # which realpath leaves out
    if ends_as_folder and there is not None:
        raise InputError(f"{name.what}: {name.path} is a file, not a folder; leave the / out")
    folder = target if ends_as_folder else target.parent
    if not folder.is_dir():
        raise InputError(f"{name.what}: the folder {folder} does not exist; create it first")
    for one in (folder, target):
        if one.exists() and not os.access(one, os.W_OK):
            raise InputError(
                f"{name.what}: {one} is read-only; name another file, or allow writing"
            )


def demand_apart(outputs: Iterable[NamedFile], inputs: Iterable[NamedFile]) -> None:
    """Refuse to write a file that the same command reads, or writes as something else.

    Raises:
        InputError: naming both.
    """
    others = list(inputs)
    for output in outputs:
        for other in others:
            if is_same_file(output.path, other.path):
                raise InputError(
                    f"{output.what}: {output.path} would overwrite {other.what}; name another file"
                )
        others.append(output)


def is_same_file(one: str, other: str) -> bool:
    """Whether two paths are one file, by whatever links; ``-`` is what standard input reads."""
    if "\0" in one + other:  # no file has such a name
        return False
    first, second = ("/dev/stdin" if path == "-" else path for path in (one, other))
    try:
        return Path(first).samefile(second)
    except OSError:  # one of them does not exist
        return os.path.realpath(first) == os.path.realpath(second)


def _replace(target: Path, content: bytes) -> None:
    temporary = target.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    _sync(target.parent)


def _sync(folder: Path) -> None:
    """Make a rename outlast a power cut, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_stale(folder: Path) -> None:
    """Remove what killed processes left; what is young may be another process's at work."""
    before = time.time() - STALE_SECONDS
    for one in folder.glob(f"{TEMPORARY}*"):
        with suppress(OSError):  # another process may have been quicker
            if one.lstat().st_mtime < before:
                one.unlink()


@contextmanager
def _signals_waiting() -> Iterator[None]:
    """Let the signals that end a process wait; the last that came is sent again at the end."""
    if threading.current_thread() is not threading.main_thread():  # only that one handles signals
        yield
        return
    came: list[int] = []
    usual = {}
    try:
        for name in _HELD:
            number = getattr(signal, name, None)
            if number is not None:
                usual[number] = signal.signal(number, lambda number, _: came.append(number))
        yield
    finally:
        with _blocked(usual):
            for number, handler in usual.items():
                signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if came:
            signal.raise_signal(came[-1])


@contextmanager
def _blocked(numbers: Iterable[int]) -> Iterator[None]:
    """Keep signals from this thread, where the system can.

    One that arrives while its handler is changed would be lost: Python has taken note of it, and
    then finds no handler to call.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
