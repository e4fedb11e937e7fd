"""MiniLM sentence embeddings: the default text encoder, with weights from a pip package."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from mmdmad.device import chosen_device
from mmdmad.encoders.base import encoder
from mmdmad.encoders.text_tokens import TextEncoder
from mmdmad.encoders.weights import MINILM
from mmdmad.packaged import packaged_folder

WORD_PIECES = 256
"""Word pieces of a text that the model was trained to read; what follows is not seen by the embedding."""
CHARACTERS = 20 * WORD_PIECES
"""Characters handed to the tokenizer: more never fit, and cutting first keeps huge texts quick."""


@lru_cache(maxsize=1)
def load_minilm() -> tuple[Any, Any]:
    """Tokenizer and network (all-MiniLM-L6-v2), in evaluation mode, on the device that is used; loaded once."""
    folder = packaged_folder(MINILM)
    from transformers import AutoTokenizer, BertConfig, BertModel  # heavy: only where a text is really encoded

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    with torch.random.fork_rng(devices=[]):  # building a network draws start weights: leave the caller's stream
        network = BertModel(BertConfig.from_json_file(folder / "config.json"))
    given = load_file(folder / "model.safetensors")
    given.pop("embeddings.position_ids", None)  # a counter that newer networks make themselves
    network.load_state_dict(given, strict=True)
    return tokenizer, network.eval().requires_grad_(False).to(chosen_device())


BATCH = 16
"""Pieces that go through the network together, so that its weights are read once for all of them."""


def _embed(pieces: Sequence[str]) -> np.ndarray:
    tokenizer, network = load_minilm()
    cut = [piece[:CHARACTERS] for piece in pieces]
    given = tokenizer(cut, truncation=True, max_length=WORD_PIECES, padding=True, return_tensors="pt")
    given = given.to(network.device)
    there = given["attention_mask"][:, :, None].float()
    with torch.inference_mode():
        hidden = network(**given).last_hidden_state
        pooled = (hidden * there).sum(1) / there.sum(1)
        return np.asarray(torch.nn.functional.normalize(pooled, dim=1).cpu().numpy())


@encoder("minilm", "text")
class MiniLM(TextEncoder):
    """Sentence embeddings of all-MiniLM-L6-v2 (mean over word pieces, length one; Reimers and Gurevych, 2019)."""

    def embed(self, pieces: Sequence[str]) -> np.ndarray:
        """Embeddings float32 (N, 384)."""
        return np.concatenate([_embed(pieces[i : i + BATCH]) for i in range(0, len(pieces), BATCH)])

    def describe(self) -> str:
        """One line for outputs."""
        return "all-MiniLM-L6-v2 sentence embeddings and text form"
