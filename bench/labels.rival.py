"""labels.rival.py <table>: what cleanlab lists, on out-of-fold probabilities of a random forest."""
import json
import sys
import time

import numpy as np
from cleanlab.filter import find_label_issues
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict

with open(sys.argv[1]) as file:
    table = json.load(file)
x, labels = np.array(table["x"], dtype=np.float32), np.array(table["labels"])
started = time.perf_counter()
forest = RandomForestClassifier(100, min_samples_leaf=2, random_state=0, n_jobs=2)
folds = StratifiedKFold(5, shuffle=True, random_state=0)
probabilities = cross_val_predict(forest, x, labels, cv=folds, method="predict_proba")
listed = np.flatnonzero(find_label_issues(labels, probabilities, n_jobs=1)).tolist()
print(json.dumps({"seconds": time.perf_counter() - started, "listed": listed}))
