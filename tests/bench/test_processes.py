from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from bench import processes
from bench.processes import Usage, read_stat

LINE = "4711 (a name) with (brackets) S 42 4711 4711 0 -1 4194560 1 2 3 4 150 50 25 75 20 0 1 0 9 9 9"


def test_a_processes_time_is_its_own_and_that_of_the_children_it_waited_for() -> None:
    assert read_stat(LINE, ticks_per_second=100) == Usage(parent=42, cpu_seconds=3.0)


def test_a_tree_is_a_process_and_everything_below_it() -> None:
    usages = {pid: Usage(parent, 0.0) for pid, parent in {1: 0, 2: 1, 3: 2, 4: 2, 5: 1}.items()}
    assert processes.tree(2, usages) == {2, 3, 4}


def test_the_time_of_a_child_that_has_ended_is_not_lost() -> None:
    before = processes.cpu_seconds([os.getpid()])
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    subprocess.run([sys.executable, "-c", burn], check=True)
    assert processes.cpu_seconds([os.getpid()]) - before >= 0.25  # the kernel counts in ticks of 10 ms


def test_memory_is_that_of_running_processes_and_nothing_for_one_that_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        deadline = time.monotonic() + 5
        while processes.pss_mib([child.pid]) < 1 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert processes.pss_mib([child.pid]) > 1
        assert child.pid in processes.children(os.getpid())
        child.communicate()
    assert processes.pss_mib([child.pid]) == pytest.approx(0)
