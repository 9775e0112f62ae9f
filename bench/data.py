"""data.py <name> <folder> <rows> <columns>: writes x.f32 (row-major) and y.i32. A name with a number, as made-1, is another table of its kind."""

import sys

import numpy
from sklearn.datasets import load_breast_cancer, make_classification

name, folder, rows, columns = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
if name == "breast_cancer":
    x, y = load_breast_cancer(return_X_y=True)
else:
    x, y = make_classification(
        n_samples=rows,
        n_features=columns,
        n_informative=columns // 2,
        n_redundant=columns // 4,
        flip_y=0.05,
        random_state=int(name.partition("-")[2] or 0),
    )
x.astype("<f4").tofile(f"{folder}/x.f32")
y.astype("<i4").tofile(f"{folder}/y.i32")
