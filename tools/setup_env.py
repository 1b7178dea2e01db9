"""Make an environment that holds exactly one lock, and do nothing when it already does.

Usage: python tools/setup_env.py FOLDER LOCK [--project] [--this-python]

``--project`` also makes the checkout importable from the environment, through one path file: no
build step, and nothing is copied that could go stale. ``--this-python`` rebuilds an environment
that was made with another version of Python than the one running this script.

The environment carries a stamp, written last, with the hash of the lock, the version of Python and
the place of the checkout. A missing or different stamp has many causes (first run, new lock, an
interrupted install, a moved checkout, a removed Python) and one cure: build it afresh.

Standard library only, and written so that an old Python 3 reads it far enough to say what is wrong.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
STAMP = "setup-stamp.json"
VERSION = ".".join(map(str, sys.version_info[:3]))
FIRST_IMPORT = "import altair, duckdb, openpyxl, pandas, pooch, pyarrow.parquet, pydantic, analysis"


def fail(message):
    """Stop with one line."""
    sys.exit("error: " + message)


def interpreter(folder):
    """Return the path of the environment's Python."""
    if os.name == "nt":
        return folder / "Scripts" / "python.exe"
    return folder / "bin" / "python"


def version_of(python):
    """Ask an interpreter for its version, or return None when it does not run."""
    command = [str(python), "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"]
    try:
        return subprocess.check_output(command, stderr=subprocess.DEVNULL).decode().strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def is_ready(folder, stamp, this_python):
    """Say whether the environment is finished, current and alive."""
    try:
        found = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if {key: found.get(key) for key in stamp} != stamp:
        return False
    version = version_of(interpreter(folder))
    if version is None or version != found.get("python"):
        return False
    return not this_python or version == VERSION


def hold(path):
    """Let one setup at a time work on a folder; the lock goes when the process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = path.open("w")
    try:
        import fcntl
    except ImportError:  # no such lock on Windows: two setups at once are the caller's affair
        return handle
    fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


def build(folder, lock, stamp):
    """Create the environment and install the lock into it."""
    try:
        import ensurepip
        import venv

        del ensurepip
    except ImportError:
        fail(
            f"{sys.executable} has no venv module with pip; install it (on Debian: apt-get install "
            "python3-venv) or name another Python: make PYTHON=python3.12"
        )
    print(f"Setting up {folder.name} from {lock.name} (once; a minute or two)", flush=True)
    start = time.monotonic()
    venv.EnvBuilder(with_pip=True, clear=True, symlinks=os.name != "nt").create(str(folder))
    # Not compiled here: most of what is installed is never imported, and Python compiles the rest
    # when it first is. Wheels only: nothing downloaded may run code, and a source build would
    # fetch tools that no lock names.
    command = [str(interpreter(folder)), "-m", "pip", "install", "-qq", "--no-input"]
    command += ["--disable-pip-version-check", "--no-deps", "--require-hashes", "--no-compile"]
    command += ["--only-binary", ":all:", "-r", str(lock)]
    environment = dict(os.environ, PIP_USER="0", PYTHONNOUSERSITE="1")
    for name in ("PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX"):
        environment.pop(name, None)
    if subprocess.call(command, env=environment) != 0:
        fail(
            f"pip could not install {lock.name} into {folder.name} (its own message is above). The "
            f"lock has wheels for Python 3.11 to 3.14; this is {VERSION}. Is the package index "
            "reachable?"
        )
    if stamp["project"]:
        where = "import sysconfig; print(sysconfig.get_path('purelib'))"
        output = subprocess.check_output([str(interpreter(folder)), "-c", where])
        packages = Path(output.decode().rstrip("\r\n"))
        (packages / "open_model_record.pth").write_text(str(ROOT) + "\n", encoding="utf-8")
        # A first import shows that the heavy packages work here, and compiles them.
        if subprocess.call([str(interpreter(folder)), "-c", FIRST_IMPORT], env=environment) != 0:
            fail(f"{folder.name} is installed but does not run (its own message is above)")
    written = dict(stamp, python=version_of(interpreter(folder)))
    # Write, then rename: a stamp that exists is a stamp that is whole.
    unfinished = folder / (STAMP + ".part")
    unfinished.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(folder / STAMP)
    print(f"{folder.name} is ready after {time.monotonic() - start:.0f} s", flush=True)


def main(arguments):
    """Run the command line."""
    flags = {argument for argument in arguments if argument.startswith("--")}
    places = [argument for argument in arguments if not argument.startswith("--")]
    if len(places) != 2 or flags - {"--project", "--this-python"}:
        fail("usage: setup_env.py FOLDER LOCK [--project] [--this-python]")
    if sys.version_info < OLDEST:
        fail(
            f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed and {sys.executable} is {VERSION}; "
            "name another: make PYTHON=python3.12"
        )
    folder, lock = (Path(place).absolute() for place in places)
    if not lock.is_file():
        fail(f"{lock} is missing; it belongs to the checkout: git checkout -- {places[1]}")
    stamp = {
        "lock": hashlib.sha256(lock.read_bytes()).hexdigest(),
        "project": str(ROOT) if "--project" in flags else "",
        "folder": str(folder),  # an environment that was moved no longer runs its own scripts
    }
    if is_ready(folder, stamp, "--this-python" in flags):
        return
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    held = hold(ROOT / ".tools" / f"setup-{name}.lock")
    try:
        if not is_ready(folder, stamp, "--this-python" in flags):
            build(folder, lock, stamp)
    finally:
        held.close()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (OSError, subprocess.CalledProcessError) as error:
        fail(f"set-up failed: {error}")
    except KeyboardInterrupt:
        fail("set-up was interrupted; run the same command again")
