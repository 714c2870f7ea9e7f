"""The study behind `gilkit map`."""

from gilkit.studies.entry import Study

STUDY = Study("map", "Mapped", kind="map")
