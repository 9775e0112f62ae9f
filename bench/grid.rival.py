"""grid.rival.py <folder>: as grid.ours.ts, by GridSearchCV with two jobs, on the folds that folds.i32 says."""

import json
import resource
import sys
import time

import numpy
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, PredefinedSplit

folder = sys.argv[1]
y = numpy.fromfile(f"{folder}/y.i32", "<i4")
x = numpy.fromfile(f"{folder}/x.f32", "<f4").reshape(len(y), -1)
grid = {"n_estimators": [100, 200, 300], "max_depth": [None, 10, 20, 30], "min_samples_split": [2, 5, 10]}
folds = PredefinedSplit(numpy.fromfile(f"{folder}/folds.i32", "<i4"))
started = time.perf_counter()
search = GridSearchCV(RandomForestClassifier(random_state=0), grid, cv=folds, n_jobs=2, refit=False).fit(x, y)
seconds = time.perf_counter() - started
# The two jobs are processes of their own: this is the largest of the three.
peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
result = {"seconds": seconds, "accuracy": search.best_score_, "candidates": len(search.cv_results_["params"]), "folds": 5}
print(json.dumps({**result, "peakMegabytes": peak}))
