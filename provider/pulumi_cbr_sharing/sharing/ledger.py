"""What the program of this run declares, by backup and recipient.

Pulumi tells a provider neither the names of resources nor why one is deleted. A resource that is renamed, or that
became another kind, is made under its new name first and deleted under its old one at the end: its share must stay.
So every check declares into the ledger, and every delete asks it: whatever the program declares now stays shared.

There is one ledger a run, whatever the connections of its resources: ids are unique over all accounts. Every provider
instance, every version of the package and both kinds of provider are processes of their own. The engine starts all of a
run with its own address: `python -m pulumi.dynamic ADDRESS`, `pulumi-resource-cbr-sharing ADDRESS`. So each appends
what it declares to a file of its own in the folder of that address, and reads the others' files. A file holds ids only,
and counts as long as its process lives, which its lock tells. Whoever comes next removes the files of killed processes.
"""

from __future__ import annotations

import atexit
import os
import stat
import sys
import tempfile
import threading

from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


# Whether this process has the lock of a file now, which nobody else had.
if sys.platform == "win32":
    import msvcrt

    def _is_locked(number: int) -> bool:
        os.lseek(number, 1 << 30, os.SEEK_SET)  # far behind the text, which others could not read otherwise
        try:
            msvcrt.locking(number, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(number, 0, os.SEEK_SET)
        return True
else:
    import fcntl

    def _is_locked(number: int) -> bool:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


_USER = "user" if sys.platform == "win32" else str(os.getuid())
_UNKNOWN = "?"  # recipients that are not known yet
TRIES = 10  # to make a file: for an instant, a new one has no lock, as if its process were dead
MOST_FOLDERS, MOST_FILES = 200, 1000  # that one process looks at


class Ledger:
    """The shares and acceptances that a program declares; safe for many threads.

    Args:
        engine: the engine's address, which all processes of a run are given; "" if there is only this one.
        root: the folder for temporary files; None for the system's.
    """

    def __init__(self, engine: str = "", root: Path | None = None) -> None:
        self._declared: dict[tuple[str, str], set[str]] = {}  # by kind and backup
        self._journal = _Journal(engine, root)
        self._lock = threading.RLock()

    def close(self) -> None:
        """The run has ended: what was declared counts no more for other processes."""
        with self._lock:
            self._journal.close()

    @property
    def trouble(self) -> str | None:
        """Why it is not known what other processes of the run declare; None if it is known."""
        with self._lock:
            return self._journal.trouble

    def declare_member(
        self, backup_id: str, project_id: str | None, *, recorded: tuple[str, str] | None = None
    ) -> str | None:
        """Declare one recipient of a backup, None as long as it is not known; returns what is wrong.

        `recorded` is the backup and the recipient that the resource had in the last run, if it was there.
        """
        with self._lock:
            if recorded:
                self._note("owned", *recorded)
            if self.declares_set(backup_id):
                return _shared_by_both("BackupShare")
            self._enter("member", backup_id, *([project_id] if project_id else []))
        return None

    def declare_set(self, backup_id: str, project_ids: Iterable[str] | None) -> str | None:
        """Declare all recipients of a backup, None as long as they are not known; returns what is wrong."""
        wanted = {_UNKNOWN} if project_ids is None else set(project_ids)
        with self._lock:
            if self._of("member", backup_id) is not None:
                return _shared_by_both("BackupShareMember")
            declared = self._of("set", backup_id)
            if declared not in (None, wanted, {_UNKNOWN}) and wanted != {_UNKNOWN}:
                return (
                    "is shared by another BackupShare in the same program, with other recipients, and each would "
                    "cancel the other's: declare all its recipients in one"
                )
            self._enter("set", backup_id, *sorted(wanted))
        return None

    def declare_acceptance(self, backup_id: str, vault_id: str) -> None:
        """Declare a received backup into a vault."""
        with self._lock:
            self._enter("acceptance", backup_id, vault_id)

    def declares(self, backup_id: str, project_id: str) -> bool:
        """Whether a resource of the program owns this share: as a member, or as the set of all recipients."""
        return self.declares_set(backup_id) or project_id in self.recipients(backup_id)

    def declares_set(self, backup_id: str) -> bool:
        """Whether a BackupShare of the program owns all recipients of the backup."""
        return self._of("set", backup_id) is not None

    def declares_acceptance(self, backup_id: str, vault_id: str) -> bool:
        """Whether the program accepts the backup into this vault."""
        return vault_id in (self._of("acceptance", backup_id) or ())

    def recipients(self, backup_id: str) -> frozenset[str]:
        """The recipients that the program declares one by one."""
        return frozenset(self._of("member", backup_id) or ())

    def owned(self, backup_id: str) -> frozenset[str]:
        """The recipients that resources of this process have recorded: they are no strangers, and may leave."""
        return frozenset(self._of("owned", backup_id) or ())

    def _of(self, kind: str, backup_id: str) -> set[str] | None:
        """What is declared of a backup; None if nothing is."""
        with self._lock:
            for words in self._journal.news():
                self._note(*words)
            return self._declared.get((kind, backup_id))

    def _enter(self, *words: str) -> None:
        self._note(*words)
        self._journal.append(words)

    def _note(self, kind: str, backup_id: str, *to: str) -> None:
        key = kind, backup_id
        if kind != "set":
            self._declared.setdefault(key, set()).update(to)
        elif _UNKNOWN not in to or key not in self._declared:
            self._declared[key] = set(to)


def _shared_by_both(kind: str) -> str:
    return (
        f"is shared by a {kind} in the same program, too, and one would undo the other's work: "
        "declare all its recipients by BackupShare, or each by BackupShareMember"
    )


class _Journal:
    """Tells other processes what this one declares, and reads what they declare; for one thread at a time."""

    def __init__(self, engine: str, root: Path | None) -> None:
        self._name = "".join(char if char.isalnum() or char in ".-" else "_" for char in engine)
        self._root = root
        self._file: _OwnFile | None = None
        self._trouble: str | None = None
        self._written: set[tuple[str, ...]] = set()
        self._read: dict[Path, int] = {}

    @property
    def trouble(self) -> str | None:
        """See `Ledger.trouble`."""
        self._own_file()
        return self._trouble

    def close(self) -> None:
        """Remove the file, and make no other."""
        if self._file:
            self._file.remove()
        self._name, self._file = "", None

    def append(self, words: tuple[str, ...]) -> None:
        """Tell the others; the words have no blanks. What was told is not told again."""
        file = self._own_file()
        if file and words not in self._written:
            self._written.add(words)
            try:
                os.write(file.number, f"{' '.join(words)}\n".encode())
            except OSError as error:
                self._trouble = str(error)

    def news(self) -> Iterator[tuple[str, ...]]:
        """What others have told since the last call."""
        file = self._own_file()
        if file is None:
            return
        for path in _files(file.path.parent):
            if path == file.path or (path not in self._read and _is_removed(path)):
                continue
            for line in self._lines(path):
                yield tuple(line.split())

    def _lines(self, path: Path) -> Sequence[str]:
        begin = self._read.get(path, 0)
        try:
            with path.open("rb") as text:
                text.seek(begin)
                whole, _, _ = text.read().rpartition(b"\n")  # the last line may not be written to its end
        except OSError:  # its process has ended
            return ()
        self._read[path] = begin + len(whole) + 1 if whole else begin
        return whole.decode().splitlines()

    def _own_file(self) -> _OwnFile | None:
        if self._name and self._file is None and self._trouble is None:
            try:
                user = _private(Path(self._root or tempfile.gettempdir()) / f"pulumi-cbr-sharing-{_USER}")
                _sweep(user)
                self._file = _OwnFile(user / self._name)
            except OSError as error:
                self._trouble = str(error)
        return self._file


class _OwnFile:
    """The file of this process; its lock ends with the process, however that ends."""

    def __init__(self, folder: Path) -> None:
        for _ in range(TRIES):
            with suppress(FileNotFoundError):  # somebody has removed the folder, because it was empty
                _private(folder.parent)
                number, name = tempfile.mkstemp(prefix=f"{os.getpid()}-", dir=_private(folder))
                self.number, self.path = number, Path(name)
                if _is_locked(number) and self.path.exists():
                    atexit.register(self.remove)
                    return
                os.close(number)
        raise OSError(f"no file in {folder} can be kept")

    def remove(self) -> None:
        """Remove it, once."""
        atexit.unregister(self.remove)
        with suppress(OSError):
            os.close(self.number)
            self.path.unlink()
            self.path.parent.rmdir()
            self.path.parent.parent.rmdir()


def _private(folder: Path) -> Path:
    """A folder that only this user can write to, made if it is not there; else PermissionError."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    is_ours = sys.platform == "win32" or (found.st_uid == os.getuid() and not found.st_mode & 0o077)
    if not (stat.S_ISDIR(found.st_mode) and is_ours):
        raise PermissionError(f"{folder} is not a folder that only this user can use")
    return folder


def _files(folder: Path) -> Sequence[Path]:
    return list(islice(folder.iterdir(), MOST_FILES))


def _sweep(user: Path) -> None:
    """Remove what killed processes have left."""
    with suppress(FileNotFoundError):  # somebody has removed it all
        for folder in islice(user.iterdir(), MOST_FOLDERS):
            with suppress(OSError):
                for path in _files(folder):
                    _is_removed(path)
                folder.rmdir()


def _is_removed(path: Path) -> bool:
    """Whether the file's process has ended; then the file is removed."""
    try:
        number = os.open(path, os.O_RDWR)
    except OSError:
        return True
    try:
        if not _is_locked(number):
            return False
        with suppress(OSError):
            path.unlink()
        return True
    finally:
        os.close(number)
