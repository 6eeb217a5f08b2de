"""Networks: a point in, a value out."""

from repnet.nn._activation import Sine, s2relu, srelu
from repnet.nn._blocks import Blocks
from repnet.nn._causal import CausalConvolutions
from repnet.nn._delay import DelayOperator
from repnet.nn._first import AbstractFirstLayer, RepLinear
from repnet.nn._laws import Constant, Normal, Signs, Uniform
from repnet.nn._magnitude import (
    GaussianMoments,
    Magnitude,
    first_moments,
    gaussian_moments,
    magnitude,
)
from repnet.nn._mlp import MLP, BlockDense, BlockDiagonal, Dense
from repnet.nn._mscale_linear import MscaleLinear
from repnet.nn._multiscale import MscaleDNN
from repnet.nn._operator import AtQueries, DeepONet, FlowMap, windows_of
from repnet.nn._powers import cubed_relu, squared_relu
from repnet.nn._rates import FROZEN, Rates, learning_rates
from repnet.nn._ready import RepNet, siren
from repnet.nn._ring import RingBumps
from repnet.nn._rivals import FactorizedLinear, FourierFeatures, Linear, SineLinear
from repnet.nn._slabbed import Slabbed
from repnet.nn._standardized import Standardized
from repnet.nn._sum import Sum
from repnet.nn._two_layer_sine import TwoLayerSine
from repnet.nn._windowed import LocalReadout, Windowed

__all__ = [
    "FROZEN",
    "MLP",
    "AbstractFirstLayer",
    "BlockDense",
    "BlockDiagonal",
    "AtQueries",
    "Blocks",
    "CausalConvolutions",
    "DeepONet",
    "DelayOperator",
    "Dense",
    "FactorizedLinear",
    "FlowMap",
    "FourierFeatures",
    "GaussianMoments",
    "Linear",
    "Magnitude",
    "Rates",
    "RepLinear",
    "RepNet",
    "RingBumps",
    "SineLinear",
    "MscaleDNN",
    "MscaleLinear",
    "TwoLayerSine",
    "Constant",
    "Normal",
    "Signs",
    "Uniform",
    "Slabbed",
    "Standardized",
    "Sum",
    "Windowed",
    "LocalReadout",
    "cubed_relu",
    "squared_relu",
    "Sine",
    "s2relu",
    "srelu",
    "first_moments",
    "gaussian_moments",
    "learning_rates",
    "magnitude",
    "siren",
    "windows_of",
]
