"""Studies, competition and tuning: plain values in, plain values out."""
