"""The study behind `gilkit claims`."""

from gilkit.studies.entry import Study

STUDY = Study("claims", "Claims", kind="claims")
