"""The two ways networks are fitted: to pixels, and in a game against a discriminator."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from wildsr.data import Pair
from wildsr.training.ema import Ema
from wildsr.training.health import gradient_norm
from wildsr.training.loop import Plan, run_loop
from wildsr.training.losses import Objective, Perceptual, gradient_penalty, texture
from wildsr.training.session import Session
from wildsr.training.settings import OptimiserSettings
from wildsr.training.state import State

PixelLoss = Callable[[Tensor, Tensor], Tensor]


def fit_psnr(session: Session, generator: nn.Module, loss: PixelLoss, plan: Plan) -> State:
    """Train a generator on a pixel loss.

    Args:
        session: The run.
        generator: LR → SR, on the CPU.
        loss: (sr, hr) → scalar.
        plan: Data, learning rates, validation.

    Returns:
        The final state; `state.ema.module` is what ships.
    """
    settings = plan.optimisers["generator"]
    wrapped, optimiser, state = _set_up_generator(session, generator, settings)

    def step(pair: Pair, number: int, losses: dict[str, float]) -> None:
        optimiser.zero_grad(set_to_none=True)
        value = loss(wrapped(pair.lr).float(), pair.hr)
        losses["loss"] = float(value.detach())
        session.fabric.backward(value)
        gradient_norm(generator, settings.clip)
        _judge(session, state, losses, ("loss",))
        optimiser.step()
        state.ema.update(number)

    run_loop(session, state, step, plan)
    return state


@dataclass(frozen=True, kw_only=True)
class GameLosses:
    """What the generator of a game minimises: Σ weight × term."""

    pixel: PixelLoss | None = None
    """Pixel term."""

    pixel_weight: float = 0.0
    """Of the pixel term."""

    perceptual: Perceptual | None = None
    """Feature term; also computes the features of the texture term."""

    perceptual_weight: float = 0.0
    """Of the feature term."""

    texture: Mapping[str, float] = field(default_factory=dict)
    """Layer → weight of the Gram term (EnhanceNet); empty: none."""

    objective: Objective
    """The game."""

    adversarial_weight: float = 5e-3
    """Of the game."""

    judged: Callable[[Tensor], Tensor] | None = None
    """What of a picture the discriminator sees (its high frequencies, for example); None: all."""


def fit_gan(
    session: Session,
    generator: nn.Module,
    discriminator: nn.Module,
    game: GameLosses,
    plan: Plan,
    *,
    discriminator_every: int = 1,
) -> State:
    """Train a generator against a discriminator, one step each (SRGAN, ESRGAN, EnhanceNet).

    Args:
        session: The run.
        generator: LR → SR, best trained on pixels before.
        discriminator: Picture → logits.
        game: The generator's terms.
        plan: Data, learning rates of `generator` and `discriminator`, validation.
        discriminator_every: Generator steps for one of the discriminator.
    """
    wrapped, optimiser, state = _set_up_generator(session, generator, plan.optimisers["generator"])
    opponent = _optimiser(discriminator, plan.optimisers["discriminator"])
    wrapped_discriminator, opponent = session.fabric.setup(_compiled(session, discriminator), opponent)
    state.networks["discriminator"], state.optimisers["discriminator"] = discriminator, opponent
    if game.perceptual is not None:
        game.perceptual.to(session.fabric.device)
    seen = game.judged or _everything

    def step(pair: Pair, number: int, losses: dict[str, float]) -> None:
        terms = losses
        made: Tensor = wrapped(pair.lr).float()
        discriminator.requires_grad_(requires_grad=False)
        optimiser.zero_grad(set_to_none=True)
        with session.fabric.autocast():
            value = _generator_terms(made, pair.hr, discriminator, game, seen, terms)
        session.fabric.backward(value)
        gradient_norm(generator, plan.optimisers["generator"].clip)
        _judge(session, state, terms, tuple(terms))
        optimiser.step()
        discriminator.requires_grad_(requires_grad=True)
        if number % discriminator_every == 0:
            before = tuple(terms)
            opponent.zero_grad(set_to_none=True)
            mix = _mix(session, pair.hr, number)
            against = _discriminator_loss(
                wrapped_discriminator,
                discriminator,
                seen(pair.hr),
                seen(made.detach()),
                game.objective,
                mix,
                terms,
            )
            session.fabric.backward(against)
            gradient_norm(discriminator, plan.optimisers["discriminator"].clip)
            _judge(session, state, terms, [name for name in terms if name not in before])
            opponent.step()
        state.ema.update(number)

    run_loop(session, state, step, plan)
    return state


def _generator_terms(
    made: Tensor,
    hr: Tensor,
    discriminator: nn.Module,
    losses: GameLosses,
    seen: Callable[[Tensor], Tensor],
    terms: dict[str, float],
) -> Tensor:
    parts: dict[str, Tensor] = {}
    if losses.pixel is not None and losses.pixel_weight:
        parts["pixel"] = losses.pixel_weight * losses.pixel(made, hr)
    if losses.perceptual is not None and (losses.perceptual_weight or losses.texture):
        with torch.no_grad():
            truth = losses.perceptual.features(hr)
        features = losses.perceptual.features(made)
        if losses.perceptual_weight:
            parts["perceptual"] = losses.perceptual_weight * losses.perceptual.compare(features, truth)
        if losses.texture:
            parts["texture"] = texture(features, truth, losses.texture, hr_side=hr.shape[2])
    logits = discriminator(seen(made)).float()
    with torch.no_grad():
        real = discriminator(seen(hr)).float() if losses.objective.needs_real else logits
    parts["adversarial"] = losses.adversarial_weight * losses.objective.generator(real, logits)
    for name, part in parts.items():
        terms[name] = float(part.detach())
    return torch.stack([part.float() for part in parts.values()]).sum()


def _discriminator_loss(
    discriminator: Callable[[Tensor], Tensor],
    bare: nn.Module,
    real: Tensor,
    made: Tensor,
    objective: Objective,
    mix: Tensor,
    terms: dict[str, float],
) -> Tensor:
    """The discriminator's side; the penalty, differentiated twice, goes around the data-parallel wrapper."""
    real_logits, made_logits = discriminator(real).float(), discriminator(made).float()
    value = objective.discriminator(real_logits, made_logits)
    if objective.gradient_penalty:
        value = value + objective.gradient_penalty * gradient_penalty(bare, real, made, mix)
    terms["discriminator"] = float(value.detach())
    wins = (real_logits.detach() > made_logits.detach().mean()).float().mean()
    losses_ = (made_logits.detach() < real_logits.detach().mean()).float().mean()
    terms["discriminator_wins"] = float((wins + losses_) / 2)
    return value


def _set_up_generator(
    session: Session, generator: nn.Module, settings: OptimiserSettings
) -> tuple[Callable[[Tensor], Tensor], Optimizer, State]:
    ema = Ema(generator, session.settings.ema)
    ema.module.to(session.fabric.device)
    optimiser = _optimiser(generator, settings)
    wrapped, optimiser = session.fabric.setup(_compiled(session, generator), optimiser)
    state = State(networks={"generator": generator}, optimisers={"generator": optimiser}, ema=ema)
    return wrapped, optimiser, state


def _optimiser(network: nn.Module, settings: OptimiserSettings) -> Optimizer:
    if settings.kind == "sgd":
        return SGD(
            network.parameters(),
            lr=settings.learning_rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
        )
    return Adam(
        network.parameters(),
        lr=settings.learning_rate,
        betas=settings.betas,
        weight_decay=settings.weight_decay,
        fused=True,
    )


def _compiled(session: Session, network: nn.Module) -> nn.Module:
    if not session.settings.compile:
        return network
    compiled = torch.compile(network)
    assert isinstance(compiled, nn.Module)
    return compiled


def _judge(session: Session, state: State, losses: dict[str, float], names: Iterable[str]) -> None:
    """Average over processes and let the health check see the given terms."""
    wanted = {name: losses[name] for name in names if name != "discriminator_wins"}
    averaged = session.mean(wanted)
    losses.update(averaged)
    state.health.check(averaged, session.settings.explosion)


def _mix(session: Session, hr: Tensor, number: int) -> Tensor:
    """Random positions for the gradient penalty; a function of seed, step and process."""
    generator = torch.Generator().manual_seed(
        hash((session.settings.seed, number, session.fabric.global_rank)) & (2**63 - 1)
    )
    return torch.rand((hr.shape[0], 1, 1, 1), generator=generator).to(hr)


def _everything(picture: Tensor) -> Tensor:
    return picture
