"""The study behind `gilkit scaling`."""

from gilkit.studies.entry import Study

STUDY = Study("scaling", "Scaling", kind="scaling")
