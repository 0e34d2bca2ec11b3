"""Names for runs that were given none: an adjective, a noun, a number."""

import secrets
from typing import Final


ADJECTIVES: Final = """
    able amber ample apt bold brave brisk calm candid civil clear clever crisp
    daring deft eager early fair fleet fond gentle glad grand hardy honest humble
    jolly keen kind lively loyal lucid mellow merry mild modest neat nimble noble
    patient placid plucky polite proud quick quiet rapid ready robust rustic serene
    sharp silent sleek smart smooth snug solid spry steady stout subtle sunny swift
    tidy tranquil upbeat valiant vivid warm wise witty zesty
""".split()  # noqa: SIM905  # a list of words reads best as text
NOUNS: Final = """
    agate ant badger basalt bear beetle birch bison boulder calf canyon carp cedar
    cliff cobalt colt conch cove crab crane crow deer dolphin dove duck dune eagle
    elk falcon fawn fern finch fjord flint fox frog geyser glacier goat gorge
    granite grouse gull hare hawk hazel heron hill horse ibex jade jay kelp koala
    lake lark lichen lion lynx maple marble marmot marten mesa mole moose moss newt
    oak obsidian onyx opal orca otter owl panda perch pine plover pony quail quartz
    rabbit raven reed reef robin salmon seal shale shrew sloth slate snail sparrow
    squid stag stork stream swan tern thrush topaz trout tuna vole walrus wasp whale
    willow wolf wren yak
""".split()  # noqa: SIM905  # a list of words reads best as text


def new() -> str:
    """Return a name such as "steady-otter-417"; they may repeat."""
    adjective, noun = secrets.choice(ADJECTIVES), secrets.choice(NOUNS)

    return f"{adjective}-{noun}-{secrets.randbelow(1000)}"
