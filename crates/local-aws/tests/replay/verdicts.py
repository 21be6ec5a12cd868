"""What is counted: each call of a case that something was recorded about."""

from dataclasses import asdict, dataclass

EXACT, WRONG, SKIPPED = "exact", "wrong", "skipped"


@dataclass
class Verdict:
    """One answer judged."""

    # `answer`: compared with a recording; `call`: had only to succeed, as it did; `other`: of another service.
    kind: str
    call: str
    verdict: str
    why: str = ""

    def as_json(self):
        return asdict(self)
