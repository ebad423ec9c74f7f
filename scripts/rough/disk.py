"""Disks that are full at any moment: a file system in memory that is too small, then large enough."""
import os
import subprocess

from scripts.rough import Outcome, Skipped
from scripts.rough.forked import run
from scripts.rough.kills import prepare as trained
from scripts.rough.small_runs import arrays

TITLE, COUNT = "full disks", 40
# Sizes in kB: below that of a run of a small recipe, and above it.
_LEAST, _MOST, _ENOUGH = 4, 160, 20000


def prepare(folder):
    """Return what `kills` does; only root can mount a file system."""
    if os.geteuid():
        raise Skipped("a small file system can be mounted by root only")
    disk = folder / "disk"
    disk.mkdir()
    tried = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True, text=True,
                           check=False)
    if tried.returncode:
        raise Skipped(f"tmpfs cannot be mounted: {tried.stderr.strip()}")
    subprocess.run(["umount", disk], check=True)
    return trained(folder)


def attempt(shared, folder, random, number):
    """Train on a disk that is too small, look at what is left, give it room, and go on."""
    recipes, found = shared
    name, size = recipes.names[number % len(recipes.names)], int(random.integers(_LEAST, _MOST))
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", disk], check=True)
    try:
        words = ["train", recipes.write(name, folder), f"output_dir={disk}", "training.report=true"]
        status, log = run(words, log=folder / "log"), (folder / "log").read_text()
        what = f"{name} on {size} kB"
        wrong = _wrong(status, log, disk, name)
        if wrong:
            return Outcome(wrong[0], f"{what}: {wrong[1]}")
        subprocess.run(["mount", "-o", f"remount,size={_ENOUGH}k", disk], check=True)
        return _gone_on(disk, folder, name, words, found[name][0], what)
    finally:
        subprocess.run(["umount", disk], check=False)


def _wrong(status, log, disk, name):
    """Return (verdict, note) of what is not as it should be behind a full disk; None where nothing is."""
    errors = [line for line in log.splitlines() if line.startswith("error: ")]
    if status < 0 or "Traceback" in log:
        return "traceback", log[-300:]
    if status and (len(errors) != 1 or str(disk) not in errors[0] or "No space left" not in errors[0]):
        return "wrong", f"status {status}, {log[-300:]}"
    left = [path.name for run in disk.glob(f"{name}-*") for path in (run / "checkpoints").glob("partial-*")]
    empty = [run.name for run in disk.glob(f"{name}-*") if not (run / "config.yaml").is_file()]
    return ("wrong", f"{left + empty} left") if left or empty else None


def _gone_on(disk, folder, name, words, expected, what):
    """Resume, or begin anew, with room; the outcome is that of an undisturbed run."""
    begun = disk / f"{name}-1"
    if (begun / "last").exists():
        words = ["train", "--resume", begun]
    status = run(words, log=folder / "log")
    if status:
        return Outcome("wrong", f"{what}: with room, status {status}: {(folder / 'log').read_text()[-300:]}")
    newest = max(disk.glob(f"{name}-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    same = arrays(newest) == expected
    return Outcome("passed" if same else "wrong", f"{what}: other parameters than undisturbed")
