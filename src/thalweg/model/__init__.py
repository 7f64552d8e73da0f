"""What a network is: layers, shapes, memory, steps, metrics, state, history."""
