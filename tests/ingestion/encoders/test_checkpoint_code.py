"""No checkpoint has its own code run: bi-encoder, ColBERT and cross-encoder, wherever it names the code.

The checkpoints are tiny and whole, and their code leaves a mark.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingestion.encoders import load_encoder
from ingestion.encoders.checkpoint_code import check_no_code
from ingestion.errors import ModelError
from retrievers.reranking import CrossEncoderReranker

LOADERS = ("bi-encoder", "ColBERT", "cross-encoder")


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "apple", "pear"]
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
    )
    folder = tmp_path_factory.mktemp("models") / "bert"
    BertModel(config).save_pretrained(folder)
    BertTokenizer(vocab={word: i for i, word in enumerate(words)}, model_max_length=16).save_pretrained(
        folder
    )
    return folder


@pytest.fixture(scope="module")
def checkpoints(bert: Path) -> dict[str, Path]:
    """A sound checkpoint for each loader."""
    import torch
    from sentence_transformers import CrossEncoder, MultiVectorEncoder, SentenceTransformer
    from sentence_transformers.base.modules import Dense, Normalize, Transformer
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
    from sentence_transformers.sentence_transformer.modules import Pooling

    found = {name: bert.parent / name for name in LOADERS}
    SentenceTransformer(modules=[Transformer(str(bert)), Pooling(8, "mean")], device="cpu").save(
        str(found["bi-encoder"])
    )
    dense = Dense(
        8, 4, bias=False, activation_function=torch.nn.Identity(), module_input_name="token_embeddings"
    )
    token_vectors = [
        Transformer(str(bert)),
        dense,
        MultiVectorMask(),
        Normalize(module_input_name="token_embeddings"),
    ]
    MultiVectorEncoder(modules=token_vectors, device="cpu").save(str(found["ColBERT"]))
    CrossEncoder(str(bert), device="cpu", num_labels=1).save(str(found["cross-encoder"]))
    return found


def use(loader: str, folder: Path) -> None:
    """Load a checkpoint as the application does, and use it."""
    if loader == "cross-encoder":
        CrossEncoderReranker("model", folder).score("apple?", ["pear"])
    else:
        load_encoder(folder).encode(["apple"])


def changed(file: Path, change: Callable[[Any], Any]) -> None:
    value = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    file.write_text(json.dumps(change(value)), "utf-8")


def unknown_type(folder: Path) -> None:
    code: dict[str, object] = {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil"}
    code |= {"AutoModelForSequenceClassification": "evil.Evil", "AutoTokenizer": ["evil.Evil", "evil.Evil"]}
    changed(folder / "config.json", lambda one: {**one, "model_type": "unheard-of", "auto_map": code})


def tokenizer(folder: Path) -> None:
    code = {"AutoTokenizer": ["evil.Evil", "evil.Evil"]}
    kind = {"tokenizer_class": "Evil", "auto_map": code}
    changed(folder / "tokenizer_config.json", lambda one: {**one, **kind})


def module(folder: Path) -> None:
    listed = {"idx": 9, "name": "9", "path": "", "type": "evil.Evil"}
    changed(folder / "modules.json", lambda some: [*(some or []), listed])


def module_that_is_installed(folder: Path) -> None:
    listed = {"idx": 9, "name": "9", "path": "", "type": "subprocess.Popen"}
    changed(folder / "modules.json", lambda some: [*(some or []), listed])


def function_of_the_library(folder: Path) -> None:
    listed = {"idx": 9, "name": "9", "path": "", "type": "sentence_transformers.util.import_from_string"}
    changed(folder / "modules.json", lambda some: [*(some or []), listed])


def router(folder: Path) -> None:
    (folder / "router_config.json").write_text(json.dumps({"types": {"query_0": "evil.Evil"}}), "utf-8")


def activation(folder: Path) -> None:
    kinds = {"activation_fn": "evil.Evil"}
    changed(folder / "config.json", lambda one: {**one, "sentence_transformers": kinds})


def torch_function(folder: Path) -> None:
    kinds = {"activation_fn": "torch.hub.os.abort"}
    changed(folder / "config.json", lambda one: {**one, "sentence_transformers": kinds})


def asks_for_trust(folder: Path) -> None:
    trust = {"model_args": {"trust_remote_code": True}}
    changed(folder / "sentence_bert_config.json", lambda one: {**one, **trust})


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    "spoil",
    [
        unknown_type, tokenizer, module, module_that_is_installed, function_of_the_library, router,
        activation, torch_function, asks_for_trust,
    ],
)  # fmt: skip
def test_its_own_code_is_not_run(
    checkpoints: dict[str, Path], tmp_path: Path, loader: str, spoil: Callable[[Path], None]
) -> None:
    folder, mark = shutil.copytree(checkpoints[loader], tmp_path / "model"), tmp_path / "was-run"
    (folder / "evil.py").write_text(f"open({str(mark)!r}, 'w').close()\nclass Evil: pass\n", "utf-8")
    spoil(folder)
    try:
        use(loader, folder)
    except ModelError as error:
        assert "cannot be loaded" in str(error) or "which is not run" in str(error)  # noqa: PT017
    else:
        assert spoil is tokenizer  # some versions take the tokenizer that they know
    assert not mark.exists()


@pytest.mark.parametrize("loader", LOADERS)
def test_the_library_is_told_not_to_run_code(
    checkpoints: dict[str, Path], loader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its version does by default."""
    name = {"bi-encoder": "SentenceTransformer", "ColBERT": "MultiVectorEncoder"}.get(loader, "CrossEncoder")
    told = []

    class Loaded(Exception):
        pass

    def load(*_: Any, **options: Any) -> Any:
        told.append(options)
        raise Loaded

    monkeypatch.setattr(f"sentence_transformers.{name}", load)
    with pytest.raises(Loaded):
        use(loader, checkpoints[loader])
    assert [options["trust_remote_code"] for options in told] == [False]


@pytest.mark.parametrize("loader", LOADERS)
def test_a_class_that_is_named_is_refused_before_the_library_sees_it(
    checkpoints: dict[str, Path], tmp_path: Path, loader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Versions before 6 import it, because the folder is local."""
    for name in ("SentenceTransformer", "MultiVectorEncoder", "CrossEncoder"):
        monkeypatch.setattr(f"sentence_transformers.{name}", None)
    folder = shutil.copytree(checkpoints[loader], tmp_path / "model")
    module(folder)
    with pytest.raises(ModelError, match=r"brings its own code \(evil\.Evil\), which is not run"):
        use(loader, folder)


@pytest.mark.parametrize("loader", LOADERS)
def test_sound_checkpoints_pass(checkpoints: dict[str, Path], loader: str) -> None:
    check_no_code(checkpoints[loader])
    use(loader, checkpoints[loader])
