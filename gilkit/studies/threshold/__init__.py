"""The study behind `gilkit threshold`."""

from gilkit.studies.entry import Study

STUDY = Study("threshold", "Threshold", kind="threshold")
