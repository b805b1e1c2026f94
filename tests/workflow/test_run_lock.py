"""One run at a time in a folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from geosoil.errors import GeosoilError
from geosoil.workflow.run_lock import LOCK, run_lock

HOLD = (
    "import sys, time\nfrom pathlib import Path\n"
    "from geosoil.workflow.run_lock import run_lock\n"
    "with run_lock(Path(sys.argv[1])):\n"
    "    print('held', flush=True)\n"
    "    time.sleep(60)\n"
)

COUNT = (
    "import sys\nfrom pathlib import Path\nfrom geosoil.errors import GeosoilError\n"
    "from geosoil.workflow.run_lock import run_lock\n"
    "folder = Path(sys.argv[1])\ndone = 0\n"
    "while done < 20:\n"
    "    try:\n"
    "        with run_lock(folder / '.geosoil'):\n"
    "            own = folder / 'inside'\n"
    "            own.touch(exist_ok=False)\n"
    "            own.unlink()\n"
    "            done += 1\n"
    "    except GeosoilError as error:\n"
    "        assert 'is under way' in str(error), error\n"
)


def holder(folder: Path) -> subprocess.Popen[str]:
    """Start a process that holds the lock, and wait until it does."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_run_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "maps" / ".geosoil"
    with holder(folder) as process:
        try:
            with (
                pytest.raises(GeosoilError, match=f"process {process.pid} on "),
                run_lock(folder),
            ):
                pass
        finally:
            process.send_signal(signal.SIGKILL)
    # The system dropped the lock of the dead process, whose file still lies there.
    assert (folder / LOCK).is_file()
    with run_lock(folder):
        assert f"process {os.getpid()} on" in (folder / LOCK).read_text()
    assert not folder.exists()


def test_a_lock_is_let_go_after_an_error(tmp_path: Path) -> None:
    folder = tmp_path / ".geosoil"
    with pytest.raises(ZeroDivisionError), run_lock(folder):
        _ = 1 / 0
    with run_lock(folder):
        assert (folder / LOCK).is_file()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(GeosoilError, match="may be written"),
        run_lock(tmp_path / "file" / ".geosoil"),
    ):
        pass


@pytest.mark.slow
def test_many_processes_never_hold_the_lock_together(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", COUNT, str(tmp_path)]) for _ in range(8)
    ]
    assert [process.wait(120) for process in processes] == [0] * 8
    assert list(tmp_path.iterdir()) == []
