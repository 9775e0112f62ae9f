"""linear.rival.py <folder> <train rows> <logistic | elasticnet | gram> <threads>: as linear.ours.ts."""

import json
import os
import resource
import sys
import time

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = sys.argv[4]

import numpy
from sklearn.linear_model import ElasticNet, LogisticRegression

folder, train, task = sys.argv[1], int(sys.argv[2]), sys.argv[3]
y = numpy.fromfile(f"{folder}/y.i32", "<i4")
x = numpy.fromfile(f"{folder}/x.f32", "<f4").reshape(len(y), -1)
if task != "logistic":
    y = y.astype("f8")
held = slice(train, train + 50_000)
x_held, y_held = x[held].copy(), y[held].copy()
x, y = x[:train].copy(), y[:train].copy()
if task != "logistic":
    # Ours fits a standardised target; so that both have the same penalty, so does the rival.
    centre, spread = y.mean(), y.std()
    y = ((y - centre) / spread).astype("f4")
started = time.perf_counter()
if task == "logistic":
    model = LogisticRegression(C=1.0, solver="lbfgs", max_iter=1000).fit(x, y)
else:
    # Column-major is the layout that it would copy the rows to.
    x = numpy.asfortranarray(x)
    started = time.perf_counter()
    model = ElasticNet(alpha=0.01, l1_ratio=0.5, precompute=task == "gram").fit(x, y)
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
w, b = numpy.ravel(model.coef_).astype("f8"), float(numpy.ravel(model.intercept_)[0])
z = x.astype("f8") @ w + b
z_held = x_held.astype("f8") @ w + b
if task == "logistic":
    objective = numpy.logaddexp(0, z).mean() - (y * z).mean() + (w @ w) / (2 * train)
    loss = (numpy.logaddexp(0, z_held) - y_held * z_held).mean()
else:
    objective = ((y - z) ** 2).mean() / 2 + 0.005 * abs(w).sum() + 0.0025 * (w @ w)
    loss = float(numpy.sqrt(((z_held * spread + centre - y_held) ** 2).mean()))
print(json.dumps({"seconds": seconds, "objective": float(objective), "held": float(loss), "peakMegabytes": peak}))
