"""network.rival.py <folder> <train rows>: as network.ours.ts."""

import json
import os
import resource
import sys
import time
import warnings

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "2"
warnings.filterwarnings("ignore")

import numpy
from sklearn.neural_network import MLPClassifier

folder, train = sys.argv[1], int(sys.argv[2])
y = numpy.fromfile(f"{folder}/y.i32", "<i4")
x = numpy.fromfile(f"{folder}/x.f32", "<f4").reshape(len(y), -1)
x = (x - x[:train].mean(axis=0)) / x[:train].std(axis=0)
model = MLPClassifier((64, 64), batch_size=200, max_iter=20, learning_rate_init=0.002, random_state=0)
started, before = time.perf_counter(), time.process_time()
model.fit(x[:train], y[:train])
seconds, core = time.perf_counter() - started, time.process_time() - before
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
score = model.score(x[train:], y[train:])
print(json.dumps({"seconds": seconds, "coreSeconds": core, "score": float(score), "peakMegabytes": peak}))
