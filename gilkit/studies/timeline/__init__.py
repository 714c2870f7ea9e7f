"""The study behind `gilkit timeline`."""

from gilkit.studies.entry import Study

STUDY = Study("timeline", "Timeline")
