"""The study behind `gilkit stalls`."""

from gilkit.studies.entry import Study

STUDY = Study("stalls", "StallReport", "stalls")
