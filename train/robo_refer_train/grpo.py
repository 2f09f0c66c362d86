"""GRPO for a model that sees depth: TRL's trainer, with rollout and log-probabilities of our own.

TRL 1.16 knows no depth: it drops it on the way to the loss, and says nothing. Here a row of the
data set is the number of an item and nothing else. What TRL would pass on as tensors is looked up
where it is needed, so that sampling, the old, the reference and the loss pass all see the same
pixels, once per image (`groups.py`). Advantages, losses, clipping, KL, metrics, checkpoints and
launching on many processes stay TRL's.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from accelerate.utils import gather_object
from datasets import Dataset
from torch.nn.utils.rnn import pad_sequence
from transformers.integrations import TensorBoardCallback
from trl import GRPOConfig, GRPOTrainer
from trl.models.utils import unwrap_model_for_generation
from trl.trainer.utils import add_fused_lm_head, split_tensor_dict

from robo_refer.model.modeling import RoboReferForConditionalGeneration
from robo_refer.model.processing import RoboReferProcessor
from robo_refer_train.checkpoints import WholeCheckpoints
from robo_refer_train.groups import Prompt, grow, tree_mask
from robo_refer_train.items import Items
from robo_refer_train.rewards import MixedScore
from robo_refer_train.rollout import draws, sample_answers
from robo_refer_train.sight import DepthAlways, DepthGuard, TowerMemory

Score = Callable[[Sequence[int], Sequence[str]], Sequence[MixedScore]]
"""Rewards answers to items, whole groups at once."""

SAME_REWARD = 1e-6
SHOWN_GROUPS = 4


@dataclass(frozen=True)
class Group:
    """All answers to one item, as tokens and as text, and what each is worth."""

    item: int
    answers: list[list[int]]
    texts: list[str]
    scores: list[MixedScore]

    @property
    def rewards(self) -> list[float]:
        """The rewards of the answers that could be judged."""
        return [score.value for score in self.scores if score.value is not None]

    @property
    def is_dead(self) -> bool:
        """Tell whether all answers earn the same, so that there is nothing to learn."""
        return not self.rewards or max(self.rewards) - min(self.rewards) < SAME_REWARD


class RftTrainer(WholeCheckpoints, GRPOTrainer):
    """TRL's GRPO trainer over `Items`.

    Args:
        model: the policy.
        items: what is practised.
        order: the items of the run, one per prompt, in order.
        score: rewards an answer.
        resample_rounds: how often a group whose answers all earn the same is replaced by that of
            another item, before it is left out.
        remembered_pictures: how many pictures' features of frozen towers are kept in memory.
    """

    _buffered_inputs: Any

    def __init__(
        self,
        model: Any,
        items: Items,
        order: Sequence[int],
        score: Score,
        *,
        args: GRPOConfig,
        processor: RoboReferProcessor,
        resample_rounds: int = 0,
        remembered_pictures: int = 0,
        **kwargs: Any,
    ) -> None:
        self.items, self.resample_rounds = items, resample_rounds
        self._score = score
        self.order, self._pool = list(order), sorted(set(order))
        self._groups: list[Group] = []
        self._items: list[int] = []
        beta, reference = args.beta, None
        if beta and kwargs.get("peft_config") is None:
            # TRL would look the policy's class up in transformers, where it is not.
            reference = frozen_copy(model)
            args.beta = 0.0
        watched = [model] if reference is None else [model, reference]
        self.depth_guard = DepthGuard(watched)
        self.tower_memory = TowerMemory(watched, remembered_pictures)
        if args.world_size > 1 and items.use_depth:
            DepthAlways(model)
        super().__init__(
            model=model,
            reward_funcs=[self._mix],
            args=args,
            train_dataset=Dataset.from_dict(
                {"prompt": [items.question(k).text for k in order], "item": list(order)}
            ),
            processing_class=processor,
            **kwargs,
        )
        if reference is not None:
            args.beta = self.beta = beta
            add_fused_lm_head(reference, temperature=self.temperature)
            if self.is_deepspeed_enabled:  # no autocast: the policy, and what both share, is cast
                reference.to(self.accelerator.state.deepspeed_plugin.hf_ds_config.dtype())
            self.ref_model = self.accelerator.prepare_model(reference, evaluation_mode=True)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Write none: `training.yaml` beside the checkpoint says what it is."""

    def _send_telemetry(self) -> None:
        """Tell nobody: a run calls no server that it was not asked to."""

    def _mix(self, **_: Any) -> list[float | None]:
        """Return what every answer is worth, as TRL asks for it; None where nobody can tell."""
        return [score.value for group in self._groups for score in group.scores]

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Log as TRL does, and some answers as text for TensorBoard."""
        super().log(logs, *args, **kwargs)
        boards = [c for c in self.callback_handler.callbacks if isinstance(c, TensorBoardCallback)]
        for board in boards:
            if board.tb_writer is not None and self._groups:
                board.tb_writer.add_text("answers", self._shown(), self.state.global_step)

    def _shown(self) -> str:
        """Return the groups of the last rollout as Markdown: what was asked, written and earned."""
        lines = []
        for group in self._groups[:SHOWN_GROUPS]:
            lines.append(f"**{self.items.question(group.item).text}**\n")
            for text, score in zip(group.texts, group.scores, strict=True):
                worth = "abstained" if score.value is None else f"{score.value:.2f}"
                lines.append(f"    {worth}  {' / '.join(text.splitlines())}")
            lines.append("")
        return "\n".join(lines)

    # Rollout

    def _prepare_inputs(self, generation_batch: Any) -> Any:
        """As TRL's but without its shuffle: a group stays whole, and its image is seen once."""
        every = self.args.steps_per_generation * self.num_iterations
        if self._step % every == 0 or self._buffered_inputs is None:
            whole = self._generate_and_score_completions(generation_batch)
            self._buffered_inputs = split_tensor_dict(whole, self.args.steps_per_generation)
        return self._buffered_inputs[self._step % self.args.steps_per_generation]

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        self._groups = self._explore([row["item"] for row in inputs[:: self.num_generations]])
        self._items = [group.item for group in self._groups for _ in group.answers]
        rows = [{"prompt": self.items.question(item).text, "item": item} for item in self._items]
        output: dict[str, Any] = super()._generate_and_score_completions(rows)
        output["item"] = torch.tensor(self._items)
        output["completion_mask"] = output["completion_mask"] * self._alive(output)[:, None]
        return output

    def _alive(self, output: dict[str, Any]) -> torch.Tensor:
        """Return (answers,) 1 for those of groups that are not dead, else 0."""
        alive = [not group.is_dead for group in self._groups for _ in group.answers]
        return torch.tensor(alive, device=output["completion_mask"].device).int()

    def _tokenize_prompts(self, prompts: list[str]) -> tuple[list[list[int]], None, dict[str, Any]]:
        shown = [self.items.prompt(item) for item in self._items]
        return [[*prompt.prefix, *prompt.question] for prompt in shown], None, {}

    def _generate_single_turn(self, *_: Any, **__: Any) -> tuple[list[list[int]], None]:
        return [answer for group in self._groups for answer in group.answers], None

    def _explore(self, items: list[int]) -> list[Group]:
        """Return a group per item, where dead ones were replaced by those of other items."""
        groups: list[Group | None] = [None] * len(items)
        waiting = list(range(len(items)))
        sampled = 0
        for turn in range(1 + self.resample_rounds):
            tried = self.sample_groups([items[place] for place in waiting])
            sampled += len(tried)
            if turn == 0:
                self._measure(tried)
            for place, group in zip(waiting, tried, strict=True):
                groups[place] = group
            waiting = [place for place, group in zip(waiting, tried, strict=True) if group.is_dead]
            if not waiting:
                break
            if turn < self.resample_rounds:
                for place in waiting:
                    seed = [self.args.seed, self.state.global_step, items[place], turn]
                    items[place] = int(np.random.default_rng(seed).choice(self._pool))
        counted = gather_object([(sampled, len(waiting), len(items))])
        sampled, dead, asked = (sum(column) for column in zip(*counted, strict=True))
        self._metrics["train"]["groups/sampled"].append(sampled)
        self._metrics["train"]["groups/dead"].append(dead / asked)
        return [group for group in groups if group is not None]

    def _measure(self, groups: Sequence[Group]) -> None:
        """Log what the policy earns on the items as they come, before any is replaced."""
        log = self._metrics["train"]
        scores = gather_object([score for group in groups for score in group.scores])
        totals = [score.value for score in scores if score.value is not None]
        if totals:
            log["policy/reward"].append(float(np.mean(totals)))
        for name in scores[0].parts:
            asked = [score.parts[name] for score in scores if score.parts[name].applies]
            values = [part.value for part in asked if part.value is not None]
            if values:
                log[f"policy/{name}"].append(float(np.mean(values)))
                log[f"policy/{name}/variance"].append(float(np.var(values)))
            log[f"abstained/{name}"].append(1 - len(values) / max(len(asked), 1))

    def sample_groups(self, items: Sequence[int]) -> list[Group]:
        """Return a group of the policy's answers per item."""
        size, length = self.num_generations, self.max_completion_length
        prompts = [self.items.prompt(item) for item in items for _ in range(size)]
        step = self.state.global_step
        numbers = [draws(self.args.seed, step, item, size, length) for item in items]
        with unwrap_model_for_generation(
            self.model_wrapped,
            self.accelerator,
            gather_deepspeed3_params=self.args.ds3_gather_for_generation,
        ) as policy:
            policy.eval()
            with self._watching(prompts), self.accelerator.autocast():
                answers = sample_answers(
                    inner_policy(policy),
                    prompts,
                    self._pixels,
                    np.concatenate(numbers),
                    temperature=self.temperature,
                    ends=self.eos_token_ids,
                )
            policy.train()
        texts = self.processing_class.batch_decode(answers)
        scores = self._score([item for item in items for _ in range(size)], texts)
        return [
            Group(item, answers[mine], texts[mine], list(scores[mine]))
            for place, item in enumerate(items)
            for mine in [slice(place * size, (place + 1) * size)]
        ]

    # Log-probabilities

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        self._items = inputs["item"].tolist()
        loss: torch.Tensor = super()._compute_loss(model, inputs)
        return loss

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        batch_size: int | None = None,
        compute_entropy: bool = False,
        **_: Any,
    ) -> tuple[torch.Tensor, torch.Tensor | None, None]:
        """Return log-probabilities and entropies (answers, tokens) of the answers to `_items`.

        Answers without a token in the mask, those of dead groups, are left out and come out as 0.
        """
        answers = input_ids[:, -logits_to_keep:]
        mask = attention_mask[:, -logits_to_keep:].bool()
        kept = mask.any(dim=1)
        if not kept.any():  # the graph stays whole, for processes that wait for its gradients
            kept[: self.num_generations] = True
        rows = kept.nonzero()[:, 0]
        parts = []
        for some in rows.split(batch_size or len(rows)):
            prompts = [self.items.prompt(self._items[row]) for row in some.tolist()]
            parts.append(self._log_probs(model, prompts, answers[some], mask[some]))
        log_probs, entropies = (
            torch.zeros(mask.shape, device=mask.device).index_copy(0, rows, torch.cat(values))
            for values in zip(*parts, strict=True)
        )
        return log_probs, entropies if compute_entropy else None, None

    def log_probs_of(self, groups: Sequence[Group]) -> torch.Tensor:
        """Return (answers, tokens) log-probabilities of whole groups, as the loss reads them."""
        answers = [torch.tensor(answer) for group in groups for answer in group.answers]
        prompts = [self.items.prompt(group.item) for group in groups for _ in group.answers]
        table = pad_sequence(answers, batch_first=True).to(self.accelerator.device)
        mask = pad_sequence([torch.ones_like(answer) for answer in answers], batch_first=True)
        return self._log_probs(self.model, prompts, table, mask.bool().to(table.device))[0]

    def _log_probs(
        self, model: Any, prompts: list[Prompt], answers: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        tree = grow(prompts, [row[seen].tolist() for row, seen in zip(answers, mask, strict=True)])
        device = answers.device
        question, answer, ids, places, labels, rows, starts = (
            torch.from_numpy(values).to(device)
            for values in (
                tree.question_ids,
                tree.answer_ids,
                tree.input_ids,
                tree.position_ids,
                tree.labels,
                tree.rows,
                tree.starts,
            )
        )
        with self._watching(prompts), self.accelerator.autocast():
            output = model(
                input_ids=ids,
                attention_mask=tree_mask(question, answer),
                position_ids=places,
                labels=labels,
                use_cache=False,
                fused_lm_head=True,
                **self._pixels(tree.images),
            )
        columns = starts[:, None] + torch.arange(mask.shape[1], device=device)
        columns = columns.clamp(max=output.log_probs.shape[1] - 1)
        entropy = output.entropy if output.entropy is not None else output.log_probs.detach()
        log_probs, entropies = (
            values[rows[:, None], columns].masked_fill(~mask, 0.0)
            for values in (output.log_probs, entropy)
        )
        return log_probs, entropies

    def _pixels(self, images: Sequence[int]) -> dict[str, torch.Tensor]:
        return {
            name: value.to(self.accelerator.device)
            for name, value in self.items.pixels(images).items()
        }

    def _watching(self, prompts: Sequence[Prompt]) -> Any:
        images = {prompt.image for prompt in prompts}
        return self.depth_guard.expects(sum(self.items.has_depth(image) for image in images))


def frozen_copy(
    model: RoboReferForConditionalGeneration,
) -> RoboReferForConditionalGeneration:
    """Return the model as it is now, for comparison; what is frozen in both is shared."""
    shared: dict[int, Any] = {id(p): p for p in model.parameters() if not p.requires_grad}
    return copy.deepcopy(model, shared).eval().requires_grad_(False)


def inner_policy(model: Any) -> RoboReferForConditionalGeneration:
    """Return the model itself, without the wrapper of adapters."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model
