"""Messages name the argument, the rule and the value."""

import jax
import jax.numpy as jnp
import pytest

from repnet.nn._check import check_choice, check_count, check_positive, per_axis


def test_unknown_choice_lists_all_and_the_closest():
    with pytest.raises(ValueError, match=r"`RepLinear\(form=\.\.\.\)`.*'slope', 'centre'") as error:
        check_choice("RepLinear", "form", "center", ("slope", "centre"))
    assert "got 'center'" in str(error.value)
    assert "Did you mean 'centre'?" in str(error.value)


@pytest.mark.parametrize("value", [0, -3, 2.5, True, "4"])
def test_count_refuses(value):
    with pytest.raises(ValueError, match=r"integer >= 1; got"):
        check_count("MLP", "out_size", value)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), [1.0, 0.0]])
def test_positive_refuses(value):
    with pytest.raises(
        ValueError, match=r"`RepLinear\(scale=\.\.\.\)` must be finite and positive"
    ):
        check_positive("RepLinear", "scale", value)


def test_positive_lets_traced_values_pass():
    def positive(s):
        check_positive("RepLinear", "scale", s)
        return s

    assert jax.jit(positive)(-1.0) == -1.0


def test_per_axis_refuses_another_shape():
    with pytest.raises(ValueError, match=r"shape \(3,\); got shape \(2,\)"):
        per_axis("RepLinear", "scale", jnp.ones(2), 3)
