"""Replays all recordings: `python replay <endpoint> <unhurried endpoint> <recordings> <report.json> [part of a name]`.

Cases that ask what is said while an operation runs go to the second endpoint, where operations take their time.

The report is a list of cases: `{id, group, excepted, verdicts: [{kind, call, verdict, why}]}`.
"""

import json
import pathlib
import sys
from concurrent.futures import ThreadPoolExecutor

import behaviours
import change_sets
from excepted import reason

THREADS = 4


def main(endpoint, unhurried, recordings, report, part=""):
    jobs = []
    for kind, replay in (("behaviours", behaviours.replay), ("change-sets", change_sets.replay)):
        for path in sorted(pathlib.Path(recordings, kind).glob("*.json")):
            if part in path.stem:
                text = path.read_text()
                jobs.append((kind, replay, own_names(text, len(jobs)), len(jobs),
                             unhurried if "_IN_PROGRESS state" in text else endpoint))
    with ThreadPoolExecutor(THREADS) as pool:
        reports = list(pool.map(lambda job: judged(*job), jobs))
    pathlib.Path(report).write_text(json.dumps(reports, indent=1))


def own_names(text, number):
    """The case, with the random names that the recording never shows made its own: buckets are shared by all."""
    case = json.loads(text)
    for token in case.get("invented_names") or []:
        text = text.replace(token, f"{0x5e00 + number:04x}{token[4:]}")
    return json.loads(text)


def judged(kind, replay, case, number, endpoint):
    # The module of the test; the parts of `change-sets` are all about one thing.
    group = "change-sets" if kind == "change-sets" else case["id"].split("__")[0]
    excepted = reason(case)
    verdicts = [] if excepted else [verdict.as_json() for verdict in replay(case, endpoint, number)]
    return {"id": case["id"], "group": group, "excepted": excepted, "verdicts": verdicts}


if __name__ == "__main__":
    main(*sys.argv[1:])
