"""MiniLM sentence embeddings: the default text encoder, with weights from a pip package."""

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from mmdmad.encoders.base import encoder
from mmdmad.encoders.text_tokens import TextEncoder
from mmdmad.encoders.weights import MINILM, weight_folder

WORD_PIECES = 256
"""Word pieces of a text that the model was trained to read; what follows is not seen by the embedding."""
CHARACTERS = 20 * WORD_PIECES
"""Characters handed to the tokenizer: more never fit, and cutting first keeps huge texts quick."""


@lru_cache(maxsize=1)
def load_minilm() -> tuple[Any, Any]:
    """Tokenizer and network (all-MiniLM-L6-v2), in evaluation mode; loaded once."""
    folder = weight_folder(MINILM)
    from transformers import AutoTokenizer, BertConfig, BertModel  # heavy: only where a text is really encoded

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    with torch.random.fork_rng(devices=[]):  # building a network draws start weights: leave the caller's stream
        network = BertModel(BertConfig.from_json_file(folder / "config.json"))
    given = load_file(folder / "model.safetensors")
    given.pop("embeddings.position_ids", None)  # a counter that newer networks make themselves
    network.load_state_dict(given, strict=True)
    return tokenizer, network.eval().requires_grad_(False)


@lru_cache(maxsize=20_000)
def _embed(text: str) -> np.ndarray:
    tokenizer, network = load_minilm()
    given = tokenizer(text[:CHARACTERS], truncation=True, max_length=WORD_PIECES, return_tensors="pt")
    with torch.inference_mode():
        hidden = network(**given).last_hidden_state[0]
        pooled = torch.nn.functional.normalize(hidden.mean(0), dim=0).numpy().copy()
    pooled.setflags(write=False)
    return np.asarray(pooled)


@encoder("minilm", "text")
class MiniLM(TextEncoder):
    """Sentence embeddings of all-MiniLM-L6-v2 (mean over word pieces, length one; Reimers and Gurevych, 2019)."""

    def embed(self, text: str) -> np.ndarray:
        """Embedding float32 (384,) of one string; log lines come back, so the last 20000 are remembered."""
        return _embed(text)

    def describe(self) -> str:
        """One line for outputs."""
        return "all-MiniLM-L6-v2 sentence embeddings and text form"
