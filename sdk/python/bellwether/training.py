"""How a network is trained, as a configuration says it: the settings every network model type shares.

    config_schema = bellwether.settings(
        units={"type": "integer", "minimum": 1, "default": 32, "description": "Width."},
        **training.SETTINGS,
    )

`Plugin.check` calls `training.check(config)` and `ModelType.plan` ends with `training.finish(net, x, config, target)`.
Names, ranges and defaults are those of the SDK for Rust, so one operator's habits fit model types of both.
"""

from __future__ import annotations

from typing import Any

from .builder import NetworkBuilder
from .errors import InvalidConfig
from .model import HyperParameter, Target, Task
from .network import Adam, EarlyStopping, Loss, Network, Optimizer, Schedule, Sgd, Training


def _whole(default: int, low: int, high: int, description: str) -> dict:
    return {"type": "integer", "minimum": low, "maximum": high, "default": default, "description": description}


def _real(default: float, description: str, **bounds: float) -> dict:
    return {"type": "number", **bounds, "default": default, "description": description}


def _choice(default: str, values: str, description: str) -> dict:
    return {"type": "string", "enum": values.split(), "default": default, "description": description}


#: JSON Schema of each setting, to lay into a model type's own with `**`.
SETTINGS: dict[str, dict] = {
    "learning_rate": _real(0.001, "Step size of the optimizer.", exclusiveMinimum=0, maximum=1),
    "batch_size": _whole(32, 1, 65_536, "Samples per step."),
    "epochs": _whole(100, 1, 100_000, "Most passes over the training data."),
    "loss": _choice(
        "mse",
        "mse mae huber quantile gaussian",
        "What training makes small for a real-valued target; a binary target always uses binary cross-entropy.",
    ),
    "huber_delta": _real(1.0, "Where loss `huber` turns linear, in standard deviations.", exclusiveMinimum=0, maximum=1000),
    "quantiles": {
        "type": "array",
        "items": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "minItems": 1,
        "maxItems": 99,
        "default": [0.05, 0.5, 0.95],
        "description": "Probabilities of loss `quantile`, ascending; 0.5, the prediction, must be among them.",
    },
    "optimizer": _choice("adam", "sgd adam adamw", "How gradients become steps."),
    "momentum": _real(0.9, "Momentum of optimizer `sgd`; 0 for none.", minimum=0, exclusiveMaximum=1),
    "nesterov": {"type": "boolean", "default": False, "description": "Optimizer `sgd` looks ahead along its momentum."},
    "weight_decay": _real(0.0, "Decay of weights: in the gradient for sgd and adam, apart from it for adamw.", minimum=0, maximum=1),
    "schedule": _choice(
        "constant", "constant step cosine warm-up one-cycle reduce-on-plateau", "The learning rate over the training."
    ),
    "step_epochs": _whole(30, 1, 100_000, "Epochs between the cuts of schedule `step`."),
    "decay_factor": _real(
        0.5, "What schedules `step` and `reduce-on-plateau` multiply by at a cut.", exclusiveMinimum=0, exclusiveMaximum=1
    ),
    "cosine_floor": _real(0.0, "Share of the learning rate that schedule `cosine` ends at.", minimum=0, maximum=1),
    "warm_up_steps": _whole(1000, 1, 10_000_000, "Steps (batches) of schedule `warm-up`'s rise."),
    "rise_share": _real(0.3, "Share of all steps during which schedule `one-cycle` rises.", exclusiveMinimum=0, exclusiveMaximum=1),
    "plateau_patience": _whole(5, 1, 100_000, "Epochs without improvement before schedule `reduce-on-plateau` cuts."),
    "clip_norm": _real(1.0, "Most Euclidean norm of all gradients together; 0 for no clipping.", minimum=0, maximum=1_000_000),
    "patience": _whole(10, 0, 100_000, "Epochs without improvement before training stops; 0 to never stop early."),
    "min_delta": _real(0.0, "Least fall of the validation loss that counts as improvement.", minimum=0, maximum=1_000_000),
}


def check(config: Any) -> None:
    """Refuses settings that each pass the schema and do not go together. Raises `InvalidConfig` naming the setting."""
    quantiles = config.quantiles
    for low, high in zip(quantiles, quantiles[1:]):
        if not low < high:
            raise InvalidConfig(f"`quantiles`: {low} stands before {high}; they must ascend")
    if 0.5 not in quantiles:
        raise InvalidConfig(f"`quantiles` is {quantiles} and lacks 0.5: the median is the prediction")
    if config.optimizer == "sgd" and config.nesterov and config.momentum == 0:
        raise InvalidConfig("`nesterov` looks ahead along the momentum and `momentum` is 0: set one above 0, for example 0.9")
    if config.schedule == "reduce-on-plateau" and 0 < config.patience <= config.plateau_patience:
        raise InvalidConfig(
            f"`plateau_patience` is {config.plateau_patience} and training already stops after `patience` = "
            f"{config.patience} epochs: make it smaller, or `patience` larger or 0"
        )


def loss(config: Any, task: Task) -> Loss:
    """The loss for a target: `loss`, or binary cross-entropy of a logit for a binary target."""
    if task is Task.BINARY:
        return Loss.BCE
    return {
        "mse": Loss.MSE,
        "mae": Loss.MAE,
        "huber": Loss.huber(config.huber_delta),
        "quantile": Loss.quantile(config.quantiles),
        "gaussian": Loss.GAUSSIAN_NLL,
    }[config.loss]


def width(config: Any, task: Task) -> int:
    """Width of the output its loss wants: one per quantile, mean and log-variance of a Gaussian, else one."""
    wanted = loss(config, task)
    return len(wanted.value) if wanted.case == "quantile" else 2 if wanted.case == "gaussian-nll" else 1


def options(config: Any) -> Training:
    """The numbers of training for a network."""
    return Training(
        epochs=config.epochs,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        optimizer=_optimizer(config),
        schedule=_schedule(config),
        clip_norm=config.clip_norm or None,
        early_stopping=EarlyStopping(config.patience, config.min_delta) if config.patience else None,
    )


def _optimizer(config: Any) -> Optimizer:
    if config.optimizer == "sgd":
        return Optimizer("sgd", Sgd(config.momentum, config.nesterov, config.weight_decay))
    return Optimizer(config.optimizer, Adam(weight_decay=config.weight_decay))


def _schedule(config: Any) -> Schedule:
    carried = {
        "constant": None,
        "step": (config.step_epochs, config.decay_factor),
        "cosine": config.cosine_floor,
        "warm-up": config.warm_up_steps,
        "one-cycle": config.rise_share,
        "reduce-on-plateau": (config.plateau_patience, config.decay_factor),
    }
    return Schedule(config.schedule, carried[config.schedule])


def finish(net: NetworkBuilder, x: int, config: Any, target: Target) -> Network:
    """Ends a network: a dense layer as wide as the loss wants on the vector `x`, the output `prediction` and the training."""
    net.output("prediction", net.dense(x, width(config, target.task)), loss(config, target.task))
    net.training(options(config))
    return net.build()


def search_space(low: float, high: float) -> list[HyperParameter]:
    """Shared settings worth tuning, with the learning rate between two bounds. The losses offered all predict one number,
    so that their trials can be compared."""
    return [
        HyperParameter.real("learning_rate", low, high, log=True),
        HyperParameter.choice("batch_size", [16, 32, 64, 128]),
        HyperParameter.real("weight_decay", 1e-6, 1e-2, log=True),
        HyperParameter.choice("loss", ["mse", "mae", "huber"]),
    ]
