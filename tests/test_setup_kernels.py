"""The kernels of the book's build: forks of one server, each as good as a kernel of its own."""

from __future__ import annotations

import os
import queue
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager
from test_book_pages import load_tool

PROJECT = Path(__file__).resolve().parents[1]
warm_kernels = load_tool("warm_kernels")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not warm_kernels.available(), reason="processes do not fork safely here"),
    # jupyter_client speaks of its own loopback connection.
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    given = {**os.environ, "PYTHONPATH": str(PROJECT)}
    with warm_kernels.serving(tmp_path_factory.mktemp("kernels"), given) as environment:
        yield environment


@pytest.fixture
def kernel(
    served: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[KernelManager]:
    monkeypatch.setenv("JUPYTER_PATH", served["JUPYTER_PATH"])
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(tmp_path))
    yield manager
    manager.shutdown_kernel(now=True)


def run(manager: KernelManager, code: str, timeout: float = 30.0) -> str:
    """Run a cell; return what it printed, or its error's name."""
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=timeout)
        printed: list[str] = []

        def hear(message: dict[str, object]) -> None:
            content = message["content"]
            assert isinstance(content, dict)
            printed.append(str(content.get("text") or content.get("ename") or ""))

        client.execute_interactive(code, timeout=timeout, output_hook=hear, store_history=False)
        return "".join(printed).strip()
    except queue.Empty:
        return "no answer"
    finally:
        client.stop_channels()


def test_a_kernel_starts_in_its_folder_with_everything_imported(
    kernel: KernelManager, tmp_path: Path
) -> None:
    assert run(kernel, "import os; print(os.getcwd())") == str(tmp_path)
    assert run(kernel, "import sys; print('analysis.pages' in sys.modules)") == "True"


def test_charts_are_drawn_elsewhere_and_faults_come_back(kernel: KernelManager) -> None:
    svg = run(kernel, "import vl_convert; print(vl_convert.vegalite_to_svg({'mark': 'bar'})[:4])")
    assert svg == "<svg"
    assert run(kernel, "vl_convert.svg_to_png('no picture')") == "ValueError"
    # The engine's threads are not this kernel's.
    assert run(kernel, "import sys; print('vl_convert' in sys.modules)") == "True"


def test_two_kernels_share_nothing(
    kernel: KernelManager, served: dict[str, str], tmp_path: Path
) -> None:
    run(kernel, "import analysis.pages; analysis.pages.mark = 1")
    other = KernelManager(kernel_name="python3")
    other.start_kernel(cwd=str(tmp_path))
    try:
        text = run(other, "import analysis.pages; print(hasattr(analysis.pages, 'mark'))")
    finally:
        other.shutdown_kernel(now=True)
    assert text == "False"


@pytest.mark.parametrize("now", [False, True], ids=["asked", "killed"])
def test_a_kernel_that_is_to_end_is_gone(kernel: KernelManager, now: bool) -> None:
    number = int(run(kernel, "import os; print(os.getpid())"))
    kernel.shutdown_kernel(now=now)
    for _ in range(100):
        if not Path(f"/proc/{number}").exists():
            return
        time.sleep(0.1)
    pytest.fail("the fork outlived its kernel")


def test_a_server_that_cannot_start_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    given = {**os.environ, "PYTHONPATH": str(PROJECT)}
    with (
        pytest.raises(RuntimeError, match="did not start"),
        warm_kernels.serving(tmp_path, given),
        # A kernel that asks for it does not wait long either.
        pytest.raises(RuntimeError, match="did not start"),
    ):
        warm_kernels.client(str(tmp_path / "kernels.sock"), [])


@pytest.mark.slow
@pytest.mark.parametrize(("fails", "status", "runs"), [(0, 0, 1), (1, 0, 2), (9, 1, 3)])
def test_kernels_that_were_given_one_port_are_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: int, status: int, runs: int
) -> None:
    # Synthetic: in Sphinx's place, a program that ends as Jupyter does when ports collide.
    build_book = load_tool("build_book")
    count = tmp_path / "count"
    count.write_text("0", encoding="utf-8")
    program = (
        "import pathlib, sys\n"
        f"count = pathlib.Path({str(count)!r}); n = int(count.read_text())\n"
        "count.write_text(str(n + 1))\n"
        "print('RuntimeError: Kernel died before replying to kernel_info')\n"
        f"sys.exit(n < {fails})\n"
    )
    monkeypatch.setattr(build_book, "_RUN", program)
    assert build_book.run_sphinx(tmp_path / "book") == status
    assert count.read_text(encoding="utf-8") == str(runs)
