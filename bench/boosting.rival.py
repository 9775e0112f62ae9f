"""boosting.rival.py <folder> <train rows> <seed> <quantized: 0 or 1>: as boosting.ours.ts."""

import json
import resource
import sys
import time

import lightgbm
import numpy
from sklearn.metrics import log_loss

folder, train, seed, quantized = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "1"
y = numpy.fromfile(f"{folder}/y.i32", "<i4")
x = numpy.fromfile(f"{folder}/x.f32", "<f4").reshape(len(y), -1)
x_train, y_train = x[:train].copy(), y[:train].copy()
held_x, held_y = x[train : train + 50_000].copy(), y[train : train + 50_000].copy()
del x
started = time.perf_counter()
model = lightgbm.LGBMClassifier(
    n_estimators=200, num_leaves=31, n_jobs=2, random_state=seed, verbose=-1, use_quantized_grad=quantized, quant_train_renew_leaf=quantized
).fit(x_train, y_train)
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "logLoss": log_loss(held_y, model.predict_proba(held_x)), "peakMegabytes": peak}))
