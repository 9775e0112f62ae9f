"""auto.rival.py <folder> <flaml | lightgbm> <seconds>: fits train.csv with two threads, and scores test.csv by the metric of about.json."""

import json
import resource
import sys
import time

import numpy
import pandas
from sklearn.metrics import log_loss, roc_auc_score, root_mean_squared_error

folder, rival, budget = sys.argv[1], sys.argv[2], float(sys.argv[3])
about = json.load(open(f"{folder}/about.json"))
target, metric = about["target"], about["metric"]
train, test = pandas.read_csv(f"{folder}/train.csv"), pandas.read_csv(f"{folder}/test.csv")
for column in train.columns.drop(target):
    if not pandas.api.types.is_numeric_dtype(train[column]):
        categories = pandas.CategoricalDtype(sorted(train[column].dropna().unique()))
        train[column], test[column] = train[column].astype(categories), test[column].astype(categories)
x, y, x_test, y_test = train.drop(columns=target), train[target], test.drop(columns=target), test[target]
classification = metric != "rmse"
started = time.perf_counter()
if rival == "flaml":
    from flaml import AutoML

    model = AutoML()
    names = {"logLoss": "log_loss", "rocAuc": "roc_auc", "rmse": "rmse"}
    task = "classification" if classification else "regression"
    model.fit(x, y, task=task, metric=names[metric], time_budget=budget, n_jobs=2, seed=0, verbose=0)
else:
    import lightgbm

    model = (lightgbm.LGBMClassifier if classification else lightgbm.LGBMRegressor)(n_jobs=2, random_state=0, verbose=-1).fit(x, y)
seconds = time.perf_counter() - started
if classification:
    probabilities, classes = model.predict_proba(x_test), list(model.classes_)
    truth = numpy.array([classes.index(label) for label in y_test])
    score = roc_auc_score(truth, probabilities[:, 1]) if metric == "rocAuc" else log_loss(truth, probabilities, labels=range(len(classes)))
else:
    score = root_mean_squared_error(y_test, model.predict(x_test))
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"seconds": seconds, "score": float(score), "peakMegabytes": usage.ru_maxrss / 1024, "processor": usage.ru_utime + usage.ru_stime}))
