"""Requests made from the API's own description, such as it allows and such as it does not."""

from collections import Counter
from dataclasses import dataclass, field

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.generation import GenerationMode

ACCEPTED, REFUSED = "negative_data_rejection", "positive_data_acceptance"


@dataclass
class Told:
    """What became of the requests of one or more runs."""

    statuses: Counter = field(default_factory=Counter)  # answers by status
    modes: Counter = field(default_factory=Counter)  # requests by what they were meant to be
    checks: Counter = field(default_factory=Counter)  # how often each was made
    faults: dict = field(default_factory=dict)  # check -> what failed it

    def of(self, check):
        """Return how many requests failed a check."""
        return len(self.faults.get(check, ()))


def fuzz(app, *, seed, examples, key="", told=None):
    """Return what became of requests to every address, all checks made of each answer.

    Args:
        app: asked without a socket.
        seed: of what is made.
        examples: per address, beside those that its description implies.
        key: sent along; that requests without it are refused is then checked as well.
        told: of earlier runs, to go on with.
    """
    told = Told() if told is None else told
    made = {"mode": "all", "max-examples": examples, "database": "none"}
    settings = {"seed": seed, "generation": made}
    if key:
        settings["auth"] = {"openapi": {"key": {"api_key": key}}}
    with_key = {"headers": {"X-API-Key": key}} if key else {}
    schema = schemathesis.openapi.from_asgi(
        "/openapi.json", app, config=SchemathesisConfig.from_dict(settings), **with_key
    )
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _count(event.recorder, told)
        elif isinstance(event, events.NonFatalError):
            told.faults.setdefault("engine", []).append(f"{event.label}: {event.value}")
    return told


def _count(scenario, told):
    for name, one in scenario.interactions.items():
        told.statuses[one.response.status_code if one.response else 0] += 1
        case = scenario.cases[name].value
        if case.meta is not None and scenario.label.startswith("POST"):
            valid = case.meta.generation.mode == GenerationMode.POSITIVE
            told.modes["valid" if valid else "invalid"] += 1
    for name, checks in scenario.checks.items():
        for one in checks:
            told.checks[one.name] += 1
            if one.failure_info is None:
                continue
            body = str(scenario.cases[name].value.body)[:300]
            status = scenario.interactions[name].response.status_code
            words = f"{scenario.label}: {status}: {one.failure_info.failure.title}: {body}"
            told.faults.setdefault(one.name, []).append(words)
