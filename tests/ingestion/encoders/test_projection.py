"""The fixed projection of token vectors, and how it is computed."""

from pathlib import Path

import numpy as np
import pytest

from ingestion.encoders import BUILTIN_MODEL
from ingestion.encoders.projection import Projection, load_projection
from ingestion.encoders.projection.fit import fit, passages
from ingestion.errors import ModelError


def test_the_shipped_projection_is_orthonormal_from_384_to_128() -> None:
    projection = load_projection(BUILTIN_MODEL)
    assert projection.components.shape == (projection.source_dimension, projection.dimension) == (384, 128)
    gram = projection.components.T @ projection.components
    np.testing.assert_allclose(gram, np.eye(128), atol=1e-5)
    assert projection.centre.shape == (384,)
    assert projection.scales.shape == (128,)
    # 127 steps reach at most the length of a unit vector.
    assert 0 < projection.scales.min() <= projection.scales.max() < 1 / 127


def test_apply_by_hand() -> None:
    projection = Projection(
        np.array([0, 0, 1], np.float32),
        np.array([[1, 0], [0, 1], [0, 0]], np.float32),
        np.ones(2, np.float32),
    )
    # (3, 4, 0) / 5 - (0, 0, 1) keeps (0.6, 0.8); (0, 0, 9) is the centre itself and has no direction.
    vectors = np.array([[3, 4, 0], [0, -2, 0], [0, 0, 9]], np.float32)
    np.testing.assert_allclose(projection.apply(vectors), np.array([[0.6, 0.8], [0, -1], [0, 0]]), atol=1e-7)
    assert projection.apply(vectors[:0]).shape == (0, 2)


def test_the_fingerprint_changes_with_any_number() -> None:
    one = Projection(np.zeros(3, np.float32), np.eye(3, 2, dtype=np.float32), np.ones(2, np.float32))
    other = Projection(one.centre, one.components, one.scales * np.float32(1.0001))
    assert one.fingerprint != other.fingerprint


def test_fit_recovers_the_axes_in_order() -> None:
    generator = np.random.default_rng(0)
    # Unit vectors about one pole that vary most along axis 2, then axis 0, hardly along axis 3.
    spread = generator.normal(size=(4000, 4)) * [0.1, 0.0, 0.2, 0.01]
    vectors = spread + np.array([0, 1, 0, 0])
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    projection = fit(vectors, dimension=2)
    np.testing.assert_allclose(projection.centre, vectors.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(projection.components.T, [[0, 0, 1, 0], [1, 0, 0, 0]], atol=0.05)
    # One value in ten thousand lies beyond 127 steps.
    clipped = np.abs(projection.apply(vectors)) > 127 * projection.scales
    assert clipped.mean(axis=0) == pytest.approx([1e-4, 1e-4], abs=2e-4)


def test_a_missing_projection_is_named() -> None:
    with pytest.raises(ModelError, match="no projection for the model 'none-such'"):
        load_projection("none-such")


def test_passages_are_paragraphs_or_glosses_joined(tmp_path: Path) -> None:
    gloss = '00001740 03 n 01 entity 0 003 ~ 00001930 n 0000 | that which is; "it is"\n'
    (tmp_path / "data.noun").write_text("  1 licence text\n" + gloss)
    assert passages([tmp_path / "data.noun"], count=5) == ['that which is; "it is"']
    (tmp_path / "plain.txt").write_text("one\ntwo\n\n" + "long " * 200 + "\n\nthree")
    joined = passages([tmp_path / "plain.txt"], count=1)
    assert len(joined) == 1
    assert {"one", "two", "three", "long"} >= set(joined[0].split())
    assert passages([tmp_path / "plain.txt"], count=1) == joined
