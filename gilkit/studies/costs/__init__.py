"""The study behind `gilkit costs`."""

from gilkit.studies.entry import Study

STUDY = Study("costs", "Costs", kind="costs")
