#!/usr/bin/env python3
"""Makes the chart fonts: the Latin letters, signs and the 2,350 Hangul syllables of
KS X 1001 out of Pretendard 1.3.9 (OFL 1.1), under another name as its licence asks.

    npm pack pretendard@1.3.9 && tar xzf pretendard-1.3.9.tgz
    python3 subset.py package/dist/public/static/alternative

Needs fonttools (Debian: python3-fonttools)."""
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

SIGNS = "×÷±·–—…µ≥≤≈→←↑↓•“”‘’°²³½%‰□"
hangul = [bytes([a, b]).decode("euc-kr") for a in range(0xB0, 0xC9) for b in range(0xA1, 0xFF)]
text = "".join(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x100)])) + SIGNS + "".join(hangul)

for weight in ("Regular", "Bold"):
    font = TTFont(Path(sys.argv[1]) / f"Pretendard-{weight}.ttf", recalcTimestamp=False)
    options = subset.Options(layout_features=[], hinting=False, name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14], notdef_outline=True, glyph_names=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=text)
    subsetter.subset(font)
    for record in list(font["name"].names):
        new = {1: "Paragopher Chart", 3: f"ParagopherChart-{weight}", 4: f"Paragopher Chart {weight}", 6: f"ParagopherChart-{weight}"}.get(record.nameID)
        if new:
            font["name"].setName(new, record.nameID, record.platformID, record.platEncID, record.langID)
    font.save(Path(__file__).parent / f"ParagopherChart-{weight}.ttf")
