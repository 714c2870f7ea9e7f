"""Who loads this is in a hurry: the server of workers does, before anything of gilkit. See `hasty`."""

from __future__ import annotations

from hasty import hurry

hurry()
