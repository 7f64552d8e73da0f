"""A model of text: settings, a network, learning, scores, baselines, writing."""
