"""forest.rival.py <folder> <train rows> <seed>: as forest.ours.ts."""

import json
import resource
import sys
import time

import numpy
from sklearn.ensemble import RandomForestClassifier

folder, train, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
y = numpy.fromfile(f"{folder}/y.i32", "<i4")
x = numpy.fromfile(f"{folder}/x.f32", "<f4").reshape(len(y), -1)
x_train, y_train = x[:train].copy(), y[:train].copy()
del x
started = time.perf_counter()
model = RandomForestClassifier(n_estimators=100, n_jobs=2, random_state=seed).fit(x_train, y_train)
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
x = numpy.fromfile(f"{folder}/x.f32", "<f4").reshape(len(y), -1)
accuracy = model.score(x[train : train + 50_000], y[train : train + 50_000])
print(json.dumps({"seconds": seconds, "accuracy": accuracy, "peakMegabytes": peak}))
