"""Times whole small runs of the official client: arguments are the server's address and the repetitions.

Prints one JSON object: seconds of each run and the id of the last one, with the parameters sent in one call
(`together`) and one by one (`singly`).
"""

import json
import sys
import time

import mlflow


def small_run(singly: bool) -> tuple[float, str]:
    start = time.perf_counter()
    with mlflow.start_run() as run:
        params = {f"p{i}": i for i in range(10)}
        if singly:
            for key, value in params.items():
                mlflow.log_param(key, value)
        else:
            mlflow.log_params(params)
        for step in range(100):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_dict({"layers": [64, 32], "activation": "relu"}, "config.json")
    return time.perf_counter() - start, run.info.run_id


def main() -> None:
    mlflow.set_tracking_uri(sys.argv[1])
    mlflow.set_experiment("python-client")
    repetitions = int(sys.argv[2])
    result = {}
    for name, singly in (("together", False), ("singly", True)):
        small_run(singly)
        runs = [small_run(singly) for _ in range(repetitions)]
        result[name] = {"seconds": [seconds for seconds, _ in runs], "run_id": runs[-1][1]}
    print(json.dumps(result))


main()
