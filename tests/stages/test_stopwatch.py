"""What a stage costs does not depend on what else the machine does."""

import time

from benchmark.stages.stopwatch import stopwatch


def test_waiting_costs_a_processor_nothing_and_an_accelerator_its_time() -> None:
    cpu, gpu = stopwatch("cpu"), stopwatch("cuda:0")
    time.sleep(0.2)
    assert cpu() < 0.1
    assert gpu() >= 0.2


def test_computing_costs_a_processor_its_seconds() -> None:
    cpu, wall = stopwatch("cpu"), stopwatch("cuda")
    while cpu() < 0.05:
        pass
    assert 0.05 <= cpu() < 0.2
    assert wall() >= 0.05
