"""Assertions whose failure says what was expected and what the server answered."""

import math
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import mlflow
from mlflow.exceptions import MlflowException

CLIENT_MAJOR = int(mlflow.__version__.split(".")[0])

# Every script works on names of its own, so that it can be run again on the same server.
SUFFIX = uuid.uuid4().hex[:8]


class Unexpected(AssertionError):
    """The server, seen through the client, did something else than it must."""


def unique(name: str) -> str:
    return f"{name}-{SUFFIX}"


def expect(condition: Any, message: str) -> None:
    if not condition:
        raise Unexpected(message)


def expect_equal(actual: Any, expected: Any, what: str) -> None:
    if actual != expected:
        raise Unexpected(f"{what}: expected {expected!r}, got {actual!r}")


def expect_close(actual: float, expected: float, what: str, relative: float = 1e-9) -> None:
    if not math.isclose(actual, expected, rel_tol=relative):
        raise Unexpected(f"{what}: expected {expected!r} within {relative}, got {actual!r}")


def expect_names(actual: Iterable[str], expected: Iterable[str], what: str) -> None:
    """Compares without order, and says which names are missing and which are too many."""
    actual_sorted, expected_sorted = sorted(actual), sorted(expected)
    if actual_sorted != expected_sorted:
        missing = [name for name in expected_sorted if name not in actual_sorted]
        extra = [name for name in actual_sorted if name not in expected_sorted]
        raise Unexpected(
            f"{what}: missing {missing}, not expected {extra} "
            f"(got {actual_sorted}, expected {expected_sorted})"
        )


def expect_refused(call: Callable[[], Any], code: str, fragment: str, what: str) -> MlflowException:
    """The call must raise MlflowException with this error code and this text in its message."""
    try:
        answer = call()
    except MlflowException as error:
        expect_equal(error.error_code, code, f"{what}: error code of {str(error)!r}")
        expect(
            fragment in str(error), f"{what}: {fragment!r} is not in the message {str(error)!r}"
        )
        return error
    raise Unexpected(f"{what}: expected {code}, but the call answered {answer!r}")


def wait_for(condition: Callable[[], Any], what: str, timeout_s: float = 30.0) -> Any:
    """Polls until the condition is truthy; for what the client sends in the background."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise Unexpected(f"{what}: did not happen within {timeout_s} s")


def skip_part(what: str, reason: str) -> None:
    print(f"skipped: {what}: {reason}", flush=True)


def skip_script(reason: str) -> None:
    """Ends the script as skipped; the runner reads the line and the exit status 77."""
    print(f"skipped: {reason}", flush=True)
    sys.exit(77)


def model_location(name: str) -> dict[str, str]:
    """The argument that says where log_model puts the model: a name since 3.0, a path before."""
    return {"name": name} if CLIENT_MAJOR >= 3 else {"artifact_path": name}


def wine_csv() -> Path:
    """The wine data, which lies beside the repository and not in it."""
    named = os.environ.get("WINE_QUALITY_CSV")
    root = Path(__file__).resolve().parents[2]
    path = Path(named) if named else root.parent / "shared" / "data" / "wine-quality.csv"
    if not path.is_file():
        skip_script(f"the wine data is absent ({path})")
    return path
