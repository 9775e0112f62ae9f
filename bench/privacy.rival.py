"""privacy.rival.py <cases>: the same with scrubadub and its optional detectors of the standard kinds; a column is personal where half of its values are."""
import json
import sys
import time

import scrubadub

with open(sys.argv[1]) as file:
    cases = json.load(file)
locales = ["en_US", "en_GB", "de_DE", "fr_FR", "es_ES"]
scrubbers = []
for locale in locales:
    scrubber = scrubadub.Scrubber(locale=locale)
    for name in ("twitter", "url", "credential"):  # these are no personal data of ours
        if name in scrubber._detectors:
            scrubber.remove_detector(name)
    scrubbers.append(scrubber)


def is_personal(text):
    return any(True for scrubber in scrubbers for _ in scrubber.iter_filth(text))


started = time.perf_counter()
found = [sum(map(is_personal, column["values"])) >= 0.5 * len(column["values"]) for column in cases["columns"]]
masked = [is_personal(case["text"]) for case in cases["texts"]]
print(json.dumps({"seconds": time.perf_counter() - started, "found": found, "masked": masked}))
