"""What a run leaves behind for people: ``report.html``, one self-contained page, and several runs beside each other."""
