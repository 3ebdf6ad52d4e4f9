"""The app's preprocessing as an ONNX graph: from decoded pixels to what a network takes.

Follows torchvision's antialiased resize of 8-bit images step by step, fixed-point weights and the
rounding after each of its two passes included, so that an exported model sees what the app saw.
"""

import math
from typing import Any, Final

import numpy as np

from tl_core.catalog import Preprocessing
from tl_core.preprocessing import LONGEST_ASPECT

OPSET: Final = 18

# Weights of source pixels (columns) for resized ones (rows), from the lengths `from` and `to`.
# `reach`: how far one result draws, in source pixels. `kernel` is the filter's formula of the
# distance `x`. Weights are whole numbers of 2^-p, p as large as 15 bits allow.
_PASS: Final = """
    {n}_from_f = Cast <to = 11> ({n}_from)
    {n}_to_f = Cast <to = 11> ({n}_to)
    {n}_ratio = Div ({n}_from_f, {n}_to_f)
    {n}_reach = Max ({n}_ratio, one)
    {n}_to_0 = Squeeze ({n}_to)
    {n}_from_0 = Squeeze ({n}_from)
    {n}_rows_i = Range (zero_i0, {n}_to_0, one_i0)
    {n}_columns_i = Range (zero_i0, {n}_from_0, one_i0)
    {n}_rows_f = Cast <to = 11> ({n}_rows_i)
    {n}_columns_f = Cast <to = 11> ({n}_columns_i)
    {n}_rows_h = Add ({n}_rows_f, half)
    {n}_columns_h = Add ({n}_columns_f, half)
    {n}_centres = Mul ({n}_rows_h, {n}_ratio)
    {n}_centres_2 = Unsqueeze ({n}_centres, one_i)
    {n}_away = Sub ({n}_columns_h, {n}_centres_2)
    {n}_scaled = Div ({n}_away, {n}_reach)
    {n}_x = Abs ({n}_scaled)
{kernel}
    {n}_total = ReduceSum <keepdims = 1> ({n}_raw, one_i)
    {n}_share = Div ({n}_raw, {n}_total)
    {n}_most = ReduceMax <keepdims = 0> ({n}_share)
    {n}_room = Div (largest, {n}_most)
    {n}_log = Log ({n}_room)
    {n}_bits = Div ({n}_log, log_2)
    {n}_whole_bits = Floor ({n}_bits)
    {n}_p = Min ({n}_whole_bits, most_bits)
    {n}_unit = Pow (two, {n}_p)
    {n}_steps = Mul ({n}_share, {n}_unit)
    {n}_size = Abs ({n}_steps)
    {n}_size_h = Add ({n}_size, half)
    {n}_size_w = Floor ({n}_size_h)
    {n}_sign = Sign ({n}_steps)
    {n}_weights = Mul ({n}_size_w, {n}_sign)
    {n}_small = Cast <to = 1> ({n}_weights)
    {n}_small_unit = Cast <to = 1> ({n}_unit)
    {n}_sums = MatMul ({n}_small, {n}_values)
    {n}_means = Div ({n}_sums, {n}_small_unit)
    {n}_means_h = Add ({n}_means, half_grey)
    {n}_rounded = Floor ({n}_means_h)
    {n}_result = Clip ({n}_rounded, black, white)
"""

_KERNELS: Final = {
    # A triangle.
    "bilinear": """
    {n}_below = Sub (one, {n}_x)
    {n}_raw = Relu ({n}_below)
""",
    # Keys 1981 with a = -1/2, as Pillow and torchvision's antialiased resize have it.
    "bicubic": """
    {n}_x2 = Mul ({n}_x, {n}_x)
    {n}_x3 = Mul ({n}_x2, {n}_x)
    {n}_n3 = Mul ({n}_x3, three_halves)
    {n}_n2 = Mul ({n}_x2, five_halves)
    {n}_n32 = Sub ({n}_n3, {n}_n2)
    {n}_near = Add ({n}_n32, one)
    {n}_f3 = Mul ({n}_x3, half)
    {n}_f2 = Mul ({n}_x2, five_halves)
    {n}_f1 = Mul ({n}_x, four)
    {n}_f32 = Sub ({n}_f2, {n}_f3)
    {n}_f321 = Sub ({n}_f32, {n}_f1)
    {n}_far = Add ({n}_f321, two)
    {n}_is_near = Less ({n}_x, one)
    {n}_is_far = Less ({n}_x, two)
    {n}_outer = Where ({n}_is_far, {n}_far, zero)
    {n}_raw = Where ({n}_is_near, {n}_near, {n}_outer)
""",
}

_GRAPH: Final = """
<ir_version: 10, opset_import: ["" : {opset}]>
preprocessing (uint8[height, width, 3] image) => (float[1, 3, {crop}, {crop}] prepared)
<{constants}>
{{
    height = Shape <start = 0, end = 1> (image)
    width = Shape <start = 1, end = 2> (image)
    short = Min (height, width)
    longest = Mul (short, aspect)
    kept_height = Min (height, longest)
    kept_width = Min (width, longest)
{panorama}
    cropped = Slice (image, kept_start, kept_end, axes)
    pixels = Cast <to = 1> (cropped)
    sized_height = Mul (kept_height, resize)
    sized_width = Mul (kept_width, resize)
    across_from = Identity (kept_width)
    down_from = Identity (kept_height)
    across_to = Div (sized_width, short)
    down_to = Div (sized_height, short)
    across_values = Identity (pixels)
{across}
    line = Mul (across_to, channels)
    flat_shape = Concat <axis = 0> (kept_height, line)
    down_values = Reshape (across_result, flat_shape)
{down}
    resized_shape = Concat <axis = 0> (down_to, across_to, channels)
    resized = Reshape (down_result, resized_shape)
{centre}
    centre = Slice (resized, centre_start, centre_end, axes)
    shifted = Sub (centre, shift)
    normalised = Div (shifted, scale)
    planes = Transpose <perm = [2, 0, 1]> (normalised)
    prepared = Unsqueeze (planes, zero_i)
}}
"""

# Where a centred piece begins and ends; halves round to even, as Python and ONNX both do.
_CENTRED: Final = """
    {n}_spare_h = Sub ({whole_h}, {piece_h})
    {n}_spare_w = Sub ({whole_w}, {piece_w})
    {n}_spare = Concat <axis = 0> ({n}_spare_h, {n}_spare_w)
    {n}_spare_f = Cast <to = 11> ({n}_spare)
    {n}_half = Mul ({n}_spare_f, half)
    {n}_round = Round ({n}_half)
    {n}_start = Cast <to = 7> ({n}_round)
    {n}_piece = Concat <axis = 0> ({piece_h}, {piece_w})
    {n}_end = Add ({n}_start, {n}_piece)
"""


def preprocessing_graph(wanted: Preprocessing) -> Any:
    """Return an ONNX model from `image` (uint8, height x width x 3) to `prepared` (1 x 3 x S x S).

    Any size of image will do.
    """
    from onnx import parser

    kernel = _KERNELS[wanted.interpolation]
    text = _GRAPH.format(
        opset=OPSET,
        crop=wanted.crop,
        constants=", ".join(_constants(wanted)),
        panorama=_centred("kept", ("height", "width"), ("kept_height", "kept_width")),
        across=_PASS.format(n="across", kernel=kernel.format(n="across")),
        down=_PASS.format(n="down", kernel=kernel.format(n="down")),
        centre=_centred("centre", ("down_to", "across_to"), ("crop", "crop")),
    )
    return parser.parse_model(text)


def _centred(name: str, whole: tuple[str, str], piece: tuple[str, str]) -> str:
    return _CENTRED.format(
        n=name, whole_h=whole[0], whole_w=whole[1], piece_h=piece[0], piece_w=piece[1]
    )


def _constants(wanted: Preprocessing) -> list[str]:
    numbers = {"zero": 0.0, "half": 0.5, "one": 1.0, "two": 2.0}
    if wanted.interpolation == "bicubic":
        numbers |= {"three_halves": 1.5, "five_halves": 2.5, "four": 4.0}
    else:
        del numbers["zero"]
    numbers |= {"largest": 2**15 - 0.5, "most_bits": 22.0, "log_2": math.log(2)}
    greys = {"black": 0.0, "half_grey": 0.5, "white": 255.0}
    whole = {"zero_i": 0, "one_i": 1, "aspect": LONGEST_ASPECT, "channels": 3}
    whole |= {"resize": wanted.resize, "crop": wanted.crop}
    found = [f"double {name} = {{{value!r}}}" for name, value in numbers.items()]
    found += [f"float {name} = {{{value!r}}}" for name, value in greys.items()]
    found += [f"int64[1] {name} = {{{value}}}" for name, value in whole.items()]
    found += ["int64 zero_i0 = {0}", "int64 one_i0 = {1}", "int64[2] axes = {0, 1}"]
    # As the app's `normalise` computes them, in float32.
    for name, values in (("shift", wanted.mean), ("scale", wanted.std)):
        scaled = np.float32(255) * np.array(values, np.float32)
        found.append(f"float[3] {name} = {{{', '.join(repr(float(v)) for v in scaled)}}}")
    return found
