"""What is computed: activations, layers, losses, optimizer rules, schedules.

Each is written once, as a textbook prints it. Called on arrays a formula computes;
called while a program is traced it records. Nobody writes a derivative.
"""
