"""Other words for classes of the bundled model's source task, so that class maps find them.

Only words that mean the same thing: a kind of it, or something that merely looks like it, is left
to the user.
"""

from typing import Final

_NUMBERS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "circle": ("disc", "disk", "dot"),
    "ellipse": ("oval",),
    "semicircle": ("half circle", "half disc", "half moon"),
    "crescent": ("moon", "crescent moon", "sickle"),
    "ring": ("annulus", "hoop", "washer", "doughnut", "donut"),
    "right triangle": ("right-angled triangle", "set square"),
    "rectangle": ("oblong",),
    "diamond": ("rhombus", "lozenge"),
    "trapezoid": ("trapezium",),
    "star": ("five-pointed star", "pentagram"),
    "four-pointed star": ("sparkle",),
    "starburst": ("burst",),
    "cross": ("plus", "plus sign"),
    "double arrow": ("two-way arrow", "double-headed arrow"),
    "chevron": ("vee",),
    "heart": ("love heart",),
    "drop": ("droplet", "raindrop", "teardrop"),
    "flower": ("blossom", "daisy"),
    "clover": ("shamrock", "trefoil"),
    "gear": ("cog", "cogwheel", "gearwheel"),
    "lightning bolt": ("lightning", "bolt", "flash", "high voltage"),
    "house": ("home", "hut"),
    "key": ("door key",),
    "mushroom": ("toadstool",),
    "cup": ("mug",),
    "pine tree": ("fir tree", "conifer", "christmas tree"),
    "bow tie": ("bowtie",),
    "hourglass": ("sandglass", "egg timer"),
    "umbrella": ("parasol",),
    "squiggle": ("scribble",),
    "bare tree": ("tree without leaves",),
    "blob": ("amoeba",),
    "aeroplane": ("airplane", "plane", "aircraft"),
    "sailing boat": ("sailboat", "boat", "sailing ship"),
    "car": ("automobile", "motor car"),
    "insect": ("bug",),
    "map pin": ("location pin", "place mark"),
    "stripes": ("lines",),
    "checkerboard": ("chessboard", "chequerboard", "checks"),
    "polka dots": ("dots", "spots"),
    "grid": ("mesh",),
    "bricks": ("brick wall", "masonry"),
    "zigzag": ("herringbone",),
    "concentric rings": ("bullseye",),
    "wood grain": ("wood", "timber"),
    "speckle": ("speckles",),
    "cracks": ("crack", "crazing"),
    "pebbles": ("cobbles", "gravel"),
    "honeycomb": ("hexagon pattern",),
    "scales": ("fish scales", "shingles"),
    "weave": ("basket weave", "woven fabric"),
    "crosshatch": ("hatching",),
    "maze": ("labyrinth",),
    "blotches": ("stains",),
    "rays": ("sunburst",),
    "plaid": ("tartan",),
    "fur": ("pelt",),
}


def names(title: str) -> tuple[str, ...]:
    """Return the names of a class: its own first, then other words for it."""
    kind, _, last = title.partition(" ")
    if kind == "digit" and last in _NUMBERS:
        figure = str(_NUMBERS.index(last))
        return title, f"digit {figure}", figure, last, f"number {last}", f"number {figure}"
    if kind == "letter" and len(last) == 1:
        return title, last, f"capital {last}"
    return title, *_WORDS.get(title, ())


def strangers(classes: tuple[str, ...]) -> list[str]:
    """Return classes that have other words here and are none of the source task's."""
    return [title for title in _WORDS if title not in classes]
