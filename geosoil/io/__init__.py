"""Files to labelled data and back; no science here."""
