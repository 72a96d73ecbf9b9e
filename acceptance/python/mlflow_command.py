"""Runs the `mlflow` command, each call in a process of its own.

Starting Python and importing MLflow takes seconds, so the processes are forked from a server
process that has imported the command and done nothing else: no connection, no state.
"""

import contextlib
import io
import multiprocessing
import sys
import traceback
from multiprocessing.pool import Pool


def command_pool(processes: int) -> Pool:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["mlflow.cli", "mlflow.store.artifact.cli"])
    return context.Pool(processes, maxtasksperchild=1)


def run_command(args: tuple[str, ...]) -> tuple[int, str, str]:
    """Returns exit status, standard output and standard error. To be run in a fresh process."""
    from mlflow.cli import cli

    output, errors = io.StringIO(), io.StringIO()
    sys.argv = ["mlflow", *args]
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            cli(list(args), prog_name="mlflow")
            status = 0
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1 if ended.code else 0
        except BaseException:
            traceback.print_exc()
            status = 1
    return status, output.getvalue(), errors.getvalue()
