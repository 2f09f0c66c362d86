"""Sources of real images: each turns a frame into an `Observation`, on which all questions work.

A new source is one module with a class that fulfils `source.Source`, and a line in `SOURCES`.
"""

from __future__ import annotations

SOURCES = {
    "rgbd": "robo_refer_data.sources.rgbd:RgbdSource",
    "web": "robo_refer_data.sources.web:WebSource",
}
"""Name -> class, imported when it is used."""
