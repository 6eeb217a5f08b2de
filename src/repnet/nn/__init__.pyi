from ._activation import Sine, s2relu, srelu
from ._beside import Beside
from ._blocks import Blocks
from ._causal import CausalConvolutions
from ._delay import DelayOperator
from ._first import AbstractFirstLayer, RepLinear
from ._laws import Constant, Normal, Signs, Uniform
from ._magnitude import (
    GaussianMoments,
    Magnitude,
    first_moments,
    gaussian_moments,
    magnitude,
)
from ._mlp import MLP, BlockDense, BlockDiagonal, Dense
from ._mscale_linear import MscaleLinear
from ._multiscale import MscaleDNN
from ._nodal import NodalCubic
from ._operator import AtQueries, DeepONet, FlowMap, windows_of
from ._piecewise import PiecewiseCubic
from ._powers import cubed_relu, squared_relu
from ._radial import RadialBasis
from ._rates import FROZEN, Rates, learning_rates
from ._ready import RepNet, siren
from ._ring import RingBumps
from ._rivals import FactorizedLinear, FourierFeatures, Linear, SineLinear
from ._slabbed import Slabbed
from ._standardized import Standardized
from ._sum import Sum
from ._tiled import Tiled
from ._two_layer_sine import TwoLayerSine
from ._windowed import LocalReadout, SharedPieces, Windowed

__all__ = [
    "FROZEN",
    "MLP",
    "AbstractFirstLayer",
    "AtQueries",
    "Beside",
    "BlockDense",
    "BlockDiagonal",
    "Blocks",
    "CausalConvolutions",
    "Constant",
    "DeepONet",
    "DelayOperator",
    "Dense",
    "FactorizedLinear",
    "FlowMap",
    "FourierFeatures",
    "GaussianMoments",
    "Linear",
    "LocalReadout",
    "Magnitude",
    "MscaleDNN",
    "MscaleLinear",
    "NodalCubic",
    "Normal",
    "PiecewiseCubic",
    "RadialBasis",
    "Rates",
    "RepLinear",
    "RepNet",
    "RingBumps",
    "SharedPieces",
    "Signs",
    "Sine",
    "SineLinear",
    "Slabbed",
    "Standardized",
    "Sum",
    "Tiled",
    "TwoLayerSine",
    "Uniform",
    "Windowed",
    "cubed_relu",
    "first_moments",
    "gaussian_moments",
    "learning_rates",
    "magnitude",
    "s2relu",
    "siren",
    "squared_relu",
    "srelu",
    "windows_of",
]
