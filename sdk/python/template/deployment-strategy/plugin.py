"""{{name}}: a canary in steps. check health -> (traffic -> measure -> verdict) for each of `shares` -> promote

A failed check or analysis goes back to the stable version. So does a verdict the host could not reach for lack of
requests, unless `least_requests` is 0, by which the operator says that silence will do. Without a stable version there is
nothing to measure against: the candidate is promoted once it is healthy. The state is the stage the rollout has come to.
"""

import bellwether
from bellwether import InvalidConfig, InvalidInput, Reader, Writer
from bellwether.deploy import Action, Decision

#: Tag and version of the state: stage, and place in `shares`. Raise the version when that changes.
STATE = ("{{name}}", 1)


@bellwether.register
class {{Pascal}}(bellwether.DeploymentStrategy):
    name = "{{name}}"
    version = "0.1.0"
    summary = "Gives the candidate more and more traffic, measured at every step."
    config_schema = bellwether.settings(
        shares={
            "type": "array",
            "items": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
            "minItems": 1,
            "maxItems": 20,
            "default": [0.05, 0.25, 1.0],
            "description": "Shares of traffic for the candidate, one step after the other; they must ascend.",
        },
        seconds={
            "type": "integer",
            "minimum": 1,
            "maximum": 604800,
            "default": 600,
            "description": "How long to measure at every step.",
        },
        least_requests={
            "type": "integer",
            "minimum": 0,
            "default": 100,
            "description": "Least requests on the candidate for a verdict; 0 takes silence for a pass.",
        },
        metrics={
            "type": "array",
            "items": {"type": "string"},
            "default": [],
            "description": "Metrics to compare; none for errors and latency only.",
        },
    )

    def check(self, config):
        if any(low >= high for low, high in zip(config.shares, config.shares[1:])):
            raise InvalidConfig(f"`shares` is {config.shares}: they must ascend")

    def next(self, rollout, config):
        stage, place = read(rollout.state)
        if stage == "":
            return Decision(Action.check_health(), "check the candidate before it gets traffic", write("checked", 0))
        if stage == "checked":
            return self.after_check(rollout, config)
        if stage == "moved":
            analyse = Action.analyse(config.seconds, config.least_requests, config.metrics)
            return Decision(analyse, "measure the candidate under its traffic", write("measured", place))
        return self.after_analysis(rollout, place, config)

    def after_check(self, rollout, config):
        if rollout.health is None or not rollout.health.passed:
            return Decision.rollback(f"the candidate failed its health check: {listed(rollout.health)}")
        if rollout.stable is None:
            return Decision(Action.promote(), "the candidate is healthy and nothing served before it")
        return move(0, config)

    def after_analysis(self, rollout, place, config):
        passed = rollout.analysis.passed if rollout.analysis else False
        if passed is None and config.least_requests > 0:
            return Decision.rollback(f"too few requests for a verdict: {listed(rollout.analysis)}")
        if passed is False:
            return Decision.rollback(f"the candidate did worse: {listed(rollout.analysis)}")
        if place + 1 < len(config.shares):
            return move(place + 1, config)
        return Decision(Action.promote(), "the candidate held at every step")


def move(place, config):
    """More traffic."""
    # The operator may have taken steps away since the last decision.
    share = config.shares[min(place, len(config.shares) - 1)]
    return Decision(Action.set_weight(share), f"give the candidate {share:.0%} of the traffic", write("moved", place))


def listed(result):
    return "; ".join(result.reasons) if result and result.reasons else "no reason given"


def write(stage, place):
    writer = Writer(*STATE)
    writer.text(stage)
    writer.u64(place)
    return writer.finish()


def read(state):
    """Stage and place; the state is empty at first."""
    if not state:
        return "", 0
    reader = Reader(state, *STATE)
    stage, place = reader.text(), reader.u64()
    reader.finish()
    if stage not in ("checked", "moved", "measured"):
        raise InvalidInput(f"the state is damaged: `{stage}` is no stage")
    return stage, place
