"""The estimator is one of scikit-learn's own kind, and fits as well as other libraries' do."""

import pickle

import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from repnet.estimators import RepNetRegressor

QUICK = {"width": 64, "scale": 0.7, "activation": "tanh", "random_state": 0}
X = np.linspace(0.0, 3.0, 150)[:, None]
Y = np.stack([np.sin(9.0 * X[:, 0]), np.exp(-X[:, 0])], axis=1)


@pytest.mark.long
@pytest.mark.usefixtures("untyped")
@parametrize_with_checks([RepNetRegressor(random_state=0)])
def test_scikit_learn_with_defaults(estimator, check):
    check(estimator)


@parametrize_with_checks([RepNetRegressor(**QUICK)])
@pytest.mark.slow
def test_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    ("keywords", "solver"),
    [
        ({}, None),
        ({"activation": "relu"}, None),
        ({"width": 80, "scale": 8.0}, "LeastSquares"),
        ({"solver": "least-squares"}, "LeastSquares"),
        ({"solver": "windows", "activation": jnp.tanh, "scale": 2.0}, "Windows"),
        ({"solver": "radial"}, "Radial"),
    ],
)
@pytest.mark.slow
def test_solvers_reach_a_smooth_function(keywords, solver):
    model = RepNetRegressor(random_state=0, **keywords).fit(X, Y)
    assert solver is None or model.solution_.plan.solver == solver
    between = np.linspace(0.1, 2.9, 77)[:, None]
    truth = np.stack([np.sin(9.0 * between[:, 0]), np.exp(-between[:, 0])], axis=1)
    tolerance = 3e-2 if keywords.get("activation") == "relu" else 1e-3  # relu bends at 150 points
    np.testing.assert_allclose(model.predict(between), truth, atol=tolerance)
    assert model.n_outputs_ == 2


@pytest.mark.slow
@pytest.mark.parametrize("keywords", [{"solver": "gradient"}, {"depth": 2}, {"batch": 64}])
def test_trained_networks(keywords):
    model = RepNetRegressor(random_state=0, steps=60, width=32, scale=6.0, **keywords)
    model.fit(X.astype(np.float32), Y.astype(np.float32))
    assert model.solution_.steps == 60
    assert len(model.solution_.network.network.hidden) == keywords.get("depth", 3) - 1
    assert model.predict(X).dtype == np.float64
    assert model.score(X, Y) > 0.5


@pytest.mark.long
def test_beats_a_linear_model_on_a_nonlinear_table():
    table, target = make_friedman1(300, 6, noise=0.5, random_state=0)
    train, test, y_train, y_test = train_test_split(table, target, random_state=0)
    ours = RepNetRegressor(random_state=0).fit(train, y_train).score(test, y_test)
    linear = RidgeCV(np.logspace(-4, 3, 15)).fit(train, y_train).score(test, y_test)
    assert 1.0 - ours < 0.5 * (1.0 - linear)


def test_pipeline_search_and_clone():
    pipeline = make_pipeline(StandardScaler(), RepNetRegressor(**QUICK))
    grid = {"repnetregressor__scale": [0.1, 4.0]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(X[::-1], Y[::-1])
    assert search.best_params_ == {"repnetregressor__scale": 4.0}
    assert clone(search.best_estimator_)[1].get_params()["scale"] == 4.0


@pytest.mark.parametrize("keywords", [QUICK, {"solver": "windows", "random_state": 0}])
@pytest.mark.slow
def test_pickle_keeps_every_bit(keywords):
    model = RepNetRegressor(**keywords).fit(X, Y[:, 0])
    again = pickle.loads(pickle.dumps(model))
    assert again.predict(X).tobytes() == model.predict(X).tobytes()
    assert again.solution_.plan == model.solution_.plan


def test_random_state():
    one, two = (RepNetRegressor(**QUICK).fit(X, Y).predict(X) for _ in range(2))
    assert one.tobytes() == two.tobytes()
    other = RepNetRegressor(**{**QUICK, "random_state": 1}).fit(X, Y).predict(X)
    assert one.tobytes() != other.tobytes()
    drawn = [RepNetRegressor(**{**QUICK, "random_state": None}).fit(X, Y) for _ in range(2)]
    assert drawn[0].predict(X).tobytes() != drawn[1].predict(X).tobytes()
    states = [np.random.RandomState(4) for _ in range(2)]
    same = [RepNetRegressor(**{**QUICK, "random_state": s}).fit(X, Y).predict(X) for s in states]
    assert same[0].tobytes() == same[1].tobytes()


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        (
            {"solver": "gradiant"},
            r"solver=...\)` must be one of .*Did you mean 'gradient'",
        ),
        ({"activation": "than"}, r"activation=...\)` must be one of .*Did you mean 'tanh'"),
        ({"features": "bumb"}, r"features=...\)` must be one of .*Did you mean 'bump'"),
        ({"scale": "automatic"}, r"scale=...\)` must be one of \('auto',\); got 'automatic'"),
        ({"scale": -2.0}, r"scale=...\)` must be finite and positive; got -2.0"),
        (
            {"scale": [1.0, 2.0]},
            r"scale=...\)` must be .* one per input, .* 1; got 2",
        ),
        ({"width": 0}, r"width=...\)` must be an integer >= 1; got 0"),
        ({"steps": 2.5}, r"steps=...\)` must be an integer >= 1; got 2.5"),
        ({"solver": "windows", "depth": 2}, r"depth=...\)` must be 1 or None for solver='windows'"),
        ({"solver": "radial", "scale": [3.0]}, r"scale=...\)` must be 'auto' for solver='radial'"),
        (
            {"solver": "radial", "activation": "tanh"},
            r"activation=...\)` must be None for .*'tanh'",
        ),
    ],
)
def test_bad_keywords(keywords, message):
    with pytest.raises(ValueError, match=message):
        RepNetRegressor(**keywords).fit(X, Y)


def test_windows_refuse_five_inputs(rng):
    with pytest.raises(ValueError, match="takes 1 to 4 inputs; the problem has 5"):
        RepNetRegressor(solver="windows").fit(rng.random((40, 5)), rng.random(40))


@pytest.mark.slow
def test_progress_goes_to_standard_error(capsys):
    RepNetRegressor(**QUICK, depth=2, steps=5, progress=True).fit(X, Y)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "5/5" in shown.err
