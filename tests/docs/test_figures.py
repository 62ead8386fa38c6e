"""The figures in the documentation are what the engine does today. UPDATE_GOLDEN=1 draws them anew."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET

import pytest

from .pages import ROOT, module

FIGURES = module("figures")
DRAWN = FIGURES.figures()
IMAGES = ROOT / "docs" / "images"


@pytest.mark.parametrize("name", DRAWN)
def test_figures_are_as_drawn_today(name: str) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        (IMAGES / name).write_text(DRAWN[name])
    assert (IMAGES / name).read_text() == DRAWN[name]
    assert ET.fromstring(DRAWN[name]).tag.endswith("svg")


def test_no_figure_is_left_over() -> None:
    assert {p.name for p in IMAGES.glob("*.svg")} == set(DRAWN)


def test_the_published_keys_are_valid_for_our_fixtures_too() -> None:
    """So that the figure compares keys that do the same."""
    for nf, _, _ in FIGURES.SHOWN:
        ours = FIGURES._configuration(nf)
        keys = {d.number: bytes(len(ours.keys[d.number])) for d in ours.space.devices}
        keys |= {d: FIGURES.published(nf, d, ours) for d in FIGURES.PUBLISHED[nf]}
        assert ours.space.contains(keys), nf
        spoiled = {**keys, 1: bytes(range(len(keys[1])))}
        assert not ours.space.contains(spoiled)
