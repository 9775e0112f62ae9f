"""svm.rival.py <folder> <train rows> <rbf | probabilities | linear | regression | path>: as svm.ours.ts."""

import json
import os
import resource
import sys
import time
import warnings

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "2"
warnings.filterwarnings("ignore")

import numpy
from sklearn.svm import SVC, SVR, LinearSVC

folder, train, task = sys.argv[1], int(sys.argv[2]), sys.argv[3]
y = numpy.fromfile(f"{folder}/y.i32", "<i4")
x = numpy.fromfile(f"{folder}/x.f32", "<f4").reshape(len(y), -1)[: train + 5000].astype("f8")
y = y[: train + 5000]
if task == "regression":
    y = x[:, 0] * x[:, 1] + x[:, 2]
    # Ours fits a standardised target, so that both have the same epsilon and C.
    y = (y - y[:train].mean()) / y[:train].std()
# Ours does not count what the columns' means differ by.
gamma = 1 / x[:train].var(axis=0).sum()
options = {"gamma": gamma, "cache_size": 256}
started, before = time.perf_counter(), time.process_time()
if task == "path":
    scores = [SVC(C=c, **options).fit(x[:train], y[:train]).score(x[train:], y[train:]) for c in (0.1, 1, 10, 100)]
    score = sum(scores) / len(scores)
else:
    model = {
        "rbf": lambda: SVC(**options),
        "probabilities": lambda: SVC(probability=True, random_state=0, **options),
        "linear": lambda: LinearSVC(),
        "regression": lambda: SVR(**options),
    }[task]().fit(x[:train], y[:train])
seconds, core = time.perf_counter() - started, time.process_time() - before
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
if task != "path":
    score = model.score(x[train:], y[train:])
print(json.dumps({"seconds": seconds, "coreSeconds": core, "score": float(score), "peakMegabytes": peak}))
