"""The HTML report: plain values in, sections out, one self-contained page."""
