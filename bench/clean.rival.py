"""clean.rival.py <file> <folder> [check]: read_csv, dropna, StandardScaler, to_parquet; with `check` (untimed) it counts different rows as well."""
import json
import os
import resource
import sys
import time

import pandas as pd
import pyarrow  # noqa: F401: imported here, as imports are outside the clock on both sides
from sklearn.preprocessing import StandardScaler

path, folder = sys.argv[1:3]
os.makedirs(folder, exist_ok=True)
started = time.perf_counter()
table = pd.read_csv(path)
read = len(table)
# Counting the missing cells is for the comparison alone: its time is taken off.
counting = time.perf_counter()
missing = int(table.isna().sum().sum())
counting = time.perf_counter() - counting
table = table.dropna()
numbers = table.select_dtypes("number").columns
table[numbers] = StandardScaler().fit_transform(table[numbers])
table.to_parquet(os.path.join(folder, "rival.parquet"))
seconds = time.perf_counter() - started - counting
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
result = {"seconds": seconds, "peakMegabytes": peak, "read": read, "missing": missing}
if sys.argv[3:] == ["check"]:
    result["complete"] = len(table.drop_duplicates())
print(json.dumps(result))
